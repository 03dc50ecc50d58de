"""Cells that nbgrader knows, brought back to what they were handed out as; what a student wrote stays."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

_DEFINED: Final = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
_NEW: Final = {"code": new_code_cell, "markdown": new_markdown_cell}


@dataclass(frozen=True, slots=True)
class Given:
    """A cell as it was handed out.

    Attributes:
        name: its grade_id, and its id.
        kind: of cell.
        grade, solution, locked: what it is to nbgrader.
        points: of a graded cell.
        source, checksum: its text.
    """

    name: str
    kind: Literal["code", "markdown"]
    grade: bool
    solution: bool
    locked: bool
    points: float
    source: str
    checksum: str

    @property
    def fixed(self) -> bool:
        """Whether students are not to write in it."""
        return not self.solution and (self.grade or self.locked)

    @property
    def marks(self) -> dict[str, Any]:
        """Its metadata for nbgrader."""
        marks: dict[str, Any] = {
            "schema_version": 3, "grade_id": self.name, "grade": self.grade, "solution": self.solution,
            "locked": self.locked, "task": False, "checksum": self.checksum, "cell_type": self.kind,
        }  # fmt: skip
        return {**marks, "points": self.points} if self.grade else marks


def repair(node: NotebookNode, handed_out: Sequence[Given]) -> list[str]:
    """Bring a notebook's known cells back, in place.

    Args:
        node: a valid notebook.
        handed_out: its known cells, in their order.

    Returns:
        What was done, as sentences.
    """
    given = {cell.name: cell for cell in handed_out}
    found = _found(node.cells, given)
    said = [*_unmark(node.cells, {id(cell): name for name, cell in found.items()}, given)]
    for name, cell in found.items():
        said += _restore(cell, given[name])
    said += _add_missing(node.cells, found, handed_out)
    return said


def _found(cells: Sequence[NotebookNode], given: Mapping[str, Given]) -> dict[str, NotebookNode]:
    """Which cell is which: by its mark, else by its id, else by what stands in it."""
    found: dict[str, NotebookNode] = {}
    for name, cell in given.items():
        for clue in (_by_mark, _by_id, _by_text):
            alike = [item for item in cells if clue(item, cell) and not any(item is other for other in found.values())]
            if alike:
                found[name] = _the_one(alike, cell)
                break
    return found


def _the_one(alike: Sequence[NotebookNode], given: Given) -> NotebookNode:
    """Of several answers the last that was worked on, as it is the last that Python runs; of other cells the first."""
    if given.fixed:
        return alike[0]
    worked = [item for item in alike if item.source.strip() != given.source.strip()]
    return (worked or alike)[-1]


def _by_mark(cell: NotebookNode, given: Given) -> bool:
    return _mark(cell).get("grade_id") == given.name


def _by_id(cell: NotebookNode, given: Given) -> bool:
    return cell.id == given.name and "grade_id" not in _mark(cell)


def _by_text(cell: NotebookNode, given: Given) -> bool:
    if "grade_id" in _mark(cell):
        return False
    if given.fixed:
        return cell.source.strip() == given.source.strip()
    return cell.cell_type == "code" and not set(_DEFINED.findall(given.source)).isdisjoint(
        _DEFINED.findall(cell.source)
    )


def _mark(cell: NotebookNode) -> Mapping[str, Any]:
    mark = cell.metadata.get("nbgrader")
    return mark if isinstance(mark, Mapping) else {}


def _unmark(cells: Sequence[NotebookNode], known: Mapping[int, str], given: Mapping[str, Given]) -> Iterator[str]:
    """Take the marks off cells that are none of those handed out, or a second copy of one."""
    for cell in cells:
        if id(cell) in known or "nbgrader" not in cell.metadata:
            continue
        name = _mark(cell).get("grade_id")
        if isinstance(name, str) and name in given:
            yield f"{name} was there more than once: one of them is the cell, the others are cells like any other."
        elif any(_mark(cell).get(key) for key in ("grade", "solution", "locked")):
            yield "A cell had marks of nbgrader's that are of no cell of this notebook: they were taken off."
        del cell.metadata["nbgrader"]


def _restore(cell: NotebookNode, given: Given) -> Iterator[str]:
    """Give a cell the kind, the marks and, where it is none to write in, the text that it was handed out with."""
    mark = _mark(cell)
    if not mark:
        yield f"{given.name} had lost its marks: they were put back."
    elif any(mark.get(key) != value for key, value in given.marks.items() if key in _RIGHTS):
        yield f"{given.name} had other marks than it was handed out with: they were put back."
    if cell.cell_type != given.kind:
        yield f"{given.name} had become a {cell.cell_type} cell: it is a {given.kind} cell again."
        _retype(cell, given.kind)
    if given.fixed and cell.source != given.source:
        yield f"{given.name} is no cell to write in and had been changed: it is as it was handed out."
        cell.source = given.source
    cell.metadata["nbgrader"] = NotebookNode(given.marks)


_RIGHTS: Final = ("schema_version", "grade", "solution", "locked", "task", "points")


def _retype(cell: NotebookNode, kind: Literal["code", "markdown"]) -> None:
    name, metadata, text = cell.id, copy.deepcopy(cell.metadata), cell.source
    cell.clear()
    cell.update(_NEW[kind](text, id=name, metadata=metadata))


def _add_missing(
    cells: list[NotebookNode], found: dict[str, NotebookNode], handed_out: Sequence[Given]
) -> Iterator[str]:
    """Put each cell that is not there behind the one that was handed out before it."""
    place = 0
    taken = {cell.id for cell in cells}
    for given in handed_out:
        if given.name in found:
            place = next(index for index, cell in enumerate(cells) if cell is found[given.name]) + 1
            continue
        new = _NEW[given.kind](given.source, metadata={"nbgrader": given.marks})
        if given.name not in taken:
            new.id = given.name
        cells.insert(place, new)
        place += 1
        yield f"{given.name} was not there: it was put back as it was handed out."
