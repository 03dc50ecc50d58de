"""Prints a hundred megabytes, without a line's end, to both streams."""

import os


def max_pool(z):
    for _ in range(100):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"\x1b]0;\x07" * (1 << 17))
    return 0.0
