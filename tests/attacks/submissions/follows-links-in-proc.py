"""Goes where another process is: its working folder, its root, its open files."""

import os

from tools import works


def attack(target):
    others = (target["grader"], target["victim"], os.getppid(), 1)
    links = [f"/proc/{pid}/{name}" for pid in others for name in ("cwd", "root", "exe", "fd/0", "fd/3", "ns/mnt")]
    found = [path for path in links if works(os.readlink, path)]
    return found + [path for path in links[:2] if works(os.listdir, path)]
