"""Recurses in Python and in C, without the limit that Python sets."""

import json
import sys


def max_pool(z):
    sys.setrecursionlimit(10**9)
    if len(z) % 2:
        json.dumps(deep(10**6))
    return max_pool(z)


def deep(levels):
    nest = []
    for _ in range(levels):
        nest = [nest]
    return nest
