#include "packing.h"
#include "shared.h"

#include <stdlib.h>

autopar_held *
autopar_new_held(autopar_packing *pack)
{
    if (pack->things_used == pack->things_room) {
        Py_ssize_t room = 2 * pack->things_room;
        autopar_held *more = malloc((size_t)room * sizeof(autopar_held));
        if (more == NULL) {
            return NULL;
        }
        memcpy(more, pack->things, (size_t)pack->things_used * sizeof(autopar_held));
        if (pack->things != pack->few) {
            free(pack->things);
        }
        pack->things = more;
        pack->things_room = room;
    }
    autopar_held *thing = &pack->things[pack->things_used++];
    memset(thing, 0, sizeof *thing);
    return thing;
}

void
autopar_end_packing(autopar_packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        autopar_held *thing = &pack->things[i];
        if (thing->view.obj != NULL) {
            PyBuffer_Release(&thing->view);
        }
        free(thing->data);
        autopar_give_scratch(pack->kernel->scratch, thing->before, thing->room);
    }
    if (pack->things != pack->few) {
        free(pack->things);
    }
}

static int
pack_int(PyObject *value, int64_t *word)
{
    if (!PyLong_CheckExact(value)) {
        return AUTOPAR_UNFIT;
    }
    int overflow;
    *word = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow ? AUTOPAR_UNFIT : AUTOPAR_DONE;
}

int
autopar_pack_plain(unsigned char kind, PyObject *value, int64_t *word)
{
    switch (kind) {
    case 'i':
        return pack_int(value, word);
    case 'f':
        if (!PyFloat_CheckExact(value)) {
            return AUTOPAR_UNFIT;
        }
        *word = autopar_word_of_double(PyFloat_AS_DOUBLE(value));
        return AUTOPAR_DONE;
    default:
        if (!PyBool_Check(value)) {
            return AUTOPAR_UNFIT;
        }
        *word = value == Py_True;
        return AUTOPAR_DONE;
    }
}

/* Take the value of an int, if it fits. */
static int
whole_number(PyObject *value, int64_t *out)
{
    *out = value == NULL ? -1 : (int64_t)PyLong_AsLongLong(value);
    Py_XDECREF(value);
    return PyErr_Occurred() ? -1 : 0;
}

/* The numbers of a range, without an object for each. */
static PyObject *
pack_range(PyObject *range)
{
    int64_t start = 0, last = 0, step = 0;
    Py_ssize_t count = PyObject_Size(range);
    if (count < 0 || (count && whole_number(PySequence_GetItem(range, 0), &start) < 0)
        || (count && whole_number(PySequence_GetItem(range, count - 1), &last) < 0)
        || (count && whole_number(PyObject_GetAttrString(range, "step"), &step) < 0)) {
        (void)autopar_unfit();
        Py_RETURN_NONE;
    }
    if (count > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(int64_t)) {
        Py_RETURN_NONE;
    }
    PyObject *packed = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t));
    char *at = packed == NULL ? NULL : PyByteArray_AS_STRING(packed);
    uint64_t number = (uint64_t)start; /* it wraps only behind the last one */
    for (Py_ssize_t i = 0; at != NULL && i < count; i++, at += sizeof number, number += (uint64_t)step) {
        memcpy(at, &number, sizeof number);
    }
    return packed;
}

PyObject *
autopar_pack_numbers(unsigned char kind, PyObject *items)
{
    if (Py_IS_TYPE(items, &PyRange_Type)) {
        return kind == 'i' ? pack_range(items) : Py_NewRef(Py_None);
    }
    PyObject *packed = NULL;
    int status = AUTOPAR_DONE;
    AUTOPAR_LOCK(items);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    packed = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t));
    char *at = packed == NULL ? NULL : PyByteArray_AS_STRING(packed);
    for (Py_ssize_t i = 0; at != NULL && status == AUTOPAR_DONE && i < count; i++, at += sizeof(int64_t)) {
        int64_t word = 0;
        status = autopar_pack_plain(kind, PySequence_Fast_GET_ITEM(items, i), &word);
        memcpy(at, &word, sizeof word);
    }
    AUTOPAR_UNLOCK();
    if (packed != NULL && status) {
        Py_DECREF(packed);
        Py_RETURN_NONE;
    }
    return packed;
}

static int
pack_numpy_scalar(const autopar_kernel *kernel, unsigned char dtype, PyObject *value, int64_t *word)
{
    if ((PyObject *)Py_TYPE(value) != PyTuple_GET_ITEM(kernel->classes, dtype)) {
        return AUTOPAR_UNFIT;
    }
    if (dtype >= AUTOPAR_FLOAT32) {
        double number = PyFloat_AsDouble(value);
        if (number == -1.0 && PyErr_Occurred()) {
            return autopar_unfit();
        }
        *word = autopar_word_of_double(number);
        return AUTOPAR_DONE;
    }
    if (dtype == AUTOPAR_BOOL) {
        int truth = PyObject_IsTrue(value);
        *word = truth;
        return truth < 0 ? autopar_unfit() : AUTOPAR_DONE;
    }
    PyObject *whole = PyNumber_Index(value);
    if (whole == NULL) {
        return autopar_unfit();
    }
    *word = dtype == AUTOPAR_UINT64 ? (int64_t)PyLong_AsUnsignedLongLong(whole) : (int64_t)PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    return PyErr_Occurred() ? autopar_unfit() : AUTOPAR_DONE;
}

int
autopar_pack_value(autopar_packing *pack, PyObject *value)
{
    unsigned char kind = *pack->program++;
    switch (kind) {
    case 'i':
    case 'f':
    case 'b':
        return autopar_pack_plain(kind, value, pack->word++);
    case 'n':
        return value == Py_None ? AUTOPAR_DONE : AUTOPAR_UNFIT;
    case 's':
        return pack_numpy_scalar(pack->kernel, *pack->program++, value, pack->word++);
    case 'a':
    case 'l': {
        unsigned char first = pack->program[0], ndim = pack->program[1], flags = pack->program[2];
        pack->program += 3;
        return kind == 'a' ? autopar_pack_array(pack, first, ndim, flags, value) : autopar_pack_list(pack, first, ndim, flags, value);
    }
    default: {
        Py_ssize_t size = *pack->program++;
        if (!PyTuple_CheckExact(value) || PyTuple_GET_SIZE(value) != size) {
            return AUTOPAR_UNFIT;
        }
        for (Py_ssize_t i = 0; i < size; i++) {
            if (autopar_pack_value(pack, PyTuple_GET_ITEM(value, i))) {
                return AUTOPAR_UNFIT;
            }
        }
        return AUTOPAR_DONE;
    }
    }
}
