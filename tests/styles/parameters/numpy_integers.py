"""NumPy integers all the way, and back to the caller; the shapes of all layers are worked out before any is counted."""

import itertools

import numpy as np


def as_pair(size):
    return np.broadcast_to(np.asarray(size, dtype=np.int64), 2)


def perceptron_parameters(duration, period, bias=True):
    if np.any(np.array([duration, period]) <= 0):
        raise ValueError("not positive")
    return np.rint(np.divide(duration, period)).astype(np.int32) + np.int32(bias)


def linear_parameters(in_features, out_features, bias=True):
    weight = np.array([out_features, in_features], dtype=np.int64)
    if (weight < 1).any():
        raise ValueError(weight)
    return weight.prod() + bias * weight[0]


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    weight = np.array([out_channels, in_channels, kernel_size])
    if weight.min() < 1:
        raise ValueError(weight)
    return weight.prod() + np.where(bias, out_channels, 0)


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    sizes = np.array([in_channels, out_channels, groups, *as_pair(kernel_size)])
    if sizes.min() < 1 or np.mod(sizes[:2], groups).any():
        raise ValueError(sizes)
    inputs, outputs, _, height, width = sizes
    return np.multiply.reduce([outputs, inputs, height, width]) // groups + (outputs if bias else np.uint8(0))


def after(shape, layer):
    kind = layer["kind"]
    if kind == "flatten":
        return (*shape[:-3], np.prod(shape[-3:]))
    if kind == "linear":
        return (*shape[:-1], layer["out_features"])
    if kind == "adaptive_avg_pool2d":
        return (*shape[:-2], *as_pair(layer["output_size"]))
    if kind in ("conv2d", "max_pool2d", "avg_pool2d"):
        kernel = as_pair(layer["kernel_size"])
        stride = layer.get("stride") or (1 if kind == "conv2d" else layer["kernel_size"])
        reach = as_pair(layer.get("dilation", 1)) * (kernel - 1)
        sides = (np.array(shape[-2:]) + 2 * as_pair(layer.get("padding", 0)) - reach - 1) // as_pair(
            stride
        ) + 1
        return (*shape[:-3], layer.get("out_channels", shape[-3]), *sides)
    return shape


def network_parameters(input_shape, layers):
    counts = np.zeros(len(layers), dtype=np.int64)
    shapes = itertools.accumulate(layers, after, initial=tuple(input_shape))
    for index, (shape, layer) in enumerate(zip(shapes, layers, strict=False)):
        bias = layer.get("bias", True)
        if layer["kind"] == "conv2d":
            groups = layer.get("groups", 1)
            counts[index] = conv2d_parameters(
                shape[-3], layer["out_channels"], layer["kernel_size"], groups, bias
            )
        if layer["kind"] == "linear":
            counts[index] = linear_parameters(shape[-1], layer["out_features"], bias)
        if layer["kind"] == "batch_norm2d":
            counts[index] = 2 * shape[-3]
    return counts.sum()
