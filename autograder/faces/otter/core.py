"""The grading process: one submission to one results.json, rewritten whenever a suite ends.

The plugin starts it (or the guard, where otter fails) as `python -I -B -c BOOT KIT FOLDER SUBMISSION RESULTS SECONDS`.
It imports neither otter nor torch, and when it has ended, so has every process that ran a student's code.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from autograder import contract
from autograder.contract import Assignment
from autograder.faces import gradescope
from autograder.faces.otter import leaderboard, policy, public
from autograder.faces.otter.public import Checked
from autograder.faces.otter.settings import PLUGIN, Settings
from autograder.files import read_json, write_json
from autograder.grading import Grader
from autograder.intake import Answer, Submission, read_submission
from autograder.report import Graded, Report, Verdict
from autograder.sandbox import Limits, Source
from autograder.worker.kernel import PARENT_DEATH_SIGNAL, prctl

_LATE: Final = "There was no time left to grade this."
_CPU_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
_SLOWEST: Final = 4.0
_LATER: Final = {
    "after_published": "The other tests are shown when grades are published.",
    "after_due_date": "The other tests are shown after the due date.",
    "hidden": "The other tests count, and are not shown.",
}
_WEAK: Final = (
    "Nothing was graded, which is not your fault: this autograder could not confine what you handed in. "
    "Please tell your instructor."
)


@dataclass(slots=True)
class _Work:
    """What has been graded so far, and what has not."""

    graded: dict[str, Graded] = field(default_factory=dict[str, Graded])
    public: dict[str, list[Checked]] = field(default_factory=dict[str, list[Checked]])
    ranked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def main(folder: Path, submission: Path, results: Path, seconds: float) -> None:
    """Grade a submission.

    Args:
        folder: laid out as Gradescope's /autograder: source/otter_config.json, submission_metadata.json.
        submission: all that was handed in.
        results: the file to write, over and over.
        seconds: that are left, at most.
    """
    prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    about = _about(read_json(folder / "source" / "otter_config.json"))
    named = bool(about.pop("named"))
    settings = Settings.of(about)
    assert settings.seed is not None, "packaging has drawn one"
    metadata = folder / "submission_metadata.json"
    ruling = policy.judge(settings.policy, read_json(metadata) if _is_object(metadata) else {})
    private = [path for path in (folder / "source" / "otter_config.json", metadata, results) if path.exists()]
    seconds = min(seconds, settings.seconds)
    with Grader(settings.seed, _limits(), private, seconds) as grader:
        _Grading(grader, settings, ruling, named, results).grade(read_submission([submission], contract.assignments()))


class _Grading:
    """One submission on its way to results.json."""

    def __init__(self, grader: Grader, settings: Settings, ruling: policy.Ruling, named: bool, results: Path) -> None:
        self._grader = grader
        self._settings = settings
        self._ruling = ruling
        self._named = named
        self._results = results
        self._work = _Work()

    def grade(self, submission: Submission) -> None:
        wanted = [item for item in contract.assignments() if self._named or item.name in submission.answers]
        self._warm(submission, wanted)
        if not (self._grader.isolation.strong or self._settings.allow_weak_isolation):
            self._write_refusal()
            return
        for assignment in wanted:
            waiting = [_waiting(assignment, test) for test in self._grader.suite(assignment)]
            self._work.graded[assignment.name] = Graded(assignment.name, assignment.title, None, tuple(waiting))
        self._write(submission, complete=False)
        for assignment in wanted:
            self._assignment(submission, assignment)
            self._write(submission, complete=assignment is wanted[-1])
        if not wanted:
            self._write(submission, complete=True)

    def _warm(self, submission: Submission, wanted: Sequence[Assignment]) -> None:
        """Start what will be needed: torch is imported by one process while another works through NumPy's assignments.

        The preflight then looks at the first of these, rather than at one of its own.
        """
        for assignment in wanted:
            answer = submission.answers.get(assignment.name)
            if answer and not answer.problem:
                for libraries in (self._grader.libraries(assignment, answer), assignment.libraries):
                    self._grader.sandbox(libraries).begin()

    def _assignment(self, submission: Submission, assignment: Assignment) -> None:
        if self._late:
            return
        self._work.graded[assignment.name] = self._confirmed(submission, assignment)
        answer = submission.answers.get(assignment.name)
        if answer and not answer.problem and not self._late:
            self._extras(assignment, answer)

    def _confirmed(self, submission: Submission, assignment: Assignment) -> Graded:
        """Whatever takes too long does so twice before it costs points, unless there is no time for that."""
        (graded,) = self._grader.grade(submission, [assignment], self._named).assignments
        if any(verdict.failure == "timeout" for verdict in graded.verdicts) and not self._late:
            (again,) = self._grader.grade(submission, [assignment], self._named).assignments
            return graded if self._late else again
        return graded

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._grader.end

    def _extras(self, assignment: Assignment, answer: Answer) -> None:
        """What gives no points: the public checks, and a place on the leaderboard."""
        grader = self._grader
        source = Source(assignment.name, answer.file, answer.cells, answer.modules)
        students = grader.sandbox(grader.libraries(assignment, answer)).students
        limits = _limits()
        self._work.public[assignment.name] = public.check(assignment, source, students, limits)
        if self._settings.leaderboard:
            master = grader.references.source(assignment, {})
            references = grader.sandbox(assignment.libraries).references
            ranked = leaderboard.entry(assignment, source, students, master, references)
            self._work.ranked += [ranked] if ranked else []

    def _write(self, submission: Submission, *, complete: bool) -> None:
        isolation = self._grader.isolation
        graded = tuple(self._work.graded.values())
        report = Report(submission.student, isolation.level, graded, submission.problems, isolation.sentences)
        self._write_json(self._content(report), complete=complete)

    def _content(self, report: Report) -> dict[str, Any]:
        content = gradescope.results(report, self._settings.visibility, self._settings.output_format)
        content["score"] = self._ruling.score(report.score)
        content["output"] = "\n".join([*self._ruling.words, *self._overview(report)])
        content["tests"] = [
            entry
            for number, graded in enumerate(report.assignments, 1)
            for entry in (
                *self._public(graded, number),
                *(test for test in content["tests"] if test["extra_data"]["assignment"] == graded.name),
            )
        ]
        if self._work.ranked:
            content["leaderboard"] = self._work.ranked
        return content

    def _overview(self, report: Report) -> list[str]:
        """Lines about the whole, which are visible at once: no score as long as hidden tests are not."""
        if self._settings.visibility == "visible":
            return gradescope.overview(report)
        lines: list[str] = []
        for graded in report.assignments:
            checked = self._work.public.get(graded.name, [])
            passed = sum(item.failure is None for item in checked)
            counted = f"{passed} of {len(checked)} public tests pass. {_LATER[self._settings.visibility]}"
            lines.append(f"{graded.title}: {counted if checked else graded.problem or 'not checked yet.'}")
        return [*lines, *report.problems]

    def _public(self, graded: Graded, number: int) -> list[dict[str, Any]]:
        return [
            {
                "name": f"{item.function}: {item.title} (public)",
                "number": f"{number}.p{place}",
                "score": 0,
                "max_score": 0,
                "status": "failed" if item.failure else "passed",
                "output": gradescope.shown(item.message, "", self._settings.output_format),
                "tags": [graded.name, item.function, "public"],
                "visibility": "visible",
                "extra_data": {
                    "assignment": graded.name,
                    "function": item.function,
                    "failure": item.failure,
                    "misconception": None,
                },
            }
            for place, item in enumerate(self._work.public.get(graded.name, ()), 1)
        ]

    def _write_refusal(self) -> None:
        """Say that nothing is graded here: to the student whom to tell, to the instructor why."""
        isolation = self._grader.isolation
        why = [f"Isolation level {isolation.level}: student code cannot be confined here.", *isolation.sentences]
        test = {"name": "Isolation", "status": "failed", "score": 0, "output": "\n".join(why), "visibility": "hidden"}
        content = gradescope.results(Report("", isolation.level, (), (_WEAK,)))
        self._write_json({**content, "tests": [test]}, complete=True)

    def _write_json(self, content: dict[str, Any], *, complete: bool) -> None:
        content["extra_data"]["complete"] = complete
        write_json(self._results, content, 0o600)


def _about(config: Any) -> dict[str, Any]:
    """The plugin's part of otter_config.json."""
    plugins: list[Any] = config["plugins"]
    return dict(next(entry[PLUGIN] for entry in plugins if isinstance(entry, dict) and PLUGIN in entry))


def _is_object(path: Path) -> bool:
    return isinstance(read_json(path), dict)


def _waiting(assignment: Assignment, test: Any) -> Verdict:
    return Verdict(assignment.name, test.function, test.name, test.requirement, test.points, 0, "timeout", (), _LATE)


def _limits() -> Limits:
    """Limits of wall-clock time; longer ones where the container has only a part of a processor."""
    usual = Limits()
    slower = 1.0
    try:
        quota, period = _CPU_QUOTA.read_text().split()
        slower = min(max(1.0, int(period) / int(quota)), _SLOWEST)
    except (OSError, ValueError, ZeroDivisionError):  # "max", or another version of cgroups
        pass
    return Limits(usual.load * slower, usual.call * slower, usual.job * slower)
