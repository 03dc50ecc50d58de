"""A submission's top-level statements, and what each has to do with names.

Sources are parsed cell by cell, so that one that does not parse costs only itself; notebook magics are left out.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.worker import scope

_KEPT_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python")
_MAGIC_LINE = re.compile(r"(\s*)(?:[%!?].*|[\w., ]+=\s*[%!].*|[\w.%]+\?{1,2}\s*)")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something of a submission could not be loaded."""

    kind: str  # the exception's built-in class
    text: str
    where: str
    line: int | None


class Statement:
    """One top-level statement and what it has to do with names."""

    def __init__(self, node: ast.stmt, where: str, flags: int) -> None:
        self.node = node
        self.where = where
        self.flags = flags
        self.binds = scope.binds(node)
        self.touches = self.binds  # and what of the other statements' names it changes: see `_find_changes`

    @functools.cached_property
    def reads(self) -> set[str]:
        """Found only for statements that are needed: it is most of the work."""
        return scope.reads(self.node)

    @functools.cached_property
    def effects(self) -> set[str]:
        """What calling the definition may change."""
        return scope.effects(self.node)

    @functools.cached_property
    def code(self) -> types.CodeType:
        """Compiled once, however often it is run."""
        return compile(ast.Module([self.node], []), self.where, "exec", self.flags, dont_inherit=True)


def places(file: str, cells: Sequence[str], modules: Mapping[str, str]) -> dict[str, str]:
    """A submission's sources by the file names under which they are compiled."""
    own = {_place(file, number, len(cells)): cell for number, cell in enumerate(cells)}
    return own | {module_file(name): text for name, text in modules.items()}


def module_file(name: str) -> str:
    """Where one of a submission's own modules seems to stand, by its dotted name."""
    return f"{name.replace('.', '/')}.py"


def _place(file: str, number: int, count: int) -> str:
    return f"{file}, cell {number + 1}" if count > 1 else file


@functools.lru_cache(maxsize=64)
def parsed(cells: tuple[str, ...], file: str) -> tuple[list[Statement], list[tuple[str, Trouble]]]:
    """The statements of all cells, and the cells that do not parse; a zygote may do this before it forks."""
    statements: list[Statement] = []
    broken: list[tuple[str, Trouble]] = []
    flags = 0
    for number, cell in enumerate(cells):
        where = _place(file, number, len(cells))
        try:
            for node in _parse(cell).body:
                flags |= _future(node)
                statements.append(Statement(node, where, flags))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else None
            text = error.msg if isinstance(error, SyntaxError) else str(error)
            broken.append((cell, Trouble("SyntaxError", str(text)[:200], where, line)))
    _find_changes(statements)
    return statements, broken


def _parse(cell: str) -> ast.Module:
    """A cell's tree, without its notebook magics.

    A line that starts with % may also be honest Python, as the second line of an expression; so a line is taken for a
    magic only where the parser stumbles over it.
    """
    lines = cell.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        if lines[first].split()[0] not in _KEPT_CELL_MAGICS:
            return ast.Module([], [])
        lines[first] = ""
    while True:
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            if not error.lineno or error.lineno > len(lines) or not _drop_magic(lines, error.lineno - 1):
                raise


def _drop_magic(lines: list[str], number: int) -> bool:
    """Put `pass` in the place of a magic, which a backslash continues; False where there is none."""
    magic = _MAGIC_LINE.fullmatch(lines[number])
    if not magic:
        return False
    continued = lines[number].rstrip().endswith("\\")
    lines[number] = f"{magic[1]}pass"
    while continued and number + 1 < len(lines):
        number += 1
        continued = lines[number].rstrip().endswith("\\")
        lines[number] = ""
    return True


def _future(node: ast.stmt) -> int:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return sum(
            getattr(__future__, alias.name).compiler_flag
            for alias in node.names
            if alias.name in __future__.all_feature_names
        )
    return 0


def needed(statements: Sequence[Statement], wanted: Iterable[str] | None) -> list[Statement]:
    """The statements to run for some names, in their own order; with None, all that bind or change any."""
    if wanted is None:
        return [statement for statement in statements if statement.touches]
    names = closure(statements, {*wanted, scope.RECURSION_LIMIT})
    bound = {name for statement in statements for name in statement.binds}
    if any(name not in bound and not hasattr(builtins, name) for name in names - {scope.RECURSION_LIMIT}):
        names |= closure(statements, {scope.ANY_NAME})
    return [statement for statement in statements if statement.touches & names]


def closure(statements: Sequence[Statement], names: set[str]) -> set[str]:
    """Some names, and those that the statements which bind or change them read, and so on."""
    found, waiting = set[str](), set(names)
    while waiting:
        found |= waiting
        waiting = {name for statement in statements if statement.touches & waiting for name in statement.reads} - found
    return found


def _find_changes(statements: Sequence[Statement]) -> None:
    """Note which statements change what another one has made.

    `table.append(1)` and `@table.add("relu")` change `table`, `register("relu", relu)` changes what `register` changes,
    `@register("relu")` the data that `register` reads, and a class may be noted by those that it is made of. A call of
    a module's is an action, such as a plot; so is one of an own function that changes nothing needed: a training run.
    """
    data, definitions = set[str](), dict[str, list[Statement]]()
    for statement in statements:
        match statement.node:
            case ast.Assign() | ast.AnnAssign():
                data |= statement.binds
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                definitions.setdefault(name, []).append(statement)
            case _:
                pass
    for statement in statements:
        called, owners = scope.calls(statement.node)
        decorating, deciding = scope.decorators(statement.node)
        owners |= deciding | _lineage(scope.parents(statement.node), definitions)
        changed = owners.union(
            *(own.effects for name in called | owners for own in definitions.get(name, ())),
            *(own.reads for name in decorating for own in definitions.get(name, ())),
        )
        statement.touches = statement.binds | changed & data | owners & definitions.keys()


def _lineage(names: set[str], definitions: Mapping[str, Sequence[Statement]]) -> set[str]:
    """Names of classes, and of what they are made of, and so on."""
    found, waiting = set[str](), names
    while waiting:
        found |= waiting
        kin = (own for name in waiting for own in definitions.get(name, ()))
        waiting = {name for own in kin for name in scope.parents(own.node)} - found
    return found
