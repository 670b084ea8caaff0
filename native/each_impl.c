#include "each_impl.h"

static PyObject *
call_star(PyObject *function, PyObject *item)
{
    if (PyTuple_CheckExact(item)) {
        return PyObject_Vectorcall(function, &PyTuple_GET_ITEM(item, 0), (size_t)PyTuple_GET_SIZE(item), NULL);
    }
    PyObject *arguments = PySequence_Tuple(item);
    if (arguments == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_Call(function, arguments, NULL);
    Py_DECREF(arguments);
    return result;
}

static PyObject *
call_one(PyObject *function, PyObject *item)
{
    /* The slot before the argument is the callee's to use: bound methods then need no copy. */
    PyObject *arguments[2] = {NULL, item};
    return PyObject_Vectorcall(function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

int
autopar_call_each(PyObject *function, PyObject *iterator, Py_ssize_t count, PyObject *out, int star)
{
    iternextfunc next = Py_TYPE(iterator)->tp_iternext;
    for (Py_ssize_t done = 0; done < count; done++) {
        PyObject *item = next(iterator);
        if (item == NULL) {
            if (!PyErr_Occurred()) {
                return AUTOPAR_EACH_EXHAUSTED;
            }
            if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
                PyErr_Clear();
                return AUTOPAR_EACH_EXHAUSTED;
            }
            return AUTOPAR_EACH_ITERATOR_RAISED;
        }
        PyObject *result = star ? call_star(function, item) : call_one(function, item);
        Py_DECREF(item);
        if (result == NULL) {
            return AUTOPAR_EACH_RAISED;
        }
        int failed = PyList_Append(out, result);
        Py_DECREF(result);
        if (failed) {
            return AUTOPAR_EACH_RAISED;
        }
    }
    return AUTOPAR_EACH_DONE;
}
