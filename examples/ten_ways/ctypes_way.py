"""ctypes: C, which holds no GIL; autopar writes the C itself."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import compare
import work

from autopar import parallel

SOURCE = """
long collatz(long limit) {
    long longest = 0;
    for (long start = 1; start < limit; start++) {
        long value = start, length = 1;
        for (; value != 1; length++) value = value % 2 ? 3 * value + 1 : value / 2;
        if (length > longest) longest = length;
    }
    return longest;
}
"""


@cache
def compiled() -> Any:
    """The C function, compiled by hand."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise ImportError("a C compiler", name="a C compiler")
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "collatz.c").write_text(SOURCE)
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", "collatz.so", "collatz.c"]
        subprocess.run(command, cwd=folder, check=True)
        function = ctypes.CDLL(str(folder / "collatz.so")).collatz
    finally:
        shutil.rmtree(folder)
    function.argtypes, function.restype = [ctypes.c_long], ctypes.c_long
    return function


def by_hand(items: Sequence[int]) -> list[int]:
    """The C function on two threads."""
    with ThreadPoolExecutor(2) as executor:
        return list(executor.map(compiled(), items))


native = parallel(work.collatz, compiler="native")

WAY = compare.Way(
    "ctypes",
    'compiler="native"',
    "benchmarks/backends: integers",
    loop=lambda items: [work.collatz(item) for item in items],
    by_hand=by_hand,
    by_autopar=native.map,
    items=range(9_000, 9_040),
)

if __name__ == "__main__":
    compare.main(WAY)
