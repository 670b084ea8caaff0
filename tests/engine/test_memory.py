"""What a function's maps remember: the next one starts where the last one ended, in this process or in another."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autopar import parallel
from autopar._engine import compiling, deciding, early, native, teaching
from autopar._engine.ahead import Ahead
from autopar._engine.functions import FunctionState
from autopar._engine.journal import decision_log, new_log
from autopar._engine.machine import ThisMachine
from autopar._engine.memory import Memory
from autopar._engine.run import MapRun
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.decision import Decision
from autopar._model.hints import DEFAULTS
from autopar._model.learned import MAPS_ON_TRUST, ItemFacts, Lesson, ProfileKey, Run
from autopar._model.observation import Sample
from autopar._model.plan import BACKENDS, Plan
from autopar._observe.identity import code_digest, codes_digest
from autopar._plan import DEFAULT_COSTS, worth_planning
from autopar._record import Store, Teaching
from autopar.testing import FakePool, fake_host
from tests.engine import fake_backend
from tests.scripts import run_python

pytestmark = pytest.mark.timeout(60)

EACH = 0.05
COMPUTES = ItemFacts(EACH, EACH, pickles=True, bytes_in=5.0, bytes_out=5.0, gil_share=1.0)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> FakePool:
    """Four cores, no compiler, and processes run by a fake pool whose items seem to take what the profile says."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)
    monkeypatch.setitem(BACKENDS, "processes", replace(BACKENDS["processes"], module=fake_backend.__name__))
    monkeypatch.setattr(ThisMachine, "host", staticmethod(lambda: fake_host(4)))
    monkeypatch.setattr(ThisMachine, "forkable", staticmethod(lambda **_: True))  # NumPy, once imported, has threads
    monkeypatch.setattr(deciding, "loading", dict)  # the fake pool is there
    monkeypatch.setattr(Ahead, "worth_it", lambda self: False)  # on a busy machine any first item takes long
    monkeypatch.setattr(teaching, "WORTH_NOTING", 0.0)
    monkeypatch.setattr(native, "CACHED_SECONDS", math.inf)
    monkeypatch.setattr(native, "COMPILE_SECONDS", math.inf)
    monkeypatch.setattr(native, "BEHIND_SECONDS", math.inf)
    return use(FakePool(wall=EACH))


def use(pool: FakePool) -> FakePool:
    fake_backend.pool = pool
    return pool


def helper(x: int) -> int:
    return x + 1


def item(x: int) -> int:
    """An item of which only memory knows that it takes long."""
    return helper(x) * 2


def state_of(function: Any) -> FunctionState:
    state: FunctionState = function._self_state
    return state


def lesson(function: Any, size: int = 5, types: str = "int", **changes: Any) -> Lesson:
    """A lesson under the key of a map over ``range(40)``, as an earlier map would have left it."""
    state = state_of(function)
    state.traits()
    followed = codes_digest(state.followed_codes() or ())
    key = ProfileKey(state.memory.code, types, size)
    return replace(Lesson(key, state.name, 1.0, COMPUTES, followed=followed, clean=True), **changes)


def remembered(function: Any = item, **changes: Any) -> Any:
    """A function whose memory holds one lesson."""
    wrapped = parallel(function)
    state_of(wrapped).memory.note(lesson(wrapped, **changes))
    return wrapped


def last(function: Any) -> Decision:
    decision: Decision = function.decisions[-1]
    return decision


def places(function: Any) -> list[tuple[str, int]]:
    return [(plan.backend, items) for plan, items in last(function).tried]


EXPECTED = [item(x) for x in range(40)]


# Planned at once


def test_a_known_function_starts_with_its_plan(pool: FakePool) -> None:
    """No item is probed in the loop: all of them go to the pool, and the decision says on what ground."""
    function = remembered()
    assert function.map(range(40)) == EXPECTED
    assert places(function) == [("processes", 40)]
    assert last(function).learned == "1 earlier map, 1 process"
    assert "planned on what was learned from 1 earlier map, 1 process" in explained(function)
    assert pool.chunks[0].start == 0


def test_an_unknown_function_is_probed_in_the_loop(pool: FakePool) -> None:
    """Without memory the first item runs here, whatever goes ahead meanwhile."""
    function = parallel(item)
    assert function.map(range(40)) == EXPECTED
    assert "serial" in dict(places(function))
    assert last(function).learned == ""


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("other types of items", {"types": "str"}),
        ("items of another size", {"size": 9}),
        ("code below the function that has changed", {"followed": "other"}),
        ("code below the function that nobody analysed", {"followed": ""}),
        ("no item was ever watched for hidden effects", {"clean": False}),
        ("items that ran on a demanded pool", {"alone": False}),
        ("items whose size nobody measured", {"facts": replace(COMPUTES, pickles=None)}),
        ("items too short to gain", {"facts": replace(COMPUTES, seconds=1e-6, cpu=1e-6)}),
        ("items that cannot travel", {"facts": replace(COMPUTES, pickles=False)}),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_what_is_not_known_for_these_items_is_measured(pool: FakePool, reason: str, changes: dict[str, Any]) -> None:
    """Each of these sends the first item through the loop, as without memory."""
    function = remembered(**changes)
    assert function.map(range(40)) == EXPECTED
    assert "serial" in dict(places(function))
    assert last(function).learned == ""


def test_a_gil_share_that_has_to_be_measured_is_measured(pool: FakePool) -> None:
    """Where threads might be the better way, items race on two of them before a pool is chosen."""

    def packed(x: int) -> int:
        return len(zlib.compress(bytes(x)))

    large = replace(COMPUTES, bytes_in=2e6)
    function = remembered(packed, facts=replace(large, gil_share=None))
    function.map(range(40))
    assert places(function)[0][0] == "serial"
    function = remembered(packed, facts=replace(large, gil_share=1.0))
    function.map(range(40))
    assert places(function) == [("processes", 40)]


def test_the_next_size_will_do(pool: FakePool) -> None:
    """Lengths and magnitudes vary a little from map to map."""
    function = remembered(size=6)
    function.map(range(40))
    assert places(function) == [("processes", 40)]


@pytest.mark.parametrize(
    "mapped",
    [
        lambda f: list(f.imap(range(40))),
        lambda f: f.map(x for x in range(40)),
        lambda f: f.map(range(40), backend="serial"),
        lambda f: f.map([3]),
    ],
    ids=["lazily", "from a generator", "as demanded", "one item"],
)
def test_maps_that_memory_must_not_hurry(pool: FakePool, mapped: Callable[[Any], list[int]]) -> None:
    """A lazy map's consumer, a generator's side effects, a demand and a lone item come first."""
    function = remembered()
    mapped(function)
    assert "serial" in dict(places(function))
    assert last(function).learned == ""


WAITS = replace(COMPUTES, cpu=1e-4, waits=1.0, gil_share=None)


def waiting(x: int) -> int:
    """An item of which only memory knows how long it waits."""
    time.sleep(0)
    return item(x)


def waiting_for_all(items: list[int]) -> int:
    """The same with an argument that its owner could change."""
    return sum(map(waiting, items))


def reading(x: int) -> int:
    """An item that the input could have left something for, and it for the input."""
    open(os.devnull).close()
    return item(x)


@pytest.mark.parametrize(
    ("size", "mapped"),
    [
        (5, lambda f: list(f.imap(range(40)))),
        (0, lambda f: f.map(x for x in range(40))),
        (0, lambda f: list(f.imap(x for x in range(40)))),
        (5, lambda f: [result for _, result in sorted(f.imap_unordered(range(40)))]),
    ],
    ids=["lazily", "from a generator", "both", "in any order"],
)
def test_what_waits_is_begun_at_once(pool: FakePool, size: int, mapped: Callable[[Any], list[int]]) -> None:
    """Items that are known to wait do so together from the first one on, also where nobody knows how many come."""
    function = remembered(waiting, facts=WAITS, size=size)
    assert mapped(function) == EXPECTED
    assert {place for place, _ in places(function)} == {"threads"}
    assert last(function).learned == "1 earlier map, 1 process"


@pytest.mark.parametrize(
    ("function", "mapped"),
    [
        (reading, lambda f: f.map(x for x in range(40))),
        (waiting, lambda f: f.starmap((x,) for x in range(40))),
        (waiting_for_all, lambda f: f.map([x] for x in range(40))),
    ],
    ids=["it may leave something outside", "rows", "items that may change"],
)
def test_what_an_input_of_its_own_code_may_notice_is_not_hurried(
    pool: FakePool, function: Any, mapped: Callable[[Any], list[int]]
) -> None:
    """The first item runs before the input is asked for another one."""
    function = remembered(function, facts=WAITS, size=0, types="list" if function is waiting_for_all else "int")
    mapped(function)
    assert "serial" in dict(places(function))
    assert last(function).learned == ""
    assert not last(function).fallbacks  # the first item was looked at once, and not taken for the one before it


def test_a_function_with_effects_stays_in_order(pool: FakePool) -> None:
    """Memory is no leave for what the analysis forbids."""
    seen: list[int] = []

    def noting(x: int) -> int:
        seen.append(x)
        return x

    function = remembered(noting)
    assert function.map(range(40)) == list(range(40))
    assert seen == list(range(40))
    assert places(function) == [("serial", 40)]


def test_a_second_map_in_a_process_starts_with_the_plan(pool: FakePool) -> None:
    """What the first map learned serves the second at once."""
    function = remembered()
    function.map(range(40))
    function.map(range(40))
    assert last(function).learned == "2 earlier maps, 1 process"


def test_bound_methods_share_what_is_known() -> None:
    """Each access makes a new bound method; the memory is the function's."""

    class Shop:
        @parallel
        def price(self, x: int) -> int:
            return x

    shop = Shop()
    assert state_of(shop.price).memory is state_of(shop.price).memory is state_of(Shop.price).memory


# Checked by the first results


@pytest.mark.parametrize("factor", [10.0, 0.05])
def test_items_that_are_not_as_remembered_are_planned_anew(pool: FakePool, factor: float) -> None:
    """The first results from the pool tell; the plan is made again with what they took, and the answer is the same."""
    use(FakePool(wall=EACH * factor))
    function = remembered()
    assert function.map(range(40)) == EXPECTED
    assert [why for why in last(function).fallbacks if why.startswith("planned anew: items take")]


def test_items_far_shorter_than_remembered_leave_the_pool(pool: FakePool) -> None:
    """Where the loop is the better plan after all, the rest runs there."""
    use(FakePool(wall=1e-7))
    function = remembered(size=8)
    assert function.map(range(400)) == [item(x) for x in range(400)]
    assert places(function)[0][0] == "processes"
    assert places(function)[-1][0] == "serial"


def test_items_twice_as_long_are_no_surprise(pool: FakePool) -> None:
    """Shared caches and cores alone stretch CPU time by that much."""
    use(FakePool(wall=EACH * 1.9))
    function = remembered()
    function.map(range(40))
    assert last(function).fallbacks == ()


def test_what_changed_for_good_is_learned(pool: FakePool) -> None:
    """Items that keep taking five times as long are soon remembered so."""
    use(FakePool(wall=EACH * 5))
    function = remembered()
    key = lesson(function).key
    for _ in range(6):
        function.map(range(40))
    learned = state_of(function).memory.recall(key)
    assert learned is not None
    assert learned.facts.seconds > 2 * EACH


def test_now_and_then_items_are_measured_alone_again(pool: FakePool) -> None:
    """After some maps on trust one goes through the loop first."""
    function = remembered()
    first = []
    for _ in range(MAPS_ON_TRUST + 1):
        function.map(range(40))
        first.append(places(function)[0][0])
    assert first == ["processes"] * MAPS_ON_TRUST + ["serial"]


# Outcomes correct predictions


def test_a_way_that_keeps_disappointing_is_left(pool: FakePool) -> None:
    """Outcomes far over the predictions make the loop the better plan, and the decision says why."""
    slow = Run("processes", "python", 4, items=40, seconds=16.0, predicted=1.0)
    wrapped = parallel(item)
    for _ in range(4):
        state_of(wrapped).memory.note(lesson(wrapped, runs=(slow,)))
    assert state_of(wrapped).memory.recall(lesson(wrapped).key).corrections["processes"] > 3  # type: ignore[union-attr]
    wrapped.map(range(40))
    assert places(wrapped)[0][0] == "serial"


def test_a_decision_tells_of_corrections(pool: FakePool) -> None:
    """By how much a prediction was changed, and after how many maps, is in its notes."""
    slow = Run("processes", "python", 4, items=40, seconds=1.5, predicted=1.0)
    function = remembered(runs=(slow,))
    function.map(range(40))
    assert places(function) == [("processes", 40)]
    (note,) = [note for note in last(function).notes if note.startswith("processes took")]
    assert "1.5 times what their prices say in 1 earlier map" in note


def test_predicted_and_actual_of_each_plan_are_shown(pool: FakePool) -> None:
    """A decision holds the plans that were chosen, each with what was predicted for its items and what they took."""
    function = remembered()
    function.map(range(40))
    (trial,) = last(function).trials
    assert (trial.plan.backend, trial.items) == ("processes", 40)
    assert trial.predicted == pytest.approx(trial.plan.predicted)
    assert trial.actual > 0
    assert "Predicted and actual:" in explained(function)


def test_a_prediction_before_any_item_was_measured_corrects_nothing() -> None:
    """What was expected from a part of a first item that still ran is not held against the prices."""
    plan = Plan(backend="threads", workers=2, predicted=1.0)
    predicted = []
    for samples in ([], [Sample(1, 0.5, 0.5)]):
        run = MapRun(MapTask(FunctionState(item), Source(([1, 2, 3],), star=False), {}, DEFAULTS))
        for sample in samples:
            run.task.profile.add(sample)
        run._put_in_force(plan)
        run._trials.end(3)
        predicted.append([trial.predicted for trial in run.trials])
    assert predicted == [[None], [1.0]]


# Recall


def test_the_most_similar_size_is_recalled() -> None:
    """An exact match first, else the nearest size of the same types."""
    memory = Memory(item)
    code = code_digest(item)
    for size, seconds in ((5, 0.05), (9, 0.09)):
        memory.note(Lesson(ProfileKey(code, "int", size), "f", 1.0, ItemFacts(seconds, seconds)))

    def recalled(size: int, types: str = "int", **keywords: int) -> float | None:
        learned = memory.recall(ProfileKey(code, types, size), **keywords)
        return None if learned is None else learned.facts.seconds

    assert [recalled(size) for size in (5, 6, 8, 9, 60)] == [0.05, 0.05, 0.09, 0.09, 0.09]
    assert [recalled(size, within=1) for size in (4, 6, 7, 10)] == [0.05, 0.05, None, 0.09]
    assert recalled(5, "str") is None


def test_a_lesson_without_facts_begins_nothing() -> None:
    """A map that measured nothing cannot be the first."""
    memory = Memory(item)
    key = ProfileKey(memory.code, "int", 5)
    memory.note(Lesson(key, "f", 1.0, None))
    assert memory.recall(key) is None


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Codes that were looked up in the store."""
    seen: list[str] = []
    read = Store.read_known

    def noting(self: Store, code: str, host: str) -> Any:
        seen.append(code)
        return read(self, code, host)

    monkeypatch.setattr(Store, "read_known", noting)
    return seen


@pytest.mark.usefixtures("not_eager")
def test_the_store_is_read_once_for_each_function(reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """At the first map that is planned, and never again; not when it is called, nor for maps that are over at once."""
    monkeypatch.setattr(early, "EARLY_TYPES", ())  # the shortest maps ask nobody
    for module in (early, compiling):  # nor do others, however long a busy machine holds one of their items up
        monkeypatch.setattr(module, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=60.0))
    monkeypatch.setattr(deciding, "worth_planning", lambda each, *rest: worth_planning(min(each, 1e-6), *rest))
    function = parallel(item)
    function(3)
    function.map([3])
    function.map(range(40))
    assert reads == []
    for _ in range(3):
        function.map(range(40), backend="threads")
    assert reads == [state_of(function).memory.code]


@pytest.mark.usefixtures("pool")
def test_the_store_is_read_before_the_first_item_of_a_function_that_it_knows(reads: list[str]) -> None:
    """How long its items take is known beforehand, from the file beside the store; another function's is not read."""
    decision_log().teach(Teaching([replace(lesson(parallel(item)), time=time.time())]))
    decision_log().flush()
    new_log()
    reads.clear()
    assert state_of(parallel(item)).memory.longest_item() == EACH
    assert state_of(parallel(helper)).memory.longest_item() == 0.0
    parallel(helper).map(range(40))
    assert reads == []
    function = parallel(item)
    assert function.map(range(40)) == EXPECTED
    assert reads == [state_of(function).memory.code]
    assert last(function).learned == "1 earlier map, 1 process"


def test_what_is_learned_before_the_store_is_read_is_kept() -> None:
    """A record of this process stands beside those of the store; of one that is in both, the longer one counts."""
    function = parallel(item)
    now = replace(lesson(function), time=time.time())
    decision_log().teach(Teaching([now, now, replace(now, key=lesson(function, size=9).key)]))
    decision_log().flush()
    memory = state_of(function).memory
    memory.note(lesson(function))
    memory.note(lesson(function, types="str"))
    keys = [lesson(function, size, types).key for size, types in ((5, "int"), (9, "int"), (5, "str"))]
    found = [memory.recall(key, within=0) for key in keys]
    assert [learned and learned.maps for learned in found] == [2, 1, 1]


def test_a_short_map_leaves_no_lesson(isolated_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its items are remembered in this process only."""
    monkeypatch.setattr(teaching, "WORTH_NOTING", 60.0)
    function = parallel(helper)
    function.map(range(3))
    assert state_of(function).memory.latest[int].items > 0
    decision_log().flush()
    with closing(sqlite3.connect(isolated_store)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM profiles").fetchone() == (0,)


def test_a_store_that_cannot_be_read_costs_no_map(isolated_store: Path) -> None:
    """Also where warnings are errors: it is planned as if there were no store."""
    isolated_store.parent.mkdir(mode=0o700)
    isolated_store.touch(0o600)
    isolated_store.write_bytes(b"no database" * 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parallel(item).map(range(40), backend="threads") == EXPECTED


# Across processes

NAPS = """
import json, sys, time
import autopar as ap

@ap.parallel
def nap(seconds):
    time.sleep(seconds)
    return seconds

assert nap.map([0.03] * 40) == [0.03] * 40
decision = nap.decisions[-1]
print(json.dumps([decision.learned, [[plan.backend, items] for plan, items in decision.tried], decision.why]))
"""


def run_naps(script: str = NAPS) -> tuple[str, list[tuple[str, int]]]:
    learned, tried, _ = json.loads(run_python("-c", script))
    return learned, [tuple(part) for part in tried]


@pytest.mark.slow
def test_a_second_process_starts_with_the_plan() -> None:
    """The first one probes in its loop; the second, which knows the store only, sends its first item to the pool."""
    learned, tried = run_naps()
    assert learned == ""
    assert ("serial", 1) in tried
    learned, tried = run_naps()
    assert learned == "1 earlier map, 1 process"
    assert tried == [("threads", 40)]
    learned, _ = run_naps()
    assert learned == "2 earlier maps, 2 processes"


@pytest.mark.slow
def test_other_code_in_a_second_process_starts_anew() -> None:
    """A function that was edited is not taken for what it was."""
    run_naps()
    learned, tried = run_naps(NAPS.replace("time.sleep(seconds)", "time.sleep(seconds + 0)"))
    assert learned == ""
    assert ("serial", 1) in tried


@pytest.mark.slow
def test_no_value_of_an_argument_reaches_the_store(isolated_store: Path) -> None:
    """Types, sizes and times only."""
    script = """
import time
import autopar as ap

@ap.parallel
def send(word, to):
    time.sleep(0.01)
    return word + to

send.map(["canary-item"] * 20, to="canary-keyword")
"""
    run_python("-c", script)
    texts = [file.read_bytes().decode("latin-1") for file in isolated_store.parent.iterdir()]
    assert any("str, to=str" in text for text in texts)
    assert not [text for text in texts if "canary" in text]


def test_what_is_learned_is_written_with_the_decisions(pool: FakePool, isolated_store: Path) -> None:
    """A flush takes decisions and lessons along, and a new log finds them."""
    function = remembered()
    key = lesson(function).key
    function.map(range(40))
    new_log()
    again = parallel(item)
    learned = Memory(item).recall(key)
    assert learned is not None
    assert learned.maps == 2
    assert again.map(range(40)) == EXPECTED


def explained(function: Any) -> str:
    from autopar._engine.journal import explanation

    return explanation(last(function))


@pytest.fixture(autouse=True)
def nothing_running() -> Iterator[None]:
    """The fake pool of one test is not the next one's."""
    yield
    fake_backend.pool = FakePool()
