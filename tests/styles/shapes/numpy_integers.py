"""Both axes at once in NumPy arrays; every number that comes back is a NumPy integer."""

import numpy as np


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    return sides(length, kernel_size, stride, padding, dilation)[0]


def sides(lengths, kernel_size, stride, padding, dilation):
    lengths, kernel_size, stride, padding, dilation = np.atleast_1d(
        *np.broadcast_arrays(lengths, kernel_size, stride, padding, dilation)
    )
    if np.any(np.stack([lengths, kernel_size, stride, dilation]) < 1) or np.any(padding < 0):
        raise ValueError("settings must be positive")
    last_start = lengths + 2 * padding - dilation * (kernel_size - 1) - 1
    if np.any(last_start < 0):
        raise ValueError("the kernel does not fit")
    return np.floor_divide(last_start, stride) + 1


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    shape = np.array(input_shape)
    shape[-3] = out_channels
    shape[-2:] = sides(shape[-2:], kernel_size, stride, padding, dilation)
    return tuple(shape)


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if np.any(np.multiply(padding, 2) > np.asarray(kernel_size)):
        raise ValueError("pad should be at most half of the kernel size")
    shape = np.array(input_shape, dtype=np.int32)
    shape[-2:] = sides(shape[-2:], kernel_size, kernel_size if stride is None else stride, padding, 1)
    return tuple(shape)


def same_padding(kernel_size, dilation=1):
    padding, odd = np.divmod(np.int64(dilation) * (kernel_size - 1), 2)
    if odd:
        raise ValueError("no whole number")
    return padding


def receptive_field(layers):
    if not len(layers):
        return np.int64(1)
    table = np.array([(*layer, 1) if len(layer) == 2 else layer for layer in layers])
    kernel_sizes, strides, dilations = table.T
    jumps = np.concatenate([[1], np.cumprod(strides)[:-1]])
    return 1 + np.sum(dilations * (kernel_sizes - 1) * jumps)


def network_output_shape(input_shape, layers):
    shape = np.array(input_shape)
    for layer in layers:
        options = dict(layer)
        kind = options.pop("kind")
        options.pop("bias", None)
        options.pop("groups", None)
        if kind == "conv2d":
            shape = np.array(conv2d_output_shape(shape, **options))
        elif kind in {"max_pool2d", "avg_pool2d"}:
            shape = np.array(pool2d_output_shape(shape, **options))
        elif kind == "adaptive_avg_pool2d":
            shape[-2:] = options["output_size"]
        elif kind == "flatten":
            shape = np.append(shape[:-3], np.prod(shape[-3:]))
        elif kind == "linear":
            if shape.size > 2:
                raise ValueError("linear needs flat features")
            shape[-1] = options["out_features"]
        elif kind not in {"relu", "leaky_relu", "batch_norm2d"}:
            raise ValueError(f"what is {kind}?")
    return tuple(shape)
