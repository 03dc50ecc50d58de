"""Which file answers which assignment: by its metadata, else its name, else the graded names it defines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from autograder.intake.names import Likeness, named_after, shown


class Named(Protocol):
    """A graded function."""

    @property
    def name(self) -> str: ...


class Assignment(Protocol):
    """What intake needs to know of an assignment; `contract.Assignment` is one."""

    @property
    def name(self) -> str: ...
    @property
    def functions(self) -> Sequence[Named]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """One file with code of a submission.

    Attributes:
        parts: folders and name, from the submission's root.
        notebook: whether it is one.
        modified: when it was last changed, from the year down.
        cells: its code; none where there is a problem.
        defined: the names that it defines at top level, and whether each is more than an untouched stub.
        declared: the assignment that a notebook's metadata names.
        problem: why it could not be read, as a clause.
    """

    parts: tuple[str, ...]
    notebook: bool
    modified: tuple[int, ...] = ()
    cells: tuple[str, ...] = ()
    defined: Mapping[str, bool] = field(default_factory=dict[str, bool])
    declared: str | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def shown(self) -> str:
        return shown(self.parts)


@dataclass(slots=True)
class Choice:
    """Which sources answer what.

    Attributes:
        answers: the source that is graded, by assignment, in the assignments' order.
        losers: assignments and sources that answer them, for which another source is graded.
        spare: sources that answer nothing.
        remarks: sentences on what was decided and could have been meant otherwise.
    """

    answers: dict[str, Source] = field(default_factory=dict[str, Source])
    losers: list[tuple[str, Source]] = field(default_factory=list[tuple[str, Source]])
    spare: list[Source] = field(default_factory=list[Source])
    remarks: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one source may answer.

    Attributes:
        assignment: the one, or None.
        weak: there is no more to it than one word of the file's name.
        remark: what a reader should know of it.
    """

    assignment: str | None = None
    weak: bool = False
    remark: str | None = None


# A definition at top level, as far as the next one: what stands in between counts as its body.
_DEFINITION = re.compile(r"\n(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_MADE = re.compile(r"\n(\w+)[ \t]*(?::[^=\n]+)?=(?!=)")
_STUB = re.compile(r"(?:^[ \t]+|:[ \t]*)raise[ \t]+NotImplementedError\b", re.MULTILINE)
# One for each part of a rank but the first: what cannot be read says so itself.
_REASONS = (
    "it is more finished",
    "it has fewer stubs left",
    "its name is closer to the assignment's",
    "it is newer",
    "it lies further up",
)


def definitions(cells: Sequence[str]) -> dict[str, bool]:
    """The names that cells define at top level, the last definition counting; False for an untouched stub."""
    found: dict[str, bool] = {}
    for cell in cells:
        # What stands before the first definition, then each name and what follows it.
        _, *pieces = _DEFINITION.split("\n" + cell)
        for name, body in zip(pieces[::2], pieces[1::2], strict=True):
            found[name] = "NotImplementedError" not in body or not _STUB.search(body)
        for name in _MADE.findall("\n" + cell):  # sum_pool = functools.partial(pool, numpy.sum)
            found.setdefault(name, True)
    return found


def choose(sources: Sequence[Source], assignments: Sequence[Assignment]) -> Choice:
    """Which source answers which assignment, with a remark wherever it could have been another one."""
    choice = Choice()
    claims = [(source, _claim(source, assignments)) for source in sorted(sources, key=lambda source: source.parts)]
    sure = any(claim.assignment and not claim.weak for _, claim in claims)
    if sure:  # plot_conv2d.py beside training.py is a tool, not an answer to conv2d
        claims = [(source, _Claim() if claim.weak else claim) for source, claim in claims]
    for assignment in assignments:
        claimants = [source for source, claim in claims if claim.assignment == assignment.name]
        parts = [source for source in claimants if any(_is_part(source, other, assignment) for other in claimants)]
        claims = [(source, _Claim() if source in parts else claim) for source, claim in claims]
    choice.spare += [source for source, claim in claims if not claim.assignment]
    choice.remarks += [claim.remark for _, claim in claims if claim.remark]
    for assignment in assignments:
        rivals = [source for source, claim in claims if claim.assignment == assignment.name]
        rivals.sort(key=lambda source: _rank(source, assignment), reverse=True)
        if rivals:
            choice.answers[assignment.name] = rivals[0]
        for rival in rivals[1:]:
            choice.losers.append((assignment.name, rival))
            if not rival.problem:
                choice.remarks.append(_preference(assignment, rivals[0], rival))
    return choice


def _claim(source: Source, assignments: Sequence[Assignment]) -> _Claim:
    names = [assignment.name for assignment in assignments]
    named, likeness = named_after(source.name, names) or (None, Likeness.LOOSE)
    if source.declared in names:
        differs = named != source.declared and likeness > Likeness.LOOSE
        contrary = f"{source.shown} was built for {source.declared} and taken for that, whatever its name says."
        return _Claim(source.declared, remark=contrary if differs else None)
    tally = {item.name: sum(function.name in source.defined for function in item.functions) for item in assignments}
    hollow = f"{source.shown} was taken for {named} by its name; it defines none of its functions."
    if named and (likeness > Likeness.LOOSE or source.problem or tally[named]):
        return _Claim(named, remark=None if source.problem or tally[named] else hollow)
    most = [name for name in names if tally[name] and tally[name] == max(tally.values())]
    if len(most) > 1:
        listed = " as of ".join(most)
        return _Claim(remark=f"{source.shown} defines as much of {listed}: name it after the one that it answers.")
    if most:
        others = ", ".join(name for name in names if tally[name] and name not in most)
        besides = f"; what it defines of {others} was not, as a file answers one assignment" if others else ""
        return _Claim(most[0], remark=f"{source.shown} was taken for {most[0]} by what it defines{besides}.")
    return _Claim(named, weak=True, remark=hollow) if named else _Claim()


def _is_part(source: Source, answer: Source, assignment: Assignment) -> bool:
    """Whether an answer imports this source, so that the two are one: one that is named no worse, and no less done."""
    if source.notebook or source is answer or not _imports(answer, source):
        return False
    better = _likeness(answer, assignment) - _likeness(source, assignment)
    names = [function.name for function in assignment.functions]
    left = any(source.defined.get(name) and answer.defined.get(name) is False for name in names)
    more = any(answer.defined.get(name) and name not in source.defined for name in names)
    return not left and (better > 0 or (better == 0 and more and not _imports(source, answer)))


def _imports(source: Source, other: Source) -> bool:
    module = re.escape(other.name.removesuffix(".py"))
    folder = re.escape(other.parts[-2]) if len(other.parts) > 1 else ""
    before = r"(?:[\w.]+(?:[ \t]+as[ \t]+\w+)?[ \t]*,[ \t]*)*"
    of_it = rf"from[ \t]+(?:[\w.]*\.)?{module}[ \t]+import\b|import[ \t]+{before}(?:[\w.]*\.)?{module}(?![\w.])"
    beside_it = rf"from[ \t]+(?:\.+|(?:[\w.]*\.)?{folder or r'(?!)'})[ \t]+import[ \t(]+[\w, \t]*(?<!\w){module}\b"
    imports = re.compile(rf"^[ \t]*(?:{of_it}|{beside_it})", re.MULTILINE)
    return any(imports.search(cell) for cell in source.cells)


def _likeness(source: Source, assignment: Assignment) -> int:
    named = named_after(source.name, [assignment.name])
    return int(named[1]) if named else -1


def _rank(source: Source, assignment: Assignment) -> tuple[bool, int, int, int, tuple[int, ...], int]:
    """What decides between two answers to one assignment: the larger wins."""
    graded = [source.defined.get(function.name) for function in assignment.functions]
    likeness = _likeness(source, assignment)
    finished, stubs = graded.count(True), graded.count(False)
    return source.problem is None, finished, -stubs, likeness, source.modified, -len(source.parts)


def _preference(assignment: Assignment, best: Source, other: Source) -> str:
    ranks = zip(_REASONS, _rank(best, assignment)[1:], _rank(other, assignment)[1:], strict=True)
    why = next((reason for reason, mine, theirs in ranks if mine != theirs), "it comes first by name")
    return f"Two files answer {assignment.name}: {best.shown} was graded and {other.shown} was not, for {why}."
