"""feedback.html: what one student may read, as one file without scripts."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2

from autograder.report import Report


def feedback(report: Report) -> str:
    """The page of a report."""
    return _template("feedback.html").render(report=report)


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
