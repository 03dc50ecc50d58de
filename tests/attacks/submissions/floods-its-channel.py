"""Sends answers without end, as large as they may be."""

import struct

from tools import channel


def max_pool(z):
    answer = b"D\1\0\0\0" + b"\x08\0\0\0returned" + b"S" + struct.pack("<I", 1 << 23) + b"x" * (1 << 23)
    there = channel()
    while True:
        there.sendall(struct.pack("<Q", len(answer)) + answer)
