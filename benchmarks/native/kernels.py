"""Numeric functions in plain Python, as people write them, with small and large arguments.

Each runs unchanged in CPython, under Numba's ``njit`` and on the native route. `SMALL` arguments are for the
comparison with CPython, `LARGE` ones for timing compiled code: a few milliseconds and more a call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


def collatz(limit: int) -> int:
    """Longest Collatz chain below a limit."""
    longest = 0
    for start in range(1, limit):
        n = start
        steps = 0
        while n != 1:
            if n % 2 == 0:  # noqa: SIM108 - as people write it
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        if steps > longest:
            longest = steps
    return longest


def sieve(n: int) -> int:
    """Count primes below n by Eratosthenes."""
    prime = np.ones(n, dtype=np.bool_)
    count = 0
    for i in range(2, n):
        if prime[i]:
            count += 1
            for j in range(i * i, n, i):
                prime[j] = False
    return count


def n_body(position: Array, velocity: Array, mass: Array, steps: int, dt: float) -> float:
    """Move bodies under gravity; return the kinetic energy."""
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(i + 1, n):
                dx = position[i, 0] - position[j, 0]
                dy = position[i, 1] - position[j, 1]
                dz = position[i, 2] - position[j, 2]
                distance = math.sqrt(dx * dx + dy * dy + dz * dz)
                pull = dt / (distance * distance * distance)
                velocity[i, 0] -= dx * mass[j] * pull
                velocity[i, 1] -= dy * mass[j] * pull
                velocity[i, 2] -= dz * mass[j] * pull
                velocity[j, 0] += dx * mass[i] * pull
                velocity[j, 1] += dy * mass[i] * pull
                velocity[j, 2] += dz * mass[i] * pull
        for i in range(n):
            for k in range(3):
                position[i, k] += dt * velocity[i, k]
    energy = 0.0
    for i in range(n):
        energy += 0.5 * mass[i] * (velocity[i, 0] ** 2 + velocity[i, 1] ** 2 + velocity[i, 2] ** 2)
    return energy


def mandelbrot(width: int, height: int, limit: int) -> int:
    """Sum of escape times over a grid."""
    total = 0
    for row in range(height):
        y0 = 2.0 * row / height - 1.0
        for column in range(width):
            x0 = 3.0 * column / width - 2.0
            x = 0.0
            y = 0.0
            count = 0
            while x * x + y * y <= 4.0 and count < limit:
                x, y = x * x - y * y + x0, 2.0 * x * y + y0
                count += 1
            total += count
    return total


def matmul(a: Array, b: Array) -> Array:
    """Product of two matrices."""
    n, m = a.shape
    p = b.shape[1]
    c = np.zeros((n, p))
    for i in range(n):
        for j in range(p):
            total = 0.0
            for k in range(m):
                total += a[i, k] * b[k, j]
            c[i, j] = total
    return c


def floyd_warshall(distance: Array) -> Array:
    """All shortest paths, in place."""
    n = len(distance)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                through = distance[i, k] + distance[k, j]
                if through < distance[i, j]:
                    distance[i, j] = through
    return distance


def levenshtein(a: Array, b: Array) -> int:
    """Edit distance of two coded texts, in one row."""
    row = np.arange(len(b) + 1)
    for i in range(len(a)):
        corner = row[0]
        row[0] = i + 1
        for j in range(len(b)):
            above = row[j + 1]
            cost = corner if a[i] == b[j] else corner + 1
            row[j + 1] = min(cost, above + 1, row[j] + 1)
            corner = above
    return int(row[len(b)])


def monte_carlo(n: int, seed: int) -> float:
    """Estimate pi with a linear congruential generator."""
    inside = 0
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) % 2147483648
        x = seed / 2147483648
        seed = (seed * 1103515245 + 12345) % 2147483648
        y = seed / 2147483648
        if x * x + y * y < 1.0:
            inside += 1
    return 4.0 * inside / n


def prefix_sums(a: Array, out: Array) -> None:
    """Running totals."""
    total = 0.0
    for i in range(len(a)):
        total += a[i]
        out[i] = total


def stencil(a: Array, b: Array, steps: int) -> float:
    """Jacobi steps of the heat equation on a plate."""
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = b[i, j]
    return float(a[n // 2, m // 2])


def histogram(a: Array, counts: Array, low: float, high: float) -> None:
    """Count values in equal bins."""
    bins = len(counts)
    scale = bins / (high - low)
    for x in a:
        if low <= x < high:
            counts[int((x - low) * scale)] += 1


def knapsack(values: Array, weights: Array, capacity: int) -> int:
    """Best value in a knapsack, each thing once."""
    best = np.zeros(capacity + 1, dtype=np.int64)
    for i in range(len(values)):
        value = values[i]
        weight = weights[i]
        for c in range(capacity, weight - 1, -1):
            other = best[c - weight] + value
            if other > best[c]:
                best[c] = other
    return int(best[capacity])


def game_of_life(board: Array, scratch: Array, steps: int) -> int:
    """Steps of Conway's game on a torus; count the living."""
    n, m = board.shape
    for _ in range(steps):
        for i in range(n):
            for j in range(m):
                alive = 0
                for di in range(-1, 2):
                    for dj in range(-1, 2):
                        if di != 0 or dj != 0:
                            alive += int(board[(i + di) % n, (j + dj) % m])
                if alive == 3 or (alive == 2 and board[i, j] == 1):
                    scratch[i, j] = 1
                else:
                    scratch[i, j] = 0
        for i in range(n):
            for j in range(m):
                board[i, j] = scratch[i, j]
    total = 0
    for i in range(n):
        for j in range(m):
            total += int(board[i, j])
    return total


def smith_waterman(a: Array, b: Array, match: int, mismatch: int, gap: int) -> int:
    """Best score of a local alignment."""
    score = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int64)
    best = 0
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            diagonal = int(score[i - 1, j - 1]) + (match if a[i - 1] == b[j - 1] else mismatch)
            value = max(0, diagonal, int(score[i - 1, j]) + gap, int(score[i, j - 1]) + gap)
            score[i, j] = value
            if value > best:
                best = value
    return best


def entry(i: int, j: int) -> float:
    """An entry of the infinite matrix of the spectral norm."""
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def spectral_norm(n: int, rounds: int) -> float:
    """Spectral norm by the power method."""
    u = np.ones(n)
    v = np.zeros(n)
    w = np.zeros(n)
    for _ in range(rounds):
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += entry(i, j) * u[j]
            w[i] = total
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += entry(j, i) * w[j]
            v[i] = total
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += entry(i, j) * v[j]
            w[i] = total
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += entry(j, i) * w[j]
            u[i] = total
    uv = 0.0
    vv = 0.0
    for i in range(n):
        uv += u[i] * v[i]
        vv += v[i] * v[i]
    return math.sqrt(uv / vv)


def bubble_sort(a: Array) -> None:
    """Sort in place."""
    n = len(a)
    for i in range(n):
        for j in range(n - 1 - i):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]


def simpson(low: float, high: float, n: int) -> float:
    """Simpson's rule on a bell curve."""
    h = (high - low) / n
    total = math.exp(-low * low) + math.exp(-high * high)
    for i in range(1, n):
        x = low + i * h
        weight = 4.0 if i % 2 == 1 else 2.0
        total += weight * math.exp(-x * x)
    return total * h / 3.0


def distances(points: Array) -> Array:
    """Euclidean distance of each pair of points."""
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


@dataclass(frozen=True, slots=True)
class Kernel:
    """A function with the makers of its arguments."""

    function: Callable[..., Any]
    small: Callable[[], tuple[Any, ...]]
    large: Callable[[], tuple[Any, ...]]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__


def _random(*shape: int) -> Array:
    return np.random.default_rng(7).random(shape)


def _codes(n: int, seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, 4, n)


def _bodies(n: int, steps: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(7)
    return rng.random((n, 3)), rng.random((n, 3)) - 0.5, rng.random(n), steps, 0.001


def _things(n: int, capacity: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(7)
    return rng.integers(1, 100, n), rng.integers(1, 50, n), capacity


def _board(n: int, steps: int) -> tuple[Any, ...]:
    board = np.random.default_rng(7).integers(0, 2, (n, n))
    return board, np.zeros_like(board), steps


KERNELS: tuple[Kernel, ...] = (
    Kernel(collatz, lambda: (3000,), lambda: (100_000,)),
    Kernel(sieve, lambda: (20_000,), lambda: (2_000_000,)),
    Kernel(n_body, lambda: _bodies(5, 50), lambda: _bodies(5, 50_000)),
    Kernel(mandelbrot, lambda: (40, 30, 50), lambda: (300, 200, 200)),
    Kernel(matmul, lambda: (_random(20, 25), _random(25, 15)), lambda: (_random(256, 256), _random(256, 256))),
    Kernel(floyd_warshall, lambda: (_random(20, 20),), lambda: (_random(256, 256),)),
    Kernel(levenshtein, lambda: (_codes(60, 1), _codes(50, 2)), lambda: (_codes(2500, 1), _codes(2500, 2))),
    Kernel(monte_carlo, lambda: (20_000, 42), lambda: (1_000_000, 42)),
    Kernel(prefix_sums, lambda: (_random(5000), np.zeros(5000)), lambda: (_random(5_000_000), np.zeros(5_000_000))),
    Kernel(stencil, lambda: (_random(20, 25), _random(20, 25), 5), lambda: (_random(512, 512), _random(512, 512), 20)),
    Kernel(
        histogram,
        lambda: (_random(5000), np.zeros(20, np.int64), 0.1, 0.9),
        lambda: (_random(3_000_000), np.zeros(100, np.int64), 0.1, 0.9),
    ),
    Kernel(knapsack, lambda: _things(15, 200), lambda: _things(200, 50_000)),
    Kernel(game_of_life, lambda: _board(16, 4), lambda: _board(256, 10)),
    Kernel(
        smith_waterman,
        lambda: (_codes(50, 1), _codes(40, 2), 3, -3, -2),
        lambda: (_codes(2000, 1), _codes(2000, 2), 3, -3, -2),
    ),
    Kernel(spectral_norm, lambda: (20, 3), lambda: (500, 10)),
    Kernel(bubble_sort, lambda: (_random(80),), lambda: (_random(5000),)),
    Kernel(simpson, lambda: (-3.0, 3.0, 2000), lambda: (-3.0, 3.0, 1_000_000)),
    Kernel(distances, lambda: (_random(20, 3),), lambda: (_random(700, 3),)),
)
