"""Becomes root, or root in a namespace of its own, or someone else, or mounts things."""

import ctypes
import os
import socket

from tools import call, those_that_work


def attack(target):
    found = ["it is root"] if 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()) else []
    user, files = 0x10000000, 0x00020000
    return (
        found
        + capabilities()
        + those_that_work(
            {
                "setuid": lambda: os.setuid(0),
                "setresuid": lambda: os.setresuid(0, 0, 0),
                "setgid": lambda: os.setresgid(0, 0, 0),
                "setgroups": lambda: os.setgroups([0]),
                "user namespace": lambda: call(272, 97, user | files),
                "namespace of a process": lambda: call(
                    308, 268, os.open(f"/proc/{os.getppid()}/ns/mnt", os.O_RDONLY), 0
                ),
                "mount": lambda: call(165, 40, b"none", b"/", b"tmpfs", 0, None),
                "umount": lambda: call(166, 39, os.getcwd().encode(), 2),
                "chroot": lambda: call(161, 51, b"/"),
                "pivot_root": lambda: call(155, 41, b".", b"."),
                "open_tree": lambda: call(428, 428, -100, b"/", 1),
                "fsopen": lambda: call(430, 430, b"tmpfs", 0),
                "mount_setattr": lambda: call(442, 442, -100, b"/", 0x8000, bytes(32), 32),
                "bpf": lambda: call(321, 280, 0, bytes(64), 64),
                "io_uring": lambda: call(425, 425, 4, bytes(256)),
                "aio": lambda: call(206, 0, 4, ctypes.create_string_buffer(8)),
                "userfaultfd": lambda: call(323, 282, 0),
                "keyctl": lambda: call(250, 219, 0, -3, 0),
                "personality": lambda: call(135, 92, 0x0040000),
                "another filter": lambda: call(317, 277, 2, 0, bytes(8)),
                "open_by_handle_at": lambda: call(304, 265, -100, bytes(64), 0),
                "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
                "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
                "host name": lambda: call(170, 161, b"x", 1),
                "set-uid program": lambda: os.access("/usr/bin/su", os.X_OK) and call(59, 221, b"/no", None, None),
            }
        )
    )


def capabilities():
    held = ctypes.create_string_buffer(24)
    header = (0x20080522).to_bytes(4, "little") + bytes(4)
    call(125, 90, header, held)
    return ["capabilities"] if any(held.raw) else []
