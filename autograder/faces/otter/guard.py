"""Runs otter on a submission and, whatever fails, leaves one valid results.json.

In a zip for Gradescope this file stands in the place of otter's run_otter.py; it needs nothing but Python. It gives
otter a folder of its own with an empty notebook in it, so that nothing a student hands in can upset otter. Otter loads
the plugin, which has the grading core write results.json as suites end. What otter makes of these is checked and
put in their place; where otter fails, what the core has written stands.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

# How the guard tells the plugin where everything lies, and until when the core may grade.
FOLDER, RESULTS, END = "AUTOGRADER_FOLDER", "AUTOGRADER_RESULTS", "AUTOGRADER_END"
KIT: Final = "autograder_kit"  # below source/files, all that the core needs

_BOOT: Final = (
    "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); "
    "from autograder.faces.otter.core import main; main(*map(Path, sys.argv[2:5]), float(sys.argv[5]))"
)
_SECONDS: Final = 480.0  # for the core, where the settings cannot be read
_OTTER: Final = 60.0  # seconds that otter has besides
_AT_LEAST: Final = 20.0  # seconds for a second try, where otter has used up the others
_DIE_WITH_PARENT, _ADOPT = 1, 36  # of prctl: the latter makes this process the parent of all that lose theirs
_EMPTY: Final[Mapping[str, Any]] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
_FAILED: Final = (
    "The autograder failed on this submission. Submit it again; if that does not help, please tell your instructor."
)
_CUT: Final = "Grading was cut off. What was graded until then counts."


def main(folder: Path) -> None:
    """Grade what lies in a folder such as /autograder.

    Args:
        folder: with source/, submission/, results/ and, if there is any, submission_metadata.json.
    """
    end = time.monotonic() + _seconds(folder)
    signal.signal(signal.SIGTERM, _stop)
    results = folder / "results" / "results.json"
    results.parent.mkdir(exist_ok=True)
    _close(folder)
    _write(results, _failure(), 0o600)
    _set(_ADOPT, 1)
    content = None
    try:
        with tempfile.TemporaryDirectory(prefix="otter-") as name:
            stage = _stage(folder, Path(name))
            _run([__file__, str(stage), str(folder)], _environment(folder, results, stage, end), end + _OTTER)
            content = read(stage / "results" / "results.json")
            with contextlib.suppress(OSError):
                shutil.copyfile(stage / "results" / "results.pkl", results.with_suffix(".pkl"))
        if content is None and not _is_complete(read(results)):
            print("Otter has failed; grading without it.", flush=True)
            end = max(end, time.monotonic() + _AT_LEAST)
            _run(core(folder, folder / "submission", results, end - time.monotonic()), os.environ, end + _OTTER)
    except Exception as error:  # noqa: BLE001  a full disk, for instance: what there is must be handed in all the same
        print(f"The guard has failed: {error!r}", flush=True)
    finally:
        _end_children()
        _write(results, content or _remarked(read(results) or _failure()), 0o644)


def core(folder: Path, submission: Path, results: Path, seconds: float) -> list[str]:
    """What to tell Python so that it becomes the core: see `autograder.faces.otter.core.main`."""
    return ["-c", _BOOT, *map(str, (folder / "source" / "files" / KIT, folder, submission, results, seconds))]


def read(path: Path) -> dict[str, Any] | None:
    """What a results.json holds; None where it is missing or not valid."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not _is_number(content.get("score")):
        return None
    tests = content.get("tests")
    if not isinstance(tests, list) or not all(isinstance(test, dict) for test in tests):
        return None
    numbers = [test[key] for test in tests for key in ("score", "max_score") if key in test]
    return content if all(map(_is_number, numbers)) else None


def run_otter(stage: Path, folder: Path) -> None:
    """In a process of its own, which ends with the guard: otter, with the plugin within its reach."""
    _set(_DIE_WITH_PARENT, signal.SIGKILL)
    sys.path.insert(0, str(folder / "source" / "files" / KIT))
    from otter.run.run_autograder import main as run_autograder

    # There is an empty notebook and nothing else: no zip to unpack, no PDF to make.
    run_autograder(str(stage), logo=False, zips=False, pdf=False)


def _seconds(folder: Path) -> float:
    """How long the core may take by the plugin's settings."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        config = json.loads((folder / "source" / "otter_config.json").read_text(encoding="utf-8"))
        settings = [options for entry in config["plugins"] for options in entry.values()]
        return float(settings[0]["seconds"])
    return _SECONDS


def _close(folder: Path) -> None:
    """Let nobody but this user look at what student code must not see, whatever it was unpacked with."""
    modes = {"source": 0o700, "submission": 0o700, "results": 0o755, "submission_metadata.json": 0o600}
    for name, mode in modes.items():
        with contextlib.suppress(OSError):
            (folder / name).chmod(mode)


def _stage(folder: Path, stage: Path) -> Path:
    """A folder for otter: its configuration and tests, metadata that it can read, an empty notebook."""
    for name in ("source", "submission", "results"):
        (stage / name).mkdir()
    source = folder / "source"
    shutil.copyfile(source / "otter_config.json", stage / "source" / "otter_config.json")
    shutil.copytree(source / "tests", stage / "source" / "tests")
    (stage / "submission_metadata.json").write_text(json.dumps(_metadata(folder)), encoding="utf-8")
    (stage / "submission" / "submission.ipynb").write_text(json.dumps(_EMPTY), encoding="utf-8")
    return stage


def _metadata(folder: Path) -> dict[str, Any]:
    """Gradescope's metadata; nothing where the file is missing, empty (as `otter grade` makes it) or broken."""
    try:
        metadata = json.loads((folder / "submission_metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def _environment(folder: Path, results: Path, stage: Path, end: float) -> dict[str, str]:
    own = {FOLDER: str(folder), RESULTS: str(results), END: str(end)}
    jupyter = dict.fromkeys(("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"), str(stage / "jupyter"))
    return {**os.environ, **own, **jupyter, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _run(arguments: Sequence[str], environment: Mapping[str, str], end: float) -> None:
    """Run Python until it ends, or until it must."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", *arguments],
        cwd="/",
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(max(end - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        print("Time is up.", flush=True)
    finally:
        process.kill()
        process.wait()
        _end_children()


def _set(attribute: int, value: int) -> None:
    """Set an attribute of this process, by prctl(2); nothing on other systems than Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(attribute, value, 0, 0, 0)


def _end_children() -> None:
    """Kill every process that descends from this one."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while children.exists() and (left := children.read_text().split()):
        for child in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(child), 0)


def _stop(*_: object) -> NoReturn:
    raise SystemExit("Told to end.")  # by way of `finally`, which writes what there is


def _failure() -> dict[str, Any]:
    return {"score": 0, "output": _FAILED, "stdout_visibility": "hidden", "tests": []}


def _is_complete(content: Mapping[str, Any] | None) -> bool:
    return content is not None and bool(content.get("extra_data", {}).get("complete"))


def _remarked(content: dict[str, Any]) -> dict[str, Any]:
    """What the core has written, with a word on what is missing."""
    if "extra_data" in content and not _is_complete(content):
        content["output"] = f"{_CUT}\n{content['output']}"
    return content


def _write(path: Path, content: Mapping[str, Any], mode: int) -> None:
    """Write results.json at once: whoever looks sees the old content or the new."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".results-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1, ensure_ascii=True, allow_nan=False)
    os.chmod(name, mode)
    os.replace(name, path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_otter(*map(Path, sys.argv[1:3]))
    else:
        main(Path(__file__).resolve().parent.parent)
