"""as_strided for the windows, einsum for the sums, reshape where windows lie side by side."""

import numpy as np
from numpy.lib.stride_tricks import as_strided


class PoolingError(ValueError):
    pass


def check(z):
    z = np.asarray(z, dtype=np.float64)
    if z.size == 0 or z.ndim < 1:
        raise PoolingError
    return z


def sum_pool(z):
    return np.einsum("...t->...", check(z))


def mean_pool(z):
    z = check(z)
    return z @ np.full(z.shape[-1], 1 / z.shape[-1])


def max_pool(z):
    return np.sort(check(z), axis=-1)[..., -1]


def pairs(*sizes):
    return [size if isinstance(size, tuple) else (size,) * 2 for size in sizes]


def view(x, kernel_size, stride, padding, fill):
    (kh, kw), (sh, sw), (ph, pw) = pairs(kernel_size, stride or kernel_size, padding)
    if kh < 2 * ph or kw < 2 * pw:
        raise PoolingError("padding")
    x = np.asarray(x, dtype=np.float64)
    *leading, height, width = x.shape
    padded = np.full((*leading, height + 2 * ph, width + 2 * pw), fill)
    padded[..., ph : ph + height, pw : pw + width] = x
    rows = 1 + (height + 2 * ph - kh) // sh
    columns = 1 + (width + 2 * pw - kw) // sw
    if min(rows, columns) < 1:
        raise PoolingError("size")
    *before, down, right = padded.strides
    return as_strided(
        padded,
        shape=(*leading, rows, columns, kh, kw),
        strides=(*before, down * sh, right * sw, down, right),
        writeable=False,
    )


def max_pool2d(x, kernel_size, stride=None, padding=0):
    windows = view(x, kernel_size, stride, padding, -np.inf)
    return windows.reshape(*windows.shape[:-2], -1).max(-1)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    (kh, kw), (ph, pw) = pairs(kernel_size, padding)
    height, width = np.shape(x)[-2:]
    if stride is None and padding == 0 and height % kh == 0 and width % kw == 0:
        blocks = np.reshape(x, (*np.shape(x)[:-2], height // kh, kh, width // kw, kw))
        return blocks.mean(axis=(-3, -1))
    windows = view(x, kernel_size, stride, padding, 0.0)
    return np.einsum("...ij,ij->...", windows, np.full((kh, kw), 1 / (kh * kw)))


def adaptive_avg_pool2d(x, output_size):
    ((a, b),) = pairs(output_size)
    if a < 1 or b < 1:
        raise PoolingError("cells")
    x = np.asarray(x, dtype=np.float64)
    height, width = x.shape[-2:]
    rows = [x[..., i * height // a : -(-(i + 1) * height // a), :].mean(axis=-2) for i in range(a)]
    x = np.stack(rows, axis=-2)
    columns = [x[..., j * width // b : -(-(j + 1) * width // b)].mean(axis=-1) for j in range(b)]
    return np.stack(columns, axis=-1)
