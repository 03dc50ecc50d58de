"""Public checks of "Pooling": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import numpy as np
import pytest

TWO_SIGNALS = [[4, 7, 10, 13], [1, 0, -1, 0]]
PICTURE = [[3, -1, 2, -5, 0], [-2, -4, 6, 1, -3], [5, 0, -1, -2, 4], [-6, 7, -8, 2, -1]]
NEGATIVE = [[-3, -1, -2]]  # a row in which no number is positive
LAST_AXIS = "Only the last axis goes away, and it goes away altogether: (B, C, T) becomes (B, C)."


@pytest.mark.parametrize(("z", "y"), [([4, 7, 10, 13], 34), ((2.5, -1.0), 1.5), (np.array([7]), 7)])
def test_total_of_a_signal(sum_pool, expect, z, y):
    """One signal leaves one number."""
    expect(sum_pool, z).gives(np.array(y), hint=LAST_AXIS)


@pytest.mark.parametrize(("z", "y"), [(TWO_SIGNALS, [34, 0]), (np.array([[[1, 2, 4]], [[0, -3, 5]]]), [[7], [2]])])
def test_totals_of_a_batch(sum_pool, expect, z, y):
    """Each signal of a batch is pooled on its own."""
    expect(sum_pool, z).gives(y, hint=LAST_AXIS)


@pytest.mark.parametrize("z", [[], 5.0, np.zeros((3, 0))])
def test_total_without_a_sample(sum_pool, expect, z):
    """A signal without samples, or no signal at all: a ValueError."""
    expect(sum_pool, z).raises()


@pytest.mark.parametrize(
    ("z", "y", "known"),
    [
        (
            [4, 7, 10, 13],
            8.5,
            [(np.array(34 / 3), "A mean divides by as many numbers as it sums. (The slide slips here.)")],
        ),
        (np.array([1, 2]), 1.5, [(np.array(1), "The mean of whole numbers is rarely a whole number.")]),
        ((-3.0,), -3.0, []),
    ],
)
def test_average_of_a_signal(mean_pool, expect, z, y, known):
    """The sum of a signal, divided by its number of samples."""
    expect(mean_pool, z).gives(np.array(y), known=known)


@pytest.mark.parametrize(("z", "y"), [(TWO_SIGNALS, [8.5, 0]), (np.array([[[1.0, 3.0], [0.0, 5.0]]]), [[2, 2.5]])])
def test_averages_of_a_batch(mean_pool, expect, z, y):
    """Each signal of a batch is pooled on its own, and left as it was."""
    expect(mean_pool, z).gives(y, hint=LAST_AXIS)


@pytest.mark.parametrize("z", [[], 5.0])
def test_average_without_a_sample(mean_pool, expect, z):
    """A signal without samples, or no signal at all: a ValueError."""
    expect(mean_pool, z).raises()


@pytest.mark.parametrize(
    ("z", "y", "known"),
    [
        ([4, 7, 10, 13], 13, []),
        (
            [-4, -7, -1],
            -1,
            [(np.array(0), "Where everything is negative, 0 is not the largest."), (np.array(-7), "Not by magnitude.")],
        ),
        (np.array([2.5]), 2.5, []),
    ],
)
def test_largest_of_a_signal(max_pool, expect, z, y, known):
    """The largest sample, also where all of them are negative."""
    known = [*known, (np.array(int(np.argmax(z))), "This is the position of the largest sample, not the sample.")]
    expect(max_pool, z).gives(np.array(y), known=known)


def test_largest_of_a_batch(max_pool, expect):
    """Each signal of a batch is pooled on its own."""
    expect(max_pool, np.array([[[1.0, -2.0], [0.5, 4.0]], [[-3.0, -1.0], [7.0, 6.0]]])).gives(
        [[1, 4], [-1, 7]], known=[(ValueError("truth value"), LAST_AXIS)], hint=LAST_AXIS
    )


@pytest.mark.parametrize("z", [[], 5.0])
def test_largest_without_a_sample(max_pool, expect, z):
    """A signal without samples, or no signal at all: a ValueError."""
    expect(max_pool, z).raises()


def test_largest_of_windows_by_hand(max_pool2d, expect):
    """The picture of the handout: windows side by side, and the fifth column left over."""
    hint = "Where no stride is given it is the kernel size, and a window must fit as a whole."
    expect(max_pool2d, PICTURE, 2).gives([[3, 6], [7, 2]], hint=hint)


def test_largest_beside_padding(max_pool2d, expect):
    """Padding never wins, not even over negative pixels."""
    known = [([[0, -1, 0]], "Zeros have won over negative pixels. What number never wins?")]
    expect(max_pool2d, NEGATIVE, (1, 3), stride=1, padding=(0, 1)).gives([[-1, -1, -1]], known=known)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "y"),
    [
        ((2, 3), None, [[6], [7]]),
        ((3, 2), 1, [[5, 6, 6, 4], [7, 7, 6, 4]]),
        (2, (2, 1), [[3, 6, 6, 1], [7, 7, 2, 4]]),
        ((1, 2), (3, 2), [[3, 2], [7, 2]]),
    ],
)
def test_largest_of_oblong_pictures(max_pool2d, expect, kernel_size, stride, y):
    """Height is first, in kernels and in strides."""
    hint = "(2, 3) is two rows by three columns, and a stride of (2, 1) goes down by two and across by one."
    expect(max_pool2d, PICTURE, kernel_size, stride).gives(y, hint=hint)


def test_largest_of_a_stack(max_pool2d, expect):
    """Pictures are pooled one by one, whatever stands before height and width."""
    hint = "The picture lies in the last two axes. What stands before them may be nothing, or any number of axes."
    known = [(ValueError(""), hint), (IndexError(""), hint)]
    call = "max_pool2d(np.arange(24.0).reshape(2, 1, 3, 4), 2)"
    expect(max_pool2d, np.arange(24.0).reshape(2, 1, 3, 4), 2, shown=call).gives(
        [[[[5.0, 7.0]]], [[[17.0, 19.0]]]], known=known, hint=hint
    )


@pytest.mark.parametrize("settings", [{"kernel_size": 2, "padding": 2}, {"kernel_size": (2, 3), "padding": (0, 2)}])
def test_largest_under_too_much_padding(max_pool2d, expect, settings):
    """Padding of more than half the kernel, in either direction: a ValueError."""
    expect(max_pool2d, PICTURE, **settings).raises()


@pytest.mark.parametrize("kernel_size", [5, (1, 6)])
def test_window_beyond_the_picture(max_pool2d, expect, kernel_size):
    """A picture into which no window fits: a ValueError."""
    expect(max_pool2d, PICTURE, kernel_size).raises()


def test_average_of_windows_by_hand(avg_pool2d, expect):
    """The picture of the handout; its pixels are integers, their means are not."""
    known = [
        ([[-1, 1], [1, -2]], "The means of whole numbers have been cut to whole numbers: mind the dtype."),
        ([[-4, 4], [6, -9]], "These are the sums of the windows."),
    ]
    expect(avg_pool2d, PICTURE, 2).gives([[-1, 1], [1.5, -2.25]], known=known)


def test_average_with_padded_zeros(avg_pool2d, expect):
    """Padded zeros count: the divisor is the same for every window."""
    known = [([[-2, -2, -1.5]], "At the border it divides by the pixels of the picture alone. Padded zeros count.")]
    expect(avg_pool2d, NEGATIVE, (1, 3), stride=1, padding=(0, 1)).gives([[-4 / 3, -2, -1]], known=known)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "y"),
    [
        ((2, 3), None, [[4 / 6], [-3 / 6]]),
        ((1, 2), (3, 2), [[1, -1.5], [0.5, -3]]),
        (2, (2, 1), [[-1, 0.75, 1, -1.75], [1.5, -0.5, -2.25, 0.75]]),
    ],
)
def test_average_of_oblong_pictures(avg_pool2d, expect, kernel_size, stride, y):
    """Height is first, in kernels and in strides, and a window has kh * kw pixels."""
    expect(avg_pool2d, PICTURE, kernel_size, stride).gives(y)


def test_average_of_a_stack(avg_pool2d, expect):
    """Pictures are averaged one by one, and left as they were."""
    call = "avg_pool2d(np.arange(24.0).reshape(2, 1, 3, 4), 2)"
    expect(avg_pool2d, np.arange(24.0).reshape(2, 1, 3, 4), 2, shown=call).gives([[[[2.5, 4.5]]], [[[14.5, 16.5]]]])


@pytest.mark.parametrize("settings", [{"kernel_size": 2, "padding": 2}, {"kernel_size": (5, 1)}])
def test_average_that_cannot_be(avg_pool2d, expect, settings):
    """Too much padding, or no window that fits: a ValueError."""
    expect(avg_pool2d, PICTURE, **settings).raises()


@pytest.mark.parametrize(
    ("x", "output_size", "y"),
    [
        ([[1, 2, 3, 4, 5]], (1, 2), [[2, 4]]),
        (np.arange(10.0).reshape(10, 1), (4, 1), [[1], [3], [6], [8]]),
        ([[0, 2, 4, 6, 8]], (1, 7), [[0, 1, 3, 4, 5, 7, 8]]),
        (PICTURE, 1, [[-0.15]]),
        (PICTURE, (2, 5), [[0.5, -2.5, 4, -2, -1.5], [-0.5, 3.5, -4.5, 0, 1.5]]),
    ],
)
def test_cells_by_hand(adaptive_avg_pool2d, expect, x, output_size, y):
    """Cells that divide the picture evenly, cells that share rows, and more cells than pixels."""
    hint = "A cell begins at floor(i H / a) and ends before ceil((i + 1) H / a): one rounds down, the other up."
    expect(adaptive_avg_pool2d, x, output_size).gives(y, hint=hint)


def test_cells_of_a_stack(adaptive_avg_pool2d, expect):
    """Pictures are pooled one by one, and left as they were."""
    call = "adaptive_avg_pool2d(np.arange(24.0).reshape(2, 1, 3, 4), (1, 2))"
    expect(adaptive_avg_pool2d, np.arange(24.0).reshape(2, 1, 3, 4), (1, 2), shown=call).gives(
        [[[[4.5, 6.5]]], [[[16.5, 18.5]]]]
    )


@pytest.mark.parametrize("output_size", [0, (2, 0), (-1, 2)])
def test_cells_that_cannot_be(adaptive_avg_pool2d, expect, output_size):
    """Fewer than one cell: a ValueError."""
    expect(adaptive_avg_pool2d, PICTURE, output_size).raises()
