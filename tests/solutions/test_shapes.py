"""The master of `shapes` against PyTorch's own layers, and against the definitions in its handout."""

import doctest
import itertools
from typing import Any

import numpy as np
import pytest
import shapes
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import (
    conv2d_output_shape,
    conv_output_length,
    network_output_shape,
    pool2d_output_shape,
    receptive_field,
    same_padding,
)

drawn = settings(max_examples=150, deadline=None)

# Drawn small, so that every combination of exact fit, left-over samples and no fit at all comes up often.
lengths = st.integers(1, 24)
kernel_sizes = st.integers(1, 7)
strides = st.integers(1, 5)
paddings = st.integers(0, 5)
dilations = st.integers(1, 4)
channels = st.integers(1, 5)


def one_or_two(values):
    """An int for both axes or a pair (height, width)."""
    return values | st.tuples(values, values)


images = st.tuples(channels, lengths, lengths) | st.tuples(st.integers(1, 3), channels, lengths, lengths)


def returned(function, *args, **kwargs):
    """What a function of the master returns, or None where it refuses."""
    try:
        return function(*args, **kwargs)
    except ValueError:
        return None


def torch_shape(layer, shape):
    """What shape a torch layer makes of an input, or None where torch refuses."""
    try:
        with torch.no_grad():
            return tuple(layer(torch.zeros(shape)).shape)
    except RuntimeError:
        return None


@drawn
@given(lengths, kernel_sizes, strides, paddings, dilations)
def test_conv_output_length_is_that_of_torch_conv1d(length, kernel_size, stride, padding, dilation):
    layer = torch.nn.Conv1d(1, 1, kernel_size, stride, padding, dilation)
    shape = torch_shape(layer, (1, 1, length))
    expected = None if shape is None else shape[-1]
    assert returned(conv_output_length, length, kernel_size, stride, padding, dilation) == expected


@drawn
@given(lengths, kernel_sizes, strides, paddings, dilations)
def test_conv_output_length_counts_the_windows_of_the_handout(length, kernel_size, stride, padding, dilation):
    starts = itertools.takewhile(
        lambda start: start + dilation * (kernel_size - 1) <= length + 2 * padding - 1,
        itertools.count(step=stride),
    )
    windows = len(list(starts))
    assert returned(conv_output_length, length, kernel_size, stride, padding, dilation) == (windows or None)


@pytest.mark.parametrize("mode", ["valid", "full"])
@drawn
@given(length=lengths, width=kernel_sizes)
def test_conv_output_length_is_that_of_numpy_convolve(mode, length, width):
    if width > length:  # numpy.convolve would swap signal and filter
        length, width = width, length
    padding = 0 if mode == "valid" else width - 1
    expected = len(np.convolve(np.zeros(length), np.zeros(width), mode))
    assert conv_output_length(length, width, padding=padding) == expected


@drawn
@given(
    images,
    channels,
    one_or_two(kernel_sizes),
    one_or_two(strides),
    one_or_two(paddings),
    one_or_two(dilations),
)
def test_conv2d_output_shape_is_that_of_torch_conv2d(shape, out_channels, kernel_size, stride, padding, dilation):
    layer = torch.nn.Conv2d(shape[-3], out_channels, kernel_size, stride, padding, dilation)
    expected = torch_shape(layer, shape)
    assert returned(conv2d_output_shape, shape, out_channels, kernel_size, stride, padding, dilation) == expected


@pytest.mark.parametrize("layer_class", [torch.nn.MaxPool2d, torch.nn.AvgPool2d])
@drawn
@given(
    shape=images,
    kernel_size=one_or_two(kernel_sizes),
    stride=st.none() | one_or_two(strides),
    padding=one_or_two(st.integers(0, 3)),
)
def test_pool2d_output_shape_is_that_of_torch(layer_class, shape, kernel_size, stride, padding):
    expected = torch_shape(layer_class(kernel_size, stride, padding), shape)
    assert returned(pool2d_output_shape, shape, kernel_size, stride, padding) == expected


@drawn
@given(kernel_sizes, dilations)
def test_same_padding_is_the_one_that_keeps_every_length(kernel_size, dilation):
    keeps = [
        padding
        for padding in range(20)
        if all(
            returned(conv_output_length, length, kernel_size, 1, padding, dilation) == length for length in range(1, 30)
        )
    ]
    assert [returned(same_padding, kernel_size, dilation)] == (keeps or [None])


@drawn
@given(kernel_sizes, dilations, lengths)
def test_same_padding_agrees_with_torch(kernel_size, dilation, length):
    padding = returned(same_padding, kernel_size, dilation)
    if padding is not None:
        layer = torch.nn.Conv1d(1, 1, kernel_size, padding=padding, dilation=dilation)
        assert torch_shape(layer, (1, 1, length)) == (1, 1, length)


@drawn
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3))
        | st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)),
        max_size=4,
    )
)
def test_receptive_field_is_where_the_gradient_of_one_output_reaches(layers):
    x = torch.zeros(1, 1, 1500, requires_grad=True)  # beyond the largest field that these draws can give
    y = x * 1
    for kernel_size, stride, *dilation in layers:
        ones = torch.ones(1, 1, kernel_size)  # positive weights: no two ways can cancel
        y = torch.nn.functional.conv1d(y, ones, stride=stride, dilation=dilation or 1)
    y[0, 0, y.shape[-1] // 2].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0]).ravel()
    assert receptive_field(layers) == int(seen[-1] - seen[0]) + 1


@drawn
@given(st.lists(st.tuples(kernel_sizes, strides, dilations), max_size=5))
def test_receptive_field_is_the_shortest_input_that_gives_one_output(layers):
    def outputs(length):
        for layer in layers:
            length = returned(conv_output_length, length, layer[0], layer[1], 0, layer[2])
            if length is None:
                return 0
        return length

    field = receptive_field(layers)
    assert outputs(field) == 1
    assert field == 1 or outputs(field - 1) == 0


def spatial_layers():
    """Layers of a network before it is flattened, with and without the arguments that have defaults."""
    kernel_size = one_or_two(st.integers(1, 3))
    small = one_or_two(st.integers(1, 2))
    conv2d = st.fixed_dictionaries(
        {"kind": st.just("conv2d"), "out_channels": st.sampled_from([2, 4, 6]), "kernel_size": kernel_size},
        optional={
            "stride": small,
            "padding": one_or_two(st.integers(0, 2)),
            "dilation": small,
            "groups": st.integers(1, 2),
            "bias": st.booleans(),
        },
    )
    pool2d = st.fixed_dictionaries(
        {"kind": st.sampled_from(["max_pool2d", "avg_pool2d"]), "kernel_size": one_or_two(st.integers(2, 3))},
        optional={"stride": st.none() | small, "padding": one_or_two(st.integers(0, 1))},
    )
    adaptive = st.fixed_dictionaries(
        {"kind": st.just("adaptive_avg_pool2d"), "output_size": one_or_two(st.integers(1, 9))}
    )
    same = st.fixed_dictionaries({"kind": st.sampled_from(["leaky_relu", "relu", "batch_norm2d"])})
    return st.lists(conv2d | pool2d | adaptive | same, max_size=5)


def head_layers():
    """A flatten and what may follow it."""
    linear = st.fixed_dictionaries(
        {"kind": st.just("linear"), "out_features": st.integers(1, 9)}, optional={"bias": st.booleans()}
    )
    activation = st.fixed_dictionaries({"kind": st.sampled_from(["leaky_relu", "relu"])})
    return st.lists(linear | activation, max_size=3).map(lambda layers: [{"kind": "flatten"}, *layers])


def torch_layer(layer, shape):
    """The torch layer of a description, for an input of a given shape with a batch axis."""
    options = {name: value for name, value in layer.items() if name != "kind"}
    makers = {
        "conv2d": lambda: torch.nn.Conv2d(shape[1], **options),
        "max_pool2d": lambda: torch.nn.MaxPool2d(**options),
        "avg_pool2d": lambda: torch.nn.AvgPool2d(**options),
        "adaptive_avg_pool2d": lambda: torch.nn.AdaptiveAvgPool2d(**options),
        "leaky_relu": lambda: torch.nn.LeakyReLU(0.1),
        "relu": torch.nn.ReLU,
        "batch_norm2d": lambda: torch.nn.BatchNorm2d(shape[1]).eval(),
        "flatten": torch.nn.Flatten,
        "linear": lambda: torch.nn.Linear(shape[1], **options),
    }
    return makers[layer["kind"]]()


@drawn
@given(
    st.booleans(),
    st.integers(2, 3),
    st.sampled_from([2, 4]),
    st.integers(9, 40),
    st.integers(9, 40),
    spatial_layers(),
    st.just([]) | head_layers(),
)
def test_network_output_shape_is_that_of_the_torch_network(batched, count, depth, height, width, body, head):
    shape = (count, depth, height, width)
    layers = body + head
    expected = shape
    for layer in layers:
        expected = torch_shape(torch_layer(layer, expected), expected)
        if expected is None:
            break
    if not batched:
        shape, expected = shape[1:], expected and expected[1:]
    assert returned(network_output_shape, shape, layers) == expected


def test_the_network_of_the_handout():
    """The worked example of part 6, layer by layer."""
    layers = [
        {"kind": "conv2d", "out_channels": 32, "kernel_size": 2},
        {"kind": "leaky_relu"},
        {"kind": "adaptive_avg_pool2d", "output_size": 4},
        {"kind": "conv2d", "out_channels": 64, "kernel_size": 2},
        {"kind": "leaky_relu"},
        {"kind": "adaptive_avg_pool2d", "output_size": 2},
        {"kind": "flatten"},
        {"kind": "linear", "out_features": 10},
    ]
    after = [network_output_shape((5, 3, 128, 128), layers[:count]) for count in range(len(layers) + 1)]
    assert after == [
        (5, 3, 128, 128),
        (5, 32, 127, 127),
        (5, 32, 127, 127),
        (5, 32, 4, 4),
        (5, 64, 3, 3),
        (5, 64, 3, 3),
        (5, 64, 2, 2),
        (5, 256),
        (5, 10),
    ]


def test_the_examples_in_the_docstrings():
    results = doctest.testmod(shapes)
    assert results.attempted >= 10
    assert results.failed == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("length", 0), ("kernel_size", 0), ("stride", 0), ("stride", -1), ("dilation", 0), ("padding", -1)],
)
def test_conv_output_length_refuses_what_no_layer_can_have(name, value):
    arguments = {"length": 9, "kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}
    assert conv_output_length(**arguments) == 4
    with pytest.raises(ValueError, match="must"):
        conv_output_length(**(arguments | {name: value}))


@pytest.mark.parametrize("arguments", [(0, 3, 1, 4), (7, 0), (7, -2), (3, 3, -1), (9, 3, 1, -1), (9, 3, 1, 0, 0)])
def test_conv_output_length_refuses_them_even_where_the_formula_gives_a_number(arguments):
    with pytest.raises(ValueError, match="must"):
        conv_output_length(*arguments)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("name", "value"),
    [("kernel_size", 0), ("kernel_size", 30), ("stride", 0), ("padding", -1), ("dilation", 0)],
)
def test_conv2d_output_shape_refuses_either_axis(axis, name, value):
    pair = [2, 2]
    pair[axis] = value
    arguments: dict[str, Any] = {"kernel_size": 2, name: tuple(pair)}
    with pytest.raises(ValueError, match=r"must|fit"):
        conv2d_output_shape((3, 11, 13), 5, **arguments)


@pytest.mark.parametrize(
    ("kernel_size", "padding"), [(3, 2), (2, 2), ((2, 5), (2, 0)), ((5, 2), (0, 2)), (1, 1), ((4, 7), 3)]
)
def test_pool2d_output_shape_refuses_padding_beyond_half_a_kernel(kernel_size, padding):
    with pytest.raises(ValueError, match="half"):
        pool2d_output_shape((3, 11, 13), kernel_size, padding=padding)


@pytest.mark.parametrize("options", [{"stride": 0}, {"stride": (1, 0)}, {"padding": -1}, {"kernel_size": (12, 2)}])
def test_pool2d_output_shape_refuses_what_a_convolution_refuses(options):
    with pytest.raises(ValueError, match=r"must|fit"):
        pool2d_output_shape((3, 11, 13), **({"kernel_size": 2} | options))


@pytest.mark.parametrize("kind", ["conv3d", "Conv2d", "", "softmax"])
def test_network_output_shape_refuses_an_unknown_kind(kind):
    with pytest.raises(ValueError, match="unknown kind"):
        network_output_shape((3, 11, 13), [{"kind": "relu"}, {"kind": kind}])


@pytest.mark.parametrize("shape", [(3, 11, 13), (2, 3, 11, 13)])
def test_network_output_shape_refuses_a_linear_layer_before_flatten(shape):
    with pytest.raises(ValueError, match="flattened"):
        network_output_shape(shape, [{"kind": "linear", "out_features": 5}, {"kind": "flatten"}])


def test_arguments_are_left_as_they_were():
    chain = [(3, 2), (2, 1, 2)]
    layers = [
        {"kind": "conv2d", "out_channels": 5, "kernel_size": 2, "groups": 1, "bias": False},
        {"kind": "flatten"},
        {"kind": "linear", "out_features": 7, "bias": True},
    ]
    before = repr((chain, layers))
    receptive_field(chain)
    network_output_shape((3, 11, 13), layers)
    assert repr((chain, layers)) == before


@pytest.mark.parametrize(
    "result",
    [
        (conv_output_length(9, 2, 2),),
        conv2d_output_shape((2, 3, 11, 13), 5, 2, 3),
        pool2d_output_shape((2, 3, 11, 13), 2),
        (same_padding(5, 2),),
        (receptive_field([(3, 2)]),),
        network_output_shape((2, 3, 11, 13), [{"kind": "flatten"}, {"kind": "linear", "out_features": 7}]),
    ],
    ids=["conv_output_length", "conv2d", "pool2d", "same_padding", "receptive_field", "network"],
)
def test_whole_numbers_are_python_ints(result):
    assert isinstance(result, tuple)
    assert all(type(number) is int for number in result)
