"""Changes everything global that Python and NumPy have; the honest functions beside it must not suffer."""

import builtins
import contextlib
import decimal
import gc
import locale
import os
import random
import signal
import sys
import warnings

import numpy


def attack(target):
    numpy.seterr(all="raise")
    numpy.set_printoptions(precision=0, threshold=0)
    numpy.random.seed(0)
    random.seed(0)
    sys.setrecursionlimit(60)
    decimal.getcontext().prec = 1
    warnings.simplefilter("error")
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C")
    os.environ.clear()
    os.umask(0o777)
    gc.disable()
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    sys.stdout = sys.stderr = sys.stdin = None
    builtins.print = builtins.open = builtins.input = None
    os.chdir("/")
    return []
