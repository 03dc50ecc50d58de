"""Looks at every descriptor that it was born with: standard streams and its own channel are all there may be."""

import contextlib
import os


def attack(target):
    there = []
    for descriptor in range(4096):
        with contextlib.suppress(OSError):
            about = os.fstat(descriptor)
            there.append((descriptor, about.st_mode >> 12))
    pipe, character, sockets = 1, 2, 12
    expected = [(0, character), (1, pipe), (2, pipe)]
    rest = [item for item in there if item not in expected]
    return [str(item) for item in rest if item[1] != sockets] + [str(item) for item in rest[1:]]
