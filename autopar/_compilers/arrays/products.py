"""Products of vectors and matrices, which NumPy leaves to BLAS: with a tolerance only."""

from __future__ import annotations

from autopar._compilers.arrays.desk import Desk
from autopar._compilers.arrays.reductions import reduced
from autopar._compilers.arrays.values import Elements, Known, Scalar


def product(desk: Desk, left: Known, right: Known) -> Known:
    """The matrix product."""
    if isinstance(left, Scalar) or isinstance(right, Scalar):
        desk.refuse("a matrix product of what may be no arrays is not made into loops")
    if {left.dtype, right.dtype} != {"float64"}:
        desk.refuse("matrix products of other dtypes than float64 are not made into loops")
    if not desk.rtol:
        desk.refuse("matrix products add in BLAS's own order; rtol= would admit another")
    desk.changed = True
    left, right = (each if each.name else desk.whole(desk.made(each)) for each in (left, right))
    ranks = len(left.dims), len(right.dims)
    if left.dims[-1] != right.dims[0]:
        desk.leave_if(f"{left.dims[-1]} != {right.dims[0]}")
    if ranks == (1, 1):
        terms = desk.elementwise(lambda a, b: a * b, "({} * {})", left, right)
        desk.leave_if(f"{left.dims[0]} == 0")
        assert isinstance(terms, Elements)
        return reduced(desk, "sum", terms, None)
    if ranks == (2, 1):
        terms = desk.elementwise(lambda a, b: a * b, "({} * {})", left, right)
        assert isinstance(terms, Elements)
        return reduced(desk, "sum", terms, 1)
    if ranks == (1, 2):
        column = Elements((left.dims[0], "1"), left.dtype, lambda own, out: left.at(own[:1], out))
        terms = desk.elementwise(lambda a, b: a * b, "({} * {})", column, right)
        assert isinstance(terms, Elements)
        return reduced(desk, "sum", terms, 0)
    if ranks != (2, 2):
        desk.refuse("matrix products of more than two dimensions are not made into loops")
    return _of_matrices(desk, left, right)


def _of_matrices(desk: Desk, left: Elements, right: Elements) -> Elements:
    rows, inner = left.dims
    columns = right.dims[1]
    made = desk.new((rows, columns), "float64")
    with desk.loops((rows, columns)) as (row, column):
        desk.write(f"{made}[{row}, {column}] = 0.0")
    with desk.loops((rows, inner)) as (row, step):
        factor = desk.fresh("f")
        desk.write(f"{factor} = {left.at((row, step), [])}")
        with desk.loops((columns,)) as (column,):
            term = f"{factor} * {right.at((step, column), [])}"
            desk.write(f"{made}[{row}, {column}] = {made}[{row}, {column}] + {term}")
    return desk.whole(made)
