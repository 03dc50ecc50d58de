"""The honest part of every hostile submission: two functions, ten points."""

import numpy as np


def sum_pool(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("there is nothing to sum")
    return z.sum(-1)


def mean_pool(z):
    z = np.asarray(z)
    if not z.ndim or not z.shape[-1]:
        raise ValueError("there is nothing to average")
    return z.mean(-1)
