#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RUSAGE_THREAD */
#endif

#include "probe_impl.h"

#ifdef _WIN32

#include <windows.h>

/* A FILETIME counts steps of 100 ns. */
static int64_t
filetime_ns(FILETIME time)
{
    return (int64_t)(((uint64_t)time.dwHighDateTime << 32) | time.dwLowDateTime) * 100;
}

int
autopar_wall_read(int64_t *ns)
{
    LARGE_INTEGER ticks, per_second;
    if (!QueryPerformanceCounter(&ticks) || !QueryPerformanceFrequency(&per_second)) {
        return -1;
    }
    /* Seconds and the rest apart, so that the product cannot overflow. */
    *ns = ticks.QuadPart / per_second.QuadPart * 1000000000
          + ticks.QuadPart % per_second.QuadPart * 1000000000 / per_second.QuadPart;
    return 0;
}

int
autopar_probe_read(autopar_probe *out)
{
    FILETIME created, exited, kernel, user;

    if (autopar_wall_read(&out->wall_ns) < 0) {
        return -1;
    }
    if (!GetThreadTimes(GetCurrentThread(), &created, &exited, &kernel, &user)) {
        return -1;
    }
    out->thread_cpu_ns = filetime_ns(kernel) + filetime_ns(user);
    if (!GetProcessTimes(GetCurrentProcess(), &created, &exited, &kernel, &user)) {
        return -1;
    }
    out->process_cpu_ns = filetime_ns(kernel) + filetime_ns(user);
    out->voluntary_switches = 0;
    out->involuntary_switches = 0;
    return 0;
}

#else

#include <time.h>

#ifdef __linux__
#include <sys/resource.h>
#endif

/* On macOS CLOCK_MONOTONIC goes on while the machine sleeps; Python's clock does not. */
#ifdef __APPLE__
#define WALL_CLOCK CLOCK_UPTIME_RAW
#else
#define WALL_CLOCK CLOCK_MONOTONIC
#endif

static int
read_clock(clockid_t clock, int64_t *ns)
{
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) {
        return -1;
    }
    *ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    return 0;
}

static int
read_switches(autopar_probe *out)
{
#ifdef __linux__
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) < 0) {
        return -1;
    }
    out->voluntary_switches = usage.ru_nvcsw;
    out->involuntary_switches = usage.ru_nivcsw;
#else
    out->voluntary_switches = 0;
    out->involuntary_switches = 0;
#endif
    return 0;
}

int
autopar_wall_read(int64_t *ns)
{
    return read_clock(WALL_CLOCK, ns);
}

int
autopar_probe_read(autopar_probe *out)
{
    if (autopar_wall_read(&out->wall_ns) < 0
        || read_clock(CLOCK_THREAD_CPUTIME_ID, &out->thread_cpu_ns) < 0
        || read_clock(CLOCK_PROCESS_CPUTIME_ID, &out->process_cpu_ns) < 0) {
        return -1;
    }
    return read_switches(out);
}

#endif
