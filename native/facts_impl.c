#include "entry_impl.h"

enum { NAMESPACE, NAME, BUILTINS, NOW, VALUE, CODE, DEFAULTS, KWDEFAULTS };

static PyObject *
or_none(PyObject *object)
{
    return object == NULL ? Py_None : object;
}

static int
function_is_unchanged(PyObject *fact)
{
    PyObject *function = PyTuple_GET_ITEM(fact, VALUE), *code = PyTuple_GET_ITEM(fact, CODE);
    if (code == Py_None) {
        return 1;
    }
    return PyFunction_Check(function) && PyFunction_GET_CODE(function) == code
           && or_none(PyFunction_GET_DEFAULTS(function)) == PyTuple_GET_ITEM(fact, DEFAULTS)
           && or_none(PyFunction_GET_KW_DEFAULTS(function)) == PyTuple_GET_ITEM(fact, KWDEFAULTS);
}

static int
fact_holds(PyObject *fact)
{
    PyObject *namespace = PyTuple_GET_ITEM(fact, NAMESPACE), *name = PyTuple_GET_ITEM(fact, NAME);
    PyObject *builtins = PyTuple_GET_ITEM(fact, BUILTINS), *value = PyTuple_GET_ITEM(fact, VALUE);
    if (namespace == Py_None) {
        PyObject *now = PyObject_CallNoArgs(PyTuple_GET_ITEM(fact, NOW));
        if (now == NULL) {
            PyErr_Clear();
            return 0;
        }
        int same = now == value;
        Py_DECREF(now);
        return same && function_is_unchanged(fact);
    }
    PyObject *now = PyDict_GetItemWithError(namespace, name);
    if (builtins != Py_None) {
        if (now != NULL || PyErr_Occurred()) {
            PyErr_Clear();
            return 0;
        }
        now = PyDict_GetItemWithError(builtins, name);
    }
    if (now == NULL) {
        PyErr_Clear();
        return 0;
    }
    return now == value && function_is_unchanged(fact);
}

int
autopar_facts_hold(PyObject *facts)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(facts); i++) {
        if (!fact_holds(PyTuple_GET_ITEM(facts, i))) {
            return 0;
        }
    }
    return 1;
}
