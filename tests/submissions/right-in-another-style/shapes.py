"""A class for each kind of layer; shapes are lists."""

from dataclasses import dataclass

from helpers import demand, pair


@dataclass
class Window:
    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        demand(min(self.kernel_size, self.stride, self.dilation) > 0 <= self.padding, self)

    @property
    def reach(self):
        return (self.kernel_size - 1) * self.dilation

    def slide(self, length):
        places = range(0, length + 2 * self.padding - self.reach, self.stride)
        demand(length > 0 and len(places) > 0, "no window fits")
        return len(places)


class Conv2d:
    def __init__(self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        settings = map(pair, (kernel_size, stride, padding, dilation))
        self.out_channels = out_channels
        self.down, self.across = (Window(*axis) for axis in zip(*settings, strict=True))

    def __call__(self, shape):
        *batch, _, height, width = shape
        return [*batch, self.out_channels, self.down.slide(height), self.across.slide(width)]


class Pool2d(Conv2d):
    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__(None, kernel_size, kernel_size if stride is None else stride, padding)
        for window in (self.down, self.across):
            demand(2 * window.padding <= window.kernel_size, "more padding than half a window")

    def __call__(self, shape):
        answer = super().__call__(shape)
        answer[-3] = shape[-3]
        return answer


class AdaptivePool2d:
    def __init__(self, output_size):
        self.output_size = pair(output_size)

    def __call__(self, shape):
        return [*shape[:-2], *self.output_size]


class Elementwise:
    def __call__(self, shape):
        return list(shape)


class Flatten:
    def __call__(self, shape):
        channels, height, width = shape[-3:]
        return [*shape[:-3], channels * height * width]


class Linear:
    def __init__(self, out_features, bias=True):
        self.out_features = out_features

    def __call__(self, shape):
        demand(len(shape) < 3, "flatten first")
        return [*shape[:-1], self.out_features]


KINDS = {
    "conv2d": Conv2d,
    "max_pool2d": Pool2d,
    "avg_pool2d": Pool2d,
    "adaptive_avg_pool2d": AdaptivePool2d,
    "relu": Elementwise,
    "leaky_relu": Elementwise,
    "batch_norm2d": Elementwise,
    "flatten": Flatten,
    "linear": Linear,
}


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    return Window(kernel_size, stride, padding, dilation).slide(length)


def conv2d_output_shape(input_shape, *args, **kwargs):
    return Conv2d(*args, **kwargs)(input_shape)


def pool2d_output_shape(input_shape, *args, **kwargs):
    return Pool2d(*args, **kwargs)(input_shape)


def same_padding(kernel_size, dilation=1):
    padding, rest = divmod(Window(kernel_size, dilation=dilation).reach, 2)
    demand(rest == 0, "half a zero")
    return padding


def receptive_field(layers):
    field = 1
    for layer in reversed(layers):
        window = Window(layer[0], layer[1], 0, *layer[2:])
        field = window.stride * (field - 1) + window.reach + 1
    return field


def network_output_shape(input_shape, layers):
    shape = input_shape
    for layer in layers:
        settings = dict(layer)
        kind = settings.pop("kind")
        demand(kind in KINDS, kind)
        shape = KINDS[kind](**settings)(shape)
    return shape
