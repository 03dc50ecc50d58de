"""Hidden suite of `shapes`: exact arithmetic on whole numbers, so every case has one right answer.

Inputs are built from the answer backwards (so many windows, so many samples left over), which makes sure that
rounding, padding and dilation show wherever a test is about them. Height and width always differ.
"""

import pytest

from autograder.suite import points

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23)


def drawn(rng, count, numbers):
    """So many different numbers out of some, in random order, as Python ints."""
    return tuple(int(number) for number in rng.permutation(list(numbers))[:count])


def length_for(rng, kernel_size, stride=1, padding=0, dilation=1, left_over=0):
    """A length at which a drawn number of windows fits and so many padded samples are left over."""
    outputs = int(rng.integers(2 * padding + 2, 2 * padding + 40))
    return (outputs - 1) * stride + dilation * (kernel_size - 1) + 1 + left_over - 2 * padding


def unlike_sides(rng, kernel_size, stride=(1, 1), padding=(0, 0), dilation=(1, 1), left_over=(0, 0)):
    """A height and a width, more than a few samples apart, for pairs of settings."""
    settings = zip(kernel_size, stride, padding, dilation, left_over, strict=True)
    height, width = (length_for(rng, *axis) for axis in settings)
    return height, width + 50 * stride[1]


# --- conv_output_length (20) --------------------------------------------------------------------------------


@points(2)
@pytest.mark.parametrize(("length", "kernel_size"), [(5, 2), (5, 1), (128, 2), (10, 3), (72_000, 31)])
def test_windows_of_the_lecture(agrees, length, kernel_size):
    """A filter of k taps over T samples, one step at a time, fits at T - k + 1 places."""
    agrees.conv_output_length(length, kernel_size)


@points(2)
@pytest.mark.parametrize(
    ("kernel_size", "padding", "dilation"), [(1, 0, 1), (2, 0, 1), (7, 0, 1), (4, 0, 3), (5, 1, 1), (6, 2, 3)]
)
def test_filter_that_just_fits(agrees, rng, kernel_size, padding, dilation):
    """A filter exactly as long as the padded signal fits once, whatever the stride."""
    length = dilation * (kernel_size - 1) + 1 - 2 * padding
    agrees.conv_output_length(length, kernel_size, padding=padding, dilation=dilation)
    agrees.conv_output_length(length, kernel_size, int(rng.integers(2, 9)), padding, dilation)


@points(3)
@pytest.mark.parametrize("padding", [1, 2, 3, 8, 17])
def test_padding_is_added_at_both_ends(agrees, rng, padding):
    """Padding lengthens the signal at both of its ends."""
    for kernel_size in drawn(rng, 3, range(1, 12)):
        agrees.conv_output_length(length_for(rng, kernel_size, padding=padding), kernel_size, padding=padding)


@points(4)
@pytest.mark.parametrize(
    ("stride", "left_over"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (5, 1), (5, 4), (7, 3), (11, 6)]
)
def test_stride_skips_windows(agrees, rng, stride, left_over):
    """A stride skips windows, and samples that are left over at the end fill none."""
    for kernel_size in drawn(rng, 3, range(1, 9)):
        length = length_for(rng, kernel_size, stride, left_over=left_over)
        agrees.conv_output_length(length, kernel_size, stride)


@points(3)
@pytest.mark.parametrize("dilation", [2, 3, 4, 9])
def test_dilation_spreads_the_taps(agrees, rng, dilation):
    """A dilated filter reaches from its first tap to its last, with the gaps between them."""
    for kernel_size in (1, *drawn(rng, 3, range(2, 9))):
        length = length_for(rng, kernel_size, dilation=dilation)
        agrees.conv_output_length(length, kernel_size, dilation=dilation)


@points(4)
@pytest.mark.parametrize(("stride", "left_over"), [(1, 0), (2, 0), (2, 1), (3, 1), (4, 2), (5, 4), (7, 1)])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_stride_padding_and_dilation_together(agrees, rng, stride, left_over, dilation):
    """The length is right for stride, padding and dilation at once."""
    kernel_size, padding = int(rng.integers(2, 9)), int(rng.integers(1, 7))
    length = length_for(rng, kernel_size, stride, padding, dilation, left_over)
    agrees.conv_output_length(length, kernel_size, stride, padding, dilation)


@points(1)
@pytest.mark.parametrize(
    ("length", "kernel_size", "stride", "padding", "dilation"),
    [
        (0, 3, 1, 4, 1),
        (-5, 3, 1, 0, 1),
        (9, 0, 1, 0, 1),
        (9, -2, 1, 0, 1),
        (9, 3, 0, 0, 1),
        (9, 9, -2, 0, 1),
        (9, 3, 1, -1, 1),
        (9, 3, 2, 0, 0),
        (9, 3, 2, 0, -1),
    ],
)
def test_settings_that_no_layer_can_have(rejects, length, kernel_size, stride, padding, dilation):
    """Length, kernel size, stride or dilation below 1, or padding below 0, is a ValueError."""
    rejects.conv_output_length(length, kernel_size, stride, padding, dilation)


@points(1)
@pytest.mark.parametrize("stride", [1, 2, 3, 7])
@pytest.mark.parametrize("missing", [1, 2, 9])
def test_filter_that_does_not_fit(rejects, rng, stride, missing):
    """A filter that reaches beyond the padded signal fits nowhere, which is a ValueError at any stride."""
    kernel_size, padding, dilation = int(rng.integers(12, 20)), int(rng.integers(2)), int(rng.integers(1, 3))
    length = dilation * (kernel_size - 1) + 1 - 2 * padding - missing
    rejects.conv_output_length(length, kernel_size, stride, padding, dilation)
    rejects.conv_output_length(kernel_size, kernel_size + missing, stride)


# --- conv2d_output_shape (20) -------------------------------------------------------------------------------


@points(2)
def test_layer_of_the_lecture(agrees, rng):
    """The lecture's 32 filters of 2 x 2 on 128 x 128 pixels, and filters on images that are not square."""
    agrees.conv2d_output_shape((1, 3, 128, 128), 32, 2)
    for kernel_size in (1, 2, 3, 6):
        batch, channels, filters = drawn(rng, 3, PRIMES)
        height, width = unlike_sides(rng, (kernel_size, kernel_size))
        agrees.conv2d_output_shape((batch, channels, height, width), filters, kernel_size)


@points(3)
@pytest.mark.parametrize("entries", [3, 4])
@pytest.mark.parametrize("filters", [1, 29, 64])
def test_one_image_or_a_batch(agrees, rng, entries, filters):
    """A batch keeps its size, one image gets no batch axis, and every filter makes one channel."""
    *leading, kernel_size = drawn(rng, entries - 1, PRIMES)
    sides = unlike_sides(rng, (kernel_size, kernel_size))
    agrees.conv2d_output_shape((*leading, *sides), filters, kernel_size)


@points(3)
@pytest.mark.parametrize("entries", [3, 4])
@pytest.mark.parametrize("kernel_size", [(1, 4), (3, 2), (2, 9), (7, 1)])
def test_filters_that_are_not_square(agrees, rng, entries, kernel_size):
    """The height of the filter belongs to the height of the image, and its width to the width."""
    *leading, filters = drawn(rng, entries - 1, PRIMES)
    agrees.conv2d_output_shape((*leading, *unlike_sides(rng, kernel_size)), filters, kernel_size)


@points(3)
@pytest.mark.parametrize(
    ("stride", "left_over"), [((2, 2), (1, 0)), ((2, 5), (0, 3)), ((4, 3), (1, 1)), ((1, 6), (0, 5))]
)
@pytest.mark.parametrize("entries", [3, 4])
def test_strides_of_an_image(agrees, rng, stride, left_over, entries):
    """Each axis has its own stride, and windows that would hang over the edge do not count."""
    *leading, filters = drawn(rng, entries - 1, PRIMES)
    kernel_size = drawn(rng, 2, range(2, 7))
    sides = unlike_sides(rng, kernel_size, stride, left_over=left_over)
    agrees.conv2d_output_shape(
        (*leading, *sides), filters, kernel_size, stride if stride[0] != stride[1] else stride[0]
    )


@points(2)
@pytest.mark.parametrize(("padding", "dilation"), [((3, 0), 1), ((1, 4), 1), (2, 1), (0, (3, 1)), (0, (2, 5)), (0, 3)])
def test_padding_and_dilation_of_an_image(agrees, rng, padding, dilation):
    """Each axis has its own padding and its own dilation."""
    batch, channels, filters = drawn(rng, 3, PRIMES)
    kernel_size = drawn(rng, 2, range(2, 6))
    agrees.conv2d_output_shape((batch, channels, 61, 89), filters, kernel_size, padding=padding, dilation=dilation)
    agrees.conv2d_output_shape((channels, 61, 89), filters, kernel_size[0], padding=padding, dilation=dilation)


@points(2)
@pytest.mark.parametrize("entries", [3, 4])
@pytest.mark.parametrize("single", ["kernel_size", "stride", "padding", "dilation"])
def test_one_number_serves_both_axes(agrees, rng, entries, single):
    """An int stands for both axes, also where other settings are pairs."""
    *leading, filters = drawn(rng, entries - 1, PRIMES)
    settings = {name: drawn(rng, 2, range(1, 6)) for name in ("kernel_size", "stride", "padding", "dilation")}
    settings[single] = 3
    agrees.conv2d_output_shape((*leading, 83, 127), filters, **settings)


@points(3)
@pytest.mark.parametrize("entries", [3, 4])
@pytest.mark.parametrize("left_over", [(0, 0), (1, 2), (2, 1)])
def test_all_settings_of_a_convolution_together(agrees, rng, entries, left_over):
    """The shape is right where kernel size, stride, padding and dilation are pairs, all at once."""
    *leading, filters = drawn(rng, entries - 1, PRIMES)
    kernel_size, stride, padding = (
        drawn(rng, 2, range(2, 6)),
        drawn(rng, 2, range(3, 7)),
        drawn(rng, 2, range(1, 5)),
    )
    dilation = drawn(rng, 2, range(1, 4))
    sides = unlike_sides(rng, kernel_size, stride, padding, dilation, left_over)
    agrees.conv2d_output_shape((*leading, *sides), filters, kernel_size, stride, padding, dilation)


@points(1)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("name", "value"), [("kernel_size", 0), ("stride", 0), ("stride", -1), ("padding", -1), ("dilation", 0)]
)
def test_wrong_setting_on_one_axis(rejects, axis, name, value):
    """A setting that no layer can have is a ValueError, on whichever axis it is."""
    pair = (value, 2) if axis == 0 else (2, value)
    rejects.conv2d_output_shape((5, 3, 17, 23), 7, **({"kernel_size": 3} | {name: pair}))


@points(1)
@pytest.mark.parametrize("shape", [(3, 4, 23), (3, 23, 4), (5, 3, 4, 23), (5, 3, 23, 4)])
def test_filter_larger_than_the_image(rejects, shape):
    """A filter that is too large for the padded image is a ValueError, on whichever axis it is."""
    rejects.conv2d_output_shape(shape, 7, 5)
    rejects.conv2d_output_shape(shape, 7, 7, 2, 1)
    rejects.conv2d_output_shape(shape, 7, (3, 3), dilation=2)


# --- pool2d_output_shape (15) -------------------------------------------------------------------------------


@points(4)
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5, (2, 3), (4, 1), (3, 7)])
def test_windows_side_by_side(agrees, rng, kernel_size):
    """Without a stride the windows lie side by side, each as far from the next as it is large."""
    pair = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    batch, channels = drawn(rng, 2, PRIMES)
    sides = unlike_sides(rng, pair, pair)
    agrees.pool2d_output_shape((batch, channels, *sides), kernel_size)
    agrees.pool2d_output_shape((channels, *sides), kernel_size, stride=None)


@points(3)
@pytest.mark.parametrize("left_over", [(1, 0), (0, 2), (2, 3), (1, 1)])
def test_windows_that_are_not_full(agrees, rng, left_over):
    """Rows and columns that do not fill a window are dropped."""
    batch, channels = drawn(rng, 2, PRIMES)
    kernel_size = drawn(rng, 2, range(4, 8))
    agrees.pool2d_output_shape(
        (batch, channels, *unlike_sides(rng, kernel_size, kernel_size, left_over=left_over)), kernel_size
    )
    agrees.pool2d_output_shape((channels, *unlike_sides(rng, (4, 4), (4, 4), left_over=left_over)), 4)


@points(3)
@pytest.mark.parametrize("stride", [1, 2, 4, (1, 2), (3, 1), (5, 2)])
def test_windows_with_a_stride_of_their_own(agrees, rng, stride):
    """A stride that is given decides, whether windows overlap or leave gaps."""
    pair = stride if isinstance(stride, tuple) else (stride, stride)
    batch, channels = drawn(rng, 2, PRIMES)
    for kernel_size in (3, (2, 3), (4, 3)):
        window = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        sides = unlike_sides(rng, window, pair, left_over=(pair[0] - 1, 0))
        agrees.pool2d_output_shape((batch, channels, *sides), kernel_size, stride)
        agrees.pool2d_output_shape((channels, *sides), kernel_size, stride=stride)


@points(3)
@pytest.mark.parametrize(
    ("kernel_size", "padding"),
    [(2, 1), (3, 1), (4, 2), (5, (2, 1)), ((2, 7), (1, 0)), ((6, 3), (3, 1)), ((1, 4), (0, 2))],
)
def test_padding_up_to_half_a_window(agrees, rng, kernel_size, padding):
    """Padding lengthens both sides of an axis, and may be as much as half the kernel size there."""
    batch, channels, height, width = drawn(rng, 4, (5, 7, 11, 13, 17, 19, 23, 29, 31))
    agrees.pool2d_output_shape((batch, channels, height + 20, width + 60), kernel_size, padding=padding)
    agrees.pool2d_output_shape((channels, height + 20, width + 60), kernel_size, (1, 2), padding)


@points(1)
@pytest.mark.parametrize(
    ("kernel_size", "padding"),
    [(2, 2), (3, 2), (1, 1), (6, 4), ((2, 5), (2, 0)), ((5, 2), (0, 2)), ((3, 7), 2)],
)
def test_padding_beyond_half_a_window(rejects, kernel_size, padding):
    """Padding of more than half the kernel size is a ValueError, on whichever axis it is."""
    rejects.pool2d_output_shape((5, 3, 29, 41), kernel_size, padding=padding)
    rejects.pool2d_output_shape((3, 29, 41), kernel_size, 1, padding)


@points(1)
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": (12, 2)},
        {"kernel_size": (2, 14)},
        {"kernel_size": 0},
        {"kernel_size": 2, "stride": (1, -1)},
        {"kernel_size": (3, 2), "padding": (-1, 0)},
        {"kernel_size": (13, 2), "stride": 3},
    ],
    ids=["too-high", "too-wide", "no-window", "stride", "padding", "too-high-with-stride"],
)
def test_pooling_that_cannot_be(rejects, settings):
    """A setting that no layer can have, or a window that does not fit, is a ValueError on either axis."""
    rejects.pool2d_output_shape((5, 3, 11, 13), **settings)


# --- same_padding (10) --------------------------------------------------------------------------------------


@points(3)
@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7, 21])
def test_odd_filter_keeps_the_length(agrees, kernel_size):
    """An odd filter takes away as much at one end as at the other."""
    agrees.same_padding(kernel_size)


@points(3)
@pytest.mark.parametrize("dilation", [2, 3, 4, 5, 12])
def test_dilated_odd_filter_keeps_the_length(agrees, rng, dilation):
    """A dilated filter takes away more, and its padding grows alike."""
    for half in drawn(rng, 3, range(1, 9)):
        agrees.same_padding(2 * half + 1, dilation)
    agrees.same_padding(1, dilation=dilation)


@points(3)
@pytest.mark.parametrize("dilation", [2, 4, 6, 10])
def test_dilated_even_filter_can_keep_the_length(agrees, rng, dilation):
    """An even filter keeps the length wherever its dilation makes it take away an even number of samples."""
    for half in (1, *drawn(rng, 3, range(2, 9))):
        agrees.same_padding(2 * half, dilation)


@points(1)
@pytest.mark.parametrize(("kernel_size", "dilation"), [(2, 1), (4, 1), (10, 1), (2, 3), (6, 5), (8, 7)])
def test_filter_that_cannot_keep_the_length(rejects, kernel_size, dilation):
    """Where a filter takes away an odd number of samples no padding keeps the length: a ValueError."""
    rejects.same_padding(kernel_size, dilation)


# --- receptive_field (10) -----------------------------------------------------------------------------------


def without_gaps(rng, depth, dilated):
    """A drawn chain whose windows overlap or touch, so that what one output sees has no holes."""
    layers, field, jump = [], 1, 1
    for _ in range(depth):
        kernel_size = int(rng.integers(2, 6))
        stride = int(rng.integers(1, min(kernel_size, 3) + 1))
        dilation = int(rng.integers(1, min(field // jump, 4) + 1))
        layers.append((kernel_size, stride, dilation) if dilated else (kernel_size, stride))
        field += (kernel_size - 1) * jump * (dilation if dilated else 1)
        jump *= stride
    return layers


@points(1)
@pytest.mark.parametrize("layer", [(1, 1), (2, 1), (3, 2), (5, 3), (7, 1)])
def test_one_layer_sees_its_window(agrees, layer):
    """An output of a single layer sees one window, and without any layer one sample."""
    agrees.receptive_field(())
    agrees.receptive_field([layer])


@points(2)
@pytest.mark.parametrize("depth", [2, 3, 5, 9])
def test_layers_without_stride(agrees, rng, depth):
    """Each further layer without stride adds to the field what its window reaches beyond one sample."""
    agrees.receptive_field([(3, 1)] * depth)
    agrees.receptive_field([(int(kernel_size), 1) for kernel_size in rng.integers(2, 8, size=depth)])


@points(3)
@pytest.mark.parametrize(
    "layers",
    [
        [(3, 2), (3, 1)],
        [(3, 1), (3, 2)],
        [(2, 2), (2, 2), (2, 2)],
        [(7, 2), (3, 3), (3, 1), (2, 2), (4, 1)],
        ((5, 3), (2, 1), (3, 2), (6, 4)),
    ],
    ids=["stride-first", "stride-last", "halves", "deep", "tuple"],
)
def test_stride_spreads_what_comes_after(agrees, rng, layers):
    """A layer's stride moves apart what the layers after it read, and no sample counts twice."""
    agrees.receptive_field(layers)
    agrees.receptive_field(without_gaps(rng, len(layers), dilated=False))


@points(2)
@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_dilation_widens_the_field(agrees, rng, depth):
    """A dilated layer reaches from its first tap to its last, wherever in the chain it stands."""
    agrees.receptive_field([(2, 1, 2**layer) for layer in range(depth)])
    agrees.receptive_field([(3, 1), *((4, 1, 3),) * (depth - 1)])
    agrees.receptive_field(without_gaps(rng, depth, dilated=True))


@points(1)
@pytest.mark.parametrize("layer", [(3, 1, 2), (2, 2, 5), (5, 1, 3)])
def test_dilation_of_the_first_layer(agrees, layer):
    """The field reaches from the first sample seen to the last, what a dilated filter skips included."""
    agrees.receptive_field([layer])
    agrees.receptive_field([layer, (7, 1)])


@points(1)
@pytest.mark.parametrize("layers", [[(3, 2), (3, 1)], [(2, 1, 1), (3, 2, 2), (4, 1, 1)]], ids=["pairs", "triples"])
def test_chain_is_left_as_it_was(preserves, layers):
    """The list of layers is left as it was."""
    preserves.receptive_field(layers)


# --- network_output_shape (25) ------------------------------------------------------------------------------


def images(rng):
    """A batch of large images and one image, of shapes that share nothing."""
    batch, channels = drawn(rng, 2, PRIMES)
    height, width = (int(side) for side in rng.integers((90, 150), (130, 200)))
    return (batch, channels, height, width), (channels, width, height)


def lecture_network(rng):
    """The lecture's network with drawn sizes."""
    first, second, classes = drawn(rng, 3, PRIMES)
    a, b = int(rng.integers(6, 10)), int(rng.integers(2, 5))
    return [
        {"kind": "conv2d", "out_channels": first, "kernel_size": 2},
        {"kind": "leaky_relu"},
        {"kind": "adaptive_avg_pool2d", "output_size": a},
        {"kind": "conv2d", "out_channels": second, "kernel_size": 3},
        {"kind": "leaky_relu"},
        {"kind": "adaptive_avg_pool2d", "output_size": b},
        {"kind": "flatten"},
        {"kind": "linear", "out_features": classes},
    ]


@points(4)
def test_network_of_the_lecture(agrees, rng):
    """The lecture's network, from images to class scores, and what leaves each of its layers."""
    layers = lecture_network(rng)
    for shape in images(rng):
        for count in range(1, len(layers) + 1):
            agrees.network_output_shape(shape, layers[:count])


@points(1)
@pytest.mark.parametrize("kind", ["relu", "leaky_relu", "batch_norm2d"])
def test_layers_that_keep_the_shape(agrees, rng, kind):
    """Activations and batch normalisation leave a shape as it is."""
    for shape in images(rng):
        agrees.network_output_shape(shape, [{"kind": kind}])
        agrees.network_output_shape(
            shape, ({"kind": "conv2d", "out_channels": 29, "kernel_size": (3, 2)}, {"kind": kind})
        )


@points(4)
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"stride": 2, "padding": 1},
        {"stride": (3, 2), "dilation": (1, 2)},
        {"padding": (0, 2), "dilation": 2, "bias": False},
        {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True},
        {"groups": 2, "stride": (1, 2)},
    ],
    ids=["defaults", "numbers", "pairs", "no-bias", "written-out", "groups"],
)
def test_chain_of_convolutions(agrees, rng, settings):
    """Each convolution of a chain has its own settings; groups and bias leave the shape alone."""
    first, last = drawn(rng, 2, (6, 10, 14, 22, 26))
    layers = [
        {"kind": "conv2d", "out_channels": first, "kernel_size": (4, 3)},
        {"kind": "conv2d", "out_channels": last, "kernel_size": (2, 5), **settings},
        {"kind": "conv2d", "out_channels": first + last, "kernel_size": 3, "stride": (1, 2)},
    ]
    for shape in images(rng):
        agrees.network_output_shape(shape, layers[:2])
        agrees.network_output_shape(shape, layers)


@points(3)
@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"stride": None}, {"stride": 1}, {"stride": (2, 3), "padding": (1, 0)}, {"padding": 1}],
    ids=["defaults", "none", "overlapping", "pairs", "padded"],
)
def test_pooling_in_a_network(agrees, rng, kind, settings):
    """Max and average pooling keep the channels, and without a stride the windows lie side by side."""
    layers = [
        {"kind": "conv2d", "out_channels": drawn(rng, 1, PRIMES)[0], "kernel_size": (3, 2)},
        {"kind": kind, "kernel_size": (4, 3), **settings},
        {"kind": kind, "kernel_size": 2},
    ]
    for shape in images(rng):
        agrees.network_output_shape(shape, layers)
        agrees.network_output_shape(shape, layers[1:])


@points(3)
@pytest.mark.parametrize("output_size", [1, 4, 7, (2, 5), (6, 1)])
def test_adaptive_pooling_in_a_network(agrees, rng, output_size):
    """Adaptive pooling makes every image exactly as large as asked, an int for both axes; channels stay."""
    layers = [
        {"kind": "adaptive_avg_pool2d", "output_size": output_size},
        {"kind": "conv2d", "out_channels": drawn(rng, 1, PRIMES)[0], "kernel_size": 2, "padding": (1, 2)},
    ]
    for shape in images(rng):
        agrees.network_output_shape(shape, layers[:1])
        agrees.network_output_shape(shape, layers)


@points(3)
@pytest.mark.parametrize("entries", [3, 4])
def test_flatten_keeps_the_batch(agrees, rng, entries):
    """Flattening makes one row of features of each image and keeps the batch axis where there is one."""
    for _ in range(3):
        shape = drawn(rng, entries, PRIMES)
        agrees.network_output_shape(shape, [{"kind": "flatten"}])
        agrees.network_output_shape(shape, [{"kind": "relu"}, {"kind": "flatten"}, {"kind": "relu"}])


@points(3)
@pytest.mark.parametrize("bias", [{}, {"bias": True}, {"bias": False}], ids=["default", "bias", "no-bias"])
@pytest.mark.parametrize("entries", [3, 4])
def test_linear_layers_after_flatten(agrees, rng, bias, entries):
    """A linear layer turns the features of each image into as many as it is asked for, again and again."""
    hidden, classes, *shape = drawn(rng, entries + 2, PRIMES)
    layers = [
        {"kind": "flatten"},
        {"kind": "linear", "out_features": hidden, **bias},
        {"kind": "leaky_relu"},
        {"kind": "linear", "out_features": classes, **bias},
    ]
    agrees.network_output_shape(tuple(shape), layers[:2])
    agrees.network_output_shape(tuple(shape), layers)


@points(1)
@pytest.mark.parametrize("shape", [(3, 31, 47), (5, 3, 31, 47)])
def test_unknown_kind(rejects, shape):
    """A kind that is not one of those named is a ValueError, wherever it stands in the network."""
    conv2d = {"kind": "conv2d", "out_channels": 7, "kernel_size": 3}
    rejects.network_output_shape(shape, [{"kind": "median_pool2d", "kernel_size": 3}])
    rejects.network_output_shape(shape, [conv2d, {"kind": "softplus"}])
    rejects.network_output_shape(shape, [conv2d, {"kind": "dropout"}, {"kind": "flatten"}])


@points(1)
@pytest.mark.parametrize("shape", [(3, 31, 47), (5, 3, 31, 47)])
def test_linear_before_flatten(rejects, shape):
    """A linear layer that meets an image which nothing has flattened is a ValueError."""
    conv2d = {"kind": "conv2d", "out_channels": 7, "kernel_size": 3}
    linear = {"kind": "linear", "out_features": 11}
    rejects.network_output_shape(shape, [linear])
    rejects.network_output_shape(shape, [conv2d, {"kind": "relu"}, linear])
    rejects.network_output_shape(
        shape, [{"kind": "adaptive_avg_pool2d", "output_size": 1}, linear, {"kind": "flatten"}]
    )


@points(2)
def test_layers_are_left_as_they_were(preserves, rng):
    """The list of layers and its dictionaries are left as they were."""
    for shape in images(rng):
        preserves.network_output_shape(shape, lecture_network(rng))
        preserves.network_output_shape(
            shape,
            [
                {"kind": "conv2d", "out_channels": 6, "kernel_size": (3, 2), "groups": 1, "bias": False},
                {"kind": "max_pool2d", "kernel_size": 2, "stride": None, "padding": (1, 0)},
                {"kind": "avg_pool2d", "kernel_size": (2, 3)},
            ],
        )
