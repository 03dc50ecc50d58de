"""A master as a notebook, and the same notebook without its solutions.

The work is jupytext's (the script is a notebook) and nbgrader's ClearSolutions (what stands between `### BEGIN
SOLUTION` and `### END SOLUTION` becomes a line that raises NotImplementedError).
"""

from __future__ import annotations

import re
from typing import Any, Final

import jupytext
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from autograder.contract import Assignment, ContractError

_BEGIN: Final = "### BEGIN SOLUTION"
MARKS: Final = (_BEGIN, "### END SOLUTION")
_DEFINED: Final = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
_NAME: Final = re.compile(r"[a-z0-9]+(?:[-_a-z0-9]+)*", re.IGNORECASE)


def notebook(assignment: Assignment) -> NotebookNode:
    """The master as a notebook whose cell ids are its cells' names.

    Raises:
        ContractError: a cell has no name, or one that another cell has too.
    """
    node: Any = jupytext.read(assignment.master, fmt="py:percent")
    seen: set[str] = set()
    for cell in node.cells:
        name = cell.metadata.pop("name", "")
        if not _NAME.fullmatch(name) or len(name) > 64 or name in seen:
            first = cell.source.split("\n")[0][:60]
            raise ContractError(f'{assignment.master}: give the cell that begins "{first}" a name of its own, name="…"')
        seen.add(name)
        cell.id = name
        if has_solution(cell):
            cell.metadata["nbgrader"] = {
                "schema_version": 3, "grade_id": name, "solution": True, "grade": False, "locked": False, "task": False
            }  # fmt: skip
    node.metadata = {
        "autograder": {"assignment": assignment.name},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return node


def has_solution(cell: NotebookNode) -> bool:
    """Whether a cell holds a part that students write."""
    return cell.cell_type == "code" and _BEGIN in cell.source


def defined(cell: NotebookNode) -> str:
    """The function or class that a solution cell defines, which its stub names."""
    return _DEFINED.findall(cell.source)[-1]


def without_solutions(node: NotebookNode, *, only: str | None = None) -> NotebookNode:
    """The notebook that students get; with `only`, where one function alone is still to be written."""
    language: Any = {"language": "python"}
    for index, cell in enumerate(node.cells):
        if has_solution(cell) and only in (None, defined(cell)):
            stub = {"python": f'raise NotImplementedError("{defined(cell)}")'}
            clear = ClearSolutions(code_stub=stub)
            node.cells[index], _ = clear.preprocess_cell(cell, language, index)
    return node


def as_script(node: NotebookNode) -> str:
    """The notebook as a percent script without a header: a module that imports, and opens as a notebook."""
    for cell in node.cells:
        cell.metadata.pop("nbgrader", None)
    node.metadata["jupytext"] = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "tags,-all"}
    return jupytext.writes(node, fmt="py:percent")
