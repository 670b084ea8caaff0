"""pandas: its functions and classes, of which few leave anything behind that the caller can see.

The source is the reference of pandas 3. Methods that change their object say so by `inplace=`, which is a rule of
:mod:`autopar._effects.methods`, or are named here.
"""

from __future__ import annotations

from autopar._effects.tables_types import TypeFacts
from autopar._model.effects import EffectKind

EFFECTS: dict[str, EffectKind | None] = {
    "pandas": None,
    "pandas._config": EffectKind.PROCESS_STATE,
    "pandas._config.config.get_option": None,
    "pandas.get_option": None,
    "pandas.set_option": EffectKind.PROCESS_STATE,
    "pandas.reset_option": EffectKind.PROCESS_STATE,
    "pandas.option_context": EffectKind.PROCESS_STATE,
    "pandas.set_eng_float_format": EffectKind.PROCESS_STATE,
    "pandas.api.extensions": EffectKind.PROCESS_STATE,
    "pandas.core.accessor": EffectKind.PROCESS_STATE,
    "pandas.core.computation": EffectKind.UNKNOWN,
    "pandas.describe_option": EffectKind.OUTPUT,
    "pandas.eval": EffectKind.UNKNOWN,
    "pandas.plotting": EffectKind.UNKNOWN,
    "pandas.show_versions": EffectKind.OUTPUT,
    "pandas.test": EffectKind.UNKNOWN,
    "pandas.util._print_versions": EffectKind.OUTPUT,
}

WRITES: dict[str, tuple[int | str, ...]] = {
    f"{prefix}.{name}": (1, "con")
    for prefix in ("pandas", "pandas.io.sql")
    for name in ("read_sql", "read_sql_query", "read_sql_table")
}

_CHANGES = TypeFacts(
    frozenset(
        """
            insert pop update set_flags __setitem__ __delitem__ __setattr__ __delattr__ __iadd__ __isub__ __imul__
            __itruediv__ __ifloordiv__ __imod__ __ipow__ __iand__ __ior__ __ixor__ __imatmul__ __init__ __setstate__
        """.split()
    )
)

TYPES: dict[str, TypeFacts] = dict.fromkeys(
    ("pandas.DataFrame", "pandas.Series", "pandas.Index", "pandas.api.extensions.ExtensionArray"), _CHANGES
)

CALLBACKS: dict[str, tuple[int | str, ...]] = {
    f"pandas.{kind}.{method}": (0, "func", "arg")
    for kind in ("DataFrame", "Series", "Index", "api.typing.DataFrameGroupBy", "api.typing.SeriesGroupBy")
    for method in ("agg", "aggregate", "apply", "map", "pipe", "transform", "filter")
}

METHODS: dict[str, EffectKind] = {
    "boxplot": EffectKind.PROCESS_STATE,
    "eval": EffectKind.UNKNOWN,
    "hist": EffectKind.PROCESS_STATE,
    "info": EffectKind.OUTPUT,
    "plot": EffectKind.PROCESS_STATE,
    "query": EffectKind.UNKNOWN,
    "sample": EffectKind.RANDOM,
}
"""Methods of frames and series with an effect beside the object; a text that is evaluated may name any function."""
