"""Functions that change what an argument of a known type holds, whichever way they reach it."""

from __future__ import annotations

SOURCE = r"""
import collections, dataclasses, enum, typing

seen=[]
class D:
    rows = None
    tags = ()
    def __init__(self): self.rows=[]; self.go = seen.append
    def go(self, x): pass
    def m(self): return self.rows
    @property
    def p(self): return self.rows
class S:
    __slots__=('rows',)
    def __init__(self): self.rows=[]
class N(typing.NamedTuple):
    a: list
class E(enum.Enum):
    A=[1]
@dataclasses.dataclass
class DC:
    a: list = dataclasses.field(default_factory=list)
    b: typing.Any = None
class L(list): pass
class M(dict):
    def __getattr__(self, n): return self[n]
class G:
    def __init__(self): self.f = lambda: seen.append(1)
class W:
    def __init__(self): self.x = [0]
    def __iter__(self): return iter([self.x])
class Cyc:
    def __init__(self): self.me = self; self.v = []
def a1(d): d.rows.append(1)
def a2(d): d.m().append(1)
def a3(d): d.p.append(1)
def a4(d): d.go(1)
def a5(d): d.rows += [1]
def a6(d): vars(d)['rows'].append(1)
def a7(d): getattr(d,'rows').append(1)
def a8(d):
    for k, v in vars(d).items():
        if k == 'rows': v.append(1)
def b1(s): s.rows.append(1)
def c1(n): n.a.append(1)
def c2(n): n[0].append(1)
def c3(n): (a,) = n; a.append(1)
def c4(n): n._asdict()['a'].append(1)
def c5(n): n._replace(a=n.a).a.append(1)
def e1(e): e.value.append(1)
def g1(d): d.a.append(1)
def g3(d): dataclasses.replace(d).a.append(1)
def l1(l): l[0].append(1)
def l2(l): l.copy()[0].append(1)
def l3(l): list(l)[0].append(1)
def l4(l): l[:][0].append(1)
def l5(l): (l + l)[0].append(1)
def l6(l): sorted(l)[0].append(1)
def l7(l): max(l).append(1)
def l8(l): next(iter(l)).append(1)
def l9(l): [*l][0].append(1)
def l10(l): dict(enumerate(l))[0].append(1)
def l11(l): collections.deque(l)[0].append(1)
def l12(l): l.pop().append(1)
def l13(l):
    a, *b = l; a.append(1)
def l14(l):
    q = l
    while q and isinstance(q, list): q = q[0] if q else None; r = q
    q2 = l[0][0] if l[0] else l[0]; q2.append(1) if isinstance(q2, list) else 0
def m1(m): m.k.append(1)
def m2(m): m.get('k').append(1)
def m3(m): {**m}['k'].append(1)
def m4(m):
    for k, v in m.items(): v.append(1)
def m5(m): list(m.values())[0].append(1)
def gg(g): g.f()
def w1(w):
    for r in w: r.append(1)
def cy(c): c.me.me.me.me.me.me.v.append(1)
def deep(x): x[0][0][0][0][0][0].append(1)
def k1(ls): [f(1) for f in ls]
def z1(x): x[1].append(x[0])
def t1(x): x[0][1].append(1)
"""

CALLS: list[tuple[str, str]] = [
    ("a1", "D()"),
    ("a2", "D()"),
    ("a3", "D()"),
    ("a4", "D()"),
    ("a5", "D()"),
    ("a6", "D()"),
    ("a7", "D()"),
    ("a8", "D()"),
    ("b1", "S()"),
    ("c1", "N([])"),
    ("c2", "N([])"),
    ("c3", "N([])"),
    ("c4", "N([])"),
    ("c5", "N([])"),
    ("e1", "E.A"),
    ("g1", "DC()"),
    ("g3", "DC()"),
    ("l1", "[[1]]"),
    ("l2", "[[1]]"),
    ("l3", "[[1]]"),
    ("l4", "[[1]]"),
    ("l5", "[[1]]"),
    ("l6", "[[1]]"),
    ("l7", "[[1]]"),
    ("l8", "[[1]]"),
    ("l9", "[[1]]"),
    ("l10", "[[1]]"),
    ("l11", "[[1]]"),
    ("l12", "[[1]]"),
    ("l13", "[[1]]"),
    ("l1", "L([[1]])"),
    ("l2", "L([[1]])"),
    ("l3", "L([[1]])"),
    ("l4", "L([[1]])"),
    ("l5", "L([[1]])"),
    ("l6", "L([[1]])"),
    ("l7", "L([[1]])"),
    ("l8", "L([[1]])"),
    ("l9", "L([[1]])"),
    ("l10", "L([[1]])"),
    ("l11", "L([[1]])"),
    ("l12", "L([[1]])"),
    ("l13", "L([[1]])"),
    ("l14", "[[[1]]]"),
    ("m1", "M(k=[1])"),
    ("m2", "M(k=[1])"),
    ("m3", "M(k=[1])"),
    ("m4", "M(k=[1])"),
    ("m5", "M(k=[1])"),
    ("m2", "{'k': [1]}"),
    ("m3", "{'k': [1]}"),
    ("m4", "{'k': [1]}"),
    ("m5", "{'k': [1]}"),
    ("m2", "collections.OrderedDict(k=[1])"),
    ("m3", "collections.OrderedDict(k=[1])"),
    ("m4", "collections.OrderedDict(k=[1])"),
    ("m5", "collections.OrderedDict(k=[1])"),
    ("gg", "G()"),
    ("w1", "W()"),
    ("cy", "Cyc()"),
    ("deep", "[[[[[[[]]]]]]]"),
    ("k1", "[seen.append]"),
    ("z1", "[1, []]"),
    ("t1", "((1, []),)"),
    ("t1", "[(1, [])]"),
]
"""A function, and its argument as an expression."""
