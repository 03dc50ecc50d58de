"""The class as a table: gradebook.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report import Report


@dataclass(frozen=True, slots=True)
class Row:
    """One submission's scores, by assignment; an assignment that was not graded is not there."""

    student: str
    scores: dict[str, float]
    points: dict[str, float]

    @classmethod
    def of(cls, report: Report) -> Row:
        """The row of a report."""
        return cls(
            report.student,
            {graded.name: graded.score for graded in report.assignments},
            {graded.name: graded.points for graded in report.assignments},
        )


def gradebook(rows: Sequence[Row], order: Sequence[str]) -> str:
    """The CSV text: `student`, a column per assignment that anybody was graded in, `total`, `max_total`.

    Args:
        rows: in any order; they come out sorted by student.
        order: names of all assignments, as their columns stand.
    """
    columns = [name for name in order if any(name in row.scores for row in rows)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["student", *columns, "total", "max_total"])
    for row in sorted(rows, key=lambda row: row.student):
        scores = [f"{row.scores[name]:g}" if name in row.scores else "" for name in columns]
        totals = [f"{sum(row.scores.values()):g}", f"{sum(row.points.values()):g}"]
        writer.writerow([harmless(row.student), *scores, *totals])
    return stream.getvalue()


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
