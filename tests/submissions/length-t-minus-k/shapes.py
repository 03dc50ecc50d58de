import math


def as_pair(value):
    return value if isinstance(value, tuple) else (value, value)


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    if min(length, kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("not a layer")
    # T - k, as on the slide
    output = (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride
    if output < 1:
        raise ValueError("nothing left")
    return output


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    settings = list(map(as_pair, (kernel_size, stride, padding, dilation)))
    H, W = (conv_output_length(n, *(s[axis] for s in settings)) for axis, n in enumerate(input_shape[-2:]))
    return (*input_shape[:-3], out_channels, H, W)


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if any(2 * p > k for p, k in zip(as_pair(padding), as_pair(kernel_size))):
        raise ValueError("too much padding")
    stride = kernel_size if stride is None else stride
    return conv2d_output_shape(input_shape, input_shape[-3], kernel_size, stride, padding)


def same_padding(kernel_size, dilation=1):
    lost = dilation * (kernel_size - 1)
    if lost % 2:
        raise ValueError("odd")
    return lost // 2


def receptive_field(layers):
    field = 1
    for kernel_size, stride, *dilation in reversed(layers):
        field = (field - 1) * stride + (kernel_size - 1) * (dilation[0] if dilation else 1) + 1
    return field


def network_output_shape(input_shape, layers):
    shape = tuple(input_shape)
    for layer in layers:
        kind = layer["kind"]
        window = {k: v for k, v in layer.items() if k in ("kernel_size", "stride", "padding", "dilation")}
        if kind == "conv2d":
            shape = conv2d_output_shape(shape, layer["out_channels"], **window)
        elif kind in ("max_pool2d", "avg_pool2d"):
            shape = pool2d_output_shape(shape, **window)
        elif kind == "adaptive_avg_pool2d":
            shape = (*shape[:-2], *as_pair(layer["output_size"]))
        elif kind == "flatten":
            shape = (*shape[:-3], math.prod(shape[-3:]))
        elif kind == "linear" and len(shape) < 3:
            shape = (*shape[:-1], layer["out_features"])
        elif kind not in ("relu", "leaky_relu", "batch_norm2d"):
            raise ValueError(kind)
    return shape
