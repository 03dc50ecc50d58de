"""Every function on its own, none calls another; float arithmetic turned into ints at the end, lists for tuples."""

import math

import numpy as np


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    if not (length >= 1 and kernel_size >= 1 and stride >= 1 and dilation >= 1 and padding >= 0):
        raise ValueError("bad argument")
    out = int(np.floor((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1))
    if out < 1:
        raise ValueError("no output")
    return out


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    stride = (stride, stride) if isinstance(stride, int) else stride
    padding = (padding, padding) if isinstance(padding, int) else padding
    dilation = (dilation, dilation) if isinstance(dilation, int) else dilation
    if (
        min(kernel_size) < 1
        or min(stride) < 1
        or min(dilation) < 1
        or min(padding) < 0
        or min(input_shape) < 1
    ):
        raise ValueError("bad argument")
    h = math.floor(
        (input_shape[-2] + 2 * padding[0] - dilation[0] * (kernel_size[0] - 1) - 1) / stride[0] + 1
    )
    w = math.floor(
        (input_shape[-1] + 2 * padding[1] - dilation[1] * (kernel_size[1] - 1) - 1) / stride[1] + 1
    )
    if h <= 0 or w <= 0:
        raise ValueError("no output")
    if len(input_shape) == 4:
        return [input_shape[0], out_channels, h, w]
    return [out_channels, h, w]


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    kh, kw = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    if stride is None:
        sh, sw = kh, kw
    else:
        sh, sw = (stride, stride) if isinstance(stride, int) else stride
    ph, pw = (padding, padding) if isinstance(padding, int) else padding
    if kh < 1 or kw < 1 or sh < 1 or sw < 1 or ph < 0 or pw < 0 or ph > kh // 2 or pw > kw // 2:
        raise ValueError("bad argument")
    out = list(input_shape)
    out[-2] = (input_shape[-2] + 2 * ph - kh + sh) // sh
    out[-1] = (input_shape[-1] + 2 * pw - kw + sw) // sw
    if out[-2] < 1 or out[-1] < 1:
        raise ValueError("no output")
    return out


def same_padding(kernel_size, dilation=1):
    padding = dilation * (kernel_size - 1) / 2
    if padding != int(padding):
        raise ValueError("half a zero")
    return int(padding)


def receptive_field(layers):
    field, jump = 1, 1.0
    for layer in layers:
        spread = 1 if len(layer) == 2 else layer[2]
        field = field + (layer[0] - 1) * spread * jump
        jump = jump * layer[1]
    return round(field)


def network_output_shape(input_shape, layers):
    def two(value):
        return (value, value) if isinstance(value, int) else value

    batch = list(input_shape[:-3])
    image = list(input_shape[-3:])  # a single entry once it is flat
    for layer in layers:
        match layer:
            case {"kind": "conv2d"}:
                image[0] = layer["out_channels"]
                for axis in (0, 1):
                    k, s = two(layer["kernel_size"])[axis], two(layer.get("stride", 1))[axis]
                    p, d = two(layer.get("padding", 0))[axis], two(layer.get("dilation", 1))[axis]
                    image[axis + 1] = (image[axis + 1] + 2 * p - d * (k - 1) - 1) // s + 1
            case {"kind": "max_pool2d" | "avg_pool2d", "kernel_size": kernel_size}:
                stride = kernel_size if layer.get("stride") is None else layer["stride"]
                for axis in (0, 1):
                    k, s, p = two(kernel_size)[axis], two(stride)[axis], two(layer.get("padding", 0))[axis]
                    image[axis + 1] = (image[axis + 1] + 2 * p - k) // s + 1
            case {"kind": "adaptive_avg_pool2d", "output_size": size}:
                image[1:] = two(size)
            case {"kind": "flatten"}:
                image = [image[0] * image[1] * image[2]]
            case {"kind": "linear", "out_features": features}:
                if len(image) == 3:
                    raise ValueError("flatten first")
                image = [features]
            case {"kind": "relu" | "leaky_relu" | "batch_norm2d"}:
                pass
            case _:
                raise ValueError("unknown layer")
    return batch + image
