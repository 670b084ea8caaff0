"""Numeric kernels as typed Cython text: C variables, no Python object, no GIL.

The typed form is that of :mod:`autopar._kernel`, with its checks of ranges, indices and overflow spelled out, so the
directives for these stay off. Operators that Python has as C has them are written as such; each other operation is a
macro that the native route's own writer fills, so both routes have one meaning of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autopar._compilers.native.emit.expressions import expression
from autopar._compilers.native.emit.kernel import _entry as entry_text
from autopar._compilers.native.emit.prelude import BLOCK, PRELUDE
from autopar._compilers.native.emit.statements import _ELEMENTS as ELEMENTS
from autopar._compilers.native.emit.statements import _OVERFLOW as OVERFLOW
from autopar._kernel import ir
from autopar._kernel.ir import Kernel, Var

__all__ = ["typed_module", "typed_text"]

_HEADER = """\
# cython: language_level=3, infer_types=False, cdivision=True, boundscheck=False, wraparound=False, overflowcheck=False
# cython: emit_code_comments=False
"""

_TYPES = {
    "i64": "i64",
    "u64": "u64",
    "f64": "double",
    "f32": "float",
    "bool": "ap_bool",
    "ptr": "char *",
    "own": "void *",
}
_MINUS = {"f64": "ap_minus", "f32": "ap_minus_f32"}
_PLAIN = {"+", "-", "*", "&", "|", "^", "==", "!=", "<", "<=", ">", ">="}
_LOGIC = {"&&": "and", "||": "or"}


_MORE = r"""
static AP_UNUSED bool ap_grow_in(void **owner, i64 length, i64 size)
{
    void *grown = ap_grow(*owner, length, size);
    if (grown) *owner = grown;
    return grown != NULL;
}
#define AP_ROUND_ ({ AP_ROUND; })
"""
_EXPORTED = ("kernel", "ap_call", "ap_block", "ap_free")


def typed_text(kernel: Kernel) -> str:
    """The whole Cython module of a kernel, which exports what :mod:`autopar._kernel.abi` asks for."""
    return typed_module([kernel])


def typed_module(kernels: Sequence[Kernel]) -> str:
    """A module of several kernels: what the first exports goes by its own names, of the others with ``_number``."""
    c_text, declared, functions = ["#include <fenv.h>\n" + PRELUDE + _MORE], dict[str, str](), list[str]()
    for number, kernel in enumerate(kernels):
        writer = _Writer(kernel, f"_{number}" if number else "")
        functions += writer.function()
        places = ", ".join([*(_c_type(var.machine) for var in kernel.slots), "i64 *"])
        exported = [f"{name} {name}_{number}" for name in _EXPORTED if number]
        c_text += [f"#define {each}" for each in exported]
        c_text += [*writer.macros, f"static i64 kernel({places});", *entry_text(kernel), BLOCK]
        c_text += [f"#undef {each.partition(' ')[0]}" for each in exported]
        declared |= writer.declared
    types = ["ctypedef long long i64", "ctypedef unsigned long long u64", 'ctypedef bint ap_bool "bool"']
    lines = ["cdef extern from *:", '    r"""', *"\n".join(c_text).splitlines(), '    """']
    lines += [f"    {line}" for line in (*types, *declared.values())]
    return _HEADER + "\n".join([*lines, *functions]) + "\n"


def _c_type(machine: str) -> str:
    return {"bool": "bool"}.get(machine, _TYPES[machine])


class _Writer:
    """Writes one kernel, and collects the macros that it uses with their declarations."""

    def __init__(self, kernel: Kernel, suffix: str) -> None:
        self.kernel = kernel
        self.suffix = suffix
        self.macros: list[str] = []
        self.declared: dict[str, str] = {}
        self.lines: list[str] = []
        self.depth = 1
        self.loops: list[ir.For | None] = []
        self._names: dict[tuple[Any, ...], str] = {}

    def function(self) -> list[str]:
        """The function itself."""
        kernel = self.kernel
        parameters = [f"{_TYPES[var.machine]} {_var(var.name)}" for var in kernel.slots]
        taken = {var.name for var in kernel.slots}
        name = f"kernel{self.suffix}"
        head = f'cdef i64 {name} "{name}" ({", ".join([*parameters, "i64 *ap_out"])}) noexcept nogil:'
        machines = dict(kernel.variables) | {var.name: var.machine for var in self._counters(kernel.body)}
        for name in sorted(set(machines) - taken):
            start = "NULL" if machines[name] in ("ptr", "own") else "0"
            self.line(f"cdef {_TYPES[machines[name]]} {_var(name)} = {start}")
        self.block(kernel.body)
        for place, var in enumerate(kernel.results):
            self.line(f"ap_out[{place}] = {self._word(var)}")
        for var in kernel.results:
            if var.machine == "own":
                owned = self._call("ap_owned", "void *", ["void *", "void *"])
                self.line(f"{_var(var.name)} = {owned}(NULL, {_var(var.name)})")
        self._leave(0)
        return [head, *self.lines]

    def _counters(self, block: ir.Block) -> list[Var]:
        found = []
        for each in block:
            if isinstance(each, ir.For):
                found.append(each.var)
            for part in ("body", "then", "other"):
                found += self._counters(getattr(each, part, []))
        return found

    def line(self, text: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.depth + text)

    def block(self, block: ir.Block) -> None:
        """Write all statements of a block."""
        for statement in block:
            _WRITERS[type(statement)](self, statement)

    def inner(self, block: ir.Block) -> None:
        """Write a block one step further in."""
        self.depth += 1
        self.line("pass")
        self.block(block)
        self.depth -= 1

    # -- expressions ------------------------------------------------------------------------------------------------

    def text(self, expr: ir.Expr) -> str:
        """An expression."""
        if isinstance(expr, ir.Var):
            return _var(expr.name)
        if isinstance(expr, ir.Const):
            return self._constant(expr)
        assert isinstance(expr, ir.Op)  # noqa: S101 - for the type checker
        args = [self.text(each) for each in expr.args]
        quiet = self.kernel.float_flags and expr.args[0].machine in ("f64", "f32")
        if expr.name in _LOGIC:
            return f"({f' {_LOGIC[expr.name]} '.join(args)})"
        if expr.name == "!":
            return f"(not {args[0]})"
        if expr.name == "-" and expr.machine in _MINUS and isinstance(expr.args[1], ir.Op):
            kind = _TYPES[expr.machine]  # in one expression some C compilers get it wrong: see the prelude
            return f"{self._call(_MINUS[expr.machine], kind, [kind, kind])}({', '.join(args)})"
        if expr.name in _PLAIN and not (quiet and expr.name in ("<", "<=", ">", ">=")):
            return f"({f' {expr.name} '.join(args)})"
        machines = tuple(each.machine for each in expr.args)
        key = ("op", expr.name, expr.machine, machines)
        if key not in self._names:
            letters = [Var(machine, f"ap_{'abcdefgh'[i]}_") for i, machine in enumerate(machines)]
            body = expression(ir.Op(expr.machine, expr.name, tuple(letters)), self.kernel.float_flags)
            for letter in letters:
                body = body.replace(letter.name, f"({letter.name})")
            self._macro(key, [letter.name for letter in letters], f"({body})", _TYPES[expr.machine], machines)
        return f"{self._names[key]}({', '.join(args)})"

    def _constant(self, expr: ir.Const) -> str:
        if expr.machine == "bool":
            return "1" if expr.value else "0"
        if expr.machine in ("i64", "u64") and abs(expr.value) < 2**31:
            return f"<{_TYPES[expr.machine]}>({int(expr.value)})"
        text = expression(expr, self.kernel.float_flags)  # for a NaN has a sign, which Python's own text of it lacks
        key = ("constant", expr.machine, text)
        if key not in self._names:
            self._macro(key, [], text, _TYPES[expr.machine], ())
        return f"{self._names[key]}()"

    def _macro(self, key: tuple[Any, ...], letters: list[str], body: str, result: str, machines: Sequence[str]) -> str:
        if key not in self._names:
            name = self._names[key] = f"apo{self.suffix}_{len(self._names)}"
            self.macros.append(f"#define {name}({', '.join(letters)}) {body}")
            self.declared[name] = f"{result} {name}({', '.join(_TYPES.get(m, m) for m in machines)}) noexcept nogil"
        return self._names[key]

    def _call(self, name: str, result: str, arguments: list[str]) -> str:
        """A function of the prelude."""
        self.declared.setdefault(name, f"{result} {name}({', '.join(arguments)}) noexcept nogil")
        return name

    def _word(self, var: Var) -> str:
        if var.machine in ("f64", "f32"):
            return f"{self._call('ap_to_word', 'i64', ['double'])}({_var(var.name)})"
        if var.machine in ("ptr", "own"):
            return f"{self._macro(('word',), ['p'], '((i64)(intptr_t)(p))', 'i64', ('own',))}(<void *>{_var(var.name)})"
        return f"<i64>{_var(var.name)}"

    # -- statements -------------------------------------------------------------------------------------------------

    def _leave(self, number: int) -> None:
        for name in self.kernel.owners:
            self.line(f"{self._call('ap_release', 'void', ['void *'])}({_var(name)})")
        self.line(f"return {number}")

    def _leave_if(self, test: str, number: int) -> None:
        self.line(f"if {test}:")
        self.depth += 1
        self._leave(number)
        self.depth -= 1

    def _assign(self, s: ir.Assign) -> None:
        self.line(f"{_var(s.target.name)} = {self.text(s.value)}")

    def _checked(self, s: ir.Checked) -> None:
        machines = tuple(each.machine for each in s.args)
        letters = ["a", "b", "c"][: len(machines)]
        if s.name in OVERFLOW:
            body = f"(!__builtin_{s.name.removeprefix('u')}_overflow({', '.join(letters)}, r))"
        else:
            body = f"ap_{s.name}({', '.join(letters)}, r)"
        pointer = f"{_TYPES[s.target.machine]} *"
        key = ("checked", s.name, s.target.machine, machines)
        name = self._macro(key, [*letters, "r"], body, "bint", (*machines, pointer))
        args = ", ".join([*map(self.text, s.args), f"&{_var(s.target.name)}"])
        self._leave_if(f"not {name}({args})", s.exit)

    def _owned(self, s: ir.Call) -> None:
        target, owner = (self.text(each) for each in s.args)
        self.line(f"{target} = {self._call('ap_owned', 'void *', ['void *', 'void *'])}({target}, {owner})")

    def _place(self, dtype: str, bytewise: bool) -> str:
        element = ELEMENTS[dtype]
        return f"(*({element} *)((char *)(p) + (o)))" if bytewise else f"((({element} *)(p))[o])"

    def _load(self, s: ir.Load) -> None:
        key = ("load", s.dtype, s.bytewise, s.target.machine)
        name = self._macro(key, ["p", "o"], self._place(s.dtype, s.bytewise), _TYPES[s.target.machine], ("ptr", "i64"))
        self.line(f"{_var(s.target.name)} = {name}(<char *>{self.text(s.base)}, {self.text(s.offset)})")

    def _store(self, s: ir.Store) -> None:
        body = f"({self._place(s.dtype, s.bytewise)} = ({ELEMENTS[s.dtype]})(v))"
        key = ("store", s.dtype, s.bytewise, s.value.machine)
        name = self._macro(key, ["p", "o", "v"], f"((void){body})", "void", ("ptr", "i64", s.value.machine))
        self.line(f"{name}(<char *>{self.text(s.base)}, {self.text(s.offset)}, {self.text(s.value)})")

    def _new(self, s: ir.New) -> None:
        owner = _var(s.owner.name)
        self.line(f"{self._call('ap_release', 'void', ['void *'])}({owner})")
        made = self._call("ap_new", "void *", ["i64", "i64", "int"])
        self.line(f"{owner} = {made}({self.text(s.count)}, {s.size}, {int(s.zero)})")
        self._leave_if(f"{owner} == NULL", s.exit)
        self.line(f"{_var(s.data.name)} = {self._call('ap_data', 'char *', ['void *'])}({owner})")

    def _grow(self, s: ir.Grow) -> None:
        owner, length, room = (_var(each.name) for each in (s.owner, s.length, s.capacity))
        macro = "((ap_buffer *)(p))->room"
        grown = self._macro(
            ("grow", s.size), ["p", "n"], f"ap_grow_in((void **)(p), n, {s.size})", "bint", ("void **", "i64")
        )
        self.line(f"if {length} == {room}:")
        self.depth += 1
        self._leave_if(f"not {grown}(&{owner}, {length})", s.exit)
        self.line(f"{_var(s.data.name)} = {self._call('ap_data', 'char *', ['void *'])}({owner})")
        self.line(f"{room} = {self._macro(('room',), ['p'], macro, 'i64', ('own',))}({owner})")
        self.depth -= 1

    def _if(self, s: ir.If) -> None:
        self.line(f"if {self.text(s.test)}:")
        self.inner(s.then)
        if s.other:
            self.line("else:")
            self.inner(s.other)

    def _loop(self, s: ir.Loop) -> None:
        self.line("while True:")
        if s.paced:
            self.depth += 1
            self.line(f"{self._macro(('round',), [], 'AP_ROUND_', 'void', ())}()")
            self.depth -= 1
        self.loops.append(None)
        self.inner(s.body)
        self.loops.pop()

    def _for(self, s: ir.For) -> None:
        name = _var(s.var.name)
        self.line(f"{name} = {self.text(s.start)}")
        self.line(f"while {name} {'>' if s.down else '<'} {self.text(s.stop)}:")
        self.loops.append(s)
        self.inner(s.body)
        self.loops.pop()
        self.depth += 1
        self._step(s)
        self.depth -= 1

    def _step(self, s: ir.For) -> None:
        self.line(f"{_var(s.var.name)} = {_var(s.var.name)} + {self.text(s.step)}")

    def _break(self, s: ir.Break) -> None:
        self.line("break")

    def _continue(self, s: ir.Continue) -> None:
        if self.loops[-1] is not None:
            self._step(self.loops[-1])
        self.line("continue")

    def _jump(self, s: ir.Jump) -> None:
        self.line(f"{self._macro(('jump', s.label), [], f'goto {s.label}', 'void', ())}()")

    def _label(self, s: ir.Label) -> None:
        self.line(f"{self._macro(('label', s.name), [], f'{s.name}:', 'void', ())}()")

    def _exit(self, s: ir.Exit) -> None:
        self._leave_if("True", s.number)

    def _exit_if(self, s: ir.ExitIf) -> None:
        self._leave_if(self.text(s.test), s.number)

    def _keep(self, s: ir.Keep) -> None:
        kind = "X" if s.value.machine in ("f64", "f32") else "R"
        name = self._macro(("keep", s.value.machine), ["v"], f"AP_KEEP_{kind}(v)", "void", (s.value.machine,))
        self.line(f"{name}({self.text(s.value)})")

    def _comment(self, s: ir.Comment) -> None:
        self.line(f"# {s.text.encode('ascii', 'backslashreplace').decode()}")


def _var(name: str) -> str:
    """A variable's name here; some have a dollar in them, which Cython does not take."""
    return f"o_{name.replace('_', '__').replace('$', '_S')}" if "$" in name else f"k_{name}"


_WRITERS: dict[type, Callable[[_Writer, Any], None]] = {
    ir.Assign: _Writer._assign,
    ir.Checked: _Writer._checked,
    ir.Call: _Writer._owned,
    ir.Load: _Writer._load,
    ir.Store: _Writer._store,
    ir.New: _Writer._new,
    ir.Grow: _Writer._grow,
    ir.If: _Writer._if,
    ir.Loop: _Writer._loop,
    ir.For: _Writer._for,
    ir.Break: _Writer._break,
    ir.Continue: _Writer._continue,
    ir.Jump: _Writer._jump,
    ir.Label: _Writer._label,
    ir.Exit: _Writer._exit,
    ir.ExitIf: _Writer._exit_if,
    ir.Keep: _Writer._keep,
    ir.Comment: _Writer._comment,
}
