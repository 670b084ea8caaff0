/* What the parts of packing share: values go into the words of a call, and what was taken for them is given back.
 *
 * The contract of the whole is entry_impl.h. */
#ifndef AUTOPAR_PACKING_H
#define AUTOPAR_PACKING_H

#include "entry_impl.h"

#include <string.h>

#define AUTOPAR_FEW_HELD 12

/* One array or list of a call: what was taken from Python for its sake, and what must be given back. */
typedef struct {
    Py_buffer view;   /* of an array */
    PyObject *list;   /* NULL for an array; borrowed: the caller holds the arguments */
    void *data;       /* packed items of a list */
    void *before;     /* what they, or the array's, were */
    size_t room;      /* bytes there, if they may be kept for the next call */
    Py_ssize_t shape[2];
    unsigned char kind, ndim, flags;
} autopar_held;

typedef struct {
    const autopar_kernel *kernel;
    const unsigned char *program;
    int64_t *word;
    autopar_held *things;
    Py_ssize_t things_used, things_room;
    autopar_held few[AUTOPAR_FEW_HELD];
} autopar_packing;

/* Begin to pack the parameters of one call into these words. Only a few fields are set: the rest is large. */
static inline void
autopar_begin_packing(autopar_packing *pack, const autopar_kernel *kernel, int64_t *words)
{
    pack->kernel = kernel;
    pack->program = kernel->parameters;
    pack->word = words;
    pack->things = pack->few;
    pack->things_used = 0;
    pack->things_room = AUTOPAR_FEW_HELD;
}

/* Give back all that was taken. */
void autopar_end_packing(autopar_packing *pack);

/* A zeroed place for what one array or list takes, or NULL where there is no memory. */
autopar_held *autopar_new_held(autopar_packing *pack);

/* Each of these packs one value: AUTOPAR_DONE, or AUTOPAR_UNFIT with no exception set. */
int autopar_pack_value(autopar_packing *pack, PyObject *value);
int autopar_pack_plain(unsigned char kind, PyObject *value, int64_t *word);
int autopar_pack_array(autopar_packing *pack, unsigned char dtype, unsigned char ndim, unsigned char flags,
                       PyObject *value);
int autopar_pack_list(autopar_packing *pack, unsigned char kind, unsigned char ndim, unsigned char flags,
                      PyObject *value);

/* A list that is written must be packed once only, or the copies would part. */
int autopar_lists_are_apart(const autopar_packing *pack);

/* Put the items that the kernel has changed into their lists: 0, or -1 with an exception set. */
int autopar_write_lists(const autopar_packing *pack);

/* Put back what the kernel has written to arrays. */
void autopar_undo_arrays(autopar_packing *pack);

/* Keep the memory behind an array's former content for the next call, or free it. */
void autopar_give_scratch(autopar_scratch *scratch, void *memory, size_t room);

/* Make the result of a call out of its words, as the kernel's result program says. */
PyObject *autopar_unpack(const autopar_kernel *kernel, PyObject *const *arguments, const int64_t *words);

/* An int, float or bool out of a word. */
PyObject *autopar_plain_object(unsigned char kind, int64_t word);

/* Forget an exception of a conversion: whatever went wrong, the call does not fit and runs in Python. */
static inline int
autopar_unfit(void)
{
    PyErr_Clear();
    return AUTOPAR_UNFIT;
}

static inline int64_t
autopar_word_of_double(double value)
{
    int64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

static inline double
autopar_double_of_word(int64_t word)
{
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

#endif
