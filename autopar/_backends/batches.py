"""Batches of joblib's on their way to worker processes and back, large arrays beside the pickle as memory maps.

The memory maps are joblib's own: each large array is written to a file of the temporary folder once, whatever the
number of batches that hold it, and workers map that file.
"""

from __future__ import annotations

import functools
import io
import pickle
import threading
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from autopar._backends.exceptions import PROTOCOL, describe
from autopar._backends.pickling import pickler
from autopar._native_api import thread_probe
from autopar.errors import TransportError


class MappedArrays:
    """Pickles batches, with large arrays as files of a folder.

    Parameters
    ----------
    context_id
        Name of the folder's owner.
    temp_folder
        Where the folder is made; None for joblib's choice.
    max_nbytes
        Bytes above which an array goes to a file; None for no such array.
    mmap_mode
        How workers map the files; None to send every array inside the pickle.
    """

    def __init__(self, context_id: str, temp_folder: str | None, max_nbytes: int | None, mmap_mode: str | None) -> None:
        from joblib._memmapping_reducer import TemporaryResourcesManager, get_memmapping_reducers

        self._folders = TemporaryResourcesManager(temp_folder, context_id=context_id)
        self._context_id = context_id
        self._lock = threading.Lock()
        reducers, _ = get_memmapping_reducers(
            temp_folder_resolver=self._folders.resolve_temp_folder_name,
            max_nbytes=max_nbytes if mmap_mode is not None else None,
            mmap_mode=mmap_mode,
            unlink_on_gc_collect=False,
        )
        self._pickler = _pickler_with(reducers)

    def pack(self, batch: Callable[[], Any]) -> bytes:
        """A batch as bytes.

        Raises
        ------
        TransportError
            It does not pickle; the cause is what its own code raised.
        """
        try:
            with self._lock:
                return _dumps(batch, self._pickler)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise TransportError(f"cannot be pickled for a worker process: {describe(error)}") from error

    def clean(self) -> None:
        """Delete the files; workers that still map one keep what they map."""
        with self._lock:
            self._folders._clean_temporary_resources(context_id=self._context_id, force=True)


def _pickler_with(reducers: Mapping[type, Callable[[Any], Any]]) -> Any:
    """The class of picklers that reduce some types in another way."""
    ordinary = pickler()
    return type("Pickler", (ordinary,), {"dispatch_table": ChainMap(dict(reducers), ordinary.dispatch_table)})


def _dumps(value: Any, kind: Any) -> bytes:
    buffer = io.BytesIO()
    kind(buffer, protocol=PROTOCOL).dump(value)
    return buffer.getvalue()


@functools.cache
def _on_the_way_back() -> Any:
    """A result that rests on a memory map is sent as an array of its own, since the file will be gone."""
    from joblib._memmapping_reducer import get_memmapping_reducers

    return _pickler_with(get_memmapping_reducers(temp_folder_resolver=None)[1])


class Answer:
    """The results of a batch on their way back.

    Attributes
    ----------
    values
        What the batch returned.
    loading, loading_cpu
        Seconds, and CPU seconds, that loading the batch took, with what it imports: no part of what its calls take.
    """

    __slots__ = ("loading", "loading_cpu", "values")

    def __init__(self, values: Any, loading: float, loading_cpu: float) -> None:
        self.values = values
        self.loading = loading
        self.loading_cpu = loading_cpu

    def __reduce__(self) -> tuple[Any, ...]:
        return _loaded, (_dumps(self.values, _on_the_way_back()), self.loading, self.loading_cpu)


def _loaded(data: bytes, loading: float, loading_cpu: float) -> Answer:
    return Answer(pickle.loads(data), loading, loading_cpu)


def run_batch(packed: bytes) -> Answer:
    """Run a batch in a worker process, which has to know joblib's backend by its name."""
    wall, cpu, _, _, _ = thread_probe()
    _register()
    batch = pickle.loads(packed)
    after = thread_probe()
    return Answer(batch(), (after[0] - wall) / 1e9, (after[1] - cpu) / 1e9)


@functools.cache
def _register() -> None:
    import importlib

    importlib.import_module("autopar.joblib_backend").register_joblib()
