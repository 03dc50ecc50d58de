"""The wire: plain data survives it, and no bytes do harm."""

from __future__ import annotations

import contextlib
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.wire import Opaque, Tensor, WireError, decode, encode
from autograder.worker.parcels import Unpacker, pack

# Twenty thousand cases where the profile is CI's, a glance on a laptop.
FUZZ = settings(max_examples=20_000 if settings().max_examples >= 200 else 500)

DTYPES = [np.dtype(code) for code in "?bBhHiIlLefdFD"]
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2 ** (8 * wire.MAX_INTEGER - 9)), 2 ** (8 * wire.MAX_INTEGER - 9))
    | st.floats()
    | st.complex_numbers()
    | TEXTS
    | ARRAYS
    | ARRAYS.map(Tensor)
    | TEXTS.map(Opaque)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=8,
)


def identical(left, right):
    """Whether two pieces of plain data are the same in kind, dtype, shape and bits."""
    if type(left) is not type(right):
        return False
    match left:
        case np.ndarray():
            same = left.dtype.newbyteorder("<") == right.dtype and left.shape == right.shape
            return same and left.astype(right.dtype).tobytes() == right.tobytes()
        case Tensor():
            return identical(left.array, right.array)
        case list() | tuple():
            return len(left) == len(right) and all(map(identical, left, right))
        case dict():
            return list(left) == list(right) and all(identical(left[key], right[key]) for key in left)
        case float() | complex():
            return repr(left) == repr(right)
        case _:
            return left == right


def array_frame(code, shape, data=b""):
    """The bytes of an array that claims a shape."""
    return b"A" + code + bytes([len(shape)]) + struct.pack(f"<{len(shape)}Q", *shape) + data


# --- what is sent comes back ------------------------------------------------------------------------------------------


@given(VALUES)
@example(-0.0)
@example(-1)
@example(2**63)
@example({"": (), "a": [[]]})
@example({"\0tuple": [1]})
@example([np.ones(2), Tensor(np.zeros((0, 3))), (1j, np.array(True))])
def test_every_kind_of_plain_data_comes_back_as_it_was(value):
    """Kinds, dtypes, shapes, signs of zero and the order of keys."""
    assert identical(value, decode(encode(value)))
    assert identical(value, Unpacker()(pack(value)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back_in_any_byte_order_and_layout(dtype):
    """Big-endian, transposed, strided, reversed and read-only arrays are arrays like others."""
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    frozen = array.copy()
    frozen.flags.writeable = False
    for sent in (array.astype(dtype.newbyteorder(">")), array.T, array[:, ::2], array[::-1], frozen):
        assert identical(sent, decode(encode(sent)))


def test_a_decoded_array_is_a_writable_copy():
    """Whoever holds the bytes cannot change what was decoded, and the other way round."""
    data = bytearray(encode(np.zeros(3)))
    array = decode(data)
    array[0] = 1.0
    data[-1] = 0xFF
    assert array.tolist() == [1.0, 0.0, 0.0]
    assert array.flags.owndata


def test_nan_comes_back_as_nan():
    assert math.isnan(decode(encode(math.nan)))


def test_lone_surrogates_become_question_marks():
    """A text that is not UTF-8 on the wire would be refused at the other end."""
    assert decode(encode(["\ud800", {"\udfff": 1}])) == ["?", {"?": 1}]


def test_a_frame_has_its_length_in_front():
    assert wire.frame(b"abc") == struct.pack("<Q", 3) + b"abc"


# --- what cannot be sent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        b"bytes",
        range(3),
        np.float64(1.0),
        np.array([None]),
        np.array(["text"]),
        np.array([1], dtype=np.longdouble),
        np.zeros(2, dtype=[("field", "f8")]),
        np.ma.masked_array([1.0], [True]),
    ],
    ids=[
        "object",
        "set",
        "bytes",
        "range",
        "NumPy scalar",
        "array of objects",
        "array of texts",
        "long double",
        "structured array",
        "masked array",
    ],
)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(WireError, match="not plain data"):
        encode([value])


def test_what_is_not_plain_is_converted_first():
    def convert(value):
        return list(value)

    assert decode(encode([range(3)], convert)) == [[0, 1, 2]]


def test_a_conversion_that_never_ends_is_refused():
    with pytest.raises(WireError, match="nested too deeply"):
        encode(object(), lambda value: value)


def test_a_cycle_is_refused():
    cycle = []
    cycle.append(cycle)
    with pytest.raises(WireError, match="nested too deeply"):
        encode(cycle)


@pytest.mark.parametrize(
    "value",
    [
        "x" * (wire.MAX_BYTES + 1),
        ["x" * (wire.MAX_BYTES // 2)] * 3,
        np.zeros(wire.MAX_BYTES // 8 + 1),
        np.broadcast_to(np.float64(0), (2**40,)),
        np.empty((0, 2**40)),
        np.zeros((1,) * (wire.MAX_DIMENSIONS + 1)),
    ],
    ids=["a text", "texts", "an array", "one number repeated", "nothing, very wide", "dimensions"],
)
def test_what_is_too_large_is_refused_before_it_is_made(value):
    """A giant view of one number would cost its full size."""
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="too large"):
            encode(value)
        assert tracemalloc.get_traced_memory()[1] < 4 * wire.MAX_BYTES
    finally:
        tracemalloc.stop()


def test_too_many_entries_are_refused():
    with pytest.raises(WireError, match="too large"):
        encode([0] * wire.MAX_NODES)


def test_what_may_be_sent_is_never_refused_for_its_size_on_arrival():
    """The two ends agree on the limit: a value just below it passes, one just above is not sent."""
    envelope = len(encode(np.zeros(0, dtype=np.uint8)))
    largest = np.zeros(wire.MAX_BYTES - envelope, dtype=np.uint8)
    assert decode(encode(largest)).nbytes == largest.nbytes
    with pytest.raises(WireError, match="too large"):
        encode([largest])


def test_an_integer_without_end_travels_as_a_word():
    """Printing it would take the trusted process for ever."""
    assert isinstance(decode(encode(1 << 100_000)), Opaque)


def test_a_dict_with_other_keys_travels_as_a_word():
    assert isinstance(decode(encode({1: 2})), Opaque)


# --- what may arrive --------------------------------------------------------------------------------------------------


GENUINE = [
    encode(value)
    for value in (
        [None, True, False, -1, 2**70, 0.5, 1j, "text", (), {"key": [1, (2, {"inner": "word"})]}],
        {"returned": np.arange(6.0).reshape(2, 3), "changed": False},
        [np.array(dtype.type(1)) for dtype in DTYPES],
        [Tensor(np.zeros((2, 0, 3), dtype=np.float32)), Opaque("generator")],
        [[[[[[[[[[[[1]]]]]]]]]]]],
    )
]
RECIPES = st.sampled_from(GENUINE), st.binary(min_size=3, max_size=12)


def forged(genuine, recipe):
    """A genuine frame of which some bytes were changed, cut out or put in: it gets further than bytes at random."""
    frame = bytearray(genuine)
    for at, gone, new in zip(*[iter(recipe)] * 3, strict=False):
        at = at * len(frame) // 256
        frame[at : at + gone % 3] = bytes([new]) * (gone // 3 % 3)
    return bytes(frame)


@FUZZ
@given(*RECIPES)
def test_no_forged_frame_raises_anything_but_a_wire_error(genuine, recipe):
    with contextlib.suppress(WireError):
        decode(forged(genuine, recipe))


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_wire_error(data):
    with contextlib.suppress(WireError):
        decode(data)


@given(*RECIPES)
def test_no_forged_frame_takes_more_memory_than_it_is_worth(genuine, recipe):
    """What a frame announces and does not hold is never made room for."""
    data = forged(genuine, recipe)
    tracemalloc.start()
    try:
        with contextlib.suppress(WireError):
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 50_000 + 500 * len(data)
    finally:
        tracemalloc.stop()


@given(VALUES, st.data())
def test_a_frame_that_is_cut_short_is_refused(value, data):
    whole = encode(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(WireError):
        decode(whole[:cut])


@given(VALUES, st.binary(min_size=1, max_size=5))
def test_bytes_after_the_value_are_refused(value, more):
    with pytest.raises(WireError):
        decode(encode(value) + more)


@pytest.mark.parametrize(
    "shape",
    [
        (0, 2**60),
        (2**60, 0),
        (2**64 - 1,),
        (2**32, 2**32),
        (0, 2**31, 2**31),
        (2**31, 2**31, 2**31, 0),
        (0, *[2**31] * 7),
        (2**40,),
        (3,),
        (2,) * 8,
    ],
    ids=str,
)
@pytest.mark.parametrize("code", [b"d", b"?", b"D"], ids=["float64", "bool", "complex128"])
def test_a_shape_that_is_not_borne_out_by_the_bytes_is_refused(shape, code):
    """Products of lengths overflow 64 bits, and a length of zero hides all others."""
    with pytest.raises(WireError):
        decode(array_frame(code, shape))


def test_an_empty_array_keeps_its_shape():
    assert decode(array_frame(b"d", (0, 5, 3))).shape == (0, 5, 3)


@pytest.mark.parametrize("code", [b"O", b"V", b"S", b"U", b"M", b"g", b"\xff"], ids=repr)
def test_a_dtype_that_is_not_on_the_list_is_refused(code):
    """Objects above all: their bytes would be taken for addresses."""
    with pytest.raises(WireError, match="dtype"):
        decode(array_frame(code, (1,), bytes(16)))


def test_a_truth_value_that_is_neither_is_refused():
    """NumPy computes nonsense with a bool of 2."""
    with pytest.raises(WireError, match="truth value"):
        decode(array_frame(b"?", (2,), b"\1\2"))


def test_more_than_eight_dimensions_are_refused():
    with pytest.raises(WireError, match="dimensions"):
        decode(array_frame(b"d", (1,) * 9, bytes(8)))


@pytest.mark.parametrize("tag", [b"L", b"U", b"D"], ids=["list", "tuple", "dict"])
def test_a_size_that_is_not_borne_out_by_the_bytes_costs_nothing(tag):
    """Four thousand million entries are announced, and none is there."""
    with pytest.raises(WireError):
        decode(tag + b"\xff\xff\xff\xff")


@pytest.mark.parametrize("depth", [60, 1_000, 1_000_000])
def test_lists_in_lists_without_end_are_refused(depth):
    with pytest.raises(WireError, match="nested too deeply"):
        decode(b"L\1\0\0\0" * depth + b"N")


def test_a_flood_of_values_is_refused():
    count = wire.MAX_NODES + 1
    with pytest.raises(WireError, match="too many values"):
        decode(b"L" + struct.pack("<I", count) + b"N" * count)


def test_a_key_that_stands_twice_is_refused():
    entry = b"\1\0\0\0aN"
    assert decode(b"D\1\0\0\0" + entry) == {"a": None}
    with pytest.raises(WireError, match="twice"):
        decode(b"D\2\0\0\0" + 2 * entry)


@pytest.mark.parametrize("text", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"], ids=["no text", "a surrogate", "overlong"])
def test_text_that_is_not_utf_8_is_refused(text):
    with pytest.raises(WireError, match="UTF-8"):
        decode(b"S" + struct.pack("<I", len(text)) + text)


def test_an_integer_that_is_too_long_is_refused():
    with pytest.raises(WireError, match="too long"):
        decode(b"I" + struct.pack("<I", wire.MAX_INTEGER + 1) + bytes(wire.MAX_INTEGER + 1))


def test_a_payload_above_the_limit_is_not_looked_at():
    with pytest.raises(WireError, match="more than"):
        decode(bytes(wire.MAX_BYTES + 1))
