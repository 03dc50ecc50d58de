"""Real runs of the command: what stands in their way, what kills them, and that nothing is ever left half-done.

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
        preexec_fn=heed_interrupts,  # noqa: PLW1509  there are no threads here
    )


def heed_interrupts():
    """What a terminal gives, even where the tests themselves run in the background of a shell, deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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


def complaints(said):
    """What is said on stderr, save for the level of isolation where that is not the best."""
    return [line for line in said.splitlines() if line and not line.startswith("Isolation level")]


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
    assert complaints(said) == ["Interrupted. What is graded is kept; the same command goes on from here."]
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
        (line,) = complaints(full.stderr)
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
