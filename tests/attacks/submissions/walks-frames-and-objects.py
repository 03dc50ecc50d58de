"""Walks frames, the collector's objects and sys.modules for anything of the trusted side."""

import contextlib
import gc
import inspect
import re
import sys

SECRET = re.compile(r"#{3}\sBEGIN\sSOLUTION")  # stands in every master, and so not in this file nor what is made of it
TRUSTED = ("grading", "suite", "compare", "references", "sandbox", "contract", "preflight")


def attack(target):
    found = [name for name in ("pytest", *(f"autograder.{name}" for name in TRUSTED)) if name in sys.modules]
    values = [
        value for info in inspect.stack(0) for value in (*info.frame.f_globals.values(), *info.frame.f_locals.values())
    ]
    values += gc.get_objects()
    for value in values:
        with contextlib.suppress(BaseException):
            found += ["a master's text" for item in (value, *gc.get_referents(value)) if secret(item)]
    return sorted(set(found))


def secret(value):
    return type(value) is str and SECRET.search(value) is not None
