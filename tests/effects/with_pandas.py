"""Small functions that use pandas, with and without effects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from autopar._model.effects import EffectKind as E
from tests.effects.table import Table

TABLE = Table()
impure, pure = TABLE.impure, TABLE.pure

prices = pd.DataFrame({"city": ["Rome"], "price": [1.0]})
SERIES, FRAME = [pd.Series], [pd.DataFrame]


@impure(E.WRITES_SHARED, because="a column of a module-level frame is set")
def sets_shared(x: Any) -> None:
    prices["price"] = x


@impure(E.WRITES_SHARED, because="an element of a module-level frame is set")
def sets_by_position(x: Any) -> None:
    prices.iloc[0, 1] = x


@impure(E.WRITES_SHARED, E.READS_SHARED, because="inplace=True changes the frame")
def sorts_shared(x: Any) -> None:
    prices.sort_values("price", inplace=True)


@impure(E.WRITES_ARGUMENT, because="an element of the row is set", types=SERIES)
def sets_element(row: Any) -> Any:
    row["price"] = 0.0
    return row


@impure(E.WRITES_ARGUMENT, because="inplace=True changes whatever it is called on")
def fills_in_place(row: Any) -> Any:
    row.fillna(0, inplace=True)
    return row


@impure(E.WRITES_ARGUMENT, because="pop takes an element away", types=SERIES)
def pops(row: Any) -> Any:
    return row.pop("price")


@impure(E.WRITES_ARGUMENT, because="attrs belong to the row", types=SERIES)
def notes_attribute(row: Any) -> Any:
    row.attrs["seen"] = row.attrs.get("seen", 0) + 1
    return row.attrs["seen"]


@impure(E.WRITES_ARGUMENT, because="the index of a frame is an object of its own, which others share", types=FRAME)
def names_columns(frame: Any) -> Any:
    frame.columns.name = "name"
    return frame


@impure(E.RANDOM, because="sample() draws from numpy.random", types=FRAME)
def draws(frame: Any) -> Any:
    return frame.sample(2)


@impure(E.RANDOM, because="sample() of what the call has made draws from numpy.random, too")
def draws_from_fresh(x: Any) -> Any:
    return x, pd.DataFrame({"a": [1, 2]}).head().sample()


@impure(E.PROCESS_STATE, because="options are of the whole process")
def sets_option(x: Any) -> None:
    pd.set_option("display.width", x)


@impure(E.OUTPUT, because="info() prints", types=FRAME)
def prints_info(frame: Any) -> None:
    frame.info()


@impure(E.UNKNOWN, because="the text of a query may name any function", types=FRAME)
def queries(frame: Any) -> Any:
    return frame.query("price > @limit")


@impure(E.UNKNOWN, because="a text that is evaluated may name any function", types=FRAME)
def evaluates(frame: Any) -> Any:
    return pd.eval("frame.price + 1")


_seen: list[Any] = []


@impure(E.WRITES_SHARED, E.READS_SHARED, because="what apply calls appends to a list", types=SERIES)
def appends_each(row: Any) -> Any:
    return row.apply(_seen.append)


@pure(because="elements are read and a number is made of them", types=SERIES)
def reads_elements(row: Any) -> Any:
    return row["price"] * 2 + row.price + row.iloc[0] + row.get("pieces", 1)


@pure(because="a new series is made", types=SERIES)
def makes_series(row: Any) -> Any:
    return pd.Series({"a": row["price"], "b": pd.Timestamp("2020-01-01")})


@pure(because="assign and sort_values make new frames", types=FRAME)
def makes_frames(frame: Any) -> Any:
    found = frame.assign(share=frame["price"] / frame["price"].sum()).sort_values("share")
    return found.groupby("city").agg({"price": "mean"}).reset_index().head(3)


@pure(because="functions of pandas give something new")
def calls_functions(x: Any) -> Any:
    return pd.isna(x), pd.to_datetime(x), pd.to_numeric(x), pd.concat([prices, prices]).describe()


@pure(because="a module-level frame is read")
def looks_up(x: Any) -> Any:
    return prices.loc[prices["city"] == x, "price"].mean()


@pure(because="what the call has made may be changed")
def changes_its_own(x: Any) -> Any:
    made = pd.DataFrame({"a": [x]})
    made["b"] = 2
    made.sort_values("a", inplace=True)
    return made


@pure(because="the random state is the call's own", types=FRAME)
def draws_with_a_state(frame: Any) -> Any:
    return frame.sample(2, random_state=1)
