"""All small functions, with the effects the analysis must find in each."""

from __future__ import annotations

import importlib.util

from tests.effects import impure, pure
from tests.effects.table import Case

CASES: list[Case] = impure.TABLE.cases + pure.TABLE.cases

if importlib.util.find_spec("numpy") is not None:
    from tests.effects import with_numpy

    CASES += with_numpy.TABLE.cases

if importlib.util.find_spec("pandas") is not None:
    from tests.effects import with_pandas

    CASES += with_pandas.TABLE.cases
