"""What the extension must stand under any interpreter, with nothing but the standard library.

    python tests/hardened/bare.py [EXTENSION [CALLS]]

Without a path it is the extension of the autopar that is installed.
Each check prints its name and ``ok``; the first that fails ends the program with its traceback.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib.util
import sys
import sysconfig
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def _installed() -> str:
    found = importlib.util.find_spec("autopar._native")
    if found is None or found.origin is None:
        raise SystemExit("autopar._native is not installed")
    return found.origin


EXTENSION = sys.argv[1] if len(sys.argv) > 1 else _installed()
CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def loaded(path: str = EXTENSION) -> Any:
    """A copy of the extension."""
    spec: Any = importlib.util.spec_from_file_location("autopar._native", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


native = loaded()
Base: Any = native.counted_call_type(functools.partial)  # a type that counts the references to itself, as wrapt's does


class Counted(Base):  # type: ignore[misc]
    """Counts its samples and nothing else."""

    def __init__(self, target: Any, every: int = 7) -> None:
        super().__init__()
        self._self_target = [target]
        self._self_countdown = every
        self.every, self.samples = every, 0

    def _sampled(self, *_: Any) -> None:
        self.samples += 1
        self._self_countdown = self.every


native.settle(Counted, False)


def kernel(
    function: Callable[[Any], int], parameters: bytes, result: bytes, words: tuple[int, int], **more: Any
) -> Any:
    """An entry into a kernel that is a function of Python: it gets the words and returns how it left."""
    made = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.POINTER(ctypes.c_int64))(function)
    count = len([byte for byte in parameters if byte in b"ifbl"])
    address = ctypes.cast(made, ctypes.c_void_p).value
    miss = more.get("miss", lambda why, args, keywords: ("missed", why))
    classes, facts = (None,) * 12, more.get("facts", ())
    return native.KernelEntry(address, parameters, result, count, *words, classes, facts, miss, None, made)


def adding(words: Any) -> int:
    """The sum of two words; a side exit where the first is negative."""
    words[2] = words[0] + words[1]
    return 5 if words[0] < 0 else 0


def doubling(words: Any) -> int:
    """Double the items of a list of ints in place."""
    at = ctypes.cast(words[0], ctypes.POINTER(ctypes.c_int64))
    for number in range(words[1]):
        at[number] *= 2
    return 0


ADD = kernel(adding, b"ii", b"(\x02ii", (4, 2))
DOUBLE = kernel(doubling, bytes([ord("l"), ord("i"), 1, 2]), b"n", (2, 2))


RELEASED = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(lambda owner: None)
RELEASE = ctypes.cast(RELEASED, ctypes.c_void_p).value


def no_array(x: int) -> None:
    """What is made is not laid out as an array: nothing is written to it."""
    with suppress(SystemError):
        native.copied_arrays(lambda shape, dtype: bytearray(64), None, RELEASE, bytearray(24), 1, 0, 1)
    with suppress(ValueError):
        native.copied_arrays(bytearray, None, RELEASE, bytearray(8), 1, 0, x + 1)


MANY = [type(f"Class{number}", (), {})() for number in range(20)]


# -- leaks --------------------------------------------------------------------------------------------------------


def target(x: Any, *, y: int = 0) -> Any:
    """Raise for negative numbers."""
    if x < 0:
        raise ValueError(x)
    return x


def rounds() -> dict[str, Callable[[Any], object]]:
    """What is done again and again, and must leave nothing behind."""
    counted, rare = Counted(target), Counted(target, 10**9)
    twin = iter(())

    def failing(x: Any) -> None:
        with suppress(ValueError):
            counted(-1)

    def never(x: Any) -> None:
        with suppress(TypeError):
            native.call_each(target, 3, 1, [])

    def collected(x: Any) -> None:
        made = Counted(target)
        made.itself = made

    return {
        "settled call": rare,
        "call": counted,
        "call by keyword": lambda x: counted(x, y=x),
        "call that raises": failing,
        "call of a fresh proxy": lambda x: Counted(target)(x),
        "proxy in a cycle": collected,
        "call_each": lambda x: native.call_each(target, iter((x, x)), 2, []),
        "call_each of an empty iterator": lambda x: native.call_each(target, twin, 2, []),
        "call_each of no iterator": never,
        "thread_probe": lambda x: native.thread_probe(),
        "exact_types": lambda x: native.exact_types([x, "a", *MANY]),
        "exact_types of an iterator": lambda x: native.exact_types(iter((x, "a", 1.5))),
        "shared_dtype of what are no arrays": lambda x: native.shared_dtype([x, "a"], int),
        "copied_arrays of what is no array": no_array,
        "pack_numbers": lambda x: native.pack_numbers("i", [x, 2, 3]),
        "pack_numbers that do not fit": lambda x: native.pack_numbers("i", [x, 2.5]),
        "kernel": lambda x: ADD(x, 10**6),
        "kernel, by way of a miss": lambda x: ADD(x, 1.5),
        "kernel, by keyword": lambda x: ADD(x, one=1),
        "kernel, by a side exit": lambda x: ADD(-5 - x, 1),
        "kernel over a list": lambda x: DOUBLE([x, x]),
        "kernel that gets a wrong list": lambda x: DOUBLE([x, "a"]),
        "enter": lambda x: ADD.enter((x, 2)),
        "rows": lambda x: ADD.pack_rows([(x, 2), (3, 4)], True, ()),
        "rows that do not fit": lambda x: ADD.pack_rows([(x, 2), (3, "a")], True, ()),
        "fresh kernel": lambda x: kernel(adding, b"ii", b"i", (3, 2))(x, 1) if x % 50 == 0 else None,
    }


FEW = 60
"""Objects that the interpreter may keep for itself meanwhile."""


def growth(work: Callable[[Any], object], calls: int, most: int) -> int:
    """Objects, or references where the interpreter counts them, that calls leave behind; fewer than `most` are fine."""
    count: Callable[[], int] = getattr(sys, "gettotalrefcount", sys.getallocatedblocks)

    def several(number: int) -> int:
        for x in range(number):
            work(x % 100)
        gc.collect()
        return count()

    several(300)
    left = []
    for _ in range(3):  # a leak shows each time, what the interpreter keeps for itself once
        before = several(300)
        left.append(several(calls) - before)
        if left[-1] < most:
            break
    return min(left)


def check_nothing_is_left_behind() -> None:
    """No object stays, whatever was called, however it ended."""
    for name, work in rounds().items():
        calls = CALLS if "proxy" not in name and "fresh" not in name else CALLS // 4
        most = calls // 2 if FREE_THREADED else FEW  # without a GIL, memory is given back later
        left = growth(work, calls, most)
        assert left < most, f"{name}: {left} left by {calls} calls"


# -- recursion ----------------------------------------------------------------------------------------------------


def deepest(function: Callable[[int], int], most: int) -> int:
    """The greatest depth that does not raise a RecursionError."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        try:
            assert function(middle) == middle
            low = middle
        except RecursionError:
            high = middle - 1
    return low


def recursive() -> tuple[Callable[[int], int], Callable[[int], int]]:
    """A recursive function, plain and through a counted proxy."""

    def plain(n: int) -> int:
        return 0 if n == 0 else 1 + plain(n - 1)

    def decorated(n: int) -> int:
        return 0 if n == 0 else 1 + int(counted(n - 1))

    counted = Counted(decorated, 10**9)
    return plain, counted


def check_recursion_is_as_deep_as_without() -> None:
    """Under the ordinary limit a RecursionError comes at the same depth."""
    plain, counted = recursive()
    sys.setrecursionlimit(1000)
    assert deepest(counted, 2000) == deepest(plain, 2000)


def check_the_c_stack_never_overflows() -> None:
    """Without a limit, on threads with large stacks and small ones, a RecursionError comes, and not a crash."""
    _, counted = recursive()
    was = sys.getrecursionlimit()
    found: list[int] = []
    try:
        for kilobytes in (0, 512, 4096):
            threading.stack_size(kilobytes * 1024)
            sys.setrecursionlimit(10**6)
            thread = threading.Thread(target=lambda: found.append(deepest(counted, 300_000)))
            thread.start()
            thread.join()
        found.append(deepest(counted, 300_000))
    finally:
        threading.stack_size(0)
        sys.setrecursionlimit(was)
    assert len(found) == 4
    assert min(found[0], found[2], found[3]) > 1000, found


def check_a_sample_at_the_end_of_the_stack_is_left_out() -> None:
    """Where there is room for the call and none to look at its sample, the call returns."""

    def deeper() -> None:
        deeper()

    kind = type("Deep", (Counted,), {"_sampled": lambda *_: deeper()})
    native.settle(kind, False)
    counted: Any = kind(target, 1)
    assert counted(3) == 3


# -- threads ------------------------------------------------------------------------------------------------------


def check_threads() -> None:
    """Calls of several threads at once all arrive, while targets, counts and lists change under them."""
    counted, numbers, wrong, end = Counted(target, 3), [1, 2, 3, 4], list[object](), threading.Event()
    facts: dict[str, object] = {"f": target}
    fact = (facts, "f", None, None, target, target.__code__, None, target.__kwdefaults__)
    guarded = kernel(adding, b"ii", b"(\x02ii", (4, 2), facts=(fact,))

    def calling() -> None:
        for x in range(CALLS // 10):
            if counted(x) != x or counted(x, y=1) != x:
                wrong.append(("call", x))
            sums = ADD(x, 10**6)
            if sums != (x + 10**6, sums[1]):
                wrong.append(("kernel", sums))
            with suppress(IndexError):  # the list was shortened while it was at work
                DOUBLE(numbers)
            guarded(x, 1)
            out: list[object] = []
            native.call_each(counted, iter((x, x)), 2, out)
            if out != [x, x]:
                wrong.append(("each", out))

    def disturbing() -> None:
        while not end.is_set():
            counted._self_target[0] = target
            counted._self_countdown = 2
            numbers[:] = [1, 2, 3]
            numbers.append(4)
            facts["f"] = len
            facts["f"] = target
            DOUBLE.countdown = 5

    disturber = threading.Thread(target=disturbing)
    threads = [threading.Thread(target=calling) for _ in range(4)]
    for thread in (disturber, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    end.set()
    disturber.join()
    assert not wrong, wrong[:3]


# -- interpreters -------------------------------------------------------------------------------------------------

_INSIDE = """
import functools, importlib.util
spec = importlib.util.spec_from_file_location("autopar._native", {path!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
base = module.counted_call_type(functools.partial)
class Counted(base):
    def _sampled(self, *given):
        self._self_countdown = 1
module.settle(Counted, False)
counted = Counted(len)
counted._self_target = [len]
assert [counted("abc") for _ in range(100)] == [3] * 100
assert module.pack_numbers("i", [1]) is not None
out = []
assert module.call_each(abs, iter([-1]), 1, out) and out == [1]
"""


def _interpreters() -> Any:
    for name in ("_interpreters", "_xxsubinterpreters"):
        with suppress(ImportError):
            return __import__(name)
    return None


def check_interpreters() -> None:
    """Several interpreters use copies of their own, one after the other and after the first one's end."""
    module = _interpreters()
    if module is None:
        return
    for _ in range(3):
        made = [module.create() for _ in range(2)]
        for each in made:
            error = module.run_string(each, _INSIDE.format(path=EXTENSION))
            assert not error, error
        for each in made:
            module.destroy(each)
    assert Counted(target)(4) == 4


def check_the_gil_stays_off() -> None:
    """Where there is no GIL, loading the extension does not bring it back."""
    enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    assert enabled() is not FREE_THREADED


CHECKS = {name.removeprefix("check_"): check for name, check in globals().copy().items() if name.startswith("check_")}


def main() -> None:
    """Run all checks."""
    for name, check in CHECKS.items():
        check()
        sys.stdout.write(f"{name} ok\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
