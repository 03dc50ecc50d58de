"""Windows times filters by broadcasting, then one sum; the parameters live in a module of their own. Backwards alike."""

import numpy as np
import torch


class Filters(torch.nn.Module):
    """Where the learned numbers live."""

    def __init__(self, shape, limit, with_bias):
        super().__init__()
        drawn = np.random.default_rng(np.random.randint(2**31)).uniform(-limit, limit, size=shape)
        self.w = torch.nn.Parameter(torch.tensor(drawn, dtype=torch.float32))
        self.b = torch.nn.Parameter(torch.zeros(shape[0])) if with_bias else None


class Conv2d(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        if in_channels % groups > 0 or out_channels % groups > 0:
            raise ValueError("channels must be a multiple of groups")
        kh, kw = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        fan_in, fan_out = in_channels * kh * kw // groups, out_channels * kh * kw // groups
        self.filters = Filters((out_channels, in_channels // groups, kh, kw), np.sqrt(6 / (fan_in + fan_out)), bias)
        self.channels, self.groups = in_channels, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation

    @property
    def weight(self):
        return self.filters.w

    @property
    def bias(self):
        return self.filters.b

    def forward(self, x):
        if x.ndim not in (3, 4):
            raise ValueError("expected (B, C, H, W) or (C, H, W)")
        if x.shape[-3] != self.channels:
            raise ValueError("wrong number of channels")
        (sh, sw), (ph, pw), (dh, dw) = (
            v if isinstance(v, tuple) else (v, v) for v in (self.stride, self.padding, self.dilation)
        )
        kh, kw = self.weight.shape[-2:]
        side = x.new_zeros((*x.shape[:-1], pw))
        x = torch.cat([side, x, side], dim=-1)
        frame = x.new_zeros((*x.shape[:-2], ph, x.shape[-1]))
        x = torch.cat([frame, x, frame], dim=-2)
        windows = x.unfold(-2, dh * (kh - 1) + 1, sh).unfold(-2, dw * (kw - 1) + 1, sw)[..., ::dh, ::dw]
        windows = windows.unflatten(-5, (self.groups, 1, -1))  # (…, G, 1, C / G, H', W', kh, kw)
        filters = self.weight.unflatten(0, (self.groups, -1))[..., None, None, :, :]  # (G, O / G, C / G, 1, 1, kh, kw)
        y = (windows * filters).sum(dim=(-5, -2, -1)).flatten(-4, -3)
        return y if self.bias is None else y + self.bias.unsqueeze(-1).unsqueeze(-1)


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = map(np.asarray, (grad_output, x, weight))
    H, W = x.shape[2:]
    kh, kw = weight.shape[2:]
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    grad_weight = (grad_output[:, :, None, :, :, None, None] * windows[:, None]).sum(axis=(0, 3, 4))
    grad_padded = np.zeros(padded.shape)
    writable = np.lib.stride_tricks.sliding_window_view(grad_padded, (kh, kw), axis=(2, 3), writeable=True)
    shares = (grad_output[:, :, None, :, :, None, None] * weight[None, :, :, None, None]).sum(axis=1)
    for i in range(shares.shape[2]):
        for j in range(shares.shape[3]):
            writable[:, :, i * stride, j * stride] += shares[:, :, i, j]
    grad_x = grad_padded[:, :, padding : H + padding, padding : W + padding]
    return grad_x, grad_weight, grad_output.sum(axis=-1).sum(axis=-1).sum(axis=0)
