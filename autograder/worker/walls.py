"""What confines a worker: descriptors, limits, own files, identity, Landlock, seccomp (L1 to L5), raised in this order.

Called in the worker before it has read a single byte of a submission. A wall that cannot be raised raises OSError, and
the worker ends without having run anything.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from autograder.worker import landlock, mounts, seccomp
from autograder.worker.kernel import (
    CHILD_SUBREAPER,
    DUMPABLE,
    NO_NEW_PRIVILEGES,
    PARENT_DEATH_SIGNAL,
    give_up_rights,
    libc,
    prctl,
    real_gpu,
)

if sys.platform != "win32":
    import resource

MIB: Final = 2**20
OPTIONAL: Final = ("mounts", "landlock", "seccomp")  # walls that can be left down, to prove what the others hold alone
_MOST_DESCRIPTORS: Final = 1 << 20  # where there is no limit to them
_TASKS: Final = 64  # threads of a worker with a uid of its own
_MORE_TASKS: Final = 512  # of a user's, whose other processes may need new ones meanwhile


@dataclass(slots=True)
class _Found:
    """What this machine offers, found out once, before any fork.

    Attributes:
        readable: what every worker may read.
        enclosed: whether this process lives in a file system that holds nothing else.
        landlock: the version to use, 0 for none.
        filter: whether to filter system calls.
        tasks: how many threads the user of a worker may have.
    """

    readable: list[str] = field(default_factory=list[str])
    enclosed: bool = False
    landlock: int = 0
    filter: bool = False
    tasks: int = _TASKS


_found = _Found()


def guard_zygote() -> None:
    """For processes that fork workers: die with the parent, adopt orphans, let nobody look into the memory."""
    prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    prctl(DUMPABLE, 0)
    prctl(CHILD_SUBREAPER, 1)


def survey(without: Collection[str] = ()) -> None:
    """Find out once, before any fork and any thread, what every worker may read and which walls there are.

    Args:
        without: walls to leave down, for tests of the others; the preflight tells what that opens.

    Raises:
        OSError: workers could not reach Python.
        ValueError: there is no such wall.
    """
    if unknown := set(without) - {*OPTIONAL, ""}:
        raise ValueError(f"there is no wall {unknown}; there are {OPTIONAL}")
    _found.readable = landlock.readable()
    _found.landlock = 0 if "landlock" in without else landlock.version(libc)
    _found.filter = "seccomp" not in without and seccomp.supported()
    _found.tasks = _TASKS if _is_root() else _own_tasks() + _MORE_TASKS
    _found.enclosed = "mounts" not in without and mounts.enclose([*_found.readable, *landlock.DEVICES])
    if _found.filter:
        seccomp.program(os.getpid())  # most of the work is remembered
    if _found.enclosed:
        os.environ["TMPDIR"] = os.environ["HOME"] = tempfile.tempdir = mounts.SCRATCH
    elif _is_root():
        _insist_on_python()


def confine(*, uid: int | None, scratch: str, cpu_seconds: int, keep: Iterable[int]) -> None:
    """Raise the walls around this process, for good.

    Args:
        uid: to become, where the zygote is root; None leaves the identity alone.
        scratch: the only folder to write in, where the worker cannot have one that nobody else sees; becomes the
            working directory, HOME and TMPDIR.
        cpu_seconds: after which the kernel ends the process, should everything else fail.
        keep: descriptors that stay open.
    """
    os.setsid()
    prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    _close_all_but(keep)
    _limit(cpu_seconds)
    if _found.enclosed:
        scratch = mounts.own_scratch(uid)
    _settle(scratch)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    give_up_rights()
    # Changing identity clears the parent-death signal.
    prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    prctl(NO_NEW_PRIVILEGES, 1)
    if _found.landlock:
        landlock.restrict(libc, _found.landlock, _found.readable, [scratch])
    if _found.filter:
        seccomp.install(libc, seccomp.program(os.getpid()))


def _settle(scratch: str) -> None:
    """Make a folder the place for everything that libraries write."""
    os.chdir(scratch)
    os.environ.update(
        HOME=scratch, TMPDIR=scratch, TMP=scratch, TEMP=scratch, XDG_CACHE_HOME=scratch, MPLCONFIGDIR=scratch
    )
    tempfile.tempdir = None  # what it found while the libraries were warmed up
    os.umask(0o077)


def _close_all_but(keep: Iterable[int]) -> None:
    start = 0
    for descriptor in sorted(keep):
        if start < descriptor:  # the kernel's close_range takes an empty range for an endless one
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _MOST_DESCRIPTORS))


def _limit(cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 16 * MIB,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        size, data = _memory_now()
        if real_gpu():  # CUDA reserves addresses by the hundred gigabyte, and opens many files
            limits |= {resource.RLIMIT_DATA: data + 4096 * MIB, resource.RLIMIT_NOFILE: 256}
        else:
            limits |= {resource.RLIMIT_DATA: data + 1024 * MIB, resource.RLIMIT_AS: size + 2048 * MIB}
        limits[resource.RLIMIT_NPROC] = _found.tasks
        limits[resource.RLIMIT_SIGPENDING] = 64  # counted per user: timers of a worker must not use up an instructor's
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _memory_now() -> tuple[int, int]:
    """Bytes of address space and of data that this process has already."""
    fields = Path("/proc/self/statm").read_text().split()
    page = os.sysconf("SC_PAGE_SIZE")
    return int(fields[0]) * page, int(fields[5]) * page


def _own_tasks() -> int:
    """How many threads this user has now: an ordinary user's workers are counted together with everything else."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.geteuid():
                count += len(os.listdir(process / "task"))
        except OSError:  # it has ended
            continue
    return count


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _insist_on_python() -> None:
    """A worker has a uid of its own and still imports modules when it runs.

    Raises:
        OSError: it could not, because Python lies below a folder closed to other users, such as root's home.
    """
    for path in map(Path, _found.readable):
        for folder in (*reversed(path.parents), path):
            if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH:
                raise OSError(
                    f"workers run as other users, and Python is below {folder}, which is closed to them. "
                    f"Install Python elsewhere, such as below /opt, or run `chmod o+x {folder}`."
                )
