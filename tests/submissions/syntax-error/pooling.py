import numpy as np


def as_array(x):
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def signals(z):
    z = as_array(z)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError("there is no sample to pool")
    return z


def sum_pool(z):
    return signals(z).sum(axis=-1)


def mean_pool(z):
    return signals(z.mean(axis=-1)


def max_pool(z):
    return signals(z).max(axis=-1)


def pool2d(x, kernel_size, stride, padding, pad_with, summary):
    """Cut out every window and summarise it."""
    x = as_array(x)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    sh, sw = (kh, kw) if stride is None else pair(stride)
    if 2 * ph > kh or 2 * pw > kw:
        raise ValueError("more padding than half a window")
    edges = [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)]
    x = np.pad(x, edges, constant_values=pad_with)
    H, W = x.shape[-2:]
    if H < kh or W < kw:
        raise ValueError("the window is larger than the picture")
    out = np.empty((*x.shape[:-2], (H - kh) // sh + 1, (W - kw) // sw + 1))
    for m in range(out.shape[-2]):
        for n in range(out.shape[-1]):
            window = x[..., m * sh : m * sh + kh, n * sw : n * sw + kw]
            out[..., m, n] = summary(window, axis=(-2, -1))
    return out


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return pool2d(x, kernel_size, stride, padding, -np.inf, np.max)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return pool2d(x, kernel_size, stride, padding, 0.0, np.mean)


def adaptive_avg_pool2d(x, output_size):
    x = as_array(x)
    a, b = pair(output_size)
    if a < 1 or b < 1:
        raise ValueError("at least one cell")
    H, W = x.shape[-2:]
    out = np.empty((*x.shape[:-2], a, b))
    for i in range(a):
        top, bottom = i * H // a, -(-(i + 1) * H // a)
        for j in range(b):
            left, right = j * W // b, -(-(j + 1) * W // b)
            out[..., i, j] = x[..., top:bottom, left:right].mean(axis=(-2, -1))
    return out
