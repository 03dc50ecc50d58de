"""How much faster do two cores grade than one?"""

import os
import time

import pytest

from autograder.pool import Pool

pytestmark = pytest.mark.bench

WARM_UP = 4  # submissions per process that do not count: processes start, and suites and references are new
MEASURED = 10  # per process


def per_second(workers, jobs):
    """Submissions per second, once all processes are warm."""
    with Pool(workers) as pool:
        stream = pool.run(jobs[: workers * (WARM_UP + MEASURED)])
        for number, (_, result) in enumerate(stream, 1):
            assert "report" in result
            if number == workers * WARM_UP:
                start = time.perf_counter()
        return workers * MEASURED / (time.perf_counter() - start)


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
    one, two = (per_second(workers, jobs) for workers in (1, 2))
    results.add(
        f"throughput on two cores: {what}",
        f"{two:.2f} submissions / s",
        f"one core: {one:.2f} / s",
        two / one,
        "ratio ≥ 1.7",
    )
