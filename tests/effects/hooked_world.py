"""What the bodies of `hooked` have around them, besides `world`: classes each with one method that has an effect.

The source text is run among the names of `world`; whatever is appended to `seen` is an effect.
"""

from __future__ import annotations

IMPORTS = """
import abc, asyncio, bisect, collections.abc, contextlib, copy, csv, dataclasses, datetime, decimal, difflib, enum
import fractions, functools, hashlib, heapq, html, http.client, io, itertools, json, logging, math, operator, os
import pathlib, pickle, random, re, statistics, string, struct, sys, types, typing, urllib.parse, urllib.request
import uuid, weakref, zlib, base64, array, ast, atexit, builtins, concurrent.futures, configparser, contextvars, ctypes
import email.message, gc, importlib, inspect, itertools, locale, queue, shutil, signal, socket, sqlite3, tempfile
import threading, time, timeit, unittest.mock, warnings, xml.etree.ElementTree as ET
"""

SOURCE = r"""
class Eq:
    def __eq__(self, o): seen.append(1); return True
    def __hash__(self): return 1
class Hash:
    def __eq__(self, o): return True
    def __hash__(self): seen.append(1); return 1
class Lt:
    def __lt__(self, o): seen.append(1); return True
class Gt:
    def __gt__(self, o): seen.append(1); return True
class Bool:
    def __bool__(self): seen.append(1); return True
class Len:
    def __len__(self): seen.append(1); return 1
class Str:
    def __str__(self): seen.append(1); return "a"
class Fmt:
    def __format__(self, s): seen.append(1); return "a"
class Repr:
    def __repr__(self): seen.append(1); return "a"
class Int:
    def __int__(self): seen.append(1); return 1
class Index:
    def __index__(self): seen.append(1); return 1
class Float:
    def __float__(self): seen.append(1); return 1.0
class Iter:
    def __iter__(self): seen.append(1); return iter(())
class Next:
    def __iter__(self): return self
    def __next__(self): seen.append(1); raise StopIteration
class GetItem:
    def __getitem__(self, i): seen.append(1); raise IndexError
class Contains:
    def __contains__(self, i): seen.append(1); return True
class Missing(dict):
    def __missing__(self, k): seen.append(1); return 1
class Reversed:
    def __reversed__(self): seen.append(1); return iter(())
class Round:
    def __round__(self, n=None): seen.append(1); return 1
    def __abs__(self): seen.append(1); return 1
    def __trunc__(self): seen.append(1); return 1
    def __floor__(self): seen.append(1); return 1
    def __ceil__(self): seen.append(1); return 1
    def __divmod__(self, o): seen.append(1); return 1
    def __pow__(self, o, m=None): seen.append(1); return 1
class Bytes:
    def __bytes__(self): seen.append(1); return b""
class Dir:
    def __dir__(self): seen.append(1); return []
class Meta(type):
    def __call__(cls, *a): seen.append(1); return super().__call__(*a)
class Meta2(type):
    def __getattr__(cls, n): seen.append(n); return 1
class Meta3(type):
    def __instancecheck__(cls, o): seen.append(1); return True
    def __subclasscheck__(cls, o): seen.append(1); return True
    def __contains__(cls, o): seen.append(1); return True
    def __iter__(cls): seen.append(1); return iter(())
    def __len__(cls): seen.append(1); return 1
    def __getitem__(cls, o): seen.append(1); return 1
    def __add__(cls, o): seen.append(1); return 1
    def __bool__(cls): seen.append(1); return True
    def __setattr__(cls, n, v): seen.append(1)
class Meta4(type):
    def __new__(m, n, b, d): seen.append(n); return super().__new__(m, n, b, d)
class Meta5(type):
    def __init__(c, n, b, d): seen.append(n)
class Meta6(type):
    @classmethod
    def __prepare__(m, n, b): seen.append(n); return {}
class M1(metaclass=Meta): pass
class M2(metaclass=Meta2): pass
class M3(metaclass=Meta3): pass
class M4(metaclass=Meta4): pass
class M5(metaclass=Meta5): pass
class M6(metaclass=Meta6): pass
class Init:
    def __init_subclass__(cls, **k): seen.append(1)
class SetName:
    def __set_name__(self, o, n): seen.append(1)
class Del:
    def __del__(self): seen.append(1)
class Exit:
    def __enter__(self): return self
    def __exit__(self, *a): seen.append(1)
class New:
    def __new__(cls, *a): seen.append(1); return object.__new__(cls)
class GetAttribute:
    def __getattribute__(self, n): seen.append(1); return 1
class DelAttr:
    def __delattr__(self, n): seen.append(1)
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a): self.a = a
class Hooked:
    def __class_getitem__(cls, i): seen.append(1); return cls
class Prop:
    @property
    def v(self): seen.append(1); return 1
    @v.deleter
    def v(self): seen.append(1)
class Cached:
    @functools.cached_property
    def v(self): seen.append(1); return 1
class MA:
    __match_args__ = ("v",)
    @property
    def v(self): seen.append(1); return 1
class Copy:
    def __copy__(self): seen.append(1); return self
    def __deepcopy__(self, m): seen.append(1); return self
class Reduce:
    def __reduce__(self): seen.append(1); return (Reduce, ())
class GetState:
    def __getstate__(self): seen.append(1); return {}
class Pos:
    def __pos__(self): seen.append(1); return 1
    def __invert__(self): seen.append(1); return 1
class RMul:
    def __rmul__(self, o): seen.append(1); return 1
class Ge:
    def __ge__(self, o): seen.append(1); return True
@functools.total_ordering
class Total:
    def __lt__(self, o): seen.append(1); return True
    def __eq__(self, o): return True
class Color(enum.Enum):
    RED = 1
    @property
    def loud(self): seen.append(1); return 1
    def shout(self): seen.append(1)
    @classmethod
    def _missing_(cls, v): seen.append(v); return cls.RED
class Flag(enum.Flag):
    A = 1
    B = 2
@dataclasses.dataclass
class DF:
    a: list = dataclasses.field(default_factory=lambda: seen)
    b: int = dataclasses.field(default_factory=lambda: seen.append(1) or 1)
@dataclasses.dataclass
class DS:
    a: list = dataclasses.field(default_factory=lambda: seen)
@dataclasses.dataclass
class DP:
    a: list = dataclasses.field(default_factory=list)
    b: int = 0
@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int = 1
@dataclasses.dataclass(order=True)
class Ordered:
    a: object = 1
class NT(typing.NamedTuple):
    a: object
    b: int = 0
    def put(self): self.a.append(1)
@functools.singledispatch
def sd(x): return x
@sd.register
def _(x: int): seen.append(x)
class SDM:
    @functools.singledispatchmethod
    def go(self, x): return x
    @go.register
    def _(self, x: int): seen.append(x)
    pm = functools.partialmethod(lambda self, x: seen.append(x), 1)
    @staticmethod
    def st(x): seen.append(x)
    alias = st
@functools.lru_cache
def lru(x): return x
@functools.lru_cache
def lru2(x): seen.append(x); return x
@functools.cache
def cch(x): return x
def kw_default(a, *, into=[]): into.append(a)
def kw_default2(a, into={}): into.setdefault("a", 1)
def gen():
    got = yield 1
    seen.append(got)
def gen2():
    try:
        yield 1
    finally:
        seen.append(1)
def genpure():
    got = yield 1
    return got
def patched(x): return x
def deco(f):
    seen.append(f); return f
def deco_cls(c):
    c.extra = seen
    return c
@deco_cls
class Decorated: pass
methods_ = {"a": seen.append, "b": len}
mlist = [box.add]
class Inst: pass
inst = Inst()
inst.go = seen.append
inst.call = lambda x: seen.append(x)
ref = weakref.ref(box)
proxy = weakref.proxy(box)
wkd = weakref.WeakKeyDictionary()
part = functools.partial(seen.append)
part2 = functools.partial(operator.setitem, cache)
@contextlib.contextmanager
def cm():
    yield 1
    seen.append(1)
@contextlib.contextmanager
def cmpure():
    yield 1
@contextlib.asynccontextmanager
async def acm():
    yield 1
    seen.append(1)
class CD(contextlib.ContextDecorator):
    def __enter__(self): seen.append(1)
    def __exit__(self, *a): pass
@CD()
def decorated_cd(x): return x
class CallD:
    def __init__(self, f): self.f = f; self.n = 0
    def __call__(self, *a): self.n += 1; return self.f(*a)
@CallD
def callded(x): return x
class Agen:
    def __aiter__(self): return self
    async def __anext__(self): seen.append(1); raise StopAsyncIteration
class Await:
    def __await__(self): seen.append(1); return iter(())
async def ag():
    yield 1
    seen.append(1)
class Base:
    def template(self): return self.hook()
    def hook(self): return 1
class Child(Base):
    def hook(self): seen.append(1); return 2
class ListSub(list):
    def append(self, x): seen.append(x); super().append(x)
    def __getitem__(self, i): seen.append(i); return 1
class DictSub(dict):
    def __setitem__(self, k, v): seen.append(k); super().__setitem__(k, v)
class StrSub(str):
    def upper(self): seen.append(1); return "A"
    def __add__(self, o): seen.append(1); return "A"
class IntSub(int):
    def __add__(self, o): seen.append(1); return 3
class Exc(Exception):
    def __init__(self, *a): seen.append(a); super().__init__(*a)
    def __str__(self): seen.append(1); return "a"
class Uses(string.Formatter):
    def get_value(self, k, a, kw): seen.append(k); return "a"
class Enc(json.JSONEncoder):
    def default(self, o): seen.append(o); return 1
class Abs(collections.abc.Mapping):
    def __getitem__(self, k): seen.append(k); return 1
    def __len__(self): return 1
    def __iter__(self): return iter(())
class AbsSeq(collections.abc.Sequence):
    def __getitem__(self, k): seen.append(k); raise IndexError
    def __len__(self): return 1
class AbsSet(collections.abc.MutableSet):
    def __contains__(self, k): seen.append(k); return True
    def __len__(self): return 1
    def __iter__(self): return iter(())
    def add(self, x): seen.append(x)
    def discard(self, x): seen.append(x)
class Ud(collections.UserDict):
    def __setitem__(self, k, v): seen.append(k); super().__setitem__(k, v)
class Mixin:
    def save(self): self.store(1)
class Impl(Mixin):
    def store(self, x): seen.append(x)
impl = Impl()
"""
