"""Uids for workers: where grading runs as root, each worker has one of its own out of a reserved range.

Ranges are claimed by a lock that the kernel lets go when the process ends, so that two grading processes on one
machine never share a uid.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FIRST: Final = 50_000
COUNT: Final = 40  # uids of one grading process, used in turn: a worker's uid is long dead when it comes back
SLOTS: Final = 250
_LOCKS: Final = Path("/run/autograder")


class Identities:
    """A grading process's own range of uids; as an ordinary user there is none, and `next` gives None."""

    def __init__(self) -> None:
        self._lock: int | None = None
        self._uids: Iterator[int] | None = None

    def __enter__(self) -> Identities:
        if sys.platform == "linux" and os.geteuid() == 0:
            first = FIRST + COUNT * self._claim()
            self._uids = itertools.cycle(range(first, first + COUNT))
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def next(self) -> int | None:
        """The uid of the next worker."""
        return next(self._uids) if self._uids is not None else None

    def _claim(self) -> int:
        import fcntl  # not everywhere

        _LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
        for slot in range(SLOTS):
            lock = os.open(_LOCKS / f"uids-{slot}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            self._lock = lock
            return slot
        raise OSError(f"All {SLOTS} ranges of uids in {_LOCKS} are taken: too many grading processes run at once.")
