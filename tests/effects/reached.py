"""Effects on shared objects of every kind, and behind classes, closures and callables built on one another.

They run among the names of `world` and `hooked_world`.
"""

from __future__ import annotations

BODIES = r"""
io.BytesIO(b"a").readinto(buf)
open("a", "rb").readinto(buf)
open("a", "rb").readinto(x)
socket.socket().recv_into(buf)
struct.Struct("i").pack_into(buf, 0, 1)
struct.pack_into("i", buf, 0, 1)
view[0] = 1
memoryview(buf)[0] = 1
memoryview(buf).cast("B")[0] = 1
arr.append(1)
arr[0] = 1
arr.frombytes(b"abcd")
buf.extend(b"a")
cfg.set("a", "b", "c")
cfg["a"] = {}
cfg.read_string("")
con.execute("insert")
con.cursor().execute("insert")
fobj.write("a")
print("a", file=fobj)
csv.writer(fobj).writerow([1])
json.dump([1], fobj)
pickle.dump([1], fobj)
fobj.seek(0)
fobj.read()
next(fobj)
for line in fobj: pass
shutil.copyfileobj(io.StringIO(), fobj)
q.put(1)
q.get()
msg["a"] = "b"
msg.set_payload("a")
root.append(ET.Element("b"))
root.set("a", "b")
root[0].set("a", "b")
root.find("a").text = "b"
ET.SubElement(root, "a")
executor.submit(seen.append, 1)
list(executor.map(seen.append, [1]))
lists[0].append(1)
lists[0][0] = 1
lists[x].append(1)
lists[-1] += [1]
for l in lists: l.append(1)
for i, l in enumerate(lists): l[0] = i
[l.sort() for l in lists]
functools.reduce(operator.iadd, lists)
functools.reduce(operator.iadd, [[1]], seen)
functools.reduce(operator.ior, [{1: 2}], cache)
functools.reduce(lambda a, b: a.update(b) or a, [{}], cache)
list(map(list.append, lists, [1, 2]))
list(map(operator.methodcaller("append", 1), lists))
list(itertools.starmap(operator.setitem, [(cache, 1, 2)]))
collections.deque(map(seen.append, [1]), maxlen=0)
any(map(seen.append, [1]))
all(seen.append(v) is None for v in [1])
sum(map(lambda v: seen.append(v) or 0, [1]))
set(map(seen.append, [1]))
tuple(seen.append(v) for v in [1])
dict.fromkeys(map(seen.append, [1]))
"".join(map(lambda v: seen.append(v) or "", ["a"]))
[*map(seen.append, [1])]
print(*map(seen.append, [1]), file=io.StringIO())
max(map(lambda v: seen.append(v) or 1, [1]))
a, *b = map(seen.append, [1, 2])
for _ in map(seen.append, [1]): pass
for _ in zip([1], map(seen.append, [1])): pass
next(map(seen.append, [1]))
next(it_global)
next(gen_global)
next(gg_)
list(it_global)
for v in gen_global: pass
1 in it_global
a, = it_global
list(zip(it_global, [1]))
gg_.send(None)
gg_.close()
sum(gen_global)
rows[0]["a"] = 1
for r in rows: r["b"] = 1
[r.update(b=1) for r in rows]
[{**r} for r in rows][0].update(seen.append(1) or {})
d_of_sets["a"].add(1)
d_of_sets[x]
d_of_sets["a"] |= {1}
obj_ns.a.append(1)
obj_ns.n += 1
obj_ns.__dict__["n"] = 1
vars(obj_ns)["n"] = 1
setattr(obj_ns, "n", 1)
tup[0].append(1)
nested_tup[0][0].append(1)
a, b = tup; a.append(1)
part3(1)
meth(1)
reg.add(1)
reg[1] = 2
y = acc; y += 1
acc.bump()
acc.bump2()
acc.bump3()
acc.bump4()
acc.lazy()
Acc().bump()
Acc().bump2()
Acc().bump3()
Acc().bump4()
Acc.make()
Acc.st()
Acc()(1)
acc(1)
list(map(acc, [1]))
sorted([1], key=acc)
with Acc(): pass
acc.dyn1
getattr(acc, "dyn2")
getattr(acc, x)
hasattr(acc, "dyn3")
Singleton()
obs.fire(1)
obs.on(print)
Observer().on(print)
b = Borg(); b.x = 1
Tracked()
Auto()
class Z(WithMeta): pass
class Z(metaclass=RegMeta): pass
RegMeta("Z", (), {})
memoed(1)
inc()
[inc() for _ in [1]]
attr_counter(1)
rec(1)
default_dict(1)
DefaultArg().go(1)
kwonly(1)
counted2(1)
g_star(seen)
g_star(*lists)
chain_(seen.append)(1)
callback(1, seen.append)
callback(1, cb=seen.append)
callback(cb=lambda v: seen.append(v), x=1)
dispatch[int](1)
dispatch[type(x)](1)
dispatch.get(type(x), len)(x)
table[1](1)
table[x](1)
strat.run(1)
strat.f(1)
Strategy(seen.append).run(1)
Strategy(f=seen.append).run(1)
prop2.v.append(1)
Prop2().v.append(1)
haslz.x2
asyncio.run(aput(1))
await aput(1)
return aput(1)
asyncio.create_task(aput(1))
await asyncio.gather(aput(1), aput(2))
await asyncio.wait_for(aput(1), 1)
loop = asyncio.get_event_loop(); loop.run_until_complete(aput(1))
threading.Thread(target=lambda: seen.append(1)).start()
threading.Thread(target=seen.append, args=(1,)).start()
threading.Timer(1, seen.append, (1,)).start()
with concurrent.futures.ThreadPoolExecutor() as ex: ex.submit(lambda: seen.append(1))
math.sqrt = len
builtins.len = 1
setattr(math, "sqrt", 1)
sys.modules["a"] = 1
sys.path.append("a")
sys.argv[0] = "a"
os.environ["a"] = "b"
os.putenv("a", "b")
os.chdir("/")
os.umask(0)
os.nice(1)
signal.signal(2, print)
signal.alarm(1)
locale.setlocale(0, "C")
warnings.simplefilter("ignore")
warnings.filters.append(1)
logging.disable()
logging.getLogger().setLevel(1)
logging.getLogger("a").addHandler(1)
gc.disable()
sys.setrecursionlimit(10)
sys.settrace(None)
sys.setswitchinterval(1)
sys.stdout = 1
socket.setdefaulttimeout(1)
time.tzset()
tempfile.tempdir = "a"
atexit.register(len)
decimal.getcontext().prec = 3
decimal.setcontext(decimal.Context())
cvar.set(1)
random.seed(1)
random.shuffle([1])
box.add = 1
Box.add = lambda self: 1
inspect.currentframe().f_globals["a"] = 1
sys._getframe().f_back.f_globals["seen"].append(1)
inc.__closure__[0].cell_contents = 1
kwonly.__kwdefaults__["c"].add(1)
rec.__defaults__[0].append(1)
rec.__code__ = len
types.FunctionType(rec.__code__, globals())(1)
types.FunctionType((lambda: seen.append(1)).__code__, globals())()
__import__(x).main()
importlib.reload(math)
importlib.import_module("math").sqrt = 1
ctypes.memmove(1, 2, 3)
gc.get_objects()[0].append(1)
gc.get_referents(tup)[0].append(1)
type.__setattr__(Box, "x", 1)
object.__setattr__(acc, "n", 1)
object.__delattr__(acc, "n")
super(Acc, acc).__setattr__("n", 1)
list.append(lists[0], 1)
getattr(list, "append")(seen, 1)
list.__dict__["append"](seen, 1)
operator.attrgetter("append")(seen)(1)
operator.attrgetter("a.append")(obj_ns)(1)
operator.itemgetter(0)(lists).append(1)
functools.partial(list.append, seen)(1)
functools.partial(functools.partial(list.append, seen), 1)()
(lambda f: f(1))(seen.append)
(lambda *f: f[0](1))(seen.append)
(lambda **f: f["a"](1))(a=seen.append)
[f for f in (seen.append,)][0](1)
{1: seen.append}[1](1)
next(iter([seen.append]))(1)
max([seen.append], key=id)(1)
(seen.append if x else len)(1)
(x and seen.append)(1)
(None or seen.append)(1)
(y := seen.append)(1)
[y(1) for y in [seen.append]]
try: raise ValueError(seen)\nexcept ValueError as e: e.args[0].append(1)
try: raise ValueError\nexcept ValueError as e: seen.append(e)
try: 1/0\nexcept: seen.append(1)\nelse: pass
try: int("a")\nfinally: seen.append(1)
try:\n    try: 1/0\n    finally: seen.append(1)\nexcept ZeroDivisionError: pass
with contextlib.suppress(ZeroDivisionError): seen.append(1/0)
with contextlib.ExitStack() as st: st.callback(lambda: seen.append(1))
with contextlib.ExitStack() as st: st.enter_context(Acc())
with lock2: cache[1] = 2
cond.notify()
ev.set()
th_local.x = 1
th_local.x
unittest.mock.patch("math.sqrt").start()
timeit.timeit(lambda: seen.append(1))
x.__class__.count = 1
type(x).count = 1
x.append(1)
x["a"]["b"] = 1
x.a.b = 1
x.__dict__["a"] = 1
del x[0]
x[:] = []
x += [1]
y = x; y.append(1)
y = x[0]; y.append(1)
y = x or []; y.append(1)
y = [x]; y[0].append(1)
y = {"a": x}; y["a"].append(1)
y = (x,); y[0].append(1)
y = list(x); y[0].append(1)
y = x.copy(); y[0].append(1)
y = x[:]; y[0].append(1)
y = sorted(x); y[0].append(1)
for y in x: y.append(1)
for k, v in x.items(): v.append(1)
for y in zip(x, x): y[0].append(1)
for y in reversed(x): y.append(1)
for y in filter(None, x): y.append(1)
for y in map(lambda v: v, x): y.append(1)
for y in itertools.chain(x, x): y.append(1)
for y in itertools.islice(x, 2): y.append(1)
for y in iter(x): y.append(1)
[y.append(1) for y in x]
min(x).append(1)
next(iter(x)).append(1)
x.get("a").append(1)
x.pop()
x.setdefault("a", [])
copy.copy(x)[0].append(1)
dict(x)["a"].append(1)
{**x}["a"].append(1)
[*x][0].append(1)
heapq.heappush(x, 1)
bisect.insort(x, 1)
random.Random(1).shuffle(x)
list.sort(x)
x.sort()
setattr(x, "a", 1)
delattr(x, "a")
vars(x)["a"] = 1
operator.setitem(x, 0, 1)
operator.iadd(x, [1])
x.a += 1
x.a[0] += 1
x[0] += 1
x[0].b += 1
x |= {1}
x @= x
(x if x else [1]).append(1)
(lambda v: v.append(1))(x)
list(map(lambda v: v.append(1), [x]))
functools.partial(list.append, x)(1)
csv.writer(x).writerow([1])
json.dump([], x)
x.write("a")
x.read()
next(x)
x.send(1)
for y in x: pass\nnext(x)
x.close()
shutil.copyfileobj(x, io.BytesIO())
pickle.load(x)
BoolEq() in [1]
[BoolEq()] == [1]
[1].index(BoolEq())
sorted([BoolEq(), BoolEq()])
max([BoolEq(), BoolEq()])
if BoolEq() == 1: pass
GA2().v
GA2().m()
GA2().p
getattr(GA2(), "v")
hasattr(GA2(), "v")
operator.attrgetter("v")(GA2())
operator.methodcaller("m")(GA2())
del HasDelD().d
class K(MroE()): pass
LruM().m(1)
LruM().m2(1)
LruM().p
LruM().p2
LruM().p3.append(1)
LruM.c()
LruM.s(1)
LruM().s(1)
LruM().add(1)
LruM() + 1
len(LruM())
1 in LruM()
HasCall().f(1)
HasCall.f(1)
-HasCall()
not HasCall()
list(SubList([1]))
for q in SubList([1]): pass
[*SubList([1])]
sum(SubList([1]))
len(SubList2())
not SubList2()
SubDict(a=1)["a"]
SubDict().get(1)
dict(SubDict(a=1))
list(SubDict().keys())
str(SubStr("a"))
f"{SubStr('a')}"
"%s" % SubStr("a")
{SubStr("a"): 1}
SubStr("a") == "b"
"a" in {SubStr("a")}
[1][SubInt(0)]
range(SubInt(1))
sorted([SubInt(1), SubInt(2)])
min(SubInt(1), 2)
sum([SubInt(1)])
SubTuple([1])[0]
str(SubEnum.A)
f"{SubEnum.A}"
print(SubEnum.A, file=io.StringIO())
SubEnum.A == 1
SubEnum.A in [1]
sorted([SubEnum.A])
raise SubExc(1)
try: raise SubExc(1)\nexcept SubExc: pass
t = SubThread(); t.start(); t.join()
print("a", file=SubIO())
SubIO().write("a")
SubIO().writelines(["a"])
SubHandler().handle(1)
SubNT(1) == SubNT(2)
SubNT(1).b
SubNT(1) in [1]
M7.prop
M7.meth()
list(M7)
M7 == 1
M7 in [1]
[M7].index(1)
repr(M7)
f"{M7}"
M7 | 1
Multi().add(1) if 0 else Multi(seen).add(1)
MixC().go()
super(MixA, MixC()).go()
Cond().go()
Outer1.Inner().go()
Outer1.inner.go()
Outer1().inner.go()
hl.z
mod.anything
mod.go()
import hooked_module; hooked_module.anything
import hooked_module; hooked_module.go()
from hooked_module import thing
getattr(mod, "zz")
Cls1.add(1)
Cls1.new(1)
Cls1().new()
type(Cls1()).add(1)
Fluent(seen).where(1)
Fluent(seen).anything()
Fluent(seen).where(1).where(2)
apply2(seen.append, 1)
apply2(apply2, seen.append, 1)
apply2(f=seen.append)
compose(len, seen.append)([1])
compose(lambda v: v, lambda v: seen.append(v))(1)
curry(lambda a, b: a.append(b))(seen)(1)
curry(lambda a, b: b.append(a))(1)(seen)
list(lazy(lambda: seen.append(1))())
trampoline(lambda: lambda: seen.append(1))
y_comb(lambda r: lambda n: seen.append(n) if n else r(n - 1))(3)
Visitor().visit(1)
EventLoop2().on("a", seen.append).emit("a", 1)
s = State(); s.step(); s.step()
Chain(len, Chain(seen.append))([1])
with Ctx(seen.append): pass
with Ctx(seen.append) as g: g(1)
for q in IterBox([seen]): q.append(1)
[q.append(1) for q in IterBox([seen])]
list(IterBox([seen]))[0].append(1)
list(LenHint())
functools.partial(seen.append).func(1)
functools.partial(seen.append, 1).args; functools.partial(seen.append, 1)()
f = seen.append; g = f; g(1)
f = [seen.append]; f.append(len); f[x](1)
f = {"a": seen}; f["a"].append(1); f["b"] = []
a = []; b = a; b.append(seen); a[0].append(1)
a = {}; a.setdefault("k", seen).append(1)
a = []; a += [seen]; a[0].append(1)
a = [[]]; a[0] = seen; a[0].append(1)
a = [[]]; a[0].append(seen); a[0][0].append(1)
a = {"x": {"y": []}}; a["x"]["y"].append(seen); a["x"]["y"][0].append(1)
class K: pass\nk = K(); k.a = K(); k.a.b = seen; k.a.b.append(1)
class K: pass\nk = K(); k.f = seen.append; k.f(1)
class K:\n    def __init__(self, **k): self.__dict__.update(k)\nK(a=seen).a.append(1)
class K:\n    def __init__(self, **k):\n        for n, v in k.items(): setattr(self, n, v)\nK(a=seen).a.append(1)
class K(dict):\n    __getattr__ = dict.__getitem__\nK(a=seen).a.append(1)
class K(list): pass\nk = K(); k.append(seen); k[0].append(1)
class K(dict): pass\nk = K(); k["a"] = seen; k["a"].append(1)
class A:\n    def go(self): return self.x()\nclass B(A):\n    def x(self): seen.append(1)\nB().go()
class A:\n    def go(self): seen.append(1)\nclass B(A):\n    def go(self): return super().go()\nB().go()
class A:\n    @classmethod\n    def mk(cls): return cls()\n    def go(self): seen.append(1)\nA.mk().go()
class A:\n    def hit(self): seen.append(1)\nclass B:\n    a = A()\n    def go(self): self.a.hit()\nB().go()
def f():\n    try: yield 1\n    except ValueError: seen.append(1)\ng = f(); next(g); g.throw(ValueError)
def f():\n    x = yield\n    x(1)\ng = f(); next(g)\ntry: g.send(seen.append)\nexcept StopIteration: pass
def f(*, a): a.append(1)\nf(**{"a": seen})
def f(a, *b, c=None, **d): (d.get("z") or []).append(1)\nf(1, z=seen)
def f(n): return f(n - 1) if n else seen.append(1)\nf(3)
def f(n): return g(n)\ndef g(n): return f(n - 1) if n else seen.append(1)\nf(3)
x2 = [lambda: seen.append(1) for _ in range(2)]\nx2[0]()
x2 = [(lambda v: lambda: v.append(1))(s) for s in [seen]]\nx2[0]()
x2 = {k: v for k, v in [("a", seen)]}\nx2["a"].append(1)
x2 = (s for s in [seen])\nfor y in x2: y.append(1)
x2 = [*(s for s in (seen,))]\nx2[0].append(1)
while (y := seen) and len(y) < 3: y.append(1)
if (z := seen) is not None: z.append(1)
match [seen]:\n    case [a]: a.append(1)
match {"k": seen}:\n    case {"k": a, **r}: a.append(1)
match {"k": seen}:\n    case {**r}: r["k"].append(1)
match (1, seen):\n    case (1, a) if a is not None: a.append(1)
match seen:\n    case [] | [*_] as a: a.append(1)
match types.SimpleNamespace(a=seen):\n    case types.SimpleNamespace(a=b): b.append(1)
try: raise ExceptionGroup("a", [ValueError(seen)])\nexcept* ValueError as e: e.exceptions[0].args[0].append(1)
async def g():\n    yield seen\nasync for y in g(): y.append(1)
async def g(): return seen\n(await g()).append(1)
async def g():\n    x = yield\n    x.append(1)\ng2 = g(); await g2.asend(None); await g2.asend(seen)
async with contextlib.AsyncExitStack() as st: st.callback(seen.append, 1)
M7.x = 1
M7()
KC(items=seen).items.append(1)
KC(go=seen.append).go(1)
KD(items=seen).items.append(1)
KE(items=seen).items.append(1)
KF.load({"items": seen}).items.append(1)
k = KG(); k.__setstate__({"items": seen}); k.items.append(1)
kh.use()
kh.run()
mk().use()
k = KH(); k.hook = lambda: seen.append(1); k.run()
k = KH(); setattr(k, "hook", lambda: seen.append(1)); k.run()
k = KH(); setattr(k, x, lambda: seen.append(1)); k.run()
k = KH(); k.__dict__["hook"] = lambda: seen.append(1); k.run()
k = KH(); vars(k)[x] = seen; k.items.append(1)
k = [KH()][0]; k.items = seen; [KH(), k][1].items.append(1)
class Z(KH):\n    def hook(self): seen.append(1)\nZ().run()
class Z(KH):\n    items = seen\nZ().use()
""".strip().splitlines()
"""Each changes what outlives the call, or may run code that cannot be seen; ``\\n`` stands for a new line."""
