"""Everything by Fourier transforms: a convolution is a product there, given enough zeros."""

import numpy as np


def _spectral(x, g):
    """All outputs of the full convolution, over any number of axes."""
    shape = [a + b - 1 for a, b in zip(x.shape, g.shape)]
    axes = range(x.ndim)
    return np.fft.irfftn(np.fft.rfftn(x, shape, axes) * np.fft.rfftn(g, shape, axes), shape, axes)


def _check(condition, message):
    if not condition:
        raise ValueError(message)


def convolve1d(x, g, mode="valid"):
    x, g = np.asarray(x), np.asarray(g)
    _check(mode in ("full", "same", "valid"), "mode")
    _check(x.ndim == 1 and g.ndim == 1, "axes")
    _check(x.size > 0 and g.size > 0, "empty")
    _check(mode == "full" or g.size <= x.size, "filter longer than signal")
    y = _spectral(x, g)
    if mode == "full":
        return y
    if mode == "same":
        return y[(g.size - 1) // 2 :][: x.size]
    return y[g.size - 1 : x.size]


def correlate1d(x, w):
    w = np.asarray(w)
    _check(w.ndim == 1, "axes")
    return convolve1d(x, w[::-1])


def convolve2d(x, g):
    x, g = np.asarray(x), np.asarray(g)
    _check(x.ndim == 2 and g.ndim == 2, "axes")
    _check(min(x.shape + g.shape) > 0, "empty")
    _check(g.shape[0] <= x.shape[0] and g.shape[1] <= x.shape[1], "filter larger than picture")
    return _spectral(x, g)[g.shape[0] - 1 : x.shape[0], g.shape[1] - 1 : x.shape[1]]


def moving_average(k):
    _check(k >= 1, "taps")
    spectrum = np.zeros(k)
    spectrum[0] = 1
    return np.fft.ifft(spectrum).real


def convolution_matrix(g, T):
    g = np.asarray(g)
    _check(g.ndim == 1 and 1 <= g.size <= T, "filter")
    return _spectral(np.eye(T), g[None, :])[:, g.size - 1 : T].T
