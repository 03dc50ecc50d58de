"""Builds everything that is handed out from the masters; the same masters give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder import contract, masters
from autograder.contract import Assignment
from autograder.files import write_text


def products(assignment: Assignment) -> Mapping[Path, str]:
    """What an assignment's master builds into the checkout: paths and contents."""
    folder = contract.kit_root() / "assignments" / assignment.name
    stub = masters.as_script(masters.without_solutions(masters.notebook(assignment)))
    return {folder / f"{assignment.name}.py": stub}


def build() -> list[Path]:
    """Write all products; those that have changed."""
    changed = drift()
    for assignment in contract.assignments():
        for path, text in products(assignment).items():
            if path in changed:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, text)
    return changed


def drift() -> list[Path]:
    """The products that are not what the masters build."""
    return [
        path
        for assignment in contract.assignments()
        for path, text in products(assignment).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
