"""Kernels: a numeric function and the types of a call, as a small typed form that can be compiled exactly.

============== ======================================================================================================
`types`        the types of arguments, values and results
`abi`          how a compiled kernel is called
`ir`           the typed intermediate form, and `Kernel`
============== ======================================================================================================
"""

from __future__ import annotations
