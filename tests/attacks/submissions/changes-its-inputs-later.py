"""Returns a view of its input and goes on changing both from a thread."""

import threading

import numpy


def max_pool(z):
    z = numpy.asarray(z, dtype=float)
    view = z[..., -1:][..., 0]

    def change():
        while True:
            z[...] = numpy.random.normal(size=z.shape)
            view[...] = 0

    threading.Thread(target=change, daemon=True).start()
    return view
