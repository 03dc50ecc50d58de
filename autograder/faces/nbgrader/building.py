"""`dist/nbgrader/`: a course folder, from which nbgrader makes what students get."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder import checks, contract, leaks, masters, notebooks
from autograder.bundles import insist
from autograder.checks import Case, Checks
from autograder.contract import Assignment, Function
from autograder.faces.nbgrader.stubs import NamedStubs
from autograder.files import write_text

_CHECK: Final = "check-"  # begins the names of the cells below functions, in every notebook of the kit
_SET_UP: Final = "set-up"
_HAND_IN: Final = ("about-submission", "submission")  # nbgrader has its own way


def folder() -> Path:
    """Where the course is built."""
    return contract.kit_root() / "dist" / "nbgrader"


def write() -> list[Path]:
    """Write the course; what nbgrader itself puts into the folder stays as it is.

    Raises:
        LeakError: students would be told something.
    """
    files = {folder() / name: text for name, text in course().items()}  # all are made before the first is written
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return list(files)


def course() -> Mapping[str, str]:
    """The files of the course: paths in its folder, and contents."""
    files = {"nbgrader_config.py": _CONFIG}
    for assignment in contract.assignments():
        name = assignment.name
        insist(leaks.in_text(assignment, f"{name}.ipynb", _all_code(released(assignment))))
        files[f"source/{name}/{name}.ipynb"] = notebooks.as_text(source(assignment))
    return files


def source(assignment: Assignment) -> NotebookNode:
    """The teacher's notebook: solutions between their marks, and a graded cell with visible tests per function."""
    node, public = notebooks.student(assignment), checks.read(assignment)
    written = {cell.id: cell for cell in masters.notebook(assignment).cells if masters.has_solution(cell)}
    tests = {f"{_CHECK}{function.name}": function for function in assignment.functions}
    given = {cell.id for cell in node.cells}
    cells: list[NotebookNode] = []
    for cell in node.cells:
        if cell.id in tests:
            cells.append(_tests(cell.id, tests[cell.id], public))
        elif cell.id not in _HAND_IN:
            cells.append(_cell(cell, written))
        below = f"{_CHECK}{masters.defined(written[cell.id])}" if cell.id in written else ""
        if below in tests and below not in given:  # a function without public tests is graded all the same
            cells.append(_tests(below, tests[below], public))
    node.cells = cells
    return node


def released(assignment: Assignment) -> NotebookNode:
    """The notebook as nbgrader will hand it out."""
    node = source(assignment)
    node, _ = NamedStubs().preprocess(node, ResourcesDict())
    return node


def function_of(cell_name: str, assignment: Assignment) -> str | None:
    """The function that a graded cell grades."""
    name = cell_name.removeprefix(_CHECK)
    return name if name != cell_name and name in assignment.names else None


def _cell(cell: NotebookNode, written: Mapping[str, NotebookNode]) -> NotebookNode:
    """A cell of the student's notebook as it stands in the teacher's."""
    if cell.id in written:
        cell.source = written[cell.id].source
        return _marked(cell, solution=True)
    if cell.id == _SET_UP:
        cell.source += _MAGIC
        return _marked(cell, locked=True)
    return cell


def _tests(name: str, function: Function, public: Checks) -> NotebookNode:
    """The cell that grades a function."""
    text = _TESTS.format(
        function=function.name,
        points=function.points,
        tests=public.tests.get(function.name, "").strip(),
        calls="\n".join(map(_call, public.cases.get(function.name, ()))),
    )
    return _marked(new_code_cell(text.strip() + "\n", id=name), grade=True, locked=True, points=function.points)


def _call(case: Case) -> str:
    """A test of the public suite, called."""
    values = [f"{name}={source}" for name, source in case.values.items()]
    return f"{case.test}({', '.join([*case.functions, 'expect=expect', *values])})"


def _marked(cell: NotebookNode, **about: Any) -> NotebookNode:
    """A cell that nbgrader knows, by the name that it has anyway."""
    plain = {"grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": cell.id, **plain, **about}
    return cell


def _all_code(node: NotebookNode) -> str:
    return "\n".join(_texts(node))


def _texts(node: NotebookNode) -> Iterator[str]:
    # The set-up cell holds the checks as literals, each on one line.
    yield from (cell.source.replace("\\n", "\n").replace('\\"', '"') for cell in node.cells)


_TESTS: Final = """\
%%visible_tests {function}
# {points} points. These are the tests that you can see; what is graded is asked with other numbers.

{tests}


{calls}
"""

_MAGIC: Final = '''

def visible_tests(function, tests):
    """What %%visible_tests does: run the tests that stand in its cell, and fail where one of them does."""
    check(function)
    exec(compile(_shared + tests, f"<visible tests of {function}>", "exec"), dict(globals()))


get_ipython().register_magic_function(visible_tests, "cell")
'''

_CONFIG: Final = textwrap.dedent('''\
    """nbgrader's settings for this course; `autograder build` writes this file anew, so copy the folder first."""

    import os

    c = get_config()  # noqa: F821  nbgrader gives it
    c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
    try:
        from autograder.faces.nbgrader.settings import configure

        configure(c)
    except Exception as error:
        # nbgrader would go on with settings of its own, and run what students have handed in.
        raise SystemExit(f"{__file__}: the autograder kit does not work here: {error}") from error

    c.CourseDirectory.course_id = "convolution"
    # Student code is not run where it cannot be confined (`autograder doctor`), unless this is True.
    c.IsolatedGrade.allow_weak_isolation = False
    ''')
