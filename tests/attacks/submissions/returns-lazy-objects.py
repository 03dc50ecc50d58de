"""Returns objects that only become a value when they are asked, another each time, or never."""

import itertools

import numpy

COUNT = itertools.count()


class Lazy:
    def __array__(self, dtype=None, copy=None):
        return numpy.full(3, next(COUNT), dtype)

    __float__ = __index__ = __len__ = lambda self: next(COUNT)


class Endless(list):
    def __iter__(self):
        while True:
            yield 0.0


def max_pool(z):
    return (Lazy(), itertools.repeat(0.0), Endless([0.0]), (x for x in z))[len(z) % 4]
