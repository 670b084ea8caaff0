"""Runs sessions, watches over them, and adds up what they say."""

from __future__ import annotations

import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil  # type: ignore[import-untyped]

from benchmarks.chaos.torment import Tormentor

ROOT = Path(__file__).parents[2]

BACKENDS = ("threads", "processes", "multiprocessing", "joblib")

MIXES = (("threads", "processes"), ("processes",), ("threads", "multiprocessing"), ("processes", "joblib"), ("joblib",))
"""Backends of one session. `multiprocessing` forks the program, which therefore has one thread of its own then."""

ENDS = ("return", "return", "return", "SIGKILL", "SIGTERM", "SIGINT")

MOST_DESCRIPTORS, MOST_THREADS = 60, 60
"""More than a program may have at the end than at its beginning: those of warm workers, whatever was killed."""

BALLOON = 400_000_000

SEVERE = re.compile(r"Traceback|Exception ignored|Fatal Python error: (?!Segmentation fault)")
COMPLAINT = re.compile(rf"{SEVERE.pattern}|leaked|[Ww]arning")
"""What a program must not say on its standard error."""

SECONDS_TO_GO = 30.0
"""Within these seconds after its end nothing of a program may be left, on a machine that is busy."""


@dataclass
class Summary:
    """What a run has shown."""

    seed: int
    seconds: float = 0.0
    sessions: int = 0
    maps: int = 0
    unfinished: int = 0
    refused: int = 0
    items: int = 0
    results: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    backends: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    torments: Counter[str] = field(default_factory=Counter)
    most_descriptors: int = 0
    most_threads: int = 0
    slowest_map: float = 0.0
    wrong: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """All that should not have been, in words."""
        return [*self.wrong, *self.hangs, *self.leftovers, *self.complaints]

    @property
    def clean(self) -> bool:
        """Nothing was wrong, hung, stayed or was complained of, and every item is accounted for."""
        accounted = self.items == self.results + sum(self.errors.values())
        return accounted and not self.troubles

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"clean": self.clean, **{name: dict(v) if isinstance(v, Counter) else v for name, v in told.items()}}


def chaos(
    seconds: float,
    seed: int,
    backends: Sequence[str] = BACKENDS,
    *,
    patience: float = 60.0,
    rate: float = 2.5,
    session: tuple[float, float] = (4.0, 15.0),
    tell: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Run sessions for so many seconds.

    Parameters
    ----------
    seconds, seed
        How long, and of what is random.
    backends
        Names of backends.
    patience
        Seconds that a map, or the end of a program, may take.
    rate
        Torments a second.
    session
        The shortest and the longest session, in seconds.
    tell
        Given a line for each session.
    """
    rng = random.Random(seed)
    summary = Summary(seed)
    began = time.monotonic()
    mixes = [mix for mix in MIXES if set(mix) <= set(backends)]
    mixes += [(name,) for name in backends if not any(name in mix for mix in mixes)]
    while (left := seconds - (time.monotonic() - began)) > 0:
        mix = mixes[summary.sessions % len(mixes)] if summary.sessions < len(mixes) else rng.choice(mixes)
        before = Counter(summary.troubles)
        one = Session(summary, mix, rng.getrandbits(32), patience=patience, rate=rate)
        one.run(min(left, rng.uniform(*session)))
        for trouble in Counter(summary.troubles) - before:
            tell(trouble)
        tell(f"{time.monotonic() - began:6.0f} s: {one.said()}")
        summary.sessions += 1
    summary.seconds = round(time.monotonic() - began, 1)
    return summary


class Session:
    """One program from its start to its end."""

    def __init__(self, summary: Summary, backends: Sequence[str], seed: int, *, patience: float, rate: float) -> None:
        rng = random.Random(seed)
        self._summary = summary
        self._backends = backends
        self._seed = seed
        self._patience = patience
        self._rate = rate
        self._end = rng.choice(ENDS)
        alone = "multiprocessing" in backends or self._end == "SIGINT"
        self._threads = 1 if alone else rng.choice((1, 2, 3))
        self._mark = f"autopar-chaos-{uuid4().hex}"
        self._folder = Path(tempfile.mkdtemp(prefix="autopar-chaos-"))
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._open: dict[int, tuple[float, dict[str, Any]]] = {}
        self._pids: set[int] = set()
        self._maps = 0
        self._final = False

    def said(self) -> str:
        """The session in a line."""
        s = self._summary
        bad = f"{len(s.wrong)} wrong, {len(s.hangs)} hung, {len(s.leftovers)} left, {len(s.complaints)} complaints"
        return f"{'+'.join(self._backends)} x{self._threads}, {self._maps} maps, ended by {self._end}; so far {bad}"

    def run(self, seconds: float) -> None:
        """Start the program, torment it, end it, and look at what stays."""
        for name in ("tmp", "store"):
            (self._folder / name).mkdir(mode=0o700)
        shared = _shared_memory()
        with open(self._folder / "stderr", "w+b") as errors:
            program = self._start(errors)
            reader = threading.Thread(target=self._read, args=(program,), daemon=True)
            reader.start()
            try:
                self._live(program, seconds)
            finally:
                program.kill()
                program.wait()
                self._look_for_leftovers(shared)
                reader.join()  # it ends with the last process that has the program's output
                _close(program)
                self._settle()
                self._summary.unfinished += len(self._open)
            errors.seek(0)
            self._look_at(errors.read().decode("utf-8", "replace"))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, errors: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "benchmarks.chaos.program", "--seed", str(self._seed), "--tormented"]
        command += ["--threads", str(self._threads), "--backends", *self._backends]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AUTOPAR_STORE": str(self._folder / "store" / "store.sqlite"),
            "TMPDIR": str(self._folder / "tmp"),
            "AUTOPAR_CHAOS": self._mark,
        }
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment
        )

    def _read(self, program: subprocess.Popen[bytes]) -> None:
        assert program.stdout is not None
        for line in program.stdout:
            # One that is ended in the middle of a line leaves a part of it, and one that Ctrl-C meets there its end.
            if line.strip() and line.endswith(b"\n"):
                self._lines.put(line.decode())

    # -- while it runs ----------------------------------------------------------------------------------------------

    def _live(self, program: subprocess.Popen[bytes], seconds: float) -> None:
        tormentor = Tormentor(program.pid, self._seed, self._rate, BALLOON)
        try:
            self._take(json.loads(self._lines.get(timeout=self._patience)))  # it is ready
            tormentor.start()
            going = self._watch(program, time.monotonic() + seconds)
        finally:
            tormentor.end()
            self._summary.torments.update(tormentor.done)
        self._summary.ends[self._end] += 1
        if not going:
            return
        if self._end == "return":
            assert program.stdin is not None
            program.stdin.write(b"stop\n")
            program.stdin.flush()
        else:
            program.send_signal(getattr(signal, self._end))
        self._watch(program, None)
        if program.poll() is None:
            return
        expected = {"return": 0, "SIGINT": 0, "SIGKILL": -9, "SIGTERM": -15}[self._end]
        if program.returncode != expected:
            self._summary.wrong.append(f"{self._name()}: the program ended with {program.returncode}")
        elif expected == 0 and not self._final:
            self._summary.wrong.append(f"{self._name()}: the program said no last word")

    def _watch(self, program: subprocess.Popen[bytes], until: float | None) -> bool:
        """Take its lines; False if it hangs or has ended.

        Parameters
        ----------
        program
            The program.
        until
            When to stop watching; None for a program that was told to end: it may finish its map, and no more.
        """
        last = told = time.monotonic()
        while until is None or time.monotonic() < until:
            if program.poll() is not None:
                self._settle()
                if until is not None:
                    self._summary.wrong.append(f"{self._name()}: the program ended early with {program.returncode}")
                return False
            self._pids.update(_descendants(program.pid))
            try:
                self._take(json.loads(self._lines.get(timeout=0.2)))
                last = time.monotonic()
            except queue.Empty:
                pass
            now = time.monotonic()
            oldest = min((since for since, _ in self._open.values()), default=last)
            late = until is None and now - told > 2 * self._patience  # a map's, and the end's
            if late or now - (oldest if self._open else last) > self._patience:
                self._hung(program)
                return False
        return True

    def _hung(self, program: subprocess.Popen[bytes]) -> None:
        what = [said for _, said in self._open.values()] or "at its end"
        program.send_signal(signal.SIGUSR1)  # it writes where its threads are
        time.sleep(1)
        stacks = (self._folder / "stderr").read_text(errors="replace")[-6000:]
        self._summary.hangs.append(f"{self._name()}: {what}\n{stacks}")

    def _settle(self) -> None:
        while True:
            try:
                self._take(json.loads(self._lines.get_nowait()))
            except queue.Empty:
                return

    def _take(self, said: dict[str, Any]) -> None:
        s = self._summary
        if "begin" in said:
            self._open[said["begin"]] = time.monotonic(), said
        elif "end" in said:
            since, _ = self._open.pop(said["end"])
            if said.get("interrupted"):
                return
            s.slowest_map = round(max(s.slowest_map, time.monotonic() - since), 2)
            self._maps += 1
            s.maps += 1
            s.backends[said["backend"]] += 1
            s.shapes[said["shape"]] += 1
            if said.get("refused"):
                s.refused += 1
                return
            if "wrong" in said:
                s.wrong.append(f"{self._name()}: {said}")
                return
            s.items += said["items"]
            s.results += said["results"]
            s.errors.update(said["errors"])
        elif said.get("interrupted") and not said["usable"]:
            s.wrong.append(f"{self._name()}: after Ctrl-C the next map was wrong")
        elif said.get("final"):
            self._final = True
            s.most_descriptors = max(s.most_descriptors, said["descriptors"])
            s.most_threads = max(s.most_threads, said["threads"])
            if said["descriptors"] > MOST_DESCRIPTORS or said["threads"] > MOST_THREADS:
                s.leftovers.append(f"{self._name()}: {said}")

    # -- when it has ended ------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return f"session {self._summary.sessions} (seed {self._seed}, {'+'.join(self._backends)}, {self._end})"

    def _look_for_leftovers(self, shared: set[str]) -> None:
        end = time.monotonic() + SECONDS_TO_GO
        left = self._left(shared)
        while left and time.monotonic() < end:
            time.sleep(0.1)
            left = self._left(shared)
        self._summary.leftovers += [f"{self._name()}: {each}" for each in left]
        for process in self._processes():
            process.kill()

    def _left(self, shared: set[str]) -> list[str]:
        processes = [f"process {each.pid}: {_command(each)}" for each in self._processes()]
        files = [str(path) for path in (self._folder / "tmp").rglob("*")]
        memory = [f"/dev/shm/{name}" for name in _shared_memory() - shared if self._pids & _numbers(name)]
        return processes + files + memory

    def _processes(self) -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if _has_mark(each, self._mark)]

    def _look_at(self, errors: str) -> None:
        # joblib removes after a killed program what this had made, and says so; its workers say how they crashed.
        told = COMPLAINT if self._end in ("return", "SIGINT") else SEVERE
        if told.search(errors):
            self._summary.complaints.append(f"{self._name()}: {errors[:3000]}")


def _close(program: subprocess.Popen[bytes]) -> None:
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and bool(process.environ().get("AUTOPAR_CHAOS") == mark)
    except (psutil.Error, OSError):
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return "which ends"


def _descendants(pid: int) -> list[int]:
    try:
        return [pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return []


def _shared_memory() -> set[str]:
    return set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()


def _numbers(name: str) -> set[int]:
    return {int(digits) for digits in re.findall(r"\d+", name)}
