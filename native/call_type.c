#include "call_type.h"

#include <structmember.h>

#include "entry_type.h"
#include "probe_impl.h"
#include "shared.h"
#include "stack_impl.h"

/* What an instance has behind the fields of the proxy type: where, the type's vectorcall offset says. */
typedef struct {
    vectorcallfunc vectorcall;
    PyObject *target; /* a list of one callable, which others may replace at any time */
    Py_ssize_t countdown;
    char sampling;
} counted;

static counted *
counted_of(PyObject *self)
{
    return (counted *)((char *)self + Py_TYPE(self)->tp_vectorcall_offset);
}

static PyObject *
current_target(counted *own)
{
    PyObject *holder = AUTOPAR_READ_POINTER(own->target); /* whoever replaces the list keeps the old one */
    if (holder == NULL || PyList_GET_SIZE(holder) != 1) {
        PyErr_SetString(PyExc_ValueError, "wrapper has not been initialized");
        return NULL;
    }
    return autopar_list_item(holder, 0);
}

static PyObject *
reading(const autopar_probe *probe)
{
    return Py_BuildValue("(LLLLL)", (long long)probe->wall_ns, (long long)probe->thread_cpu_ns,
                         (long long)probe->process_cpu_ns, (long long)probe->voluntary_switches,
                         (long long)probe->involuntary_switches);
}

/* Hand what a call took to the engine: type._sampled(self, target, args, kwargs, before, after). */
static int
hand_over(PyObject *self, PyObject *target, PyObject *const *arguments, Py_ssize_t number, PyObject *names,
          const autopar_probe *before, const autopar_probe *after)
{
    PyObject *method = NULL, *done = NULL, *given = PyTuple_New(number), *named = PyDict_New();
    PyObject *began = reading(before), *ended = reading(after);
    if (given == NULL || named == NULL || began == NULL || ended == NULL) {
        goto leave;
    }
    for (Py_ssize_t i = 0; i < number; i++) {
        PyTuple_SET_ITEM(given, i, Py_NewRef(arguments[i]));
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyDict_SetItem(named, PyTuple_GET_ITEM(names, i), arguments[number + i]) < 0) {
            goto leave;
        }
    }
    method = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_sampled");
    if (method != NULL) {
        done = PyObject_CallFunctionObjArgs(method, self, target, given, named, began, ended, NULL);
    }
leave:
    Py_XDECREF(method);
    Py_XDECREF(given);
    Py_XDECREF(named);
    Py_XDECREF(began);
    Py_XDECREF(ended);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* Call and measure. No frame of ours is on the stack meanwhile: the function sees its caller, as always. */
static PyObject *
sampled(PyObject *self, counted *own, PyObject *target, PyObject *const *arguments, size_t flagged, PyObject *names)
{
    autopar_probe before, after;
    int64_t ended = 0;
    AUTOPAR_WRITE(own->sampling, 1); /* a recursive call is part of this sample, not one of its own */
    int measured = autopar_probe_read(&before) == 0 && autopar_wall_read(&before.wall_ns) == 0;
    PyObject *result = PyObject_Vectorcall(target, arguments, flagged & ~PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    measured = measured && result != NULL && autopar_wall_read(&ended) == 0 && autopar_probe_read(&after) == 0;
    after.wall_ns = ended; /* reading the other clocks takes longer than many a function */
    if (measured && hand_over(self, target, arguments, PyVectorcall_NARGS(flagged), names, &before, &after) < 0) {
        if (PyErr_ExceptionMatches(PyExc_RecursionError)) {
            PyErr_Clear(); /* the function had room for its call; what it took is left out */
        }
        else {
            Py_CLEAR(result);
        }
    }
    AUTOPAR_WRITE(own->sampling, 0);
    return result;
}

static PyObject *
counted_vectorcall(PyObject *self, PyObject *const *arguments, size_t flagged, PyObject *names)
{
    counted *own = counted_of(self);
    Py_ssize_t countdown = AUTOPAR_READ(own->countdown);
    PyObject *target = current_target(own), *result;
    int lent = target == NULL ? -1 : autopar_go_deeper();
    if (lent < 0) {
        Py_XDECREF(target);
        return NULL;
    }
    if (countdown > 1) {
        AUTOPAR_WRITE(own->countdown, countdown - 1);
        result = PyObject_Vectorcall(target, arguments, flagged, names);
    }
    else if (AUTOPAR_READ(own->sampling)) {
        result = PyObject_Vectorcall(target, arguments, flagged, names);
    }
    else {
        result = sampled(self, own, target, arguments, flagged, names);
    }
    autopar_come_back(lent);
    Py_DECREF(target);
    return result;
}

static void counted_dealloc(PyObject *self);

/* The proxy type under a subclass of ours. */
static PyTypeObject *
proxy_under(PyTypeObject *type)
{
    while (type->tp_dealloc != counted_dealloc) {
        type = type->tp_base;
    }
    return type->tp_base;
}

static PyObject *
counted_new(PyTypeObject *type, PyObject *given, PyObject *named)
{
    PyObject *self = proxy_under(type)->tp_new(type, given, named);
    if (self != NULL) {
        counted *own = counted_of(self);
        own->vectorcall = counted_vectorcall;
        own->countdown = 1;
    }
    return self;
}

static int
counted_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(counted_of(self)->target);
    return proxy_under(Py_TYPE(self))->tp_traverse(self, visit, arg);
}

static int
counted_clear(PyObject *self)
{
    Py_CLEAR(counted_of(self)->target);
    return proxy_under(Py_TYPE(self))->tp_clear(self);
}

static void
counted_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(counted_of(self)->target);
    proxy_under(Py_TYPE(self))->tp_dealloc(self); /* which lets go of the type too */
}

PyDoc_STRVAR(counted_doc,
"A transparent proxy whose calls go to the only item of the list _self_target.\n"
"\n"
"When _self_countdown has come down to 1, the call is measured and, if it returns, handed to\n"
"_sampled(target, arguments, keywords, before, after), which starts the countdown again.");

PyObject *
autopar_counted_call_type(PyObject *module, PyObject *proxy)
{
    if (!PyType_Check(proxy) || ((PyTypeObject *)proxy)->tp_itemsize != 0
        || !PyType_HasFeature((PyTypeObject *)proxy, Py_TPFLAGS_HAVE_GC)) {
        return PyErr_Format(PyExc_TypeError, "proxy must be a collected type of fixed size, not %R", proxy);
    }
    Py_ssize_t align = (Py_ssize_t)sizeof(void *);
    Py_ssize_t at = (((PyTypeObject *)proxy)->tp_basicsize + align - 1) / align * align;
    PyMemberDef members[] = {
        {"__vectorcalloffset__", T_PYSSIZET, at + (Py_ssize_t)offsetof(counted, vectorcall), READONLY, NULL},
        {"_self_target", T_OBJECT_EX, at + (Py_ssize_t)offsetof(counted, target), 0, "What calls run, in a list."},
        {"_self_countdown", T_PYSSIZET, at + (Py_ssize_t)offsetof(counted, countdown), 0, "Calls to the next sample."},
        {"_self_sampling", T_BOOL, at + (Py_ssize_t)offsetof(counted, sampling), 0, "A sample is being taken."},
        {NULL, 0, 0, 0, NULL},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)counted_doc},
        {Py_tp_new, AUTOPAR_SLOT(counted_new)},
        {Py_tp_call, AUTOPAR_SLOT(PyVectorcall_Call)},
        {Py_tp_dealloc, AUTOPAR_SLOT(counted_dealloc)},
        {Py_tp_traverse, AUTOPAR_SLOT(counted_traverse)},
        {Py_tp_clear, AUTOPAR_SLOT(counted_clear)},
        {Py_tp_members, members},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "autopar._native.CountedCall",
        .basicsize = (int)(at + (Py_ssize_t)sizeof(counted)),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
        .slots = slots,
    };
    PyObject *bases = PyTuple_Pack(1, proxy);
    if (bases == NULL) {
        return NULL;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, bases);
    Py_DECREF(bases);
    return type;
}

/* Subclasses made in Python do not inherit the flags (the one of vectorcall from 3.12 on). */
PyObject *
autopar_settle(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t number)
{
    if (number != 2 || !PyType_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "settle() takes a type and a truth value");
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)arguments[0];
    if (type->tp_new != counted_new || type->tp_call != PyVectorcall_Call) {
        return PyErr_Format(PyExc_TypeError, "%.200s has a __new__ or __call__ of its own", type->tp_name);
    }
    int binds = PyObject_IsTrue(arguments[1]);
    if (binds < 0) {
        return NULL;
    }
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | (binds ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0);
    PyType_Modified(type);
    Py_RETURN_NONE;
}
