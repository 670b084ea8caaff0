"""Advice about undecorated programs: where ``@parallel`` would pay, and the patch that puts it there.

========== ==========================================================================================================
`spans`    places in a source file
`sites`    the loops, comprehensions and calls of ``map`` of a module, as its syntax shows them
`counted`  a module that counts how many items its loops take; its code is otherwise what was written
`sampler`  looks at the main thread many times a second: where it is, and whether it computes or waits
`program`  runs a script with both
`advice`   what each loop costs, and what the planner predicts for it
`loading`  what a program pays once for the library
`bindings` what names are bound where
`exact`    which rewriting of a loop gives exactly what the loop gave, or why none does
`patch`    the rewritten files as a unified diff
========== ==========================================================================================================
"""
