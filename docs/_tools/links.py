"""Makes the pages a site: brings in those that lie outside of docs/, and turns links between files into links of pages.

MkDocs calls the functions whose names begin with ``on_`` (https://www.mkdocs.org/user-guide/plugins/#events).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

BROUGHT_IN = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""File of the project -> its page."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()#\s]*)(#[^()\s]*)?\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)


def pages(config: Mapping[str, Any]) -> set[str]:
    """All pages of the site."""
    docs = Path(config["docs_dir"])
    own = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")}
    return own | {page for file, page in BROUGHT_IN.items() if (ROOT / file).exists()}


def existing(nav: list[Any], known: set[str]) -> list[Any]:
    """The navigation without the pages that are not there.

    Examples
    --------
    >>> existing(["a.md", {"Part": ["b.md", "c.md"]}, {"Empty": ["d.md"]}], {"a.md", "c.md"})
    ['a.md', {'Part': ['c.md']}]
    """
    kept: list[Any] = []
    for entry in nav:
        if isinstance(entry, str):
            kept += [entry] if entry in known else []
            continue
        for title, inside in entry.items():
            found = existing(inside if isinstance(inside, list) else [inside], known)
            kept += [{title: found if isinstance(inside, list) else found[0]}] if found else []
    return kept


def linked(text: str, file: str) -> str:
    """A page's text with links of the site; what a link to a file without a page names stays as text.

    Examples
    --------
    >>> linked("[a](docs/a.md), [b](Makefile), [c](https://c.org)", "README.md")
    '[a](a.md), b, [c](https://c.org)'
    >>> linked("[what it is](../README.md#limits)", "docs/howto/a.md")
    '[what it is](../README.md#limits)'
    >>> linked("[what it is](../../README.md#limits)", "docs/howto/a.md")
    '[what it is](../readme.md#limits)'
    """
    here = posixpath.dirname(file)
    page = BROUGHT_IN.get(file, posixpath.relpath(file, "docs"))

    def replace(match: re.Match[str]) -> str:
        picture, words, target, anchor = match.groups()
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(here, target))
        if path in BROUGHT_IN:
            there = BROUGHT_IN[path]
        elif path.startswith("docs/"):
            there = posixpath.relpath(path, "docs")
        elif (ROOT / path).exists():
            return words
        else:
            return match[0]
        return f"{picture}[{words}]({posixpath.relpath(there, posixpath.dirname(page) or '.')}{anchor or ''})"

    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(replace, part) for part in parts)


def on_config(config: Any) -> Any:
    """Leave out of the navigation what is not there."""
    config["nav"] = existing(config["nav"], pages(config))
    return config


def on_files(files: Any, config: Any) -> Any:
    """Bring in the pages from outside."""
    from mkdocs.structure.files import File

    for file, page in BROUGHT_IN.items():
        if (ROOT / file).exists():
            text = linked((ROOT / file).read_text(encoding="utf-8"), file)
            files.append(File.generated(config, page, content=text))
    return files


_ROLE = re.compile(r":(?:class|meth|func|mod|data|attr|exc):(<code>)~?(?:autopar\.)?(?=[\w.]+</code>)")


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name other things by roles of Sphinx: the name is enough here."""
    return _ROLE.sub(r"\1", html)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn the links of a page that lies in docs/."""
    if page.file.generated_by is not None:
        return markdown
    return linked(markdown, f"docs/{page.file.src_uri}")
