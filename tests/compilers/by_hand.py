"""Kernels written by hand, so that what runs kernels is tested apart from what makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.native.loader import load
from autopar._compilers.native.sampling import Sampling
from autopar._kernel import types as t
from autopar._kernel.ir import Fact, Kernel

HEAD = """
#pragma GCC visibility push(default)
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
static double f(int64_t word) { double value; memcpy(&value, &word, 8); return value; }
static int64_t w(double value) { int64_t word; memcpy(&word, &value, 8); return word; }
int64_t ap_call(int64_t *s) {
"""

TAIL = """
}
void ap_free(void *owner) { free(owner); }
static int64_t *word(const int64_t *c, int64_t i) { return (int64_t *)(intptr_t)(c[1] + i * c[2]); }
int64_t ap_block(int64_t *s, int64_t count, const int64_t *in, int64_t n_in, const int64_t *out, int64_t n_out,
                 int64_t *exit) {
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < n_in; k++) s[in[3 * k]] = *word(in + 3 * k, i);
        int64_t left = ap_call(s);
        if (left) { *exit = left; return i; }
        for (int64_t k = 0; k < n_out; k++) *word(out + 3 * k, i) = s[out[3 * k]];
    }
    return count;
}
"""


def text(body: str) -> str:
    """The C text of a kernel with this body of ``ap_call``."""
    return HEAD + body + TAIL


def kernel(
    types: tuple[t.Type, ...],
    result: t.Type,
    *,
    written: frozenset[int] = frozenset(),
    may_exit_after_write: bool = False,
    facts: tuple[Fact, ...] = (),
) -> Kernel:
    """All that a caller has to know about a kernel."""
    return Kernel(
        name="by_hand",
        file=__file__,
        line=1,
        parameters=tuple((f"p{number}", kind) for number, kind in enumerate(types)),
        result=result,
        body=[],
        variables={},
        slots=(),
        results=(),
        restrict=frozenset(),
        owners=(),
        exits={1: (7, "the integer does not fit 64 bits")},
        facts=facts,
        written=written,
        read=frozenset(range(len(types))),
        may_exit_after_write=may_exit_after_write,
        float_flags=False,
    )


def compiled(
    function: Callable[..., Any],
    types: tuple[t.Type, ...],
    result: t.Type,
    body: str,
    *,
    sampling: Sampling | None = None,
    **more: Any,
) -> CompiledFunction:
    """A function with a kernel of its own by hand; by default no call is compared with Python."""
    never = Sampling(share=0.0, grace=0.0) if sampling is None else sampling
    return CompiledFunction(function, kernel(types, result, **more), load(text(body)), sampling=never)


ADD = "int64_t sum; if (__builtin_add_overflow(s[0], s[1], &sum)) return 1; s[2] = sum; return 0;"


def add(one: Any, other: Any = 10) -> Any:
    """What the kernel ADD computes."""
    return one + other
