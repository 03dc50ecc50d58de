"""What was graded in a course, kept in its folder until submission, suite, references or version change.

`.autograder/` in the course's folder belongs to the teacher alone: `run.json` holds the seed of the hidden inputs,
`results/` every report with the key of what was graded, `reports/` the pages that show all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import autograder
from autograder import contract
from autograder.contract import Assignment
from autograder.faces import html
from autograder.files import read_json, write_json, write_text
from autograder.intake import Submission, read_submission
from autograder.pool import Job, grade_in_own_thread, timed_out
from autograder.report import Report


class GradingError(Exception):
    """The kit itself failed on a submission; nothing was scored."""


@dataclasses.dataclass(frozen=True, slots=True)
class HandedIn:
    """One notebook's submission.

    Attributes:
        student: as nbgrader names them.
        assignment: the kit's, which is the notebook's name too.
        folder: all that was handed in with it.
    """

    student: str
    assignment: Assignment
    folder: Path

    def read(self) -> Submission:
        """What stands in it, read anew."""
        return read_submission([self.folder], contract.assignments())


class Results:
    """The reports of a course.

    Args:
        course: its folder.
        seed: for hidden inputs; where it is None the course's own, which is drawn once.
    """

    def __init__(self, course: Path, seed: int | None = None) -> None:
        self._folder = course / ".autograder"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        kept = read_json(self.secret)
        old = kept.get("seed") if isinstance(kept, dict) else None
        if isinstance(old, int) and seed in (None, old):
            self.seed = old
        else:
            self.seed = secrets.randbits(62) if seed is None else seed
            write_json(self.secret, {"seed": self.seed, "version": autograder.__version__}, 0o600)

    @property
    def secret(self) -> Path:
        """The file that no submission may read."""
        return self._folder / "run.json"

    def kept(self, handed_in: HandedIn) -> Report | None:
        """The report of just what is handed in now, if there is one."""
        kept = read_json(self._path("results", handed_in, "json"))
        if not isinstance(kept, dict) or kept.get("of") != self.key(handed_in):
            return None
        try:
            return Report.from_json(kept["report"])
        except (KeyError, TypeError):
            return None

    def key(self, handed_in: HandedIn) -> str:
        """Changes when anything does on which the score depends."""
        digest = hashlib.sha256(f"{autograder.__version__} {self.seed} {handed_in.student}".encode())
        digest.update(json.dumps(dataclasses.asdict(handed_in.read())).encode())
        assignment = handed_in.assignment
        for path in (assignment.suite, assignment.master, assignment.misconceptions):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def job(self, handed_in: HandedIn, label: str = "") -> Job:
        """What has to be run for a report; its result comes back under the label."""
        name = handed_in.assignment.name
        return Job(label or handed_in.student, (str(handed_in.folder),), (name,), named=True, seed=self.seed)

    def keep(self, handed_in: HandedIn, key: str, result: Mapping[str, Any]) -> Report:
        """Keep what came of a job.

        Args:
            key: before the job ran; where it is another one now, what was read is not what is there.

        Raises:
            GradingError: the job failed, or the submission has changed meanwhile.
        """
        if "report" not in result:
            raise GradingError(f"{handed_in.student}, {handed_in.assignment.name}: {result['trouble']}")
        if self.key(handed_in) != key:
            raise GradingError(f"{handed_in.folder} was changed while it was graded: grade it again.")
        report = dataclasses.replace(Report.from_json(dict(result["report"])), student=handed_in.student)
        write_text(self._path("reports", handed_in, "html"), html.feedback(report, instructor=True), 0o600)
        write_json(self._path("results", handed_in, "json"), {"of": key, "report": report.to_json()}, 0o600)
        return report

    def report(self, handed_in: HandedIn) -> Report:
        """A report that is made now, in this process, and kept.

        Raises:
            GradingError: the kit itself failed.
        """
        key, job = self.key(handed_in), self.job(handed_in)
        result = grade_in_own_thread(job)
        if timed_out(result):
            result = grade_in_own_thread(job)
        return self.keep(handed_in, key, result)

    def _path(self, kind: str, handed_in: HandedIn, suffix: str) -> Path:
        folder = self._folder / kind / handed_in.assignment.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{handed_in.student}.{suffix}"
