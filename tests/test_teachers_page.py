"""The page for teachers, `solutions/README.md`: what it says is so, and what it tells to do works."""

from __future__ import annotations

import ast
import csv
import os
import re
import shutil
import subprocess
import sys

import pytest

from autograder import checks, contract, notebooks
from autograder.suite import SuiteError, declare

ROOT = contract.kit_root()
PAGE = (ROOT / "solutions" / "README.md").read_text(encoding="utf-8")


def test_its_table_is_what_the_masters_say():
    """Order, points of the functions, and minutes."""
    rows = re.findall(r"^\| (\d) \| (\w+) \| .+ \| ([\d ]+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (str(item.order), item.name, " ".join(str(function.points) for function in item.functions), str(item.minutes))
        for item in contract.assignments()
    ]


def test_its_practice_steps_are_those_without_points():
    """Checked, and in no header."""
    practice = {name for item in contract.assignments() for name in checks.read(item).cases if name not in item.names}
    assert practice == {"equivariance_gap", "conv1d_layer"}
    assert all(f"`{name}`" in PAGE for name in practice)


def test_its_files_and_commands_are_there():
    """Each folder, and each target of make."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([\w-]+)`", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for folder in ("assignments", "tests/hidden", "solutions/misconceptions"):
        assert (ROOT / folder).is_dir()


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A kit that has nothing but pooling, as the page says how to make it."""
    pooling = contract.assignment("pooling")
    for path in (pooling.master, pooling.suite, pooling.misconceptions, checks.path(pooling)):
        place = tmp_path / path.relative_to(ROOT)
        place.parent.mkdir(parents=True)
        shutil.copy(path, place)
    for page in ("README.md", "AGENTS.md"):
        shutil.copy(ROOT / "assignments" / page, tmp_path / "assignments" / page)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    contract.assignments.cache_clear()
    yield tmp_path
    contract.assignments.cache_clear()


def change(kit, name: str, old: str, new: str, times: int = 1) -> None:
    path = kit / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, times), encoding="utf-8")
    contract.assignments.cache_clear()


def test_points_that_do_not_add_up_are_named(alone):
    """With the function and both numbers."""
    change(alone, "solutions/pooling.py", "sum_pool: {points: 5}", "sum_pool: {points: 9}")
    with pytest.raises(SuiteError, match="sum_pool has 5 points, not 9"):
        declare(contract.assignment("pooling"), 0)


def test_another_split_within_an_assignment(alone):
    """Header and suite are changed alike, and the assignment comes to 104 points."""
    change(alone, "solutions/pooling.py", "sum_pool: {points: 5}", "sum_pool: {points: 9}")
    change(alone, "tests/hidden/test_pooling.py", "@points(1)", "@points(5)")
    pooling = contract.assignment("pooling")
    assert pooling.points == sum(test.points for test in declare(pooling, 0)) == 104


def without(text: str, function: str) -> str:
    """A suite without the tests that speak of a function."""
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.FunctionDef) and re.search(rf"\b{function}\b", ast.unparse(node)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            del lines[first - 1 : node.end_lineno]
    return "".join(lines)


def test_a_function_becomes_practice(alone):
    """Out of the header and out of the suite: it is checked all the same, and worth nothing."""
    change(
        alone, "solutions/pooling.py", "#       adaptive_avg_pool2d: {points: 25, needs: [mean_pool, avg_pool2d]}\n", ""
    )
    suite = alone / "tests" / "hidden" / "test_pooling.py"
    suite.write_text(without(suite.read_text(encoding="utf-8"), "adaptive_avg_pool2d"), encoding="utf-8")
    pooling = contract.assignment("pooling")
    assert pooling.points == sum(test.points for test in declare(pooling, 0)) == 75
    cells = {cell.id: cell.source for cell in notebooks.student(pooling).cells}
    assert '"adaptive_avg_pool2d": "practice"' in cells["set-up"]
    assert cells["check-adaptive_avg_pool2d"] == 'check("adaptive_avg_pool2d")'
    assert "adaptive_avg_pool2d" not in cells["submission"]


@pytest.mark.pipeline
def test_one_assignment_alone_is_built_and_graded(alone):
    """By the commands of the page, in a kit that has no other; who handed in nothing gets 0."""
    for student in ("right", "nothing"):
        (alone / "handed-in" / student).mkdir(parents=True)
    shutil.copy(alone / "solutions" / "pooling.py", alone / "handed-in" / "right")
    (alone / "handed-in" / "nothing" / "notes.txt").write_text("ill", encoding="utf-8")
    for arguments in (["build", "--no-solutions"], ["grade", "handed-in", "-a", "pooling", "-o", "marks"]):
        done = subprocess.run(
            [sys.executable, "-m", "autograder", *arguments],
            cwd=alone,
            env={**os.environ, "AUTOGRADER_KIT": str(alone)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert (alone / "dist" / "students" / "pooling.zip").exists()
    with (alone / "marks" / "gradebook.csv").open(encoding="utf-8") as stream:
        marks = {row["student"]: row["pooling"] for row in csv.DictReader(stream)}
    assert marks == {"nothing": "0", "right": "100"}
