"""Which type a NumPy scalar and another scalar give, by NEP 50: Python numbers are weak, dtypes are strong.

https://numpy.org/neps/nep-0050-scalar-promotion.html
"""

from __future__ import annotations

from autopar._kernel import types as t

__all__ = ["common", "is_integer", "is_numpy", "is_truth"]


def is_numpy(kind: t.Type) -> bool:
    """Whether this is a NumPy scalar."""
    return isinstance(kind, t.NpScalar)


def is_truth(kind: t.Type) -> bool:
    """Whether this is `bool` or `np.bool`."""
    return isinstance(kind, t.Bool) or kind == t.NpScalar("bool")


def is_integer(kind: t.Type) -> bool:
    """Whether this is an integer, truth values not included."""
    return isinstance(kind, t.Int) or (isinstance(kind, t.NpScalar) and "int" in kind.dtype)


def common(left: t.Type, right: t.Type) -> t.Type | None:
    """Return the type that both are brought to before an operation, or None if that is not taken.

    >>> str(common(t.NpScalar("uint8"), t.Int())), str(common(t.NpScalar("float32"), t.Float()))
    ('np.uint8', 'np.float32')
    >>> str(common(t.NpScalar("int8"), t.NpScalar("uint8"))), str(common(t.NpScalar("int64"), t.Float()))
    ('np.int16', 'np.float64')
    """
    if not is_numpy(left) and not is_numpy(right):
        if t.is_float(left) or t.is_float(right):
            return t.Float()
        return t.Bool() if is_truth(left) and is_truth(right) else t.Int()
    name = _dtype(_strong(left, right), _strong(right, left))
    return t.NpScalar(name) if name else None


def _strong(kind: t.Type, other: t.Type) -> str:
    """Return the dtype that a scalar takes next to another, one of which is a NumPy scalar."""
    if isinstance(kind, t.NpScalar):
        return kind.dtype
    assert isinstance(other, t.NpScalar)
    if isinstance(kind, t.Bool):
        return "bool"
    if isinstance(kind, t.Int):
        return "int64" if other.dtype == "bool" else other.dtype
    return other.dtype if other.dtype.startswith("float") else "float64"


def _dtype(a: str, b: str) -> str | None:
    if a == b or b == "bool":
        return a
    if a == "bool":
        return b
    if a.startswith("float") or b.startswith("float"):
        sizes = [8 if t.DTYPES[d] >= (8 if d.startswith("float") else 4) else 4 for d in (a, b)]
        return "float64" if max(sizes) == 8 else "float32"
    if a.startswith("u") == b.startswith("u"):
        return max(a, b, key=lambda d: t.DTYPES[d])
    unsigned, signed = (a, b) if a.startswith("u") else (b, a)
    size = max(2 * t.DTYPES[unsigned], t.DTYPES[signed])
    return f"int{8 * size}" if size <= 8 else "float64"
