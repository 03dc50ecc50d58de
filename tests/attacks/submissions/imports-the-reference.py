"""Imports masters, suites and the grader by name, with every folder of the kit on sys.path."""

import importlib
import sys

from tools import works


def attack(target):
    kit = target["kit"]
    sys.path[:0] = [f"{kit}/solutions", f"{kit}/tests/hidden", kit, "/", ".", ".."]
    importlib.invalidate_caches()
    names = ("misconceptions.pooling", "solutions.pooling", "test_pooling", "autograder.suite", "autograder.grading")
    return [name for name in names if works(importlib.import_module, name)]
