"""Parts of arrays: slices, single indexes, new axes and index arrays, as elements of the whole."""

from __future__ import annotations

import ast
from collections.abc import Callable

from autopar._compilers.arrays.desk import Desk, shown
from autopar._compilers.arrays.values import ONE, Elements, Known, Scalar

Index = Callable[[tuple[str, ...], list[str]], str]
"""From the indexes into the part, and a list to add statements to, to an index into the whole."""


def selected(desk: Desk, array: Elements, node: ast.expr) -> Known:
    """The part of an array that an index picks, or the one element."""
    entries = _entries(desk, array, node)
    if array.name and (element := _element(desk, array, entries)) is not None:
        return element
    dims: list[str] = []
    picks: list[Index] = []
    gathered: tuple[int, tuple[str, ...]] | None = None  # where the axes of index arrays begin, and their lengths
    axis = 0
    for entry in entries:
        if isinstance(entry, ast.Constant) and entry.value is None:
            dims.append(ONE)
            continue
        length = array.dims[axis]
        axis += 1
        if isinstance(entry, ast.Slice):
            size, pick = _slice(desk, entry, length)
            picks.append(_at(pick, len(dims)))
            dims.append(size)
            continue
        found = desk.value(entry)
        if isinstance(found, Scalar):
            picks.append(_fixed(desk, found, length))
            continue
        if found.dtype == "bool" or not found.dtype.startswith(("int", "uint")):
            desk.refuse(f"an index array of {found.dtype} is not made into loops")
        if gathered is None:
            gathered = (len(dims), found.dims)
            dims += found.dims
        elif len(dims) != gathered[0] + len(gathered[1]):
            desk.refuse("index arrays on both sides of a slice are not made into loops")
        else:
            common = desk.broadcast(gathered[1], found.dims)
            if len(common) != len(gathered[1]):
                desk.refuse("index arrays of unequal dimensions are not made into loops")
            dims[gathered[0] :] = common
            gathered = (gathered[0], common)
        picks.append(_gather(found, gathered[0]))
    if not dims:
        statements: list[str] = []
        indexes = [pick((), statements) for pick in picks]
        text = array.at(tuple(indexes), statements)
        desk.put(statements)
        return Scalar(text, _one(array.dtype))

    def at(own: tuple[str, ...], out: list[str]) -> str:
        return array.at(tuple([pick(own, out) for pick in picks]), out)

    ordered = len(dims) < 2 or (array.ordered and (gathered is None or gathered[0] == 0))
    return Elements(tuple(dims), array.dtype, at, part=gathered is None, ordered=ordered)


def _element(desk: Desk, array: Elements, entries: list[ast.expr]) -> Scalar | None:
    """One element of an array in memory, whose indexes the kernel's own front end looks at; None for more than one."""
    if any(
        isinstance(entry, ast.Slice) or (isinstance(entry, ast.Constant) and entry.value is None) for entry in entries
    ):
        return None
    found = [desk.value(entry) for entry in entries]
    texts = [each.text for each in found if isinstance(each, Scalar)]
    if len(texts) < len(found):
        return None
    return Scalar(f"{array.name}[{', '.join(texts)}]", _one(array.dtype))


def is_view(array: Elements, node: ast.expr) -> bool:
    """Whether a part is one that the kernel's own front end takes as a view: slices in steps of one, and indexes."""
    entries = node.elts if isinstance(node, ast.Tuple) else [node]
    plain = all(not isinstance(entry, ast.Slice) or entry.step is None for entry in entries) and not any(
        isinstance(entry, ast.Constant) and entry.value in (None, ...) for entry in entries
    )
    return bool(array.name) and plain


def _entries(desk: Desk, array: Elements, node: ast.expr) -> list[ast.expr]:
    """One entry an axis, and those of new axes; what is left out is all."""
    entries = list(node.elts) if isinstance(node, ast.Tuple) else [node]
    dots = [place for place, entry in enumerate(entries) if isinstance(entry, ast.Constant) and entry.value is ...]
    axes = sum(not (isinstance(entry, ast.Constant) and entry.value in (None, ...)) for entry in entries)
    if axes > len(array.dims):
        desk.refuse("too many indices for the array")
    rest: list[ast.expr] = [ast.Slice() for _ in range(len(array.dims) - axes)]
    if dots:
        entries[dots[0] : dots[0] + 1] = rest
        return entries
    return entries + rest


def _at(pick: Callable[[str], str], place: int) -> Index:
    return lambda own, out: pick(own[place])


def _fixed(desk: Desk, found: Scalar, length: str) -> Index:
    """One index, the same for the whole part; it is looked at before any loop, which may have no round."""
    text = desk.hold(found).text
    desk.leave_unless(f"-{length} <= {text} < {length}")
    return lambda own, out: text


def _gather(found: Elements, place: int) -> Index:
    def pick(own: tuple[str, ...], out: list[str]) -> str:
        return found.at(shown(found.dims, own[place : place + len(found.dims)]), out)

    return pick


def _one(dtype: str) -> object:
    from autopar._compilers.arrays.values import element

    return element(dtype)


def _slice(desk: Desk, node: ast.Slice, length: str) -> tuple[str, Callable[[str], str]]:
    """The length of a slice, and how an index into it is one into the axis; slices that NumPy clips are Python's."""
    step = 1 if node.step is None else _number(node.step)
    if step == -1 and node.lower is None and node.upper is None:
        return length, lambda index: f"{length} - 1 - {index}"
    if step is None or step < 1:
        desk.refuse("a slice whose step is not a positive number is not made into loops")
    low = _bound(desk, node.lower, length, "0")
    high = _bound(desk, node.upper, length, length)
    if low == "0":
        size = high
    else:
        size = f"({high} - {low})"
        if high != length or not low.isdigit():
            desk.leave_if(f"{high} < {low}")
    if step == 1:
        return size, (lambda index: index) if low == "0" else (lambda index: f"{index} + {low}")
    return f"(({size} + {step - 1}) // {step})", lambda index: f"{step} * {index} + {low}"


def _bound(desk: Desk, node: ast.expr | None, length: str, missing: str) -> str:
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return missing
    number = _number(node)
    if number is not None:
        if abs(number) > 0:
            desk.leave_if(f"{length} < {abs(number)}")
        return str(number) if number >= 0 else f"({length} - {-number})"
    from_end = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    found = desk.value(node.operand if isinstance(node, ast.UnaryOp) and from_end else node)
    if not isinstance(found, Scalar):
        desk.refuse("an array as a bound of a slice is not made into loops")
    held = desk.hold(found).text
    if held == length:
        return held
    desk.leave_unless(f"{'0 <' if from_end else '0 <='} {held} <= {length}")
    return f"({length} - {held})" if from_end else held


def _number(node: ast.expr) -> int | None:
    """An integer that stands there as such."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = _number(node.operand)
        return None if found is None else -found
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


__all__ = ["is_view", "selected"]
