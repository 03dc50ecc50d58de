"""Students' and teachers' notebooks: a master with a set-up cell, a check after each function, and a way to hand in."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder import checks, masters, sources
from autograder.checks import Checks
from autograder.contract import Assignment, ContractError

# What demonstrations import besides; a student without it is told so.
_LIBRARIES: Final = {"numpy": "numpy", "torch": "torch", "matplotlib": "matplotlib", "scikit-learn": "sklearn"}
_DRAWS: Final = re.compile(r"\bplt\.(show|subplot|figure)")
_HAND_IN: Final = ("about-submission", "submission")
_FOLDED: Final = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-input"]}


def student(assignment: Assignment) -> NotebookNode:
    """The notebook that students get: the handout, the stubs, and the checks."""
    return _dressed(masters.without_solutions(masters.notebook(assignment)), assignment)


def solution(assignment: Assignment) -> NotebookNode:
    """The same notebook with the solutions in it, for after the deadline."""
    node = masters.notebook(assignment)
    for cell in node.cells:
        cell.source = "\n".join(line for line in cell.source.split("\n") if line.strip() not in masters.MARKS)
    dressed = _dressed(node, assignment)
    dressed.cells = dressed.cells[: -len(_HAND_IN)]  # nobody hands this one in
    return dressed


def as_text(node: NotebookNode) -> str:
    """A notebook as its file's text; the same notebook gives the same bytes."""
    nbformat.validate(node)
    return json.dumps(node, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _dressed(node: NotebookNode, assignment: Assignment) -> NotebookNode:
    public = checks.read(assignment)
    written = {masters.defined(cell): cell.id for cell in node.cells if "nbgrader" in cell.metadata}
    unknown = sorted(set(public.cases) - set(written))
    if unknown:
        raise ContractError(f"{checks.path(assignment)}: no function of the master's is called {unknown[0]}")
    node.cells = list(
        _cells(node, assignment, public, {cell: name for name, cell in written.items() if name in public.cases})
    )
    ids = [cell.id for cell in node.cells]
    if len(set(ids)) < len(ids):
        raise ContractError(f"{assignment.master}: a cell has a name that the build gives to one of its own")
    node.metadata["colab"] = {"provenance": [], "toc_visible": True}
    if "torch" in assignment.libraries:
        node.metadata["accelerator"] = "GPU"
    node.nbformat, node.nbformat_minor = 4, 5
    return node


def _cells(
    node: NotebookNode, assignment: Assignment, public: Checks, written: Mapping[str, str]
) -> Iterator[NotebookNode]:
    """The master's cells, and those of the build between them."""
    first_code = next(cell.id for cell in node.cells if cell.cell_type == "code")
    for before, cell in itertools.pairwise([None, *node.cells]):
        assert cell is not None
        if cell.id == first_code:
            yield _markdown("about-set-up", _ABOUT_SET_UP)
            yield _code("set-up", _set_up(assignment, public, node, list(written.values())), _FOLDED)
        cell.metadata.pop("nbgrader", None)
        if cell.cell_type == "code" and _DRAWS.search(cell.source):
            cell.metadata["alt"] = _picture(assignment, before, cell)
        yield cell
        if cell.id in written:
            yield _code(f"check-{written[cell.id]}", f'check("{written[cell.id]}")')
    yield _markdown("about-progress", _ABOUT_PROGRESS)
    yield _code("progress", "progress()")
    yield _markdown(_HAND_IN[0], _ABOUT_SUBMISSION)
    yield _code(_HAND_IN[1], _submission(assignment), _FOLDED)


def _picture(assignment: Assignment, before: NotebookNode | None, cell: NotebookNode) -> str:
    """What a demonstration's picture shows, in words: the paragraph in italics of the Markdown cell before it."""
    paragraphs = before.source.split("\n\n") if before is not None and before.cell_type == "markdown" else []
    for paragraph in paragraphs:
        words = " ".join(paragraph.split())
        if re.fullmatch(r"\*(?!\*).*(?<!\*)\*", words):
            return re.sub(r"[$`]", "", words.strip("*")).replace(r"\times", "×")
    raise ContractError(f"{assignment.master}: say before {cell.id}, in a paragraph in italics, what its picture shows")


def _markdown(name: str, text: str) -> NotebookNode:
    return new_markdown_cell(text, id=name)


def _code(name: str, text: str, metadata: Mapping[str, Any] | None = None) -> NotebookNode:
    return new_code_cell(text, id=name, metadata=dict(metadata or {}))


def _set_up(assignment: Assignment, public: Checks, node: NotebookNode, names: list[str]) -> str:
    everything = "\n".join(cell.source for cell in node.cells if cell.cell_type == "code")
    libraries = {
        name: module
        for name, module in _LIBRARIES.items()
        if name in assignment.libraries or f"import {module}" in everything or f"from {module}" in everything
    }
    functions = {name: "" if name in assignment.names else "practice" for name in names}
    texts = "".join(f"    {_line(name)}: {_line(public.source(name))},\n" for name in names)
    return _SET_UP.format(
        example=names[0],
        run=_line(sources.handout("notebook.py")),
        shared=_line(public.shared),
        checks=texts,
        functions=_line(functions),
        libraries=_line(libraries),
    )


def _submission(assignment: Assignment) -> str:
    return _SUBMISSION.format(pack=_line(hand_in(assignment)))


def hand_in(assignment: Assignment) -> str:
    """The script with which one packs what one hands in of an assignment."""
    text = sources.handout("hand_in.py")
    text = text.replace('ASSIGNMENT = "convolution"', f'ASSIGNMENT = "{assignment.name}"')
    names = "".join(f'    "{name}",\n' for name in assignment.names)
    return text.replace('FUNCTIONS = ["convolve1d"]', f"FUNCTIONS = [\n{names}]")


def _line(data: Any) -> str:
    """Data as a Python literal on one line."""
    return json.dumps(data, ensure_ascii=False)


_ABOUT_SET_UP: Final = """\
**Run the next cell first**, and again whenever you have restarted. It looks for the libraries and brings the checks: \
below each function there is a cell that says whether what you wrote holds, and if not, which call gave what, and what \
was expected."""

_SET_UP: Final = """\
# @title Set up: run this cell first
# It brings check("{example}"), which says whether that function holds, and progress(), which shows how far you are.
# The long lines are plain text: how checks are run, what they share, and the checks of each function.
_run = {run}
_shared = {shared}
_checks = {{
{checks}}}
_handout = {{"__name__": "handout"}}
exec(_run, _handout)
_handout = _handout["Handout"](
    functions={functions},
    libraries={libraries},
    shared=_shared,
    checks=_checks,
    names=globals(),
)
check, progress, grader = _handout.check, _handout.progress, _handout.grader
"""

_ABOUT_PROGRESS: Final = """\
## How far you are

Every check once more. They are not the grader, who asks further questions with other numbers: where a check holds and \
you are still in doubt, think of an example of your own, and work it out by hand."""

_ABOUT_SUBMISSION: Final = """\
## Hand in

Save this notebook (Ctrl+S, or Cmd+S on a Mac), then run the last cell. It packs the notebook into a zip file, says \
what is in it, and warns you of functions that are still untouched. On Colab it downloads the file; elsewhere the file \
lies beside the notebook. What you hand in is this one file."""

_SUBMISSION: Final = """\
# @title Hand in: save the notebook, then run this cell
# The long line is plain text: the same script as hand_in.py in the bundle.
_pack = {pack}
_hand_in = {{"__name__": "hand_in"}}
exec(_pack, _hand_in)
_hand_in["NAMES"].update(globals())
hand_in = _hand_in["hand_in"]
hand_in()
"""
