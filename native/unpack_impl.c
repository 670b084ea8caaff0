#include "packing.h"

PyObject *
autopar_plain_object(unsigned char kind, int64_t word)
{
    return kind == 'i'   ? PyLong_FromLongLong(word)
           : kind == 'f' ? PyFloat_FromDouble(autopar_double_of_word(word))
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
        return numpy_float64((PyTypeObject *)class, autopar_double_of_word(word));
    }
    PyObject *number = dtype >= AUTOPAR_FLOAT32    ? PyFloat_FromDouble(autopar_double_of_word(word))
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
        return autopar_plain_object(kind, *(*word)++);
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

PyObject *
autopar_unpack(const autopar_kernel *kernel, PyObject *const *arguments, const int64_t *words)
{
    const unsigned char *program = kernel->result;
    const int64_t *word = words + kernel->result_at;
    return *program == 'w' ? words_object(word, kernel->words - kernel->result_at)
                           : unpack_value(kernel, arguments, &program, &word);
}
