"""What hostile submissions share: they try things, and tell which of them worked.

They prove and do no harm: where a wall is missing they leave a file with a telling name, look without touching, or
kill a process that was started for that.
"""

import contextlib
import ctypes
import os
import platform

LIBC = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"


def works(action, *arguments):
    """Whether an action raises nothing and does not say False."""
    try:
        return action(*arguments) is not False
    except BaseException:
        return False


def those_that_work(actions):
    """The names of those that do, of some actions by name."""
    return [name for name, action in actions.items() if works(action)]


def call(on_x86_64, on_aarch64, *arguments):
    """A system call by its number; where the machine has none, or it fails, OSError."""
    number = on_aarch64 if ARM else on_x86_64
    if number is None:
        raise OSError("no such call")
    result = LIBC.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"call {number}")
    return result


def read(path):
    with open(path, "rb") as stream:
        return stream.read(1 << 16)


def write(path):
    """Make a file; it stays, for the test to find."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))


def channel():
    """The descriptor on which the worker talks to the grader: the only socket that it has."""
    import socket
    import stat

    for descriptor in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return socket.socket(fileno=os.dup(descriptor))
    return None
