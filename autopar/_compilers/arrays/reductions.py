"""Reductions: in NumPy's own order where that is known, in another with a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from autopar._compilers.arrays import helpers
from autopar._compilers.arrays.desk import PREFIX, Desk
from autopar._compilers.arrays.functions import squared
from autopar._compilers.arrays.values import ONE, Elements, Known, Scalar, dtype_of, element

REDUCTIONS = frozenset(
    (
        "sum",
        "mean",
        "max",
        "min",
        "amax",
        "amin",
        "argmax",
        "argmin",
        "any",
        "all",
        "var",
        "std",
        "prod",
        "count_nonzero",
    )
)
WAYS = 4
"""Running sums where the order is free: as many additions as a processor has under way at once."""

Fold = Callable[[Desk, Elements, tuple[str, ...]], str]
"""Writes the reduction of the elements whose indexes begin so; returns the text of its result."""


def reduced(desk: Desk, name: str, array: Elements, axis: int | None, *, keepdims: bool = False) -> Known:
    """Reduce an array as a whole or along one axis."""
    desk.changed = True
    name = {"amax": "max", "amin": "min"}.get(name, name)
    ndim = len(array.dims)
    if axis is not None and not -ndim <= axis < ndim:
        desk.refuse("an axis that the array does not have")
    if name in ("mean", "var", "std"):
        return _moment(desk, name, array, axis, keepdims=keepdims)
    if axis is None and keepdims:
        desk.refuse("keepdims without an axis is not made into loops")
    if axis is None or ndim == 1:
        return Scalar(*_whole(desk, name, array))
    return _along(desk, name, array, axis % ndim, keepdims=keepdims)


def result_dtype(desk: Desk, name: str, dtype: str) -> str:
    """The dtype of a reduction of this dtype."""
    import numpy as np

    found = dtype_of(getattr(np, name)(np.ones(2, dtype)))
    if name in ("argmax", "argmin", "count_nonzero"):
        return "int64"
    if not found:
        desk.refuse(f"the dtype of np.{name}() of {dtype} is not one that compiled code has")
    return found


def _whole(desk: Desk, name: str, array: Elements) -> tuple[str, object]:
    dtype = result_dtype(desk, name, array.dtype)
    dims = tuple(desk.hold(Scalar(length)).text for length in array.dims)
    array = replace(array, dims=dims)
    count = " * ".join(dims)
    if name not in ("any", "all", "sum", "prod", "count_nonzero"):
        desk.leave_if(f"{count} == 0")
    text = _fold(desk, name, array, dtype, whole=True)
    if name in ("argmax", "argmin", "count_nonzero"):
        wrapped = f"int({text})" if name == "count_nonzero" else f"{desk.kind('int64')}({text})"
        return wrapped, 1 if name == "count_nonzero" else element("int64")
    return text, element(dtype)


def _fold(desk: Desk, name: str, array: Elements, dtype: str, *, whole: bool) -> str:
    """Write the reduction of all elements."""
    if name in ("sum", "prod") and dtype.startswith("float"):
        if desk.rtol and dtype == "float64":
            return _free(desk, array, dtype, "+" if name == "sum" else "*")
        if name == "prod":
            desk.refuse("np.prod() of floats multiplies in an order of its own; rtol= would admit it")
        return _pairwise(desk, array, dtype)
    if name in ("sum", "prod", "count_nonzero"):
        return _counted(desk, array, dtype, name)
    if name in ("max", "min"):
        return _extreme(desk, array, ">" if name == "max" else "<")
    if name in ("argmax", "argmin"):
        return _place(desk, array, ">" if name == "argmax" else "<")
    return _truth(desk, array, name)


def _pairwise(desk: Desk, array: Elements, dtype: str) -> str:
    if dtype != "float64" or not helpers.numpy_adds_pairwise():
        desk.refuse("np.sum() adds in an order that autopar does not know here; rtol= would admit another")
    flat, count = _flattened(desk, array)
    return _added(desk, flat, "0", count)


def _added(desk: Desk, flat: str, start: str, count: str) -> str:
    """The exact sum of so many elements of a vector, which begins with a zero that has no sign."""
    desk.given[f"{PREFIX}pairwise"] = helpers.pairwise
    total = desk.fresh("r")
    desk.write(f"{total} = {desk.kind('float64')}(0.0)")
    with desk.block(f"if {count} > 0:"):
        desk.write(f"{total} = {PREFIX}pairwise({flat}, {start}, {count}) + 0.0")
    return total


def _flattened(desk: Desk, array: Elements) -> tuple[str, str]:
    """The elements in C order as a vector, and how many there are."""
    if array.name and array.contiguous and len(array.dims) == 1:
        return array.name, array.dims[0]
    count = desk.hold(Scalar(" * ".join(array.dims))).text
    flat = desk.new((count,), array.dtype)
    with desk.loops(array.dims) as indexes:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        desk.write(f"{flat}[{_flat_index(array.dims, indexes)}] = {text}")
    return flat, count


def _flat_index(dims: tuple[str, ...], indexes: tuple[str, ...]) -> str:
    text = indexes[0]
    for length, index in zip(dims[1:], indexes[1:], strict=True):
        text = f"({text}) * {length} + {index}"
    return text


def _free(desk: Desk, array: Elements, dtype: str, sign: str) -> str:
    """Fold with several running results, for a sum whose order is free."""
    kind = desk.kind(dtype)
    start = "0.0" if sign == "+" else "1.0"
    sums = [desk.fresh("r") for _ in range(WAYS)]
    for each in sums:
        desk.write(f"{each} = {kind}({start})")
    *outer, last = array.dims

    def term(indexes: tuple[str, ...], into: str) -> None:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        desk.write(f"{into} = {into} {sign} {text}")

    with desk.loops(tuple(outer)) as indexes:
        if last == ONE:
            term((*indexes, "0"), sums[0])
        else:
            index = desk.fresh("i")
            with desk.block(f"for {index} in range({last} // {WAYS}):"):
                for way, into in enumerate(sums):
                    place = desk.fresh("j")
                    desk.write(f"{place} = {WAYS} * {index} + {way}")
                    term((*indexes, place), into)
            index = desk.fresh("i")
            with desk.block(f"for {index} in range({last} - {last} % {WAYS}, {last}):"):
                term((*indexes, index), sums[0])
    return f"(({sums[0]} {sign} {sums[1]}) {sign} ({sums[2]} {sign} {sums[3]}))"


def _counted(desk: Desk, array: Elements, dtype: str, name: str) -> str:
    """Fold integers: whatever the order, the result is the same."""
    kind = desk.kind(dtype)
    total, sign = desk.fresh("r"), "*" if name == "prod" else "+"
    desk.write(f"{total} = {kind}({1 if name == 'prod' else 0})")
    with desk.loops(array.dims) as indexes:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        if name == "count_nonzero" or array.dtype == "bool":
            with desk.block(f"if {text}:"):
                desk.write(f"{total} = {total} + {kind}(1)")
        else:
            desk.write(f"{total} = {total} {sign} {kind}({text})")
    return total


def _extreme(desk: Desk, array: Elements, relation: str) -> str:
    """The largest or smallest; which zero, and which NaN, is NumPy's to say."""
    best = desk.fresh("r")
    first: list[str] = []
    text = array.at(tuple("0" for _ in array.dims), first)
    desk.put(first)
    desk.write(f"{best} = {text}")
    floats = array.dtype.startswith("float")
    with desk.loops(array.dims) as indexes:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        each = desk.fresh("e")
        desk.write(f"{each} = {text}")
        if floats:
            desk.leave_if(f"{each} != {each}")
        with desk.block(f"if {each} {relation} {best}:"):
            desk.write(f"{best} = {each}")
    if floats and not desk.rtol:
        desk.leave_if(f"{best} == 0.0")
    return best


def _place(desk: Desk, array: Elements, relation: str) -> str:
    if len(array.dims) != 1:
        desk.refuse("np.argmax() or np.argmin() of a whole array of several dimensions is not made into loops")
    best, place = desk.fresh("r"), desk.fresh("k")
    first: list[str] = []
    text = array.at(("0",), first)
    desk.put(first)
    desk.write(f"{best} = {text}")
    desk.write(f"{place} = 0")
    with desk.loops(array.dims) as indexes:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        each = desk.fresh("e")
        desk.write(f"{each} = {text}")
        if array.dtype.startswith("float"):
            desk.leave_if(f"{each} != {each}")
        with desk.block(f"if {each} {relation} {best}:"):
            desk.write(f"{best} = {each}")
            desk.write(f"{place} = {indexes[0]}")
    return place


def _truth(desk: Desk, array: Elements, name: str) -> str:
    found = desk.fresh("r")
    desk.write(f"{found} = {name == 'all'}")
    with desk.loops(array.dims) as indexes:
        statements: list[str] = []
        text = array.at(indexes, statements)
        desk.put(statements)
        with desk.block(f"if {text}:" if name == "any" else f"if not {text}:"):
            desk.write(f"{found} = {name == 'any'}")
    return f"{desk.kind('bool')}({found})"


def _along(desk: Desk, name: str, array: Elements, axis: int, *, keepdims: bool) -> Elements:
    """Reduce along one axis into an array of the others."""
    dims = tuple(desk.hold(Scalar(length)).text for length in array.dims)
    ordered = array.ordered or len(dims) < 3
    array = Elements(dims, array.dtype, array.at)
    dtype = result_dtype(desk, name, array.dtype)
    if name not in ("any", "all", "sum", "prod", "count_nonzero"):
        desk.leave_if(f"{dims[axis]} == 0")
    rest = dims[:axis] + dims[axis + 1 :]
    exact_sum = name == "sum" and dtype == "float64" and not desk.rtol
    if exact_sum:
        made = _exact_sums(desk, array, axis, rest)
    elif axis == 0 and name in ("sum", "max", "min") and len(dims) == 2 and dtype.startswith("float"):
        made = _rows(desk, name, array, rest, dtype)
    else:
        made = desk.new(rest, dtype)
        with desk.loops(rest) as indexes:
            inner = Elements((dims[axis],), array.dtype, partial(_line, array, axis, indexes))
            text = _fold(desk, name, inner, dtype, whole=False)
            desk.write(f"{made}[{', '.join(indexes)}] = {text}")
    result = desk.whole(made)
    if not ordered:
        result = replace(result, name="", ordered=False)
    if not keepdims:
        return result
    kept = (*rest[:axis], ONE, *rest[axis:])
    at = lambda own, out: result.at((*own[:axis], *own[axis + 1 :]), out)  # noqa: E731
    return Elements(kept, dtype, at, ordered=ordered)


def _line(array: Elements, axis: int, outer: tuple[str, ...], own: tuple[str, ...], out: list[str]) -> str:
    return array.at((*outer[:axis], own[0], *outer[axis:]), out)


def _rows(desk: Desk, name: str, array: Elements, rest: tuple[str, ...], dtype: str) -> str:
    """Along the first of two axes, row by row, as the memory lies."""
    rows, columns = array.dims
    desk.leave_if(f"{rows} == 0")
    made = desk.new(rest, dtype)
    with desk.loops((columns,)) as (column,):
        statements: list[str] = []
        text = array.at(("0", column), statements)
        desk.put(statements)
        desk.write(f"{made}[{column}] = {text}{' + 0.0' if name == 'sum' else ''}")
    row = desk.fresh("i")
    with desk.block(f"for {row} in range(1, {rows}):"), desk.loops((columns,)) as (column,):
        statements = []
        text = array.at((row, column), statements)
        desk.put(statements)
        if name == "sum":
            desk.write(f"{made}[{column}] = {made}[{column}] + {text}")
        else:
            each = desk.fresh("e")
            desk.write(f"{each} = {text}")
            desk.leave_if(f"{each} != {each}")
            with desk.block(f"if {each} {'>' if name == 'max' else '<'} {made}[{column}]:"):
                desk.write(f"{made}[{column}] = {each}")
    if name != "sum" and not desk.rtol:
        with desk.loops((columns,)) as (column,):
            desk.leave_if(f"{made}[{column}] == 0.0")
    return made


def _exact_sums(desk: Desk, array: Elements, axis: int, rest: tuple[str, ...]) -> str:
    """Sums of floats in NumPy's order: rows are added to one another, a row by itself pairwise."""
    if len(array.dims) != 2 or not helpers.numpy_adds_pairwise():
        desk.refuse("np.sum() along an axis adds in an order that autopar does not know; rtol= would admit another")
    rows, columns = array.dims
    desk.leave_if(f"{rows} < 2 or {columns} < 2")  # where NumPy swaps the axes
    if axis == 0:
        return _rows(desk, "sum", array, rest, "float64")
    flat, _ = _flattened(desk, array)
    made = desk.new(rest, "float64")
    with desk.loops(rest) as (row,):
        total = _added(desk, flat, f"{row} * {columns}", columns)
        desk.write(f"{made}[{row}] = {total}")
    return made


def _moment(desk: Desk, name: str, array: Elements, axis: int | None, *, keepdims: bool) -> Known:
    """Mean, variance, standard deviation, by the steps that NumPy takes."""
    import numpy as np

    if array.dtype != "float64":
        desk.refuse(f"np.{name}() of other dtypes than float64 is not made into loops")
    if not array.name:
        array = replace(desk.whole(desk.made(array)), ordered=array.ordered)
    count = desk.hold(Scalar(" * ".join(array.dims) if axis is None else array.dims[axis], 1))
    kept = axis is not None and len(array.dims) > 1
    total = reduced(desk, "sum", array, axis, keepdims=kept and (keepdims or name != "mean"))
    mean = desk.elementwise(np.true_divide, "({} / {})", total, count)
    if name == "mean":
        return mean
    if isinstance(mean, Elements):
        mean = desk.whole(desk.made(mean))
    distance = squared(desk, desk.elementwise(np.subtract, "({} - {})", array, mean))
    assert isinstance(distance, Elements)
    squares = reduced(desk, "sum", distance, axis, keepdims=keepdims)
    variance = desk.elementwise(np.true_divide, "({} / {})", squares, count)
    if name == "var":
        return variance
    root = desk.kind("float64").removesuffix("float64") + "sqrt({})"
    return desk.elementwise(np.sqrt, root, variance)


def accumulated(desk: Desk, array: Elements) -> Known:
    """Running sums of a vector, which NumPy adds in order."""
    if len(array.dims) != 1:
        desk.refuse("np.cumsum() of several dimensions is not made into loops")
    desk.changed = True
    dtype = result_dtype(desk, "sum", array.dtype)
    length = desk.hold(Scalar(array.dims[0])).text
    desk.leave_if(f"{length} == 0")
    made = desk.new((length,), dtype)
    kind, total = desk.kind(dtype), desk.fresh("r")
    first: list[str] = []
    text = array.at(("0",), first)
    desk.put(first)
    desk.write(f"{total} = {kind}({text})")
    desk.write(f"{made}[0] = {total}")
    index = desk.fresh("i")
    with desk.block(f"for {index} in range(1, {length}):"):
        statements: list[str] = []
        text = array.at((index,), statements)
        desk.put(statements)
        desk.write(f"{total} = {total} + {kind}({text})")
        desk.write(f"{made}[{index}] = {total}")
    return desk.whole(made)
