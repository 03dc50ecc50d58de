"""One submission to one report."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from autograder.compare import Difference, judge
from autograder.contract import Assignment, Function
from autograder.diagnosis import Diagnostician, Explanation, Outcome, misconception_source
from autograder.identity import Identities
from autograder.intake import Answer, Submission
from autograder.misconceptions import MODULE
from autograder.report import Graded, Report, Verdict
from autograder.sandbox import Limits, Observation, Sandbox, Source
from autograder.suite import SuiteError, Test, declare
from autograder.worker.calls import FAILED

_ASSIGNMENT_SECONDS: Final = 150.0  # of wall-clock time for one assignment of one submission
_NO_TIME: Final = Observation("timeout")
_TORCH: Final = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


class Grader:
    """Grades submissions one after another, with warm processes that all of them share.

    Args:
        seed: from which hidden inputs are drawn; the same for a whole class.
        limits: of one function's calls.
    """

    def __init__(self, seed: int, limits: Limits | None = None) -> None:
        self._seed = seed
        self._limits = limits or Limits()
        self._identities = Identities().__enter__()
        self._sandboxes: dict[tuple[str, ...], Sandbox] = {}
        self._suites: dict[str, tuple[Test, ...]] = {}
        self._parsed: set[str] = set()
        self._references: dict[tuple[object, ...], Sequence[Observation]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._identities.__exit__(kind, error, trace)

    def grade(self, submission: Submission, assignments: Sequence[Assignment], named: bool = False) -> Report:
        """All verdicts of a submission.

        Args:
            submission: as the intake read it.
            assignments: to grade, where the submission answers them.
            named: grade them all the same where it does not: a missing one scores 0.
        """
        graded = tuple(
            self._assignment(assignment, submission.answers.get(assignment.name))
            for assignment in assignments
            if named or assignment.name in submission.answers
        )
        return Report(submission.student, "B", graded, submission.problems)

    def suite(self, assignment: Assignment) -> tuple[Test, ...]:
        """The tests of an assignment, with this grader's inputs."""
        if assignment.name not in self._suites:
            self._suites[assignment.name] = declare(assignment, self._seed)
        return self._suites[assignment.name]

    def sandbox(self, libraries: Sequence[str]) -> Sandbox:
        """The warm processes with these libraries."""
        key = tuple(sorted(libraries))
        if key not in self._sandboxes:
            self._sandboxes[key] = Sandbox(key, self._identities)
        return self._sandboxes[key]

    def reference(self, assignment: Assignment, test: Test) -> Sequence[Observation]:
        """What the master does in a test's cases; observed once.

        Raises:
            SuiteError: the master does not end as the test expects of it.
        """
        observed = self.replaced(assignment, test, {})
        for case, observation in zip(test.cases, observed, strict=True):
            difference = judge(case, observation, observation)
            if difference:
                raise SuiteError(f"{assignment.suite}: {test.name}: the master fails {case.shown}: {difference.message}")
        return observed

    def replaced(
        self, assignment: Assignment, test: Test, replace: Mapping[str, tuple[str, str]]
    ) -> Sequence[Observation]:
        """What the master does in a test's cases with some functions replaced by misconceptions; observed once."""
        key = (test.assignment, test.name, tuple(sorted(replace.items())))
        if key not in self._references:
            zygote = self.sandbox(assignment.libraries).references
            source = master_source(assignment)
            text = assignment.misconceptions.read_text(encoding="utf-8") if replace else ""
            if assignment.name not in self._parsed:
                self._parsed.add(assignment.name)
                zygote.parse(source.cells[0], source.file)
            if replace and assignment.misconceptions.name not in self._parsed:
                self._parsed.add(assignment.misconceptions.name)
                zygote.parse(text, f"{MODULE}.py")
            if replace:
                source = misconception_source(source, text, replace)
            observed = zygote.observe(source, [case.call for case in test.cases], self._limits)
            if any(FAILED in observation.output for observation in observed):
                raise SuiteError(f"{assignment.name}: {test.name} with {dict(replace)}: {observed[0].output}")
            self._references[key] = observed
        return self._references[key]

    def _assignment(self, assignment: Assignment, answer: Answer | None) -> Graded:
        tests = self.suite(assignment)
        if answer is None or answer.problem:
            problem = answer.problem if answer else f"Nothing that was handed in answers {assignment.name}."
            failure = "unreadable" if answer else "missing"
            verdicts = [_verdict(test, Difference(failure, problem or "")) for test in tests]
            return Graded(assignment.name, assignment.title, answer.file if answer else None, tuple(verdicts), problem)
        session = _Session(self, assignment, answer, tests, self._limits)
        verdicts = [verdict for function in assignment.functions for verdict in session.grade(function)]
        return Graded(assignment.name, assignment.title, answer.file, tuple(verdicts))


class _Session:
    """One assignment of one submission."""

    def __init__(
        self, grader: Grader, assignment: Assignment, answer: Answer, tests: Sequence[Test], limits: Limits
    ) -> None:
        self._grader = grader
        self._assignment = assignment
        self._tests = tests
        self._limits = limits
        self._source = Source(assignment.name, answer.file, answer.cells, answer.modules)
        texts = (*answer.cells, *answer.modules.values())
        uses_torch = any(_TORCH.search(text) for text in texts)
        self._libraries = sorted({*assignment.libraries, *(["torch"] if uses_torch else [])})
        self._end = time.monotonic() + _ASSIGNMENT_SECONDS
        self._diagnostician = Diagnostician(grader, assignment, "\n".join(texts))

    def grade(self, function: Function) -> list[Verdict]:
        """The verdicts on one function: all its cases are observed before any is judged."""
        tests = [test for test in self._tests if test.function == function.name]
        together = self._observe(tests)
        outcomes = [self._judge(test, observed) for test, observed in zip(tests, together, strict=True)]
        # One worker made all calls. Where a test fails, another decides that has seen no other test, so that nothing
        # one test leaves behind can cost the points of another.
        for outcome in outcomes:
            if not outcome.passed and len(outcomes) > 1 and not _timed_out(outcome.observed):
                again = self._judge(outcome.test, self._observe([outcome.test])[0])
                outcome.observed, outcome.differences = again.observed, again.differences
        explanations = self._diagnostician.explain(function, outcomes)
        return [_outcome_verdict(*pair) for pair in zip(outcomes, explanations, strict=True)]

    def _observe(self, tests: Sequence[Test]) -> list[Sequence[Observation]]:
        calls = [case.call for test in tests for case in test.cases]
        left = self._end - time.monotonic()
        if left <= 0:
            observed = [_NO_TIME] * len(calls)
        else:
            limits = Limits(min(self._limits.load, left), self._limits.call, min(self._limits.job, left))
            observed = self._grader.sandbox(self._libraries).students.observe(self._source, calls, limits)
        result: list[Sequence[Observation]] = []
        for test in tests:
            result.append(observed[: len(test.cases)])
            observed = observed[len(test.cases) :]
        return result

    def _judge(self, test: Test, observed: Sequence[Observation]) -> Outcome:
        expected = self._grader.reference(self._assignment, test)
        differences = [judge(*triple) for triple in zip(test.cases, expected, observed, strict=True)]
        return Outcome(test, expected, observed, differences)


def _timed_out(observed: Sequence[Observation]) -> bool:
    return any(observation.ending == "timeout" for observation in observed)


def _outcome_verdict(outcome: Outcome, explanation: Explanation) -> Verdict:
    """A test's verdict: the first failing case speaks for all of them."""
    failing = [(case, item) for case, item in zip(outcome.test.cases, outcome.differences, strict=True) if item]
    if not failing:
        return _verdict(outcome.test, None)
    if explanation.carried:
        names = ", ".join(explanation.carried)
        hint = f"This follows from {names}; it costs nothing again."
        return dataclasses.replace(_verdict(outcome.test, None), hint=hint, details=failing[0][1].details)
    case, difference = failing[0]
    count = len(outcome.test.cases)
    others = f" ({len(failing)} of {count} cases fail.)" if count > 1 else ""
    message = " ".join(filter(None, [f"{difference.message}{others}", explanation.remark]))
    verdict = _verdict(outcome.test, Difference(difference.failure, f"{case.shown}\n{message}", difference.details))
    if explanation.blocked:
        text = f"{message}\nFix {explanation.blocked} first: this function uses it."
        return dataclasses.replace(verdict, failure="blocked", message=f"{case.shown}\n{text}")
    return dataclasses.replace(
        verdict,
        misconceptions=tuple(item.id for item in explanation.misconceptions),
        hint="\n".join(item.hint for item in explanation.misconceptions),
    )


def _verdict(test: Test, difference: Difference | None) -> Verdict:
    return Verdict(
        assignment=test.assignment,
        function=test.function,
        test=test.name,
        requirement=test.requirement,
        points=test.points,
        score=0 if difference else test.points,
        failure=difference.failure if difference else None,
        message=difference.message if difference else "",
        details=difference.details if difference else "",
    )


def master_source(assignment: Assignment) -> Source:
    """The master as a worker loads it."""
    return Source(assignment.name, f"{assignment.name}.py", (assignment.master.read_text(encoding="utf-8"),))
