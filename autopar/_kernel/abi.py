"""How a compiled kernel is called: one vector of 64-bit words, the slots, that carries arguments in and results out.

A kernel's shared object exports::

    int64_t ap_call(int64_t *slots);
    int64_t ap_block(int64_t *slots, int64_t count,
                     const int64_t *inputs, int64_t n_inputs,
                     const int64_t *outputs, int64_t n_outputs, int64_t *exit);
    void ap_free(void *owner);

**Slots.** First the parameters in order, flattened; then the result, flattened. A slot holds:

=================== ===================================================================================================
int, np.int*        the value; np.uint64 its bit pattern
bool, np.bool       0 or 1
float, np.float*    the bit pattern of the value as a C double (a float32 is widened, which is exact)
None                no slot
tuple               its items' slots, one after the other
array, parameter    address of element 0; shape[ndim]; strides[ndim] in bytes (also for layout "C")
list, parameter     address of packed items (int64, double, or one byte a bool), C order; shape[ndim]. If it is in
                    `Kernel.written`, the caller takes the changes back into the list when the return code is 0
array, list, result owner; address of packed items in C order; shape[ndim]. The caller copies them into a new array
                    or list and then calls `ap_free(owner)`. It owns nothing when the return code is not 0
Argument, result    no slot: the result is the object passed as that parameter
=================== ===================================================================================================

**Return code.** 0: done, result slots are set. n > 0: left through side exit n (`Kernel.exits[n]` is its line and
reason): nothing was raised, the result slots mean nothing, and the arrays of `Kernel.written` may have been written to,
unless `Kernel.may_exit_after_write` is false. The caller restores those and runs the call in Python. Both functions are
re-entrant, keep no state, and never call into Python, so they run without the GIL.

**Guards** are the caller's: exact types as `type_of` says, alignment, writeable flags for `Kernel.written`, and
`Kernel.facts`. Whether written arrays overlap others is checked by the kernel itself, which then takes a side exit.

**Blocks.** `ap_block` runs `count` items. Before item i it fills slots from the input columns, after it it stores slots
to the output columns. A column is three words: slot, base, stride; it has the word of item i at base + i * stride. All
other slots keep what the caller put there. It stops at the first side exit, and returns the number of items that are
done; if that is less than `count`, `*exit` is the side exit of the item it stopped at.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from autopar._kernel import types as t
from autopar._model.light_dataclass import dataclass

__all__ = ["Layout", "decode_scalar", "encode_scalar", "layout_of", "parameter_words", "result_words"]


@dataclass(frozen=True)
class Layout:
    """Where everything is: the first slot of each parameter, the first slot of the result, and how many there are."""

    parameters: tuple[int, ...]
    result: int
    words: int


def parameter_words(kind: t.Type) -> int:
    """How many slots a parameter of this type takes."""
    if t.is_scalar(kind):
        return 1
    if isinstance(kind, t.Array):
        return 1 + 2 * kind.ndim
    if isinstance(kind, t.List):
        return 1 + kind.ndim
    if isinstance(kind, t.Tuple):
        return sum(map(parameter_words, kind.items))
    return 0


def result_words(kind: t.Type) -> int:
    """How many slots a result of this type takes."""
    if t.is_scalar(kind):
        return 1
    if isinstance(kind, (t.Array, t.List)):
        return 2 + kind.ndim
    if isinstance(kind, t.Tuple):
        return sum(map(result_words, kind.items))
    return 0


def layout_of(parameters: Sequence[t.Type], result: t.Type) -> Layout:
    """Place the parameters and the result in the slots.

    >>> layout_of((t.Int(), t.Array("float64", 1)), t.Float())
    Layout(parameters=(0, 1), result=4, words=5)
    """
    starts, at = [], 0
    for kind in parameters:
        starts.append(at)
        at += parameter_words(kind)
    return Layout(tuple(starts), at, at + result_words(result))


def encode_scalar(kind: t.Type, value: Any) -> int:
    """Return the slot word of a scalar, as a signed 64-bit number.

    >>> encode_scalar(t.Int(), -1), encode_scalar(t.Float(), 1.0)
    (-1, 4607182418800017408)
    """
    if t.is_float(kind):
        return int(struct.unpack("q", struct.pack("d", float(value)))[0])
    word = int(value)
    return word - 2**64 if word > t.INT64_MAX else word


def decode_scalar(kind: t.Type, word: int) -> Any:
    """Return the Python object that a slot word means, of exactly the type `kind`."""
    value: Any = struct.unpack("d", struct.pack("q", word))[0] if t.is_float(kind) else word
    if isinstance(kind, t.Bool):
        return bool(value)
    if isinstance(kind, t.NpScalar):
        import numpy as np

        if kind.dtype == "uint64":
            value %= 2**64
        return getattr(np, kind.dtype if kind.dtype != "bool" else "bool_")(value)
    return value
