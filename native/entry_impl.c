#include "entry_impl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEW_WORDS 64
#define FEW_HELD 12
#define BRIEF_IN_A_ROW 16 /* calls after which the next is taken to be brief as well */
#define SCRATCH_AT_MOST ((size_t)64 << 20) /* bytes that an entry keeps for undoing */

/* One array or list of a call: what was taken from Python for its sake, and what must be given back. */
typedef struct {
    Py_buffer view;   /* of an array */
    PyObject *list;   /* NULL for an array; borrowed: the caller holds the arguments */
    void *data;       /* packed items of a list */
    void *before;     /* what they, or the array's, were */
    size_t room;      /* bytes there, if they may be kept for the next call */
    Py_ssize_t shape[2];
    unsigned char kind, ndim, flags;
} held;

typedef struct {
    const autopar_kernel *kernel;
    const unsigned char *program;
    int64_t *word;
    held *things;
    Py_ssize_t things_used, things_room;
    held few[FEW_HELD];
} packing;

static const char *const FORMATS[AUTOPAR_DTYPES] = {"?",     "b",     "hilq",  "hilq", "hilq", "B",
                                                    "HILQ",  "HILQ",  "HILQ",  "f",    "d"};
static const Py_ssize_t SIZES[AUTOPAR_DTYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};

/* Forget an exception of a conversion: whatever went wrong, the call does not fit and runs in Python. */
static int
unfit(void)
{
    PyErr_Clear();
    return AUTOPAR_UNFIT;
}

static int64_t
word_of_double(double value)
{
    int64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

static double
double_of_word(int64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* -- packing ------------------------------------------------------------------------------------------------------ */

static held *
new_held(packing *pack)
{
    if (pack->things_used == pack->things_room) {
        Py_ssize_t room = 2 * pack->things_room;
        held *more = malloc((size_t)room * sizeof(held));
        if (more == NULL) {
            return NULL;
        }
        memcpy(more, pack->things, (size_t)pack->things_used * sizeof(held));
        if (pack->things != pack->few) {
            free(pack->things);
        }
        pack->things = more;
        pack->things_room = room;
    }
    held *thing = &pack->things[pack->things_used++];
    memset(thing, 0, sizeof *thing);
    return thing;
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

static int
pack_plain(unsigned char kind, PyObject *value, int64_t *word)
{
    switch (kind) {
    case 'i':
        return pack_int(value, word);
    case 'f':
        if (!PyFloat_CheckExact(value)) {
            return AUTOPAR_UNFIT;
        }
        *word = word_of_double(PyFloat_AS_DOUBLE(value));
        return AUTOPAR_DONE;
    default:
        if (!PyBool_Check(value)) {
            return AUTOPAR_UNFIT;
        }
        *word = value == Py_True;
        return AUTOPAR_DONE;
    }
}

PyObject *
autopar_pack_numbers(unsigned char kind, PyObject *items)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    PyObject *packed = PyByteArray_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t));
    if (packed == NULL) {
        return NULL;
    }
    char *at = PyByteArray_AS_STRING(packed);
    for (Py_ssize_t i = 0; i < count; i++, at += sizeof(int64_t)) {
        int64_t word;
        if (pack_plain(kind, PySequence_Fast_GET_ITEM(items, i), &word)) {
            Py_DECREF(packed);
            Py_RETURN_NONE;
        }
        memcpy(at, &word, sizeof word);
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
            return unfit();
        }
        *word = word_of_double(number);
        return AUTOPAR_DONE;
    }
    if (dtype == AUTOPAR_BOOL) {
        int truth = PyObject_IsTrue(value);
        *word = truth;
        return truth < 0 ? unfit() : AUTOPAR_DONE;
    }
    PyObject *whole = PyNumber_Index(value);
    if (whole == NULL) {
        return unfit();
    }
    *word = dtype == AUTOPAR_UINT64 ? (int64_t)PyLong_AsUnsignedLongLong(whole) : (int64_t)PyLong_AsLongLong(whole);
    Py_DECREF(whole);
    return PyErr_Occurred() ? unfit() : AUTOPAR_DONE;
}

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

static void
give_scratch(autopar_scratch *scratch, void *memory, size_t room)
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

/* The first fields of an ndarray, as NumPy's own inline functions (numpy/ndarraytypes.h) read them in code that was
 * compiled long ago: they are part of its binary interface. */
typedef struct {
    PyObject_HEAD
    char *data;
    int ndim;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    PyObject *base;
    PyObject *dtype;
    int flags;
} ndarray;

#define NDARRAY_WRITEABLE 0x0400

/* Remember the dtype object of an array that the buffer protocol has shown to be of this dtype, if the array's fields
 * say the same as its buffer. */
static void
learn_dtype(const autopar_kernel *kernel, unsigned char dtype, const ndarray *array, const Py_buffer *view)
{
    if (view->ndim < 1 || array->data != view->buf || array->ndim != view->ndim
        || memcmp(array->shape, view->shape, (size_t)view->ndim * sizeof(Py_ssize_t)) != 0
        || memcmp(array->strides, view->strides, (size_t)view->ndim * sizeof(Py_ssize_t)) != 0
        || !(array->flags & NDARRAY_WRITEABLE) != !!view->readonly) {
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

static int
fits_in_place(const ndarray *array, Py_ssize_t size, unsigned char flags)
{
    Py_ssize_t expected = size, mask = size - 1; /* sizes are powers of two, and a division takes 10 ns */
    int aligned = ((uintptr_t)array->data & (uintptr_t)mask) == 0, contiguous = 1, empty = 0;
    for (int axis = array->ndim - 1; axis >= 0; axis--) {
        Py_ssize_t length = array->shape[axis], stride = array->strides[axis];
        aligned &= (stride & mask) == 0;
        contiguous &= length <= 1 || stride == expected;
        empty |= length == 0;
        expected *= length;
    }
    return aligned && (contiguous || empty || !(flags & AUTOPAR_CONTIGUOUS))
           && (array->flags & NDARRAY_WRITEABLE || !(flags & AUTOPAR_WRITTEN));
}

static int
pack_array(packing *pack, unsigned char dtype, unsigned char ndim, unsigned char flags, PyObject *value)
{
    if ((PyObject *)Py_TYPE(value) != PyTuple_GET_ITEM(pack->kernel->classes, AUTOPAR_DTYPES)) {
        return AUTOPAR_UNFIT;
    }
    const ndarray *array = (const ndarray *)value;
    PyObject *known = pack->kernel->dtypes[dtype];
    if (known != NULL && array->dtype == known && !(flags & AUTOPAR_UNDO)) {
        if (array->ndim != ndim || !fits_in_place(array, SIZES[dtype], flags)) {
            return AUTOPAR_UNFIT;
        }
        *pack->word++ = (int64_t)(intptr_t)array->data;
        memcpy(pack->word, array->shape, ndim * sizeof(int64_t));
        memcpy(pack->word + ndim, array->strides, ndim * sizeof(int64_t));
        pack->word += 2 * ndim;
        return AUTOPAR_DONE;
    }
    held *thing = new_held(pack);
    if (thing == NULL) {
        return AUTOPAR_UNFIT;
    }
    if (PyObject_GetBuffer(value, &thing->view, flags & AUTOPAR_WRITTEN ? PyBUF_RECORDS : PyBUF_RECORDS_RO) < 0) {
        pack->things_used--;
        return unfit();
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
            return unfit();
        }
    }
    *pack->word++ = (int64_t)(intptr_t)view->buf;
    memcpy(pack->word, view->shape, ndim * sizeof(int64_t));
    memcpy(pack->word + ndim, view->strides, ndim * sizeof(int64_t));
    pack->word += 2 * ndim;
    return AUTOPAR_DONE;
}

static size_t
item_bytes(unsigned char kind)
{
    return kind == 'b' ? 1 : sizeof(int64_t);
}

static int
pack_items(unsigned char kind, PyObject *list, Py_ssize_t count, void *data)
{
    if (!PyList_CheckExact(list) || PyList_GET_SIZE(list) != count) {
        return AUTOPAR_UNFIT;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        int64_t word;
        if (pack_plain(kind, PyList_GET_ITEM(list, i), &word)) {
            return AUTOPAR_UNFIT;
        }
        if (kind == 'b') {
            ((char *)data)[i] = (char)word;
        }
        else {
            ((int64_t *)data)[i] = word;
        }
    }
    return AUTOPAR_DONE;
}

static int
pack_list(packing *pack, unsigned char kind, unsigned char ndim, unsigned char flags, PyObject *value)
{
    if (!PyList_CheckExact(value)) {
        return AUTOPAR_UNFIT;
    }
    held *thing = new_held(pack);
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
        PyObject *first = PyList_GET_ITEM(value, 0);
        thing->shape[1] = PyList_CheckExact(first) ? PyList_GET_SIZE(first) : 0;
    }
    if (thing->shape[0] == 0 || thing->shape[1] == 0) {
        return AUTOPAR_UNFIT; /* an empty list has no type of item */
    }
    size_t row = (size_t)thing->shape[1] * item_bytes(kind), size = (size_t)thing->shape[0] * row;
    thing->data = malloc(size);
    if (thing->data == NULL) {
        return AUTOPAR_UNFIT;
    }
    if (ndim == 1) {
        if (pack_items(kind, value, thing->shape[0], thing->data)) {
            return AUTOPAR_UNFIT;
        }
    }
    else {
        for (Py_ssize_t i = 0; i < thing->shape[0]; i++) {
            char *at = (char *)thing->data + (size_t)i * row;
            if (pack_items(kind, PyList_GET_ITEM(value, i), thing->shape[1], at)) {
                return AUTOPAR_UNFIT;
            }
        }
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

static int
pack_value(packing *pack, PyObject *value)
{
    unsigned char kind = *pack->program++;
    switch (kind) {
    case 'i':
    case 'f':
    case 'b':
        return pack_plain(kind, value, pack->word++);
    case 'n':
        return value == Py_None ? AUTOPAR_DONE : AUTOPAR_UNFIT;
    case 's':
        return pack_numpy_scalar(pack->kernel, *pack->program++, value, pack->word++);
    case 'a':
    case 'l': {
        unsigned char first = pack->program[0], ndim = pack->program[1], flags = pack->program[2];
        pack->program += 3;
        return kind == 'a' ? pack_array(pack, first, ndim, flags, value) : pack_list(pack, first, ndim, flags, value);
    }
    default: {
        Py_ssize_t size = *pack->program++;
        if (!PyTuple_CheckExact(value) || PyTuple_GET_SIZE(value) != size) {
            return AUTOPAR_UNFIT;
        }
        for (Py_ssize_t i = 0; i < size; i++) {
            if (pack_value(pack, PyTuple_GET_ITEM(value, i))) {
                return AUTOPAR_UNFIT;
            }
        }
        return AUTOPAR_DONE;
    }
    }
}

/* A list that is written must be packed once only, or the copies would part. */
static int
lists_are_apart(const packing *pack)
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
        const held *thing = &pack->things[i];
        for (Py_ssize_t row = 0; thing->list != NULL && row < (thing->ndim == 1 ? 1 : thing->shape[0]); row++) {
            PyObject *key = PyLong_FromVoidPtr(thing->ndim == 1 ? thing->list : PyList_GET_ITEM(thing->list, row));
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

/* -- unpacking ---------------------------------------------------------------------------------------------------- */

static PyObject *
plain_object(unsigned char kind, int64_t word)
{
    return kind == 'i'   ? PyLong_FromLongLong(word)
           : kind == 'f' ? PyFloat_FromDouble(double_of_word(word))
                         : PyBool_FromLong(word != 0);
}

/* A numpy.float64 is a float with nothing added, so it is made like one: its own constructor takes an array for it. */
static PyObject *
numpy_float64(PyTypeObject *class, double value)
{
    PyObject *made = class->tp_alloc(class, 0);
    if (made != NULL) {
        ((PyFloatObject *)made)->ob_fval = value;
    }
    return made;
}

static PyObject *
numpy_object(PyObject *class, unsigned char dtype, int64_t word)
{
    if (dtype == AUTOPAR_FLOAT64 && PyType_IsSubtype((PyTypeObject *)class, &PyFloat_Type)
        && ((PyTypeObject *)class)->tp_basicsize == PyFloat_Type.tp_basicsize) {
        return numpy_float64((PyTypeObject *)class, double_of_word(word));
    }
    PyObject *number = dtype >= AUTOPAR_FLOAT32    ? PyFloat_FromDouble(double_of_word(word))
                       : dtype == AUTOPAR_UINT64   ? PyLong_FromUnsignedLongLong((uint64_t)word)
                       : dtype == AUTOPAR_BOOL     ? PyBool_FromLong(word != 0)
                                                   : PyLong_FromLongLong(word);
    if (number == NULL) {
        return NULL;
    }
    PyObject *made = PyObject_CallOneArg(class, number);
    Py_DECREF(number);
    return made;
}

static PyObject *
unpack_value(const autopar_kernel *kernel, PyObject *const *arguments, const unsigned char **program,
             const int64_t **word)
{
    unsigned char kind = *(*program)++;
    switch (kind) {
    case 'i':
    case 'f':
    case 'b':
        return plain_object(kind, *(*word)++);
    case 'n':
        Py_RETURN_NONE;
    case 's': {
        unsigned char dtype = *(*program)++;
        return numpy_object(PyTuple_GET_ITEM(kernel->classes, dtype), dtype, *(*word)++);
    }
    case 'g':
        return Py_NewRef(arguments[*(*program)++]);
    default: {
        Py_ssize_t size = *(*program)++;
        PyObject *made = PyTuple_New(size);
        for (Py_ssize_t i = 0; made != NULL && i < size; i++) {
            PyObject *item = unpack_value(kernel, arguments, program, word);
            if (item == NULL) {
                Py_CLEAR(made);
                break;
            }
            PyTuple_SET_ITEM(made, i, item);
        }
        return made;
    }
    }
}

static PyObject *
words_object(const int64_t *words, Py_ssize_t count)
{
    PyObject *made = PyTuple_New(count);
    for (Py_ssize_t i = 0; made != NULL && i < count; i++) {
        PyObject *word = PyLong_FromLongLong(words[i]);
        if (word == NULL) {
            Py_CLEAR(made);
            break;
        }
        PyTuple_SET_ITEM(made, i, word);
    }
    return made;
}

/* -- after the call ----------------------------------------------------------------------------------------------- */

static void
undo(packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        held *thing = &pack->things[i];
        if (thing->list == NULL && thing->before != NULL) {
            /* It only fails where it would have failed to be read. */
            (void)PyBuffer_FromContiguous(&thing->view, thing->before, thing->view.len, 'C');
        }
    }
}

/* Put the items that the kernel has changed into their lists; the others stay the objects they are. */
static int
write_lists(packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        const held *thing = &pack->things[i];
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
            PyObject *list = thing->ndim == 1 ? thing->list : PyList_GetItem(thing->list, n / width);
            PyObject *item = list == NULL ? NULL : plain_object(thing->kind, word);
            if (item == NULL || PyList_SetItem(list, n % width, item) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static void
let_go(packing *pack)
{
    for (Py_ssize_t i = 0; i < pack->things_used; i++) {
        held *thing = &pack->things[i];
        if (thing->view.obj != NULL) {
            PyBuffer_Release(&thing->view);
        }
        free(thing->data);
        give_scratch(pack->kernel->scratch, thing->before, thing->room);
    }
    if (pack->things != pack->few) {
        free(pack->things);
    }
}

/* -- the call ----------------------------------------------------------------------------------------------------- */

/* A counter that is read twice in every call, so the cheapest that there is. */
#if defined(__GNUC__) && defined(__x86_64__)
#define BRIEF 40000 /* cycles of 2 to 4 GHz: 10 to 20 us; a thread that computes keeps the GIL for 5 ms */

static int64_t
counter(void)
{
    return (int64_t)__builtin_ia32_rdtsc();
}
#else
#define BRIEF 20000 /* ns */

static int64_t
counter(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
#endif

/* Run the kernel without the GIL, unless many calls before were brief: then other threads could do little meanwhile,
 * and getting the GIL back from one that computes takes its whole switch interval. */
static int64_t
call_kernel(const autopar_kernel *kernel, int64_t *words)
{
    autopar_scratch *kept = kernel->scratch;
    int64_t left, started = counter(), spent;
    if (kept->brief >= BRIEF_IN_A_ROW) {
        left = kernel->call(words);
        spent = counter() - started;
    }
    else {
        Py_BEGIN_ALLOW_THREADS;
        left = kernel->call(words);
        spent = counter() - started;
        Py_END_ALLOW_THREADS;
    }
    if (spent < 0 || spent >= BRIEF) {
        kept->brief = 0;
    }
    else if (kept->brief < BRIEF_IN_A_ROW) {
        kept->brief++;
    }
    return left;
}

static int
run_packed(packing *pack, int64_t *words, PyObject *const *arguments, PyObject **result)
{
    const autopar_kernel *kernel = pack->kernel;
    for (Py_ssize_t i = 0; i < kernel->count; i++) {
        if (pack_value(pack, arguments[i])) {
            return AUTOPAR_UNFIT;
        }
    }
    if (!lists_are_apart(pack)) {
        return AUTOPAR_UNFIT;
    }
    int64_t left = call_kernel(kernel, words);
    if (left) {
        undo(pack);
        return left > 0 && left < AUTOPAR_UNFIT ? (int)left : AUTOPAR_UNFIT;
    }
    if (write_lists(pack) < 0) {
        return AUTOPAR_RAISED;
    }
    const unsigned char *program = kernel->result;
    const int64_t *word = words + kernel->result_at;
    *result = *program == 'w' ? words_object(word, kernel->words - kernel->result_at)
                              : unpack_value(kernel, arguments, &program, &word);
    return *result == NULL ? AUTOPAR_RAISED : AUTOPAR_DONE;
}

int
autopar_kernel_run(const autopar_kernel *kernel, PyObject *const *arguments, PyObject **result)
{
    int64_t few[FEW_WORDS];
    int64_t *words = few;
    if (kernel->words > FEW_WORDS) {
        words = malloc((size_t)kernel->words * sizeof(int64_t));
        if (words == NULL) {
            return AUTOPAR_UNFIT;
        }
    }
    packing pack;
    pack.kernel = kernel;
    pack.program = kernel->parameters;
    pack.word = words;
    pack.things = pack.few;
    pack.things_used = 0;
    pack.things_room = FEW_HELD;
    int status = run_packed(&pack, words, arguments, result);
    let_go(&pack);
    if (words != few) {
        free(words);
    }
    return status;
}

/* -- many calls --------------------------------------------------------------------------------------------------- */

static int
pack_row(const autopar_kernel *kernel, PyObject *item, int star, PyObject *tail, int64_t *words)
{
    Py_ssize_t own = kernel->count - PyTuple_GET_SIZE(tail);
    if (star ? !PyTuple_CheckExact(item) || PyTuple_GET_SIZE(item) != own : own != 1) {
        return AUTOPAR_UNFIT;
    }
    packing pack;
    pack.kernel = kernel;
    pack.program = kernel->parameters;
    pack.word = words;
    pack.things = pack.few;
    pack.things_used = 0;
    pack.things_room = FEW_HELD;
    int status = AUTOPAR_DONE;
    for (Py_ssize_t i = 0; status == AUTOPAR_DONE && i < kernel->count; i++) {
        PyObject *value = i >= own ? PyTuple_GET_ITEM(tail, i - own) : star ? PyTuple_GET_ITEM(item, i) : item;
        status = pack_value(&pack, value);
    }
    for (Py_ssize_t i = 0; i < pack.things_used; i++) {
        status = pack.things[i].list != NULL ? AUTOPAR_UNFIT : status;
    }
    let_go(&pack);
    return status;
}

PyObject *
autopar_pack_rows(const autopar_kernel *kernel, PyObject *items, int star, PyObject *tail)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items), words = kernel->result_at;
    if (words > 0 && count > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(int64_t) / words) {
        return PyErr_NoMemory();
    }
    PyObject *rows = PyByteArray_FromStringAndSize(NULL, count * words * (Py_ssize_t)sizeof(int64_t));
    for (Py_ssize_t i = 0; rows != NULL && i < count; i++) {
        int64_t *row = (int64_t *)(void *)PyByteArray_AS_STRING(rows) + i * words;
        if (pack_row(kernel, PySequence_Fast_GET_ITEM(items, i), star, tail, row)) {
            Py_DECREF(rows);
            Py_RETURN_NONE;
        }
    }
    return rows;
}

/* -- facts -------------------------------------------------------------------------------------------------------- */

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
