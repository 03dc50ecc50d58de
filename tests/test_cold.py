"""Level D: where a warm process cannot be forked, each worker is a fresh one; slower, and to the same result."""

import subprocess
import sys

import pytest

from autograder.identity import Identities
from autograder.preflight import preflight
from autograder.sandbox import Call, Limits, Sandbox, Source

TEXT = """
import os
import time

import numpy as np


def double(x):
    return 2 * np.asarray(x)


def die():
    os._exit(7)


def sleep():
    time.sleep(60)


def write():
    with open("mine", "w") as file:
        return file.write("x")
"""
SOURCE = Source("cold", "cold.py", (TEXT,))
LIMITS = Limits(30, 1, 30)


@pytest.fixture(scope="module")
def box():
    with Identities() as identities:
        box = Sandbox(["numpy"], identities, cold=True)
        yield box
        box.close()


def test_a_cold_worker_answers_as_a_warm_one(box):
    """All calls of a job are made in one fresh process, and observed as always."""
    seen = box.students.observe(SOURCE, [Call(("double",), ([1, 2],)), Call(("write",)), Call(("none",))], LIMITS)
    assert seen[0].value.tolist() == [2, 4]
    assert [item.ending for item in seen] == ["returned", "returned", "absent"]


def test_a_cold_worker_that_ends_or_hangs_costs_its_own_call(box):
    """The next call is made in another process."""
    calls = [Call(("die",)), Call(("sleep",)), Call(("double",), (3,))]
    seen = box.students.observe(SOURCE, calls, LIMITS)
    assert [item.ending for item in seen] == ["crash", "timeout", "returned"]
    assert seen[0].text == "exit status 7"


def test_what_walls_there_are_stand_in_a_cold_worker(box):
    """The preflight works as always: on Linux a cold worker is no less confined."""
    assert preflight(box).level == ("A" if sys.platform == "linux" else "D")


def test_the_package_can_be_imported_without_the_modules_of_unix():
    """`autograder --help` works everywhere, also where nothing can be graded but in a container."""
    program = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'termios', 'pwd', 'grp'): sys.modules[name] = None\n"
        "import autograder.cli, autograder.doctor, autograder.container, autograder.cold\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
