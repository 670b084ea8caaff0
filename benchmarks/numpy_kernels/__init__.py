"""NumPy-style functions through autopar, against NumPy as it is and against Numba as a user would ask it."""
