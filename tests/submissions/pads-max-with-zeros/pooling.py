import numpy as np


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def samples(z):
    z = np.asarray(z, dtype=float)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError("no samples")
    return z


def sum_pool(z):
    return samples(z).sum(-1)


def mean_pool(z):
    return samples(z).mean(-1)


def max_pool(z):
    return samples(z).max(-1)


def windows(x, kernel_size, stride, padding):
    x = np.asarray(x, dtype=float)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    sh, sw = pair(stride or kernel_size)
    if ph > kh / 2 or pw > kw / 2:
        raise ValueError("too much padding")
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)])
    if kh > x.shape[-2] or kw > x.shape[-1]:
        raise ValueError("no window fits")
    return np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(-2, -1))[..., ::sh, ::sw, :, :]


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return windows(x, kernel_size, stride, padding).max((-2, -1))


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return windows(x, kernel_size, stride, padding).mean((-2, -1))


def adaptive_avg_pool2d(x, output_size):
    x, (a, b) = np.asarray(x, dtype=float), pair(output_size)
    if min(a, b) < 1:
        raise ValueError("no cells")
    H, W = x.shape[-2:]
    rows = [x[..., H * i // a : -(H * (i + 1) // -a), :].mean(-2) for i in range(a)]
    x = np.stack(rows, axis=-2)
    columns = [x[..., W * j // b : -(W * (j + 1) // -b)].mean(-1) for j in range(b)]
    return np.stack(columns, axis=-1)
