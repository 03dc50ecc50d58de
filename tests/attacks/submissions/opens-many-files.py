"""Opens files until there are no more descriptors, and asks for a higher limit."""

import contextlib
import os
import resource

from tools import those_that_work


def attack(target):
    found = those_that_work({"a higher limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 16, 1 << 16))})
    kept = []
    with contextlib.suppress(OSError):
        while len(kept) < 5000:
            kept.append(os.dup(1))
    for descriptor in kept:
        os.close(descriptor)
    return found + ([f"{len(kept)} descriptors"] if len(kept) > 256 else [])
