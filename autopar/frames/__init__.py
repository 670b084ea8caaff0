"""pandas and NumPy: `apply` of frames, series and groups, and `numpy.vectorize`, each planned and parallel.

============== ======================================================================================================
`applying`     the door: what of pandas' `apply` is taken, and what is left to pandas
`works`        one kind of apply a class: what its items are, and what is in the way of parallel ones
`stepping`     the function that pandas calls: the user's at first, and then the results of a map over the rest
`calls`        what a map does to one item, on whatever worker
`rows`         the rows and columns of a frame by position, built by pandas
`groups`       the groups of a frame by position, made by pandas
`packing`      series on their way back from a worker
`options`      pandas' options of the caller, in force on workers
`held`         the types of what rows and groups hold
`states`       what is remembered of a function that is given rows or groups
`vectorizing`  the same for `numpy.vectorize`
============== ======================================================================================================

pandas and NumPy always do their own part, from the empty input to the dtype of the result: all that changes hands is
who calls the function. Nothing here is imported before it is used.
"""
