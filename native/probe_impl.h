/* What the calling thread has used so far, read in one go.
 *
 * Plain C: nothing here knows of Python, and nothing here needs the GIL or any lock.
 */
#ifndef AUTOPAR_PROBE_IMPL_H
#define AUTOPAR_PROBE_IMPL_H

#include <stdint.h>

/* Only the difference of two readings by the same thread means something.
 *
 * wall_ns                monotonic clock, the one behind Python's time.perf_counter_ns
 * thread_cpu_ns          user and system time of the calling thread
 * process_cpu_ns         user and system time of all threads of the process
 * voluntary_switches     times the calling thread gave up its core to wait
 * involuntary_switches   times its core was taken away
 *
 * A count that the system does not keep for each thread is always zero: both kinds of
 * switches, everywhere but on Linux.
 */
typedef struct {
    int64_t wall_ns;
    int64_t thread_cpu_ns;
    int64_t process_cpu_ns;
    int64_t voluntary_switches;
    int64_t involuntary_switches;
} autopar_probe;

/* Fill *out. Returns 0, or -1 with the reason in errno (GetLastError() on Windows) and *out
 * left in an unspecified state. Safe to call from any thread at any time. */
int autopar_probe_read(autopar_probe *out);

/* The wall clock alone, at a fiftieth of the cost. Returns as autopar_probe_read. */
int autopar_wall_read(int64_t *ns);

#endif
