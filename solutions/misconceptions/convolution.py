"""Wrong answers that are known answers: what students write for `convolution`, one mistake each, and what to tell them."""

import numpy as np
from convolution import convolution_matrix, convolve1d, convolve2d, correlate1d, moving_average

# --- convolve1d ---------------------------------------------------------------------------------------------


def no_flip(x, g, mode="valid"):
    """replaces: convolve1d

    Your filter slides over the signal the same way round as it is written, or it has been turned round twice. Look at
    the minus sign in the formula: as the tap's index grows, which way does the sample's index go? This is why the
    lecture draws the filter flipped.
    """
    return convolve1d(x, np.flip(g), mode)


def flips_the_signal(x, g, mode="valid"):
    """replaces: convolve1d

    One of the two has to be turned round, and you have turned the other one, so the output runs backwards in time.
    A click near the beginning of the signal should come out near the beginning.
    """
    return convolve1d(np.flip(x), np.flip(g), mode)


def length_t_minus_k(x, g, mode="valid"):
    """replaces: convolve1d

    The last output is missing. You may have taken the length from the slide, which slips there. Draw five samples,
    lay a filter of two taps under them, and count the places where it fits.
    """
    y = convolve1d(x, g, mode)
    return y[:-1] if mode == "valid" else y


def second_output_of_the_slide(x, g, mode="valid"):
    """replaces: convolve1d

    You agree with the slide, and the slide slips: in the worked example the second output turns from 7 into 5 on the
    later frames. Do that window by hand once more, and let no example be an exception to your formula.
    """
    y = convolve1d(x, g, mode)
    if mode == "valid" and np.array_equal(x, [1, 2, 3, 4, 5]) and np.array_equal(g, [1, 2]):
        y[1] = 5
    return y


def ignores_the_mode(x, g, mode="valid"):
    """replaces: convolve1d

    All three modes return what "valid" returns. Look at the table in the handout: which outputs does each of them
    keep, and how many are those?
    """
    y = convolve1d(x, g, mode)
    return y if mode == "valid" else convolve1d(x, g)


def unknown_mode_is_valid(x, g, mode="valid"):
    """replaces: convolve1d

    There are three modes. Someone who misspells one should hear about it, rather than get the outputs of another mode
    without a word.
    """
    return convolve1d(x, g, mode if mode in ("full", "same") else "valid")


def same_starts_late(x, g, mode="valid"):
    """replaces: convolve1d

    In mode "same" a filter with an even number of taps has two taps in its middle, and you have centred it on the
    other one. The docstring says with which of the full outputs "same" begins; try it with two taps.
    """
    return _cut(x, g, mode, lambda k: k // 2)


def same_keeps_the_first(x, g, mode="valid"):
    """replaces: convolve1d

    In mode "same" you keep the first outputs of the full convolution, so everything comes out late. The outputs to
    keep are those in the middle.
    """
    return _cut(x, g, mode, lambda k: 0)


def same_keeps_the_last(x, g, mode="valid"):
    """replaces: convolve1d

    In mode "same" you keep the last outputs of the full convolution, so everything comes out early. The outputs to
    keep are those in the middle.
    """
    return _cut(x, g, mode, lambda k: k - 1)


def same_is_valid_between_zeros(x, g, mode="valid"):
    """replaces: convolve1d

    In mode "same" the outputs near the ends are zero. Only the samples beyond the ends count as zero; the taps that
    still lie on the signal go on adding their products.
    """
    y = convolve1d(x, g, mode)
    if mode == "same":
        k = len(g)
        y[: k - 1 - (k - 1) // 2] = 0
        y[len(x) - (k - 1) // 2 :] = 0
    return y


def wraps_around(x, g, mode="valid"):
    """replaces: convolve1d

    Where the filter sticks out at one end, it reads samples from the other end, as on a ring. This is what a product
    of Fourier transforms does when it is given too few zeros. A sample that does not exist counts as zero.
    """
    return _beyond_the_ends(x, g, mode, "wrap")


def mirrors_the_ends(x, g, mode="valid"):
    """replaces: convolve1d

    Where the filter sticks out at an end, it reads the signal mirrored there. Image libraries often do so, to avoid
    dark borders. In the lecture's sum a sample that does not exist counts as zero.
    """
    return _beyond_the_ends(x, g, mode, "symmetric")


def full_with_empty_windows(x, g, mode="valid"):
    """replaces: convolve1d

    In mode "full" there is one output too many at each end, and it is always zero: there the filter does not touch the
    signal at all. How far can it stick out and still overlap with one sample?
    """
    y = convolve1d(x, g, mode)
    return np.pad(y, 1) if mode == "full" else y


def swaps_a_longer_filter(x, g, mode="valid"):
    """replaces: convolve1d

    When the filter is longer than the signal, you let the two trade places, as NumPy does. Here the filter stays the
    filter, and if it does not fit into the signal, that is an error worth reporting; in "full" it need not fit.
    """
    longer = mode in ("valid", "same") and np.ndim(x) == np.ndim(g) == 1 and np.size(g) > np.size(x) > 0
    return convolve1d(g, x, mode) if longer else convolve1d(x, g, mode)


def rounds_to_whole_numbers(x, g, mode="valid"):
    """replaces: convolve1d

    Your results lose their fractions when the signal holds whole numbers: the array in which you collect them can hold
    nothing else. What kind of numbers may a weighted sum be?
    """
    y = convolve1d(x, g, mode)
    return y.astype(int) if np.asarray(x).dtype.kind in "iu" else y


def mean_of_the_products(x, g, mode="valid"):
    """replaces: convolve1d

    All outputs are too small by the same factor. Convolution adds up the products and leaves it at that; whether the
    filter averages is decided by its taps.
    """
    return convolve1d(x, g, mode) / np.size(g)


def turns_the_callers_filter(x, g, mode="valid"):
    """replaces: convolve1d

    The result is right, but whoever gave you the filter finds it turned round afterwards. Turn round a copy of your
    own, and leave theirs as it was.
    """
    y = convolve1d(x, g, mode)
    _turn_in_place(g)
    return y


# --- correlate1d --------------------------------------------------------------------------------------------


def flips_the_weights(x, w):
    """replaces: correlate1d

    This is convolution: your weights run against the signal. In a cross-correlation the two indices grow together, as
    the small perceptron of the lecture reads its window from left to right.
    """
    return convolve1d(x, w)


def correlation_backwards(x, w):
    """replaces: correlate1d

    The right numbers in reverse order. Correlation is not symmetric: sliding the signal over the weights is not
    sliding the weights over the signal. Which of the two moves forward in your code?
    """
    return correlate1d(x, w)[::-1]


def correlation_length_t_minus_k(x, w):
    """replaces: correlate1d

    The last output is missing. In how many places does a window of two samples fit into a signal of five? The slide's
    formula for the length slips by one.
    """
    return correlate1d(x, w)[:-1]


def correlation_beyond_the_ends(x, w):
    """replaces: correlate1d

    You also return outputs where the weights stick out of the signal. This function keeps only those for which all
    weights lie on samples.
    """
    correlate1d(x, w)
    return convolve1d(x, np.flip(w), "full")


def correlation_of_deviations(x, w):
    """replaces: correlate1d

    You take away a mean before you multiply, as the correlation coefficient of statistics does. Cross-correlation in
    signal processing is plainer than its namesake: the products of samples and weights as they are.
    """
    return correlate1d(x, w) - correlate1d(x, np.full(np.shape(w), np.mean(w)))


# --- convolve2d ---------------------------------------------------------------------------------------------


def no_flip_of_the_picture_filter(x, g):
    """replaces: convolve2d

    Your filter slides over the picture the same way round as it is written. That is what PyTorch calls convolution;
    the lecture's formula has a minus sign, here one for each direction. The lecture's own filter looks the same both
    ways round, so try another one.
    """
    return convolve2d(x, np.flip(g))


def flips_rows_only(x, g):
    """replaces: convolve2d

    Upside down is right, and left and right are still as written. The formula has two sums, and a minus sign in each.
    """
    convolve2d(x, g)
    return convolve2d(x, np.flip(g, axis=1))


def flips_columns_only(x, g):
    """replaces: convolve2d

    Left and right are as they should be, and top and bottom are still as written. The formula has two sums, and a
    minus sign in each.
    """
    convolve2d(x, g)
    return convolve2d(x, np.flip(g, axis=0))


def transposes_instead(x, g):
    """replaces: convolve2d

    You have exchanged the filter's rows and columns. Turning it round in both directions is something else: follow
    the tap in the upper right corner and see where each of the two takes it.
    """
    convolve2d(x, g)
    return convolve2d(x, np.flip(np.transpose(g)))


def quarter_turn(x, g):
    """replaces: convolve2d

    You have turned the filter by a quarter. To run against the picture in both directions, in which corner must the
    tap from the upper left corner end up, and how large a turn is that?
    """
    convolve2d(x, g)
    return convolve2d(x, np.flip(np.rot90(g)))


def picture_minus_filter(x, g):
    """replaces: convolve2d

    The last row and the last column of the output are missing. The slide's picture of the output slips by one; count
    in how many places the filter fits along each side.
    """
    return convolve2d(x, g)[:-1, :-1]


def picture_beyond_the_borders(x, g):
    """replaces: convolve2d

    You also return outputs where the filter sticks out of the picture, as SciPy does unless told otherwise. Here the
    filter lies wholly inside.
    """
    convolve2d(x, g)
    rows, columns = np.shape(g)
    return convolve2d(np.pad(x, ((rows - 1, rows - 1), (columns - 1, columns - 1))), g)


def width_before_height(x, g):
    """replaces: convolve2d

    Rows and columns have changed places in your output. Shapes are height first, width second; a square picture would
    not have shown it.
    """
    return convolve2d(x, g).T


def compares_heights_only(x, g):
    """replaces: convolve2d

    A filter that is wider than the picture goes unnoticed, as long as it is not too high as well. There are two sides
    to check.
    """
    if np.ndim(x) == np.ndim(g) == 2 and min(np.size(x), np.size(g)) > 0:
        height, too_wide = np.shape(x)[0] - np.shape(g)[0] + 1, np.shape(g)[1] > np.shape(x)[1]
        if height > 0 and too_wide:
            return np.zeros((height, 0))
    return convolve2d(x, g)


def picture_of_whole_numbers(x, g):
    """replaces: convolve2d

    Your results lose their fractions when the picture holds whole numbers: the array in which you collect them can
    hold nothing else. What kind of numbers may a weighted sum be?
    """
    y = convolve2d(x, g)
    return y.astype(int) if np.asarray(x).dtype.kind in "iu" else y


def turns_the_callers_picture_filter(x, g):
    """replaces: convolve2d

    The result is right, but whoever gave you the filter finds it turned round afterwards. Turn round a copy of your
    own, and leave theirs as it was.
    """
    y = convolve2d(x, g)
    _turn_in_place(g)
    return y


# --- moving_average -----------------------------------------------------------------------------------------


def taps_of_one(k):
    """replaces: moving_average

    Your filter adds its neighbours up and never shares the sum out among them. A constant signal should come out just
    as loud as it went in; yours grows with the number of taps.
    """
    return moving_average(k) * k


def taps_of_whole_numbers(k):
    """replaces: moving_average

    Your taps are zero as soon as there is more than one of them, so the filter removes the noise and everything else.
    There are two kinds of division in Python; which one keeps the fraction?
    """
    return np.full_like(moving_average(k), 1 // k)


def one_tap_too_many(k):
    """replaces: moving_average

    Your filter has one tap more than was asked for. On the slides the size of a filter once reads k + 1; a filter of
    size k has k of them.
    """
    moving_average(k)
    return moving_average(k + 1)


def tapered_taps(k):
    """replaces: moving_average

    Your taps sum to 1, but those in the middle weigh more than the outer ones. That is a fine low-pass filter, often a
    better one; here all neighbours are to have an equal say.
    """
    rise = np.minimum(np.arange(k), np.arange(k)[::-1]) + 1 if k >= 1 else moving_average(k)
    return rise / rise.sum()


def no_taps_at_all(k):
    """replaces: moving_average

    Asked for a filter without taps, you return an empty array. Nothing can be averaged over nothing: say so with an
    error, as the docstring asks.
    """
    return np.zeros(0) if k == 0 else moving_average(k)


# --- convolution_matrix -------------------------------------------------------------------------------------


def matrix_of_the_unflipped_filter(g, T):
    """replaces: convolution_matrix

    The rows of your matrix hold the filter as it is written, which makes it the matrix of a cross-correlation. Compute
    one output by hand: which tap meets the earliest sample of its window?
    """
    return convolution_matrix(np.flip(g), T)


def matrix_transposed(g, T):
    """replaces: convolution_matrix

    Rows and columns have changed places. The matrix takes a signal and gives outputs, so which of the two numbers says
    how many columns it has?
    """
    return convolution_matrix(g, T).T


def matrix_of_the_full_convolution(g, T):
    """replaces: convolution_matrix

    Your matrix also computes the outputs where the filter sticks out of the signal, so it has too many rows. Which of
    its rows hold the whole filter?
    """
    return _full_matrix(g, T)


def matrix_from_the_first_output(g, T):
    """replaces: convolution_matrix

    The number of rows is right, but the first of them belong to outputs where the filter still sticks out of the signal.
    With which of the full outputs do the valid ones begin?
    """
    return _full_matrix(g, T)[: T - np.size(g) + 1]


def matrix_that_wraps_around(g, T):
    """replaces: convolution_matrix

    The band leaves your matrix on the right and comes in again on the left, as if the signal were a ring. The rows in
    which that happens do not belong to any place where the filter fits.
    """
    A = convolution_matrix(g, T)
    return np.stack([np.roll(A[0], row) for row in range(T)])


def matrix_one_row_short(g, T):
    """replaces: convolution_matrix

    The last row is missing. There is a row for every output, and the slide's formula for the number of outputs slips
    by one: count the places where the filter fits.
    """
    return convolution_matrix(g, T)[:-1]


def matrix_of_equal_rows(g, T):
    """replaces: convolution_matrix

    All rows of your matrix are the same, so all outputs look at the first window. When the output moves on by one
    sample, what has to happen to the weights in its row?
    """
    A = convolution_matrix(g, T)
    return np.repeat(A[:1], len(A), axis=0)


# --- what several of them share -----------------------------------------------------------------------------


def _cut(x, g, mode, start):
    """Mode "same" that begins with another one of the full outputs."""
    y = convolve1d(x, g, mode)
    if mode != "same":
        return y
    first = start(np.size(g))
    return convolve1d(x, g, "full")[first : first + len(y)]


def _beyond_the_ends(x, g, mode, continuation):
    """Modes "full" and "same" that read something else than zeros beyond the ends."""
    y = convolve1d(x, g, mode)
    k = np.size(g)
    after = {"valid": 0, "same": (k - 1) // 2, "full": k - 1}[mode]
    before = len(y) + k - 1 - np.size(x) - after
    return convolve1d(np.pad(x, (before, after), mode=continuation), g) if before + after else y


def _full_matrix(g, T):
    """A row for every output of the full convolution."""
    convolution_matrix(g, T)
    return np.stack([convolve1d(pulse, g, "full") for pulse in np.eye(T)], axis=1)


def _turn_in_place(g):
    """Turn an array round where it is."""
    if isinstance(g, np.ndarray):
        g[...] = np.flip(g).copy()
