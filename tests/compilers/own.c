#include <stdbool.h>
#include <stdint.h>

int64_t plus(int64_t one, int64_t other) { return one + other; }
double half(double x) { return x / 2; }
bool negated(bool x) { return !x; }
int8_t small(int8_t x) { return x; }
void nothing(void) {}

double total(const double *items, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += items[i];
    }
    return sum;
}

void scale(int32_t *items, int64_t count, int32_t by)
{
    for (int64_t i = 0; i < count; i++) {
        items[i] *= by;
    }
}

int64_t wait_for(volatile int64_t *flag)
{
    while (*flag == 0) {
    }
    return *flag;
}
