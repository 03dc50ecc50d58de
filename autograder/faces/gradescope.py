"""A report in Gradescope's results.json schema; it holds only what the student may read."""

from __future__ import annotations

from typing import Any

from autograder.report import Report, Verdict


def results(report: Report, visibility: str = "visible") -> dict[str, Any]:
    """The content of results.json.

    Args:
        report: of one submission.
        visibility: of every hidden test: "visible", "hidden", "after_due_date" or "after_published".
    """
    return {
        "score": report.score,
        "output": "\n".join(overview(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": {"isolation": report.isolation},
        "tests": [
            _test(verdict, f"{number}.{place}", visibility)
            for number, graded in enumerate(report.assignments, 1)
            for place, verdict in enumerate(graded.verdicts, 1)
        ],
    }


def overview(report: Report) -> list[str]:
    """Lines about the submission as a whole."""
    lines = [f"{graded.title}: {graded.score:g} of {graded.points:g}" for graded in report.assignments]
    lines += [graded.problem for graded in report.assignments if graded.problem]
    return [*lines, *report.problems]


def _test(verdict: Verdict, number: str, visibility: str) -> dict[str, Any]:
    return {
        "name": f"{verdict.function}: {verdict.requirement}",
        "number": number,
        "score": verdict.score,
        "max_score": verdict.points,
        "status": "passed" if verdict.passed else "failed",
        "output": "\n\n".join(filter(None, [verdict.message, verdict.hint])),
        "visibility": visibility,
        "extra_data": {
            "assignment": verdict.assignment,
            "function": verdict.function,
            "failure": verdict.failure,
            "misconception": verdict.misconceptions[0] if verdict.misconceptions else None,
        },
    }
