#include "packing.h"
#include "shared.h"

#include <stdlib.h>
#include <time.h>

#define FEW_WORDS 64
#define BRIEF_IN_A_ROW 16 /* calls after which the next is taken to be brief as well */

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
    int brief = AUTOPAR_READ(kept->brief);
    if (brief >= BRIEF_IN_A_ROW) {
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
        AUTOPAR_WRITE(kept->brief, 0);
    }
    else if (brief < BRIEF_IN_A_ROW) {
        AUTOPAR_WRITE(kept->brief, brief + 1);
    }
    return left;
}

static int
run_packed(autopar_packing *pack, int64_t *words, PyObject *const *arguments, PyObject **result)
{
    const autopar_kernel *kernel = pack->kernel;
    for (Py_ssize_t i = 0; i < kernel->count; i++) {
        if (autopar_pack_value(pack, arguments[i])) {
            return AUTOPAR_UNFIT;
        }
    }
    if (!autopar_lists_are_apart(pack)) {
        return AUTOPAR_UNFIT;
    }
    int64_t left = call_kernel(kernel, words);
    if (left) {
        autopar_undo_arrays(pack);
        return left > 0 && left < AUTOPAR_UNFIT ? (int)left : AUTOPAR_UNFIT;
    }
    if (autopar_write_lists(pack) < 0) {
        return AUTOPAR_RAISED;
    }
    *result = autopar_unpack(kernel, arguments, words);
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
    autopar_packing pack;
    autopar_begin_packing(&pack, kernel, words);
    int status = run_packed(&pack, words, arguments, result);
    autopar_end_packing(&pack);
    if (words != few) {
        free(words);
    }
    return status;
}

/* Many calls at once. */

static int
pack_row(const autopar_kernel *kernel, PyObject *item, int star, PyObject *tail, int64_t *words)
{
    Py_ssize_t own = kernel->count - PyTuple_GET_SIZE(tail);
    if (star ? !PyTuple_CheckExact(item) || PyTuple_GET_SIZE(item) != own : own != 1) {
        return AUTOPAR_UNFIT;
    }
    autopar_packing pack;
    autopar_begin_packing(&pack, kernel, words);
    int status = AUTOPAR_DONE;
    for (Py_ssize_t i = 0; status == AUTOPAR_DONE && i < kernel->count; i++) {
        PyObject *value = i >= own ? PyTuple_GET_ITEM(tail, i - own) : star ? PyTuple_GET_ITEM(item, i) : item;
        status = autopar_pack_value(&pack, value);
    }
    for (Py_ssize_t i = 0; i < pack.things_used; i++) {
        status = pack.things[i].list != NULL ? AUTOPAR_UNFIT : status;
    }
    autopar_end_packing(&pack);
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
