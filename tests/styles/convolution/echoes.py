"""The other way to read the sum: every sample sends an echo of the filter, or every tap a delayed copy of the signal."""

import numpy as np


class FilterError(ValueError):
    """An error of its own, which is a ValueError."""


def _checked(x, g, axes, fits=True):
    x, g = np.array(x, dtype=float), np.array(g, dtype=float)
    if not (x.ndim == g.ndim == axes and x.size and g.size):
        raise FilterError("empty, or the wrong number of axes")
    if fits and any(small > large for small, large in zip(g.shape, x.shape)):
        raise FilterError("the filter does not fit")
    return x, g


def convolve1d(x, g, mode="valid"):
    if mode not in {"valid", "same", "full"}:
        raise FilterError(mode)
    x, g = _checked(x, g, 1, fits=mode != "full")
    y = np.zeros(len(x) + len(g) - 1)
    for t, sample in enumerate(x):
        y[t : t + len(g)] += sample * g
    first, length = {
        "full": (0, len(y)),
        "same": ((len(g) - 1) // 2, len(x)),
        "valid": (len(g) - 1, len(x) - len(g) + 1),
    }[mode]
    return y[first : first + length]


def correlate1d(x, w):
    x, w = _checked(x, w, 1)
    length = len(x) - len(w) + 1
    return sum(weight * x[i : i + length] for i, weight in enumerate(w))


def convolve2d(x, g):
    x, g = _checked(x, g, 2)
    full = np.zeros([a + b - 1 for a, b in zip(x.shape, g.shape)])
    for (u, v), tap in np.ndenumerate(g):
        full[u : u + x.shape[0], v : v + x.shape[1]] += tap * x
    return full[g.shape[0] - 1 : x.shape[0], g.shape[1] - 1 : x.shape[1]]


def moving_average(k):
    if k <= 0:
        raise FilterError(k)
    taps = np.ones(k)
    taps /= taps.sum()
    return taps


def convolution_matrix(g, T):
    g = np.array(g, dtype=float)
    if g.ndim != 1 or len(g) == 0 or len(g) > T:
        raise FilterError("the filter does not fit")
    A = np.zeros((T - len(g) + 1, T))
    for tau, tap in enumerate(g):
        A += tap * np.eye(T - len(g) + 1, T, k=len(g) - 1 - tau)
    return A
