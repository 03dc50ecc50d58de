"""Reaches for a terminal: by its name, by its number, by the standard streams."""

import fcntl
import glob
import os

from tools import those_that_work, works


def attack(target):
    found = [
        path for path in ("/dev/tty", "/dev/console", *glob.glob("/dev/pts/[0-9]*")) if works(os.open, path, os.O_RDWR)
    ]
    found += [f"stream {number} is a terminal" for number in (0, 1, 2) if os.isatty(number)]
    fed = {number: (lambda number=number: fcntl.ioctl(number, 0x5412, b"\0")) for number in (0, 1, 2)}
    return found + [f"fed {name}" for name in those_that_work(fed)]
