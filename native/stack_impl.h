/* Deep recursion through decorated functions.
 *
 * A Python function that calls another takes no C stack from 3.11 on; one that calls through an object written in C
 * does. So a recursion that the interpreter allows may be deeper than the C stack, or than the interpreter's own count
 * of C calls (1500 in 3.12, which calls through one object use up at a depth of 750). Before each such call this says
 * whether there is stack left for it, and lends the interpreter as many counted calls as the stack is good for.
 */
#ifndef AUTOPAR_STACK_IMPL_H
#define AUTOPAR_STACK_IMPL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#if defined(_MSC_VER)
#define AUTOPAR_THREAD_LOCAL __declspec(thread)
#else
#define AUTOPAR_THREAD_LOCAL _Thread_local
#endif

#if defined(__GNUC__)
#define AUTOPAR_WITHIN __attribute__((visibility("hidden"))) /* found without the tables of symbols */
#else
#define AUTOPAR_WITHIN
#endif

/* An address on the calling thread's stack: while it has not grown down to there, nothing needs to be looked at. */
AUTOPAR_WITHIN extern AUTOPAR_THREAD_LOCAL uintptr_t autopar_comfortable;

static inline uintptr_t
autopar_here(void)
{
#if defined(__GNUC__)
    return (uintptr_t)__builtin_frame_address(0); /* a sanitizer keeps variables elsewhere */
#else
    char byte;
    return (uintptr_t)&byte;
#endif
}

/* For a stack that is not small any more; as the next one. */
int autopar_look_at_stack(void);

/* Before a call: how many counted calls were lent for it, to be given back after it; or -1 with an exception set. */
static inline int
autopar_go_deeper(void)
{
#if PY_VERSION_HEX >= 0x030E0000
    return 0; /* the interpreter looks at the stack itself */
#else
    return autopar_here() > autopar_comfortable ? 0 : autopar_look_at_stack();
#endif
}

/* After the call. */
static inline void
autopar_come_back(int lent)
{
#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x030E0000
    if (lent > 0) {
        PyThreadState_Get()->c_recursion_remaining -= lent;
    }
#else
    (void)lent;
#endif
}

#endif
