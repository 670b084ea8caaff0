"""The report as a file: everything is there, and nothing in it can be anything but text."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from autopar._model.decision import Decision, Trial
from autopar._model.plan import LOOP, Plan, Rejected
from autopar._model.timeline import CALLER, Span, Timeline
from autopar._record import Store
from autopar.cli.main import main
from autopar.report import report
from autopar.report.charts import Point, bars, over_time
from autopar.report.figures import Route, histories, routes, totals
from autopar.report.markup import tag, text
from autopar.report.timeline import HEADINGS
from tests.record.strategies import decisions

THREADS = Plan(backend="threads", workers=4)
PROCESSES = Plan(backend="processes", workers=2, predicted=0.7)
HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;\u202e"


def decision(number: int = 1, function: str = "shop.price", **changes: object) -> Decision:
    fields: dict[str, object] = {
        "number": number,
        "function": function,
        "operation": "map",
        "started": 1.7e9 + number,
        "items": 100,
        "workload": None,
        "plan": THREADS,
        "why": "items wait",
        "actual": 1.0,
        **changes,
    }
    return Decision(**fields)  # type: ignore[arg-type]


FULL = (
    decision(1, serial_estimate=4.0, rejected=(Rejected(PROCESSES, "it writes to a global", "pure=True"),)),
    decision(2, serial_estimate=0.5, trials=(Trial(LOOP, 10, 0.1), Trial(THREADS, 90, 0.9, 0.4))),
    decision(3, "mail.send", error="OSError", plan=LOOP, actual=2.5),
)


class Elements(HTMLParser):
    """Collects elements and text, and checks that elements close in order."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def test_every_function_has_a_section() -> None:
    """The function that took the most time comes first, and says how often it ran and what it saved."""
    page = Elements(report(FULL, {"Python": "3.13.0"}))
    assert [each["data-name"] for each in page.all("details") if "data-name" in each] == ["mail.send", "shop.price"]
    assert "mapped 2 times, 2 s in all, saved 2.5 s; last on 4 threads" in page.words
    assert "map over 100 items ended with OSError after 2.5 s in the plain loop" in page.words.replace(
        "on the", "in the"
    )
    assert "3.13.0" in page.words


def test_charts_say_in_words_what_they_draw() -> None:
    """Each chart has a name, and each mark its words."""
    page = report(FULL, {})
    charts = Elements(page).all("svg")
    assert charts
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert "<title>4 threads: predicted 400 ms</title>" in page
    assert "<title>4 threads: actual 900 ms</title>" in page


def test_it_reads_well_without_a_mouse() -> None:
    """Headings of tables are marked, controls have labels, and a first link leads past the overview."""
    page = Elements(report(FULL, {}))
    assert all(each.get("scope") == "col" for each in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0]["href"] == "#functions"
    controls = [each["id"] for each in page.all("input") + page.all("select")]
    assert controls == ["by-name", "only-wrong", "only-failed", "by-backend"]


def test_it_needs_no_network() -> None:
    """Nothing in it names another file or host, and it forbids itself to ask for one."""
    page = report(FULL, {})
    elements = Elements(page)
    assert not any({"src", "srcset", "data"} & set(attributes) for _, attributes in elements.seen)
    assert [each["href"] for each in elements.all("a")] == ["#functions"]
    assert "http" not in re.sub(r"http-equiv", "", page)
    (policy,) = (each["content"] for each in elements.all("meta") if "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_hostile_names_are_text() -> None:
    """Names, reasons, hints and the environment cannot become markup."""
    hostile = decision(
        1,
        HOSTILE,
        why=HOSTILE,
        error=HOSTILE,
        notes=(HOSTILE,),
        rejected=(Rejected(PROCESSES, HOSTILE, HOSTILE),),
        serial_estimate=0.1,
        timeline=Timeline((HOSTILE,), (Span(0, 0.0, 1.0, 1),)),
    )
    page = report([hostile, hostile], {HOSTILE: HOSTILE})
    elements = Elements(page)
    assert len(elements.all("script")) == 1
    assert elements.all("img") == []
    assert not any(name.startswith("on") for _, attributes in elements.seen for name in attributes)
    assert "\u202e" not in page
    assert "<script>alert('x')</script>" in elements.words


STRAGGLING = Timeline(
    (CALLER, "thread 1", "thread 2"),
    (
        Span(0, 0.0, 0.1, 3, 1, 0.1),
        Span(1, 0.1, 0.3, 40, 8, 0.15),
        Span(2, 0.1, 1.0, 1, 1, 0.9),
    ),
)


def test_a_timeline_says_who_ran_what_and_when() -> None:
    """Each span is a mark with its words, workers are rows, and the whole is there as a table too."""
    page = Elements(report([decision(timeline=STRAGGLING)], {}))
    (chart,) = (each for each in page.all("svg") if each.get("class") == "wide")
    assert chart["aria-label"] is not None
    assert (
        "2 workers were at work 58% of the time from the first chunk, at 100 ms, to the last; for the last 700 ms"
        in page.words
    )
    assert "for a chunk of 1 on thread 2 took far longer than the others" in chart["aria-label"]
    assert [each["class"] for each in page.all("rect") if "span" in str(each.get("class"))] == [
        "span here",
        "span",
        "span loud",
    ]
    assert "thread 1, from 100 ms to 300 ms: 8 chunks of 40 items, at work for 150 ms" in page.words
    assert "thread 2, from 100 ms to 1 s: 1 item" in page.words
    assert list(HEADINGS) == ["worker", "chunks", "items", "at work", "idle", "began at", "ended at"]
    assert "thread 1840150 ms850 ms100 ms300 ms" in page.words


def test_of_many_maps_the_newest_is_drawn_and_some_can_be_opened() -> None:
    """The page stays of a size that a browser opens at once."""
    page = Elements(report([decision(number, timeline=STRAGGLING) for number in range(1, 30)], {}))
    assert len([each for each in page.all("svg") if each.get("class") == "wide"]) == 4
    assert "3 earlier ones" in page.words


timelines = st.lists(
    st.builds(
        lambda who, start, took, items, chunks: Span(who, start, start + took, items, chunks, took),
        st.integers(0, 2),
        st.floats(0, 1e6),
        st.floats(0, 1e6),
        st.integers(0, 9),
        st.integers(1, 9),
    ),
    min_size=1,
).map(lambda spans: Timeline(("a", "b", "c"), tuple(spans)))


@settings(max_examples=20)
@given(timelines)
def test_any_timeline_is_drawn(some: Timeline) -> None:
    """Whatever was kept, and however short it was."""
    numbers = sorted({span.worker for span in some.spans})
    spans = tuple(span._replace(worker=numbers.index(span.worker)) for span in some.spans)
    page = Elements(report([decision(timeline=Timeline(some.workers[: len(numbers)], spans))], {}))
    assert "at work" in page.words


@settings(max_examples=20)
@given(st.lists(decisions, max_size=3))
def test_any_decisions_make_a_page(some: list[Decision]) -> None:
    """Whatever the store holds, the page is well formed."""
    Elements(report(some, {}))


@given(st.text())
def test_text_comes_back_from_markup(words: str) -> None:
    """What is printable is shown as it is."""
    shown = "".join(word if word.isprintable() or word == "\n" else "\N{REPLACEMENT CHARACTER}" for word in words)
    collected = Elements(tag("p", words, title=words))
    assert collected.words == shown
    assert collected.seen[0][1]["title"] == shown
    assert text(text(words)) == text(words)


def test_totals_and_ways() -> None:
    """Savings count where there is an estimate; ways that ran come before those that did not."""
    found = totals(FULL)
    assert (found.decisions, found.functions, found.failed, found.actual) == (3, 2, 1, 4.5)
    assert found.saved == pytest.approx(2.5)
    assert [way.name for way in routes(FULL[0])] == ["4 threads", "2 processes"]
    assert [(way.name, way.actual) for way in routes(FULL[1])] == [("serial", 0.1), ("4 threads", 0.9)]
    assert [history.name for history in histories(FULL)] == ["mail.send", "shop.price"]


@pytest.mark.parametrize(
    "drawn",
    [
        bars([Route("a", None, None, "")], "t"),
        bars([], "t"),
        over_time([], "t"),
        over_time([Point(0.0, 1.0, "one")], "t"),
        over_time([Point(0.0, float("inf"), "one"), Point(0.0, float("nan"), "two")], "t"),
    ],
    ids=["no-times", "no-ways", "no-points", "one-point", "no-numbers"],
)
def test_where_there_is_nothing_to_draw_nothing_is_drawn(drawn: str) -> None:
    """A chart needs something to compare."""
    assert drawn == ""


@pytest.fixture
def run(isolated_store: Path) -> Callable[..., Any]:
    assert Store(isolated_store).write(FULL)

    def call(*arguments: str) -> Any:
        return CliRunner().invoke(main, ["report", *arguments])

    return call


def test_the_command_writes_a_file(run: Callable[..., Any], tmp_path: Path) -> None:
    """A report is written over an older one, and over nothing else unless that is forced."""
    where = tmp_path / "page.html"
    assert run("-o", str(where)).exit_code == 0
    assert run("-o", str(where), "price").exit_code == 0
    assert "mail.send" not in where.read_text()
    other = tmp_path / "thesis.txt"
    other.write_text("years of work")
    assert run("-o", str(other)).exit_code == 1
    assert other.read_text() == "years of work"
    assert run("-o", str(other), "--force").exit_code == 0
    assert run("-o", str(tmp_path / "nowhere" / "page.html")).exit_code == 1
    assert run("-o", "-").stdout.startswith("<!DOCTYPE html>")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

CHECKS = """
const page = {};
const sections = [...document.querySelectorAll("details.function")];
const visible = () => sections.filter((section) => !section.hidden).map((section) => section.dataset.name);
const set = (id, change) => {
  const control = document.getElementById(id);
  change(control);
  control.dispatchEvent(new Event("input"));
};
page.all = visible();
set("by-name", (c) => { c.value = "MAIL"; });
page.named = visible();
set("by-name", (c) => { c.value = ""; });
set("by-backend", (c) => { c.value = "threads"; });
page.threads = visible();
set("by-backend", (c) => { c.value = ""; });
set("only-failed", (c) => { c.checked = true; });
page.failed = visible();
page.said = document.getElementById("shown").textContent;
const charts = [...document.querySelectorAll("details[open] svg")];
page.timelines = document.querySelectorAll("svg.wide rect.span").length;
const first = sections.find((section) => section.querySelector("svg.wide"));
first.hidden = false;
first.open = true;
page.drawn = [...first.querySelectorAll("svg.wide rect.span")].every((mark) => mark.getBoundingClientRect().width > 0);
page.keyboard = [...document.querySelectorAll("input, select, summary, a, .scroll")].every((each) => {
  if (!each.checkVisibility()) return true;
  each.focus();
  return document.activeElement === each;
});
page.charts = charts.every((svg) => svg.getBoundingClientRect().height > 10);
page.errors = window.failures;
document.body.replaceChildren(document.createTextNode("RESULT" + JSON.stringify(page) + "END"));
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_it_works_in_a_browser(tmp_path: Path) -> None:
    """In Chromium it opens without an error, draws its charts, and its filters leave what they name."""
    page = report((*FULL, decision(4, HOSTILE, actual=0.1), decision(5, timeline=STRAGGLING)), {"Python": "3.13.0"})
    early = "<script>window.failures = []; addEventListener('error', (e) => failures.push(String(e.message)));</script>"
    page = page.replace("<head>", f"<head>{early}").replace("</body>", f"<script>{CHECKS}</script></body>")
    where = tmp_path / "page.html"
    where.write_text(page, encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    command = [
        str(CHROMIUM),
        *flags.split(),
        "--disable-component-update",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000",
        "--dump-dom",
        where.as_uri(),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50).stdout
    found = re.search("RESULT(.*)END", said, re.DOTALL)
    assert found is not None, said[-2000:]
    from html import unescape

    seen = json.loads(unescape(found[1]))
    assert seen["errors"] == []
    assert len(seen["all"]) == 3
    assert seen["named"] == ["mail.send"]
    assert seen["threads"][0] == "shop.price"
    assert len(seen["threads"]) == 2
    assert seen["failed"] == ["mail.send"]
    assert seen["said"] == "1 shown"
    assert seen["charts"] is True
    assert seen["timelines"] == 3
    assert seen["drawn"] is True
    assert seen["keyboard"] is True
