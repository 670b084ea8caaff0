"""The base of the wrappers: wrapt's transparent proxy, without the rest of wrapt.

Importing wrapt as a whole takes 60 ms, most of it for asyncio and importlib.metadata, of which the proxy needs nothing.
So where nobody has imported wrapt yet, its package is executed when something of it is first asked for (PEP 562), and
the module with the proxy is imported at once.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from _thread import RLock
from typing import Any


def base_object_proxy() -> Any:
    """``wrapt.BaseObjectProxy``, from wrapt's extension where there is one."""
    if "wrapt" not in sys.modules and not os.environ.get("WRAPT_DISABLE_EXTENSIONS"):
        import_lazily("wrapt")
        try:
            from wrapt._wrappers import ObjectProxy  # type: ignore[import-untyped]
        except ImportError:  # wrapt was installed without its extension
            pass
        else:
            if not hasattr(ObjectProxy, "__iter__"):  # that of ObjectProxy's namesake, which the package adds to it
                return ObjectProxy
    from wrapt import BaseObjectProxy

    return BaseObjectProxy


def import_lazily(name: str) -> None:
    """Put a package in its place among the modules, to be executed when an attribute of it is first asked for."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None or not spec.submodule_search_locations:
        return
    loader, module, lock = spec.loader, importlib.util.module_from_spec(spec), RLock()
    begun = False

    def look_up(attribute: str) -> Any:
        nonlocal begun
        with lock:  # other threads wait, as they would for an import
            if not begun:
                begun = True
                try:
                    loader.exec_module(module)
                except BaseException:
                    begun = False
                    raise
                if vars(module).get("__getattr__") is look_up:
                    del vars(module)["__getattr__"]
        try:
            return vars(module)[attribute]
        except KeyError:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}") from None

    vars(module)["__getattr__"] = look_up
    sys.modules.setdefault(name, module)


def leads_to(reference: tuple[str, str], wrapper: Any) -> bool:
    """Whether a module has the wrapper itself under a name."""
    found: Any = sys.modules[reference[0]]
    for part in reference[1].split("."):
        found = vars(found)[part]
    return found is wrapper


def restore(kind: type, function: Any, hints: dict[str, Any]) -> Any:
    """A wrapper that has travelled with its function."""
    return kind(function, hints)
