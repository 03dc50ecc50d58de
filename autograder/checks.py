"""Public checks: the hand-written `assignments/<assignment>/test_<assignment>.py`, and what is built from it.

The file is pytest's. Other doors want the same checks without pytest: otter-grader takes a file per function and knows
no parameters, a notebook takes source. So each check is taken out of the file with its cases spelled out one by one.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import contract, sources
from autograder.contract import Assignment, ContractError

_HELPER = "expect"


@dataclass(frozen=True, slots=True)
class Case:
    """One call of a test function.

    Attributes:
        test: its name.
        title: the first line of its docstring, else its name.
        functions: of the assignment, that it asks for; the first is the one that it checks.
        values: the source of its parameters' values.
    """

    test: str
    title: str
    functions: tuple[str, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Checks:
    """The public checks of an assignment.

    Attributes:
        shared: source that all of them need.
        tests: the source of the test functions of each function.
        cases: of each function.
    """

    shared: str
    tests: Mapping[str, str]
    cases: Mapping[str, tuple[Case, ...]]

    def source(self, function: str) -> str:
        """A function's checks, each case a function marked as otter's test_case; it wants `shared` before it."""
        cases = self.cases[function]
        return f"\n\n{self.tests[function]}\n" + "".join(
            _case(case, number, cases) for number, case in enumerate(cases, 1)
        )

    def otter(self, function: str) -> str:
        """The file with which otter-grader's grader.check runs a function's checks."""
        head = "from otter.test_files import test_case\n\nOK_FORMAT = False\n"
        return f'{head}name = "{function}"\n\n{self.shared}{self.source(function)}'


def path(assignment: Assignment) -> Path:
    """Where an assignment's public checks stand."""
    return contract.kit_root() / "assignments" / assignment.name / f"test_{assignment.name}.py"


def read(assignment: Assignment) -> Checks:
    """The public checks of an assignment.

    Raises:
        ContractError: one of them cannot be spelled out.
    """
    file = path(assignment)
    if not file.exists():
        raise ContractError(f"{file}: there are no public checks; write them there, as pytest's")
    text = file.read_text(encoding="utf-8")
    if not text.isascii():
        # otter-grader opens its files in the machine's own encoding, which on Windows is not UTF-8.
        raise ContractError(f"{file}: write it in ASCII")
    own, helper = sources.parts(text), sources.parts(sources.handout("expect.py"))
    statements, tests, cases = list[str](), dict[str, list[str]](), dict[str, list[Case]]()
    for node, source in own.statements:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found = _cases(node, file)
            function = found[0].functions[0]
            tests.setdefault(function, []).append(sources.without_decorators(node, source))
            cases.setdefault(function, []).extend(found)
        else:
            statements.append(source)
    imports = [line for line in (*helper.imports, *own.imports) if line != "import pytest"]
    shared = sources.module("", imports, [*(source for _, source in helper.statements), *statements])
    return Checks(
        shared,
        {function: "\n\n\n".join(bodies) for function, bodies in tests.items()},
        {function: tuple(items) for function, items in cases.items()},
    )


def conftest() -> str:
    """The conftest.py beside every assignment's checks, the same for all."""
    fixtures, helper = sources.parts(sources.handout("fixtures.py")), sources.parts(sources.handout("expect.py"))
    statements = [source for _, source in (*helper.statements, *fixtures.statements)]
    return sources.module(fixtures.docstring, [*fixtures.imports, *helper.imports], statements)


def _cases(test: ast.FunctionDef, file: Path) -> list[Case]:
    title = (ast.get_docstring(test) or test.name.removeprefix("test_").replace("_", " ")).split("\n")[0]
    tables = [_table(decorator, file) for decorator in reversed(test.decorator_list)]
    given = {name for rows in tables for name in rows[0]}
    asked = [argument.arg for argument in test.args.args if argument.arg != _HELPER]
    functions = tuple(name for name in asked if name not in given)
    if not asked or asked[0] not in functions:
        raise ContractError(f"{file}: {test.name} must ask first of all for the function that it checks")
    return [
        Case(test.name, title, functions, dict(itertools.chain.from_iterable(row.items() for row in rows)))
        for rows in itertools.product(*tables)
    ]


def _table(decorator: ast.expr, file: Path) -> list[dict[str, str]]:
    """The rows of a parametrize decorator: the source of each parameter's value."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[names, ast.List(elts=rows)], keywords=[]):
            words = list(_words(names))
            columns = [row.elts if len(words) > 1 and isinstance(row, ast.Tuple) else [row] for row in rows]
            if rows and all(len(values) == len(words) for values in columns):
                return [dict(zip(words, map(ast.unparse, values), strict=True)) for values in columns]
        case _:
            pass
    raise ContractError(f"{file}:{decorator.lineno}: parametrize with names and a list of values, written out")


def _words(names: ast.expr) -> Iterator[str]:
    value = ast.literal_eval(names)
    yield from [value] if isinstance(value, str) else value


def _case(case: Case, number: int, cases: tuple[Case, ...]) -> str:
    alike = [other for other in cases if other.test == case.test]
    place = f" ({alike.index(case) + 1} of {len(alike)})" if len(alike) > 1 else ""
    values = "".join(f", {name}={source}" for name, source in case.values.items())
    functions = ", ".join(case.functions)
    title = case.title + place
    return (
        f"\n\n@test_case(name={title!r})\ndef case_{number}({functions}):\n"
        f"    {case.test}({functions}, {_HELPER}={_HELPER}{values})\n"
    )
