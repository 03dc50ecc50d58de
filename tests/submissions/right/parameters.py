import math


def as_pair(size):
    """A size as (height, width): an int counts for both, a pair stays as it is."""
    return (size, size) if isinstance(size, int) else tuple(size)


def output_length(length, kernel_size, stride, padding, dilation):
    """Positions of a window of kernel_size taps, along one axis."""
    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def output_shape(shape, layer):
    """Shape after one layer (shortened from the handout: no checks)."""
    kind = layer["kind"]
    if kind in ("relu", "leaky_relu", "batch_norm2d"):
        return shape
    if kind == "linear":
        return (*shape[:-1], layer["out_features"])
    *batch, channels, height, width = shape
    if kind == "flatten":
        return (*batch, channels * height * width)
    if kind == "adaptive_avg_pool2d":
        return (*batch, channels, *as_pair(layer["output_size"]))
    kernel = as_pair(layer["kernel_size"])
    stride = layer.get("stride") or (1 if kind == "conv2d" else kernel)
    settings = zip(
        (height, width), kernel, as_pair(stride), as_pair(layer.get("padding", 0)), as_pair(layer.get("dilation", 1))
    )
    return (*batch, layer.get("out_channels", channels), *(output_length(*axis) for axis in settings))


def check(*sizes):
    if min(sizes) < 1:
        raise ValueError(f"sizes must be at least 1: {sizes}")


def perceptron_parameters(duration, period, bias=True):
    if duration <= 0 or period <= 0:
        raise ValueError("times must be positive")
    return round(duration / period) + bool(bias)


def linear_parameters(in_features, out_features, bias=True):
    check(in_features, out_features)
    return (in_features + 1) * out_features if bias else in_features * out_features


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    check(in_channels, out_channels, kernel_size)
    weights = in_channels * out_channels * kernel_size
    return weights + out_channels if bias else weights


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kh, kw = as_pair(kernel_size)
    check(in_channels, out_channels, kh, kw, groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError("groups must divide the channels")
    weights = out_channels * (in_channels // groups) * kh * kw
    return weights + out_channels if bias else weights


def network_parameters(input_shape, layers):
    shape = tuple(input_shape)
    total = 0
    for layer in layers:
        bias = layer.get("bias", True)
        if layer["kind"] == "conv2d":
            total += conv2d_parameters(
                shape[-3], layer["out_channels"], layer["kernel_size"], layer.get("groups", 1), bias
            )
        elif layer["kind"] == "linear":
            total += linear_parameters(shape[-1], layer["out_features"], bias)
        elif layer["kind"] == "batch_norm2d":
            total += 2 * shape[-3]
        shape = output_shape(shape, layer)
    return total
