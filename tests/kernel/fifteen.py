"""Fifteen everyday numeric functions, as one writes them, with arrays and with lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def collatz(limit: Any) -> Any:
    best = 0
    where = 1
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            steps += 1
        if steps > best:
            best = steps
            where = start
    return where, best


def sieve(n: Any) -> Any:
    flags = [True] * (n + 1)
    flags[0] = flags[1] = False
    i = 2
    while i * i <= n:
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
        i += 1
    count = 0
    for i in range(n + 1):
        if flags[i]:
            count += 1
    return count


def sieve_np(n: Any) -> Any:
    flags = np.ones(n + 1, dtype=np.bool_)
    flags[0] = False
    flags[1] = False
    for i in range(2, int(math.sqrt(n)) + 1):
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
    primes = []
    for i in range(n + 1):
        if flags[i]:
            primes.append(i)  # noqa: PERF401
    return primes


def nbody(pos: Any, vel: Any, mass: Any, steps: Any, dt: Any) -> Any:
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = pos[i, 0] - pos[j, 0]
                dy = pos[i, 1] - pos[j, 1]
                dz = pos[i, 2] - pos[j, 2]
                d2 = dx * dx + dy * dy + dz * dz
                mag = dt / (d2 * math.sqrt(d2))
                vel[i, 0] -= dx * mass[j] * mag
                vel[i, 1] -= dy * mass[j] * mag
                vel[i, 2] -= dz * mass[j] * mag
                vel[j, 0] += dx * mass[i] * mag
                vel[j, 1] += dy * mass[i] * mag
                vel[j, 2] += dz * mass[i] * mag
        for i in range(n):
            for k in range(3):
                pos[i, k] += dt * vel[i, k]
    return pos


def mandelbrot(width: Any, height: Any, limit: Any) -> Any:
    out = np.zeros((height, width), dtype=np.int64)
    for y in range(height):
        for x in range(width):
            cr = 3.0 * x / width - 2.0
            ci = 2.0 * y / height - 1.0
            zr = zi = 0.0
            count = 0
            while zr * zr + zi * zi <= 4.0 and count < limit:
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                count += 1
            out[y, x] = count
    return out


def mandelbrot_c(cr: Any, ci: Any, limit: Any) -> Any:
    zr = 0.0
    zi = 0.0
    for k in range(limit):
        if zr * zr + zi * zi > 4.0:
            return k
        t = zr * zr - zi * zi + cr
        zi = 2 * zr * zi + ci
        zr = t
    return limit


def matmul(a: Any, b: Any) -> Any:
    n, m = a.shape
    p = b.shape[1]
    c = np.zeros((n, p))
    for i in range(n):
        for j in range(p):
            s = 0.0
            for k in range(m):
                s += a[i, k] * b[k, j]
            c[i, j] = s
    return c


def matmul_list(a: Any, b: Any) -> Any:
    n = len(a)
    m = len(b)
    p = len(b[0])
    c = [[0.0] * p for _ in range(n)]
    for i in range(n):
        for j in range(p):
            s = 0.0
            for k in range(m):
                s += a[i][k] * b[k][j]
            c[i][j] = s
    return c


def floyd(d: Any) -> Any:
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                alt = d[i, k] + d[k, j]
                if alt < d[i, j]:
                    d[i, j] = alt
    return d


def levenshtein(a: Any, b: Any) -> Any:
    n, m = len(a), len(b)
    previous = [j for j in range(m + 1)]  # noqa: C416 - list(range()) is outside the fragment
    for i in range(1, n + 1):
        current = [i] + [0] * m
        for j in range(1, m + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
        previous = current
    return previous[m]


def levenshtein_np(a: Any, b: Any) -> Any:
    n = len(a)
    m = len(b)
    d = np.zeros((n + 1, m + 1), dtype=np.int64)
    for i in range(n + 1):
        d[i, 0] = i
    for j in range(m + 1):
        d[0, j] = j
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if a[i - 1] == b[j - 1]:
                d[i, j] = d[i - 1, j - 1]
            else:
                d[i, j] = 1 + min(d[i - 1, j], d[i, j - 1], d[i - 1, j - 1])
    return int(d[n, m])


def lcg(n: Any, seed: Any) -> Any:
    x = seed
    inside = 0
    for _ in range(n):
        x = (1103515245 * x + 12345) % 2147483648
        u = x / 2147483648
        x = (1103515245 * x + 12345) % 2147483648
        v = x / 2147483648
        if u * u + v * v <= 1.0:
            inside += 1
    return 4.0 * inside / n


def prefix(a: Any) -> Any:
    out = np.empty(len(a), dtype=np.float64)
    total = 0.0
    for i in range(len(a)):
        total += a[i]
        out[i] = total
    return out


def prefix_list(values: Any) -> Any:
    out = []
    total = 0
    for v in values:
        total += v
        out.append(total)
    return out


def stencil(a: Any, rounds: Any) -> Any:
    n, m = a.shape
    b = a.copy()
    for _ in range(rounds):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = b[i, j]
    return b


def histogram(values: Any, bins: Any, lo: Any, hi: Any) -> Any:
    counts = np.zeros(bins, dtype=np.int64)
    width = (hi - lo) / bins
    for v in values:
        if lo <= v < hi:
            k = int((v - lo) / width)
            if k >= bins:
                k = bins - 1
            counts[k] += 1
    return counts


def knapsack(weights: Any, values: Any, capacity: Any) -> Any:
    best = [0] * (capacity + 1)
    for i in range(len(weights)):
        w = weights[i]
        v = values[i]
        for c in range(capacity, w - 1, -1):
            if best[c - w] + v > best[c]:
                best[c] = best[c - w] + v
    return best[capacity]


def life(grid: Any, rounds: Any) -> Any:
    n, m = grid.shape
    for _ in range(rounds):
        new = np.zeros((n, m), dtype=np.uint8)
        for i in range(n):
            for j in range(m):
                alive = 0
                for di in range(-1, 2):
                    for dj in range(-1, 2):
                        if di != 0 or dj != 0:  # noqa: SIM102
                            if grid[(i + di) % n, (j + dj) % m]:
                                alive += 1
                if grid[i, j]:
                    if alive == 2 or alive == 3:
                        new[i, j] = 1
                elif alive == 3:
                    new[i, j] = 1
        grid = new
    return grid.copy()


def life_list(grid: Any, rounds: Any) -> Any:
    n = len(grid)
    m = len(grid[0])
    grid = [[grid[i][j] for j in range(m)] for i in range(n)]
    for _ in range(rounds):
        new = [[0] * m for _ in range(n)]
        for i in range(n):
            for j in range(m):
                alive = 0
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if di or dj:
                            alive += grid[(i + di) % n][(j + dj) % m]
                new[i][j] = 1 if alive == 3 or (alive == 2 and grid[i][j]) else 0
        grid = new
    return grid


def smith_waterman(a: Any, b: Any, match: Any, mismatch: Any, gap: Any) -> Any:
    n = len(a)
    m = len(b)
    h = np.zeros((n + 1, m + 1), dtype=np.int32)
    best = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            score = match if a[i - 1] == b[j - 1] else mismatch
            value = max(0, int(h[i - 1, j - 1]) + score, int(h[i - 1, j]) - gap, int(h[i, j - 1]) - gap)
            h[i, j] = value
            if value > best:
                best = value
    return best


def eval_a(i: Any, j: Any) -> Any:
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def eval_a_times_u(u: Any, transposed: Any) -> Any:
    n = len(u)
    out = [0.0] * n
    for i in range(n):
        total = 0.0
        for j in range(n):
            if transposed:
                total += eval_a(j, i) * u[j]
            else:
                total += eval_a(i, j) * u[j]
        out[i] = total
    return out


def spectral_norm(n: Any) -> Any:
    u = [1.0] * n
    v = [0.0] * n
    for _ in range(10):
        v = eval_a_times_u(eval_a_times_u(u, False), True)
        u = eval_a_times_u(eval_a_times_u(v, False), True)
    vbv = 0.0
    vv = 0.0
    for i in range(n):
        vbv += u[i] * v[i]
        vv += v[i] * v[i]
    return math.sqrt(vbv / vv)


def insertion_sort(items: Any) -> Any:
    for i in range(1, len(items)):
        x = items[i]
        j = i - 1
        while j >= 0 and items[j] > x:
            items[j + 1] = items[j]
            j -= 1
        items[j + 1] = x
    return items


Case = tuple[str, Callable[..., Any], Callable[[np.random.Generator], tuple[Any, ...]]]

CASES: list[Case] = [
    ("collatz", collatz, lambda r: (300,)),
    ("sieve", sieve, lambda r: (2000,)),
    ("sieve of an array, primes as a list", sieve_np, lambda r: (2000,)),
    ("n-body", nbody, lambda r: (r.random((5, 3)), r.random((5, 3)), r.random(5), 20, 0.01)),
    ("mandelbrot", mandelbrot, lambda r: (16, 12, 50)),
    ("mandelbrot, one point", mandelbrot_c, lambda r: (-0.5, 0.5, 50)),
    ("matmul", matmul, lambda r: (r.random((12, 13)), r.random((13, 14)))),
    ("matmul of lists", matmul_list, lambda r: (r.random((12, 13)).tolist(), r.random((13, 14)).tolist())),
    ("matmul of a transposed array", matmul, lambda r: (r.random((13, 12)).T, r.random((13, 14)))),
    ("Floyd-Warshall", floyd, lambda r: (r.random((12, 12)),)),
    ("Levenshtein of lists", levenshtein, lambda r: (r.integers(0, 4, 20).tolist(), r.integers(0, 4, 25).tolist())),
    ("Levenshtein of arrays", levenshtein, lambda r: (r.integers(0, 4, 20), r.integers(0, 4, 25))),
    ("Levenshtein in a table", levenshtein_np, lambda r: (_letters(r, 20), _letters(r, 25))),
    ("LCG Monte Carlo", lcg, lambda r: (500, 42)),
    ("prefix sums", prefix, lambda r: (r.random(100),)),
    ("prefix sums of every second", prefix, lambda r: (r.random(100)[::2],)),
    ("prefix sums of a list of ints", prefix_list, lambda r: (r.integers(0, 100, 50).tolist(),)),
    ("prefix sums of a list of floats", prefix_list, lambda r: (r.random(50).tolist(),)),
    ("stencil", stencil, lambda r: (r.random((12, 15)), 3)),
    ("histogram", histogram, lambda r: (r.random(200), 10, 0.0, 1.0)),
    ("knapsack", knapsack, lambda r: (r.integers(1, 20, 30).tolist(), r.integers(1, 90, 30).tolist(), 100)),
    ("life", life, lambda r: (r.integers(0, 2, (12, 12)).astype(np.uint8), 3)),
    ("life of lists", life_list, lambda r: (r.integers(0, 2, (12, 12)).tolist(), 3)),
    ("Smith-Waterman", smith_waterman, lambda r: (r.integers(0, 4, 20), r.integers(0, 4, 25), 3, -3, 2)),
    ("insertion sort of a list", insertion_sort, lambda r: (r.random(40).tolist(),)),
    ("insertion sort of an array", insertion_sort, lambda r: (r.integers(0, 99, 40),)),
    ("spectral norm", spectral_norm, lambda r: (20,)),
]


def _letters(r: np.random.Generator, count: int) -> Any:
    return r.integers(0, 4, count).astype(np.uint8)
