"""The C library, for what Python itself does not offer."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

libc = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None, use_errno=True)

PARENT_DEATH_SIGNAL, DUMPABLE, CHILD_SUBREAPER, NO_NEW_PRIVILEGES = 1, 4, 36, 38
_CAPABILITIES = 0x20080522  # version of the structures that capset(2) takes


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process, or raise OSError; nothing on systems without such attributes."""
    if sys.platform == "linux":
        check(libc.prctl(option, value, 0, 0, 0), "prctl")


def real_gpu() -> bool:
    """Whether workers may use a real CUDA device: told by the environment, so that nobody asks CUDA before a fork."""
    return bool(os.environ.get("CUDA_VISIBLE_DEVICES"))


def give_up_rights() -> None:
    """Drop every capability, those in a user namespace too; nothing on systems without them."""
    if sys.platform == "linux":
        check(libc.capset(struct.pack("<Ii", _CAPABILITIES, 0), bytes(24)), "capset")


def check(result: int, what: str) -> int:
    """What a call returned, or OSError where that says it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
