"""PyTorch tensors inside and out, without one of its pooling functions."""

import numpy as np
import torch


def tensor(x):
    return torch.as_tensor(np.array(x, dtype=np.float64))


def signal(z):
    z = tensor(z)
    if z.dim() == 0 or z.size(-1) == 0:
        raise ValueError("no samples")
    return z


def sum_pool(z):
    return signal(z).sum(dim=-1)


def mean_pool(z):
    return signal(z).mean(dim=-1)


def max_pool(z):
    return signal(z).max(dim=-1).values


def pair(value):
    return (value, value) if isinstance(value, int) else value


def unfolded(x, kernel_size, stride, padding, value):
    x = tensor(x)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    sh, sw = pair(stride) if stride is not None else (kh, kw)
    if ph > kh / 2 or pw > kw / 2:
        raise ValueError("padding")
    x = torch.nn.functional.pad(x, (pw, pw, ph, ph), value=value)
    if x.size(-2) < kh or x.size(-1) < kw:
        raise ValueError("kernel")
    return x.unfold(-2, kh, sh).unfold(-2, kw, sw)


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return unfolded(x, kernel_size, stride, padding, -torch.inf).amax(dim=(-2, -1))


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return unfolded(x, kernel_size, stride, padding, 0.0).mean(dim=(-2, -1))


def adaptive_avg_pool2d(x, output_size):
    x = tensor(x)
    for axis, cells in zip((-2, -1), pair(output_size)):
        if cells < 1:
            raise ValueError("cells")
        length = x.size(axis)
        bounds = [(i * length // cells, ((i + 1) * length + cells - 1) // cells) for i in range(cells)]
        parts = [x.narrow(axis, begin, end - begin).mean(dim=axis) for begin, end in bounds]
        x = torch.stack(parts, dim=axis)
    return x
