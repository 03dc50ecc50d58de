"""Archives, read in memory: no member is ever written to disk, none is believed about its size."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from autograder.intake.files import (
    ARCHIVE_LIMIT,
    DEPTH_LIMIT,
    MB,
    Budget,
    ExhaustedError,
    Found,
    Member,
    RefusedError,
    opened,
)
from autograder.intake.names import is_skipped, kind_of
from autograder.intake.tars import tar_members
from autograder.intake.zips import zip_members

_NAME_LIMIT = 1_000  # characters


def members(path: Path, parts: tuple[str, ...], budget: Budget) -> Iterator[Found]:
    """The .py and .ipynb files of an archive.

    Args:
        path: of the archive.
        parts: where its content stands in the submission.
        budget: of the submission.
    """
    seen: set[str] = set()
    try:
        with opened(path) as (file, status):
            if status.st_size > ARCHIVE_LIMIT:
                raise RefusedError(f"it is larger than {ARCHIVE_LIMIT // MB} MB")
            for member in _listing(path)(file):
                budget.look()
                found = _read(member, parts, seen, budget)
                if found is not None:
                    yield found
    except RefusedError as refusal:
        yield Found(parts or (path.name,), refusal=str(refusal))


def names_in(path: Path) -> Iterator[str]:
    """The names, without folders, of what an archive holds; as many of them as can be read."""
    budget = Budget()
    try:
        with opened(path) as (file, _):
            for member in _listing(path)(file):
                budget.look()
                yield member.name.rpartition("/")[2]
    except (RefusedError, ExhaustedError):
        return


def _listing(path: Path) -> Callable[[IO[bytes]], Iterator[Member]]:
    return zip_members if path.name.casefold().endswith(".zip") else tar_members


def _read(member: Member, parts: tuple[str, ...], seen: set[str], budget: Budget) -> Found | None:
    kind = kind_of(member.name)
    if kind is None:
        base = member.name.rpartition("/")[2]
        if base and not is_skipped(base):  # neither a folder nor litter
            budget.ignore(member.name)
        return None
    place: tuple[str, ...] = (member.name[:_NAME_LIMIT],)
    try:
        place = _place(member.name)
        if any(is_skipped(part) for part in place):
            return None
        if kind == "archive":
            raise RefusedError("it is an archive in an archive, which is not opened; pack the files themselves")
        if member.fault:
            raise RefusedError(member.fault)
        # Two names that one file system tells apart and another does not: what a student sees may be either.
        key = unicodedata.normalize("NFC", "/".join(place).casefold())
        if key in seen:
            raise RefusedError("the archive holds its name twice; the first of the two was read")
        seen.add(key)
        data = budget.read(place[-1], member.open(), member.size)
    except RefusedError as refusal:
        return Found(parts + place, member.modified, refusal=str(refusal))
    return Found(parts + place, member.modified, data)


def _place(name: str) -> tuple[str, ...]:
    """Where in its archive a member stands; a `RefusedError` where that is not inside."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/")
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise RefusedError("its name in the archive is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise RefusedError("its name in the archive points outside of it")
    if len(parts) > DEPTH_LIMIT or len(name) > _NAME_LIMIT:
        raise RefusedError("it lies in too many folders")
    return parts
