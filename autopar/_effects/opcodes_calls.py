"""What an instruction does to the stack and the local slots: displays, calls, iteration and exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autopar._effects import attributes, calls, closures, hooks, items, iteration, operators
from autopar._effects.decode import PYTHON
from autopar._effects.opcode_table import handles, pop_many
from autopar._effects.values import NOTHING, Args, Known, Value

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


# Displays


@handles("BUILD_TUPLE", "BUILD_LIST")
def _build_sequence(frame: Frame, arg: int) -> None:
    values = pop_many(frame, arg)
    kind = tuple if frame.instruction.name == "BUILD_TUPLE" else list
    frame.stack.append(frame.display(kind, {f"[{i}]": v for i, v in enumerate(values)}))


@handles("BUILD_SET")
def _build_set(frame: Frame, arg: int) -> None:
    members = NOTHING.union(*pop_many(frame, arg))
    hooks.hashed(frame, members)
    frame.stack.append(frame.container(set, members))


@handles("BUILD_MAP")
def _build_map(frame: Frame, arg: int) -> None:
    values = pop_many(frame, 2 * arg)
    fields: dict[str, Value] = {}
    for key, value in zip(values[::2], values[1::2], strict=True):
        field = items.field_of(key)
        fields[field] = fields.get(field, NOTHING) | value
        fields["{}"] = fields.get("{}", NOTHING) | key
    hooks.hashed(frame, fields.get("{}", NOTHING))
    frame.stack.append(frame.display(dict, fields))


@handles("BUILD_CONST_KEY_MAP")
def _build_const_key_map(frame: Frame, arg: int) -> None:
    keys = frame.pop()
    values = pop_many(frame, arg)
    names = next(iter(keys)).obj  # type: ignore[attr-defined]
    fields = {f"[{name!r}]": value for name, value in zip(names, values, strict=True)}
    frame.stack.append(frame.display(dict, fields))


@handles("BUILD_SLICE")
def _build_slice(frame: Frame, arg: int) -> None:
    for bound in pop_many(frame, arg):
        hooks.run(frame, bound, hooks.WHOLE)
    frame.stack.append(frame.analysis.pool.fresh(slice))


@handles("BUILD_STRING")
def _build_string(frame: Frame, arg: int) -> None:
    pop_many(frame, arg)
    frame.stack.append(frame.analysis.str)


@handles("BUILD_INTERPOLATION")
def _build_interpolation(frame: Frame, arg: int) -> None:
    parts = pop_many(frame, 3 if arg & 1 else 2)
    frame.stack.append(frame.container(frame.analysis.library_type, parts[0]))


@handles("BUILD_TEMPLATE")
def _build_template(frame: Frame, arg: int) -> None:
    parts = pop_many(frame, 2)
    frame.stack.append(frame.container(frame.analysis.library_type, parts[1]))


@handles("LIST_APPEND", "SET_ADD")
def _append(frame: Frame, arg: int) -> None:
    value = frame.pop()
    if frame.instruction.name == "SET_ADD":
        hooks.hashed(frame, value)
    items.put(frame, frame.stack[-arg] or NOTHING, "[]", value)


@handles("LIST_EXTEND", "SET_UPDATE")
def _extend(frame: Frame, arg: int) -> None:
    inside = iteration.iterate(frame, frame.pop())
    if frame.instruction.name == "SET_UPDATE":
        hooks.hashed(frame, inside)
    items.put(frame, frame.stack[-arg] or NOTHING, "[]", inside)


@handles("MAP_ADD")
def _map_add(frame: Frame, arg: int) -> None:
    key, value = pop_many(frame, 2)
    target = frame.stack[-arg] or NOTHING
    hooks.hashed(frame, key)
    items.put(frame, target, items.field_of(key), value)
    items.put(frame, target, "{}", key)


@handles("DICT_UPDATE", "DICT_MERGE")
def _dict_update(frame: Frame, arg: int) -> None:
    value = frame.pop()
    items.copy_fields(frame, value, frame.stack[-arg] or NOTHING)


@handles("UNPACK_SEQUENCE")
def _unpack(frame: Frame, arg: int) -> None:
    value = frame.pop()
    parts = iteration.unpack(frame, value, arg)
    frame.stack.extend(reversed(parts))


@handles("UNPACK_EX")
def _unpack_ex(frame: Frame, arg: int) -> None:
    value = frame.pop()
    found = iteration.iterate(frame, value)
    before, after = arg & 255, arg >> 8
    frame.stack.extend([found] * after)
    frame.stack.append(frame.container(list, found))
    frame.stack.extend([found] * before)


@handles("FORMAT_VALUE")
def _format_value(frame: Frame, arg: int) -> None:
    if arg & 4:
        frame.stack.pop()
    _format_simple(frame, arg)


@handles("FORMAT_SIMPLE", "CONVERT_VALUE")
def _format_simple(frame: Frame, arg: int) -> None:
    hooks.shown(frame, frame.pop())
    frame.stack.append(frame.analysis.str)


@handles("FORMAT_WITH_SPEC")
def _format_with_spec(frame: Frame, arg: int) -> None:
    frame.stack.pop()
    _format_simple(frame, arg)


# Functions and calls


@handles("MAKE_FUNCTION")
def _make_function(frame: Frame, arg: int) -> None:
    code = frame.pop()
    flags = arg if PYTHON < (3, 13) else 0
    closure = frame.pop() if flags & 8 else None
    if flags & 4:
        frame.stack.pop()
    kwdefaults = frame.pop() if flags & 2 else None
    defaults = frame.pop() if flags & 1 else None
    frame.stack.append(closures.make_function(frame, code, closure, defaults, kwdefaults))


@handles("SET_FUNCTION_ATTRIBUTE")
def _set_function_attribute(frame: Frame, arg: int) -> None:
    attribute, function = pop_many(frame, 2)
    frame.stack.append(closures.set_attribute(frame, function, arg, attribute))


@handles("KW_NAMES")
def _kw_names(frame: Frame, arg: int) -> None:
    frame.keyword_names = frame.code.co_consts[arg]


@handles("CALL")
def _call(frame: Frame, arg: int) -> None:
    names, frame.keyword_names = frame.keyword_names, ()
    _call_with(frame, arg, names)


@handles("CALL_KW")
def _call_kw(frame: Frame, arg: int) -> None:
    names: tuple[str, ...] = ()
    for atom in frame.pop():
        if type(atom) is Known:
            names = atom.obj
    _call_with(frame, arg, names)


def _call_with(frame: Frame, count: int, names: tuple[str, ...]) -> None:
    values = pop_many(frame, count)
    second = frame.stack.pop()
    first = frame.stack.pop()
    if PYTHON < (3, 13):
        called, receiver = (second, None) if first is None else (first, second)
    else:
        called, receiver = first, second
    if receiver is not None:
        values.insert(0, receiver)
    keywords: dict[str, Value] = {}
    if names:
        keywords = dict(zip(names, values[-len(names) :], strict=True))
        del values[-len(names) :]
    frame.stack.append(calls.call(frame, called or NOTHING, Args(values, keywords)))


@handles("CALL_FUNCTION_EX")
def _call_function_ex(frame: Frame, arg: int) -> None:
    extra = frame.stack.pop() if arg & 1 or PYTHON >= (3, 14) else None
    star = frame.pop()
    second = frame.stack.pop()
    first = frame.stack.pop()
    called = second if PYTHON < (3, 13) else first
    frame.stack.append(calls.call(frame, called or NOTHING, iteration.spread(frame, star, extra)))


_UNARY_POSITIVE = 5


@handles("CALL_INTRINSIC_1")
def _intrinsic_1(frame: Frame, arg: int) -> None:
    """Stop-iteration errors, async generator values, type variables: the operand stands for the result."""
    if arg == _UNARY_POSITIVE:
        frame.stack.append(operators.unary(frame, frame.pop()))


@handles("CALL_INTRINSIC_2", "PREP_RERAISE_STAR")
def _intrinsic_2(frame: Frame, arg: int) -> None:
    frame.stack.pop()


# Iteration, generators, context managers, exceptions


@handles("GET_ITER", "GET_YIELD_FROM_ITER", "GET_AITER")
def _get_iter(frame: Frame, arg: int) -> None:
    name = "__aiter__" if frame.instruction.name == "GET_AITER" else "__iter__"
    frame.stack.append(iteration.iterator(frame, frame.pop(), name))


@handles("FOR_ITER")
def _for_iter(frame: Frame, arg: int) -> None:
    frame.stack.append(iteration.advance(frame, frame.stack[-1] or NOTHING))


@handles("GET_ANEXT")
def _get_anext(frame: Frame, arg: int) -> None:
    frame.stack.append(iteration.anext(frame, frame.stack[-1] or NOTHING))


@handles("GET_AWAITABLE")
def _get_awaitable(frame: Frame, arg: int) -> None:
    frame.stack.append(iteration.awaited(frame, frame.pop()))


@handles("SEND")
def _send(frame: Frame, arg: int) -> None:
    frame.stack[-1] = iteration.sent(frame, frame.stack[-2] or NOTHING)


@handles("YIELD_VALUE")
def _yield_value(frame: Frame, arg: int) -> None:
    frame.yielded = frame.analysis.pool.join(frame.yielded, frame.pop())
    sent = frame.analysis.pool.site((id(frame.code), "result", frame.caller))
    frame.stack.append(frame.analysis.library | frame.analysis.read_field(sent, "sent"))


@handles("RETURN_GENERATOR")
def _return_generator(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.library)


@handles("CLEANUP_THROW")
def _cleanup_throw(frame: Frame, arg: int) -> None:
    frame.stack.pop()
    frame.stack[-2:] = [frame.analysis.library, frame.analysis.library]


@handles("RETURN_VALUE")
def _return_value(frame: Frame, arg: int) -> None:
    frame.returned = frame.analysis.pool.join(frame.returned, frame.pop())


@handles("RETURN_CONST")
def _return_const(frame: Frame, arg: int) -> None:
    constant = frame.analysis.pool.known(frame.code.co_consts[arg])
    frame.returned = frame.analysis.pool.join(frame.returned, constant)


@handles("RAISE_VARARGS")
def _raise(frame: Frame, arg: int) -> None:
    for value in pop_many(frame, arg):
        calls.raised(frame, value)


@handles("RERAISE", "INTERPRETER_EXIT")
def _leave(frame: Frame, arg: int) -> None:
    """The path ends here."""


@handles("PUSH_EXC_INFO")
def _push_exc_info(frame: Frame, arg: int) -> None:
    frame.stack.insert(-1, frame.analysis.library)


@handles("BEFORE_WITH", "BEFORE_ASYNC_WITH")
def _before_with(frame: Frame, arg: int) -> None:
    manager = frame.pop()
    enter, leave = ("__enter__", "__exit__") if frame.instruction.name == "BEFORE_WITH" else ("__aenter__", "__aexit__")
    frame.stack.append(attributes.load(frame, manager, leave))
    frame.stack.append(calls.call(frame, attributes.load(frame, manager, enter), Args()))


@handles("WITH_EXCEPT_START")
def _with_except_start(frame: Frame, arg: int) -> None:
    depth = 5 if PYTHON >= (3, 14) else 4
    library = frame.analysis.library
    calls.call(frame, frame.stack[-depth] or NOTHING, Args([library, library, library]))
    frame.stack.append(frame.analysis.bool)


@handles("POP_JUMP_IF")
def _condition(frame: Frame, arg: int) -> None:
    frame.stack.pop()
