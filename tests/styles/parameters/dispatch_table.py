"""A table from each kind of layer to a function (shape, layer) → (count, shape); nothing of the given code is used."""

from functools import partial, reduce
from math import prod


def positive(*sizes):
    if not all(size >= 1 for size in sizes):
        raise ValueError("sizes begin at one")


def pair(size):
    return size if isinstance(size, tuple) else (size,) * 2


def perceptron_parameters(duration, period, bias=True):
    if min(duration, period) <= 0:
        raise ValueError("times are positive")
    return round(duration / period) + int(bias)


def linear_parameters(in_features, out_features, bias=True):
    positive(in_features, out_features)
    return (in_features + bias) * out_features


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    positive(in_channels, out_channels, kernel_size)
    return (in_channels * kernel_size + bias) * out_channels


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    positive(in_channels, out_channels, groups, *pair(kernel_size))
    (share, rest_in), (_, rest_out) = divmod(in_channels, groups), divmod(out_channels, groups)
    if rest_in or rest_out:
        raise ValueError("channels left over")
    return (share * prod(pair(kernel_size)) + bias) * out_channels


def positions(sides, kernel_size, stride, padding, dilation):
    values = zip(sides, pair(kernel_size), pair(stride), pair(padding), pair(dilation), strict=True)
    return [len(range(0, side + 2 * pad - gap * (taps - 1), step)) for side, taps, step, pad, gap in values]


def convolution(shape, *, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
    *batch, channels, height, width = shape
    sides = positions((height, width), kernel_size, stride, padding, dilation)
    return conv2d_parameters(channels, out_channels, kernel_size, groups, bias), [
        *batch,
        out_channels,
        *sides,
    ]


def pooling(shape, *, kernel_size, stride=None, padding=0):
    return 0, [*shape[:-2], *positions(shape[-2:], kernel_size, stride or kernel_size, padding, 1)]


def linear(shape, *, out_features, bias=True):
    return linear_parameters(shape[-1], out_features, bias), [*shape[:-1], out_features]


def nothing(shape):
    return 0, shape


TABLE = {
    "conv2d": convolution,
    "max_pool2d": pooling,
    "avg_pool2d": pooling,
    "adaptive_avg_pool2d": lambda shape, *, output_size: (0, [*shape[:-2], *pair(output_size)]),
    "batch_norm2d": lambda shape: (2 * shape[-3], shape),
    "relu": nothing,
    "leaky_relu": nothing,
    "flatten": lambda shape: (0, [*shape[:-3], prod(shape[-3:])]),
    "linear": linear,
}


def step(state, layer):
    total, shape = state
    settings = {**layer}
    added, shape = partial(TABLE[settings.pop("kind")], shape)(**settings)
    return total + added, shape


def network_parameters(input_shape, layers):
    return reduce(step, layers, (0, list(input_shape)))[0]
