"""Solutions out of what students get: out of notebooks, and out of the modules that nbgrader copies beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions, NbGraderPreprocessor

from autograder.files import write_text

_DEFINED: Final = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
_MARKS: Final = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
_GENERAL: Final = "raise NotImplementedError"


class NamedStubs(ClearSolutions):
    """nbgrader's ClearSolutions, with stubs that name their function as those of the kit's other notebooks do."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, cell_index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Replace the solutions of one cell."""
        names = _DEFINED.findall(cell.source)
        self.code_stub = {"python": f'{_GENERAL}("{names[-1]}")' if names else _GENERAL}
        return super().preprocess_cell(cell, resources, cell_index)


class StrippedModules(NbGraderPreprocessor):
    """Takes solutions and hidden tests out of the .py files that nbgrader has copied beside a notebook.

    It stands in the list of every step that copies them: a file of `source/` goes to students twice, when it is
    released and with their feedback.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Rewrite the modules; the notebook stays as it is."""
        exporter: Any = self.parent
        converter = exporter.parent
        course, about = converter.coursedir, resources["nbgrader"]
        source = Path(course.format_path(course.source_directory, ".", about["assignment"]))
        target = Path(course.format_path(converter._output_directory, about["student"], about["assignment"]))
        for path in sorted(source.rglob("*.py")):
            copy, text = target / path.relative_to(source), path.read_text(encoding="utf-8")
            # A file of that name may be the student's own, which stays as it is.
            if any(mark in text for mark in _MARKS) and copy.is_file() and copy.read_bytes() == path.read_bytes():
                write_text(copy, stripped(text))
        return nb, resources


def stripped(module: str) -> str:
    """A module's text without solutions and hidden tests.

    Raises:
        RuntimeError: a mark has no partner.
    """
    about = {"schema_version": 3, "grade_id": "module", "solution": True, "grade": True, "points": 0}
    cell, resources = new_code_cell(module, metadata={"nbgrader": about}), ResourcesDict(language="python")
    cell, _ = ClearHiddenTests().preprocess_cell(cell, resources, 0)
    if _MARKS[0] in module or _MARKS[1] in module:
        cell, _ = ClearSolutions(code_stub={"python": _GENERAL}).preprocess_cell(cell, resources, 0)
    return str(cell.source)
