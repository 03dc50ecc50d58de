"""Every layer is a linear layer over what its window holds; a sampled signal, a convolution and a scale alike."""

import math
from collections.abc import Mapping, Sequence


def as_pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def output_length(length, kernel_size, stride, padding, dilation):
    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def output_shape(shape, layer):
    """The given function, with its checks left away: layers of a network fit."""
    shape, kind = tuple(shape), layer["kind"]
    if kind in ("relu", "leaky_relu", "batch_norm2d"):
        return shape
    if kind == "linear":
        return (*shape[:-1], layer["out_features"])
    if kind == "flatten":
        return (*shape[:-3], math.prod(shape[-3:]))
    *batch, channels, height, width = shape
    if kind == "adaptive_avg_pool2d":
        return (*batch, channels, *as_pair(layer["output_size"]))
    kernel = as_pair(layer["kernel_size"])
    stride = layer.get("stride")
    if stride is None:
        stride = 1 if kind == "conv2d" else kernel
    channels = layer.get("out_channels", channels)
    more = (as_pair(stride), as_pair(layer.get("padding", 0)), as_pair(layer.get("dilation", 1)))
    return (*batch, channels, *map(output_length, (height, width), kernel, *more))


def perceptron_parameters(duration: float, period: float, bias: bool = True) -> int:
    if duration <= 0 or period <= 0:
        raise ValueError("only a signal that takes time can be sampled")
    return linear_parameters(math.floor(duration / period + 0.5), 1, bias)


def linear_parameters(in_features: int, out_features: int, bias: bool = True) -> int:
    if in_features < 1 or out_features < 1:
        raise ValueError(f"cannot connect {in_features} to {out_features}")
    return out_features * (in_features + 1) if bias else out_features * in_features


def conv1d_parameters(in_channels: int, out_channels: int, kernel_size: int, bias: bool = True) -> int:
    if kernel_size < 1 or in_channels < 1:
        raise ValueError("an empty window")
    return linear_parameters(in_channels * kernel_size, out_channels, bias)


def conv2d_parameters(
    in_channels: int, out_channels: int, kernel_size: int | tuple, groups: int = 1, bias: bool = True
) -> int:
    height, width = as_pair(kernel_size)
    if min(in_channels, height, width, groups) < 1 or in_channels % groups != 0 or out_channels % groups != 0:
        raise ValueError("an empty window, or groups that do not come out even")
    return groups * linear_parameters(in_channels // groups * height * width, out_channels // groups, bias)


def network_parameters(input_shape: Sequence[int], layers: Sequence[Mapping]) -> int:
    def count(
        shape, *, kind, out_channels=None, kernel_size=None, out_features=None, groups=1, bias=True, **_
    ):
        if kind == "conv2d":
            return conv2d_parameters(shape[-3], out_channels, kernel_size, groups, bias)
        if kind == "linear":
            return linear_parameters(shape[-1], out_features, bias)
        if kind == "batch_norm2d":
            return linear_parameters(1, shape[-3])  # each channel: one scale, one shift
        return 0

    shapes = [input_shape]
    for layer in layers:
        shapes.append(output_shape(shapes[-1], layer))
    return sum(count(shape, **layer) for shape, layer in zip(shapes, layers, strict=False))
