"""What the bodies of `reached` have around them, besides `world` and `hooked_world`: shared objects of every kind."""

from __future__ import annotations

SOURCE = r"""
buf = bytearray(10)
arr = array.array("i", [1])
view = memoryview(buf)
cfg = configparser.ConfigParser()
con = sqlite3.connect(":memory:")
fobj = io.StringIO()
q = queue.Queue()
th_local = threading.local()
msg = email.message.Message()
root = ET.Element("a")
executor = concurrent.futures.ThreadPoolExecutor(1)
lists = [[1], [2]]
it_global = iter([1, 2])
gen_global = (q for q in range(3))
def gg():
    while True: yield 1
gg_ = gg()
rows = [{"a": 1}]
d_of_sets = collections.defaultdict(set)
lock2 = threading.RLock()
cond = threading.Condition()
ev = threading.Event()
cvar = contextvars.ContextVar("cvar")
obj_ns = types.SimpleNamespace(a=[], n=0)
frozen = frozenset([1])
tup = ([], 1)
nested_tup = (([],),)
cm_obj = contextlib.ExitStack()
part3 = functools.partial(setattr, box, "z")
meth = seen.append
class Reg(dict):
    def add(self, k): self[k] = 1
reg = Reg()
class Acc:
    total = 0
    items = []
    def __iadd__(self, o): self.total += o; return self
    def bump(self): Acc.total += 1
    def bump2(self): self.__class__.total += 1
    def bump3(self): self.items.append(1)
    def bump4(self): setattr(type(self), "total", 1)
    def lazy(self):
        if not hasattr(self, "_c"): self._c = 1
        return self._c
    @classmethod
    def make(cls): cls.items.append(1); return cls()
    @staticmethod
    def st(): Acc.items.append(1)
    def __call__(self, x): self.items.append(x)
    def __enter__(self): self.items.append(1); return self
    def __exit__(self, *a): pass
    def __getattr__(self, n):
        if n.startswith("dyn"): seen.append(n); return 1
        raise AttributeError(n)
acc = Acc()
class Singleton:
    _i = None
    def __new__(cls):
        if cls._i is None: cls._i = super().__new__(cls)
        return cls._i
class Observer:
    subs = []
    def on(self, f): self.subs.append(f)
    def fire(self, x):
        for s in self.subs: s(x)
obs = Observer(); obs.subs = [seen.append]
class Borg:
    _s = {}
    def __init__(self): self.__dict__ = self._s
class Tracked:
    inst = weakref.WeakSet()
    def __init__(self): self.inst.add(self)
class Auto:
    n = itertools.count()
    def __init__(self): self.i = next(self.n)
class RegMeta(type):
    reg = {}
    def __init__(cls, n, b, d): cls.reg[n] = cls; super().__init__(n, b, d)
class WithMeta(metaclass=RegMeta): pass
def memo(f):
    c = {}
    def w(x):
        if x not in c: c[x] = f(x)
        return c[x]
    return w
@memo
def memoed(x): return x
def outer():
    n = 0
    def inc():
        nonlocal n
        n += 1
        return n
    return inc
inc = outer()
def attr_counter(x):
    attr_counter.n = getattr(attr_counter, "n", 0) + 1
def rec(x, acc=[]):
    if x: acc.append(x); rec(x - 1)
def default_dict(x, c={}):
    if x not in c: c[x] = 1
    return c[x]
class DefaultArg:
    def go(self, x, c=[]): c.append(x)
def kwonly(x, *, c=set()): c.add(x)
def deco2(f):
    @functools.wraps(f)
    def w(*a, **k):
        w.calls += 1
        return f(*a, **k)
    w.calls = 0
    return w
@deco2
def counted2(x): return x
def g_star(*a): a[0].append(1)
def chain_(f): return lambda x: f(f(x))
def callback(x, cb): return cb(x)
dispatch = {int: lambda v: seen.append(v), str: len}
table = [None, seen.append]
class Strategy:
    def __init__(self, f): self.f = f
    def run(self, x): return self.f(x)
strat = Strategy(seen.append)
class Prop2:
    _v = []
    @property
    def v(self): return self._v
prop2 = Prop2()
class Lz:
    def __get__(self, i, o):
        i.__dict__["x"] = 1
        return 1
class HasLz:
    x2 = Lz()
haslz = HasLz()
async def aput(x): seen.append(x)
class BoolEq:
    def __eq__(self, o): return Bool()
    def __hash__(self): return 1
    def __lt__(self, o): return Bool()
class GA2:
    v = 1
    def __getattribute__(self, n): seen.append(n); return object.__getattribute__(self, n)
    def m(self): return 1
    @property
    def p(self): return 1
class DelD:
    def __delete__(self, i): seen.append(1)
    def __set__(self, i, v): pass
class HasDelD: d = DelD()
class MroE:
    def __mro_entries__(self, bases): seen.append(1); return (Box,)
class LruM:
    @functools.lru_cache(None)
    def m(self, x): return x
    @functools.lru_cache(None)
    def m2(self, x): seen.append(x); return x
    @property
    @functools.lru_cache(None)
    def p(self): seen.append(1); return 1
    p2 = property(functools.partial(lambda s: seen.append(1)))
    p3 = property(operator.attrgetter("items"))
    items = seen
    call = Acc2 = None
    @classmethod
    @functools.lru_cache(None)
    def c(cls): seen.append(1)
    @staticmethod
    @functools.lru_cache(None)
    def s(x): seen.append(1)
    add = seen.append
    __add__ = functools.partialmethod(lambda s, o: seen.append(o))
    __len__ = functools.lru_cache(None)(lambda s: seen.append(1) or 1)
    __contains__ = lambda s, o: seen.append(o)
class CallObj:
    def __call__(self, *a): seen.append(a); return 1
class HasCall:
    f = CallObj()
    __neg__ = CallObj()
    __bool__ = CallObj()
class SubList(list):
    def __iter__(self): seen.append(1); return super().__iter__()
class SubList2(list):
    def __len__(self): seen.append(1); return 1
class SubDict(dict):
    def __getitem__(self, k): seen.append(k); return super().__getitem__(k)
    def get(self, k, d=None): seen.append(k); return d
    def keys(self): seen.append(1); return super().keys()
class SubStr(str):
    def __str__(self): seen.append(1); return "a"
    def __format__(self, s): seen.append(1); return "a"
    def __hash__(self): seen.append(1); return 1
    def __eq__(self, o): seen.append(1); return True
class SubInt(int):
    def __index__(self): seen.append(1); return 1
    def __lt__(self, o): seen.append(1); return True
    def __radd__(self, o): seen.append(1); return 1
class SubTuple(tuple):
    def __getitem__(self, i): seen.append(1); return 1
class SubEnum(enum.Enum):
    A = 1
    def __str__(self): seen.append(1); return "a"
    def __eq__(self, o): seen.append(1); return True
    def __hash__(self): return 1
    def __lt__(self, o): seen.append(1); return True
class SubExc(Exception):
    def __init__(self, x): seen.append(x)
class SubThread(threading.Thread):
    def run(self): seen.append(1)
class SubIO(io.StringIO):
    def write(self, s): seen.append(s); return 1
class SubHandler(logging.Handler):
    def emit(self, r): seen.append(r)
class SubNT(typing.NamedTuple("SubNTB", [("a", object)])):
    def __eq__(self, o): seen.append(1); return True
    @property
    def b(self): seen.append(1); return 1
class Meta7(type):
    @property
    def prop(cls): seen.append(1); return 1
    def meth(cls): seen.append(1)
    def __iter__(cls): seen.append(1); return iter(())
    def __eq__(cls, o): seen.append(1); return True
    def __hash__(cls): return 1
    def __repr__(cls): seen.append(1); return "a"
    def __lt__(cls, o): seen.append(1); return True
    def __or__(cls, o): seen.append(1); return cls
class M7(metaclass=Meta7): pass
class Multi(Base, Box): pass
class MixA:
    def go(self): return super().go()
class MixB:
    def go(self): seen.append(1)
class MixC(MixA, MixB): pass
class Cond:
    if True:
        def go(self): seen.append(1)
    else:
        def go(self): pass
class Outer1:
    class Inner:
        items = seen
        def go(self): self.items.append(1)
    inner = Inner()
class LazyProp:
    def __init__(self, f): self.f = f
    def __get__(self, i, o):
        v = self.f(i); setattr(i, self.f.__name__, v); return v
class HasLazy:
    @LazyProp
    def z(self): return 1
hl = HasLazy()
mod = types.ModuleType("hooked_module")
exec("seen2 = []", mod.__dict__)
exec("def __getattr__(n):\n    seen2.append(n)\n    return 1", mod.__dict__)
exec("def go(): seen2.append(1)", mod.__dict__)
sys.modules["hooked_module"] = mod
class Cls1:
    registry = []
    @classmethod
    def add(cls, x): cls.registry.append(x); return cls
    @classmethod
    def new(cls, *a): return cls.add(1)
class Fluent:
    def __init__(self, l): self.l = l
    def where(self, x): self.l.append(x); return self
    def __getattr__(self, n): return functools.partial(self.where, n)
def apply2(f, *a, **k): return f(*a, **k)
def compose(*fs): return lambda x: functools.reduce(lambda v, f: f(v), fs, x)
def curry(f): return lambda a: lambda b: f(a, b)
def lazy(f):
    def g():
        yield f()
    return g
def trampoline(f, *a):
    r = f(*a)
    while callable(r): r = r()
    return r
def y_comb(f): return (lambda q: q(q))(lambda q: f(lambda v: q(q)(v)))
class Visitor:
    def visit(self, n): return getattr(self, "visit_" + type(n).__name__, self.generic)(n)
    def generic(self, n): return n
    def visit_int(self, n): seen.append(n)
class EventLoop2:
    def __init__(self): self.h = {}
    def on(self, n, f): self.h.setdefault(n, []).append(f); return self
    def emit(self, n, *a):
        for f in self.h.get(n, ()): f(*a)
class State:
    def __init__(self): self.s = self.a
    def a(self): self.s = self.b; return 1
    def b(self): seen.append(1)
    def step(self): return self.s()
class Chain:
    def __init__(self, f, nxt=None): self.f, self.nxt = f, nxt
    def __call__(self, x):
        self.f(x)
        if self.nxt: self.nxt(x)
class Ctx:
    def __init__(self, f): self.f = f
    def __enter__(self): return self.f
    def __exit__(self, *a): self.f(1)
class IterBox:
    def __init__(self, xs): self.xs = xs
    def __iter__(self): return iter(self.xs)
class LenHint:
    def __length_hint__(self): seen.append(1); return 1
    def __iter__(self): return iter(())
def f2(*a): return a
class KC:
    items = None
    go = None
    def __init__(self, **k):
        for n, v in k.items(): setattr(self, n, v)
class KD:
    items = None
    def __init__(self, **k): self.__dict__.update(k)
class KE:
    items = None
    def __init__(self, **k): vars(self).update(**k)
class KF:
    items = None
    @classmethod
    def load(cls, d):
        o = cls.__new__(cls); o.__dict__ = d; return o
class KG:
    items = None
    def __setstate__(self, s): self.__dict__.update(s)
class KH:
    items = ()
    def use(self): self.items.append(1)
    def hook(self): pass
    def run(self): self.hook()
kh = KH(); kh.items = []; kh.hook = lambda: seen.append(1)
def mk():
    k = KH(); k.items = seen; return k
"""
