"""Kernels: a numeric function and the types of a call, as a small typed form that can be compiled exactly.

One idea a file, in the order of the work:

================ ====================================================================================================
`types`          the types of arguments, values and results
`abi`            how a compiled kernel is called
`ir`             the typed intermediate form;  `kernel`: `Kernel`, what they make up
`lower`          from a function and types to its kernel
`source`         from a function to its checked syntax tree;  `names`: what its free names mean, as facts to guard;
                 `syntax_warnings`: what Python warns of when it reads it;  `nodes`: all nodes of a tree
`context`        the desk: statements so far, state, exits, what was learned
`value`          what an expression is worth;  `interval`: what an integer can be;  `promotion`: NEP 50
`state`          what is known of the variables, and how paths are joined;  `variables`: assigning and reading them;
                 `constraints`: what tests say of them
`statements`     statements;  `loops`: to a fix-point;  `sequences`: what they run over;  `counters`: what they count;
                 `carrying`: from one round to the next;  `congruences`: such numbers modulo a power of two;
                 `speculation`: branches worked out on both sides
`expressions`    expressions;  `arithmetic`, `comparison`: operators;  `indexing`: elements and their checks
`elementwise`    operations on whole arrays;  `array_functions`: NumPy's functions of them;  `order`: of evaluation
`building`       new arrays and lists;  `comprehensions`;  `reductions`: sum, min, max, any, all
`dtypes`         dtypes as the source names them
`calls`          calls;  `helpers`: of the user's functions;  `mathematics`: of math;  `numpy_calls`: of NumPy
`prune`          which variables are used;  `keeping`: operations kept for their warnings;  `sure_uses`: which those are
`refusal`        why not
================ ====================================================================================================

Nothing is imported here: the types of a call are looked at long before anything is compiled, if it ever is.
"""
