"""Named wrong implementations: `solutions/misconceptions/<assignment>.py`, read and not run.

Each is a public function or class of that file. The first line of its docstring says what it replaces, the rest is the
hint; its id is its name in kebab case.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
from dataclasses import dataclass

from autograder.contract import Assignment, ContractError

MODULE = "misconceptions"  # the name under which a worker of the reference branch loads the file


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong implementation that students are known to write.

    Attributes:
        id: as reports name it.
        attribute: its name in the file.
        function: that it replaces.
        hint: what helps whoever wrote it.
    """

    id: str
    attribute: str
    function: str
    hint: str


@functools.cache
def misconceptions(assignment: Assignment) -> tuple[Misconception, ...]:
    """The misconceptions of an assignment, in the file's order; none where there is no file.

    Raises:
        ContractError: one says nothing of what it replaces, or has no hint.
    """
    path = assignment.misconceptions
    if not path.exists():
        return ()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        _read(node, assignment)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    return tuple(found)


def _read(node: ast.FunctionDef | ast.ClassDef, assignment: Assignment) -> Misconception:
    first, _, hint = (ast.get_docstring(node) or "").partition("\n")
    function = first.removeprefix("replaces:").strip()
    if not first.startswith("replaces:") or function not in assignment.names or not hint.strip():
        raise ContractError(
            f"{assignment.misconceptions}: {node.name} needs a docstring: `replaces: <function>`, an empty line, a hint"
        )
    return Misconception(_kebab(node.name), node.name, function, " ".join(inspect.cleandoc(hint).split()))


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", "-", name).lower()
