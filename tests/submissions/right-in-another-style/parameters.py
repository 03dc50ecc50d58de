"""Parameters are counted by building the arrays that hold them."""

import numpy as np
from helpers import demand, pair
from shapes import KINDS


def count(*arrays):
    return np.sum([array.size for array in arrays], dtype=np.int64)


def learned(*shape):
    """An array of that shape which takes no memory."""
    demand(all(length >= 1 for length in shape), shape)
    return np.broadcast_to(np.float32(0), shape)


def layer(out_channels, *inputs, bias):
    weight = learned(out_channels, *inputs)
    return count(weight, learned(out_channels)) if bias else count(weight)


def perceptron_parameters(duration, period, bias=True):
    demand(duration > 0 and period > 0, "times are positive")
    return layer(1, int(np.rint(duration / period)), bias=bias)


def linear_parameters(in_features, out_features, bias=True):
    return layer(out_features, in_features, bias=bias)


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    return layer(out_channels, in_channels, kernel_size, bias=bias)


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    demand(groups >= 1 and in_channels % groups == out_channels % groups == 0, "groups")
    return layer(out_channels, in_channels // groups, *pair(kernel_size), bias=bias)


def network_parameters(input_shape, layers):
    shape, total = input_shape, 0
    for description in layers:
        settings = {name: value for name, value in description.items() if name != "kind"}
        match description["kind"]:
            case "conv2d":
                own = {name: settings[name] for name in ("kernel_size", "groups", "bias") if name in settings}
                total += conv2d_parameters(shape[-3], settings["out_channels"], **own)
            case "linear":
                total += linear_parameters(shape[-1], **settings)
            case "batch_norm2d":
                total += count(learned(shape[-3]), learned(shape[-3]))
        shape = KINDS[description["kind"]](**settings)(shape)
    return total
