"""The course folder: what nbgrader needs, and nothing that a student must not see."""

from __future__ import annotations

import dataclasses
import re
import sys

import nbformat
import pytest
from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.nbgraderformat import MetadataValidator
from traitlets.config.loader import PyFileConfigLoader

from autograder import checks, contract, leaks, masters
from autograder.bundles import readable
from autograder.faces.nbgrader import building
from autograder.faces.nbgrader.stubs import NamedStubs, stripped

ASSIGNMENTS = contract.assignments()


@pytest.fixture(params=ASSIGNMENTS, ids=lambda assignment: assignment.name)
def assignment(request):
    return request.param


@pytest.fixture(scope="module")
def course():
    return building.course()


def marks(node, kind):
    return [cell.metadata.nbgrader for cell in node.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def test_each_function_has_one_graded_cell_worth_its_points(course, assignment):
    node = nbformat.reads(course[f"source/{assignment.name}/{assignment.name}.ipynb"], as_version=4)
    graded = {building.function_of(mark.grade_id, assignment): mark.points for mark in marks(node, "grade")}
    assert graded == {function.name: function.points for function in assignment.functions}
    assert sum(graded.values()) == 100


def test_the_source_is_a_notebook_that_nbgrader_takes(course, assignment):
    """Schema 3, every id once, and nbgrader's own name of a cell is the cell's id."""
    node = nbformat.reads(course[f"source/{assignment.name}/{assignment.name}.ipynb"], as_version=4)
    nbformat.validate(node)
    MetadataValidator().validate_nb(node)
    assert all(cell.metadata.nbgrader.grade_id == cell.id for cell in node.cells if "nbgrader" in cell.metadata)


def test_solutions_stand_in_the_source_and_stubs_in_what_students_get(assignment):
    source, released = building.source(assignment), building.released(assignment)
    texts = {cell.id: cell.source for cell in released.cells}
    for cell in masters.notebook(assignment).cells:
        if masters.has_solution(cell):
            assert "### BEGIN SOLUTION" in next(item.source for item in source.cells if item.id == cell.id)
            assert f'raise NotImplementedError("{masters.defined(cell)}")' in texts[cell.id]
    assert not any("BEGIN SOLUTION" in text for text in texts.values())


def test_students_get_nothing_that_is_hidden(assignment):
    text = readable("released.ipynb", nbformat.writes(building.released(assignment)))
    assert leaks.in_text(assignment, "released.ipynb", text) == []


def test_a_leak_stops_the_build(monkeypatch):
    """The build looks through what students would get, and writes nothing where something is amiss."""
    secret = min(leaks.solution_lines(ASSIGNMENTS[0]))
    monkeypatch.setattr(building, "_MAGIC", f"\n{secret}\n")
    with pytest.raises(contract.ContractError, match="a line of the solution"):
        building.course()


def test_tests_that_are_graded_stand_in_their_cell(course, assignment):
    """Every public test of a function, with its values, and no test of another."""
    node = nbformat.reads(course[f"source/{assignment.name}/{assignment.name}.ipynb"], as_version=4)
    for cell in node.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            name = building.function_of(cell.id, assignment)
            assert cell.source.startswith(f"%%visible_tests {name}\n")
            called = set(re.findall(r"^(test_\w+)\(", cell.source, re.MULTILINE))
            assert called == set(re.findall(r"^def (test_\w+)\(", cell.source, re.MULTILINE))
            assert called


def test_the_same_sources_build_the_same_course(course):
    assert building.course() == course


def test_a_stub_keeps_the_words_around_it():
    """What stands outside the marks stays, as nbgrader has it."""
    cell = nbformat.v4.new_code_cell(
        "def twice(x):\n    '''Two times x.'''\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n",
        metadata={"nbgrader": {"solution": True}},
    )
    cell, _ = NamedStubs().preprocess_cell(cell, ResourcesDict(language="python"), 0)
    assert cell.source == "def twice(x):\n    '''Two times x.'''\n    raise NotImplementedError(\"twice\")\n"


def test_modules_lose_solutions_and_hidden_tests():
    text = (
        "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n\n"
        "### BEGIN HIDDEN TESTS\nassert twice(2) == 4\n### END HIDDEN TESTS\nGIVEN = 3\n"
    )
    assert stripped(text) == "def twice(x):\n    raise NotImplementedError\n\nGIVEN = 3\n"


@pytest.mark.parametrize("text", ["### BEGIN SOLUTION\nx = 1\n", "### BEGIN HIDDEN TESTS\nassert x\n"])
def test_a_mark_without_its_partner_is_an_error(text):
    """Rather than a file that is handed out with the solution in it."""
    with pytest.raises(RuntimeError, match="end"):
        stripped(text)


def test_without_the_kit_nbgrader_stops(course, tmp_path, monkeypatch):
    """A configuration that fails would leave nbgrader with its own, which runs what was handed in."""
    path = tmp_path / "nbgrader_config.py"
    path.write_text(course[path.name])
    assert PyFileConfigLoader(path.name, path=str(tmp_path)).load_config().CourseDirectory.root == str(tmp_path)
    monkeypatch.setitem(sys.modules, "autograder.faces.nbgrader.settings", None)
    with pytest.raises(SystemExit, match="does not work here"):
        PyFileConfigLoader(path.name, path=str(tmp_path)).load_config()


def test_a_function_without_public_tests_is_graded_all_the_same(monkeypatch):
    """Its cell stands below it, is worth its points, and holds no test."""
    pooling, read = contract.assignment("pooling"), checks.read

    def without(assignment):
        public = read(assignment)
        return dataclasses.replace(public, cases={k: v for k, v in public.cases.items() if k != "max_pool"})

    monkeypatch.setattr(checks, "read", without)
    node = building.source(pooling)
    names = [cell.id for cell in node.cells]
    assert names[names.index("max_pool") + 1] == "check-max_pool"
    assert [mark.points for mark in marks(node, "grade")] == [function.points for function in pooling.functions]
