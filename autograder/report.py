"""A report: all verdicts of one submission, and how it travels as JSON.

Every face (results.json, gradebook, pages, nbgrader, otter) is a view of a `Report`; none of them decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Failure = Literal[
    "missing", "exception", "no-exception", "wrong-exception", "shape", "type", "value", "state",
    "blocked", "timeout", "memory", "crash", "forbidden", "unreadable",
]  # fmt: skip
FAILURES: tuple[Failure, ...] = get_args(Failure)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test's outcome.

    Attributes:
        assignment, function: what it grades.
        test: the test's name in the suite.
        requirement: the sentence that must hold, as the student reads it.
        points: what the test is worth.
        score: what was earned.
        failure: the kind of failure, None where the requirement holds.
        misconceptions: ids of the misconceptions that explain the failure, best first.
        message: what the student may read of the failure.
        hint: what may help.
        details: what the instructor reads besides: values, text that the student's code made, its output.
    """

    assignment: str
    function: str
    test: str
    requirement: str
    points: float
    score: float
    failure: Failure | None = None
    misconceptions: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    details: str = ""

    @property
    def passed(self) -> bool:
        return self.failure is None


@dataclass(frozen=True, slots=True)
class Graded:
    """One assignment of one submission.

    Attributes:
        name, title: of the assignment.
        file: that was graded, None where the submission has none.
        verdicts: in the suite's order.
        problem: why nothing of it could be graded, if so.
        review: what an instructor should look at, such as code that may hide a forbidden call; it costs nothing.
    """

    name: str
    title: str
    file: str | None
    verdicts: tuple[Verdict, ...]
    problem: str | None = None
    review: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        return sum(verdict.score for verdict in self.verdicts)

    @property
    def points(self) -> float:
        return sum(verdict.points for verdict in self.verdicts)

    def of(self, function: str) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.function == function)

    def functions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(verdict.function for verdict in self.verdicts))


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts of one submission.

    Attributes:
        student: the submission's name.
        isolation: the level of the walls, "A" to "D".
        assignments: that were graded, in the order in which they are handed out.
        problems: sentences about the submission as a whole.
        weak: what a submission could do that it should not, where the walls are not whole.
    """

    student: str
    isolation: str
    assignments: tuple[Graded, ...] = ()
    problems: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        return sum(graded.score for graded in self.assignments)

    @property
    def points(self) -> float:
        return sum(graded.points for graded in self.assignments)

    @property
    def verdicts(self) -> Iterator[Verdict]:
        return (verdict for graded in self.assignments for verdict in graded.verdicts)

    @property
    def timed_out(self) -> tuple[str, ...]:
        """The assignments in which something took too long."""
        return tuple(dict.fromkeys(verdict.assignment for verdict in self.verdicts if verdict.failure == "timeout"))

    def with_again(self, again: Report) -> Report:
        """This report, with the assignments that were graded again as they are now, at the weaker isolation of both."""
        new = {graded.name: graded for graded in again.assignments}
        merged = tuple(new.get(graded.name, graded) for graded in self.assignments)
        weaker = max(self, again, key=lambda report: report.isolation)
        return replace(self, assignments=merged, isolation=weaker.isolation, weak=weaker.weak)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Report:
        """The report that `to_json` wrote."""
        return cls(
            student=data["student"],
            isolation=data["isolation"],
            assignments=tuple(_graded(entry) for entry in data["assignments"]),
            problems=tuple(data["problems"]),
            weak=tuple(data["weak"]),
        )


def _graded(entry: dict[str, Any]) -> Graded:
    verdicts = tuple(_verdict(item) for item in entry["verdicts"])
    return replace(Graded(**entry), verdicts=verdicts, review=tuple(entry["review"]))


def _verdict(item: dict[str, Any]) -> Verdict:
    return replace(Verdict(**item), misconceptions=tuple(item["misconceptions"]))


def lost(verdict: Verdict, failure: Failure, message: str, **more: Any) -> Verdict:
    """The same test, failed."""
    return replace(verdict, score=0.0, failure=failure, message=message, **more)
