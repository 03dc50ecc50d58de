"""Loops, sleeps, waits for itself, stops itself, with all signals ignored and all exceptions swallowed."""

import contextlib
import os
import signal
import threading
import time


def max_pool(z):
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        with contextlib.suppress(BaseException):
            match len(z) % 5:
                case 0:
                    while True:
                        pass
                case 1:
                    time.sleep(1e6)
                case 2:
                    lock = threading.Lock()
                    lock.acquire()
                    lock.acquire()
                case 3:
                    os.kill(os.getpid(), signal.SIGSTOP)
                case 4:
                    sum(range(10**18))
