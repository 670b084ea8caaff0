"""Random functions on whole arrays: slices, broadcasting, in-place operations, masks, reductions, loops around them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

VECTORS = ("a", "b", "a[1:]", "b[:-1]", "a[::-1]", "b[2:-1]", "a[::2]", "m[1]", "m[:, 0]", "a * 2.0", "m.sum(axis=0)")
MATRICES = ("m", "m.T", "a[:, None]", "b[None, :]", "m[1:, :-1]", "m * m", "a[None, :] - b[:, None]")
SCALARS = ("0.5", "2", "-1.5", "k", "a[0]", "m[0, 1]", "b.max()", "len(a)", "m.min()", "np.sum(a)", "b.mean()")
INTEGERS = ("i", "i + 1", "i[1:]", "i * i", "np.abs(i)", "i[::-1]")
OPERATORS = ("+", "-", "*", "/")
COMPARISONS = ("<", ">", "<=", "==", "!=")
PLACES = (
    "a",
    "a[1:]",
    "a[:-1]",
    "a[1:-1]",
    "a[::2]",
    "a[::-1]",
    "m",
    "m[0]",
    "m[:, 1]",
    "m[1:, 1:]",
    "m[:-1, :-1]",
    "b",
)
REDUCED = (
    "np.sum({})",
    "{}.max()",
    "{}.min()",
    "np.mean({})",
    "{}.argmax()",
    "np.any({} > 0)",
    "np.all({} < 1)",
    "np.var({})",
    "np.std({})",
    "np.count_nonzero({} > 0.5)",
)
RESULTS = (
    "a",
    "m",
    "a + b",
    "m.sum(axis=1)",
    "m.max(axis=0)",
    "m.mean(axis=0)",
    "np.cumsum(a)",
    "(a, m, k)",
    "m.argmin(axis=1)",
)


@dataclass(frozen=True)
class Shapes:
    """The sizes of one program's arguments."""

    vector: int
    rows: int
    columns: int


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    """An expression, mostly of arrays of one shape."""
    atoms = draw(st.sampled_from((VECTORS, VECTORS, MATRICES, SCALARS, INTEGERS)))
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(atoms))
    left, right = draw(expressions(depth - 1)), draw(expressions(depth - 1))
    form = draw(st.integers(0, 9))
    if form < 6:
        return f"({left} {draw(st.sampled_from(OPERATORS))} {right})"
    if form == 6:
        return f"np.where({left} {draw(st.sampled_from(COMPARISONS))} {right}, {left}, {right})"
    if form == 7:
        return f"(-{left})"
    if form == 8:
        return f"np.sqrt(np.abs({left}))"
    return f"({left}) ** 2"


@st.composite
def statements(draw: st.DrawFn, depth: int = 1) -> list[str]:
    """One statement, or a loop or a branch with some."""
    form = draw(st.integers(0, 9))
    if form < 3:
        return [f"{draw(st.sampled_from(PLACES))} {draw(st.sampled_from(('', *OPERATORS)))}= {draw(expressions())}"]
    if form == 3:
        limit, value = draw(st.sampled_from(SCALARS)), draw(st.sampled_from(SCALARS))
        return [f"a[a {draw(st.sampled_from(COMPARISONS))} {limit}] = {value}"]
    if form == 4:
        return [f"k = {draw(st.sampled_from(REDUCED)).format(draw(st.sampled_from(VECTORS)))}"]
    if form == 5:
        return [f"{draw(st.sampled_from(('a', 'b')))} = {draw(expressions())}"]
    if form == 6:
        return ["a[i] = b"]
    if form == 7:
        return ["t = a", "t[0] = 5.0"]
    if depth == 0:
        return [f"a = a {draw(st.sampled_from(OPERATORS))} b"]
    inner = draw(statements(depth - 1))
    head = draw(st.sampled_from(("for j in range(3):", "if a[0] > 0.5:", "while k < 1.0:")))
    rest = ["    k = k + 0.75"] if head.startswith("while") else []
    return [head, *(f"    {line}" for line in inner), *rest]


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A function ``f(a, b, m, i, k)``."""
    body = [line for part in draw(st.lists(statements(), min_size=1, max_size=4)) for line in part]
    lines = [*body, f"return {draw(st.sampled_from(RESULTS))}"]
    return "def f(a, b, m, i, k):\n" + "".join(f"    {line}\n" for line in lines)
