"""Why a function fails: its observations held against those of known misconceptions. A hint is never guessed.

A misconception is given only where it explains every case of the function and differs from the reference on at least
one. Where none does, what is refused is left aside: who has the formula wrong may well check its arguments rightly, or
not at all, and the hint is about the formula. Misconceptions run in the reference branch, in workers of their own, and
their observations are kept for the class.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
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
        carried: the functions whose errors explain this one, which then costs no points a second time.
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
        prerequisites = [name for name in self._assignment.prerequisites(function.name) if name in self._failed]
        beneath = list(self._combinations(prerequisites))
        carried = [self._carried(outcome, beneath) for outcome in outcomes]
        if all(outcome.passed or names for outcome, names in zip(outcomes, carried, strict=True)):
            return [Explanation(carried=names) for names in carried]
        shown = self._shown_by(function, outcomes, [{}, *beneath])
        matching = tuple(shown)
        self._failed[function.name] = matching
        used = self._uses(function.name) if prerequisites and not matching else frozenset[str]()
        blocker = next((name for name in prerequisites if name in used), None)
        return [
            Explanation() if outcome.passed else self._rest(outcome, names, shown, blocker)
            for outcome, names in zip(outcomes, carried, strict=True)
        ]

    def _rest(
        self,
        outcome: Outcome,
        carried: tuple[str, ...],
        shown: Mapping[Misconception, frozenset[str]],
        blocker: str | None,
    ) -> Explanation:
        if carried:
            return Explanation(carried=carried)
        if here := tuple(item for item, tests in shown.items() if outcome.test.name in tests):
            return Explanation(misconceptions=here)
        return Explanation(remark=remark(outcome), blocked=blocker)

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
            # Lenient only where it is not the refusals that fail: a misconception says nothing of those.
            lenient = not any(map(_is_lost_refusal, outcome.expected, outcome.differences))
            if _shows(outcome, wrong) is not None or (lenient and _shows(outcome, wrong, lenient=True)):
                return tuple(replaced)[::-1]
        return ()

    def _shown_by(
        self, function: Function, outcomes: Sequence[Outcome], places: Sequence[Replace]
    ) -> dict[Misconception, frozenset[str]]:
        """The misconceptions that explain a function, shortest hint first, each with the tests in which it shows.

        Args:
            places: with what put in for the function's prerequisites; the first that leads to any counts.
        """
        if not any(_telling(observation) for outcome in outcomes for observation in outcome.observed):
            return {}
        known = sorted(misconceptions(self._assignment), key=lambda item: len(item.hint))
        candidates = [item for item in known if item.function == function.name]
        for lenient, place in itertools.product((False, True), places):
            # All of them, however long it takes: what is carried forward, and so the score, must not hang on the clock.
            shown = {item: self._shown(item, outcomes, place, lenient=lenient) for item in candidates}
            if any(shown.values()):
                return {item: tests for item, tests in shown.items() if tests}
        return {}

    def _shown(
        self, misconception: Misconception, outcomes: Sequence[Outcome], beneath: Replace, *, lenient: bool
    ) -> frozenset[str]:
        """The tests in which a misconception shows, if it explains all of them."""
        place = {**beneath, misconception.function: misconception.attribute}
        shown: set[str] = set()
        for outcome in outcomes:
            shows = _shows(outcome, self._references.replaced(self._assignment, outcome.test, place), lenient=lenient)
            if shows is None:
                return frozenset()
            if shows:
                shown.add(outcome.test.name)
        return frozenset(shown)


def _shows(outcome: Outcome, wrong: Sequence[Observation], *, lenient: bool = False) -> bool | None:
    """Whether a misconception does in a test just what the student's code does, and that is not right.

    False where it is right; None where the student's code does something else.

    Args:
        outcome: of the student's code.
        wrong: what the misconception does in the same cases.
        lenient: leave aside the cases that the reference or the misconception refuses.
    """
    shows = False
    for case, expected, made, observed in zip(
        outcome.test.cases, outcome.expected, wrong, outcome.observed, strict=True
    ):
        if lenient and (_is_refusal(expected) or _is_refusal(made)):
            continue
        if not alike(case, made, observed):
            return None
        shows = shows or judge(case, expected, made) is not None
    return shows


def _is_refusal(observation: Observation) -> bool:
    return observation.ending == "raised" and "ValueError" in observation.classes


def _is_lost_refusal(expected: Observation, difference: Difference | None) -> bool:
    return difference is not None and _is_refusal(expected)


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
