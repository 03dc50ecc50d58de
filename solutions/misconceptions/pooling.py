"""Named wrong answers to `pooling`: what students write, what trackers and forums show, and a hint for each."""

import numpy as np
from pooling import adaptive_avg_pool2d, as_array, avg_pool2d, max_pool, max_pool2d, mean_pool, pair, sum_pool

# sum_pool


def sum_over_the_batch(z):
    """replaces: sum_pool

    You sum over the first axis. With a batch in front, the first axis counts signals, and time is the last one. Pooling
    never mixes two signals.
    """
    sum_pool(z)
    return as_array(z).sum(axis=0)


def sum_over_everything(z):
    """replaces: sum_pool

    All signals of the batch end up in a single number. Each signal should keep an answer of its own; only its time
    axis goes away.
    """
    sum_pool(z)
    return as_array(z).sum()


def sum_keeps_the_time_axis(z):
    """replaces: sum_pool

    Your numbers are right, but the time axis is still there, one entry long. After pooling over time there is no time
    left: compare the number of axes before and after.
    """
    sum_pool(z)
    return as_array(z).sum(axis=-1, keepdims=True)


# mean_pool


def divides_by_t_minus_k(z):
    """replaces: mean_pool

    You divide by one too few, as the slide on mean pooling does with its T − k. Count by hand how many numbers the
    lecture's convolution leaves for five samples and two taps, and ask what a mean of so many equal numbers should be.
    """
    return np.asarray(sum_pool(z) / (as_array(z).shape[-1] - 1))


def mean_over_the_batch(z):
    """replaces: mean_pool

    You average over the first axis. With a batch in front, the first axis counts signals, and time is the last one. A
    mean of several signals at one moment is not pooling over time.
    """
    mean_pool(z)
    return as_array(z).mean(axis=0)


def mean_over_everything(z):
    """replaces: mean_pool

    All signals of the batch end up in a single number. Each signal should keep a mean of its own; only its time axis
    goes away.
    """
    mean_pool(z)
    return as_array(z).mean()


def mean_divides_by_all_samples(z):
    """replaces: mean_pool

    For one signal you are right, and with a batch your means are too small. You divide by the samples of all signals
    together, while each sum has those of one signal only.
    """
    return np.asarray(sum_pool(z) / as_array(z).size)


def mean_is_cut_to_an_integer(z):
    """replaces: mean_pool

    Your means have lost what stands behind the decimal point. Two kinds of division look much alike in Python, and
    only one of them keeps it.
    """
    return np.asarray(sum_pool(z) // as_array(z).shape[-1])


# max_pool


def max_starts_at_zero(z):
    """replaces: max_pool

    Look at a signal in which every sample is negative: its maximum cannot be zero, for there is no zero in it. From
    which number does your running maximum start?
    """
    return np.maximum(max_pool(z), 0)


def largest_magnitude(z):
    """replaces: max_pool

    You look for the sample farthest from zero. The maximum is the one farthest up: of minus seven and minus one, it is
    minus one.
    """
    return max_pool(np.abs(as_array(z)))


def position_of_the_maximum(z):
    """replaces: max_pool

    You say where the largest sample is. Pooling wants to know how large it is, and forgets where.
    """
    max_pool(z)
    return as_array(z).argmax(axis=-1)


def max_over_the_batch(z):
    """replaces: max_pool

    You look along the first axis. With a batch in front, the first axis counts signals, and time is the last one.
    Pooling never compares two signals.
    """
    max_pool(z)
    return as_array(z).max(axis=0)


def max_over_everything(z):
    """replaces: max_pool

    All signals of the batch end up in a single number. Each signal should keep a maximum of its own; only its time axis
    goes away.
    """
    max_pool(z)
    return as_array(z).max()


def sorts_the_signal_in_place(z):
    """replaces: max_pool

    Your maximum is right, but afterwards the caller's signal is in another order. A function that is asked a question
    should not rearrange what it was asked about: work on a copy, or find the largest without sorting.
    """
    max_pool(z)
    z = as_array(z)
    z.sort(axis=-1)
    return np.array(z[..., -1])


# max_pool2d


def max_pads_with_zeros(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    At the border of a picture with negative values, your answer is zero, a value that the picture does not hold. Zero is
    the padding of a sum. What must a padded pixel be, so that it never wins a maximum?
    """
    max_pool2d(x, kernel_size, stride, padding)
    return max_pool2d(_padded(as_array(x), padding, mode="constant"), kernel_size, stride)


def max_stride_defaults_to_one(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Without a stride you move on by one pixel, as a convolution does. Pooling is there to shrink the picture: unless it
    is told otherwise, its windows lie side by side.
    """
    return max_pool2d(x, kernel_size, 1 if stride is None else stride, padding)


def max_ignores_the_stride(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Your windows always lie side by side, whatever the stride. That is right only where no stride is given: a stride may
    let windows overlap, or leave gaps between them.
    """
    return max_pool2d(x, kernel_size, None, padding)


def max_one_stride_for_both_axes(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You step to the right as far as you step down. A stride has two numbers, height first, and so has the stride that an
    oblong kernel stands for.
    """
    step, _ = pair(kernel_size if stride is None else stride)
    return max_pool2d(x, kernel_size, step, padding)


def max_swaps_the_stride(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Your two steps are the wrong way round: you go down by the width's and to the right by the height's. Height comes
    first in every pair.
    """
    return max_pool2d(x, kernel_size, pair(kernel_size if stride is None else stride)[::-1], padding)


def max_swaps_the_kernel(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Your windows lie on their side. A kernel of two and three is two rows high and three columns wide: height comes first
    in every pair.
    """
    return max_pool2d(x, pair(kernel_size)[::-1], stride, padding)


def max_swaps_height_and_width(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Kernel, stride and padding all act on the other direction: you read the picture as width by height. An array has its
    rows first, and the number of rows is the height.
    """
    return max_pool2d(x, *(None if size is None else pair(size)[::-1] for size in (kernel_size, stride, padding)))


def max_takes_the_corner(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You find every window, and then take the pixel in its top left corner. That is what a stride alone does; pooling
    looks at the whole window before it decides.
    """
    sh, sw = pair(kernel_size if stride is None else stride)
    height, width = max_pool2d(x, kernel_size, stride, padding).shape[-2:]
    x = _padded(as_array(x), padding, mode="constant", constant_values=-np.inf)
    return x[..., : sh * height : sh, : sw * width : sw]


def max_rounds_up(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You have a window too many where the stride does not go evenly into the picture. A window that hangs over the edge
    does not count: PyTorch rounds the number of windows down.
    """
    max_pool2d(x, kernel_size, stride, padding)
    x = _padded(as_array(x), padding, mode="constant", constant_values=-np.inf)
    return max_pool2d(_filled_up(x, kernel_size, stride, -np.inf), kernel_size, stride)


def max_pads_the_end_only(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You pad the picture on one side of each direction. Padding goes all around: as much above as below, as much to the
    left as to the right.
    """
    max_pool2d(x, kernel_size, stride, padding)
    x = as_array(x)
    ph, pw = pair(padding)
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, ph), (0, pw)], constant_values=-np.inf)
    return max_pool2d(x, kernel_size, stride)


def max_pads_integers_with_infinity(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    With floating-point pictures you are right, and with integers you stop with an error: among the integers there is no
    minus infinity. What must become of such a picture before you pad it?
    """
    x = _padded(np.asarray(x), padding, mode="constant", constant_values=-np.inf)
    kh, kw = pair(kernel_size)
    ph, pw = pair(padding)
    if 2 * ph > kh or 2 * pw > kw:
        raise ValueError("too much padding")
    return max_pool2d(x, kernel_size, stride)


def max_of_the_first_picture(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You pool one picture, the first channel of the first image, and forget the others. Whatever axes stand before height
    and width, they should all be there afterwards.
    """
    x = max_pool2d(x, kernel_size, stride, padding)
    return x.reshape(-1, *x.shape[-2:])[0]


def max_flattens_the_leading_axes(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Every picture is pooled rightly, but they come back in one long row. Batch and channels should stand before height
    and width just as they did, and a single picture should get no axis that it did not have.
    """
    x = max_pool2d(x, kernel_size, stride, padding)
    return x.reshape(-1, *x.shape[-2:])


def max_over_the_channels(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    Your windows reach through all channels. Pooling looks at each channel on its own, and there are as many channels
    after it as before.
    """
    x = max_pool2d(x, kernel_size, stride, padding)
    return x.max(axis=-3) if x.ndim > 2 else x


def max_pools_the_first_axes(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    You slide the windows over the first two axes, as if the channels stood last. The lecture and PyTorch store a picture
    channel first: height and width are the last two axes.
    """
    x = as_array(x)
    pooled = max_pool2d(np.moveaxis(x, (0, 1), (-2, -1)), kernel_size, stride, padding)
    return np.moveaxis(pooled, (-2, -1), (0, 1))


def max_writes_into_the_picture(x, kernel_size, stride=None, padding=0):
    """replaces: max_pool2d

    After the call the caller's picture is another one. You keep your running maximum in a slice, and a slice is no new
    array but a view into the picture.
    """
    pooled = max_pool2d(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw) = pair(kernel_size), pair(kernel_size if stride is None else stride)
    x = as_array(x)
    if any(pair(padding)):
        x = _padded(x, padding, mode="constant", constant_values=-np.inf)
    bottom, right = sh * pooled.shape[-2], sw * pooled.shape[-1]
    largest = x[..., :bottom:sh, :right:sw]
    for i in range(kh):
        for j in range(kw):
            np.maximum(largest, x[..., i : i + bottom : sh, j : j + right : sw], out=largest)
    return largest


# avg_pool2d


def avg_pads_with_infinity(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    At the border of the padded picture your means are minus infinity. That padding is right for a maximum, which it
    never wins; in a mean everything counts. What can one add to a sum without changing it?
    """
    avg_pool2d(x, kernel_size, stride, padding)
    x = _padded(as_array(x), padding, mode="constant", constant_values=-np.inf)
    return avg_pool2d(x, kernel_size, stride)


def avg_divides_without_padding(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    At the border you divide by the pixels of the picture alone. It is a sensible mean, and frameworks know it as an
    option; the one asked for counts the padded zeros too.
    """
    x = as_array(x)
    share = avg_pool2d(np.ones(x.shape[-2:]), kernel_size, stride, padding)
    return avg_pool2d(x, kernel_size, stride, padding) / share


def avg_repeats_the_border(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You pad with copies of the outermost pixels. The padding asked for is black: every pixel outside the picture is
    zero.
    """
    avg_pool2d(x, kernel_size, stride, padding)
    return avg_pool2d(_padded(as_array(x), padding, mode="edge"), kernel_size, stride)


def avg_pads_the_end_only(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You pad the picture on one side of each direction. Padding goes all around: as much above as below, as much to the
    left as to the right.
    """
    avg_pool2d(x, kernel_size, stride, padding)
    x = as_array(x)
    ph, pw = pair(padding)
    return avg_pool2d(np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, ph), (0, pw)]), kernel_size, stride)


def avg_stride_defaults_to_one(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    Without a stride you move on by one pixel, as a convolution does. Pooling is there to shrink the picture: unless it
    is told otherwise, its windows lie side by side.
    """
    return avg_pool2d(x, kernel_size, 1 if stride is None else stride, padding)


def avg_one_stride_for_both_axes(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You step to the right as far as you step down. A stride has two numbers, height first, and so has the stride that an
    oblong kernel stands for.
    """
    step, _ = pair(kernel_size if stride is None else stride)
    return avg_pool2d(x, kernel_size, step, padding)


def avg_swaps_the_kernel(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    Your windows lie on their side. A kernel of two and three is two rows high and three columns wide: height comes first
    in every pair.
    """
    return avg_pool2d(x, pair(kernel_size)[::-1], stride, padding)


def avg_divides_by_a_square(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You divide as if every window were a square. Draw an oblong one and count its pixels: how many numbers have you
    added up?
    """
    kh, kw = pair(kernel_size)
    return avg_pool2d(x, kernel_size, stride, padding) * kw / kh


def avg_forgets_to_divide(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    Your numbers are the sums of the windows. A mean should not grow with the window: in a picture of one colour it is
    that colour.
    """
    kh, kw = pair(kernel_size)
    return avg_pool2d(x, kernel_size, stride, padding) * (kh * kw)


def avg_cuts_means_of_integers(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    With floating-point pictures you are right; from a picture of integers, your means have lost what stands behind the
    decimal point. Of which kind is the array that you write them into?
    """
    return avg_pool2d(x, kernel_size, stride, padding).astype(np.asarray(x).dtype)


def avg_rounds_up(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You have a window too many where the stride does not go evenly into the picture. A window that hangs over the edge
    does not count: PyTorch rounds the number of windows down.
    """
    avg_pool2d(x, kernel_size, stride, padding)
    x = _padded(as_array(x), padding, mode="constant")
    inside = _filled_up(np.ones(x.shape[-2:]), kernel_size, stride, 0.0)
    total = avg_pool2d(_filled_up(x, kernel_size, stride, 0.0), kernel_size, stride)
    return total / avg_pool2d(inside, kernel_size, stride)  # a window that is cut off divides by what is left of it


def avg_over_the_channels(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    Your windows reach through all channels. Pooling looks at each channel on its own, and there are as many channels
    after it as before.
    """
    x = avg_pool2d(x, kernel_size, stride, padding)
    return x.mean(axis=-3) if x.ndim > 2 else x


def avg_pools_the_first_axes(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    You slide the windows over the first two axes, as if the channels stood last. The lecture and PyTorch store a picture
    channel first: height and width are the last two axes.
    """
    x = as_array(x)
    pooled = avg_pool2d(np.moveaxis(x, (0, 1), (-2, -1)), kernel_size, stride, padding)
    return np.moveaxis(pooled, (-2, -1), (0, 1))


def avg_adds_into_the_picture(x, kernel_size, stride=None, padding=0):
    """replaces: avg_pool2d

    After the call the caller's picture is another one. You add up in a slice, and a slice is no new array but a view
    into the picture.
    """
    pooled = avg_pool2d(x, kernel_size, stride, padding)
    (kh, kw), (sh, sw) = pair(kernel_size), pair(kernel_size if stride is None else stride)
    x = as_array(x)
    if any(pair(padding)):
        x = _padded(x, padding, mode="constant")
    bottom, right = sh * pooled.shape[-2], sw * pooled.shape[-1]
    total = x[..., :bottom:sh, :right:sw]
    for i in range(kh):
        for j in range(kw):
            if i or j:
                total += x[..., i : i + bottom : sh, j : j + right : sw]
    return total / (kh * kw)


# adaptive_avg_pool2d


def rounds_both_ends_down(x, output_size):
    """replaces: adaptive_avg_pool2d

    Your cells end too early where the sizes do not divide. Look at the formula again: its two brackets, for the begin
    and for the end, do not round the same way, and so two neighbours may read the same row.
    """
    return _cells(x, output_size, lambda i, a, n: (i * n // a, (i + 1) * n // a))


def rounds_both_ends_up(x, output_size):
    """replaces: adaptive_avg_pool2d

    Your cells begin too late where the sizes do not divide. Look at the formula again: its two brackets, for the begin
    and for the end, do not round the same way, and so two neighbours may read the same row.
    """
    return _cells(x, output_size, lambda i, a, n: (-(-i * n // a), -(-(i + 1) * n // a)))


def rounds_to_the_nearest(x, output_size):
    """replaces: adaptive_avg_pool2d

    You round both ends of a cell to the nearest row. A cell reads every row that it touches at all, even one that it
    only half covers. Which way must the begin be rounded for that, and which way the end?
    """
    return _cells(x, output_size, lambda i, a, n: ((2 * i * n + a) // (2 * a), (2 * (i + 1) * n + a) // (2 * a)))


def equal_cells_drop_the_rest(x, output_size):
    """replaces: adaptive_avg_pool2d

    Your cells all have one size and lie side by side, and the last rows and columns are never read. Where the sizes do
    not divide, cells have to differ in size or to overlap, so that every pixel counts.
    """
    return _cells(x, output_size, lambda i, a, n: (i * (n // a), (i + 1) * (n // a)))


def last_cell_takes_the_rest(x, output_size):
    """replaces: adaptive_avg_pool2d

    All your cells have one size, but for the last, which takes whatever is left over. The cells should be spread evenly:
    look at the formula for where each begins and ends, and try it by hand for ten rows and four cells.
    """
    return _cells(x, output_size, lambda i, a, n: (i * (n // a), n if i == a - 1 else (i + 1) * (n // a)))


def first_cells_take_the_rest(x, output_size):
    """replaces: adaptive_avg_pool2d

    You deal the rows out like cards: the first cells get one more, and no row is in two cells. The cells asked for are
    spread evenly and share a row where a border falls within it: try ten rows and four cells by hand.
    """
    return _cells(x, output_size, lambda i, a, n: (_dealt(i, a, n), _dealt(i + 1, a, n)))


def one_kernel_and_stride(x, output_size):
    """replaces: adaptive_avg_pool2d

    You work out a single kernel size and a single stride, as a well-known answer in the forums does. It gives the right
    number of cells, but in general not the right cells: five rows to three cells, for one, cannot be had from it.
    """
    return _cells(x, output_size, lambda i, a, n: (i * (n // a), i * (n // a) + n - (a - 1) * (n // a)))


def one_size_for_both_directions(x, output_size):
    """replaces: adaptive_avg_pool2d

    You make as many columns of cells as rows. An output size may have two numbers, height first.
    """
    if min(pair(output_size)) < 1:
        _no_cells()
    return adaptive_avg_pool2d(x, pair(output_size)[0])


def swaps_the_output_size(x, output_size):
    """replaces: adaptive_avg_pool2d

    You make as many rows of cells as there should be columns, and the other way round. Height comes first in every
    pair.
    """
    return adaptive_avg_pool2d(x, pair(output_size)[::-1])


def no_more_cells_than_pixels(x, output_size):
    """replaces: adaptive_avg_pool2d

    You refuse an output that is larger than the picture. It is unusual, but the formula has an answer: several cells
    then read the same pixel.
    """
    if any(cells > size for cells, size in zip(pair(output_size), as_array(x).shape[-2:], strict=True)):
        raise ValueError("more cells than pixels")
    return adaptive_avg_pool2d(x, output_size)


def cells_of_integers_are_cut(x, output_size):
    """replaces: adaptive_avg_pool2d

    With floating-point pictures you are right; from a picture of integers, your means have lost what stands behind the
    decimal point. Of which kind is the array that you write them into?
    """
    return adaptive_avg_pool2d(x, output_size).astype(np.asarray(x).dtype)


def cells_reach_through_the_channels(x, output_size):
    """replaces: adaptive_avg_pool2d

    Your cells reach through all channels. Pooling looks at each channel on its own, and there are as many channels after
    it as before.
    """
    x = adaptive_avg_pool2d(x, output_size)
    return x.mean(axis=-3) if x.ndim > 2 else x


def cells_of_the_first_axes(x, output_size):
    """replaces: adaptive_avg_pool2d

    You divide the first two axes into cells, as if the channels stood last. The lecture and PyTorch store a picture
    channel first: height and width are the last two axes.
    """
    pooled = adaptive_avg_pool2d(np.moveaxis(as_array(x), (0, 1), (-2, -1)), output_size)
    return np.moveaxis(pooled, (-2, -1), (0, 1))


# What several of them do


def _padded(x, padding, **how):
    ph, pw = pair(padding)
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(ph, ph), (pw, pw)], **how)


def _filled_up(x, kernel_size, stride, value):
    """x with as many rows and columns behind it as the last, overhanging windows need."""
    steps = pair(kernel_size if stride is None else stride)
    missing = [-(size - k) % s for size, k, s in zip(x.shape[-2:], pair(kernel_size), steps, strict=True)]
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, count) for count in missing], constant_values=value)


def _cells(x, output_size, bounds):
    """Means of the cells whose begin and end bounds(cell, cells, length) gives."""
    x = as_array(x)
    a, b = pair(output_size)
    if min(a, b) < 1:
        _no_cells()
    means = np.empty((*x.shape[:-2], a, b))
    for i in range(a):
        top, bottom = bounds(i, a, x.shape[-2])
        for j in range(b):
            left, right = bounds(j, b, x.shape[-1])
            means[..., i, j] = x[..., top:bottom, left:right].mean(axis=(-2, -1))
    return means


def _dealt(cell, cells, length):
    """How many rows the cells before this one have, where the first ones get one more."""
    return cell * (length // cells) + min(cell, length % cells)


def _no_cells():
    raise ValueError("no cells")
