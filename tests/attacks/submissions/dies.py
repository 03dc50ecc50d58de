"""Ends its process: politely, by a signal, by a fault, by the abort of the C library."""

import ctypes
import os
import signal


def max_pool(z):
    match len(z) % 4:
        case 0:
            os._exit(0)
        case 1:
            ctypes.string_at(0)
        case 2:
            os.abort()
        case 3:
            os.kill(os.getpid(), signal.SIGKILL)
