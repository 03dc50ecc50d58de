"""What leaves the house: complete, always the same bytes, and without a secret."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import os
import re
import shutil
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from autograder import bundles, checks, contract, leaks, notebooks
from autograder.bundles import LeakError

ASSIGNMENTS = contract.assignments()
every_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)


@pytest.fixture(scope="module")
def archives() -> dict[str, zipfile.ZipFile]:
    return {name: zipfile.ZipFile(io.BytesIO(data)) for name, data in bundles.archives()}


def test_there_is_one_for_each_assignment_and_one_with_all(archives):
    """Six and one."""
    assert set(archives) == {*(f"{assignment.name}.zip" for assignment in ASSIGNMENTS), "all.zip"}


@every_assignment
def test_one_assignment_has_all_that_a_student_needs(assignment, archives):
    """Notebook, module, checks for pytest and for otter, the way to hand in, and two pages."""
    name = assignment.name
    files = {f"{name}.ipynb", f"{name}.py", f"test_{name}.py", "conftest.py", "hand_in.py", "README.md", "AGENTS.md"}
    files |= {f"tests/{function}.py" for function in checks.read(assignment).cases}
    assert set(archives[f"{name}.zip"].namelist()) == {f"{name}/{file}" for file in files}


def test_all_holds_each(archives):
    """The six folders, and the two pages at the top as well."""
    inside = {name for archive in archives.values() for name in archive.namelist()}
    assert set(archives["all.zip"].namelist()) == inside | {"README.md", "AGENTS.md"}


def test_their_bytes_are_always_the_same(archives):
    """No date, no owner, no compression that varies from machine to machine."""
    once, again = ({name: hashlib.sha256(data).hexdigest() for name, data in bundles.archives()} for _ in range(2))
    assert once == again
    for archive in archives.values():
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


@every_assignment
@pytest.mark.parametrize("page", bundles.PAGES)
def test_the_pages_give_nothing_away(assignment, page):
    """Neither a solution nor a hidden test nor a misconception of any assignment."""
    text = (contract.kit_root() / "assignments" / page).read_text(encoding="utf-8")
    assert not leaks.in_text(assignment, page, text)


def test_ai_tools_are_asked_to_tutor():
    """AGENTS.md says what it is for in its first lines."""
    text = (contract.kit_root() / "assignments" / "AGENTS.md").read_text(encoding="utf-8")
    assert "Be a tutor, and do not solve." in text[:400]


class TestLeakCheck:
    """Secrets that are put into a bundle on purpose are found, wherever they hide."""

    convolution = contract.assignment("convolution")

    @pytest.mark.parametrize(
        ("file", "secret"),
        [
            (
                "convolution.py",
                "    windows = np.lib.stride_tricks.sliding_window_view(x, k)  # (outputs, k), and no copy",
            ),
            ("test_convolution.py", "# as test_convolve1d_lecture_example does"),
            ("README.md", "a misconception: same_starts_late"),
        ],
    )
    def test_in_a_text(self, file, secret, monkeypatch):
        files = bundles.student_files(self.convolution)
        monkeypatch.setattr(bundles, "student_files", lambda _: {**files, file: f"{files[file]}\n{secret}\n"})
        with pytest.raises(LeakError, match=re.escape(file)):
            list(bundles.archives())

    @pytest.mark.parametrize("place", ["cell", "string", "output"])
    def test_in_a_notebook(self, place, monkeypatch):
        """In a cell, in a string of the set-up cell, in an output."""
        secret = "    return np.vecdot(windows, flipped)"
        node = notebooks.student(self.convolution)
        cell = next(cell for cell in node.cells if cell.id == "set-up")
        if place == "cell":
            cell.source += f"\ndef f():\n{secret}\n"
        elif place == "string":
            cell.source += '\nx = "def f():\\n' + secret + '\\n"\n'
        else:
            from nbformat.v4 import new_output

            cell.outputs = [new_output("stream", text=f"def f():\n{secret}\n")]
        files = bundles.student_files(self.convolution) | {"convolution.ipynb": notebooks.as_text(node)}
        monkeypatch.setattr(bundles, "student_files", lambda _: files)
        with pytest.raises(LeakError, match=r"convolution\.ipynb holds a line of the solution"):
            list(bundles.archives())


@every_assignment
def test_a_solution_notebook_gives_no_hidden_test_and_no_misconception_away(assignment):
    """It holds solutions, and nothing else that is secret."""
    text = bundles.readable("x.ipynb", notebooks.as_text(notebooks.solution(assignment)))
    found = leaks.in_text(assignment, "x.ipynb", text)
    assert [leak for leak in found if not leak.secret.startswith("a line of the solution")] == []


CELLS = """
import json, sys
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """The Python of a fresh virtual environment, into which pip has put NumPy, torch, Matplotlib and pytest."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    torch = importlib.metadata.version("torch").partition("+")[0]  # this one, which is here; the others' newest
    command = [python, "-m", "pip", "install", "--quiet", "numpy", f"torch=={torch}", "matplotlib", "pytest"]
    if index := os.environ.get("TORCH_INDEX"):  # as in the Makefile: where the CPU build of torch is
        command += ["--extra-index-url", index]
    subprocess.run(command, check=True)
    return python


@pytest.mark.slow
@pytest.mark.pipeline
class TestAStudentWithNothingButTheBundle:
    """And NumPy, torch, Matplotlib and pytest: no Jupyter, no scikit-learn, no otter, none of the kit."""

    @pytest.fixture
    def unpacked(self, archives, tmp_path):
        archives["all.zip"].extractall(tmp_path)
        return tmp_path

    def run(self, python, *arguments, folder):
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [python, "-I", *arguments] if "-m" not in arguments else [python, *arguments],
            cwd=folder,
            env=environment | {"PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def test_has_nothing_else(self, bare, tmp_path):
        """The environment is as bare as it says."""
        for name in ("sklearn", "IPython", "otter", "nbformat", "autograder", "scipy"):
            assert self.run(bare, "-c", f"import {name}", folder=tmp_path).returncode != 0, name

    def test_can_run_all_checks_at_once(self, bare, unpacked):
        """In the folder of all six, with every function still to be written, and then with every one written."""
        done = self.run(bare, "-m", "pytest", "-q", folder=unpacked)
        assert re.search(r"^\d+ failed in", done.stdout.splitlines()[-1]), done.stdout[-2000:]
        for assignment in ASSIGNMENTS:
            shutil.copy(assignment.master, unpacked / assignment.name)
        done = self.run(bare, "-m", "pytest", "-q", folder=unpacked)
        assert re.search(r"^\d+ passed in", done.stdout.splitlines()[-1]), done.stdout[-2000:]

    @every_assignment
    @pytest.mark.parametrize("written", [False, True], ids=["stub", "master"])
    def test_can_run_the_notebooks_code(self, bare, unpacked, assignment, written):
        """Every cell, as a script: demonstrations say what they wait for, or which library is missing."""
        folder = unpacked / assignment.name
        if written:
            text = notebooks.as_text(notebooks.solution(assignment))
            (folder / f"{assignment.name}.ipynb").write_text(text, encoding="utf-8")
        done = self.run(bare, "-c", CELLS, f"{assignment.name}.ipynb", folder=folder)
        assert done.returncode == 0, done.stderr
        count = len(assignment.functions)
        assert f"{count if written else 0} of {count} functions done" in done.stdout

    @every_assignment
    def test_can_hand_in(self, bare, unpacked, assignment):
        """With one command."""
        folder = unpacked / assignment.name
        shutil.copy(assignment.master, folder)
        done = self.run(bare, "hand_in.py", folder=folder)
        assert done.returncode == 0, done.stderr
        assert "Nothing is missing." in done.stdout
        assert (folder / f"{assignment.name}-hand-in.zip").exists()
