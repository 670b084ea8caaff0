"""The C that every kernel starts with: Python's arithmetic where C's differs, buffers, and the functions of libm.

The functions of libm are declared under names of our own, bound to the real ones by an assembler label: a compiler that
does not know what they are can neither work them out at compile time, with roundings of its own, nor vectorise them.
"""

from __future__ import annotations

__all__ = ["BLOCK", "PRELUDE"]

_ONE = "acos acosh asin asinh atan atanh cos cosh erf erfc exp expm1 log log10 log1p log2 sin sinh tan tanh cbrt exp2"

PRELUDE = (
    r"""
/* No headers: reading them takes the compiler longer than all of this. */
typedef __INT64_TYPE__ i64;
typedef __UINT64_TYPE__ u64;
typedef __INTPTR_TYPE__ intptr_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
#define bool _Bool
#define true 1
#define false 0
#define NULL ((void *)0)
#define INT64_MAX __INT64_MAX__
#define INT64_MIN (-__INT64_MAX__ - 1)
#define INT64_C(number) ((i64)number##LL)
#define UINT64_C(number) ((u64)number##ULL)
#define memcpy __builtin_memcpy
#define memset __builtin_memset
#define malloc __builtin_malloc
#define calloc __builtin_calloc
#define realloc __builtin_realloc
#define free __builtin_free
#define floor __builtin_floor
#define ceil __builtin_ceil
#define trunc __builtin_trunc
#define rint __builtin_rint
#define fmod __builtin_fmod
#define copysign __builtin_copysign

#define AP_LABEL2(prefix, name) #prefix name
#define AP_LABEL1(prefix, name) AP_LABEL2(prefix, name)
#define AP_LIBM(name) __asm__(AP_LABEL1(__USER_LABEL_PREFIX__, name))
#if defined(_WIN32)
#define AP_EXPORT __declspec(dllexport)
#else
#define AP_EXPORT __attribute__((visibility("default")))
#endif
#define AP_COLD __attribute__((noinline, cold))
#define AP_UNUSED __attribute__((unused))
#define EXIT(number) do { ap_exit = (number); goto leave; } while (0)

/* Have a value computed although nothing uses it. */
#define AP_KEEP_R(value) __asm__ volatile("" : : "r"(value))
#if defined(__x86_64__)
#define AP_KEEP_X(value) __asm__ volatile("" : : "x"(value))
#elif defined(__aarch64__)
#define AP_KEEP_X(value) __asm__ volatile("" : : "w"(value))
#else
#define AP_KEEP_X(value) __asm__ volatile("" : : "m"(value))
#endif

/* A round that is to be run, not to be worked out together with others. */
#define AP_ROUND __asm__ volatile("")

/* A cast that raises the processor's flags even where the compiler knows the value. */
static AP_UNUSED float ap_f32(double x)
{
    if (__builtin_constant_p(x)) __asm__("" : "+m"(x));
    return (float)x;
}

/* A buffer of the kernel's own: a reference count, room for how many elements, and bytes; then the elements. */
typedef struct { i64 references, room, bytes; char padding[40]; } ap_buffer;

/* The last buffer that was freed, for the next call: fresh memory of this size costs a page fault for each 4 kB. */
static AP_UNUSED void *ap_spare;
static AP_UNUSED bool ap_is_kept(i64 bytes) { return bytes >= (i64)1 << 17 && bytes <= (i64)1 << 24; }

static AP_UNUSED char *ap_data(void *owner) { return (char *)owner + sizeof(ap_buffer); }
/* Not seen through, so that stores to a buffer are not left out because it is freed: they may be all that divides. */
static AP_UNUSED AP_COLD void ap_drop(void *owner)
{
    __asm__ volatile("" : "+r"(owner) : : "memory");
    if (ap_is_kept(((ap_buffer *)owner)->bytes)) owner = __atomic_exchange_n(&ap_spare, owner, __ATOMIC_ACQ_REL);
    free(owner);
}
static AP_UNUSED void ap_release(void *owner)
{
    ap_buffer *buffer = owner;
    if (buffer && --buffer->references == 0) ap_drop(buffer);
}
static AP_UNUSED AP_COLD void *ap_take_spare(i64 bytes, int zero)
{
    ap_buffer *buffer = __atomic_exchange_n(&ap_spare, NULL, __ATOMIC_ACQ_REL);
    if (buffer && (buffer->bytes < bytes || buffer->bytes > 4 * bytes)) {
        free(buffer);
        return NULL;
    }
    if (buffer && zero) memset(ap_data(buffer), 0, bytes);
    return buffer;
}
static AP_UNUSED void *ap_new(i64 count, i64 size, int zero)
{
    u64 bytes;
    if (__builtin_mul_overflow((u64)count, (u64)size, &bytes) || bytes > (u64)1 << 46) return NULL;
    ap_buffer *buffer = ap_is_kept(bytes) ? ap_take_spare(bytes, zero) : NULL;
    if (!buffer) {
        buffer = zero ? calloc(1, bytes + sizeof(ap_buffer)) : malloc(bytes + sizeof(ap_buffer));
        if (buffer) buffer->bytes = bytes;
    }
    if (buffer) buffer->references = 1, buffer->room = count;
    return buffer;
}
static AP_UNUSED void *ap_owned(void *old, void *owner)
{
    if (owner) ((ap_buffer *)owner)->references++;
    ap_release(old);
    return owner;
}
static AP_UNUSED AP_COLD void *ap_grow(void *owner, i64 length, i64 size)
{
    i64 room = length < 8 ? 8 : length + length / 2;
    if (room > (i64)1 << 40) return NULL;
    ap_buffer *buffer = realloc(owner, (u64)room * (u64)size + sizeof(ap_buffer));
    if (!buffer) return NULL;
    if (!owner) buffer->references = 1;
    buffer->room = room;
    buffer->bytes = room * size;
    return buffer;
}

/* Integers, as Python has them. */
static AP_UNUSED i64 ap_floordiv(i64 a, i64 b) { i64 q = a / b; return q - (a % b != 0 && (a < 0) != (b < 0)); }
static AP_UNUSED i64 ap_floormod(i64 a, i64 b) { i64 r = a % b; return r != 0 && (r < 0) != (b < 0) ? r + b : r; }
static AP_UNUSED i64 ap_min(i64 a, i64 b) { return a < b ? a : b; }
static AP_UNUSED i64 ap_max(i64 a, i64 b) { return a > b ? a : b; }
static AP_UNUSED i64 ap_clip(i64 i, i64 n) { i = i < 0 ? i + n : i; return i < 0 ? 0 : i > n ? n : i; }
static AP_UNUSED i64 ap_last_up(i64 a, i64 b, i64 step) { return a < b ? a + (b - 1 - a) / step * step : a; }
static AP_UNUSED i64 ap_last_down(i64 a, i64 b, i64 step) { return a > b ? a + (a - 1 - b) / -step * step : a; }
/* Either of two values, both worked out, without a branch. */
#define ap_either(test, yes, no) \
    ({ i64 yes_ = (yes), no_ = (no); __asm__("" : "+r"(yes_), "+r"(no_)); (test) ? yes_ : no_; })
static AP_UNUSED bool ap_shl(i64 a, i64 b, i64 *out)
{
    if (b < 0 || (b > 62 && a != 0)) return false;
    *out = a == 0 ? 0 : (i64)((u64)a << b);
    return a == 0 || *out >> b == a;
}
static AP_UNUSED bool ap_ipow(i64 base, i64 power, i64 *out)
{
    i64 result = 1;
    for (;;) {
        if ((power & 1) && __builtin_mul_overflow(result, base, &result)) return false;
        power >>= 1;
        if (power == 0) break;
        if (__builtin_mul_overflow(base, base, &base)) return false;
    }
    *out = result;
    return true;
}
static AP_UNUSED i64 ap_isqrt(i64 n)
{
    i64 root = (i64)__builtin_sqrt((double)n);
    while (root > 0 && root > n / root) root--;
    while (root + 1 <= n / (root + 1)) root++;
    return root;
}
static AP_UNUSED bool ap_gcd(i64 a, i64 b, i64 *out)
{
    u64 x = a < 0 ? -(u64)a : (u64)a, y = b < 0 ? -(u64)b : (u64)b;
    while (y) { u64 r = x % y; x = y; y = r; }
    *out = (i64)x;
    return x <= (u64)INT64_MAX;
}

/* Floats, as Python has them. */
/* Not in one expression, where GCC 12 makes -x of 0.0 - x if x cannot be -0.0, though it may be 0.0. */
static AP_UNUSED double ap_minus(double a, double b) { return a - b; }
static AP_UNUSED float ap_minus_f32(float a, float b) { return a - b; }
static AP_UNUSED double ap_float_mod(double a, double b)
{
    double r = fmod(a, b);
    if (r) return (b < 0) != (r < 0) ? r + b : r;
    return copysign(0.0, b);
}
static AP_UNUSED double ap_float_floordiv(double a, double b)
{
    double r = fmod(a, b), q = (a - r) / b;
    if (r && (b < 0) != (r < 0)) q -= 1.0;
    if (!q) return copysign(0.0, a / b);
    double whole = floor(q);
    return q - whole > 0.5 ? whole + 1.0 : whole;
}
/* Either of two numbers, both of which are worked out: a choice of their bits, which no compiler makes a branch of. */
static AP_UNUSED double ap_select(bool test, double yes, double no)
{
    u64 a, b, mask = -(u64)test;
    memcpy(&a, &yes, 8);
    memcpy(&b, &no, 8);
    a = (a & mask) | (b & ~mask);
    memcpy(&yes, &a, 8);
    return yes;
}
/* In the order in which NumPy adds: halves, down to blocks of at most 128, eight sums to a block. */
static AP_UNUSED double ap_pairwise_sum(const char *p, i64 count, i64 stride)
{
#define AP_AT(i) (*(const double *)(p + (i) * stride))
    if (count < 8) {
        double sum = -0.0;
        for (i64 i = 0; i < count; i++) sum += AP_AT(i);
        return sum;
    }
    if (count > 128) {
        i64 half = count / 2;
        half -= half % 8;
        return ap_pairwise_sum(p, half, stride) + ap_pairwise_sum(p + half * stride, count - half, stride);
    }
    double s[8];
    i64 i;
    for (i = 0; i < 8; i++) s[i] = AP_AT(i);
    for (; i < count - count % 8; i += 8)
        for (int k = 0; k < 8; k++) s[k] += AP_AT(i + k);
    double sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    for (; i < count; i++) sum += AP_AT(i);
    return sum;
#undef AP_AT
}
static AP_UNUSED bool ap_truncate(double x, i64 *out)
{
    if (!(__builtin_fabs(x) < 0x1p63)) return false;
    *out = (i64)x;
    return true;
}
/* -1, 0 or 1 as an integer is less than, equal to or greater than a float; 2 if that is not a number. */
static AP_UNUSED int ap_compare(i64 i, double x)
{
    if (x != x) return 2;
    if (x >= 0x1p63) return -1;
    if (x < -0x1p63) return 1;
    i64 whole = (i64)x;
    if (i != whole) return i < whole ? -1 : 1;
    double rest = x - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}
"""
    + "".join(
        f'extern double ap_{name}(double) AP_LIBM("{name}");\n'
        f"static AP_UNUSED bool ap_m_{name}(double x, double *out) "
        f"{{ *out = ap_{name}(x); return __builtin_isfinite(*out); }}\n"
        for name in _ONE.split()
    )
    + "".join(
        f'extern double ap_{name}(double, double) AP_LIBM("{name}");\n'
        f"static AP_UNUSED bool ap_m_{name}(double x, double y, double *out) "
        f"{{ *out = ap_{name}(x, y); "
        f"return __builtin_isfinite(*out) && __builtin_isfinite(x) && __builtin_isfinite(y); }}\n"
        for name in ("atan2", "pow", "fmod")
    )
    + r"""
static AP_UNUSED bool ap_m_sqrt(double x, double *out) { *out = __builtin_sqrt(x); return x >= 0.0; }
static AP_UNUSED bool ap_float_pow(double a, double b, double *out)
{
    if (!__builtin_isfinite(a) || !__builtin_isfinite(b) || (a == 0.0 && b < 0.0)) return false;
    if (a < 0.0 && floor(b) != b) return false;
    *out = ap_pow(a, b);
    return __builtin_isfinite(*out);
}

/* From the lowest byte of an array with strides to behind its highest. */
static AP_UNUSED __attribute__((noinline)) void ap_extent(const i64 *slots, int dims, i64 size, i64 *low, i64 *high)
{
    *low = *high = slots[0];
    for (int d = 0; d < dims; d++) if (slots[1 + d] == 0) return;
    for (int d = 0; d < dims; d++) {
        i64 far = (slots[1 + d] - 1) * slots[1 + dims + d];
        if (far < 0) *low += far; else *high += far;
    }
    *high += size;
}
static AP_UNUSED double ap_from_word(i64 word) { double x; memcpy(&x, &word, 8); return x; }
static AP_UNUSED i64 ap_to_word(double x) { i64 word; memcpy(&word, &x, 8); return word; }
"""
)

BLOCK = r"""
AP_EXPORT AP_COLD int64_t ap_block(int64_t *slots, int64_t count, const int64_t *inputs, int64_t n_inputs,
                                   const int64_t *outputs, int64_t n_outputs, int64_t *exit)
{
    const i64 *column, *inputs_end = inputs + 3 * n_inputs, *outputs_end = outputs + 3 * n_outputs;
    for (i64 item = 0; item < count; item++) {
        for (column = inputs; column < inputs_end; column += 3)
            slots[column[0]] = *(const i64 *)(intptr_t)(column[1] + item * column[2]);
        i64 left = ap_call(slots);
        if (left) { *exit = left; return item; }
        for (column = outputs; column < outputs_end; column += 3)
            *(i64 *)(intptr_t)(column[1] + item * column[2]) = slots[column[0]];
    }
    return count;
}
AP_EXPORT AP_COLD void ap_free(void *owner) { ap_release(owner); }
"""
