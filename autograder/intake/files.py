"""Opening what a student handed in: regular files only, never through a link, never more than agreed."""

from __future__ import annotations

import errno
import functools
import os
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from autograder.intake.names import Kind, kind_of

MB = 1 << 20
SOURCE_LIMIT = 1 * MB  # of one module, and of the code of one notebook
NOTEBOOK_LIMIT = 64 * MB  # of a notebook's file, whose outputs are not kept
ARCHIVE_LIMIT = 512 * MB  # of an archive's file, and of what is inflated to walk through a .tar.gz
FILES_LIMIT = 200  # .py and .ipynb files in one submission
DEPTH_LIMIT = 10  # folders within folders

DAMAGED = "it is damaged or not what its name says; pack it anew, as .zip, and upload it again"
LINK = "it is a link, which is not followed; hand in the file itself"
SPECIAL = "it is a link or another special file; hand in the file itself"
TOO_MANY = "it holds more files than are looked at; hand in the code alone"

# O_NOFOLLOW: the last part of the path is no link. O_NONBLOCK: opening a FIFO does not wait for a writer.
_FLAGS = functools.reduce(
    int.__or__,
    (getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")),
    os.O_RDONLY,
)


class RefusedError(Exception):
    """Why something is not read, as a clause that follows its name: "it is a link"."""


class ExhaustedError(Exception):
    """Why the rest of a submission is not read, as a sentence."""


class Readable(Protocol):
    """A stream of bytes, as a file, a zip's member and a tar's member are."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a submission that may hold code: its bytes, or why there are none.

    Attributes:
        parts: folders, archives and name, from the submission's root; none: the submission as a whole.
        modified: local date and time, from the year down; only to be compared.
        refusal: why it was not read, as a clause.
    """

    parts: tuple[str, ...]
    modified: tuple[int, ...] = ()
    data: bytes = b""
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive, as the archive tells it.

    Attributes:
        name: with its folders; a folder's ends in a slash.
        modified: as in `Found`.
        size: that it claims.
        open: gives its bytes.
        fault: why it is not read, as a clause.
    """

    name: str
    modified: tuple[int, ...]
    size: int
    open: Callable[[], Readable]
    fault: str | None = None


@dataclass(slots=True)
class Budget:
    """What one submission may still cost the grader, all its folders and archives together.

    Attributes:
        entries: names to look at.
        files: .py and .ipynb files to read.
        bytes: of either kind of file.
        ignored: a few names of files of other kinds, for the case that nothing else is found.
    """

    entries: int = 100_000
    files: int = FILES_LIMIT
    bytes: dict[Kind, int] = field(default_factory=lambda: {"source": 20 * MB, "notebook": 256 * MB})
    ignored: list[str] = field(default_factory=list[str])

    def look(self) -> None:
        """Spend one entry."""
        if self.entries == 0:
            raise ExhaustedError("Not all files were looked at, as there are so many; hand in the code alone.")
        self.entries -= 1

    def ignore(self, name: str) -> None:
        """Remember a file that is of no kind that is read."""
        if len(self.ignored) < 3:
            self.ignored.append(name)

    def read(self, name: str, stream: Readable, claimed: int) -> bytes:
        """All of a stream that holds the file of that name; the size that it claims can only refuse it."""
        if self.files == 0:
            raise ExhaustedError(f"There are more than {FILES_LIMIT} .py and .ipynb files; the others were not read.")
        self.files -= 1
        kind: Kind = "notebook" if kind_of(name) == "notebook" else "source"
        limit = NOTEBOOK_LIMIT if kind == "notebook" else SOURCE_LIMIT
        left = self.bytes[kind]
        data = bytearray()
        if claimed <= limit:
            room = min(limit, left) + 1  # one more tells that there is more
            while len(data) < room and (chunk := stream.read(min(MB, room - len(data)))):
                data += chunk
            self.bytes[kind] -= min(left, len(data))
        if max(claimed, len(data)) > limit:
            raise RefusedError(f"it is larger than {limit // MB} MB")
        if len(data) > left:
            raise ExhaustedError("Not all files were read, as they are so large in all; hand in the code alone.")
        return bytes(data)


@contextmanager
def opened(path: Path) -> Generator[tuple[IO[bytes], os.stat_result]]:
    """A regular file and what the system knows of it; anything else is a `RefusedError`."""
    try:
        _require_regular(os.lstat(path))  # before it is opened: opening a device may already do something
        descriptor = os.open(path, _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _require_regular(status)
            yield file, status
    except OSError as error:
        raise RefusedError(reason(error)) from error


def date_of(status: os.stat_result) -> tuple[int, ...]:
    """When a file was last changed."""
    try:
        return tuple(time.localtime(status.st_mtime)[:6])
    except (OverflowError, ValueError, OSError):
        return ()


def reason(error: OSError) -> str:
    """Why the system did not let us, as a clause."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return "the grader has no permission to read it"
    if error.errno == errno.ELOOP:
        return LINK
    return f"it cannot be opened ({error.strerror or type(error).__name__})"


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise RefusedError(LINK)
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError("it is not a regular file")
