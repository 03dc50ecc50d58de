"""Folders that a worker may see: Landlock by ctypes (layer L3), where the kernel has it.

Read-only: the interpreter, its libraries, a few harmless files. Writable: the scratch folder. Nothing else can be
opened, listed, made or removed; TCP is closed, and so are signals and abstract sockets out of the worker.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from autograder.worker.kernel import real_gpu

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_READ: Final = _READ_FILE | _READ_DIR | _EXECUTE  # EXECUTE: shared libraries are mapped executable
_FILE_RIGHTS: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15  # those that a single file can have
_FS_RIGHTS: Final = (0, 13, 14, 15, 15, 16)  # how many rights of files each version knows, from version 0
_NET_SINCE, _SCOPE_SINCE = 4, 6

_SYSTEM: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_HARMLESS: Final = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
)
DEVICES: Final = ("/dev/null",)
_DRIVER: Final = ("/proc", "/sys")  # what a GPU's driver reads of the system; other processes' files keep their owners


def version(libc: ctypes.CDLL) -> int:
    """The kernel's version of Landlock, 0 without it."""
    if sys.platform != "linux":
        return 0
    return max(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION)), 0)


def readable() -> list[str]:
    """What every worker may read: computed once, before any fork."""
    paths = sysconfig.get_paths()
    python = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    libraries = [path for path in sys.path if path.endswith("-packages")]
    places = [*python, *libraries, f"{sys.base_prefix}/lib", *_SYSTEM, *_HARMLESS, *(_DRIVER if real_gpu() else ())]
    return list(dict.fromkeys(place for place in places if Path(place).exists()))


def gpu_devices() -> list[str]:
    """Where workers may use a real GPU, the files by which its driver is reached."""
    return sorted(map(str, Path("/dev").glob("nvidia*"))) if real_gpu() else []


def restrict(libc: ctypes.CDLL, known: int, read: Sequence[str], write: Sequence[str]) -> None:
    """Let this process see these paths and no others, for good.

    Args:
        known: the kernel's version, above 0.
        read, write: files and folders.

    Raises:
        OSError: the kernel refuses.
    """
    rights = (1 << _FS_RIGHTS[min(known, len(_FS_RIGHTS) - 1)]) - 1
    net = 0b11 if known >= _NET_SINCE else 0
    scoped = 0b11 if known >= _SCOPE_SINCE else 0
    attributes = struct.pack("<QQQ", rights, net, scoped)
    size = 24 if known >= _SCOPE_SINCE else 16 if known >= _NET_SINCE else 8
    ruleset = _checked(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint(0)))
    try:
        for path in read:
            _allow(libc, ruleset, path, rights & _READ)
        for path in (*write, *DEVICES, *gpu_devices()):
            _allow(libc, ruleset, path, rights & ~_EXECUTE)
        _checked(libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0)))
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not Path(path).is_dir():
            rights &= _FILE_RIGHTS
        rule = struct.pack("<Qi", rights, descriptor)
        _checked(libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), _PATH_BENEATH, rule, ctypes.c_uint(0)))
    finally:
        os.close(descriptor)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused")
    return result
