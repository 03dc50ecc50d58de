"""Starts threads until there are no more, with the smallest stacks that there may be."""

import threading
import time


def attack(target):
    threading.stack_size(32768)
    count, stop, end = 0, threading.Event(), time.monotonic() + 4  # seconds, of which a free machine takes a tenth
    try:
        while count < 1200 and time.monotonic() < end:
            threading.Thread(target=stop.wait, daemon=True).start()
            count += 1
    except (RuntimeError, MemoryError):
        pass
    stop.set()
    return [f"{count} threads"] if count > 1000 else []
