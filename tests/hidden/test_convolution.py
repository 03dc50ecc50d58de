"""The hidden suite of `convolution`.

Signals and filters are drawn at random with both signs, so that no filter is symmetric and no picture is
its own mirror image; sizes are such that a length off by one, or height taken for width, always shows.
"""

import numpy as np
import pytest

from autograder.suite import points

LECTURE_SIGNAL, LECTURE_FILTER = [1, 2, 3, 4, 5], [1, 2]
LECTURE_PICTURE_FILTER = [[1, 0], [0, 1]]


def whole(rng, *shape):
    """Whole numbers of both signs, none of them zero."""
    return rng.integers(1, 10, size=shape) * rng.choice([-1, 1], size=shape)


# --- convolve1d: 40 points ----------------------------------------------------------------------------------


@points(4)
def test_convolve1d_lecture_example(agrees):
    """The lecture's worked example, [1, 2, 3, 4, 5] convolved with [1, 2], in each of the three modes."""
    agrees.convolve1d(LECTURE_SIGNAL, LECTURE_FILTER, call="convolve1d([1, 2, 3, 4, 5], [1, 2])")
    for mode in ("valid", "full", "same"):
        shown = f'convolve1d([1, 2, 3, 4, 5], [1, 2], mode="{mode}")'
        agrees.convolve1d(LECTURE_SIGNAL, LECTURE_FILTER, mode=mode, call=shown)


@points(12)
@pytest.mark.parametrize(("T", "k"), [(1, 1), (5, 2), (7, 7), (11, 1), (13, 12), (64, 7), (997, 31)])
def test_convolve1d_valid(agrees, rng, T, k):
    """Valid convolution of a random signal: the outputs for which the filter lies wholly inside it."""
    agrees.convolve1d(rng.normal(size=T), rng.normal(size=k))


@points(8)
@pytest.mark.parametrize(("T", "k"), [(1, 1), (5, 2), (7, 7), (4, 9), (1, 6), (64, 7), (997, 31)])
def test_convolve1d_full(agrees, rng, T, k):
    """Full convolution: every output that any sample touches, also with a filter longer than the signal."""
    agrees.convolve1d(rng.normal(size=T), rng.normal(size=k), "full")


@points(4)
@pytest.mark.parametrize(("T", "k"), [(1, 1), (5, 3), (11, 11), (12, 9), (64, 7), (997, 31)])
def test_convolve1d_same_with_a_middle_tap(agrees, rng, T, k):
    """As many outputs as samples, for filters with an odd number of taps."""
    agrees.convolve1d(rng.normal(size=T), rng.normal(size=k), "same")


@points(4)
@pytest.mark.parametrize(("T", "k"), [(2, 2), (6, 2), (7, 4), (12, 12), (29, 8), (613, 30)])
def test_convolve1d_same_without_a_middle_tap(agrees, rng, T, k):
    """As many outputs as samples, for filters with an even number of taps."""
    agrees.convolve1d(rng.normal(size=T), rng.normal(size=k), mode="same")


@points(3)
@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_convolve1d_whole_numbers_and_fractions(agrees, rng, mode):
    """Lists, tuples and arrays of whole numbers, of fractions and of both; nothing is rounded."""
    agrees.convolve1d(whole(rng, 17).tolist(), rng.normal(size=4).tolist(), mode=mode)
    agrees.convolve1d(tuple(rng.normal(size=13).tolist()), whole(rng, 3), mode=mode)
    agrees.convolve1d(whole(rng, 19), rng.normal(size=5), mode=mode)
    agrees.convolve1d(whole(rng, 11), whole(rng, 2), mode=mode)
    agrees.convolve1d(rng.normal(size=23).astype(np.float32), rng.normal(size=6), mode=mode)


@points(2)
@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_convolve1d_leaves_its_inputs(preserves, rng, mode):
    """Signal and filter are the same after the call as before."""
    preserves.convolve1d(rng.normal(size=29), rng.normal(size=5), mode=mode)
    preserves.convolve1d(rng.normal(size=7).tolist(), whole(rng, 4).tolist(), mode=mode)


@points(3)
def test_convolve1d_errors(agrees, rejects, rng):
    """ValueError for what is empty or not one-dimensional, for a filter too long, and for an unknown mode."""
    x, g, nothing = rng.normal(size=7), rng.normal(size=3), np.zeros(0)
    for mode in ("valid", "full", "same"):
        rejects.convolve1d(nothing, g, mode)
        rejects.convolve1d(x, nothing, mode)
        rejects.convolve1d(nothing, nothing, mode)
        rejects.convolve1d(x.reshape(1, 7), g, mode)
        rejects.convolve1d(x, g.reshape(3, 1), mode)
        rejects.convolve1d(x, g.reshape(1, 3), mode)
        rejects.convolve1d(np.array(2.5), np.array(1.5), mode)
    rejects.convolve1d(x, [], call="convolve1d(array of shape (7,), [])")
    for longer in (8, 12):
        rejects.convolve1d(x, rng.normal(size=longer))
        rejects.convolve1d(x, rng.normal(size=longer), "same")
    rejects.convolve1d(x, g, "circular")
    rejects.convolve1d(x, g, mode="")
    # And what is no error must be none.
    agrees.convolve1d([2.0], [3.0], call="convolve1d([2.0], [3.0])")


# --- correlate1d: 10 points ---------------------------------------------------------------------------------


@points(2)
def test_correlate1d_lecture_numbers(agrees):
    """The lecture's numbers, [1, 2, 3, 4, 5] and [1, 2], without the flip."""
    agrees.correlate1d(LECTURE_SIGNAL, LECTURE_FILTER, call="correlate1d([1, 2, 3, 4, 5], [1, 2])")


@points(5)
@pytest.mark.parametrize(("T", "k"), [(1, 1), (5, 2), (7, 7), (11, 1), (13, 12), (64, 7), (997, 31)])
def test_correlate1d_random_signals(agrees, rng, T, k):
    """Cross-correlation of a random signal with random weights."""
    agrees.correlate1d(rng.normal(size=T), rng.normal(size=k))


@points(1)
def test_correlate1d_whole_numbers_and_fractions(agrees, rng):
    """Lists, tuples and arrays of whole numbers, of fractions and of both; nothing is rounded."""
    agrees.correlate1d(whole(rng, 17).tolist(), rng.normal(size=4).tolist())
    agrees.correlate1d(tuple(rng.normal(size=13).tolist()), whole(rng, 3))
    agrees.correlate1d(whole(rng, 19), rng.normal(size=5))
    agrees.correlate1d(rng.normal(size=23).astype(np.float32), rng.normal(size=6))


@points(1)
def test_correlate1d_leaves_its_inputs(preserves, rng):
    """Signal and weights are the same after the call as before."""
    preserves.correlate1d(rng.normal(size=29), rng.normal(size=5))
    preserves.correlate1d(rng.normal(size=7).tolist(), whole(rng, 4).tolist())


@points(1)
def test_correlate1d_errors(agrees, rejects, rng):
    """ValueError for what is empty or not one-dimensional, and for more weights than samples."""
    x, w, nothing = rng.normal(size=7), rng.normal(size=3), np.zeros(0)
    rejects.correlate1d(nothing, w)
    rejects.correlate1d(x, nothing)
    rejects.correlate1d(nothing, nothing)
    rejects.correlate1d(x.reshape(1, 7), w)
    rejects.correlate1d(x, w.reshape(3, 1))
    rejects.correlate1d(x, w.reshape(1, 3))
    rejects.correlate1d(np.array(2.5), np.array(1.5))
    rejects.correlate1d(x, rng.normal(size=8))
    rejects.correlate1d(x, rng.normal(size=12))
    # And what is no error must be none.
    agrees.correlate1d([2.0], [3.0], call="correlate1d([2.0], [3.0])")


# --- convolve2d: 25 points ----------------------------------------------------------------------------------


@points(3)
@pytest.mark.parametrize("filtered", ["lecture", "unsymmetric"])
def test_convolve2d_binary_picture(agrees, rng, filtered):
    """A binary picture of 8 by 8 pixels under the lecture's filter, and under one that is not symmetric."""
    g = LECTURE_PICTURE_FILTER if filtered == "lecture" else [[3, -1], [2, 5]]
    shown = f"convolve2d(a binary picture of shape (8, 8), {g})"
    agrees.convolve2d(rng.integers(0, 2, size=(8, 8)), g, call=shown)


@points(9)
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [
        ((5, 7), (2, 3)),
        ((7, 5), (3, 2)),
        ((11, 13), (5, 3)),
        ((17, 11), (2, 7)),
        ((10, 10), (3, 3)),
        ((31, 23), (7, 5)),
    ],
)
def test_convolve2d_random_pictures(agrees, rng, shape, kernel):
    """Random pictures, higher than wide and wider than high, under random filters that are not symmetric."""
    agrees.convolve2d(rng.normal(size=shape), rng.normal(size=kernel))


@points(4)
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((7, 11), (1, 3)), ((11, 7), (3, 1)), ((1, 13), (1, 4)), ((13, 1), (4, 1)), ((5, 8), (1, 1))],
)
def test_convolve2d_one_row_or_one_column(agrees, rng, shape, kernel):
    """Pictures or filters of a single row, a single column or a single pixel."""
    agrees.convolve2d(rng.normal(size=shape), rng.normal(size=kernel))


@points(2)
@pytest.mark.parametrize(
    ("shape", "kernel"),
    [((3, 5), (3, 5)), ((7, 5), (7, 2)), ((5, 7), (2, 7)), ((1, 1), (1, 1)), ((4, 4), (4, 4))],
)
def test_convolve2d_filter_as_large_as_the_picture(agrees, rng, shape, kernel):
    """A filter that is as high as the picture, as wide as the picture, or both."""
    agrees.convolve2d(rng.normal(size=shape), rng.normal(size=kernel))


@points(2)
def test_convolve2d_whole_numbers_and_fractions(agrees, rng):
    """Nested lists and arrays of whole numbers, of fractions and of both; nothing is rounded."""
    agrees.convolve2d(whole(rng, 7, 5).tolist(), rng.normal(size=(2, 3)).tolist())
    agrees.convolve2d(rng.normal(size=(5, 7)), whole(rng, 3, 2))
    agrees.convolve2d(whole(rng, 11, 7), rng.normal(size=(3, 5)))
    agrees.convolve2d(whole(rng, 7, 11), whole(rng, 5, 2))
    agrees.convolve2d(rng.normal(size=(9, 7)).astype(np.float32), rng.normal(size=(2, 3)))


@points(2)
def test_convolve2d_leaves_its_inputs(preserves, rng):
    """Picture and filter are the same after the call as before."""
    preserves.convolve2d(rng.normal(size=(11, 7)), rng.normal(size=(3, 2)))
    preserves.convolve2d(rng.normal(size=(5, 7)).tolist(), whole(rng, 2, 3).tolist())


@points(3)
def test_convolve2d_errors(agrees, rejects, rng):
    """ValueError for what is empty or not two-dimensional, and for a filter larger in either direction."""
    x, g = rng.normal(size=(5, 7)), rng.normal(size=(2, 3))
    for empty in [(0, 0), (0, 7), (5, 0)]:
        rejects.convolve2d(np.zeros(empty), g)
    for empty in [(0, 0), (0, 3), (2, 0)]:
        rejects.convolve2d(x, np.zeros(empty))
    rejects.convolve2d(x.ravel(), g)
    rejects.convolve2d(x, g.ravel())
    rejects.convolve2d(x, g[0])
    rejects.convolve2d(x.ravel(), g.ravel())
    rejects.convolve2d(x.reshape(1, 5, 7), g)
    rejects.convolve2d(x, g.reshape(2, 3, 1))
    for larger in [(6, 3), (2, 8), (6, 8), (7, 5), (9, 1), (1, 11)]:
        rejects.convolve2d(x, rng.normal(size=larger))
    # And what is no error must be none.
    agrees.convolve2d([[2.0]], [[3.0]], call="convolve2d([[2.0]], [[3.0]])")


# --- moving_average: 5 points -------------------------------------------------------------------------------


@points(4)
@pytest.mark.parametrize("k", [1, 2, 3, 5, 8, 31, 100])
def test_moving_average_taps(agrees, k):
    """As many taps as asked for, all equal, that sum to 1."""
    agrees.moving_average(k)


@points(1)
def test_moving_average_errors(agrees, rejects):
    """ValueError for fewer than one tap."""
    for k in (0, -1, -7):
        rejects.moving_average(k)
    # And what is no error must be none.
    agrees.moving_average(1)


# --- convolution_matrix: 20 points --------------------------------------------------------------------------


def product(convolution_matrix, g, T, x):
    """What the matrix does to a signal."""
    import numpy as np

    return np.asarray(convolution_matrix(g, T)) @ x


@points(3)
def test_convolution_matrix_lecture_filter(agrees):
    """The matrix of the lecture's filter [1, 2] for signals of 5 samples."""
    agrees.convolution_matrix(LECTURE_FILTER, 5, call="convolution_matrix([1, 2], 5)")


@points(6)
@pytest.mark.parametrize(("k", "T"), [(2, 5), (3, 7), (7, 11), (5, 24), (8, 31), (13, 97)])
def test_convolution_matrix_random_filters(agrees, rng, k, T):
    """The matrix of a random filter, entry by entry: a row for each output, a column for each sample."""
    agrees.convolution_matrix(rng.normal(size=k), T)


@points(4)
@pytest.mark.parametrize(("k", "T"), [(3, 11), (4, 17), (10, 43)])
def test_convolution_matrix_times_a_signal(agrees, rng, k, T):
    """The matrix times a random signal is the valid convolution of that signal."""
    shown = f"convolution_matrix(array of shape ({k},), {T}) @ x"
    agrees(product, rng.normal(size=k), T, rng.normal(size=T), call=shown)


@points(3)
@pytest.mark.parametrize(("k", "T"), [(1, 1), (1, 6), (2, 2), (7, 7), (10, 11)])
def test_convolution_matrix_shortest_and_longest_filters(agrees, rng, k, T):
    """A filter of a single tap, and filters as long as the signal or nearly so."""
    agrees.convolution_matrix(rng.normal(size=k), T)


@points(2)
def test_convolution_matrix_lists_and_inputs(agrees, preserves, rng):
    """Filters given as lists or as whole numbers, and every filter the same after the call as before."""
    agrees.convolution_matrix(rng.normal(size=4).tolist(), 9)
    agrees.convolution_matrix(whole(rng, 3), 8)
    preserves.convolution_matrix(rng.normal(size=5), 13)
    preserves.convolution_matrix(whole(rng, 3).tolist(), 7)


@points(2)
def test_convolution_matrix_errors(agrees, rejects, rng):
    """ValueError for a filter that is empty or not one-dimensional, and for one longer than the signal."""
    g = rng.normal(size=3)
    rejects.convolution_matrix(np.zeros(0), 5)
    rejects.convolution_matrix([], 5, call="convolution_matrix([], 5)")
    rejects.convolution_matrix(g.reshape(1, 3), 5)
    rejects.convolution_matrix(g.reshape(3, 1), 5)
    rejects.convolution_matrix(np.array(1.5), 5)
    rejects.convolution_matrix(g, 2)
    rejects.convolution_matrix(g, 1)
    rejects.convolution_matrix(rng.normal(size=12), 7)
    # And what is no error must be none.
    agrees.convolution_matrix([3.0], 1, call="convolution_matrix([3.0], 1)")
