"""The command as its user sees it, and what a class is graded by: all that needs no real grading.

A fake pool stands in for the processes that grade. Real runs, and what interrupts them, are in test_runs.py.
"""

import csv
import json
import re
import sys
import time
from dataclasses import dataclass
from typing import Any

import pytest

from autograder import cli, pool
from autograder.classroom import Classroom
from autograder.pool import Job, Pool
from autograder.preflight import Isolation
from autograder.report import Graded, Report, Verdict

RIGHT = """\
def same_padding(kernel_size, dilation=1):
    lost = dilation * (kernel_size - 1)
    if lost % 2:
        raise ValueError("half a zero")
    return lost // 2
"""
WRONG = RIGHT.replace("// 2", "// 3")


def folder_of(path, **files):
    """A class: a file per submission, by its student."""
    path.mkdir()
    for student, text in files.items():
        (path / f"{student}.py").write_text(text, encoding="utf-8")
    return path


def scores(out):
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        return {row["student"]: (row["total"], row["max_total"]) for row in csv.DictReader(stream)}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: Any
    out: str
    err: str


@pytest.fixture
def here(monkeypatch, capsys):
    """Runs a command in this process."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["autograder", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ended(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def complaint(here):
    """Runs a command that cannot be; the one line that it says about that."""

    def run(*arguments):
        ended = here(*arguments)
        assert (ended.code, ended.out) == (2, "")
        (line,) = ended.err.splitlines()
        assert line.startswith("autograder: ")
        return line

    return run


# What is wrong with the command is said in one line


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--sedd", "3"], "--sedd"),
        (["--workers", "0"], "--workers"),
        (["--workers", "many"], "--workers"),
        (["--seed", "-1"], "--seed"),
        (["another-folder"], "another-folder"),
    ],
    ids=["unknown", "out-of-range", "not-a-number", "negative-seed", "one-path-too-many"],
)
def test_an_option_that_cannot_be(tmp_path, here, options, named):
    """A bad option ends in exit code 2 and is named, before anything is done."""
    ended = here("grade", tmp_path, "-o", tmp_path / "out", *options)
    assert (ended.code, ended.out) == (2, "")
    assert named in ended.err
    assert list(tmp_path.iterdir()) == []


def test_an_assignment_that_is_not_there(tmp_path, complaint):
    """A misspelt assignment is named, and so are those that there are."""
    line = complaint("grade", tmp_path, "-o", tmp_path / "out", "-a", "poling")
    assert "'poling'" in line
    assert "pooling" in line


@pytest.mark.parametrize("kind", ["nothing", "empty folder", "file of another kind"])
def test_a_path_that_cannot_be_graded(tmp_path, complaint, kind):
    """Where there is nothing, or nothing to grade, at the path, one line names it and says what to give instead."""
    path = tmp_path / "submissions"
    if kind == "empty folder":
        path.mkdir()
    elif kind == "file of another kind":
        path.write_text("Dear all,\n")
    line = complaint("grade", path, "-o", tmp_path / "out")
    assert str(path) in line
    assert "give" in line


@pytest.mark.parametrize("place", ["out", "out/deeper"])
def test_an_out_that_cannot_be_written(tmp_path, complaint, place):
    """Where OUT is no folder and cannot become one, one line names it."""
    folder_of(tmp_path / "class", first=RIGHT)
    (tmp_path / "out").write_text("a file of that name")
    line = complaint("grade", tmp_path / "class", "-o", tmp_path / place)
    assert str(tmp_path / place) in line
    assert "-o" in line


def test_help_shows_an_example(here):
    """The help of every command has an example of it."""
    commands = [command.name or getattr(command.callback, "__name__", "") for command in cli.app.registered_commands]
    assert {"grade", "build", "audit", "doctor"} <= set(commands)
    helps = {name: here(name, "--help") for name in commands}
    assert {ended.code for ended in helps.values()} == {0}
    assert [name for name in commands if f"autograder {name}" not in helps[name].out.partition("Example")[2]] == []


@pytest.mark.parametrize("allowed", [False, True], ids=["refused", "allowed"])
def test_without_walls(tmp_path, here, monkeypatch, allowed):
    """Where student code cannot be confined, grading says why and refuses with exit code 3, unless told otherwise."""
    folder_of(tmp_path / "class", first=RIGHT)
    monkeypatch.setattr(cli, "measure", lambda *_, **__: Isolation("C", {"hidden": ["solutions/shapes.py"]}))
    monkeypatch.setattr(cli, "Pool", lambda workers: Fake())
    options = ["--allow-weak-isolation"] if allowed else []
    ended = here("grade", tmp_path / "class", "-o", tmp_path / "out", *options)
    assert ended.code == (0 if allowed else 3)
    assert "a submission can read hidden files (solutions/shapes.py)" in ended.err
    assert (tmp_path / "out" / "students").exists() is allowed


# What is graded, and when: with a pool that grades nothing itself


class Fake:
    """A pool that notes what it is asked for and gives the reports that it is told to give."""

    def __init__(self, **failures):
        self.asked = []
        self.failures = failures  # by student, one after another; then none

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def run(self, jobs):
        self.asked.append([job.student for job in jobs])
        for job in jobs:
            left = self.failures.get(job.student)
            failure = left.pop(0) if left else None
            if failure == "trouble":
                yield job.student, {"trouble": "the grading process died 3 times; nothing was scored"}
                continue
            verdict = Verdict("shapes", "same_padding", "test_it", "It holds.", 10, 0 if failure else 10, failure)
            report = Report(job.student, "A", (Graded("shapes", "Output shapes", "shapes.py", (verdict,)),))
            yield job.student, {"report": report.to_json()}


@pytest.fixture
def two(tmp_path):
    return folder_of(tmp_path / "class", first=RIGHT, second=WRONG)


def grade(path, out, runner=None, **options):
    """Grade with a pool that grades nothing; what is asked of it, and what became of each submission."""
    runner = runner or Fake()
    room = Classroom(path, out, **options)
    done = list(room.grade(runner))
    room.close()
    return [student for asked in runner.asked for student in asked], {item.student: item for item in done}


def test_a_second_run_grades_nothing_again(tmp_path, two):
    """What OUT holds is taken from there, and not written again."""
    assert grade(two, tmp_path / "out")[0] == ["first", "second"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "students").rglob("*.*")}
    asked, done = grade(two, tmp_path / "out")
    assert asked == []
    assert all(item.resumed for item in done.values())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert scores(tmp_path / "out") == {"first": ("10", "10"), "second": ("10", "10")}


def test_fresh_grades_everything_again(tmp_path, two):
    """--fresh grades again what OUT already holds, on the same inputs."""
    grade(two, tmp_path / "out")
    seed = json.loads((tmp_path / "out/run.json").read_text())["seed"]
    assert grade(two, tmp_path / "out", fresh=True)[0] == ["first", "second"]
    assert json.loads((tmp_path / "out/run.json").read_text())["seed"] == seed


@pytest.mark.parametrize("change", ["edited", "another-file", "other-assignments", "another-seed"])
def test_what_has_changed_is_graded_again(tmp_path, two, change):
    """A submission that was changed or added to is graded again; all are where the seed or the assignments change."""
    grade(two, tmp_path / "out", seed=1)
    options = {"seed": 2} if change == "another-seed" else {"assignments": ["shapes"]} if change[0] == "o" else {}
    if change == "edited":
        (two / "second.py").write_text(RIGHT)
    elif change == "another-file":
        (two / "second").mkdir()
        (two / "second" / "helper.py").write_text("WIDTH = 3\n")
    asked, _ = grade(two, tmp_path / "out", **options)
    assert asked == (["first", "second"] if options else ["second"])


def test_a_submission_changed_while_it_is_graded(tmp_path, two):
    """What is changed after it was read is graded again by the next run, not taken for what was graded."""

    class Hasty(Fake):
        def run(self, jobs):
            for result in super().run(jobs):
                (two / "first.py").write_text(RIGHT + "\n# the last change\n")
                yield result

    grade(two, tmp_path / "out", Hasty())
    assert grade(two, tmp_path / "out")[0] == ["first"]


def test_the_seed_is_drawn_once(tmp_path, two):
    """Each OUT has a seed of its own; it is kept in run.json, and readable for nobody else."""
    for name in ("out", "other"):
        grade(two, tmp_path / name)
    kept = [json.loads((tmp_path / name / "run.json").read_text())["seed"] for name in ("out", "other")]
    assert kept[0] != kept[1]
    grade(two, tmp_path / "out")
    assert json.loads((tmp_path / "out/run.json").read_text())["seed"] == kept[0]
    assert not (tmp_path / "out/run.json").stat().st_mode & 0o077


def test_a_timeout_is_confirmed_alone(tmp_path, two):
    """A submission in which something timed out is graded again when nothing else runs, and only that counts."""
    runner = Fake(first=["timeout"])
    grade(two, tmp_path / "out", runner)
    assert runner.asked == [["first", "second"], ["first"]]
    assert scores(tmp_path / "out")["first"] == ("10", "10")
    runner = Fake(first=["timeout", "timeout"])
    grade(two, tmp_path / "out", runner, fresh=True)
    assert scores(tmp_path / "out")["first"] == ("0", "10")


def test_what_could_not_be_graded_is_no_zero(tmp_path, two):
    """A submission on which the kit itself failed has no row and no results, and the next run tries it again."""
    _, done = grade(two, tmp_path / "out", Fake(first=["trouble"]))
    assert "died" in done["first"].trouble
    assert list(scores(tmp_path / "out")) == ["second"]
    assert not (tmp_path / "out/students/first").exists()
    assert grade(two, tmp_path / "out")[0] == ["first"]


def test_what_could_not_be_graded_is_said(tmp_path, here, monkeypatch):
    """Who could not be graded, and why, stands in the log and in the table, whatever they are called; exit code 1."""
    odd = "[red] :smile:"
    folder_of(tmp_path / "class", **{odd: RIGHT, "second": RIGHT})
    monkeypatch.setattr(cli, "measure", lambda *_, **__: Isolation("A", {}))
    monkeypatch.setattr(cli, "Pool", lambda workers: Fake(**{odd: ["trouble"]}))
    ended = here("grade", tmp_path / "class", "-o", tmp_path / "out")
    assert ended.code == 1
    log, _, table = ended.out.partition("student")
    assert f"{odd}: not graded: the grading process died" in log
    assert "second: 10 of 10" in log
    assert re.search(rf"^{re.escape(odd)} .*the grading process died", table, re.MULTILINE)


def test_one_submission(tmp_path, two):
    """A single file is a submission, too."""
    asked, _ = grade(two / "second.py", tmp_path / "out")
    assert asked == ["second"]
    assert list(scores(tmp_path / "out")) == ["second"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"of": 3}'], ids=["empty", "cut-short", "a-list", "without-report"])
def test_a_damaged_report_is_graded_again(tmp_path, two, damage):
    """A report that is not what was written counts for nothing."""
    grade(two, tmp_path / "out")
    (tmp_path / "out/reports/second.json").write_text(damage)
    assert grade(two, tmp_path / "out")[0] == ["second"]


def test_out_inside_of_the_class(tmp_path, two):
    """OUT may lie in the folder of the submissions, and is none of them."""
    grade(two, two / "results")
    asked, done = grade(two, two / "results")
    assert asked == []
    assert set(done) == {"first", "second"}


def test_leftovers_of_a_kill_are_swept(tmp_path, two):
    """A file that a killed run was writing is gone after the next one."""
    grade(two, tmp_path / "out")
    leftovers = [tmp_path / "out" / place / ".autograder-x1y2z3.part" for place in (".", "reports", "students/first")]
    for path in leftovers:
        path.write_text('{"half')
    grade(two, tmp_path / "out")
    assert [path for path in leftovers if path.exists()] == []


# The processes that grade


DEADLY = """
import os, signal

def grade_job(job):
    if job.student == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"graded": job.student}
"""


@pytest.mark.pipeline
@pytest.mark.parametrize(("processes", "pause"), [(1, 0), (2, 0), (2, 0.15)], ids=str)
def test_who_kills_the_grader_harms_nobody_else(tmp_path, monkeypatch, processes, pause):
    """A submission that kills its grading process again and again is not graded; all beside it are.

    However long the one who asked for the results takes with each, and so learns of the death later than others.
    """
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pool, "grade_job", __import__("deadly").grade_job)
    students = ["before", "deadly", "beside", *(f"after-{number}" for number in range(12))]
    results: dict[str, Any] = {}
    with Pool(processes) as runner:
        for student, result in runner.run([Job(student, (), (), False, 1) for student in students]):
            results[student] = result
            time.sleep(pause)
    assert set(results) == set(students)
    assert "died" in results.pop("deadly")["trouble"]
    assert results == {student: {"graded": student} for student in results}


def test_a_mistake_of_the_kits_own(monkeypatch):
    """Where the kit fails on a submission, that one is in trouble, which is told in one line; the others go on."""

    def fail(seed, **_):
        raise RuntimeError("a mistake\nand more about it")

    monkeypatch.setattr(pool, "Grader", fail)
    assert pool.grade_job(Job("student", (), (), False, 987)) == {"trouble": "RuntimeError: a mistake"}
