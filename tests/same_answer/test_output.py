"""What items print and log is what the loop prints and logs: all of it, whole, in input order."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import autopar as ap
from autopar import parallel
from autopar._backends.emitted import joined
from autopar._backends.said import Keeper, StandIn
from autopar.errors import TransportError, UnsafeDemandError
from tests.same_answer import items
from tests.same_answer.items import BAD
from tests.scripts import run_python

pytestmark = pytest.mark.timeout(30)

N = 12
PRINTING = [
    items.prints,
    items.prints_both,
    items.writes,
    items.writes_bytes,
    items.prints_umlauts,
    items.prints_to_string,
]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Records of the loggers that the items use."""
    caplog.set_level(logging.INFO, logger="autopar_test")
    return caplog


def printed(run: Callable[[], Any]) -> tuple[Any, str, str]:
    """What a call returns, and what it writes to the standard streams."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        result = run()
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return result, texts[0], texts[1]


def facts(record: logging.LogRecord) -> tuple[Any, ...]:
    """What a record says that does not depend on the moment."""
    return (
        record.name,
        record.levelname,
        record.getMessage(),
        record.funcName,
        record.pathname,
        record.lineno,
        record.processName,
        record.threadName,
        record.process,
        record.module,
        getattr(record, "own", None),
        getattr(record, "more", None),
    )


@pytest.mark.parametrize("function", PRINTING, ids=lambda function: function.__name__)
def test_a_map_prints_what_the_loop_prints(route: dict[str, Any], function: Callable[[int], Any]) -> None:
    """Every character, on the stream where it belongs, in order."""
    expected = printed(lambda: [function(x) for x in range(N)])
    assert printed(lambda: ap.map(function, range(N), **route)) == expected
    assert printed(lambda: ap.map(function, range(N), chunksize=5, **route)) == expected


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_function_that_prints_may_run_on_several_workers(backend: str) -> None:
    """Since its output waits for its turn, nothing keeps it in one line."""
    function = parallel(items.prints, backend=backend, workers=2)
    printed(lambda: function.map(range(N)))
    assert function.decisions[-1].plan.workers == 2


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_slow_first_item_does_not_change_the_order(backend: str) -> None:
    """Items that are done earlier are heard later."""

    def item(x: int) -> None:
        for _ in range(300_000 if x == 0 else 1):
            pass
        print("item", x)

    _, out, _ = printed(lambda: ap.map(item, range(6), backend=backend, workers=2, chunksize=1))
    assert out == "".join(f"item {x}\n" for x in range(6))


def test_output_before_an_error_is_heard_and_none_after_it(route: dict[str, Any]) -> None:
    """As the loop: the failing item has printed, the next one has not begun."""

    def run() -> None:
        with pytest.raises(ValueError, match=str(BAD)):
            ap.map(items.prints_then_fails, range(3 * N), **route)

    assert printed(run)[1] == "".join(f"item {x}\n" for x in range(BAD + 1))


def test_output_of_items_whose_errors_are_values(route: dict[str, Any]) -> None:
    """With on_error="return" all items print."""
    run = parallel(items.prints_then_fails, on_error="return", **route)
    results, out, _ = printed(lambda: run.map(range(N)))
    assert [type(r) for r in results] == [ValueError if x == BAD else int for x in range(N)]
    assert out == "".join(f"item {x}\n" for x in range(N))


def test_each_attempt_is_heard(route: dict[str, Any]) -> None:
    """An item that is tried again prints again."""

    def run() -> None:
        with pytest.raises(ValueError, match=str(BAD)):
            ap.map(items.prints_then_fails, range(N), retries=1, **route)

    assert printed(run)[1] == "".join(f"item {x}\n" for x in [*range(BAD + 1), BAD])


def test_imap_is_heard_as_far_as_it_is_consumed(route: dict[str, Any]) -> None:
    """What an item printed comes before its result, and not before the result ahead of it is asked for."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        results = parallel(items.prints_then_fails, **route).imap(range(BAD))
        for x in range(BAD):
            assert next(results) == x
            assert out.getvalue() == "".join(f"item {y}\n" for y in range(x + 1))
        assert next(results, None) is None


def test_where_results_have_no_order_printing_has_to_be_allowed() -> None:
    """Without the user's word a function that prints is not sent to processes by `imap_unordered`."""
    with pytest.raises(UnsafeDemandError, match="print"):
        list(parallel(items.prints, backend="processes").imap_unordered(range(N)))


def test_imap_unordered_prints_whole_items(route: dict[str, Any]) -> None:
    """All of it is there, in some order."""
    _, expected, _ = printed(lambda: [items.prints_then_fails(x) for x in range(BAD)])
    function = parallel(items.prints_then_fails, pure=True, **route)
    _, out, _ = printed(lambda: list(function.imap_unordered(range(BAD))))
    assert sorted(out.splitlines()) == sorted(expected.splitlines())


@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("operation", ["imap_unordered", "submit"])
def test_lines_of_threads_do_not_mix(operation: str) -> None:
    """`print` writes a line in pieces; the lines of items that run at the same time come whole, each at once."""
    turn = threading.Barrier(2)
    heard: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            heard.append(text)
            return len(text)

    @parallel(backend="threads", workers=2, chunksize=1, pure=True, thread_safe=True)
    def says(x: int) -> int:
        for piece in ("item ", str(x), "\n", "rest of ", str(x)):
            turn.wait(20)
            sys.stdout.write(piece)
        return x

    with contextlib.redirect_stdout(Stream()):
        if operation == "submit":
            assert [future.result() for future in [says.submit(x) for x in range(2)]] == [0, 1]
        else:
            assert sorted(says.imap_unordered(range(2))) == [(0, 0), (1, 1)]
    assert sorted(heard[:2]) == ["item 0\n", "item 1\n"]
    assert sorted(heard[2:]) == ["rest of 0", "rest of 1"]


def test_a_line_that_is_flushed_is_heard_at_once() -> None:
    """A thread that shows its progress without ending the line is heard before it ends."""
    out = io.StringIO()
    seen = threading.Event()

    @parallel(backend="threads", pure=True, thread_safe=True)
    def shows(x: int) -> int:
        print("half", end="", flush=True)
        assert seen.wait(20)
        return x

    with contextlib.redirect_stdout(out):
        future = shows.submit(1)
        while out.getvalue() != "half":
            assert not future.done()
        seen.set()
        assert future.result() == 1


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_submit_is_heard_before_its_result(backend: str) -> None:
    """Once the future is done its output is out."""
    function = parallel(items.prints, backend=backend, pure=True)
    result, out, _ = printed(lambda: function.submit(3).result())
    assert (result, out) == (3, "item 3\nmore of 3 and its end\n")


def test_records_are_handled_by_the_callers_loggers(route: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """With the caller's levels, in order, and with all that a record of the loop says."""
    for function in (items.logs, items.logs_all_kinds):
        log.clear()
        for x in range(N):
            function(x)
        expected = [facts(record) for record in log.records]
        log.clear()
        ap.map(function, range(N), **route)
        assert [facts(record) for record in log.records] == expected


def test_records_of_errors_have_their_traceback(route: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """exc_info arrives with the user's frames."""
    ap.map(items.logs_errors, range(N), **route)
    assert [record.getMessage() for record in log.records] == [f"failed at {x}" for x in range(0, N, 3)]
    for record in log.records:
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError
        assert "return 1 // (x % 3)" in log.handler.format(record)


def test_filters_and_handlers_of_the_caller_count(route: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """A filter of a logger drops and changes records as in the loop."""
    logger = logging.getLogger("autopar_test.items")

    def only_even(record: logging.LogRecord) -> bool:
        record.msg = f"seen: {record.msg}"
        return record.args[0] % 2 == 0  # type: ignore[index, operator]

    logger.addFilter(only_even)
    try:
        ap.map(items.logs, range(4), **route)
    finally:
        logger.removeFilter(only_even)
    assert [record.getMessage() for record in log.records] == [f"seen: item {x} of several" for x in (0, 2)]


def test_log_and_print_keep_their_order(route: dict[str, Any], log: pytest.LogCaptureFixture) -> None:
    """A handler that writes to a standard stream writes between the item's own lines."""
    handler = logging.StreamHandler(stream=_CurrentStdout())
    logger = logging.getLogger("autopar_test.items")
    logger.addHandler(handler)
    try:
        _, out, _ = printed(lambda: ap.map(items.logs_and_prints, range(3), **route))
    finally:
        logger.removeHandler(handler)
    assert out == "".join(f"before {x}\nbetween {x}\nafter {x}\n" for x in range(3))


class _CurrentStdout:
    """Whatever `sys.stdout` is when something is written."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


def test_what_the_callers_stream_cannot_write_is_an_error_of_the_item(route: dict[str, Any]) -> None:
    """Printing what the encoding lacks fails where the loop would fail."""
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    with contextlib.redirect_stdout(out), pytest.raises(UnicodeEncodeError) as caught:
        ap.map(items.prints_umlauts, range(N), **route)
    assert "item 0 " in caught.value.__notes__[0]


def test_printing_is_nothing_where_there_is_no_stream(route: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """`sys.stdout` may be None, as without a console on Windows."""
    monkeypatch.setattr(sys, "stdout", None)
    assert ap.map(items.prints, range(N), **route) == [*range(N)]


def test_the_callers_streams_are_its_own_afterwards(route: dict[str, Any]) -> None:
    """No stand-in stays, nor a watch on loggers."""
    out, err, handle = sys.stdout, sys.stderr, logging.Logger.handle
    printed(lambda: ap.map(items.prints_both, range(N), **route))
    assert (sys.stdout, sys.stderr, logging.Logger.handle) == (out, err, handle)


def test_what_others_print_meanwhile_is_written_at_once() -> None:
    """Only items are kept; another thread of the program is not."""
    go, said = threading.Event(), threading.Event()

    def other() -> None:
        go.wait(10)
        print("other")
        said.set()

    def item(x: int) -> None:
        print("item", x)
        go.set()
        said.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    _, out, _ = printed(lambda: ap.map(item, range(3), backend="threads", pure=True))
    thread.join()
    assert out == "other\nitem 0\nitem 1\nitem 2\n"


def test_a_map_inside_an_item_is_heard_with_it() -> None:
    """The output of inner items is part of the outer item's."""

    def outer(x: int) -> int:
        print("outer", x)
        ap.map(items.writes, range(2), backend="threads")
        print("end of", x)
        return x

    expected = printed(lambda: [outer(x) for x in range(3)])[1]
    for backend in ("threads", "processes"):
        assert printed(lambda: ap.map(outer, range(3), backend=backend, pure=True))[1] == expected  # noqa: B023


def test_threads_of_an_item_in_a_process_are_heard_with_it() -> None:
    """In a worker process whatever is printed while an item runs is the item's."""

    def item(x: int) -> None:
        thread = threading.Thread(target=print, args=("thread of", x))
        thread.start()
        thread.join()

    out = printed(lambda: ap.map(item, range(4), backend="processes", pure=True))[1]
    assert out == "".join(f"thread of {x}\n" for x in range(4))


def test_a_result_that_does_not_travel_loses_no_output() -> None:
    """What was printed before it, and by its own item, is heard once."""

    def item(x: int) -> Any:
        print("item", x)
        return threading.Lock() if x == BAD else x

    def run() -> None:
        with pytest.raises(TransportError):
            ap.map(item, range(N), backend="processes", chunksize=4)

    assert printed(run)[1] == "".join(f"item {x}\n" for x in range(BAD + 1))


def test_what_the_import_of_a_module_prints_in_a_worker_is_not_heard(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller has imported it already, and heard it then."""
    (tmp_path / "talkative.py").write_text(
        "import warnings\nprint('hello')\nwarnings.warn('hello')\ndef f(x):\n    return -x\n"
    )
    script = f"""
import sys, warnings
sys.path.insert(0, {str(tmp_path)!r})
import talkative, autopar
print(autopar.map(talkative.f, range(6), backend="processes"))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n[0, -1, -2, -3, -4, -5]\n"
    assert done.stderr.count("UserWarning: hello") == 1


def test_output_of_child_processes_stays_where_it_is() -> None:
    """What is written to the file descriptors is not kept, nor lost."""
    script = """
import subprocess, sys, autopar
def item(x):
    subprocess.run([sys.executable, "-c", "import os; os.write(1, b'child;')"], check=True)
autopar.map(item, range(2), backend="processes", pure=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "child;child;"


# -- the parts


def test_pieces_of_one_item_on_one_channel_are_joined() -> None:
    """What `print` writes in two is one piece."""
    pieces = [
        (0, "a", "x"),
        (0, "a", "\n"),
        (0, "b", "y"),
        (0, "a", "z"),
        (1, "a", "u"),
        (1, "c", b"v"),
        (1, "c", b"w"),
    ]
    assert joined(pieces) == [(0, "a", "x\n"), (0, "b", "y"), (0, "a", "z"), (1, "a", "u"), (1, "c", b"vw")]


def test_a_keeper_that_has_stopped_keeps_nothing() -> None:
    """A coroutine or thread that outlives its chunk writes where it always did."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        keeper = Keeper([]).start()
        print("kept")
        assert isinstance(sys.stdout, StandIn)
        assert keeper.stop() == [(0, "stdout", "kept\n")]
        keeper.keep("stdout", "late")
        print("written")
    assert out.getvalue() == "written\n"


OTHERS_SPEAK = """
import concurrent.futures, io, sys
from autopar._backends.said import Keeper

class Stream(io.StringIO):
    def write(self, text):
        done = super().write(text)
        if text == "in the middle":
            other.submit(lambda: keepers.pop().stop()).result()
        return done

other = concurrent.futures.ThreadPoolExecutor(1)
out = sys.stdout
sys.stdout = stream = Stream()
keepers = []
other.submit(lambda: keepers.append(Keeper([]).start())).result()
print("in the middle")
assert sys.stdout is stream
sys.stdout = out
print(repr(stream.getvalue()))
"""


def test_a_thread_may_print_while_the_last_item_ends() -> None:
    """Until CPython 3.14 ``print`` does not keep its stream alive, and the interpreter would crash."""
    assert run_python("-c", OTHERS_SPEAK, PYTHONMALLOC="debug") == "'in the middle\\n'\n"


def test_a_stream_that_was_stood_in_for_is_not_kept_alive() -> None:
    """What a program redirects its output to may be large; the same one is stood in for by the same object."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        first = Keeper([]).start()
        stood_in = weakref.ref(sys.stdout)
        first.stop()
        second = Keeper([]).start()
        assert sys.stdout is stood_in()
        second.stop()
    gone = weakref.ref(out)
    del out
    gc.collect()
    assert gone() is None


def test_what_a_handler_writes_to_stays_its_own() -> None:
    """A stand-in that something of the program has keeps its stream, which nobody else may have."""
    with contextlib.redirect_stdout(io.StringIO()):
        keeper = Keeper([]).start()
        handler: logging.StreamHandler[Any] = logging.StreamHandler(sys.stdout)
        kept = sys.stdout
        keeper.stop()
        assert sys.stdout is not kept
    del kept
    gc.collect()
    handler.emit(logging.makeLogRecord({"msg": "late"}))
    assert handler.stream.getvalue() == "late\n"


def test_a_stream_that_is_put_back_after_the_map_is_itself_again() -> None:
    """A program may save what it finds in the middle of a map, and restore it at any time."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        first = Keeper([]).start()
        saved = sys.stdout
        first.stop()
        sys.stdout = saved
        second = Keeper([]).start()
        second.stop()
        assert sys.stdout is out
        print("there")
    assert out.getvalue() == "there\n"


@pytest.fixture
def stand_in() -> Iterator[tuple[StandIn, io.StringIO]]:
    """A stand-in and the stream behind it."""
    target = io.StringIO()
    return StandIn(target, "stdout"), target  # type: ignore[return-value]


def test_a_stand_in_behaves_as_the_stream_behind_it(stand_in: tuple[StandIn, io.StringIO]) -> None:
    """Where nobody keeps, all goes through; unknown attributes are the stream's own."""
    stream, target = stand_in
    assert stream.write("a") == 1
    stream.writelines(["b", "c"])
    stream.flush()
    assert target.getvalue() == "abc"
    assert stream.getvalue() == "abc"
    assert not stream.isatty()
    assert stream.encoding is None
    with pytest.raises(AttributeError, match="buffer"):
        _ = stream.buffer


def test_a_stand_in_refuses_what_a_stream_refuses(stand_in: tuple[StandIn, io.StringIO]) -> None:
    """Only text is written to a text stream, also while it is kept."""
    stream, _ = stand_in
    keeper = Keeper([]).start()
    try:
        with pytest.raises(TypeError, match="must be str, not bytes"):
            stream.write(b"a")  # type: ignore[arg-type]
    finally:
        keeper.stop()
