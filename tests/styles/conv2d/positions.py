"""Plain loops over images, maps and positions; backwards with Python numbers and lists alone."""

import torch


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


class Conv2d(torch.nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__()
        self.in_channels, self.out_channels, self.groups, self.has_bias = in_channels, out_channels, groups, bias
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.dilation = pair(padding), pair(dilation)
        if self.in_channels % self.groups != 0 or self.out_channels % self.groups != 0:
            raise ValueError
        taps = self.kernel_size[0] * self.kernel_size[1]
        bound = (6 / (in_channels // groups * taps + out_channels // groups * taps)) ** 0.5
        size = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = torch.nn.Parameter(torch.distributions.Uniform(-bound, bound).sample(size))
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None

    def one(self, image):
        """One image (C, H, W), position by position."""
        (ph, pw), (sh, sw), (dh, dw), (kh, kw) = self.padding, self.stride, self.dilation, self.kernel_size
        C, H, W = image.shape
        framed = torch.zeros(C, H + 2 * ph, W + 2 * pw, dtype=image.dtype, device=image.device)
        framed[:, ph : ph + H, pw : pw + W] = image
        tall, wide = dh * (kh - 1) + 1, dw * (kw - 1) + 1
        maps = []
        for o in range(self.out_channels):
            group = o // (self.out_channels // self.groups)
            first, last = group * C // self.groups, (group + 1) * C // self.groups
            rows = []
            for top in range(0, framed.shape[1] - tall + 1, sh):
                row = []
                for left in range(0, framed.shape[2] - wide + 1, sw):
                    window = framed[first:last, top : top + tall : dh, left : left + wide : dw]
                    value = (window * self.weight[o]).sum()
                    row.append(value + self.bias[o] if self.has_bias else value)
                rows.append(torch.stack(row))
            maps.append(torch.stack(rows))
        return torch.stack(maps)

    def forward(self, x):
        if x.dim() == 3 and x.size(0) == self.in_channels:
            return self.one(x)
        if x.dim() == 4 and x.size(1) == self.in_channels:
            return torch.stack([self.one(image) for image in x])
        raise ValueError("wrong shape")


def _zeros(shape):
    return [_zeros(shape[1:]) for _ in range(shape[0])] if len(shape) > 1 else [0.0] * shape[0]


def _shape(nested):
    shape = []
    while hasattr(nested, "__len__"):
        shape.append(len(nested))
        nested = nested[0]
    return shape


def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    B, O, OH, OW = _shape(grad_output)
    _, C, H, W = _shape(x)
    KH, KW = _shape(weight)[2:]
    grad_x, grad_weight, grad_bias = _zeros((B, C, H, W)), _zeros((O, C, KH, KW)), _zeros((O,))
    for b in range(B):
        for o in range(O):
            for i in range(OH):
                for j in range(OW):
                    g = float(grad_output[b][o][i][j])
                    grad_bias[o] += g
                    for c in range(C):
                        for a in range(KH):
                            for d in range(KW):
                                u, v = i * stride + a - padding, j * stride + d - padding
                                if 0 <= u < H and 0 <= v < W:
                                    grad_weight[o][c][a][d] += g * float(x[b][c][u][v])
                                    grad_x[b][c][u][v] += g * float(weight[o][c][a][d])
    return grad_x, grad_weight, grad_bias
