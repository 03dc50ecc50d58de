"""Plain data on its way to a worker, which may believe the sender: JSON, with arrays' bytes behind it.

It says what `wire` says, and is read several times as fast. What comes back is written and read by `wire` alone.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from autograder import wire

_TUPLE: Final = "\0tuple"
_ARRAY: Final = "\0array"
_OTHER: Final = "\0other"


def pack(value: object) -> bytes:
    """The bytes of a value.

    Raises:
        wire.WireError: it is not plain.
    """
    behind: list[bytes] = []
    text = json.dumps(_tagged(value, behind)).encode()
    return b"".join([wire.HEADER.pack(len(text)), text, *behind])


def _tagged(value: Any, behind: list[bytes]) -> Any:
    """A value as JSON has it; what JSON has not is tagged, and its bytes are put behind the text."""
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list or kind is tuple:
        items = [_tagged(item, behind) for item in value]
        return items if kind is list else {_TUPLE: items}
    if kind is dict and all(type(key) is str and key[:1] != "\0" for key in value):
        return {key: _tagged(item, behind) for key, item in value.items()}
    if kind is np.ndarray and value.dtype.kind in "biufc":
        behind.append(value.tobytes())
        return {_ARRAY: [value.dtype.str, *value.shape]}
    behind.append(wire.encode(value))
    return {_OTHER: len(behind[-1])}


class Unpacker:
    """Reads what `pack` made, value after value."""

    def __init__(self) -> None:
        self._reader = json.JSONDecoder(object_hook=self._untagged)
        self._data = b""
        self._position = 0

    def __call__(self, data: bytes) -> Any:
        """The value of some bytes; arrays are private copies."""
        head = wire.HEADER.size
        self._data, self._position = data, head + wire.HEADER.unpack_from(data)[0]
        return self._reader.decode(data[head : self._position].decode())

    def _untagged(self, made: dict[str, Any]) -> Any:
        if _TUPLE in made:
            return tuple(made[_TUPLE])
        if _ARRAY in made:
            code, *shape = made[_ARRAY]
            dtype = np.dtype(code)
            return np.frombuffer(self._take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape).copy()
        return wire.decode(self._take(made[_OTHER])) if _OTHER in made else made

    def _take(self, count: int) -> bytes:
        start, self._position = self._position, self._position + count
        return self._data[start : self._position]
