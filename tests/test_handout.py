"""What runs in a student's notebook: check(), progress(), and the script that packs what is handed in."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile

import pytest

from autograder import checks, contract, intake, masters, notebooks
from autograder.handout import notebook as runtime

CONVOLUTION = contract.assignment("convolution")
RIGHT = "def moving_average(k):\n    if k < 1:\n        raise ValueError\n    return [1 / k] * k\n"
SUMS_TO_K = "def moving_average(k):\n    if k < 1:\n        raise ValueError\n    return [1] * k\n"


@pytest.fixture
def handout(monkeypatch, tmp_path, capsys):
    """A set-up notebook of the assignment convolution, whose names are in its `names`; no otter-grader there."""
    monkeypatch.chdir(tmp_path)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "otter" else find(name))
    monkeypatch.setattr(runtime, "display", None)
    public = checks.read(CONVOLUTION)
    functions = {name: "" if name in CONVOLUTION.names else "practice" for name in public.cases}
    sources = {name: public.source(name) for name in public.cases}
    names: dict[str, object] = {}
    made = runtime.Handout(functions, {"numpy": "numpy"}, public.shared, sources, names)
    assert "Missing" not in capsys.readouterr().out
    return made


def define(handout, source: str) -> None:
    """Run a cell of the notebook."""
    exec(source, handout.names)


def stub(function: str) -> str:
    """A cell as students receive it."""
    node = masters.without_solutions(masters.notebook(CONVOLUTION))
    return "import numpy as np\n" + next(cell.source for cell in node.cells if cell.id == function)


class TestSetUpCell:
    """The first cell of a notebook, run as it stands in an empty folder."""

    @pytest.fixture
    def set_up(self, monkeypatch, tmp_path):
        """Runs it where some modules are not there; returns its names, and the commands that it called."""
        monkeypatch.chdir(tmp_path)
        source = next(cell.source for cell in notebooks.student(CONVOLUTION).cells if cell.id == "set-up")
        find, called = importlib.util.find_spec, []
        monkeypatch.setattr(subprocess, "run", lambda command, **_: called.append(command))

        def run(missing=(), colab=False):
            monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
            if colab:
                monkeypatch.setitem(sys.modules, "google.colab", object())
            names: dict[str, object] = {}
            exec(source, names)
            return names, called

        return run

    def test_without_otter_it_leaves_the_folder_empty(self, set_up, tmp_path, capsys):
        """And brings check, progress and grader, and says so in one line."""
        names, called = set_up(missing=["otter"])
        assert {"check", "progress", "grader"} <= set(names)
        assert capsys.readouterr().out.startswith('Ready: check("convolve1d") checks a function')
        assert list(tmp_path.iterdir()) == []
        assert called == []

    @pytest.mark.parametrize("missing", [(), ("otter",)], ids=["otter", "no otter"])
    def test_on_colab_it_writes_the_checks_beside_the_notebook(self, set_up, tmp_path, missing):
        """The same files as in the bundle, where otter-grader looks for them; nothing is installed."""
        _, called = set_up(missing=missing, colab=True)
        beside = contract.kit_root() / "assignments" / "convolution" / "tests"
        assert {path.name for path in beside.glob("*.py")} == {path.name for path in tmp_path.glob("tests/*.py")}
        for path in beside.glob("*.py"):
            assert (tmp_path / "tests" / path.name).read_bytes() == path.read_bytes()
        assert called == []

    def test_on_colab_it_installs_what_is_missing(self, set_up):
        """Only that."""
        _, called = set_up(missing=["sklearn"], colab=True)
        assert [command[1:] for command in called] == [["-m", "pip", "install", "--quiet", "scikit-learn"]]

    def test_elsewhere_it_says_what_is_missing(self, set_up, capsys):
        """And how to install it, for one's machine is one's own."""
        _, called = set_up(missing=["sklearn", "otter"])
        assert "Missing: scikit-learn. To install: %pip install scikit-learn" in capsys.readouterr().out
        assert called == []

    def test_a_folder_that_cannot_be_written_to(self, set_up, monkeypatch, capsys):
        """The checks run all the same."""

        def refuse(*_, **__):
            raise PermissionError

        monkeypatch.setattr("os.makedirs", refuse)
        names, _ = set_up()
        exec(RIGHT, names)
        names["check"]("moving_average")
        assert "✓ moving_average: all 5 checks hold." in capsys.readouterr().out


class TestCheck:
    def test_a_right_function(self, handout, capsys):
        """One line, and how far one is."""
        define(handout, RIGHT)
        handout.check("moving_average")
        assert capsys.readouterr().out == "✓ moving_average: all 5 checks hold.\n\n1 of 5 functions done\n"

    def test_a_wrong_function(self, handout, capsys):
        """Call, result, expected value and hint of what does not hold."""
        define(handout, SUMS_TO_K)
        handout.check("moving_average")
        told = capsys.readouterr().out
        assert told.startswith("✗ moving_average: 3 of 5 checks hold.\n")
        assert "moving_average(3)\n  returned [1, 1, 1]\n  expected [0.333" in told
        assert "Hint: These sum to k" in told
        assert told.endswith("0 of 5 functions done\n")

    def test_many_failures(self, handout, capsys):
        """Three of them, of different tests where there are; a hint that two share is told once."""
        define(handout, "def convolve1d(x, g, mode='valid'):\n    return [sum(a * b for a, b in zip(x, g))]\n")
        handout.check("convolve1d")
        told = capsys.readouterr().out
        assert [line.partition(".")[0] for line in told.splitlines() if line.startswith("✗ ")][1:] == [
            "✗ The lecture's signal and filter, in each mode",
            "✗ The example that the handout works out: a filter of three taps, all different",
            '✗ Without a mode the outputs are the "valid" ones',
        ]
        assert "which may well have the same cause" in told
        row = "[0] * i + [float(tap) for tap in g] + [0] * (T - len(g) - i)"
        define(handout, f"def convolution_matrix(g, T):\n    return [{row} for i in range(T - len(g) + 1)]\n")
        handout.check("convolution_matrix")
        told = capsys.readouterr().out
        assert told.count("The taps stand in the rows the wrong way round") == 1
        assert told.count("✗ ") == 4

    def test_a_stub(self, handout, capsys):
        """It says what to do, in one line rather than one for each check."""
        define(handout, stub("convolve2d"))
        handout.check("convolve2d")
        told = capsys.readouterr().out
        assert told.startswith("· convolve2d waits for you")
        assert len(told.splitlines()) == 3

    def test_a_function_that_calls_an_unwritten_one(self, handout, capsys):
        """It names the one that is to be written first."""
        define(handout, stub("convolve1d") + "\ndef correlate1d(x, w):\n    return convolve1d(x, w[::-1])\n")
        handout.check("correlate1d")
        assert "convolve1d is not written yet." in capsys.readouterr().out

    def test_a_cell_that_was_not_run(self, handout, capsys):
        """It says to run it."""
        handout.check("convolve1d")
        assert capsys.readouterr().out.startswith("· convolve1d is not defined yet: run the cell that defines it")

    def test_a_name_that_is_no_function(self, handout, capsys):
        """It lists those that there are."""
        handout.check("convolve3d")
        assert "There are: convolve1d, correlate1d" in capsys.readouterr().out

    def test_an_error_in_the_students_code(self, handout, capsys):
        """The exception and its message, and no traceback."""
        define(handout, "def moving_average(k):\n    return [1 / k for _ in rnage(k)]\n")
        handout.check("moving_average")
        told = capsys.readouterr().out
        assert "raised NameError: name 'rnage' is not defined" in told
        assert "Traceback" not in told

    def test_practice_counts_for_itself(self, handout, capsys):
        """A practice step is checked, and is none of the five."""
        define(handout, CONVOLUTION.master.read_text(encoding="utf-8"))
        handout.check("equivariance_gap")
        assert capsys.readouterr().out.endswith("0 of 5 functions done\n")

    def test_the_grader_of_otters_notebooks_is_there(self, handout, capsys):
        """grader.check does the same where otter-grader is not installed."""
        define(handout, RIGHT)
        handout.grader.check("moving_average")
        assert "all 5 checks hold" in capsys.readouterr().out


class TestProgress:
    def test_one_line_for_each_function(self, handout, capsys):
        """Done, not yet right, still to be written, not defined: each has its sign and its words."""
        define(handout, RIGHT + stub("convolve2d") + "\ndef correlate1d(x, w):\n    return 1\n")
        handout.progress()
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines[:4]] == [
            ["·", "convolve1d"],
            ["✗", "correlate1d"],
            ["·", "convolve2d"],
            ["✓", "moving_average"],
        ]
        assert lines[0].endswith("not defined")
        assert lines[2].endswith("still to be written")
        assert lines[-1] == "1 of 5 functions done"

    def test_its_picture_says_in_words_what_it_shows(self, handout, monkeypatch):
        """A sign beside every colour, and a label for who does not see it."""
        shown: list[dict[str, str]] = []
        monkeypatch.setattr(runtime, "display", lambda data, raw: shown.append(data))
        define(handout, RIGHT)
        handout.check("moving_average")
        assert shown[0]["text/plain"] == "1 of 5 functions done"
        assert 'role="img" aria-label="1 of 5 functions done: convolve1d open' in shown[0]["text/html"]
        assert "✓ moving_average" in shown[0]["text/html"]
        assert "equivariance_gap (practice)" in shown[0]["text/html"]

    @pytest.mark.parametrize(
        ("text", "ground"), [("#FFFFFF", "#0072B2"), ("#8A3B00", "#FFFFFF"), ("#4A4A4A", "#FFFFFF")]
    )
    def test_its_colours_have_contrast(self, text, ground):
        """At least 4.5 to 1, as WCAG asks of text."""
        source = (contract.kit_root() / "autograder" / "handout" / "notebook.py").read_text(encoding="utf-8")
        assert f"background:{ground};color:{text}" in source
        assert contrast(text, ground) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def folder(tmp_path):
    """A student's folder of the assignment, as it comes out of the bundle."""
    from autograder import bundles

    for name, text in bundles.student_files(CONVOLUTION).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(folder) -> subprocess.CompletedProcess[str]:
    """The command that packs a folder."""
    return subprocess.run(
        [sys.executable, "hand_in.py"], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )


def packed(folder) -> dict[str, str]:
    """What is in the zip file."""
    with zipfile.ZipFile(folder / "convolution-hand-in.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def write_in_notebook(folder, function: str, body: str) -> None:
    """Do what a student does: replace the line that raises by code."""
    path = folder / "convolution.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] == function:
            text = "".join(cell["source"]).replace(f'raise NotImplementedError("{function}")', body)
            cell["source"] = text.splitlines(keepends=True)
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x" * 10_000]}]
    path.write_text(json.dumps(notebook), encoding="utf-8")


class TestHandIn:
    def test_it_warns_of_untouched_functions(self, folder):
        """Every one of them is named."""
        told = run(folder).stdout
        assert "0 of 5 functions are written" in told
        assert all(f"Careful: {name} still says NotImplementedError." in told for name in CONVOLUTION.names)

    def test_it_takes_the_module_in_which_more_is_written(self, folder):
        """And says what is in the zip file, a module of one's own too, and none of the files handed out."""
        (folder / "convolution.py").write_text(RIGHT + "from tools import x\n", encoding="utf-8")
        (folder / "tools.py").write_text("x = 1\n", encoding="utf-8")
        told = run(folder).stdout
        assert list(packed(folder)) == ["convolution.py", "tools.py"]
        assert "convolution.py, 0 kB" in told
        assert "tools.py, a module of yours" in told
        assert "1 of 5 functions are written" in told
        assert "Careful: convolve1d is missing." in told

    def test_it_takes_the_notebook_in_which_more_is_written(self, folder):
        """Without its outputs, which may be larger than what a grader takes."""
        write_in_notebook(folder, "moving_average", "return [1 / k] * k")
        told = run(folder).stdout
        (name, text), *rest = packed(folder).items()
        assert (name, rest) == ("convolution.ipynb", [])
        assert "without its outputs" in told
        assert "xxx" not in text
        assert "return [1 / k] * k" in text

    def test_a_finished_one_has_no_warning(self, folder):
        """It says that nothing is missing."""
        (folder / "convolution.py").write_text(CONVOLUTION.master.read_text(encoding="utf-8"), encoding="utf-8")
        told = run(folder).stdout
        assert "5 of 5 functions are written" in told
        assert "Careful" not in told

    def test_code_that_python_cannot_read(self, folder):
        """It is packed all the same, and named."""
        write_in_notebook(folder, "moving_average", "return [1 / k * k")
        (folder / "convolution.py").unlink()
        told = run(folder).stdout
        assert "Python cannot read the code of moving_average" in told
        assert "moving_average is missing" in told
        assert (folder / "convolution-hand-in.zip").exists()

    def test_an_empty_folder(self, folder):
        """It says what is missing."""
        (folder / "convolution.py").unlink()
        (folder / "convolution.ipynb").unlink()
        assert "neither a convolution.py nor a notebook" in run(folder).stderr

    @pytest.mark.parametrize("kind", ["module", "notebook"])
    def test_what_it_packs_can_be_graded(self, folder, kind):
        """The grader finds in the zip file what the student wrote."""
        if kind == "module":
            (folder / "convolution.py").write_text(RIGHT, encoding="utf-8")
        else:
            write_in_notebook(folder, "moving_average", "return [1 / k] * k")
        run(folder)
        submission = intake.read_submission([folder / "convolution-hand-in.zip"], contract.assignments())
        assert list(submission.answers) == ["convolution"]


class TestHandInFromTheNotebook:
    @pytest.fixture
    def hand_in(self, folder, monkeypatch):
        """The names of the script, as the notebook's last cell has them."""
        monkeypatch.chdir(folder)
        names = {"__name__": "hand_in"}
        exec(notebooks.hand_in(CONVOLUTION), names)
        return names

    def test_it_finds_the_notebook_that_is_running(self, hand_in, folder, capsys):
        """Under whatever name, by what the notebook itself says."""
        (folder / "convolution.ipynb").rename(folder / "Copy of mine.ipynb")
        hand_in["hand_in"]()
        assert "Copy of mine.ipynb" in capsys.readouterr().out
        assert list(packed(folder)) == ["Copy of mine.ipynb"]

    def test_it_warns_of_a_notebook_that_was_not_saved(self, hand_in, folder, capsys):
        """A cell that ran differs from the one in the file."""
        write_in_notebook(folder, "moving_average", "return [1 / k] * k")
        hand_in["NAMES"]["In"] = ["", "def moving_average(k):\n    return 2"]
        hand_in["hand_in"]()
        assert "Careful: you ran another moving_average than the one in convolution.ipynb" in capsys.readouterr().out

    def test_it_does_not_warn_of_a_notebook_that_was_saved(self, hand_in, folder, capsys):
        """A cell that ran is the one in the file."""
        write_in_notebook(folder, "moving_average", "return [1 / k] * k")
        hand_in["NAMES"]["In"] = [
            cell for cell in hand_in["code"](folder / "convolution.ipynb") if "def moving" in cell
        ]
        hand_in["hand_in"]()
        assert "you ran another" not in capsys.readouterr().out

    def test_on_colab_it_asks_for_the_notebook_and_downloads_the_zip_file(self, hand_in, folder, monkeypatch, capsys):
        """There is no file beside the notebook on Colab."""
        from types import SimpleNamespace

        notebook = json.loads((folder / "convolution.ipynb").read_text(encoding="utf-8"))
        (folder / "convolution.ipynb").unlink()
        (folder / "convolution.py").unlink()
        downloaded: list[str] = []
        colab = SimpleNamespace(
            _message=SimpleNamespace(blocking_request=lambda request, timeout_sec: {"ipynb": notebook}),
            files=SimpleNamespace(download=downloaded.append),
        )
        monkeypatch.setitem(sys.modules, "google.colab", colab)
        hand_in["hand_in"]()
        assert downloaded == ["convolution-hand-in.zip"]
        assert list(packed(folder)) == ["convolution.ipynb"]
        assert "0 of 5 functions are written" in capsys.readouterr().out

    def test_where_there_is_no_notebook_it_says_what_to_do(self, hand_in, folder, capsys):
        """Name it, or download it by hand."""
        (folder / "convolution.ipynb").unlink()
        (folder / "convolution.py").unlink()
        hand_in["hand_in"]()
        assert "No notebook of this assignment" in capsys.readouterr().out
