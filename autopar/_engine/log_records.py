"""Events as records of the standard library's logging, under the logger ``autopar``."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

from autopar._model import listening

LEVELS = {
    "map_started": 10,
    "plan_chosen": 10,
    "plan_changed": 20,
    "compiled": 20,
    "fallback": 20,
    "item_retried": 20,
    "item_failed": 20,
    "worker_died": 30,
    "map_ended": 20,
}
"""Kind of event -> level of its record, as a number of logging's: 10 is DEBUG, 20 INFO, 30 WARNING."""

_logger: Any = None


def wanted() -> bool:
    """Some record might be heard. A program that has not imported logging has not asked for any."""
    logging = sys.modules.get("logging")
    return logging is not None and not listening.deaf and _the_logger(logging).isEnabledFor(LEVELS["map_ended"])


def level_of(event: Any) -> int:
    """Of single calls, which may be thousands, only a worker that died is worth more than DEBUG."""
    level = LEVELS[event.kind]
    return LEVELS["map_started"] if event.operation == "submit" and level < LEVELS["worker_died"] else level


def put(event: Any) -> None:
    """Write an event to the log; its fields are in the record, each with ``autopar_`` before its name."""
    logging = sys.modules.get("logging")
    if logging is None or listening.deaf:
        return
    level, logger = level_of(event), _the_logger(logging)
    if logger.isEnabledFor(level):
        extra = {f"autopar_{field.name}": getattr(event, field.name) for field in fields(event)}
        logger.log(level, "%s", event, extra={"autopar_event": event.kind, **extra})


def _the_logger(logging: Any) -> Any:
    global _logger
    if _logger is None:
        _logger = logging.getLogger("autopar")
        # As every library does it: what a program that has set up no logging would otherwise see on standard error.
        _logger.addHandler(logging.NullHandler())
    return _logger
