#include "packing.h"
#include "shared.h"

#include <stdlib.h>

static size_t
item_bytes(unsigned char kind)
{
    return kind == 'b' ? 1 : sizeof(int64_t);
}

static int
pack_items(unsigned char kind, PyObject *list, Py_ssize_t count, void *data)
{
    int status = PyList_CheckExact(list) ? AUTOPAR_DONE : AUTOPAR_UNFIT;
    if (status) {
        return status;
    }
    AUTOPAR_LOCK(list);
    status = PyList_GET_SIZE(list) == count ? AUTOPAR_DONE : AUTOPAR_UNFIT;
    for (Py_ssize_t i = 0; status == AUTOPAR_DONE && i < count; i++) {
        int64_t word = 0;
        status = autopar_pack_plain(kind, PyList_GET_ITEM(list, i), &word);
        if (kind == 'b') {
            ((char *)data)[i] = (char)word;
        }
        else {
            ((int64_t *)data)[i] = word;
        }
    }
    AUTOPAR_UNLOCK();
    return status;
}

static int
pack_rows_of(PyObject *list, const autopar_held *thing, size_t row)
{
    if (thing->ndim == 1) {
        return pack_items(thing->kind, list, thing->shape[0], thing->data);
    }
    for (Py_ssize_t i = 0; i < thing->shape[0]; i++) {
        PyObject *inner = autopar_list_item(list, i);
        if (inner == NULL) {
            return autopar_unfit();
        }
        int status = pack_items(thing->kind, inner, thing->shape[1], (char *)thing->data + (size_t)i * row);
        Py_DECREF(inner);
        if (status) {
            return status;
        }
    }
    return AUTOPAR_DONE;
}

int
autopar_pack_list(autopar_packing *pack, unsigned char kind, unsigned char ndim, unsigned char flags, PyObject *value)
{
    if (!PyList_CheckExact(value)) {
        return AUTOPAR_UNFIT;
    }
    autopar_held *thing = autopar_new_held(pack);
    if (thing == NULL) {
        return AUTOPAR_UNFIT;
    }
    thing->list = value;
    thing->kind = kind;
    thing->ndim = ndim;
    thing->flags = flags;
    thing->shape[0] = PyList_GET_SIZE(value);
    thing->shape[1] = 1;
    if (ndim == 2 && thing->shape[0]) {
        PyObject *first = autopar_list_item(value, 0);
        if (first == NULL) {
            return autopar_unfit();
        }
        thing->shape[1] = PyList_CheckExact(first) ? PyList_GET_SIZE(first) : 0;
        Py_DECREF(first);
    }
    if (thing->shape[0] == 0 || thing->shape[1] == 0) {
        return AUTOPAR_UNFIT; /* an empty list has no type of item */
    }
    size_t row = (size_t)thing->shape[1] * item_bytes(kind), size = (size_t)thing->shape[0] * row;
    thing->data = malloc(size);
    if (thing->data == NULL) {
        return AUTOPAR_UNFIT;
    }
    if (pack_rows_of(value, thing, row)) {
        return AUTOPAR_UNFIT;
    }
    if (flags & AUTOPAR_WRITTEN) {
        thing->before = malloc(size);
        if (thing->before == NULL) {
            return AUTOPAR_UNFIT;
        }
        memcpy(thing->before, thing->data, size);
    }
    *pack->word++ = (int64_t)(intptr_t)thing->data;
    for (unsigned char axis = 0; axis < ndim; axis++) {
        *pack->word++ = thing->shape[axis];
    }
    return AUTOPAR_DONE;
}

int
autopar_lists_are_apart(const autopar_packing *pack)
{
    int written = 0;
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        written |= pack->things[i].list != NULL && (pack->things[i].flags & AUTOPAR_WRITTEN);
    }
    if (!written) {
        return 1;
    }
    PyObject *seen = PySet_New(NULL);
    Py_ssize_t number = 0;
    for (Py_ssize_t i = 0; seen != NULL && i < pack->things_used; i++) {
        const autopar_held *thing = &pack->things[i];
        for (Py_ssize_t row = 0; thing->list != NULL && row < (thing->ndim == 1 ? 1 : thing->shape[0]); row++) {
            PyObject *inner = thing->ndim == 1 ? Py_NewRef(thing->list) : autopar_list_item(thing->list, row);
            PyObject *key = inner == NULL ? NULL : PyLong_FromVoidPtr(inner);
            Py_XDECREF(inner);
            if (key == NULL || PySet_Add(seen, key) < 0) {
                Py_CLEAR(seen);
            }
            Py_XDECREF(key);
            number++;
            if (seen == NULL) {
                break;
            }
        }
    }
    int apart = seen != NULL && PySet_GET_SIZE(seen) == number;
    Py_XDECREF(seen);
    PyErr_Clear();
    return apart;
}

/* Put the items that the kernel has changed into their lists; the others stay the objects they are. */
int
autopar_write_lists(const autopar_packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        const autopar_held *thing = &pack->things[i];
        if (thing->list == NULL || thing->before == NULL) {
            continue;
        }
        size_t bytes = item_bytes(thing->kind);
        Py_ssize_t width = thing->ndim == 1 ? thing->shape[0] : thing->shape[1];
        Py_ssize_t rows = thing->ndim == 1 ? 1 : thing->shape[0];
        for (Py_ssize_t n = 0; n < rows * width; n++) {
            const char *now = (const char *)thing->data + (size_t)n * bytes;
            if (memcmp(now, (const char *)thing->before + (size_t)n * bytes, bytes) == 0) {
                continue;
            }
            int64_t word = *now;
            if (bytes > 1) {
                memcpy(&word, now, sizeof word);
            }
            PyObject *list = thing->ndim == 1 ? Py_NewRef(thing->list) : autopar_list_item(thing->list, n / width);
            PyObject *item = list == NULL ? NULL : autopar_plain_object(thing->kind, word);
            int failed = item == NULL || PyList_SetItem(list, n % width, item) < 0;
            Py_XDECREF(list);
            if (failed) {
                return -1;
            }
        }
    }
    return 0;
}
