"""Pooling as gathering: tables of indices for the maxima, matrices for the means."""

import numpy as np


def sum_pool(z):
    z = np.asarray(z)
    if z.ndim == 0 or len(z) == 0 or z.shape[-1] == 0:
        raise ValueError("nothing to pool")
    return z @ np.ones(z.shape[-1], dtype=int)


def mean_pool(z):
    return sum_pool(z) / np.shape(z)[-1]


def max_pool(z):
    z = np.asarray(z)
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError("nothing to pool")
    return np.take_along_axis(z, np.argmax(z, axis=-1)[..., None], axis=-1)[..., 0]


def axis_indices(length, kernel, stride, padding):
    """(outputs, kernel): which samples each output reads; those outside count from -padding."""
    if padding * 2 > kernel:
        raise ValueError("padding")
    first = np.arange(-padding, length + padding - kernel + 1, stride)
    if first.size == 0:
        raise ValueError("no output")
    return first[:, None] + np.arange(kernel)


def both(size):
    return (size, size) if isinstance(size, int) else size


def tables(x, kernel_size, stride, padding):
    if stride is None:
        stride = kernel_size
    return [
        axis_indices(length, k, s, p)
        for length, k, s, p in zip(np.shape(x)[-2:], both(kernel_size), both(stride), both(padding))
    ]


def max_pool2d(x, kernel_size, stride=None, padding=0):
    x = np.asarray(x)
    rows, columns = tables(x, kernel_size, stride, padding)
    # The nearest pixel inside a window that begins outside: it is in that window too, and so it changes no maximum.
    rows, columns = np.clip(rows, 0, x.shape[-2] - 1), np.clip(columns, 0, x.shape[-1] - 1)
    return x[..., rows, :].max(axis=-2)[..., columns].max(axis=-1)


def weights(table, length):
    matrix = np.zeros((len(table), length))
    for output, samples in enumerate(table):
        for sample in samples:
            if 0 <= sample < length:
                matrix[output, sample] += 1 / len(samples)
    return matrix


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    height, width = np.shape(x)[-2:]
    rows, columns = tables(x, kernel_size, stride, padding)
    return np.einsum("mh,...hw,nw->...mn", weights(rows, height), x, weights(columns, width))


def adaptive_avg_pool2d(x, output_size):
    matrices = []
    for cells, length in zip(both(output_size), np.shape(x)[-2:]):
        if cells < 1:
            raise ValueError("cells")
        table = [range(i * length // cells, 1 + ((i + 1) * length - 1) // cells) for i in range(cells)]
        matrices.append(weights(table, length))
    return matrices[0] @ np.asarray(x) @ matrices[1].T
