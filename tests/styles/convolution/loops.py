"""Pure Python: loops, lists and tuples, no NumPy at all."""


def _entries(values):
    try:
        entries = list(values)
    except TypeError:
        raise ValueError("a number has no entries") from None
    if not entries:
        raise ValueError("nothing there")
    return entries


def _numbers(signal):
    entries = _entries(signal)
    if any(hasattr(entry, "__len__") for entry in entries):
        raise ValueError("a signal has one axis")
    return [float(entry) for entry in entries]


def _rows(picture):
    return [_numbers(row) for row in _entries(picture)]


def convolve1d(x, g, mode="valid"):
    x, g = _numbers(x), _numbers(g)
    T, k = len(x), len(g)
    if mode == "full":
        outputs = range(T + k - 1)
    elif k > T:
        raise ValueError("the filter is longer than the signal")
    elif mode == "valid":
        outputs = range(k - 1, T)
    elif mode == "same":
        outputs = range((k - 1) // 2, (k - 1) // 2 + T)
    else:
        raise ValueError("full, valid or same")
    y = []
    for n in outputs:
        total = 0.0
        for tau in range(k):
            if 0 <= n - tau < T:
                total += x[n - tau] * g[tau]
        y.append(total)
    return tuple(y)


def correlate1d(x, w):
    x, w = _numbers(x), _numbers(w)
    if len(w) > len(x):
        raise ValueError("more weights than samples")
    return [sum(x[n + i] * w[i] for i in range(len(w))) for n in range(len(x) - len(w) + 1)]


def convolve2d(x, g):
    x, g = _rows(x), _rows(g)
    H, W, kh, kw = len(x), len(x[0]), len(g), len(g[0])
    if kh > H or kw > W:
        raise ValueError("the filter is larger than the picture")
    return [
        [
            sum(x[i + kh - 1 - u][j + kw - 1 - v] * g[u][v] for u in range(kh) for v in range(kw))
            for j in range(W - kw + 1)
        ]
        for i in range(H - kh + 1)
    ]


def moving_average(k):
    if k < 1:
        raise ValueError("no taps")
    return [1 / k] * k


def convolution_matrix(g, T):
    g = _numbers(g)
    k = len(g)
    if k > T:
        raise ValueError("the filter is longer than the signal")
    return tuple([0.0] * n + g[::-1] + [0.0] * (T - k - n) for n in range(T - k + 1))
