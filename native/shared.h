/* Fields and lists that several threads may use at once.
 *
 * With a GIL they are what they look like. Without one, counts may miss an update, which only moves a sample; what is
 * pointed to stays alive, and a list is locked while it is read.
 */
#ifndef AUTOPAR_SHARED_H
#define AUTOPAR_SHARED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(Py_GIL_DISABLED) && defined(__GNUC__)
#define AUTOPAR_READ(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define AUTOPAR_WRITE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
#define AUTOPAR_INCREMENT(field) ((void)__atomic_fetch_add(&(field), 1, __ATOMIC_RELAXED))
#define AUTOPAR_READ_POINTER(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#else
#define AUTOPAR_READ(field) (field)
#define AUTOPAR_WRITE(field, value) ((field) = (value))
#define AUTOPAR_INCREMENT(field) ((void)(field)++)
#define AUTOPAR_READ_POINTER(field) (field)
#endif

#if PY_VERSION_HEX >= 0x030D0000
#define AUTOPAR_LOCK(object) Py_BEGIN_CRITICAL_SECTION(object)
#define AUTOPAR_UNLOCK() Py_END_CRITICAL_SECTION()
#else
#define AUTOPAR_LOCK(object) {
#define AUTOPAR_UNLOCK() }
#endif

/* A new reference to an item of a list, or NULL with an exception set where the list is shorter, or none. */
static inline PyObject *
autopar_list_item(PyObject *list, Py_ssize_t index)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyList_GetItemRef(list, index);
#else
    return Py_XNewRef(PyList_GetItem(list, index));
#endif
}

#endif
