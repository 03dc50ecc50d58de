"""What does it cost to grade one right submission of all six assignments, warm, beyond what its own functions cost?"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.pool import grade_job
from autograder.sandbox import Call, Limits, Source, Zygote, sandbox

pytestmark = pytest.mark.bench

ROUNDS = 12
FORKS = 100


ALONE = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def script(name, *arguments):
    """The command of one of the scripts beside this file; it is to be run with one thread for everything."""
    return [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]


@contextlib.contextmanager
def alone(task):
    """Measures what a round of all calls costs that are made directly, in CPU seconds."""
    command, pipe = script("alone.py", *task.paths, task.seed), subprocess.PIPE
    with subprocess.Popen(command, env=ALONE, stdin=pipe, stdout=pipe, text=True) as process:

        def measured():
            process.stdin.write("once more\n")
            process.stdin.flush()
            return sum(json.loads(process.stdout.readline()).values())

        measured()
        yield measured
        process.stdin.close()


def test_one_submission_of_all_six_assignments(results, processes, job, monkeypatch):
    spawned = []
    command = Zygote.command

    def counting(zygote, what, *rest):
        spawned.append(what["do"] == "spawn")
        return command(zygote, what, *rest)

    task, tree = job("right"), processes(os.getpid())
    first = time.perf_counter()
    grade_job(task)
    first = time.perf_counter() - first
    monkeypatch.setattr(Zygote, "command", counting)
    walls, cpus, owns = [], [], []
    with alone(task) as own_seconds:
        for _ in range(ROUNDS):
            wall, cpu = time.perf_counter(), tree.cpu_seconds()
            report = grade_job(task)["report"]
            walls.append(time.perf_counter() - wall)
            cpus.append(tree.cpu_seconds() - cpu)
            owns.append(own_seconds())
    assert all(verdict["failure"] is None for part in report["assignments"] for verdict in part["verdicts"])

    # Each round beside one of its own: the machine may be shared, and its speed may change.
    beyond = statistics.median(cpu - own for cpu, own in zip(cpus, owns, strict=True))
    own, wall = statistics.median(owns), statistics.median(walls)
    results.add(
        "all six assignments of a right submission: CPU beyond its own",
        f"{beyond:.2f} s",
        f"its own: {own:.2f} s",
        (beyond + own) / own,
        "measured ≤ 0.6 s, better 0.3 s",
    )
    results.add("the same: wall-clock time, warm", f"{wall:.2f} s", f"the first time, cold: {first:.1f} s")
    results.add("the same: workers forked", f"{sum(spawned) / ROUNDS:.0f}")


@pytest.mark.parametrize("libraries", ["numpy", "numpy,torch"])
def test_one_fresh_confined_worker(results, processes, libraries):
    """With walls, an empty submission, one call, and everything cleaned up."""
    source, calls = Source("empty", "empty.py", ("def f():\n    return 0\n",)), [Call(("f",))]
    tree = processes(os.getpid())
    with sandbox(libraries.split(",")) as box:
        assert box.students.observe(source, calls, Limits())[0].value == 0
        wall, cpu = time.perf_counter(), tree.cpu_seconds()
        for _ in range(FORKS):
            box.students.observe(source, calls, Limits())
        wall, cpu = (time.perf_counter() - wall) / FORKS, (tree.cpu_seconds() - cpu) / FORKS
    command = script("bare_fork.py", libraries, FORKS)
    floor = json.loads(subprocess.run(command, env=ALONE, check=True, capture_output=True, text=True).stdout)
    results.add(
        f"a fresh confined worker, {libraries.replace(',', ' and ')}: CPU",
        f"{cpu * 1e3:.1f} ms ({wall * 1e3:.1f} ms wall)",
        f"bare fork: {floor['cpu'] * 1e3:.1f} ms ({floor['wall'] * 1e3:.1f} ms wall)",
        cpu / floor["cpu"],
        "near the floor",
    )
