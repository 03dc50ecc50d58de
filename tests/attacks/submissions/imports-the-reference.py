"""Imports masters, suites and the grader by name, with every folder of the kit on sys.path."""

import importlib
import sys

from tools import works


def attack(target):
    kit, before = target["kit"], sys.path[:]
    sys.path[:0] = [f"{kit}/solutions", f"{kit}/tests/hidden", kit, "/", ".", ".."]
    importlib.invalidate_caches()
    names = ("misconceptions.pooling", "solutions.pooling", "test_pooling", "autograder.suite", "autograder.grading")
    found = [name for name in names if works(importlib.import_module, name)]
    sys.path[:] = before  # others look at it
    return found
