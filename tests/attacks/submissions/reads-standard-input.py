"""Waits for somebody to type, and reads the bytes that were meant for another."""

import contextlib
import os
import sys


def attack(target):
    found = [sys.stdin.read()] + [os.read(0, 100).decode()]
    with contextlib.suppress(EOFError):
        found.append(input("password: "))
    return [text for text in found if text]
