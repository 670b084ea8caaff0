"""Numeric functions as people write them with NumPy, each with arguments of a size that is usual for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Case:
    """A function and what makes its arguments; `writes` says that it changes them."""

    function: Callable[..., Any]
    arguments: Callable[[np.random.Generator], tuple[Any, ...]]
    writes: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__


def stencil_1d(a: Array) -> Array:
    """Three-point average."""
    out = np.zeros_like(a)
    out[1:-1] = (a[:-2] + a[1:-1] + a[2:]) / 3.0
    return out


def stencil_5_point(u: Array) -> Array:
    """Laplacian on a grid."""
    out = np.zeros_like(u)
    out[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * u[1:-1, 1:-1]
    return out


def heat_equation(u: Array, steps: int, r: float) -> Array:
    """Explicit steps of the heat equation in one dimension."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + r * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return u


def heat_equation_2d(u: Array, steps: int, r: float) -> Array:
    """The same in two dimensions."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1, 1:-1] += r * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1])
    return u


def wave_equation(u: Array, v: Array, steps: int, c: float) -> Array:
    """Leapfrog steps of the wave equation."""
    u = u.copy()
    v = v.copy()
    for _ in range(steps):
        v[1:-1] += c * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        u[1:-1] += v[1:-1]
    return u


def jacobi(a: Array, b: Array, steps: int) -> Array:
    """Jacobi's method on a grid: Poisson's equation."""
    x = a.copy()
    for _ in range(steps):
        y = x.copy()
        y[1:-1, 1:-1] = 0.25 * (x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - b[1:-1, 1:-1])
        x = y
    return x


def jacobi_residual(x: Array, b: Array) -> Any:
    """The largest residual of Poisson's equation."""
    r = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4.0 * x[1:-1, 1:-1] - b[1:-1, 1:-1]
    return np.max(np.abs(r))


def game_of_life(grid: Array) -> Array:
    """One generation."""
    n = (
        grid[:-2, :-2]
        + grid[:-2, 1:-1]
        + grid[:-2, 2:]
        + grid[1:-1, :-2]
        + grid[1:-1, 2:]
        + grid[2:, :-2]
        + grid[2:, 1:-1]
        + grid[2:, 2:]
    )
    out = np.zeros_like(grid)
    out[1:-1, 1:-1] = (n == 3) | ((grid[1:-1, 1:-1] == 1) & (n == 2))
    return out


def softmax(x: Array) -> Array:
    """Row by row."""
    shifted = x - x.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    return weights / weights.sum(axis=1, keepdims=True)


def sigmoid(x: Array) -> Array:
    """Logistic function."""
    return 1.0 / (1.0 + np.exp(-x))


def relu(x: Array) -> Array:
    """Rectifier."""
    return np.maximum(x, 0.0)


def normalise(x: Array) -> Array:
    """Columns to mean 0 and deviation 1."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def pairwise_distances(a: Array, b: Array) -> Array:
    """Euclidean, all pairs."""
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))


def k_means_step(points: Array, centres: Array) -> Array:
    """Nearest centre of each point."""
    distances = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return distances.argmin(axis=1)


def k_means_update(points: Array, labels: Array, k: int) -> Array:
    """Mean of each cluster."""
    sums = np.zeros((k, points.shape[1]))
    counts = np.zeros(k)
    for i in range(points.shape[0]):
        sums[labels[i]] += points[i]
        counts[labels[i]] += 1.0
    return sums / counts[:, None]


def convolution(a: Array, w: Array) -> Array:
    """Valid part, by shifted sums."""
    n = a.shape[0] - w.shape[0] + 1
    out = np.zeros(n)
    for j in range(w.shape[0]):
        out += w[j] * a[j : j + n]
    return out


def convolution_2d(image: Array, kernel: Array) -> Array:
    """Valid part in two dimensions."""
    n = image.shape[0] - kernel.shape[0] + 1
    m = image.shape[1] - kernel.shape[1] + 1
    out = np.zeros((n, m))
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            out += kernel[i, j] * image[i : i + n, j : j + m]
    return out


def fir_filter(x: Array, h: Array) -> Array:
    """Output by output."""
    n = x.shape[0]
    k = h.shape[0]
    y = np.zeros(n)
    for i in range(k - 1, n):
        y[i] = np.sum(x[i - k + 1 : i + 1] * h)
    return y


def iir_filter(x: Array, a: float, b: float) -> Array:
    """First order, recursive."""
    y = np.zeros_like(x)
    y[0] = b * x[0]
    for i in range(1, x.shape[0]):
        y[i] = a * y[i - 1] + b * x[i]
    return y


def lu(a: Array) -> Array:
    """Without pivots, in one matrix."""
    m = a.copy()
    n = m.shape[0]
    for k in range(n - 1):
        m[k + 1 :, k] = m[k + 1 :, k] / m[k, k]
        m[k + 1 :, k + 1 :] -= m[k + 1 :, k][:, None] * m[k, k + 1 :][None, :]
    return m


def cholesky(a: Array) -> Array:
    """Column by column."""
    n = a.shape[0]
    low = np.zeros_like(a)
    for j in range(n):
        s = a[j, j]
        for k in range(j):
            s -= low[j, k] * low[j, k]
        d = np.sqrt(s)
        low[j, j] = d
        for i in range(j + 1, n):
            t = a[i, j]
            for k in range(j):
                t -= low[i, k] * low[j, k]
            low[i, j] = t / d
    return low


def gram_schmidt(a: Array) -> Array:
    """Modified, on rows."""
    q = a.copy()
    for i in range(q.shape[0]):
        q[i] /= np.sqrt(np.sum(q[i] * q[i]))
        for j in range(i + 1, q.shape[0]):
            q[j] -= np.sum(q[i] * q[j]) * q[i]
    return q


def back_substitution(u: Array, b: Array) -> Array:
    """An upper triangular system."""
    n = b.shape[0]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - np.sum(u[i, i + 1 :] * x[i + 1 :])) / u[i, i]
    return x


def power_iteration(a: Array, steps: int) -> Array:
    """Largest eigenvector."""
    x = np.ones(a.shape[0])
    for _ in range(steps):
        y = a @ x
        x = y / np.sqrt(np.sum(y * y))
    return x


def histogram(x: Array, bins: int) -> Array:
    """Of numbers from 0 to 1."""
    counts = np.zeros(bins, np.int64)
    for v in x:
        k = int(v * bins)
        if k == bins:
            k = bins - 1
        counts[k] += 1
    return counts


def one_hot(labels: Array, classes: int) -> Array:
    """A row of zeros and one one for each label."""
    out = np.zeros((labels.shape[0], classes))
    out[np.arange(labels.shape[0]), labels] = 1.0
    return out


def rolling_mean(x: Array, w: int) -> Array:
    """By running sums."""
    c = np.cumsum(x)
    out = np.empty(x.shape[0] - w + 1)
    out[0] = c[w - 1] / w
    out[1:] = (c[w:] - c[:-w]) / w
    return out


def rolling_maximum(x: Array, w: int) -> Array:
    """Of each window."""
    n = x.shape[0] - w + 1
    out = np.empty(n)
    for i in range(n):
        out[i] = np.max(x[i : i + w])
    return out


def moving_variance(x: Array, w: int) -> Array:
    """Of each window."""
    n = x.shape[0] - w + 1
    out = np.empty(n)
    for i in range(n):
        out[i] = np.var(x[i : i + w])
    return out


def polynomial(x: Array) -> Array:
    """Horner's rule on arrays."""
    return ((((0.5 * x - 1.0) * x + 2.0) * x - 3.0) * x + 1.0) * x - 0.25


def black_scholes(s: Array, k: Array, t: Array) -> Array:
    """Call prices, with a polynomial for the normal distribution."""
    root = 0.2 * np.sqrt(t)
    d = (np.log(s / k) + 0.07 * t) / root
    e = d - root
    x = 1.0 / (1.0 + 0.2316419 * np.abs(d))
    y = 1.0 / (1.0 + 0.2316419 * np.abs(e))
    tail_d = 0.3989422804 * np.exp(-0.5 * d * d) * x * (0.31938153 + x * (-0.356563782 + x * 1.781477937))
    tail_e = 0.3989422804 * np.exp(-0.5 * e * e) * y * (0.31938153 + y * (-0.356563782 + y * 1.781477937))
    n_d = np.where(d > 0.0, 1.0 - tail_d, tail_d)
    n_e = np.where(e > 0.0, 1.0 - tail_e, tail_e)
    return s * n_d - k * np.exp(-0.05 * t) * n_e


def n_body_forces(p: Array, m: Array) -> Array:
    """Gravity of all on all."""
    d = p[None, :, :] - p[:, None, :]
    r2 = (d**2).sum(axis=2) + 0.01
    w = m[None, :] / (r2 * np.sqrt(r2))
    return (d * w[:, :, None]).sum(axis=1)


def mean_squared_error(a: Array, b: Array) -> Any:
    """Mean of squares."""
    return np.mean((a - b) ** 2)


def clamp_and_scale(image: Array) -> Array:
    """Through masks, in place."""
    out = image * 1.2 - 0.1
    out[out < 0.0] = 0.0
    out[out > 1.0] = 1.0
    return out


def haversine(lat: Array, lon: Array) -> Array:
    """Great-circle distances from the first point."""
    a = np.sin((lat - lat[0]) / 2.0) ** 2 + np.cos(lat[0]) * np.cos(lat) * np.sin((lon - lon[0]) / 2.0) ** 2
    return 12742.0 * np.arcsin(np.sqrt(a))


def floyd_warshall(d: Array) -> Array:
    """All shortest paths."""
    d = d.copy()
    for k in range(d.shape[0]):
        d = np.minimum(d, d[:, k][:, None] + d[k][None, :])
    return d


def autocorrelation(x: Array, lags: int) -> Array:
    """Of the first lags."""
    n = x.shape[0]
    c = x - np.mean(x)
    out = np.zeros(lags)
    for lag in range(lags):
        out[lag] = np.sum(c[: n - lag] * c[lag:])
    return out / np.sum(c * c)


CASES: tuple[Case, ...] = (
    Case(stencil_1d, lambda r: (r.random(200_000),)),
    Case(stencil_5_point, lambda r: (r.random((400, 400)),)),
    Case(heat_equation, lambda r: (r.random(5_000), 100, 0.1)),
    Case(heat_equation_2d, lambda r: (r.random((150, 150)), 20, 0.1)),
    Case(wave_equation, lambda r: (r.random(5_000), r.random(5_000), 50, 0.1)),
    Case(jacobi, lambda r: (r.random((150, 150)), r.random((150, 150)), 20)),
    Case(jacobi_residual, lambda r: (r.random((300, 300)), r.random((300, 300)))),
    Case(game_of_life, lambda r: (r.integers(0, 2, (300, 300)),)),
    Case(softmax, lambda r: (r.standard_normal((300, 100)),)),
    Case(sigmoid, lambda r: (r.standard_normal(100_000),)),
    Case(relu, lambda r: (r.standard_normal(100_000),)),
    Case(normalise, lambda r: (r.standard_normal((2_000, 20)),)),
    Case(pairwise_distances, lambda r: (r.random((200, 3)), r.random((200, 3)))),
    Case(k_means_step, lambda r: (r.random((2_000, 4)), r.random((10, 4)))),
    Case(k_means_update, lambda r: (r.random((2_000, 4)), np.arange(2_000) % 10, 10)),
    Case(convolution, lambda r: (r.random(20_000), r.random(32))),
    Case(convolution_2d, lambda r: (r.random((200, 200)), r.random((5, 5)))),
    Case(fir_filter, lambda r: (r.random(5_000), r.random(32))),
    Case(iir_filter, lambda r: (r.random(20_000), 0.9, 0.1)),
    Case(lu, lambda r: (r.random((120, 120)) + 120 * np.eye(120),)),
    Case(cholesky, lambda r: ((lambda a: a @ a.T + 50 * np.eye(50))(r.random((50, 50))),)),
    Case(gram_schmidt, lambda r: (r.random((60, 100)),)),
    Case(back_substitution, lambda r: (np.triu(r.random((300, 300))) + 300 * np.eye(300), r.random(300))),
    Case(power_iteration, lambda r: (r.random((100, 100)), 50)),
    Case(histogram, lambda r: (r.random(20_000), 50)),
    Case(one_hot, lambda r: (r.integers(0, 20, 10_000), 20)),
    Case(rolling_mean, lambda r: (r.random(100_000), 50)),
    Case(rolling_maximum, lambda r: (r.random(5_000), 20)),
    Case(moving_variance, lambda r: (r.random(2_000), 20)),
    Case(polynomial, lambda r: (r.random(200_000),)),
    Case(black_scholes, lambda r: (r.random(50_000) + 0.5, r.random(50_000) + 0.5, r.random(50_000) + 0.1)),
    Case(n_body_forces, lambda r: (r.random((150, 3)), r.random(150))),
    Case(mean_squared_error, lambda r: (r.random(200_000), r.random(200_000))),
    Case(clamp_and_scale, lambda r: (r.random((400, 400)) * 1.5 - 0.2,)),
    Case(haversine, lambda r: (r.random(50_000), r.random(50_000))),
    Case(floyd_warshall, lambda r: (r.random((80, 80)),)),
    Case(autocorrelation, lambda r: (r.random(20_000), 20)),
)
