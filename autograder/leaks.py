"""What must not be in anything that students receive: lines of solutions, hidden tests, misconceptions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder import contract
from autograder.contract import Assignment

_REGION: Final = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
_TELLING: Final = 12  # characters: a shorter line, such as `else:`, tells nothing


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret in a file that students receive."""

    file: str
    secret: str

    @property
    def sentence(self) -> str:
        return f"{self.file} holds {self.secret}"


def in_handouts(assignment: Assignment) -> list[Leak]:
    """The leaks in an assignment's checked-in folder."""
    folder = contract.kit_root() / "assignments" / assignment.name
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".ipynb", ".md")]
    return [leak for path in files for leak in in_text(assignment, path.name, path.read_text(encoding="utf-8"))]


def in_text(assignment: Assignment, file: str, text: str) -> list[Leak]:
    """The leaks in one text.

    Args:
        file: as the sentence names it.
        text: of a module, a notebook or a page.
    """
    lines = {line.strip() for line in text.replace("\\n", "\n").replace('\\"', '"').splitlines()}
    lines |= {line.strip(' ",') for line in lines}
    found = [
        Leak(file, f"a line of the solution: {line}") for line in sorted(solution_lines(assignment)) if line in lines
    ]
    return found + [Leak(file, secret) for words, secret in _words(assignment) if words in text]


def solution_lines(assignment: Assignment) -> set[str]:
    """The lines of a master's solutions that stand nowhere else in it and say something."""
    master = assignment.master.read_text(encoding="utf-8")
    outside = _REGION.sub("", master).splitlines()
    given = {line.strip() for line in outside}
    given |= {line.removeprefix("# ").strip() for line in outside}  # demonstrations: comments here, code in notebooks
    inside = {line.strip() for region in _REGION.findall(master) for line in region.splitlines()}
    return {line for line in inside - given if len(line) >= _TELLING}


def _words(assignment: Assignment) -> Iterator[tuple[str, str]]:
    """Names and sentences that give a hidden test or a misconception away."""
    for path, kind in ((assignment.suite, "hidden test"), (assignment.misconceptions, "misconception")):
        for node in _definitions(path):
            if kind == "misconception" and not node.name.startswith("_"):
                yield node.name, f"the misconception {node.name}"
            elif kind == "hidden test" and node.name.startswith("test_"):
                yield node.name, f"the hidden test {node.name}"
                yield (
                    (ast.get_docstring(node) or node.name).split("\n")[0],
                    f"the requirement of the hidden test {node.name}",
                )


def _definitions(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    if path.exists():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
