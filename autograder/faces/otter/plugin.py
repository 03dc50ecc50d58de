"""Otter's plugin: otter packages, runs and writes results.json, and none of a student's code runs in its process.

Before grading, everything that was handed in goes to the grading core, a process of its own, and out of otter's reach.
Otter then executes an empty notebook, in which every placeholder test fails, and gets the core's results in the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import nbformat
from otter.plugins import AbstractOtterPlugin
from otter.test_files import GradingResults

from autograder.faces.otter import guard
from autograder.faces.otter.guard import KIT

_OTTERS_OWN: Final = (KIT, "tests")  # what otter has copied into the submission's folder
_EMPTY: Final = nbformat.writes(nbformat.v4.new_notebook())
_LONG: Final = 3600.0


class Results(GradingResults):
    """Otter's results, with what Gradescope shows taken from the core: a visibility for each test, for one."""

    def to_gradescope_dict(self, ag_config: Any) -> dict[str, Any]:
        """The core's results.json, to which what otter's own settings ask for is applied."""
        content: dict[str, Any] = json.loads(json.dumps(self.get_plugin_data(KIT)))
        usual = super().to_gradescope_dict(ag_config)
        content |= {key: usual[key] for key in ("score", "stdout_visibility") if key in usual}
        if self.all_hidden:
            for test in content["tests"]:
                test["visibility"] = "hidden"
        return content

    def __reduce__(self) -> Any:
        """Pickled as otter's own class, so that whoever has otter can read it."""
        return GradingResults, ([],), self.__dict__


_Plugin: Any = AbstractOtterPlugin  # whose events are all declared never to return


class GradingPlugin(_Plugin):
    """Grades by the core, whatever otter's own tests say."""

    def during_generate(self, otter_config: dict[str, Any], assignment: Any) -> None:
        """Nothing to change: that otter has come here shows that it finds this plugin."""

    def before_grading(self, config: Any) -> None:
        """Have the core grade what was handed in; when it has ended, no process of a student's is left."""
        if guard.FOLDER in os.environ:  # what was handed in has stayed where otter does not look
            folder, results = Path(os.environ[guard.FOLDER]), Path(os.environ[guard.RESULTS])
            seconds = float(os.environ[guard.END]) - time.monotonic()
            self._content = grade(folder, folder / "submission", results, seconds)
            return
        with tempfile.TemporaryDirectory(prefix="autograder-") as aside:
            submission = self._set_aside(Path(aside) / "submission")
            results = Path(aside) / "results.json"
            self._content = grade(Path(os.path.abspath(config.autograder_dir)), submission, results, _LONG)

    def before_execution(self, submission: Any) -> Any:
        """An empty notebook instead of what was handed in."""
        return nbformat.v4.new_notebook()

    def after_grading(self, results: GradingResults) -> None:
        """Put the core's results in the place of the placeholders'."""
        text: Any = json.dumps(as_ottr(self._content))
        ours = Results.from_ottr_json(text)
        results.__class__ = Results
        results.results, results._catastrophic_error = ours.results, None  # pyright: ignore[reportPrivateUsage]
        results.set_output(self._content["output"])
        results.set_plugin_data(KIT, self._content)

    def generate_report(self) -> str:
        """What the instructor reads in otter's output."""
        tests: list[dict[str, Any]] = self._content["tests"]
        failed = [f"  {test['number']} {test['name']}" for test in tests if test.get("status") == "failed"]
        score, points = self._content["score"], sum(test.get("max_score", 0) for test in tests)
        head = f"Score {score:g} of {points:g}, isolation level {self._content['extra_data']['isolation']}."
        return "\n".join([head, *(["Failed:", *failed] if failed else [])])

    def _set_aside(self, place: Path) -> Path:
        """Move the submission away from where otter would unpickle its log and have it on a kernel's import path."""
        place.mkdir()
        given = Path(self.submission_path)
        for path in given.parent.iterdir():
            if path.name not in _OTTERS_OWN:
                shutil.move(path, place / path.name)
        given.write_text(_EMPTY if given.suffix == ".ipynb" else "")
        return place


def grade(folder: Path, submission: Path, results: Path, seconds: float) -> dict[str, Any]:
    """What the core makes of a submission.

    Args:
        folder: laid out as Gradescope's /autograder.
        submission: a folder with what was handed in.
        results: the file that the core rewrites while it grades.
        seconds: that it may take.

    Raises:
        RuntimeError: it failed; what it had by then is in that file.
    """
    command = [sys.executable, "-I", "-B", *guard.core(folder, submission, results, seconds)]
    done = subprocess.run(command, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"The grading process ended with status {done.returncode}.")
    return json.loads(results.read_text(encoding="utf-8"))


def as_ottr(content: Mapping[str, Any]) -> dict[str, Any]:
    """The core's results as otter's R client would tell them: a test file per function, a test case per test."""
    files: dict[str, list[dict[str, Any]]] = {}
    for test in content["tests"]:
        about = test.get("extra_data", {"assignment": "kit", "function": "kit"})
        case = {
            "name": test["name"],
            "code": "",
            "hidden": test["visibility"] != "visible",
            "points": test.get("max_score", 0),
            "success_message": None,
            "failure_message": None,
        }
        result = {"test_case": case, "error": test["output"], "passed": test["status"] == "passed"}
        files.setdefault(f"{about['assignment']}-{about['function']}.py", []).append(result)
    return {"test_file_results": [{"filename": name, "test_case_results": cases} for name, cases in files.items()]}
