"""Makes its scratch folder hard to remove: modes, links out of it, set-uid bits, names that are no text, no FIFO."""

import contextlib
import os
import stat

from tools import those_that_work, write


def attack(target):
    os.makedirs("locked/inner")
    write("locked/inner/file")
    os.symlink(os.path.dirname(target["results"]), "results")
    os.symlink("/", "locked/root")
    os.mkdir(b"\xff\xfe\n")
    os.close(os.open("set-uid", os.O_CREAT | os.O_WRONLY, 0o6777))
    os.makedirs("a/" + "/".join(["b" * 200] * 15))
    for path, mode in (("set-uid", 0o6777), ("locked/inner", 0), ("locked", 0), (".", 0o777), (".", 0)):
        with contextlib.suppress(OSError):
            os.fchmod(os.open(path, os.O_RDONLY), mode)
    with contextlib.suppress(OSError):
        os.mkdir("no-mode", 0)
    device = lambda kind: os.mknod("device", kind | 0o666, os.makedev(1, 3))  # noqa: E731
    return those_that_work(
        {
            "a device": lambda: device(stat.S_IFCHR),
            "a FIFO": lambda: os.mkfifo("fifo"),
            "a socket": lambda: device(stat.S_IFSOCK),
            "hard link to a hidden file": lambda: os.link(target["hidden"][0], "hard"),
        }
    )
