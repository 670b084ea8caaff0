"""Extension modules that a further interpreter of this process cannot import: noted there, and told to the caller.

What is known to need one is refused before anything is run. Else the import fails, and what imports it fails too or,
where it catches the error, goes on without it and gives another answer than the loop's. So an interpreter in which that
has happened gives no answers any more: it names the module and ends.
"""

from __future__ import annotations

import importlib.machinery
import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autopar._backends.worker import UNSUPPORTED

_SAYS_SO = re.compile("interpreter|once per process")
"""What such errors say: CPython's own ("does not support loading in subinterpreters"), NumPy's ("cannot load module
more than once per process"), Cython's ("can only be loaded into one interpreter per process") and PyO3's."""

_found: list[str] = []


def watch() -> None:
    """Note from now on which extension modules this interpreter refuses to import."""
    loader: Any = importlib.machinery.ExtensionFileLoader
    loader.create_module = _noting(loader.create_module)
    loader.exec_module = _noting(loader.exec_module)


def _noting(load: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def loads(loader: Any, about: Any) -> Any:
        try:
            return load(loader, about)
        except ImportError as error:
            if _SAYS_SO.search(str(error)):
                _found.append(loader.name)
            raise

    return loads


class Answers(Connection):
    """An interpreter's end of its pipe: closed where an answer would not be the loop's."""

    def send_bytes(self, buf: Any, offset: int = 0, size: int | None = None) -> None:
        """Send an answer.

        Raises
        ------
        OSError
            A module was refused; the caller is told so, and nothing more is to be run.
        """
        if not _found:
            super().send_bytes(buf, offset, size)
            return
        super().send_bytes(pickle.dumps((UNSUPPORTED, in_words(_found[0]))))
        self.close()
        raise BrokenPipeError("nothing more is run here")


def in_words(module: str) -> str:
    """Why a module keeps a function out of interpreters."""
    package = module.partition(".")[0]
    which = package if package == module else f"{package} (its {module})"
    return f"it needs {which}, which does not support several interpreters"


# -- before anything is run ------------------------------------------------------------------------------------------

_KNOWN = frozenset({"numpy", "pandas", "scipy", "sklearn", "numba"})
"""Packages that cannot be imported there (NumPy 2.5, and what stands on it)."""


def function_needs(function: Any, *, imported: bool) -> str:
    """The package that keeps a function out of interpreters, as far as that can be seen, or an empty string.

    ``imported`` says that its module will be imported there, with all that this imports.
    """
    if not isinstance(function, FunctionType):
        return ""
    names, seen = function.__globals__, list(_instructions(function.__code__))
    used = list(names) if imported else [name for operation, name in seen if operation == "LOAD_GLOBAL"]
    packages = (_known(name) for operation, name in seen if operation == "IMPORT_NAME")
    return next(filter(None, packages), "") or values_need(names[name] for name in used if name in names)


def values_need(values: Iterable[Any]) -> str:
    """The same of values on their way to one, without a look into them."""
    for value in values:
        where = value.__name__ if isinstance(value, ModuleType) else getattr(_named(value), "__module__", None)
        if isinstance(where, str) and (package := _known(where)):
            return package
    return ""


def _named(value: Any) -> Any:
    """What says of which module a value is: a class or a function itself, the class of anything else."""
    return value if isinstance(value, (type, FunctionType)) else type(value)


def _known(module: str) -> str:
    package = module.partition(".")[0]
    return package if package in _KNOWN else ""


def _instructions(code: CodeType) -> Iterator[tuple[str, str]]:
    import dis

    for instruction in dis.get_instructions(code):
        yield instruction.opname, str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)
