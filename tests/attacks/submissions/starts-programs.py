"""Runs other programs, from files and from memory."""

import ctypes
import os
import subprocess
import sys

from tools import call, those_that_work


def attack(target):
    echo = ["/bin/sh", "-c", f"echo > /tmp/{target['marker']}"]
    vector = (ctypes.c_char_p * 3)(b"/bin/true", b"", None)
    return those_that_work(
        {
            "subprocess": lambda: subprocess.run(echo, check=True, timeout=5),
            "system": lambda: os.system(f"echo > /tmp/{target['marker']}") == 0,
            "posix_spawn": lambda: os.posix_spawn("/bin/sh", echo, {}),
            "Python again": lambda: subprocess.run([sys.executable, "-c", "0"], check=True, timeout=5),
            "exec of what is not there": lambda: denied(lambda: call(59, 221, b"/no/such", vector, vector)),
            "execveat": lambda: denied(lambda: call(322, 281, -100, b"/no/such", vector, vector, 0)),
        }
    )


def denied(action):
    """An exec that worked could not tell; one that was not even tried fails with EPERM, otherwise with ENOENT."""
    try:
        action()
    except OSError as error:
        return error.errno == 2
    return True
