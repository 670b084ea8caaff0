"""A kernel over many items of a map at once: columns in, one call without the GIL, columns out.

A scalar parameter is a column of numbers. Where an item is an array or a tuple, or has such, its call is packed as a
row of words, which say where the arrays are, and each word is a column.
"""

from __future__ import annotations

import array
import ctypes
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from autopar._compilers.native.binding import bind
from autopar._compilers.native.programs import parameter_program_of
from autopar._compilers.native.results import array_maker, finisher
from autopar._compilers.native.sampling import FIRST
from autopar._kernel import types as t
from autopar._model.light_dataclass import dataclass
from autopar._native_api import pack_numbers
from autopar._native_twin_entry import Packing, Unfit

if TYPE_CHECKING:
    from autopar._compilers.native.compiled import CompiledFunction

SECONDS_BETWEEN_SIGNALS = 0.05
"""Longest that a block should run without giving Ctrl-C a chance."""

FIRST_PART = 64
"""Items of the first part of a block as long as no time of a call is known; later ones are sized by time."""

_Read = Callable[[int, int], list[Any]]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a block: the slot of its words, where they are, and what keeps them alive."""

    slot: int
    base: int
    stride: int
    memory: Any

    def words(self, first: int) -> tuple[int, int, int]:
        """As the kernel reads it, from an item on."""
        return self.slot, self.base + first * self.stride, self.stride


def run_block(
    compiled: CompiledFunction, items: Sequence[Any], star: bool, kwargs: Mapping[str, Any], out: list[Any]
) -> bool:
    """Append the results of all items, in order, and return True; or do nothing and return False.

    Raises what an item raises; ``out`` then holds the results before it. False means that these items are not for a
    block: their types are not all those of the kernel, or it writes to arguments or works on lists.
    """
    if compiled.withdrawn or not compiled.pure or not items:
        return False
    block = _Block.of(compiled, items, star, kwargs)
    if block is None or not compiled.current():
        return False
    block.run(out)
    return True


class _Block:
    """The columns of some items, and the slots that stay the same."""

    def __init__(
        self,
        compiled: CompiledFunction,
        items: Sequence[Any],
        star: bool,
        kwargs: Mapping[str, Any],
        inputs: list[_Column],
        packing: Packing,
    ) -> None:
        self.compiled = compiled
        self.items = items
        self.star = star
        self.kwargs = kwargs
        self.inputs = inputs
        self.packing = packing
        layout = compiled.kernel.layout
        self.slots = (ctypes.c_int64 * max(1, layout.words))(*packing.words)
        self.outputs: list[_Column] = []
        self.read = self._output(compiled.kernel.result, iter(range(layout.result, layout.words)))

    @classmethod
    def of(
        cls, compiled: CompiledFunction, items: Sequence[Any], star: bool, kwargs: Mapping[str, Any]
    ) -> _Block | None:
        """Lay the items out, or return None if they are not for a block."""
        width = _width(items) if star else 1
        if width is None:
            return None
        bound = bind(compiled.function, items[0] if star else (items[0],), kwargs)
        if bound is None or len(bound) != len(compiled.types):
            return None
        if not all(map(t.is_scalar, compiled.types[:width])):
            return cls._of_rows(compiled, items, star, kwargs, bound[width:])
        columns: list[Sequence[Any]] = list(zip(*items, strict=True)) if star else [items]
        layout, packing = compiled.kernel.layout, Packing(compiled.classes)
        inputs = []
        try:
            for index, kind in enumerate(compiled.types):
                if index < width:
                    inputs.append(_input(kind, columns[index], layout.parameters[index]))
                    packing.words.append(0)
                else:
                    packing.pack(parameter_program_of(kind), 0, bound[index])
        except Unfit:
            return None
        return cls(compiled, items, star, kwargs, inputs, packing)

    @classmethod
    def _of_rows(
        cls,
        compiled: CompiledFunction,
        items: Sequence[Any],
        star: bool,
        kwargs: Mapping[str, Any],
        tail: tuple[Any, ...],
    ) -> _Block | None:
        """Lay out items that are, or have, arrays or tuples: a row of words for each, and a column for each word."""
        rows = compiled.pack_rows(items if type(items) in (list, tuple) else list(items), star, tail)  # type: ignore[arg-type]
        if not rows:
            return None
        words = compiled.kernel.layout.result
        packing = Packing(compiled.classes)
        packing.words = [0] * words
        start = ctypes.c_char.from_buffer(rows)
        base = ctypes.addressof(start)
        inputs = [_Column(slot, base + 8 * slot, 8 * words, start) for slot in range(words)]
        return cls(compiled, items, star, kwargs, inputs, packing)

    def run(self, out: list[Any]) -> None:
        """Run all items, in parts; what leaves the kernel runs in Python."""
        done, pace = 0, self.compiled.sampling.seconds_per_call
        most = FIRST_PART * FIRST_PART  # these items may take longer than those before: a guess
        part = min(most, max(FIRST_PART, int(SECONDS_BETWEEN_SIGNALS / pace))) if pace else FIRST_PART
        while done < len(self.items):
            if self.compiled.withdrawn:
                out.extend(map(self._python, range(done, len(self.items))))
                return
            started = time.perf_counter()
            count = min(part, len(self.items) - done)
            ran, left = self._part(done, count)
            seconds = time.perf_counter() - started
            values = self._checked(done, ran, seconds)
            if self.compiled.withdrawn:
                continue
            out.extend(values)
            done += ran
            if left:
                self.compiled.left(left)
                out.append(self._python(done))
                done += 1
                self.compiled.current()
            part = min(4 * part, max(1, int(part * SECONDS_BETWEEN_SIGNALS / max(seconds, 1e-9))))

    def _part(self, first: int, count: int) -> tuple[int, int]:
        """Run items in the kernel; how many it did, and the side exit by which it left the next one, or 0."""
        inputs, outputs = (_flat(columns, first) for columns in (self.inputs, self.outputs))
        left = ctypes.c_int64(0)
        ran = self.compiled.run_columns(
            ctypes.addressof(self.slots),
            count,
            ctypes.addressof(inputs),
            len(self.inputs),
            ctypes.addressof(outputs),
            len(self.outputs),
            ctypes.addressof(left),
        )
        self.compiled.counters.blocks += ran
        return ran, left.value if ran < count else 0

    def _checked(self, first: int, count: int, seconds: float) -> list[Any]:
        """The results of items that ran, a few of them compared with Python."""
        values = self.read(first, count)
        if not count:
            return values
        compiled, each = self.compiled, seconds / count
        compiled.sampling.ran(count, seconds)
        for place in range(min(count, FIRST)):
            if compiled.sampling.distance(each):
                break
            bound = bind(compiled.function, self._row(first + place), self.kwargs)
            if bound is None:
                break
            with suppress(Exception):  # what Python raises it will raise again, in its turn
                compiled.compared(bound, values[place], each)
            if compiled.withdrawn:
                return []  # all of them are in doubt, and run again
        return values

    def _output(self, kind: t.Type, slots: Iterator[int]) -> _Read:
        """Add the columns of a result; return what reads so many results from an item on."""
        if isinstance(kind, t.Tuple):
            readers = [self._output(item, slots) for item in kind.items]
            if not readers:
                return lambda first, count: [()] * count
            return lambda first, count: list(zip(*(read(first, count) for read in readers), strict=True))
        if isinstance(kind, t.Argument):
            return lambda first, count: [self._row(at)[kind.index] for at in range(first, first + count)]
        if isinstance(kind, t.Nothing):
            return lambda first, count: [None] * count
        if isinstance(kind, (t.Array, t.List)):
            return self._memory_output(kind, slots)
        make = _numpy_output if isinstance(kind, t.NpScalar) else _plain_output
        column, read = make(kind, next(slots), len(self.items))
        self.outputs.append(column)
        return read

    def _memory_output(self, kind: t.Array | t.List, slots: Iterator[int]) -> _Read:
        """The columns of a result in memory of the kernel's own: what owns it, where it is, and how long."""
        width = 2 + kind.ndim
        rows = array.array("q", bytes(8 * width * len(self.items)))
        base = rows.buffer_info()[0]
        self.outputs += [_Column(next(slots), base + 8 * place, 8 * width, rows) for place in range(width)]
        release = self.compiled.library.address("ap_free")
        if isinstance(kind, t.Array):
            make = array_maker(kind, release)
            return lambda first, count: make(rows, first, count)
        finish = finisher(kind, release)
        return lambda first, count: [
            finish(tuple(rows[width * row : width * (row + 1)]), ()) for row in range(first, first + count)
        ]

    def _row(self, index: int) -> tuple[Any, ...]:
        """The positional arguments of an item."""
        item = self.items[index]
        return item if self.star else (item,)

    def _python(self, index: int) -> Any:
        return self.compiled.function(*self._row(index), **self.kwargs)


def _width(items: Sequence[Any]) -> int | None:
    """The number of positional arguments of every item, or None if it varies."""
    if set(map(type, items)) != {tuple}:
        return None
    widths = set(map(len, items))
    return widths.pop() if len(widths) == 1 else None


def _flat(columns: Sequence[_Column], first: int) -> ctypes.Array[ctypes.c_int64]:
    words = [word for column in columns for word in column.words(first)]
    return (ctypes.c_int64 * max(1, len(words)))(*words)


_CODES: dict[type[t.Type], str] = {t.Int: "q", t.Float: "d"}


def _input(kind: t.Type, values: Sequence[Any], slot: int) -> _Column:
    """A column of one parameter's values.

    Raises
    ------
    Unfit
        They do not all have its type and range, or it is no scalar.
    """
    if isinstance(kind, t.NpScalar):
        import numpy

        if set(map(type, values)) != {numpy.dtype(kind.dtype).type}:
            raise Unfit
        packed = _cast(numpy.array(values, kind.dtype), numpy.float64 if t.is_float(kind) else numpy.int64)
        return _Column(slot, packed.ctypes.data, 8, packed)
    if isinstance(kind, t.Bool):
        if set(map(type, values)) != {bool}:
            raise Unfit
        flags = array.array("q", values)
        return _Column(slot, flags.buffer_info()[0], 8, flags)
    code = {t.Int: "i", t.Float: "f"}.get(type(kind))
    plain = type(values) in (list, tuple, range)
    words = None if code is None else pack_numbers(code, values if plain else list(values))  # type: ignore[arg-type]
    if not words:
        raise Unfit
    start = ctypes.c_char.from_buffer(words)
    return _Column(slot, ctypes.addressof(start), 8, start)


def _plain_output(kind: t.Type, slot: int, count: int) -> tuple[_Column, _Read]:
    words = array.array(_CODES.get(type(kind), "q"), bytes(8 * count))
    column = _Column(slot, words.buffer_info()[0], 8, words)
    if isinstance(kind, t.Bool):
        return column, lambda first, count: list(map(bool, words[first : first + count]))
    return column, lambda first, count: words[first : first + count].tolist()


def _numpy_output(kind: t.Type, slot: int, count: int) -> tuple[_Column, _Read]:
    import numpy

    assert isinstance(kind, t.NpScalar)  # noqa: S101 - for the type checker
    dtype = numpy.dtype(kind.dtype)
    words = numpy.zeros(count, numpy.float64 if t.is_float(kind) else numpy.int64)
    column = _Column(slot, words.ctypes.data, 8, words)
    return column, lambda first, count: list(_cast(words[first : first + count], dtype))


def _cast(numbers: Any, dtype: Any) -> Any:
    """An array in another dtype that has all its numbers, so that nothing is to be warned of."""
    import numpy

    with numpy.errstate(all="ignore"):
        return numbers.astype(dtype, copy=False)
