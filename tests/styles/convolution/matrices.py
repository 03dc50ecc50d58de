"""Convolution is linear, so a matrix does it all; in two dimensions, a sum of products with band matrices."""

import numpy as np


def _band(g, T):
    """The valid convolution as a matrix, by index arithmetic."""
    k = len(g)
    lag = np.arange(T - k + 1)[:, None] + k - 1 - np.arange(T)[None, :]
    return np.where((lag >= 0) & (lag < k), g[np.clip(lag, 0, k - 1)], 0)


def _signal(x):
    x = np.asarray(x)
    if x.ndim != 1 or x.shape[0] == 0:
        raise ValueError("not a signal")
    return x


def convolution_matrix(g, T):
    g = _signal(g)
    if len(g) > T:
        raise ValueError("filter too long")
    return _band(g, T)


def convolve1d(x, g, mode="valid"):
    x, g = _signal(x), _signal(g)
    T, k = len(x), len(g)
    if mode == "valid":
        return convolution_matrix(g, T) @ x
    if mode == "full":
        rows = slice(None)
    elif mode == "same" and k <= T:
        rows = slice((k - 1) // 2, (k - 1) // 2 + T)
    else:
        raise ValueError(mode)
    return _band(g, T + 2 * (k - 1))[rows, k - 1 : k - 1 + T] @ x


def correlate1d(x, w):
    return convolution_matrix(_signal(w)[::-1], len(_signal(x))) @ x


def convolve2d(x, g):
    x, g = np.asarray(x), np.asarray(g)
    if x.ndim != 2 or g.ndim != 2 or 0 in x.shape + g.shape:
        raise ValueError("not pictures")
    rows = x.shape[0] - g.shape[0] + 1
    if rows < 1:
        raise ValueError("filter too high")
    return sum(
        x[g.shape[0] - 1 - u : g.shape[0] - 1 - u + rows] @ convolution_matrix(row, x.shape[1]).T
        for u, row in enumerate(g)
    )


def moving_average(k):
    if not k > 0:
        raise ValueError(k)
    return np.linalg.solve(np.eye(k) * k, np.ones(k))
