"""Takes memory in every way: private, shared, from files without a name, in pipes."""

import mmap
import os

import numpy
from tools import call, those_that_work, write

GIB = 1 << 30


def attack(target):
    kept = []
    return those_that_work(
        {
            "6 GiB of an array": lambda: kept.append(numpy.empty(6 * GIB, "b")),
            "6 GiB in small arrays": lambda: kept.append([numpy.empty(64 << 20, "b") for _ in range(96)]),
            "6 GiB shared": lambda: kept.append(mmap.mmap(-1, 6 * GIB)),
            "6 GiB private": lambda: kept.append(mmap.mmap(-1, 6 * GIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)),
            "memfd_create": lambda: os.ftruncate(call(319, 279, b"x", 0), 6 * GIB),
            "memfd_secret": lambda: call(447, 447, 0),
            "a file in /dev/shm": lambda: write(f"/dev/shm/{target['marker']}"),
            "a file of 6 GiB": lambda: os.posix_fallocate(os.open("large", os.O_CREAT | os.O_RDWR), 0, 6 * GIB),
        }
    )
