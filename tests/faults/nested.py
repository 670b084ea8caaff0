"""Maps inside items."""

from __future__ import annotations

from typing import Any

from autopar import parallel
from autopar._model.nesting import nested_cores


@parallel(pure=True)
def inner(x: int) -> int:
    return x + 1


@parallel(pure=True)
async def ainner(x: int) -> int:
    return x + 1


@parallel(pure=True)
def outer(x: int, backend: str | None = None) -> list[int]:
    hints: dict[str, Any] = {"backend": backend} if backend else {}
    return inner.map(range(x, x + 5), **hints)


@parallel(pure=True)
def outer_of_coroutines(x: int) -> list[int]:
    return ainner.map(range(x, x + 5))


@parallel(pure=True)
def three_deep(x: int) -> list[list[int]]:
    return outer.map(range(x, x + 3), backend="threads")


@parallel(pure=True)
def cores_inside(x: int) -> int | None:
    return nested_cores.get()


@parallel(pure=True)
def submits(x: int) -> int:
    return inner.submit(x).result(10)
