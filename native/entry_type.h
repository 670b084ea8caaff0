/* autopar._native.KernelEntry: a compiled kernel as a callable, with a way back to Python for what does not fit. */
#ifndef AUTOPAR_ENTRY_TYPE_H
#define AUTOPAR_ENTRY_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* A function as CPython's tables of slots want it: as an object pointer, which ISO C does not know. */
#ifdef __GNUC__
#define AUTOPAR_SLOT(function) (__extension__(void *)(function))
#else
#define AUTOPAR_SLOT(function) ((void *)(function))
#endif

/* Add the type to the module. Returns 0, or -1 with an exception set. */
int autopar_add_entry_type(PyObject *module);

#endif
