/* The loop over the items of a chunk, without interpreter overhead of its own. */
#ifndef AUTOPAR_EACH_IMPL_H
#define AUTOPAR_EACH_IMPL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum autopar_each_end {
    AUTOPAR_EACH_RAISED = -1,        /* the function raised; the exception is set */
    AUTOPAR_EACH_DONE = 0,           /* all items ran */
    AUTOPAR_EACH_EXHAUSTED = 1,      /* the iterator ended before */
    AUTOPAR_EACH_ITERATOR_RAISED = 2 /* the iterator raised; the exception is set */
};

/* Call function with up to count items of iterator, one argument each or, if star, each item's elements as arguments,
 * and append the results to the list out. Whatever happens, out holds the results so far. */
int autopar_call_each(PyObject *function, PyObject *iterator, Py_ssize_t count, PyObject *out, int star);

#endif
