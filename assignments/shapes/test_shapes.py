"""Public checks of "Output shapes": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import pytest

COUNT = "One window is missing: the first one counts, too. (The slide says T - k, and slips.)"
FIXED = "An argument that a dictionary leaves out has its default; every kind of layer stands in the handout's table."
FIVE = "One image has three entries and a batch has four. Counted from the end, the same ones mean the same."
GROUPS = "Groups and bias are arguments of a conv2d, too, and change nothing in its shape."
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
    ("length", "kernel_size", "settings", "windows", "known"),
    [
        (5, 2, {}, 4, [(3, COUNT)]),
        (7, 7, {}, 1, [(0, COUNT)]),
        (8, 3, {"stride": 2}, 3, [(4, "A window that hangs over the end does not count.")]),
        (8, 3, {"padding": 1}, 8, [(7, "Padding is added at each of the two ends.")]),
        (
            8,
            3,
            {"dilation": 3},
            2,
            [(6, "With dilation 3 a window of 3 taps reaches from its first over 6 more samples.")],
        ),
        (17, 3, {"stride": 2, "padding": 2, "dilation": 3}, 8, []),
    ],
)
def test_windows_on_paper(conv_output_length, expect, length, kernel_size, settings, windows, known):
    """As many outputs as windows that fit."""
    expect(conv_output_length, length, kernel_size, **settings).gives(windows, known=known, hint="Draw it, and count.")


@pytest.mark.parametrize(
    ("length", "kernel_size", "settings"),
    [
        (0, 1, {}),
        (5, 0, {}),
        (5, 2, {"stride": 0}),
        (5, 2, {"dilation": 0}),
        (5, 2, {"padding": -1}),
    ],
)
def test_settings_that_cannot_be(conv_output_length, expect, length, kernel_size, settings):
    """No signal, no tap, no step, no distance or less than no padding: a ValueError."""
    expect(conv_output_length, length, kernel_size, **settings).raises("The docstring names every case.")


@pytest.mark.parametrize(
    ("length", "kernel_size", "settings"),
    [(4, 5, {}), (4, 6, {"stride": 3}), (4, 2, {"dilation": 6, "padding": 1})],
)
def test_windows_that_cannot_be(conv_output_length, expect, length, kernel_size, settings):
    """A window that fits nowhere: a ValueError."""
    hint = "Beware of rounding: with a stride, a length that is negative may come out as something harmless."
    expect(conv_output_length, length, kernel_size, **settings).raises(hint)


@pytest.mark.parametrize(
    ("input_shape", "out_channels", "kernel_size", "settings", "shape", "known"),
    [
        (
            (1, 3, 128, 128),
            32,
            2,
            {},
            (1, 32, 127, 127),
            [((1, 32, 126, 126), "A filter of size 2 fits 127 times, not 126. (The slide slips here.)")],
        ),
        (
            (3, 8, 10),
            5,
            (2, 3),
            {},
            (5, 7, 8),
            [((5, 6, 9), "Height and width have changed places."), ((1, 5, 7, 8), FIXED)],
        ),
        ((11, 3, 8, 10), 5, (2, 3), {"stride": (2, 1)}, (11, 5, 4, 8), []),
        ((3, 9, 13), 4, 3, {"padding": (0, 2), "dilation": (1, 3)}, (4, 7, 11), []),
    ],
)
def test_layer_on_paper(conv2d_output_shape, expect, input_shape, out_channels, kernel_size, settings, shape, known):
    """One image or a batch: height and width each shrink on their own, and every filter makes a channel."""
    hint = "The answer has as many entries as the input shape: the batch stays, the channels are new."
    known = [*known, (ValueError("unpack"), FIVE)]
    expect(conv2d_output_shape, input_shape, out_channels, kernel_size, **settings).gives(shape, known=known, hint=hint)


@pytest.mark.parametrize(
    ("kernel_size", "settings"), [((2, 9), {}), (3, {"stride": (1, 0)}), (2, {"padding": (-1, 0)})]
)
def test_layer_that_cannot_be(conv2d_output_shape, expect, kernel_size, settings):
    """What fits one axis may be wrong for the other: a ValueError."""
    expect(conv2d_output_shape, (3, 10, 8), 4, kernel_size, **settings).raises()


@pytest.mark.parametrize(
    ("input_shape", "kernel_size", "settings", "shape", "known"),
    [
        ((3, 7, 9), (2, 4), {}, (3, 3, 2), [((3, 6, 6), "Where no stride is given, it is the kernel size.")]),
        ((3, 7, 9), (2, 4), {"stride": 1}, (3, 6, 6), []),
        ((5, 2, 7, 9), 3, {"stride": (2, 3)}, (5, 2, 3, 3), []),
        (
            (2, 7, 9),
            2,
            {"padding": 1},
            (2, 4, 5),
            [((2, 3, 4), "Padding is added on each side."), ((2, 8, 10), "Where no stride is given it is not 1.")],
        ),
    ],
)
def test_pooling_on_paper(pool2d_output_shape, expect, input_shape, kernel_size, settings, shape, known):
    """Windows side by side unless a stride is given; the channels stay."""
    known = [*known, (ValueError("unpack"), FIVE)]
    expect(pool2d_output_shape, input_shape, kernel_size, **settings).gives(shape, known=known)


@pytest.mark.parametrize(("kernel_size", "settings"), [(2, {"padding": 2}), ((4, 2), {"padding": (2, 2)}), (8, {})])
def test_pooling_with_too_much(pool2d_output_shape, expect, kernel_size, settings):
    """Padding of more than half a window, or a window larger than the image: a ValueError."""
    expect(pool2d_output_shape, (3, 7, 9), kernel_size, **settings).raises()


@pytest.mark.parametrize(
    ("kernel_size", "settings", "padding"), [(3, {}, 1), (1, {}, 0), (5, {"dilation": 2}, 4), (2, {"dilation": 2}, 1)]
)
def test_length_that_is_kept(same_padding, expect, kernel_size, settings, padding):
    """The padding gives back, at both ends together, what the filter takes away."""
    known = [(float(padding), "In Python / gives a float, even where it comes out even.")]
    known += [(2 * padding, "This is what both ends get together.")] if padding else []
    hint = "How many samples does the filter take away?"
    expect(same_padding, kernel_size, **settings).gives(padding, known=known, hint=hint)


@pytest.mark.parametrize(("kernel_size", "settings"), [(2, {}), (4, {"dilation": 3})])
def test_length_that_cannot_be_kept(same_padding, expect, kernel_size, settings):
    """An odd number of samples cannot be given back at two ends: a ValueError."""
    expect(same_padding, kernel_size, **settings).raises()


@pytest.mark.parametrize(
    ("layers", "field", "known"),
    [
        ([], 1, [(0, "Without a layer each output is one sample of the input.")]),
        (
            [(5, 3)],
            5,
            [(wrong, "A layer's own stride moves its window; it does not make it wider.") for wrong in (7, 13)],
        ),
        ([(3, 2), (3, 1)], 7, [(5, "This is right without the stride: it spreads out what comes after it.")]),
        ([(3, 1), (3, 2)], 5, [(7, "The stride of the last layer spreads out nothing that this chain has.")]),
        (((2, 1, 1), (2, 1, 2), (2, 1, 4)), 8, [(4, "Dilation makes a window wider.")]),
    ],
)
def test_field_on_paper(receptive_field, expect, layers, field, known):
    """From the first to the last sample that one output sees."""
    expect(receptive_field, layers).gives(field, known=known, hint="Follow the wires back, layer by layer.")


@pytest.mark.parametrize(
    ("input_shape", "layers", "shape"),
    [
        ((5, 3, 128, 128), LECTURE, (5, 10)),
        ((3, 128, 128), LECTURE, (10,)),
        ((3, 8, 11), [], (3, 8, 11)),
        ((3, 8, 11), [{"kind": "conv2d", "out_channels": 4, "kernel_size": 3, "groups": 1, "bias": False}], (4, 6, 9)),
        ((2, 4, 8, 11), [{"kind": "max_pool2d", "kernel_size": 2}, {"kind": "batch_norm2d"}], (2, 4, 4, 5)),
        (
            (4, 8, 11),
            [{"kind": "avg_pool2d", "kernel_size": 3, "stride": 2, "padding": 1}, {"kind": "relu"}],
            (4, 4, 6),
        ),
        ((2, 4, 8, 11), [{"kind": "adaptive_avg_pool2d", "output_size": (3, 5)}, {"kind": "flatten"}], (2, 60)),
    ],
)
def test_networks_on_paper(network_output_shape, expect, input_shape, layers, shape):
    """The lecture's network and smaller ones, for one image or a batch."""
    known = [(ValueError("unpack"), FIVE), (TypeError("unexpected keyword"), GROUPS), (KeyError(""), FIXED)]
    expect(network_output_shape, input_shape, layers).gives(shape, known=known, hint=FIXED)


@pytest.mark.parametrize(
    "layers", [[{"kind": "linear", "out_features": 10}], [{"kind": "conv3d", "out_channels": 4, "kernel_size": 2}]]
)
def test_networks_that_cannot_be(network_output_shape, expect, layers):
    """A linear layer before any flatten, or a kind that nobody knows: a ValueError."""
    expect(network_output_shape, (5, 3, 8, 8), layers).raises()
