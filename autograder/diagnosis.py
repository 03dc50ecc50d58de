"""Why a function fails: its observations held against those of known misconceptions. A hint is never guessed.

A misconception is given only where it explains every case of the function and differs from the reference on at least
one. Misconceptions run in the reference branch, in workers of their own, and their observations are kept for the class.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autograder.compare import Difference, brief, compare, judge
from autograder.contract import Assignment, Function
from autograder.misconceptions import Misconception, misconceptions
from autograder.references import References, Replace
from autograder.sandbox import Observation
from autograder.suite import Case, Test
from autograder.tolerance import allowed, as_array

_COMBINATIONS: Final = 8


@dataclass(slots=True)
class Outcome:
    """What a test's cases came to: what the reference did, what the student's code did, how they differ."""

    test: Test
    expected: Sequence[Observation]
    observed: Sequence[Observation]
    differences: Sequence[Difference | None]

    @property
    def passed(self) -> bool:
        return not any(self.differences)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a failure.

    Attributes:
        misconceptions: that explain all cases of the function, shortest hint first.
        remark: an exact relation between what came back and what was expected.
        carried: the functions whose errors explain this one, which then costs nothing again.
        blocked: the function that must be right before this one can be judged.
    """

    misconceptions: tuple[Misconception, ...] = ()
    remark: str = ""
    carried: tuple[str, ...] = ()
    blocked: str | None = None


class Diagnostician:
    """Explains the failures of one submission in one assignment, function by function in the contract's order."""

    def __init__(self, references: References, assignment: Assignment, uses: Callable[[str], frozenset[str]]) -> None:
        self._references = references
        self._assignment = assignment
        self._uses = uses
        self._failed: dict[str, tuple[Misconception, ...]] = {}

    def explain(self, function: Function, outcomes: Sequence[Outcome]) -> list[Explanation]:
        """An explanation per outcome; empty ones where a test passes or nothing is known."""
        if all(outcome.passed for outcome in outcomes):
            return [Explanation()] * len(outcomes)
        prerequisites = [name for name in self._prerequisites(function) if name in self._failed]
        beneath = list(self._combinations(prerequisites))
        carried = [self._carried(outcome, beneath) for outcome in outcomes]
        if all(outcome.passed or names for outcome, names in zip(outcomes, carried, strict=True)):
            return [Explanation(carried=names) for names in carried]
        matching = next(filter(None, (self._matching(function, outcomes, place) for place in [{}, *beneath])), ())
        self._failed[function.name] = matching
        used = self._uses(function.name) if prerequisites and not matching else frozenset[str]()
        blocker = next((name for name in prerequisites if name in used), None)
        return [
            self._rest(outcome, names, matching, blocker) if not outcome.passed else Explanation()
            for outcome, names in zip(outcomes, carried, strict=True)
        ]

    def _rest(
        self, outcome: Outcome, carried: tuple[str, ...], matching: tuple[Misconception, ...], blocker: str | None
    ) -> Explanation:
        if carried:
            return Explanation(carried=carried)
        if matching:
            return Explanation(misconceptions=matching)
        return Explanation(remark=remark(outcome), blocked=blocker)

    def _prerequisites(self, function: Function) -> list[str]:
        """What a function needs, and what that needs in turn, nearest first."""
        found: list[str] = []
        waiting = list(function.needs)
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found.append(name)
                waiting += self._assignment.function(name).needs
        return found

    def _combinations(self, prerequisites: Sequence[str]) -> Iterator[Replace]:
        """What to put into the master for failed prerequisites, each with one of the misconceptions that explain it.

        The deepest first: what is put in later calls what is there by then.
        """
        diagnosed = [self._failed[name] for name in prerequisites if self._failed[name]]
        if diagnosed:
            for combination in itertools.islice(itertools.product(*diagnosed), _COMBINATIONS):
                yield {item.function: item.attribute for item in reversed(combination)}

    def _carried(self, outcome: Outcome, beneath: Sequence[Replace]) -> tuple[str, ...]:
        """The failed prerequisites whose misconceptions, put into the master, do just what the student's code does."""
        for replaced in beneath if not outcome.passed else ():
            wrong = self._references.replaced(self._assignment, outcome.test, replaced)
            if all(map(alike, outcome.test.cases, wrong, outcome.observed)):
                return tuple(replaced)[::-1]
        return ()

    def _matching(self, function: Function, outcomes: Sequence[Outcome], beneath: Replace) -> tuple[Misconception, ...]:
        """The misconceptions that explain every case, where those of the prerequisites are put in too."""
        if not any(_telling(observation) for outcome in outcomes for observation in outcome.observed):
            return ()
        candidates = [item for item in misconceptions(self._assignment) if item.function == function.name]
        # All of them, however long it takes: what is carried forward, and so the score, must not hang on the clock.
        matching = [item for item in candidates if self._explains(item, outcomes, beneath)]
        return tuple(sorted(matching, key=lambda item: len(item.hint)))

    def _explains(self, misconception: Misconception, outcomes: Sequence[Outcome], beneath: Replace) -> bool:
        differs = False
        place = {**beneath, misconception.function: misconception.attribute}
        for outcome in outcomes:
            wrong = self._references.replaced(self._assignment, outcome.test, place)
            if not all(map(alike, outcome.test.cases, wrong, outcome.observed)):
                return False
            # By an outcome that the prerequisites alone do not explain it is told that this one is needed.
            differs = differs or any(map(judge, outcome.test.cases, outcome.expected, wrong))
        return differs


def alike(case: Case, wrong: Observation, observed: Observation) -> bool:
    """Whether a student's code did in a case just what a misconception does."""
    if case.expectation == "advises":
        return True
    if case.expectation == "holds":
        # What is drawn at random is not the same twice; the sentence about it is.
        return _sentence(case, wrong) == _sentence(case, observed)
    if wrong.ending != observed.ending or wrong.changed != observed.changed:
        return False
    if wrong.ending == "raised":
        return wrong.classes[:1] == observed.classes[:1]
    if wrong.ending != "returned":
        return True
    try:
        return compare(case, wrong.value, observed.value) is None
    except TypeError:  # the misconception returned nothing plain; then the kind alone can be held against it
        return brief(wrong.value) == brief(observed.value)


def _telling(observation: Observation) -> bool:
    """Whether there is anything to hold against a misconception: a stub, a crash or a missing function is none."""
    return observation.ending == "returned" or "ValueError" in observation.classes


def _sentence(case: Case, observation: Observation) -> str | None:
    difference = judge(case, observation, observation)
    return difference.message if difference else None


def remark(outcome: Outcome) -> str:
    """A sentence where all failing cases are exactly a flip, a transpose, a shift, a factor or an offset away."""
    failing = [
        (case, as_array(expected.value), as_array(observed.value))
        for case, expected, observed, difference in zip(
            outcome.test.cases, outcome.expected, outcome.observed, outcome.differences, strict=True
        )
        if difference
    ]
    telling = [
        (case, right.astype(float), given.astype(float))
        for case, right, given in failing
        if right is not None and given is not None and right.size > 2 and given.dtype.kind in "iuf"
    ]
    if not telling or len(telling) < len(failing):
        return ""
    with np.errstate(all="ignore"):  # NaN, infinity and the largest floats are related to nothing
        return next((text for text, relation in _RELATIONS if all(relation(*triple) for triple in telling)), "")


def _close(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    if right.shape != given.shape or not np.isfinite(given).all():
        return False
    limit = allowed(case, right)
    return bool((np.abs(right - given) <= limit).all())


def _flipped(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    axes = range(right.ndim)
    return any(
        _close(case, np.flip(right, some), given) for count in (1, 2) for some in itertools.combinations(axes, count)
    )


def _transposed(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    return right.ndim > 1 and _close(case, np.swapaxes(right, -1, -2), given)


def _shifted(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    if right.ndim == 0 or right.shape != given.shape or right.shape[-1] < 4:
        return False
    steps = range(1, right.shape[-1] // 2)
    return any(
        _close(case, right[..., step:], given[..., :-step]) or _close(case, right[..., :-step], given[..., step:])
        for step in steps
    )


def _scaled(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    if right.shape != given.shape or not np.abs(right).max() > 0:
        return False
    factor = float((right * given).sum() / (right * right).sum())
    return factor != 0 and _close(case, right, given / factor)


def _offset(case: Case, right: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> bool:
    return right.shape == given.shape and _close(case, right, given - (given - right).mean())


_RELATIONS: Final = (
    ("What came back is the right result in reverse order along an axis.", _flipped),
    ("What came back is the right result with its last two axes swapped.", _transposed),
    ("What came back is the right result, shifted.", _shifted),
    ("What came back is the right result times a constant.", _scaled),
    ("What came back is the right result plus a constant.", _offset),
)
