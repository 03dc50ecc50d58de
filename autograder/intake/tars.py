"""The members of a .tar or .tar.gz, read header by header.

Not by Python's tarfile: it takes extended headers of any size into memory, and versions of it that are in use
can be sent into a loop.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from typing import IO, Protocol

from autograder.intake.files import ARCHIVE_LIMIT, DAMAGED, MB, SPECIAL, TOO_MANY, Member, RefusedError

_BLOCK = 512  # what a .tar is made of
_SIZE_LIMIT = 1 << 50  # of what a header may say that follows it
_EXTENSION_LIMIT = 64 * 1024  # of a header that extends the next one
_HEADERS_LIMIT = 250_000  # of all headers
# In a header that extends the next one: length, key and value.
_PATH_RECORD = re.compile(rb"(?:^|\n)\d+ path=([^\n]*)\n")


class _Stream(Protocol):
    """What a .tar is read from, front to back."""

    def read(self, size: int, /) -> bytes: ...
    def skip(self, size: int, /) -> None: ...


class _Plain:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read = file.read

    def skip(self, size: int, /) -> None:
        self._file.seek(size, 1)


class _Inflated:
    """A gzip stream that does not inflate without end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._inflate, self._room = file, zlib.decompressobj(wbits=31), ARCHIVE_LIMIT

    def read(self, size: int, /) -> bytes:
        data = bytearray()
        while len(data) < size and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(1 << 16)
            if not packed:
                raise RefusedError(DAMAGED)
            try:
                data += self._inflate.decompress(packed, size - len(data))
            except zlib.error as error:
                raise RefusedError(DAMAGED) from error
        self._room -= len(data)
        if self._room < 0:
            raise RefusedError(f"it unpacks to more than {ARCHIVE_LIMIT // MB} MB; the rest was not read")
        return bytes(data)

    def skip(self, size: int, /) -> None:
        while size > 0 and (data := self.read(min(size, MB))):
            size -= len(data)


class _Content:
    """The bytes of one member, and no others."""

    def __init__(self, stream: _Stream, size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self.left))
        if not data and self.left and size:
            raise RefusedError("the archive is cut short in its middle")
        self.left -= len(data)
        return data


def tar_members(file: IO[bytes]) -> Iterator[Member]:
    """The members of a .tar, packed by gzip or not; each must be read before the next is asked for."""
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    stream = _Inflated(file) if packed else _Plain(file)
    long_name: str | None = None
    for count in range(_HEADERS_LIMIT):
        header = stream.read(_BLOCK)
        if not header.strip(b"\0"):
            if count == 0:
                raise RefusedError(DAMAGED)
            stream.skip(ARCHIVE_LIMIT)  # to the checksum behind the end of a .gz
            return
        size = _size(header)
        body = _Content(stream, size)
        kind = header[156:157]
        if kind in b"xXL":
            if size > _EXTENSION_LIMIT:
                raise RefusedError(DAMAGED)
            long_name = _long_name(kind, body.read(size)) or long_name
        elif kind not in b"gK":  # what holds for all members, and the target of a link
            fault = None if kind in b"07\0" else SPECIAL
            name = _name(header) if long_name is None else long_name
            if kind == b"5":
                name = name.rstrip("/") + "/"
            long_name = None
            yield Member(name, _date(header), size, lambda body=body: body, fault)
        stream.skip(body.left + -size % _BLOCK)
    raise RefusedError(TOO_MANY)


def _size(header: bytes) -> int:
    """What a header says that follows it, if the header's checksum is right."""
    total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if len(header) < _BLOCK or _number(header[148:156]) != total:
        raise RefusedError(DAMAGED)
    size = 0 if header[156:157] in b"123456" else _number(header[124:136])
    if size > _SIZE_LIMIT:
        raise RefusedError(DAMAGED)
    return size


def _number(field: bytes) -> int:
    if field[:1] == b"\x80":  # too large for octal digits
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ")
    if digits.strip(b"01234567"):
        raise RefusedError(DAMAGED)
    return int(digits or b"0", 8)


def _date(header: bytes) -> tuple[int, ...]:
    try:
        return tuple(time.localtime(_number(header[136:148]))[:6])
    except (RefusedError, OverflowError, ValueError, OSError):
        return ()


def _name(header: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0] for field in (header[:100], header[345:500]))
    path = prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name
    return path.decode(errors="replace")


def _long_name(kind: bytes, body: bytes) -> str | None:
    """The name that an extended header gives to the member behind it, if it gives one."""
    if kind == b"L":
        return body.partition(b"\0")[0].decode(errors="replace")
    record = _PATH_RECORD.search(body)
    return record[1].decode(errors="replace") if record else None
