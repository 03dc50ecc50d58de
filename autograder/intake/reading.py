"""One submission: its answers, and what should be known of everything else in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.intake.choosing import Assignment, Choice, Source, choose, definitions
from autograder.intake.files import Budget, Found, RefusedError
from autograder.intake.finding import student_name
from autograder.intake.folders import files_of
from autograder.intake.names import KINDS_IN_WORDS, is_tooling, kind_of, module_name, shown, stem_of
from autograder.intake.notebooks import read_notebook
from autograder.intake.text import read_source

REMARKS_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a submission holds for one assignment.

    Attributes:
        assignment: its name.
        file: where in the submission it stands, as people read it.
        cells: sources in order: one for a module, one per code cell for a notebook; none where there is a
            problem.
        modules: the submission's other modules by dotted name, as if the answer's folder and those above it
            were on the path, the nearest first; a package's `__init__.py` goes by the package's name.
        notebook: whether it is one.
        problem: why it cannot be graded, as a sentence.
    """

    assignment: str
    file: str
    cells: tuple[str, ...]
    modules: dict[str, str]
    notebook: bool
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in.

    Attributes:
        student: as the gradebook names them.
        answers: by assignment, in the assignments' order.
        problems: sentences on what was left aside, decided or not found.
    """

    student: str
    answers: dict[str, Answer]
    problems: tuple[str, ...]


def read_submission(paths: Sequence[Path], assignments: Sequence[Assignment]) -> Submission:
    """Read one student's files, folders and archives; nothing that a student did wrong raises.

    Args:
        paths: all that the student handed in, as `group_by_student` gives it.
        assignments: those that a file may answer.
    """
    budget = Budget()
    problems: list[str] = []
    sources: list[Source] = []
    tooling: list[str] = []
    if len(paths) > 1:
        listed = ", ".join(shown(path.name) for path in paths)
        problems.append(f"{listed} belong to one student by their names and were read as one submission.")
    for found in files_of(paths, budget):
        if not found.parts:
            problems.append(found.refusal or "")
        elif kind_of(found.parts[-1]) not in ("source", "notebook"):
            problems.append(f"{shown(found.parts)}: {found.refusal}.")
        elif is_tooling(found.parts[-1]):
            tooling.append(shown(found.parts))
        else:
            sources.append(_source(found))
    choice = choose(sources, assignments)
    problems += _left_aside(choice)
    problems += choice.remarks
    problems += [f"{source.shown} is empty." for source in choice.answers.values() if _is_empty(source)]
    if not choice.answers:
        problems.append(_nothing_found(sources, tooling, budget.ignored, bool(problems)))
    if len(problems) > REMARKS_LIMIT:
        problems[REMARKS_LIMIT - 1 :] = [f"And {len(problems) - REMARKS_LIMIT + 1} more remarks like these."]
    answers = {name: _answer(name, source, sources, choice) for name, source in choice.answers.items()}
    return Submission(student_name(paths[0]), answers, tuple(problems))


def _source(found: Found) -> Source:
    """What a file holds: its code, or why there is none."""
    notebook = kind_of(found.parts[-1]) == "notebook"
    if found.refusal:
        return Source(found.parts, notebook, found.modified, problem=found.refusal)
    try:
        if notebook:
            content = read_notebook(found.data)
            cells, declared = content.cells, content.assignment
        else:
            cells, declared = (read_source(found.data),), None
    except RefusedError as refusal:
        return Source(found.parts, notebook, found.modified, problem=str(refusal))
    return Source(found.parts, notebook, found.modified, cells, definitions(cells), declared)


def _left_aside(choice: Choice) -> list[str]:
    """What could not be read or used, though nothing else says so."""
    useless = "it answers no assignment that is known here, by its name or by what it defines"
    unclear = [(source, source.problem or (useless if source.notebook else None)) for source in choice.spare]
    unclear += [(loser, loser.problem) for _, loser in choice.losers]
    return [f"{source.shown}: {problem}." for source, problem in unclear if problem]


def _nothing_found(sources: list[Source], tooling: list[str], ignored: list[str], explained: bool) -> str:
    """Why there is nothing to grade, and what would have been."""
    advice = "Name a file after its assignment, as in pooling.py or pooling.ipynb."
    if sources:
        present = _some([source.shown for source in sources])
        return f"No answer to an assignment was found in {present}. {advice}"
    if tooling:
        return f"Nothing to grade was found: {_some(tooling)} is ignored as a test or a tool's file. {advice}"
    if ignored:
        present = _some([shown(name) for name in ignored])
        return f"Nothing to grade was found: there is {present}, and only {KINDS_IN_WORDS} are read."
    return "Nothing to grade was found." if explained else "Nothing to grade was found: it is empty."


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


def _is_empty(source: Source) -> bool:
    return source.problem is None and not any(cell.strip() for cell in source.cells)


def _answer(name: str, source: Source, sources: list[Source], choice: Choice) -> Answer:
    problem = f"{source.shown}: {source.problem}." if source.problem else None
    modules = {} if problem else _modules(name, source, sources, choice)
    return Answer(name, source.shown, source.cells, modules, source.notebook, problem)


def _modules(name: str, answer: Source, sources: list[Source], choice: Choice) -> dict[str, str]:
    """The other modules that an answer may import."""
    own = {name, stem_of(answer.name)}
    # An older copy of an answer must not be imported in the place of the one that is graded.
    stale = {
        id(loser)
        for assignment, loser in choice.losers
        if stem_of(loser.name) in (assignment, stem_of(choice.answers[assignment].name))
    }
    usable = [source for source in sources if not (source.notebook or source.problem or id(source) in stale)]
    # In one folder a package comes before a module of the same name, as in Python.
    usable.sort(key=lambda source: source.name != "__init__.py")
    modules: dict[str, str] = {}
    for depth in range(len(answer.parts) - 1, -1, -1):
        for source in usable:
            if source is not answer and source.parts[:depth] == answer.parts[:depth]:
                dotted = module_name(source.parts[depth:])
                if dotted and dotted not in own:
                    modules.setdefault(dotted, source.cells[0])
    return dict(sorted(modules.items()))
