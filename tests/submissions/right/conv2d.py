import math

import numpy as np
import torch


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


class Conv2d(torch.nn.Module):
    def __init__(
        self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True
    ):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError("groups must divide in_channels and out_channels")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.dilation = pair(padding), pair(dilation)
        kh, kw = self.kernel_size
        limit = math.sqrt(6 / ((in_channels + out_channels) // groups * kh * kw))
        weight = torch.empty(out_channels, in_channels // groups, kh, kw).uniform_(-limit, limit)
        self.weight = torch.nn.Parameter(weight)
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        if x.ndim not in (3, 4) or x.shape[-3] != self.in_channels:
            raise ValueError("x must be (B, C, H, W) or (C, H, W), with in_channels channels")
        if x.ndim == 3:
            return self.forward(x[None])[0]
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = self.kernel_size, self.stride, self.padding, self.dilation
        B, _, H, W = x.shape
        H_out = (H + 2 * ph - dh * (kh - 1) - 1) // sh + 1
        W_out = (W + 2 * pw - dw * (kw - 1) - 1) // sw + 1

        # (B, C · kh · kw, H_out · W_out), cut into groups of channels
        columns = torch.nn.functional.unfold(
            x, self.kernel_size, dilation=self.dilation, padding=self.padding, stride=self.stride
        )
        columns = columns.reshape(B, self.groups, -1, H_out * W_out)
        rows = self.weight.reshape(self.groups, self.out_channels // self.groups, -1)
        y = (rows @ columns).reshape(B, self.out_channels, H_out, W_out)
        return y if self.bias is None else y + self.bias[:, None, None]


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = (np.asarray(array, dtype=float) for array in (grad_output, x, weight))
    H, W = x.shape[2:]
    kh, kw = weight.shape[2:]
    H_out, W_out = grad_output.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i in range(H_out):
        for j in range(W_out):
            window = np.s_[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            g = grad_output[:, :, i, j]  # (B, C')
            grad_weight += np.einsum("bo,bchw->ochw", g, padded[window])
            grad_padded[window] += np.einsum("bo,ochw->bchw", g, weight)
    grad_x = grad_padded[:, :, padding : padding + H, padding : padding + W]
    return grad_x, grad_weight, grad_output.sum(axis=(0, 2, 3))
