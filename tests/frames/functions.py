"""What is applied: functions that return each kind of thing, and some that fail or change their row."""

from __future__ import annotations

from typing import Any

import pandas as pd


def constant(item: Any) -> int:
    return 1


def nothing(item: Any) -> None:
    return None


def itself(item: Any) -> Any:
    return item


def seen(item: Any) -> tuple[Any, ...]:
    """Look at all that a function can see of a row without knowing what it holds."""
    return type(item).__name__, item.name, str(item.dtype), list(item.index), item.tolist()


def first(item: Any) -> Any:
    return item.iloc[0]


def as_list(item: Any) -> Any:
    return [item.iloc[0], len(item)]


def as_dict(item: Any) -> Any:
    return item.to_dict()


def as_series(item: Any) -> Any:
    return pd.Series({"size": len(item), "first": item.iloc[0]})


def part(item: Any) -> Any:
    return item.iloc[:1]


def of_any_length(item: Any) -> Any:
    return [1] * (item.isna().sum() + 1)


def now_this_now_that(item: Any) -> Any:
    if item.isna().any():
        return None
    return item if len(item) % 2 else "text"


def total(item: Any) -> Any:
    return item.sum()


def fails_at_missing(item: Any) -> Any:
    if item.isna().any():
        raise LookupError(f"nothing at {item.name!r}")
    return len(item)


def scaled(item: Any, factor: Any, *, times: int = 1) -> Any:
    return (item.iloc[0], factor, times)


ROW_FUNCTIONS = [
    constant,
    nothing,
    itself,
    seen,
    first,
    as_list,
    as_dict,
    as_series,
    part,
    of_any_length,
    now_this_now_that,
    total,
    fails_at_missing,
]


def element(item: Any) -> Any:
    return (type(item).__name__, item)


def element_text(item: Any) -> Any:
    return f"{item}"


def element_series(item: Any) -> Any:
    return pd.Series([item, 1], index=["x", "y"])


def element_or_none(item: Any) -> Any:
    return None if item != item else 2.5


def element_fails(item: Any) -> Any:
    return 1 / len(f"{item}"[1:])


def element_scaled(item: Any, factor: Any, *, times: int = 1) -> Any:
    return f"{item}{factor}{times}"


ELEMENT_FUNCTIONS = [constant, nothing, itself, element, element_text, element_series, element_or_none, element_fails]


def group_seen(group: Any) -> Any:
    return (type(group).__name__, repr(group.name), group.shape, list(group.index))


def group_series(group: Any) -> Any:
    return pd.Series({"count": len(group), "name": repr(group.name)})


def group_head(group: Any) -> Any:
    return group.head(1)


def group_changed(group: Any) -> Any:
    group["new"] = len(group)
    return group


def group_fails(group: Any) -> Any:
    if len(group) == 1:
        raise ArithmeticError(repr(group.name))
    return len(group)


GROUP_FUNCTIONS = [constant, nothing, itself, group_seen, group_series, group_head, group_changed, group_fails]


# Some that pandas alone can call as it calls them


def changes_row(row: Any) -> Any:
    row["a"] = 0
    return row


def pops(row: Any) -> Any:
    return row.pop("a")


def counts_in_attributes(row: Any) -> Any:
    row.attrs["n"] = row.attrs.get("n", 0) + 1
    return row.attrs["n"]


def keeps_row(row: Any) -> Any:
    return [row]


KEPT: list[Any] = []


def keeps_rows(row: Any) -> int:
    KEPT.append(row)
    return len(KEPT)


def drops_in_place(row: Any) -> Any:
    row.fillna(0, inplace=True)
    return row


def draws(row: Any) -> Any:
    return row.sample(1).iloc[0]


AS_IN_THE_LOOP = [changes_row, pops, counts_in_attributes, keeps_row, keeps_rows, drops_in_place, draws]
