"""Tries what the walls forbid and has another way: an exception is all that it gets."""

import os
import socket
import subprocess

import numpy as np


def _attempt(action):
    try:
        action()
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return False
    return True


def sum_pool(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("there is nothing to sum")
    _attempt(lambda: subprocess.run(["ls"], capture_output=True))
    _attempt(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1))
    return z.sum(-1)


def mean_pool(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("there is nothing to average")
    _attempt(lambda: open("/etc/hosts").read())
    _attempt(lambda: open("/mean-pool", "w"))
    _attempt(os.fork)
    return z.mean(-1)
