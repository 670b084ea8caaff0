"""C types out of a Python function's annotations.

Annotations written as text (``from __future__ import annotations``) are not run: only names, attributes of modules,
subscripts and ``POINTER(...)`` are looked up.
"""

from __future__ import annotations

import ast
import builtins
import ctypes
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, get_args, get_origin

from autopar._model.light_dataclass import dataclass
from autopar.errors import HintTypeError

SCALARS: dict[type, type[Any]] = {int: ctypes.c_int64, float: ctypes.c_double, bool: ctypes.c_bool}
"""Python type -> the C type that stands for it."""

OFFER = "int, float, bool, a ctypes type such as ctypes.c_int32, or numpy.typing.NDArray[numpy.float64]"

RETURN_OFFER = "int, float, bool, a ctypes type or None"

_WHOLE = "bBhHiIlLqQ"
_REAL = "fd"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number passed or returned by value.

    Attributes
    ----------
    kind
        ``int``, ``float`` or ``bool``: what Python sees.
    ctype
        What C sees.
    """

    kind: type
    ctype: type[Any]

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and greatest whole number that the C type holds."""
        bits = 8 * ctypes.sizeof(self.ctype)
        signed = self.ctype(-1).value < 0
        return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


@dataclass(frozen=True, slots=True)
class Array:
    """An array passed as a pointer to its first element.

    Attributes
    ----------
    dtype
        As NumPy writes it: ``"float64"``.
    """

    dtype: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a C function."""

    name: str
    type: Scalar | Array


@dataclass(frozen=True, slots=True)
class Prototype:
    """What a C function takes and gives; ``result`` is None for ``void``."""

    parameters: tuple[Parameter, ...]
    result: Scalar | None


def prototype_of(function: Callable[..., Any]) -> Prototype:
    """Read a C function's prototype off a Python function's annotations.

    Raises
    ------
    HintTypeError
        An annotation is missing or has no C type; the message names the parameter and what may stand there.
    """
    name = function.__qualname__
    annotations = inspect.get_annotations(function)
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise HintTypeError(f"{name}(): *{parameter.name} has no C type; a C function's parameters are all named")
        if parameter.name not in annotations:
            raise HintTypeError(f"{name}(): parameter {parameter.name!r} needs an annotation for its C type: {OFFER}")
        found = _resolved(annotations[parameter.name], function)
        parameters.append(Parameter(parameter.name, _type_of(found, f"{name}(): parameter {parameter.name!r}")))
    if "return" not in annotations:
        raise HintTypeError(f"{name}() needs a return annotation for its C type: {RETURN_OFFER}")
    returned = _resolved(annotations["return"], function)
    if returned is None or returned is type(None):
        return Prototype(tuple(parameters), None)
    result = _type_of(returned, f"{name}(): the result")
    if isinstance(result, Array):
        raise HintTypeError(f"{name}(): a C function cannot return an array; take one as a parameter and fill it")
    return Prototype(tuple(parameters), result)


def _type_of(annotation: Any, what: str) -> Scalar | Array:
    if annotation in SCALARS:
        return Scalar(annotation, SCALARS[annotation])
    if isinstance(annotation, type) and issubclass(annotation, ctypes._SimpleCData):
        code: str = vars(annotation)["_type_"]
        kind = bool if code == "?" else int if code in _WHOLE else float if code in _REAL else None
        if kind is not None:
            return Scalar(kind, annotation)
    element = _element_of(annotation)
    if element is not None:
        return Array(element)
    shown = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", repr(annotation))
    raise HintTypeError(f"{what} is annotated as {shown}, which has no C type here; annotate it with {OFFER}")


def _element_of(annotation: Any) -> str | None:
    """The element type of ``NDArray[...]`` or ``POINTER(...)``, as NumPy names it."""
    import numpy

    alias = getattr(get_origin(annotation), "__value__", None)  # since NumPy 2.5 NDArray is a `type` statement's
    if alias is not None:
        annotation = alias[get_args(annotation)]
    try:
        if get_origin(annotation) is numpy.ndarray:
            dtype = numpy.dtype(get_args(get_args(annotation)[1])[0])
        elif isinstance(annotation, type) and issubclass(annotation, ctypes._Pointer):
            dtype = numpy.dtype(annotation._type_)
        else:
            return None
    except (TypeError, IndexError):
        return None
    return dtype.name if dtype.kind in "iufb" and dtype.isnative else None


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    namespace = getattr(function, "__globals__", {})
    try:
        return _value(ast.parse(annotation, mode="eval").body, namespace)
    except (SyntaxError, LookupError, AttributeError, TypeError, ValueError):
        return annotation


def _value(node: ast.expr, namespace: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    if isinstance(node, ast.Name):
        return namespace[node.id] if node.id in namespace else vars(builtins)[node.id]
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, namespace)
        if isinstance(owner, ModuleType):
            return getattr(owner, node.attr)
    if isinstance(node, ast.Subscript):
        return _value(node.value, namespace)[_value(node.slice, namespace)]
    if isinstance(node, ast.Call) and _value(node.func, namespace) is ctypes.POINTER and len(node.args) == 1:
        return ctypes.POINTER(_value(node.args[0], namespace))
    raise ValueError(ast.dump(node))
