"""How fast are the masters, beside what NumPy and PyTorch do themselves?

One thread each, in turns, and of many rounds the fastest; CPU time, so that other processes matter little.
"""

import time

import conv2d
import convolution
import numpy as np
import pooling
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch.nn import functional

pytestmark = pytest.mark.bench

ROUNDS = 40
RNG = np.random.default_rng(0)
SIGNAL, FILTER = RNG.normal(size=100_000), RNG.normal(size=101)
IMAGES = RNG.normal(size=(8, 16, 64, 64)).astype(np.float32)

POOLS = {
    "max_pool2d, 2": (pooling.max_pool2d, functional.max_pool2d, (2,)),
    "max_pool2d, 3, stride 2, padding 1": (pooling.max_pool2d, functional.max_pool2d, (3, 2, 1)),
    "avg_pool2d, 2": (pooling.avg_pool2d, functional.avg_pool2d, (2,)),
    "avg_pool2d, 3, stride 2, padding 1": (pooling.avg_pool2d, functional.avg_pool2d, (3, 2, 1)),
    "adaptive_avg_pool2d, 4": (pooling.adaptive_avg_pool2d, functional.adaptive_avg_pool2d, (4,)),
    "adaptive_avg_pool2d, (7, 5)": (pooling.adaptive_avg_pool2d, functional.adaptive_avg_pool2d, ((7, 5),)),
}


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


def compare(results, what, ours, peer, theirs, aim):
    """Add a row on two functions without arguments."""
    fastest = {function: float("inf") for function in (ours, theirs)}
    for _ in range(ROUNDS):
        for function in fastest:
            start = time.process_time()
            function()
            fastest[function] = min(fastest[function], time.process_time() - start)
    mine, other = (fastest[function] * 1e3 for function in (ours, theirs))
    results.add(what, f"{mine:.2f} ms", f"{peer}: {other:.2f} ms", mine / other, aim)


@pytest.mark.parametrize("mode", ["valid", "full", "same"])
def test_convolution_of_a_long_signal(results, mode):
    compare(
        results,
        f"convolve1d (100,000, 101), {mode}",
        lambda: convolution.convolve1d(SIGNAL, FILTER, mode),
        "numpy.convolve",
        lambda: np.convolve(SIGNAL, FILTER, mode),
        "ratio ≤ 1.5",
    )


def test_forward_pass_of_a_convolution_layer(results):
    ours, theirs = conv2d.Conv2d(16, 32, 3), torch.nn.Conv2d(16, 32, 3)
    images = torch.from_numpy(IMAGES)
    compare(
        results,
        "Conv2d forward (8, 16, 64, 64), 32 filters 3 × 3",
        lambda: ours(images),
        "torch.nn.Conv2d",
        lambda: theirs(images),
        "ratio ≤ 3",
    )


@pytest.mark.parametrize("name", POOLS)
def test_pooling_of_images(results, name):
    ours, theirs, arguments = POOLS[name]
    images = torch.from_numpy(IMAGES)
    compare(
        results,
        f"{name} (8, 16, 64, 64)",
        lambda: ours(IMAGES, *arguments),
        "torch",
        lambda: theirs(images, *arguments),
        "ratio ≤ 3",
    )
