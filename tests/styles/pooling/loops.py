"""Plain Python: nested loops over nested lists, and lists for an answer."""

from math import ceil, inf


def plain(x):
    return x.tolist() if hasattr(x, "tolist") else x


def depth(x):
    return 1 + depth(x[0]) if isinstance(x, (list, tuple)) and len(x) else 0


def over_time(z, pool):
    z = plain(z)
    if not isinstance(z, (list, tuple)):
        raise ValueError("not a signal")
    if len(z) and isinstance(z[0], (list, tuple)):
        return [over_time(signal, pool) for signal in z]
    if not z:
        raise ValueError("an empty signal")
    return pool(z)


def sum_pool(z):
    return over_time(z, sum)


def mean_pool(z):
    return over_time(z, lambda signal: sum(signal) / len(signal))


def max_pool(z):
    return over_time(z, max)


def two(size):
    if isinstance(size, int):
        return size, size
    return size


def over_windows(x, kernel_size, stride, padding, outside, pool):
    x = plain(x)
    if depth(x) > 2:
        return [over_windows(picture, kernel_size, stride, padding, outside, pool) for picture in x]
    kh, kw = two(kernel_size)
    sh, sw = two(kernel_size if stride is None else stride)
    ph, pw = two(padding)
    if ph > kh / 2 or pw > kw / 2:
        raise ValueError("too much padding")
    height, width = len(x), len(x[0])
    rows = (height + 2 * ph - kh) // sh + 1
    columns = (width + 2 * pw - kw) // sw + 1
    if rows < 1 or columns < 1:
        raise ValueError("no window")
    pooled = []
    for m in range(rows):
        pooled.append([])
        for n in range(columns):
            window = []
            for i in range(m * sh - ph, m * sh - ph + kh):
                for j in range(n * sw - pw, n * sw - pw + kw):
                    window.append(x[i][j] if 0 <= i < height and 0 <= j < width else outside)
            pooled[-1].append(pool(window))
    return pooled


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return over_windows(x, kernel_size, stride, padding, -inf, max)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return over_windows(x, kernel_size, stride, padding, 0, lambda window: sum(window) / len(window))


def adaptive_avg_pool2d(x, output_size):
    a, b = two(output_size)
    if a < 1 or b < 1:
        raise ValueError("no cells")
    x = plain(x)
    if depth(x) > 2:
        return [adaptive_avg_pool2d(picture, output_size) for picture in x]
    height, width = len(x), len(x[0])
    pooled = []
    for i in range(a):
        rows = x[i * height // a : ceil((i + 1) * height / a)]
        pooled.append([])
        for j in range(b):
            cell = [value for row in rows for value in row[j * width // b : ceil((j + 1) * width / b)]]
            pooled[-1].append(sum(cell) / len(cell))
    return tuple(pooled)
