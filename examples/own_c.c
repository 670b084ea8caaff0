/* How many points of one row of the Mandelbrot set's image do not escape; own_c.py has the same in Python. */
#include <stdint.h>

int64_t inside(int64_t row, int64_t rows, int64_t limit)
{
    const double imaginary = 2.5 * (double)row / (double)rows - 1.25;
    int64_t found = 0;
    for (int64_t column = 0; column < rows; column++) {
        const double real = 2.5 * (double)column / (double)rows - 2.0;
        double x = 0.0, y = 0.0;
        int64_t step = 0;
        while (step < limit && x * x + y * y <= 4.0) {
            const double next = x * x - y * y + real;
            y = 2.0 * x * y + imaginary;
            x = next;
            step++;
        }
        found += step == limit;
    }
    return found;
}
