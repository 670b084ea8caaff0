"""Statements of the intermediate form as lines of C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autopar._compilers.native.emit.expressions import expression
from autopar._kernel import ir

__all__ = ["Writer"]

_ELEMENTS = {
    "bool": "uint8_t",
    "float32": "float",
    "float64": "double",
    **{f"{u}int{bits}": f"{u}int{bits}_t" for u in ("", "u") for bits in (8, 16, 32, 64)},
}
_OVERFLOW = {"add", "sub", "mul", "uadd", "usub", "umul"}


class Writer:
    """Writes statements, one line each, indented."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.lines: list[str] = []
        self.depth = 1
        self.counters: set[str] = set()  # variables declared by their loop

    def block(self, block: ir.Block) -> None:
        """Write all statements of a block."""
        for statement in block:
            _WRITERS[type(statement)](self, statement)

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.depth + text)

    def inner(self, block: ir.Block) -> None:
        """Write a block one step further in."""
        self.depth += 1
        self.block(block)
        self.depth -= 1

    def text(self, expr: ir.Expr) -> str:
        """Return an expression as C, without the outermost parentheses."""
        out = expression(expr, self.quiet)
        if out.startswith("(") and isinstance(expr, ir.Op) and _closes_at_the_end(out):
            return out[1:-1]
        return out

    def _assign(self, s: ir.Assign) -> None:
        self.line(f"{s.target.name} = {self.text(s.value)};")

    def _checked(self, s: ir.Checked) -> None:
        args = ", ".join(self.text(arg) for arg in s.args)
        if s.name in _OVERFLOW:
            self.line(f"if (__builtin_{s.name.removeprefix('u')}_overflow({args}, &{s.target.name})) EXIT({s.exit});")
        else:
            self.line(f"if (!ap_{s.name}({args}, &{s.target.name})) EXIT({s.exit});")

    def _call(self, s: ir.Call) -> None:
        target, owner = (self.text(arg) for arg in s.args)
        self.line(f"{target} = ap_owned({target}, {owner});")

    def _place(self, dtype: str, base: ir.Expr, offset: ir.Expr, bytewise: bool, const: str) -> str:
        element = _ELEMENTS[dtype]
        if bytewise:
            return f"*({const}{element} *)({self.text(base)} + {expression(offset, self.quiet)})"
        return f"(({const}{element} *)({self.text(base)}))[{self.text(offset)}]"

    def _load(self, s: ir.Load) -> None:
        self.line(f"{s.target.name} = {self._place(s.dtype, s.base, s.offset, s.bytewise, 'const ')};")

    def _store(self, s: ir.Store) -> None:
        cast = "" if s.dtype in ("float64", "int64") else f"({_ELEMENTS[s.dtype]})"
        value = expression(s.value, self.quiet)
        self.line(f"{self._place(s.dtype, s.base, s.offset, s.bytewise, '')} = {cast}{value};")

    def _new(self, s: ir.New) -> None:
        self.line(f"ap_release({s.owner.name});")
        self.line(f"{s.owner.name} = ap_new({self.text(s.count)}, {s.size}, {int(s.zero)});")
        self.line(f"if (!{s.owner.name}) EXIT({s.exit});")
        self.line(f"{s.data.name} = ap_data({s.owner.name});")

    def _grow(self, s: ir.Grow) -> None:
        self.line(f"if ({s.length.name} == {s.capacity.name}) {{")
        self.line(f"    void *grown = ap_grow({s.owner.name}, {s.length.name}, {s.size});")
        self.line(f"    if (!grown) EXIT({s.exit});")
        self.line(f"    {s.owner.name} = grown;")
        self.line(f"    {s.data.name} = ap_data(grown);")
        self.line(f"    {s.capacity.name} = ((ap_buffer *)grown)->room;")
        self.line("}")

    def _if(self, s: ir.If) -> None:
        if not s.then and not s.other:
            return
        if not s.then:
            self.line(f"if (!{expression(s.test, self.quiet)}) {{")
            self.inner(s.other)
        else:
            self.line(f"if ({self.text(s.test)}) {{")
            self.inner(s.then)
            if s.other:
                self.line("} else {")
                self.inner(s.other)
        self.line("}")

    def _loop(self, s: ir.Loop) -> None:
        body = s.body
        first = body[0] if body else None
        if isinstance(first, ir.If) and first.then == [ir.Break()] and not first.other:
            self.line(f"while (!{expression(first.test, self.quiet)}) {{")
            body = body[1:]
        else:
            self.line("for (;;) {")
        if s.paced:
            self.line("    AP_ROUND;")
        self.inner(body)
        self.line("}")

    def _for(self, s: ir.For) -> None:
        name = s.var.name
        self.counters.add(name)
        relation = ">" if s.down else "<"
        step = f"{name} += {self.text(s.step)}"
        self.line(f"for (i64 {name} = {self.text(s.start)}; {name} {relation} {self.text(s.stop)}; {step}) {{")
        self.inner(s.body)
        self.line("}")

    def _break(self, s: ir.Break) -> None:
        self.line("break;")

    def _continue(self, s: ir.Continue) -> None:
        self.line("continue;")

    def _jump(self, s: ir.Jump) -> None:
        self.line(f"goto {s.label};")

    def _label(self, s: ir.Label) -> None:
        self.lines.append("    " * (self.depth - 1) + f"{s.name}:;")

    def _exit(self, s: ir.Exit) -> None:
        self.line(f"EXIT({s.number});")

    def _exit_if(self, s: ir.ExitIf) -> None:
        self.line(f"if ({self.text(s.test)}) EXIT({s.number});")

    def _keep(self, s: ir.Keep) -> None:
        kind = "x" if s.value.machine in ("f64", "f32") else "r"
        self.line(f"AP_KEEP_{kind.upper()}({self.text(s.value)});")

    def _comment(self, s: ir.Comment) -> None:
        self.line(f"/* {s.text.replace('*/', '* /')} */")


def _closes_at_the_end(text: str) -> bool:
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1
    return False


_WRITERS: dict[type, Callable[[Writer, Any], None]] = {
    ir.Assign: Writer._assign,
    ir.Checked: Writer._checked,
    ir.Call: Writer._call,
    ir.Load: Writer._load,
    ir.Store: Writer._store,
    ir.New: Writer._new,
    ir.Grow: Writer._grow,
    ir.If: Writer._if,
    ir.Loop: Writer._loop,
    ir.For: Writer._for,
    ir.Break: Writer._break,
    ir.Continue: Writer._continue,
    ir.Jump: Writer._jump,
    ir.Label: Writer._label,
    ir.Exit: Writer._exit,
    ir.ExitIf: Writer._exit_if,
    ir.Keep: Writer._keep,
    ir.Comment: Writer._comment,
}
