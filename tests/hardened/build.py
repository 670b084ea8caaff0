"""Builds the extension with other flags, or for another interpreter, beside a copy of the package."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARE = Path(__file__).with_name("bare.py")
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-g", "-O1"]


def compiler() -> list[str]:
    """The C compiler's command line; empty where there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    return command if shutil.which(command[0]) else []


def build(folder: Path, python: str) -> Path:
    """Copy the package and its tests there and build a sanitized extension into the copy; return where that is."""
    for name in ("autopar", "tests", "native"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    build_extension(folder / "autopar", python, SANITIZERS)
    return folder


def build_extension(into: Path, python: str, flags: list[str]) -> Path:
    """Build the extension for an interpreter into a folder."""
    says = "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'), s.get_path('include'), sep='\\n')"
    done = subprocess.run([python, "-c", says], capture_output=True, text=True, check=True)
    suffix, include = done.stdout.split("\n")[:2]
    sources = sorted(map(str, (ROOT / "native").glob("*.c")))
    command = [*compiler(), "-shared", "-fPIC", "-Wall", "-Wextra", *flags, f"-I{include}", f"-I{ROOT / 'native'}"]
    built = into / f"_native{suffix}"
    subprocess.run([*command, *sources, "-o", str(built)], check=True)
    return built


def preloaded() -> dict[str, str]:
    """The environment in which an ordinary interpreter can load an extension with the sanitizers' run time.

    Leaks are not looked for this way: an interpreter keeps much until it ends. Memory is taken from malloc itself, so
    that the sanitizer sees every object.
    """
    found = subprocess.run([*compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    options = "detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1:handle_segv=1"
    return {
        **os.environ,
        "LD_PRELOAD": found.stdout.strip(),
        "ASAN_OPTIONS": options,
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "PYTHONMALLOC": "malloc",
    }
