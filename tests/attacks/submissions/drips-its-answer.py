"""Answers byte by byte, so that something always comes and nothing is ever there."""

import struct
import time

from tools import channel


def max_pool(z):
    there = channel()
    there.sendall(struct.pack("<Q", 1000))
    while True:
        there.sendall(b"N")
        time.sleep(0.05)
