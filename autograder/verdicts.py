"""What becomes of a test: judged cases and what explains them, as a verdict in words."""

from __future__ import annotations

import dataclasses

from autograder.compare import Difference, advice
from autograder.diagnosis import Explanation, Outcome
from autograder.report import Verdict
from autograder.suite import Test


def of_outcome(outcome: Outcome, explanation: Explanation) -> Verdict:
    """A test's verdict: the first failing case speaks for all of them."""
    failing = [(case, item) for case, item in zip(outcome.test.cases, outcome.differences, strict=True) if item]
    if not failing:
        words = map(advice, outcome.test.cases, outcome.observed)
        return dataclasses.replace(_verdict(outcome.test), hint=next(filter(None, words), ""))
    if explanation.carried:
        names = ", ".join(explanation.carried)
        hint = f"This follows from {names}; no points are lost a second time."
        return dataclasses.replace(_verdict(outcome.test), hint=hint, details=failing[0][1].details)
    case, difference = failing[0]
    count = len(outcome.test.cases)
    others = f" ({len(failing)} of {count} cases fail.)" if count > 1 else ""
    message = " ".join(filter(None, [f"{difference.message}{others}", explanation.remark]))
    verdict = failed(outcome.test, Difference(difference.failure, f"{case.shown}\n{message}", difference.about))
    if explanation.blocked:
        text = f"{message}\nFix {explanation.blocked} first: this function uses it."
        return dataclasses.replace(verdict, failure="blocked", message=f"{case.shown}\n{text}")
    return dataclasses.replace(
        verdict,
        misconceptions=tuple(item.id for item in explanation.misconceptions),
        hint="\n".join(item.hint for item in explanation.misconceptions),
    )


def failed(test: Test, difference: Difference) -> Verdict:
    """The verdict on a test that is lost for one reason, whatever its cases say."""
    return dataclasses.replace(
        _verdict(test), score=0, failure=difference.failure, message=difference.message, details=difference.details
    )


def _verdict(test: Test) -> Verdict:
    return Verdict(
        assignment=test.assignment,
        function=test.function,
        test=test.name,
        requirement=test.requirement,
        points=test.points,
        score=test.points,
        failure=None,
    )
