"""The steps of `nbgrader autograde` that are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader.api import Gradebook, SourceCell
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from autograder import contract, preflight
from autograder.contract import Assignment
from autograder.faces.nbgrader.building import function_of
from autograder.faces.nbgrader.pages import page, remarks
from autograder.faces.nbgrader.reading import MARK, UNREADABLE, tidied, without_markup
from autograder.faces.nbgrader.repair import Given, repair
from autograder.faces.nbgrader.results import GradingError, HandedIn, Results
from autograder.report import Graded, Report

_SAID: Final = "repairs"  # the entry in a notebook's metadata that tells what was repaired
_BROKEN: Final = "The notebook that was handed in could not be opened; the cells below are those that were handed out."
_EMPTY: Final = "The notebook that was handed in has no cells; those below are the ones that were handed out."


class RepairCells(NbGraderPreprocessor):
    """Brings the cells of a submission that nbgrader knows back to what they were handed out as.

    It stands in the place of ClearOutput and DeduplicateIds, and before OverwriteCells, which stops at the first cell
    that it does not expect.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Repair one notebook."""
        about, said = resources["nbgrader"], list[str]()
        released = _released(_course(self), about["assignment"], about["notebook"])
        broken = nb.metadata.pop(MARK, {}).get(UNREADABLE)
        if not nb.cells:
            said.append(_BROKEN if broken else _EMPTY)
            nb.cells = released.cells if released is not None else []
        with Gradebook(about["db_url"]) as gradebook:
            given = _handed_out(gradebook.find_notebook(about["notebook"], about["assignment"]), released)
        repairs = repair(nb, given)
        without_markup(nb, {cell.source for cell in released.cells} if released is not None else set())
        nb.metadata[MARK] = {_SAID: said or repairs}
        for sentence in nb.metadata[MARK][_SAID]:
            self.log.warning("%s: %s", about["student"], sentence)
        return nb, resources


class IsolatedGrade(NbGraderPreprocessor):
    """Writes what the kit's core says of a submission into its graded cells; nothing of the notebook is run.

    What `autograder nbgrader` has graded before is taken as it is, as long as it is of just this submission.
    """

    allow_weak_isolation = Bool(
        False, help="Whether to grade where student code cannot be confined (see `autograder doctor`)."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Grade one notebook."""
        about, course = resources["nbgrader"], _course(self)
        assignment = contract.assignment(about["notebook"])
        folder = Path(course.format_path(course.submitted_directory, about["student"], about["assignment"]))
        results = Results(Path(course.root))
        handed_in = HandedIn(about["student"], assignment, folder)
        report = results.kept(handed_in) or self._graded(results, handed_in, Path(course.root))
        self._insist_on_walls(report.isolation)
        for cell in nb.cells:
            mark = cell.metadata.get("nbgrader", {})
            if mark.get("grade") and not mark.get("solution"):
                _write(cell, report.assignments[0], assignment)
        said = remarks(report, nb.metadata.pop(MARK, {}).get(_SAID, []))
        if said:
            nb.cells.insert(0, new_markdown_cell(said))
        return nb, resources

    def _graded(self, results: Results, handed_in: HandedIn, course: Path) -> Report:
        """The report that nobody has made before."""
        if not _isolation:
            _isolation.append(preflight.measure([course, results.secret]))
        self._insist_on_walls(_isolation[0].level)
        return results.report(handed_in)

    def _insist_on_walls(self, level: str) -> None:
        """Refuse what is graded where student code cannot be confined, unless told otherwise.

        Raises:
            GradingError: it refuses.
        """
        if level not in ("A", "B") and not self.allow_weak_isolation:
            raise GradingError(
                f"Isolation level {level}: student code cannot be confined on this machine. `autograder doctor` says "
                "how to mend this; nbgrader_config.py has a setting that grades all the same."
            )


_isolation: Final[list[preflight.Isolation]] = []  # of this machine; measured once


def _course(step: NbGraderPreprocessor) -> Any:
    """Where nbgrader has its files."""
    exporter: Any = step.parent
    return exporter.parent.coursedir  # the converter's


def _released(course: Any, assignment: str, notebook: str) -> NotebookNode | None:
    """The notebook that students were given, where the course still has it."""
    path = Path(course.format_path(course.release_directory, ".", assignment)) / f"{notebook}.ipynb"
    return tidied(nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)) if path.is_file() else None


def _handed_out(notebook: Any, released: NotebookNode | None) -> list[Given]:
    """The cells that nbgrader's database knows, which keeps them in no order of use."""
    points = {cell.name: float(cell.max_score) for cell in notebook.grade_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    known = [_given(cell, points, solutions) for cell in notebook.source_cells]
    marks = [cell.metadata.get("nbgrader", {}) for cell in released.cells] if released is not None else []
    order = {mark["grade_id"]: place for place, mark in enumerate(marks) if "grade_id" in mark}
    return sorted(known, key=lambda cell: order.get(cell.name, len(order)))


def _given(cell: SourceCell, points: Mapping[str, float], solutions: set[str]) -> Given:
    row: Any = cell
    return Given(
        name=row.name,
        kind=row.cell_type,
        grade=row.name in points,
        solution=row.name in solutions,
        locked=bool(row.locked),
        points=points.get(row.name, 0.0),
        source=row.source or "",
        checksum=row.checksum,
    )


def _write(cell: NotebookNode, graded: Graded, assignment: Assignment) -> None:
    """A function's report, and then its score as a plain number, which is what nbgrader reads."""
    mark = cell.metadata["nbgrader"]
    function = function_of(mark["grade_id"], assignment)
    if function is None or not graded.of(function):
        raise GradingError(f"The cell {mark['grade_id']} grades nothing that {assignment.name} has.")
    score = cell_score(graded, function, float(mark["points"]))
    cell.outputs = [
        new_output("stream", name="stdout", text=page(graded, function)),
        new_output("execute_result", data={"text/plain": repr(score)}, execution_count=None),
    ]


def cell_score(graded: Graded, function: str, points: float) -> float:
    """What a function earned, out of the points that its cell had when the notebook was handed out."""
    verdicts = graded.of(function)
    earned, most = (sum(getattr(verdict, kind) for verdict in verdicts) for kind in ("score", "points"))
    score = earned if most == points else earned / most * points
    return float(min(max(score, 0.0), points))
