"""Everything in float32, one window position at a time for all pictures, and running totals in place of reductions."""

import numpy as np

FLOAT = np.float32


def frames(z):
    z = np.asarray(z, dtype=FLOAT)
    if z.shape == () or z.shape[-1] < 1:
        raise ValueError("T must be at least 1")
    return np.moveaxis(z, -1, 0)


def sum_pool(z):
    total = FLOAT(0)
    for frame in frames(z):
        total = total + frame
    return total


def mean_pool(z):
    mean = FLOAT(0)
    for count, frame in enumerate(frames(z), start=1):
        mean = mean + (frame - mean) / FLOAT(count)
    return mean


def max_pool(z):
    highest, *others = frames(z)
    for frame in others:
        highest = np.where(frame > highest, frame, highest)
    return highest


def _height_width(size):
    try:
        height, width = size
    except TypeError:
        height = width = size
    return height, width


def _positions(shape, kernel_size, stride, padding):
    """Per output position, the slices of the unpadded picture that its window covers."""
    spans = []
    kernel, steps, pads = map(
        _height_width, (kernel_size, stride if stride is not None else kernel_size, padding)
    )
    for length, k, s, p in zip(shape[-2:], kernel, steps, pads):
        if k - p < p:
            raise ValueError("more padding than half a kernel")
        spans.append([slice(max(t, 0), t + k) for t in range(-p, length + p - k + 1, s)])
        if not spans[-1]:
            raise ValueError("an output without a position")
    return spans


def max_pool2d(x, kernel_size, stride=None, padding=0):
    x = np.asarray(x, dtype=FLOAT)
    rows, columns = _positions(x.shape, kernel_size, stride, padding)
    pooled = np.empty((*x.shape[:-2], len(rows), len(columns)), dtype=FLOAT)
    for m, row in enumerate(rows):
        for n, column in enumerate(columns):
            pooled[..., m, n] = x[..., row, column].max(axis=(-2, -1))
    return pooled


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    x = np.asarray(x, dtype=FLOAT)
    rows, columns = _positions(x.shape, kernel_size, stride, padding)
    kh, kw = _height_width(kernel_size)
    pooled = np.zeros((*x.shape[:-2], len(rows), len(columns)), dtype=FLOAT)
    for m, row in enumerate(rows):
        for n, column in enumerate(columns):
            pooled[..., m, n] = x[..., row, column].sum(axis=(-2, -1)) / FLOAT(kh * kw)
    return pooled


def adaptive_avg_pool2d(x, output_size):
    x = np.asarray(x, dtype=FLOAT)
    a, b = _height_width(output_size)
    if a < 1 or b < 1:
        raise ValueError("an output without cells")
    height, width = x.shape[-2:]
    pooled = np.empty((*x.shape[:-2], a, b), dtype=FLOAT)
    for i, j in np.ndindex(a, b):
        cell = x[..., i * height // a : -(-(i + 1) * height // a), j * width // b : -(-(j + 1) * width // b)]
        pooled[..., i, j] = cell.mean(axis=(-2, -1))
    return pooled
