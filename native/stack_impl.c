#define _GNU_SOURCE /* pthread_getattr_np */
#include "stack_impl.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#endif

#define COMFORTABLE ((uintptr_t)128 << 10) /* bytes that may be used unseen: of 3.12's 1500 C calls, a third */
#define MARGIN ((uintptr_t)1 << 20)        /* bytes for what the last call calls: C calls of 2 KiB, and libraries */
#define FEW 250                            /* counted calls below which more are lent */

AUTOPAR_THREAD_LOCAL uintptr_t autopar_comfortable = UINTPTR_MAX;

/* The lowest address of the calling thread's stack, and how large it is: 0 where the system does not say. */
static uintptr_t
lowest_address(uintptr_t *size)
{
#if defined(_WIN32)
    ULONG_PTR low, high;
    GetCurrentThreadStackLimits(&low, &high);
    *size = (uintptr_t)(high - low);
    return (uintptr_t)low;
#elif defined(__APPLE__)
    uintptr_t high = (uintptr_t)pthread_get_stackaddr_np(pthread_self());
    *size = (uintptr_t)pthread_get_stacksize_np(pthread_self());
    return high - *size;
#elif defined(__linux__)
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return 0;
    }
    int failed = pthread_attr_getstack(&attributes, &low, &bytes);
    pthread_attr_destroy(&attributes);
    *size = bytes;
    return failed ? 0 : (uintptr_t)low;
#else
    (void)size;
    return 0;
#endif
}

int
autopar_look_at_stack(void)
{
    static AUTOPAR_THREAD_LOCAL uintptr_t top, enough; /* the highest address, and the lowest where enough is left */
    uintptr_t now = autopar_here();
    if (top == 0) {
        uintptr_t size = 0, low = lowest_address(&size);
        top = low == 0 ? 1 : low + size;
        enough = low + (MARGIN < size / 4 ? MARGIN : size / 4);
        autopar_comfortable = low == 0 ? 0 : size < 4 * COMFORTABLE ? enough + size / 2 : top - COMFORTABLE;
    }
    if (now >= top || now > autopar_comfortable) {
        return 0; /* it is comfortable after all, or a stack that the system knows nothing of */
    }
    if (now <= enough) {
        PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded: the C stack is used up");
        return -1;
    }
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000
    PyThreadState *state = PyThreadState_Get();
    if (state->c_recursion_remaining < FEW) {
        state->c_recursion_remaining += FEW;
        return FEW;
    }
#endif
    return 0;
}
