"""Golden tests: each of tests/submissions shows one thing, and gets just what it deserves.

The folder is graded once, by the command that instructors use. What each submission gets stands in tests/golden:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest -m "" tests/test_submissions.py

writes these files anew (and the copies of the stubs), after a change that is meant to change them. Read the difference
before you commit it.
"""

import csv
import itertools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from autograder import contract
from autograder.intake import find_submissions, student_name

HERE = Path(__file__).parent
SUBMISSIONS, GOLDEN = HERE / "submissions", HERE / "golden"
SCHEMA = json.loads((HERE / "results.schema.json").read_text(encoding="utf-8"))
STUDENTS = [student_name(path) for path in find_submissions(SUBMISSIONS)]
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
MEND = 'UPDATE_GOLDEN=1 .venv/bin/python -m pytest -m "" tests/test_submissions.py'
SEED = 7026

EVERYTHING = {assignment.name for assignment in contract.assignments()}
# Which functions may lose points, and how: all others keep theirs.
LOSSES = {
    "calls-numpy-convolve": {"convolve1d": "forbidden"},
    "dies-in-one-function": {"receptive_field": "crash"},
    "eats-memory": {"moving_average": "memory"},
    "hangs-in-pooling": {"max_pool": "timeout"},
    "missing-file": {},
    "notebook": {},
    "prints-megabytes": {},
    "right": {},
    "right-in-another-style": {},
    "segfaults-in-one-function": {"correlate1d": "crash"},
    "zipped": {},
}
# The misconception that each plain mistake is told, by function; what follows from it costs nothing again.
MISTAKES = {
    "flips-nothing": {"convolve1d": "no-flip", "convolve2d": "no-flip-of-the-picture-filter"},
    "forgets-bias": {
        "perceptron_parameters": "weights-only",
        "linear_parameters": "linear-without-bias",
        "conv1d_parameters": "conv1d-without-bias",
        "conv2d_parameters": "conv2d-without-bias",
    },
    "ignores-stride-backwards": {"conv2d_backward": "stride-ignored-backwards"},
    "length-t-minus-k": {"conv_output_length": "no-plus-one"},
    "never-zeroes-gradients": {"train_one_epoch": "no-zero-grad"},
    "pads-max-with-zeros": {"max_pool2d": "max-pads-with-zeros"},
}


@dataclass(frozen=True)
class Graded:
    """What the command left in OUT, and what it said."""

    out: Path
    said: str

    def results(self, student):
        return json.loads(self.file(student, "results.json"), parse_constant=pytest.fail)

    def file(self, student, name):
        return (self.out / "students" / student / name).read_text(encoding="utf-8")

    def failing(self, student):
        return [test["extra_data"] for test in self.results(student)["tests"] if test["extra_data"]["failure"]]


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """All sample submissions, graded once."""
    out = tmp_path_factory.mktemp("graded")
    command = [Path(sys.executable).with_name("autograder"), "grade", SUBMISSIONS, "-o", out, "--seed", str(SEED)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=1200)
    assert done.returncode == 0, done.stderr
    return Graded(out, done.stdout)


def summary(results):
    """What a submission got, in few lines: its overview, then every function and what failed in it."""
    lines, assignment = [results["output"]], None
    for (name, function), group in itertools.groupby(results["tests"], key=graded_by):
        if name != assignment:
            assignment = name
            lines.append(f"\n{assignment}")
        tests = list(group)
        score, points = (sum(test[key] for test in tests) for key in ("score", "max_score"))
        lines.append(f"  {function}: {score:g} of {points:g}")
        labels = [label(test) for test in tests]
        if len(set(labels)) == 1 and labels[0]:
            lines.append(f"    {labels[0]}: all {len(tests)} tests")
        else:
            pairs = zip(labels, tests, strict=True)
            lines += [f"    {label}: {test['name'].partition(': ')[2]}" for label, test in pairs if label]
    return "\n".join(lines) + "\n"


def graded_by(test):
    return test["extra_data"]["assignment"], test["extra_data"]["function"]


def label(test):
    """How a test failed, and by which misconception; or that it follows from an earlier failure, and costs nothing."""
    about = test["extra_data"]
    if about["failure"] is None:
        return "carried forward" if test["output"] else ""
    return f"{about['failure']} ({about['misconception']})" if about["misconception"] else about["failure"]


def check_golden(name, text):
    """A text is what its golden file says; with UPDATE_GOLDEN the file is made to say it."""
    path = GOLDEN / name
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == golden, f"{path.relative_to(HERE.parent)} says otherwise; if the change is meant: {MEND}"


# The samples themselves: first, as UPDATE_GOLDEN mends them before they are graded


@pytest.mark.parametrize("name", sorted(EVERYTHING))
def test_untouched_is_what_students_receive(name):
    """The sample of untouched stubs holds just the stubs that are handed out."""
    stub = HERE.parent / "assignments" / name / f"{name}.py"
    sample = SUBMISSIONS / "untouched" / stub.name
    if UPDATE:
        sample.write_bytes(stub.read_bytes())
    assert sample.read_bytes() == stub.read_bytes(), (
        f"tests/submissions/untouched/{stub.name} is not {name}'s stub any more; mend it by: {MEND} -k untouched"
    )


# What each submission gets


@pytest.mark.pipeline
@pytest.mark.parametrize("student", STUDENTS)
def test_what_a_submission_gets(graded, student):
    """Points of every function, and failure and misconception of every failing test, are those of the golden file."""
    check_golden(f"{student}.txt", summary(graded.results(student)))


@pytest.mark.pipeline
def test_gradebook(graded):
    """gradebook.csv is the golden one: a row per submission, sorted, and a column per graded assignment."""
    check_golden("gradebook.csv", (graded.out / "gradebook.csv").read_text(encoding="utf-8"))


def test_every_golden_file_has_its_submission():
    """No golden file is left over from a submission that is no more."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(STUDENTS)


@pytest.mark.pipeline
@pytest.mark.parametrize("student", ["right", "right-in-another-style"])
def test_a_right_submission_earns_every_point(graded, student):
    """A right solution of all six assignments earns all points, as a student would write it and in an unusual style."""
    results = graded.results(student)
    assert {test["extra_data"]["assignment"] for test in results["tests"]} == EVERYTHING
    assert results["score"] == sum(test["max_score"] for test in results["tests"]) == 600


@pytest.mark.pipeline
def test_an_untouched_submission_earns_nothing(graded):
    """The stubs as they were handed out earn no point in any test of any assignment."""
    results = graded.results("untouched")
    assert {test["extra_data"]["assignment"] for test in results["tests"]} == EVERYTHING
    assert [test["name"] for test in results["tests"] if test["score"]] == []


@pytest.mark.pipeline
@pytest.mark.parametrize("student", LOSSES)
def test_all_other_functions_keep_their_points(graded, student):
    """Where one function hangs, dies, crashes or takes all memory, no other function loses a point for it."""
    failing = {(about["function"], about["failure"]) for about in graded.failing(student)}
    assert failing == set(LOSSES[student].items())


@pytest.mark.pipeline
@pytest.mark.parametrize("student", MISTAKES)
def test_a_plain_mistake_is_told(graded, student):
    """A known mistake costs points where it was made, and nowhere else, and is told by its name."""
    told = {(about["function"], about["misconception"]) for about in graded.failing(student)}
    assert told == set(MISTAKES[student].items())


@pytest.mark.pipeline
def test_a_broken_cell_costs_only_what_it_holds(graded):
    """A module with a syntax error cannot be read at all; in a notebook only the broken cell's function is lost."""
    failing = {(about["assignment"], about["function"], about["failure"]) for about in graded.failing("syntax-error")}
    pooling = {("pooling", name, "unreadable") for name in contract.assignment("pooling").names}
    assert failing == pooling | {("shapes", "receptive_field", "unreadable")}


@pytest.mark.pipeline
def test_a_notebooks_training_run_is_not_run(graded):
    """Its definitions are graded; magics, plots, questions and a training run of 100,000 epochs are passed over."""
    assert graded.results("notebook")["score"] == 100


# What is written


@pytest.mark.pipeline
@pytest.mark.parametrize("student", STUDENTS)
def test_results_keep_to_gradescopes_schema(graded, student):
    """results.json is what Gradescope documents, and each test says what the interface promises besides."""
    results = graded.results(student)
    Draft202012Validator(SCHEMA).validate(results)
    assert results["extra_data"]["isolation"] in "ABCD"
    for test in results["tests"]:
        about = test["extra_data"]
        assert set(about) == {"assignment", "function", "failure", "misconception"}
        assert about["function"] in contract.assignment(about["assignment"]).names
        assert (test["status"] == "passed") is (about["failure"] is None)
        assert 0 <= test["score"] <= test["max_score"]


@pytest.mark.pipeline
@pytest.mark.parametrize("student", STUDENTS)
def test_no_hidden_value_is_told(graded, student):
    """What a student may read holds no number of a hidden array, and nothing that only the instructor reads."""
    read = "\n".join(test["name"] + test["output"] for test in graded.results(student)["tests"])
    read += graded.file(student, "feedback.html").partition("<body")[2]
    assert re.findall(r"\d\.\d{3,}", read) == []
    report = json.loads((graded.out / "reports" / f"{student}.json").read_text(encoding="utf-8"))["report"]
    details = {verdict["details"] for part in report["assignments"] for verdict in part["verdicts"]}
    names = {verdict["function"] for part in report["assignments"] for verdict in part["verdicts"]}
    secret = {line.strip() for text in details for line in text.splitlines()} - names
    assert [line for line in secret if len(line) > 12 and line in read] == []


@pytest.mark.pipeline
def test_the_seed_is_told_to_nobody(graded):
    """The seed of the hidden inputs stands in run.json, and in no file that a student may read."""
    assert json.loads((graded.out / "run.json").read_text(encoding="utf-8"))["seed"] == SEED
    files = [path for path in (graded.out / "students").rglob("*") if path.is_file()]
    assert len(files) == 2 * len(STUDENTS)
    assert [path for path in files if "seed" in path.read_text(encoding="utf-8").lower()] == []


@pytest.mark.pipeline
def test_gradebook_and_results_agree(graded):
    """A row's total is the score of that submission's results.json."""
    with (graded.out / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["student"]: float(row["total"]) for row in rows} == {
        student: graded.results(student)["score"] for student in STUDENTS
    }


@pytest.mark.pipeline
def test_a_log_says_how_far_it_is(graded):
    """Away from a terminal there is a plain line per submission, and at the end the table and where the results are."""
    lines = graded.said.splitlines()
    started = [line for line in lines if re.match(rf"\[\d+/{len(STUDENTS)}\] ", line)]
    assert len(started) == len(STUDENTS)
    assert "\x1b" not in graded.said
    assert {line.split()[0] for line in lines[len(started) + 1 :] if line} >= set(STUDENTS)
    assert str(graded.out / "gradebook.csv") in lines[-1]
