"""Functional: recursion over the layers, a table of small functions, keyword arguments everywhere."""

from functools import reduce
from operator import mul


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    if length < 1 or kernel_size < 1 or stride < 1 or dilation < 1 or padding < 0:
        raise ValueError
    if padding:
        return conv_output_length(length + 2 * padding, kernel_size, stride=stride, dilation=dilation)
    if dilation > 1:
        return conv_output_length(length, dilation * (kernel_size - 1) + 1, stride=stride)
    if stride > 1:
        return (conv_output_length(length, kernel_size) + stride - 1) // stride
    return at_least_one(length - kernel_size + 1)


def at_least_one(number):
    if number < 1:
        raise ValueError
    return number


def both(setting):
    return setting if hasattr(setting, "__len__") else [setting] * 2


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    if len(input_shape) > 3:
        rest = conv2d_output_shape(
            input_shape[1:], out_channels, kernel_size, stride=stride, padding=padding, dilation=dilation
        )
        return input_shape[:1] + rest
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(both, (kernel_size, stride, padding, dilation))
    return (
        out_channels,
        conv_output_length(input_shape[1], kh, stride=sh, padding=ph, dilation=dh),
        conv_output_length(input_shape[2], kw, stride=sw, padding=pw, dilation=dw),
    )


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if any(p > k / 2 for p, k in zip(both(padding), both(kernel_size))):
        raise ValueError
    return conv2d_output_shape(
        input_shape,
        out_channels=input_shape[-3],
        kernel_size=kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=padding,
    )


def same_padding(kernel_size, dilation=1):
    if kernel_size == 1:
        return 0
    if dilation % 2 == 0:
        return dilation // 2 + same_padding(kernel_size - 1, dilation)
    if kernel_size == 2:
        raise ValueError
    return dilation + same_padding(kernel_size - 2, dilation)


def receptive_field(layers):
    if len(layers) == 0:
        return 1
    first, rest = layers[0], layers[1:]
    kernel_size, stride = first[0], first[1]
    dilation = first[2] if len(first) > 2 else 1
    return (receptive_field(rest) - 1) * stride + dilation * (kernel_size - 1) + 1


def linear(shape, out_features, bias=True):
    if len(shape) >= 3:
        raise ValueError
    return shape[:-1] + (out_features,)


LAYERS = {
    "conv2d": lambda shape, groups=1, bias=True, **rest: conv2d_output_shape(shape, **rest),
    "max_pool2d": pool2d_output_shape,
    "avg_pool2d": pool2d_output_shape,
    "adaptive_avg_pool2d": lambda shape, output_size: shape[:-2] + tuple(both(output_size)),
    "leaky_relu": lambda shape: shape,
    "relu": lambda shape: shape,
    "batch_norm2d": lambda shape: shape,
    "flatten": lambda shape: shape[:-3] + (reduce(mul, shape[-3:]),),
    "linear": linear,
}


def network_output_shape(input_shape, layers):
    if not layers:
        return input_shape
    *before, last = layers
    arguments = dict(last)
    layer = LAYERS.get(arguments.pop("kind"))
    if layer is None:
        raise ValueError
    return layer(network_output_shape(input_shape, before), **arguments)
