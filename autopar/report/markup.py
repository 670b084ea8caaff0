"""HTML as text that cannot be mistaken: what is not markup is escaped."""

from __future__ import annotations

from html import escape

from autopar._record.explain import printable


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Escape a text, whatever it holds; markup stays as it is.

    Examples
    --------
    >>> text("<b>&</b>")
    '&lt;b&gt;&amp;&lt;/b&gt;'
    """
    if isinstance(value, Markup):
        return value
    lines = str(value).split("\n")
    return Markup(escape("\n".join(map(printable, lines)), quote=True))


def tag(element: str, *content: object, **attributes: object) -> Markup:
    """Make an element; a trailing underscore of an attribute's name goes, inner ones become hyphens.

    Attributes that are None or False are left out, those that are True have no value.

    Examples
    --------
    >>> tag("p", "1 < 2", class_="note", hidden=True)
    '<p class="note" hidden>1 &lt; 2</p>'
    """
    given = ""
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        name = name.rstrip("_").replace("_", "-")
        given += f" {name}" if value is True else f' {name}="{text(value)}"'
    return Markup(f"<{element}{given}>{joined(content)}</{element}>")


def joined(parts: object) -> Markup:
    """Put parts one after another; lists and tuples of them too."""
    if isinstance(parts, (list, tuple)):
        return Markup("".join(map(joined, parts)))
    return text(parts)
