"""How long do otter-grader and nbgrader take for a submission of the same answers, beside this kit?

The peers get one notebook with six questions, an assignment's answer in each, and a few visible tests per question.
The kit grades the same answers with all its hidden tests, behind walls. Each is run as its users run it, from the
start of the command to its end; `otter run` takes one submission at a time.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sysconfig
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.bench

CLASS = 6  # submissions
PATIENCE = 300  # seconds

# assignment: expressions that are true of right answers.
QUESTIONS = {
    "convolution": [
        "np.allclose(convolve1d([1, 2, 3, 4, 5], [1, 2]), [4, 7, 10, 13])",
        "np.allclose(correlate1d([1, 2, 3, 4, 5], [1, 2]), [5, 8, 11, 14])",
        "np.shape(convolution_matrix([1, 2], 5)) == (4, 5)",
    ],
    "pooling": [
        "np.allclose(sum_pool([4, 7, 10, 13]), 34)",
        "np.allclose(max_pool2d([[3, -1, 2], [-2, -4, 6], [5, 0, -1]], 2), [[3]])",
        "np.allclose(adaptive_avg_pool2d([[1, 2, 3, 4, 5]], (1, 2)), [[2, 4]])",
    ],
    "shapes": [
        "conv_output_length(5, 2) == 4",
        "tuple(pool2d_output_shape((3, 9, 7), 2)) == (3, 4, 3)",
        "receptive_field([(3, 1), (3, 2)]) == 5",
    ],
    "parameters": [
        "perceptron_parameters(1, 0.1) == 11",
        "conv2d_parameters(3, 32, 2) == 416",
        "network_parameters((3, 5, 5), [{'kind': 'flatten'}, {'kind': 'linear', 'out_features': 10}]) == 760",
    ],
    "conv2d": [
        "Conv2d(3, 32, kernel_size=2)(torch.zeros(1, 3, 16, 12)).shape == (1, 32, 15, 11)",
        "Conv2d(2, 3, 2, bias=False).bias is None",
        (
            "[np.shape(g) for g in conv2d_backward("
            "np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 3)), np.ones((1, 1, 1, 2)))]"
            " == [(1, 1, 1, 3), (1, 1, 1, 2), (1,)]"
        ),
    ],
    "training": [
        "pick_device().type in ('cuda', 'mps', 'cpu')",
        "ConvNet(3, 8, 16, 10)(torch.zeros(5, 3, 32, 24)).shape == (5, 10)",
        "sum(parameter.numel() for parameter in ConvNet(3, 8, 16, 10).parameters()) == 1282",
    ],
}
IMPORTS = "import numpy as np\nimport torch\n"


@pytest.fixture(scope="module")
def kit_seconds(results, tmp_path_factory, right):
    """Seconds per submission that the kit takes, with one grading process."""
    folder = tmp_path_factory.mktemp("kit")
    for number in range(CLASS):
        shutil.copytree(right, folder / "class" / f"student {number}")
    seconds = run(folder, "autograder", "grade", "class", "-o", "results", "--workers", "1") / CLASS
    results.add(f"autograder grade, {CLASS} submissions, one process", f"{seconds:.1f} s per submission")
    return seconds


def run(folder, *command):
    """Seconds that a command takes; its last line as a RuntimeError where it fails."""
    scripts = sysconfig.get_path("scripts")  # nbgrader starts alembic by name
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [f"{scripts}/{command[0]}", *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"{error}") from error
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1:] or done.returncode)
    return time.perf_counter() - start


def compare(results, what, measure, folder, kit_seconds):
    """Add a row on a peer, or one that says why there is no number."""
    try:
        seconds = measure(folder)
    except RuntimeError as error:
        results.add(what, f"could not be run here: {error}")
    else:
        results.add(what, f"{seconds:.1f} s per submission", f"this kit: {kit_seconds:.1f} s", seconds / kit_seconds)


def notebook(path, cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def test_otter_run(results, tmp_path, right, kit_seconds):
    def measure(folder):
        for name, expressions in QUESTIONS.items():
            cases = [{"code": f">>> bool({expression})\nTrue"} for expression in expressions]
            test = {"name": name, "points": 1, "suites": [{"cases": cases, "scored": True, "type": "doctest"}]}
            path = folder / "tests" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n")
        answers = [new_code_cell((right / f"{name}.py").read_text("utf-8")) for name in QUESTIONS]
        notebook(folder / "six.ipynb", [new_code_cell(IMPORTS), *answers])
        run(folder, "otter", "generate", "-t", "tests", "-o", "autograder.zip")
        seconds = run(folder, "otter", "run", "-a", "autograder.zip", "-o", ".", "six.ipynb")
        tests = json.loads((folder / "results.json").read_text())["tests"]
        assert sum(test.get("score", 0) for test in tests) == len(QUESTIONS)
        return seconds

    compare(results, "otter run, visible tests", measure, tmp_path, kit_seconds)


def test_nbgrader_autograde(results, tmp_path, right, kit_seconds):
    def measure(folder):
        cells = [cell for name in QUESTIONS for cell in nbgrader_cells(name, (right / f"{name}.py").read_text("utf-8"))]
        notebook(folder / "source" / "six" / "six.ipynb", [new_code_cell(IMPORTS), *cells])
        for number in range(CLASS):
            shutil.copytree(folder / "source" / "six", folder / "submitted" / f"student{number}" / "six")
        run(folder, "nbgrader", "generate_assignment", "six", "--create")
        seconds = run(folder, "nbgrader", "autograde", "six") / CLASS
        with sqlite3.connect(folder / "gradebook.db") as gradebook:
            (score,) = gradebook.execute("SELECT sum(auto_score) FROM grade").fetchone()
        assert score == CLASS * len(QUESTIONS)
        return seconds

    compare(results, "nbgrader autograde, visible tests", measure, tmp_path, kit_seconds)


def nbgrader_cells(name, answer):
    """A solution cell and a cell of tests, which is worth one point."""
    common = {"schema_version": 3, "task": False}
    solution = {"grade_id": name, "solution": True, "grade": False, "locked": False, **common}
    tests = {"grade_id": f"test-{name}", "solution": False, "grade": True, "locked": True, "points": 1, **common}
    checks = "\n".join(f"assert {expression}" for expression in QUESTIONS[name])
    return [
        new_code_cell(answer, metadata={"nbgrader": solution}),
        new_code_cell(checks, metadata={"nbgrader": tests}),
    ]
