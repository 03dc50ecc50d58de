"""Forbidden calls that were made: which function answers for one, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograder.compare import Difference
from autograder.contract import Assignment
from autograder.jobs import Observation, Offence

Seen = Sequence[Sequence[Observation]]  # of a function's calls, test by test


def charges(assignment: Assignment, seen: Mapping[str, Seen]) -> dict[str, Difference]:
    """How functions fail that answer for a forbidden call, by name.

    The graded function that makes the call answers for it, where its own tests show that it does; one that calls it
    does not pay a second time, if it needs it and is worth no more. What comes to light only when another calls it, or
    would cost less than it earns, is on the account of the one that calls.

    Args:
        assignment: with the names of what is forbidden.
        seen: what came of the calls of each function's tests.
    """
    guilty = {
        name
        for name in seen
        if any(_maker(assignment, name, offence) == name for offence in _all(assignment, name, seen))
    }
    found: dict[str, Difference] = {}
    for name in seen:
        for offence in _all(assignment, name, seen):
            maker = _maker(assignment, name, offence)
            if maker == name or maker not in guilty or not _pays_for(assignment, maker, name):
                found[name] = _told(assignment, name, offence)
                break
    return found


def _pays_for(assignment: Assignment, maker: str, function: str) -> bool:
    """Whether what a function loses covers another that calls it."""
    dearer = assignment.function(maker).points >= assignment.function(function).points
    return dearer and maker in assignment.prerequisites(function)


def _all(assignment: Assignment, function: str, seen: Mapping[str, Seen]) -> Iterator[Offence]:
    """The calls that were noted of a function and are forbidden to it or to the one that makes them."""
    for offence in (
        offence for observed in seen[function] for observation in observed for offence in observation.offences
    ):
        if _forbidding(assignment, {function, _maker(assignment, function, offence)}, offence):
            yield offence


def _forbidding(assignment: Assignment, functions: Iterable[str], offence: Offence) -> str | None:
    """The name by which the master forbids a call to some functions."""
    own = [name for function in functions for name in assignment.function(function).forbidden]
    below = [name for name in (*assignment.forbidden, *own) if f"{offence.name}.".startswith(f"{name}.")]
    return max(below, key=len, default=None)


def _maker(assignment: Assignment, function: str, offence: Offence) -> str:
    """The innermost graded function on the way to the call; none is known where only helpers are."""
    return next((name for name in offence.functions if name in assignment.names), function)


def _told(assignment: Assignment, function: str, offence: Offence) -> Difference:
    # What comes from the worker may hold anything: the name is the master's own.
    known = _forbidding(assignment, {function, _maker(assignment, function, offence)}, offence) or ""
    name = known if known == offence.name else f"a function of {known}"
    where = f" in line {offence.line}" if offence.line else ""
    text = f"{function} calls {name}{where}, which this assignment does not allow. Write that part yourself."
    way = f", by way of {', '.join(offence.functions)}" if offence.functions else ""
    return Difference("forbidden", text, f"{offence.name}{way}")
