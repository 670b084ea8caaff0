"""From a kernel to the text of one C file.

============== ======================================================================================================
`kernel`       the whole file
`statements`   statements;  `expressions`: expressions
`prelude`      what every file starts with
============== ======================================================================================================
"""

from __future__ import annotations

from autopar._compilers.native.emit.kernel import FLAGS, emit

__all__ = ["FLAGS", "emit"]
