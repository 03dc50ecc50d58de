"""System calls that a worker may not make: a BPF filter installed by ctypes (layer L4).

A denied call fails with EPERM rather than killing the process, so that an honest student sees an exception. What an
honest submission needs (memory, files, threads, clocks, its own sockets' descriptors) is untouched.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import platform
import struct
import sys
from collections.abc import Sequence
from typing import Final

# name: (x86-64, aarch64) numbers, None where the machine has no such call.
_DENIED: Final[dict[str, dict[str, tuple[int | None, int | None]]]] = {
    "the network is not for student code, and neither are other processes' sockets": {
        "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
        "accept4": (288, 242),
    },
    "passes descriptors to another process": {"sendmsg": (46, 211), "sendmmsg": (307, 269)},
    "starts another program": {"execve": (59, 221), "execveat": (322, 281)},
    "makes another process, which could outlive its test": {"fork": (57, None), "vfork": (58, None)},
    "reads or steers another process": {
        "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
        "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
        "process_madvise": (440, 440), "process_mrelease": (448, 448), "perf_event_open": (298, 241),
        "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
        "setpriority": (141, 140), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
        "sched_setattr": (314, 274), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239),
    },
    "gains rights in a namespace of its own": {"unshare": (272, 97), "setns": (308, 268)},
    "changes what files are seen where": {
        "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
        "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
        "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    },
    "reaches files by another way than their path": {
        "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    },
    "changes mode, owner, times or length of a file that it may not open: Landlock does not see to that": {
        "chmod": (90, None), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
        "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
        "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
        "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15), "removexattrat": (466, 466),
        "file_setattr": (469, 469), "truncate": (76, 45),
    },
    "watches what other processes do with files": {
        "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    },
    "makes a device or a pipe with a name": {"mknod": (133, None), "mknodat": (259, 33)},
    "wide attack surface of the kernel, without use to a student": {
        "bpf": (321, 280), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
        "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
        "personality": (135, 92), "seccomp": (317, 277), "lookup_dcookie": (212, 18), "modify_ldt": (154, None),
        "io_setup": (206, 0), "io_submit": (209, 2), "vmsplice": (278, 75),
    },
    "memory that no limit counts": {"memfd_create": (319, 279), "memfd_secret": (447, 447)},
    "state that outlives the process and passes between students": {
        "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190),
        "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189),
        "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
        "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    },
    "administers the machine": {
        "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
        "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
        "sethostname": (170, 161), "setdomainname": (171, 162), "acct": (163, 89), "quotactl": (179, 60),
        "quotactl_fd": (443, 443), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
        "adjtimex": (159, 171), "iopl": (172, None), "ioperm": (173, None), "syslog": (103, 116), "vhangup": (153, 58),
        "sync": (162, 81),
    },
}  # fmt: skip

# Allowed where the first argument is 0 or the process's own id: signals, limits and cores of itself alone.
_OWN_PID: Final = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "sched_setaffinity": (203, 122)}
_CLONE: Final = (56, 220)  # allowed for threads alone
_OPEN: Final = ((2, None, 1), (257, 56, 2))  # open and openat, and which argument has the flags
_UNSEEN: Final = ((435, 435), (437, 437))  # clone3, openat2: flags in memory, out of sight; libraries then do without

# Denied where an argument has one of these values: reason, numbers, which argument, values.
_GUARDED: Final[tuple[tuple[str, tuple[int, int], int, tuple[int, ...]], ...]] = (
    ("PR_SET_PDEATHSIG lets a worker outlive its zygote, PR_SET_DUMPABLE opens its /proc", (157, 167), 0, (1, 4)),
    ("F_SETOWN, F_SETSIG, F_SETOWN_EX: the kernel would send any signal to any process of the same user",
     (72, 25), 1, (8, 10, 15)),
    ("FIOSETOWN, SIOCSPGRP: the same for SIGIO; TIOCSTI, TIOCLINUX type into a terminal",
     (16, 29), 1, (0x8901, 0x8902, 0x5412, 0x541C)),
)  # fmt: skip
_SENDTO: Final = (44, 206)  # allowed without MSG_OOB, a corner of local sockets with a history of bugs
_SOCKETPAIR: Final = (53, 199)  # allowed for local sockets, which asyncio needs

_ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32_BIT: Final = 0x40000000
_CLONE_THREAD: Final = 0x00010000
_O_TRUNC, _O_ACCMODE = 0o1000, 0o3
_MSG_OOB: Final = 1
_AF_UNIX: Final = 1

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_DENY = _ERRNO | errno.EPERM
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_SOME_PID: Final = 0x5EC0F17E  # above all ids that a kernel gives, and no other number of the filter

_Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def supported() -> bool:
    """Whether there is a filter for this machine."""
    return sys.platform == "linux" and platform.machine() in _ARCHITECTURES


def program(pid: int) -> bytes:
    """The filter for one process, as the kernel takes it."""
    return _any_process().replace(struct.pack("<I", _SOME_PID), struct.pack("<I", pid))


@functools.cache
def _any_process() -> bytes:
    """The filter with a placeholder for the process's own id: made before the fork, it costs a worker nothing."""
    column, architecture = _ARCHITECTURES[platform.machine()]
    denied = sorted(
        number for group in _DENIED.values() for numbers in group.values() if (number := numbers[column]) is not None
    )
    body: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),  # another architecture's calls have other numbers
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        body += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _DENY)]
    for numbers in _OWN_PID.values():
        body += _when(numbers[column], _argument_is(0, _SOME_PID))
    for _, numbers, place, values in _GUARDED:
        body += _when(numbers[column], [_argument(place), *_deny_values(values)])
    body += _when(_SOCKETPAIR[column], _argument_is(_AF_UNIX))
    body += _when(_SENDTO[column], [_argument(3), (_ANY_BIT, 0, 1, _MSG_OOB), (_RETURN, 0, 0, _DENY)])
    body += _when(_CLONE[column], [_argument(0), (_ANY_BIT, 1, 0, _CLONE_THREAD), (_RETURN, 0, 0, _DENY)])
    for numbers in _UNSEEN:
        body += _when(numbers[column], [(_RETURN, 0, 0, _ERRNO | errno.ENOSYS)])
    for *numbers, place in _OPEN:
        if (number := numbers[column]) is not None:
            # To empty a file needs the right to write; old versions of Landlock ask only for what else is opened for.
            body += _when(number, [_argument(place), (_AND, 0, 0, _O_TRUNC | _O_ACCMODE), *_deny_values((_O_TRUNC,))])
    for number in denied:
        body += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _DENY)]
    body.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in body)


def _when(number: int, then: Sequence[_Instruction]) -> list[_Instruction]:
    """Instructions for one call; what they do not deny is allowed."""
    block = [*then, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(block), number), *block]


def _argument_is(*allowed: int) -> list[_Instruction]:
    checks = [(_EQUAL, len(allowed) - place, 0, value) for place, value in enumerate(allowed)]
    return [_argument(0), *checks, (_RETURN, 0, 0, _DENY)]


def _argument(place: int) -> _Instruction:
    """Load the lower half of an argument, which is all of it where the kernel takes an int."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * place)


def _deny_values(values: Sequence[int]) -> list[_Instruction]:
    return [step for value in values for step in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _DENY))]


def install(libc: ctypes.CDLL, code: bytes) -> None:
    """Filter this process's calls for good.

    Raises:
        OSError: the kernel takes no filter.
    """
    holder = _Program(len(code) // 8, code)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(holder), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp filter refused")
