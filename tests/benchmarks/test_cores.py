"""How much faster do two cores grade than one?

One core means one: else a grading process and its worker, which take turns but for moments, would share out two.
"""

import contextlib
import os
import time

import pytest

from autograder.pool import Pool

pytestmark = pytest.mark.bench

WARM_UP = 4  # submissions per process that do not count: processes start, and suites and references are new
MEASURED = 10  # per process


@contextlib.contextmanager
def only(cores):
    """This process, and those that it starts, run on so many cores."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(usual)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def per_second(cores, jobs):
    """Submissions per second, once all processes are warm, of which there is one for each core."""
    with only(cores), Pool(cores) as pool:
        stream = pool.run(jobs[: cores * (WARM_UP + MEASURED)])
        for number, (_, result) in enumerate(stream, 1):
            assert "report" in result
            if number == cores * WARM_UP:
                start = time.perf_counter()
        return cores * MEASURED / (time.perf_counter() - start)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("four NumPy assignments", ["convolution", "pooling", "shapes", "parameters"]),
        ("conv2d, with torch", ["conv2d"]),
    ],
)
def test_two_cores_against_one(results, job, what, names):
    jobs = [job(f"student {number}", names) for number in range(2 * (WARM_UP + MEASURED))]
    one, two = (per_second(cores, jobs) for cores in (1, 2))
    results.add(
        f"throughput on two cores: {what}",
        f"{two:.2f} submissions / s",
        f"one core: {one:.2f} / s",
        two / one,
        "ratio ≥ 1.7",
    )
