"""im2col and one matrix product, as in many a course; backwards col2im with np.add.at."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def two(value):
    return value if isinstance(value, tuple) else (value,) * 2


class Conv2d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.groups = groups
        self.window = dict(
            kernel_size=two(kernel_size), stride=two(stride), padding=two(padding), dilation=two(dilation)
        )
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *two(kernel_size)))
        nn.init.xavier_uniform_(self.weight)
        if bias:
            self.bias = nn.Parameter(torch.zeros(out_channels))
        else:
            self.register_parameter("bias", None)

    def output_side(self, side, axis):
        k, s, p, d = (self.window[name][axis] for name in ("kernel_size", "stride", "padding", "dilation"))
        return (side + 2 * p - d * (k - 1) - 1) // s + 1

    def forward(self, x):
        if x.dim() not in (3, 4):
            raise ValueError(f"expected 3 or 4 axes, got {x.dim()}")
        if x.size(-3) != self.in_channels:
            raise ValueError(f"expected {self.in_channels} channels, got {x.size(-3)}")
        alone = x.dim() == 3
        if alone:
            x = x.unsqueeze(0)
        B, _, H, W = x.shape
        columns = F.unfold(x, **self.window).chunk(self.groups, dim=1)
        filters = self.weight.flatten(1).chunk(self.groups, dim=0)
        y = torch.cat([f @ c for f, c in zip(filters, columns)], dim=1)
        y = y.view(B, self.out_channels, self.output_side(H, 0), self.output_side(W, 1))
        if self.bias is not None:
            y = y + self.bias.view(1, -1, 1, 1)
        return y.squeeze(0) if alone else y


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = np.asarray(grad_output), np.asarray(x), np.asarray(weight)
    B, C, H, W = x.shape
    O, _, KH, KW = weight.shape
    _, _, OH, OW = grad_output.shape
    # where each entry of the column matrix comes from, as in CS231n's im2col
    channel, tap_row, tap_column = (index.reshape(-1, 1) for index in np.indices((C, KH, KW)))
    row, column = (stride * index.reshape(1, -1) for index in np.indices((OH, OW)))
    where = (slice(None), channel, tap_row + row, tap_column + column)
    padded = np.zeros((B, C, H + 2 * padding, W + 2 * padding))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    columns = padded[where]  # (B, C·KH·KW, OH·OW)
    grad = grad_output.reshape(B, O, -1)
    grad_weight = sum(g @ c.T for g, c in zip(grad, columns)).reshape(weight.shape)
    grad_padded = np.zeros(padded.shape)
    np.add.at(grad_padded, where, weight.reshape(O, -1).T @ grad)
    return grad_padded[:, :, padding : padding + H, padding : padding + W], grad_weight, grad.sum(axis=(0, 2))
