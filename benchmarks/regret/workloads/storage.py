"""Databases, files and other programs."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.regret.workload import Work, Workload, over

ROWS = 20_000
FILE_LINES = 20_000
FILES = 16


def query(task: tuple[str, int]) -> int:
    """Ask a database for a sum over all of its rows."""
    path, number = task
    with closing(sqlite3.connect(path)) as connection:
        (total,) = connection.execute(
            "select sum(value * ? % 7) from numbers where value % 3 < 2", (number,)
        ).fetchone()
    return int(total)


def database(count: int, stack: ExitStack) -> Work:
    """Prepare queries of one database."""
    folder = stack.enter_context(TemporaryDirectory())
    path = str(Path(folder, "numbers.sqlite"))
    generator = random.Random(3)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table numbers (value integer)")
        connection.executemany("insert into numbers values (?)", ((generator.randrange(1000),) for _ in range(ROWS)))
    tasks = [(path, number) for number in range(count)]
    return Work(query, lambda: tasks)


def count_lines(path: str) -> int:
    """Read a file and count the lines that hold a 7."""
    with open(path, encoding="ascii") as lines:
        return sum("7" in line for line in lines)


def files(count: int, stack: ExitStack) -> Work:
    """Prepare a few files, each to be read several times."""
    folder = stack.enter_context(TemporaryDirectory())
    paths = [Path(folder, f"{number}.txt") for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_text("".join(f"{n * (number + 1)}\n" for n in range(FILE_LINES)), encoding="ascii")
    tasks = [str(paths[number % FILES]) for number in range(count)]
    return Work(count_lines, lambda: tasks)


def read_bytes(path: str) -> int:
    """Read a file at one go and count its line ends."""
    return Path(path).read_bytes().count(b"\n")


def raw_files(count: int, stack: ExitStack) -> Work:
    """Prepare the same files, to be read without decoding."""
    work = files(count, stack)
    return Work(read_bytes, work.items)


def run_program(number: int) -> bytes:
    """Run another program."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"print({number} ** 2)"], stdout=subprocess.PIPE, check=True
    ).stdout


WORKLOADS = (
    Workload("sqlite", "a query over 20,000 rows, 2 ms", database, 300, 60),
    Workload("files", "read a file of 20,000 lines, 2 ms", files, 300, 60),
    Workload("raw-files", "read a file of 110 KB at one go, 0.1 ms", raw_files, 4_000, 500),
    Workload("subprocess", "run a program of 15 ms", over(run_program, range), 60, 12),
)
