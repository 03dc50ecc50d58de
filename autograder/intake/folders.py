"""Every .py and .ipynb file of a submission, wherever in its folders and archives it lies."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.intake import archives
from autograder.intake.files import (
    DEPTH_LIMIT,
    LINK,
    Budget,
    ExhaustedError,
    Found,
    RefusedError,
    date_of,
    opened,
    reason,
)
from autograder.intake.names import is_skipped, kind_of


def files_of(paths: Sequence[Path], budget: Budget) -> Iterator[Found]:
    """The files of one submission that may hold code, one by one, so that none but the last is in memory.

    Args:
        paths: what the student handed in: files, archives, folders.
        budget: what all of it may cost; where it is used up, the last of what is found says so.
    """
    try:
        for path in paths:
            # Where a student handed in several things, a file's place says which of them it lies in.
            parts = (path.name,) if len(paths) > 1 else ()
            try:
                mode = os.lstat(path).st_mode
            except OSError as error:
                yield Found((path.name,), refusal=reason(error))
                continue
            if stat.S_ISLNK(mode):
                yield Found((path.name,), refusal=LINK)
            elif stat.S_ISDIR(mode):
                yield from _folder(path, parts, budget)
            else:
                yield from _file(path, parts or (path.name,), budget, outermost=not parts)
    except ExhaustedError as end:
        yield Found((), refusal=str(end))


def _folder(root: Path, parts: tuple[str, ...], budget: Budget) -> Iterator[Found]:
    """The files of a folder; those nearest to its top first, should there be too many."""
    waiting = deque([(root, parts)])
    while waiting:
        folder, parts = waiting.popleft()
        try:
            with os.scandir(folder) as listing:
                entries: list[tuple[str, bool]] = []
                for entry in listing:
                    budget.look()
                    entries.append((entry.name, entry.is_dir(follow_symlinks=False)))
        except OSError as error:
            yield Found(parts or (folder.name,), refusal=reason(error))
            continue
        for name, is_folder in sorted(entries):
            if is_skipped(name):
                continue
            place = (*parts, name)
            if not is_folder:
                yield from _file(folder / name, place, budget)
            elif len(place) < DEPTH_LIMIT:
                waiting.append((folder / name, place))
            else:
                yield Found(place, refusal="it lies in too many folders")


def _file(path: Path, parts: tuple[str, ...], budget: Budget, *, outermost: bool = False) -> Iterator[Found]:
    """What a file is, or what an archive holds; nothing for a file of any other kind."""
    kind = kind_of(path.name)
    if kind is None:
        budget.ignore("/".join(parts))
    elif kind == "archive":
        yield from archives.members(path, () if outermost else parts, budget)
    else:
        try:
            with opened(path) as (file, status):
                yield Found(parts, date_of(status), budget.read(path.name, file, status.st_size))
        except RefusedError as refusal:
            yield Found(parts, refusal=str(refusal))
