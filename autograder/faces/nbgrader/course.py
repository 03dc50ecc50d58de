"""A class of an nbgrader course, graded in parallel before `nbgrader autograde`, which takes one notebook at a time."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import Config, PyFileConfigLoader

from autograder import contract
from autograder.classroom import ClassroomError, Done
from autograder.faces import gradebook
from autograder.faces.nbgrader.results import GradingError, HandedIn, Results
from autograder.pool import Runner, confirmed
from autograder.report import Report

_CONFIG: Final = "nbgrader_config.py"


class Course:
    """The submissions of a course's assignments, as `nbgrader collect` leaves them.

    Args:
        root: the course's folder, with nbgrader_config.py in it.
        assignments: nbgrader's names of those to grade; none means all.
        seed: for hidden inputs; the course's own where it is None.
        fresh: grade again what has been graded.

    Raises:
        ClassroomError: there is no such course, or none of the kit's notebooks in it.
    """

    def __init__(
        self, root: Path, assignments: Sequence[str] = (), seed: int | None = None, fresh: bool = False
    ) -> None:
        if not (root / _CONFIG).is_file():
            raise ClassroomError(
                f"{root} is no nbgrader course: there is no {_CONFIG} in it. `autograder build` makes dist/nbgrader."
            )
        self._directory = _directory(root.resolve())
        self.results = Results(Path(self._directory.root), seed)
        self._fresh = fresh
        self._submissions = [
            found for assignment, names in self._notebooks(assignments) for found in self._found(assignment, names)
        ]

    def __len__(self) -> int:
        return len(self._submissions)

    def grade(self, runner: Runner) -> Iterator[Done]:
        """Grade what is not graded yet, and yield each submission as it is done."""
        waiting: dict[str, HandedIn] = {}
        for handed_in in self._submissions:
            report = None if self._fresh else self.results.kept(handed_in)
            if report is not None:
                yield _done(handed_in, report, resumed=True)
            else:
                waiting[_label(handed_in)] = handed_in
        keys = {label: self.results.key(handed_in) for label, handed_in in waiting.items()}
        jobs = [self.results.job(handed_in, label) for label, handed_in in waiting.items()]
        for label, result in confirmed(runner, jobs):
            yield self._keep(waiting[label], keys[label], result)

    def _keep(self, handed_in: HandedIn, key: str, result: Mapping[str, Any]) -> Done:
        try:
            return _done(handed_in, self.results.keep(handed_in, key, result))
        except GradingError as error:
            return Done(_label(handed_in), None, trouble=str(error))

    def _notebooks(self, wanted: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
        """The course's assignments, and which of the kit's notebooks each of them has."""
        known = {assignment.name for assignment in contract.assignments()}
        source = Path(self._path(self._directory.source_directory, ".", "x")).parent
        folders = sorted(path for path in source.glob("*") if path.is_dir())
        unknown = sorted(set(wanted) - {path.name for path in folders})
        if unknown:
            raise ClassroomError(f"There is no assignment {unknown[0]!r} in {source}.")
        for folder in folders:
            names = sorted(path.stem for path in folder.glob("*.ipynb") if path.stem in known)
            if names and (not wanted or folder.name in wanted):
                yield folder.name, names

    def _found(self, assignment: str, names: Sequence[str]) -> Iterator[HandedIn]:
        """What was handed in for an assignment, under the names by which nbgrader finds it."""
        submitted = self._directory.submitted_directory
        pattern = re.compile(self._path(submitted, "(?P<student>.*)", assignment, escape=True))
        for place in sorted(glob.glob(self._path(submitted, "*", assignment))):
            match = pattern.fullmatch(place)
            if match and os.path.isdir(place):
                for name in names:
                    handed_in = HandedIn(match["student"], contract.assignment(name), Path(place))
                    name_as_nbgrader_does(handed_in)
                    yield handed_in

    def _path(self, step: str, student: str, assignment: str, escape: bool = False) -> str:
        return self._directory.format_path(step, student, assignment, escape=escape)


def name_as_nbgrader_does(handed_in: HandedIn) -> None:
    """Let nbgrader find an answer that has another name than its notebook.

    A notebook (`Copy of pooling (1).ipynb`) is renamed. Where the answer is a module or in an archive, or where there
    is none, an empty notebook stands in for it: nbgrader passes over whoever has no notebook, and nobody would notice.
    """
    target = handed_in.folder / f"{handed_in.assignment.name}.ipynb"
    if os.path.lexists(target):
        return
    answer = handed_in.read().answers.get(handed_in.assignment.name)
    with contextlib.suppress(OSError):  # a folder that is not to be changed: nbgrader then says what it misses
        if answer is not None and answer.notebook and (handed_in.folder / answer.file).is_file():
            (handed_in.folder / answer.file).rename(target)
        else:
            nbformat.write(new_notebook(), target)


def _directory(root: Path) -> CourseDirectory:
    """Where nbgrader has its files, by the course's own settings."""
    config = PyFileConfigLoader(_CONFIG, path=str(root)).load_config()
    return CourseDirectory(config=Config({"CourseDirectory": config.CourseDirectory}))


def _label(handed_in: HandedIn) -> str:
    return f"{handed_in.student}, {handed_in.assignment.name}"


def _done(handed_in: HandedIn, report: Report, *, resumed: bool = False) -> Done:
    return Done(_label(handed_in), gradebook.Row.of(report), resumed)
