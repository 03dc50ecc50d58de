"""The layer tap by tap: each tap of the filter sees the picture, shifted and thinned out."""

import torch
from helpers import Impossible, demand, pair
from torch import nn


class Conv2d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        demand(in_channels % groups == 0 and out_channels % groups == 0, "groups")
        super().__init__()
        self.groups, self.steps = groups, (pair(stride), pair(padding), pair(dilation))
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels // groups, *pair(kernel_size)))
        nn.init.xavier_uniform_(self.weight)
        self.register_parameter("bias", nn.Parameter(self.weight.new_zeros(out_channels)) if bias else None)

    def forward(self, x):
        match x.dim():
            case 4:
                return self.of_batch(x)
            case 3:
                return self.of_batch(x.unsqueeze(0)).squeeze(0)
            case _:
                raise Impossible("axes")

    def of_batch(self, x):
        (sh, sw), (ph, pw), (dh, dw) = self.steps
        _, channels, kh, kw = self.weight.shape
        demand(x.shape[1] == self.groups * channels, "channels")
        x = nn.functional.pad(x, (pw, pw, ph, ph)).unflatten(1, (self.groups, channels))
        filters = self.weight.unflatten(0, (self.groups, -1))
        height = (x.shape[-2] - dh * (kh - 1) - 1) // sh + 1
        width = (x.shape[-1] - dw * (kw - 1) - 1) // sw + 1
        y = 0
        for a in range(kh):
            rows = x.narrow(-2, a * dh, sh * (height - 1) + 1)[..., ::sh, :]
            for b in range(kw):
                seen = rows.narrow(-1, b * dw, sw * (width - 1) + 1)[..., ::sw]
                y = y + torch.einsum("bgchw,goc->bgohw", seen, filters[..., a, b])
        y = y.flatten(1, 2)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    """The same tap by tap, in tensors without autograd; the gradients come as nested lists."""
    grad_output, x, weight = (torch.tensor(array, dtype=torch.float64) for array in (grad_output, x, weight))
    height, width = grad_output.shape[2:]
    x = nn.functional.pad(x, (padding,) * 4)
    grad_x, grad_weight = torch.zeros_like(x), torch.zeros_like(weight)
    for a in range(weight.shape[2]):
        rows = slice(a, a + stride * (height - 1) + 1, stride)
        for b in range(weight.shape[3]):
            columns = slice(b, b + stride * (width - 1) + 1, stride)
            grad_weight[:, :, a, b] = torch.einsum("bohw,bchw->oc", grad_output, x[:, :, rows, columns])
            grad_x[:, :, rows, columns] += torch.einsum("bohw,oc->bchw", grad_output, weight[:, :, a, b])
    end = -padding or None
    grad_x = grad_x[:, :, padding:end, padding:end]
    return grad_x.tolist(), grad_weight.tolist(), grad_output.sum((0, 2, 3)).tolist()
