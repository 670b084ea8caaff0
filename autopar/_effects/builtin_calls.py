"""Built-in callables that need more than a line in a table: what they return or call depends on their arguments."""

from __future__ import annotations

import collections
import functools
from typing import TYPE_CHECKING

from autopar._effects import (
    attributes,
    changes,
    construct,
    facts,
    hooks,
    items,
    iteration,
    library,
    lookup,
    modules,
    operators,
)
from autopar._effects.special import SPECIAL, first, handles, strings
from autopar._effects.values import (
    NOTHING,
    Args,
    Fresh,
    Known,
    LibraryObject,
    Outer,
    Value,
    type_of,
)
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


def _call(frame: Frame, called: Value, args: Args) -> Value:
    return frame.analysis.links.call(frame, called, args)


@handles("builtins.print")
def _print(frame: Frame, args: Args) -> Value:
    """Output, unless it goes to a file made during the call."""
    for value in args.positional:
        hooks.shown(frame, value)
    target = args.keywords.get("file", args.kwstar)
    if target is None or not target:
        frame.effect(EffectKind.OUTPUT, "print()")
        return frame.analysis.none
    for atom in target:
        if type(atom) is Known and atom.obj is None:
            frame.effect(EffectKind.OUTPUT, "print()")
        else:
            changes.mutate(frame, frozenset((atom,)))
            items.special(frame, frozenset((atom,)), "write", Args([frame.analysis.str]))
    return frame.analysis.none


@handles("builtins.isinstance")
def _isinstance(frame: Frame, args: Args) -> Value:
    """Decided where the type of the first argument is known and the classes are plain ones."""
    hooks.run(frame, items.within(frame, args.get(1) or NOTHING) | (args.get(1) or NOTHING), _CHECKS, args)
    wanted: list[type] = []
    for atom in args.get(1) or NOTHING:
        if type(atom) is not Known or len(args.get(1) or NOTHING) != 1:
            return frame.analysis.bool
        wanted = list(atom.obj) if type(atom.obj) is tuple else [atom.obj]
    if not wanted or any(type(cls) is not type for cls in wanted):
        return frame.analysis.bool
    answers = set()
    for atom in first(args):
        cls = operators.certain_type(atom)
        answers.add(None if cls is None else any(base in lookup.mro(cls) for base in wanted))
    answer = answers.pop() if len(answers) == 1 else None
    return frame.analysis.bool if answer is None else frame.analysis.pool.known(answer)


_CHECKS = ("__instancecheck__", "__subclasscheck__")


@handles("builtins.issubclass")
def _issubclass(frame: Frame, args: Args) -> Value:
    hooks.run(frame, items.within(frame, args.get(1) or NOTHING) | (args.get(1) or NOTHING), _CHECKS, args)
    return frame.analysis.bool


@handles("builtins.callable")
def _callable(frame: Frame, args: Args) -> Value:
    return frame.analysis.bool


@handles("builtins.any", "builtins.all")
def _truth(frame: Frame, args: Args) -> Value:
    library.use_up(frame, args)
    hooks.run(frame, iteration.iterate(frame, first(args)), hooks.TRUTH)
    return frame.analysis.bool


@handles("builtins.hash")
def _hash(frame: Frame, args: Args) -> Value:
    hooks.hashed(frame, first(args))
    return frame.analysis.int


@handles("builtins.len", "builtins.id", "builtins.ord", "builtins.int", "operator.index")
def _whole(frame: Frame, args: Args) -> Value:
    hooks.run(frame, args.joined(), ("__len__", "__int__", "__index__", "__trunc__"))
    items.note_read(frame, first(args))
    return frame.analysis.int


@handles("builtins.float", "builtins.complex")
def _number(frame: Frame, args: Args) -> Value:
    hooks.run(frame, args.joined(), hooks.REAL)
    return frame.analysis.pool.fresh(float)


@handles("builtins.bool", "operator.not_", "operator.truth")
def _bool(frame: Frame, args: Args) -> Value:
    hooks.run(frame, args.joined(), hooks.TRUTH)
    return frame.analysis.bool


@handles(
    "builtins.str", "builtins.repr", "builtins.ascii", "builtins.format", "builtins.chr", "builtins.hex", "builtins.bin"
)
def _text(frame: Frame, args: Args) -> Value:
    for value in args.positional:
        hooks.shown(frame, value)
        hooks.run(frame, value, hooks.WHOLE)
    return frame.analysis.str


@handles("builtins.bytes")
def _bytes(frame: Frame, args: Args) -> Value:
    library.use_up(frame, args)
    hooks.run(frame, first(args), ("__bytes__", "__index__"))
    return frame.analysis.pool.fresh(bytes)


@handles(
    "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "collections.deque", "builtins.bytearray"
)
def _sequence(frame: Frame, args: Args) -> Value:
    return _made_sequence(frame, list, args)


def _made_sequence(frame: Frame, cls: type, args: Args) -> Value:
    library.use_up(frame, args)
    hooks.run(frame, first(args), ("__length_hint__", "__len__"))
    inside = iteration.iterate(frame, first(args))
    if cls is set or cls is frozenset:
        hooks.hashed(frame, inside)
    return frame.container(cls, inside)


for _cls in (tuple, set, frozenset, bytearray):
    SPECIAL[f"builtins.{_cls.__name__}"] = functools.partial(
        lambda cls, frame, args: _made_sequence(frame, cls, args), _cls
    )
SPECIAL["collections.deque"] = lambda frame, args: _made_sequence(frame, collections.deque, args)


@handles("builtins.dict", "collections.OrderedDict")
def _dict(frame: Frame, args: Args) -> Value:
    made = frame.container(dict, NOTHING)
    library.use_up(frame, args)
    for value in args.positional:
        pairs = frozenset(atom for atom in value if type_of(atom) is not dict)
        items.copy_fields(frame, value - pairs, made)
        for atom in iteration.iterate(frame, pairs):
            inside = items.elements(frame, frozenset((atom,)))
            hooks.hashed(frame, inside)
            items.put(frame, made, "[]", inside)
            items.put(frame, made, "{}", inside)
    for name, value in args.keywords.items():
        items.put(frame, made, f"[{name!r}]", value)
    if args.kwstar:
        items.put(frame, made, "[]", args.kwstar)
    return made


@handles(
    *(f"builtins.{name}" for name in "sorted reversed enumerate zip iter".split()),
    *(f"itertools.{name}" for name in "chain islice cycle".split()),
)
def _elements(frame: Frame, args: Args) -> Value:
    """A sequence or an iterator of the elements of the arguments."""
    name = frame.analysis.library_type
    inside = NOTHING
    for value in args.values():
        if not (value <= frame.analysis.int):
            hooks.run(frame, value, ("__reversed__",))
            inside = frame.analysis.pool.join(inside, _looked_at(frame, value))
    hooks.ordered(frame, library.run_callbacks(frame, "builtins.sorted", args))
    return frame.container(name, inside)


def _looked_at(frame: Frame, value: Value) -> Value:
    """The elements; iterators that outlive the call are used up by whoever takes them."""
    return iteration.iterate(frame, value)


@handles("builtins.sorted")
def _sorted(frame: Frame, args: Args) -> Value:
    library.use_up(frame, args)
    keys = library.run_callbacks(frame, "builtins.sorted", args)
    inside = iteration.iterate(frame, first(args))
    hooks.ordered(frame, keys or inside)
    return frame.container(list, inside)


@handles("heapq.nlargest", "heapq.nsmallest", "heapq.merge")
def _ordered(frame: Frame, args: Args) -> Value:
    keys = library.run_callbacks(frame, "builtins.sorted", args)
    inside = NOTHING.union(*(iteration.iterate(frame, value) for value in args.positional))
    hooks.ordered(frame, keys or inside)
    return frame.container(list, inside)


@handles("builtins.iter")
def _iter(frame: Frame, args: Args) -> Value:
    if len(args.positional) > 1:
        return frame.container(LibraryObject, _call(frame, first(args), Args()))
    found = iteration.iterator(frame, first(args))
    kept = frozenset(atom for atom in found if not facts.used_up(type_of(atom)))
    inside = NOTHING
    for atom in kept:
        inside = frame.analysis.pool.join(inside, iteration.keys_or_members(frame, atom, type_of(atom)))
    return (found - kept) | (frame.container(LibraryObject, inside) if kept else NOTHING)


@handles("builtins.enumerate")
def _enumerate(frame: Frame, args: Args) -> Value:
    return _rows(frame, [frame.analysis.int, iteration.iterate(frame, first(args))])


@handles("builtins.zip", "itertools.product", "itertools.zip_longest")
def _zip(frame: Frame, args: Args) -> Value:
    rows = [iteration.iterate(frame, value) for value in args.positional]
    if args.star:
        rows.append(iteration.iterate(frame, args.star))
    if args.star or len(rows) == 1:
        return frame.container(LibraryObject, frame.container(tuple, NOTHING.union(*rows), "row"))
    return _rows(frame, rows)


@handles("itertools.groupby")
def _groupby(frame: Frame, args: Args) -> Value:
    """Pairs of a key and an iterator of elements."""
    inside = iteration.iterate(frame, first(args))
    key = args.get(1, "key") or NOTHING
    called = frozenset(atom for atom in key if not (type(atom) is Known and atom.obj is None))
    keys = _call(frame, called, Args([inside])) if called else inside
    hooks.compared(frame, keys, NOTHING)
    return _rows(frame, [keys, frame.container(LibraryObject, inside, "group")])


def _rows(frame: Frame, parts: list[Value]) -> Value:
    site = frame.site("row")
    for index, part in enumerate(parts):
        frame.analysis.write_field(site, f"[{index}]", part)
    return frame.container(LibraryObject, frame.analysis.pool.fresh(tuple, site))


@handles("builtins.next", "builtins.anext")
def _next(frame: Frame, args: Args) -> Value:
    iterators = first(args)
    for atom in iterators:
        if not items.answers(frame, atom, "__next__"):
            changes.mutate(frame, frozenset((atom,)))
    return iteration.advance(frame, iterators) | (args.get(1) or NOTHING)


@handles("builtins.map", "itertools.starmap")
def _map(frame: Frame, args: Args) -> Value:
    rows = [iteration.iterate(frame, value) for value in args.positional[1:]]
    if args.star:
        rows.append(iteration.iterate(frame, args.star))
    given = frozenset(atom for atom in first(args) if not (type(atom) is Known and atom.obj is None))
    return frame.container(LibraryObject, _call(frame, given, Args(rows)))


SPECIAL["itertools.starmap"] = lambda frame, args: frame.container(
    LibraryObject,
    _call(frame, first(args), Args(star=items.elements(frame, iteration.iterate(frame, args.get(1) or NOTHING)))),
)


@handles("builtins.filter", "itertools.filterfalse", "itertools.takewhile", "itertools.dropwhile")
def _filter(frame: Frame, args: Args) -> Value:
    inside = iteration.iterate(frame, args.get(1) or NOTHING)
    given = frozenset(atom for atom in first(args) if not (type(atom) is Known and atom.obj is None))
    hooks.run(frame, _call(frame, given, Args([inside])) if given else inside, hooks.TRUTH)
    return frame.container(LibraryObject, inside)


@handles("functools.reduce")
def _reduce(frame: Frame, args: Args) -> Value:
    inside = iteration.iterate(frame, args.get(1) or NOTHING) | (args.get(2) or NOTHING)
    once = _call(frame, first(args), Args([inside, inside]))
    return frame.analysis.pool.join(inside, _call(frame, first(args), Args([inside | once, inside])) | once)


@handles("builtins.min", "builtins.max")
def _extreme(frame: Frame, args: Args) -> Value:
    library.use_up(frame, args)
    keys = library.run_callbacks(frame, "builtins.min", args)
    found = args.keywords.get("default", NOTHING)
    if len(args.positional) == 1 or args.star is not None:
        found = found | iteration.iterate(frame, first(args))
    else:
        found = found.union(*args.positional)
    hooks.ordered(frame, keys or found)
    return found


@handles("builtins.sum")
def _sum(frame: Frame, args: Args) -> Value:
    library.use_up(frame, args)
    inside = iteration.iterate(frame, first(args))
    hooks.run(frame, inside | (args.get(1, "start") or NOTHING), ("__add__", "__radd__"), Args([inside]))
    if len(args.positional) + len(args.keywords) == 1:
        return frame.analysis.opaque
    return operators.untyped(frame, items.within(frame, inside))


@handles("builtins.type")
def _type(frame: Frame, args: Args) -> Value:
    if len(args.positional) > 1:
        return construct.make_class(frame, args)
    return attributes.load(frame, first(args), "__class__")


@handles("builtins.super")
def _super(frame: Frame, args: Args) -> Value:
    make_super = frame.analysis.links.make_super
    if len(args.positional) >= 2:
        return make_super(frame, args.positional[0], args.positional[1])
    for slot, name in enumerate(frame.decoded.slots):
        if name == "__class__":
            from autopar._effects import closures

            return make_super(frame, closures.load(frame, slot), frame.first or NOTHING)
    return frame.analysis.library


@handles("builtins.getattr")
def _getattr(frame: Frame, args: Args) -> Value:
    owner, names = first(args), strings(args.get(1) or NOTHING)
    default = args.get(2) or NOTHING
    if names is not None:
        return default.union(*(attributes.load(frame, owner, name) for name in names))
    origin = frame.analysis.pool.origin(EffectKind.WRITES_SHARED, "an attribute of a computed name")
    inside = items.elements(frame, owner) | attributes.load_all(frame, owner)
    for atom in owner:
        if type(atom) is Outer or (type(atom) is Known and atom.origin is not None):
            inside = inside | frame.analysis.pool.outer(atom.origin)  # type: ignore[arg-type]
    return default | inside | frame.analysis.pool.outer(origin)


@handles("builtins.hasattr")
def _hasattr(frame: Frame, args: Args) -> Value:
    for name in strings(args.get(1) or NOTHING) or []:
        attributes.load(frame, first(args), name)
    return frame.analysis.bool


@handles("builtins.setattr", "builtins.delattr")
def _setattr(frame: Frame, args: Args) -> Value:
    owner, names = first(args), strings(args.get(1) or NOTHING)
    value = args.get(2)
    if names is None:
        names = ["(computed)"]
    for name in names:
        attributes.store(frame, owner, name, value)
    if names == ["(computed)"] and value is not None:
        items.put(frame, owner, "[]", value)
    return frame.analysis.none


@handles("builtins.vars")
def _vars(frame: Frame, args: Args) -> Value:
    return attributes.load(frame, first(args), "__dict__") if args.positional else _locals(frame, args)


@handles("builtins.locals")
def _locals(frame: Frame, args: Args) -> Value:
    inside = NOTHING.union(*(value for value in frame.slots if value))
    return frame.container(dict, inside)


@handles("builtins.globals")
def _globals(frame: Frame, args: Args) -> Value:
    module = frame.callee.module
    origin = frame.analysis.pool.origin(EffectKind.WRITES_GLOBAL, f"globals() of {module}", (module, "*"))
    return frame.analysis.pool.known(frame.callee.global_names, origin)


@handles("builtins.__build_class__")
def _build_class(frame: Frame, args: Args) -> Value:
    return construct.build_class(frame, args)


@handles("builtins.__import__", "importlib.import_module")
def _import(frame: Frame, args: Args) -> Value:
    names = strings(first(args))
    if names is None:
        frame.effect(EffectKind.UNKNOWN, "import of a module by a computed name")
        return frame.analysis.library
    return NOTHING.union(*(modules.module_value(frame, name) for name in names))


@handles("copy.copy", "copy.replace", "dataclasses.replace")
def _copy(frame: Frame, args: Args) -> Value:
    made = NOTHING
    hooks.run(frame, first(args), hooks.COPYING, Args(star=frame.analysis.library))
    for atom in first(args):
        cls = type_of(atom)
        own: Value = frozenset((atom,))
        if facts.scalar(cls):
            made = made | own
            continue
        content = items.elements(frame, own)
        new = frame.container(cls, content, cls) if cls is not None else operators.untyped(frame, content)
        if type(atom) is Fresh and atom.site is not None:
            for target in new:
                for field in list(atom.site.fields):
                    if type(target) is Fresh and target.site is not None and target.site is not atom.site:
                        frame.analysis.write_field(target.site, field, frame.analysis.read_field(atom.site, field))
        made = made | new
    return made | frame.container(LibraryObject, args.joined() - first(args), "replaced")


@handles("copy.deepcopy")
def _deepcopy(frame: Frame, args: Args) -> Value:
    made = NOTHING
    hooks.handed_over(frame, first(args), hooks.COPYING)
    for atom in first(args):
        cls = type_of(atom)
        made = made | (frame.analysis.pool.fresh(cls, frame.site(cls)) if cls is not None else frame.analysis.opaque)
    return made


@handles("collections.Counter")
def _counter(frame: Frame, args: Args) -> Value:
    """Numbers under keys that come out of the argument."""
    made = frame.container(dict, frame.analysis.int)
    for value in args.positional:
        mappings = frozenset(atom for atom in value if type_of(atom) is dict)
        items.copy_fields(frame, mappings, made)
        keys = iteration.iterate(frame, value)
        hooks.hashed(frame, keys)
        items.put(frame, made, "{}", keys)
    return made


@handles("collections.defaultdict")
def _defaultdict(frame: Frame, args: Args) -> Value:
    factory = frozenset(atom for atom in first(args) if not (type(atom) is Known and atom.obj is None))
    made = frame.container(dict, _call(frame, factory, Args()) if factory else NOTHING)
    for value in args.positional[1:]:
        items.copy_fields(frame, value, made)
    for name, value in args.keywords.items():
        items.put(frame, made, f"[{name!r}]", value)
    return made
