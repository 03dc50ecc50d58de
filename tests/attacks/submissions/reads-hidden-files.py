"""Opens masters, misconceptions and hidden suites by their paths, and lists their folders."""

import os

from tools import read, works


def attack(target):
    folders = {os.path.dirname(path) for path in target["hidden"]}
    return [p for p in target["hidden"] if works(read, p)] + [p for p in folders if works(os.listdir, p)]
