"""Fills its scratch folder with bytes and with names, keeps deleted files open, and nests folders very deep."""

import contextlib
import os
import time

BLOCK = bytes(1 << 20)


def attack(target):
    end = time.monotonic() + 0.6
    written = 0
    with contextlib.suppress(OSError):
        for number in range(40):
            with open(f"bytes-{number}", "wb", buffering=0) as stream:
                for _ in range(16):
                    written += stream.write(BLOCK)
            if time.monotonic() > end:
                break
    with contextlib.suppress(OSError):
        for number in range(20):
            stream = os.open(f"deleted-{number}", os.O_CREAT | os.O_RDWR)
            os.unlink(f"deleted-{number}")
            written += os.write(stream, BLOCK)
    names = 0
    with contextlib.suppress(OSError):
        while names < 50_000 and time.monotonic() < end + 0.5:
            os.mkdir(f"names-{names}") if names % 2 else os.symlink("/", f"names-{names}")
            names += 1
    with contextlib.suppress(OSError):
        for _ in range(2000):
            os.mkdir("deep")
            os.chdir("deep")
    return [f"{written >> 20} MiB"] if written > 200 << 20 else []
