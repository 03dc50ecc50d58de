"""What stands in an autograded notebook: a report below each graded cell, and remarks at its top."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Final

from autograder.faces.html import WORDS
from autograder.report import Graded, Report, Verdict

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_WIDTH: Final = 100


def page(graded: Graded, function: str) -> str:
    """The report on one function, as plain text: nothing in it can be taken for markup."""
    verdicts, told = graded.of(function), list[str]()
    earned, points = sum(verdict.score for verdict in verdicts), sum(verdict.points for verdict in verdicts)
    lines = [f"{function}: {earned:g} of {points:g} points", ""]
    width = max(len(_share(verdict)) for verdict in verdicts)
    for verdict in verdicts:
        lines += _lines(verdict, width)
        if verdict.hint and verdict.hint not in told:
            told.append(verdict.hint)
            lines += [line for hint in verdict.hint.split("\n") for line in _wrapped(hint, "Hint: ")]
    return "\n".join(lines) + "\n"


def remarks(report: Report, repairs: Sequence[str]) -> str:
    """What should be known of the submission as a whole, as Markdown; empty where there is nothing."""
    lines = [graded.problem for graded in report.assignments if graded.problem] + [*report.problems, *repairs]
    if report.isolation not in ("A", "B"):
        lines.append(f"Graded at isolation level {report.isolation}: student code was not confined.")
        lines += [f"{sentence[:1].upper()}{sentence[1:]}." for sentence in report.weak]
    head = ["**Remarks on what was handed in**", ""]
    return "\n".join([*head, *(f"- {_plain(line)}" for line in dict.fromkeys(lines))]) if lines else ""


def _lines(verdict: Verdict, width: int) -> list[str]:
    mark, share = "✓" if verdict.passed else "✗", f"{_share(verdict):>{width}}"
    if verdict.passed:
        return [f"{mark} {share}  {verdict.requirement}"]
    assert verdict.failure is not None
    message = [line for text in verdict.message.split("\n") for line in _wrapped(text)]
    return [f"{mark} {share}  {verdict.requirement} ({WORDS[verdict.failure]})", *message]


def _share(verdict: Verdict) -> str:
    return f"{verdict.score:g}/{verdict.points:g}"


def _wrapped(text: str, head: str = "") -> list[str]:
    indent = "      "
    return textwrap.wrap(text, _WIDTH, initial_indent=indent + head, subsequent_indent=indent + " " * len(head))


def _plain(text: str) -> str:
    """Text, the names of a student's files among it, that Markdown shows as it is."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))
