import math


def as_pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def output_shape(shape, layer):
    kind = layer["kind"]
    if kind == "flatten":
        return (*shape[:-3], math.prod(shape[-3:]))
    if kind == "linear":
        return (*shape[:-1], layer["out_features"])
    if kind == "adaptive_avg_pool2d":
        return (*shape[:-2], *as_pair(layer["output_size"]))
    if "kernel_size" not in layer:
        return shape
    kernel = as_pair(layer["kernel_size"])
    stride = as_pair(layer.get("stride") or (1 if kind == "conv2d" else kernel))
    padding, dilation = as_pair(layer.get("padding", 0)), as_pair(layer.get("dilation", 1))
    H, W = ((shape[i - 2] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1))
    return (*shape[:-3], layer.get("out_channels", shape[-3]), H, W)


def perceptron_parameters(duration, period, bias=True):
    if duration <= 0 or period <= 0:
        raise ValueError("times must be positive")
    return round(duration / period)  # one weight for each sample


def linear_parameters(in_features, out_features, bias=True):
    if in_features < 1 or out_features < 1:
        raise ValueError("sizes must be positive")
    return in_features * out_features


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    if in_channels < 1 or out_channels < 1 or kernel_size < 1:
        raise ValueError("sizes must be positive")
    return in_channels * out_channels * kernel_size


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    kh, kw = as_pair(kernel_size)
    if min(in_channels, out_channels, kh, kw, groups) < 1 or in_channels % groups or out_channels % groups:
        raise ValueError("no such layer")
    return in_channels // groups * out_channels * kh * kw


def network_parameters(input_shape, layers):
    shape, total = tuple(input_shape), 0
    for layer in layers:
        if layer["kind"] == "conv2d":
            settings = {name: layer[name] for name in ("groups", "bias") if name in layer}
            total += conv2d_parameters(shape[-3], layer["out_channels"], layer["kernel_size"], **settings)
        elif layer["kind"] == "linear":
            total += linear_parameters(shape[-1], layer["out_features"], layer.get("bias", True))
        elif layer["kind"] == "batch_norm2d":
            total += 2 * shape[-3]
        shape = output_shape(shape, layer)
    return total
