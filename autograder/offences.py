"""Forbidden calls that were made: which function answers for one, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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
    guilty = {name for name in seen if any(_maker(assignment, name, offence) == name for offence in _all(seen[name]))}
    found: dict[str, Difference] = {}
    for name in seen:
        for offence in _all(seen[name]):
            maker = _maker(assignment, name, offence)
            if maker == name or maker not in guilty or not _pays_for(assignment, maker, name):
                found[name] = _told(assignment, name, offence)
                break
    return found


def _pays_for(assignment: Assignment, maker: str, function: str) -> bool:
    """Whether what a function loses covers another that calls it."""
    needed = set(assignment.function(function).needs)
    while more := {name for each in needed for name in assignment.function(each).needs} - needed:
        needed |= more
    return maker in needed and assignment.function(maker).points >= assignment.function(function).points


def _all(seen: Seen) -> Iterator[Offence]:
    return (offence for observed in seen for observation in observed for offence in observation.offences)


def _maker(assignment: Assignment, function: str, offence: Offence) -> str:
    """The innermost graded function on the way to the call; none is known where only helpers are."""
    return next((name for name in offence.functions if name in assignment.names), function)


def _told(assignment: Assignment, function: str, offence: Offence) -> Difference:
    # The name comes from the worker: it is repeated only where it is one of the master's.
    forbidden = (*assignment.forbidden, *assignment.function(function).forbidden)
    name = offence.name if any(offence.name.startswith(known) for known in forbidden) else "a function"
    where = f" in line {offence.line}" if offence.line else ""
    text = f"{function} calls {name}{where}, which this assignment does not allow. Write that part yourself."
    return Difference("forbidden", text, f"{offence.name}, by way of {', '.join(offence.functions)}")
