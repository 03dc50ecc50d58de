"""The master of `pooling` against PyTorch's own pooling, and against what must hold whoever computes it."""

import doctest
import itertools

import numpy as np
import pooling
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

OVER_TIME = {"sum_pool": torch.sum, "mean_pool": torch.mean, "max_pool": torch.amax}
WINDOWED = {"max_pool2d": functional.max_pool2d, "avg_pool2d": functional.avg_pool2d}
adaptive_avg_pool2d = functional.adaptive_avg_pool2d


def assert_agree(ours, theirs):
    """The same shape, and the same values: both sides compute in float64, and only add in another order."""
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-12, atol=1e-12)


def as_batch(x):
    """A picture with any number of leading axes as PyTorch takes it: (N, 1, H, W)."""
    return torch.from_numpy(x).reshape(-1, 1, *x.shape[-2:])


def test_every_example_in_a_docstring_is_true():
    results = doctest.testmod(pooling)
    assert results.attempted >= 7
    assert results.failed == 0


# Over time


@given(st.lists(st.integers(1, 5), max_size=3), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_pooling_over_time_is_torchs_reduction_of_the_last_axis(leading, length, seed):
    z = np.random.default_rng(seed).normal(size=(*leading, length))
    for name, reduction in OVER_TIME.items():
        assert_agree(getattr(pooling, name)(z), reduction(torch.from_numpy(z), dim=-1))


@pytest.mark.parametrize("name", OVER_TIME)
def test_pooling_over_time_does_not_see_when_something_happened(name):
    z = np.random.default_rng(3).normal(size=(2, 3, 17))
    pool = getattr(pooling, name)
    assert_agree(pool(np.roll(z, 5, axis=-1)), pool(z))


@pytest.mark.parametrize(("name", "answer"), [("sum_pool", 34.0), ("mean_pool", 8.5), ("max_pool", 13.0)])
def test_the_lectures_example(name, answer):
    z = np.convolve([1, 2, 3, 4, 5], [1, 2], mode="valid")
    pooled = getattr(pooling, name)(z)
    assert isinstance(pooled, np.ndarray)  # of shape (), so that a student's answer may be any real number
    assert pooled == answer


@pytest.mark.parametrize("name", OVER_TIME)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (2, 5, 0)], ids=str)
def test_a_signal_without_samples_is_refused(name, shape):
    with pytest.raises(ValueError, match="nothing to pool"):
        getattr(pooling, name)(np.zeros(shape))


@pytest.mark.parametrize("name", OVER_TIME)
@pytest.mark.parametrize("z", [3.0, 7, np.array(2.5)], ids=repr)
def test_a_scalar_is_refused(name, z):
    with pytest.raises(ValueError, match="nothing to pool"):
        getattr(pooling, name)(z)


# Windows


@st.composite
def windows(draw):
    """A picture's shape and a kernel, stride and padding that fit it, each an int or a pair."""
    size = st.integers(1, 6)
    kernel = draw(st.one_of(size, st.tuples(size, size)))
    kh, kw = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    stride = draw(st.one_of(st.none(), size, st.tuples(size, size)))
    ph, pw = padding = draw(st.integers(0, kh // 2)), draw(st.integers(0, kw // 2))
    if draw(st.booleans()):
        ph = pw = padding = min(padding)
    height = draw(st.integers(max(1, kh - 2 * ph), 13))
    width = draw(st.integers(max(1, kw - 2 * pw), 13))
    leading = draw(st.lists(st.integers(1, 4), max_size=2))
    return (*leading, height, width), kernel, stride, padding


@pytest.mark.parametrize("name", WINDOWED)
@given(windows(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=150)
def test_windows_are_torchs(name, drawn, seed):
    shape, *arguments = drawn
    x = np.random.default_rng(seed).normal(size=shape) - 1  # mostly negative, so that a padded zero would win
    theirs = WINDOWED[name](as_batch(x), *arguments)
    assert_agree(getattr(pooling, name)(x, *arguments), theirs.reshape(*shape[:-2], *theirs.shape[-2:]))


@pytest.mark.parametrize("name", WINDOWED)
def test_windows_are_refused_just_where_torch_refuses_them(name):
    refused = 0
    for height, kh, ph, turned in itertools.product(range(1, 5), range(1, 5), range(4), (False, True)):
        shape, kernel, padding = (height, 6), (kh, 3), (ph, 1)
        if turned:
            shape, kernel, padding = shape[::-1], kernel[::-1], padding[::-1]
        x = np.random.default_rng(height).normal(size=shape)
        try:
            theirs = WINDOWED[name](as_batch(x), kernel, 1, padding)
        except RuntimeError:
            refused += 1
            with pytest.raises(ValueError, match=r"padding|window"):
                getattr(pooling, name)(x, kernel, 1, padding)
        else:
            assert_agree(getattr(pooling, name)(x, kernel, 1, padding), theirs[0, 0])
    assert 0 < refused < 128


# Adaptive


@given(
    st.lists(st.integers(1, 3), max_size=2),
    st.tuples(st.integers(1, 23), st.integers(1, 23)),
    st.one_of(st.integers(1, 27), st.tuples(st.integers(1, 27), st.integers(1, 27))),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=150)
def test_adaptive_cells_are_torchs(leading, size, output_size, seed):
    x = np.random.default_rng(seed).normal(size=(*leading, *size))
    theirs = adaptive_avg_pool2d(as_batch(x), output_size)
    assert_agree(pooling.adaptive_avg_pool2d(x, output_size), theirs.reshape(*leading, *theirs.shape[-2:]))


@pytest.mark.parametrize("cells", [2, 4, (3, 7)], ids=str)
def test_the_lectures_prime_size_is_torchs(cells):
    x = np.random.default_rng(127).normal(size=(2, 3, 127, 127))
    assert_agree(pooling.adaptive_avg_pool2d(x, cells), adaptive_avg_pool2d(torch.from_numpy(x), cells))


def test_even_cells_are_windows_side_by_side():
    x = np.random.default_rng(5).normal(size=(3, 12, 35))
    assert_agree(pooling.adaptive_avg_pool2d(x, (4, 5)), pooling.avg_pool2d(x, (3, 7)))


@pytest.mark.parametrize("output_size", [0, -1, (0, 3), (3, 0), (2, -1)], ids=str)
def test_an_output_without_cells_is_refused(output_size):
    with pytest.raises(ValueError, match="no cells"):
        pooling.adaptive_avg_pool2d(np.ones((4, 5)), output_size)


# All of them

CALLS = [
    ("sum_pool", ()),
    ("mean_pool", ()),
    ("max_pool", ()),
    ("max_pool2d", (3, 2, 1)),
    ("max_pool2d", (1,)),
    ("avg_pool2d", (3, 2, 1)),
    ("avg_pool2d", (1,)),
    ("adaptive_avg_pool2d", ((2, 3),)),
    ("adaptive_avg_pool2d", ((5, 7),)),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_lists_and_integers_give_what_floats_give(name, arguments):
    pool = getattr(pooling, name)
    x = np.random.default_rng(7).integers(-9, 10, size=(2, 5, 7))
    expected = pool(x.astype(np.float64), *arguments)
    for same in (x, x.tolist(), x.astype(np.int8), tuple(map(tuple, x.tolist()))):
        np.testing.assert_array_equal(pool(same, *arguments), expected)


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_single_precision_is_taken(name, arguments):
    pool = getattr(pooling, name)
    x = np.random.default_rng(13).normal(size=(2, 5, 7)).astype(np.float32)
    expected = pool(x.astype(np.float64), *arguments)
    np.testing.assert_allclose(pool(x, *arguments), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=str)
def test_the_input_stays_as_it_is_and_is_not_handed_back(name, arguments):
    x = np.random.default_rng(11).normal(size=(2, 5, 7))
    before = x.copy()
    result = getattr(pooling, name)(x, *arguments)
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(result, x)
