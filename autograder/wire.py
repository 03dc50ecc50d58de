"""Plain data to bytes and back: all that a worker ever says to the process that trusts nobody.

A value is None, a bool, an int, a float, a complex, a str, a list, a tuple, a dict with string keys, a NumPy array of a
whitelisted dtype, a `Tensor` (an array that was a torch tensor on the other side) or an `Opaque` (something that has no
plain form). Nothing is ever executed, looked up by name or allocated before its size has been checked against the
bytes that are really there.

A frame is eight bytes of length, little-endian, and that many bytes of payload.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

MAX_BYTES: Final = 16 * 2**20
MAX_DEPTH: Final = 24
MAX_NODES: Final = 200_000
MAX_DIMENSIONS: Final = 8
MAX_INTEGER: Final = 1024  # bytes; printing a longer one takes quadratic time
HEADER: Final = struct.Struct("<Q")

_CODES: Final = "?bBhHiIlLefdFD"  # one character per dtype on the wire; l and L are 64 bits wide here
_DTYPES: Final = {
    code: np.dtype({"l": "<i8", "L": "<u8", "i": "<i4", "I": "<u4"}.get(code, code)).newbyteorder("<")
    for code in _CODES
}
_CODE_OF: Final = {dtype: code for code, dtype in _DTYPES.items()}
_SIZE: Final = struct.Struct("<I")
_DIMENSIONS: Final = [struct.Struct(f"<{count}Q") for count in range(MAX_DIMENSIONS + 1)]
_FLOAT: Final = struct.Struct("<d")
_COMPLEX: Final = struct.Struct("<dd")


class WireError(ValueError):
    """The bytes are not a value, or the value cannot become bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """An array that is a torch tensor in the worker."""

    array: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something without a plain form: only the name of its type travels."""

    kind: str


def encode(value: object, convert: Callable[[object], object] | None = None) -> bytes:
    """The bytes of a value.

    Args:
        value: what to send.
        convert: called with whatever is not plain; it returns something that is (an `Opaque`, for instance).

    Raises:
        WireError: the value is not plain, nested too deeply, cyclic or too large.
    """
    out = bytearray()
    _Encoder(out, convert).add(value, 0)
    if len(out) > MAX_BYTES:
        raise WireError("too large")
    return bytes(out)


def decode(data: bytes | bytearray | memoryview) -> Any:
    """The value of some bytes; arrays are private copies.

    Raises:
        WireError: the bytes are not exactly one value within the limits.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"{len(data)} bytes are more than the {MAX_BYTES} allowed")
    reader = _Decoder(bytes(data))
    value = reader.value(0)
    if reader.position != len(data):
        raise WireError("bytes left over after the value")
    return value


def frame(payload: bytes) -> bytes:
    """A payload with its length in front."""
    return HEADER.pack(len(payload)) + payload


class _Encoder:
    def __init__(self, out: bytearray, convert: Callable[[object], object] | None) -> None:
        self.out = out
        self.convert = convert
        self.nodes = 0

    def add(self, value: Any, depth: int) -> None:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise WireError("nested too deeply")
        if self.nodes > MAX_NODES or len(self.out) > MAX_BYTES:
            raise WireError("too large")
        kind = type(value)
        if value is None:
            self.out += b"N"
        elif kind is bool:
            self.out += b"1" if value else b"0"
        elif kind is int:
            self._integer(value, depth)
        elif kind is float:
            self.out += b"F" + _FLOAT.pack(value)
        elif kind is complex:
            self.out += b"C" + _COMPLEX.pack(value.real, value.imag)
        elif kind is str:
            self._sized(b"S", value.encode("utf-8", "replace"))
        elif kind is list or kind is tuple:
            self.out += (b"L" if kind is list else b"U") + _SIZE.pack(len(value))
            for item in value:
                self.add(item, depth + 1)
        elif kind is dict:
            self._dict(value, depth)
        elif kind is np.ndarray and value.dtype.newbyteorder("<") in _CODE_OF:
            self._array(b"A", value)
        elif kind is Tensor:
            self._array(b"T", value.array)
        elif kind is Opaque:
            self._sized(b"O", value.kind[:200].encode("utf-8", "replace"))
        elif self.convert is not None:
            # One step towards plainness per level, so that an endless conversion runs into the depth limit.
            self.add(self.convert(value), depth + 1)
        else:
            raise WireError(f"{kind.__name__} is not plain data")

    def _integer(self, value: int, depth: int) -> None:
        length = value.bit_length() // 8 + 1
        if length > MAX_INTEGER:
            self.add(Opaque("int of more than a thousand bytes"), depth)
        else:
            self._sized(b"I", value.to_bytes(length, "little", signed=True))

    def _sized(self, tag: bytes, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            raise WireError("too large")
        self.out += tag + _SIZE.pack(len(data)) + data

    def _dict(self, value: dict[Any, Any], depth: int) -> None:
        if not all(type(key) is str for key in value):
            self.add(Opaque("dict with keys that are not strings"), depth)
            return
        self.out += b"D" + _SIZE.pack(len(value))
        for key, item in value.items():
            self._sized(b"", key.encode("utf-8", "replace"))
            self.add(item, depth + 1)

    def _array(self, tag: bytes, array: np.ndarray[Any, Any]) -> None:
        if array.ndim > MAX_DIMENSIONS or _extent(array.shape, array.dtype) > MAX_BYTES:
            raise WireError("too large")
        little = array.dtype.newbyteorder("<")
        self.out += tag + _CODE_OF[little].encode() + bytes([array.ndim])
        self.out += _DIMENSIONS[array.ndim].pack(*array.shape)
        self.out += array.astype(little, copy=False).tobytes()


class _Decoder:
    """Reads one value after another; written for speed, as every answer passes here."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.nodes = 0

    def take(self, count: int) -> bytes:
        start = self.position
        self.position = end = start + count
        if end > len(self.data):
            raise WireError("the bytes end too early")
        return self.data[start:end]

    def numbers(self, form: struct.Struct) -> tuple[Any, ...]:
        start = self.position
        self.position = start + form.size
        try:
            return form.unpack_from(self.data, start)
        except struct.error as error:
            raise WireError("the bytes end too early") from error

    def integer(self, _: int) -> int:
        (size,) = self.numbers(_SIZE)
        if size > MAX_INTEGER:
            raise WireError("an integer that is too long")
        return int.from_bytes(self.take(size), "little", signed=True)

    def text(self, _: int) -> str:
        (size,) = self.numbers(_SIZE)
        try:
            return str(self.take(size), "utf-8")
        except UnicodeDecodeError as error:
            raise WireError("text that is not UTF-8") from error

    def value(self, depth: int) -> Any:
        self.nodes += 1
        if depth > 2 * MAX_DEPTH or self.nodes > MAX_NODES:
            raise WireError("nested too deeply, or too many values")
        tag = self.take(1)
        read = _READERS.get(tag)
        if read is None:
            raise WireError(f"unknown tag {tag!r}")
        return read(self, depth + 1)

    def items(self, depth: int) -> list[Any]:
        (size,) = self.numbers(_SIZE)
        return [self.value(depth) for _ in range(size)]

    def mapping(self, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        (size,) = self.numbers(_SIZE)
        for _ in range(size):
            key = self.text(depth)
            if key in result:
                raise WireError("a key stands twice")
            result[key] = self.value(depth)
        return result

    def array(self, _: int) -> np.ndarray[Any, Any]:
        code, dimensions = self.take(2)
        dtype = _DTYPES.get(chr(code))
        if dtype is None:
            raise WireError("a dtype that is not on the list")
        if dimensions > MAX_DIMENSIONS:
            raise WireError("too many dimensions")
        shape = self.numbers(_DIMENSIONS[dimensions])
        if _extent(shape, dtype) > MAX_BYTES:
            raise WireError("a shape that is too large")
        data = self.take(math.prod(shape) * dtype.itemsize)
        if dtype.kind == "b" and data.strip(b"\0\1"):
            raise WireError("a truth value that is neither")
        return np.frombuffer(data, dtype).reshape(shape).copy()


def _extent(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    """Bytes of an array in which no length were zero, so that (0, 2**60) is refused although it holds nothing."""
    return math.prod(max(length, 1) for length in shape) * dtype.itemsize  # Python integers: no overflow


_READERS: Final[dict[bytes, Callable[[_Decoder, int], Any]]] = {
    b"N": lambda reader, depth: None,
    b"0": lambda reader, depth: False,
    b"1": lambda reader, depth: True,
    b"I": _Decoder.integer,
    b"F": lambda reader, depth: reader.numbers(_FLOAT)[0],
    b"C": lambda reader, depth: complex(*reader.numbers(_COMPLEX)),
    b"S": _Decoder.text,
    b"O": lambda reader, depth: Opaque(reader.text(depth)),
    b"L": _Decoder.items,
    b"U": lambda reader, depth: tuple(reader.items(depth)),
    b"D": _Decoder.mapping,
    b"A": _Decoder.array,
    b"T": lambda reader, depth: Tensor(reader.array(depth)),
}
