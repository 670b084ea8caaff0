"""The C that stands beside each function: what CPython does where Cython's own code would do something else.

Cython binds builtins when a module is loaded, words some errors in its own way, takes ``in`` apart, and writes
tracebacks of its own. Here are CPython's ways, as its ``ceval.c`` has them. A function's surroundings are one tuple,
``ap``, which every generated function takes first: see :mod:`.surroundings`.
"""

from __future__ import annotations

from autopar._compilers.cython.support_flow import FLOW

__all__ = ["C_TEXT", "DECLARATIONS"]

_VALUES = r"""
#include <frameobject.h>
#include <structmember.h>
#include <stddef.h>
#define AP_FUNCTION 0
#define AP_GLOBALS 1
#define AP_BUILTINS 2
#define AP_CODE 3
#define AP_MISS 4
#define AP_LINES 5
#define AP_CALLS 6
#define AP_NEVER() 0
#define AP_OWN(ap, i) PyTuple_GET_ITEM(ap, i)
#define AP_K(ap, i) Py_NewRef(AP_OWN(ap, i))
#define AP_TRACEBACK(name, c_line, line, file) ap_traceback(__pyx_v_ap, line)
#define AP_UNBOUND(name) ap_unbound(name)
#if defined(__GNUC__)
#define AP_RARELY(test) __builtin_expect(!!(test), 0)
#else
#define AP_RARELY(test) (test)
#endif
#include <stdint.h>
#include <time.h>

/* The lines that a traceback shows for a line of the generated text, innermost first: as code objects. */
static void ap_traceback(PyObject *ap, int line)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *key = PyLong_FromLong(line);
    PyObject *codes = key ? PyObject_GetItem(AP_OWN(ap, AP_LINES), key) : NULL;
    Py_XDECREF(key);
    if (!codes) PyErr_Clear();
    PyErr_Restore(type, value, trace);
    for (Py_ssize_t i = 0; codes && i < PyTuple_GET_SIZE(codes); i++) {
        PyCodeObject *code = (PyCodeObject *)PyTuple_GET_ITEM(codes, i);
        PyFrameObject *frame = PyFrame_New(PyThreadState_Get(), code, AP_OWN(ap, AP_GLOBALS), NULL);
        if (frame) PyTraceBack_Here(frame);
        Py_XDECREF((PyObject *)frame);
    }
    Py_XDECREF(codes);
}

static void ap_unbound(const char *name)
{
    PyErr_Format(PyExc_UnboundLocalError,
                 "cannot access local variable '%s' where it is not associated with a value", name);
}

/* Names of the module, as they are now. */
static PyObject *ap_no_name(PyObject *name)
{
    PyObject *type, *value, *trace;
    PyErr_Format(PyExc_NameError, "name '%.200U' is not defined", name);
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (value) (void)PyObject_SetAttrString(value, "name", name);
    PyErr_Restore(type, value, trace);
    return NULL;
}
static inline PyObject *ap_find_global(PyObject *ap, PyObject *name)
{
    PyObject *value = PyDict_GetItemWithError(AP_OWN(ap, AP_GLOBALS), name);
    if (value) return Py_NewRef(value);
    if (PyErr_Occurred()) return NULL;
    value = PyDict_GetItemWithError(AP_OWN(ap, AP_BUILTINS), name);
    if (value) return Py_NewRef(value);
    return PyErr_Occurred() ? NULL : ap_no_name(name);
}
#if PY_VERSION_HEX < 0x030C0000 && defined(__GNUC__)
/* Each change gives a dict a version that no dict ever had (PEP 509), so a place in the code can keep what it found. */
typedef struct { uint64_t own, inbuilt; PyObject *value; } ap_site;
static inline PyObject *ap_global_at(PyObject *ap, PyObject *name, ap_site *site)
{
    uint64_t own = ((PyDictObject *)AP_OWN(ap, AP_GLOBALS))->ma_version_tag;
    uint64_t inbuilt = ((PyDictObject *)AP_OWN(ap, AP_BUILTINS))->ma_version_tag;
    if (site->own == own && site->inbuilt == inbuilt && site->value) return Py_NewRef(site->value);
    PyObject *value = ap_find_global(ap, name);
    site->own = own;
    site->inbuilt = inbuilt;
    site->value = value;
    return value;
}
#define ap_global(ap, name) ({ static ap_site site_; ap_global_at(ap, name, &site_); })
#else
#define ap_global ap_find_global
#endif
static inline int ap_set_global(PyObject *ap, PyObject *name, PyObject *value)
{
    return PyDict_SetItem(AP_OWN(ap, AP_GLOBALS), name, value);
}

/* Variables that inner functions share. */
static inline PyObject *ap_cell(PyObject *value) { return PyCell_New(value == Py_Ellipsis ? NULL : value); }
static inline PyObject *ap_get_cell(PyObject *cell, const char *name, int outer)
{
    PyObject *value = PyCell_GET(cell);
    if (value) return Py_NewRef(value);
    if (outer) PyErr_Format(PyExc_NameError, "cannot access free variable '%s' where it is not associated with a value"
                                             " in enclosing scope", name);
    else ap_unbound(name);
    return NULL;
}
static inline int ap_set_cell(PyObject *cell, PyObject *value) { return PyCell_Set(cell, value); }
static PyObject *ap_function(PyObject *ap, PyObject *code, PyObject *defaults, PyObject *by_name, PyObject *cells)
{
    PyObject *made = PyFunction_New(code, AP_OWN(ap, AP_GLOBALS));
    if (made && PyTuple_GET_SIZE(defaults) && PyFunction_SetDefaults(made, defaults) < 0) Py_CLEAR(made);
    if (made && PyDict_GET_SIZE(by_name) && PyFunction_SetKwDefaults(made, by_name) < 0) Py_CLEAR(made);
    if (made && PyTuple_GET_SIZE(cells) && PyFunction_SetClosure(made, cells) < 0) Py_CLEAR(made);
    return made;
}

/* Operators. */
static inline int ap_contains(PyObject *item, PyObject *container)
{
    if (PyDict_CheckExact(container)) return PyDict_Contains(container, item);
    return PySequence_Contains(container, item);
}
static inline PyObject *ap_same(PyObject *value) { return Py_NewRef(value); }
static inline PyObject *ap_slice(PyObject *start, PyObject *stop, PyObject *step)
{
    return PySlice_New(start, stop, step);
}
static inline PyObject *ap_item(PyObject *container, PyObject *key) { return PyObject_GetItem(container, key); }
static inline PyObject *ap_part(PyObject *container, PyObject *start, PyObject *stop)
{
    if (PyUnicode_CheckExact(container) || PyList_CheckExact(container)) {
        int text = PyUnicode_CheckExact(container), over = 0;
        Py_ssize_t length = text ? PyUnicode_GET_LENGTH(container) : PyList_GET_SIZE(container);
        Py_ssize_t from = 0, to = length;
        if ((start == Py_None || PyLong_CheckExact(start)) && (stop == Py_None || PyLong_CheckExact(stop))) {
            if (start != Py_None) from = PyLong_AsLongAndOverflow(start, &over);
            if (stop != Py_None && !over) to = PyLong_AsLongAndOverflow(stop, &over);
            if (!over) {
                from = from < 0 ? (from + length < 0 ? 0 : from + length) : from > length ? length : from;
                to = to < 0 ? (to + length < 0 ? 0 : to + length) : to > length ? length : to;
                if (to < from) to = from;
                return text ? PyUnicode_Substring(container, from, to) : PyList_GetSlice(container, from, to);
            }
        }
    }
    PyObject *slice = PySlice_New(start, stop, Py_None);
    PyObject *found = slice ? PyObject_GetItem(container, slice) : NULL;
    Py_XDECREF(slice);
    return found;
}
static inline int ap_add_to(PyObject **place, PyObject *value)
{
    if (PyUnicode_CheckExact(*place) && PyUnicode_CheckExact(value)) {
        PyObject *text = *place;
        *place = Py_NewRef(Py_None);  /* so that the variable holds the only reference, and grows in place */
        PyUnicode_Append(&text, value);
        if (!text) return -1;
        Py_SETREF(*place, text);
        return 0;
    }
    PyObject *sum = PyNumber_InPlaceAdd(*place, value);
    if (!sum) return -1;
    Py_SETREF(*place, sum);
    return 0;
}
#define AP_ADD_TO(variable, value) ap_add_to(&(variable), value)

/* Texts. */
static PyObject *ap_format(PyObject *value, int conversion, PyObject *spec)
{
    PyObject *text = conversion == 's'   ? PyObject_Str(value)
                     : conversion == 'r' ? PyObject_Repr(value)
                     : conversion == 'a' ? PyObject_ASCII(value)
                                         : Py_NewRef(value);
    if (!text || (PyUnicode_CheckExact(text) && spec == Py_None)) return text;
    PyObject *made = PyObject_Format(text, spec == Py_None ? NULL : spec);
    Py_DECREF(text);
    return made;
}
static PyObject *ap_join(PyObject *parts)
{
    PyObject *nothing = PyUnicode_New(0, 0);
    PyObject *made = nothing ? PyUnicode_Join(nothing, parts) : NULL;
    Py_XDECREF(nothing);
    return made;
}

/* Unpacking. */
static PyObject *ap_not_iterable(PyObject *value)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(value)->tp_iter == NULL && !PySequence_Check(value))
        PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object", Py_TYPE(value)->tp_name);
    return NULL;
}
static PyObject *ap_too_many(PyObject *value, Py_ssize_t count)
{
#if PY_VERSION_HEX >= 0x030E0000
    if (PyTuple_CheckExact(value) || PyList_CheckExact(value) || PyDict_CheckExact(value)) {
        Py_ssize_t length = PyDict_CheckExact(value) ? PyDict_Size(value) : Py_SIZE(value);
        if (length > count)
            return PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %zd, got %zd)", count, length);
    }
#endif
    return PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %zd)", count);
}
static PyObject *ap_unpack_any(PyObject *value, Py_ssize_t before, Py_ssize_t after)
{
    Py_ssize_t count = before + (after < 0 ? 0 : after + 1), got = 0;
    PyObject *item, *rest = NULL, *found, *iterator = PyObject_GetIter(value);
    if (!iterator) return ap_not_iterable(value);
    if (!(found = PyTuple_New(count))) goto bad;
    for (; got < before; got++) {
        if (!(item = PyIter_Next(iterator))) {
            if (PyErr_Occurred()) goto bad;
            if (after < 0)
                PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected %zd, got %zd)", before, got);
            else
                PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected at least %zd, got %zd)",
                             before + after, got);
            goto bad;
        }
        PyTuple_SET_ITEM(found, got, item);
    }
    if (after < 0) {
        if ((item = PyIter_Next(iterator))) {
            Py_DECREF(item);
            ap_too_many(value, before);
            goto bad;
        }
        if (PyErr_Occurred()) goto bad;
    } else {
        if (!(rest = PySequence_List(iterator))) goto bad;
        Py_ssize_t length = PyList_GET_SIZE(rest);
        if (length < after) {
            PyErr_Format(PyExc_ValueError, "not enough values to unpack (expected at least %zd, got %zd)",
                         before + after, before + length);
            goto bad;
        }
        for (Py_ssize_t i = 0; i < after; i++)
            PyTuple_SET_ITEM(found, before + 1 + i, Py_NewRef(PyList_GET_ITEM(rest, length - after + i)));
        if (PyList_SetSlice(rest, length - after, length, NULL) < 0) goto bad;
        PyTuple_SET_ITEM(found, before, rest);
    }
    Py_DECREF(iterator);
    return found;
bad:
    Py_XDECREF(rest);
    Py_XDECREF(found);
    Py_DECREF(iterator);
    return NULL;
}
static inline PyObject *ap_unpack(PyObject *value, Py_ssize_t count)
{
    if (PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == count) return Py_NewRef(value);
    if (PyList_CheckExact(value) && PyList_GET_SIZE(value) == count) return PyList_AsTuple(value);
    return ap_unpack_any(value, count, -1);
}
#define AP_PART(parts, i) Py_NewRef(PyTuple_GET_ITEM(parts, i))

"""

C_TEXT = _VALUES + FLOW
"""Helpers by what they do; ``Py_Ellipsis`` stands for "none given" where ``None`` is a value."""

DECLARATIONS = """
    bint AP_NEVER()
    object AP_K(object ap, int i)
    object AP_PART(tuple parts, int i)
    object ap_global(object ap, object name)
    int ap_set_global(object ap, object name, object value) except -1
    object ap_cell(object value)
    object ap_get_cell(object cell, const char *name, int outer)
    int ap_set_cell(object cell, object value) except -1
    object ap_function(object ap, object code, tuple defaults, dict by_name, tuple cells)
    bint ap_contains(object item, object container) except -1
    object ap_same(object value)
    object ap_slice(object start, object stop, object step)
    object ap_part(object container, object start, object stop)
    object ap_item(object container, object key)
    int AP_ADD_TO(object variable, object value) except -1
    object ap_format(object value, int conversion, object spec)
    object ap_join(tuple parts)
    tuple ap_unpack(object value, Py_ssize_t count)
    tuple ap_unpack_any(object value, Py_ssize_t before, Py_ssize_t after)
    object ap_look(object owner, object name)
    object ap_call1(object owner, object method, object a)
    object ap_call2(object owner, object method, object a, object b)
    object ap_call3(object owner, object method, object a, object b, object c)
    object ap_look_append(object owner)
    object ap_append(object owner, object method, object a)
    list ap_spread(tuple items, const char *stars)
    object ap_as_tuple "PyList_AsTuple" (list items)
    object ap_iterable(object value)
    object ap_iterator "PyObject_GetIter" (object value)
    object ap_call_star(object function, tuple arguments, object more, object named)
    object ap_handled "PyErr_GetHandledException" ()
    bint ap_matches(object error, object type) except -1
    int ap_raise(object raised, object cause) except -1
    tuple ap_enter(object manager)
    int ap_leave(object leave, object error) except -1
    int AP_ROUND() except -1
"""
