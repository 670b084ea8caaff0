"""Runs the tests of the native code on hardened builds of the extension.

    python -m tests.hardened sanitized              # AddressSanitizer and UndefinedBehaviorSanitizer, by gcc
    python -m tests.hardened bare PYTHON [CALLS]    # what any interpreter can run, such as one built --with-pydebug

The extension is built into a copy of the package, so that the checkout stays as it is. The second form needs nothing
but the interpreter and a C compiler; one that counts references has the references counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hardened.build import BARE, build, build_extension, preloaded

TESTS = (
    "tests/test_native.py",
    "tests/test_counted_call.py",
    "tests/test_native_soundness.py",
    "tests/compilers/test_entry.py",
)

OF_THE_BUILD = "not compile_without_a_warning"
"""The compiler itself need not run under the sanitizer."""


def sanitized(more: list[str]) -> int:
    """Run the tests of the native code with pytest under the sanitizers."""
    with tempfile.TemporaryDirectory() as folder:
        place = build(Path(folder), sys.executable)
        environ = {**preloaded(), "PYTHONPATH": str(place), "AUTOPAR_STORE": "off"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--timeout=600", *TESTS]
        return subprocess.run([*command, "-k", OF_THE_BUILD, *more], cwd=place, env=environ, check=False).returncode


def bare(python: str, calls: list[str]) -> int:
    """Build for an interpreter and run there what needs nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        built = build_extension(Path(folder), python, ["-O2"])
        command = [python, "-W", "error", str(BARE), str(built), *calls]
        return subprocess.run(command, check=False).returncode


def main() -> int:
    """Build, run, and return the status."""
    kind, *rest = sys.argv[1:] or [""]
    if kind == "sanitized":
        return sanitized(rest)
    if kind == "bare" and rest:
        return bare(rest[0], rest[1:])
    sys.stderr.write(__doc__ or "")
    return 2


if __name__ == "__main__":
    sys.exit(main())
