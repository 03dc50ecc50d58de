"""Running sums: an integral image for every mean, and NumPy's reduceat for every maximum."""

import numpy as np


def samples(z):
    z = np.asarray(z, dtype=np.float64)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError("no samples")
    return z


def sum_pool(z):
    return np.cumsum(samples(z), axis=-1)[..., -1]


def mean_pool(z):
    z = samples(z)
    return np.add.reduce(z, axis=-1) / z.shape[-1]


def max_pool(z):
    return np.maximum.accumulate(samples(z), axis=-1)[..., -1]


def as_pair(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def spans(length, kernel, stride, padding):
    """First and last-but-one positions of the windows along one padded axis."""
    if padding > kernel / 2:
        raise ValueError("padding is too large")
    if length + 2 * padding < kernel:
        raise ValueError("kernel is too large")
    begin = np.arange(0, length + 2 * padding - kernel + 1, stride)
    return begin, begin + kernel


def prepared(x, kernel_size, stride, padding):
    x = np.asarray(x, dtype=np.float64)
    stride = kernel_size if stride is None else stride
    kernel, stride, padding = as_pair(kernel_size), as_pair(stride), as_pair(padding)
    rows = spans(x.shape[-2], kernel[0], stride[0], padding[0])
    columns = spans(x.shape[-1], kernel[1], stride[1], padding[1])
    return x, rows, columns, padding


def box_sums(x, rows, columns):
    integral = np.zeros((*x.shape[:-2], x.shape[-2] + 1, x.shape[-1] + 1))
    integral[..., 1:, 1:] = x.cumsum(axis=-2).cumsum(axis=-1)
    (top, bottom), (left, right) = rows, columns
    strips = integral[..., bottom, :] - integral[..., top, :]
    return strips[..., right] - strips[..., left]


def surrounded(x, padding, value):
    ph, pw = padding
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], constant_values=value)


def axis_maxima(x, span, axis):
    begin, end = span
    # reduceat reads pairs of positions, and wants every position inside: hence one more sample at the end
    x = np.concatenate([x, np.take(x, [0], axis=axis)], axis=axis)
    both = np.stack([begin, end], axis=1).ravel()
    return np.take(np.maximum.reduceat(x, both, axis=axis), np.arange(0, both.size, 2), axis=axis)


def max_pool2d(x, kernel_size, stride=None, padding=0):
    x, rows, columns, padding = prepared(x, kernel_size, stride, padding)
    x = surrounded(x, padding, -np.inf)
    return axis_maxima(axis_maxima(x, rows, x.ndim - 2), columns, x.ndim - 1)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    x, rows, columns, padding = prepared(x, kernel_size, stride, padding)
    kh, kw = as_pair(kernel_size)
    return box_sums(surrounded(x, padding, 0), rows, columns) / (kh * kw)


def adaptive_avg_pool2d(x, output_size):
    x = np.asarray(x, dtype=np.float64)
    sides = []
    for cells, length in zip(as_pair(output_size), x.shape[-2:]):
        if cells < 1:
            raise ValueError("output_size")
        steps = np.arange(cells + 1) * length
        sides.append((steps[:-1] // cells, (steps[1:] + cells - 1) // cells))
    (top, bottom), (left, right) = sides
    area = (bottom - top)[:, None] * (right - left)[None, :]
    return box_sums(x, *sides) / area
