"""The class as a table: gradebook.csv."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report import Report


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misconception that a submission shows, with the hint that its student read."""

    assignment: str
    name: str
    hint: str


@dataclass(frozen=True, slots=True)
class Row:
    """One submission's scores, by assignment; an assignment that was not graded is not there.

    Attributes:
        student: the submission's name.
        scores, points: by assignment.
        mistakes: that it shows.
        review: what an instructor should look at.
    """

    student: str
    scores: dict[str, float]
    points: dict[str, float]
    mistakes: tuple[Mistake, ...] = ()
    review: tuple[str, ...] = ()

    @classmethod
    def of(cls, report: Report) -> Row:
        """The row of a report."""
        return cls(
            report.student,
            {graded.name: graded.score for graded in report.assignments},
            {graded.name: graded.points for graded in report.assignments},
            tuple(
                Mistake(verdict.assignment, verdict.misconceptions[0], verdict.hint.split("\n")[0])
                for verdict in report.verdicts
                if verdict.misconceptions
            ),
            tuple(f"{graded.name}: {what}" for graded in report.assignments for what in graded.review),
        )


def gradebook(rows: Sequence[Row], order: Sequence[str]) -> str:
    """The CSV text: `student`, a column per assignment that anybody was graded in, `total`, `max_total`.

    Args:
        rows: in any order; they come out sorted by student.
        order: names of all assignments, as their columns stand.
    """
    names = columns(rows, order)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["student", *names, "total", "max_total"])
    for row in sorted(rows, key=lambda row: row.student):
        scores = [f"{row.scores[name]:g}" if name in row.scores else "" for name in names]
        totals = [f"{sum(row.scores.values()):g}", f"{sum(row.points.values()):g}"]
        writer.writerow([harmless(row.student), *scores, *totals])
    return stream.getvalue()


def columns(rows: Sequence[Row], order: Sequence[str]) -> list[str]:
    """The assignments that anybody was graded in."""
    return [name for name in order if any(name in row.scores for row in rows)]


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, nor for two lines."""
    text = text.replace("\r", "\n")  # a spreadsheet's line end too, and one that the csv module does not quote
    first = unicodedata.normalize("NFKC", text[:1])  # spreadsheets of the East take the wide ＝ for =
    return f"'{text}" if first in ("=", "+", "-", "@", "\t", "\n") else text
