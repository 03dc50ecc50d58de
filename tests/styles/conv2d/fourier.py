"""By the convolution theorem: products in the frequency domain, forwards with torch.fft and backwards with numpy.fft."""

import numpy as np
import torch


class Conv2d(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{groups} groups do not divide {in_channels} and {out_channels}")
        self.groups, self.in_channels = groups, in_channels
        for name, value in (
            ("kernel_size", kernel_size),
            ("stride", stride),
            ("padding", padding),
            ("dilation", dilation),
        ):
            setattr(self, name, value if isinstance(value, tuple) else (value, value))
        weight = torch.empty((out_channels, in_channels // groups) + self.kernel_size)
        fan_in = weight[0].numel()
        fan_out = weight.numel() // groups // weight.shape[1]
        self.register_parameter("weight", torch.nn.Parameter(weight))
        torch.nn.init.uniform_(self.weight, -((6 / (fan_in + fan_out)) ** 0.5), (6 / (fan_in + fan_out)) ** 0.5)
        self.register_parameter("bias", torch.nn.Parameter(torch.zeros(out_channels)) if bias else None)

    def forward(self, x):
        if x.ndim < 3 or x.ndim > 4 or x.shape[-3] != self.in_channels:
            raise ValueError(f"{list(x.shape)}")
        (ph, pw), (sh, sw), (dh, dw), (kh, kw) = self.padding, self.stride, self.dilation, self.kernel_size
        height, width = x.shape[-2] + 2 * ph, x.shape[-1] + 2 * pw
        x = torch.nn.functional.pad(x, (pw, pw, ph, ph)).unflatten(-3, (self.groups, -1))
        spread = self.weight.new_zeros(*self.weight.shape[:2], dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        spread[:, :, ::dh, ::dw] = self.weight
        transformed = torch.fft.rfft2(x, s=(height, width))
        filters = torch.fft.rfft2(spread, s=(height, width)).unflatten(0, (self.groups, -1)).conj()
        # cross-correlation: the conjugate of the filter; circular, so the last rows and columns wrap and are left out
        y = torch.einsum("...gchw,gochw->...gohw", transformed, filters).flatten(-4, -3)
        y = torch.fft.irfft2(y, s=(height, width))
        y = y[..., : height - dh * (kh - 1) : sh, : width - dw * (kw - 1) : sw]
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return y.contiguous()


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = np.asarray(grad_output, float), np.asarray(x, float), np.asarray(weight, float)
    H, W = x.shape[2:]
    size = (H + 2 * padding, W + 2 * padding)
    padded = np.zeros((*x.shape[:2], *size))
    padded[:, :, padding : padding + H, padding : padding + W] = x
    spread = np.zeros((*grad_output.shape[:2], *size))
    rows, columns = grad_output.shape[2:]
    spread[:, :, : rows * stride : stride, : columns * stride : stride][:, :, :rows, :columns] = grad_output
    g, p, w = (np.fft.rfft2(array, s=size) for array in (spread, padded, weight))
    grad_weight = np.fft.irfft2(np.einsum("bohw,bchw->ochw", g.conj(), p), s=size)
    grad_x = np.fft.irfft2(np.einsum("bohw,ochw->bchw", g, w), s=size)
    return (
        grad_x[:, :, padding : padding + H, padding : padding + W],
        grad_weight[:, :, : weight.shape[2], : weight.shape[3]],
        np.add.reduce(grad_output, axis=(0, 2, 3)),
    )
