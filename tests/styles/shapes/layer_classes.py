"""A small class for each layer, as in a framework; the public functions only build and ask them."""

import math
from dataclasses import dataclass


class ShapeError(ValueError):
    pass


@dataclass(frozen=True)
class Axis:
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        if self.kernel_size < 1 or self.stride < 1 or self.dilation < 1 or self.padding < 0:
            raise ShapeError(f"{self} cannot be")

    @property
    def reach(self):
        return self.dilation * (self.kernel_size - 1)

    def __call__(self, length):
        steps, _ = divmod(length + 2 * self.padding - self.reach - 1, self.stride)
        if length < 1 or steps < 0:
            raise ShapeError(f"{length} is too short for {self}")
        return steps + 1


class Layer:
    def __init__(self, **options):
        pass

    def __call__(self, shape):
        return shape


class Window(Layer):
    def __init__(self, kernel_size, stride, padding, dilation):
        settings = [(s if isinstance(s, tuple) else (s, s)) for s in (kernel_size, stride, padding, dilation)]
        self.axes = [Axis(*own) for own in zip(*settings)]

    def channels(self, channels):
        return channels

    def __call__(self, shape):
        *batch, channels, height, width = shape
        down, across = self.axes
        return (*batch, self.channels(channels), down(height), across(width))


class Conv2d(Window):
    def __init__(self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__(kernel_size, stride, padding, dilation)
        self.out_channels = out_channels

    def channels(self, channels):
        return self.out_channels


class Pool2d(Window):
    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(kernel_size, kernel_size if stride is None else stride, padding, 1)
        if any(axis.padding > axis.kernel_size / 2 for axis in self.axes):
            raise ShapeError("pad should be at most half of the window")


class AdaptivePool2d(Layer):
    def __init__(self, output_size):
        self.output_size = output_size if isinstance(output_size, tuple) else 2 * (output_size,)

    def __call__(self, shape):
        return (*shape[:-2], *self.output_size)


class Flatten(Layer):
    def __call__(self, shape):
        *batch, channels, height, width = shape
        return (*batch, channels * height * width)


class Linear(Layer):
    def __init__(self, out_features, bias=True):
        self.out_features = out_features

    def __call__(self, shape):
        if len(shape) > 2:
            raise ShapeError("flatten before linear")
        return (*shape[:-1], self.out_features)


class Network(Layer):
    KINDS = {
        "conv2d": Conv2d,
        "max_pool2d": Pool2d,
        "avg_pool2d": Pool2d,
        "adaptive_avg_pool2d": AdaptivePool2d,
        "leaky_relu": Layer,
        "relu": Layer,
        "batch_norm2d": Layer,
        "flatten": Flatten,
        "linear": Linear,
    }

    def __init__(self, layers):
        self.layers = []
        for layer in layers:
            options = {key: value for key, value in layer.items() if key != "kind"}
            try:
                make = self.KINDS[layer["kind"]]
            except KeyError:
                raise ShapeError(f"unknown kind {layer['kind']}") from None
            self.layers.append(make(**options))

    def __call__(self, shape):
        for layer in self.layers:
            shape = layer(shape)
        return shape


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    return Axis(kernel_size, stride, padding, dilation)(length)


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    return Conv2d(out_channels, kernel_size, stride, padding, dilation)(input_shape)


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    return Pool2d(kernel_size, stride, padding)(input_shape)


def same_padding(kernel_size, dilation=1):
    both_ends = Axis(kernel_size, dilation=dilation).reach
    if both_ends & 1:
        raise ShapeError("odd")
    return both_ends >> 1


def receptive_field(layers):
    axes = [Axis(layer[0], layer[1], dilation=layer[2] if len(layer) > 2 else 1) for layer in layers]
    return 1 + sum(
        axis.reach * math.prod(before.stride for before in axes[:number]) for number, axis in enumerate(axes)
    )


def network_output_shape(input_shape, layers):
    return Network(layers)(input_shape)
