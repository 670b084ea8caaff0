"""Effect analysis: what a function does besides returning a value, found in its bytecode without running it.

One fact a file, in the order of the work:

============== ======================================================================================================
`entry`        from any callable to its report
`analysis`     one analysis: heap, memory of followed functions, budget, passes to the fix-point
`walk`         the abstract interpreter: blocks, branches, exception handlers
`decode`       bytecode as instructions, for CPython 3.11 to 3.14
`opcodes`      what each instruction does to the stack;  `opcodes_calls`: those that call, build and iterate;
               `opcode_table`: which is which
`values`       the lattice: where each value came from
`closures`     cells and inner functions;  `modules`: globals and imports
`attributes`   look-up and stores;  `parts_of_code`: of functions;  `items`: subscripts;
               `iteration`: loops, unpacking, awaiting;  `operators`: arithmetic and comparison;
               `hooks`: the special methods that all of these call;  `local_classes`: those made during the call
`held`         what the arguments of a call hold
`changes`      which changes are effects
`calls`        where a call goes;  `construct`: classes;  `methods`: by type or name;
               `library`: by the tables;  `special`, `builtin_calls`, `callable_makers`, `object_calls`: with rules
               of their own
`facts`        asks the tables:  `tables_standard`, `tables_numpy`, `tables_pandas`, `tables_packages`, `tables_types`,
               `tables_methods`, `tables_in_place`
`lookup`       attributes without running the user's code
`array_work`   operators and methods that may be an array's, and so release the GIL
`summary`      collects findings into the report
============== ======================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autopar._effects.entry import analyse as analyse
    from autopar._effects.held import Held as Held
    from autopar._effects.held import held_types as held_types
    from autopar._effects.held import join_held as join_held

__all__ = ["Held", "analyse", "held_types", "join_held"]

# The room and its tables are loaded at the first analysis or by the engine: a worker process needs neither.
_ROOMS = {
    "Held": "autopar._effects.held",
    "analyse": "autopar._effects.entry",
    "held_types": "autopar._effects.held",
    "join_held": "autopar._effects.held",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value: object = getattr(importlib.import_module(_ROOMS[name]), name)
    globals()[name] = value
    return value
