#include "ndarray.h"
#include "packing.h"

#include <stdlib.h>

#define SCRATCH_AT_MOST ((size_t)64 << 20) /* bytes that an entry keeps for undoing */

static const char *const FORMATS[AUTOPAR_DTYPES] = {"?",     "b",     "hilq",  "hilq", "hilq", "B",
                                                    "HILQ",  "HILQ",  "HILQ",  "f",    "d"};
static const Py_ssize_t SIZES[AUTOPAR_DTYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};

static int
has_format(const Py_buffer *view, unsigned char dtype)
{
    const char *format = view->format;
    if (format == NULL || view->itemsize != SIZES[dtype]) {
        return 0;
    }
    if (*format == '@' || *format == '=') {
        format++;
    }
    return format[0] != '\0' && format[1] == '\0' && strchr(FORMATS[dtype], format[0]) != NULL;
}

static int
is_aligned(const Py_buffer *view)
{
    int aligned = (uintptr_t)view->buf % (uintptr_t)view->itemsize == 0;
    for (int axis = 0; axis < view->ndim; axis++) {
        aligned &= view->strides[axis] % view->itemsize == 0;
    }
    return aligned;
}

/* Take the memory that the last call has left, if it is large enough. The GIL is held. */
static void *
take_scratch(autopar_scratch *scratch, size_t size, size_t *room)
{
    *room = size;
    if (scratch->memory == NULL || scratch->size < size) {
        return malloc(size);
    }
    void *memory = scratch->memory;
    *room = scratch->size;
    scratch->memory = NULL;
    return memory;
}

void
autopar_give_scratch(autopar_scratch *scratch, void *memory, size_t room)
{
#ifdef Py_GIL_DISABLED
    room = 0; /* two threads could take it at once */
#endif
    if (memory == NULL || room == 0 || room > SCRATCH_AT_MOST) {
        free(memory);
        return;
    }
    free(scratch->memory);
    scratch->memory = memory;
    scratch->size = room;
}

/* Remember the dtype object of an array that the buffer protocol has shown to be of this dtype, if the array's fields
 * say the same as its buffer. */
static void
learn_dtype(const autopar_kernel *kernel, unsigned char dtype, const autopar_ndarray *array, const Py_buffer *view)
{
    if (view->ndim < 1 || array->data != view->buf || array->ndim != view->ndim
        || memcmp(array->shape, view->shape, (size_t)view->ndim * sizeof(Py_ssize_t)) != 0
        || memcmp(array->strides, view->strides, (size_t)view->ndim * sizeof(Py_ssize_t)) != 0
        || !(array->flags & AUTOPAR_NDARRAY_WRITEABLE) != !!view->readonly) {
        return;
    }
    PyObject **known = (PyObject **)&kernel->dtypes[dtype];
#ifdef Py_GIL_DISABLED
    PyObject *none = NULL;
    Py_INCREF(array->dtype);
    if (!__atomic_compare_exchange_n(known, &none, array->dtype, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        Py_DECREF(array->dtype);
    }
#else
    if (*known == NULL) {
        *known = Py_NewRef(array->dtype);
    }
#endif
}

/* Say in words where an array is, and its shape and strides; whether it fits as it is. */
static int
pack_in_place(const autopar_ndarray *array, unsigned char ndim, Py_ssize_t size, unsigned char flags, int64_t *words)
{
    const Py_ssize_t *shape = array->shape, *strides = array->strides;
    Py_ssize_t expected = size, mask = size - 1; /* sizes are powers of two, and a division takes 10 ns */
    int aligned = ((uintptr_t)array->data & (uintptr_t)mask) == 0, contiguous = 1, empty = 0;
    *words++ = (int64_t)(intptr_t)array->data;
    for (int axis = ndim - 1; axis >= 0; axis--) {
        Py_ssize_t length = shape[axis], stride = strides[axis];
        words[axis] = length;
        words[ndim + axis] = stride;
        aligned &= (stride & mask) == 0;
        contiguous &= length <= 1 || stride == expected;
        empty |= length == 0;
        expected *= length;
    }
    return aligned && (contiguous || empty || !(flags & AUTOPAR_CONTIGUOUS))
           && (array->flags & AUTOPAR_NDARRAY_WRITEABLE || !(flags & AUTOPAR_WRITTEN));
}

int
autopar_pack_array(autopar_packing *pack, unsigned char dtype, unsigned char ndim, unsigned char flags, PyObject *value)
{
    if ((PyObject *)Py_TYPE(value) != PyTuple_GET_ITEM(pack->kernel->classes, AUTOPAR_DTYPES)) {
        return AUTOPAR_UNFIT;
    }
    const autopar_ndarray *array = (const autopar_ndarray *)value;
    PyObject *known = pack->kernel->dtypes[dtype];
    if (known != NULL && array->dtype == known && !(flags & AUTOPAR_UNDO)) {
        if (array->ndim != ndim || !pack_in_place(array, ndim, SIZES[dtype], flags, pack->word)) {
            return AUTOPAR_UNFIT;
        }
        pack->word += 1 + 2 * ndim;
        return AUTOPAR_DONE;
    }
    autopar_held *thing = autopar_new_held(pack);
    if (thing == NULL) {
        return AUTOPAR_UNFIT;
    }
    if (PyObject_GetBuffer(value, &thing->view, flags & AUTOPAR_WRITTEN ? PyBUF_RECORDS : PyBUF_RECORDS_RO) < 0) {
        pack->things_used--;
        return autopar_unfit();
    }
    thing->flags = flags;
    Py_buffer *view = &thing->view;
    if (view->ndim != ndim || !has_format(view, dtype) || !is_aligned(view)
        || ((flags & AUTOPAR_CONTIGUOUS) && !PyBuffer_IsContiguous(view, 'C'))) {
        return AUTOPAR_UNFIT;
    }
    if (known == NULL) {
        learn_dtype(pack->kernel, dtype, array, view);
    }
    if (flags & AUTOPAR_UNDO) {
        thing->before = take_scratch(pack->kernel->scratch, (size_t)view->len + 1, &thing->room);
        if (thing->before == NULL || PyBuffer_ToContiguous(thing->before, view, view->len, 'C') < 0) {
            return autopar_unfit();
        }
    }
    *pack->word++ = (int64_t)(intptr_t)view->buf;
    memcpy(pack->word, view->shape, ndim * sizeof(int64_t));
    memcpy(pack->word + ndim, view->strides, ndim * sizeof(int64_t));
    pack->word += 2 * ndim;
    return AUTOPAR_DONE;
}

void
autopar_undo_arrays(autopar_packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        autopar_held *thing = &pack->things[i];
        if (thing->list == NULL && thing->before != NULL) {
            /* It only fails where it would have failed to be read. */
            (void)PyBuffer_FromContiguous(&thing->view, thing->before, thing->view.len, 'C');
        }
    }
}
