"""The hidden suite of `pooling`.

Every picture is oblong, and where it matters so are kernel, stride and padding. Numbers have both signs, and
where padding meets a maximum they are all negative. Maxima are exact but for rounding to single precision:
terms=1. Means keep the default, as many terms as the input has samples: an integral image adds up all of it.

A window that hangs over the edge always holds a pixel still: who rounds the output size up gets numbers from
it, and so a hint, rather than an error from an empty slice.
"""

import pytest

from autograder.suite import points

LARGEST = 9  # the largest magnitude of the whole numbers drawn below, and so the scale of one term


def whole_numbers(rng, *shape):
    return rng.integers(-LARGEST, LARGEST + 1, size=shape)


def negative(rng, *shape):
    return -0.1 - rng.exponential(size=shape)


# sum_pool


@points(1)
@pytest.mark.parametrize("length", [1, 2, 7, 61])
def test_sum_of_one_signal(agrees, rng, length):
    """sum_pool of a single signal (T,) is one number: the sum of its T samples."""
    agrees.sum_pool(rng.normal(size=length))


@points(1)
@pytest.mark.parametrize("shape", [(3, 7), (7, 1), (2, 5, 11), (2, 3, 5, 7)], ids=str)
def test_sum_of_many_signals(agrees, rng, shape):
    """sum_pool sums over the last axis alone and removes it, whatever stands before it: (…, T) to (…)."""
    agrees.sum_pool(rng.normal(size=shape), terms=shape[-1])


@points(1)
def test_sum_of_lists_and_integers(agrees, rng):
    """sum_pool takes lists and integers, such as the output 4, 7, 10, 13 of the lecture's example."""
    agrees.sum_pool([4, 7, 10, 13], terms=4, scale=13)
    agrees.sum_pool([[0.5, -1.25, 2.0], [3.5, 0.25, -4.0]], terms=3, scale=4)
    agrees.sum_pool(whole_numbers(rng, 3, 5), terms=5, scale=LARGEST)


@points(1)
@pytest.mark.parametrize("shape", [(7,), (3, 5)], ids=str)
def test_sum_leaves_its_input_alone(preserves, rng, shape):
    """sum_pool leaves the signals that it is given as they were."""
    preserves.sum_pool(rng.normal(size=shape))


@points(1)
def test_sum_of_nothing(rejects, rng):
    """sum_pool raises ValueError where there is no sample (T = 0) or no time axis (a scalar)."""
    rejects.sum_pool([])
    rejects.sum_pool(rng.normal(size=(3, 0)))
    rejects.sum_pool(rng.normal(size=(2, 5, 0)))
    rejects.sum_pool(2.5)


# mean_pool


@points(1)
@pytest.mark.parametrize("length", [2, 7, 61])  # of one sample, the slide's T − k would divide by zero
def test_mean_of_one_signal(agrees, rng, length):
    """mean_pool of a single signal (T,) is one number: the sum of its samples, divided by their number."""
    agrees.mean_pool(rng.normal(size=length) + 2)


@points(1)
@pytest.mark.parametrize("shape", [(3, 7), (7, 2), (2, 5, 11), (2, 3, 5, 7)], ids=str)
def test_mean_of_many_signals(agrees, rng, shape):
    """mean_pool averages over the last axis alone and removes it: (…, T) to (…), whatever stands before T."""
    agrees.mean_pool(rng.normal(size=shape) - 1, terms=shape[-1])


@points(1)
def test_mean_of_lists_and_integers(agrees, rng):
    """mean_pool takes lists and integers, and no mean is cut to an integer."""
    agrees.mean_pool([4, 7, 10, 13], terms=4, scale=13)
    agrees.mean_pool([[-1, -2], [3, 4], [-6, 5]], terms=2, scale=6)
    agrees.mean_pool([[0.5, -1.25, 2.0], [3.5, 0.25, -4.0]], terms=3, scale=4)
    agrees.mean_pool(whole_numbers(rng, 3, 5, 7), terms=7, scale=LARGEST)


@points(1)
@pytest.mark.parametrize("shape", [(7,), (3, 5)], ids=str)
def test_mean_leaves_its_input_alone(preserves, rng, shape):
    """mean_pool leaves the signals that it is given as they were."""
    preserves.mean_pool(rng.normal(size=shape))


@points(1)
def test_mean_of_nothing(rejects, rng):
    """mean_pool raises ValueError where there is no sample (T = 0) or no time axis (a scalar)."""
    rejects.mean_pool([])
    rejects.mean_pool(rng.normal(size=(3, 0)))
    rejects.mean_pool(rng.normal(size=(2, 5, 0)))
    rejects.mean_pool(-1.5)


# max_pool


@points(1)
@pytest.mark.parametrize("length", [1, 2, 7, 61])
def test_max_of_one_signal(agrees, rng, length):
    """max_pool of a single signal (T,) is one number: its largest sample, which may well be negative."""
    agrees.max_pool(rng.normal(size=length), terms=1)
    agrees.max_pool(negative(rng, length), terms=1)


@points(1)
@pytest.mark.parametrize("shape", [(3, 7), (7, 1), (2, 5, 11), (2, 3, 5, 7)], ids=str)
def test_max_of_many_signals(agrees, rng, shape):
    """max_pool looks along the last axis alone and removes it: (…, T) to (…), whatever stands before T."""
    agrees.max_pool(rng.normal(size=shape), terms=1)
    agrees.max_pool(negative(rng, *shape), terms=1)


@points(1)
def test_max_of_lists_and_integers(agrees, rng):
    """max_pool takes lists and integers, such as the output 4, 7, 10, 13 of the lecture's example."""
    agrees.max_pool([4, 7, 10, 13], terms=1, scale=13)
    agrees.max_pool([[0.5, -1.25, 2.0], [-3.5, -0.25, -4.0]], terms=1, scale=4)
    agrees.max_pool(whole_numbers(rng, 3, 5), terms=1, scale=LARGEST)


@points(1)
@pytest.mark.parametrize("shape", [(7,), (3, 5)], ids=str)
def test_max_leaves_its_input_alone(preserves, rng, shape):
    """max_pool leaves the signals that it is given as they were."""
    preserves.max_pool(rng.normal(size=shape))


@points(1)
def test_max_of_nothing(rejects, rng):
    """max_pool raises ValueError where there is no sample (T = 0) or no time axis (a scalar)."""
    rejects.max_pool([])
    rejects.max_pool(rng.normal(size=(3, 0)))
    rejects.max_pool(rng.normal(size=(2, 5, 0)))
    rejects.max_pool(0.5)


# max_pool2d


@points(5)
@pytest.mark.parametrize(
    ("shape", "kernel_size"),
    [((4, 6), 2), ((7, 11), 2), ((11, 7), 3), ((5, 3), 1), ((11, 17), 5), ((3, 7), 3), ((7, 3), 3)],
    ids=str,
)
def test_max_of_windows_side_by_side(agrees, rng, shape, kernel_size):
    """Without a stride, max_pool2d's windows lie side by side; rows and columns left over are not read."""
    agrees.max_pool2d(rng.normal(size=shape), kernel_size, terms=1)
    agrees.max_pool2d(negative(rng, *shape), kernel_size=kernel_size, stride=None, terms=1)


@points(5)
@pytest.mark.parametrize(
    ("shape", "kernel_size"),
    [((7, 11), (2, 3)), ((11, 7), (3, 2)), ((5, 13), (1, 4)), ((13, 5), (4, 1)), ((2, 9), (2, 5))],
    ids=str,
)
def test_max_of_oblong_windows(agrees, rng, shape, kernel_size):
    """max_pool2d takes a kernel (height, width), and without a stride its windows lie side by side."""
    agrees.max_pool2d(rng.normal(size=shape), kernel_size, terms=1)


@points(6)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride"),
    [
        ((11, 13), 3, 1),
        ((12, 17), 3, 2),
        ((8, 14), 2, 3),
        ((13, 11), 2, (1, 3)),
        ((11, 13), (2, 3), (3, 1)),
        ((17, 12), (3, 2), (2, 5)),
        ((6, 11), (5, 3), (4, 2)),
    ],
    ids=str,
)
def test_max_with_strides(agrees, rng, shape, kernel_size, stride):
    """max_pool2d steps by the stride, an int or a pair: windows may overlap, or leave gaps between them."""
    agrees.max_pool2d(rng.normal(size=shape), kernel_size, stride, terms=1)


@points(6)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride", "padding"),
    [
        ((5, 7), 3, 1, 1),
        ((4, 6), 2, None, 1),
        ((2, 3), 3, 2, 1),
        ((8, 11), 4, 3, 2),
        ((7, 5), (3, 2), (1, 2), (1, 0)),
        ((6, 9), (2, 5), (1, 2), (1, 2)),
        ((9, 3), (5, 2), 3, (2, 1)),
        ((1, 5), (1, 3), 1, (0, 1)),
    ],
    ids=str,
)
def test_max_with_padding(agrees, rng, shape, kernel_size, stride, padding):
    """In max_pool2d padding, on all four sides, counts as −∞: it never wins, not even among negatives."""
    agrees.max_pool2d(negative(rng, *shape), kernel_size, stride, padding, terms=1)
    agrees.max_pool2d(rng.normal(size=shape), kernel_size, stride=stride, padding=padding, terms=1)


@points(5)
@pytest.mark.parametrize("shape", [(2, 7, 5), (3, 2, 5, 11), (2, 3, 5, 4, 7), (5, 1, 8, 5)], ids=str)
def test_max_of_many_pictures(agrees, rng, shape):
    """max_pool2d pools the last two axes of (…, H, W), and every picture and every channel on its own."""
    agrees.max_pool2d(rng.normal(size=shape), 2, terms=1)
    agrees.max_pool2d(negative(rng, *shape), (3, 2), stride=(2, 1), padding=1, terms=1)


@points(2)
def test_max_of_pictures_of_integers(agrees, rng):
    """max_pool2d takes lists and integers, with and without padding."""
    agrees.max_pool2d([[3, -1, 2, -5, 0], [-2, -4, 6, 1, -3], [5, 0, -1, -2, 4]], 2, terms=1, scale=6)
    agrees.max_pool2d([[-3, -1, -2]], (1, 3), stride=1, padding=(0, 1), terms=1, scale=3)
    agrees.max_pool2d([[[0.5, -1.5], [-2.5, 3.5], [1.25, -0.75]]], (2, 1), terms=1, scale=4)
    agrees.max_pool2d(whole_numbers(rng, 3, 7, 5), (2, 3), stride=2, terms=1, scale=LARGEST)
    agrees.max_pool2d(whole_numbers(rng, 7, 5) - LARGEST - 1, 3, stride=2, padding=1, terms=1, scale=2 * LARGEST)


@points(2)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride", "padding"),
    [((7, 11), 2, None, 0), ((2, 5, 7), (2, 3), 1, 0), ((3, 8, 5), 3, 2, 1)],
    ids=str,
)
def test_max_leaves_its_picture_alone(preserves, rng, shape, kernel_size, stride, padding):
    """max_pool2d leaves the picture that it is given as it was."""
    preserves.max_pool2d(negative(rng, *shape), kernel_size, stride, padding)


@points(4)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "padding"),
    [
        ((7, 11), 3, 2),
        ((7, 11), 1, 1),
        ((7, 11), (2, 5), (2, 1)),
        ((7, 11), (5, 2), (1, 2)),
        ((3, 7), 4, 0),
        ((7, 3), 4, 0),
        ((2, 9), (5, 3), (1, 0)),
        ((3, 9, 2), (3, 5), (0, 1)),
    ],
    ids=str,
)
def test_max_without_a_window(rejects, rng, shape, kernel_size, padding):
    """max_pool2d raises ValueError where padding exceeds kernel / 2 or no window fits, on either axis."""
    rejects.max_pool2d(rng.normal(size=shape), kernel_size, stride=1, padding=padding)


# avg_pool2d


@points(5)
@pytest.mark.parametrize(
    ("shape", "kernel_size"),
    [
        ((4, 6), 2),
        ((7, 11), 2),
        ((11, 7), 3),
        ((5, 3), 1),
        ((3, 7), 3),
        ((7, 3), 3),
        ((7, 11), (2, 3)),
        ((11, 8), (3, 2)),
        ((5, 13), (1, 4)),
        ((13, 5), (4, 1)),
    ],
    ids=str,
)
def test_mean_of_windows_side_by_side(agrees, rng, shape, kernel_size):
    """Without a stride, avg_pool2d's windows, of an int or a pair (height, width), lie side by side."""
    agrees.avg_pool2d(rng.normal(size=shape), kernel_size)
    agrees.avg_pool2d(rng.normal(size=shape) - 2, kernel_size=kernel_size, stride=None)


@points(4)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride"),
    [
        ((11, 13), 3, 1),
        ((12, 17), 3, 2),
        ((8, 14), 2, 3),
        ((13, 11), 2, (1, 3)),
        ((11, 13), (2, 3), (3, 1)),
        ((17, 12), (3, 2), (2, 5)),
    ],
    ids=str,
)
def test_mean_with_strides(agrees, rng, shape, kernel_size, stride):
    """avg_pool2d steps by the stride, an int or a pair: windows may overlap, or leave gaps between them."""
    agrees.avg_pool2d(rng.normal(size=shape), kernel_size, stride)


@points(6)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride", "padding"),
    [
        ((5, 7), 3, 1, 1),
        ((4, 6), 2, None, 1),
        ((2, 3), 3, 2, 1),
        ((8, 11), 4, 3, 2),
        ((7, 5), (3, 2), (1, 2), (1, 0)),
        ((6, 9), (2, 5), (1, 2), (1, 2)),
        ((9, 3), (5, 2), 3, (2, 1)),
        ((1, 5), (1, 3), 1, (0, 1)),
    ],
    ids=str,
)
def test_mean_with_padding(agrees, rng, shape, kernel_size, stride, padding):
    """avg_pool2d pads with zeros all around, and they count: the divisor is always the window's area."""
    agrees.avg_pool2d(rng.normal(size=shape) + 2, kernel_size, stride, padding)
    agrees.avg_pool2d(rng.normal(size=shape), kernel_size, stride=stride, padding=padding)


@points(3)
@pytest.mark.parametrize("shape", [(2, 7, 5), (3, 2, 5, 11), (2, 3, 5, 4, 7), (5, 1, 8, 5)], ids=str)
def test_mean_of_many_pictures(agrees, rng, shape):
    """avg_pool2d pools the last two axes of (…, H, W), and every picture and every channel on its own."""
    agrees.avg_pool2d(rng.normal(size=shape), 2)
    agrees.avg_pool2d(rng.normal(size=shape) - 1, (3, 2), stride=(2, 1), padding=1)


@points(3)
def test_mean_of_pictures_of_integers(agrees, rng):
    """avg_pool2d takes lists and integers, and its means are not cut to integers."""
    picture = [[3, -1, 2, -5, 0], [-2, -4, 6, 1, -3], [5, 0, -1, -2, 4], [-6, 7, -8, 2, -1]]
    agrees.avg_pool2d(picture, 2, terms=4, scale=8)
    agrees.avg_pool2d([[-3, -1, -2]], (1, 3), stride=1, padding=(0, 1), terms=3, scale=3)
    agrees.avg_pool2d([[[0.5, -1.5], [-2.5, 3.5], [1.25, -0.75]]], (2, 1), terms=2, scale=4)
    agrees.avg_pool2d(whole_numbers(rng, 3, 7, 5), (2, 3), stride=2, terms=105, scale=LARGEST)
    agrees.avg_pool2d(whole_numbers(rng, 7, 5), 3, stride=2, padding=1, terms=35, scale=LARGEST)


@points(1)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "stride", "padding"),
    [((7, 11), 2, None, 0), ((2, 5, 7), (2, 3), 1, 0), ((3, 8, 5), 3, 2, 1)],
    ids=str,
)
def test_mean_leaves_its_picture_alone(preserves, rng, shape, kernel_size, stride, padding):
    """avg_pool2d leaves the picture that it is given as it was."""
    preserves.avg_pool2d(rng.normal(size=shape), kernel_size, stride, padding)


@points(3)
@pytest.mark.parametrize(
    ("shape", "kernel_size", "padding"),
    [
        ((7, 11), 3, 2),
        ((7, 11), 1, 1),
        ((7, 11), (2, 5), (2, 1)),
        ((7, 11), (5, 2), (1, 2)),
        ((3, 7), 4, 0),
        ((7, 3), 4, 0),
        ((2, 9), (5, 3), (1, 0)),
        ((3, 9, 2), (3, 5), (0, 1)),
    ],
    ids=str,
)
def test_mean_without_a_window(rejects, rng, shape, kernel_size, padding):
    """avg_pool2d raises ValueError where padding exceeds kernel / 2 or no window fits, on either axis."""
    rejects.avg_pool2d(rng.normal(size=shape), kernel_size, stride=1, padding=padding)


# adaptive_avg_pool2d


@points(5)
@pytest.mark.parametrize(
    ("shape", "output_size"),
    [
        ((6, 10), (2, 5)),
        ((12, 35), (4, 5)),
        ((6, 15), 3),
        ((7, 11), 1),
        ((5, 7), (5, 7)),
        ((10, 4), (1, 2)),
    ],
    ids=str,
)
def test_even_cells(agrees, rng, shape, output_size):
    """Where the output size, an int or a pair, divides height and width, cells are windows side by side."""
    agrees.adaptive_avg_pool2d(rng.normal(size=shape), output_size)


@points(6)
@pytest.mark.parametrize(
    ("shape", "output_size"),
    [
        ((1, 5), (1, 2)),
        ((5, 7), (2, 3)),
        ((10, 13), 4),
        ((11, 17), (3, 7)),
        ((7, 10), (5, 6)),
        ((127, 6), (4, 5)),
        ((3, 128), (2, 49)),
    ],
    ids=str,
)
def test_uneven_cells(agrees, rng, shape, output_size):
    """Cell i of a averages rows ⌊i H / a⌋ to ⌈(i + 1) H / a⌉ − 1: cells may differ in size and share rows."""
    agrees.adaptive_avg_pool2d(rng.normal(size=shape), output_size)


@points(3)
@pytest.mark.parametrize(
    ("shape", "output_size"), [((1, 2), (3, 5)), ((3, 5), (7, 11)), ((2, 7), 5), ((5, 3), (4, 7))], ids=str
)
def test_more_cells_than_pixels(agrees, rng, shape, output_size):
    """The same rule holds where there are more cells than rows or columns."""
    agrees.adaptive_avg_pool2d(rng.normal(size=shape), output_size)


@points(4)
@pytest.mark.parametrize("shape", [(2, 7, 5), (3, 2, 5, 11), (2, 3, 5, 4, 7), (5, 1, 8, 5)], ids=str)
def test_cells_of_many_pictures(agrees, rng, shape):
    """adaptive_avg_pool2d pools the last two axes of (…, H, W), every picture and channel on its own."""
    agrees.adaptive_avg_pool2d(rng.normal(size=shape), (3, 2))
    agrees.adaptive_avg_pool2d(rng.normal(size=shape) + 1, output_size=2)


@points(2)
def test_cells_of_integers(agrees, rng):
    """adaptive_avg_pool2d takes lists and integers, and its means are not cut to integers."""
    agrees.adaptive_avg_pool2d([[1, 2, 3, 4, 5]], (1, 2), terms=3, scale=5)
    agrees.adaptive_avg_pool2d([[0.5, -1.5], [-2.5, 3.5], [1.25, -0.75]], (2, 1), terms=4, scale=4)
    agrees.adaptive_avg_pool2d(whole_numbers(rng, 3, 7, 5), (3, 2), terms=105, scale=LARGEST)


@points(2)
@pytest.mark.parametrize(("shape", "output_size"), [((6, 10), (2, 5)), ((2, 7, 5), 3), ((3, 4), (5, 3))], ids=str)
def test_cells_leave_their_picture_alone(preserves, rng, shape, output_size):
    """adaptive_avg_pool2d leaves the picture that it is given as it was."""
    preserves.adaptive_avg_pool2d(rng.normal(size=shape), output_size)


@points(3)
@pytest.mark.parametrize("output_size", [0, -1, (0, 3), (3, 0), (2, -1)], ids=str)
def test_no_cells(rejects, rng, output_size):
    """adaptive_avg_pool2d raises ValueError for an output size below 1, in either direction."""
    rejects.adaptive_avg_pool2d(rng.normal(size=(2, 7, 5)), output_size)
