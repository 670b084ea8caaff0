"""Ordinary code without effects: bodies of a function of `x`, among the names of `world` and `ordinary_world`."""

from __future__ import annotations

BODIES = r"""
return V(1, 2) + V(3, 4) == V(4, 6)
return sorted([V(2, 1), V(1, 2)])
return max([V(2, 1), V(1, 2)], key=lambda v: v.norm)
return {V(1, 2): 1}[V(1, 2)]
return V(1, 2) in {V(1, 2)}
return [V(1, 2)].index(V(1, 2))
a, b = V(1, 2); a + b
return sum(V(1, 2))
return f"{V(1, 2)!r:>10}"
return "%s %r" % (V(1, 2), V(3, 4))
return "{0.a} {1[0]}".format(V(1, 2), V(3, 4))
return str([V(1, 2)])
return not V(0, 0)
return any([V(0, 0)])
return V.zero().scaled(2).norm
return V.unit() * 3
return copy.deepcopy(V(1, 2)).a
return copy.copy(V(1, 2)).b
return pickle.dumps(V(1, 2))
return list(It(3))
return sum(It(3))
for i in It(3): y = i
s = Stack(); s.push(1).push(2); s.pop()
with Stack() as s: s.push(1)
n = Node(1); n.next = Node(2); n.next.value
t = Tree(); t["a"]["b"]["c"] = 1
return Sq(2).describe()
return [s.area() for s in [Sq(1), Sq(2)]]
return Level.LOW.label
return Level.LOW < Level.HIGH
return max(Level)
return Level(1).better(Level.HIGH)
return Level["LOW"].name
return P(1, 2) < P(2, 3)
return P(1, 2).moved(3).x
return str(P(1, 2))
return repr(P(1, 2))
return P(1, 2) == P(1, 2)
return P().tags.append(1)
return {P(1, 2): 1}
return dataclasses.asdict(P(1, 2))
return P(1, 2).far
return Row3(1, "a").total()
return Row3(1)._replace(b="x").total()
return Row3(1) == Row3(2)
return Row3(1)._asdict()
try: raise MyErr("a", 1)\nexcept MyErr as e: return e.code
class K(Plugin): pass\nK()
return Impl2().run(1)
h = HasDesc(); h.v = 1; h.v
return json.dumps({"a": 1}, cls=Enc2)
return json.dumps({"a": [1, 2]}, sort_keys=True)
return json.loads(x)["a"]
return helper(1, 2, 3, d=5, e=6)
return helper(*[1, 2], **{"d": 3})
return dict(parse(line) for line in "a=1".splitlines())
return show([1, 2])
return show(1)
with timing() as t: y = 1
return WORD.findall(str(x))
return collections.Counter(WORD.findall(str(x))).most_common(3)
return [m.group() for m in WORD.finditer("a b")]
return LIMITS["a"] + LIMITS.get("c", 0)
return sum(LIMITS.values())
return {k: v * 2 for k, v in LIMITS.items()}
return x in NAMES
return OPS["+"](1, 2)
return OPS[x](1, 2)
return sqrt(2)
return fib(10)
return list(gen3(3))
return sum(v for v in gen3(3) if v > 1)
return even(3)
return functools.reduce(lambda a, b: a * b, range(1, 5))
return functools.partial(helper, 1)(2)
return list(map(functools.partial(helper, b=3), [1, 2]))
return sorted([3, 1], key=lambda v: -v)
return sorted({"a": 1}.items(), key=operator.itemgetter(1), reverse=True)
return sorted([V(1, 2)], key=operator.attrgetter("a"))
return list(map(operator.methodcaller("upper"), ["a"]))
return list(zip(*[[1, 2], [3, 4]]))
return [list(g) for k, g in itertools.groupby(sorted([1, 1, 2]))]
return list(itertools.accumulate([1, 2, 3]))
return list(itertools.combinations(range(3), 2))
return heapq.nsmallest(2, [3, 1, 2])
h = [3, 1, 2]; heapq.heapify(h); heapq.heappush(h, 1); heapq.heappop(h)
return bisect.bisect_left([1, 2, 3], 2)
d = collections.defaultdict(list); d["a"].append(1); dict(d)
d = collections.deque(maxlen=3); d.append(1); list(d)
d = collections.OrderedDict(a=1); d.move_to_end("a")
return hashlib.sha256(b"a").hexdigest()
h = hashlib.md5(); h.update(b"a"); h.hexdigest()
return zlib.decompress(zlib.compress(b"abc"))
return base64.b64encode(b"a").decode()
return re.sub(r"a(.)", lambda m: m.group(1), "ab")
return statistics.mean([1, 2, 3])
return decimal.Decimal("1.1") + 1
return fractions.Fraction(1, 3) * 2
return datetime.datetime(2020, 1, 1) + datetime.timedelta(days=1)
return datetime.date.fromisoformat("2020-01-01").isoformat()
return uuid.UUID(int=1).hex
return pathlib.PurePath("a") / "b"
return urllib.parse.urlparse("http://a/b?c=d").query
return urllib.parse.parse_qs("a=1")
return html.escape("<")
return struct.unpack("<I", b"abcd")
return list(csv.reader(io.StringIO("a,b")))
o = io.StringIO(); csv.writer(o).writerow([1]); o.getvalue()
o = io.BytesIO(); o.write(b"a"); o.getvalue()
o = io.StringIO(); print("a", file=o); o.getvalue()
return difflib.SequenceMatcher(None, "a", "b").ratio()
return string.Template("$a").substitute(a=1)
return random.Random(1).random()
r = random.Random(1); l = [1, 2]; r.shuffle(l)
return os.path.join("a", "b")
return os.path.splitext("a.b")[0]
with open("a") as q: return q.read()
return [line.split() for line in open("a")]
return urllib.request.urlopen("http://a").read()
return urllib.request.urlopen(x).read()
return urllib.request.urlopen(x, timeout=3).read()
with urllib.request.urlopen(x) as r: return r.read().decode()
c = http.client.HTTPConnection("a"); c.request("GET", "/"); return c.getresponse().read()
c = http.client.HTTPConnection(x); c.request("GET", "/"); return c.getresponse().read()
r = urllib.request.Request(x, headers={"a": "b"}); return urllib.request.urlopen(r).status
return json.load(urllib.request.urlopen(x))
match x:\n    case {"a": v}: return v\n    case [a, *r]: return len(r)\n    case V(a=q): return q
match x:\n    case str() | int(): return 1
match P(1, 2):\n    case P(0, y): return y\n    case P(x=q): return q
def a():\n    n = 0\n    def b():\n        nonlocal n\n        n += 1\n        return n\n    return b() + b()\na()
def a(v, acc=None):\n    acc = acc or []\n    acc.append(v)\n    return acc\na(1)
class K:\n    def __init__(self): self.v = []\n    def add(self, q): self.v.append(q); return self\nK().add(1).add(2).v
class K:\n    c = []\n    def add(self, q): return len(self.c)\nK().add(1)
class K:\n    @property\n    def v(self): return 1\nK().v
class K:\n    @staticmethod\n    def s(q): return q\n    @classmethod\n    def m(cls): return cls()\nK.s(1); K.m()
class K(V):\n    def __init__(self, a): super().__init__(a, a)\nK(1) + K(2)
@dataclasses.dataclass\nclass K:\n    a: int\n    b: list = dataclasses.field(default_factory=list)\nK(1).b.append(1)
p = list(x); p[0] = 1; p.sort(); return p
p = [list(r) for r in x]; p[0][0] = 1
p = [0] * 10; p[3] += 1; return p
p = [[0] * 3 for _ in range(3)]; p[1][2] += 1
p = {}; p[x] = p.get(x, 0) + 1
p = {}\nfor q in x: p.setdefault(q, []).append(q)
p = {}\nfor q in x:\n    if q not in p: p[q] = 0\n    p[q] += 1\nreturn max(p, key=p.get)
p = x.split(); p.append("a"); return " ".join(p)
p = x.copy(); p["a"] = 1; return p
p = {**x, "a": 1}; p["b"] = 2
p = sorted(x); p.append(1)
p = bytearray(b"abc"); p[0] = 1; return bytes(p)
p = set(x); p.add(1); p |= {2}; p.discard(3)
a, b = 0, 1\nfor _ in range(x): a, b = b, a + b\nreturn a
n = x\nwhile n != 1: n = n // 2 if n % 2 == 0 else 3 * n + 1
y = [q for q in range(2, x) if all(q % d for d in range(2, int(q ** .5) + 1))]
y = "".join(chr(ord(c) ^ 1) for c in x)
y = x[::-1] == x
y = tuple(sorted(x)); return hash(y)
if not x: return None\nreturn x[0] if isinstance(x, list) else x
try: return int(x)\nexcept (ValueError, TypeError): return None
try: return LIMITS[x]\nexcept KeyError as e: raise MyErr(str(e)) from e
assert x, "no x"
y = lambda: x\nreturn y()
return (lambda *a, **k: (a, k))(1, b=2)
return getattr(x, "name", None)
return type(x).__name__
return [type(q).__name__ for q in (1, "a")]
return isinstance(x, (int, float)) and x > 0
return issubclass(type(x), V)
return hasattr(x, "a")
return vars(V(1, 2)).copy()
return V(1, 2).__dict__["a"]
return V.__name__, V.__mro__
return print
return id(x), callable(x)
return locals()
return [*x, *x], {*x}, {**{}}
return x @ x
return x.a.b.c
return x[0][1:2]
return round(x, 2), abs(x), divmod(x, 3), pow(x, 2), min(x, 1), max(x, 2)
return int(x), float(x), str(x), bool(x), list(x), tuple(x), set(x), dict(x)
return "a" in x, x == 1, x < 2, x is None, not x
return await asyncio.sleep(0)
return [await q for q in []]
async with asyncio.Semaphore(1): pass
return await asyncio.gather(*[asyncio.sleep(0) for _ in range(3)])
""".strip().splitlines()
"""None has an effect; ``\\n`` stands for a new line."""
