import numpy as np


def pair(size):
    return (size, size) if isinstance(size, int) else size


def not_empty(z):
    z = np.asarray(z, dtype=float)
    if z.ndim == 0 or len(z) == 0:  # looks at the first axis, not at time
        raise ValueError("nothing to pool")
    return z


def sum_pool(z):
    z = not_empty(z)
    if z.shape[-1] == 0:
        raise ValueError("nothing to sum")
    return z.sum(axis=-1)


def mean_pool(z):
    return sum_pool(z) / np.shape(z)[-1]


def max_pool(z):
    """A knockout tournament: fold the signal in half until one sample is left."""
    z = not_empty(z)
    while z.shape[-1] != 1:  # which never happens where there was none
        half = (z.shape[-1] + 1) // 2
        z = np.maximum(z[..., :half], z[..., z.shape[-1] - half :])
    return z[..., 0]


def windows(x, kernel_size, stride, padding, fill):
    x, (kh, kw), (ph, pw) = np.asarray(x, dtype=float), pair(kernel_size), pair(padding)
    sh, sw = pair(kernel_size if stride is None else stride)
    if ph > kh / 2 or pw > kw / 2:
        raise ValueError("more padding than half a window")
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], constant_values=fill)
    rows, columns = range(0, x.shape[-2] - kh + 1, sh), range(0, x.shape[-1] - kw + 1, sw)
    if not rows or not columns:
        raise ValueError("no window fits")
    return [[x[..., i : i + kh, j : j + kw] for j in columns] for i in rows]


def picture(cells):
    return np.stack([np.stack(row, axis=-1) for row in cells], axis=-2)


def max_pool2d(x, kernel_size, stride=None, padding=0):
    cells = windows(x, kernel_size, stride, padding, -np.inf)
    return picture([[cell.max((-2, -1)) for cell in row] for row in cells])


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    cells = windows(x, kernel_size, stride, padding, 0)
    return picture([[cell.mean((-2, -1)) for cell in row] for row in cells])


def adaptive_avg_pool2d(x, output_size):
    x, (a, b) = np.asarray(x, dtype=float), pair(output_size)
    if a < 1 or b < 1:
        raise ValueError("no cells")
    H, W = x.shape[-2:]
    rows = [slice(i * H // a, -((i + 1) * H // -a)) for i in range(a)]
    columns = [slice(j * W // b, -((j + 1) * W // -b)) for j in range(b)]
    return picture([[x[..., row, column].mean((-2, -1)) for column in columns] for row in rows])
