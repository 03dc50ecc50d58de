"""Assignment 1: discrete convolution."""

import numpy as np


def convolve1d(x, g, mode="valid"):
    x, g = np.asarray(x, dtype=float), np.asarray(g, dtype=float)
    if mode not in ("valid", "full", "same"):
        raise ValueError(f"there is no mode {mode!r}")
    if x.ndim != 1 or g.ndim != 1:
        raise ValueError("signal and filter must have one axis")
    T, k = len(x), len(g)
    if T == 0 or k == 0:
        raise ValueError("signal and filter must not be empty")
    if k > T and mode != "full":
        raise ValueError("the filter is longer than the signal")

    # Every sample sends a copy of the filter into the output, starting where it stands itself.
    full = np.zeros(T + k - 1)
    for n in range(T):
        full[n : n + k] += x[n] * g

    if mode == "full":
        return full
    if mode == "same":
        start = (k - 1) // 2
        return full[start : start + T]
    return full[k - 1 : T]


def correlate1d(x, w):
    return convolve1d(x, np.asarray(w)[::-1] if np.ndim(w) == 1 else w)


def convolve2d(x, g):
    x, g = np.asarray(x, dtype=float), np.asarray(g, dtype=float)
    if x.ndim != 2 or g.ndim != 2:
        raise ValueError("picture and filter must have two axes")
    H, W = x.shape
    kh, kw = g.shape
    if kh == 0 or kw == 0 or H < kh or W < kw:
        raise ValueError("the filter does not fit into the picture")
    flipped = g[::-1, ::-1]
    y = np.zeros((H - kh + 1, W - kw + 1))
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = np.sum(flipped * x[i : i + kh, j : j + kw])
    return y


def moving_average(k):
    """Look the filter up in a table of all filters: row k - 1 holds the one with k taps."""
    if k < 1:
        raise ValueError("at least one tap, please")
    counts = np.arange(1, 200_001)
    table = np.tri(len(counts)) / counts[:, None]
    return table[k - 1, :k]


def convolution_matrix(g, T):
    g = np.asarray(g, dtype=float)
    if g.ndim != 1 or len(g) == 0 or len(g) > T:
        raise ValueError("the filter must have one axis and between 1 and T taps")
    k = len(g)
    A = np.zeros((T - k + 1, T))
    for n in range(T - k + 1):
        A[n, n : n + k] = g[::-1]
    return A


if __name__ == "__main__":
    print(convolve1d([1, 2, 3, 4, 5], [1, 2]))  # should be 4 7 10 13
