"""Mutants of the masters: every small change that cosmic-ray's operators make inside a solution."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from autograder import contract
from autograder.contract import Assignment

EQUIVALENT: Final = "tests/equivalent_mutants.toml"
# Binary operators are swapped for a few others: every pair tells no more than these do and takes ten times as long.
_OPERATORS: Final = re.compile(
    r"ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Add|Mul_FloorDiv|FloorDiv_Mul|Div_Mul|FloorDiv_Div|Mod_FloorDiv)$"
    r"|ReplaceBinaryOperator_(Pow_Mul|MatMul_Mul)$"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq|Lt_GtE|Gt_LtE|Is_IsNot|IsNot_Is)$"
    r"|ReplaceUnaryOperator_(USub_UAdd|Delete_Not|Delete_USub)$"
    r"|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceBreakWithContinue"
    r"|ReplaceContinueWithBreak|NumberReplacer|ZeroIterationForLoop|RemoveDecorator|ExceptionReplacer"
)
_MESSAGE: Final = re.compile(r"\s*raise ValueError\(f?\"")  # any message is right by the contract
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_DEFINED: Final = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)
_CELL: Final = re.compile(r"^# %%(?! \[markdown\])[^\n]*\n(.*?)(?=^# %%|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A master with one small change in a solution.

    Attributes:
        key: the same as long as the changed line and the change are the same.
        function: in whose cell the change is.
        change: the line before and after.
        text: the whole master.
    """

    key: str
    function: str
    change: str
    text: str


@functools.cache
def mutants(assignment: Assignment) -> tuple[Mutant, ...]:
    """All mutants of a master, no two with the same text."""
    master = assignment.master.read_text(encoding="utf-8")
    found: dict[str, Mutant] = {}
    for cell in _CELL.findall(master):
        function = _DEFINED.search(cell)
        if _BEGIN in cell and function and function[1] in assignment.names:
            for mutant in _of_cell(cell, function[1]):
                found.setdefault(mutant.text, replace(mutant, text=master.replace(cell, mutant.text)))
    return tuple(found.values())


def _of_cell(cell: str, function: str) -> Iterator[Mutant]:
    """The mutants of one solution cell; `text` is the cell's alone."""
    lines = cell.split("\n")
    inside = _solution_lines(lines)
    for operator, text in _mutations(cell):
        pairs = enumerate(zip(lines, text.split("\n"), strict=False))
        changed = [(number, before, after) for number, (before, after) in pairs if before != after]
        if changed and all(number in inside for number, _, _ in changed):
            number, before, after = changed[0]
            if _MESSAGE.match(before):
                continue
            change = f"{before.strip()}  →  {after.strip()}"
            digest = hashlib.sha256(f"{operator} {number - min(inside)} {change}".encode()).hexdigest()[:8]
            yield Mutant(f"{function}-{digest}", function, change, text)


def equivalent(assignment: Assignment) -> Mapping[str, str]:
    """The mutants that are right by the contract, so that no test may tell them from the master: keys, and why."""
    path = contract.kit_root() / EQUIVALENT
    known: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known.get(assignment.name, {})


def _mutations(cell: str) -> Iterator[tuple[str, str]]:
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import MutationVisitor
    from cosmic_ray.plugins import get_operator, operator_names

    for name in sorted(operator_names()):
        if not _OPERATORS.search(name):
            continue
        operator: Any = get_operator(name)()
        for occurrence in range(_count(operator, get_ast(cell))):
            text = MutationVisitor.mutate_code(cell, operator, occurrence)
            if text is not None:
                yield name, text


def _count(operator: Any, node: Any) -> int:
    """How many places of a tree an operator can change."""
    own = sum(1 for _ in operator.mutation_positions(node))
    return own + sum(_count(operator, child) for child in getattr(node, "children", ()))


def _solution_lines(lines: list[str]) -> set[int]:
    """The numbers of the lines that stand inside a solution."""
    found: set[int] = set()
    inside = False
    for number, line in enumerate(lines):
        if line.strip() in (_BEGIN, _END):
            inside = line.strip() == _BEGIN
        elif inside:
            found.add(number)
    return found
