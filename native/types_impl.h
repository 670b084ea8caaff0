/* Which types the objects of a collection have. */
#ifndef AUTOPAR_TYPES_IMPL_H
#define AUTOPAR_TYPES_IMPL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A new list of the exact types in a list, a tuple or another iterable: each once, in the order of their first objects.
 * They are told apart by their addresses, so that no metaclass is asked. */
PyObject *autopar_exact_types(PyObject *values);

/* A new reference to the dtype that all items of a list share, where each is exactly an ndarray of NumPy's; else None. */
PyObject *autopar_shared_dtype(PyObject *list, PyObject *ndarray);

#endif
