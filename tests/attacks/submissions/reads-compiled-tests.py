"""Looks for compiled masters and suites beside their sources."""

import glob
import importlib.util
import os

from tools import read, works


def attack(target):
    cached = [importlib.util.cache_from_source(path) for path in target["hidden"]]
    folders = {os.path.dirname(path) for path in cached}
    found = [*cached, *(path for folder in folders for path in glob.glob(f"{folder}/*.pyc"))]
    return [path for path in found if works(read, path)]
