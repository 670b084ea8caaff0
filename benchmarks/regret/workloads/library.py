"""Calls of the standard library's C code: some release the GIL, some hold it."""

from __future__ import annotations

import hashlib
import json
import random
import re
import zlib
from typing import Any

from benchmarks.regret.workload import Workload, over
from benchmarks.regret.workloads.interpreter import text

BLOCKS = 20
PATTERN = re.compile(r"\b(\w+?)(?:ing|ed)\b\s+(?=[a-m])")


def digest(block: bytes) -> str:
    """Hash a block; the GIL is released."""
    return hashlib.sha256(block).hexdigest()


def compress(block: bytes) -> bytes:
    """Compress a block; the GIL is released."""
    return zlib.compress(block, 6)


def reformat(document: str) -> str:
    """Parse a document and write it anew; the GIL is held."""
    return json.dumps(json.loads(document), sort_keys=True)


def search(text: str) -> int:
    """Search a text; the GIL is held."""
    return len(PATTERN.findall(text))


def sort(values: list[float]) -> float:
    """Sort numbers by a key and take the middle one; the GIL is held."""
    return sorted(values, key=abs)[len(values) // 2]


def blocks(count: int, size: int) -> list[bytes]:
    """Make blocks that compress by about half."""
    generator = random.Random(4)
    half = size // 2
    made = [generator.randbytes(half) + bytes([number]) * half for number in range(BLOCKS)]
    return [made[number % BLOCKS] for number in range(count)]


def documents(count: int) -> list[str]:
    """Make JSON documents of about 60 KB."""
    rows: list[list[dict[str, Any]]] = [
        [{"id": n * row, "name": f"name {n}", "tags": ["a", "b", str(row)], "x": n / 7} for n in range(800)]
        for row in range(count)
    ]
    return [json.dumps(row) for row in rows]


def numbers(count: int) -> list[list[float]]:
    """Make lists of random numbers."""
    generator = random.Random(5)
    return [[generator.uniform(-1, 1) for _ in range(15_000)] for _ in range(count)]


WORKLOADS = (
    Workload("hashing", "hash 1 MB, 0.6 ms", over(digest, lambda count: blocks(count, 1_000_000)), 500, 120),
    Workload("compression", "compress 100 KB, 1 ms", over(compress, lambda count: blocks(count, 100_000)), 400, 100),
    Workload("json", "parse and write 60 KB, 2 ms", over(reformat, documents), 150, 40),
    Workload(
        "regex",
        "search a text of 60 KB, 3 ms",
        over(search, lambda count: [text(seed, 10_000) for seed in range(count)]),
        200,
        40,
    ),
    Workload("sorting", "sort 15,000 numbers, 4 ms", over(sort, numbers), 120, 30),
)
