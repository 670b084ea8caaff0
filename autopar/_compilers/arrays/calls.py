"""Calls: functions of elements, reductions, new arrays, methods of arrays; all else stays a call."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

from autopar._compilers.arrays.desk import Desk
from autopar._compilers.arrays.functions import of_elements
from autopar._compilers.arrays.products import product
from autopar._compilers.arrays.reductions import REDUCTIONS, accumulated, reduced
from autopar._compilers.arrays.values import ONE, Elements, Known, Scalar, Whole, sample_of, tried
from autopar._kernel.types import DTYPES

_MADE = ("zeros", "ones", "empty", "full")
_LIKE = ("zeros_like", "ones_like", "empty_like", "full_like")
_TYPED: dict[Any, Any] = {int: 1, float: 1.0, bool: True, round: None, len: 1}


def called(desk: Desk, node: ast.Call, as_it_is: Callable[[], Scalar]) -> Known:
    """What a call gives; ``as_it_is`` is the call with its arguments rewritten."""
    function: Any = desk.refers_to(node.func)
    if function is None:
        if isinstance(node.func, ast.Attribute) and isinstance(base := desk.value(node.func.value), Elements):
            return _method(desk, base, node, as_it_is)
        return as_it_is()
    if any(isinstance(arg, ast.Starred) for arg in node.args):
        return as_it_is()
    if getattr(function, "__module__", None) in ("numpy", None) or type(function).__module__ == "numpy":
        found = _of_numpy(desk, function, node, as_it_is)
        if found is not None:
            return found
    if function is abs or function is len:
        return _of_one(desk, function, node, as_it_is)
    found = as_it_is()
    in_math = getattr(math, getattr(function, "__name__", ""), None) is function
    sample = _TYPED.get(function) if function in _TYPED else None
    if in_math and function not in (math.floor, math.ceil, math.trunc, math.gcd, math.isqrt, math.frexp, math.modf):
        sample = 1.0
    return Scalar(found.text, sample)


def _of_one(desk: Desk, function: Any, node: ast.Call, as_it_is: Callable[[], Scalar]) -> Known:
    if len(node.args) != 1 or node.keywords:
        return as_it_is()
    value = desk.value(node.args[0])
    if isinstance(value, Scalar):
        return Scalar(as_it_is().text, 1 if function is len else tried(abs, value.sample))
    if function is len:
        return Scalar(value.dims[0], 1)
    found = of_elements(desk, abs, [value])
    return as_it_is() if found is None else found


def _of_numpy(desk: Desk, function: Any, node: ast.Call, as_it_is: Callable[[], Scalar]) -> Known | None:
    import numpy as np

    name = getattr(function, "__name__", "")
    if getattr(np, name, None) is not function:
        return None
    if name in _MADE or name in _LIKE or name == "arange":
        return _new(desk, name, node, as_it_is)
    if name in DTYPES or name == "bool":
        return Scalar(as_it_is().text, np.dtype(name).type(1))
    keywords = {keyword.arg or "": keyword.value for keyword in node.keywords}
    if name in ("dot", "matmul") and len(node.args) == 2 and not keywords:
        return product(desk, *[desk.value(arg) for arg in node.args])
    if name == "outer" and len(node.args) == 2 and not keywords:
        return _outer(desk, *[desk.value(arg) for arg in node.args])
    if name in REDUCTIONS and node.args:
        return _reduction(desk, name, desk.value(node.args[0]), node.args[1:], keywords, as_it_is)
    if name == "cumsum" and len(node.args) == 1 and not keywords:
        return _running(desk, desk.value(node.args[0]), as_it_is)
    if keywords:
        desk.refuse(f"np.{name}() with {', '.join(keywords)}= is not made into loops")
    values = [desk.value(arg) for arg in node.args]
    rounds = all(isinstance(value, Scalar) for value in values) and not desk.rtol
    found = None if rounds else of_elements(desk, function, values)
    if found is not None:
        return found
    if not all(isinstance(value, Scalar) for value in values):
        desk.refuse(f"np.{name}() is not made into loops")
    samples, operation = [sample_of(value) for value in values], vars(np)[name]
    return Scalar(as_it_is().text, tried(operation, *samples))


def _reduction(
    desk: Desk,
    name: str,
    value: Known,
    rest: list[ast.expr],
    keywords: dict[str, ast.expr],
    as_it_is: Callable[[], Scalar],
) -> Known:
    if isinstance(value, Scalar):
        return as_it_is()
    given = dict(keywords)
    if rest:
        given["axis"] = rest[0]
    axis = _constant(desk, given.pop("axis", ast.Constant(None)), name)
    keepdims = _constant(desk, given.pop("keepdims", ast.Constant(False)), name)
    if given or len(rest) > 1:
        desk.refuse(f"np.{name}() with {', '.join(given) or 'more arguments'} is not made into loops")
    return reduced(desk, name, value, axis, keepdims=bool(keepdims))


def _constant(desk: Desk, node: ast.expr, name: str) -> Any:
    try:
        found = ast.literal_eval(node)
    except ValueError:
        desk.refuse(f"an argument of np.{name}() that is not a constant")
    if found is not None and type(found) not in (int, bool):
        desk.refuse(f"np.{name}() along several axes is not made into loops")
    return found


def _running(desk: Desk, value: Known, as_it_is: Callable[[], Scalar]) -> Known:
    return as_it_is() if isinstance(value, Scalar) else accumulated(desk, value)


def _outer(desk: Desk, left: Known, right: Known) -> Known:
    if isinstance(left, Scalar) or isinstance(right, Scalar) or len(left.dims) != 1 or len(right.dims) != 1:
        desk.refuse("np.outer() of other than two vectors is not made into loops")
    column = Elements((left.dims[0], ONE), left.dtype, lambda indexes, out: left.at(indexes[:1], out))
    return desk.elementwise(lambda a, b: a * b, "({} * {})", column, right)


def _new(desk: Desk, name: str, node: ast.Call, as_it_is: Callable[[], Scalar]) -> Known:
    """A new array, made by the same call; what it holds is what NumPy says of a small one."""
    import numpy as np

    arguments = [desk.value(arg) for arg in node.args]
    keywords = {keyword.arg or "": keyword.value for keyword in node.keywords}
    dtype: Any = desk.refers_to(keywords["dtype"]) if "dtype" in keywords else None
    if "dtype" in keywords and dtype is None:
        try:
            dtype = ast.literal_eval(keywords["dtype"])
        except ValueError:
            if isinstance(keywords["dtype"], ast.Attribute):
                like = desk.value(keywords["dtype"].value)
                dtype = like.dtype if isinstance(like, Elements) else None
    if name in _LIKE:
        like = arguments[0]
        if not isinstance(like, Elements):
            return as_it_is()
        if not like.ordered:
            desk.refuse(f"np.{name}() of an array that may lie in another order than C is not made into loops")
        ndim, found = len(like.dims), np.dtype(dtype or like.dtype).name
    else:
        ndim = 1 if name == "arange" else _ndim(desk, node)
        fill = sample_of(arguments[1]) if name == "full" and len(arguments) > 1 else 1.0
        if name == "arange":
            fill = sum(sample for argument in arguments if (sample := sample_of(argument)) is not None)
        elif name != "full" and len(node.args) > 1:
            dtype = desk.refers_to(node.args[1])
        if fill is None or not ndim:
            desk.refuse(f"the shape or dtype of np.{name}() is not known")
        found = np.dtype(dtype).name if dtype is not None else np.asarray(fill).dtype.name
    made = desk.fresh("a")
    desk.write(f"{made} = {as_it_is().text}")
    desk.env[made] = Whole(found, ndim, frozenset({f"line {desk.line}, {made}"}), True)
    return desk.whole(made)


def _ndim(desk: Desk, node: ast.Call) -> int:
    """The number of dimensions that a shape makes; 0 if it is not known."""
    if not node.args:
        return 0
    shape = node.args[0]
    if isinstance(shape, ast.Tuple):
        return len(shape.elts)
    if isinstance(shape, ast.Attribute) and shape.attr == "shape":
        base = desk.value(shape.value)
        return len(base.dims) if isinstance(base, Elements) else 0
    found = desk.value(shape)
    return 1 if isinstance(found, Scalar) and type(found.sample) is int else 0


def _method(desk: Desk, base: Elements, node: ast.Call, as_it_is: Callable[[], Scalar]) -> Known:
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    keywords = {keyword.arg or "": keyword.value for keyword in node.keywords}
    if name in REDUCTIONS:
        return _reduction(desk, name, base, list(node.args), keywords, as_it_is)
    if name == "dot" and len(node.args) == 1 and not keywords:
        return product(desk, base, desk.value(node.args[0]))
    if name == "copy" and not node.args and not keywords:
        return Elements(base.dims, base.dtype, base.at)
    if name == "cumsum" and not node.args and not keywords:
        return accumulated(desk, base)
    if name == "astype" and len(node.args) == 1 and not keywords:
        return _cast(desk, base, desk.refers_to(node.args[0]))
    if name in ("fill", "item") and base.name:
        arguments = ", ".join(desk.hold(_only(desk, desk.value(arg))).text for arg in node.args)
        from autopar._compilers.arrays.values import element

        return Scalar(f"{base.name}.{name}({arguments})", element(base.dtype).item() if name == "item" else None)
    desk.refuse(f"the method {name}() of an array is not made into loops")


def _only(desk: Desk, value: Known) -> Scalar:
    if isinstance(value, Elements):
        desk.refuse("an array is used where one number is needed")
    return value


def _cast(desk: Desk, base: Elements, kind: Any) -> Known:
    import numpy as np

    if kind not in (float, np.float64):
        desk.refuse("astype() to another dtype than float64 is not made into loops")
    wrap = desk.kind("float64")
    at = lambda indexes, out: f"{wrap}({base.at(indexes, out)})"  # noqa: E731
    return Elements(base.dims, "float64", at, ordered=base.ordered)
