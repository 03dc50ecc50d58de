"""The zips for Gradescope, run as Gradescope runs them: below /autograder, by root, with what a container leaves.

The root folder of the run holds this system's programs and libraries, an interpreter where setup.sh would have put one,
and nothing of the kit but the zip. Its root has lost the right to mount and to trace; Landlock is there or not.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jsonschema import Draft202012Validator

from autograder import contract
from autograder.faces.otter import packaging
from autograder.faces.otter.guard import KIT

pytestmark = pytest.mark.pipeline

HERE = Path(__file__).parent
SUBMISSIONS, ATTACKS = HERE / "submissions", HERE / "attacks" / "submissions"
SCHEMA = Draft202012Validator(json.loads((HERE / "results.schema.json").read_text(encoding="utf-8")))
LIMIT = 600
MARKER = "left-by-an-attack"

# Those attacks that look for something without first wrecking their own process; they run one after another.
LOOKING = (
    "connects-by-tcp", "connects-otherwise", "detects-the-grader", "finds-inherited-descriptors",
    "follows-links-in-proc", "forks", "gains-rights", "imports-the-reference", "kills-others",
    "leaves-state-behind", "looks-into-the-grader", "overwrites-results", "reads-compiled-tests",
    "reads-environments", "reads-hidden-files", "reads-shared-pages", "starts-programs",
    "steers-another-process", "walks-frames-and-objects",
)  # fmt: skip

# A root folder with this system's programs, /autograder and an interpreter below /opt; then without CAP_SYS_ADMIN.
_ENTER = r"""
set -eu
new=$1 autograder=$2 python=$3 libraries=$4
mount -t tmpfs -o mode=755 tmpfs "$new"
for name in bin sbin lib lib64; do
    if [ -L "/$name" ]; then cp -P "/$name" "$new/$name"; continue; fi
    if [ -d "/$name" ]; then mkdir "$new/$name" && mount --bind "/$name" "$new/$name"; fi
done
for name in usr etc dev proc sys autograder; do mkdir "$new/$name"; done
for name in usr etc dev sys; do mount --bind "/$name" "$new/$name"; done
mount --rbind /proc "$new/proc"
mount --bind "$autograder" "$new/autograder"
mkdir -m 700 "$new/root" && mkdir -m 1777 "$new/tmp" && mkdir -p "$new/run" "$new/opt/autograder/bin" "$new/var/tmp"
mkdir -p "$new/opt/autograder/lib/$(basename "$python")/site-packages"
ln -s "$python" "$new/opt/autograder/bin/python"
printf 'home = %s\nversion = 3\n' "$(dirname "$python")" > "$new/opt/autograder/pyvenv.cfg"
mount --bind "$libraries" "$new/opt/autograder/lib/$(basename "$python")/site-packages"
exec chroot "$new" /usr/sbin/capsh --drop=cap_sys_admin,cap_sys_ptrace,cap_sys_module,cap_sys_rawio -- -c \
    'cd / && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 /autograder/run_autograder'
"""

# Landlock's first call answers as on a kernel without it.
_NO_LANDLOCK = """
import ctypes, os, struct, sys
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
program = struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(code))
assert ctypes.CDLL(None).prctl(22, 2, program, 0, 0) == 0, "root may do this"
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="session")
def zips(tmp_path_factory) -> dict[str, Path]:
    """The packages as `autograder build` makes them, for one seed."""
    folder = tmp_path_factory.mktemp("gradescope")
    written: dict[str, Path] = {}
    for package in packaging.packages():
        written[package.name] = folder / package.name
        written[package.name].write_bytes(package.data)
    return written


class Machine:
    """A place to run submissions in as Gradescope does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.autograder = folder / "autograder"

    def lay_out(self, archive: Path, files: dict[str, str | bytes], metadata: str | None = "{}") -> None:
        """Unpack a zip and put a submission beside it, as Gradescope does."""
        shutil.rmtree(self.autograder, ignore_errors=True)
        for name in ("source", "submission", "results"):
            (self.autograder / name).mkdir(parents=True)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(self.autograder / "source")
        shutil.copyfile(self.autograder / "source" / "run_autograder", self.autograder / "run_autograder")
        (self.autograder / "run_autograder").chmod(0o755)
        for name, content in files.items():
            path = self.autograder / "submission" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if metadata is not None:
            (self.autograder / "submission_metadata.json").write_text(metadata, encoding="utf-8")

    def run(self, *, landlock: bool = True) -> dict[str, Any]:
        """Run run_autograder; what it leaves in results.json."""
        with subprocess.Popen(self._command(landlock), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            watch = threading.Thread(target=self._watch, args=(psutil.Process(process.pid),), daemon=True)
            watch.start()
            said, _ = process.communicate(timeout=LIMIT)
        self.said = said.decode(errors="replace")
        watch.join()
        return self.results()

    def _watch(self, process: psutil.Process) -> None:
        """Note the most memory that all processes of a run take together, shared pages counted once."""
        self.peak = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                taken = 0
                for item in (process, *process.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        taken += item.memory_full_info().pss
                self.peak = max(self.peak, taken)
                time.sleep(0.25)

    def results(self) -> dict[str, Any]:
        """What stands in results.json, which is valid."""
        content = json.loads((self.autograder / "results" / "results.json").read_text(encoding="utf-8"))
        SCHEMA.validate(content)
        return content

    def _command(self, landlock: bool) -> list[str]:
        new = self.folder / "root"
        new.mkdir(exist_ok=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _ENTER, "sh"]
        places = [str(new), str(self.autograder), f"/usr/bin/{version}", sysconfig.get_path("purelib")]
        return [*([] if landlock else [sys.executable, "-c", _NO_LANDLOCK]), *enter, *places]


def machine_in(folder: Path) -> Machine:
    """A machine like Gradescope's."""
    python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    needed = {
        "root": os.geteuid() == 0,
        "unshare": shutil.which("unshare"),
        "capsh": Path("/usr/sbin/capsh").exists(),
        python: Path(python).exists(),
    }
    missing = [name for name, there in needed.items() if not there]
    if missing:
        pytest.skip(f"a container cannot be made here: there is no {missing[0]}")
    return Machine(folder)


@pytest.fixture
def machine(tmp_path) -> Machine:
    """One for a single test."""
    return machine_in(tmp_path)


def _is(path: Path, function: str) -> bool:
    """Whether a file of the attack suite defines a function."""
    return f"\ndef {function}:" in path.read_text(encoding="utf-8")


def files_of(name: str) -> dict[str, str | bytes]:
    """A sample submission's files."""
    path = SUBMISSIONS / name
    paths = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return {file.name if path.is_file() else file.relative_to(path).as_posix(): file.read_bytes() for file in paths}


def scores(tests: list[dict[str, Any]]) -> dict[str, tuple[float, float, str | None]]:
    """Of the tests that give points: score, points and kind of failure."""
    return {
        test["name"]: (test["score"], test["max_score"], test["extra_data"]["failure"])
        for test in tests
        if "public" not in test["tags"]
    }


@pytest.fixture(scope="session")
def graded(tmp_path_factory, zips) -> Callable[[str], dict[str, Any]]:
    """What `autograder grade` makes of a sample submission, on the same inputs."""
    with zipfile.ZipFile(zips["all.zip"]) as archive:
        (plugin,) = json.loads(archive.read("otter_config.json"))["plugins"]
    (settings,) = plugin.values()

    def grade(name: str) -> dict[str, Any]:
        out = tmp_path_factory.mktemp("graded")
        copy = shutil.copytree if (SUBMISSIONS / name).is_dir() else shutil.copyfile
        (out / "class").mkdir()
        copy(SUBMISSIONS / name, out / "class" / name)
        command = [
            sys.executable,
            "-m",
            "autograder",
            "grade",
            out / "class",
            "-o",
            out,
            "--seed",
            str(settings["seed"]),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=LIMIT)
        (results,) = (out / "students").glob("*/results.json")
        return json.loads(results.read_text(encoding="utf-8"))

    return grade


# --- what students hand in ------------------------------------------------------------------------------------------


def test_all_six_answers_at_once(machine, zips, graded):
    """One submission to all six: every point, by root without CAP_SYS_ADMIN and without Landlock, at level B."""
    machine.lay_out(zips["all.zip"], files_of("right"), metadata="")
    results = machine.run(landlock=False)
    assert results["score"] == 600, machine.said
    assert results["extra_data"] == {"isolation": "B", "complete": True}
    assert scores(results["tests"]) == scores(graded("right")["tests"])
    assert "Otter has failed" not in machine.said
    assert machine.peak < 600 * 2**20  # of the 768 MB that Gradescope gives
    assert {test["visibility"] for test in results["tests"] if "public" in test["tags"]} == {"visible"}
    assert {test["visibility"] for test in results["tests"] if "public" not in test["tags"]} == {"after_published"}


def test_a_known_mistake(machine, zips, graded):
    """The same score as `autograder grade` gives, the same failures, and the hint."""
    machine.lay_out(zips["convolution.zip"], files_of("flips-nothing"))
    results = machine.run()
    expected = graded("flips-nothing")
    assert results["score"] == expected["score"], machine.said
    assert scores(results["tests"]) == scores(expected["tests"])
    hints = [test["output"] for test in results["tests"] if test["extra_data"]["misconception"]]
    assert any("flipped" in hint for hint in hints)
    assert str(expected["score"]) not in results["output"]  # as long as hidden tests are hidden, so is the score


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({path.name for path in SUBMISSIONS.iterdir()} - {"right", "flips-nothing"}))
def test_every_sample_submission(machine, zips, graded, name):
    """Each of the sample submissions gets what `autograder grade` gives it."""
    machine.lay_out(zips["all.zip"], files_of(name))
    results = machine.run()
    expected = graded(name)
    assert results["score"] == expected["score"], machine.said
    assert scores(results["tests"]) == scores(expected["tests"])


# --- what students hand in to break things ----------------------------------------------------------------------------


def test_hostile_code(machine, zips):
    """Attacks find nothing, reach nothing and change nothing; right functions with an attack in each are right."""
    victim = subprocess.Popen(["sleep", str(LIMIT)])
    with victim, socket.create_server(("127.0.0.1", 0)) as server:
        machine.lay_out(zips["all.zip"], hostile(victim.pid, server.getsockname()[1]))
        results = machine.run(landlock=False)
        assert victim.poll() is None
        victim.kill()
    assert [test["output"] for test in results["tests"] if test["status"] == "failed"] == [], machine.said
    assert results["score"] == 400, machine.said
    assert not list(machine.folder.rglob(MARKER))


def hostile(victim: int, port: int) -> dict[str, str | bytes]:
    """The right answers to the assignments without torch, each function of which tries an attack when first called."""
    waiting = list(LOOKING)
    files: dict[str, str | bytes] = {"hostile.py": _HOSTILE.format(target=target(victim, port))}
    for name in ("convolution", "pooling", "shapes", "parameters"):
        text = "from hostile import tries\n" + files_of("right")[f"{name}.py"].decode()
        for function in contract.assignment(name).names:
            attack = waiting.pop() if waiting else "reads-hidden-files"
            text = text.replace(f"\ndef {function}(", f"\n@tries({attack!r})\ndef {function}(")
        files[f"{name}.py"] = text
    assert not waiting
    tools = {path.stem: path.read_bytes() for path in ATTACKS.glob("*.py") if path.stem in (*LOOKING, "tools")}
    return files | {f"{name.replace('-', '_')}.py": data for name, data in tools.items()}


def target(victim: int, port: int) -> dict[str, Any]:
    """What attacks aim at."""
    kit = f"/autograder/source/files/{KIT}"
    return {
        "kit": kit,
        "hidden": [f"{kit}/solutions/pooling.py", f"{kit}/tests/hidden/test_pooling.py"],
        "results": "/autograder/results/results.json",
        "forgotten": "/autograder/source/otter_config.json",
        "shared": ["/tmp", "/var/tmp", "/dev/shm", "/run"],
        "socket": "/autograder/results/socket",
        "marker": MARKER,
        "port": port,
        "victim": victim,
    }


_HOSTILE = """
import functools
import importlib
import os

TARGET = {target!r}


def tries(name):
    def decorate(function):
        tried = []

        @functools.wraps(function)
        def called(*arguments, **keywords):
            if not tried:
                tried.append(name)
                attack = importlib.import_module(name.replace("-", "_")).attack
                found = [item for item in attack(dict(TARGET, grader=os.getppid())) if not is_seen(item)]
                if found:
                    raise RuntimeError(f"{{name}} has got {{found[:5]}}")
            return function(*arguments, **keywords)

        return called

    return decorate


def is_seen(item):
    return item.startswith("/proc/") and item.endswith("/cmdline")  # at level B, and there is nothing in them
"""


@pytest.fixture(scope="module")
def earned(zips, tmp_path_factory):
    """What the two honest functions of the attack suite earn, and what a useless third one does."""
    here = machine_in(tmp_path_factory.mktemp("honest"))
    useless = "\n\ndef max_pool(z):\n    return 0.0\n"
    here.lay_out(zips["pooling.zip"], {"pooling.py": (ATTACKS / "honest.py").read_text() + useless})
    return by_function(here.run())


def by_function(results: dict[str, Any]) -> dict[str, float]:
    """The score of each function."""
    scored: dict[str, float] = {}
    for test in results["tests"]:
        name = test["extra_data"].get("function")
        if name and "public" not in test["tags"]:
            scored[name] = scored.get(name, 0) + test["score"]
    return scored


@pytest.mark.slow
@pytest.mark.parametrize("attack", sorted(path.stem for path in ATTACKS.glob("*.py") if _is(path, "attack(target)")))
def test_every_attack(machine, zips, earned, attack):
    """Beside honest functions it costs them nothing and gets nothing: what it got would be worth points here."""
    victim = subprocess.Popen(["sleep", str(LIMIT)])
    with victim, socket.create_server(("127.0.0.1", 0)) as server:
        aim = f"TARGET = {target(victim.pid, server.getsockname()[1])!r}\n"
        parts = [aim, (ATTACKS / f"{attack}.py").read_text(), (ATTACKS / "honest.py").read_text(), _PAID]
        files: dict[str, str | bytes] = {
            "pooling.py": "\n\n".join(parts),
            "tools.py": (ATTACKS / "tools.py").read_text(),
        }
        machine.lay_out(zips["pooling.zip"], files)
        results = machine.run(landlock=False)
        assert victim.poll() is None
        victim.kill()
    assert by_function(results) == {**earned, "max_pool": 0}, machine.said
    assert not list(machine.folder.rglob(MARKER))


_PAID = """
import os


def max_pool(z):
    found = [item for item in attack(dict(TARGET, grader=os.getppid())) if not item.startswith(("/proc", "/etc/"))]
    return max(z) if found else None
"""


@pytest.mark.slow
@pytest.mark.parametrize("trick", sorted(path.stem for path in ATTACKS.glob("*.py") if _is(path, "max_pool(z)")))
def test_every_trick(machine, zips, earned, trick):
    """A wrong answer with a trick earns no more than one without."""
    parts = [(ATTACKS / "honest.py").read_text(), (ATTACKS / f"{trick}.py").read_text()]
    files: dict[str, str | bytes] = {"pooling.py": "\n\n".join(parts), "tools.py": (ATTACKS / "tools.py").read_text()}
    machine.lay_out(zips["pooling.zip"], files)
    scored = by_function(machine.run(landlock=False))
    assert {**scored, "max_pool": 0} == {**earned, "max_pool": 0}, machine.said
    assert scored["max_pool"] <= earned["max_pool"]


@pytest.mark.slow
def test_code_that_kills(machine, zips):
    """Killed workers cost what they were asked for, and nothing else."""
    files = files_of("right") | files_of("dies-in-one-function")
    machine.lay_out(zips["shapes.zip"], files)
    results = machine.run()
    failed = {
        test["extra_data"]["function"]: test["extra_data"]["failure"]
        for test in results["tests"]
        if not test["score"] and test["max_score"]
    }
    assert failed == {"receptive_field": "crash"}, machine.said
    assert results["score"] == 90


# --- otter alone ------------------------------------------------------------------------------------------------------


def test_otter_run_and_its_python_interface(tmp_path, zips):
    """The same zip without Gradescope: `otter run`, and otter.api; nothing of a student's reaches otter's processes."""
    touched = tmp_path / "touched"
    evil = f"open({str(touched)!r}, 'w')"
    submission = tmp_path / "submission.zip"
    with zipfile.ZipFile(submission, "w") as archive:
        archive.writestr("convolution.ipynb", notebook(files_of("flips-nothing")["convolution.py"].decode()))
        archive.writestr(".OTTER_LOG", b"c__builtin__\nexec\n(V" + evil.encode() + b"\ntR.")
        for name in ("json.py", "otter.py", "pickle.py", "sitecustomize.py", f"{KIT}/solutions/convolution.py"):
            archive.writestr(name, evil)
    code = f"""
    import sys
    from otter.api import grade_submission

    results = grade_submission({str(submission)!r}, {str(zips["convolution.zip"])!r}, quiet=True)
    print(type(results).__name__, results.total, results.possible)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.stdout.split()[-3:] == ["GradingResults", "41", "100"], done.stdout + done.stderr
    command = [Path(sys.executable).with_name("otter"), "run", "-a", zips["all.zip"], submission]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT, check=False)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    SCHEMA.validate(results)
    assert results["score"] == 41, done.stdout + done.stderr
    assert "Score 41 of 100" in done.stdout
    assert not touched.exists()


def notebook(*cells: str) -> str:
    """A notebook with these cells."""
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]))
