"""Whole small programs without effects, as people write them, each with an argument that it might be given."""

from __future__ import annotations

SOURCE = r"""
import collections, copy, csv, dataclasses, datetime, functools, heapq, io, itertools, json, math, operator, random, re
import statistics, string, typing

def matmul(ab):
    a, b = ab
    out = [[0.0] * len(b[0]) for _ in a]
    for i, row in enumerate(a):
        for j in range(len(b[0])):
            for k, v in enumerate(row):
                out[i][j] += v * b[k][j]
    return out

def bfs(args):
    graph, start = args
    seen = {start}
    queue = collections.deque([start])
    order = []
    while queue:
        node = queue.popleft()
        order.append(node)
        for nxt in graph.get(node, ()):
            if nxt not in seen:
                seen.add(nxt)
                queue.append(nxt)
    return order

def dijkstra(graph):
    dist = {n: math.inf for n in graph}
    dist["a"] = 0
    heap = [(0, "a")]
    while heap:
        d, n = heapq.heappop(heap)
        if d > dist[n]:
            continue
        for m, w in graph[n].items():
            nd = d + w
            if nd < dist[m]:
                dist[m] = nd
                heapq.heappush(heap, (nd, m))
    return dist

def queens(n):
    out = []
    cols, d1, d2 = set(), set(), set()
    board = []

    def place(r):
        if r == n:
            out.append(list(board))
            return
        for c in range(n):
            if c in cols or r + c in d1 or r - c in d2:
                continue
            cols.add(c)
            d1.add(r + c)
            d2.add(r - c)
            board.append(c)
            place(r + 1)
            cols.remove(c)
            d1.remove(r + c)
            d2.remove(r - c)
            board.pop()

    place(0)
    return len(out)

TOKEN = re.compile(r"\s*(?:(\d+)|(.))")

class Parser:
    def __init__(self, text):
        self.toks = [(n, o) for n, o in TOKEN.findall(text)]
        self.pos = 0

    def peek(self):
        return self.toks[self.pos] if self.pos < len(self.toks) else ("", "")

    def take(self):
        t = self.peek()
        self.pos += 1
        return t

    def expr(self):
        v = self.term()
        while self.peek()[1] in "+-" and self.peek()[1]:
            op = self.take()[1]
            r = self.term()
            v = v + r if op == "+" else v - r
        return v

    def term(self):
        v = self.atom()
        while self.peek()[1] in "*/" and self.peek()[1]:
            op = self.take()[1]
            r = self.atom()
            v = v * r if op == "*" else v / r
        return v

    def atom(self):
        n, o = self.take()
        if n:
            return int(n)
        if o == "(":
            v = self.expr()
            self.take()
            return v
        raise ValueError(o)

def calc(text):
    return Parser(text).expr()

def edit(ab):
    a, b = ab
    prev = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        cur = [i]
        for j, cb in enumerate(b, 1):
            cur.append(min(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (ca != cb)))
        prev = cur
    return prev[-1]

def lcs(ab):
    a, b = ab

    @functools.lru_cache(None)
    def go(i, j):
        if i == len(a) or j == len(b):
            return 0
        return 1 + go(i + 1, j + 1) if a[i] == b[j] else max(go(i + 1, j), go(i, j + 1))

    return go(0, 0)

def memo_fib(n, memo=None):
    memo = {} if memo is None else memo
    if n in memo:
        return memo[n]
    memo[n] = n if n < 2 else memo_fib(n - 1, memo) + memo_fib(n - 2, memo)
    return memo[n]

def normalise(row):
    row = dict(row)
    row["name"] = row["name"].strip().title()
    row["n"] += 1
    row.setdefault("tags", [])
    return row

def normalise2(row):
    out = {k.lower(): v.strip() if isinstance(v, str) else v for k, v in row.items()}
    out["n"] = int(out["n"])
    del out["n"]
    return out

def life(grid):
    new = [row[:] for row in grid]
    for i, row in enumerate(grid):
        for j, _ in enumerate(row):
            n = sum(
                grid[(i + a) % len(grid)][(j + b) % len(row)]
                for a in (-1, 0, 1)
                for b in (-1, 0, 1)
                if a or b
            )
            new[i][j] = 1 if n == 3 or (n == 2 and grid[i][j]) else 0
    return new

def flood(grid):
    g = copy.deepcopy(grid)
    stack = [(0, 0)]
    while stack:
        i, j = stack.pop()
        if 0 <= i < len(g) and 0 <= j < len(g[0]) and g[i][j] == 0:
            g[i][j] = 1
            stack += [(i + 1, j), (i, j + 1)]
    return g

def sort_bubble(xs):
    xs = list(xs)
    for i in range(len(xs)):
        for j in range(len(xs) - 1 - i):
            if xs[j] > xs[j + 1]:
                xs[j], xs[j + 1] = xs[j + 1], xs[j]
    return xs

def quick(xs):
    return (
        xs
        if len(xs) < 2
        else quick([x for x in xs[1:] if x < xs[0]]) + [xs[0]] + quick([x for x in xs[1:] if x >= xs[0]])
    )

def kmeans(points):
    rng = random.Random(0)
    cs = rng.sample(points, 2)
    for _ in range(5):
        groups = [[] for _ in cs]
        for p in points:
            groups[min(range(2), key=lambda i: sum((a - b) ** 2 for a, b in zip(p, cs[i])))].append(p)
        cs = [[sum(c) / len(c) for c in zip(*g)] if g else c for g, c in zip(groups, cs)]
    return cs

@dataclasses.dataclass
class Account:
    owner: str
    balance: float = 0.0
    log: list = dataclasses.field(default_factory=list)

    def deposit(self, n):
        self.balance += n
        self.log.append(n)
        return self

def simulate(amounts):
    acc = Account("a")
    for n in amounts:
        acc.deposit(n)
    return acc.balance, acc.log

def summarise(acc):
    return f"{acc.owner}: {acc.balance:.2f} ({len(acc.log)})"

def report(rows):
    groups = collections.defaultdict(list)
    for r in rows:
        groups[r["k"]].append(r["v"])
    return {k: {"n": len(v), "mean": statistics.mean(v), "max": max(v)} for k, v in sorted(groups.items())}

def to_csv(rows):
    out = io.StringIO()
    w = csv.DictWriter(out, ["a", "b"])
    w.writeheader()
    w.writerows(rows)
    return out.getvalue()

def flatten(x):
    return [y for z in x for y in (flatten(z) if isinstance(z, list) else [z])]

def tree_sum(t):
    return t["v"] + sum(map(tree_sum, t.get("kids", [])))

class Node:
    def __init__(self, v, l=None, r=None):
        self.v, self.l, self.r = v, l, r

    def insert(self, v):
        side = "l" if v < self.v else "r"
        child = getattr(self, side)
        if child is None:
            setattr(self, side, Node(v))
        else:
            child.insert(v)

    def __iter__(self):
        if self.l:
            yield from self.l
        yield self.v
        if self.r:
            yield from self.r

def tree_sort(xs):
    root = Node(xs[0])
    for x in xs[1:]:
        root.insert(x)
    return list(root)

def monte(n):
    rng = random.Random(n)
    return sum(rng.random() ** 2 + rng.random() ** 2 < 1 for _ in range(n)) * 4 / n

def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps

def mandel(c):
    z = 0j
    for i in range(50):
        z = z * z + c
        if abs(z) > 2:
            return i
    return 50

def wordfreq(text):
    return collections.Counter(w.strip(string.punctuation).lower() for w in text.split()).most_common(5)

def dates(s):
    d = datetime.datetime.strptime(s, "%Y-%m-%d")
    return (d + datetime.timedelta(days=1)).strftime("%a")

def luhn(s):
    return sum(int(c) if i % 2 else sum(divmod(2 * int(c), 10)) for i, c in enumerate(reversed(s))) % 10 == 0

def rle(s):
    return [(k, len(list(g))) for k, g in itertools.groupby(s)]

def perms(s):
    return sorted({"".join(p) for p in itertools.permutations(s)})

def caesar(s):
    return s.translate(
        str.maketrans(string.ascii_lowercase, string.ascii_lowercase[3:] + string.ascii_lowercase[:3])
    )

def stackvm(code):
    st = []
    ops = {"+": operator.add, "*": operator.mul}
    for t in code.split():
        if t in ops:
            b, a = st.pop(), st.pop()
            st.append(ops[t](a, b))
        else:
            st.append(float(t))
    return st.pop()

def merge(dicts):
    out = {}
    for d in dicts:
        for k, v in d.items():
            out.setdefault(k, []).extend(v if isinstance(v, list) else [v])
    return out

def topo(g):
    deg = collections.Counter(v for vs in g.values() for v in vs)
    ready = [n for n in g if not deg[n]]
    out = []
    while ready:
        n = ready.pop()
        out.append(n)
        for m in g[n]:
            deg[m] -= 1
            if not deg[m]:
                ready.append(m)
    return out

def vec(p):
    return Vec(*p) + Vec(1, 2) * 3

class Vec(typing.NamedTuple):
    x: float
    y: float

    def __add__(self, o):
        return Vec(self.x + o.x, self.y + o.y)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k)

def prefix(xs):
    out = [0]
    for x in xs:
        out.append(out[-1] + x)
    return out

def inplace_copy(xs):
    ys = xs[:]
    ys.sort()
    ys += [1]
    ys[0] -= 1
    return ys

def chunked(xs):
    it = iter(xs)
    return list(iter(lambda: list(itertools.islice(it, 2)), []))

def window(xs):
    w = collections.deque(maxlen=3)
    return [sum(w) for x in xs if not w.append(x)]

def trie(words):
    root = {}
    for w in words:
        node = root
        for c in w:
            node = node.setdefault(c, {})
        node["$"] = w
    return json.dumps(root)

def union(pairs):
    parent = {}

    def find(x):
        while parent.setdefault(x, x) != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for a, b in pairs:
        parent[find(a)] = find(b)
    return len({find(x) for x in parent})
"""

CALLS: list[tuple[str, str]] = [
    ("matmul", "([[1.0]], [[2.0]])"),
    ("bfs", "({'a': ['b']}, 'a')"),
    ("dijkstra", "{'a': {'b': 1}, 'b': {}}"),
    ("queens", "4"),
    ("calc", "'1+2'"),
    ("edit", "('a', 'b')"),
    ("lcs", "('a', 'b')"),
    ("memo_fib", "5"),
    ("normalise", "{'name': 'a', 'n': 1}"),
    ("normalise2", "{'A': 'b', 'n': '1'}"),
    ("life", "[[0, 1]]"),
    ("flood", "[[0]]"),
    ("sort_bubble", "[1, 2]"),
    ("quick", "[1, 2]"),
    ("kmeans", "[[1.0, 2.0], [3.0, 4.0]]"),
    ("simulate", "[1.0]"),
    ("summarise", "Account('a')"),
    ("report", "[{'k': 1, 'v': 2}]"),
    ("to_csv", "[{'a': 1, 'b': 2}]"),
    ("flatten", "[[1]]"),
    ("tree_sum", "{'v': 1, 'kids': [{'v': 2}]}"),
    ("tree_sort", "[1, 2]"),
    ("monte", "5"),
    ("collatz", "5"),
    ("mandel", "1j"),
    ("wordfreq", "'a'"),
    ("dates", "'2024-01-31'"),
    ("luhn", "'1'"),
    ("rle", "'a'"),
    ("perms", "'a'"),
    ("caesar", "'a'"),
    ("stackvm", "'1'"),
    ("merge", "[{'a': [1]}]"),
    ("topo", "{'a': ['b'], 'b': []}"),
    ("vec", "(1, 2)"),
    ("prefix", "[1]"),
    ("inplace_copy", "[1]"),
    ("chunked", "[1]"),
    ("window", "[1]"),
    ("trie", "['a']"),
    ("union", "[(1, 2)]"),
]
"""A function, and an argument as an expression."""
