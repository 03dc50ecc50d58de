"""Windows by as_strided, sums by einsum; backwards by the textbook: spread out the gradients, turn the filters, correlate."""

import math

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided


class Conv2d(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError("groups")
        as_pair = lambda value: (value, value) if isinstance(value, int) else tuple(value)
        self.stride, self.padding, self.dilation, self.groups = *map(as_pair, (stride, padding, dilation)), groups
        self.expected = in_channels
        shape = (out_channels, in_channels // groups, *as_pair(kernel_size))
        receptive = math.prod(shape[2:])
        limit = math.sqrt(6.0) / math.sqrt(in_channels // groups * receptive + out_channels // groups * receptive)
        self.weight = torch.nn.Parameter((torch.rand(shape) * 2 - 1) * limit)
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        if x.ndim == 3:
            return self(x.unsqueeze(0)).squeeze(0)
        if x.ndim != 4 or x.shape[1] != self.expected:
            raise ValueError(f"cannot take {tuple(x.shape)}")
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        x = torch.nn.ZeroPad2d((pw, pw, ph, ph))(x).contiguous()
        B, C, H, W = x.shape
        kh, kw = self.weight.shape[2:]
        out_h, out_w = (H - dh * (kh - 1) - 1) // sh + 1, (W - dw * (kw - 1) - 1) // sw + 1
        b, c, h, w = x.stride()
        G, per_group = self.groups, C // self.groups
        windows = torch.as_strided(
            x,
            (B, G, per_group, out_h, out_w, kh, kw),
            (b, per_group * c, c, sh * h, sw * w, dh * h, dw * w),
        )
        filters = self.weight.unflatten(0, (G, -1))
        y = torch.einsum("bgchwij,gocij->bgohw", windows, filters).flatten(1, 2)
        return y if self.bias is None else y + self.bias[None, :, None, None]


def _windows(x, kh, kw):
    b, c, h, w = x.strides
    shape = (*x.shape[:2], x.shape[2] - kh + 1, x.shape[3] - kw + 1, kh, kw)
    return as_strided(x, shape, (b, c, h, w, h, w), writeable=False)


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output = np.array(grad_output, dtype=np.float64)
    x = np.pad(np.array(x, dtype=np.float64), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    weight = np.array(weight, dtype=np.float64)
    B, C, H, W = x.shape
    O, _, kh, kw = weight.shape
    spread = np.zeros((B, O, H - kh + 1, W - kw + 1))  # as if the stride had been 1
    rows, columns = (stride * np.arange(side) for side in grad_output.shape[2:])
    spread[:, :, rows[:, None], columns] = grad_output
    grad_weight = np.einsum("bohw,bcijhw->ocij", spread, _windows(x, *spread.shape[2:]), optimize=True)
    framed = np.pad(spread, [(0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)])
    turned = weight[:, :, ::-1, ::-1]
    grad_x = np.einsum("bohwij,ocij->bchw", _windows(framed, kh, kw), turned, optimize=True)
    inside = slice(padding, H - padding), slice(padding, W - padding)
    return grad_x[(slice(None), slice(None), *inside)], grad_weight, np.einsum("bohw->o", grad_output)
