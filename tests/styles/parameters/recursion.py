"""A network is its first layer and the network behind it; a convolution is counted tap by tap, channel by channel."""

from decimal import ROUND_HALF_UP, Decimal


class Impossible(ValueError):
    """No such layer."""


def demand(condition):
    if not condition:
        raise Impossible


def perceptron_parameters(duration, period, bias=True):
    demand(duration > 0)
    demand(period > 0)
    quotient = Decimal(str(duration)) / Decimal(str(period))
    samples = int(quotient.to_integral_value(ROUND_HALF_UP))
    return samples + 1 if bias else samples


def linear_parameters(in_features, out_features, bias=True):
    demand(in_features > 0 and out_features > 0)
    one_neuron = in_features + 1 if bias else in_features
    return one_neuron if out_features == 1 else one_neuron * out_features


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    demand(min(in_channels, out_channels, kernel_size) > 0)
    return conv2d_parameters(in_channels, out_channels, (1, kernel_size), bias=bias)


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    height, width = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    demand(min(in_channels, out_channels, height, width, groups) > 0)
    demand(in_channels % groups == 0 == out_channels % groups)
    if groups > 1:
        return groups * conv2d_parameters(in_channels // groups, out_channels // groups, kernel_size, 1, bias)
    one_filter = sum(1 for _ in range(in_channels) for _ in range(height) for _ in range(width))
    return out_channels * (one_filter + (1 if bias else 0))


def network_parameters(input_shape, layers):
    channels, height, width = input_shape[-3:]
    return of_images(channels, height, width, list(layers))


def both(size):
    return (size, size) if isinstance(size, int) else size


def of_images(channels, height, width, layers):
    if not layers:
        return 0
    first, *rest = layers
    match first:
        case {"kind": "relu" | "leaky_relu"}:
            return of_images(channels, height, width, rest)
        case {"kind": "batch_norm2d"}:
            return channels + channels + of_images(channels, height, width, rest)
        case {"kind": "adaptive_avg_pool2d", "output_size": size}:
            return of_images(channels, *both(size), rest)
        case {"kind": "flatten"}:
            return of_vectors(channels * height * width, rest)
        case {"kind": "conv2d", "out_channels": out_channels, "kernel_size": kernel_size}:
            here = conv2d_parameters(
                channels, out_channels, kernel_size, first.get("groups", 1), first.get("bias", True)
            )
            return here + of_images(out_channels, *slid(height, width, first, 1), rest)
        case {"kind": "max_pool2d" | "avg_pool2d", "kernel_size": kernel_size}:
            return of_images(channels, *slid(height, width, first, kernel_size), rest)
    raise Impossible(first)


def of_vectors(features, layers):
    if not layers:
        return 0
    first, *rest = layers
    match first:
        case {"kind": "relu" | "leaky_relu" | "flatten"}:
            return of_vectors(features, rest)
        case {"kind": "linear", "out_features": out_features}:
            here = linear_parameters(features, out_features, first.get("bias", True))
            return here + of_vectors(out_features, rest)
    raise Impossible(first)


def slid(height, width, layer, default_stride):
    stride = layer.get("stride")
    kernel, stride = both(layer["kernel_size"]), both(default_stride if stride is None else stride)
    padding, dilation = both(layer.get("padding", 0)), both(layer.get("dilation", 1))
    return [
        (side + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) // stride[axis] + 1
        for axis, side in enumerate((height, width))
    ]
