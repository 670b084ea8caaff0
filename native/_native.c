/* The extension module autopar._native: a thin binding of the *_impl.c files beside it.
 *
 * It keeps no state, so it may be loaded by several interpreters and needs no GIL.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "call_type.h"
#include "each_impl.h"
#include "entry_impl.h"
#include "entry_type.h"
#include "probe_impl.h"
#include "results_impl.h"
#include "types_impl.h"

static PyObject *
probe_error(void)
{
#ifdef _WIN32
    return PyErr_SetFromWindowsErr(0);
#else
    return PyErr_SetFromErrno(PyExc_OSError);
#endif
}

PyDoc_STRVAR(thread_probe_doc,
"thread_probe()\n"
"--\n"
"\n"
"Read the clocks and the context switches of the calling thread.\n"
"\n"
"Returns (wall ns, thread CPU ns, process CPU ns, voluntary switches, involuntary switches).");

static PyObject *
thread_probe(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    autopar_probe probe;
    if (autopar_probe_read(&probe) < 0) {
        return probe_error();
    }
    return Py_BuildValue("(LLLLL)",
                         (long long)probe.wall_ns,
                         (long long)probe.thread_cpu_ns,
                         (long long)probe.process_cpu_ns,
                         (long long)probe.voluntary_switches,
                         (long long)probe.involuntary_switches);
}

/* Take the exception that is set and return it as an object. */
static PyObject *
raised_exception(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

PyDoc_STRVAR(call_each_doc,
"call_each(function, iterator, count, out, star=False, /)\n"
"--\n"
"\n"
"Call a function with up to count items of an iterator and append the results to the list out.\n"
"\n"
"Returns True if all ran, False if the iterator ended before, or the exception that the iterator raised.\n"
"Raises what the function raises; out then holds the earlier results.");

static PyObject *
call_each(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t number)
{
    if (number < 4 || number > 5) {
        return PyErr_Format(PyExc_TypeError, "call_each() takes 4 or 5 arguments, not %zd", number);
    }
    PyObject *iterator = arguments[1], *out = arguments[3];
    if (!PyIter_Check(iterator)) {
        return PyErr_Format(PyExc_TypeError, "iterator must be an iterator, not %.200s",
                            Py_TYPE(iterator)->tp_name);
    }
    Py_ssize_t count = PyNumber_AsSsize_t(arguments[2], PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!PyList_CheckExact(out)) {
        return PyErr_Format(PyExc_TypeError, "out must be a list, not %.200s", Py_TYPE(out)->tp_name);
    }
    int star = number == 5 ? PyObject_IsTrue(arguments[4]) : 0;
    if (star < 0) {
        return NULL;
    }
    switch (autopar_call_each(arguments[0], iterator, count, out, star)) {
    case AUTOPAR_EACH_DONE:
        Py_RETURN_TRUE;
    case AUTOPAR_EACH_EXHAUSTED:
        Py_RETURN_FALSE;
    case AUTOPAR_EACH_ITERATOR_RAISED:
        return raised_exception();
    default:
        return NULL;
    }
}

PyDoc_STRVAR(pack_numbers_doc,
"pack_numbers(kind, items, /)\n"
"--\n"
"\n"
"Pack a list, tuple or range of exact ints (kind 'i') or floats ('f') into 64-bit words.\n"
"\n"
"Returns a bytearray, or None where an item has another type or does not fit.");

static PyObject *
pack_numbers(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t number)
{
    if (number != 2) {
        return PyErr_Format(PyExc_TypeError, "pack_numbers() takes 2 arguments, not %zd", number);
    }
    PyObject *kind = arguments[0], *items = arguments[1];
    int floats = PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, "f") == 0;
    if (!floats && !(PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, "i") == 0)) {
        PyErr_SetString(PyExc_ValueError, "kind must be 'i' or 'f'");
        return NULL;
    }
    if (!PyList_CheckExact(items) && !PyTuple_CheckExact(items) && !Py_IS_TYPE(items, &PyRange_Type)) {
        return PyErr_Format(PyExc_TypeError, "items must be a list, a tuple or a range, not %.200s",
                            Py_TYPE(items)->tp_name);
    }
    return autopar_pack_numbers(floats ? 'f' : 'i', items);
}

PyDoc_STRVAR(exact_types_doc,
"exact_types(values, /)\n"
"--\n"
"\n"
"Find the exact types of some objects, each once, in the order of their first objects.");

static PyObject *
exact_types(PyObject *Py_UNUSED(module), PyObject *values)
{
    return autopar_exact_types(values);
}

PyDoc_STRVAR(copied_arrays_doc,
"copied_arrays(empty, dtype, release, rows, ndim, first, count, /)\n"
"--\n"
"\n"
"Make a list of arrays out of memory that is then let go of: each by empty(shape, dtype), filled and released.\n"
"\n"
"A row of rows has 2 + ndim words of 64 bits: owner, address and extents. release is the address of a C function\n"
"that takes an owner. Of all owners of the count rows from first on none is left, also if an array cannot be made.");

static PyObject *
copied_arrays(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t number)
{
    if (number != 7) {
        return PyErr_Format(PyExc_TypeError, "copied_arrays() takes 7 arguments, not %zd", number);
    }
    void *release = PyLong_AsVoidPtr(arguments[2]);
    Py_ssize_t ndim = PyLong_AsSsize_t(arguments[4]), first = PyLong_AsSsize_t(arguments[5]);
    Py_ssize_t count = PyLong_AsSsize_t(arguments[6]);
    Py_buffer rows;
    if (PyErr_Occurred() || PyObject_GetBuffer(arguments[3], &rows, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *arrays = NULL;
    if (release == NULL || ndim < 0 || ndim > 64 || first < 0 || count < 0
        || rows.len / (Py_ssize_t)sizeof(int64_t) / (2 + ndim) - first < count) {
        PyErr_SetString(PyExc_ValueError, "rows do not have so many words");
    }
    else {
        arrays = autopar_copied_arrays(arguments[0], arguments[1], (void (*)(void *))(uintptr_t)release,
                                       (const int64_t *)rows.buf + first * (2 + ndim), (int)ndim, count);
    }
    PyBuffer_Release(&rows);
    return arrays;
}

PyDoc_STRVAR(shared_dtype_doc,
"shared_dtype(items, ndarray, /)\n"
"--\n"
"\n"
"Return the dtype that all items of a list share, where each is exactly of NumPy's class ndarray, or None.");

static PyObject *
shared_dtype(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t number)
{
    if (number != 2) {
        return PyErr_Format(PyExc_TypeError, "shared_dtype() takes 2 arguments, not %zd", number);
    }
    if (!PyList_CheckExact(arguments[0])) {
        return PyErr_Format(PyExc_TypeError, "items must be a list, not %.200s", Py_TYPE(arguments[0])->tp_name);
    }
    return autopar_shared_dtype(arguments[0], arguments[1]);
}

PyDoc_STRVAR(counted_call_type_doc,
"counted_call_type(proxy, /)\n"
"--\n"
"\n"
"Make a subclass of a proxy type whose calls go straight to a target and are counted.");

PyDoc_STRVAR(settle_doc,
"settle(type, binds, /)\n"
"--\n"
"\n"
"Let calls of instances of a subclass take the short way; where it binds, calls as a method too.");

static PyMethodDef methods[] = {
    {"counted_call_type", autopar_counted_call_type, METH_O, counted_call_type_doc},
    {"settle", (PyCFunction)(void (*)(void))autopar_settle, METH_FASTCALL, settle_doc},
    {"copied_arrays", (PyCFunction)(void (*)(void))copied_arrays, METH_FASTCALL, copied_arrays_doc},
    {"shared_dtype", (PyCFunction)(void (*)(void))shared_dtype, METH_FASTCALL, shared_dtype_doc},
    {"exact_types", exact_types, METH_O, exact_types_doc},
    {"pack_numbers", (PyCFunction)(void (*)(void))pack_numbers, METH_FASTCALL, pack_numbers_doc},
    {"call_each", (PyCFunction)(void (*)(void))call_each, METH_FASTCALL, call_each_doc},
    {"thread_probe", thread_probe, METH_NOARGS, thread_probe_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, AUTOPAR_SLOT(autopar_add_entry_type)},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "autopar._native",
    .m_doc = "Compiled parts of autopar; autopar._native_twin is the same in Python.",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}
