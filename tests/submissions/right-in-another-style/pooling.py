"""All in PyTorch, without its pooling functions; the results stay tensors."""

import math

import numpy as np
import torch
from helpers import demand, pair


def tensor(x):
    return torch.as_tensor(np.array(x, dtype="float64"))


def over_time(reduce):
    def pool(z):
        z = tensor(z)
        demand(z.dim() and z.size(-1), "nothing to pool")
        return reduce(z)

    return pool


sum_pool = over_time(lambda z: z.sum(-1))
mean_pool = over_time(lambda z: z.sum(-1) / z.size(-1))
max_pool = over_time(lambda z: z.sort(-1).values[..., -1])


def windows(x, kernel_size, stride, padding, value):
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    sh, sw = pair(stride or kernel_size)
    demand(2 * ph <= kh and 2 * pw <= kw, "padding")
    x = torch.nn.functional.pad(tensor(x), (pw, pw, ph, ph), value=value)
    demand(x.size(-2) >= kh and x.size(-1) >= kw, "no window fits")
    return x.unfold(-2, kh, sh).unfold(-2, kw, sw)


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return windows(x, kernel_size, stride, padding, -math.inf).amax((-2, -1))


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return windows(x, kernel_size, stride, padding, 0.0).mean((-2, -1))


def averaging(cells, length):
    """The matrix that turns `length` rows into the means of cells."""
    A = torch.zeros(cells, length, dtype=torch.float64)
    for i in range(cells):
        first, last = math.floor(i * length / cells), math.ceil((i + 1) * length / cells)
        A[i, first:last] = 1 / (last - first)
    return A


def adaptive_avg_pool2d(x, output_size):
    x, (a, b) = tensor(x), pair(output_size)
    demand(a > 0 and b > 0, "cells")
    return averaging(a, x.size(-2)) @ x @ averaging(b, x.size(-1)).T
