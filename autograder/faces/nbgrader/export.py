"""`nbgrader export`: a table with a row per student and question."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder import contract
from autograder.faces.gradebook import harmless
from autograder.files import write_text

_COLUMNS: Final[tuple[str, ...]] = (
    "assignment", "student_id", "last_name", "first_name", "email", "timestamp", "notebook", "question",
    "auto_score", "manual_score", "extra_credit", "score", "max_score",
)  # fmt: skip


class QuestionsExport(ExportPlugin):
    """Writes a CSV file with a row per student and question, in which every text is quoted where it has to be.

    Whoever handed nothing in has rows too, with a score of 0. A late penalty belongs to a notebook, not to a question:
    it stands in a row of its own, as a score below zero, so that a student's rows add up to what counts.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the table to where `--to` says, else to questions.csv."""
        target = Path(self.to or "questions.csv")
        self.log.info("Exporting scores by question to %s", target)
        stream = io.StringIO()
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows(gradebook))
        write_text(target, stream.getvalue())

    def _rows(self, gradebook: Gradebook) -> Iterator[dict[str, Any]]:
        assignments, students = ({str(name) for name in names} for names in (self.assignment, self.student))
        for assignment in sorted(gradebook.assignments, key=lambda item: str(item.name)):
            for student in sorted(gradebook.students, key=lambda item: str(item.id)):
                if (not assignments or assignment.name in assignments) and (not students or student.id in students):
                    for row in _questions(gradebook, assignment, student):
                        yield {key: harmless(value) if isinstance(value, str) else value for key, value in row.items()}


def _questions(gradebook: Gradebook, assignment: Any, student: Any) -> Iterator[dict[str, Any]]:
    """A student's rows for an assignment."""
    about: dict[str, Any] = {"assignment": assignment.name, "student_id": student.id}
    about |= {key: getattr(student, key) or "" for key in ("last_name", "first_name", "email")}
    try:
        submission: Any = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        for notebook in assignment.notebooks:
            for cell in sorted([*notebook.grade_cells, *notebook.task_cells], key=_place):
                yield {**about, **_question(cell), "score": 0.0, "max_score": cell.max_score}
        return
    about["timestamp"] = str(submission.timestamp or "")
    for notebook in sorted(submission.notebooks, key=lambda item: str(item.name)):
        for grade in sorted(notebook.grades, key=lambda item: _place(item.cell)):
            scores = {key: getattr(grade, key) for key in ("auto_score", "manual_score", "extra_credit", "score")}
            yield {**about, **_question(grade.cell), **scores, "max_score": grade.max_score}
        penalty = min(notebook.late_submission_penalty or 0.0, notebook.score)
        if penalty:
            yield {**about, "notebook": notebook.name, "question": "late penalty", "score": -penalty, "max_score": 0.0}


def _question(cell: Any) -> dict[str, str]:
    return {"notebook": cell.notebook.name, "question": cell.name.removeprefix("check-")}


def _place(cell: Any) -> tuple[str, int, str]:
    """Questions stand in the order of the notebook, which the database does not keep."""
    known = {item.name: item.names for item in contract.assignments()}.get(cell.notebook.name, ())
    question = cell.name.removeprefix("check-")
    return cell.notebook.name, known.index(question) if question in known else len(known), question
