"""Reads environments and command lines: seeds, paths, tokens."""

import os

from tools import read, works


def attack(target):
    others = (target["grader"], target["victim"], os.getppid(), 1)
    found = [
        f"/proc/{pid}/{name}" for pid in others for name in ("environ", "cmdline") if works(read, f"/proc/{pid}/{name}")
    ]
    own = [
        name
        for name in os.environ
        if any(word in name for word in ("SEED", "TOKEN", "SECRET", "PYTEST", "AUTOGRADER", "SUDO"))
    ]
    return found + own
