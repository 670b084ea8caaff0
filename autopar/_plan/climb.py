"""Find how many items should wait at the same time, by watching how latency and throughput answer to it."""

from __future__ import annotations

import enum
import math

from autopar._plan.costs import DEFAULT_COSTS

NEAR = 1.5
"""Latency up to this multiple of the reference counts as undisturbed."""

QUEUEING = 1.2
"""Mean latency above this multiple of the reference suggests that items queue somewhere."""

HEADROOM = 1.25
"""Fewer items are tried as this multiple of what keeps the server busy: throughput times undisturbed latency."""

KEPT = 0.9
"""A lower limit is kept when it has at least this share of the throughput."""

ELASTICITY = 0.25
"""A higher limit is kept when throughput grew by at least this share of the growth in concurrency."""

STEP_UP = 1.5
"""Factor to the next higher limit that is tried."""

WINDOW = 8
"""Completions that a verdict needs at least; where more are under way, as many as those: they may come in waves."""

PRECISION = 0.05
"""Standard error of the mean latency, as a share of it, at which a verdict is made however close it is."""

LONGEST_WINDOW = 200
"""Completions after which a verdict is made however vague it is."""

SETTLING = 1.25
"""Mean latencies after a change of the limit during which completions still tell of the old one."""

FIRST_REST, LONGEST_REST = 4, 64
"""Windows between explorations; doubled each time that one found nothing."""

# None of these is measured on real servers: tests/plan/test_climb.py holds them against simulated ones.


class Phase(enum.Enum):
    """What the controller is doing."""

    START = "slow start"
    MEASURE = "measures"
    FEWER = "tries fewer"
    MORE = "tries more"
    HOLD = "holds"


class Climb:
    """Concurrency limit for items that wait: grows while throughput does, with latency as the brake.

    It starts like TCP: each undisturbed completion admits one more item, so the limit doubles with each round trip.
    When latency rises it compares limits by throughput, which by Little's law is the mean number under way over the
    mean latency: fewer are kept if throughput stays (they were queueing), more if it grows. The first guess of "fewer"
    is the bandwidth-delay product, as in BBR (Cardwell et al., 2016).

    Parameters
    ----------
    ceiling
        The limit never exceeds this.
    start
        First limit.
    alone
        Mean latency in seconds of an item that ran alone, if it is known.

    Attributes
    ----------
    limit
        Items that may be under way now.
    accepted
        The last limit that proved good: what to remember for the next time.
    phase
        What it is doing.

    Examples
    --------
    >>> climb = Climb(ceiling=64, start=2)
    >>> [climb.complete(now=0.01 * n, latency=0.01) for n in range(1, 4)]
    [3, 4, 5]
    """

    def __init__(self, ceiling: int, *, start: int = DEFAULT_COSTS.climb_start, alone: float | None = None) -> None:
        self.ceiling = max(1, ceiling)
        self.limit = max(1, min(start, self.ceiling))
        self.accepted = self.limit
        self.phase = Phase.START
        self._reference = alone if alone is not None and alone > 0 else math.inf
        self._smoothed = 0.0
        self._disturbed = 0
        self._throughput = 0.0
        self._latency = math.inf
        self._too_few = 0
        self._rest = self._next_rest = FIRST_REST
        self._settles = -math.inf
        self._burst = 0
        self._step = self.limit
        self._step_throughput = 0.0
        self._step_count = self._step_under_way = 0
        self._step_total = 0.0
        self._clear()

    @property
    def settled(self) -> bool:
        """It has found a limit, around which it explores from time to time."""
        return self.phase is Phase.HOLD

    def complete(self, now: float, latency: float, *, ok: bool = True, in_flight: int | None = None) -> int:
        """Take in one completion and return the limit.

        Parameters
        ----------
        now
            Seconds on any monotonic clock.
        latency
            Seconds from the item's start to its end.
        ok
            False if it raised: that is no throughput, and never a reason for more.
        in_flight
            Items under way when it ended, itself included, where that may be less than the limit (few items left, a
            slow source): a limit that was not used proves nothing.
        """
        if now < self._settles or self._burst > 0:
            self._burst -= 1
            return self.limit
        used = self.limit if in_flight is None else in_flight
        self._count += 1
        self._good += ok
        self._total += latency
        self._squares += latency * latency
        self._under_way += used
        if self.phase is Phase.START:
            self._slow_start(now, latency, ok and 2 * used >= self.limit)
            if self.phase is Phase.START and self._full(used, latency):
                self._move(now, Phase.MEASURE, self._step, self._smoothed)
        elif self._count >= max(WINDOW, min(used, self.limit)):
            self._judge(now)
        return self.limit

    def _slow_start(self, now: float, latency: float, grows: bool) -> None:
        if self._count <= WINDOW:
            self._smoothed = self._total / self._count
            if self._count == WINDOW:
                self._reference = min(self._reference, self._smoothed)
        else:
            self._smoothed += (latency - self._smoothed) / WINDOW
        if self._smoothed <= NEAR * self._reference:
            self._disturbed = 0
            self.limit = min(self.ceiling, self.limit + grows)
        else:
            self._disturbed += 1
        if self._disturbed >= WINDOW or self.limit == self.ceiling:
            # Those that were started all at once have found shorter queues than those that will follow them.
            self._burst = self.limit - self._count
            self._move(now, Phase.MEASURE, self.limit, self._smoothed)

    def _full(self, used: int, latency: float) -> bool:
        """The latest step of slow start has added next to nothing to the throughput, though latency has hardly risen.

        So it ends where processors or the GIL are what is short; as "full pipe" in BBR.
        """
        self._step_count += 1
        self._step_under_way += used
        self._step_total += latency
        grown = self.limit / self._step
        if grown < STEP_UP or self._step_count < WINDOW or self._step_total <= 0:
            return False
        throughput, before = self._step_under_way / self._step_total, self._step_throughput
        if 0 < throughput < before * (1.0 + ELASTICITY * (grown - 1.0)):
            return True
        self.accepted = self._step
        self._step, self._step_throughput = self.limit, throughput
        self._step_count = self._step_under_way = 0
        self._step_total = 0.0
        return False

    def _judge(self, now: float) -> None:
        """Decide what the window says, once it says it clearly."""
        latency = self._total / self._count
        if latency <= 0:
            self._clear()
            return
        error = math.sqrt(max(0.0, self._squares / self._count - latency * latency) / self._count) / latency
        throughput = self._under_way * self._good / self._count**2 / latency
        wanted = self._wanted()
        clear = wanted > 0 and abs(throughput - wanted) > 2 * error * throughput + PRECISION * wanted
        if not clear and error > PRECISION and self._count < LONGEST_WINDOW:
            return
        if self._good and error <= PRECISION:
            self._reference = min(self._reference, latency)
        if self.phase is Phase.MEASURE:
            self._accept(throughput, latency)
            self._try_fewer_or_hold(now)
        elif self.phase is Phase.FEWER:
            self._judge_fewer(now, throughput, latency, kept=throughput >= wanted)
        elif self.phase is Phase.MORE:
            self._judge_more(now, throughput, latency, kept=throughput >= wanted)
        else:
            self._hold(now, throughput, latency)

    def _wanted(self) -> float:
        """Throughput that decides about the limit that is tried; 0 where nothing is tried."""
        if self.phase is Phase.FEWER:
            return KEPT * self._throughput
        if self.phase is Phase.MORE:
            return self._throughput * (1.0 + ELASTICITY * (self.limit / self.accepted - 1.0))
        return 0.0

    def _judge_fewer(self, now: float, throughput: float, latency: float, *, kept: bool) -> None:
        if kept:
            self._accept(max(throughput, self._throughput), latency)
            self._try_fewer_or_hold(now)
        elif latency >= KEPT * self._latency:
            # Latency did not fall with concurrency, so nothing queued: items take this long by nature.
            self._reference = self._latency
            self._disturbed = 0
            self._move(now, Phase.START, self.accepted, latency)
        else:
            self._too_few = self.limit
            between = math.ceil(math.sqrt(self.limit * self.accepted))
            if self.accepted > STEP_UP * self.limit:
                self._move(now, Phase.FEWER, between, latency)
            else:
                self._try_more_or_hold(now)

    def _judge_more(self, now: float, throughput: float, latency: float, *, kept: bool) -> None:
        if kept:
            self._accept(throughput, latency)
            self._next_rest = FIRST_REST
            self._try_more_or_hold(now)
        else:
            self._next_rest = min(LONGEST_REST, 2 * self._next_rest)
            self._settle(now)

    def _hold(self, now: float, throughput: float, latency: float) -> None:
        self._rest -= 1
        unused = self._under_way * 2 < self.limit * self._count
        if latency > NEAR * self._latency and not unused:
            self._accept(throughput, latency)
            self._too_few = 0
            self._try_fewer_or_hold(now)
        elif self._rest <= 0 and not unused:
            self._accept(throughput, latency)
            self._try_more_or_hold(now)
        else:
            self._clear()

    def _try_fewer_or_hold(self, now: float) -> None:
        """Try what would keep the server busy without a queue, unless there is no queue or that was too few."""
        # Nothing has shown yet how long an undisturbed item takes: then nothing shows a queue either.
        known = math.isfinite(self._reference) and self._latency > 0
        enough = math.ceil(HEADROOM * self.limit * self._reference / self._latency) if known else self.limit
        target = max(1, enough, self._too_few + 1)
        if self._latency > QUEUEING * self._reference and target < self.limit:
            self._move(now, Phase.FEWER, target, self._latency)
        else:
            self._settle(now)

    def _try_more_or_hold(self, now: float) -> None:
        target = min(self.ceiling, math.ceil(STEP_UP * self.accepted))
        if target > self.accepted:
            self._move(now, Phase.MORE, target, self._latency)
        else:
            self._settle(now)

    def _settle(self, now: float) -> None:
        self._rest = self._next_rest
        self._move(now, Phase.HOLD, self.accepted, self._latency)

    def _accept(self, throughput: float, latency: float) -> None:
        self.accepted = self.limit
        self._throughput, self._latency = throughput, latency

    def _move(self, now: float, phase: Phase, limit: int, latency: float) -> None:
        """Go to a limit, and wait until those under way under the old one have made room for new ones."""
        changes = limit != self.limit or self.phase is Phase.START
        self._settles = now + SETTLING * latency * max(1.0, limit / self.limit) if changes else now
        self.phase, self.limit = phase, limit
        self._clear()

    def _clear(self) -> None:
        self._count = self._good = self._under_way = 0
        self._total = self._squares = 0.0
