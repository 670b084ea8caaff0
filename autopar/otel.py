"""Maps and calls as OpenTelemetry spans: ``pip install autopar[otel]``, then ``autopar.otel.instrument()``."""

from __future__ import annotations

import threading
from typing import Any

from autopar.errors import UnavailableError
from autopar.events import Event, MapEnded, MapStarted, PlanChosen, Subscription, subscribe

__all__ = ["instrument"]

_NANO = 1_000_000_000
_OWN = frozenset({"map", "function", "operation", "time"})


def instrument(tracer_provider: Any = None) -> Subscription:
    """Have every map and every call that is submitted make a span.

    The span is a child of the one that is current where the map is called. It is named ``autopar.map shop.price``, has
    the plan and the numbers of items, failures and retries as attributes (``autopar.plan``, ``autopar.items``, ...), an
    event for everything that happened on the way, and the status ERROR where it raised. It holds no values of
    arguments and no messages of exceptions.

    Parameters
    ----------
    tracer_provider
        Where spans go; the global provider if left out.

    Returns
    -------
    Subscription
        Call it, or leave it as a context, to make no more spans.

    Raises
    ------
    UnavailableError
        OpenTelemetry is not installed.

    Examples
    --------
    >>> import autopar as ap
    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> with ap.otel.instrument(TracerProvider()):
    ...     ap.map(abs, [-1, 2])
    [1, 2]
    """
    try:
        from opentelemetry import trace
    except ImportError:
        raise UnavailableError("autopar.otel needs OpenTelemetry: pip install autopar[otel]") from None
    return subscribe(_Spans(trace, trace.get_tracer("autopar", tracer_provider=tracer_provider)))


class _Spans:
    """Turns the events of each map into its span."""

    def __init__(self, trace: Any, tracer: Any) -> None:
        self._trace = trace
        self._tracer = tracer
        self._lock = threading.Lock()
        self._open: dict[int, Any] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, MapStarted):
            self._begin(event)
            return
        with self._lock:
            span = self._open.pop(event.map, None) if isinstance(event, MapEnded) else self._open.get(event.map)
        if span is None:
            return
        if isinstance(event, MapEnded):
            self._end(span, event)
            return
        if isinstance(event, PlanChosen):
            span.set_attributes(_attributes(event, _OWN))
        span.add_event(event.kind, _attributes(event, _OWN), timestamp=round(event.time * _NANO))

    def _begin(self, event: MapStarted) -> None:
        span = self._tracer.start_span(
            f"autopar.{event.operation} {event.function}",
            start_time=round(event.time * _NANO),
            attributes={
                "autopar.function": event.function,
                "autopar.operation": event.operation,
                **({} if event.items is None else {"autopar.length": event.items}),
            },
        )
        with self._lock:
            self._open[event.map] = span

    def _end(self, span: Any, event: MapEnded) -> None:
        span.set_attributes(_attributes(event, _OWN))
        if event.error:
            span.set_status(self._trace.StatusCode.ERROR, event.error)
        span.end(end_time=round(event.time * _NANO))


def _attributes(event: Event, without: frozenset[str]) -> dict[str, Any]:
    """The fields of an event that have a value."""
    from dataclasses import fields

    names = (field.name for field in fields(event) if field.name not in without)
    return {f"autopar.{name}": value for name in names if (value := getattr(event, name)) is not None}
