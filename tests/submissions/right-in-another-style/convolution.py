"""A convolution is a product of spectra. Lists go in, lists come out."""

import numpy.fft as fft
from helpers import demand


def rows_of(x):
    """A picture or a signal as lists of floats."""
    return [rows_of(part) if hasattr(part, "__len__") else float(part) for part in x]


def axes(x):
    return 1 + axes(x[0]) if isinstance(x, list) and x else int(isinstance(x, list))


def one_signal(x):
    demand(hasattr(x, "__len__") and getattr(x, "ndim", 1) > 0, "a number is no signal")
    x = rows_of(x)
    demand(x and axes(x) == 1, "a signal has one axis and at least one sample")
    return x


def product(x, g):
    N = len(x) + len(g) - 1
    return list(fft.irfft(fft.rfft(x, N) * fft.rfft(g, N), N))


def convolve1d(x, g, mode="valid"):
    x, g = one_signal(x), one_signal(g)
    T, k = len(x), len(g)
    starts = {"full": (0, T + k - 1), "same": ((k - 1) // 2, T), "valid": (k - 1, T - k + 1)}
    demand(mode in starts, "full, same or valid")
    demand(mode == "full" or k <= T, "more taps than samples")
    start, count = starts[mode]
    return product(x, g)[start : start + count]


def correlate1d(x, w):
    return convolve1d(x, one_signal(w)[::-1])


def convolve2d(x, g):
    x, g = rows_of(x), rows_of(g)
    demand(axes(x) == axes(g) == 2 and x[0] and g[0], "a picture has rows and columns")
    demand(len(g) <= len(x) and len(g[0]) <= len(x[0]), "the filter is larger than the picture")
    picture = []
    for i in range(len(x) - len(g) + 1):
        # The filter's last row meets the picture's upper row.
        convolved = [convolve1d(x[i + u], g[len(g) - 1 - u]) for u in range(len(g))]
        picture.append(tuple(map(sum, zip(*convolved, strict=True))))
    return tuple(picture)


def moving_average(k):
    demand(k >= 1, "no taps")
    return k * [1 / k]


def convolution_matrix(g, T):
    g = one_signal(g)
    demand(len(g) <= T, "more taps than samples")
    blank = [0.0] * (T - len(g))
    return [[*blank[:n], *g[::-1], *blank[n:]] for n in range(len(blank) + 1)]
