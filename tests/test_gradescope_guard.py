"""The guard of a zip for Gradescope, between an otter and a core that fail in every way: one valid results.json."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from autograder.faces.otter import guard
from autograder.faces.otter.guard import KIT
from autograder.faces.otter.settings import PLUGIN

SOURCES = Path(guard.__file__).parent
SCHEMA = Draft202012Validator(json.loads(Path(__file__).with_name("results.schema.json").read_text(encoding="utf-8")))

GOOD = {"score": 2.5, "output": "by otter", "tests": [{"score": 2.5, "max_score": 5}]}
CORES = {"score": 1, "output": "by the core", "tests": [], "extra_data": {"isolation": "A", "complete": True}}
FIRST = {**CORES, "output": "by the first suite", "extra_data": {"isolation": "A", "complete": False}}


class Harness:
    """A folder like /autograder in which otter and core are stand-ins, told in Python what to do."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("source/tests", "submission", "results"):
            (folder / name).mkdir(parents=True)
        (folder / "source" / "otter_config.json").write_text(json.dumps({"plugins": [{PLUGIN: {"seconds": 3}}]}))
        self.place(
            "otter/run/run_autograder.py", "def main(stage, **options):\n    raise RuntimeError('otter is ill')\n"
        )
        self.place(
            "autograder/faces/otter/core.py", "def main(*arguments):\n    raise RuntimeError('the core is ill')\n"
        )

    def place(self, name, text):
        path = self.folder / "source" / "files" / KIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for package in path.relative_to(self.folder / "source" / "files" / KIT).parents:
            (self.folder / "source" / "files" / KIT / package / "__init__.py").touch()
        path.write_text(text)

    def otter(self, *lines):
        self.place("otter/run/run_autograder.py", program("stage, **options", "from pathlib import Path", *lines))

    def core(self, *lines):
        self.place("autograder/faces/otter/core.py", program("folder, submission, results, seconds", *lines))

    def start(self, patience=2):
        code = "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import guard; "
        code += f"guard._OTTER = {patience}; guard.main(Path(sys.argv[2]))"
        command = [sys.executable, "-c", code, str(SOURCES), str(self.folder)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self):
        process = self.start()
        self.said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, self.said
        return self.results()

    def results(self):
        content = json.loads((self.folder / "results" / "results.json").read_text())
        SCHEMA.validate(content)
        return content


def program(parameters, *lines):
    head = f"import json, os, signal, subprocess, time\n\n\ndef main({parameters}):\n"
    return head + textwrap.indent("\n".join(lines), "    ") + "\n"


def writes(content, place="results"):
    return f"{place}.write_text({json.dumps(content)!r})"


STAGED = "Path(stage, 'results', 'results.json')"


@pytest.fixture
def harness(tmp_path):
    return Harness(tmp_path / "autograder")


def test_what_otter_makes_is_put_in_place(harness):
    """The usual case: otter ends well, and its results are there for everybody who may read them."""
    harness.otter(writes(GOOD, STAGED), "Path(stage, 'results', 'results.pkl').write_bytes(b'pickle')")
    assert harness.run() == GOOD
    assert stat.S_IMODE((harness.folder / "results" / "results.json").stat().st_mode) == 0o644
    assert (harness.folder / "results" / "results.pkl").read_bytes() == b"pickle"


@pytest.mark.parametrize("text", ["", None, "null", "[]", "{}", "no JSON"])
def test_metadata_is_repaired(harness, text):
    """Otter reads it as JSON, and `otter grade` makes an empty file."""
    if text is not None:
        (harness.folder / "submission_metadata.json").write_text(text)
    harness.otter(
        "assert json.loads(Path(stage, 'submission_metadata.json').read_text()) == {}",
        writes(GOOD, STAGED),
    )
    assert harness.run() == GOOD


def test_otter_gets_an_empty_notebook_and_nothing_of_a_students(harness):
    """No log to unpickle, no module on a kernel's path, no second notebook to stumble over."""
    for name in ("a.ipynb", "b.ipynb", ".OTTER_LOG", "numpy.py", "c.py"):
        (harness.folder / "submission" / name).write_text("raise SystemExit")
    harness.otter(
        "assert os.listdir(Path(stage, 'submission')) == ['submission.ipynb']",
        "assert json.loads(Path(stage, 'submission', 'submission.ipynb').read_text())['cells'] == []",
        writes(GOOD, STAGED),
    )
    assert harness.run() == GOOD


@pytest.mark.parametrize(
    "failing",
    [
        ["raise RuntimeError('otter is ill')"],
        ["raise SystemExit(3)"],
        ["os._exit(0)"],
        ["os.kill(os.getpid(), signal.SIGKILL)"],
        ["time.sleep(60)"],
        [f"{STAGED}.write_text('{{')"],
        [f'{STAGED}.write_text(\'{{"score": NaN, "tests": []}}\')'],
        [f"{STAGED}.write_text('{{\"tests\": []}}')"],
        [f'{STAGED}.write_text(\'{{"score": 1, "tests": [3]}}\')'],
    ],
    ids=["raises", "exits", "is-gone", "is-killed", "hangs", "no-json", "nan", "no-score", "odd-tests"],
)
def test_where_otter_fails_the_core_decides(harness, failing):
    """Whatever becomes of otter, the submission is graded."""
    harness.otter(*failing)
    harness.core(writes(CORES))
    assert harness.run() == CORES
    assert "Otter has failed" in harness.said


def test_a_core_that_has_ended_is_not_started_again(harness):
    """Otter fails after the plugin has graded: that result stands."""
    harness.otter(writes(CORES, "Path(os.environ['AUTOGRADER_RESULTS'])"), "raise RuntimeError('the kernel died')")
    harness.core("raise AssertionError('started again')")
    assert harness.run() == CORES


def test_where_both_fail_there_is_a_result_all_the_same(harness):
    """The student is told that it was not their fault, and nothing of how it failed."""
    results = harness.run()
    assert results["score"] == 0
    assert "tell your instructor" in results["output"]
    assert "ill" not in results["output"]
    assert "the core is ill" in harness.said


def test_what_was_graded_before_a_cut_counts(harness):
    """The core dies after its first suite, twice: that suite's points stand, with a word on the rest."""
    harness.core(writes(FIRST), "os.kill(os.getpid(), signal.SIGKILL)")
    results = harness.run()
    assert results["score"] == 1
    assert results["output"] == "Grading was cut off. What was graded until then counts.\nby the first suite"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_global_time_out_leaves_what_was_earned(harness, end):
    """Gradescope ends everything at once, politely or not."""
    harness.otter(writes(FIRST, "Path(os.environ['AUTOGRADER_RESULTS'])"), "time.sleep(60)")
    process = harness.start(patience=60)
    deadline = time.monotonic() + 30
    while harness.results()["score"] != 1 if (harness.folder / "results" / "results.json").exists() else True:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(end)
    process.communicate(timeout=30)
    assert harness.results()["score"] == 1


def test_nothing_lives_on(harness, tmp_path):
    """Every process that descends from the guard has ended when the results are there, daemons too."""
    daemon = "subprocess.Popen(['sleep', '313'], start_new_session=True).pid"
    harness.otter(f"Path({str(tmp_path / 'pid')!r}).write_text(str({daemon}))", writes(GOOD, STAGED))
    assert harness.run() == GOOD
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_what_is_secret_is_closed(harness):
    """Whatever it was unpacked with, only root may look into it; and results are hidden until they are final."""
    seen = "Path(os.environ['AUTOGRADER_RESULTS']).stat().st_mode & 0o777"
    harness.otter(f"assert {seen} == 0o600", writes(GOOD, STAGED))
    (harness.folder / "submission_metadata.json").write_text("{}")
    (harness.folder / "submission_metadata.json").chmod(0o666)
    (harness.folder / "source").chmod(0o777)
    assert harness.run() == GOOD
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in harness.folder.iterdir()}
    assert modes == {"source": 0o700, "submission": 0o700, "results": 0o755, "submission_metadata.json": 0o600}


def test_a_broken_configuration_is_no_end(harness):
    """The guard itself needs nothing of what it guards."""
    (harness.folder / "source" / "otter_config.json").write_text("{")
    harness.otter(writes(GOOD, STAGED))
    assert harness.run() == GOOD
