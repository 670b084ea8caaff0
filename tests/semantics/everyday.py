"""Numeric functions as people write them in plain Python, with arguments: what a native route has to be good for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any
MASK = 0xFFFFFFFF
GAUSS = (0.2369268850561891, 0.4786286704993665, 0.5688888888888889)


def running_mean(a: Array, width: int) -> Array:
    """Mean of each window."""
    n = len(a) - width + 1
    out = np.zeros(n)
    for i in range(n):
        total = 0.0
        for j in range(width):
            total += a[i + j]
        out[i] = total / width
    return out


def bisection(low: float, high: float, tolerance: float) -> float:
    """Root of x**3 - x - 2."""
    while high - low > tolerance:
        middle = (low + high) / 2
        if middle**3 - middle - 2 > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def gcd(a: int, b: int) -> int:
    """Euclid's algorithm."""
    while b:
        a, b = b, a % b
    return a


def gcd_sum(n: int) -> int:
    """Sum of common divisors, by a helper."""
    total = 0
    for i in range(1, n):
        for j in range(1, n):
            total += gcd(i, j)
    return total


def is_prime(n: int) -> bool:
    """Trial division."""
    if n < 2:
        return False
    if n % 2 == 0:
        return n == 2
    for d in range(3, int(math.sqrt(n)) + 1, 2):  # noqa: SIM110 - as people write it
        if n % d == 0:
            return False
    return True


def count_primes(n: int) -> int:
    """Count by a helper that says whether."""
    return sum(is_prime(i) for i in range(n))


def fibonacci_mod(n: int, m: int) -> int:
    """Fibonacci numbers modulo m."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, (a + b) % m
    return a


def matrix_vector(m: Array, v: Array) -> Array:
    """A matrix times a vector."""
    rows, columns = m.shape
    out = np.zeros(rows)
    for i in range(rows):
        for j in range(columns):
            out[i] += m[i, j] * v[j]
    return out


def convolution(a: Array, kernel: Array) -> Array:
    """Full discrete convolution."""
    out = np.zeros(len(a) + len(kernel) - 1)
    for i in range(len(a)):
        for j in range(len(kernel)):
            out[i + j] += a[i] * kernel[j]
    return out


def bubble_sort(a: Array) -> Array:
    """Sort in place."""
    n = len(a)
    for i in range(n):
        swapped = False
        for j in range(n - i - 1):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]
                swapped = True
        if not swapped:
            break
    return a


def insertion_sort(a: Array) -> None:
    """Sort in place."""
    for i in range(1, len(a)):
        key = a[i]
        j = i - 1
        while j >= 0 and a[j] > key:
            a[j + 1] = a[j]
            j -= 1
        a[j + 1] = key


def run_lengths(a: Array, values: Array, counts: Array) -> int:
    """Encode runs."""
    k = -1
    for i, x in enumerate(a):
        if i == 0 or x != a[i - 1]:
            k += 1
            values[k] = x
            counts[k] = 1
        else:
            counts[k] += 1
    return k + 1


def dot(a: Array, b: Array) -> float:
    """Dot product over pairs."""
    total = 0.0
    for x, y in zip(a, b, strict=False):
        total += x * y
    return total


def cosine(a: Array, b: Array) -> float:
    """Cosine similarity."""
    ab = aa = bb = 0.0
    for i in range(len(a)):
        ab += a[i] * b[i]
        aa += a[i] ** 2
        bb += b[i] ** 2
    return ab / (math.sqrt(aa) * math.sqrt(bb))


def newton_sqrt(x: float, tolerance: float = 1e-12) -> float:
    """Newton's iteration."""
    guess = x
    while abs(guess * guess - x) > tolerance * x:
        guess = (guess + x / guess) / 2
    return guess


def horner(coefficients: Array, x: float) -> float:
    """Value of a polynomial."""
    result = 0.0
    for c in coefficients:
        result = result * x + c
    return result


def simpson(a: float, b: float, n: int) -> float:
    """Simpson's rule on exp(-x * x)."""
    h = (b - a) / n
    total = math.exp(-a * a) + math.exp(-b * b)
    for i in range(1, n):
        x = a + i * h
        total += (4 if i % 2 else 2) * math.exp(-x * x)
    return total * h / 3


def trapezoid(y: Array, x: Array) -> float:
    """Trapezoid rule on samples."""
    area = 0.0
    for i in range(1, len(x)):
        area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2
    return area


def perfect_numbers(limit: int) -> int:
    """How many numbers are the sum of their divisors."""
    found = 0
    for n in range(2, limit):
        total = 1
        for d in range(2, n // 2 + 1):
            if n % d == 0:
                total += d
        if total == n:
            found += 1
    return found


def digit_sum(n: int) -> int:
    """Sum of decimal digits."""
    total = 0
    while n > 0:
        n, digit = divmod(n, 10)
        total += digit
    return total


def binary_search(a: Array, x: float) -> int:
    """Where x is, or -1."""
    low, high = 0, len(a) - 1
    while low <= high:
        middle = (low + high) // 2
        if a[middle] == x:
            return middle
        if a[middle] < x:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def moving_median(a: Array, width: int) -> Array:
    """Median of each window, by selection in a small buffer."""
    out = np.zeros(len(a) - width + 1)
    window = np.zeros(width)
    for i in range(len(out)):
        for j in range(width):
            x = a[i + j]
            k = j
            while k > 0 and window[k - 1] > x:
                window[k] = window[k - 1]
                k -= 1
            window[k] = x
        out[i] = window[width // 2]
    return out


def distances(points: Array) -> Array:
    """Euclidean distance matrix."""
    n, d = points.shape
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(d):
                difference = points[i, k] - points[j, k]
                total += difference * difference
            out[i, j] = math.sqrt(total)
    return out


def k_means_step(points: Array, centres: Array, labels: Array) -> float:
    """Assign points to the nearest centre."""
    cost = 0.0
    for i in range(points.shape[0]):
        best = math.inf
        for c in range(centres.shape[0]):
            total = 0.0
            for k in range(points.shape[1]):
                total += (points[i, k] - centres[c, k]) ** 2
            if total < best:
                best = total
                labels[i] = c
        cost += best
    return cost


def ising_sweep(spins: Array, beta: float, seed: int) -> int:
    """One Metropolis sweep with a congruential generator."""
    n, m = spins.shape
    flips = 0
    for i in range(n):
        for j in range(m):
            around = spins[(i + 1) % n, j] + spins[i - 1, j] + spins[i, (j + 1) % m] + spins[i, j - 1]
            change = 2 * int(spins[i, j]) * int(around)
            seed = (1664525 * seed + 1013904223) % 4294967296
            if change <= 0 or seed / 4294967296 < math.exp(-beta * change):
                spins[i, j] = -spins[i, j]
                flips += 1
    return flips


def sor(grid: Array, omega: float, sweeps: int) -> Array:
    """Successive over-relaxation."""
    rows, columns = grid.shape
    for _ in range(sweeps):
        for i in range(1, rows - 1):
            for j in range(1, columns - 1):
                around = grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]
                grid[i, j] = (1 - omega) * grid[i, j] + omega / 4 * around
    return grid


def slope(t: float, y: float) -> float:
    """Right-hand side of an equation."""
    return math.sin(t) - 0.5 * y


def runge_kutta(y: float, end: float, steps: int) -> float:
    """Fourth-order Runge-Kutta."""
    h = end / steps
    t = 0.0
    for _ in range(steps):
        k1 = slope(t, y)
        k2 = slope(t + h / 2, y + h / 2 * k1)
        k3 = slope(t + h / 2, y + h / 2 * k2)
        k4 = slope(t + h, y + h * k3)
        y += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t += h
    return y


def julia(out: Array, cx: float, cy: float, limit: int) -> Array:
    """Escape times of a Julia set."""
    height, width = out.shape
    for row in range(height):
        for column in range(width):
            x, y = 3 * column / width - 1.5, 2 * row / height - 1
            count = 0
            while x * x + y * y < 4 and count < limit:
                x, y = x * x - y * y + cx, 2 * x * y + cy
                count += 1
            out[row, column] = count
    return out


def pascal_mod(n: int, m: int) -> int:
    """How many entries of Pascal's triangle are no multiple of m."""
    row = [0] * (n + 1)
    row[0] = 1
    found = 0
    for i in range(n):
        for j in range(i + 1, 0, -1):
            row[j] = (row[j] + row[j - 1]) % m
        for j in range(i + 2):
            if row[j]:
                found += 1
    return found


def partitions(n: int) -> int:
    """Ways to write n as a sum."""
    ways = [1] + [0] * n
    for part in range(1, n + 1):
        for total in range(part, n + 1):
            ways[total] += ways[total - part]
    return ways[n]


def edit_distance(a: Array, b: Array) -> int:
    """Levenshtein distance in a table."""
    n, m = len(a), len(b)
    table = np.zeros((n + 1, m + 1), dtype=np.int64)
    for i in range(n + 1):
        table[i, 0] = i
    for j in range(m + 1):
        table[0, j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
    return int(table[n, m])


def longest_increasing(a: Array) -> int:
    """Length of the longest increasing subsequence."""
    n = len(a)
    best = [1] * n
    for i in range(n):
        for j in range(i):
            if a[j] < a[i] and best[j] + 1 > best[i]:
                best[i] = best[j] + 1
    return max(best)


def coin_change(coins: Array, amount: int) -> int:
    """Ways to pay an amount."""
    ways = np.zeros(amount + 1, dtype=np.int64)
    ways[0] = 1
    for coin in coins:
        for value in range(coin, amount + 1):
            ways[value] += ways[value - coin]
    return int(ways[amount])


def popcount(n: int) -> int:
    """Bits that are set."""
    count = 0
    while n:
        n &= n - 1
        count += 1
    return count


def xorshift(state: int, n: int) -> int:
    """A 32-bit xorshift generator."""
    for _ in range(n):
        state ^= (state << 13) & MASK
        state ^= state >> 17
        state ^= (state << 5) & MASK
    return state


def crc32(data: Array) -> int:
    """CRC-32 by bits."""
    crc = MASK
    for byte in data:
        crc ^= int(byte)
        for _ in range(8):
            crc = (crc >> 1) ^ 0xEDB88320 if crc & 1 else crc >> 1
    return crc ^ MASK


def gauss_legendre(a: float, b: float) -> float:
    """Five-point quadrature with nodes in a global tuple."""
    middle, half = (a + b) / 2, (b - a) / 2
    total = GAUSS[2] * math.cos(middle)
    total += GAUSS[1] * (math.cos(middle - half * 0.5384693101056831) + math.cos(middle + half * 0.5384693101056831))
    total += GAUSS[0] * (math.cos(middle - half * 0.906179845938664) + math.cos(middle + half * 0.906179845938664))
    return total * half


def variance(a: Array) -> tuple[float, float]:
    """Welford's mean and variance."""
    mean = 0.0
    m2 = 0.0
    for i, x in enumerate(a):
        delta = x - mean
        mean += delta / (i + 1)
        m2 += delta * (x - mean)
    return mean, m2 / (len(a) - 1)


def exponential_average(a: Array, alpha: float) -> Array:
    """Exponential smoothing into a new array."""
    out = np.empty_like(a)
    out[0] = a[0]
    for i in range(1, len(a)):
        out[i] = alpha * a[i] + (1 - alpha) * out[i - 1]
    return out


def maximum_subarray(a: Array) -> int:
    """Kadane's algorithm."""
    best = current = a[0]
    for x in a[1:]:
        current = max(x, current + x)
        best = max(best, current)
    return best  # type: ignore[no-any-return]


def heat(u: Array, steps: int, k: float) -> Array:
    """One-dimensional heat equation on slices."""
    for _ in range(steps):
        u[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def softmax(a: Array) -> Array:
    """Numerically stable softmax."""
    highest = max(a)
    total = 0.0
    out = np.zeros(len(a))
    for i in range(len(a)):
        out[i] = math.exp(a[i] - highest)
        total += out[i]
    for i in range(len(a)):
        out[i] /= total
    return out


def logistic_map(r: float, n: int) -> list[float]:
    """Orbit of the logistic map."""
    x = 0.5
    orbit = []
    for _ in range(n):
        x = r * x * (1 - x)
        orbit.append(x)
    return orbit


def pi_monte_carlo(n: int, seed: int) -> float:
    """Estimate pi by points in a square."""
    inside = 0
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**63
        x = (seed >> 11) / 2**52
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**63
        y = (seed >> 11) / 2**52
        if x * x + y * y <= 1:
            inside += 1
    return 4 * inside / n


def interpolate(x: float, xs: list[float], ys: list[float]) -> float:
    """Piecewise linear interpolation in lists."""
    if x <= xs[0]:
        return ys[0]
    for i in range(1, len(xs)):
        if x < xs[i]:
            w = (x - xs[i - 1]) / (xs[i] - xs[i - 1])
            return ys[i - 1] * (1 - w) + ys[i] * w
    return ys[-1]


def norm(v: list[float]) -> float:
    """Euclidean norm of a list."""
    return math.sqrt(sum(x * x for x in v))


def haversine(a: float, b: float, c: float, d: float) -> float:
    """Great-circle distance in km."""
    a, b, c, d = map(math.radians, (a, b, c, d))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))
