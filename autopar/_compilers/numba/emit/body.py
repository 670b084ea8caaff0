"""A kernel's statements as the body of an LLVM function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import buffers
from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.checked import checked
from autopar._compilers.numba.emit.expressions import Expressions, float_register
from autopar._kernel import ir


def kernel_function(module: Any, kernel: ir.Kernel) -> Any:
    """Write ``kernel(*slots, results) -> exit`` into a module."""
    kinds = [m.TYPES[var.machine] for var in kernel.slots]
    signature = ll.FunctionType(m.INT64, [*kinds, m.INT64.as_pointer()])
    function = ll.Function(module, signature, "kernel")
    function.linkage = "internal"
    function.attributes.add("noinline")  # so that the floating-point flags are looked at when all of it is done
    for var, argument in zip(kernel.slots, function.args, strict=False):
        if var.machine == "ptr" and var.name in kernel.restrict:
            argument.add_attribute("noalias")
    function.args[-1].add_attribute("noalias")
    _Body(function, kernel).write()
    return function


class _Body:
    """Writes statements in order.

    A statement behind a jump gets a block that nothing leads to, which LLVM leaves out.
    """

    def __init__(self, function: Any, kernel: ir.Kernel) -> None:
        self.function, self.kernel = function, kernel
        self.entry = ll.IRBuilder(function.append_basic_block("entry"))
        self.builder = builder = ll.IRBuilder(function.append_basic_block("start"))
        self.leave = function.append_basic_block("leave")
        names = {**kernel.variables, **{var.name: var.machine for var in kernel.slots}}
        self.variables = {name: self.entry.alloca(m.TYPES[kind], name=name) for name, kind in names.items()}
        for name, kind in names.items():
            self.entry.store(m.constant(kind, 0), self.variables[name])
        for var, argument in zip(kernel.slots, function.args, strict=False):
            self.entry.store(argument, self.variables[var.name])
        self.exit = self.entry.alloca(m.INT64, name="exit")
        self.entry.store(m.number(0), self.exit)
        self.expressions = Expressions(builder, self.entry, self.variables, hidden=kernel.float_flags)
        self.loops: list[tuple[Any, Any]] = []
        self.labels: dict[str, Any] = {}

    def write(self) -> None:
        """Write the whole function."""
        kernel, builder = self.kernel, self.builder
        self.block(kernel.body)
        out = self.function.args[-1]
        for place, var in enumerate(kernel.results):
            builder.store(self._word(var), builder.gep(out, [m.number(place)]))
        for var in kernel.results:
            if var.machine == "own":
                buffers.take(builder, self.expressions.value(var))
        builder.branch(self.leave)
        builder.position_at_end(self.leave)
        for name in kernel.owners:
            buffers.release(builder, builder.load(self.variables[name]))
        builder.ret(builder.load(self.exit))
        self.entry.branch(self.function.basic_blocks[1])

    def block(self, block: ir.Block) -> None:
        """Write all statements of a block."""
        for statement in block:
            _WRITERS[type(statement)](self, statement)

    def _word(self, var: ir.Var) -> m.Value:
        value = self.expressions.value(var)
        if var.machine in m.FLOATS:
            return self.builder.bitcast(m.convert(self.builder, value, var.machine, "f64"), m.INT64)
        if var.machine in ("ptr", "own"):
            return self.builder.ptrtoint(value, m.INT64)
        return m.convert(self.builder, value, var.machine, "i64")

    def _set(self, target: ir.Var, value: m.Value) -> None:
        self.builder.store(value, self.variables[target.name])

    def _go(self, block: Any) -> None:
        """Jump; what follows is in a block of its own."""
        self.builder.branch(block)
        self.builder.position_at_end(self.function.append_basic_block("behind"))

    def _leave_if(self, test: m.Value, number: int) -> None:
        with self.builder.if_then(test, likely=False):
            self.builder.store(m.number(number), self.exit)
            self.builder.branch(self.leave)

    def _assign(self, s: ir.Assign) -> None:
        value = self.expressions.opaque(s.value)
        self._set(s.target, m.convert(self.builder, value, s.value.machine, s.target.machine))

    def _checked(self, s: ir.Checked) -> None:
        value, wrong = checked(self.expressions, s.name, s.args)
        self._leave_if(wrong, s.exit)
        self._set(s.target, value)

    def _call(self, s: ir.Call) -> None:
        """Have a variable own another buffer than before; both may be one."""
        target, owner = s.args
        assert isinstance(target, ir.Var)
        taken = self.expressions.value(owner)
        buffers.take(self.builder, taken)
        buffers.release(self.builder, self.expressions.value(target))
        self._set(target, taken)

    def _place(self, dtype: str, base: ir.Expr, offset: ir.Expr, bytewise: bool) -> m.Value:
        start, distance = self.expressions.value(base), self.expressions.value(offset)
        if bytewise:
            return self.builder.gep(start, [distance])
        return self.builder.gep(self.builder.bitcast(start, m.ELEMENTS[dtype].as_pointer()), [distance])

    def _load(self, s: ir.Load) -> None:
        place = self._place(s.dtype, s.base, s.offset, s.bytewise)
        self._set(s.target, m.loaded(self.builder, s.dtype, place, s.target.machine))

    def _store(self, s: ir.Store) -> None:
        place = self._place(s.dtype, s.base, s.offset, s.bytewise)
        m.store(self.builder, s.dtype, place, self.expressions.opaque(s.value), s.value.machine)

    def _new(self, s: ir.New) -> None:
        buffers.release(self.builder, self.expressions.value(s.owner))
        self._set(s.owner, m.constant("own", 0))
        made = buffers.new(self.builder, self.expressions.value(s.count), s.size, s.zero)
        self._set(s.owner, made)
        self._leave_if(buffers.is_nothing(self.builder, made), s.exit)
        self._set(s.data, buffers.data_of(self.builder, made))

    def _grow(self, s: ir.Grow) -> None:
        builder, value = self.builder, self.expressions.value
        length = value(s.length)
        with builder.if_then(builder.icmp_signed("==", length, value(s.capacity)), likely=False):
            made = buffers.grown(builder, value(s.owner), length, s.size)
            self._leave_if(buffers.is_nothing(builder, made), s.exit)
            self._set(s.owner, made)
            self._set(s.data, buffers.data_of(builder, made))
            self._set(s.capacity, buffers.room_of(builder, made))

    def _if(self, s: ir.If) -> None:
        test = self.expressions.value(s.test)
        with self.builder.if_else(test) as (then, other):
            with then:
                self.block(s.then)
            with other:
                self.block(s.other)

    @contextmanager
    def _looping(self, after: Any, again: Any) -> Iterator[None]:
        self.loops.append((after, again))
        yield
        self.loops.pop()

    def _loop(self, s: ir.Loop) -> None:
        head, after = (self.function.append_basic_block(name) for name in ("loop", "looped"))
        self.builder.branch(head)
        self.builder.position_at_end(head)
        if s.paced:
            self.builder.asm(ll.FunctionType(ll.VoidType(), ()), "", "", [], True)
        with self._looping(after, head):
            self.block(s.body)
        self.builder.branch(head)
        self.builder.position_at_end(after)

    def _for(self, s: ir.For) -> None:
        builder, value = self.builder, self.expressions.value
        head, body, again, after = (
            self.function.append_basic_block(name) for name in ("for", "round", "next", "counted")
        )
        self._set(s.var, self.expressions.opaque(s.start))
        builder.branch(head)
        builder.position_at_end(head)
        more = builder.icmp_signed(">" if s.down else "<", value(s.var), value(s.stop))
        builder.cbranch(more, body, after)
        builder.position_at_end(body)
        with self._looping(after, again):
            self.block(s.body)
        builder.branch(again)
        builder.position_at_end(again)
        self._set(s.var, builder.add(value(s.var), value(s.step), flags=("nsw",)))
        builder.branch(head)
        builder.position_at_end(after)

    def _break(self, s: ir.Break) -> None:
        self._go(self.loops[-1][0])

    def _continue(self, s: ir.Continue) -> None:
        self._go(self.loops[-1][1])

    def _labelled(self, name: str) -> Any:
        if name not in self.labels:
            self.labels[name] = self.function.append_basic_block(name)
        return self.labels[name]

    def _jump(self, s: ir.Jump) -> None:
        self._go(self._labelled(s.label))

    def _label(self, s: ir.Label) -> None:
        block = self._labelled(s.name)
        self.builder.branch(block)
        self.builder.position_at_end(block)

    def _exit(self, s: ir.Exit) -> None:
        self.builder.store(m.number(s.number), self.exit)
        self._go(self.leave)

    def _exit_if(self, s: ir.ExitIf) -> None:
        self._leave_if(self.expressions.value(s.test), s.number)

    def _keep(self, s: ir.Keep) -> None:
        value = self.expressions.value(s.value)
        letter = float_register() if s.value.machine in m.FLOATS else "r"
        self.builder.asm(ll.FunctionType(ll.VoidType(), (value.type,)), "", letter, [value], True)

    def _comment(self, s: ir.Comment) -> None:
        """Nothing: LLVM's text is for no reader."""


_WRITERS: dict[type, Callable[[_Body, Any], None]] = {
    ir.Assign: _Body._assign,
    ir.Checked: _Body._checked,
    ir.Call: _Body._call,
    ir.Load: _Body._load,
    ir.Store: _Body._store,
    ir.New: _Body._new,
    ir.Grow: _Body._grow,
    ir.If: _Body._if,
    ir.Loop: _Body._loop,
    ir.For: _Body._for,
    ir.Break: _Body._break,
    ir.Continue: _Body._continue,
    ir.Jump: _Body._jump,
    ir.Label: _Body._label,
    ir.Exit: _Body._exit,
    ir.ExitIf: _Body._exit_if,
    ir.Keep: _Body._keep,
    ir.Comment: _Body._comment,
}
