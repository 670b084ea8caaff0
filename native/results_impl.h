/* Results that a kernel has left in memory of its own. */
#ifndef AUTOPAR_RESULTS_IMPL_H
#define AUTOPAR_RESULTS_IMPL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* A new list of count arrays, copied out of memory that is then let go of by release(owner).
 *
 * Each row has 2 + ndim words: owner, address of the first item, and the extents; items are in C order. An array is
 * made by empty(shape, dtype). All owners are let go of, also where an exception is set and NULL returned. */
PyObject *autopar_copied_arrays(PyObject *empty, PyObject *dtype, void (*release)(void *), const int64_t *rows,
                                int ndim, Py_ssize_t count);

#endif
