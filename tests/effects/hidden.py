"""Effects that are easy to miss: bodies of a function of `x`, run among the names of `world`."""

from __future__ import annotations

from autopar._model.effects import EffectKind as E

INTO_AN_ARGUMENT = """
    x.a.b.c
    x[0:2][0]
    x.T
    x.get('k')
    x.copy()['k']
    x.pop()
    x.setdefault('a', [])
    x.__getitem__(0)
    list(x)[0]
    [*x][0]
    tuple(x)[0]
    sorted(x)[0]
    list(set(x))[0]
    list(iter(x))[0]
    list(reversed(x))[0]
    list(map(same, x))[0]
    list(filter(None, x))[0]
    list(zip(x, x))[0][0]
    list(enumerate(x))[0][1]
    list(x.values())[0]
    list(x.items())[0][1]
    dict(x)['k']
    dict(a=x)['a']
    dict([('a', x)])['a']
    {**x}['k']
    {'a': x}['a']
    {1: x}.get(1)
    {1: x}.popitem()[1]
    list({1: x}.items())[0][1]
    {k: v for k, v in x.items()}['a']
    [r for r in x][0]
    [r for rs in x for r in rs][0]
    next(iter(x))
    next(r for r in x)
    max(x)
    min(x, key=len)
    sum(x, [])[0]
    (x + x)[0]
    (x * 2)[0]
    (x, 1)[0]
    [x][0]
    [[x]][0][0]
    [1, x][-1]
    x or []
    (x if 1 else [])
    same(x)
    either(x, 1)
    (lambda y: y)(x)
    Box(x).items
    vars(x)['rows']
    getattr(x, 'rows')
    copy.copy(x).rows
    dataclasses.replace(x).rows
    copy.deepcopy([x]) and x
    collections.deque(x)[0]
    collections.OrderedDict(x)['a']
    collections.ChainMap(x)['a']
    collections.defaultdict(list, x)['a']
    itertools.groupby(x).__next__()[1]
    list(itertools.chain(x))[0]
    list(itertools.islice(x, 3))[0]
    functools.reduce(lambda a, b: b, x)
    operator.itemgetter(0)(x)
    operator.attrgetter('rows')(x)
"""
"""Expressions that may give the argument or something in it: changing what they give changes the argument."""

OF_AN_OBJECT = """
    str(noisy)
    repr(noisy)
    f'{noisy}'
    '%s' % noisy
    '{}'.format(noisy)
    len(noisy)
    hash(noisy)
    bool(noisy)
    not noisy
    noisy and 1
    1 if noisy else 2
    any([noisy])
    noisy < noisy
    noisy == 1
    1 in noisy
    1 + noisy
    -noisy
    sum([noisy])
    sorted([noisy, noisy])
    min(noisy, noisy)
    {noisy: 1}
    {noisy}
    noisy(x)
    Noisy()(x)
    list(map(noisy, [1]))
    print(noisy, file=io.StringIO())
"""
"""Expressions that call a special method of an object."""

ELSEWHERE: list[tuple[E, str]] = [
    # Containers that hold the shared list
    (E.WRITES_SHARED, "d = {'s': seen}; d['s'].append(x)"),
    (E.WRITES_SHARED, "d = {'s': seen}; d.get('s').append(x)"),
    (E.WRITES_SHARED, "d = {'s': seen}\nfor v in d.values(): v.append(x)"),
    (E.WRITES_SHARED, "d = {'s': seen}\nfor k, v in d.items(): v.append(x)"),
    (E.WRITES_SHARED, "d = {}; d[x] = seen; d['q'].append(x)"),
    (E.WRITES_SHARED, "l = [seen]; l.pop().append(x)"),
    (E.WRITES_SHARED, "l = [seen]; l[-1].append(x)"),
    (E.WRITES_SHARED, "l = [seen]; a, = l; a.append(x)"),
    (E.WRITES_SHARED, "l = [[], seen]; l.reverse(); l[0].append(x)"),
    (E.WRITES_SHARED, "q = collections.deque([seen]); q.popleft().append(1)"),
    (E.WRITES_SHARED, "it = iter([seen]); next(it).append(1)"),
    (E.WRITES_SHARED, "Row(seen, 1).a.append(1)"),
    (E.WRITES_SHARED, "Row(seen, 1)._replace(b=2).a.append(1)"),
    (E.WRITES_SHARED, "Row._make([seen, 1])[0].append(1)"),
    (E.WRITES_SHARED, "P = collections.namedtuple('P', 'a b'); P(seen, 1).a.append(1)"),
    (E.WRITES_SHARED, "nested['a'][0].append(1)"),
    (E.WRITES_SHARED, "return {**{}, 'a': seen.append(x)}"),
    (E.WRITES_SHARED, "cache.copy()['a']['b'] = 1"),
    (E.WRITES_SHARED, "r = json.loads('[]'); r.append(seen); r[0].append(1)"),
    (E.WRITES_SHARED, "r = [None] * 3; r[0] = seen; r[0].append(1)"),
    (E.WRITES_SHARED, "r = x + [1]; r.append(seen); r[2].append(1)"),
    (E.WRITES_SHARED, "r = 'a b'.split(); r.append(seen); r[-1].append(1)"),
    (E.WRITES_SHARED, "r = {}.fromkeys([1]); r[1] = seen; r[1].append(1)"),
    (E.WRITES_SHARED, "r = types.SimpleNamespace(); r.a = seen; r.a.append(1)"),
    (E.WRITES_SHARED, "q = queue.Queue(); q.put(seen); q.get().append(1)"),
    (E.WRITES_SHARED, "t = threading.local(); t.rows = seen; t.rows.append(1)"),
    (E.WRITES_SHARED, "weakref.WeakValueDictionary(a=box)['a'].add(1)"),
    (E.WRITES_SHARED, "for d in itertools.chain.from_iterable([[seen]]): d.append(1)"),
    (E.WRITES_SHARED, "for d, e in itertools.product([seen], [1]): d.append(1)"),
    (E.WRITES_SHARED, "collections.UserDict(a=seen)['a'].append(1)"),
    (E.WRITES_SHARED, "with contextlib.ExitStack() as s: s.enter_context(contextlib.nullcontext(seen)).append(1)"),
    (E.WRITES_SHARED, "with concurrent.futures.ThreadPoolExecutor() as e: e.submit(lambda: seen).result().append(1)"),
    # Ways of changing
    (E.WRITES_SHARED, "global seen\nseen += [x]"),
    (E.WRITES_SHARED, "seen[:] = []"),
    (E.WRITES_SHARED, "del seen[:]"),
    (E.WRITES_SHARED, "seen.__setitem__(0, 1)"),
    (E.WRITES_SHARED, "names.__ior__({1})"),
    (E.WRITES_SHARED, "list.append(seen, x)"),
    (E.WRITES_SHARED, "dict.update(cache, {1: 2})"),
    (E.WRITES_SHARED, "getattr(seen, 'append')(x)"),
    (E.WRITES_SHARED, "operator.methodcaller('append', 1)(seen)"),
    (E.WRITES_SHARED, "operator.attrgetter('append')(seen)(1)"),
    (E.WRITES_SHARED, "object.__setattr__(box, 'x', 1)"),
    (E.WRITES_SHARED, "setattr(Box, 'x', 1)"),
    (E.WRITES_SHARED, "box.__dict__['x'] = 1"),
    (E.WRITES_SHARED, "box.__dict__.update(x=1)"),
    (E.WRITES_SHARED, "vars(box)['x'] = 1"),
    (E.WRITES_SHARED, "add_one.calls = 1"),
    (E.WRITES_SHARED, "return random.Random.random(generator)"),
    (E.WRITES_SHARED, "weakref.ref(box)().add(1)"),
    # Names for the same object
    (E.WRITES_SHARED, "a = b = seen\nb.append(1)"),
    (E.WRITES_SHARED, "if (y := seen): y.append(1)"),
    (E.WRITES_SHARED, "(x or seen).append(1)"),
    (E.WRITES_SHARED, "while True:\n    y = seen\n    if x: break\ny.append(1)"),
    (E.WRITES_SHARED, "y = None\nfor i in range(3):\n    if y is not None: y.append(1)\n    y = seen"),
    (E.WRITES_ARGUMENT, "match x:\n    case {'a': row}: row.append(1)"),
    (E.WRITES_ARGUMENT, "match x:\n    case [a, *rest]: a.append(1)"),
    (E.WRITES_ARGUMENT, "x.rows[0] = 1"),
    (E.WRITES_ARGUMENT, "x.rows.more[0] = 1"),
    (E.WRITES_ARGUMENT, "x.rows[0] += 1"),
    (E.WRITES_ARGUMENT, "x.rows += [1]"),
    (E.WRITES_ARGUMENT, "x.rows.more = 1"),
    (E.WRITES_ARGUMENT, "del x.rows[0]"),
    (E.WRITES_ARGUMENT, "del x.rows"),
    (E.WRITES_ARGUMENT, "y = x.rows; y[0] = 1"),
    (E.WRITES_ARGUMENT, "y = x.rows; y += [1]"),
    (E.WRITES_ARGUMENT, "y = [x.rows]; y[0][0] = 1"),
    (E.WRITES_ARGUMENT, "b = Box(x.rows); b.items[0] = 1"),
    (E.WRITES_ARGUMENT, "for r in x.rows: r[0] = 1"),
    (E.WRITES_ARGUMENT, "a, b = x.rows; a[0] = 1"),
    (E.WRITES_ARGUMENT, "f = lambda: x.rows; f()[0] = 1"),
    (E.WRITES_ARGUMENT, "same(x.rows)[0] = 1"),
    (E.WRITES_ARGUMENT, "add_one(x.rows)"),
    (E.WRITES_SHARED, "box.items[0] = 1"),
    (E.WRITES_SHARED, "y = box.items; y += [1]"),
    (E.WRITES_ARGUMENT, "for k, v in x.items(): v.append(1)"),
    (E.WRITES_ARGUMENT, "for a, b in zip(x, [1]): a.append(1)"),
    # Through calls
    (E.WRITES_SHARED, "by_name(**{'target': seen})"),
    (E.WRITES_SHARED, "by_star(*[seen])"),
    (E.WRITES_SHARED, "by_star(*(seen,))"),
    (E.WRITES_SHARED, "apply(seen.append, x)"),
    (E.WRITES_SHARED, "countdown(3, seen)"),
    (E.WRITES_SHARED, "(lambda f: f(x))(seen.append)"),
    (E.WRITES_SHARED, "[f(x) for f in [seen.append]]"),
    (E.WRITES_SHARED, "functools.reduce(lambda a, v: (a.append(v), a)[1], [1, 2], seen)"),
    (E.WRITES_SHARED, "return max([1, 2], key=lambda v: seen.append(v) or v)"),
    (E.WRITES_SHARED, "return any(seen.append(v) for v in [1])"),
    (E.WRITES_SHARED, "return sorted([1], key=box.add)"),
    (E.WRITES_SHARED, "return list(filter(seen.append, [x]))"),
    (E.WRITES_SHARED, "functools.partial(Box.keep)(x)"),
    (E.WRITES_ARGUMENT, "functools.partial(add_one)(x)"),
    (E.WRITES_SHARED, "t = threading.Thread(target=seen.append, args=(x,)); t.start(); t.join()"),
    (E.WRITES_SHARED, "with concurrent.futures.ThreadPoolExecutor() as e: return list(e.map(add_one, [seen]))"),
    (E.WRITES_SHARED, "with concurrent.futures.ThreadPoolExecutor() as e: return e.submit(seen.append, x).result()"),
    (E.WRITES_SHARED, "contextvars.copy_context().run(seen.append, x)"),
    (E.WRITES_CLOSURE, "return counted(x)"),
    # Closures of this call around shared objects
    (E.WRITES_SHARED, "def mk(): return seen.append\nmk()(x)"),
    (E.WRITES_SHARED, "def inner(): return seen\nfor i in range(2):\n    inner().append(i)"),
    (E.WRITES_SHARED, "(lambda a=seen: a.append(1))()"),
    (E.WRITES_SHARED, "fs = []\nfor v in (seen,): fs.append(lambda: v.append(1))\nfs[0]()"),
    (E.WRITES_SHARED, "d = {'a': lambda: seen.append(1)}; d['a']()"),
    (E.WRITES_SHARED, "z = []\ndef put(): z.append(seen)\nput()\nz[0].append(1)"),
    (E.WRITES_SHARED, "b = None\ndef put():\n    nonlocal b\n    b = seen\nput()\nb.append(1)"),
    (E.WRITES_SHARED, "def f(): f.calls.append(1)\nf.calls = seen\nf()"),
    (E.WRITES_ARGUMENT, "a = [x]\ndef f():\n    for r in a: r.append(1)\nf()"),
    (E.WRITES_SHARED, "def g(): yield from h()\ndef h():\n    seen.append(1); yield 1\nreturn list(g())"),
    (E.WRITES_SHARED, "async def g():\n    seen.append(1); yield 1\nasync for v in g(): pass"),
    # Objects and classes
    (E.OUTPUT, "box.callback(x)"),
    (E.WRITES_SHARED, "Box().shared[x] = 1"),
    (E.WRITES_SHARED, "Box.shared[x] = 1"),
    (E.WRITES_SHARED, "Box().count_by_type()"),
    (E.WRITES_SHARED, "Box().count_by_class()"),
    (E.WRITES_SHARED, "Box.counted(x)"),
    (E.WRITES_SHARED, "Box().counted(x)"),
    (E.WRITES_SHARED, "Box.keep(x)"),
    (E.WRITES_SHARED, "Box().keep(x)"),
    (E.WRITES_SHARED, "Box(seen).add(1)"),
    (E.WRITES_SHARED, "b = Box(); b.items = seen; b.add(1)"),
    (E.WRITES_SHARED, "b = Box(); setattr(b, 'items', seen); b.add(1)"),
    (E.WRITES_SHARED, "b = Box(); setattr(b, x, seen); b.add(1)"),
    (E.WRITES_SHARED, "b = Box(); b.__dict__['items'] = seen; b.add(1)"),
    (E.WRITES_SHARED, "b = Box(); b.__dict__.update(items=seen); b.add(1)"),
    (E.WRITES_SHARED, "box.inner.value = 1"),
    (E.WRITES_SHARED, "box.inner.add(1)"),
    (E.WRITES_SHARED, "return box.lazy"),
    (E.WRITES_SHARED, "Checked(x)"),
    (E.WRITES_SHARED, "Property().value = x"),
    (E.WRITES_SHARED, "SetsAttributes().z = x"),
    (E.WRITES_SHARED, "return GetsAttributes().z"),
    (E.WRITES_SHARED, "return HasDescriptor().value"),
    (E.WRITES_SHARED, "HasDescriptor().value = x"),
    (E.WRITES_SHARED, "noisy[x] = 1"),
    (E.WRITES_SHARED, "del noisy[x]"),
    (E.WRITES_SHARED, "n = Noisy(); n += 1"),
    (E.WRITES_SHARED, "class L(Box):\n    def go(self): seen.append(1)\nL().go()"),
    (E.WRITES_SHARED, "class L(Box): pass\nL().count_by_type()"),
    (E.WRITES_SHARED, "class L(Box):\n    def __init__(self, v): super().__init__(v)\nL(seen).add(1)"),
    (E.WRITES_SHARED, "class N: items = seen\nN.items.append(1)"),
    (E.WRITES_SHARED, "class N: items = seen\nN().items.append(1)"),
    (E.WRITES_SHARED, "async with Entered(): pass"),
    # Contexts and exceptions
    (E.WRITES_SHARED, "with keeping(x) as y: return y"),
    (E.WRITES_ARGUMENT, "with giving(x) as y: y.append(1)"),
    (E.WRITES_SHARED, "try: raise ValueError(seen)\nexcept ValueError as e: e.args[0].append(1)"),
    (E.WRITES_SHARED, "try: raise ValueError([nested])\nexcept ValueError as e: e.args[0][0]['a'] = 1"),
    (E.WRITES_SHARED, "try: raise ValueError(nested)\nexcept ValueError as e: e.args[0]['a'][0].append(1)"),
    (E.WRITES_SHARED, "try: return int(x)\nexcept ValueError: pass\nelse: seen.append(1)\nfinally: cache[x] = 1"),
    (E.LOCK, "async with async_lock: pass"),
    (E.CONTEXT, "with decimal.localcontext() as c: c.prec = 3"),
    # The process
    (E.PROCESS_STATE, "os.environ.update(a='b')"),
    (E.PROCESS_STATE, "os.environ.setdefault('a', 'b')"),
    (E.PROCESS_STATE, "os.environ.pop('a', None)"),
    (E.PROCESS_STATE, "del os.environ['a']"),
    (E.PROCESS_STATE, "builtins.answer = 1"),
    (E.PROCESS_STATE, "atexit.register(print)"),
    (E.OUTPUT, "o = sys.stdout; o.write('a')"),
    (E.OUTPUT, "sys.stdout.flush()"),
    (E.OUTPUT, "print(x, file=sys.stderr)"),
    (E.OUTPUT, "p = print; p(x)"),
    (E.OUTPUT, "log = logger.info; log('a')"),
    (E.OUTPUT, "logging.LoggerAdapter(logger, {}).info('a')"),
    # What cannot be seen
    (E.UNKNOWN, "e = exec; e('a')"),
    (E.UNKNOWN, "builtins.eval('a')"),
    (E.UNKNOWN, "sys.modules[x].main()"),
    (E.UNKNOWN, "globals()[x]()"),
    (E.UNKNOWN, "type(x)(1)"),
    (E.UNKNOWN, "pickle.loads(x).run()"),
    (E.UNKNOWN, "copy.deepcopy(x).run()"),
    (E.UNKNOWN, "import importlib; importlib.import_module(x).main()"),
    (E.UNKNOWN, "import not_there; not_there.run(x)"),
]
"""An effect, and a body that has it."""
