"""The grading process of a zip for Gradescope, without otter around it: what it makes of what students hand in."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from jsonschema import Draft202012Validator

from autograder import contract
from autograder.faces import gradescope, html
from autograder.faces.otter import guard, packaging
from autograder.faces.otter.settings import PLUGIN
from autograder.suite import declare

HERE = Path(__file__).parent
SUBMISSIONS = HERE / "submissions"
SCHEMA = Draft202012Validator(json.loads((HERE / "results.schema.json").read_text(encoding="utf-8")))
NOTEBOOK = nbformat.writes(
    nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("def sum_pool(z):\n    return 1")])
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradescope")
    for package in packaging.packages():
        (folder / package.name).write_bytes(package.data)
    return folder


def laid_out(folder, archive, files, metadata="{}", **settings):
    """A folder like /autograder, with a zip unpacked and something handed in."""
    for part in ("source", "submission"):
        (folder / part).mkdir(parents=True)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder / "source")
    config = json.loads((folder / "source" / "otter_config.json").read_text())
    config["plugins"][0][PLUGIN].update(settings)
    (folder / "source" / "otter_config.json").write_text(json.dumps(config))
    (folder / "submission_metadata.json").write_text(metadata)
    for file, content in files.items():
        (folder / "submission" / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def results_of(command, results):
    done = subprocess.run([sys.executable, "-I", "-B", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    content = guard.read(results)
    assert content is not None
    SCHEMA.validate(content)
    return content


@pytest.fixture
def graded(archives, tmp_path):
    """Grade files with a zip; the content of results.json."""

    def grade(name, files, *, seconds=120, **about):
        folder = laid_out(tmp_path / "autograder", archives / name, files, **about)
        results = tmp_path / "results.json"
        return results_of(guard.core(folder, folder / "submission", results, seconds), results)

    return grade


def sample(student, *names):
    return {name: (SUBMISSIONS / student / name).read_bytes() for name in names}


def public(results):
    return [test for test in results["tests"] if "public" in test["tags"]]


def hidden(results):
    return [test for test in results["tests"] if "public" not in test["tags"]]


def test_the_core_is_small():
    """It imports nothing that setup.sh does not install for it, and neither otter nor torch: memory is scarce."""
    code = """
import sys
import autograder.faces.otter.core
files = {name.partition(".")[0]: getattr(module, "__file__", "") for name, module in sys.modules.items()}
print(*[name for name, file in files.items() if "-packages" in str(file)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert imported & {"otter", "torch", "jinja2", "nbformat", "pandas"} == set()
    assert {"numpy", "pytest", "yaml"} <= imported


@pytest.mark.parametrize(
    ("files", "score", "failure", "says"),
    [
        ({}, 0, {"missing"}, "Nothing to grade was found"),
        ({"pooling.ipynb": '{"cells": ['}, 0, {"unreadable"}, "pooling.ipynb"),
        ({"pooling.ipynb": b"\xff\xfe\0"}, 0, {"unreadable"}, "pooling.ipynb"),
        ({"a.txt": "hello"}, 0, {"missing"}, "Nothing to grade was found"),
        ({"a.ipynb": NOTEBOOK, **sample("right", "pooling.py")}, 100, {None}, "Two files answer pooling"),
        ({"pooling.ipynb": NOTEBOOK, "pooling (1).ipynb": NOTEBOOK}, 0, None, "Two files answer pooling"),
        ({**sample("right", "pooling.py", "shapes.py"), "plot.py": "import nothing"}, 100, {None}, "public tests pass"),
    ],
    ids=["no-file", "broken-notebook", "no-text", "another-kind", "two-files", "two-notebooks", "several-modules"],
)
def test_whatever_is_handed_in(graded, files, score, failure, says):
    """What upsets otter is read by the kit's own intake: there is a score, and a sentence on what was found."""
    results = graded("pooling.zip", files)
    assert results["score"] == score
    assert says in results["output"]
    if failure is not None:
        assert {test["extra_data"]["failure"] for test in hidden(results)} == failure


def test_public_tests_show_everything_at_once(graded):
    """They are visible, worth nothing, and show the call; what is hidden keeps its score to itself until published."""
    results = graded("convolution.zip", sample("flips-nothing", "convolution.py"))
    assert {test["visibility"] for test in public(results)} == {"visible"}
    assert {test["max_score"] for test in public(results)} == {0}
    failed = [test["output"] for test in public(results) if test["status"] == "failed"]
    assert any("convolve1d([1, 2, 3, 4, 5], [1, 2]" in text for text in failed)
    assert {test["visibility"] for test in hidden(results)} == {"after_published"}
    assert results["score"] == sum(test["score"] for test in results["tests"])
    assert f"{results['score']:g}" not in results["output"].split()
    assert "The other tests are shown when grades are published." in results["output"]
    at_once, published = (html.on_gradescope(results, published=published) for published in (False, True))
    assert "1.p1)" in at_once
    assert "1.1)" not in at_once
    assert "of 100" not in at_once
    assert "1.1)" in published


def test_settings_are_followed(graded):
    """Visibility, Markdown, and the policy in words."""
    about = {"created_at": "2026-03-02T12:00:00Z", "assignment": {"due_date": "2026-03-01T12:00:00Z"}}
    results = graded(
        "pooling.zip",
        sample("pads-max-with-zeros", "pooling.py"),
        visibility="visible",
        output_format="md",
        policy={"late_penalty": 50},
        metadata=json.dumps(about),
    )
    points = sum(test["score"] for test in results["tests"])
    assert results["score"] == points / 2
    assert results["output"].startswith("Handed in 1 day late: 50 % of the score is lost.\nPooling: ")
    assert {test["visibility"] for test in results["tests"]} == {"visible"}
    assert results["test_output_format"] == "md"
    (hinted, *_) = [test for test in hidden(results) if test["extra_data"]["misconception"]]
    assert hinted["output"].startswith("```text\nmax_pool2d(")
    assert "\n```\n\n" in hinted["output"]


def test_where_time_is_up_the_rest_is_said_to_be_missing(graded):
    """What could not be begun scores nothing and says why; the whole still adds up to the points there are."""
    results = graded("all.zip", sample("right", "pooling.py", "shapes.py"), seconds=0)
    assert results["score"] == 0
    assert {test["output"] for test in results["tests"]} == {"There was no time left to grade this."}
    assert sum(test["max_score"] for test in results["tests"]) == 200


def test_tests_are_numbered_named_and_tagged(graded):
    """In the suite's order, with the function first; the tags are what Gradescope can filter by."""
    results = graded("parameters.zip", sample("right", "parameters.py"))
    suite = declare(contract.assignment("parameters"), 1)
    assert [test["number"] for test in hidden(results)] == [f"1.{place}" for place in range(1, len(suite) + 1)]
    assert [test["name"] for test in hidden(results)] == [f"{test.function}: {test.requirement}" for test in suite]
    assert [test["tags"] for test in hidden(results)] == [["parameters", test.function] for test in suite]
    assert {test["status"] for test in results["tests"]} == {"passed"}


WEAK = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from autograder import grading
from autograder.faces.otter import core
from autograder.preflight import Isolation
grading.preflight = lambda *_: Isolation("C", {"network": ["127.0.0.1"]})
core.main(*map(Path, sys.argv[2:5]), 60.0)
"""


@pytest.mark.parametrize(("allowed", "score"), [(False, 0), (True, 100)])
def test_nothing_is_graded_where_nothing_is_confined(archives, tmp_path, allowed, score):
    """Below level B the core refuses, unless told otherwise: the student reads whom to tell, the instructor why."""
    right = sample("right", "parameters.py")
    folder = laid_out(tmp_path / "autograder", archives / "parameters.zip", right, allow_weak_isolation=allowed)
    places = [folder / "source" / "files" / guard.KIT, folder, folder / "submission", tmp_path / "results.json"]
    results = results_of(["-c", WEAK, *map(str, places)], places[-1])
    assert results["score"] == score
    assert results["extra_data"]["isolation"] == "C"
    if not allowed:
        assert "not your fault" in results["output"]
        (test,) = results["tests"]
        assert test["visibility"] == "hidden"
        assert "a submission can reach the network" in test["output"]


@pytest.mark.slow
@pytest.mark.parametrize(("student", "ranked"), [("right", True), ("untouched", False)])
def test_the_leaderboard_ranks_what_fit_has_trained(graded, student, ranked):
    """On request, the accuracy on digits that the worker has no label of; who cannot train is not ranked."""
    results = graded("training.zip", sample(student, "training.py"), leaderboard=True)
    assert [entry["name"] for entry in results.get("leaderboard", [])] == ["Validation accuracy"] * ranked
    assert all(0.85 < entry["value"] <= 1 for entry in results.get("leaderboard", []))


@pytest.mark.parametrize("text", ["```\n# big\n```", "a `tick`", "````"])
def test_markdown_shows_a_message_as_it_is(text):
    """Whatever stands in a message, it stays inside its fence; a hint is prose without markup."""
    shown = gradescope.shown(text, "Use *all* of <b>x[0]_y</b>.", "md")
    fence = shown.split("text\n")[0]
    assert set(fence) == {"`"}
    assert fence not in text
    assert shown.count(fence) == 2
    assert shown.endswith(r"Use \*all\* of &lt;b&gt;x\[0\]\_y&lt;/b&gt;\.")
