"""Users' own C functions: typed by annotations, called without the GIL, and checked against the Python body."""

# mypy: disable-error-code="comparison-overlap, empty-body, arg-type, return-value, valid-type, no-untyped-def"

from __future__ import annotations

import ctypes
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import autopar as ap
from autopar import parallel
from autopar.errors import CMismatchError, HintTypeError, HintValueError, UnavailableError
from tests.scripts import ROOT, run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

Ints = NDArray[np.int32]
Doubles = NDArray[np.float64]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one's own, as a user would build it."""
    path = tmp_path_factory.mktemp("own") / "libown.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", path, Path(__file__).with_name("own.c")], check=True)
    return path


@parallel(c_source="own.c")
def plus(one: int, other: int = 10) -> int:
    return one + other


@parallel(c_source="own.c")
def half(x: float) -> float: ...


@parallel(c_source="own.c")
def negated(x: bool) -> bool:
    return not x


@parallel(c_source="own.c:small")
def tiny(x: ctypes.c_int8) -> ctypes.c_int8: ...


@parallel(c_source="own.c")
def nothing() -> None:
    """Do nothing."""


@parallel(c_source="own.c")
def total(items: Doubles, count: int) -> float:
    found = 0.0
    for place in range(count):
        found += float(items[place])
    return found


@parallel(c_source="own.c")
def scale(items: Ints, count: int, by: ctypes.c_int32) -> None:
    for place in range(count):
        items[place] *= by


def test_a_call_gives_what_the_c_function_gives() -> None:
    """Numbers and truth values come back as exactly the annotated types; defaults and names work."""
    assert [plus(1, 2), plus(1), plus(other=4, one=3)] == [3, 11, 7]
    assert (half(3.0), negated(True), tiny(-128), nothing()) == (1.5, False, -128, None)
    assert [type(value) for value in (plus(1), half(3.0), negated(True))] == [int, float, bool]


def test_arrays_are_pointers_to_their_first_element() -> None:
    """A C function reads an array where it lies, and writes to it in place."""
    assert total(np.arange(4.0), 4) == 6.0
    items = np.arange(4, dtype=np.int32)
    assert (scale(items, 3, 10), items.tolist()) == (None, [0, 10, 20, 3])


def test_a_library_that_is_there_already(library: Path) -> None:
    """``c=`` takes a function of a library by path and symbol."""

    @parallel(c=f"{library}:plus")
    def add(one: int, other: int) -> int:
        return one + other

    assert add(20, 22) == 42


def test_a_pointer_type_is_an_array_too(library: Path) -> None:
    """An argument annotated as a ctypes pointer takes an array of that element."""
    pointer = ctypes.POINTER(ctypes.c_double)

    def summed(items: Any, count: ctypes.c_long) -> ctypes.c_double: ...

    summed.__annotations__["items"] = pointer
    assert parallel(c=f"{library}:total")(summed)(np.arange(3.0), 3) == 3.0


def test_the_signature_and_the_name_are_those_of_the_function() -> None:
    """What others see is the Python function."""
    import inspect

    assert str(inspect.signature(plus)) == "(one: 'int', other: 'int' = 10) -> 'int'"
    assert (plus.__name__, nothing.__doc__) == ("plus", "Do nothing.")


def test_a_map_runs_it_on_any_backend() -> None:
    """A C function is mapped like any other, in worker processes too."""
    expected = [number + 5 for number in range(50)]
    for hints in ({}, {"backend": "threads"}, {"backend": "processes", "workers": 1}):
        assert plus.map(range(50), other=5, **hints) == expected
    assert half.map([1.0, 2.0]) == [0.5, 1.0]


def test_without_a_body_nothing_shows_what_it_does() -> None:
    """A C function without a Python body may have effects, so that overlapping its items takes the user's word."""
    half.map([1.0, 2.0], backend="threads")
    assert any("C code" in note for note in half.decisions[-1].notes)
    plus.map([1, 2], backend="threads")
    assert plus.decisions[-1].notes == ()


def test_it_runs_without_the_gil() -> None:
    """Another thread's Python code goes on while the C function runs."""

    @parallel(c_source="own.c")
    def wait_for(flag: NDArray[np.int64]) -> int: ...

    flag = np.zeros(1, np.int64)
    seen: list[int] = []
    waiting = threading.Thread(target=lambda: seen.append(wait_for(flag)), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 30
    while not seen and time.monotonic() < deadline:
        flag[0] = 7
        waiting.join(0.01)
    assert seen == [7]


WRONG_ARGUMENTS: list[tuple[Callable[..., Any], tuple[Any, ...], type[Exception], str]] = [
    (plus, ("1", 2), TypeError, r"plus\(\): argument 'one' must be int, not str"),
    (plus, (True, 2), TypeError, r"plus\(\): argument 'one' must be int, not bool"),
    (plus, (1, 2.0), TypeError, r"plus\(\): argument 'other' must be int, not float"),
    (plus, (2**63, 1), OverflowError, r"argument 'one' must lie from -9223372036854775808 to 9223372036854775807"),
    (tiny, (128,), OverflowError, r"argument 'x' must lie from -128 to 127 to fit c_"),
    (half, (1,), TypeError, r"half\(\): argument 'x' must be float, not int"),
    (total, ([1.0], 1), TypeError, r"argument 'items' must be an array of float64, not list"),
    (total, (np.arange(3), 3), TypeError, r"an array of float64, not of int64; convert it with astype\(\)"),
    (total, (np.arange(3.0).astype(">f8"), 3), TypeError, "an array of float64, not of >f8"),
    (total, (np.arange(8.0)[::2], 4), ValueError, r"a C-contiguous array; numpy.ascontiguousarray\(\) makes one"),
    (plus, (), TypeError, r"plus\(\) missing 1 required positional argument: 'one'"),
    (plus, (1, 2, 3), TypeError, r"plus\(\) takes from 1 to 2 positional arguments but 3 were given"),
]


@pytest.mark.parametrize(("function", "args", "error", "message"), WRONG_ARGUMENTS)
def test_an_argument_that_does_not_fit_is_named(
    function: Callable[..., Any], args: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    """An argument of another type, range or layout raises before the C function is called."""
    with pytest.raises(error, match=message):
        function(*args)


def test_a_read_only_array_is_not_given_away() -> None:
    """Nothing keeps C from writing, so an array that must not be written is refused."""
    items = np.arange(3.0)
    items.flags.writeable = False
    with pytest.raises(ValueError, match="argument 'items' is read-only"):
        total(items, 3)


def untyped(x):
    """A function without annotations."""


def unreturned(x: int):
    """A function without a type for its result."""


def of_text(x: str) -> int: ...


def of_complex(x: NDArray[np.complex128]) -> int: ...


def many(*x: int) -> int: ...


def makes_array() -> Ints: ...


def hostile(x: __import__("os").system("exit 3")) -> int: ...


WRONG_FUNCTIONS: list[tuple[Any, str]] = [
    (untyped, r"untyped\(\): parameter 'x' needs an annotation for its C type: int, float, bool"),
    (unreturned, r"unreturned\(\) needs a return annotation for its C type"),
    (of_text, r"of_text\(\): parameter 'x' is annotated as str, which has no C type here"),
    (of_complex, r"of_complex\(\): parameter 'x' is annotated as .*, which has no C type here"),
    (many, r"many\(\): \*x has no C type"),
    (makes_array, r"makes_array\(\): a C function cannot return an array; take one as a parameter and fill it"),
    (hostile, r"hostile\(\): parameter 'x' is annotated as .*, which has no C type here"),
    (len, "c_source takes a function written with def, not builtin_function_or_method"),
]


@pytest.mark.parametrize(("function", "message"), WRONG_FUNCTIONS)
def test_a_function_without_a_prototype_is_an_error_where_it_is_decorated(function: Any, message: str) -> None:
    """The error names the parameter and what may stand there; no annotation is run."""
    with pytest.raises(HintTypeError, match=message):
        parallel(c_source="own.c")(function)


def good(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ("hints", "error", "message"),
    [
        ({"c": 3}, HintTypeError, "c must be a string, the path of a library, a colon and a symbol, not int"),
        ({"c": ""}, HintValueError, "c must be the path of a library"),
        ({"c": "lib.so"}, HintValueError, "must be the path of a library, a colon and a symbol: 'lib.so:good'"),
        ({"c": "no.so:good"}, HintValueError, "c='no.so:good': there is no file .*no.so"),
        ({"c": "own.c:good"}, UnavailableError, "c='own.c:good' cannot be loaded: "),
        ({"c_source": "no.c"}, HintValueError, "c_source='no.c': there is no file .*no.c"),
        ({"c": "a.so:b", "c_source": "own.c"}, HintTypeError, "one of c and c_source, not both"),
    ],
)
def test_a_hint_that_leads_nowhere_is_an_error_where_it_is_written(
    hints: dict[str, Any], error: type[Exception], message: str
) -> None:
    """A missing file, a file that is no library and a wrong type are found when the function is decorated."""
    with pytest.raises(error, match=message):
        parallel(**hints)(good)


def test_a_symbol_that_the_library_lacks_is_an_error(library: Path) -> None:
    """The library is asked for the symbol when the function is decorated."""
    with pytest.raises(HintValueError, match="has no function 'missing'"):
        parallel(c=f"{library}:missing")(good)


def test_the_hint_belongs_to_the_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a function is cannot be an option of one call, of a block or of the environment."""
    with pytest.raises(HintTypeError, match="'c_source', which belongs to @parallel"):
        parallel(good).options(c_source="own.c")
    with pytest.raises(HintTypeError, match="'c', which belongs to @parallel"):
        ap.config(c="lib.so:f")
    with pytest.raises(HintTypeError, match="'c', which belongs to @parallel"):
        parallel(good).map([1], c="lib.so:f")
    monkeypatch.setenv("AUTOPAR_C", "lib.so:f")
    assert parallel(good).map([1]) == [1]


def test_a_file_that_does_not_compile_is_an_error_with_the_first_complaint(tmp_path: Path) -> None:
    """The first call raises, and says what the compiler said."""
    (tmp_path / "bad.c").write_text("int64_t good(int64_t x) { return x; }\n")
    bad = parallel(c_source=f"{tmp_path / 'bad.c'}")(good)
    with pytest.raises(UnavailableError, match=r"cannot be compiled: .* error: unknown type name .int64_t"):
        bad(1)


def test_without_a_compiler_a_source_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A C file is a demand: where it cannot be compiled the call raises, though there is a body."""
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UnavailableError, match="cannot be compiled: CC='no-such-compiler' names no program"):
        parallel(c_source="own.c:plus")(lambda_like())(1, 2)


def lambda_like() -> Callable[[int, int], int]:
    def plus(one: int, other: int) -> int:
        return one + other

    return plus


def test_a_changed_file_is_compiled_anew(tmp_path: Path) -> None:
    """Another text under the same path, or of a file that it includes, is another function."""
    source = tmp_path / "own.c"
    (tmp_path / "own.h").write_text("#define MORE 1\n")
    source.write_text('#include "own.h"\n#include <stdint.h>\nint64_t f(int64_t x) { return x + MORE; }\n')

    def f(x: int) -> int: ...

    assert parallel(c_source=str(source))(f)(1) == 2
    (tmp_path / "own.h").write_text("#define MORE 2\n")
    assert parallel(c_source=str(source))(f)(1) == 3


# -- against the body -----------------------------------------------------------------------------------------------


def test_a_wrong_result_is_an_error_with_types_and_position() -> None:
    """A C function that gives something else than the body raises, with both values on the error."""

    @parallel(c_source="own.c:half")
    def third(x: float) -> float:
        return x / 3

    with pytest.raises(
        CMismatchError, match=r"the C function half \(c_source='own.c:half'\) differs from the body: result: a float"
    ) as caught:
        third(3.0)
    assert (caught.value.ours, caught.value.python) == (1.5, 1.0)
    with pytest.raises(CMismatchError):
        third(6.0)
    assert third(0.0) == 0.0


def test_a_result_of_another_type_is_an_error() -> None:
    """The body's type counts: an int is no float of the same value."""

    @parallel(c_source="own.c:half")
    def floored(x: float) -> float:
        return x // 2 if x % 2 else int(x // 2)

    with pytest.raises(CMismatchError, match="result: float, where Python gives int"):
        floored(4.0)


def test_a_wrong_element_is_an_error_with_its_place_and_the_bodys_content() -> None:
    """What the body has written is in the array after the error."""

    @parallel(c_source="own.c:scale")
    def scaled(items: Ints, count: int, by: ctypes.c_int32) -> None:
        for place in range(count):
            items[place] *= by if place != 2 else 1

    items = np.array([1, 1, 1, 1], np.int32)
    with pytest.raises(CMismatchError, match=r"argument items\[2\]: an int32 and an int32 of another value"):
        scaled(items, 4, 5)
    assert items.tolist() == [5, 5, 1, 5]


def test_rtol_admits_rounding() -> None:
    """With ``rtol`` a relative difference is admitted, a larger one is not."""

    def nearly(x: float) -> float:
        return x / 2 * (1 + 1e-9)

    assert parallel(c_source="own.c:half", rtol=1e-6)(nearly)(3.0) == 1.5
    with pytest.raises(CMismatchError):
        parallel(c_source="own.c:half", rtol=1e-12)(nearly)(3.0)


def test_what_the_body_raises_is_raised() -> None:
    """Where the body raises, so does a call that is checked."""

    @parallel(c_source="own.c:half")
    def picky(x: float) -> float:
        if x < 0:
            raise ValueError("negative")
        return x / 2

    with pytest.raises(ValueError, match="negative"):
        picky(-1.0)


def test_the_first_calls_and_then_few_are_checked() -> None:
    """The body runs on the first three calls, and then on a share that takes a hundredth of the time at most."""
    seen: list[int] = []

    @parallel(c_source="own.c:plus")
    def counted(one: int, other: int) -> int:
        seen.append(one)
        return one + other

    assert [counted(number, 1) for number in range(500)] == list(range(1, 501))
    assert seen == [0, 1, 2]
    for number in range(500, 3000):
        counted(number, 1)
    assert len(seen) < 10


def test_the_example_runs_from_anywhere(tmp_path: Path) -> None:
    """A relative path starts at the file that defines the function, not at the working folder."""
    said = run_python(str(ROOT / "examples" / "own_c.py"), "20", cwd=tmp_path)
    assert "the results are equal" in said
