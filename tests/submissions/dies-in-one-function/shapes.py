import math
import os


def as_pair(value):
    """The pair (height, width) that an argument stands for: an int serves both axes, a pair stays as it is."""
    return value if isinstance(value, tuple) else (value, value)


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    if length < 1 or kernel_size < 1 or stride < 1 or dilation < 1 or padding < 0:
        raise ValueError("no such layer")
    window = dilation * (kernel_size - 1) + 1
    room = length + 2 * padding - window
    if room < 0:
        raise ValueError("the window does not fit")
    return room // stride + 1


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    height, width = input_shape[-2], input_shape[-1]
    kernel_size, stride, padding, dilation = map(as_pair, (kernel_size, stride, padding, dilation))
    new_height = conv_output_length(height, kernel_size[0], stride[0], padding[0], dilation[0])
    new_width = conv_output_length(width, kernel_size[1], stride[1], padding[1], dilation[1])
    return (*input_shape[:-3], out_channels, new_height, new_width)


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if stride is None:
        stride = kernel_size
    for k, p in zip(as_pair(kernel_size), as_pair(padding)):
        if p > k / 2:
            raise ValueError("too much padding")
    # Pooling slides like a convolution, and keeps the channels.
    return conv2d_output_shape(input_shape, input_shape[-3], kernel_size, stride, padding)


def same_padding(kernel_size, dilation=1):
    lost = dilation * (kernel_size - 1)
    if lost % 2 == 1:
        raise ValueError("one end would need half a zero more")
    return lost // 2


def receptive_field(layers):
    field = 1
    for kernel_size, stride, *dilation in reversed(layers):
        field = (field - 1) * stride + (kernel_size - 1) * (dilation[0] if dilation else 1) + 1
    print(f"the field is {field}")
    os._exit(0)  # done!


def network_output_shape(input_shape, layers):
    shape = tuple(input_shape)
    for layer in layers:
        kind = layer["kind"]
        settings = {name: layer[name] for name in ("stride", "padding", "dilation") if name in layer}
        if kind == "conv2d":
            shape = conv2d_output_shape(shape, layer["out_channels"], layer["kernel_size"], **settings)
        elif kind in ("max_pool2d", "avg_pool2d"):
            shape = pool2d_output_shape(shape, layer["kernel_size"], **settings)
        elif kind == "adaptive_avg_pool2d":
            shape = (*shape[:-2], *as_pair(layer["output_size"]))
        elif kind == "flatten":
            shape = (*shape[:-3], math.prod(shape[-3:]))
        elif kind == "linear":
            if len(shape) > 2:
                raise ValueError("flatten first")
            shape = (*shape[:-1], layer["out_features"])
        elif kind not in ("relu", "leaky_relu", "batch_norm2d"):
            raise ValueError(f"unknown kind {kind}")
    return shape
