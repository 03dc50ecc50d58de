"""One submission to one report."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from autograder.compare import Difference, judge
from autograder.contract import Assignment, Function
from autograder.diagnosis import Diagnostician, Outcome
from autograder.identity import Identities
from autograder.intake import Answer, Submission
from autograder.offences import Seen, charges
from autograder.preflight import Isolation, preflight
from autograder.references import References
from autograder.report import Graded, Report, Verdict
from autograder.sandbox import Limits, Observation, Sandbox, Source, Zygote
from autograder.suite import Test, declare, on_a_real_gpu
from autograder.verdicts import failed, of_outcome

_ASSIGNMENT_SECONDS: Final = 150.0  # of wall-clock time for one assignment of one submission
_PATIENT: Final = Limits(load=60.0, call=20.0, job=90.0)  # each worker starts CUDA anew
_NO_TIME: Final = Observation("timeout")
_WELL: Final = ("returned", "raised", "absent")  # endings of a call after which its worker goes on
_IMPORT: Final = re.compile(r"^\s*(?:import|from)\s+(.+)$", re.MULTILINE)


class Grader:
    """Grades submissions one after another, with warm processes that all of them share.

    Args:
        seed: from which hidden inputs are drawn; the same for a whole class.
        limits: of one function's calls.
        hidden: files and folders that no submission may read, besides the kit's own.
        seconds: for all that it grades; what then waits ends as "timeout".
        gpu: use a real CUDA device where a suite asks for one.
    """

    def __init__(
        self,
        seed: int,
        limits: Limits | None = None,
        hidden: Sequence[Path] = (),
        seconds: float = math.inf,
        *,
        gpu: bool = False,
    ) -> None:
        self._seed = seed
        self._hidden = tuple(hidden)
        self.end = time.monotonic() + seconds
        self._gpu = gpu
        self._limits = limits or (_PATIENT if gpu else Limits())
        self._identities = Identities().__enter__()
        self._sandboxes: dict[tuple[str, ...], Sandbox] = {}
        self._suites: dict[str, tuple[Test, ...]] = {}
        self._isolation: Isolation | None = None
        self.references = References(self.sandbox, self.suite, self._limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all warm processes."""
        for sandbox in self._sandboxes.values():
            sandbox.close()
        self._identities.__exit__()

    def draw_from(self, seed: int) -> None:
        """Draw hidden inputs from another seed from now on, with the same warm processes."""
        if seed != self._seed:
            self._seed = seed
            self._suites.clear()
            self.references = References(self.sandbox, self.suite, self._limits)

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
        isolation = self.isolation
        return Report(submission.student, isolation.level, graded, submission.problems, isolation.sentences)

    @property
    def isolation(self) -> Isolation:
        """How well this grader's workers are confined; attempted once."""
        if self._isolation is None:
            libraries = next(iter(self._sandboxes), ("numpy",))
            self._isolation = preflight(self.sandbox(libraries), self._hidden)
        return self._isolation

    def suite(self, assignment: Assignment) -> tuple[Test, ...]:
        """The tests of an assignment, with this grader's inputs."""
        if assignment.name not in self._suites:
            tests = declare(assignment, self._seed)
            self._suites[assignment.name] = on_a_real_gpu(tests) if self._gpu else tests
        return self._suites[assignment.name]

    def sandbox(self, libraries: Sequence[str]) -> Sandbox:
        """The warm processes with these libraries."""
        key = tuple(sorted(libraries))
        if key not in self._sandboxes:
            self._sandboxes[key] = Sandbox(key, self._identities, gpu=self._gpu)
        return self._sandboxes[key]

    def libraries(self, assignment: Assignment, answer: Answer) -> list[str]:
        """What must be warm for an answer: what its assignment asks for, and torch where it imports that."""
        return sorted({*assignment.libraries, *({"torch"} & _imported(answer))})

    def _assignment(self, assignment: Assignment, answer: Answer | None) -> Graded:
        tests = self.suite(assignment)
        if answer is None or answer.problem:
            problem = answer.problem if answer else f"Nothing that was handed in answers {assignment.name}."
            failure = "unreadable" if answer else "missing"
            verdicts = [failed(test, Difference(failure, problem or "")) for test in tests]
            return Graded(assignment.name, assignment.title, answer.file if answer else None, tuple(verdicts), problem)
        zygote = self.sandbox(self.libraries(assignment, answer)).students
        source = Source(assignment.name, answer.file, answer.cells, answer.modules)
        session = Session(self, assignment, zygote, source, self._limits)
        verdicts = tuple(session.grade())
        return Graded(assignment.name, assignment.title, answer.file, verdicts, review=session.review)


class Session:
    """One assignment, as one source of it does.

    Args:
        zygote: whose workers run the source.
        source: a submission, or for the audit a master with something replaced.
        confirm: the way of a submission: note forbidden calls, and observe a failing test again in a worker that has
            seen no other test.
    """

    def __init__(
        self,
        grader: Grader,
        assignment: Assignment,
        zygote: Zygote,
        source: Source,
        limits: Limits,
        *,
        confirm: bool = True,
    ) -> None:
        self._confirm = confirm
        self._references = grader.references
        self._assignment = assignment
        self._tests = grader.suite(assignment)
        self._zygote = zygote
        self._source = source
        self._limits = limits
        self._end = min(time.monotonic() + _ASSIGNMENT_SECONDS, grader.end)
        self._diagnostician = Diagnostician(grader.references, assignment, self.uses)
        self._suspicions: dict[str, None] = {}
        self._seen: dict[str, Seen] = {}

    def grade(self, functions: Sequence[str] | None = None) -> list[Verdict]:
        """All verdicts, or those on some functions, in the contract's order. First all calls are made."""
        names = self._assignment.names if functions is None else functions
        chosen = [self._assignment.function(name) for name in names]
        seen = self._observe_together(chosen) if self._confirm else {}
        for function in chosen:
            if function.name not in seen:
                seen[function.name] = self._observe(self._of(function))
        self._seen, charged = seen, charges(self._assignment, seen)
        return [
            verdict
            for function in chosen
            for verdict in self._function(function, seen[function.name], charged.get(function.name))
        ]

    @property
    def review(self) -> tuple[str, ...]:
        """What looks like a forbidden call, once graded: see `worker.suspicions`."""
        return tuple(self._suspicions)

    def uses(self, function: str) -> frozenset[str]:
        """The names that a function of the source reads, directly or through others."""
        return self._zygote.uses(self._source, function, self._limits)

    def _function(self, function: Function, seen: Seen, charge: Difference | None) -> list[Verdict]:
        """The verdicts on one function."""
        tests = self._of(function)
        if charge:
            return [failed(test, charge) for test in tests]
        outcomes = [self._judge(test, observed) for test, observed in zip(tests, seen, strict=True)]
        # One worker made all calls. Where a test fails, another decides that has seen no other test, so that nothing
        # that calls leave behind outside the submission's modules can cost a point.
        for outcome in outcomes:
            if self._confirm and not outcome.passed and _may_be_leftover(outcome.observed):
                alone = self._observe([outcome.test])
                if late := charges(self._assignment, {**self._seen, function.name: alone}).get(function.name):
                    return [failed(test, late) for test in tests]  # it did not show itself at first
                again = self._judge(outcome.test, alone[0])
                outcome.observed, outcome.differences = again.observed, again.differences
        explanations = self._diagnostician.explain(function, outcomes)
        return [of_outcome(*pair) for pair in zip(outcomes, explanations, strict=True)]

    def _of(self, function: Function) -> list[Test]:
        return [test for test in self._tests if test.function == function.name]

    def _observe_together(self, functions: Sequence[Function]) -> dict[str, Seen]:
        """What one worker makes of all functions, by function: most of the time goes into starting workers.

        Where a call does not come to an end, its function and those after it are left out, to be observed by
        themselves: a loop or a crash takes no time and no result from any other.
        """
        tests = [test for function in functions for test in self._of(function)]
        seen = itertools.takewhile(lambda item: item.ending in _WELL, self._calls_made(tests, once=True))
        observed, together = list(seen), dict[str, Seen]()
        for function in functions:
            tests = self._of(function)
            count = sum(len(test.cases) for test in tests)
            if count <= len(observed):
                together[function.name] = _by_test(tests, observed)
            observed = observed[count:]
        return together

    def _observe(self, tests: Sequence[Test]) -> Seen:
        return _by_test(tests, self._calls_made(tests))

    def _calls_made(self, tests: Sequence[Test], *, once: bool = False) -> list[Observation]:
        calls = [case.call for test in tests for case in test.cases]
        # Those on the same machine in a row: for another one a worker loads the submission anew. The usual one first.
        order = sorted(range(len(calls)), key=lambda number: (calls[number].gpus is not None, str(calls[number].gpus)))
        left = self._end - time.monotonic()
        limits = Limits(min(self._limits.load, left), self._limits.call, min(self._limits.job, left))
        source = dataclasses.replace(self._source, forbidden=self._assignment.watched if self._confirm else ())
        ordered = [calls[number] for number in order]
        seen = self._zygote.observe(source, ordered, limits, once=once) if left > 0 else [_NO_TIME] * len(calls)
        self._suspicions.update(dict.fromkeys(what for item in seen for what in item.suspicions))
        made = dict(zip(order, seen, strict=False))
        return [made[number] for number in itertools.takewhile(made.__contains__, range(len(calls)))]

    def _judge(self, test: Test, observed: Sequence[Observation]) -> Outcome:
        expected = self._references.expected(self._assignment, test)
        differences = [judge(*triple) for triple in zip(test.cases, expected, observed, strict=True)]
        return Outcome(test, expected, observed, differences)


def _by_test(tests: Sequence[Test], observed: Sequence[Observation]) -> Seen:
    """Observations of all cases in a row, test by test."""
    each = iter(observed)
    return [[next(each) for _ in test.cases] for test in tests]


def _imported(answer: Answer) -> set[str]:
    """The words in import statements of an answer, and of those of its submission's modules that they lead to."""
    modules, waiting, words = dict(answer.modules), list(answer.cells), set[str]()
    while waiting:
        words.update(*(re.findall(r"\w+", line) for line in _IMPORT.findall(waiting.pop())))
        waiting += [modules.pop(name) for name in list(modules) if words.intersection(name.split("."))]
    return words


def _may_be_leftover(observed: Sequence[Observation]) -> bool:
    """Whether a failure could come of an earlier call's leftovers; a timeout is confirmed elsewhere, in quiet."""
    return all(item.ending != "timeout" and "NotImplementedError" not in item.classes for item in observed) and any(
        item.ending != "absent" for item in observed
    )
