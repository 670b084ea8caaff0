"""Workers whose parent has ended before they could notice."""

from __future__ import annotations

import sys

import pytest

from tests.scripts import run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and who has a process whose parent has ended"),
]

ORPHANS = """
import os
from multiprocessing import process
from autopar._backends import forks, parent_end

def orphan(number, sentinel, asks):
    ours, theirs = os.pipe()
    go, come = os.pipe()
    parent = os.fork()
    if not parent:
        parent = os.getpid()
        if os.fork():
            os._exit(0)
        os.read(go, 1)  # until the parent is no more: nothing has its number
        process._parent_process = process._ParentProcess("parent", number(parent), go if sentinel else None)
        asks()
        os.write(theirs, b" goes on")
        os._exit(0)
    os.waitpid(parent, 0)
    os.close(theirs)
    os.write(come, b"x")
    said = os.read(ours, 100).decode() or " ends"
    for each in (ours, go, come):
        os.close(each)
    return said

gone, another = lambda parent: parent, lambda parent: os.getpid()
print("no pipe" + orphan(gone, False, parent_end.end_with_parent))
print("a pipe of the parent's" + orphan(gone, False, lambda: parent_end.end_with_parent(3)))
print("a pipe of its own" + orphan(gone, True, parent_end.end_with_parent))
print("its number is another's" + orphan(another, False, lambda: parent_end.end_with_parent(3)))
print("its parent lives" + orphan(lambda parent: os.getppid(), False, parent_end.end_with_parent))
print("the server of a map's workers" + orphan(gone, False, lambda: forks._serve(None, {})))
"""
"""Processes whose parent has ended by the time that they ask to end with it."""


def test_workers_that_start_after_their_parents_end() -> None:
    """They end at once: nothing is left that would tell them later. The server of a map's workers serves nobody."""
    said = run_python("-W", "ignore::DeprecationWarning", "-c", ORPHANS).splitlines()
    assert said == [
        "no pipe ends",
        "a pipe of the parent's ends",
        "a pipe of its own ends",
        "its number is another's ends",
        "its parent lives goes on",
        "the server of a map's workers goes on",
    ]
