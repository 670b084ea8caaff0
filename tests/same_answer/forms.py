"""Forms of effects: where an object comes from, how it is reached, and what is done to it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.same_answer.prelude import Program, program

OUTER_LISTS = (
    "NUMBERS",
    "SAME",
    "HELD[0]",
    "NESTED[0]",
    "NESTED[-1]",
    "LISTS['a']",
    "BOX.items",
    "POINT.trail",
    "Box.common",
    "BOX.common",
    "remembered.__defaults__[0]",
    "globals()['NUMBERS']",
    "vars(BOX)['items']",
    "getattr(BOX, 'items')",
)
"""Lists that outlive a call."""

PATHS = (
    "{y} = {src}",
    "{y}, {z} = {src}, 1",
    "{y} = [{src}, [9]][0]",
    "{y} = [{src}][:][0]",
    "{y} = [*[{src}]][0]",
    "{y} = ({src},)[0]",
    "{y} = {{'k': {src}}}['k']",
    "{y} = {{**{{'k': {src}}}}}['k']",
    "{y} = dict(k={src}).get('k')",
    "{y} = {{}}.setdefault('k', {src})",
    "{y} = ({z} := {src})",
    "{y} = {src} or []",
    "{y} = [] or {src}",
    "{y} = {src} if {cond} else []",
    "{y} = chosen({cond}, {src}, [])",
    "{y} = through({src})",
    "{y} = applied(through, {src})",
    "{y} = (lambda q: q)({src})",
    "{y} = (lambda: {src})()",
    "{y} = next(iter([{src}]))",
    "{y} = max([{src}], key=len)",
    "{y} = sorted([{src}, [2]], key=len)[0]",
    "{y} = copy.copy([{src}])[0]",
    "{y} = functools.reduce(lambda a, b: a, [{src}, []])",
    "{y} = functools.partial(through, {src})()",
    "{y} = operator.itemgetter(0)([{src}])",
    "{y} = list(map(through, [{src}]))[0]",
    "{y} = list(zip([{src}], [1]))[0][0]",
    "{y} = dict(enumerate([{src}]))[0]",
    "{y} = list(reversed([{src}]))[0]",
    "{y} = list(itertools.chain([{src}], []))[0]",
    "{y} = [q for q in [{src}]][0]",
    "{y} = {{0: q for q in [{src}]}}[0]",
    "{y} = next(q for q in [{src}])",
    "{y} = deque([{src}]).popleft()",
    "{y} = [{src}].pop()",
    "{y} = OrderedDict(k={src})['k']",
    "{y} = defaultdict(list, k={src})['k']",
    "{y} = Point(1, {src}).trail",
    "{y}, *{z} = [{src}, 1]",
    "[{y}] = [{src}]",
    "for {y} in [{src}]: pass",
    "for {z}, {y} in enumerate([{src}]): pass",
    "while True:\n    {y} = {src}\n    break",
    "try:\n    raise KeyError({src})\nexcept KeyError as {z}:\n    {y} = {z}.args[0]",
    "try:\n    {y} = {src}\nfinally:\n    {z} = 1",
    "{z} = Point(1)\n{z}.trail = {src}\n{y} = {z}.trail",
    "{z} = [None]\n{z}[0] = {src}\n{y} = {z}[0]",
    "{z} = []\n{z}.append({src})\n{y} = {z}[0]",
    "{z} = []\n{z}.extend([{src}])\n{y} = {z}[0]",
    "{z} = [1]\n{z} += [{src}]\n{y} = {z}[-1]",
    "{z} = {{}}\n{z}['k'] = {src}\n{y} = {z}['k']",
    "{z} = {{}}\n{z}.update(k={src})\n{y} = {z}.popitem()[1]",
    "def {z}():\n    return {src}\n{y} = {z}()",
    "def {z}(q={src}):\n    return q\n{y} = {z}()",
    "def {z}():\n    yield {src}\n{y} = next({z}())",
    "def {z}():\n    yield {src}\n[{y}] = {z}()",
    "{y} = None\ndef {z}():\n    nonlocal {y}\n    {y} = {src}\n{z}()",
    "match [{src}, 1]:\n    case [{y}, *{z}]:\n        pass",
    "match {{'k': {src}}}:\n    case {{'k': {y}}}:\n        pass",
    "match Point(1, {src}):\n    case Point(trail={y}):\n        pass",
)
"""Ways from a list to a local name for it: ``y`` and ``z`` are new names."""

CHANGES = (
    "{y}.append({int})",
    "{y} += [{int}]",
    "{y} *= 2",
    "{y}.extend(q for q in [{int}])",
    "{y}.insert(0, {int})",
    "{y}[:] = [{int}]",
    "{y}[0:0] = [{int}]",
    "if {y}: {y}[0] = {int}",
    "if {y}: {y}[-1] += {int}",
    "if {y}: del {y}[0]",
    "if {y}: {y}.pop()",
    "{y}.reverse()",
    "{y}.sort(key=str)",
    "{y}.clear()",
    "list.append({y}, {int})",
    "{y}.__setitem__(slice(0, 0), [{int}])",
    "{y}.__iadd__([{int}])",
    "operator.iadd({y}, [{int}])",
    "operator.setitem({y}, slice(0, 0), [{int}])",
    "operator.methodcaller('append', {int})({y})",
    "heapq.heappush({y}, {int})",
    "getattr({y}, 'append')({int})",
    "put({y}, {int})",
    "put_twice({y}, {int})",
    "applied({y}.append, {int})",
    "applied(put, {y}, {int})",
    "functools.partial({y}.append, {int})()",
    "functools.partial(put, {y})({int})",
    "list(map({y}.append, [{int}]))",
    "[{y}.append(q) for q in range(2)]",
    "{{q: {y}.append(q) for q in range(2)}}",
    "any({y}.append(q) for q in range(2))",
    "sorted([3, 1], key=lambda q: ({y}.append(q), q)[1])",
    "(lambda q: q.append({int}))({y})",
    "random.Random(1).shuffle({y})",
    "for {z} in range(2): {y}.append({z})",
    "{z} = {y}.append\n{z}({int})",
    "def {z}(q):\n    {y}.append(q)\n{z}({int})",
    "def {z}(q={y}):\n    q.append({int})\n{z}()",
    "class {z}:\n    {y}.append({int})",
    "{z} = Point(1, {y})\n{z}.trail.append({int})",
    "try:\n    raise Failed({int})\nexcept Failed:\n    {y}.append(1)",
    "try:\n    {y}.append(1)\nfinally:\n    pass",
    "[*{y}.__iter__(), {y}.append({int})]",
    "print({y}.append({int}))",
    "{z} = f'{{{y}.append({int})}}'",
    "assert {y}.append({int}) is None",
    "for {y}[0:1] in [[{int}]]: pass",
)
"""Ways to change the list ``y``; ``z`` is a new name."""

OTHER_EFFECTS = (
    "NUMBER += {int}",
    "NUMBER = {int}",
    "bump({int})",
    "globals()['NUMBER'] = {int}",
    "TABLE['c'] = {int}",
    "TABLE.update(a={int})",
    "TABLE |= {{'d': {int}}}",
    "TABLE.setdefault('z', {int})",
    "TABLE.pop('a', None)",
    "LISTS.setdefault('c', []).append({int})",
    "for {y} in LISTS.values(): {y}.append({int})",
    "for {y}, {z} in LISTS.items(): {z}.append({int})",
    "for {y} in NESTED: {y}.append({int})",
    "for {y}, {z} in zip(NESTED, LISTS.values()): {z}.append({int})",
    "list(NESTED)[0].append({int})",
    "copy.copy(NESTED)[0].append({int})",
    "sum([NESTED], [])[0].append({int})",
    "BOX.n += {int}",
    "BOX.n = {int}",
    "BOX.add({int})",
    "BOX.keep({int})",
    "BOX({int})",
    "BOX.next_number",
    "BOX.count({int})",
    "Box.count({int})",
    "Box.add(BOX, {int})",
    "Box.total += {int}",
    "type(BOX).total = {int}",
    "setattr(BOX, 'n', {int})",
    "vars(BOX)['n'] = {int}",
    "BOX.__dict__.update(n={int})",
    "operator.attrgetter('items')(BOX).append({int})",
    "POINT.x = {int}",
    "BOX += {int}",
    "with BOX as {y}: pass",
    "{y} = BOX\n{y} += {int}",
    "{y} = NUMBERS\n{y} += [{int}]",
    "{y} = QUEUE\n{y}.append({int})",
    "QUEUE.rotate(1)",
    "{y} = next(TAKEN)",
    "{y} = [q for q, _ in zip(TAKEN, range(2))]",
    "for {y} in TAKEN: break",
    "{y} = list(itertools.islice(TAKEN, 1))",
    "{y} = 3 in TAKEN",
    "{y}, *{z} = itertools.islice(TAKEN, 2)",
    "{y} = next(COUNTED)",
    "{y} = cached({int})",
    "{y} = list(zip(COUNTED, [1]))",
    "remembered({int})",
    "COUNTER({int})",
    "list(map(COUNTER, [{int}]))",
    "sum(keeping({int}))",
    "for {y} in keeping({int}): pass",
    "remembered.calls = {int}",
    "double.__dict__['calls'] = {int}",
    "double.__defaults__ = ({int},)",
    "{y} = random.random()",
    "{y} = randrange(10)",
    "{y} = random.choice([1, 2, 3])",
    "{y} = [3, 1, 2]\nrandom.shuffle({y})",
    "random.seed({int})",
    "{y} = random.sample(range(9), 2)",
    "{y} = list(map(random.gauss, [0], [1]))",
    "acc.append({int})",
    "acc += [{int}]",
    "NESTED[0], {y} = [{int}], 1",
    "for NUMBERS[0] in [{int}]: pass",
    "for BOX.n in [{int}]: pass",
    "for NUMBER in [{int}]: pass",
    "(NUMBERS if {cond} else []).append({int})",
    "del TABLE['b']",
    "NUMBERS, {y} = [{int}], 2",
    "def {y}():\n    global NUMBER\n    NUMBER += {int}\n{y}()",
    "class {y}(Box): pass\n{y}.common.append({int})",
    "class {y}(Box): pass\n{y}(1).keep({int}).common.append({int})",
    "{y} = [NESTED[0]] * 2\n{y}[1].append({int})",
    "{y} = {{**LISTS}}\n{y}['a'].append({int})",
    "{y} = LISTS | {{}}\n{y}['a'].append({int})",
    "{y} = LISTS.copy()\n{y}['a'].append({int})",
    "{y} = NESTED[:]\n{y}[0].append({int})",
    "{y} = NESTED + []\n{y}[0].append({int})",
    "{y} = tuple(NESTED)\n{y}[0].append({int})",
    "{y} = filter(None, NESTED)\nnext({y}).append({int})",
    "{y} = copy.copy(BOX)\n{y}.items.append({int})",
    "{y} = iter(NESTED)\nnext({y}).append({int})",
    "{y} = [*map(list.__iadd__, NESTED, [[{int}], []])]",
    "{y} = min(NESTED, key=lambda q: q.append({int}) or 1)",
    "sys.modules[__name__].NUMBER = {int}",
    "{y} = Loud(1) in [Loud(1)]",
    "{y} = [Loud(1)].index(Loud(1))",
    "{y} = [Loud(1)] == [Loud(1)]",
    "{y} = {{Loud(1): 2}}.get(Loud(1))",
    "{y} = len({{Loud(1), Loud(1)}})",
    "{y} = len(set([Loud(1), Loud(2)]))",
    "{y} = sorted([Loud(2), Loud(1)])[0].n",
    "{y} = max([Loud(1), Loud(2)]).n",
    "{y} = min([2, 1], key=Loud)",
    "{y} = [Loud(2), Loud(1)]\n{y}.sort()",
    "{y} = '%s' % Loud(1)",
    "{y} = '{{}}'.format(Loud(1))",
    "{y} = f'{{Loud(1)}}'",
    "{y} = ' '.join(map(str, [Loud(1)]))",
    "{y} = not Loud(1)",
    "{y} = any([Loud(0)])",
    "{y} = list(filter(None, [Loud(0)]))",
    "exec('NUMBERS.append(1)')",
    "eval('NUMBERS').append({int})",
)
"""Effects besides those on a list. Those on a name need it to be declared global."""

EFFECTS_ON_ITEMS: dict[str, tuple[str, ...]] = {
    "list": ("x.append({int})", "x += [{int}]", "x.sort(key=str)", "x[:] = []", "x.extend(x[:1])"),
    "dict": ("x['new'] = {int}", "x.update(k={int})", "x |= {{'k': {int}}}", "x.setdefault('l', []).append({int})"),
    "box": ("x.n += {int}", "x.add({int})", "x.items.append({int})", "x.keep({int})", "x += {int}", "x.next_number"),
    "louds": (
        "{y} = 3 in x",
        "{y} = len({{*x}})",
        "{y} = [str(q) for q in x]",
        "{y} = any(x)",
        "{y} = list(x) == [1]",
        "{y} = list(x).count(2)",
        "{y} = max(x, default=0)",
        "for {y} in x:\n    if not {y}: break",
    ),
    "nested": ("x[0].append({int})", "x[:][0].append({int})", "for {y} in x: {y}.append({int})", "x.append([])"),
}

OUTPUTS = ("print({int})", "print(x, {int}, sep='-')", "sys.stdout.write('w\\n')", "print('p', end='')", "print()")

ITEMS: dict[str, tuple[str, ...]] = {
    "int": ("[3, 1, 4, 1, 5]", "[0, 1]", "[2, 7, 10**20, -1]", "range(6)"),
    "str": ("['a', 'spam', '', '12']", "['b', 'eggs']"),
    "list": ("[[1], [2, 3], []]", "[SHARED, SHARED, [4]]", "[[], NUMBERS, [1]]", "[NESTED[0], NESTED[0]]"),
    "dict": ("[{'a': 1}, {}, {'b': 2}]", "[{'l': SHARED}, {'l': SHARED}]", "[{}, TABLE]"),
    "box": ("[Box(1), Box(2, [3]), Box(4)]", "[SHARED_BOX, SHARED_BOX, Box(0)]", "[Box(5), BOX]"),
    "nested": ("[[[1], []], [[2]], [[3]]]", "[[SHARED, [1]], [SHARED]]", "[[[1]], NESTED]"),
    "louds": ("[[Loud(1)], [Loud(2), Loud(3)], [1]]", "[[1], [2, 3], [Loud(1)]]", "[{Loud(1): 1}, {2: 3}, [Loud(3)]]"),
    "mixed": ("[1, [2], 'c', {'d': 4}]", "[0, SHARED, 2, SHARED]", "[True, 'a', [1], 2.5]"),
}

GLOBALS = ("NUMBER", "NUMBERS", "TABLE", "BOX")
"""Names that have to be declared global where they are bound."""


def every_form() -> Iterator[tuple[str, Program]]:
    """Each effect by itself, at all items but the first, with what it is called."""
    holes = {"int": "4", "str": "'a'", "cond": "x", "y": "y", "z": "z"}

    def shown(kind: str, body: str, items: str) -> Program:
        declared = ", ".join(declared_names(body.split("\n")))
        lines = "\n".join("        " + line for line in body.split("\n"))
        head = f"    global {declared}\n" if declared else ""
        return program(
            "SHARED = [8]\nSHARED_BOX = Box(9, SHARED)\n"
            f"def f(x, acc=[]):\n{head}    if x is not ITEMS[0] and sized(x) >= 0:\n{lines}\n"
            f"    return [x, NUMBER, NUMBERS, acc]\nITEMS = {items}\n"
        )

    for path in PATHS:
        body = path.format(src="NUMBERS", **holes) + "\ny.append(4)"
        yield f"path {path!r}", shown("int", body, "[0, 1, 2]")
        body = path.format(src="x", **holes) + "\ny.append(4)"
        yield f"path from item {path!r}", shown("list", body, "[[1], [2], [3]]")
    for change in CHANGES:
        body = "y = NUMBERS\n" + change.format(**holes)
        yield f"change {change!r}", shown("int", body, "[0, 1, 2]")
        body = "y = x\n" + change.format(**holes)
        yield f"change of item {change!r}", shown("list", body, "[[1, 2], [2, 3], [3, 4]]")
        body = "y = [] or x.items\n" + change.format(**holes)
        yield f"change inside item {change!r}", shown("box", body, "[Box(1), Box(2, [3, 1]), Box(4, [5, 4])]")
        body = "y = Point(1, NESTED[1]).trail\n" + change.format(**holes)
        yield f"change through object {change!r}", shown("int", body, "[0, 1, 2]")
    for source in OUTER_LISTS:
        yield f"source {source!r}", shown("int", f"{source}.append(4)", "[0, 1, 2]")
    for effect in OTHER_EFFECTS:
        yield f"effect {effect!r}", shown("int", effect.format(**holes), "[0, 1, 2]")
    for kind, effects in EFFECTS_ON_ITEMS.items():
        for effect in effects:
            yield f"effect on {kind} {effect!r}", shown(kind, effect.format(**holes), ITEMS[kind][0])


def declared_names(lines: list[str]) -> list[str]:
    """The global names that these lines bind themselves."""
    return [name for name in GLOBALS if any(_binds(line.strip(), name) for line in lines)]


def _binds(line: str, name: str) -> bool:
    return line.startswith((f"{name} = ", f"{name} += ", f"{name} |= ", f"{name}, ", f"for {name} in"))
