/* The fields of NumPy's arrays, for code that is not compiled against NumPy. */
#ifndef AUTOPAR_NDARRAY_H
#define AUTOPAR_NDARRAY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The first fields of an ndarray, as NumPy's own inline functions (numpy/ndarraytypes.h) read them in code that was
 * compiled long ago: they are part of its binary interface. */
typedef struct {
    PyObject_HEAD
    char *data;
    int ndim;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    PyObject *base;
    PyObject *dtype;
    int flags;
} autopar_ndarray;

#define AUTOPAR_NDARRAY_WRITEABLE 0x0400

#endif
