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
    made = {name: list(_made(assignment, name, observed)) for name, observed in seen.items()}
    guilty = {name for name, calls in made.items() if any(maker == name for maker, _, _ in calls)}
    found: dict[str, Difference] = {}
    for name, calls in made.items():
        for maker, known, offence in calls:
            if maker == name or maker not in guilty or not _pays_for(assignment, maker, name):
                found[name] = _told(name, known, offence)
                break
    return found


def _pays_for(assignment: Assignment, maker: str, function: str) -> bool:
    """Whether what a function loses covers another that calls it."""
    dearer = assignment.function(maker).points >= assignment.function(function).points
    return dearer and maker in assignment.prerequisites(function)


def _made(assignment: Assignment, function: str, seen: Seen) -> Iterator[tuple[str, str, Offence]]:
    """The noted calls that a function or their maker may not make: the maker, and the master's name for each."""
    for offence in (offence for observed in seen for observation in observed for offence in observation.offences):
        # The innermost graded function on the way to the call; none is known where only helpers are.
        maker = next((name for name in offence.functions if name in assignment.names), function)
        own = [name for each in (function, maker) for name in assignment.function(each).forbidden]
        above = [name for name in (*assignment.forbidden, *own) if f"{offence.name}.".startswith(f"{name}.")]
        if above:
            yield maker, max(above, key=len), offence


def _told(function: str, known: str, offence: Offence) -> Difference:
    # What comes from the worker may hold anything: the name is the master's own.
    name = known if known == offence.name else f"a function of {known}"
    where = f" in line {offence.line}" if offence.line else ""
    text = f"{function} calls {name}{where}, which this assignment does not allow. Write that part yourself."
    way = f", by way of {', '.join(offence.functions)}" if offence.functions else ""
    return Difference("forbidden", text, f"{offence.name}{way}")
