"""Short trials that tell what a machine's parts cost. Each returns one figure, and takes milliseconds.

``threads`` starts, wakes and the GIL; ``memory`` copies and pickles; ``loops`` event loops; ``cores`` what a second
worker adds; ``pools`` a backend's warm pool, handed in by who may know it; ``clock`` how a trial is repeated.
"""

from __future__ import annotations

from autopar._observe.calibration.cores import second_thread, what_a_second_adds
from autopar._observe.calibration.loops import coroutine_on_loop, event_loop
from autopar._observe.calibration.memory import copy_byte, pickle_byte, pickle_item
from autopar._observe.calibration.pools import (
    byte_both_ways,
    chunk_there_and_back,
    item_in_chunk,
    round_trip,
    second_process,
)
from autopar._observe.calibration.threads import gil_hand_over, thread_start, thread_wake

__all__ = [
    "byte_both_ways",
    "chunk_there_and_back",
    "copy_byte",
    "coroutine_on_loop",
    "event_loop",
    "gil_hand_over",
    "item_in_chunk",
    "pickle_byte",
    "pickle_item",
    "round_trip",
    "second_process",
    "second_thread",
    "thread_start",
    "thread_wake",
    "what_a_second_adds",
]
