"""Builds everything that is handed out from the masters and the public checks; the same sources give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder import bundles, checks, contract, masters, notebooks
from autograder.contract import Assignment
from autograder.faces.nbgrader import building
from autograder.files import write_text


def products(assignment: Assignment) -> Mapping[Path, str]:
    """What is built into an assignment's folder of the checkout: paths and contents."""
    folder = contract.kit_root() / "assignments" / assignment.name
    public = checks.read(assignment)
    return {
        folder / f"{assignment.name}.py": masters.as_script(masters.without_solutions(masters.notebook(assignment))),
        folder / f"{assignment.name}.ipynb": notebooks.as_text(notebooks.student(assignment)),
        folder / "conftest.py": checks.conftest(),
        folder / "hand_in.py": notebooks.hand_in(assignment),
        **{folder / "tests" / f"{function}.py": public.otter(function) for function in public.cases},
    }


def build() -> list[Path]:
    """Write all products, and the bundles; return what has changed in the checkout."""
    everything = _everything()
    changed = _drift(everything)
    for path in changed:
        if path in everything:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, everything[path])
        else:
            path.unlink()
    bundles.write()
    building.write()
    return changed


def drift() -> list[Path]:
    """The files that are not what the masters build, or that nothing builds any more."""
    return _drift(_everything())


def _everything() -> dict[Path, str]:
    return {path: text for assignment in contract.assignments() for path, text in products(assignment).items()}


def _drift(everything: Mapping[Path, str]) -> list[Path]:
    stale = [path for path, text in everything.items() if not path.exists() or _text(path) != text]
    folders = {path.parent for path in everything if path.parent.name == "tests"}
    return stale + sorted(path for folder in folders for path in folder.glob("*.py") if path not in everything)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
