"""What confines a worker: descriptors, limits, identity, Landlock, seccomp (layers L1 to L5), raised in this order.

Called in the worker before it has read a single byte of a submission. A wall that cannot be raised raises OSError, and
the worker ends without having run anything.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder.worker import landlock, seccomp

MIB = 2**20
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_MOVE, _MS_REC, _MS_PRIVATE = 4096, 8192, 16384, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)
_landlock = landlock.version(_libc)
_readable: list[str] = []


def prctl(option: int, value: int) -> None:
    """prctl(2), or OSError; nothing on systems without it."""
    if sys.platform == "linux" and _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


def guard_zygote() -> None:
    """For processes that fork workers: die with the parent, adopt orphans, let nobody look into the memory."""
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(_PR_SET_DUMPABLE, 0)
    prctl(_PR_SET_CHILD_SUBREAPER, 1)


def survey() -> None:
    """Find out once, before any fork, what every worker may read."""
    _readable[:] = landlock.readable()


def confine(*, uid: int | None, scratch: str, cpu_seconds: int, keep: Iterable[int]) -> None:
    """Raise the walls around this process, for good.

    Args:
        uid: to become, where the zygote is root; None leaves the identity alone.
        scratch: the only folder to write in; becomes the working directory, HOME and TMPDIR.
        cpu_seconds: after which the kernel ends the process, should everything else fail.
        keep: descriptors that stay open.
    """
    os.setsid()
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _close_all_but(keep)
    os.chdir(scratch)
    os.environ.update(
        HOME=scratch, TMPDIR=scratch, TMP=scratch, TEMP=scratch, XDG_CACHE_HOME=scratch, MPLCONFIGDIR=scratch
    )
    os.umask(0o077)
    _limit(cpu_seconds)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        # Changing identity clears the parent-death signal.
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if _landlock:
        landlock.restrict(_libc, _landlock, _readable, [scratch])
    if seccomp.supported():
        seccomp.install(_libc, seccomp.program(os.getpid()))


def _close_all_but(keep: Iterable[int]) -> None:
    start = 0
    for descriptor in sorted(keep):
        if start < descriptor:  # the kernel's close_range takes an empty range for an endless one
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 16 * MIB,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        size, data = _memory_now()
        limits[resource.RLIMIT_AS] = size + 2048 * MIB
        limits[resource.RLIMIT_DATA] = data + 1024 * MIB
        if os.geteuid() == 0:  # counted per uid, and a worker's uid is its own
            limits[resource.RLIMIT_NPROC] = 64
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _memory_now() -> tuple[int, int]:
    """Bytes of address space and of data that this process has already."""
    fields = Path("/proc/self/statm").read_text().split()
    page = os.sysconf("SC_PAGE_SIZE")
    return int(fields[0]) * page, int(fields[5]) * page


def expose_interpreter() -> None:
    """Let other users reach a Python that lives below a folder closed to them, such as root's home.

    A worker has a uid of its own and still imports modules when it runs. In a mount namespace of this process alone,
    the closed folder is covered by an empty one in which only the interpreter's folders are mounted again; so whatever
    else the closed folder holds is out of sight. Nothing is done, or can be, without root's right to mount.
    """
    folders = sorted({sys.prefix, sys.base_prefix, *(path for path in sys.path if "-packages" in path)})
    closed = sorted({closed for folder in folders for closed in [_closed_parent(Path(folder))] if closed})
    if os.geteuid() != 0 or not closed:
        return
    if _libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(
            f"workers run as other users, and Python is below {closed[0]}, which is closed to them. "
            f"Install Python elsewhere, such as below /opt, or run `chmod o+x {closed[0]}`."
        )
    _mount("none", "/", _MS_REC | _MS_PRIVATE)
    for top in closed:
        _cover(top, [Path(folder) for folder in folders if Path(folder).is_relative_to(top)])


def _closed_parent(folder: Path) -> Path | None:
    """The highest folder on the way that others may not pass."""
    for parent in reversed([folder, *folder.parents]):
        if parent.exists() and not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None


def _cover(top: Path, keep: list[Path]) -> None:
    """Hide a folder behind an empty one that holds only what is kept of it."""
    outer = [folder for folder in keep if not any(other in folder.parents for other in keep)]
    held = [(folder, os.open(folder, os.O_PATH | os.O_DIRECTORY)) for folder in outer]
    _mount("tmpfs", str(top), 0, "tmpfs", "mode=755,size=1m")
    for folder, descriptor in held:
        folder.mkdir(parents=True)
        _mount(f"/proc/self/fd/{descriptor}", str(folder), _MS_BIND | _MS_REC)
        os.close(descriptor)


def _mount(source: str, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    encoded = [text.encode() if text else None for text in (source, target, kind)]
    if _libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() if options else None) != 0:
        raise OSError(ctypes.get_errno(), f"mount on {target} failed")
