"""The whole C file of a kernel: prelude, the function itself, and what is exported."""

from __future__ import annotations

from autopar._compilers.native.emit.expressions import TYPES
from autopar._compilers.native.emit.prelude import BLOCK, PRELUDE
from autopar._compilers.native.emit.statements import Writer
from autopar._compilers.native.toolchain import KERNEL_FLAGS as FLAGS
from autopar._kernel import types as t
from autopar._kernel.ir import Var
from autopar._kernel.kernel import Kernel

__all__ = ["FLAGS", "emit"]

OVERLAP, WARNING = 1, 2  # the side exits that no line of the function takes
_WRONG = "FE_OVERFLOW | FE_DIVBYZERO | FE_INVALID"  # what NumPy warns of, unless told otherwise


def emit(kernel: Kernel) -> str:
    """Return the C file of a kernel."""
    writer = Writer(kernel.float_flags)
    writer.block(kernel.body)
    said = f"{kernel.name!a}, line {kernel.line}: {', '.join(f'{n}: {k}' for n, k in kernel.parameters)}"
    title = f"/* {said.replace('*/', '* /')} */"  # a function's name may hold anything
    flags = ["#include <fenv.h>"] if kernel.float_flags else []
    return "\n".join([title, PRELUDE, *flags, *_function(kernel, writer), "", *_entry(kernel), BLOCK])


def _function(kernel: Kernel, writer: Writer) -> list[str]:
    parameters = [_parameter(var, kernel) for var in kernel.slots]
    taken = {var.name for var in kernel.slots} | writer.counters
    lines = [f"static __attribute__((noinline)) i64 kernel({', '.join([*parameters, 'i64 *restrict ap_out'])})", "{"]
    lines.append("    i64 ap_exit = 0;")
    for machine in TYPES:
        names = sorted(n for n, m in kernel.variables.items() if m == machine and n not in taken)
        start = "NULL" if machine in ("ptr", "own") else "0"
        star = "*" if machine in ("ptr", "own") else ""
        for i in range(0, len(names), 6):
            declared = ", ".join(f"{star}{name} = {start}" for name in names[i : i + 6])
            lines.append(f"    {TYPES[machine].rstrip(' *')} {declared};")
    lines += writer.lines
    for i, var in enumerate(kernel.results):
        lines.append(f"    ap_out[{i}] = {_to_word(var)};")
    kept = [var.name for var in kernel.results if var.machine == "own"]
    lines += [f"    {name} = ap_owned(NULL, {name});" for name in kept]
    lines += ["leave:", *(f"    ap_release({name});" for name in kernel.owners), "    return ap_exit;", "}"]
    return lines


def _parameter(var: Var, kernel: Kernel) -> str:
    if var.machine == "ptr":
        return f"char *{'restrict ' if var.name in kernel.restrict else ''}{var.name}"
    return f"{TYPES[var.machine]} {var.name}"


def _to_word(var: Var) -> str:
    if var.machine in ("f64", "f32"):
        return f"ap_to_word({var.name})"
    if var.machine in ("ptr", "own"):
        return f"(i64)(intptr_t){var.name}"
    return f"(i64){var.name}"


def _from_word(var: Var, place: int) -> str:
    word = f"slots[{place}]"
    if var.machine == "f64":
        return f"ap_from_word({word})"
    if var.machine == "f32":
        return f"(float)ap_from_word({word})"
    if var.machine == "ptr":
        return f"(char *)(intptr_t){word}"
    return f"{word} != 0" if var.machine == "bool" else f"({TYPES[var.machine]}){word}"


def _entry(kernel: Kernel) -> list[str]:
    lines = ["AP_EXPORT int64_t ap_call(int64_t *slots)", "{"]
    for index in sorted({index for pair in kernel.overlaps for index in pair}):
        lines += _extent(kernel, index)
    for a, b in kernel.overlaps:
        lines.append(f"    if (low{a} < high{b} && low{b} < high{a}) return {OVERLAP};")
    if kernel.float_flags:
        # To clear them takes 30 ns, to look at them 5; mostly none is set.
        lines.append(f"    if (fetestexcept({_WRONG})) feclearexcept(FE_ALL_EXCEPT);")
    arguments = [_from_word(var, i) for i, var in enumerate(kernel.slots)]
    call = f"kernel({', '.join([*arguments, f'slots + {kernel.layout.result}'])})"
    if kernel.float_flags:
        lines.append(f"    i64 left = {call};")
        lines.append(f"    if (!left && fetestexcept({_WRONG})) left = {WARNING};")
        lines.append("    return left;")
    else:
        lines.append(f"    return {call};")
    return [*lines, "}"]


def _extent(kernel: Kernel, index: int) -> list[str]:
    """Where the memory of a parameter begins and ends; the same place twice if it is empty."""
    kind, start = kernel.parameters[index][1], kernel.layout.parameters[index]
    assert isinstance(kind, (t.Array, t.List))
    low, high, size = f"low{index}", f"high{index}", t.item_size(kind)
    if isinstance(kind, t.Array) and kind.layout == "strided":
        return [f"    i64 {low}, {high};", f"    ap_extent(slots + {start}, {kind.ndim}, {size}, &{low}, &{high});"]
    shape = " * ".join(f"slots[{start + 1 + dim}]" for dim in range(kind.ndim))
    return [f"    i64 {low} = slots[{start}], {high} = {low} + {' * '.join(filter(None, [shape, str(size)]))};"]
