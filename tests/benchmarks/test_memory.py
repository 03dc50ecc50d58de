"""How much memory does one grading process take with all that it starts, and does it stay the same?"""

import multiprocessing
import re
import threading

import pytest

from autograder.pool import Pool

pytestmark = pytest.mark.bench

EVERY = 0.02  # seconds between two looks
FILES = 25  # what is held of files changes slowly and takes long to add up: every so many looks
SIZES = (10, 100, 500)
MIB = 2**20


class Peak(threading.Thread):
    """The most memory that this process's only child, with all that descends from it, has at any time in a block."""

    def __init__(self, processes):
        super().__init__(daemon=True)
        self.processes = processes
        self.ended = threading.Event()
        self.own = self.files = self.looks = 0

    def run(self):
        while not self.ended.wait(EVERY):
            for child in multiprocessing.active_children():
                tree = self.processes(child.pid)
                self.own = max(self.own, tree.own_memory())
                if self.looks % FILES == 0:
                    self.files = max(self.files, tree.file_memory())
                self.looks += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


def test_peak_of_a_grading_process_and_its_workers(results, processes, job):
    """Each page once, as PSS has it; the first submission is the worst, as suites and references are new."""
    with Peak(processes) as peak, Pool(1) as pool:
        for _, result in pool.run([job(f"student {number}") for number in range(3)]):
            assert "report" in result
    own, files = peak.own / MIB, peak.files / MIB
    results.add(
        "peak memory of one grading process, its zygotes and worker, all six",
        f"{own + files:.0f} MiB",
        f"of which libraries' files: {files:.0f} MiB",
        aim="≤ 600 MiB",
    )


def test_memory_does_not_grow_with_the_class(results, processes, job):
    size = dict[int, float]()
    with Pool(1) as pool:
        for number, (_, result) in enumerate(pool.run([job(f"{n}", ["parameters"]) for n in range(SIZES[-1])]), 1):
            assert "report" in result
            if number in SIZES:
                (child,) = multiprocessing.active_children()
                tree = processes(child.pid)
                status = tree.read(child.pid, "status")
                size[number] = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    results.add(
        f"memory (RSS) of the grading process after {', '.join(map(str, SIZES))} submissions",
        ", ".join(f"{size[number]:.0f}" for number in SIZES) + " MiB",
        f"after {SIZES[0]}: {size[SIZES[0]]:.0f} MiB",
        size[SIZES[-1]] / size[SIZES[0]],
        "flat: ratio 1",
    )
