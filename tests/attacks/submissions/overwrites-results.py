"""Writes to the results and to the kit, and puts links where the grader will write."""

import os

from tools import those_that_work, write


def attack(target):
    results = target["results"]
    folder = os.path.dirname(results)
    return those_that_work(
        {
            "overwritten": lambda: os.close(os.open(results, os.O_WRONLY)),
            "emptied": lambda: os.truncate(results, 0),
            "removed": lambda: os.unlink(results),
            "replaced": lambda: os.symlink("/dev/null", results),
            "another beside it": lambda: write(f"{folder}/{target['marker']}"),
            "its mode": lambda: os.chmod(folder, 0o777),
            "its times": lambda: os.utime(folder),
            "moved": lambda: os.rename(folder, f"{folder}-{target['marker']}"),
            **{path: lambda path=path: os.close(os.open(path, os.O_WRONLY)) for path in target["hidden"]},
            "the kit": lambda: write(f"{target['kit']}/{target['marker']}"),
        }
    )
