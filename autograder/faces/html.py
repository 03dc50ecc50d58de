"""Pages as one file each, without scripts: a student's feedback, the class, the audit's kill matrix."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2

from autograder.faces.gradebook import Mistake, Row, columns
from autograder.report import Failure, Report

# Kinds of failure as a student reads them.
WORDS: Final[Mapping[Failure, str]] = {
    "missing": "not there",
    "exception": "raises an exception",
    "no-exception": "does not raise",
    "wrong-exception": "raises another exception",
    "shape": "wrong shape",
    "type": "wrong kind of result",
    "value": "wrong values",
    "state": "leaves changes behind",
    "blocked": "waits for another function",
    "timeout": "takes too long",
    "memory": "takes too much memory",
    "crash": "ends Python",
    "forbidden": "calls what is not allowed",
    "unreadable": "cannot be read",
}


def feedback(report: Report, *, instructor: bool = False) -> str:
    """The page of a report.

    Args:
        instructor: also show what the student may not read: values, and texts that the student's code made.
    """
    return _template("feedback.html").render(report=report, instructor=instructor, words=WORDS)


def overview(rows: Sequence[Row], order: Sequence[str]) -> str:
    """The class on one page: scores, and what was misunderstood most."""
    counts: Counter[Mistake] = Counter(mistake for row in rows for mistake in set(row.mistakes))
    return _template("class.html").render(
        rows=sorted(rows, key=lambda row: row.student), columns=columns(rows, order), common=counts.most_common(20)
    )


def kill_matrix(matrix: Mapping[str, Mapping[str, Sequence[Any]]], shortfalls: Sequence[Any]) -> str:
    """The page of the audit: wrong answers by assignment and function, and the tests that each of them fails."""
    return _template("matrix.html").render(matrix=matrix, shortfalls=shortfalls)


def on_gradescope(content: Mapping[str, Any], *, published: bool) -> str:
    """Roughly what Gradescope shows a student of a results.json, for the README and for instructors without an upload.

    Args:
        published: whether the grades are.
    """
    seen = ("visible", "after_published") if published else ("visible",)
    tests = [test for test in content["tests"] if test["visibility"] in seen]
    return _template("gradescope.html").render(content=content, tests=tests, published=published)


@functools.cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)
