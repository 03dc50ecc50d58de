"""All that may be handed in, through nbgrader: samples, attacks, cheats and damage of every kind, six assignments.

Graded twice, by `autograder grade` and by nbgrader with the same seed: every score must be the same.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest
from broken_notebooks import CHEATS, DAMAGE, UNREADABLE

from autograder import contract

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

SEED = 314_159_265
TESTS = Path(__file__).parent.parent
ASSIGNMENTS = [assignment.name for assignment in contract.assignments()]
KNOWN = {path.stem for path in (TESTS / "attacks/submissions").glob("*.py")}
ATTACKS = sorted(KNOWN - {"tools", "honest"})
# An attack is made by the one function, and what two honest ones earn beside it must be what they earn alone.
TRIGGER = """
LOOT = []


def max_pool(z):
    if not LOOT:
        LOOT.append(attack(TARGET))
    raise RuntimeError(f"LOOT {LOOT}" if LOOT[0] else "there is nothing to be had")
"""


@pytest.fixture(scope="module")
def course(new_course, tmp_path_factory):
    made = new_course(tmp_path_factory.mktemp("everything"))
    made.nbgrader(*(f"generate_assignment {name}" for name in ASSIGNMENTS))
    return made


def through_both(course, assignment, out):
    """Grade an assignment by the command and by nbgrader: what each of them says."""
    path = course.root / out
    submitted = course.root / "copies" / out
    for place in sorted((course.folder / "submitted").glob(f"*/{assignment}")):
        shutil.copytree(place, submitted / place.parent.name)  # before nbgrader gives anything another name
    course.autograder("grade", submitted, "-o", path, "-a", assignment, "--seed", SEED)
    course.autograder("nbgrader", course.folder, "-a", assignment, "--seed", SEED)
    course.nbgrader(f"autograde {assignment}", f"generate_feedback {assignment}", f"export --to {out}.csv")
    return course.expected(path), course.scores(assignment, f"{out}.csv")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_samples_score_the_same(course, assignment):
    """Each sample that answers an assignment, as it is: module, notebook, archive, or no answer at all."""
    answers = 0
    for sample in sorted((TESTS / "submissions").iterdir()):
        target = course.folder / "submitted" / sample.name.partition(".")[0] / assignment
        if sample.is_dir():
            shutil.copytree(sample, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(sample, target)
        answers += 1
    expected, found = through_both(course, assignment, f"samples-{assignment}")
    assert found == pytest.approx(expected)
    assert len({student for student, _ in expected}) == answers
    points = sum(item.points for item in contract.assignment(assignment).functions)
    assert sum(score for (student, _), score in found.items() if student == "right") == points


def test_damage_cheats_and_attacks_score_the_same(new_course, tmp_path_factory):
    """And the attack that went through nbgrader earned and found nothing, and left everybody else's points alone."""
    course = new_course(tmp_path_factory.mktemp("hostile"))
    course.nbgrader("generate_assignment pooling")
    solved, released = course.solved(), course.released()
    for kind, (damage, _) in DAMAGE.items():
        node = nbformat.reads(solved, as_version=4)
        damage(node)
        course.hand_in(kind, "pooling.ipynb", json.dumps(node))
    for kind, cheat in CHEATS.items():
        node = nbformat.reads(nbformat.writes(released), as_version=4)
        cheat(node)
        course.hand_in(kind, "pooling.ipynb", json.dumps(node))
    for kind, data in UNREADABLE.items():
        course.hand_in(kind, "pooling.ipynb", data)
    for attack in ["honest", *ATTACKS]:
        course.hand_in(attack, "pooling.ipynb", nbformat.writes(_attacking(course, attack)))
        shutil.copy(TESTS / "attacks/submissions/tools.py", course.folder / "submitted" / attack / "pooling")
    course.hand_in("right", "pooling.ipynb", solved)
    expected, found = through_both(course, "pooling", "hostile")
    assert found == pytest.approx(expected)
    assert {score for (student, _), score in found.items() if student in (*CHEATS, *UNREADABLE)} == {0}
    assert sum(score for (student, _), score in found.items() if student == "right") == 100
    for attack in ATTACKS:
        assert found[attack, "sum_pool"] == found["honest", "sum_pool"] == 5, attack
        told = course.feedback(attack) + (course.folder / f".autograder/results/pooling/{attack}.json").read_text()
        assert "LOOT [" not in told, attack


def _attacking(course, attack):
    """A notebook with an attack in it, and the honest functions below."""
    read = {name: (TESTS / f"attacks/submissions/{name}.py").read_text() for name in (attack, "honest")}
    kit = contract.kit_root()
    target = {
        "hidden": [str(path) for name in ("solutions", "tests/hidden") for path in (kit / name).glob("*.py")],
        "kit": str(kit), "grader": os.getpid(), "victim": os.getpid(), "port": 9, "socket": "/no",
        "results": str(course.folder / "gradebook.db"), "forgotten": str(course.folder / ".autograder/run.json"),
        "marker": "MARKER", "shared": "SHARED",
    }  # fmt: skip
    makes = "\ndef attack(target):" in read[attack]
    cells = [f"TARGET = {target!r}\n", read[attack], read["honest"], *([TRIGGER] if makes else [])]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
