"""Signals to the grading process, to the zygote, to everybody, in every way that there is."""

import fcntl
import os
import signal
import struct
import time

from tools import call, those_that_work


def attack(target):
    victim, zygote = target["victim"], os.getppid()
    found = those_that_work(
        {
            "kill": lambda: os.kill(target["grader"], 0),
            "kill the zygote": lambda: os.kill(zygote, 0),
            "kill everybody": lambda: os.kill(-1, 0),
            "kill init": lambda: os.kill(1, 0),
            "killpg": lambda: os.killpg(os.getpgid(victim), 0),
            "tkill": lambda: call(200, 130, victim, 0),
            "tgkill": lambda: call(234, 131, victim, victim, 0),
            "rt_sigqueueinfo": lambda: call(129, 138, victim, 0, bytes(128)),
            "rt_tgsigqueueinfo": lambda: call(297, 240, victim, victim, 0, bytes(128)),
            "pidfd_send_signal": lambda: call(424, 424, call(434, 434, victim, 0), 0, None, 0),
            "join its group": lambda: os.setpgid(0, os.getpgid(victim)),
            "no parent-death signal": lambda: call(157, 167, 1, 0, 0, 0, 0),
            "dumpable": lambda: call(157, 167, 4, 1, 0, 0, 0),
            "owner of a file's signals": lambda: signalled(victim),
        }
    )
    time.sleep(0.02)
    return found


def signalled(victim):
    """Let the kernel send SIGKILL to the victim, because a pipe has something to read."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, victim)
    fcntl.fcntl(reader, 10, signal.SIGKILL)  # F_SETSIG
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")
    fcntl.fcntl(reader, 15, struct.pack("ii", 1, victim))  # F_SETOWN_EX
