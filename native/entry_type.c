#include "entry_type.h"

#include <stdlib.h>
#include <structmember.h>

#include "entry_impl.h"
#include "shared.h"

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    autopar_kernel kernel;
    PyObject *parameters, *result; /* the programs, as bytes */
    PyObject *miss;                /* called with what did not fit */
    PyObject *finish;              /* makes the result out of words and arguments, or None */
    PyObject *library;             /* keeps the code in memory */
    autopar_scratch scratch;
    long long countdown;
    unsigned long long calls;
} entry;

/* Run the kernel, and let Python make the result where that is its business. */
static int
enter(entry *self, PyObject *const *arguments, PyObject **result)
{
    int left = autopar_kernel_run(&self->kernel, arguments, result);
    if (left != AUTOPAR_DONE) {
        return left;
    }
    if (self->finish != Py_None) {
        PyObject *words = *result;
        PyObject *given = PyTuple_New(self->kernel.count);
        for (Py_ssize_t i = 0; given != NULL && i < self->kernel.count; i++) {
            PyTuple_SET_ITEM(given, i, Py_NewRef(arguments[i]));
        }
        *result = given == NULL ? NULL : PyObject_CallFunctionObjArgs(self->finish, words, given, NULL);
        Py_XDECREF(given);
        Py_DECREF(words);
        if (*result == NULL) {
            return AUTOPAR_RAISED;
        }
    }
    AUTOPAR_INCREMENT(self->calls);
    return AUTOPAR_DONE;
}

static PyObject *
miss(entry *self, int why, PyObject *const *arguments, Py_ssize_t number, PyObject *names)
{
    PyObject *result = NULL, *code = PyLong_FromLong(why), *given = PyTuple_New(number), *named = PyDict_New();
    if (code == NULL || given == NULL || named == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < number; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(arguments[i]));
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), arguments[number + i]) < 0) {
            goto done;
        }
    }
    result = PyObject_CallFunctionObjArgs(self->miss, code, given, named, NULL);
done:
    Py_XDECREF(code);
    Py_XDECREF(given);
    Py_XDECREF(named);
    return result;
}

static int
comparison_is_due(entry *self)
{
    long long countdown = AUTOPAR_READ(self->countdown);
    if (countdown > 0) {
        AUTOPAR_WRITE(self->countdown, countdown - 1);
    }
    return countdown == 1;
}

static PyObject *
entry_vectorcall(PyObject *object, PyObject *const *arguments, size_t flagged, PyObject *names)
{
    entry *self = (entry *)object;
    Py_ssize_t number = PyVectorcall_NARGS(flagged);
    int why;
    if (number != self->kernel.count || (names != NULL && PyTuple_GET_SIZE(names))) {
        why = AUTOPAR_UNBOUND;
    }
    else if (comparison_is_due(self)) {
        why = AUTOPAR_COMPARE;
    }
    else if (!autopar_facts_hold(self->kernel.facts)) {
        why = AUTOPAR_CHANGED;
    }
    else {
        PyObject *result = NULL;
        why = enter(self, arguments, &result);
        if (why == AUTOPAR_DONE) {
            return result;
        }
        if (why == AUTOPAR_RAISED) {
            return NULL;
        }
    }
    return miss(self, why, arguments, number, names);
}

PyDoc_STRVAR(enter_doc,
"enter(arguments, /)\n"
"--\n"
"\n"
"Run the kernel for a tuple of arguments.\n"
"\n"
"Returns (why, result): why is 0 if the kernel ran to its end.");

static PyObject *
entry_enter(PyObject *object, PyObject *given)
{
    entry *self = (entry *)object;
    if (!PyTuple_CheckExact(given)) {
        return PyErr_Format(PyExc_TypeError, "arguments must be a tuple, not %.200s", Py_TYPE(given)->tp_name);
    }
    PyObject *result = NULL;
    int why = AUTOPAR_UNBOUND;
    if (PyTuple_GET_SIZE(given) == self->kernel.count) {
        why = autopar_facts_hold(self->kernel.facts) ? enter(self, &PyTuple_GET_ITEM(given, 0), &result)
                                                     : AUTOPAR_CHANGED;
    }
    if (why == AUTOPAR_RAISED) {
        return NULL;
    }
    return result == NULL ? Py_BuildValue("(iO)", why, Py_None) : Py_BuildValue("(iN)", why, result);
}

PyDoc_STRVAR(pack_rows_doc,
"pack_rows(items, star, tail, /)\n"
"--\n"
"\n"
"The words of many calls, one after the other, or None where an item does not fit.");

static PyObject *
entry_pack_rows(PyObject *object, PyObject *given)
{
    entry *self = (entry *)object;
    PyObject *items, *tail;
    int star;
    if (!PyArg_ParseTuple(given, "OpO!:pack_rows", &items, &star, &PyTuple_Type, &tail)) {
        return NULL;
    }
    if (!PyList_CheckExact(items) && !PyTuple_CheckExact(items)) {
        return PyErr_Format(PyExc_TypeError, "items must be a list or tuple, not %.200s", Py_TYPE(items)->tp_name);
    }
    return autopar_pack_rows(&self->kernel, items, star, tail);
}

/* Check the facts' form once, so that looking at them need not. */
static int
facts_are_well_formed(PyObject *facts)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(facts); i++) {
        PyObject *fact = PyTuple_GET_ITEM(facts, i);
        if (!PyTuple_CheckExact(fact) || PyTuple_GET_SIZE(fact) != 8) {
            return 0;
        }
        PyObject *namespace = PyTuple_GET_ITEM(fact, 0), *builtins = PyTuple_GET_ITEM(fact, 2);
        if ((namespace != Py_None && !PyDict_Check(namespace)) || (builtins != Py_None && !PyDict_Check(builtins))) {
            return 0;
        }
    }
    return 1;
}

static PyObject *
entry_new(PyTypeObject *type, PyObject *given, PyObject *named)
{
    static char *names[] = {"address", "parameters", "result", "count",  "words", "result_at",
                            "classes", "facts",      "miss",   "finish", "library", NULL};
    unsigned long long address;
    Py_ssize_t count, words, result_at;
    PyObject *parameters, *result, *classes, *facts, *miss, *finish, *library;
    if (!PyArg_ParseTupleAndKeywords(given, named, "KSSnnnO!O!OOO:KernelEntry", names, &address, &parameters, &result,
                                     &count, &words, &result_at, &PyTuple_Type, &classes, &PyTuple_Type, &facts, &miss,
                                     &finish, &library)) {
        return NULL;
    }
    if (address == 0 || count < 0 || result_at < 0 || words < result_at) {
        PyErr_SetString(PyExc_ValueError, "address must not be 0, and 0 <= result_at <= words");
        return NULL;
    }
    if (PyTuple_GET_SIZE(classes) != AUTOPAR_DTYPES + 1 || !facts_are_well_formed(facts)) {
        PyErr_Format(PyExc_ValueError, "classes must have %d items, and each fact eight", AUTOPAR_DTYPES + 1);
        return NULL;
    }
    entry *self = (entry *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->vectorcall = entry_vectorcall;
    self->kernel.scratch = &self->scratch;
    self->kernel.call = (int64_t (*)(int64_t *))(uintptr_t)address;
    self->parameters = Py_NewRef(parameters);
    self->result = Py_NewRef(result);
    self->kernel.parameters = (const unsigned char *)PyBytes_AS_STRING(parameters);
    self->kernel.result = (const unsigned char *)PyBytes_AS_STRING(result);
    self->kernel.count = count;
    self->kernel.words = words;
    self->kernel.result_at = result_at;
    self->kernel.classes = Py_NewRef(classes);
    self->kernel.facts = Py_NewRef(facts);
    self->miss = Py_NewRef(miss);
    self->finish = Py_NewRef(finish);
    self->library = Py_NewRef(library);
    return (PyObject *)self;
}

static int
entry_traverse(PyObject *object, visitproc visit, void *arg)
{
    entry *self = (entry *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->kernel.classes);
    Py_VISIT(self->kernel.facts);
    Py_VISIT(self->miss);
    Py_VISIT(self->finish);
    Py_VISIT(self->library);
    return 0;
}

/* Only what can be part of a cycle and may be missing while the object still runs is cleared. */
static int
entry_clear(PyObject *object)
{
    entry *self = (entry *)object;
    PyObject *none = Py_NewRef(Py_None);
    PyObject *miss_was = self->miss, *finish_was = self->finish;
    self->miss = none;
    self->finish = Py_NewRef(Py_None);
    Py_XDECREF(miss_was);
    Py_XDECREF(finish_was);
    return 0;
}

static void
entry_dealloc(PyObject *object)
{
    entry *self = (entry *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    free(self->scratch.memory);
    Py_XDECREF(self->parameters);
    Py_XDECREF(self->result);
    Py_XDECREF(self->kernel.classes);
    Py_XDECREF(self->kernel.facts);
    for (int dtype = 0; dtype < AUTOPAR_DTYPES; dtype++) {
        Py_XDECREF(self->kernel.dtypes[dtype]);
    }
    Py_XDECREF(self->miss);
    Py_XDECREF(self->finish);
    Py_XDECREF(self->library);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef entry_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(entry, vectorcall), READONLY, NULL},
    {"countdown", T_LONGLONG, offsetof(entry, countdown), 0, "Calls until one is to be compared; 0 for never."},
    {"calls", T_ULONGLONG, offsetof(entry, calls), READONLY, "Calls that the kernel ran to their end."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef entry_methods[] = {
    {"enter", entry_enter, METH_O, enter_doc},
    {"pack_rows", entry_pack_rows, METH_VARARGS, pack_rows_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(entry_doc,
"KernelEntry(address, parameters, result, count, words, result_at, classes, facts, miss, finish, library)\n"
"--\n"
"\n"
"A compiled kernel as a callable: guard, pack, call without the GIL, undo or unpack.\n"
"\n"
"What it cannot do itself goes to miss(why, arguments, keywords), whose result is the call's.");

static PyType_Slot entry_slots[] = {
    {Py_tp_doc, (void *)entry_doc},
    {Py_tp_new, AUTOPAR_SLOT(entry_new)},
    {Py_tp_call, AUTOPAR_SLOT(PyVectorcall_Call)},
    {Py_tp_dealloc, AUTOPAR_SLOT(entry_dealloc)},
    {Py_tp_traverse, AUTOPAR_SLOT(entry_traverse)},
    {Py_tp_clear, AUTOPAR_SLOT(entry_clear)},
    {Py_tp_members, entry_members},
    {Py_tp_methods, entry_methods},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "autopar._native.KernelEntry",
    .basicsize = sizeof(entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = entry_slots,
};

int
autopar_add_entry_type(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &entry_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    int status = PyModule_AddObjectRef(module, "KernelEntry", type);
    Py_DECREF(type);
    return status;
}
