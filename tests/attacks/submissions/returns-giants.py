"""Returns arrays that take no memory here and all of it there, and lists that contain themselves."""

import numpy
from numpy.lib.stride_tricks import as_strided


def max_pool(z):
    endless = []
    endless.append(endless)
    one = numpy.zeros(1)
    giants = (
        lambda: as_strided(one, (1 << 40,), (0,)),
        lambda: numpy.empty((0, 1 << 40)),
        lambda: endless,
        lambda: numpy.zeros((2,) * 20),
        lambda: [[0.0] * 10_000] * 10_000,
        lambda: "x" * (1 << 26),
        lambda: numpy.zeros(6 << 20),
    )
    return giants[numpy.size(z) % len(giants)]()
