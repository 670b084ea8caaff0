"""Statements: those with whole arrays become loops, all others stay."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autopar._compilers.arrays.desk import Desk, shown
from autopar._compilers.arrays.expressions import OPERATORS, scalar, value
from autopar._compilers.arrays.selection import is_view, selected
from autopar._compilers.arrays.values import Elements, Held, Known, Scalar, Whole, sample_of, tried

_ROUNDS = 6
"""Times that a loop is looked at until its variables hold the same at its end as at its start."""


def statements(desk: Desk, body: Sequence[ast.stmt]) -> None:
    """Write statements."""
    for node in body:
        desk.line = node.lineno
        form = _FORMS.get(type(node))
        if form is None:
            desk.refuse(f"{type(node).__name__.lower()} beside whole-array code is not made into loops")
        form(desk, node)


def _as_it_is(desk: Desk, node: ast.stmt) -> None:
    for line in ast.unparse(node).splitlines():
        desk.write(line)


def _assign(desk: Desk, node: ast.Assign) -> None:
    if len(node.targets) > 1:
        desk.refuse("an assignment to several targets at once is not made into loops")
    _set(desk, node.targets[0], node.value)


def _annotated(desk: Desk, node: ast.AnnAssign) -> None:
    if node.value is not None:
        _set(desk, node.target, node.value)


def _set(desk: Desk, target: ast.expr, source: ast.expr) -> None:
    if isinstance(target, ast.Tuple):
        _unpack(desk, target, source)
    elif isinstance(target, ast.Name):
        _bind(desk, target.id, source)
    elif isinstance(target, ast.Subscript):
        _store(desk, target, value(desk, source))
    else:
        desk.refuse("an assignment to an attribute is not made into loops")


def _unpack(desk: Desk, target: ast.Tuple, source: ast.expr) -> None:
    """Work all values out, then assign them."""
    names = [each.id for each in target.elts if isinstance(each, ast.Name)]
    if isinstance(source, ast.Tuple) and len(source.elts) == len(target.elts):
        held = []
        for each in source.elts:
            found = value(desk, each)
            name = desk.fresh("v")
            _hold_in(desk, name, found, each)
            held.append(name)
        for place, name in zip(target.elts, held, strict=True):
            _set(desk, place, ast.copy_location(ast.Name(name, ast.Load()), place))
        return
    if len(names) != len(target.elts):
        desk.refuse("an assignment to several targets at once is not made into loops")
    sample = 1 if isinstance(source, ast.Attribute) and source.attr == "shape" else None
    desk.write(f"{', '.join(names)}{',' if len(names) == 1 else ''} = {scalar(desk, source).text}")
    for name in names:
        desk.env[name] = Scalar(name, sample)


def _bind(desk: Desk, name: str, source: ast.expr) -> None:
    if isinstance(source, ast.Subscript):
        with desk.rehearsed():
            base = value(desk, source.value)
            part = value(desk, source)
        if isinstance(base, Elements) and isinstance(part, Elements):
            _view(desk, name, base, part, source)
            return
    _hold_in(desk, name, value(desk, source), source)


def _hold_in(desk: Desk, name: str, found: Known, source: ast.expr) -> None:
    """Have a variable hold a value."""
    if isinstance(found, Scalar):
        desk.write(f"{name} = {found.text}")
        desk.env[name] = Scalar(name, found.sample)
    elif found.name:
        _alias(desk, name, found.name)
    else:
        _alias(desk, name, desk.kept(found))


def _alias(desk: Desk, name: str, of: str) -> None:
    desk.write(f"{name} = {of}")
    desk.env[name] = desk.env[of]


def _view(desk: Desk, name: str, base: Elements, part: Elements, source: ast.Subscript) -> None:
    """A part that stays a part of its array, as the kernel's own front end has it; index arrays make a new one."""
    whole = desk.env.get(base.name)
    entries = source.slice.elts if isinstance(source.slice, ast.Tuple) else [source.slice]
    if _gathers(desk, source.slice):
        _alias(desk, name, desk.kept(_elements(desk, source)))
        return
    if not is_view(base, source.slice) or not isinstance(whole, Whole):
        desk.refuse("a part of an array that is kept, with steps or new axes, is not made into loops")
    desk.write(f"{name} = {_view_text(desk, base.name, source)}")
    single = len(entries) == 1 and not isinstance(entries[0], ast.Slice)
    ordered = whole.ordered or len(part.dims) < 2
    desk.env[name] = Whole(part.dtype, len(part.dims), whole.roots, whole.contiguous and single, ordered=ordered)


def _view_text(desk: Desk, name: str, source: ast.Subscript) -> str:
    """The same part, with the indexes worked out before."""

    def text(node: ast.expr | None) -> str:
        return "" if node is None else desk.hold(scalar(desk, node)).text

    entries = source.slice.elts if isinstance(source.slice, ast.Tuple) else [source.slice]
    parts = [
        f"{text(each.lower)}:{text(each.upper)}" if isinstance(each, ast.Slice) else text(each) for each in entries
    ]
    return f"{name}[{', '.join(parts)}]"


def _elements(desk: Desk, node: ast.expr) -> Elements:
    found = value(desk, node)
    assert isinstance(found, Elements)
    return found


def _store(desk: Desk, target: ast.Subscript, found: Known, sign: str = "") -> None:
    """Assign to one element, or to a part, by loops."""
    base = value(desk, target.value)
    if isinstance(base, Scalar):  # a list
        desk.write(f"{base.text}[{scalar(desk, target.slice).text}] {sign}= {_one(desk, found)}")
        return
    if not base.name:
        desk.refuse("an assignment to a part of a part is not made into loops")
    mask = _mask(desk, base, target.slice)
    if mask is not None:
        _store_where(desk, base, mask, found, sign)
        return
    part = selected(desk, base, target.slice)
    if isinstance(part, Scalar):
        desk.write(f"{part.text} {sign}= {_one(desk, found)}")
        return
    if sign and _gathers(desk, target.slice):
        desk.refuse("in-place operations on what an index array picks are not made into loops")
    _fill(desk, base.name, part, found, sign)


def _gathers(desk: Desk, node: ast.expr) -> bool:
    """Whether there is an index array among the indexes: what it picks is a new array."""
    entries = node.elts if isinstance(node, ast.Tuple) else [node]
    indexes = [each for each in entries if not isinstance(each, (ast.Slice, ast.Constant))]
    with desk.rehearsed():
        return any(isinstance(value(desk, each), Elements) for each in indexes)


def _one(desk: Desk, found: Known) -> str:
    if isinstance(found, Elements):
        desk.refuse("an array is assigned to one element")
    return found.text


def _mask(desk: Desk, base: Elements, node: ast.expr) -> Elements | None:
    if isinstance(node, (ast.Tuple, ast.Slice, ast.Constant)):
        return None
    with desk.rehearsed():
        found = value(desk, node)
    if not isinstance(found, Elements) or found.dtype != "bool":
        return None
    if len(found.dims) != len(base.dims):
        desk.refuse("a mask of fewer dimensions than its array is not made into loops")
    return _elements(desk, node)


def _store_where(desk: Desk, base: Elements, mask: Elements, found: Known, sign: str) -> None:
    """Assign one value where a mask holds."""
    if isinstance(found, Elements):
        desk.refuse("an array assigned through a mask is not made into loops")
    form = _check_cast(desk, base.dtype, found, sign)
    desk.changed = True
    if not mask.name:
        mask = desk.whole(desk.made(mask))
    held = desk.hold(found)
    desk.broadcast(base.dims, mask.dims)
    with desk.loops(base.dims) as indexes, desk.block(f"if {mask.at(indexes, [])}:"):
        desk.write(f"{base.name}[{', '.join(indexes)}] {sign}= {form.format(held.text)}")


def _fill(desk: Desk, name: str, part: Elements, found: Known, sign: str) -> None:
    """Assign to a part element by element; if that would read what it has written, by way of a new array."""
    desk.changed = True
    form = _check_cast(desk, part.dtype, found, sign)
    if isinstance(found, Scalar):
        found = desk.hold(found)
    elif len(found.dims) > len(part.dims):
        desk.refuse("an array of more dimensions than what it is assigned to")
    else:
        _check_fits(desk, part.dims, found.dims)
        if _reads_what_it_writes(desk, name, part, found):
            found = desk.whole(desk.made(found))
    with desk.loops(part.dims) as indexes:
        before: list[str] = []
        place = part.at(indexes, before)
        text = found.text if isinstance(found, Scalar) else found.at(shown(found.dims, indexes), before)
        desk.put(before)
        desk.write(f"{place} {sign}= {form.format(text)}")


def _check_fits(desk: Desk, dims: tuple[str, ...], given: tuple[str, ...]) -> None:
    for length, own in zip(dims[len(dims) - len(given) :], given, strict=True):
        if own not in ("1", length):
            desk.leave_if(f"{length} != {own}")


def _check_cast(desk: Desk, dtype: str, found: Known, sign: str) -> str:
    """How what is assigned becomes of the array's dtype, as a form; it must be so without loss."""
    import numpy as np

    sample: Any = sample_of(found)
    if sign:
        operation = next(op for text, op in OPERATORS.values() if text == sign)
        sample = tried(operation, np.ones(1, dtype), sample)
    if sample is None:
        desk.refuse("the dtype of what is assigned to an array is not known")
    have = np.result_type(np.dtype(dtype), sample) if not hasattr(sample, "dtype") else sample.dtype
    if have == np.dtype(dtype):
        return "{}"
    if sign or not (np.can_cast(have, dtype, "safe") and have.itemsize < 8):
        desk.refuse(f"{have} assigned to an array of {dtype} is not made into loops")
    return f"{desk.kind(dtype)}({{}})"


def _reads_what_it_writes(desk: Desk, name: str, part: Elements, found: Elements) -> bool:
    """Whether an element is read, of memory that the part may lie in, that is not the one being written."""
    array = desk.env[name]
    assert isinstance(array, Whole)
    indexes = tuple(f"i{place}" for place in range(len(part.dims)))
    with desk.rehearsed():
        target = part.at(indexes, [])
        desk.loads.clear()
        found.at(shown(found.dims, indexes), [])
        return any(roots & array.roots and text != target for roots, text in desk.loads)


def _aug_assign(desk: Desk, node: ast.AugAssign) -> None:
    sign = OPERATORS[type(node.op)][0] if type(node.op) in OPERATORS else "@"
    found = value(desk, node.value)
    if isinstance(node.target, ast.Subscript):
        with desk.rehearsed():
            part = value(desk, node.target)
        if isinstance(part, Elements):
            _check_sign(desk, sign)
        _store(desk, node.target, found, sign)
        return
    assert isinstance(node.target, ast.Name)
    name = node.target.id
    here = desk.env.get(name)
    if isinstance(here, Whole):
        _check_sign(desk, sign)
        _fill(desk, name, desk.whole(name), found, sign)
        return
    if isinstance(found, Elements):
        _bind(desk, name, ast.copy_location(ast.BinOp(ast.Name(name, ast.Load()), node.op, node.value), node))
        return
    desk.write(f"{name} {sign}= {found.text}")
    sample = None
    if isinstance(here, Scalar) and sign in ("+", "-", "*", "/"):
        sample = tried(OPERATORS[type(node.op)][1], here.sample, found.sample)
    desk.env[name] = Scalar(name, sample)


def _check_sign(desk: Desk, sign: str) -> None:
    if sign not in ("+", "-", "*", "/"):
        desk.refuse(f"{sign}= on arrays is not made into loops")


def _joined(one: Held, other: Held) -> Held:
    if one == other:
        return one
    if isinstance(one, Whole) and isinstance(other, Whole) and (one.dtype, one.ndim) == (other.dtype, other.ndim):
        return replace(
            one,
            roots=one.roots | other.roots,
            contiguous=one.contiguous and other.contiguous,
            ones=one.ones & other.ones,
            ordered=one.ordered and other.ordered,
        )
    if isinstance(one, Scalar) and isinstance(other, Scalar) and type(one.sample) is type(other.sample):
        return one
    return None


def _join(desk: Desk, one: dict[str, Held], other: dict[str, Held]) -> dict[str, Held]:
    """What holds after either of two paths; an array on one of them only cannot be told from a number."""
    joined: dict[str, Held] = {}
    for name in one | other:
        if name in one and name in other:
            joined[name] = _joined(one[name], other[name])
            arrays = isinstance(one[name], Whole), isinstance(other[name], Whole)
            if any(arrays) and joined[name] is None:
                desk.refuse(f"{name!r} holds arrays of unequal types, or something else")
        else:
            joined[name] = one.get(name, other.get(name))
    return joined


def _looped(desk: Desk, body: Callable[[], None]) -> None:
    """Write a loop's body for what its variables hold at the start of any round."""
    for _ in range(_ROUNDS):
        start = dict(desk.env)
        with desk.rehearsed():
            body()
            end = desk.env
        desk.env = _join(desk, start, end)
        if all(desk.env[name] == start[name] for name in start):
            break
    else:
        desk.refuse("the types of a loop's variables do not come to rest")
    body()
    desk.env = _join(desk, start, desk.env)


def _for(desk: Desk, node: ast.For) -> None:
    if node.orelse:
        desk.refuse("else after a loop with whole arrays is not made into loops")
    source = value(desk, node.iter)
    text = source.text if isinstance(source, Scalar) else source.name or desk.kept(source)
    called = node.iter.func if isinstance(node.iter, ast.Call) else None
    ranged = isinstance(called, ast.Name) and desk.refers_to(called) is range

    def body() -> None:
        for each in ast.walk(node.target):
            if isinstance(each, ast.Name):
                desk.env[each.id] = Scalar(each.id, 1 if ranged else None)
        if isinstance(source, Elements) and isinstance(node.target, ast.Name):
            desk.env[node.target.id] = _item(desk, text, source, node.target.id)
        with desk.block(f"for {ast.unparse(node.target)} in {text}:"):
            statements(desk, node.body)

    _looped(desk, body)


def _item(desk: Desk, name: str, source: Elements, target: str) -> Held:
    array = desk.env[name]
    assert isinstance(array, Whole)
    if len(source.dims) == 1:
        from autopar._compilers.arrays.values import element

        return Scalar(target, element(source.dtype))
    ndim = len(source.dims) - 1
    return Whole(source.dtype, ndim, array.roots, array.contiguous, ordered=array.ordered or ndim < 2)


def _while(desk: Desk, node: ast.While) -> None:
    if node.orelse:
        desk.refuse("else after a loop with whole arrays is not made into loops")
    with desk.rehearsed():
        before = len(desk.lines)
        test = scalar(desk, node.test)
        plain = len(desk.lines) == before

    def body() -> None:
        desk.line = node.lineno
        if plain:
            with desk.block(f"while {test.text}:"):
                statements(desk, node.body)
            return
        with desk.block("while True:"):
            found = scalar(desk, node.test)
            with desk.block(f"if not {found.text}:"):
                desk.write("break")
            statements(desk, node.body)

    _looped(desk, body)


def _if(desk: Desk, node: ast.If) -> None:
    test = scalar(desk, node.test)
    start = dict(desk.env)
    with desk.block(f"if {test.text}:"):
        statements(desk, node.body)
    then, desk.env = desk.env, dict(start)
    if node.orelse:
        with desk.block("else:"):
            statements(desk, node.orelse)
    ends = [_ends(node.body), _ends(node.orelse)]
    if ends[0] or ends[1]:
        desk.env = desk.env if ends[0] else then
    else:
        desk.env = _join(desk, then, desk.env)


def _ends(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], (ast.Return, ast.Raise, ast.Break, ast.Continue))


def _return(desk: Desk, node: ast.Return) -> None:
    if node.value is None:
        desk.write("return None")
        return
    found = value(desk, node.value)
    if isinstance(found, Scalar):
        desk.write(f"return {found.text}")
        return
    desk.write(f"return {found.name or desk.kept(found)}")


def _expression(desk: Desk, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return
    if isinstance(node.value, ast.Call) and _add_at(desk, node.value):
        return
    desk.write(scalar(desk, node.value).text)


def _add_at(desk: Desk, node: ast.Call) -> bool:
    """Write ``np.add.at``, which adds one after the other."""
    import numpy as np

    if not isinstance(node.func, ast.Attribute) or node.func.attr != "at" or len(node.args) != 3:
        return False
    if desk.refers_to(node.func.value) is not np.add:
        return False
    base = value(desk, node.args[0])
    if isinstance(base, Scalar) or not base.name:
        desk.refuse("np.add.at() on other than an array's variable is not made into loops")
    part, found = selected(desk, base, node.args[1]), value(desk, node.args[2])
    if isinstance(part, Scalar):
        desk.refuse("np.add.at() at one place is not made into loops")
    desk.changed = True
    _check_cast(desk, base.dtype, found, "+")
    if isinstance(found, Elements):
        _check_fits(desk, part.dims, found.dims)
        found = desk.whole(desk.made(found))
    else:
        found = desk.hold(found)
    with desk.loops(part.dims) as indexes:
        before: list[str] = []
        place = part.at(indexes, before)
        text = found.text if isinstance(found, Scalar) else found.at(shown(found.dims, indexes), before)
        desk.put(before)
        desk.write(f"{place} += {text}")
    return True


_FORMS: dict[type[ast.stmt], Callable[[Desk, Any], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _aug_assign,
    ast.For: _for,
    ast.While: _while,
    ast.If: _if,
    ast.Return: _return,
    ast.Expr: _expression,
    ast.Pass: _as_it_is,
    ast.Break: _as_it_is,
    ast.Continue: _as_it_is,
    ast.Raise: _as_it_is,
    ast.Assert: _as_it_is,
}
