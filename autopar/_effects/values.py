"""The lattice: what is known of one value on the stack or in a local variable.

A `Value` is a set of atoms, one for each thing the value may be; joining two branches is the union of their sets.
Atoms are interned in a `Pool`, one pool an analysis, so that equality is identity and no code of the user's objects
runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

from autopar._effects import lookup
from autopar._model.effects import EffectKind

WIDEST = 16
"""A value of more atoms than this forgets first the identities, then the types of its members. Pulled out of the
air."""


class LibraryObject:
    """Stands for the type of an object that a known library made: its methods keep to the library's promises."""


class ArraySlice:
    """Stands for the type of ``x[a:b]`` with `x` unknown: a copy if `x` is a list, a view if it is an array."""


class Origin:
    """A place that outlives the call, from which an object was reached.

    Attributes
    ----------
    kind
        The effect of changing what is found there.
    what
        The place in words.
    key
        (module, name) of a module-level name, else None.
    dotted
        The dotted name of an attribute of a module (``"numpy.random.rand"``), else None.
    depth
        How many items or attributes down from an argument.
    """

    __slots__ = ("depth", "dotted", "key", "kind", "what")

    def __init__(
        self,
        kind: EffectKind,
        what: str,
        key: tuple[str, str] | None = None,
        dotted: str | None = None,
        depth: int = 0,
    ) -> None:
        self.depth = depth
        self.kind = kind
        self.what = what
        self.key = key
        self.dotted = dotted


class Site:
    """All objects made at one place of the code: what their attributes and items may hold.

    The fields are named ``".name"`` for attributes, ``"['key']"`` for items under a constant key, ``"[]"`` for other
    items and ``"{}"`` for the keys of a mapping.

    A change of a site that is `through` changes what it holds. In a `nested` one it is not known how deep things lie.
    """

    __slots__ = ("fields", "into", "namespace", "nested", "read_in", "through")

    def __init__(self) -> None:
        self.into: Site | None = None
        self.fields: dict[str, Value] = {}
        self.read_in: dict[str, int] = {}
        self.through = False
        self.nested = False
        self.namespace: Site | None = None


class Atom:
    """One thing a value may be."""

    __slots__ = ()


Value = frozenset[Atom]
NOTHING: Value = frozenset()


class Outer(Atom):
    """An object reached from an origin, of which the type is known or not."""

    __slots__ = ("origin", "type")

    def __init__(self, origin: Origin, type_: type | None) -> None:
        self.origin = origin
        self.type = type_


class Fresh(Atom):
    """An object made during the call."""

    __slots__ = ("site", "type")

    def __init__(self, type_: type | None, site: Site | None) -> None:
        self.type = type_
        self.site = site


class Known(Atom):
    """The very object: a constant (without origin), or what a name stands for now."""

    __slots__ = ("obj", "origin")

    def __init__(self, obj: Any, origin: Origin | None) -> None:
        self.obj = obj
        self.origin = origin


class Callee:
    """A Python function that can be followed."""

    __slots__ = ("cells", "code", "defaults", "global_names", "kwdefaults", "module", "qualname")

    def __init__(
        self,
        code: CodeType,
        global_names: dict[str, Any],
        qualname: str,
        cells: tuple[Value, ...] = (),
        defaults: tuple[Value, ...] = (),
        kwdefaults: dict[str, Value] | None = None,
    ) -> None:
        self.code = code
        self.global_names = global_names
        name = global_names.get("__name__")
        self.module: str = name if type(name) is str else "?"
        self.qualname = qualname
        self.cells = cells
        self.defaults = defaults
        self.kwdefaults = kwdefaults or {}


class Function(Atom):
    """A function made during the call, by ``def``, ``lambda`` or a comprehension."""

    __slots__ = ("callee",)

    def __init__(self, callee: Callee) -> None:
        self.callee = callee


class Bound(Atom):
    """A Python method with its object."""

    __slots__ = ("callee", "receiver")

    def __init__(self, callee: Callee, receiver: Atom) -> None:
        self.callee = callee
        self.receiver = receiver


class Method(Atom):
    """An attribute that is decided by its name when it is called: ``x.append`` with `x` of an unknown or built-in
    type.
    """

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Atom, name: str) -> None:
        self.receiver = receiver
        self.name = name


class CellAtom(Atom):
    """A closure cell: of a function made during the call (`origin` is None), or of one that was there before."""

    __slots__ = ("origin", "site")

    def __init__(self, site: Site, origin: Origin | None) -> None:
        self.site = site
        self.origin = origin


class Super(Atom):
    """``super()``: attributes are looked up behind `cls`, or in the `bases` of a class made during the call, for
    `receiver`.
    """

    __slots__ = ("bases", "cls", "receiver")

    def __init__(self, cls: type, receiver: Atom, bases: Value) -> None:
        self.cls = cls
        self.receiver = receiver
        self.bases = bases


class Dotted(Atom):
    """A module, or an attribute of one, that has not been imported yet: only its name is known."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def type_of(atom: Atom) -> type | None:
    """The class of what the atom stands for, if it is known."""
    if isinstance(atom, Known):
        return type(atom.obj)
    if isinstance(atom, Outer | Fresh):
        return atom.type
    return FunctionType if isinstance(atom, Function | Bound) else None


class Args:
    """The arguments of a call, starred ones included."""

    __slots__ = ("keywords", "kwstar", "positional", "star")

    def __init__(
        self,
        positional: Iterable[Value] = (),
        keywords: dict[str, Value] | None = None,
        star: Value | None = None,
        kwstar: Value | None = None,
    ) -> None:
        self.positional = list(positional)
        self.keywords = keywords or {}
        self.star = star
        self.kwstar = kwstar

    def behind(self, first: Value) -> Args:
        """The same arguments after one more."""
        return Args([first, *self.positional], self.keywords, self.star, self.kwstar)

    def values(self) -> list[Value]:
        """Every argument, starred ones as the values their elements may be."""
        found = [*self.positional, *self.keywords.values()]
        if self.star is not None:
            found.append(self.star)
        if self.kwstar is not None:
            found.append(self.kwstar)
        return found

    def joined(self) -> Value:
        """All arguments as one value."""
        return NOTHING.union(*self.values())

    def get(self, position: int, name: str | None = None) -> Value | None:
        """The argument at a position or of a name; None where it was not given."""
        if 0 <= position < len(self.positional):
            return self.positional[position]
        if name is not None and name in self.keywords:
            return self.keywords[name]
        extra = [v for v in (self.star, self.kwstar if name is not None else None) if v is not None]
        return NOTHING.union(*extra) if extra else None


def _is_code(obj: Any) -> bool:
    """Whether an object is kept in a wide value: without its identity a call of it could not be followed."""
    return lookup.is_one_of(obj, (FunctionType, BuiltinFunctionType, MethodType)) or lookup.is_class(obj)


class Pool:
    """Interns atoms, origins and sites for one analysis."""

    def __init__(self) -> None:
        self._atoms: dict[tuple[Any, ...], Any] = {}
        self._sites: dict[Any, Site] = {}
        self._singles: dict[tuple[Any, ...], Value] = {}
        self._kept: list[Any] = []
        self.joins = 0
        self.grew = False
        self._unified = False

    def _intern(self, key: tuple[Any, ...], cls: Any, *parts: Any) -> Any:
        atom = self._atoms.get(key)
        if atom is None:
            atom = self._atoms[key] = cls(*parts)
            self._kept.append(parts)
        return atom

    def origin(
        self,
        kind: EffectKind,
        what: str,
        key: tuple[str, str] | None = None,
        dotted: str | None = None,
        depth: int = 0,
    ) -> Origin:
        """The origin of that description."""
        parts = (kind, what, key, dotted, depth)
        found: Origin = self._intern((Origin, kind.name, *parts[1:]), Origin, *parts)
        return found

    def outer(self, origin: Origin, type_: type | None = None) -> Value:
        """An object reached from `origin`."""
        return self._single((Outer, id(origin), id(type_)), Outer, origin, type_)

    def fresh(self, type_: type | None = None, site: Site | None = None) -> Value:
        """An object made during the call."""
        return self._single((Fresh, id(type_), id(site)), Fresh, type_, site)

    def known(self, obj: Any, origin: Origin | None = None) -> Value:
        """The very object; of one whose class has a say in what equals what, only where it is from."""
        classes = (type(obj), obj) if lookup.is_class(obj) else (type(obj),)
        if not all(lookup.compares_by_identity(cls) for cls in classes):
            kind = type(obj) if len(classes) == 2 and lookup.compares_by_identity(type(obj)) else None
            return self.fresh(kind) if origin is None else self.outer(origin, kind)
        return self._single((Known, id(obj), id(origin)), Known, obj, origin)

    def bound(self, callee: Callee, receiver: Atom) -> Value:
        """A Python method of `receiver`."""
        return self._single((Bound, id(callee), id(receiver)), Bound, callee, receiver)

    def method(self, receiver: Atom, name: str) -> Value:
        """The attribute `name` of `receiver`, to be decided when it is called."""
        return self._single((Method, id(receiver), name), Method, receiver, name)

    def cell(self, site: Site, origin: Origin | None) -> Value:
        """A closure cell."""
        return self._single((CellAtom, id(site), id(origin)), CellAtom, site, origin)

    def super_(self, cls: type, receiver: Atom, bases: Value = NOTHING) -> Value:
        """What ``super()`` gives in a method of `cls`."""
        return self._single((Super, id(cls), id(receiver), bases), Super, cls, receiver, bases)

    def dotted(self, name: str) -> Value:
        """A module or attribute known by name alone."""
        return self._single((Dotted, name), Dotted, name)

    def function(self, callee: Callee) -> Value:
        """A function made during the call; one atom for each code with the same cells and defaults."""
        key = (
            Function,
            id(callee.code),
            callee.cells,
            callee.defaults,
            tuple(callee.kwdefaults.items()),
            id(callee.global_names),
        )
        return self._single(key, Function, callee)

    def site(self, key: Any) -> Site:
        """The site of that key."""
        site = self._sites.get(key)
        if site is None:
            site = self._sites[key] = Site()
        return site

    def _single(self, key: tuple[Any, ...], cls: Any, *parts: Any) -> Value:
        value = self._singles.get(key)
        if value is None:
            value = self._singles[key] = frozenset((self._intern(key, cls, *parts),))
        return value

    def join(self, one: Value, other: Value) -> Value:
        """The union, widened where it grew too large."""
        if one is other or other <= one:
            return one
        if not one and len(other) <= 1:
            return other
        both = self.normal(one | other)
        return one if both == one else both

    def normal(self, value: Value) -> Value:
        """The value without what it says twice, widened where it grew too large."""
        size = len(value)
        self.joins += 1 + size // 8
        value = self._absorb(value)
        if size > WIDEST:
            if sum(type(a) is Fresh and a.site is not None and a.site.namespace is None for a in value) > WIDEST:
                value = self._unify(value)
            if sum(type(a) is Outer or (type(a) is Known and not _is_code(a.obj)) for a in value) > WIDEST:
                value = self._widen(value)
        return value

    def _widen(self, value: Value) -> Value:
        typed = self._absorb(NOTHING.union(*(self._without_identity(atom) for atom in value)))
        outer = [atom for atom in typed if type(atom) is Outer]
        if len(outer) <= WIDEST:
            return typed
        return self._absorb(typed.union(*(self.outer(atom.origin) for atom in outer)))

    def _unify(self, value: Value) -> Value:
        """Make one site of all the sites of a value: they share their fields from now on."""
        sites = [a.site for a in value if type(a) is Fresh and a.site is not None and a.site.namespace is None]
        target = max(sites, key=lambda site: len(site.fields))
        for site in sites:
            if site.fields is not target.fields:
                for field, content in site.fields.items():
                    target.fields[field] = self._absorb(target.fields.get(field, NOTHING) | content)
                site.fields, site.read_in = target.fields, target.read_in
                self.grew = True
            if site is not target:
                site.into = target
                target.through = target.through or site.through
                target.nested = target.nested or site.nested
        target.into = None
        self._unified = True
        return self._absorb(value)

    def _without_identity(self, atom: Atom) -> Value:
        if type(atom) is not Known or _is_code(atom.obj):
            return frozenset((atom,))
        return self.fresh(type(atom.obj)) if atom.origin is None else self.outer(atom.origin, type(atom.obj))

    def _moved(self, atom: Atom) -> Value:
        """The atom with the site that took in its own."""
        if type(atom) is Fresh and atom.site is not None and atom.site.into is not None:
            site = atom.site
            while site.into is not None:
                site = site.into
            return self.fresh(atom.type, site)
        return frozenset((atom,))

    def _absorb(self, value: Value) -> Value:
        """Drop what a less precise atom of the same origin covers: so a widened value stays widened."""
        if self._unified:
            value = self._all_moved(value)
        covers: set[tuple[Origin, type | None]] = set()
        plain: set[type | None] = set()
        for atom in value:
            if type(atom) is Outer:
                covers.add((atom.origin, atom.type))
            elif type(atom) is Fresh and atom.site is None:
                plain.add(atom.type)
        if not covers and not plain:
            return value
        dropped: list[Atom] = []
        for atom in value:
            if type(atom) is Known:
                if atom.origin is None:
                    if type(atom.obj) in plain:
                        dropped.append(atom)
                elif (atom.origin, None) in covers or (atom.origin, type(atom.obj)) in covers:
                    dropped.append(atom)
            elif type(atom) is Outer and atom.type is not None and (atom.origin, None) in covers:
                dropped.append(atom)
        return value.difference(dropped) if dropped else value

    def _all_moved(self, value: Value) -> Value:
        """The value with the sites that took in those of its atoms."""
        old = [a for a in value if type(a) is Fresh and a.site is not None and a.site.into is not None]
        return value.difference(old).union(*(self._moved(a) for a in old)) if old else value
