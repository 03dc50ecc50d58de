import numpy as np


def slide(x, g):
    """All windows of x, each times g."""
    windows = np.lib.stride_tricks.sliding_window_view(x, g.shape)
    return (windows * g).sum(axis=tuple(range(-g.ndim, 0)))


def checked(x, g, axes):
    x, g = np.asarray(x, dtype=float), np.asarray(g, dtype=float)
    if x.ndim != axes or g.ndim != axes or x.size == 0 or g.size == 0:
        raise ValueError("wrong number of axes, or empty")
    return x, g


def convolve1d(x, g, mode="valid"):
    x, g = checked(x, g, 1)
    T, k = len(x), len(g)
    if mode not in ("valid", "full", "same"):
        raise ValueError(mode)
    if k > T and mode != "full":
        raise ValueError("filter longer than signal")
    full = slide(np.pad(x, k - 1), g)
    if mode == "full":
        return full
    if mode == "same":
        return full[(k - 1) // 2 : (k - 1) // 2 + T]
    return full[k - 1 : T]


def correlate1d(x, w):
    x, w = checked(x, w, 1)
    if len(w) > len(x):
        raise ValueError("weights longer than signal")
    return slide(x, w)


def convolve2d(x, g):
    x, g = checked(x, g, 2)
    if g.shape[0] > x.shape[0] or g.shape[1] > x.shape[1]:
        raise ValueError("filter larger than picture")
    return slide(x, g)


def moving_average(k):
    if k < 1:
        raise ValueError("k must be at least 1")
    return np.full(k, 1 / k)


def convolution_matrix(g, T):
    # each column is what one pulse turns into
    return np.array([convolve1d(pulse, g) for pulse in np.eye(T)]).T
