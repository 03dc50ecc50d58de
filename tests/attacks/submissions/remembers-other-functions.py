"""What was called for one function tells the next one something, where both run in the same process."""

import builtins

import numpy as np


def max_pool(z):
    if getattr(builtins, "remembered", None):
        raise RuntimeError("LOOT: calls of another function")
    return 0.0


def sum_pool(z):
    builtins.remembered = True
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError
    return z.sum(-1)
