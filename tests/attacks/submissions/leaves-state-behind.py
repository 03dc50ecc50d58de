"""Leaves something for the next submission wherever anything may last, and looks for what others have left."""

import os

from tools import call, those_that_work, works, write


def attack(target):
    name = target["marker"]
    folders = (*target["shared"], "/", "/run", "/var/lib", "/home", "/root", "/etc", os.path.dirname(os.getcwd()), "..")
    found = [folder for folder in folders if works(write, os.path.join(folder, name))]
    found += [f"left by another: {path}" for path in (name, f"/tmp/{name}", f"/dev/shm/{name}") if os.path.exists(path)]
    write(name)  # in its own scratch folder, where it must be gone the next time
    return found + those_that_work(
        {
            "shmget": lambda: call(29, 194, 0x5EED, 4096, 0o1666),
            "semget": lambda: call(64, 190, 0x5EED, 1, 0o1666),
            "msgget": lambda: call(68, 186, 0x5EED, 0o1666),
            "mq_open": lambda: call(240, 180, name.encode(), 0o102, 0o666, None),
            "add_key": lambda: call(248, 217, b"user", name.encode(), b"x", 1, -4),
            "keyctl": lambda: call(250, 219, 0, -4, 1),
        }
    )
