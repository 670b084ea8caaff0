"""When an item that failed runs again, and after which pause."""

from __future__ import annotations

from autopar._model.light_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """The rules of one map.

    Attributes
    ----------
    times
        Most runs of an item beyond its first.
    on
        Classes of the exceptions after which it runs again.
    backoff
        Seconds that the first pause lasts at most; the next ones twice as long each. 0 for no pauses.
    backoff_max
        Seconds that no pause exceeds.
    """

    times: int = 0
    on: tuple[type[BaseException], ...] = (Exception,)
    backoff: float = 0.0
    backoff_max: float = 120.0

    def again(self, error: BaseException, failures: int) -> bool:
        """Whether an item runs again that has failed so many times, now with this error."""
        return failures <= self.times and isinstance(error, self.on)

    def pause(self, failures: int, share: float) -> float:
        """Seconds to wait after so many failures, of which ``share`` is drawn from 0 to 1.

        The whole pause is drawn at random, since items that failed together, of an overloaded server say, would
        otherwise come back together ("full jitter": Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
        2015).

        Examples
        --------
        >>> [Retry(5, backoff=0.5, backoff_max=3.0).pause(failures, 1.0) for failures in (1, 2, 3, 4)]
        [0.5, 1.0, 2.0, 3.0]
        """
        doubled = self.backoff * 2.0 ** min(failures - 1, 60)
        return min(self.backoff_max, doubled) * share


NO_RETRY = Retry()
