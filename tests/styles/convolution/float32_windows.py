"""Windows and einsum in single precision, written as in a notebook: constants, a class, checks that print."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as windows_of

PRECISION = np.float32
EQUATIONS = {1: "ni,i->n", 2: "nmij,ij->nm"}


class Slider:
    """Slides weights of any number of axes over samples with as many."""

    def __init__(self, weights, axes):
        self.weights = np.array(weights, PRECISION)
        self.axes = axes
        if self.weights.ndim != axes or self.weights.size == 0:
            raise ValueError("weights")

    def __call__(self, samples):
        samples = np.array(samples, PRECISION)
        if samples.ndim != self.axes or samples.size == 0:
            raise ValueError("samples")
        if any(have < need for have, need in zip(samples.shape, self.weights.shape)):
            raise ValueError("too few samples")
        return np.einsum(EQUATIONS[self.axes], windows_of(samples, self.weights.shape), self.weights)

    def flipped(self):
        self.weights = self.weights[(slice(None, None, -1),) * self.axes]
        return self


def convolve1d(x, g, mode="valid"):
    slide = Slider(g, 1).flipped()
    k = slide.weights.size
    match mode:
        case "valid":
            return slide(x)
        case "same" if k <= np.size(x):
            pad = (k // 2, (k - 1) // 2)
        case "full" if np.size(x):
            pad = (k - 1, k - 1)
        case _:
            raise ValueError(f"{mode} of {k} taps over {np.size(x)} samples")
    if np.ndim(x) != 1:
        raise ValueError("x has one axis")
    return slide(np.concatenate([np.zeros(pad[0]), x, np.zeros(pad[1])]))


def correlate1d(x, w):
    return Slider(w, 1)(x)


def convolve2d(x, g):
    return Slider(g, 2).flipped()(x)


def moving_average(k):
    if k < 1:
        raise ValueError("k")
    return np.repeat(PRECISION(1) / PRECISION(k), k)


def convolution_matrix(g, T):
    g = np.array(g, PRECISION)
    if g.ndim != 1 or not 0 < len(g) <= T:
        raise ValueError("g")
    row = np.concatenate([g[::-1], np.zeros(T - len(g), PRECISION)])
    return np.stack([np.roll(row, n) for n in range(T - len(g) + 1)])


if __name__ == "__main__":
    x, g = np.random.default_rng().normal(size=(2, 9))
    print(np.abs(convolve1d(x, g, "full") - np.convolve(x, g)).max())
