"""The master of `convolution` against outside truth: NumPy, SciPy, PyTorch and exact integers."""

import doctest

import convolution
import numpy as np
import pytest
import torch
from convolution import (
    convolution_matrix,
    convolve1d,
    convolve2d,
    correlate1d,
    equivariance_gap,
    moving_average,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import linalg, ndimage, signal

MODES = ("valid", "full", "same")
LENGTHS = [(1, 1), (2, 1), (2, 2), (5, 2), (7, 7), (8, 5), (11, 4), (64, 7), (997, 31)]
SHAPES = [
    ((1, 1), (1, 1)),
    ((5, 7), (2, 3)),
    ((7, 5), (3, 2)),
    ((4, 9), (4, 9)),
    ((6, 5), (1, 5)),
    ((31, 23), (7, 4)),
]

NO_SIGNALS = [([], [1]), ([1], []), ([], []), ([[1, 2]], [1]), ([1], [[1]]), (1, 1)]

unhurried = settings(deadline=None)  # a busy machine is no reason to fail

# Sums of products of small whole numbers are exact in floating point, so they can be compared exactly.
signals = arrays(np.int64, st.integers(1, 40), elements=st.integers(-99, 99))
filters = arrays(np.int64, st.integers(1, 12), elements=st.integers(-99, 99))
pictures = arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-99, 99))


@pytest.fixture
def rng():
    return np.random.default_rng(7026)


def close(actual, expected):
    """Equal up to the rounding of sums in another order, and of the same shape."""
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))


def test_examples_of_the_docstrings():
    assert doctest.testmod(convolution).failed == 0


# --- convolve1d ---------------------------------------------------------------------------------------------


def test_lecture_example():
    x, g = [1, 2, 3, 4, 5], [1, 2]
    assert convolve1d(x, g).tolist() == [4, 7, 10, 13]
    assert convolve1d(x, g, "full").tolist() == [1, 4, 7, 10, 13, 10]
    assert convolve1d(x, g, "same").tolist() == [1, 4, 7, 10, 13]


def test_example_of_the_handout():
    x, g = [3, 1, 4, 1], [1, 0, 2]
    assert convolve1d(x, g, "full").tolist() == [3, 1, 10, 3, 8, 2]
    assert convolve1d(x, g, "same").tolist() == [1, 10, 3, 8]
    assert convolve1d(x, g, "valid").tolist() == [10, 3]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("T", "k"), LENGTHS)
def test_convolve1d_is_that_of_numpy_and_scipy(rng, T, k, mode):
    x, g = rng.normal(size=T), rng.normal(size=k)
    close(convolve1d(x, g, mode), np.convolve(x, g, mode))
    close(convolve1d(x, g, mode), signal.convolve(x, g, mode, method="direct"))


@unhurried
@given(signals, filters)
def test_convolve1d_is_the_product_of_polynomials(x, g):
    full = np.polymul(x[::-1], g[::-1])[::-1]  # drops zeros of the highest powers
    y = convolve1d(x, g, "full")
    assert y.shape == (len(x) + len(g) - 1,)
    assert np.array_equal(y[: len(full)], full)
    assert not y[len(full) :].any()


@unhurried
@given(signals, filters)
def test_valid_and_same_are_cut_from_full(x, g):
    T, k = len(x), len(g)
    if k > T:
        return
    full = convolve1d(x, g, "full")
    assert np.array_equal(convolve1d(x, g), full[k - 1 : T])
    assert np.array_equal(convolve1d(x, g, "same"), full[(k - 1) // 2 : (k - 1) // 2 + T])


@unhurried
@given(signals, filters, st.integers(-9, 9))
def test_convolution_is_linear_and_commutes(x, g, factor):
    reverse = x[::-1]
    both = convolve1d(x + factor * reverse, g, "full")
    assert np.array_equal(both, convolve1d(x, g, "full") + factor * convolve1d(reverse, g, "full"))
    assert np.array_equal(convolve1d(x, g, "full"), convolve1d(g, x, "full"))


def test_filter_longer_than_the_signal_in_full(rng):
    x, g = rng.normal(size=4), rng.normal(size=9)
    close(convolve1d(x, g, "full"), np.convolve(x, g, "full"))


@pytest.mark.parametrize("kind", [list, tuple, np.float32, np.int8, np.uint8, torch.tensor])
def test_any_array_will_do(kind):
    x, g = kind([72, 0, 7, 101, 3]), kind([90, 2])
    assert convolve1d(x, g).tolist() == np.convolve([72, 0, 7, 101, 3], [90, 2], "valid").tolist()
    assert correlate1d(x, g).tolist() == np.correlate([72, 0, 7, 101, 3], [90, 2], "valid").tolist()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("x", "g"), NO_SIGNALS)
def test_convolve1d_refuses_what_is_no_signal(x, g, mode):
    with pytest.raises(ValueError, match="x and g must be"):
        convolve1d(x, g, mode)


@pytest.mark.parametrize("mode", ["valid", "same"])
def test_convolve1d_refuses_a_filter_that_does_not_fit(mode):
    with pytest.raises(ValueError, match="does not fit"):
        convolve1d([1, 2], [1, 2, 3], mode)


@pytest.mark.parametrize("mode", ["circular", "", "Valid", None])
def test_convolve1d_refuses_an_unknown_mode(mode):
    with pytest.raises(ValueError, match="mode must be"):
        convolve1d([1, 2], [1], mode)


# --- correlate1d --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("T", "k"), LENGTHS)
def test_correlate1d_is_that_of_numpy_and_of_a_convolution_layer(rng, T, k):
    x, w = rng.normal(size=T), rng.normal(size=k)
    close(correlate1d(x, w), np.correlate(x, w, "valid"))
    layer = torch.nn.functional.conv1d(torch.tensor(x)[None, None], torch.tensor(w)[None, None])
    close(correlate1d(x, w), layer[0, 0].numpy())


@pytest.mark.parametrize(("x", "w"), [*NO_SIGNALS, ([1, 2], [1, 2, 3])])
def test_correlate1d_refuses(x, w):
    with pytest.raises(ValueError, match=r"must be signals|does not fit"):
        correlate1d(x, w)


# --- convolve2d ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "kernel"), SHAPES)
def test_convolve2d_is_that_of_scipy(rng, shape, kernel):
    x, g = rng.normal(size=shape), rng.normal(size=kernel)
    close(convolve2d(x, g), signal.convolve2d(x, g, "valid"))


def test_convolve2d_is_that_of_ndimage_inside(rng):
    x, g = rng.normal(size=(9, 12)), rng.normal(size=(3, 5))
    close(convolve2d(x, g), ndimage.convolve(x, g)[1:-1, 2:-2])


@pytest.mark.parametrize(("shape", "kernel"), SHAPES)
def test_convolve2d_is_a_layer_with_the_filter_flipped(rng, shape, kernel):
    x, g = rng.normal(size=shape), rng.normal(size=kernel)
    layer = torch.nn.functional.conv2d(torch.tensor(x)[None, None], torch.tensor(g).flip(0, 1)[None, None])
    close(convolve2d(x, g), layer[0, 0].numpy())


@unhurried
@given(pictures, pictures)
def test_convolve2d_of_whole_numbers_is_exact(x, g):
    if g.shape[0] > x.shape[0] or g.shape[1] > x.shape[1]:
        with pytest.raises(ValueError, match="does not fit"):
            convolve2d(x, g)
    else:
        assert np.array_equal(convolve2d(x, g), signal.convolve2d(x, g, "valid"))


@pytest.mark.parametrize(
    ("shape", "kernel"),
    [
        *[((0, 3), (1, 1)), ((3, 0), (1, 1)), ((3, 3), (0, 1)), ((3, 3), (1, 0))],  # empty
        *[((3,), (1, 1)), ((3, 3), (1,)), ((3, 3, 3), (1, 1)), ((3, 3), (1, 1, 1)), ((), ())],  # not two axes
        *[((3, 5), (4, 1)), ((3, 5), (1, 6)), ((3, 5), (5, 3))],  # too large
    ],
)
def test_convolve2d_refuses(shape, kernel):
    with pytest.raises(ValueError, match=r"must be pictures|does not fit"):
        convolve2d(np.ones(shape), np.ones(kernel))


# --- moving_average -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3, 10, 101])
def test_moving_average_keeps_a_constant_and_averages_the_rest(rng, k):
    taps = moving_average(k)
    assert taps.shape == (k,)
    assert np.ptp(taps) == 0
    close(convolve1d(np.full(200, 7.0), taps), np.full(201 - k, 7.0))
    x = rng.normal(size=200)
    close(convolve1d(x, taps), [x[n : n + k].mean() for n in range(201 - k)])


@pytest.mark.parametrize("k", [0, -1, -5])
def test_moving_average_refuses(k):
    with pytest.raises(ValueError, match="at least one tap"):
        moving_average(k)


# --- convolution_matrix -------------------------------------------------------------------------------------


@unhurried
@given(signals, filters)
def test_convolution_matrix_is_the_convolution(x, g):
    if len(g) > len(x):
        with pytest.raises(ValueError, match="does not fit"):
            convolution_matrix(g, len(x))
    else:
        assert np.array_equal(convolution_matrix(g, len(x)) @ x, convolve1d(x, g))


@pytest.mark.parametrize(("T", "k"), LENGTHS[:-1])
def test_convolution_matrix_is_that_of_scipy(rng, T, k):
    g = rng.normal(size=k)
    assert np.array_equal(convolution_matrix(g, T), linalg.convolution_matrix(g, T, "valid"))


@pytest.mark.parametrize(("g", "T"), [([], 3), ([], 0), ([[1, 2]], 3), (1, 3), ([1, 2, 3], 2), ([1], 0), ([1], -1)])
def test_convolution_matrix_refuses(g, T):
    with pytest.raises(ValueError, match="does not fit"):
        convolution_matrix(g, T)


# --- all of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(convolve1d, ((29,), (5,), mode)) for mode in MODES]
    + [(correlate1d, ((29,), (5,))), (convolve2d, ((11, 7), (3, 2))), (convolution_matrix, ((5,), 13))],
)
def test_inputs_are_left_alone(rng, function, arguments):
    given_arguments = [rng.normal(size=each) if isinstance(each, tuple) else each for each in arguments]
    before = [np.copy(each) if isinstance(each, np.ndarray) else each for each in given_arguments]
    result = function(*given_arguments)
    for was, now in zip(before, given_arguments, strict=True):
        assert np.array_equal(was, now)
        assert not isinstance(now, np.ndarray) or not np.shares_memory(result, now)


# --- equivariance_gap ---------------------------------------------------------------------------------------


@unhurried
@pytest.mark.parametrize("mode", MODES)
@given(signals, filters, st.integers(0, 15))
def test_a_convolution_has_no_gap(mode, x, g, shift):
    if len(g) <= len(x):
        assert equivariance_gap(lambda each: convolve1d(each, g, mode), x, shift) == 0


def test_examples_of_the_handout_for_the_gap():
    assert equivariance_gap(lambda each: convolve1d(each, [1, 2]), [3, 1, 4], shift=2) == 0
    assert equivariance_gap(lambda each: each * (np.arange(each.size) + 1), [3, 1, 4], shift=2) == 8


def test_what_acts_on_every_sample_alike_has_no_gap(rng):
    assert equivariance_gap(lambda each: np.maximum(0.1 * each, each), rng.normal(size=30), 7) == 0


def test_a_perceptron_layer_has_a_gap(rng):
    weights = rng.normal(size=(40, 40))
    gap = equivariance_gap(lambda each: weights[: each.size, : each.size] @ each, rng.normal(size=30), 7)
    assert gap > 1


def test_an_output_in_reverse_order_has_a_gap_unless_nothing_is_shifted(rng):
    x = rng.normal(size=30)
    assert equivariance_gap(np.flip, x, 0) == 0
    assert equivariance_gap(np.flip, x, 7) > 1


def test_the_gap_is_a_python_float_and_leaves_the_signal_alone(rng):
    x = rng.normal(size=30)
    before = x.copy()
    assert type(equivariance_gap(np.cumsum, x, 3)) is float
    assert np.array_equal(x, before)


@pytest.mark.parametrize(("f", "shift"), [(np.copy, -1), (lambda each: each[:3], 3), (lambda each: each[:0], 0)])
def test_equivariance_gap_refuses(f, shift):
    with pytest.raises(ValueError, match=r"shift must be|nothing to compare"):
        equivariance_gap(f, [1.0, 2.0, 3.0, 4.0], shift)
