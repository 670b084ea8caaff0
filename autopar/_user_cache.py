"""Where autopar keeps its files: the store, and the folders beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def locate(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[Path | None, str]:
    """Say where the store is.

    Parameters
    ----------
    environ
        Environment variables: ``AUTOPAR_STORE`` is the path of a file, or ``off``; else the user's cache folder is
        taken.
    platform
        ``sys.platform``.

    Returns
    -------
    path, why_not
        The file, or None and the reason, which is empty where the user wants no store.

    Examples
    --------
    >>> locate({"AUTOPAR_STORE": "off"})
    (None, '')
    """
    chosen = environ.get("AUTOPAR_STORE", "")
    if chosen.strip().lower() == "off":
        return None, ""
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen))), ""
    cache = _cache_folder(environ, platform)
    if cache is None:
        return None, "no home folder is known; set AUTOPAR_STORE to the path of a file"
    return cache / "autopar" / "store.sqlite", ""


def _cache_folder(environ: Mapping[str, str], platform: str) -> Path | None:
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return Path(local) if os.path.isabs(local) else None
    stated = environ.get("XDG_CACHE_HOME", "")
    if platform != "darwin" and os.path.isabs(stated):  # a relative one is to be ignored, says the XDG specification
        return Path(stated)
    home = environ.get("HOME") or _home_of_user()
    if not os.path.isabs(home):
        return None
    return Path(home, "Library", "Caches") if platform == "darwin" else Path(home, ".cache")


def _home_of_user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a user without an entry, as in many containers
        return ""
