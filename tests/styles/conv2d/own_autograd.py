"""A torch.autograd.Function with both passes written out; conv2d_backward goes by the same formulas in single precision."""

import numpy as np
import torch


def _windows(x, kernel, stride, dilation):
    for axis, (k, s, d) in enumerate(zip(kernel, stride, dilation), start=2):
        x = x.unfold(axis, d * (k - 1) + 1, s)
    return x[..., :: dilation[0], :: dilation[1]]


class Correlation(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, stride, dilation, groups):
        ctx.save_for_backward(x, weight)
        ctx.settings = stride, dilation, groups
        windows = _windows(x, weight.shape[2:], stride, dilation)
        parts = zip(windows.chunk(groups, dim=1), weight.chunk(groups, dim=0))
        return torch.cat([torch.tensordot(w, f, dims=([1, 4, 5], [1, 2, 3])) for w, f in parts], dim=3).movedim(3, 1)

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        stride, dilation, groups = ctx.settings
        windows = _windows(x, weight.shape[2:], stride, dilation)
        pieces = list(zip(grad.chunk(groups, 1), windows.chunk(groups, 1), weight.chunk(groups, 0)))
        grad_weight = torch.cat([torch.einsum("bohw,bchwij->ocij", g, w) for g, w, _ in pieces])
        shares = torch.cat([torch.einsum("bohw,ocij->bchwij", g, f) for g, _, f in pieces], dim=1)
        grad_x = torch.zeros_like(x)
        height, width = grad.shape[2:]
        for i in range(weight.shape[2]):
            for j in range(weight.shape[3]):
                rows = torch.arange(height, device=x.device) * stride[0] + i * dilation[0]
                columns = torch.arange(width, device=x.device) * stride[1] + j * dilation[1]
                grad_x[:, :, rows[:, None], columns] += shares[..., i, j]
        return grad_x, grad_weight, None, None, None


class Conv2d(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        for channels in (in_channels, out_channels):
            if channels % groups:
                raise ValueError(f"{channels} is not a multiple of {groups}")
        double = lambda value: (value, value) if isinstance(value, int) else value
        self.in_channels, self.groups = in_channels, groups
        self.stride, self.padding, self.dilation = double(stride), double(padding), double(dilation)
        kernel = double(kernel_size)
        self.weight = torch.nn.Parameter(torch.Tensor(out_channels, in_channels // groups, *kernel))
        torch.nn.init.xavier_uniform_(self.weight)
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None

    def forward(self, x):
        if not 3 <= x.ndim <= 4 or x.shape[-3] != self.in_channels:
            raise ValueError("images should be (B, C, H, W) or (C, H, W)")
        batch = x if x.ndim == 4 else x[None]
        batch = torch.nn.functional.pad(batch, (self.padding[1],) * 2 + (self.padding[0],) * 2)
        y = Correlation.apply(batch, self.weight, self.stride, self.dilation, self.groups)
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return y if x.ndim == 4 else y[0]


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = (np.asarray(array).astype(np.float32) for array in (grad_output, x, weight))
    frame = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    grad_frame, grad_weight = np.zeros_like(frame), np.zeros_like(weight)
    for i in range(grad_output.shape[2]):
        for j in range(grad_output.shape[3]):
            window = (
                ...,
                slice(i * stride, i * stride + weight.shape[2]),
                slice(j * stride, j * stride + weight.shape[3]),
            )
            g = grad_output[:, :, i, j]
            grad_weight += np.tensordot(g, frame[window], axes=(0, 0))
            grad_frame[window] += np.tensordot(g, weight, axes=(1, 0))
    grad_x = np.delete(grad_frame, [*range(padding), *range(x.shape[2] + padding, frame.shape[2])], axis=2)
    grad_x = np.delete(grad_x, [*range(padding), *range(x.shape[3] + padding, frame.shape[3])], axis=3)
    return grad_x, grad_weight, grad_output.sum(axis=(0, 2, 3))
