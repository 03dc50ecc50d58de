"""Mutants of the masters: every small change that cosmic-ray's operators make inside a solution."""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autograder import contract
from autograder.contract import Assignment

EQUIVALENT: Final = "tests/equivalent_mutants.toml"
# Binary operators are swapped for a few others: every pair tells no more than these do and takes ten times as long.
_OPERATORS: Final = re.compile(
    r"ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Add|Mul_FloorDiv|FloorDiv_Mul|Div_Mul|FloorDiv_Div|Mod_FloorDiv|Pow_Mul|MatMul_Mul)$"
    r"|ReplaceComparisonOperator_(Lt_LtE|LtE_Lt|Gt_GtE|GtE_Gt|Eq_NotEq|NotEq_Eq|Lt_GtE|Gt_LtE|Is_IsNot|IsNot_Is)$"
    r"|ReplaceUnaryOperator_(USub_UAdd|Delete_Not|Delete_USub)$"
    r"|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceBreakWithContinue"
    r"|ReplaceContinueWithBreak|NumberReplacer|ZeroIterationForLoop|RemoveDecorator|ExceptionReplacer"
)
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_DEFINED: Final = re.compile(r"(?:def|class)\s+(\w+)")


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
    lines = master.split("\n")
    owners = _owners(assignment, lines)
    found: dict[str, Mutant] = {}
    for operator, text in _mutations(master):
        changed = [
            (number, before, after)
            for number, (before, after) in enumerate(zip(lines, text.split("\n"), strict=False))
            if before != after
        ]
        if changed and all(number in owners for number, _, _ in changed):
            number, before, after = changed[0]
            change = f"{before.strip()}  →  {after.strip()}"
            digest = hashlib.sha256(f"{operator} {change}".encode()).hexdigest()[:8]
            found.setdefault(text, Mutant(f"{owners[number]}-{digest}", owners[number], change, text))
    return tuple(found.values())


def equivalent(assignment: Assignment) -> Mapping[str, str]:
    """The mutants that no test can tell from the master: their keys, and why."""
    path = contract.kit_root() / EQUIVALENT
    known: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known.get(assignment.name, {})


def _mutations(master: str) -> Iterator[tuple[str, str]]:
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import MutationVisitor
    from cosmic_ray.plugins import get_operator, operator_names

    for name in sorted(operator_names()):
        if not _OPERATORS.search(name):
            continue
        operator: Any = get_operator(name)()
        for occurrence in range(_count(operator, get_ast(master))):
            text = MutationVisitor.mutate_code(master, operator, occurrence)
            if text is not None:
                yield name, text


def _count(operator: Any, node: Any) -> int:
    """How many places of a tree an operator can change."""
    own = sum(1 for _ in operator.mutation_positions(node))
    return own + sum(_count(operator, child) for child in getattr(node, "children", ()))


def _owners(assignment: Assignment, lines: list[str]) -> dict[int, str]:
    """Per line inside a solution, the graded function whose cell it stands in."""
    owners: dict[int, str] = {}
    inside, current = False, ""
    for number, line in enumerate(lines):
        if line.startswith(("def ", "class ")):
            current = _DEFINED.match(line)[1]  # pyright: ignore[reportOptionalSubscript]
        if line.strip() == _BEGIN:
            inside = True
        elif line.strip() == _END:
            inside = False
        elif inside and current in assignment.names:
            owners[number] = current
    return owners
