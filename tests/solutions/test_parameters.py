"""The master of `parameters` against outside truth: PyTorch's own layers, and exact fractions for samples."""

import copy
import doctest
from fractions import Fraction

import parameters
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from parameters import (
    conv1d_parameters,
    conv2d_parameters,
    linear_parameters,
    network_parameters,
    output_shape,
    perceptron_parameters,
)

sizes = st.integers(1, 12)
unhurried = settings(deadline=None)  # the first layer of a kind makes PyTorch load what it needs


def pairs(least: int, most: int) -> st.SearchStrategy:
    """What PyTorch takes for two axes: one number, or a pair (height, width)."""
    number = st.integers(least, most)
    return number | st.tuples(number, number)


def count(module: torch.nn.Module) -> int:
    """PyTorch's own count of what a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def as_module(shape: tuple[int, ...], layer: dict) -> torch.nn.Module:
    """The PyTorch layer that a dictionary describes, for what has the given shape."""
    settings_of = {name: value for name, value in layer.items() if name != "kind"}
    match layer["kind"]:
        case "conv2d":
            return torch.nn.Conv2d(shape[-3], **settings_of)
        case "max_pool2d":
            return torch.nn.MaxPool2d(**settings_of)
        case "avg_pool2d":
            return torch.nn.AvgPool2d(**settings_of)
        case "adaptive_avg_pool2d":
            return torch.nn.AdaptiveAvgPool2d(**settings_of)
        case "batch_norm2d":
            return torch.nn.BatchNorm2d(shape[-3]).eval()  # training refuses a single value per channel
        case "relu":
            return torch.nn.ReLU()
        case "leaky_relu":
            return torch.nn.LeakyReLU(0.1)
        case "flatten":
            return torch.nn.Flatten(start_dim=max(len(shape) - 3, 0))
        case "linear":
            return torch.nn.Linear(shape[-1], **settings_of)
        case kind:
            raise AssertionError(kind)


def observed_shape(module: torch.nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that PyTorch itself gives."""
    with torch.no_grad():
        return tuple(module(torch.zeros(shape)).shape)


@st.composite
def convolutions(draw: st.DrawFn, channels: int) -> dict:
    """A conv2d layer for so many channels, with some of its settings left out."""
    groups = draw(st.sampled_from([divisor for divisor in range(1, channels + 1) if channels % divisor == 0]))
    optional = {
        "stride": pairs(1, 3),
        "padding": pairs(0, 2),
        "dilation": pairs(1, 3),
        "groups": st.just(groups),
        "bias": st.booleans(),
    }
    chosen = draw(st.fixed_dictionaries({"kernel_size": pairs(1, 4)}, optional=optional))
    multiple = chosen.get("groups", 1)
    return {"kind": "conv2d", "out_channels": multiple * draw(st.integers(1, 4)), **chosen}


@st.composite
def poolings(draw: st.DrawFn) -> dict:
    """A pooling layer; its padding may be too large."""
    if draw(st.booleans()):
        return {"kind": "adaptive_avg_pool2d", "output_size": draw(pairs(1, 5))}
    optional = {"stride": st.none() | pairs(1, 3), "padding": pairs(0, 2)}
    chosen = draw(st.fixed_dictionaries({"kernel_size": pairs(1, 4)}, optional=optional))
    return {"kind": draw(st.sampled_from(["max_pool2d", "avg_pool2d"])), **chosen}


def plain(*kinds: str) -> st.SearchStrategy[dict]:
    return st.sampled_from([{"kind": kind} for kind in kinds])


def fits(shape: tuple[int, ...], layer: dict) -> bool:
    """Whether PyTorch itself runs the layer on that shape."""
    try:
        observed_shape(as_module(shape, layer), shape)
    except (RuntimeError, ValueError):
        return False
    return True


@st.composite
def networks(draw: st.DrawFn) -> tuple[tuple[int, ...], list[dict], torch.nn.Sequential]:
    """An input shape, a network that runs on it, and the same in PyTorch, which also says the shapes."""
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    image = draw(st.tuples(st.integers(1, 6), st.integers(4, 14), st.integers(4, 14)))
    input_shape = shape = (*batch, *image)
    layers, modules = [], []

    def append(layer: dict) -> None:
        nonlocal shape
        module = as_module(shape, layer)
        shape = observed_shape(module, shape)
        layers.append(layer)
        modules.append(module)

    for _ in range(draw(st.integers(0, 6))):
        without_parameters = plain("relu", "leaky_relu", *(["batch_norm2d"] if batch else []))
        layer = draw(convolutions(shape[-3]) | poolings() | without_parameters)
        if fits(shape, layer):
            append(layer)
    if draw(st.booleans()):
        append({"kind": "flatten"})
        for _ in range(draw(st.integers(0, 3))):
            chosen = draw(st.fixed_dictionaries({"out_features": sizes}, optional={"bias": st.booleans()}))
            append({"kind": "linear", **chosen})
            append(draw(plain("relu", "leaky_relu")))
    return input_shape, layers, torch.nn.Sequential(*modules)


@pytest.mark.parametrize(
    ("duration", "period", "weights"), [(1, 0.1, 10), (7200, 0.1, 72_000), (0.3, 0.1, 3), (2.1, 0.3, 7)]
)
def test_a_neuron_has_a_weight_for_each_sample_and_one_bias(duration, period, weights):
    assert perceptron_parameters(duration, period, bias=False) == weights
    assert perceptron_parameters(duration, period) == weights + 1


@unhurried
@given(
    samples=st.integers(1, 10**6),
    fraction=st.floats(-0.49, 0.49),
    period=st.floats(1e-3, 1e3),
    bias=st.booleans(),
)
def test_samples_are_rounded_to_the_nearest_whole_number(samples, fraction, period, bias):
    duration = (samples + fraction) * period
    exact = Fraction(duration) / Fraction(period)
    assume(abs(exact - samples) < Fraction(1, 2))
    assert perceptron_parameters(duration, period, bias) == samples + bias


@unhurried
@given(sizes, sizes, st.booleans())
def test_linear_counts_as_pytorch(in_features, out_features, bias):
    assert linear_parameters(in_features, out_features, bias) == count(torch.nn.Linear(in_features, out_features, bias))


@unhurried
@given(sizes, sizes, sizes, st.booleans())
def test_conv1d_counts_as_pytorch(in_channels, out_channels, kernel_size, bias):
    module = torch.nn.Conv1d(in_channels, out_channels, kernel_size, bias=bias)
    assert conv1d_parameters(in_channels, out_channels, kernel_size, bias) == count(module)


@unhurried
@given(sizes, sizes, pairs(1, 5), st.integers(1, 6), st.booleans())
def test_conv2d_counts_and_refuses_as_pytorch(in_channels, out_channels, kernel_size, groups, bias):
    arguments = {"kernel_size": kernel_size, "groups": groups, "bias": bias}
    try:
        module = torch.nn.Conv2d(in_channels, out_channels, **arguments)
    except ValueError:
        with pytest.raises(ValueError, match="groups"):
            conv2d_parameters(in_channels, out_channels, **arguments)
    else:
        assert conv2d_parameters(in_channels, out_channels, **arguments) == count(module)


@unhurried
@given(st.integers(1, 4), st.integers(1, 4), pairs(1, 5), st.integers(1, 6), st.booleans())
def test_conv2d_with_groups_counts_as_pytorch(in_share, out_share, kernel_size, groups, bias):
    arguments = (groups * in_share, groups * out_share, kernel_size)
    module = torch.nn.Conv2d(*arguments, groups=groups, bias=bias)
    assert conv2d_parameters(*arguments, groups, bias) == count(module)


@unhurried
@given(networks())
def test_networks_count_as_pytorch(network):
    input_shape, layers, module = network
    before = copy.deepcopy(layers)
    assert network_parameters(input_shape, layers) == count(module)
    assert layers == before


@unhurried
@given(networks())
def test_output_shape_follows_pytorch_through_a_network(network):
    shape, layers, modules = network
    for layer, module in zip(layers, modules, strict=True):
        after = output_shape(shape, layer)
        assert after == observed_shape(module, shape)
        shape = after


@unhurried
@given(st.lists(st.integers(1, 7), min_size=2, max_size=2), st.data())
def test_output_shape_refuses_the_windows_that_pytorch_refuses(image, data):
    shape = (2, 4, *image)
    layer = data.draw(convolutions(4) | poolings())
    if fits(shape, layer):
        assert output_shape(shape, layer) == observed_shape(as_module(shape, layer), shape)
    else:
        with pytest.raises(ValueError, match=r"larger than what it slides over|half a window"):
            output_shape(shape, layer)


def test_the_network_of_the_lecture():
    def conv(in_channels: int) -> torch.nn.Conv2d:
        return torch.nn.Conv2d(in_channels, 32, 2)

    def pool(size: int) -> torch.nn.AdaptiveAvgPool2d:
        return torch.nn.AdaptiveAvgPool2d(size)

    module = torch.nn.Sequential(conv(3), pool(4), conv(32), pool(2), torch.nn.Linear(32 * 2 * 2, 10))
    convolution, activation = {"kind": "conv2d", "out_channels": 32, "kernel_size": 2}, {"kind": "leaky_relu"}
    layers = [convolution, activation, {"kind": "adaptive_avg_pool2d", "output_size": 4}]
    layers += [convolution, activation, {"kind": "adaptive_avg_pool2d", "output_size": 2}]
    layers += [{"kind": "flatten"}, {"kind": "linear", "out_features": 10}]
    assert network_parameters((1, 3, 128, 128), layers) == count(module) == 5834


IMPOSSIBLE = {
    perceptron_parameters: [(0, 0.1), (-1, 0.1), (1, 0), (1, -0.1), (-1, -0.1)],
    linear_parameters: [(0, 3), (3, 0), (-2, 3), (3, -2), (-3, -2)],
    conv1d_parameters: [(0, 3, 2), (3, 0, 2), (3, 2, 0), (-3, -2, 2)],
    conv2d_parameters: [(0, 3, 2), (3, 0, 2), (3, 2, 0), (3, 2, (0, 2)), (3, 2, (2, 0)), (4, 6, 3, 0)],
}


@pytest.mark.parametrize(
    ("function", "arguments"), [(function, one) for function, many in IMPOSSIBLE.items() for one in many]
)
def test_impossible_sizes_are_refused(function, arguments):
    with pytest.raises(ValueError, match=r"positive|at least"):
        function(*arguments)


@pytest.mark.parametrize(
    ("shape", "layer", "reason"),
    [
        ((3, 5, 7), {"kind": "softmax"}, "unknown kind"),
        ((3, 5, 7), {"kind": "linear", "out_features": 2}, "flatten"),
        ((2, 3, 5, 7), {"kind": "linear", "out_features": 2}, "flatten"),
        ((2, 105), {"kind": "conv2d", "out_channels": 2, "kernel_size": 3}, "conv2d reads"),
        ((105,), {"kind": "batch_norm2d"}, "batch_norm2d reads"),
        ((3, 5, 7), {"kind": "conv2d", "out_channels": 2, "kernel_size": 0}, "at least 1"),
        ((3, 5, 7), {"kind": "conv2d", "out_channels": 2, "kernel_size": 3, "stride": 0}, "at least 1"),
        ((3, 5, 7), {"kind": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": -1}, "at least 0"),
        ((3, 5, 7), {"kind": "conv2d", "out_channels": 2, "kernel_size": 3, "dilation": (3, 1)}, "larger"),
        ((3, 5, 7), {"kind": "max_pool2d", "kernel_size": (2, 3), "padding": (2, 1)}, "half a window"),
        ((3, 5, 7), {"kind": "adaptive_avg_pool2d", "output_size": (2, 0)}, "at least 1"),
    ],
)
def test_layers_that_do_not_fit_are_refused(shape, layer, reason):
    with pytest.raises(ValueError, match=reason):
        output_shape(shape, layer)
    with pytest.raises(ValueError, match=reason):
        network_parameters(shape, [layer])


def test_counts_are_integers():
    layers = [{"kind": "conv2d", "out_channels": 2, "kernel_size": 1}, {"kind": "relu"}]
    counts = [
        perceptron_parameters(1.0, 0.25),
        linear_parameters(3, 2),
        conv1d_parameters(3, 2, 4),
        conv2d_parameters(4, 2, 3, groups=2),
        network_parameters((3, 5, 7), layers),
        network_parameters((3, 5, 7), []),
    ]
    assert [type(number) for number in counts] == [int] * len(counts)


def test_the_examples_in_the_docstrings_hold():
    failed, attempted = doctest.testmod(parameters)
    assert attempted >= 6
    assert failed == 0
