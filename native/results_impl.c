#include "results_impl.h"

#include "ndarray.h"

#include <string.h>

/* Bytes from which others may have the GIL while an array is copied: that takes 20 us or more, and a release 0.1. */
#define WORTH_A_RELEASE ((Py_ssize_t)1 << 18)

/* Learn the class of the arrays and the size of an item, by way of the buffer protocol; -1 with an exception set. */
static int
look_at_first(PyObject *array, PyTypeObject **kind, Py_ssize_t *item_size)
{
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_WRITABLE) < 0) {
        return -1;
    }
    int as_expected = view.buf == ((const autopar_ndarray *)array)->data;
    *kind = Py_TYPE(array);
    *item_size = view.itemsize;
    PyBuffer_Release(&view);
    if (!as_expected) {
        PyErr_SetString(PyExc_SystemError, "an array is not laid out as NumPy's are");
        return -1;
    }
    return 0;
}

static PyObject *
shape_of(const int64_t *extents, int ndim)
{
    PyObject *shape = PyTuple_New(ndim);
    for (int axis = 0; shape != NULL && axis < ndim; axis++) {
        PyObject *extent = PyLong_FromLongLong(extents[axis]);
        if (extent == NULL) {
            Py_CLEAR(shape);
            break;
        }
        PyTuple_SET_ITEM(shape, axis, extent);
    }
    return shape;
}

static PyObject *
empty_array(PyObject *empty, PyObject *dtype, const int64_t *extents, int ndim)
{
    PyObject *shape = shape_of(extents, ndim);
    if (shape == NULL) {
        return NULL;
    }
    PyObject *arguments[3] = {NULL, shape, dtype};
    PyObject *made = PyObject_Vectorcall(empty, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(shape);
    return made;
}

static void
take_over(char *to, const int64_t *row, Py_ssize_t bytes, void (*release)(void *))
{
    memcpy(to, (const void *)(intptr_t)row[1], (size_t)bytes);
    release((void *)(intptr_t)row[0]);
}

PyObject *
autopar_copied_arrays(PyObject *empty, PyObject *dtype, void (*release)(void *), const int64_t *rows, int ndim,
                      Py_ssize_t count)
{
    PyTypeObject *kind = NULL;
    Py_ssize_t item_size = 0, done = 0;
    PyObject *arrays = PyList_New(0);
    for (; arrays != NULL && done < count; done++) {
        const int64_t *row = rows + done * (2 + ndim);
        PyObject *made = empty_array(empty, dtype, row + 2, ndim);
        if (made == NULL || (kind == NULL && look_at_first(made, &kind, &item_size) < 0)
            || PyList_Append(arrays, made) < 0) {
            Py_XDECREF(made);
            Py_CLEAR(arrays);
            break;
        }
        char *data = ((const autopar_ndarray *)made)->data;
        Py_ssize_t bytes = item_size;
        for (int axis = 0; axis < ndim; axis++) {
            bytes *= row[2 + axis];
        }
        if (bytes < WORTH_A_RELEASE) {
            take_over(data, row, bytes, release);
        }
        else {
            Py_BEGIN_ALLOW_THREADS
            take_over(data, row, bytes, release);
            Py_END_ALLOW_THREADS
        }
        Py_DECREF(made);
    }
    if (done < count) {
        PyObject *type, *value, *traceback; /* what release calls must find no exception */
        PyErr_Fetch(&type, &value, &traceback);
        for (; done < count; done++) {
            release((void *)(intptr_t)rows[done * (2 + ndim)]);
        }
        PyErr_Restore(type, value, traceback);
    }
    return arrays;
}
