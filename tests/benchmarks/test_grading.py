"""What does it cost to grade one right submission of all six assignments, warm, beyond what its own functions cost?"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.pool import grade_job
from autograder.sandbox import Call, Limits, Source, Zygote, sandbox

pytestmark = pytest.mark.bench

ROUNDS = 8
FORKS = 100


def script(name, *arguments):
    """What one of the scripts beside this file prints, with one thread for everything."""
    command = [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


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
    walls, cpus = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), tree.cpu_seconds()
        report = grade_job(task)["report"]
        walls.append(time.perf_counter() - wall)
        cpus.append(tree.cpu_seconds() - cpu)
    wall, cpu = min(walls), min(cpus)  # as of its own: the machine may be shared
    assert all(verdict["failure"] is None for part in report["assignments"] for verdict in part["verdicts"])

    alone = sum(script("alone.py", *task.paths, task.seed).values())
    results.add(
        "all six assignments of a right submission: CPU beyond its own",
        f"{cpu - alone:.2f} s",
        f"its own: {alone:.2f} s",
        cpu / alone,
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
    floor = script("bare_fork.py", libraries, FORKS)
    results.add(
        f"a fresh confined worker, {libraries.replace(',', ' and ')}: CPU",
        f"{cpu * 1e3:.1f} ms ({wall * 1e3:.1f} ms wall)",
        f"bare fork: {floor['cpu'] * 1e3:.1f} ms ({floor['wall'] * 1e3:.1f} ms wall)",
        cpu / floor["cpu"],
        "near the floor",
    )
