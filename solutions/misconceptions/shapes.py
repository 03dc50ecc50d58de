import math

import numpy as np
from shapes import as_pair, conv2d_output_shape, pool2d_output_shape

# --- conv_output_length -------------------------------------------------------------------------------------


def _allowed(length, kernel_size, stride, padding, dilation):
    if min(length, kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("a setting that no layer can have")


def _at_least_one(output):
    if output < 1:
        raise ValueError("no output")
    return output


def no_plus_one(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Draw the lecture's five samples and its filter of two taps, and count: the filter has four places, not
    three. The slide says T - k there, and it slips. Before the filter takes its first step it already
    stands somewhere.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride)


def ceil_for_floor(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    When the steps do not come out even, the last window would hang over the end of the signal. PyTorch's
    convolution leaves such a window out. Which way of rounding counts only windows that are full?
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one(-(-(length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride) + 1)


def rounded_to_nearest(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    A step that fits for the most part does not fit. Rounding to the nearest whole number sometimes counts a
    window that hangs over the end of the signal; think about which windows are full.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one(round((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1)


def one_added_before_dividing(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    At stride 1 your count is right, at larger strides it is often one short. The stride spaces out the
    steps from one window to the next, but the first window needs no step. Which part of your count should
    the stride divide?
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + 2 * padding - dilation * (kernel_size - 1)) // stride)


def padding_counted_once(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Padding is what is added at one end, and it is added at both ends. Draw a signal of three samples with
    padding 1: how long has it become?
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + padding - dilation * (kernel_size - 1) - 1) // stride + 1)


def dilation_dropped(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    A dilated filter has no more taps than before, but it is longer: its taps stand further apart. Measure
    how far it reaches from its first tap to its last, and let that stretch slide.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + 2 * padding - kernel_size) // stride + 1)


def gap_after_the_last_tap(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Dilation opens gaps between taps, and between k taps there is one gap fewer than there are taps. Draw a
    filter of two taps with dilation 3 and count the samples from the first tap to the last.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + 2 * padding - dilation * kernel_size) // stride + 1)


def division_left_unrounded(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    The number of outputs is a whole number, and yours can have a fraction. Half a window gives no output:
    decide what becomes of the fraction, and return an integer rather than a float.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)


def floor_that_is_a_float(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    The value is right, but it comes as a float: NumPy's floor rounds without making an integer. A shape
    with a decimal point cannot be used to make an array, so return a whole number.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one(np.floor((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1)


def rounded_towards_zero(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Cutting off the decimals rounds down above zero only. Take a filter that is one sample too long and a
    stride of 2, and see what your arithmetic makes of minus a half: it finds a window where none fits.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return _at_least_one(int((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1)


def nothing_refused(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Your arithmetic is right, and it gives a number for anything: a stride below one, a filter longer than
    the signal. Layers that cannot be should be refused; the docstring lists what is an error.
    """
    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def settings_unchecked(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    You refuse an output that is too short, but some settings make no sense although a plausible number
    comes out. Think of an empty signal with much padding, or of a filter without taps.
    """
    return _at_least_one(nothing_refused(length, kernel_size, stride, padding, dilation))


def empty_output_returned(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    You check the settings one by one, but not whether they fit together. A filter that is longer than the
    padded signal has no place to stand, and an output of zero samples or fewer is an error.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return nothing_refused(length, kernel_size, stride, padding, dilation)


def never_shorter_than_one(length, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv_output_length

    Where the filter is longer than the padded signal there is no place for it at all, and no layer can be
    built. A length of zero or less is not an answer, and neither is a length of one made out of it: say so
    with an error.
    """
    _allowed(length, kernel_size, stride, padding, dilation)
    return max((length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1, 1)


# --- conv2d_output_shape ------------------------------------------------------------------------------------


def _swapped(value):
    return as_pair(value)[::-1]


def image_shrinks_by_the_filter(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    The slide gives the output of the layer as h - k by w - k, and it slips by one. Put a filter of 2 x 2 on
    an image of 3 x 3 and count its places: two going down and two across.
    """
    *batch, channels, height, width = conv2d_output_shape(
        input_shape, out_channels, kernel_size, stride, padding, dilation
    )
    return (*batch, channels, _at_least_one(height - 1), _at_least_one(width - 1))


def batch_of_one_added(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    The slide's output begins with 1 because the slide feeds in a batch of one image. An image that comes
    without a batch axis leaves without one: the answer has as many entries as the question.
    """
    shape = conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)
    return (1, *shape) if len(shape) == 3 else shape


def filter_taller_than_wide(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    One slide draws a filter of height k + 1 and width k. That is a slip: where the kernel size is a single
    number the filter is a square with that many rows and that many columns.
    """
    if not isinstance(kernel_size, tuple):
        kernel_size = (kernel_size + 1, kernel_size)
    return conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)


def pairs_read_as_width_and_height(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    On a square everything fits, and on anything else your heights and widths are mixed up. A pair is given
    as height and width, in the same order in which the image's shape names its last two axes.
    """
    pairs = map(_swapped, (kernel_size, stride, padding, dilation))
    return conv2d_output_shape(input_shape, out_channels, *pairs)


def width_before_height(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    Both sides of your image have the right size, but they come out in the wrong order. Shapes name the
    height first, as a matrix names its rows first.
    """
    *leading, height, width = conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)
    return (*leading, width, height)


def height_serves_both_axes(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    Only squares come out right: you worked out one side and used it for both. The two axes know nothing of
    each other, so each has to be worked out from its own entries.
    """
    *leading, height, _ = conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)
    return (*leading, height, height)


def first_of_each_pair_for_both_axes(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    Single numbers work, and pairs only where their two entries are equal. The first entry belongs to the
    height; the width has settings of its own.
    """
    firsts = (as_pair(value)[0] for value in (kernel_size, stride, padding, dilation))
    return conv2d_output_shape(input_shape, out_channels, *firsts)


def channels_stay(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    A filter reads all the channels of its window at once and writes a single one. So how many channels come
    out does not depend on how many went in, but on how many filters there are.
    """
    shape = conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)
    return (*shape[:-3], input_shape[-3], *shape[-2:])


def every_filter_on_every_channel(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    You let each filter make one output for each input channel. In a convolution layer a filter has a slice
    for every input channel, and what its slices find is added up: one filter, one output channel.
    """
    shape = conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)
    return (*shape[:-3], input_shape[-3] * out_channels, *shape[-2:])


def batch_axis_dropped(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    The images of a batch went in and only one came out. A layer treats each image of a batch alike and by
    itself, so the batch axis is still there behind it.
    """
    return conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding, dilation)[-3:]


def channels_last(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    Some libraries store colours last, and image files do too. PyTorch and the lecture store channels first,
    before height and width, and what comes out of a layer is ordered like what went in.
    """
    *batch, channels, height, width = conv2d_output_shape(
        input_shape, out_channels, kernel_size, stride, padding, dilation
    )
    return (*batch, height, width, channels)


def dilation_not_passed_on(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """replaces: conv2d_output_shape

    Your answer does not change when the filter is dilated. A dilated filter spans more rows and columns and
    so has fewer places to stand; your own function for one axis already knows about it.
    """
    _allowed(1, 1, 1, 0, min(as_pair(dilation)))
    return conv2d_output_shape(input_shape, out_channels, kernel_size, stride, padding)


# --- pool2d_output_shape ------------------------------------------------------------------------------------


def pooling_moves_one_step(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    A convolution moves one step at a time unless told otherwise, a pooling layer does not. It is there to
    shrink the image, so by default its windows lie side by side: how far apart do they start then?
    """
    return pool2d_output_shape(input_shape, kernel_size, 1 if stride is None else stride, padding)


def pooling_ignores_its_stride(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    Your windows always lie side by side, even where a stride is given. Side by side is only the default; a
    stride of its own makes them overlap or leaves gaps between them.
    """
    _allowed(1, 1, 1 if stride is None else min(as_pair(stride)), 0, 1)
    return pool2d_output_shape(input_shape, kernel_size, None, padding)


def pooling_rounds_up(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    You count a window that hangs over the edge of the image. Some libraries do, and PyTorch can be asked
    to, but its default drops the rows and columns that fill no window.
    """
    shape = pool2d_output_shape(input_shape, kernel_size, stride, padding)
    settings = map(as_pair, (kernel_size, kernel_size if stride is None else stride, padding))
    sides = (
        -(-(side + 2 * padding - window) // step) + 1
        for side, window, step, padding in zip(input_shape[-2:], *settings, strict=True)
    )
    return (*shape[:-2], *sides)


def pooling_only_divides(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    Dividing the size by the stride is right only while windows lie side by side. A window that is larger
    than its step reaches further, so near the edge it runs out of room earlier; one that is smaller fits in
    once more.
    """
    shape = pool2d_output_shape(input_shape, kernel_size, stride, padding)
    settings = map(as_pair, (kernel_size if stride is None else stride, padding))
    sides = (
        _at_least_one((side + 2 * padding) // step)
        for side, step, padding in zip(input_shape[-2:], *settings, strict=True)
    )
    return (*shape[:-2], *sides)


def pooling_without_padding(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    Padding makes no difference to your answer. A pooling layer pads all four sides of its image just as a
    convolution layer does, before its windows start to slide.
    """
    pool2d_output_shape(input_shape, kernel_size, stride, padding)
    return pool2d_output_shape(input_shape, kernel_size, stride)


def pooling_shrinks_the_channels(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    Pooling looks at each channel by itself: its window has a height and a width and no depth. As many
    channels leave as have come.
    """
    shape = pool2d_output_shape(input_shape, kernel_size, stride, padding)
    return (*shape[:-3], 1, *shape[-2:])


def pooling_padding_unchecked(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    With that much padding a window at the edge would see more padding than image. PyTorch refuses more than
    half a kernel size of it, on either axis, and so should you.
    """
    return conv2d_output_shape(
        input_shape, input_shape[-3], kernel_size, kernel_size if stride is None else stride, padding
    )


def half_a_window_of_padding_refused(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    You refuse padding of exactly half a kernel size. There a window at the edge still sees as much image as
    padding; only more than half is too much.
    """
    for size, added in zip(as_pair(kernel_size), as_pair(padding), strict=True):
        if 2 * added >= size:
            raise ValueError("too much padding")
    return pool2d_output_shape(input_shape, kernel_size, stride, padding)


def padding_checked_for_the_height_alone(input_shape, kernel_size, stride=None, padding=0):
    """replaces: pool2d_output_shape

    The limit on padding holds for each axis, and you looked at one of them. A window can be wide enough for
    its padding and not high enough, or the other way round.
    """
    if 2 * as_pair(padding)[0] > as_pair(kernel_size)[0]:
        raise ValueError("too much padding")
    return pooling_padding_unchecked(input_shape, kernel_size, stride, padding)


# --- same_padding -------------------------------------------------------------------------------------------


def half_the_filter(kernel_size, dilation=1):
    """replaces: same_padding

    Half the kernel size is right for odd filters only. With an even filter the output becomes longer than
    the input; work out how many samples the filter takes away, and ask whether two equal ends can make up
    for that.
    """
    return dilation * (kernel_size // 2)


def odd_loss_rounded_down(kernel_size, dilation=1):
    """replaces: same_padding

    Where the filter takes away an odd number of samples, your padding leaves the output one short. No whole
    number at each end makes up for an odd loss, and rounding hides that from whoever asked: it should be an
    error.
    """
    return dilation * (kernel_size - 1) // 2


def padding_of_both_ends_together(kernel_size, dilation=1):
    """replaces: same_padding

    You return all the zeros that are needed, but padding says how many are added at each end. They are
    shared between two ends.
    """
    if dilation * (kernel_size - 1) % 2:
        raise ValueError("an odd loss")
    return dilation * (kernel_size - 1)


def dilation_takes_nothing_away(kernel_size, dilation=1):
    """replaces: same_padding

    Your padding is the same for every dilation. Taps that stand further apart reach further, so a dilated
    filter takes away more samples and needs more padding.
    """
    if dilation * (kernel_size - 1) % 2:
        raise ValueError("an odd loss")
    return (kernel_size - 1) // 2


def dilation_only_added(kernel_size, dilation=1):
    """replaces: same_padding

    Dilation widens every gap between two taps, not just one of them. For a filter of three taps you cannot
    tell the difference; try one of five.
    """
    if dilation * (kernel_size - 1) % 2:
        raise ValueError("an odd loss")
    return kernel_size // 2 + dilation - 1


def even_filters_refused(kernel_size, dilation=1):
    """replaces: same_padding

    Not every even filter is hopeless. What counts is how many samples it takes away, and with dilation that
    can be an even number even so: try two taps at dilation 2.
    """
    if kernel_size % 2 == 0:
        raise ValueError("an even filter")
    return dilation * (kernel_size - 1) // 2


def padding_that_is_a_float(kernel_size, dilation=1):
    """replaces: same_padding

    The value is right, but it comes as a float. Nobody can add 1.0 zeros: where a whole number is the
    answer, divide so that it stays whole.
    """
    if dilation * (kernel_size - 1) % 2:
        raise ValueError("an odd loss")
    return dilation * (kernel_size - 1) / 2


# --- receptive_field ----------------------------------------------------------------------------------------


def _triples(layers):
    return [(*layer, 1)[:3] for layer in layers]


def strides_ignored(layers):
    """replaces: receptive_field

    Your field grows as if no layer had a stride. Behind a layer with stride 2 neighbouring values are two
    input samples apart, so every later window covers twice as much of the input.
    """
    return 1 + sum(dilation * (kernel_size - 1) for kernel_size, _, dilation in _triples(layers))


def own_stride_counts_too(layers):
    """replaces: receptive_field

    A layer's stride moves apart what comes after it, not the samples that its own window reads. Look at a
    single layer: whatever its stride, one output sees one window.
    """
    field, jump = 1, 1
    for kernel_size, stride, dilation in _triples(layers):
        jump *= stride
        field += dilation * (kernel_size - 1) * jump
    return field


def only_the_last_stride_counts(layers):
    """replaces: receptive_field

    You spread each window by the stride of the layer right before it. Strides pile up: two layers that each
    skip every other value leave values that are four input samples apart.
    """
    field, jump = 1, 1
    for kernel_size, stride, dilation in _triples(layers):
        field += dilation * (kernel_size - 1) * jump
        jump = stride
    return field


def strides_added_up(layers):
    """replaces: receptive_field

    You add up the strides of the layers before. Skip two out of three samples, then every other one of what
    is left: how far apart are those that remain? Try it on a row of twelve dots.
    """
    field, jump = 1, 1
    for kernel_size, stride, dilation in _triples(layers):
        field += dilation * (kernel_size - 1) * jump
        jump += stride - 1
    return field


def chain_read_backwards(layers):
    """replaces: receptive_field

    You treat the last layer as if it read the input. The first entry of the chain is the layer next to the
    input, and its stride is felt by all the layers after it.
    """
    field, jump = 1, 1
    for kernel_size, stride, dilation in reversed(_triples(layers)):
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field


def overlaps_counted_twice(layers):
    """replaces: receptive_field

    Neighbouring windows overlap, and a sample that several of them see is still a single sample. Draw two
    layers of three taps: how many different inputs are there under one output?
    """
    field = 1
    for kernel_size, _, dilation in _triples(layers):
        field *= dilation * (kernel_size - 1) + 1
    return field


def windows_added_up(layers):
    """replaces: receptive_field

    You add each layer's whole window to the field. But the field already covers one place of that window;
    only what the window reaches beyond that place is new.
    """
    field, jump = 0, 1
    for kernel_size, stride, dilation in _triples(layers):
        field += (dilation * (kernel_size - 1) + 1) * jump
        jump *= stride
    return field if layers else 1


def dilation_left_out_of_the_field(layers):
    """replaces: receptive_field

    A dilated window has gaps between its taps and reaches further than its number of taps says. The field
    goes from its first sample to its last, gaps included.
    """
    field, jump = 1, 1
    for kernel_size, stride, _ in _triples(layers):
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


def first_dilation_left_out(layers):
    """replaces: receptive_field

    You begin with the first layer's kernel size, and so its dilation never counts. It would be simpler to
    begin before the first layer, where one sample sees itself, and to treat all layers alike.
    """
    field, jump = 1, 1
    for number, (kernel_size, stride, dilation) in enumerate(_triples(layers)):
        field += (dilation if number else 1) * (kernel_size - 1) * jump
        jump *= stride
    return field


# --- network_output_shape -----------------------------------------------------------------------------------


def _walk(input_shape, layers, **changed):
    """Walk through the layers as the master does, with the step of some kinds changed."""
    steps = _STEPS | changed
    shape = tuple(input_shape)
    for layer in layers:
        if layer["kind"] not in steps:
            raise ValueError("unknown kind")
        shape = steps[layer["kind"]](shape, layer)
    return shape


def _options(layer):
    return {name: value for name, value in layer.items() if name not in ("kind", "groups", "bias")}


def _linear(shape, layer):
    if len(shape) > 2:
        raise ValueError("not flattened")
    return (*shape[:-1], layer["out_features"])


_STEPS = {
    "conv2d": lambda shape, layer: conv2d_output_shape(shape, **_options(layer)),
    "max_pool2d": lambda shape, layer: pool2d_output_shape(shape, **_options(layer)),
    "avg_pool2d": lambda shape, layer: pool2d_output_shape(shape, **_options(layer)),
    "adaptive_avg_pool2d": lambda shape, layer: (*shape[:-2], *as_pair(layer["output_size"])),
    "leaky_relu": lambda shape, layer: shape,
    "relu": lambda shape, layer: shape,
    "batch_norm2d": lambda shape, layer: shape,
    "flatten": lambda shape, layer: (*shape[:-3], math.prod(shape[-3:])),
    "linear": _linear,
}


def batch_flattened_too(input_shape, layers):
    """replaces: network_output_shape

    Your flatten makes one long row of the whole batch, and its images can no longer be told apart. Each
    image keeps a row of its own; only channels, rows and columns are joined.
    """
    return _walk(input_shape, layers, flatten=lambda shape, layer: (math.prod(shape),))


def batch_lost_in_flattening(input_shape, layers):
    """replaces: network_output_shape

    You count the features of an image rightly, and then the batch axis is gone. As many rows come out of
    flatten as images went in.
    """
    return _walk(input_shape, layers, flatten=lambda shape, layer: (math.prod(shape[-3:]),))


def channels_taken_for_the_batch(input_shape, layers):
    """replaces: network_output_shape

    PyTorch's own flatten layer keeps the first axis, whatever it is. Here a single image has no batch axis,
    and its first axis is the channels: they are flattened with the rest.
    """
    return _walk(input_shape, layers, flatten=lambda shape, layer: (shape[0], math.prod(shape[1:])))


def adaptive_size_is_a_window(input_shape, layers):
    """replaces: network_output_shape

    You read the number of an adaptive pooling layer as the size of its window. It is the size of what comes
    out; the layer chooses windows to match, whatever image comes in.
    """
    return _walk(
        input_shape,
        layers,
        adaptive_avg_pool2d=lambda shape, layer: pool2d_output_shape(shape, layer["output_size"]),
    )


def adaptive_number_is_the_shorter_side(input_shape, layers):
    """replaces: network_output_shape

    Resizing a photo by a single number keeps its proportions, adaptive pooling by a single number does not.
    It gives that many rows and just as many columns, even where the image was not square.
    """

    def pool(shape, layer):
        size, shorter = layer["output_size"], min(shape[-2:])
        if isinstance(size, tuple):
            return (*shape[:-2], *size)
        return (*shape[:-2], *(size * side // shorter for side in shape[-2:]))

    return _walk(input_shape, layers, adaptive_avg_pool2d=pool)


def pooling_in_a_network_moves_one_step(input_shape, layers):
    """replaces: network_output_shape

    Where a pooling layer's dictionary names no stride you let its windows move by one, as a convolution's
    would. The default differs from kind to kind; your own function for pooling already knows its own.
    """

    def pool(shape, layer):
        stride = layer.get("stride")
        return pool2d_output_shape(shape, **(_options(layer) | {"stride": 1 if stride is None else stride}))

    return _walk(input_shape, layers, max_pool2d=pool, avg_pool2d=pool)


def settings_of_the_layer_ignored(input_shape, layers):
    """replaces: network_output_shape

    The first convolutions are right, those with a stride, padding or dilation of their own are not. What a
    dictionary says about its layer has to reach the function that works out the shape.
    """
    return _walk(
        input_shape,
        layers,
        conv2d=lambda shape, layer: conv2d_output_shape(shape, layer["out_channels"], layer["kernel_size"]),
    )


def every_group_makes_all_channels(input_shape, layers):
    """replaces: network_output_shape

    With groups the filters are shared out among the groups, they do not become more. A layer writes
    out_channels channels, with groups or without.
    """

    def convolve(shape, layer):
        options = _options(layer)
        return conv2d_output_shape(
            shape, **(options | {"out_channels": options["out_channels"] * layer.get("groups", 1)})
        )

    return _walk(input_shape, layers, conv2d=convolve)


def first_convolution_used_again(input_shape, layers):
    """replaces: network_output_shape

    The slide applies conv1 a second time where conv2 is meant. Every convolution of the list is a layer of
    its own, with its own number of filters, size and stride.
    """
    convolutions = [layer for layer in layers if layer["kind"] == "conv2d"]
    return _walk(
        input_shape,
        layers,
        conv2d=lambda shape, layer: conv2d_output_shape(shape, **_options(convolutions[0])),
    )


def last_layer_first(input_shape, layers):
    """replaces: network_output_shape

    Your layers are applied from the last to the first. The first entry of the list is the layer that reads
    the image, and the last one gives the network's answer.
    """
    return _walk(input_shape, list(reversed(layers)))


def batch_lost_in_the_linear_layer(input_shape, layers):
    """replaces: network_output_shape

    A linear layer answers for each image of a batch. Only the last axis, the features, is replaced; the
    batch axis before it stays.
    """

    def linear(shape, layer):
        return _linear(shape, layer)[-1:]

    return _walk(input_shape, layers, linear=linear)


def linear_without_flatten(input_shape, layers):
    """replaces: network_output_shape

    A linear layer that meets an image works along its width alone, which is hardly what anybody wants. In
    this assignment it is an error to put one before flatten, for one image and for a batch.
    """
    return _walk(input_shape, layers, linear=lambda shape, layer: (*shape[:-1], layer["out_features"]))


def unknown_kind_passed_over(input_shape, layers):
    """replaces: network_output_shape

    A kind that you do not know may do anything to the shape, so passing over it gives a number that nobody
    should trust. Say that it is unknown, even if all the others are fine.
    """
    return _walk(input_shape, [layer for layer in layers if layer["kind"] in _STEPS])


def takes_the_kind_out(input_shape, layers):
    """replaces: network_output_shape

    The shapes are right, but afterwards the network's description is no longer what it was: you took
    entries out of its dictionaries. Whoever wrote it may want to use it again, so read from it without
    changing it, or work on copies.
    """
    shape = tuple(input_shape)
    for layer in layers:
        kind = layer.pop("kind")
        shape = _walk(shape, [{"kind": kind, **layer}])
    return shape
