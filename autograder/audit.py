"""The proofs: what `autograder audit` shows of every assignment before a student is graded by it.

The master earns every point and the untouched stub none in any function; every right style earns every point; every
misconception loses points in its own function and in no other, and is diagnosed by its own hint; hints are there and
hold no code; nothing that students receive holds a line of a solution, a hidden test or a misconception.
"""

from __future__ import annotations

import concurrent.futures as futures
import functools
import multiprocessing
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder import contract, leaks, mutants
from autograder.contract import Assignment
from autograder.grading import Grader, Session
from autograder.intake import read_submission
from autograder.misconceptions import Misconception, misconceptions
from autograder.report import Verdict
from autograder.sandbox import Limits, Observation, Source
from autograder.suite import Test

SEEDS: Final = (1, 2)
_CODE: Final = re.compile(  # x(t) and "return" are words of the lecture; these are not
    r"`[^`]*[=\[][^`]*`|==|\[:|:\]|\*\*|//|\b(?:np|numpy|torch|self)\.\w+|\blambda\b|\w\[\w"
)
_CHUNK: Final = 6  # mutants in one job: few enough to share them evenly between processes
_PATIENCE: Final = Limits(load=10, call=3, job=10)
_MUTANTS_PATIENCE: Final = Limits(load=10, call=2, job=4)  # many of them never end


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Something that is not proved.

    Attributes:
        what: in a sentence.
        mend: the file or command that mends it.
    """

    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Kill:
    """One misconception or mutant as a submission: which tests noticed it.

    Attributes:
        assignment, function: what it replaces.
        name: its id.
        killers: tests of its own function that failed.
        diagnosed: whether a misconception's own hint was given.
        mutant: whether it is one; a mutant has no hint.
        equivalent: why a mutant is right all the same.
    """

    assignment: str
    function: str
    name: str
    killers: tuple[str, ...]
    diagnosed: bool = False
    mutant: bool = False
    equivalent: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one job of the audit found."""

    kills: tuple[Kill, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """A part of the audit that one process does: `kind` is the name of a function of this module."""

    kind: str
    assignment: str
    seed: int = SEEDS[0]
    items: tuple[str, ...] = ()


def plan(assignments: Sequence[Assignment], *, seeds: Sequence[int] = SEEDS, with_mutants: bool = False) -> list[Job]:
    """All jobs: seed by seed, and the long ones first, so that no process waits for another at the end.

    Args:
        assignments: to prove.
        seeds: on which right styles must earn every point.
        with_mutants: also try every mutant of the masters.
    """
    jobs = [job for assignment in assignments for job in _jobs(assignment, seeds, with_mutants)]
    return sorted(jobs, key=lambda job: (job.seed, "torch" not in contract.assignment(job.assignment).libraries))


def audit(jobs: Sequence[Job]) -> Iterator[Finding]:
    """Do them in as many processes as there are cores; findings as they come in."""
    context = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(os.cpu_count() or 1, context) as pool:
        for done in futures.as_completed([pool.submit(work, job) for job in jobs]):
            yield done.result()


def _jobs(assignment: Assignment, seeds: Sequence[int], with_mutants: bool) -> Iterator[Job]:
    name = assignment.name
    for function in assignment.names:  # all of a function in one process, where they are held against each other
        yield Job("wrong", name, items=(function,))
    for seed in seeds:
        yield Job("right", name, seed)
    yield Job("untouched", name)
    yield Job("texts", name)
    if with_mutants:
        keys = [mutant.key for mutant in mutants.mutants(assignment)]
        for start in range(0, len(keys), _CHUNK):
            yield Job("mutated", name, items=tuple(keys[start : start + _CHUNK]))


_grader: Grader | None = None


def _graded_with(seed: int) -> Grader:
    """This process's grader: one for all seeds, as its warm processes took seconds to start."""
    global _grader  # noqa: PLW0603
    _grader = _grader or Grader(seed)
    _grader.draw_from(seed)
    return _grader


def work(job: Job) -> Finding:
    """Do one job; in a process that keeps its warm workers for the next."""
    kinds = {"wrong": wrong, "right": right, "untouched": untouched, "texts": texts, "mutated": mutated}
    return kinds[job.kind](_graded_with(job.seed), contract.assignment(job.assignment), job.items)


class _Mistaken(Session):
    """A master with one misconception in it, graded like a submission; only what reads the mistake can differ."""

    def __init__(self, grader: Grader, assignment: Assignment, item: Misconception) -> None:
        self._replace = {item.function: item.attribute}
        source = grader.references.source(assignment, self._replace)
        zygote = grader.sandbox(assignment.libraries).references
        super().__init__(grader, assignment, zygote, source, _PATIENCE, confirm=False)
        # Observations are shared with the diagnosis, which asks for the same.
        self._observed = functools.partial(grader.references.replaced, assignment)

    def _observe(self, tests: Sequence[Test]) -> list[Sequence[Observation]]:
        return [self._observed(test, self._replace) for test in tests]


def wrong(grader: Grader, assignment: Assignment, functions: Sequence[str]) -> Finding:
    """Each misconception, in the master's place, loses points where it should and gets its own hint."""
    kills: list[Kill] = []
    shortfalls: list[Shortfall] = []
    for item in misconceptions(assignment):
        if item.function not in functions:
            continue
        session = _Mistaken(grader, assignment, item)
        readers = [name for name in assignment.names if item.function in (name, *session.uses(name))]
        verdicts = session.grade(readers)
        own = [verdict for verdict in verdicts if verdict.function == item.function and not verdict.passed]
        diagnosed = any(item.id in verdict.misconceptions for verdict in own)
        kills.append(Kill(assignment.name, item.function, item.id, tuple(verdict.test for verdict in own), diagnosed))
        shortfalls += _fallen_short(assignment, item, verdicts, diagnosed)
    return Finding(tuple(kills), tuple(shortfalls))


def _fallen_short(
    assignment: Assignment, item: Misconception, verdicts: Sequence[Verdict], diagnosed: bool
) -> Iterator[Shortfall]:
    failing = [verdict for verdict in verdicts if verdict.failure not in (None, "blocked")]
    others = sorted({verdict.function for verdict in failing if verdict.function != item.function})
    where = f"{assignment.name}: the misconception {item.id}"
    if all(verdict.function != item.function for verdict in failing):
        yield Shortfall(f"{where} loses no point in {item.function}.", f"add a test to {assignment.suite}")
    elif not diagnosed:
        yield Shortfall(f"{where} is not diagnosed by its own hint.", str(assignment.misconceptions))
    if others:
        mend = f"let {item.function} stand in the `needs` of {', '.join(others)} in {assignment.master}"
        yield Shortfall(f"{where} costs points in {', '.join(others)} too.", mend)


def right(grader: Grader, assignment: Assignment, _: Sequence[str]) -> Finding:
    """The master and every right style earn every point."""
    folder = contract.kit_root() / "tests" / "styles" / assignment.name
    styles = sorted(folder.glob("*.py"))
    found = (
        [] if len(styles) >= 4 else [Shortfall(f"{assignment.name}: fewer than four right styles.", f"add to {folder}")]
    )
    for path in (assignment.master, *styles):
        lost = [verdict for verdict in _file_verdicts(grader, assignment, path) if not verdict.passed]
        found += [
            Shortfall(
                f"{assignment.name}: {path.name} is right and loses {verdict.points} points in {verdict.test}: "
                f"{verdict.failure}. {verdict.message} {verdict.details}",
                f"{assignment.suite} or {path}",
            )
            for verdict in lost
        ]
    return Finding(shortfalls=tuple(found))


def untouched(grader: Grader, assignment: Assignment, _: Sequence[str]) -> Finding:
    """The stub earns nothing in any function."""
    path = contract.kit_root() / "assignments" / assignment.name / f"{assignment.name}.py"
    earned = [verdict for verdict in _file_verdicts(grader, assignment, path) if verdict.score]
    return Finding(
        shortfalls=tuple(
            Shortfall(f"{assignment.name}: the untouched stub earns points in {verdict.test}.", str(assignment.suite))
            for verdict in earned
        )
    )


def texts(_: Grader, assignment: Assignment, __: Sequence[str]) -> Finding:
    """Hints are whole and hold no code; enough misconceptions are known; nothing secret is handed out."""
    known = misconceptions(assignment)
    place = str(assignment.misconceptions)
    found = [
        Shortfall(f"{assignment.name}: the hint of {item.id} holds code or is shorter than a sentence.", place)
        for item in known
        if _CODE.search(item.hint) or len(item.hint.split()) < 8
    ]
    for function in assignment.functions:
        if sum(item.function == function.name for item in known) < 2:
            found.append(Shortfall(f"{assignment.name}: {function.name} has fewer than two misconceptions.", place))
    if len(known) < 15:
        found.append(Shortfall(f"{assignment.name}: {len(known)} misconceptions, fewer than 15.", place))
    found += [Shortfall(leak.sentence, "autograder build") for leak in leaks.in_handouts(assignment)]
    return Finding(shortfalls=tuple(found))


def mutated(grader: Grader, assignment: Assignment, keys: Sequence[str]) -> Finding:
    """Each mutant of the master fails a test, or is known to be equivalent."""
    kills: list[Kill] = []
    shortfalls: list[Shortfall] = []
    equivalent = mutants.equivalent(assignment)
    for mutant in mutants.mutants(assignment):
        if mutant.key not in keys:
            continue
        source = Source(assignment.name, f"{assignment.name}.py", (mutant.text,))
        zygote = grader.sandbox(assignment.libraries).references
        session = Session(grader, assignment, zygote, source, _MUTANTS_PATIENCE, confirm=False)
        killers = _failed(session.grade([mutant.function])) or _failed(session.grade())
        reason = "" if killers else equivalent.get(mutant.key, "")
        name = f"{mutant.key}: {mutant.change}"
        kills.append(Kill(assignment.name, mutant.function, name, killers, mutant=True, equivalent=reason))
        if not killers and not reason:
            text = f"{assignment.name}: the mutant {mutant.key} loses no point: {mutant.change}"
            shortfalls.append(Shortfall(text, f"add a test to {assignment.suite}, or a reason to {mutants.EQUIVALENT}"))
    return Finding(tuple(kills), tuple(shortfalls))


def matrix(kills: Sequence[Kill]) -> Mapping[str, Mapping[str, Sequence[Kill]]]:
    """The kills by assignment and function, in the contract's order."""
    return {
        assignment.name: {
            function: [kill for kill in kills if (kill.assignment, kill.function) == (assignment.name, function)]
            for function in assignment.names
        }
        for assignment in contract.assignments()
        if any(kill.assignment == assignment.name for kill in kills)
    }


def _failed(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(verdict.test for verdict in verdicts if not verdict.passed)


def _file_verdicts(grader: Grader, assignment: Assignment, path: Path) -> list[Verdict]:
    """A right style goes the way of a student's file."""
    submission = read_submission([path], [assignment])
    return list(grader.grade(submission, [assignment], named=True).assignments[0].verdicts)
