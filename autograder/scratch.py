"""A worker's scratch folder: the only place where it may write, and gone afterwards whatever was left in it."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 64 * 2**20
MAX_NAMES: Final = 8192


@contextlib.contextmanager
def scratch(uid: int | None) -> Generator[str]:
    """A new folder for a `with` block, owned by a worker's uid if there is one."""
    folder = tempfile.mkdtemp(prefix="worker-")
    try:
        if uid is not None:
            os.chown(folder, uid, uid)
        yield folder
    finally:
        with contextlib.suppress(OSError):
            remove(folder)


def is_full(folder: str) -> bool:
    """Whether a worker has written more than it may: no limit of the kernel's counts all of its files together."""
    bytes_left, names_left = MAX_BYTES, MAX_NAMES
    waiting = [folder]
    try:
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    names_left -= 1
                    bytes_left -= entry.stat(follow_symlinks=False).st_blocks * 512
                    if names_left < 0 or bytes_left < 0:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    except FileNotFoundError:  # it is working there at this moment
        return False
    except OSError:  # it hides something, or nests folders deeper than a path can tell
        return True
    return False


def remove(folder: str) -> None:
    """Remove a folder of a student's making.

    Every folder is first moved to a place that is ours alone, and only then looked into: so folders thousands deep
    need no recursion and no long path, and nothing can be swapped for a link while we look.
    """
    grave = Path(tempfile.mkdtemp(dir=Path(folder).parent, prefix="worker-"))
    names = map(str, itertools.count())
    waiting = [_moved(folder, grave / next(names))]
    while waiting:
        here = waiting.pop()
        with os.scandir(here) as entries:
            for entry in list(entries):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(_moved(entry.path, grave / next(names)))
                else:
                    os.unlink(entry.path)
        here.rmdir()
    grave.rmdir()


def _moved(folder: str, to: Path) -> Path:
    if os.geteuid() != 0:  # root needs no permission; whoever else needs it from a student's mode
        os.chmod(folder, 0o700)
    os.rename(folder, to)
    return to
