#include "types_impl.h"

#include "ndarray.h"
#include "shared.h"

#define FEW 8 /* types that are compared one by one, before they are looked up */

typedef struct {
    PyObject *types;      /* the list that is built */
    PyObject *by_address; /* set of addresses, once there are more than a few */
    PyTypeObject *last;   /* the type of the object before: mostly it is the next one's, too */
} found_types;

static int
is_known(found_types *found, PyTypeObject *type)
{
    Py_ssize_t count = PyList_GET_SIZE(found->types);
    if (count <= FEW) {
        for (Py_ssize_t i = 0; i < count; i++) {
            if (PyList_GET_ITEM(found->types, i) == (PyObject *)type) {
                return 1;
            }
        }
        return 0;
    }
    PyObject *address = PyLong_FromVoidPtr(type);
    if (address == NULL) {
        return -1;
    }
    int known = PySet_Contains(found->by_address, address);
    if (known == 0 && PySet_Add(found->by_address, address) < 0) {
        known = -1;
    }
    Py_DECREF(address);
    return known;
}

static int
start_looking_up(found_types *found)
{
    found->by_address = PySet_New(NULL);
    if (found->by_address == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(found->types); i++) {
        PyObject *address = PyLong_FromVoidPtr(PyList_GET_ITEM(found->types, i));
        int failed = address == NULL || PySet_Add(found->by_address, address) < 0;
        Py_XDECREF(address);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static int
add_type_of(found_types *found, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    if (type == found->last) {
        return 0;
    }
    found->last = type;
    int known = is_known(found, type);
    if (known) {
        return known < 0 ? -1 : 0;
    }
    if (PyList_Append(found->types, (PyObject *)type) < 0) {
        return -1;
    }
    return PyList_GET_SIZE(found->types) == FEW + 1 ? start_looking_up(found) : 0;
}

/* Nothing that is done for an item runs Python code, so that a list or tuple stays as it is meanwhile. */
static int
add_types_of_list(found_types *found, PyObject *list)
{
    int failed = 0;
    AUTOPAR_LOCK(list);
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(list); i++) {
        failed = add_type_of(found, PyList_GET_ITEM(list, i));
    }
    AUTOPAR_UNLOCK();
    return failed;
}

static int
add_types_of_tuple(found_types *found, PyObject *tuple)
{
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(tuple); i++) {
        failed = add_type_of(found, PyTuple_GET_ITEM(tuple, i));
    }
    return failed;
}

static int
add_types_of_iterable(found_types *found, PyObject *values)
{
    PyObject *iterator = PyObject_GetIter(values), *value;
    if (iterator == NULL) {
        return -1;
    }
    int failed = 0;
    while (!failed && (value = PyIter_Next(iterator)) != NULL) {
        failed = add_type_of(found, value);
        Py_DECREF(value);
    }
    Py_DECREF(iterator);
    return failed || PyErr_Occurred() ? -1 : 0;
}

PyObject *
autopar_exact_types(PyObject *values)
{
    found_types found = {PyList_New(0), NULL, NULL};
    if (found.types == NULL) {
        return NULL;
    }
    int failed;
    if (PyList_CheckExact(values)) {
        failed = add_types_of_list(&found, values);
    }
    else if (PyTuple_CheckExact(values)) {
        failed = add_types_of_tuple(&found, values);
    }
    else {
        failed = add_types_of_iterable(&found, values);
    }
    Py_XDECREF(found.by_address);
    if (failed) {
        Py_CLEAR(found.types);
    }
    return found.types;
}

PyObject *
autopar_shared_dtype(PyObject *list, PyObject *ndarray)
{
    PyObject *dtype = NULL;
    /* NumPy's own class is a static one; another of that name has other fields. */
    int alike = PyType_Check(ndarray) && !PyType_HasFeature((PyTypeObject *)ndarray, Py_TPFLAGS_HEAPTYPE);
    AUTOPAR_LOCK(list);
    for (Py_ssize_t i = 0; alike && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        alike = (PyObject *)Py_TYPE(item) == ndarray;
        if (alike) {
            PyObject *its = ((const autopar_ndarray *)item)->dtype;
            dtype = dtype == NULL ? its : dtype;
            alike = its == dtype;
        }
    }
    dtype = alike && dtype != NULL ? dtype : Py_None;
    Py_INCREF(dtype);
    AUTOPAR_UNLOCK();
    return dtype;
}
