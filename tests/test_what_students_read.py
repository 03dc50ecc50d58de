"""Golden texts: what a student reads for each kind of failure. It is short, leads on, and shows no hidden value.

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/test_what_students_read.py

writes tests/golden/what-students-read.md anew. Read the difference as a student would, before you commit it.
"""

import os
import textwrap
from pathlib import Path

import pytest

from autograder import contract
from autograder.faces import gradescope
from autograder.grading import Grader
from autograder.intake import read_submission
from autograder.report import FAILURES
from autograder.sandbox import Limits

GOLDEN = Path(__file__).parent / "golden" / "what-students-read.md"
SEED = 7026
MOST_WORDS = 120  # a paragraph or two: who has to read more reads nothing

CORRELATION = """\
import numpy as np


def correlate1d(x, w):
    x, w = np.asarray(x, float), np.asarray(w, float)
    if x.ndim != 1 or w.ndim != 1 or not 1 <= len(w) <= len(x):
        raise ValueError
    y = np.array([x[n : n + len(w)] @ w for n in range(len(x) - len(w) + 1)])
    return {}
"""

# By what each shows: the kind of failure, the assignment, and a submission; the first failing test is shown.
CASES = {
    "a function that is not there": ("missing", "convolution", "def correlate1d(x, w):\n    return x\n"),
    "a stub that is untouched": (
        "exception",
        "pooling",
        "def sum_pool(z):\n    raise NotImplementedError('sum_pool')\n",
    ),
    "a function that raises": ("exception", "pooling", "def sum_pool(z):\n    return sum(z)[len(z)]\n"),
    "an import that is not there": (
        "exception",
        "pooling",
        "import nampy as np\ndef sum_pool(z):\n    return np.sum(z, -1)\n",
    ),
    "an error that is not raised": (
        "no-exception",
        "convolution",
        "import numpy as np\ndef moving_average(k):\n    return np.full(k, 1 / k) if k > 0 else np.ones(0)\n",
    ),
    "another error than the one that is asked for": (
        "wrong-exception",
        "convolution",
        "import numpy as np\ndef moving_average(k):\n    assert k > 0\n    return np.full(k, 1 / k)\n",
    ),
    "a result of the wrong shape": (
        "shape",
        "pooling",
        "import numpy as np\ndef max_pool(z):\n    return np.max(z, axis=-1, keepdims=True)\n",
    ),
    "a result of the wrong kind": (
        "type",
        "shapes",
        (
            "def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):\n"
            "    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1.0\n"
        ),
    ),
    "nothing returned": ("type", "pooling", "import numpy as np\ndef mean_pool(z):\n    np.mean(z, -1)\n"),
    "wrong values that nobody knows": (
        "value",
        "pooling",
        "import numpy as np\ndef mean_pool(z):\n    return np.median(np.asarray(z), axis=-1) ** 2\n",
    ),
    "wrong values that are a constant factor off": ("value", "convolution", CORRELATION.format("1.5 * y")),
    "right values the other way round": ("value", "convolution", CORRELATION.format("y[::-1]")),
    "right values that start one too late": ("value", "convolution", CORRELATION.format("np.append(y[1:], 0.0)")),
    "wrong values that a known mistake explains": (
        "value",
        "convolution",
        (
            "import numpy as np\n\n\ndef convolve2d(x, g):\n    x, g = np.asarray(x, float), np.asarray(g, float)\n"
            "    if x.ndim != 2 or g.ndim != 2 or not x.size or not g.size:\n        raise ValueError\n"
            "    w = np.lib.stride_tricks.sliding_window_view(x, g.shape)\n    return np.einsum('ijuv,uv->ij', w, g)\n"
        ),
    ),
    "an argument that is changed": (
        "state",
        "pooling",
        (
            "import numpy as np\n\n\ndef sum_pool(z):\n    z = np.asarray(z)\n    if not z.ndim or not z.shape[-1]:\n"
            "        raise ValueError\n    total = z.sum(-1)\n    z *= 0\n    return total\n"
        ),
    ),
    "a function that waits for another": (
        "blocked",
        "convolution",
        (
            "def convolve1d(x, g, mode='valid'):\n    raise NotImplementedError\n\n\n"
            "def correlate1d(x, w):\n    return convolve1d(x, w[::-1])\n"
        ),
    ),
    "a function that does not end": ("timeout", "pooling", "def sum_pool(z):\n    while True:\n        pass\n"),
    "a function that takes all memory": (
        "memory",
        "pooling",
        "import numpy as np\ndef sum_pool(z):\n    return np.ones(2**32).sum()\n",
    ),
    "a function that ends Python": ("crash", "pooling", "import os\ndef sum_pool(z):\n    os._exit(0)\n"),
    "a call that is not allowed": (
        "forbidden",
        "convolution",
        "import numpy as np\ndef convolve1d(x, g, mode='valid'):\n    return np.convolve(x, g, mode)\n",
    ),
    "a file with a slip of the pen": ("unreadable", "pooling", "def sum_pool(z)\n    return z\n"),
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """What each case's student reads, for the first test that fails as the case says."""
    folder = tmp_path_factory.mktemp("handed-in")
    with Grader(SEED, Limits(load=10, call=1.5, job=3)) as grader:
        return {name: read_by_its_student(grader, folder, *case) for name, case in CASES.items()}


def read_by_its_student(grader, folder, failure, name, text):
    assignment = contract.assignment(name)
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    report = grader.grade(read_submission([path], contract.assignments()), [assignment])
    tests = gradescope.results(report)["tests"]
    failing = [test for test in tests if test["extra_data"]["failure"] == failure]
    assert failing, [test["extra_data"]["failure"] for test in tests]
    return f"{failing[0]['name']}\n\n{failing[0]['output']}"


def test_every_kind_of_failure_is_shown():
    assert {failure for failure, _, _ in CASES.values()} == set(FAILURES)


def test_what_students_read_is_what_it_was(texts):
    parts = [f"## {name}\n\n{textwrap.indent(text, '    ', lambda _: True)}" for name, text in texts.items()]
    page = "# What students read\n\n" + "\n\n".join(parts).replace("    \n", "\n") + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8")


def test_it_is_short(texts):
    assert [name for name, text in texts.items() if len(text.split()) > MOST_WORDS] == []


def test_it_leads_on_and_never_shows_a_frame_of_the_kit(texts):
    for text in texts.values():
        assert "autograder" not in text
        assert "Traceback" not in text
