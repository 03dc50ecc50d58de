import math

import numpy as np
import torch
from torch import nn


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


class Conv2d(nn.Module):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True
    ):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError("channels must be divisible by groups")
        self.in_channels, self.groups = in_channels, groups
        self.kernel_size, self.dilation = pair(kernel_size), pair(dilation)
        self.stride, self.padding = pair(stride), pair(padding)
        taps = math.prod(self.kernel_size)
        limit = math.sqrt(6 / (in_channels // groups * taps + out_channels // groups * taps))
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter((2 * torch.rand(shape) - 1) * limit)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        if x.dim() == 3:
            return self(x.unsqueeze(0)).squeeze(0)
        if x.dim() != 4 or x.size(1) != self.in_channels:
            raise ValueError("expected a batch of images with in_channels channels")
        sizes = zip(x.shape[2:], self.kernel_size, self.stride, self.padding, self.dilation)
        height, width = ((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes)
        columns = nn.functional.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)
        columns = columns.view(len(x), self.groups, -1, height * width)
        y = self.weight.view(self.groups, -1, columns.size(2)) @ columns
        y = y.reshape(len(x), -1, height, width)
        return y + self.bias.view(-1, 1, 1) if self.bias is not None else y


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = (np.asarray(array, dtype=float) for array in (grad_output, x, weight))
    H, W = x.shape[2:]
    kh, kw = weight.shape[2:]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_x, grad_weight = np.zeros_like(x), np.zeros_like(weight)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            g = grad_output[:, :, i, j]
            grad_weight += np.tensordot(g, x[:, :, i : i + kh, j : j + kw], (0, 0))
            grad_x[:, :, i : i + kh, j : j + kw] += np.tensordot(g, weight, 1)
    return grad_x[:, :, padding : padding + H, padding : padding + W], grad_weight, grad_output.sum((0, 2, 3))
