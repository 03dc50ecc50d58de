"""Asks NumPy: windows are laid over arrays without memory behind them, and the answer is read off their shape."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def dummy(shape):
    return np.broadcast_to(np.int8(0), shape)


def slide(x, axis, kernel_size, stride, padding, dilation):
    if min(x.shape[axis], kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("not a layer")
    shape = list(x.shape)
    shape[axis] += 2 * padding
    windows = sliding_window_view(
        dummy(shape), dilation * (kernel_size - 1) + 1, axis
    )  # ValueError: too large
    assert windows[..., ::dilation].shape[-1] == kernel_size
    return windows[..., 0].swapaxes(0, axis)[::stride].swapaxes(0, axis)


def image(x, kernel_size, stride, padding, dilation=1):
    for axis in (0, 1):
        settings = (np.broadcast_to(s, 2)[axis] for s in (kernel_size, stride, padding, dilation))
        x = slide(x, axis - 2, *(int(s) for s in settings))
    return x


def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    if length < 1:
        raise ValueError("an empty signal")
    return len(slide(dummy((length,)), 0, kernel_size, stride, padding, dilation))


def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    x = image(dummy(input_shape), kernel_size, stride, padding, dilation)
    filters = [x[..., 0, :, :]] * out_channels
    return np.broadcast_shapes(x[..., :1, :, :].shape, (len(filters), 1, 1))


def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    if (2 * np.array(padding) > np.array(kernel_size)).any():
        raise ValueError("more padding than half a window")
    return image(dummy(input_shape), kernel_size, kernel_size if stride is None else stride, padding).shape


def same_padding(kernel_size, dilation=1):
    lost = 10_000 - conv_output_length(10_000, kernel_size, dilation=dilation)
    if lost % 2:
        raise ValueError("it does not come out even")
    return lost // 2


def receptive_field(layers):
    seen = np.array([0])  # the one output; now backwards, each layer's taps of all that is seen
    for kernel_size, stride, *dilation in list(layers)[::-1]:
        taps = np.arange(kernel_size) * (dilation[0] if dilation else 1)
        seen = np.unique(seen[:, None] * stride + taps)
    return np.ptp(seen) + 1


def network_output_shape(input_shape, layers):
    x = dummy(input_shape)
    for layer in layers:
        kind, rest = layer["kind"], {k: v for k, v in layer.items() if k not in ("kind", "groups", "bias")}
        if kind in ("relu", "leaky_relu", "batch_norm2d"):
            x = x[...]
        elif kind == "conv2d":
            x = dummy(conv2d_output_shape(x.shape, **rest))
        elif kind in ("max_pool2d", "avg_pool2d"):
            x = dummy(pool2d_output_shape(x.shape, **rest))
        elif kind == "adaptive_avg_pool2d":
            rows, columns = np.broadcast_to(rest["output_size"], 2)
            x = dummy((*x.shape[:-2], rows, columns))
        elif kind == "flatten":
            x = dummy(x.shape[:-3] + (x[(0,) * (x.ndim - 3)].size,))
        elif kind == "linear":
            if x.ndim > 2:
                raise ValueError("not flat yet")
            x = x @ np.zeros((x.shape[-1], rest["out_features"]), dtype=np.int8)
        else:
            raise ValueError("no such layer")
    return x.shape
