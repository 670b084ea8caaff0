"""Frames of all shapes: dtypes, axes, missing values, labels that come twice, nothing at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

ROWS = st.integers(0, 7)

_VALUES: dict[str, list[Any]] = {
    "int64": [0, -1, 2**40, 7],
    "float64": [0.0, -0.0, float("nan"), 1e300, 0.1],
    "bool": [True, False],
    "object": ["a", None, 3, 2.5, "b"],
    "str": ["a", "", "long text", "b"],
    "Int64": [1, pd.NA, -3],
    "boolean": [True, pd.NA, False],
    "category": ["x", "y", "x"],
    "datetime64[ns]": ["2020-01-01", None, "1999-12-31T23:59:59"],
    "datetime64[ns, UTC]": ["2020-01-01", "1999-12-31T23:59:59"],
    "timedelta64[ns]": ["1 day", None, "3 s"],
    "complex128": [1j, 2 + 0j],
}


@st.composite
def columns(draw: st.DrawFn, rows: int) -> Any:
    """One column of any dtype."""
    dtype = draw(st.sampled_from(sorted(_VALUES)))
    values = draw(st.lists(st.sampled_from(_VALUES[dtype]), min_size=rows, max_size=rows))
    if dtype.startswith("datetime"):
        found = pd.to_datetime(pd.Series(values, dtype=object), utc="UTC" in dtype, format="ISO8601")
        return found.astype(dtype).array
    if dtype.startswith("timedelta"):
        return pd.to_timedelta(pd.Series(values, dtype=object)).astype(dtype).array
    return pd.array(values, dtype=dtype) if dtype[0].isupper() else pd.Series(values, dtype=dtype).array


@st.composite
def indices(draw: st.DrawFn, length: int) -> pd.Index[Any]:
    """An index of so many labels, some of which may come twice."""
    name = draw(st.sampled_from([None, "name", 3]))
    kind = draw(st.sampled_from(["range", "int", "str", "mixed", "pairs", "dates"]))
    if kind == "range":
        return pd.RangeIndex(length, name=name)
    if kind == "dates":
        return pd.date_range("2020-01-01", periods=length, name=name)
    labels = [draw(st.integers(0, 3)) for _ in range(length)]
    if kind == "pairs":
        return pd.MultiIndex.from_tuples([(label, "xy"[label % 2]) for label in labels], names=["one", None])
    if kind == "str":
        return pd.Index([f"l{label}" for label in labels], name=name, dtype="str")
    if kind == "mixed":
        return pd.Index([label if label % 2 else f"l{label}" for label in labels], name=name, dtype=object)
    return pd.Index(np.array(labels, dtype="int64"), name=name)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Any frame; in half of them all columns are of one dtype."""
    rows, width = draw(ROWS), draw(st.integers(0, 4))
    first = draw(columns(rows)) if width else None
    alike = draw(st.booleans())
    data = {place: first if alike or not place else draw(columns(rows)) for place in range(width)}
    frame = pd.DataFrame(data, index=draw(indices(rows)))
    if draw(st.booleans()):
        frame = frame.copy()
    frame.columns = draw(indices(width)) if draw(st.booleans()) else pd.Index([f"c{place}" for place in range(width)])
    frame.attrs = draw(st.sampled_from([{}, {"from": "a test"}]))
    return frame


@st.composite
def series(draw: st.DrawFn) -> Any:
    """Any series."""
    rows = draw(ROWS)
    return pd.Series(draw(columns(rows)), index=draw(indices(rows)), name=draw(st.sampled_from([None, "s", (1, 2)])))
