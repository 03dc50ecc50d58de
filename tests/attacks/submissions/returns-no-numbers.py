"""Returns NaN, infinity, masks, complex numbers, objects, strings and integers without end."""

import numpy


def max_pool(z):
    shape = numpy.shape(z)[:-1]
    everything = (
        numpy.full(shape, numpy.nan),
        numpy.full(shape, numpy.inf),
        numpy.ma.masked_all(shape),
        numpy.full(shape, complex(0, numpy.nan)),
        numpy.full(shape, None),
        numpy.full(shape, "0"),
        10**5000,
        numpy.full(shape, numpy.datetime64("NaT")),
    )
    return everything[numpy.size(z) % len(everything)]
