"""How one call runs. Each compiler is a module, imported when a plan first uses it: :class:`Compiler` says its face.

========= ==============================================================================================
python    the function as it is: the reference that defines "correct"
native    numeric loops as C
numba     the same kernels, and whole-array code, through Numba's LLVM
cython    functions on objects as a whole, and the same kernels, through Cython and the C compiler
arrays    no compiler: whole-array code made into loops
========= ==============================================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from autopar._model.compiler import Compiler


def load(name: str) -> Compiler:
    """Import the module of one compiler, other than `python`, which compiles nothing."""
    from autopar._model.plan import COMPILERS

    module = COMPILERS[name].module
    if module is None:
        raise LookupError(f"compiler {name!r} has no module")
    return cast("Compiler", importlib.import_module(module))
