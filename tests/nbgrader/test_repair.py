"""Broken notebooks: their cells are brought back, what was written stays, and what was done is said."""

from __future__ import annotations

import io
import json

import nbformat
import pytest
from broken_notebooks import CHEATS, DAMAGE, UNREADABLE, cell, place
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.nbgraderformat import MetadataValidator

from autograder.contract import assignment
from autograder.faces.nbgrader.reading import MARK, read, tidied
from autograder.faces.nbgrader.repair import Given, repair
from autograder.intake.notebooks import read_notebook

POOLING = assignment("pooling")


@pytest.fixture
def handed_out(solved):
    def from_cell(item):
        mark = item.metadata.nbgrader
        stub = item.source if not mark.solution else f'def {item.id}(x):\n    raise NotImplementedError("{item.id}")'
        return Given(
            item.id, item.cell_type, mark.grade, mark.solution, mark.locked, mark.get("points", 0), stub, mark.checksum
        )

    return [from_cell(item) for item in solved().cells if "nbgrader" in item.metadata]


def through_a_file(node):
    """The notebook as nbgrader reads it from what was handed in; it need not be a valid one."""
    return read(io.StringIO(json.dumps(node)))


def assert_whole(node, handed_out):
    """It is one that nbgrader takes, and every cell that was handed out is there once, as it was."""
    nbformat.validate(node)
    MetadataValidator().validate_nb(node)
    marked = {item.metadata.nbgrader.grade_id: item for item in node.cells if "nbgrader" in item.metadata}
    assert set(marked) == {expected.name for expected in handed_out}
    assert sum("nbgrader" in item.metadata for item in node.cells) == len(handed_out)
    for expected in handed_out:
        assert marked[expected.name].cell_type == expected.kind
        assert dict(marked[expected.name].metadata.nbgrader) == expected.marks
        if expected.fixed:
            assert marked[expected.name].source == expected.source


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_repaired_and_said(solved, handed_out, kind):
    damage, words = DAMAGE[kind]
    node = solved()
    damage(node)
    node = through_a_file(node)
    said = repair(node, handed_out)
    assert_whole(node, handed_out)
    assert any(words in sentence for sentence in said) or not words or kind == "no-cells"
    if kind not in ("deleted-answer", "no-cells"):
        assert "-np.inf" in cell_of(node, "max_pool2d").source, "what the student wrote is in the student's cell"


@pytest.mark.parametrize("kind", CHEATS)
def test_no_cheat_stays_in_a_cell_that_counts(solved, handed_out, kind):
    node = solved()
    CHEATS[kind](node)
    node = through_a_file(node)
    repair(node, handed_out)
    assert_whole(node, handed_out)
    assert not any(item.get("outputs") for item in node.cells)


def cell_of(node, name):
    return next(item for item in node.cells if item.metadata.get("nbgrader", {}).get("grade_id") == name)


def test_nothing_is_said_of_a_whole_notebook(solved, handed_out):
    node = through_a_file(solved())
    before = [item.source for item in node.cells]
    assert repair(node, handed_out) == []
    assert [item.source for item in node.cells] == before


def test_a_cell_comes_back_where_it_was(solved, handed_out):
    node = solved()
    names = [item.id for item in node.cells]
    for name in ("set-up", "check-sum_pool", "max_pool2d", "check-max_pool2d"):
        del node.cells[place(node, name)]
    node = through_a_file(node)
    repair(node, handed_out)
    known = [expected.name for expected in handed_out]
    assert [item.id for item in node.cells if item.id in known] == known
    assert [item.id for item in node.cells if item.id not in known] == [name for name in names if name not in known]


def test_of_two_copies_the_one_that_was_worked_on_is_the_answer(solved, handed_out):
    """Whichever of them stands last: the other is the stub."""
    node = solved()
    stub = nbformat.from_dict(dict(cell(node, "max_pool2d")))
    stub.id, stub.source = "stub", next(item.source for item in handed_out if item.name == "max_pool2d")
    node.cells.append(stub)
    node = through_a_file(node)
    repair(node, handed_out)
    assert "-np.inf" in cell_of(node, "max_pool2d").source


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_is_no_notebook_is_read_as_an_empty_one(kind):
    node = read(io.StringIO(UNREADABLE[kind].decode(errors="replace")))
    nbformat.validate(node)
    assert node.cells == []
    assert node.metadata[MARK]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_MARKS = st.dictionaries(
    st.sampled_from(["grade_id", "grade", "locked", "solution", "points", "schema_version", "cell_type"]),
    st.sampled_from(["sum_pool", "check-sum_pool", "set-up", True, False, 5, -1, None]) | _PLAIN,
)
_CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | _PLAIN},
    optional={
        "id": st.sampled_from(["sum_pool", "set-up", "x"]) | _PLAIN,
        "source": st.sampled_from(["def sum_pool(z):\n    return z", ""]) | _PLAIN,
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": _MARKS | _PLAIN, "tags": _PLAIN}) | _PLAIN,
        "attachments": _PLAIN,
        "outputs": _PLAIN,
    },
)


@given(cells=st.lists(_CELLS, max_size=6), metadata=_PLAIN)
def test_whatever_was_handed_in_becomes_whole(cells, metadata):
    """Cells and metadata of any shape: the notebook that comes out is valid and has every cell that it should have."""
    node = tidied({"cells": cells, "metadata": metadata})
    known = [
        Given("set-up", "code", False, False, True, 0.0, "x = 1", "0" * 32),
        Given("sum_pool", "code", False, True, False, 0.0, "def sum_pool(z):\n    raise NotImplementedError", "1" * 32),
        Given("check-sum_pool", "code", True, False, True, 5.0, "%%visible_tests sum_pool", "2" * 32),
    ]
    repair(node, known)
    assert_whole(node, known)


def test_the_core_reads_an_answer_that_became_text(solved):
    """The intake takes a cell for what it was handed out as: repaired or not, the same code is graded."""
    node = solved()
    DAMAGE["answer-became-text"][0](node)
    cells = read_notebook(nbformat.writes(node).encode()).cells
    assert cells == tuple(item.source for item in solved().cells if item.cell_type == "code")
