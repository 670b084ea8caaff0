"""Effects behind special methods, descriptors, metaclasses, generators and library callables: bodies of a function.

They run among the names of `world` and `hooked_world`.
"""

from __future__ import annotations

BODIES = r"""
Eq() in [1]
1 in [Eq()]
[Eq()].index(1)
[1].index(Eq())
[Eq()].count(1)
[Eq()].remove(1)
(Eq(),).index(1)
(Eq(),).count(1)
collections.deque([Eq()]).count(1)
Eq() in (1, 2)
[Eq()] == [1]
(Eq(),) == (1,)
{1: Eq()} == {1: 2}
[Eq()] != [1]
(1, Lt()) < (1, 2)
[Lt()] < [Lt()]
Eq() in {1: 2}
Eq() in {1}
{1: 2}[Hash()]
{1: 2}.get(Hash())
{1: 2}.pop(Hash(), 1)
{1: 2}.setdefault(Hash(), 1)
{}.__setitem__(Hash(), 1)
dict([(Hash(), 1)])
dict.fromkeys([Hash()])
{k: 1 for k in [Hash()]}
{k for k in [Hash()]}
set([Hash()])
frozenset([Hash()])
{1} | {Hash()}
{1}.union([Hash()])
set().add(Hash())
{1}.discard(Hash())
{1}.difference([Hash()])
{1}.isdisjoint([Hash()])
{1}.issubset([Hash()])
hash((Hash(),))
hash(frozenset([Hash()]))
collections.Counter([Hash()])
collections.defaultdict(list)[Hash()]
collections.OrderedDict([(Hash(), 1)])
lru(Hash())
Hash() in {}
y = {}; y[Hash()] = 1
y = {}; y.update({Hash(): 1})
y = {}; y |= {Hash(): 1}
sorted([Lt(), Lt()])
[Lt(), Lt()].sort()
y = [Lt()]; y.sort()
min([Lt(), Lt()])
max([Gt(), Gt()])
min(Lt(), Lt())
max(Gt(), 1, 2)
sorted([1, 2], key=lambda q: Lt())
min([1, 2], key=lambda q: Lt())
[1, 2].sort(key=lambda q: Lt())
sorted([(1, Lt()), (1, Lt())])
heapq.heappush([Lt()], Lt())
heapq.nlargest(1, [Lt()])
bisect.bisect([Lt()], Lt())
bisect.insort([Lt()], Lt())
heapq.heapify([Lt()])
"%s" % Str()
"%s %s" % (1, Str())
"%(a)s" % {"a": Str()}
"%r" % Repr()
"%d" % Index()
"%d" % Int()
"%f" % Float()
"{}".format(Fmt())
"{a}".format(a=Fmt())
"{!r}".format(Repr())
"{!s}".format(Str())
"{a.v}".format(a=Prop())
"{0[0]}".format(GetItem())
"{}".format_map(Missing())
f"{Fmt()}"
f"{Str()}"
f"{Repr()!r}"
f"{1:{Str()}}"
"%s" % [Repr()]
str([Repr()])
repr((Repr(),))
repr({1: Repr()})
f"{[Repr()]}"
print([Repr()], file=io.StringIO())
format(Fmt())
format(Fmt(), "a")
str(Str())
"".join(str(q) for q in [Str()])
"".join(map(str, [Str()]))
not Bool()
not Len()
bool(Bool())
bool(Len())
any([Bool()])
all([Bool()])
any(q for q in [Bool()])
any(map(lambda q: Bool(), [1]))
list(filter(None, [Bool()]))
Bool() and 1
1 if Bool() else 2
if Bool(): pass
while Bool(): break
assert Bool()
[q for q in [1] if Bool()]
Bool() or 2
not [Bool()][0]
list(filter(lambda q: Bool(), [1]))
list(itertools.takewhile(lambda q: Bool(), [1]))
list(itertools.filterfalse(None, [Bool()]))
int(Int())
int(Index())
float(Float())
float(Index())
complex(Float())
[1][Index()]
range(Index())
"a" * Index()
[1] * Index()
hex(Index())
bin(Index())
chr(Index())
operator.index(Index())
[1, 2][Index():]
math.sqrt(Float())
math.floor(Round())
round(Round())
abs(Round())
divmod(Round(), 1)
pow(Round(), 2)
math.trunc(Round())
bytes(Bytes())
list(Iter())
tuple(Iter())
set(Iter())
sum(Iter())
for q in Iter(): pass
a, = Iter()
[*Iter()]
f2(*Iter())
dict(zip(Iter(), [1]))
list(map(str, Iter()))
list(zip(Iter(), [1]))
list(enumerate(Iter()))
"".join(Iter())
min(Iter(), default=1)
1 in Iter()
1 in GetItem()
list(Next())
next(Next())
list(GetItem())
iter(Iter())
list(reversed(Reversed()))
1 in Contains()
1 not in Contains()
Missing()[1]
operator.contains(Contains(), 1)
operator.eq(Eq(), 1)
operator.add(1, noisy)
operator.not_(Bool())
operator.truth(Bool())
operator.lt(Lt(), 1)
operator.itemgetter(0)(GetItem())
operator.attrgetter("v")(Prop())
operator.attrgetter("a.v")(types.SimpleNamespace(a=Prop()))
operator.methodcaller("shout")(Color.RED)
operator.methodcaller("add", 1)(box)
operator.countOf([Eq()], 1)
operator.indexOf([Eq()], 1)
functools.reduce(operator.add, [noisy, noisy])
sum([1, noisy])
sum([noisy], 0)
dir(Dir())
M1()
M2.foo
isinstance(1, M3)
issubclass(int, M3)
1 in M3
list(M3)
len(M3)
M3[1]
M3 + 1
not M3
M3.a = 1
class K(metaclass=Meta4): pass
class K(M4): pass
class K(M5): pass
class K(M6): pass
class K(Init): pass
class K: a = SetName()
type("K", (Init,), {})
type("K", (), {"a": SetName()})
type("K", (), {"go": lambda self: seen.append(1)})().go()
Meta4("K", (), {})
del_ = Del()
Del()
[Del()]
with Exit(): pass
with contextlib.ExitStack() as s: s.enter_context(Exit())
with contextlib.ExitStack() as s: s.callback(seen.append, 1)
with contextlib.ExitStack() as s: s.push(lambda *a: seen.append(1))
New()
New.__new__(New)
GetAttribute().z
GetAttribute().z()
del DelAttr().z
delattr(DelAttr(), "z")
Slots(seen).a.append(1)
Hooked[int]
Prop().v
del Prop().v
getattr(Prop(), "v")
hasattr(Prop(), "v")
hasattr(GetsAttributes(), "z")
getattr(GetsAttributes(), x)
getattr(Prop(), x)
Cached().v
Prop.v.fget(Prop())
Prop.v.__get__(Prop())
HasDescriptor.value
match MA():\n    case MA(q): pass
match Eq():\n    case 1: pass
match [Eq()]:\n    case [1]: pass
match {"a": Eq()}:\n    case {"a": 1}: pass
match Abs():\n    case {"a": 1}: pass
match 1:\n    case q if Bool(): pass
match AbsSeq():\n    case [a, b]: pass
match seen:\n    case list() as q: q.append(1)
match seen:\n    case [*_] as q: q.append(1)
match Slots(seen):\n    case Slots(a=q): q.append(1)
match DP(seen):\n    case DP(q): q.append(1)
copy.copy(Copy())
copy.deepcopy(Copy())
copy.deepcopy([Copy()])
copy.copy(Reduce())
pickle.dumps(Reduce())
pickle.dumps([GetState()])
copy.deepcopy(GetState())
+Pos()
~Pos()
2 * RMul()
Ge() >= 1
1 <= Ge()
Total() >= Total()
Total() > Total()
Color.RED.loud
Color.RED.shout()
Color(7)
Color("zz")
for c in Color: c.shout()
[c.shout() for c in Color]
Color["RED"].shout()
Color.RED.value2 = 1
DF()
DS().a.append(1)
dataclasses.replace(DS(), a=seen).a.append(1)
dataclasses.asdict(DP([Copy()]))
Ordered(Lt()) < Ordered(Lt())
Ordered(Eq()) == Ordered(1)
dataclasses.make_dataclass("K", ["a"])(seen).a.append(1)
NT(seen).put()
NT(seen).a.append(1)
NT(seen)[0].append(1)
NT(a=seen)._replace(b=2).put()
a, b = NT(seen); a.append(1)
NT(seen)._asdict()["a"].append(1)
sd(1)
sd(x)
SDM().go(1)
SDM().pm()
SDM().st(1)
SDM.alias(1)
lru(x)
lru2(x)
lru.cache_clear()
lru.__wrapped__(1); lru2.__wrapped__(1)
cch(x)
functools.partial(seen.append, 1)()
functools.partial(kw_default, 1)()
functools.partial(setattr, box)("a", 1)
functools.partial(lambda a, b: a.append(b), seen)(1)
functools.partial(lambda a, b: a.append(b), b=1)(seen)
part(x)
part2(x, 1)
part.func(1)
functools.reduce(lambda a, b: seen.append(b), [1, 2])
functools.cmp_to_key(lambda a, b: seen.append(1) or 0)(1) < functools.cmp_to_key(lambda a, b: 0)(2)
sorted([1, 2], key=functools.cmp_to_key(lambda a, b: seen.append(1) or 0))
g = gen(); next(g); g.send(1)
list(gen())
g = gen(); g.close()
for q in gen2(): break
next(gen2())
g = gen2(); next(g); g.throw(ValueError)
list(q for q in gen())
def g2():\n    r = yield from gen()\nlist(g2())
g = (seen.append(q) for q in [1]); next(g)
def g2():\n    y = yield seen\n    y.append(1)\ng = g2(); g.send(next(g))
def g2():\n    y = yield\n    y.append(1)\ng = g2(); next(g); g.send(seen)
kw_default.__kwdefaults__["into"].append(1)
kw_default(1, into=seen)
globals()["seen"].append(1)
vars()["x"] if 0 else vars(box)["items"].append(1)
locals()["x"] if 0 else seen.append(1)
setattr(box, x, 1)
sys.modules["tests.effects.world"].seen.append(1)
y = globals(); y["seen"].append(1)
vars(sys.modules["tests.effects.world"])["seen"].append(1)
methods_["a"](1)
methods_[x](1)
mlist[0](1)
[m(1) for m in mlist]
list(map(mlist[0], [1]))
{"a": seen.append}.get("a")(1)
{"a": seen.append}[x](1)
[seen.append][0](1)
(seen.append,)[0](1)
inst.go(1)
inst.call(1)
Inst.__call__ = 1
ref().add(1)
proxy.add(1)
wkd[box] = 1
box.add.__self__.items.append(1)
box.add.__func__(box, 1)
Box.add(box, 1)
types.MethodType(lambda self: self.append(1), seen)()
types.MethodType(Box.add, box)(1)
Box.add.__get__(box)(1)
(lambda: 0).__globals__["seen"].append(1)
kw_default.__globals__["seen"].append(1)
with cm() as y: pass
@cm()\ndef inner(): pass\ninner()
decorated_cd(1)
callded(1)
with contextlib.suppress(ValueError): seen.append(1)
with contextlib.closing(gen2()) as q: next(q)
with contextlib.redirect_stdout(io.StringIO()): seen.append(1)
Child().template()
Base.template(Child())
super(Child, Child()).template()
ListSub().append(1)
ListSub([1])[0]
y = DictSub(); y[1] = 2
StrSub("a").upper()
StrSub("a") + "b"
IntSub(1) + 1
raise Exc(1)
raise Exc
try: raise Exc(1)\nexcept Exc as e: str(e)
Uses().format("{a}")
json.dumps(1, default=lambda o: seen.append(o))
json.loads("{}", object_hook=seen.append)
Abs().get(1)
Abs()[1]
1 in Abs()
list(Abs().values())
Abs() == {1: 2}
1 in AbsSeq()
list(AbsSeq())
AbsSeq().index(1)
AbsSet() | {1}
y = AbsSet(); y |= {1}
AbsSet().remove(1)
y = Ud(); y[1] = 2
Ud(a=1)
Ud().update(a=1)
impl.save()
Impl().save()
re.sub("a", lambda m: seen.append(m) or "", "a")
re.compile("a").sub(lambda m: seen.append(m) or "", "a")
list(map(seen.append, [1]))
list(map(lambda q: seen.append(q), [1]))
list(itertools.starmap(seen.insert, [(0, 1)]))
list(itertools.accumulate([1], lambda a, b: seen.append(b)))
list(itertools.groupby([1], seen.append))
dict(map(lambda q: (q, seen.append(q)), [1]))
max([1], key=seen.append)
collections.defaultdict(lambda: seen.append(1))[1]
y = collections.defaultdict(lambda: seen)[1].append(1)
[seen.append(q) for q in [1]]
{seen.append(q) for q in [1]}
[[seen.append(q) for q in [1]] for r in [1]]
def a():\n    def b():\n        def c(): seen.append(1)\n        return c\n    return b\na()()()
def a():\n    y = seen\n    def b():\n        def c(): y.append(1)\n        return c\n    return b\na()()()
def a(y):\n    def b(z):\n        nonlocal y\n        y = z\n    b(seen)\n    return y\na(1).append(1)
def a(*q, **k): k["z"].append(1)\na(z=seen)
def a(*q): q[0].append(1)\na(*[seen])
def a(q, r=seen, *s): r.append(1)\na(1)
def a(q, *, r=seen): r.append(1)\na(1)
def a(q, /, **k): k.get("q").append(1)\na(1, q=seen)
y = [seen]; z = [*y, 1]; z[0].append(1)
y = {**{"a": seen}}; y["a"].append(1)
(y := seen).append(1)
[y := seen][0].append(1)
[(y := q) for q in [seen]]; y.append(1)
a = b = seen; b.append(1)
a, (b, c) = 1, (2, seen); c.append(1)
(a, *b), c = [1, seen], 2; b[0].append(1)
y = seen if x else None\nif y is not None: y.append(1)
try: 1/0\nexcept ZeroDivisionError: seen.append(1)
try: pass\nfinally: seen.append(1)
try: 1/0\nexcept* ValueError: seen.append(1)
while 1:\n    seen.append(1)\n    break
del cache["a"]
del cache["a"], seen[0]
cache["a"] += 1
box.items += [1]
box.count += 1
seen[0:1] = [1]
y = seen; y *= 2
y = seen; y[0] |= 1
for seen[0] in [1]: pass
for box.items in [1]: pass
with cmpure() as seen[0]: pass
with cmpure() as box.items: pass
[0 for seen[0] in [1]]
import json as q; q.extra = 1
weakref.finalize(box, seen.append)
weakref.ref(box, seen.append)
contextlib.nullcontext(seen).__enter__().append(1)
types.SimpleNamespace(a=seen).a.append(1)
types.MappingProxyType(cache)["a"].append(1)
iter(seen.pop, None).__next__()
list(iter(seen.pop, None))
array_ = list(map(lambda q: q, [seen])); array_[0].append(1)
random.Random(1).shuffle(seen)
random.Random(1).choice([seen]).append(1)
list(itertools.chain([seen], []))[0].append(1)
next(itertools.cycle([seen])).append(1)
next(itertools.repeat(seen)).append(1)
itertools.tee([seen])[0].__next__().append(1)
list(itertools.compress([seen], [1]))[0].append(1)
list(itertools.permutations([seen]))[0][0].append(1)
list(itertools.combinations([seen], 1))[0][0].append(1)
list(itertools.zip_longest([seen], []))[0][0].append(1)
list(itertools.pairwise([seen, 1]))[0][0].append(1)
collections.ChainMap({}, cache)["a"].append(1)
collections.Counter({"a": seen})["a"].append(1)
y = collections.ChainMap(cache); y["a"] = 1
string.Template("$a").substitute(a=Str())
statistics.mean([noisy])
statistics.median([Lt(), Lt()])
decimal.Decimal(1) + noisy
"a".replace("a", "b") + str(Str())
"a,b".split(",")[Index()]
"a".join(Iter())
y = [Eq()]; z = 1 in y
y = [1, 2]; y.append(Eq()); y.remove(3)
y = []; y.append(Eq()); z = y.index(3)
y = {}; y[1] = Eq(); z = 2 in y.values()
y = {"a": [Eq()]}; z = 2 in y["a"]
y = (1, [Eq()]); z = y == 3
y = [[Eq()]]; z = y == [[1]]
Frozen(Eq()) == Frozen(1)
hash(Frozen(Hash()))
NT(Eq()) == NT(1)
NT(Hash()) in {1}
str(NT(Repr()))
str(DP([Repr()]))
repr(Slots) + repr(DP(Repr()))
next(filter(None, [Bool()]))
[q for q in [1, 2] if q in [Eq()]]
a, b = Next()
x.__class__ = Box
Box.__init__ = 1
type(box).count = 2
object.__setattr__(box, "a", 1)
Box.__setattr__(box, "a", 1)
super(Box, box).__setattr__("a", 1)
dict.__setitem__(cache, 1, 2)
dict.update(cache, a=1)
list.__iadd__(seen, [1])
set.add(names, 1)
operator.iadd(seen, [1])
(lambda **k: k["a"])(a=seen).append(1)
y = lambda: seen\ny().append(1)
type("K", (Box,), {"items": seen})().items.append(1)
class K:\n    def __init__(self): self.a = seen\nK().a.append(1)
class K:\n    a = seen\n    def go(self): self.a.append(1)\nK().go()
class K:\n    @property\n    def a(self): return seen\nK().a.append(1)
class K:\n    @staticmethod\n    def a(): return seen\nK.a().append(1)
class K:\n    @classmethod\n    def a(cls): return seen\nK.a().append(1)
class K:\n    def __enter__(self): return seen\n    def __exit__(self, *a): pass\nwith K() as q: q.append(1)
class K:\n    def __exit__(self, *a): seen.append(1)\n    def __enter__(self): pass\nwith K() as q: pass
class K:\n    def __iter__(self): yield seen\nfor q in K(): q.append(1)
class K:\n    def __getattr__(self, n): return seen\nK().zz.append(1)
class K:\n    def __call__(self): return seen\nK()().append(1)
class K:\n    def __getitem__(self, i): return seen\nK()[0].append(1)
class K:\n    def __add__(self, o): seen.append(1)\nK() + 1
class K:\n    def __eq__(self, o): seen.append(1)\nK() == 1
class K:\n    def __eq__(self, o): seen.append(1)\nK() in [1]
class K:\n    def __lt__(self, o): seen.append(1)\nsorted([K(), K()])
class K:\n    def __str__(self): seen.append(1); return ""\nstr(K())
class K:\n    def __bool__(self): seen.append(1); return True\nnot K()
class K:\n    def __del__(self): seen.append(1)\nK()
class K:\n    def __setattr__(self, n, v): seen.append(1)\nK().a = 1
class K:\n    def __get__(self, i, o): seen.append(1)\nclass L: a = K()\nL().a
class K:\n    def __init_subclass__(cls): seen.append(1)\nclass L(K): pass
class K:\n    def __set_name__(self, o, n): seen.append(1)\nclass L: a = K()
class K:\n    def __iadd__(self, o): seen.append(1); return self\nk = K(); k += 1
class K:\n    def __contains__(self, o): seen.append(1)\n1 in K()
class K:\n    def __len__(self): seen.append(1); return 1\nlen(K())
class K:\n    def __neg__(self): seen.append(1); return 1\n-K()
class K:\n    def __setitem__(self, i, v): seen.append(1)\nK()[1] = 2
class K:\n    def __delitem__(self, i): seen.append(1)\ndel K()[1]
class K:\n    def __hash__(self): seen.append(1); return 1\n{K()}
class K:\n    def __new__(cls): seen.append(1); return object.__new__(cls)\nK()
class K:\n    def __format__(self, s): seen.append(1); return ""\nf"{K()}"
class K:\n    def __missing__(self, s): seen.append(1); return ""\nclass L(K, dict): pass\nL()[1]
class K:\n    def __index__(self): seen.append(1); return 1\n[1, 2][K()]
class K(type):\n    def __call__(cls): seen.append(1)\nclass L(metaclass=K): pass\nL()
class K:\n    __slots__ = "a"\nk = K(); k.a = seen; k.a.append(1)
@deco\ndef inner(): pass
@deco\nclass K: pass
class K:\n    @deco\n    def go(self): pass
@dataclasses.dataclass\nclass K:\n    a: object\nK(seen).a.append(1)
@dataclasses.dataclass\nclass K:\n    a: list = dataclasses.field(default_factory=lambda: seen)\nK().a.append(1)
@functools.total_ordering\nclass K:\n    def __lt__(self, o): seen.append(1); return True\nK() >= K()
@functools.lru_cache\ndef inner(y): seen.append(y)\ninner(1)
@functools.wraps(patched)\ndef inner(y): seen.append(y)\ninner(1)
@functools.singledispatch\ndef inner(y): seen.append(y)\ninner(1)
@functools.singledispatch\ndef inner(y): pass\n@inner.register\ndef _(y: int): seen.append(y)\ninner(1)
@contextlib.contextmanager\ndef inner():\n    seen.append(1)\n    yield\nwith inner(): pass
@contextlib.contextmanager\ndef inner():\n    yield seen\nwith inner() as q: q.append(1)
async for q in Agen(): pass
await Await()
async for q in ag(): pass
[q async for q in Agen()]
[await Await() for q in [1]]
async with acm() as q: pass
await asyncio.gather(Await())
return [q async for q in ag()]
collections.namedtuple("P", "a")(seen).a.append(1)
collections.abc.Sized.register(Box)
Box.extra = classmethod(lambda cls: 1)
patched.__code__ = kw_default.__code__
patched.__defaults__ = ([],)
Decorated.extra.append(1)
Decorated().extra.append(1)
heapq.merge([Lt()], [Lt()]).__next__()
y = copy.copy([seen]); y[0].append(1)
y = dict(cache); y["a"].append(1)
y = list(nested.values())[0][0]; y.append(1)
y = sorted(nested.items())[0][1]; y.append(1)
y = max(nested.items())[1]; y.append(1)
y = next(iter(nested.values())); y.append(1)
for q, r in nested.items(): r[0].append(1)
for q in map(list, [[seen]]): q[0].append(1)
for i, q in enumerate([seen]): q.append(1)
sum(([seen] for _ in [1]), [])[0].append(1)
[*zip([seen])][0][0].append(1)
list(zip(*[[seen], [1]]))[0][0].append(1)
""".strip().splitlines()
"""Each changes what outlives the call, or may run code that cannot be seen; ``\\n`` stands for a new line."""
