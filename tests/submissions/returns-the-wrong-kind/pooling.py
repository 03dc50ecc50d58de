import numpy as np


def sum_pool(z):
    return np.sum  # a function that would know


def mean_pool(z):
    return complex(np.mean(z))  # a complex number


def max_pool(z):
    return {"max": np.max(z)}  # a dict


def max_pool2d(x, kernel_size, stride=None, padding=0):
    return [[None, None], [None]]  # a list, ragged, of nothing


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    return np.array([str(value) for value in np.ravel(x)])  # an array of texts


class Lazy:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("not today")


def adaptive_avg_pool2d(x, output_size):
    return Lazy()  # an array, says its class
