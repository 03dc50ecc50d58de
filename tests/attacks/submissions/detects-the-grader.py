"""Looks for signs that it is being graded, and by which assignment's tests."""

import os
import sys


def attack(target):
    found = [name for name in ("pytest", "_pytest", "unittest.case", "hypothesis") if name in sys.modules]
    found += [f"argv {item}" for item in sys.argv if item]
    found += [f"path {item}" for item in sys.path if target["kit"] == item or item in ("", ".")]
    found += [f"environment {name}" for name, value in os.environ.items() if "grader" in (name + value).lower()]
    found += ["working folder"] if target["kit"] in os.getcwd() else []
    return found
