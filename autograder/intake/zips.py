"""The members of a .zip.

Python's zipfile reads its directory, through a file that hands out no more than an honest directory needs. It
is asked for a member's bytes in portions, which the reader counts: members may overlap or be bombs.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from typing import IO

from autograder.intake.files import DAMAGED, MB, SPECIAL, TOO_MANY, Member, RefusedError

_DIRECTORY_LIMIT = 16 * MB  # some hundred thousand names


class _Frugal:
    """A file that hands out no more at once than an honest zip's directory needs."""

    def __init__(self, file: IO[bytes]) -> None:
        self.seek, self.tell, self.seekable, self._read = file.seek, file.tell, file.seekable, file.read

    def read(self, size: int = -1) -> bytes:
        data = self._read(_DIRECTORY_LIMIT + 1 if size < 0 or size > _DIRECTORY_LIMIT else size)
        if len(data) > _DIRECTORY_LIMIT:
            raise RefusedError(TOO_MANY)
        return data


class _Content:
    """The inflated bytes of a member; whatever zipfile finds wrong with them is a `RefusedError`."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._open = lambda: archive.open(info)
        self._stream: IO[bytes] | None = None

    def read(self, size: int, /) -> bytes:
        try:
            self._stream = self._stream or self._open()
            return self._stream.read(size)
        except Exception as error:  # zipfile and zlib know a dozen kinds of them for broken data
            raise RefusedError("it is damaged in the archive") from error


def zip_members(file: IO[bytes]) -> Iterator[Member]:
    """The members of a .zip, those nearest to its top first, should there be too many."""
    try:
        archive = zipfile.ZipFile(_Frugal(file))  # pyright: ignore[reportArgumentType]
        entries = archive.infolist()
    except RefusedError:
        raise
    except Exception as error:  # as above
        raise RefusedError(DAMAGED) from error
    for info in sorted(entries, key=lambda info: info.filename.count("/")):
        yield Member(
            name=_name(info),
            modified=info.date_time,
            size=info.file_size,
            open=lambda info=info: _Content(archive, info),
            fault=_fault(info),
        )


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name: many packers write UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _fault(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return SPECIAL
    if info.flag_bits & 0x1:
        return "it is encrypted; pack it without a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed by an unusual method; pack it as an ordinary .zip"
    return None
