"""Computing in C: hashing and compressing files, which releases the GIL.

Run ``python examples/hash_and_compress.py [FILES]``.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
import time
import zlib
from pathlib import Path

from autopar import parallel


@parallel
def pack(path: str) -> tuple[str, int, int]:
    """Read a file; return its SHA-256, its size and its compressed size."""
    data = Path(path).read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data), len(zlib.compress(data, level=9))


def main(files: int = 400) -> None:
    """Pack some of the larger source files of the standard library, in the plain loop and in parallel."""
    library = Path(sysconfig.get_path("stdlib"))
    found = (path for path in sorted(library.rglob("*.py")) if "site-packages" not in path.parts)
    paths = [str(path) for path in found if path.is_file() and path.stat().st_size > 20_000][:files]
    print(f"Hashing and compressing {len(paths)} files of the standard library")

    started = time.perf_counter()
    expected = [pack(path) for path in paths]
    loop = time.perf_counter() - started

    started = time.perf_counter()
    results = pack.map(paths)
    mapped = time.perf_counter() - started

    size, packed = sum(size for _, size, _ in results), sum(packed for _, _, packed in results)
    print(f"  {size / 1e6:.1f} MB become {packed / 1e6:.1f} MB")
    print(f"  plain loop {loop:.2f} s, autopar {mapped:.2f} s: {loop / mapped:.1f} times as fast")
    assert results == expected
    print("  the results are equal")
    print(f"  decision: {pack.decisions[-1].plan}, because {pack.decisions[-1].why}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
