"""One matrix product per tap, added up; backwards with torch tensors, without autograd, and tensors come out."""

import torch
from torch.nn import Module, Parameter
from torch.nn.functional import pad


class Conv2d(Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        Module.__init__(self)
        self.channels, self.groups = in_channels, groups
        if any(channels % groups for channels in (in_channels, out_channels)):
            raise ValueError("not divisible")
        pairs = [v if isinstance(v, tuple) else (v, v) for v in (kernel_size, stride, padding, dilation)]
        (self.kh, self.kw), self.s, self.p, self.d = pairs
        self.weight = Parameter(torch.zeros(out_channels, in_channels // groups, self.kh, self.kw))
        fans = (in_channels + out_channels) // groups * self.kh * self.kw
        with torch.no_grad():
            self.weight.uniform_(-1, 1)
            self.weight *= (6 / fans) ** 0.5
        self.bias = None
        if bias:
            self.bias = Parameter(self.weight.new_zeros(out_channels))

    def forward(self, x):
        if x.ndim not in {3, 4} or x.shape[-3] != self.channels:
            raise ValueError(x.shape)
        x = pad(x, (self.p[1], self.p[1], self.p[0], self.p[0]))
        height = (x.shape[-2] - self.d[0] * (self.kh - 1) - 1) // self.s[0] + 1
        width = (x.shape[-1] - self.d[1] * (self.kw - 1) - 1) // self.s[1] + 1
        y = x.new_zeros((*x.shape[:-3], self.weight.shape[0], height, width))
        for i in range(self.kh):
            for j in range(self.kw):
                top, left = i * self.d[0], j * self.d[1]
                seen = x[..., top : top + (height - 1) * self.s[0] + 1 : self.s[0], :]
                seen = seen[..., left : left + (width - 1) * self.s[1] + 1 : self.s[1]]
                seen = seen.unflatten(-3, (self.groups, -1)).flatten(-2)
                tap = self.weight[:, :, i, j].unflatten(0, (self.groups, -1))
                y = y + (tap @ seen).flatten(-3, -2).unflatten(-1, (height, width))
        return y if self.bias is None else y + self.bias.reshape(-1, 1, 1)


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    grad_output, x, weight = (torch.as_tensor(t, dtype=torch.float64) for t in (grad_output, x, weight))
    (H, W), (oh, ow) = x.shape[-2:], grad_output.shape[-2:]
    padded = pad(x, [padding] * 4)
    grad_padded, grad_weight = torch.zeros_like(padded), torch.empty_like(weight)
    for i in range(weight.shape[2]):
        for j in range(weight.shape[3]):
            here = (..., slice(i, i + oh * stride, stride), slice(j, j + ow * stride, stride))
            met = padded[here][..., :oh, :ow]
            grad_weight[:, :, i, j] = torch.tensordot(grad_output, met, dims=([0, 2, 3], [0, 2, 3]))
            grad_padded[here][..., :oh, :ow] += (weight[:, :, i, j].T @ grad_output.flatten(2)).reshape(met.shape)
    return [grad_padded[..., padding : padding + H, padding : padding + W], grad_weight, grad_output.sum((0, 2, 3))]
