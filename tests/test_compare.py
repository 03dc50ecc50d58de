"""The judgement: shape first, then kind, then values; strict where the usual helpers are not, and no stricter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.compare import advice, brief, compare, judge
from autograder.sandbox import Call, Observation
from autograder.suite import Case, Expectation
from autograder.tolerance import as_array, scale, terms, tolerance
from autograder.wire import Opaque, Tensor

RIGHT = np.array([[0.5, -1.25, 2.0], [3.5, 0.25, -4.0]])


def case(*args, expectation: Expectation = "agrees", probe=None, check=None, **more):
    """A case of calling f with these arguments."""
    return Case(expectation, Call(("f",), args, {}, probe), "f(…)", check, **more)


def returned(value, changed=False):
    return Observation("returned", value=value, changed=changed)


def raised(*classes, line=None, where=""):
    return Observation("raised", classes=(*classes, "Exception", "BaseException", "object"), line=line, where=where)


def failure(expected, actual, **more):
    """How a result fails against the one that is expected, or None."""
    difference = judge(case(**more), returned(expected), returned(actual))
    return difference and difference.failure


# --- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "actual",
    [
        RIGHT.copy(),
        RIGHT.tolist(),
        tuple(map(tuple, RIGHT.tolist())),
        [np.array(row) for row in RIGHT],
        [[np.array(value) for value in row] for row in RIGHT],
        RIGHT.astype(np.float32),
        RIGHT.astype(np.float16),
        np.asfortranarray(RIGHT),
        Tensor(RIGHT.copy()),
        [Tensor(row) for row in RIGHT],
        RIGHT + 1e-7,
    ],
    ids=[
        "itself", "lists", "tuples", "list of arrays", "lists of scalars", "float32", "float16", "column-major",
        "tensor", "list of tensors", "rounded",
    ],
)  # fmt: skip
def test_an_array_may_come_in_any_form_that_numpy_takes(actual):
    assert failure(RIGHT, actual) is None


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64", "float32", "float64"])
def test_whole_numbers_and_floats_are_one_kind_of_array(dtype):
    whole = np.arange(6).reshape(2, 3)
    assert failure(whole, whole.astype(dtype)) is None
    assert failure(whole.astype(float), whole.astype(dtype)) is None


@pytest.mark.parametrize(
    "actual",
    [
        RIGHT.T,
        RIGHT.ravel(),
        RIGHT[None],
        RIGHT[:, :2],
        RIGHT[:0],
        np.zeros(0),
        np.zeros((2, 3, 0)),
        RIGHT.sum(),
        3.5,
        2,
        [],
        RIGHT[..., None],
        np.zeros((2, 1)),
        Tensor(RIGHT.T),
    ],
    ids=[
        "transposed", "flat", "one more axis", "narrow", "empty", "nothing", "no values", "NumPy scalar", "float",
        "integer", "empty list", "trailing axis", "broadcasts", "tensor",
    ],
)  # fmt: skip
def test_a_wrong_shape_is_told_before_anything_else(actual):
    assert failure(RIGHT, actual) == "shape"


def test_a_wrong_shape_is_told_even_where_all_values_are_nan():
    assert failure(RIGHT, np.full((3, 2), np.nan)) == "shape"


def test_a_column_is_no_row():
    """NumPy would broadcast the two into a square and compare that."""
    row = np.ones(4)
    assert failure(row, row[:, None]) == "shape"
    assert failure(row[:, None], row) == "shape"


def test_nothing_does_not_agree_with_something():
    """`np.allclose([], [2.0])` is True."""
    assert failure(np.array([2.0]), np.zeros(0)) == "shape"
    assert failure(np.array([2.0]), []) == "shape"


def test_a_scalar_does_not_agree_with_a_constant_array():
    """`assert_allclose` broadcasts it."""
    assert failure(np.full(5, 2.0), 2.0) == "shape"
    assert failure(np.full(5, 2.0), np.array(2.0)) == "shape"


@pytest.mark.parametrize(
    "actual",
    [
        RIGHT.astype(bool),
        RIGHT.astype(complex),
        Tensor(RIGHT.astype(complex)),
        [[True, False, True]] * 2,
        [[0.5, -1.25, 2.0], [3.5, 0.25, "-4.0"]],
        [[0.5, -1.25, 2.0], [3.5, 0.25]],
        [[0.5, -1.25, 2.0], [3.5, 0.25, None]],
        [[2**70] * 3] * 2,
        None,
        "text",
        True,
        {},
        {"a": RIGHT},
        Opaque("generator"),
        [Opaque("Thing")],
    ],
    ids=[
        "bools", "complex", "complex tensor", "list of bools", "a text inside", "ragged", "None inside",
        "huge integers", "None", "text", "bool", "empty dict", "dict", "generator", "objects",
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_of_the_wrong_type(actual):
    assert failure(RIGHT, actual) == "type"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [(0, 0), (1, 2), ...], ids=["first", "last", "everywhere"])
def test_nan_and_infinity_are_never_within_the_tolerance(value, where):
    """`any(error > tolerance)` lets NaN pass."""
    actual = RIGHT.copy()
    actual[where] = value
    assert failure(RIGHT, actual) == "value"
    assert failure(RIGHT, actual, scale=np.inf) == "value"


def test_the_largest_float_is_a_wrong_value_and_no_warning():
    assert failure(RIGHT, np.full((2, 3), -np.finfo(float).max)) == "value"


def test_one_wrong_value_among_many_is_enough():
    actual = np.tile(RIGHT, (1, 100))
    expected = actual.copy()
    actual[1, 150] += 0.01
    assert failure(expected, actual) == "value"


def test_an_empty_array_agrees_with_an_empty_one_of_its_shape():
    assert failure(np.zeros((0, 3)), np.zeros((0, 3))) is None
    assert failure(np.zeros((0, 3)), np.zeros((3, 0))) == "shape"


def test_an_array_without_axes_may_be_a_number():
    expected = np.array(2.5)
    assert all(failure(expected, actual) is None for actual in (2.5, np.array(2.5), Tensor(np.array(2.5))))
    assert failure(expected, [2.5]) == "shape"


# --- numbers, texts, tuples, dicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("actual", [12, np.array(12), np.array(12, dtype=np.uint8)], ids=["Python", "NumPy", "uint8"])
def test_an_integer_is_one_of_python_or_numpy(actual):
    assert failure(12, actual) is None


@pytest.mark.parametrize(
    "actual",
    [12.0, np.array(12.0), True, "12", None, [12], np.array([12]), Tensor(np.array(12)), 12 + 0j, Opaque("Fraction")],
    ids=repr,
)
def test_where_an_integer_is_asked_for_nothing_else_will_do(actual):
    assert failure(12, actual) == "type"


def test_one_is_not_true():
    assert failure(1, True) == "type"
    assert failure(True, 1) == "type"
    assert failure(True, np.array(True)) == "type"
    assert failure(True, True) is None


def test_an_integer_is_compared_exactly_however_large():
    assert failure(2**60, 2**60 + 1) == "value"
    assert failure(2**200, 2**200) is None
    assert failure(12, 10**400) == "value"


@pytest.mark.parametrize("actual", [0.5, np.array(0.5), np.array(0.5, dtype=np.float32)], ids=["Python", "64", "32"])
def test_a_float_is_one_of_python_or_numpy(actual):
    assert failure(0.5, actual) is None


def test_a_whole_number_may_stand_for_a_float():
    assert failure(2.0, 2) is None
    assert failure(2.0, 3) == "value"


@pytest.mark.parametrize("actual", [Tensor(np.array(0.5)), "0.5", None, True, 0.5j, [0.5], np.array([0.5])], ids=repr)
def test_where_a_float_is_asked_for_a_tensor_is_none(actual):
    assert failure(0.5, actual) == "type"


@pytest.mark.parametrize("actual", [float("nan"), float("inf"), 0.6, 10**400])
def test_a_float_that_is_far_off_is_a_wrong_value(actual):
    assert failure(0.5, actual) in ("value", "type")


def test_a_list_does_for_a_tuple_and_the_other_way_round():
    assert failure((3, 4), [3, 4]) is None
    assert failure([3, 4], (3, 4)) is None


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        ((3, 4, 5), "shape"),
        ((3,), "shape"),
        ((), "shape"),
        ((3.0, 4), "type"),
        ((4, 3), "value"),
        (np.array([3, 4]), "type"),
        ("34", "type"),
        (34, "type"),
        ({"3": 4}, "type"),
    ],
    ids=repr,
)
def test_a_tuple_is_compared_entry_by_entry(actual, kind):
    assert failure((3, 4), actual) == kind


def test_a_text_is_compared_as_it_is():
    assert failure("cuda", "cuda") is None
    assert failure("cuda", "cpu") == "value"
    assert failure("cuda", Opaque("device")) == "type"


def test_nothing_is_nothing():
    assert failure(None, None) is None
    assert failure(None, 0) == "type"


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        ({"loss": [0.5], "accuracy": 1.0}, None),
        ({"accuracy": 1.0, "loss": (0.5,)}, None),
        ({"loss": [0.5]}, "type"),
        ({"loss": [0.5], "accuracy": 1.0, "time": 3.0}, "type"),
        ({"loss": [0.5], "precision": 1.0}, "type"),
        ({"loss": [0.5, 0.25], "accuracy": 1.0}, "shape"),
        ({"loss": [0.75], "accuracy": 1.0}, "value"),
        ({"loss": np.array([0.5]), "accuracy": 1.0}, "type"),
        ([0.5, 1.0], "type"),
    ],
    ids=str,
)
def test_a_dict_has_exactly_the_entries_that_are_asked_for(actual, kind):
    assert failure({"loss": [0.5], "accuracy": 1.0}, actual) == kind


def test_a_message_names_the_entry_and_no_value():
    difference = compare(case(), {"loss": [0.5, 0.25]}, {"loss": [0.5, 0.75]})
    assert difference is not None
    assert "['loss'][1]" in difference.message
    assert "0.25" not in difference.message
    assert "0.75" not in difference.message
    assert "0.75" in difference.details


# --- the tolerance ----------------------------------------------------------------------------------------------------


def direct(x, g):
    return np.convolve(x, g, "valid")


def in_float32(x, g):
    return np.convolve(x.astype(np.float32), g.astype(np.float32), "valid")


def by_fft(x, g):
    size = len(x) + len(g) - 1
    full = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(g, size), size)
    return full[len(g) - 1 : len(x)]


def by_fft_in_float32(x, g):
    """SciPy's FFT keeps float32; NumPy's does since 2.0."""
    return by_fft(x.astype(np.float32), g.astype(np.float32)).astype(np.float32)


def one_after_another_in_float32(x, g):
    """A loop's order: every sum is rounded as often as there are taps."""
    total = np.zeros(len(x) - len(g) + 1, dtype=np.float32)
    for tap, weight in enumerate(g.astype(np.float32)):
        start = len(g) - 1 - tap
        total += weight * x.astype(np.float32)[start : start + len(total)]
    return total


def largest_first(x, g):
    windows = np.lib.stride_tricks.sliding_window_view(x, len(g)) * g[::-1]
    return np.take_along_axis(windows, np.argsort(-np.abs(windows)), -1).cumsum(-1)[:, -1]


@pytest.mark.parametrize("way", [in_float32, by_fft, by_fft_in_float32, one_after_another_in_float32, largest_first])
@pytest.mark.parametrize(("T", "k"), [(8, 3), (97, 31), (997, 500), (4001, 2000), (4500, 4001)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_every_honest_way_to_compute_is_within_the_tolerance(way, T, k, size):
    rng = np.random.default_rng(T)
    x, g = size * rng.normal(size=T), rng.normal(size=k)
    assert judge(case(x, g), returned(direct(x, g)), returned(way(x, g))) is None


@pytest.mark.parametrize(("T", "k"), [(8, 3), (97, 31), (997, 500), (4001, 2000), (4500, 4001)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_error_of_a_thousandth_is_not(T, k, size):
    rng = np.random.default_rng(T)
    x, g = size * rng.normal(size=T), rng.normal(size=k)
    right = direct(x, g)
    for wrong in (right * 1.001, right + 1e-3 * np.abs(right).max()):
        difference = judge(case(x, g), returned(right), returned(wrong))
        assert difference is not None
        assert difference.failure == "value"


def test_where_the_contract_fixes_the_dtype_float32_is_not_enough():
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=97), rng.normal(size=31)
    exact = case(x, g, precision="float64")
    assert judge(exact, returned(direct(x, g)), returned(by_fft(x, g))) is None
    assert judge(exact, returned(direct(x, g)), returned(in_float32(x, g))) is not None


@given(st.integers(1, 10**6), st.floats(1e-30, 1e30))
def test_the_tolerance_grows_with_the_sum_and_its_terms(count, size):
    assert tolerance(count, size, "float32") == pytest.approx(16 * 2.0**-23 * count * size)


def test_a_result_of_zeros_alone_has_a_tolerance_above_zero():
    assert failure(np.zeros(3), np.zeros(3)) is None
    assert failure(np.zeros(3), np.full(3, 1e-3)) == "value"


def test_terms_and_scale_come_from_the_arguments_where_the_suite_says_nothing():
    assert terms(case(np.ones(9), [1.0, 2.0], 3, "full")) == 2
    assert scale(case(np.array([2.0, -3.0]), [0.5, 4.0]), np.zeros(1)) == 12.0
    assert scale(case(np.array([2.0])), np.array([-5.0])) == 5.0
    assert scale(case([1, 2], [3]), np.array([6])) == 6.0
    assert (terms(case(np.ones(9), terms=7)), scale(case(np.ones(9), scale=0.5), np.ones(1))) == (7, 0.5)


# --- what else may be expected ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        (raised("ValueError"), None),
        (raised("UnicodeDecodeError", "UnicodeError", "ValueError"), None),
        (raised("TypeError"), "wrong-exception"),
        (raised("NotImplementedError", "RuntimeError"), "wrong-exception"),
        (returned(None), "no-exception"),
        (returned(RIGHT), "no-exception"),
        (Observation("timeout"), "timeout"),
        (Observation("absent"), "missing"),
    ],
)
def test_a_call_that_must_be_rejected_raises_value_error(actual, kind):
    difference = judge(case(expectation="rejects"), raised("ValueError"), actual)
    assert (difference and difference.failure) == kind


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        (raised("ValueError"), "exception"),
        (raised("NotImplementedError"), "exception"),
        (Observation("absent"), "missing"),
        (Observation("absent", classes=("SyntaxError", "Exception")), "unreadable"),
        (Observation("absent", classes=("KeyError", "Exception")), "exception"),
        (Observation("timeout"), "timeout"),
        (Observation("memory"), "memory"),
        (Observation("crash"), "crash"),
    ],
)
@pytest.mark.parametrize("expectation", ["agrees", "preserves", "holds"])
def test_a_call_that_does_not_return_fails_by_the_way_it_ended(expectation, actual, kind):
    difference = judge(case(expectation=expectation, check=lambda seen: None), returned(RIGHT), actual)
    assert difference is not None
    assert difference.failure == kind


def test_arguments_that_were_changed_are_a_matter_of_state():
    kept, spoilt = returned(RIGHT), returned(RIGHT, changed=True)
    assert judge(case(expectation="preserves"), kept, kept) is None
    difference = judge(case(expectation="preserves"), kept, spoilt)
    assert difference is not None
    assert difference.failure == "state"


def test_leaving_the_arguments_alone_earns_nothing_where_the_result_is_wrong():
    difference = judge(case(expectation="preserves"), returned(RIGHT), returned(None))
    assert difference is not None
    assert difference.failure == "type"


def test_a_probe_of_state_is_compared_and_its_difference_is_one_of_state():
    probe = case(expectation="preserves", probe=("probe", ""))
    assert judge(probe, returned([True, 0.5]), returned([True, 0.5])) is None
    difference = judge(probe, returned([True, 0.5]), returned([False, 0.5]))
    assert difference is not None
    assert difference.failure == "state"


@pytest.mark.parametrize(
    "error",
    [TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError, ZeroDivisionError, AssertionError],
)
def test_a_check_that_stumbles_over_an_observation_finds_it_of_the_wrong_type(error):
    """Float(10**400) raises OverflowError, and a student may return 10**400."""

    def check(seen):
        raise error

    difference = judge(case(expectation="holds", check=check), returned(1), returned(10**400))
    assert difference is not None
    assert difference.failure == "type"


def test_a_check_says_what_is_wrong():
    def check(seen):
        return None if seen == 1 else "It is not one."

    assert judge(case(expectation="holds", check=check), returned(1), returned(1)) is None
    difference = judge(case(expectation="holds", check=check), returned(1), returned(2))
    assert difference is not None
    assert (difference.failure, difference.message) == ("value", "It is not one.")


# --- what a student may read ------------------------------------------------------------------------------------------

SECRET = "0.123456789"


@pytest.mark.parametrize(
    "actual",
    [
        raised(SECRET),
        raised("ValueError"),
        Observation("raised", classes=(SECRET,), text=SECRET),
        Observation("absent", classes=(SECRET, "Exception"), text=SECRET),
        Observation("absent", classes=("SyntaxError",), text=SECRET),
        Observation("crash", text=SECRET, output=SECRET),
        Observation("timeout", output=SECRET),
        Observation("memory", text=SECRET, output=SECRET),
        returned(SECRET),
        returned(Opaque(SECRET)),
        returned({SECRET: SECRET}),
        returned(np.array([float(SECRET)])),
        returned(float(SECRET)),
        returned([float(SECRET)] * 2),
    ],
)
@pytest.mark.parametrize("expectation", ["agrees", "rejects", "preserves"])
@pytest.mark.parametrize("expected", [np.array([0.5]), 0.5, 3, (3, 4), {"a": 1}, "word", None], ids=repr)
def test_nothing_that_students_code_made_is_repeated_to_them(expected, expectation, actual):
    """Neither names of classes nor texts nor values: any of them could carry a hidden input out."""
    difference = judge(case(expectation=expectation, probe=("probe", "")), returned(expected), actual)
    assert difference is None or SECRET not in difference.message


def test_an_exception_is_told_by_its_built_in_class_and_the_students_own_line():
    difference = judge(case(), returned(1), raised("KeyError", line=3, where="homework.ipynb, cell 2"))
    assert difference is not None
    assert difference.message == "The call raised KeyError in line 3 of homework.ipynb, cell 2."


def test_a_stub_is_told_to_be_one():
    difference = judge(case(), returned(1), raised("NotImplementedError", "RuntimeError"))
    assert difference is not None
    assert "waits to be written" in difference.message


def test_the_students_own_shape_is_told_and_the_right_one_is_not():
    difference = judge(case(), returned(np.zeros((5, 7))), returned(np.zeros((5, 8))))
    assert difference is not None
    assert "(5, 8)" in difference.message
    assert "(5, 7)" not in difference.message
    assert "(5, 7)" in difference.details


def test_a_value_is_brief_for_the_instructor():
    assert len(brief(list(range(10**5)))) < 700
    assert len(brief(np.zeros(10**6))) < 700
    assert len(brief("x" * 10**6)) < 700
    assert brief(Tensor(np.zeros(2))).startswith("tensor shape (2,)")


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), st.lists, max_leaves=9)
)
def test_any_plain_data_can_be_judged(value):
    """The comparison itself never raises, whatever came back."""
    for expected in (RIGHT, 1, 0.5, True, None, "word", (1, 2), {"a": 1}):
        judge(case(), returned(expected), returned(value))
    as_array(value)
    brief(value)


def test_advice_is_a_word_and_never_a_failure():
    slow = case(expectation="advises", check=lambda seen: "It is slow." if seen > 1 else None)
    for seen in (returned(1), returned(2), Observation("raised", classes=("ValueError",)), Observation("timeout")):
        assert judge(slow, returned(1), seen) is None
    assert [advice(slow, seen) for seen in (returned(1), returned(2), returned("fast"))] == ["", "It is slow.", ""]
    assert advice(slow, Observation("crash")) == ""
    assert advice(case(), returned(2)) == ""
