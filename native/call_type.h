/* autopar._native.counted_call_type: a proxy type whose calls go straight to a target and are counted. */
#ifndef AUTOPAR_CALL_TYPE_H
#define AUTOPAR_CALL_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* counted_call_type(proxy, /): make the type, as a subclass of a proxy type. */
PyObject *autopar_counted_call_type(PyObject *module, PyObject *proxy);

/* settle(type, binds, /): let the calls of a subclass take the short way. */
PyObject *autopar_settle(PyObject *module, PyObject *const *arguments, Py_ssize_t number);

#endif
