"""What an instruction does to the stack and the local slots: stack, names, attributes, items and operators.

A handler takes the frame and the instruction's argument, for the opcodes of CPython 3.11 to 3.14. Jumps are decided in
`walk`; the handlers here see the fall-through side.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from autopar._effects import attributes, calls, closures, hooks, items, library, lookup, modules, operators
from autopar._effects.decode import PYTHON
from autopar._effects.opcode_table import handles, pop_many, push_callable
from autopar._effects.values import NOTHING, Args, Known, Value

if TYPE_CHECKING:
    from autopar._effects.walk import Frame

_SUBSCRIPT = 26  # NB_SUBSCR of 3.14
_INPLACE = range(13, 26)  # NB_INPLACE_ADD to NB_INPLACE_XOR


# Stack and constants


@handles(
    "NOP", "RESUME", "CACHE", "NOT_TAKEN", "SETUP_ANNOTATIONS", "COPY_FREE_VARS", "ASYNC_GEN_WRAP", "PRECALL",
    "JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "RESERVED", "TO_BOOL", "LIST_TO_TUPLE",
)  # fmt: skip
def _nothing(frame: Frame, arg: int) -> None:
    """No change that matters here."""


@handles("POP_TOP", "POP_EXCEPT", "POP_ITER", "EXIT_INIT_CHECK", "PRINT_EXPR")
def _pop(frame: Frame, arg: int) -> None:
    frame.stack.pop()


@handles("END_FOR")
def _end_for(frame: Frame, arg: int) -> None:
    del frame.stack[-2 if PYTHON == (3, 12) else -1 :]


@handles("END_SEND")
def _end_send(frame: Frame, arg: int) -> None:
    del frame.stack[-2]


@handles("END_ASYNC_FOR")
def _end_async_for(frame: Frame, arg: int) -> None:
    del frame.stack[-2:]


@handles("PUSH_NULL")
def _push_null(frame: Frame, arg: int) -> None:
    frame.stack.append(None)


@handles("COPY")
def _copy(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.stack[-arg])


@handles("SWAP")
def _swap(frame: Frame, arg: int) -> None:
    stack = frame.stack
    stack[-1], stack[-arg] = stack[-arg], stack[-1]


@handles("LOAD_CONST")
def _load_const(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.known(frame.code.co_consts[arg]))


@handles("LOAD_SMALL_INT")
def _load_small_int(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.known(arg))


@handles("LOAD_ASSERTION_ERROR")
def _load_assertion_error(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.known(AssertionError))


_COMMON_CONSTANTS: tuple[Any, ...] = (AssertionError, NotImplementedError, tuple, all, any)


@handles("LOAD_COMMON_CONSTANT")
def _load_common_constant(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.known(_COMMON_CONSTANTS[arg]))


@handles("LOAD_BUILD_CLASS")
def _load_build_class(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.known(builtins.__build_class__))


# Local slots


@handles("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW", "LOAD_CLOSURE")
def _load_fast(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.slots[arg] or NOTHING)


@handles("LOAD_FAST_LOAD_FAST", "LOAD_FAST_BORROW_LOAD_FAST_BORROW")
def _load_fast_twice(frame: Frame, arg: int) -> None:
    frame.stack += (frame.slots[arg >> 4] or NOTHING, frame.slots[arg & 15] or NOTHING)


@handles("LOAD_FAST_AND_CLEAR")
def _load_fast_and_clear(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.slots[arg] or NOTHING)
    frame.slots[arg] = None


@handles("STORE_FAST")
def _store_fast(frame: Frame, arg: int) -> None:
    frame.slots[arg] = frame.stack.pop()


@handles("STORE_FAST_LOAD_FAST")
def _store_fast_load_fast(frame: Frame, arg: int) -> None:
    frame.slots[arg >> 4] = frame.stack.pop()
    frame.stack.append(frame.slots[arg & 15] or NOTHING)


@handles("STORE_FAST_STORE_FAST")
def _store_fast_twice(frame: Frame, arg: int) -> None:
    frame.slots[arg >> 4] = frame.stack.pop()
    frame.slots[arg & 15] = frame.stack.pop()


@handles("DELETE_FAST")
def _delete_fast(frame: Frame, arg: int) -> None:
    frame.slots[arg] = None


@handles("MAKE_CELL")
def _make_cell(frame: Frame, arg: int) -> None:
    closures.make_cell(frame, arg)


@handles("LOAD_DEREF")
def _load_deref(frame: Frame, arg: int) -> None:
    frame.stack.append(closures.load(frame, arg))


@handles("LOAD_CLASSDEREF")
def _load_classderef(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.names_value(frame.decoded.slots[arg]) or closures.load(frame, arg))


@handles("LOAD_FROM_DICT_OR_DEREF")
def _load_from_dict_or_deref(frame: Frame, arg: int) -> None:
    frame.stack.pop()
    _load_classderef(frame, arg)


@handles("STORE_DEREF")
def _store_deref(frame: Frame, arg: int) -> None:
    closures.store(frame, arg, frame.pop())


@handles("DELETE_DEREF")
def _delete_deref(frame: Frame, arg: int) -> None:
    closures.store(frame, arg, NOTHING)


# Names of the module


@handles("LOAD_GLOBAL")
def _load_global(frame: Frame, arg: int) -> None:
    value = modules.load_global(frame, frame.code.co_names[arg >> 1])
    if arg & 1:
        push_callable(frame, value)
    else:
        frame.stack.append(value)


@handles("STORE_GLOBAL")
def _store_global(frame: Frame, arg: int) -> None:
    modules.store_global(frame, frame.code.co_names[arg], frame.pop())


@handles("DELETE_GLOBAL")
def _delete_global(frame: Frame, arg: int) -> None:
    modules.store_global(frame, frame.code.co_names[arg], NOTHING)


@handles("LOAD_NAME")
def _load_name(frame: Frame, arg: int) -> None:
    name = frame.code.co_names[arg]
    if name == "__annotations__":  # of a class body
        frame.stack.append(frame.container(dict, NOTHING))
        return
    frame.stack.append(frame.names_value(name) or modules.load_global(frame, name))


@handles("LOAD_FROM_DICT_OR_GLOBALS")
def _load_from_dict_or_globals(frame: Frame, arg: int) -> None:
    frame.stack.pop()
    _load_name(frame, arg)


@handles("LOAD_LOCALS")
def _load_locals(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.pool.fresh(dict, frame.namespace))


@handles("STORE_NAME")
def _store_name(frame: Frame, arg: int) -> None:
    frame.analysis.write_field(frame.namespace, "." + frame.code.co_names[arg], frame.pop())


@handles("DELETE_NAME")
def _delete_name(frame: Frame, arg: int) -> None:
    """A name less in a class body: what it held stays possible."""


@handles("IMPORT_NAME")
def _import_name(frame: Frame, arg: int) -> None:
    level, names = pop_many(frame, 2)
    frame.stack.append(modules.import_name(frame, frame.code.co_names[arg], level, names))


@handles("IMPORT_FROM")
def _import_from(frame: Frame, arg: int) -> None:
    frame.stack.append(attributes.load(frame, frame.stack[-1] or NOTHING, frame.code.co_names[arg]))


@handles("IMPORT_STAR")
def _import_star(frame: Frame, arg: int) -> None:
    frame.stack.pop()


# Attributes and items


def _push_attribute(frame: Frame, value: Value, as_method: bool) -> None:
    if as_method:
        push_callable(frame, value)
    else:
        frame.stack.append(value)


@handles("LOAD_ATTR")
def _load_attr(frame: Frame, arg: int) -> None:
    name = frame.code.co_names[arg if PYTHON < (3, 12) else arg >> 1]
    _push_attribute(frame, attributes.load(frame, frame.pop(), name), PYTHON >= (3, 12) and bool(arg & 1))


@handles("LOAD_METHOD")
def _load_method(frame: Frame, arg: int) -> None:
    push_callable(frame, attributes.load(frame, frame.pop(), frame.code.co_names[arg]))


@handles("LOAD_SUPER_ATTR")
def _load_super_attr(frame: Frame, arg: int) -> None:
    _, cls, receiver = pop_many(frame, 3)
    value = attributes.load(frame, calls.make_super(frame, cls, receiver), frame.code.co_names[arg >> 2])
    _push_attribute(frame, value, bool(arg & 1))


_SPECIAL = ("__enter__", "__exit__", "__aenter__", "__aexit__")


@handles("LOAD_SPECIAL")
def _load_special(frame: Frame, arg: int) -> None:
    push_callable(frame, attributes.load(frame, frame.pop(), _SPECIAL[arg]))


@handles("STORE_ATTR")
def _store_attr(frame: Frame, arg: int) -> None:
    value, owner = pop_many(frame, 2)
    attributes.store(frame, owner, frame.code.co_names[arg], value)


@handles("DELETE_ATTR")
def _delete_attr(frame: Frame, arg: int) -> None:
    attributes.store(frame, frame.pop(), frame.code.co_names[arg], None)


@handles("BINARY_SUBSCR")
def _binary_subscr(frame: Frame, arg: int) -> None:
    container, key = pop_many(frame, 2)
    hooks.keyed(frame, key)
    frame.stack.append(items.load(frame, container, key))


@handles("BINARY_SLICE")
def _binary_slice(frame: Frame, arg: int) -> None:
    container, start, stop = pop_many(frame, 3)
    hooks.run(frame, start | stop, hooks.WHOLE)
    frame.stack.append(items.load(frame, container, frame.analysis.pool.fresh(slice)))


@handles("STORE_SUBSCR")
def _store_subscr(frame: Frame, arg: int) -> None:
    value, container, key = pop_many(frame, 3)
    hooks.keyed(frame, key)
    items.store(frame, container, key, value)


@handles("STORE_SLICE")
def _store_slice(frame: Frame, arg: int) -> None:
    value, container, start, stop = pop_many(frame, 4)
    hooks.run(frame, start | stop, hooks.WHOLE)
    items.store(frame, container, frame.analysis.pool.fresh(slice), value)


@handles("DELETE_SUBSCR")
def _delete_subscr(frame: Frame, arg: int) -> None:
    container, key = pop_many(frame, 2)
    hooks.keyed(frame, key)
    items.store(frame, container, key, None)


# Operators


@handles("BINARY_OP")
def _binary_op(frame: Frame, arg: int) -> None:
    left, right = pop_many(frame, 2)
    if arg == _SUBSCRIPT:
        hooks.keyed(frame, right)
        frame.stack.append(items.load(frame, left, right))
    elif arg in _INPLACE:
        frame.stack.append(operators.inplace(frame, left, right, arg - 13))
    else:
        frame.stack.append(operators.binary(frame, left, right, arg))


@handles("UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE")
def _unary(frame: Frame, arg: int) -> None:
    frame.stack.append(operators.unary(frame, frame.pop()))


@handles("UNARY_NOT")
def _unary_not(frame: Frame, arg: int) -> None:
    value = frame.pop()
    operators.tested(frame, value)
    truth = frame.truth(value)
    frame.stack.append(frame.analysis.bool if truth is None else frame.analysis.pool.known(not truth))


_COMPARISON = 0 if PYTHON < (3, 12) else 4 if PYTHON < (3, 13) else 5  # where the argument holds the operator


@handles("COMPARE_OP")
def _compare(frame: Frame, arg: int) -> None:
    left, right = pop_many(frame, 2)
    frame.stack.append(operators.compare(frame, left, right, arg >> _COMPARISON))


@handles("IS_OP")
def _is(frame: Frame, arg: int) -> None:
    left, right = pop_many(frame, 2)
    frame.stack.append(operators.identical(frame, left, right, bool(arg)))


@handles("CONTAINS_OP")
def _contains(frame: Frame, arg: int) -> None:
    item, container = pop_many(frame, 2)
    hooks.contained(frame, item, container)
    library.use_up(frame, Args([container]))
    items.note_read(frame, container)
    frame.stack.append(frame.analysis.bool)


@handles("CHECK_EXC_MATCH", "MATCH_MAPPING", "MATCH_SEQUENCE")
def _match(frame: Frame, arg: int) -> None:
    if frame.instruction.name == "CHECK_EXC_MATCH":
        frame.stack.pop()
    frame.stack.append(frame.analysis.bool)


@handles("CHECK_EG_MATCH")
def _match_group(frame: Frame, arg: int) -> None:
    frame.stack[-1] = frame.analysis.library | frame.analysis.read_field(frame.analysis.exceptions, "[]")


@handles("MATCH_CLASS")
def _match_class(frame: Frame, arg: int) -> None:
    subject, classes, names = pop_many(frame, 3)
    hooks.run(frame, classes, ("__instancecheck__",), Args([subject]))
    found = items.elements(frame, subject)
    for name in [*_texts_in(names), *_match_arguments(frame, classes)[:arg]]:
        found = frame.analysis.pool.join(found, attributes.load(frame, subject, name))
    frame.stack.append(frame.container(tuple, found))


def _texts_in(value: Value) -> list[str]:
    """The texts in a tuple that is known."""
    for atom in value:
        if type(atom) is Known and type(atom.obj) is tuple:
            return [name for name in atom.obj if type(name) is str]
    return []


def _match_arguments(frame: Frame, classes: Value) -> list[str]:
    """The attributes that positional patterns of a class stand for."""
    for atom in classes:
        if type(atom) is Known and lookup.is_class(atom.obj):
            return _texts_in(frame.analysis.pool.known(lookup.in_class(atom.obj, "__match_args__")))
    return []


@handles("MATCH_KEYS")
def _match_keys(frame: Frame, arg: int) -> None:
    subject, keys = frame.stack[-2] or NOTHING, frame.stack[-1] or NOTHING
    for name in ("get", "__getitem__"):
        items.special(frame, subject, name, Args([keys]))
    frame.stack.append(frame.container(tuple, items.elements(frame, frame.stack[-2] or NOTHING)))


@handles("GET_LEN")
def _get_len(frame: Frame, arg: int) -> None:
    frame.stack.append(frame.analysis.int)
