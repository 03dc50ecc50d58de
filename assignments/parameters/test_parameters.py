"""Public checks of "Counting parameters": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import pytest

BIAS = "These are the weights. A neuron has a bias besides. (The slide slips here.)"
SMALL = [
    {"kind": "conv2d", "out_channels": 4, "kernel_size": 2},
    {"kind": "batch_norm2d"},
    {"kind": "leaky_relu"},
    {"kind": "max_pool2d", "kernel_size": 2},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": 10},
]
LECTURE = [
    {"kind": "conv2d", "out_channels": 32, "kernel_size": 2},
    {"kind": "leaky_relu"},
    {"kind": "adaptive_avg_pool2d", "output_size": 4},
    {"kind": "conv2d", "out_channels": 64, "kernel_size": 2},
    {"kind": "leaky_relu"},
    {"kind": "adaptive_avg_pool2d", "output_size": 2},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": 10},
]


@pytest.mark.parametrize(
    ("duration", "period", "count", "known"),
    [
        (2, 0.5, 5, [(4, BIAS), (6, "There is no sample at time 0.")]),
        (1, 0.1, 11, [(10, BIAS)]),
        (7200, 0.1, 72001, [(72000, BIAS), (72002, "There is no sample at time 0.")]),
        (0.3, 0.1, 4, [(3, "0.3 / 0.1 is 2.9999999999999996: round to the nearest whole number, not down.")]),
        (1.04, 0.1, 11, [(12, "Round to the nearest whole number, not up.")]),
        (1.08, 0.1, 12, [(11, "Round to the nearest whole number, not down.")]),
    ],
)
def test_neuron_on_paper(perceptron_parameters, expect, duration, period, count, known):
    """A weight for each sample and a bias."""
    expect(perceptron_parameters, duration, period).gives(count, known=known)


def test_neuron_without_its_bias(perceptron_parameters, expect):
    """Without a bias the weights are all there is."""
    expect(perceptron_parameters, 1, 0.1, bias=False).gives(10)


@pytest.mark.parametrize(("duration", "period"), [(0, 0.1), (1, 0), (-1, 0.1), (-1, -0.1)])
def test_neuron_without_time(perceptron_parameters, expect, duration, period):
    """No time, or time that runs backwards: a ValueError."""
    expect(perceptron_parameters, duration, period).raises()


@pytest.mark.parametrize(
    ("in_features", "out_features", "settings", "count"),
    [(3, 2, {}, 8), (256, 10, {}, 2570), (1, 1, {}, 2), (5, 7, {"bias": False}, 35)],
)
def test_linear_on_paper(linear_parameters, expect, in_features, out_features, settings, count):
    """Every output has a weight for each input and one bias."""
    known = [
        (in_features * out_features, "These are the weights: each output has a bias, too."),
        (in_features * out_features + 1, "Each output has a bias of its own."),
        (in_features * (out_features + 1), "There is one bias for each output, not for each input."),
    ]
    if settings:
        known = [(count + 1, "Without biases the weights are all there is.")]
    known = [pair for pair in known if pair[0] != count]
    expect(linear_parameters, in_features, out_features, **settings).gives(count, known=known)


@pytest.mark.parametrize(("in_features", "out_features"), [(0, 3), (3, 0), (-1, -1)])
def test_linear_without_neurons(linear_parameters, expect, in_features, out_features):
    """Fewer than one input or output: a ValueError."""
    expect(linear_parameters, in_features, out_features).raises()


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size", "settings", "count", "known"),
    [
        (1, 1, 2, {}, 3, [(2, "These are the taps: there is a bias besides.")]),
        (2, 1, 2, {}, 5, [(6, "The window's four numbers go into one sum, and one sum has one bias.")]),
        (1, 32, 5, {}, 192, [(161, "Each output channel has a bias of its own.")]),
        (3, 5, 7, {}, 110, [(40, "Each filter reads every input channel.")]),
        (3, 5, 7, {"bias": False}, 105, []),
    ],
)
def test_filters_over_time(conv1d_parameters, expect, in_channels, out_channels, kernel_size, settings, count, known):
    """A weight for each tap and pair of channels, and a bias for each output channel."""
    expect(conv1d_parameters, in_channels, out_channels, kernel_size, **settings).gives(count, known=known)


@pytest.mark.parametrize("sizes", [(0, 1, 2), (1, 0, 2), (1, 1, 0)])
def test_filters_over_time_of_nothing(conv1d_parameters, expect, sizes):
    """Fewer than one channel or tap: a ValueError."""
    expect(conv1d_parameters, *sizes).raises()


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "kernel_size", "settings", "count", "known"),
    [
        (3, 1, 2, {}, 13, [(12, "These are the weights: there is a bias besides."), (19, "k rows, not k + 1.")]),
        (3, 32, 2, {}, 416, [(385, "Each output channel has a bias of its own."), (384, "Where are the biases?")]),
        (3, 5, (2, 7), {}, 215, [(65, "A pair is (height, width): not every filter is square.")]),
        (3, 5, (2, 7), {"bias": False}, 210, []),
        (
            4,
            6,
            1,
            {"groups": 2},
            18,
            [(30, "With two groups a filter reads half of the channels."), (15, "Count the biases.")],
        ),
        (6, 6, 3, {"groups": 6}, 60, []),
    ],
)
def test_filters_over_images(conv2d_parameters, expect, in_channels, out_channels, kernel_size, settings, count, known):
    """A filter of kh rows and kw columns for each pair of channels in a group, and a bias for each output channel."""
    hint = "A count is an int: in Python / gives a float, even where it comes out even."
    known = [*known, (TypeError("tuple"), "The kernel size is an int or a pair: as_pair makes both a pair.")]
    expect(conv2d_parameters, in_channels, out_channels, kernel_size, **settings).gives(count, known=known, hint=hint)


@pytest.mark.parametrize(
    ("sizes", "settings"),
    [((3, 4, 2), {"groups": 2}), ((4, 3, 2), {"groups": 2}), ((3, 4, (0, 2)), {}), ((3, 4, 2), {"groups": 0})],
)
def test_filters_that_cannot_be(conv2d_parameters, expect, sizes, settings):
    """Channels that do not split into the groups, or fewer than one of anything: a ValueError."""
    expect(conv2d_parameters, *sizes, **settings).raises()


@pytest.mark.parametrize(
    ("input_shape", "layers", "count", "known"),
    [
        ((5, 3, 9, 7), SMALL, 550, []),
        ((3, 9, 7), SMALL, 550, []),
        ((5, 3, 128, 128), LECTURE, 416 + 8256 + 2570, []),
        ((3, 9, 7), SMALL[:2], 60, [(52, "Batch normalisation learns, too."), (68, "Running averages are measured.")]),
        ((7, 3, 9, 7), [], 0, []),
        ((3, 9, 7), [{"kind": "conv2d", "out_channels": 6, "kernel_size": (2, 1), "groups": 3, "bias": False}], 12, []),
        ((2, 3, 4, 5), [{"kind": "flatten"}, {"kind": "linear", "out_features": 2, "bias": False}], 120, []),
    ],
)
def test_networks_on_paper(network_parameters, expect, input_shape, layers, count, known):
    """The lecture's network and smaller ones, with a batch axis and without; the dictionaries are left as they were."""
    hint = "Print shape and count after each layer, and compare with the table in the handout."
    known = [*known, (IndexError(""), "A shape comes with a batch axis or without: which entry are the channels?")]
    known.append((KeyError(""), "What a dictionary leaves out has its default: see the table in the handout."))
    expect(network_parameters, input_shape, layers).gives(count, known=known, hint=hint)
