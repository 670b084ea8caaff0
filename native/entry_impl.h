/* The way into a compiled kernel: guard, pack, call without the GIL, undo or unpack.
 *
 * How a kernel is called is said in autopar/_kernel/abi.py: all arguments and results travel in one vector of 64-bit
 * words. Two short programs, one for the parameters and one for the result, say what each word holds:
 *
 *     i f b n      an exact int, float, bool, or None
 *     s D          a NumPy scalar of dtype D
 *     ( N ...      a tuple of N items, whose programs follow
 *     a D N F      an array of dtype D with N dimensions and flags F (parameters only)
 *     l K N F      a list of items of kind K (i, f or b), nested N deep, with flags F (parameters only)
 *     g N          the very object passed as parameter N (results only)
 *     w            whatever it is, Python makes it out of the words (results only)
 *
 * D, N and F are one byte each. Dtypes are numbered in the order of AUTOPAR_DTYPES.
 */
#ifndef AUTOPAR_ENTRY_IMPL_H
#define AUTOPAR_ENTRY_IMPL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

enum autopar_dtype {
    AUTOPAR_BOOL,
    AUTOPAR_INT8,
    AUTOPAR_INT16,
    AUTOPAR_INT32,
    AUTOPAR_INT64,
    AUTOPAR_UINT8,
    AUTOPAR_UINT16,
    AUTOPAR_UINT32,
    AUTOPAR_UINT64,
    AUTOPAR_FLOAT32,
    AUTOPAR_FLOAT64,
    AUTOPAR_DTYPES
};

enum autopar_flag {
    AUTOPAR_CONTIGUOUS = 1, /* must be C-contiguous */
    AUTOPAR_WRITTEN = 2,    /* must be writeable; a list takes the changes back */
    AUTOPAR_UNDO = 4        /* its content is put back where the kernel leaves through a side exit */
};

enum autopar_left {
    AUTOPAR_RAISED = -100,  /* an exception is set */
    AUTOPAR_CHANGED = -3,   /* something that the kernel rests on has changed */
    AUTOPAR_COMPARE = -2,   /* the countdown has reached this call */
    AUTOPAR_UNBOUND = -1,   /* keywords, or another number of arguments */
    AUTOPAR_DONE = 0,
    AUTOPAR_UNFIT = 1 << 20 /* an argument has another type or range; side exits lie between this and 0 */
};

/* What is kept from one call to the next: memory for undoing, since fresh pages cost more than the copy, and how many
 * calls in a row were so brief that giving the GIL up would have cost more than it could give. */
typedef struct {
    void *memory;
    size_t size;
    int brief;
} autopar_scratch;

/* What a kernel is, and what its guard looks at. All references are owned by whoever fills it in. */
typedef struct {
    int64_t (*call)(int64_t *);
    const unsigned char *parameters, *result; /* programs */
    Py_ssize_t count;                         /* parameters */
    Py_ssize_t words, result_at;              /* slots, and the first of the result */
    PyObject *classes; /* tuple: the NumPy scalar class of each dtype, then numpy.ndarray; None where not needed */
    PyObject *facts;   /* tuple of tuples, see autopar_facts_hold */
    PyObject *dtypes[AUTOPAR_DTYPES]; /* dtype objects that were found to be these, or NULL; owned */
    autopar_scratch *scratch; /* whoever fills the structure in frees its memory */
} autopar_kernel;

/* Whether everything that the kernel rests on is as it was: 1, 0, or -1 with an exception set.
 *
 * A fact is (namespace, name, builtins, now, value, code, defaults, kwdefaults). The current value is namespace[name]
 * where namespace is a dict; builtins[name] where that is a dict, and namespace then must not have the name; else
 * now(). It must be value; and where code is not None, value is a function which still has that code and those
 * defaults. */
int autopar_facts_hold(PyObject *facts);

/* Run the kernel for these arguments. Returns AUTOPAR_DONE with a new reference in *result; a side exit, or
 * AUTOPAR_UNFIT, after which everything is as it was before; or AUTOPAR_RAISED. Where the result program is "w",
 * *result is a tuple of the result's words. */
int autopar_kernel_run(const autopar_kernel *kernel, PyObject *const *arguments, PyObject **result);

/* Pack the parameters of many calls, each an item (a tuple of arguments where `star`) followed by `tail`: a new
 * bytearray with the words of one call after the other, which point into the arrays of the items. None where one does
 * not fit, or is a list, whose packed form would not outlive this; NULL with an exception set where there is no memory.
 */
PyObject *autopar_pack_rows(const autopar_kernel *kernel, PyObject *items, int star, PyObject *tail);

/* Pack a list or tuple of exact ints ('i') or floats ('f') into 64-bit words: a new bytearray, or None where one has
 * another type or does not fit; NULL with an exception set where there is no memory. */
PyObject *autopar_pack_numbers(unsigned char kind, PyObject *items);

#endif
