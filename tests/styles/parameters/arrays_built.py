"""Every weight and every bias really laid out as a NumPy array, and images really sent through: then count."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def sizes_of(*shapes):
    if any(side < 1 for shape in shapes for side in shape):
        raise ValueError(f"no array of a layer has a side below 1: {shapes}")
    return sum(np.zeros(shape, dtype=bool).size for shape in shapes)


def with_bias(weight, bias):
    return [weight, weight[:1]] if bias else [weight]


def perceptron_parameters(duration, period, bias=True):
    if not (duration > 0 and period > 0):
        raise ValueError("time runs forward")
    samples = np.zeros(int(duration / period + 0.5), dtype=bool)
    return samples.size + np.zeros(1 if bias else 0).size


def linear_parameters(in_features, out_features, bias=True):
    return sizes_of(*with_bias((out_features, in_features), bias))


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    return sizes_of(*with_bias((out_channels, in_channels, kernel_size), bias))


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kernel = np.broadcast_to(kernel_size, 2).tolist()
    if groups < 1:
        raise ValueError("at least one group")
    inputs = np.array_split(np.arange(max(in_channels, 0)), groups)
    outputs = np.array_split(np.arange(max(out_channels, 0)), groups)
    if len({len(group) for group in inputs}) > 1 or len({len(group) for group in outputs}) > 1:
        raise ValueError("groups of different sizes")
    return sum(
        sizes_of(*with_bias((len(into), len(out_of), *kernel), bias))
        for out_of, into in zip(inputs, outputs, strict=True)
    )


def slide(x, kernel_size, stride, padding, dilation=1):
    """One value per channel and position of a window over (C, H, W)."""
    kernel = np.broadcast_to(kernel_size, 2)
    stride = np.broadcast_to(kernel if stride is None else stride, 2)
    vertical, horizontal = np.broadcast_to(padding, 2)
    reach = np.broadcast_to(dilation, 2) * (kernel - 1) + 1
    x = np.pad(x, [(0, 0), (vertical, vertical), (horizontal, horizontal)])
    windows = sliding_window_view(x, tuple(reach), axis=(1, 2))
    return windows[:, :: stride[0], :: stride[1], 0, 0]


def network_parameters(input_shape, layers):
    x = np.zeros(input_shape[-3:], dtype=bool)  # one image; a batch shares the network
    total = 0
    for settings in layers:
        layer = dict(settings)
        kind = layer.pop("kind")
        if kind == "conv2d":
            groups, bias = layer.pop("groups", 1), layer.pop("bias", True)
            out_channels = layer.pop("out_channels")
            total += conv2d_parameters(len(x), out_channels, layer["kernel_size"], groups, bias)
            image = slide(
                x,
                layer["kernel_size"],
                layer.get("stride", 1),
                layer.get("padding", 0),
                layer.get("dilation", 1),
            )
            x = np.zeros((out_channels, *image.shape[1:]), dtype=bool)
        elif kind in ("max_pool2d", "avg_pool2d"):
            x = slide(x, layer["kernel_size"], layer.get("stride"), layer.get("padding", 0))
        elif kind == "adaptive_avg_pool2d":
            x = np.zeros((len(x), *np.broadcast_to(layer["output_size"], 2)), dtype=bool)
        elif kind == "batch_norm2d":
            total += np.stack([np.ones(len(x)), np.zeros(len(x))]).size
        elif kind == "flatten":
            x = x.ravel()
        elif kind == "linear":
            total += linear_parameters(x.size, layer["out_features"], layer.get("bias", True))
            x = np.zeros(layer["out_features"], dtype=bool)
        elif kind not in ("relu", "leaky_relu"):
            raise ValueError(kind)
    return total
