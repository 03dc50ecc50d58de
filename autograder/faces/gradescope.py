"""A report in Gradescope's results.json schema; it holds only what the student may read."""

from __future__ import annotations

import html
import re
from typing import Any, Final

from autograder.report import Report, Verdict

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$])")
_FENCE: Final = re.compile(r"`{3,}")


def results(report: Report, visibility: str = "visible", output_format: str = "text") -> dict[str, Any]:
    """The content of results.json.

    Args:
        report: of one submission.
        visibility: of every hidden test: "visible", "hidden", "after_due_date" or "after_published".
        output_format: of the tests' output: "text", or "md" for Markdown.
    """
    return {
        "score": report.score,
        "output": "\n".join(overview(report)),
        "output_format": "text",
        "test_output_format": output_format,
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": {"isolation": report.isolation},
        "tests": [
            _test(verdict, f"{number}.{place}", visibility, output_format)
            for number, graded in enumerate(report.assignments, 1)
            for place, verdict in enumerate(graded.verdicts, 1)
        ],
    }


def overview(report: Report) -> list[str]:
    """Lines about the submission as a whole."""
    lines = [f"{graded.title}: {graded.score:g} of {graded.points:g}" for graded in report.assignments]
    lines += [graded.problem for graded in report.assignments if graded.problem]
    return [*lines, *report.problems]


def shown(message: str, hint: str, output_format: str) -> str:
    """What a student reads of a failure: in Markdown the message as code and the hint as prose, both as they are."""
    if output_format != "md":
        return "\n\n".join(filter(None, [message, hint]))
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in _FENCE.findall(message))])
    prose = _MARKUP.sub(r"\\\1", html.escape(hint, quote=False))
    return "\n\n".join(filter(None, [message and f"{fence}text\n{message}\n{fence}", prose]))


def _test(verdict: Verdict, number: str, visibility: str, output_format: str) -> dict[str, Any]:
    return {
        "name": f"{verdict.function}: {verdict.requirement}",
        "number": number,
        "score": verdict.score,
        "max_score": verdict.points,
        "status": "passed" if verdict.passed else "failed",
        "output": shown(verdict.message, verdict.hint, output_format),
        "tags": [verdict.assignment, verdict.function],
        "visibility": visibility,
        "extra_data": {
            "assignment": verdict.assignment,
            "function": verdict.function,
            "failure": verdict.failure,
            "misconception": verdict.misconceptions[0] if verdict.misconceptions else None,
        },
    }
