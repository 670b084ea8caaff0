"""Whether a fresh interpreter with the same path could import a module that is loaded here."""

from __future__ import annotations

import sys
from types import ModuleType

_known: dict[str, bool] = {}


def importable(module: ModuleType) -> bool:
    """Ask the import system, not ``sys.modules``: a module may have been made or loaded by hand.

    Examples
    --------
    >>> import json
    >>> importable(json.decoder), importable(ModuleType("made_by_hand"))
    (True, False)
    """
    name = module.__name__
    if name == "__main__":
        return False
    found = _known.get(name)
    if found is None:
        found = _known[name] = _found(name, module)
    return found


def _found(name: str, module: ModuleType) -> bool:
    parent, _, _ = name.rpartition(".")
    path = None
    if parent:
        package = sys.modules.get(parent)
        path = getattr(package, "__path__", None)
        if package is None or path is None or not importable(package):
            return False
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        spec = find(name, path) if find is not None else None
        if spec is not None:
            return bool(spec.origin == getattr(getattr(module, "__spec__", None), "origin", spec.origin))
    return False
