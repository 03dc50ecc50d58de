"""The hidden suite of `parameters`: every count is an integer, so every comparison is exact.

Channels, features, kernel sides and image sides are different primes, so that a factor left out, taken twice
or exchanged for another always shows.
"""

import pytest

from autograder.suite import points

PRIMES = (2, 3, 5, 7, 11, 13, 17)


def primes(rng, count):
    """So many different primes, in random order."""
    return [int(prime) for prime in rng.choice(PRIMES, size=count, replace=False)]


def image(rng, least=19):
    """Height and width of an image that is not square."""
    sides = [side for side in (19, 23, 29, 31, 37, 41) if side >= least]
    return tuple(int(side) for side in rng.choice(sides, size=2, replace=False))


def layer(kind, **settings):
    return {"kind": kind, **settings}


def conv2d(out_channels, kernel_size, **settings):
    return layer("conv2d", out_channels=out_channels, kernel_size=kernel_size, **settings)


def linear(out_features, **settings):
    return layer("linear", out_features=out_features, **settings)


def call(input_shape, layers):
    """A network as the student would write it down."""
    written = [
        f"{each['kind']}({', '.join(f'{name}={value}' for name, value in each.items() if name != 'kind')})"
        for each in layers
    ]
    return f"network_parameters({input_shape}, [{', '.join(written)}])"


# --- perceptron_parameters: 10 points -----------------------------------------------------------------------


@points(2)
@pytest.mark.parametrize("duration", [1, 7200], ids=["one-second", "two-hours"])
def test_the_neurons_of_the_lecture(agrees, duration):
    """The neurons of the lecture, over one second and over two hours at 0.1 s, with weights and bias."""
    agrees.perceptron_parameters(duration, 0.1, call=f"perceptron_parameters({duration}, 0.1)")


@points(1)
@pytest.mark.parametrize("period", [0.125, 0.5, 1, 4])
def test_whole_numbers_of_samples(agrees, rng, period):
    """One weight for every sample and one bias, for periods below and above a second."""
    samples = int(rng.integers(20, 5000))
    agrees.perceptron_parameters(samples * period, period)


@points(2)
@pytest.mark.parametrize(
    ("duration", "period"),
    [(0.3, 0.1), (0.6, 0.2), (2.3, 0.1), (0.29, 0.01), (2.1, 0.3), (0.07, 0.01), (1.12, 0.02)],
)
def test_quotients_that_are_whole_but_for_floating_point(agrees, duration, period):
    """A whole number of samples is found even where the floating-point quotient lies just beside it."""
    agrees.perceptron_parameters(duration, period, call=f"perceptron_parameters({duration}, {period})")


@points(2)
@pytest.mark.parametrize("side", [-1, 1], ids=["up", "down"])
@pytest.mark.parametrize("period", [0.03, 0.7, 2])
def test_the_nearest_whole_number_of_samples(agrees, rng, side, period):
    """Where the duration is no multiple of the period, samples are rounded to the nearest whole number."""
    samples = int(rng.integers(20, 5000)) + side * float(rng.uniform(0.1, 0.4))  # far from a tie
    agrees.perceptron_parameters(samples * period, period)


@points(2)
@pytest.mark.parametrize("period", [0.25, 0.5, 2])
def test_a_neuron_without_bias(agrees, rng, period):
    """With bias=False only the weights count."""
    agrees.perceptron_parameters(int(rng.integers(20, 5000)) * period, period, bias=False)


@points(1)
@pytest.mark.parametrize(("duration", "period"), [(0, 0.1), (-3, 0.1), (2, 0), (2, -0.5), (-3, -0.1)])
def test_times_that_are_not_positive(rejects, duration, period):
    """A duration or a period of zero or less raises ValueError."""
    rejects.perceptron_parameters(duration, period, call=f"perceptron_parameters({duration}, {period})")


# --- linear_parameters: 10 points ---------------------------------------------------------------------------


@points(2)
@pytest.mark.parametrize(("in_features", "out_features"), [(3, 2), (72_000, 1), (128, 10)])
def test_linear_layers_of_the_lecture(agrees, in_features, out_features):
    """Linear layers as in the lecture: the worked example, one neuron over two hours, ten classes."""
    agrees.linear_parameters(in_features, out_features)


@points(4)
@pytest.mark.parametrize("factor", [1, 10, 100])
def test_any_linear_layer(agrees, rng, factor):
    """A weight for every pair of an input and an output, and a bias for every output."""
    few, many = primes(rng, 2)
    agrees.linear_parameters(few, factor * many)
    agrees.linear_parameters(factor * many, few)


@points(1)
def test_a_single_input_or_output(agrees, rng):
    """Layers with one input, one output, or one of each."""
    (features,) = primes(rng, 1)
    agrees.linear_parameters(features, 1)
    agrees.linear_parameters(1, features)
    agrees.linear_parameters(1, 1)


@points(2)
@pytest.mark.parametrize("factor", [1, 10])
def test_linear_without_bias(agrees, rng, factor):
    """With bias=False only the weights count."""
    in_features, out_features = primes(rng, 2)
    agrees.linear_parameters(in_features, factor * out_features, bias=False)


@points(1)
@pytest.mark.parametrize(("in_features", "out_features"), [(0, 5), (5, 0), (-3, 5), (5, -3), (-3, -5)])
def test_linear_sizes_below_one(rejects, in_features, out_features):
    """Fewer than one input or output raises ValueError."""
    rejects.linear_parameters(in_features, out_features)


# --- conv1d_parameters: 15 points ---------------------------------------------------------------------------


@points(2)
@pytest.mark.parametrize("in_channels", [1, 2])
def test_filters_of_two_taps(agrees, in_channels):
    """The filter of the lecture with two taps, over one channel and over two."""
    agrees.conv1d_parameters(in_channels, 1, 2)


@points(6)
@pytest.mark.parametrize("factor", [1, 10, 100])
def test_any_convolution_over_time(agrees, rng, factor):
    """A filter over all input channels for every output channel, and a bias for each."""
    few, many, kernel_size = primes(rng, 3)
    agrees.conv1d_parameters(few, factor * many, kernel_size)
    agrees.conv1d_parameters(factor * many, few, kernel_size)


@points(2)
def test_single_channels_and_single_taps(agrees, rng):
    """One input channel, one output channel, or a filter of one tap."""
    first, second = primes(rng, 2)
    agrees.conv1d_parameters(1, first, second)
    agrees.conv1d_parameters(first, 1, second)
    agrees.conv1d_parameters(first, second, 1)


@points(3)
@pytest.mark.parametrize("factor", [1, 10])
def test_conv1d_without_bias(agrees, rng, factor):
    """With bias=False only the weights count."""
    in_channels, out_channels, kernel_size = primes(rng, 3)
    agrees.conv1d_parameters(in_channels, factor * out_channels, kernel_size, bias=False)


@points(2)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size"),
    [(0, 5, 3), (5, 0, 3), (5, 3, 0), (-2, 5, 3), (5, -2, 3), (5, 3, -2), (-2, -5, 3)],
)
def test_conv1d_sizes_below_one(rejects, in_channels, out_channels, kernel_size):
    """Fewer than one channel or one tap raises ValueError."""
    rejects.conv1d_parameters(in_channels, out_channels, kernel_size)


# --- conv2d_parameters: 25 points ---------------------------------------------------------------------------


@points(3)
@pytest.mark.parametrize("out_channels", [1, 32])
def test_the_layer_of_the_lecture(agrees, out_channels):
    """The lecture's layer: three input channels and a filter of 2 × 2."""
    agrees.conv2d_parameters(3, out_channels, 2)


@points(4)
@pytest.mark.parametrize("factor", [1, 10])
def test_square_filters(agrees, rng, factor):
    """A kernel size given as one number is the height and the width of the filter."""
    few, many, kernel_size = primes(rng, 3)
    agrees.conv2d_parameters(few, factor * many, kernel_size)
    agrees.conv2d_parameters(factor * many, few, kernel_size)
    agrees.conv2d_parameters(few, many, 1)


@points(5)
@pytest.mark.parametrize("factor", [1, 10])
def test_rectangular_filters(agrees, rng, factor):
    """A kernel size given as a pair is (height, width)."""
    few, many, height, width = primes(rng, 4)
    agrees.conv2d_parameters(few, factor * many, (height, width))
    agrees.conv2d_parameters(factor * many, few, (width, height))
    agrees.conv2d_parameters(1, few, (1, width))
    agrees.conv2d_parameters(few, 1, (height, 1))


@points(5)
@pytest.mark.parametrize("kernel_size", [1, 3, (5, 2)])
def test_grouped_convolutions(agrees, rng, kernel_size):
    """With groups, a filter reads only the input channels of its own group."""
    groups, in_share, out_share = primes(rng, 3)
    agrees.conv2d_parameters(groups * in_share, groups * out_share, kernel_size, groups=groups)


@points(2)
@pytest.mark.parametrize("kernel_size", [3, (2, 5)])
def test_as_many_groups_as_channels(agrees, rng, kernel_size):
    """With as many groups as input channels, a filter reads a single channel."""
    channels, multiple = primes(rng, 2)
    agrees.conv2d_parameters(channels, channels, kernel_size, groups=channels)
    agrees.conv2d_parameters(channels, multiple * channels, kernel_size, groups=channels)


@points(3)
def test_conv2d_without_bias(agrees, rng):
    """With bias=False only the weights count, with groups and without."""
    groups, in_share, out_share, height, width = primes(rng, 5)
    agrees.conv2d_parameters(in_share, out_share, height, bias=False)
    agrees.conv2d_parameters(in_share, out_share, (height, width), bias=False)
    agrees.conv2d_parameters(groups * in_share, groups * out_share, (height, width), groups=groups, bias=False)


@points(2)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"),
    [(6, 8, 4), (8, 6, 4), (5, 7, 2), (9, 10, 3), (3, 3, 6), (6, 3, 6)],
)
def test_channels_that_groups_do_not_divide(rejects, in_channels, out_channels, groups):
    """Input or output channels that cannot be split into equal groups raise ValueError."""
    rejects.conv2d_parameters(in_channels, out_channels, 3, groups=groups)


@points(1)
@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size", "groups"),
    [
        (0, 5, 3, 1),
        (5, 0, 3, 1),
        (5, 3, 0, 1),
        (5, 3, (0, 2), 1),
        (5, 3, (2, 0), 1),
        (5, 3, 2, 0),
        (-2, 5, 3, 1),
        (5, -2, 3, 1),
        (5, 3, -2, 1),
        (5, 3, (-2, -3), 1),
        (4, 6, 3, -2),
    ],
)
def test_conv2d_sizes_below_one(rejects, in_channels, out_channels, kernel_size, groups):
    """Fewer than one channel, row, column or group raises ValueError."""
    rejects.conv2d_parameters(in_channels, out_channels, kernel_size, groups=groups)


# --- network_parameters: 40 points --------------------------------------------------------------------------


def lecture_network(hidden, out_channels, classes, kernel_size, first_pool, second_pool):
    return [
        conv2d(hidden, kernel_size),
        layer("leaky_relu"),
        layer("adaptive_avg_pool2d", output_size=first_pool),
        conv2d(out_channels, kernel_size),
        layer("leaky_relu"),
        layer("adaptive_avg_pool2d", output_size=second_pool),
        layer("flatten"),
        linear(classes),
    ]


@points(6)
@pytest.mark.parametrize("size", ["lecture", "other"])
def test_the_network_of_the_lecture(agrees, rng, size):
    """The lecture's network of two convolutions, two poolings and a linear layer, in its size and another."""
    if size == "lecture":
        input_shape, layers = (1, 3, 128, 128), lecture_network(32, 32, 10, 2, 4, 2)
    else:
        batch, channels, hidden, out_channels, classes = primes(rng, 5)
        input_shape = (batch, channels, *image(rng))
        layers = lecture_network(hidden, out_channels, classes, (3, 2), (7, 5), (3, 2))
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(5)
@pytest.mark.parametrize(
    "settings",
    [{}, {"stride": (2, 1)}, {"padding": (1, 2)}, {"dilation": 2}],
    ids=["plain", "stride", "padding", "dilation"],
)
def test_convolutions_in_a_row(agrees, rng, settings):
    """Every convolution reads the channels that the layer before it has made."""
    batch, channels, first, second, third = primes(rng, 5)
    input_shape = (batch, channels, *image(rng))
    layers = [
        conv2d(first, 3, **settings),
        layer("relu"),
        conv2d(second, (2, 3)),
        conv2d(third, 1, **settings),
    ]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(9)
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("conv2d", {"kernel_size": (4, 3)}),
        ("conv2d", {"kernel_size": 3, "stride": (2, 3)}),
        ("conv2d", {"kernel_size": (5, 3), "padding": (3, 2)}),
        ("conv2d", {"kernel_size": (2, 3), "dilation": (4, 3)}),
        ("max_pool2d", {"kernel_size": (2, 3)}),
        ("max_pool2d", {"kernel_size": 3, "stride": (1, 2)}),
        ("avg_pool2d", {"kernel_size": (4, 2), "stride": 2, "padding": (1, 0)}),
        ("adaptive_avg_pool2d", {"output_size": (3, 5)}),
        ("adaptive_avg_pool2d", {"output_size": 4}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_linear_layers_after_flatten(agrees, rng, kind, settings):
    """The first linear layer reads all that the flatten lays out, the next one what the first has made."""
    batch, channels, out_channels, hidden, classes = primes(rng, 5)
    input_shape = (batch, channels, *image(rng))
    out = {"out_channels": out_channels} if kind == "conv2d" else {}
    layers = [
        layer(kind, **out, **settings),
        layer("flatten"),
        linear(hidden),
        layer("relu"),
        linear(classes),
    ]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(5)
@pytest.mark.parametrize("place", ["first", "after-a-convolution", "after-pooling"])
def test_batch_normalisation(agrees, rng, place):
    """Batch normalisation learns a scale and a shift for each channel, and no running statistics."""
    batch, channels, out_channels = primes(rng, 3)
    input_shape = (batch, channels, *image(rng))
    layers = {
        "first": [layer("batch_norm2d"), conv2d(out_channels, (3, 2))],
        "after-a-convolution": [conv2d(out_channels, 3, bias=True), layer("batch_norm2d"), layer("relu")],
        "after-pooling": [
            layer("max_pool2d", kernel_size=(3, 2)),
            layer("batch_norm2d"),
            layer("leaky_relu"),
        ],
    }[place]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(3)
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_layers_that_learn_nothing(agrees, rng, activation):
    """Activations, poolings and flatten have no parameters."""
    batch, channels = primes(rng, 2)
    input_shape = (batch, channels, *image(rng))
    poolings = [
        layer("max_pool2d", kernel_size=2),
        layer("avg_pool2d", kernel_size=(3, 2), stride=1),
        layer("adaptive_avg_pool2d", output_size=(3, 2)),
    ]
    layers = [layer(activation), *poolings, layer("flatten")]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(6)
@pytest.mark.parametrize("switch", ["conv2d-bias", "linear-bias", "groups", "all"])
def test_bias_and_groups_of_a_layer(agrees, rng, switch):
    """The bias and groups of each layer count as its dictionary says."""
    groups, share, out_share, classes = primes(rng, 4)
    input_shape = (1, groups * share, *image(rng))
    convolution, last = {"groups": 1, "bias": True}, {"bias": True}
    if switch in ("conv2d-bias", "all"):
        convolution["bias"] = False
    if switch in ("groups", "all"):
        convolution["groups"] = groups
    if switch in ("linear-bias", "all"):
        last["bias"] = False
    layers = [
        conv2d(groups * out_share, (3, 2), **convolution),
        layer("adaptive_avg_pool2d", output_size=(2, 3)),
        layer("flatten"),
        linear(classes, **last),
    ]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(3)
@pytest.mark.parametrize("with_norm", [False, True], ids=["plain", "batch-norm"])
def test_input_without_a_batch_axis(agrees, rng, with_norm):
    """A shape of (C, H, W) counts as (B, C, H, W) does."""
    channels, first, second, classes = primes(rng, 4)
    input_shape = (channels, *image(rng))
    layers = [
        conv2d(first, (2, 3), stride=2),
        *([layer("batch_norm2d")] if with_norm else []),
        conv2d(second, 2),
        layer("max_pool2d", kernel_size=2),
        layer("flatten"),
        linear(classes),
    ]
    agrees.network_parameters(input_shape, layers, call=call(input_shape, layers))


@points(3)
def test_the_network_is_left_as_it_was(preserves, rng):
    """Counting changes neither the list of layers nor any dictionary in it."""
    batch, channels, out_channels, classes = primes(rng, 4)
    input_shape = (batch, channels, *image(rng))
    layers = [
        conv2d(out_channels, (3, 2), bias=False),
        layer("batch_norm2d"),
        layer("max_pool2d", kernel_size=2),
        layer("flatten"),
        linear(classes),
    ]
    preserves.network_parameters(input_shape, layers, call=call(input_shape, layers))
