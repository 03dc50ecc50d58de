"""A root folder of the workers' own (layer L2): namespaces, by ctypes, where kernel and machine allow them.

The ancestor moves, once, into a file system that holds what a worker may read and nothing else, all of it read-only,
and into a network without any device. Each worker then gets a scratch folder in memory that no other process can see;
it ends with the worker, whatever the worker did to it. Root has the right to this; an ordinary user has it in a user
namespace, whose rights the worker gives up. Where it is not to be had, identity and Landlock stand alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from autograder.worker.kernel import check, libc

SCRATCH: Final = "/scratch"
_SCRATCH_OPTIONS: Final = "size=64m,nr_inodes=8k,mode=700"
_HOST: Final = "/tmp"  # hidden behind the new root while that is built; every Linux has it

_NEW_FILES, _NEW_IPC, _NEW_USER, _NEW_NET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_BIND, _RECURSIVE, _PRIVATE, _DETACH = 4096, 16384, 1 << 18, 2
_MOUNT_SETATTR: Final = 442  # the same on every architecture
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
_HERE, _WHOLE_TREE = -100, 0x8000


def enclose(visible: Sequence[str]) -> bool:
    """Move this process, and all that it will fork, into a file system that holds only these files and folders.

    To be called before the process has threads, while it may still be looked into by its own user.

    Returns:
        whether it could be done; where not, nothing has changed.
    """
    if sys.platform != "linux" or platform.machine() not in _PIVOT_ROOT or not _possible(visible):
        return False
    _enclose(visible)
    _mount("tmpfs", SCRATCH, _NO_SETUID | _NO_DEVICES, "tmpfs", _SCRATCH_OPTIONS)  # for what warming up writes
    return True


def own_scratch(uid: int | None) -> str:
    """In a worker of an enclosed zygote: a folder that only this process sees, and /proc out of its sight."""
    check(libc.unshare(_NEW_FILES), "unshare")
    options = _SCRATCH_OPTIONS if uid is None else f"{_SCRATCH_OPTIONS},uid={uid},gid={uid}"
    _mount("tmpfs", SCRATCH, _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS, "tmpfs", options)
    _mount("tmpfs", "/proc", _READ_ONLY, "tmpfs", "size=4k,nr_inodes=1,mode=555")
    return SCRATCH


def _possible(visible: Sequence[str]) -> bool:
    """Try it in a process that ends: many machines have the calls and forbid part of what they do."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _enclose(visible)
            own_scratch(None)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _enclose(visible: Sequence[str]) -> None:
    uid, gid = os.geteuid(), os.getegid()
    check(libc.unshare(_NEW_FILES | _NEW_IPC | _NEW_NET | (_NEW_USER if uid else 0)), "unshare")
    if uid:  # the same user as before, with rights over these namespaces and nothing else
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            Path(f"/proc/self/{name}").write_text(text)
    _mount("none", "/", _RECURSIVE | _PRIVATE)
    plan = list(dict.fromkeys(step for path in (*visible, "/proc") for step in _steps(Path(path))))
    held = {path: os.open(path, os.O_PATH) for path, link in plan if link is None}
    _mount("tmpfs", _HOST, _NO_SETUID | _NO_DEVICES, "tmpfs", "size=1m,mode=755")
    for path, link in sorted(plan):  # what is above comes first
        place = Path(f"{_HOST}{path}")
        if place.exists() or place.is_symlink():  # it lies in a folder that is there already
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if link is not None:
            place.symlink_to(link)
            continue
        place.mkdir() if stat.S_ISDIR(os.fstat(held[path]).st_mode) else place.touch()
        _mount(f"/proc/self/fd/{held[path]}", str(place), _BIND | _RECURSIVE)
    for descriptor in held.values():
        os.close(descriptor)
    Path(f"{_HOST}{SCRATCH}").mkdir()  # fails where the interpreter lives in a folder of that name
    os.chdir(_HOST)
    check(libc.syscall(_PIVOT_ROOT[platform.machine()], b".", b"."), "pivot_root")
    check(libc.umount2(b".", _DETACH), "umount2")
    os.chdir("/")
    _make_read_only()


def _steps(path: Path) -> Iterator[tuple[Path, str | None]]:
    """What must be made for a path to be there: the links on its way, as they are, and what they lead to."""
    for place in (*reversed(path.parents), path):
        if place.is_symlink():
            yield place, os.readlink(place)
            yield from _steps(place.parent / os.readlink(place) / path.relative_to(place))
            return
    yield Path(os.path.normpath(path)), None


def _make_read_only() -> None:
    set_and_clear = struct.pack("<QQQQ", _READ_ONLY | _NO_SETUID, 0, 0, 0)
    arguments = (ctypes.c_int(_HERE), b"/", ctypes.c_uint(_WHOLE_TREE), set_and_clear, ctypes.c_size_t(32))
    check(libc.syscall(_MOUNT_SETATTR, *arguments), "mount_setattr")


def _mount(source: str, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    encoded = [text.encode() if text else None for text in (source, target, kind)]
    check(libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() if options else None), f"mount on {target}")
