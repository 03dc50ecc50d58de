"""The zip files for Gradescope and for `otter run`: made by `otter.generate`, the same bytes from the same sources."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from autograder import contract
from autograder.bundles import zipped
from autograder.contract import Assignment, ContractError
from autograder.faces.otter import settings
from autograder.faces.otter.guard import KIT
from autograder.faces.otter.settings import PLUGIN, Settings

PYTHON: Final = "3.11"
# What the core and otter need, and what a submission may import besides.
LIBRARIES: Final = (
    "numpy", "pytest", "pyyaml", "torch", "matplotlib", "scikit-learn", "tqdm",
    "otter-grader", "ipykernel", "jupyter-client",
)  # fmt: skip
_HERE: Final = Path(__file__).resolve().parent
_PACKAGE: Final = Path(contract.__file__).resolve().parent
_PROGRAMS: Final = ("run_autograder", "setup.sh")
_LOCK: Final = "requirements.lock"

# What is in a zip, as its summary counts it: by folder.
_PARTS: Final = {
    "core": f"files/{KIT}/autograder*",
    "masters": f"files/{KIT}/solutions",
    "misconceptions": f"files/{KIT}/solutions/misconceptions",
    "hidden suites": f"files/{KIT}/tests/hidden",
    "public suites": f"files/{KIT}/assignments/*",
    "placeholder tests": "tests",
}

_PLACEHOLDER: Final = '''\
"""Not a test: stands for {function} of {assignment} until the plugin puts the grading core's results in its place."""

from otter.test_files import test_case

OK_FORMAT = False
name = "{assignment}-{function}"


@test_case(name="graded by the kit", points={points}, hidden=True)
def graded():
    raise AssertionError("This was not graded: the plugin of the autograder kit has not run.")
'''


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file for Gradescope.

    Attributes:
        name: of the file.
        assignments: that it grades.
        data: its bytes.
        files: the names in it.
    """

    name: str
    assignments: tuple[str, ...]
    data: bytes
    files: tuple[str, ...]

    @property
    def summary(self) -> str:
        """Size and contents in a line."""
        folders = [name.rpartition("/")[0] for name in self.files]
        counts = [f"{what} {sum(fnmatchcase(folder, place) for folder in folders)}" for what, place in _PARTS.items()]
        top = ", ".join(name for name in self.files if "/" not in name)
        return f"{self.name}, {len(self.data) / 1000:.0f} kB: {', '.join(counts)}; {top}"


def available() -> bool:
    """Whether otter-grader is installed."""
    return importlib.util.find_spec("otter") is not None


def packages() -> Iterator[Package]:
    """One package per assignment, and one with all of them, which grades whatever is handed in.

    Raises:
        ContractError: a setting is wrong, or a version is not pinned.
    """
    chosen = settings.read()
    everything = contract.assignments()
    if chosen.seed is None:
        chosen = replace(chosen, seed=_seed(everything))
    for assignment in everything:
        yield _package(assignment.name, [assignment], chosen, named=True)
    yield _package("all", everything, chosen, named=False)


def write() -> list[Package]:
    """Write the packages to `dist/gradescope/`."""
    folder = contract.kit_root() / "dist" / "gradescope"
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Package] = []
    for package in packages():
        (folder / package.name).write_bytes(package.data)
        written.append(package)
    return written


def _package(name: str, assignments: Sequence[Assignment], chosen: Settings, *, named: bool) -> Package:
    plugin = {**chosen.table(), "named": named}
    config = {"plugins": [{PLUGIN: plugin}], "print_score": False, "print_summary": False}
    files = _generated(assignments, config)
    for program in _PROGRAMS:
        files[program] = (_HERE / program).read_text(encoding="utf-8")
    files["run_otter.py"] = (_HERE / "guard.py").read_text(encoding="utf-8")
    files[_LOCK] = (_PACKAGE.parent / _LOCK).read_text(encoding="utf-8")
    files |= {f"files/{KIT}/{path}": text for path, text in _kit(assignments).items()}
    data = zipped(files, _PROGRAMS)
    return Package(f"{name}.zip", tuple(item.name for item in assignments), data, tuple(sorted(files)))


def _generated(assignments: Sequence[Assignment], config: dict[str, Any]) -> dict[str, str]:
    """What otter makes: its configuration, the environment, the placeholders among the tests."""
    from otter.generate import main as generate  # a second or two that only this needs

    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        here = Path(name)
        (here / "tests").mkdir()
        for assignment in assignments:
            for function in assignment.functions:
                about = {"assignment": assignment.name, "function": function.name, "points": function.points}
                text = _PLACEHOLDER.format(**about)
                (here / "tests" / f"{assignment.name}-{function.name}.py").write_text(text, encoding="utf-8")
        (here / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (here / "requirements.txt").write_text(requirements(), encoding="utf-8")
        generate(
            tests_dir="tests",
            output_path="autograder.zip",
            config="config.json",
            requirements="requirements.txt",
            overwrite_requirements=True,
            no_environment=True,
            python_version=PYTHON,
        )
        with zipfile.ZipFile("autograder.zip") as archive:
            return {entry: archive.read(entry).decode() for entry in archive.namelist()}


def requirements() -> str:
    """What setup.sh installs, in exact versions; of torch the build without CUDA.

    Raises:
        ContractError: the lock does not say which version.
    """
    path = _PACKAGE.parent / _LOCK
    lines = [line.split(" ")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    pins = dict(line.split("==") for line in lines if "==" in line)
    missing = [name for name in LIBRARIES if name not in pins]
    if missing:
        raise ContractError(f"{path}: no version of {missing[0]} is given there")
    return "".join(f"{name}=={pins[name]}{'+cpu' if name == 'torch' else ''}\n" for name in LIBRARIES)


def _kit(assignments: Sequence[Assignment]) -> dict[str, str]:
    """The core, and all that is secret of some assignments."""
    root = contract.kit_root()
    sources = [path for pattern in ("*.py", "*.html") for path in _PACKAGE.rglob(pattern)]
    files = {f"{_PACKAGE.name}/{path.relative_to(_PACKAGE).as_posix()}": path for path in sources}
    for assignment in assignments:
        name = assignment.name
        public = root / "assignments" / name / f"test_{name}.py"
        own = (assignment.master, assignment.misconceptions, assignment.suite, public)
        files |= {path.relative_to(root).as_posix(): path for path in own if path.exists()}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def _seed(assignments: Sequence[Assignment]) -> int:
    """A seed that nobody can tell who has not read masters and suites; another one whenever they change."""
    digest = hashlib.sha256()
    for assignment in assignments:
        for path in (assignment.master, assignment.misconceptions, assignment.suite):
            digest.update(path.read_bytes() if path.exists() else b"")
    return int.from_bytes(digest.digest()[:7], "big")
