"""Functions on objects, through Cython and as they are: ``python -m benchmarks.object_functions``."""
