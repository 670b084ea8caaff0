"""The C of calls, exceptions and loops, and of the way into a function; the rest is in :mod:`.support`."""

from __future__ import annotations

__all__ = ["FLOW", "entry"]

FLOW = r"""
/* Calls: a method of a built-in type is looked up before the arguments are worked out, and bound by nobody. */
static inline int ap_plain(PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);
    return type == &PyList_Type || type == &PyDict_Type || type == &PyUnicode_Type || type == &PySet_Type ||
           type == &PyTuple_Type || type == &PyBytes_Type;
}
static inline PyObject *ap_look(PyObject *owner, PyObject *name)
{
    if (ap_plain(owner)) {
        PyObject *found = _PyType_Lookup(Py_TYPE(owner), name);
        if (found && Py_IS_TYPE(found, &PyMethodDescr_Type)) return Py_NewRef(found);
    }
    return PyObject_GetAttr(owner, name);
}
static inline PyObject *ap_called(PyObject *owner, PyObject *method, PyObject **arguments, size_t count)
{
    if (Py_IS_TYPE(method, &PyMethodDescr_Type) && ap_plain(owner)) {
        arguments[0] = owner;
        return PyObject_Vectorcall(method, arguments, count + 1, NULL);
    }
    return PyObject_Vectorcall(method, arguments + 1, count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}
static inline PyObject *ap_call1(PyObject *owner, PyObject *method, PyObject *a)
{
    PyObject *all[] = {NULL, a};
    return ap_called(owner, method, all, 1);
}
static inline PyObject *ap_call2(PyObject *owner, PyObject *method, PyObject *a, PyObject *b)
{
    PyObject *all[] = {NULL, a, b};
    return ap_called(owner, method, all, 2);
}
static inline PyObject *ap_call3(PyObject *owner, PyObject *method, PyObject *a, PyObject *b, PyObject *c)
{
    PyObject *all[] = {NULL, a, b, c};
    return ap_called(owner, method, all, 3);
}
static inline PyObject *ap_look_append(PyObject *owner)
{
    return PyList_CheckExact(owner) ? Py_NewRef(Py_None) : PyObject_GetAttrString(owner, "append");
}
static inline PyObject *ap_append(PyObject *owner, PyObject *method, PyObject *a)
{
    if (!PyList_CheckExact(owner)) return PyObject_CallOneArg(method, a);
    return PyList_Append(owner, a) < 0 ? NULL : Py_NewRef(Py_None);
}
#if PY_VERSION_HEX >= 0x030D0000
#define AP_EXTEND(list, more) PyList_Extend(list, more)
#else
static inline int AP_EXTEND(PyObject *list, PyObject *more)
{
    PyObject *done = _PyList_Extend((PyListObject *)list, more);
    Py_XDECREF(done);
    return done ? 0 : -1;
}
#endif
static PyObject *ap_spread(PyObject *items, const char *stars)
{
    PyObject *all = PyList_New(0);
    for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(items); i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (stars[i] == '0') {
            if (PyList_Append(all, item) < 0) Py_CLEAR(all);
        } else {
            if (AP_EXTEND(all, item)) {
                if (PyErr_ExceptionMatches(PyExc_TypeError) && !Py_TYPE(item)->tp_iter && !PySequence_Check(item)) {
                    PyErr_Clear();
                    PyErr_Format(PyExc_TypeError, "Value after * must be an iterable, not %.200s",
                                 Py_TYPE(item)->tp_name);
                }
                Py_CLEAR(all);
            }
        }
    }
    return all;
}
static inline PyObject *ap_iterable(PyObject *value)
{
    return PyList_CheckExact(value) || PyTuple_CheckExact(value) ? Py_NewRef(value) : PyObject_GetIter(value);
}

/* Calls with * and **. */
static PyObject *ap_name_of(PyObject *function)
{
    PyObject *name = PyObject_GetAttrString(function, "__qualname__"), *module, *made;
    if (!name) { PyErr_Clear(); return PyObject_Str(function); }
    module = PyObject_GetAttrString(function, "__module__");
    if (!module) PyErr_Clear();
    if (module && PyUnicode_Check(module) && PyUnicode_CompareWithASCIIString(module, "builtins"))
        made = PyUnicode_FromFormat("%S.%S()", module, name);
    else
        made = PyUnicode_FromFormat("%S()", name);
    Py_XDECREF(module);
    Py_DECREF(name);
    return made;
}
static PyObject *ap_wrong_star(PyObject *function, const char *what, PyObject *value)
{
    PyErr_Clear();
    PyObject *name = ap_name_of(function);
    if (name) PyErr_Format(PyExc_TypeError, "%U argument after %s, not %.200s", name, what, Py_TYPE(value)->tp_name);
    Py_XDECREF(name);
    return NULL;
}
static PyObject *ap_call_star(PyObject *function, PyObject *arguments, PyObject *more, PyObject *named)
{
    PyObject *all = NULL, *by_name = NULL, *made = NULL;
    if (more == Py_Ellipsis) all = Py_NewRef(arguments);
    else {
        PyObject *rest = PySequence_Tuple(more);
        if (!rest) {
            if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(more)->tp_iter == NULL && !PySequence_Check(more))
                ap_wrong_star(function, "* must be an iterable", more);
            return NULL;
        }
        all = PyTuple_GET_SIZE(arguments) ? PySequence_Concat(arguments, rest) : Py_NewRef(rest);
        Py_DECREF(rest);
    }
    if (!all) return NULL;
    if (named != Py_Ellipsis) {
        by_name = PyDict_New();
        if (by_name && PyDict_Update(by_name, named) < 0) {
            Py_CLEAR(by_name);
            if (PyErr_ExceptionMatches(PyExc_AttributeError)) ap_wrong_star(function, "** must be a mapping", named);
        }
        if (!by_name) { Py_DECREF(all); return NULL; }
    }
    made = PyObject_Call(function, all, by_name);
    Py_DECREF(all);
    Py_XDECREF(by_name);
    return made;
}

/* Exceptions. */
static int ap_raise(PyObject *raised, PyObject *cause)
{
    PyObject *value = NULL, *reason = NULL;
    if (PyExceptionClass_Check(raised)) {
        if (!(value = PyObject_CallNoArgs(raised))) return -1;
        if (!PyExceptionInstance_Check(value)) {
            PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R",
                         raised, Py_TYPE(value));
            goto bad;
        }
    } else if (PyExceptionInstance_Check(raised)) {
        value = Py_NewRef(raised);
        raised = (PyObject *)Py_TYPE(value);
    } else {
        PyErr_SetString(PyExc_TypeError, "exceptions must derive from BaseException");
        return -1;
    }
    if (cause != Py_Ellipsis) {
        if (PyExceptionClass_Check(cause)) {
            if (!(reason = PyObject_CallNoArgs(cause))) goto bad;
            if (!PyExceptionInstance_Check(reason)) {
                PyErr_Format(PyExc_TypeError, "calling %R should have returned an instance of BaseException, not %R",
                             cause, Py_TYPE(reason));
                goto bad;
            }
        } else if (PyExceptionInstance_Check(cause)) {
            reason = Py_NewRef(cause);
        } else if (cause != Py_None) {
            PyErr_SetString(PyExc_TypeError, "exception causes must derive from BaseException");
            goto bad;
        }
        PyException_SetCause(value, reason);
        reason = NULL;
    }
    PyErr_SetObject(raised, value);
    Py_DECREF(value);
    return -1;
bad:
    Py_XDECREF(value);
    Py_XDECREF(reason);
    return -1;
}
static int ap_catches(PyObject *type)
{
    if (PyExceptionClass_Check(type)) return 1;
    if (!PyTuple_Check(type)) return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type); i++)
        if (!PyExceptionClass_Check(PyTuple_GET_ITEM(type, i))) return 0;
    return 1;
}
static int ap_matches(PyObject *error, PyObject *type)
{
    if (ap_catches(type)) return PyErr_GivenExceptionMatches(error, type);
    PyErr_SetString(PyExc_TypeError, "catching classes that do not inherit from BaseException is not allowed");
    return -1;
}
#if PY_VERSION_HEX >= 0x030E0000
static void ap_not_special(PyObject *manager, const char *name)
{
    PyObject *type = (PyObject *)Py_TYPE(manager);
    const char *more = !PyObject_HasAttrString(type, "__aenter__") || !PyObject_HasAttrString(type, "__aexit__") ? ""
        : " but it supports the asynchronous context manager protocol. Did you mean to use 'async with'?";
    PyErr_Format(PyExc_TypeError, "'%T' object does not support the context manager protocol (missed %s method)%s",
                 manager, name, more);
}
#else
static void ap_not_special(PyObject *manager, const char *name)
{
    PyErr_Format(PyExc_TypeError, "'%.200s' object does not support the context manager protocol%s",
                 Py_TYPE(manager)->tp_name, strcmp(name, "__exit__") ? "" : " (missed __exit__ method)");
}
#endif
static PyObject *ap_special(PyObject *manager, const char *name)
{
    PyObject *found = PyObject_GetAttrString((PyObject *)Py_TYPE(manager), name);
    if (!found) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            ap_not_special(manager, name);
        }
        return NULL;
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    if (!get) return found;
    PyObject *bound = get(found, manager, (PyObject *)Py_TYPE(manager));
    Py_DECREF(found);
    return bound;
}
static PyObject *ap_enter(PyObject *manager)
{
#if PY_VERSION_HEX >= 0x030E0000
    PyObject *leave = ap_special(manager, "__exit__"), *enter = leave ? ap_special(manager, "__enter__") : NULL;
#else
    PyObject *enter = ap_special(manager, "__enter__"), *leave = enter ? ap_special(manager, "__exit__") : NULL;
#endif
    PyObject *value = enter && leave ? PyObject_CallNoArgs(enter) : NULL;
    PyObject *pair = value ? PyTuple_Pack(2, leave, value) : NULL;
    Py_XDECREF(enter);
    Py_XDECREF(leave);
    Py_XDECREF(value);
    return pair;
}
static int ap_leave(PyObject *leave, PyObject *error)
{
    PyObject *trace = error == Py_None ? NULL : PyException_GetTraceback(error), *said;
    if (error == Py_None) said = PyObject_CallFunctionObjArgs(leave, Py_None, Py_None, Py_None, NULL);
    else said = PyObject_CallFunctionObjArgs(leave, (PyObject *)Py_TYPE(error), error, trace ? trace : Py_None, NULL);
    Py_XDECREF(trace);
    int truth = !said ? -1 : error == Py_None ? 0 : PyObject_IsTrue(said);
    Py_XDECREF(said);
    return truth;
}

/* What a loop owes to other threads, to Ctrl-C and to the garbage collector. */
static int ap_pause(void)
{
    static _Thread_local double last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    if (seconds - last < 0.005) return 0;
    last = seconds;
    Py_BEGIN_ALLOW_THREADS
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals();
}
static unsigned ap_rounds;
#define AP_ROUND() (AP_RARELY((++ap_rounds & 255) == 0) ? ap_pause() : 0)

/* The way in: past it are as many arguments as the function has parameters. */
#if PY_VERSION_HEX >= 0x030C0000
#define AP_LEFT(state) ((state)->py_recursion_remaining)
#define AP_TRACED(state) ((state)->c_tracefunc != NULL || (state)->c_profilefunc != NULL)
#else
#define AP_LEFT(state) ((state)->recursion_remaining)
#define AP_TRACED(state) ((state)->cframe->use_tracing)
#endif
#define AP_DEEPEST 64
static _Thread_local int ap_depth;
#define AP_SAME_CODE(ap) (PyFunction_GET_CODE(AP_OWN(ap, AP_FUNCTION)) == AP_OWN(ap, AP_CODE))
/* Deep in a recursion, and while somebody looks on, Python runs: it knows its limit, and it has the frames to show. */
static inline int ap_may_enter(PyThreadState *state)
{
    return !AP_RARELY(AP_TRACED(state) || ap_depth >= AP_DEEPEST || AP_LEFT(state) < 4);
}
/* A callable of its own, since a call of a C function counts as one more level of a recursion. */
typedef struct { PyObject_HEAD vectorcallfunc call; PyObject *ap; } ap_callable;
static int ap_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((ap_callable *)self)->ap);
    return 0;
}
static int ap_clear(PyObject *self) { Py_CLEAR(((ap_callable *)self)->ap); return 0; }
static void ap_free_callable(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    ap_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}
static PyMemberDef ap_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(ap_callable, call), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};
static PyType_Slot ap_slots[] = {
    {Py_tp_call, (void *)PyVectorcall_Call}, {Py_tp_traverse, (void *)ap_traverse}, {Py_tp_clear, (void *)ap_clear},
    {Py_tp_dealloc, (void *)ap_free_callable}, {Py_tp_members, (void *)ap_members}, {0, NULL}};
static PyType_Spec ap_spec = {
    "autopar.compiled", sizeof(ap_callable), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, ap_slots};
static PyObject *ap_new_callable(vectorcallfunc call, PyObject *ap)
{
    static PyObject *type;
    if (!type && !(type = PyType_FromSpec(&ap_spec))) return NULL;
    ap_callable *made = PyObject_GC_New(ap_callable, (PyTypeObject *)type);
    if (!made) return NULL;
    made->call = call;
    made->ap = Py_NewRef(ap);
    PyObject_GC_Track((PyObject *)made);
    return (PyObject *)made;
}
static PyObject *ap_miss(PyObject *ap, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
    PyObject *by_name = NULL, *made = NULL, *positional = PyTuple_New(count);
    for (Py_ssize_t i = 0; positional && i < count; i++) PyTuple_SET_ITEM(positional, i, Py_NewRef(arguments[i]));
    by_name = PyDict_New();
    for (Py_ssize_t i = 0; by_name && names && i < PyTuple_GET_SIZE(names); i++)
        if (PyDict_SetItem(by_name, PyTuple_GET_ITEM(names, i), arguments[count + i]) < 0) Py_CLEAR(by_name);
    if (positional && by_name)
        made = PyObject_CallFunctionObjArgs(AP_OWN(ap, AP_MISS), positional, by_name, NULL);
    Py_XDECREF(positional);
    Py_XDECREF(by_name);
    return made;
}
static int ap_with_defaults(PyObject *ap, PyObject *const *given, Py_ssize_t count, Py_ssize_t arity, PyObject **all)
{
    PyObject *defaults = PyFunction_GET_DEFAULTS(AP_OWN(ap, AP_FUNCTION));
    Py_ssize_t known = defaults ? PyTuple_GET_SIZE(defaults) : 0;
    if (count > arity || count + known < arity) return 0;
    for (Py_ssize_t i = 0; i < arity; i++)
        all[i] = Py_NewRef(i < count ? given[i] : PyTuple_GET_ITEM(defaults, known - arity + i));
    return 1;
}
"""


def entry(number: int, arity: int, by_position: int) -> str:
    """The C of one function's way in: from a call's arguments to the function that Cython makes.

    Parameters
    ----------
    number
        Of the function in its module.
    arity
        How many parameters it has; ``by_position`` of them may be passed so.
    """
    kinds = ", ".join(["PyObject *"] * (arity + 1))
    passed = "".join(f", arguments[{i}]" for i in range(arity))
    return f"""
static PyObject *(*ap_body_at_{number})({kinds});
static PyObject *ap_enter_{number}(PyObject *ap, PyObject *const *arguments, PyThreadState *state)
{{
    ap_depth++;
    AP_LEFT(state)--;
    PyObject *made = ap_body_at_{number}(ap{passed});
    ap_depth--;
    AP_LEFT(state)++;
    if (made) ++*(long long *)PyByteArray_AS_STRING(AP_OWN(ap, AP_CALLS));
    return made;
}}
static PyObject *ap_call_{number}(PyObject *self, PyObject *const *arguments, size_t flags, PyObject *names)
{{
    PyObject *ap = ((ap_callable *)self)->ap;
    PyThreadState *state = PyThreadState_Get();
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (!ap_may_enter(state)) return PyObject_Vectorcall(AP_OWN(ap, AP_FUNCTION), arguments, flags, names);
    if (names || {arity} != {by_position} || !AP_SAME_CODE(ap)) return ap_miss(ap, arguments, count, names);
    if (count == {arity}) return ap_enter_{number}(ap, arguments, state);
    PyObject *all[{max(arity, 1)}];
    if (!ap_with_defaults(ap, arguments, count, {arity}, all)) return ap_miss(ap, arguments, count, names);
    PyObject *made = ap_enter_{number}(ap, (PyObject *const *)all, state);
    for (int i = 0; i < {arity}; i++) Py_DECREF(all[i]);
    return made;
}}
static PyObject *ap_run_{number}(PyObject *ap, PyObject *const *arguments, Py_ssize_t count)
{{
    PyThreadState *state = PyThreadState_Get();
    if (count != {arity} || !ap_may_enter(state) || !AP_SAME_CODE(ap)) return Py_NewRef(ap);
    return ap_enter_{number}(ap, arguments, state);
}}
static PyMethodDef ap_run_of_{number} = {{"run", (PyCFunction)(void (*)(void))ap_run_{number}, METH_FASTCALL, NULL}};
static PyObject *ap_bind_{number}(PyObject *ap)
{{
    PyObject *call = ap_new_callable(ap_call_{number}, ap), *run = PyCFunction_New(&ap_run_of_{number}, ap);
    PyObject *pair = call && run ? PyTuple_Pack(2, call, run) : NULL;
    Py_XDECREF(call);
    Py_XDECREF(run);
    return pair;
}}
#define AP_SET_{number}(body) (*(void **)&ap_body_at_{number} = (void *)(body), 0)
"""
