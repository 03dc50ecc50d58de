"""The command as its user sees it: what it says, how it ends, and that no run leaves anything half-done, killed or not.

The classes here are tiny: one function of one assignment that needs no torch.
"""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder import cli, pool
from autograder.classroom import Classroom
from autograder.pool import Job, Pool
from autograder.preflight import Isolation
from autograder.report import Graded, Report, Verdict

pytestmark = pytest.mark.pipeline
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

COMMAND = Path(sys.executable).with_name("autograder")
SEED = 1234567890123456789

RIGHT = """\
def same_padding(kernel_size, dilation=1):
    lost = dilation * (kernel_size - 1)
    if lost % 2:
        raise ValueError("half a zero")
    return lost // 2
"""
WRONG = RIGHT.replace("// 2", "// 3")
# Keeps its grader busy for a while: the time to kill something.
SLOW = "import time\n\nPAUSE = time.sleep(3)\n\n\n" + RIGHT.replace("dilation=1", "dilation=1, pause=PAUSE")


def autograder(*arguments):
    """Run the command to its end."""
    command = [COMMAND, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)


def folder_of(path, **files):
    """A class: a file per submission, by its student."""
    path.mkdir()
    for student, text in files.items():
        (path / f"{student}.py").write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def small_class(tmp_path):
    return folder_of(tmp_path / "class", first=RIGHT, second=WRONG, slow=SLOW, third=RIGHT)


def written(out):
    """All that students and instructors are given, by path."""
    files = [out / "gradebook.csv", *sorted((out / "students").rglob("*"))]
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.is_file()}


@dataclass(frozen=True)
class Undisturbed:
    """What a run leaves that nobody disturbs, and what its terminal showed."""

    screen: str
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run on a terminal, a narrow one."""
    path = tmp_path_factory.mktemp("undisturbed")
    small = folder_of(path / "class", first=RIGHT, second=WRONG, slow=RIGHT, third=RIGHT)
    command = [COMMAND, "grade", small, "-o", path / "out", "--workers", "1", "--seed", str(SEED)]
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "20"}
    run = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b"".join(iter(lambda: screen_of(ours), b""))
    os.close(ours)
    assert run.wait(timeout=60) == 0, shown
    return Undisturbed(shown.decode(), written(path / "out"))


def screen_of(terminal):
    """What a terminal shows next; nothing once everybody has gone."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def scores(out):
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as stream:
        return {row["student"]: (row["total"], row["max_total"]) for row in csv.DictReader(stream)}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
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
    commands = [command.name or command.callback.__name__ for command in cli.app.registered_commands]
    assert {"grade", "build", "audit", "doctor"} <= set(commands)
    helps = {name: here(name, "--help") for name in commands}
    assert {ended.code for ended in helps.values()} == {0}
    assert [name for name in commands if f"autograder {name}" not in helps[name].out.partition("Example")[2]] == []


@pytest.mark.parametrize("allowed", [False, True], ids=["refused", "allowed"])
def test_without_walls(tmp_path, here, monkeypatch, allowed):
    """Where student code cannot be confined, grading says why and refuses with exit code 3, unless told otherwise."""
    folder_of(tmp_path / "class", first=RIGHT)
    monkeypatch.setattr(cli, "measure", lambda: Isolation("C", {"hidden": ["solutions/shapes.py"]}))
    monkeypatch.setattr(cli, "Pool", lambda workers: Fake())
    options = ["--allow-weak-isolation"] if allowed else []
    ended = here("grade", tmp_path / "class", "-o", tmp_path / "out", *options)
    assert ended.code == (0 if allowed else 3)
    assert "a submission can read hidden files (solutions/shapes.py)" in ended.err
    assert (tmp_path / "out" / "students").exists() is allowed


# What is in the way of one submission is not in the way of the others


def test_submissions_that_cannot_be_read(tmp_path):
    """What cannot be decoded, opened or followed, whatever its name, costs only whoever handed it in."""
    path = folder_of(tmp_path / "class", first=RIGHT, last=RIGHT)
    (path / "latin-1.py").write_bytes("# Faltung für Anfänger\n".encode("latin-1"))
    (path / "link.py").symlink_to("/etc/passwd")
    (path / "zip.zip").write_bytes(b"PK\x03\x04 and no more")
    (path / "=1+1.py").write_text(RIGHT)
    (path / os.fsdecode(b"caf\xe9 \x1b[31m\n.py")).write_text(RIGHT)
    os.mkfifo(path / "pipe.py")
    done = autograder("grade", path, "-o", tmp_path / "out", "-a", "shapes", "-a", "parameters")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout
    got = scores(tmp_path / "out")
    odd = "caf[U+DCE9] [U+001B][31m"
    full = {student for student, total in got.items() if total == ("10", "200")}
    none = {student for student, total in got.items() if total == ("0", "200")}
    assert full == {"first", "last", "'=1+1", odd}
    assert none == {"latin-1", "link", "zip", "pipe"}
    results = json.loads((tmp_path / "out/students/latin-1/results.json").read_text())
    assert "it is not UTF-8 text (line 1); save it as UTF-8" in results["output"]
    assert "root:" not in "".join(path.read_text() for path in (tmp_path / "out/students/link").iterdir())


def test_an_assignment_that_nobody_answers(tmp_path):
    """An assignment that -a names and nobody answers scores 0 and is called missing; the run ends well."""
    path = folder_of(tmp_path / "class", first=RIGHT)
    done = autograder("grade", path, "-o", tmp_path / "out", "-a", "parameters")
    assert done.returncode == 0
    results = json.loads((tmp_path / "out/students/first/results.json").read_text())
    assert {test["extra_data"]["failure"] for test in results["tests"]} == {"missing"}
    assert (tmp_path / "out/gradebook.csv").read_text() == "student,parameters,total,max_total\nfirst,0,0,100\n"


# Interrupted runs


def start(*arguments):
    """The command in a process group of its own, as a terminal starts it."""
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)
    return found


def family(ancestor):
    """The processes that a process has started, and theirs: {(pid, when it started): its command line}."""
    about = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            about[int(folder.name)] = int(fields[1]), fields[19], (folder / "cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
    found = {ancestor}
    while more := {pid for pid, (parent, *_) in about.items() if parent in found} - found:
        found |= more
    return {(pid, about[pid][1]): about[pid][2] for pid in found if pid in about}


def is_alive(process):
    pid, started = process
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[19] == started and fields[0] != "Z"


def in_mid_run(process, out):
    """Wait until something is graded and something is not, and a worker runs a submission; the processes of the run."""
    wait_for((out / "reports" / "second.json").exists)
    assert process.poll() is None
    assert not (out / "reports" / "third.json").exists()
    return family(process.pid)


def assert_whole(out):
    """Whatever is there is complete, and nothing half-written is beside it."""
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".html", ".csv"}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert text.rstrip("\n").endswith("</html>") if path.suffix == ".html" else text.endswith("\n")
        if path.suffix == ".json":
            json.loads(text)


@on_linux
def test_killed_in_mid_run(tmp_path, small_class, undisturbed):
    """A kill -9 leaves nothing half-written and no process; the same command goes on, and ends as if nothing was."""
    out = tmp_path / "out"
    run = ["grade", small_class, "-o", out, "--workers", 1]
    killed = start(*run, "--seed", SEED)
    processes = in_mid_run(killed, out)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    wait_for(lambda: not any(map(is_alive, processes)), seconds=10)
    assert_whole(out)
    done = autograder(*run)  # the seed is kept in OUT
    assert done.returncode == 0, done.stderr
    assert "first: 10 of 100 (from an earlier run)" in done.stdout
    assert "third: 10 of 100," in done.stdout
    assert_whole(out)
    assert written(out) == undisturbed.files


@on_linux
def test_interrupted_in_mid_run(tmp_path, small_class):
    """Ctrl-C says in one line how to go on; the gradebook holds what is graded, and nobody's process goes on."""
    out = tmp_path / "out"
    interrupted = start("grade", small_class, "-o", out, "--workers", 1)
    processes = in_mid_run(interrupted, out)
    os.killpg(interrupted.pid, signal.SIGINT)  # a terminal interrupts the whole group
    _, said = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130
    assert [line for line in said.splitlines() if line] == [
        "Interrupted. What is graded is kept; the same command goes on from here."
    ]
    wait_for(lambda: not any(map(is_alive, processes)), seconds=10)
    assert_whole(out)
    assert set(scores(out)) == {"first", "second"}


@on_linux
@pytest.mark.parametrize("victim", ["spawn_main", "autograder.worker.zygote"], ids=["grading-process", "warm-process"])
def test_a_process_killed_in_mid_run(tmp_path, small_class, undisturbed, victim):
    """A grading process, or the process that forks its workers, killed in mid-run costs a retry, never a result."""
    out = tmp_path / "out"
    run = start("grade", small_class, "-o", out, "--workers", 1, "--seed", SEED)
    processes = in_mid_run(run, out)
    (pid, _), *_ = [process for process, command in processes.items() if victim in command]
    os.kill(pid, signal.SIGKILL)
    said, complained = run.communicate(timeout=120)
    assert run.returncode == 0, complained
    assert "Traceback" not in complained
    assert "slow: 10 of 100" in said
    assert written(out) == undisturbed.files


@on_linux
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk(tmp_path, undisturbed):
    """Where the disk is full one line says so, what is there is whole, and with more space the same command goes on."""
    small = folder_of(tmp_path / "class", first=RIGHT, second=WRONG, slow=RIGHT, third=RIGHT)
    out = tmp_path / "out"
    out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "none", out], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount")
    try:
        run = ["grade", small, "-o", out, "--workers", 1, "--seed", SEED]
        full = autograder(*run)
        assert full.returncode == 2
        (line,) = full.stderr.splitlines()
        assert "No space left on device" in line
        assert "-o" in line
        assert_whole(out)
        subprocess.run(["mount", "-o", "remount,size=8m", out], check=True)
        assert autograder(*run).returncode == 0
        assert written(out) == undisturbed.files
    finally:
        subprocess.run(["umount", out], check=True)


# On a terminal


def test_progress_on_a_terminal(undisturbed):
    """A terminal sees a bar that moves, then the table, in which no heading and no score is cut off."""
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", undisturbed.screen)
    assert "Grading" in text
    assert "0/4" in text
    assert {"shapes", "total", "10", "third"} <= set(text.rpartition("/4")[2].split())


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
    _, done = grade(two, tmp_path / "out", runner)
    assert runner.asked == [["first", "second"], ["first"]]
    assert done["first"].row.scores == {"shapes": 10}
    runner = Fake(first=["timeout", "timeout"])
    _, done = grade(two, tmp_path / "out", runner, fresh=True)
    assert done["first"].row.scores == {"shapes": 0}


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
    monkeypatch.setattr(cli, "measure", lambda: Isolation("A", {}))
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


def test_who_kills_the_grader_harms_nobody_else(tmp_path, monkeypatch):
    """A submission that kills its grading process again and again is not graded; all beside it are."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(pool, "grade_job", __import__("deadly").grade_job)
    students = ["before", "deadly", "beside", "after"]
    with Pool(1) as runner:
        results = dict(runner.run([Job(student, (), (), False, 1) for student in students]))
    assert set(results) == set(students)
    assert "died" in results.pop("deadly")["trouble"]
    assert results == {student: {"graded": student} for student in results}


def test_a_mistake_of_the_kits_own(monkeypatch):
    """Where the kit fails on a submission, that one is in trouble, which is told in one line; the others go on."""

    def fail(seed):
        raise RuntimeError("a mistake\nand more about it")

    monkeypatch.setattr(pool, "Grader", fail)
    assert pool.grade_job(Job("student", (), (), False, 987)) == {"trouble": "RuntimeError: a mistake"}
