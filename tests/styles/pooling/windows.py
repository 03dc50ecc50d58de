"""NumPy's sliding_window_view, with a stride of slices, reduced over the windows' own axes."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def _time(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("z has no samples")
    return z


def sum_pool(z):
    return np.sum(_time(z), axis=-1)


def mean_pool(z):
    return np.mean(_time(z), axis=-1)


def max_pool(z):
    return np.max(_time(z), axis=-1)


def _windows(x, kernel_size, stride, padding, outside):
    x = np.array(x, dtype=float)
    kernel, step, pad = (
        size if isinstance(size, tuple) else (size, size)
        for size in (kernel_size, kernel_size if stride is None else stride, padding)
    )
    for k, p in zip(kernel, pad):
        if p > k // 2:
            raise ValueError(f"padding {p} for a kernel of {k}")
    around = [(0, 0)] * (x.ndim - 2) + [(p, p) for p in pad]
    x = np.pad(x, around, mode="constant", constant_values=outside)
    # a window larger than the picture is a ValueError of sliding_window_view itself
    return sliding_window_view(x, kernel, axis=(-2, -1))[..., :: step[0], :: step[1], :, :]


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return _windows(x, kernel_size, stride, padding, -np.inf).max(axis=(-2, -1))


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return _windows(x, kernel_size, stride, padding, 0.0).mean(axis=(-2, -1))


def adaptive_avg_pool2d(x, output_size):
    x = np.asarray(x)
    a, b = (output_size, output_size) if np.isscalar(output_size) else output_size
    if min(a, b) <= 0:
        raise ValueError("output_size must be positive")
    height, width = x.shape[-2:]
    result = np.zeros(x.shape[:-2] + (a, b))
    for i in range(a):
        for j in range(b):
            top, bottom = (i * height) // a, ((i + 1) * height + a - 1) // a
            left, right = (j * width) // b, ((j + 1) * width + b - 1) // b
            result[..., i, j] = x[..., top:bottom, left:right].mean(axis=(-2, -1))
    return result
