"""Sends frames that would make a careless decoder allocate, recurse, loop or run something."""

import struct

from tools import channel

FRAMES = (
    struct.pack("<Q", 2**63) + b"x" * 100,
    struct.pack("<Q", 12) + b"Ad\2" + struct.pack("<Q", 2**60) + b"\0",
    struct.pack("<Q", 19) + b"Ad\2" + struct.pack("<QQ", 0, 2**60),
    struct.pack("<Q", 50_000) + b"L\1\0\0\0" * 10_000,
    struct.pack("<Q", 5) + b"L\xff\xff\xff\xff",
    struct.pack("<Q", 5) + b"I\xff\xff\xff\xff",
    struct.pack("<Q", 9) + b"S\4\0\0\0\xff\xfe\xfd\xfc",
    struct.pack("<Q", 20) + b"cos\nsystem\n(S'true'\n",
)


def max_pool(z):
    channel().sendall(FRAMES[z.size % len(FRAMES)] if hasattr(z, "size") else FRAMES[len(z) % len(FRAMES)])
    return 0.0
