"""A new assignment costs four files, and no line elsewhere: one is added to a kit of its own, built, graded, proved."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.pipeline

MASTER = '''# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   autograder:
#     title: Doubling
#     order: 1
#     minutes: 5
#     libraries: [numpy]
#     functions:
#       double: {points: 60}
#       quadruple: {points: 40, needs: [double]}
# ---

# %% [markdown] name="why"
# # Doubling

# %% name="imports"
import numpy as np

# %% name="double"
def double(x):
    """Twice every entry of an array."""
    x = np.asarray(x, dtype=float)
    ### BEGIN SOLUTION
    if x.size == 0:
        raise ValueError("There is nothing to double.")
    return 2.0 * x
    ### END SOLUTION


# %% name="quadruple"
def quadruple(x):
    """Four times every entry of an array."""
    ### BEGIN SOLUTION
    return double(double(x))
    ### END SOLUTION
'''

SUITE = '''import pytest
from autograder.suite import points

@points(50)
@pytest.mark.parametrize("size", [1, 7])
def test_random_numbers(agrees, rng, size):
    """Every entry is doubled."""
    agrees.double(rng.normal(size=size))

@points(10)
def test_nothing_to_double(rejects):
    """ValueError for an empty array."""
    rejects.double([])

@points(40)
def test_four_times(agrees, rng):
    """Every entry is multiplied by four."""
    agrees.quadruple(rng.normal(size=(2, 3)))
'''

MISCONCEPTIONS = '''import numpy as np
from doubling import double as _right

def adds_two(x):
    """replaces: double

    Adding two and doubling agree for one number only; try your function on another one.
    """
    return _right(x) / 2 + 2

def squares(x):
    """replaces: double

    The square of two is twice two as well, and so an example with two tells nothing; try three.
    """
    return (_right(x) / 2) ** 2
'''

SUBMISSIONS = {
    "right.py": "def double(x):\n    if len(x) == 0:\n        raise ValueError\n    return x + x\n"
    "def quadruple(x):\n    return x * 4\n",
    "adds-two.py": "import numpy as np\ndef double(x):\n    if not len(x):\n        raise ValueError\n"
    "    return np.asarray(x) + 2.0\ndef quadruple(x):\n    return double(double(x))\n",
}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A kit that knows one small assignment."""
    root = tmp_path_factory.mktemp("kit")
    files = {
        "solutions/doubling.py": MASTER,
        "solutions/misconceptions/doubling.py": MISCONCEPTIONS,
        "tests/hidden/test_doubling.py": SUITE,
        "assignments/doubling/test_doubling.py": "def test_two(double):\n    assert double([2.0]) == [4.0]\n",
        **{f"class/{name.removesuffix('.py')}/doubling.py": text for name, text in SUBMISSIONS.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def autograder(kit: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user of that kit runs it."""
    return subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        env={**os.environ, "AUTOGRADER_KIT": str(kit), "COLUMNS": "200"},
        cwd=kit,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_stub_is_built_without_the_solution(kit):
    done = autograder(kit, "build")
    stub = (kit / "assignments" / "doubling" / "doubling.py").read_text()
    assert done.returncode == 0, done.stderr
    assert 'raise NotImplementedError("double")' in stub
    assert "2.0 * x" not in stub
    assert autograder(kit, "build", "--check").returncode == 0


def test_its_submissions_are_graded_and_an_error_is_carried_forward(kit):
    done = autograder(kit, "grade", "class", "-o", "marks", "--seed", "1")
    assert done.returncode == 0, done.stderr
    with (kit / "marks" / "gradebook.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["student"], row["doubling"], row["max_total"]) for row in rows] == [
        ("adds-two", "50", "100"),
        ("right", "100", "100"),
    ]


def test_the_audit_names_what_is_still_missing(kit):
    autograder(kit, "build")
    done = autograder(kit, "audit")
    assert done.returncode == 1
    assert "fewer than four right styles" in done.stdout
    assert "quadruple has fewer than two misconceptions" in done.stdout
    assert "loses no point" not in done.stdout
    assert "costs points in" not in done.stdout
