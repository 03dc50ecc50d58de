"""Stays below the limit of one call, every time."""

import time


def max_pool(z):
    time.sleep(0.3)
    return 0.0
