"""The public checks, run in a worker: worth no points, and shown at once, while hidden tests may have to wait."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from autograder import checks
from autograder.channel import printable
from autograder.checks import Case
from autograder.contract import Assignment
from autograder.report import Failure
from autograder.sandbox import Call, Limits, Observation, Source, Zygote

_PROBE: Final = "public_check"
_RUN: Final = f"""

def {_PROBE}(*given):
    *functions, key = given
    try:
        _cases[key](*functions)
    except AssertionError as error:
        return str(error)
"""
_TEXT: Final = 2000  # characters of what one case says
_ENDINGS: Final[dict[str, tuple[Failure, str]]] = {
    "absent": ("missing", "It is not there."),
    "timeout": ("timeout", "It takes too long."),
    "memory": ("memory", "It takes too much memory."),
    "crash": ("crash", "It ends Python."),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A public test with all its cases.

    Attributes:
        function: that it checks.
        title: what shall hold.
        failure: the kind of the first failure, None where all is well.
        message: everything about that failure.
    """

    function: str
    title: str
    failure: Failure | None
    message: str


def check(assignment: Assignment, source: Source, zygote: Zygote, limits: Limits) -> list[Checked]:
    """Run an assignment's public checks on a submission. The worker's word is good enough for what gives no points."""
    public = checks.read(assignment)
    cases = [case for name in assignment.names if name in public.cases for case in public.cases[name]]
    probe = (_PROBE, _program(public, cases))
    calls = [Call(case.functions, (key,), probe=probe) for key, case in enumerate(cases)]
    seen = zip(cases, zygote.observe(source, calls, limits), strict=True)
    return list(_checked(seen))


def _program(public: checks.Checks, cases: list[Case]) -> str:
    """The checks as one probe, which is told a case's number."""
    lines = [
        f"    {key}: lambda {', '.join(case.functions)}: {case.test}({', '.join(case.functions)}, expect=expect"
        + "".join(f", {name}={value}" for name, value in case.values.items())
        + "),"
        for key, case in enumerate(cases)
    ]
    return "\n\n\n".join([public.shared, *public.tests.values(), "\n".join(["_cases = {", *lines, "}"])]) + _RUN


def _checked(seen: Iterator[tuple[Case, Observation]]) -> Iterator[Checked]:
    for (function, test), group in itertools.groupby(seen, key=lambda pair: (pair[0].functions[0], pair[0].test)):
        items = list(group)
        told = [_told(item) for _, item in items]
        failing = [pair for pair in told if pair is not None]
        failure, message = failing[0] if failing else (None, "")
        if len(items) > 1 and failing:
            message += f"\n({len(failing)} of {len(items)} cases fail.)"
        yield Checked(function, items[0][0].title or test, failure, message)


def _told(observation: Observation) -> tuple[Failure, str] | None:
    if observation.ending == "returned":
        if observation.value is None:
            return None
        return "value", printable(str(observation.value))[:_TEXT]
    if observation.ending == "raised":
        line = f" in line {observation.line}" if observation.line else ""
        name = observation.classes[0] if observation.classes else "An exception"
        return "exception", f"{name} was raised{line}: {printable(observation.text)[:_TEXT]}"
    failure, words = _ENDINGS[observation.ending]
    # What keeps a function from being there, such as a failed import, is said where it is known.
    return failure, " ".join(filter(None, [words, printable(observation.text)[:_TEXT]]))
