"""The audit proves the suites; these tests prove the audit: what is wrong is found and named."""

import json

import pytest

from autograder import audit, contract, leaks, mutants
from autograder.misconceptions import Misconception, misconceptions

ASSIGNMENTS = contract.assignments()


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
def test_hints_and_handouts_are_in_order(assignment):
    """Enough misconceptions per function, hints without code, nothing secret in what students receive."""
    assert audit.texts(None, assignment, ()).shortfalls == ()


@pytest.mark.parametrize(
    "hint", ["Write `y = x[::-1]` and you are done with it, all is well then.", "Too short a hint."]
)
def test_a_hint_with_code_or_without_content_is_named(monkeypatch, hint):
    known = (Misconception("poor-hint", "poor_hint", "max_pool", hint),)
    monkeypatch.setattr(audit, "misconceptions", lambda _: known)
    found = [item.what for item in audit.texts(None, contract.assignment("pooling"), ()).shortfalls]
    assert any("the hint of poor-hint" in what for what in found)


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
def test_a_line_of_a_solution_is_found_in_a_module_and_in_a_notebook(assignment):
    line = max(leaks.solution_lines(assignment), key=len)
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": ["import numpy\n", f"    {line}\n"]}]}, indent=1)
    for text in (f"def f():\n        {line}\n", notebook):
        assert any("a line of the solution" in leak.sentence for leak in leaks.in_text(assignment, "x", text))


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
def test_hidden_tests_and_misconceptions_are_found(assignment):
    attribute = misconceptions(assignment)[0].attribute
    text = assignment.suite.read_text(encoding="utf-8") + f"\nuse({attribute})\n"
    secrets = [leak.secret for leak in leaks.in_text(assignment, "x", text)]
    assert any("the hidden test" in secret for secret in secrets)
    assert f"the misconception {attribute}" in secrets


def test_mutants_change_solutions_alone():
    assignment = contract.assignment("convolution")
    given = "\n".join(leaks._REGION.split(assignment.master.read_text(encoding="utf-8"))[::2])
    for mutant in mutants.mutants(assignment):
        assert "\n".join(leaks._REGION.split(mutant.text)[::2]) == given
        assert mutant.text != assignment.master.read_text(encoding="utf-8")


def test_every_mutant_that_is_listed_as_equivalent_exists():
    """A key is made of the changed line: where the line is gone, its reason must go too."""
    for assignment in ASSIGNMENTS:
        listed = set(mutants.equivalent(assignment))
        assert not listed or listed <= {mutant.key for mutant in mutants.mutants(assignment)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 51))
@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
def test_right_styles_score_everything_on_many_seeds(assignment, seed):
    """A right answer loses nothing, whatever inputs are drawn."""
    assert audit.work(audit.Job("right", assignment.name, seed)).shortfalls == ()
