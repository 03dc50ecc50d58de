"""Public checks of "Discrete convolution": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import numpy as np
import pytest

FLIP = "These are the sums without the flip. Look at the sign in x[n - tau]: one of the two runs backwards in time."
COUNT = "The last output is missing: a filter of k taps fits at T - k + 1 places. (The slide says T - k, and slips.)"


@pytest.mark.parametrize(
    ("mode", "y", "known"),
    [
        ("full", [1, 4, 7, 10, 13, 10], [([2, 5, 8, 11, 14, 5], FLIP)]),
        (
            "valid",
            [4, 7, 10, 13],
            [
                ([5, 8, 11, 14], FLIP),
                ([4, 7, 10], COUNT),
                ([4, 5, 10, 13], "The 5 is a slip of the slide's later frames: do that window by hand."),
            ],
        ),
        (
            "same",
            [1, 4, 7, 10, 13],
            [
                ([2, 5, 8, 11, 14], FLIP),
                ([4, 7, 10, 13, 10], 'With an even filter "same" could start in two places: (k - 1) // 2 is the one.'),
                (
                    [1, 4, 7, 10, 13, 10],
                    "One output too many: with an even filter the two ends cannot be treated alike.",
                ),
            ],
        ),
    ],
)
def test_the_numbers_of_the_lecture(convolve1d, expect, mode, y, known):
    """The lecture's signal and filter, in each mode."""
    expect(convolve1d, [1, 2, 3, 4, 5], [1, 2], mode).gives(y, known=known)


@pytest.mark.parametrize(("mode", "y"), [("full", [3, 1, 10, 3, 8, 2]), ("valid", [10, 3]), ("same", [1, 10, 3, 8])])
def test_three_taps_by_hand(convolve1d, expect, mode, y):
    """The example that the handout works out: a filter of three taps, all different."""
    expect(convolve1d, [3, 1, 4, 1], [1, 0, 2], mode).gives(
        y, hint="Work out one output on paper, as the handout does."
    )


def test_valid_unless_told_otherwise(convolve1d, expect):
    """Without a mode the outputs are the "valid" ones."""
    expect(convolve1d, [3, 1, 4, 1], [1, 0, 2]).gives([10, 3])


@pytest.mark.parametrize(
    ("x", "g"), [([1, 2, 3], [0.5, 0.25]), ((1, 2, 3), (0.5, 0.25)), (np.array([1, 2, 3]), np.array([0.5, 0.25]))]
)
def test_whole_numbers_under_fractions(convolve1d, expect, x, g):
    """Lists, tuples and arrays, whole numbers and fractions: all of them are signals."""
    cut = "An array of integers cuts fractions off: mind the dtype."
    expect(convolve1d, x, g).gives([1.25, 2.0], known=[([1, 2], cut), ([0, 0], cut)])


def test_arrays_of_the_caller(convolve1d, expect):
    """The signal and the filter are left as they were."""
    expect(convolve1d, np.array([2.0, -1.0, 0.5]), np.array([1.0, 3.0]), "same").gives([2.0, 5.0, -2.5])


@pytest.mark.parametrize("mode", ["full", "valid", "same"])
def test_one_sample(convolve1d, expect, mode):
    """One sample under one tap is one product, in each mode."""
    expect(convolve1d, [7], [2], mode).gives([14])


def test_longer_filter(convolve1d, expect):
    """In "full" mode the filter may be longer than the signal."""
    hint = 'A filter that is too long is an error in "valid" and "same" only.'
    expect(convolve1d, [1, 2], [1, 10, 100], "full").gives([1, 12, 120, 200], hint=hint)


@pytest.mark.parametrize(
    ("x", "g", "mode"),
    [
        ([], [1], "full"),
        ([1, 2], [], "valid"),
        ([[1, 2], [3, 4]], [1], "valid"),
        ([1, 2], [1, 2, 3], "valid"),
        ([1, 2], [1, 2, 3], "same"),
        ([1, 2, 3], [1, 2], "Valid"),
    ],
)
def test_no_signal_or_no_mode(convolve1d, expect, x, g, mode):
    """Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError."""
    expect(convolve1d, x, g, mode).raises(hint="The docstring names every case in which to raise one.")


@pytest.mark.parametrize(
    ("x", "w", "y", "known"),
    [
        (
            [1, 2, 3, 4, 5],
            [1, 2],
            [5, 8, 11, 14],
            [([4, 7, 10, 13], "This is the convolution: here nothing is flipped."), ([5, 8, 11], COUNT)],
        ),
        ([3, 1, 4, 1], [1, 0, 2], [11, 3], [([10, 3], "This is the convolution: here nothing is flipped.")]),
        (np.array([1, 2, 3]), (0.5, 0.25), [1.0, 1.75], []),
        ([5], [3], [15], []),
    ],
)
def test_sliding_without_the_flip(correlate1d, expect, x, w, y, known):
    """The weights slide over the signal as they are."""
    expect(correlate1d, x, w).gives(y, known=known)


@pytest.mark.parametrize(("x", "w"), [([], [1]), ([1, 2], []), ([1, 2], [1, 2, 3]), ([1, 2, 3], [[1, 2]])])
def test_weights_that_do_not_fit(correlate1d, expect, x, w):
    """Nothing to slide over, or weights that do not fit: a ValueError."""
    expect(correlate1d, x, w).raises()


def test_picture_by_hand(convolve2d, expect):
    """The picture and the filter that the handout works out."""
    known = [
        ([[4, -1], [2, 3]], "These are the sums without the flip. In a picture both directions are flipped."),
        ([[2, 3], [-1, 2]], "Only the rows are turned round. There are two minus signs in the formula."),
        ([[0, 0], [1, 5]], "Only the columns are turned round. There are two minus signs in the formula."),
        (
            [[4, 1], [2, 9]],
            "Rows and columns of the filter have changed places. Turning it round is not transposing it.",
        ),
    ]
    expect(convolve2d, [[1, 2, 0], [0, 1, 3], [2, 0, 4]], [[1, 2], [0, -1]]).gives([[0, 3], [4, 3]], known=known)


@pytest.mark.parametrize(
    ("g", "y"),
    [
        ([[1, 0, -1]], [[3, 6], [-3, 4]]),
        ([[1], [-1]], [[2, -1, -4, -3]]),
        ([[1, 2, 3], [4, 5, 6]], [[43, 72]]),
        (((0.5,),), [[0.5, 1, 2, 4], [1.5, 0.5, 0, 2.5]]),
    ],
)
def test_oblong_picture(convolve2d, expect, g, y):
    """A picture of two rows and four columns under filters that are not square."""
    hint = "Rows come first, in the picture, in the filter and in the output: (H - kh + 1, W - kw + 1)."
    expect(convolve2d, [[1, 2, 4, 8], [3, 1, 0, 5]], g).gives(y, hint=hint)


def test_picture_of_the_caller(convolve2d, expect):
    """The picture and the filter are left as they were."""
    expect(convolve2d, np.array([[1.0, 2.0], [3.0, 5.0]]), np.array([[2.0, 0.0]])).gives([[4.0], [10.0]])


@pytest.mark.parametrize(
    ("x", "g"), [([1, 2, 3], [[1]]), ([[1, 2]], [1]), ([[1, 2, 3]], [[1], [2]]), ([[1], [2]], [[1, 2]]), ([[]], [[1]])]
)
def test_filter_beyond_the_picture(convolve2d, expect, x, g):
    """No picture, or a filter that is higher or wider than it: a ValueError."""
    expect(convolve2d, x, g).raises(hint="Height and width are to be looked at one by one.")


@pytest.mark.parametrize(("k", "taps"), [(1, [1.0]), (3, [1 / 3, 1 / 3, 1 / 3]), (4, [0.25, 0.25, 0.25, 0.25])])
def test_equal_taps(moving_average, expect, k, taps):
    """There are k taps, all equal, and they sum to 1."""
    known = [
        ([1] * k, "These sum to k: a constant signal would come out louder than it went in."),
        ([0] * k, "In Python // cuts fractions off: 1 // 3 is 0."),
    ]
    expect(moving_average, k).gives(taps, known=known)


@pytest.mark.parametrize("k", [0, -2])
def test_filter_without_taps(moving_average, expect, k):
    """A filter has at least one tap: a ValueError."""
    expect(moving_average, k).raises()


@pytest.mark.parametrize(
    ("g", "T", "A"),
    [
        ([1, 2], 5, [[2, 1, 0, 0, 0], [0, 2, 1, 0, 0], [0, 0, 2, 1, 0], [0, 0, 0, 2, 1]]),
        ((1, 10, 100), 4, [[100, 10, 1, 0], [0, 100, 10, 1]]),
        (np.array([0.5, -1.0]), 2, [[-1.0, 0.5]]),
        ([3], 3, [[3, 0, 0], [0, 3, 0], [0, 0, 3]]),
    ],
)
def test_one_row_for_each_output(convolution_matrix, expect, g, T, A):
    """The matrix has a row for each output and a column for each sample."""
    unflipped = [[row[len(row) - 1 - column] for column in range(len(row))] for row in A[::-1]]
    known = [(unflipped, "The taps stand in the rows the wrong way round: compare with the sum for one output.")]
    known.append((np.transpose(A), "Rows and columns have changed places: there is one row for each output."))
    expect(convolution_matrix, g, T).gives(A, known=known if len(g) > 1 else [])


@pytest.mark.parametrize(("g", "T"), [([], 3), ([1, 2, 3], 2), ([[1, 2]], 4)])
def test_matrix_that_cannot_be(convolution_matrix, expect, g, T):
    """No filter, or one with more taps than there are samples: a ValueError."""
    expect(convolution_matrix, g, T).raises()


def weight_per_sample(signal):
    """A perceptron's way: every sample has a weight of its own."""
    return np.asarray(signal) * (np.arange(len(signal)) + 1)


def differences(signal):
    """A small convolution: each sample minus the one before it."""
    return np.asarray(signal)[1:] - np.asarray(signal)[:-1]


@pytest.mark.parametrize(
    ("f", "shift", "gap"),
    [(weight_per_sample, 2, 8.0), (weight_per_sample, 1, 4.0), (differences, 2, 0.0), (weight_per_sample, 0, 0.0)],
)
def test_gap_by_hand(equivariance_gap, expect, f, shift, gap):
    """A weight for each sample has a gap; a convolution has none."""
    hint = (
        "The handout's table shows what is compared. What has no partner is left out, and nothing goes round the end."
    )
    expect(equivariance_gap, f, [3, 1, 4], shift=shift).gives(gap, hint=hint)


@pytest.mark.parametrize(("f", "shift"), [(differences, -1), (lambda signal: signal[:2], 2)])
def test_nothing_to_compare(equivariance_gap, expect, f, shift):
    """A shift to the left, or no position left to compare: a ValueError."""
    expect(equivariance_gap, f, [3, 1, 4], shift=shift).raises()
