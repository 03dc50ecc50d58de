"""A class: many submissions to one OUT folder, by an executor, to be interrupted and resumed at any moment.

OUT holds `run.json` (the seed and the version), `reports/` (the instructor's copies, and what a second run resumes
from), `students/<student>/` (what that student may read), `gradebook.csv` and `class.html`. Every file is written
whole.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograder
from autograder import contract
from autograder.faces import gradebook, gradescope, html
from autograder.files import read_json, sweep, write_json, write_text
from autograder.intake import find_submissions, group_by_student
from autograder.pool import Job, Runner, confirmed
from autograder.report import Report


class ClassroomError(Exception):
    """The class cannot be graded at all; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Done:
    """One submission that has been dealt with.

    Attributes:
        student: its name.
        row: its scores; None where the kit itself failed on it.
        resumed: whether an earlier run had graded it.
        trouble: what failed, if so.
    """

    student: str
    row: gradebook.Row | None
    resumed: bool = False
    trouble: str = ""


class Classroom:
    """A folder of submissions and the OUT folder that their grades go to.

    Args:
        path: the submissions, or one of them.
        out: where results go; made if it is not there.
        assignments: names to grade; none means all that a submission answers.
        seed: for hidden inputs; drawn once per OUT where it is None.
        fresh: grade again what OUT already holds.
        gpu: use a real CUDA device.

    Raises:
        IntakeError, ClassroomError, contract.ContractError: it cannot begin.
    """

    def __init__(
        self,
        path: Path,
        out: Path,
        assignments: Sequence[str] = (),
        seed: int | None = None,
        fresh: bool = False,
        *,
        gpu: bool = False,
    ) -> None:
        known = [assignment.name for assignment in contract.assignments()]
        for name in assignments:
            contract.assignment(name)
        self._named = bool(assignments)
        self._gpu = gpu
        self._assignments = tuple(name for name in known if not assignments or name in assignments)
        self._order = known
        found = [child for child in find_submissions(path) if os.path.realpath(child) != os.path.realpath(out)]
        self._groups = {name: tuple(paths) for name, paths in group_by_student(found).items()}
        self._out = out
        self._fresh = fresh
        self._rows: dict[str, gradebook.Row] = {}
        self._seed = self._prepare(seed)
        # Before anything is read: what is changed while it is graded is graded again by the next run.
        self._fingerprints = {student: self._fingerprint(student) for student in self._groups}

    def __len__(self) -> int:
        return len(self._groups)

    def grade(self, runner: Runner) -> Iterator[Done]:
        """Grade what is not graded yet, and yield each submission as it is done.

        A submission in which something timed out is graded a second time when nothing else runs, and only that counts.
        """
        waiting: list[str] = []
        for student in self._groups:
            row = None if self._fresh else self._resumed(student)
            if row is None:
                waiting.append(student)
            else:
                self._rows[student] = row
                yield Done(student, row, resumed=True)
        for student, result in confirmed(runner, [self._job(student) for student in waiting]):
            yield self._keep(student, _report(result), result)

    def close(self) -> Path:
        """Write the gradebook and the page of all that is graded; the gradebook's path."""
        path, rows = self._out / "gradebook.csv", list(self._rows.values())
        self._write(path, gradebook.gradebook(rows, self._order))
        self._write(self._out / "class.html", html.overview(rows, self._order), 0o600)
        return path

    def _job(self, student: str) -> Job:
        paths = tuple(str(path) for path in self._groups[student])
        return Job(student, paths, self._assignments, self._named, self._seed, self._gpu)

    def _keep(self, student: str, report: Report | None, result: Mapping[str, Any]) -> Done:
        if report is None:
            return Done(student, None, trouble=result["trouble"])
        folder = self._out / "students" / student
        self._make(folder)
        self._make(self._out / "reports")
        self._write(folder / "feedback.html", html.feedback(report))
        self._write_json(folder / "results.json", gradescope.results(report))
        page = self._report_path(student).with_name(f"{student}.html")
        self._write(page, html.feedback(report, instructor=True), 0o600)
        # Last: a submission whose report is there is done.
        kept = {"of": self._fingerprints[student], "report": report.to_json()}
        self._write_json(self._report_path(student), kept, 0o600)
        self._rows[student] = gradebook.Row.of(report)
        return Done(student, self._rows[student])

    def _resumed(self, student: str) -> gradebook.Row | None:
        kept = read_json(self._report_path(student))
        if not isinstance(kept, dict) or kept.get("of") != self._fingerprints[student]:
            return None
        try:
            return gradebook.Row.of(Report.from_json(kept["report"]))
        except (KeyError, TypeError):
            return None

    def _report_path(self, student: str) -> Path:
        return self._out / "reports" / f"{student}.json"

    def _fingerprint(self, student: str) -> str:
        """Changes when the submission, the suites, the masters or what is asked of them change."""
        asked = f"{self._seed} {self._named} {self._assignments} {self._gpu}"
        digest = hashlib.sha256(f"{autograder.__version__} {asked}".encode())
        files = [file for path in self._groups[student] for file in _files(path)]
        for name in self._assignments:
            assignment = contract.assignment(name)
            files += [assignment.master, assignment.suite, assignment.misconceptions]
        for file in files:
            about = file.lstat() if os.path.lexists(file) else None
            digest.update(f"{file}\0{about and (about.st_size, about.st_mtime_ns)}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _prepare(self, seed: int | None) -> int:
        """Make OUT and its run.json; the seed of this OUT."""
        self._make(self._out)
        for folder in (self._out, self._out / "reports", *(self._out / "students").glob("*")):
            sweep(folder)
        path = self._out / "run.json"
        kept = read_json(path)
        old = kept.get("seed") if isinstance(kept, dict) else None
        if isinstance(old, int) and seed in (None, old):
            return old
        new = secrets.randbits(62) if seed is None else seed
        self._write_json(path, {"seed": new, "version": autograder.__version__}, 0o600)
        return new

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def _write(self, path: Path, text: str, mode: int = 0o644) -> None:
        try:
            write_text(path, text, mode)
        except OSError as error:
            raise _unwritable(path, error) from error

    def _write_json(self, path: Path, data: Any, mode: int = 0o644) -> None:
        try:
            write_json(path, data, mode)
        except OSError as error:
            raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ClassroomError:
    mend = "Free some space or give another folder with -o; the same command goes on from here."
    return ClassroomError(f"Cannot write {path}: {error.strerror}. {mend}")


def _files(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return [path]
    return sorted(Path(folder) / name for folder, _, names in os.walk(path) for name in names)[:1000]


def _report(result: Mapping[str, Any]) -> Report | None:
    return Report.from_json(result["report"]) if "report" in result else None
