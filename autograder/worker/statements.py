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
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
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
        self.tiresome = False  # set where it takes too long for what it is
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


Parsed = tuple[list[Statement], list[tuple[str, Trouble]]]


@functools.lru_cache(maxsize=64)
def parsed(cells: tuple[str, ...], file: str, own: frozenset[str] = frozenset()) -> Parsed:
    """The statements of all cells, and the cells that do not parse; a zygote may do this before it forks.

    Args:
        cells: sources, in order.
        file: as the student knows it.
        own: the submission's other modules, which hold data and definitions like these.
    """
    statements, broken = _read(cells, file)
    _find_changes(statements, own)
    return statements, broken


@functools.lru_cache(maxsize=64)
def _read(cells: tuple[str, ...], file: str) -> Parsed:
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


def needed(statements: Sequence[Statement], wanted: Iterable[str] | None) -> tuple[list[Statement], set[Statement]]:
    """The statements to run for some names, in their own order; with None, all that bind or change any.

    And those among them that bind no name which is looked up, but may change what one stands for.
    """
    if wanted is None:
        chosen = [statement for statement in statements if statement.touches]
        return chosen, {statement for statement in chosen if not statement.binds}
    wide = _names(statements, wanted, lambda statement: statement.touches)
    sure = _names(statements, wanted, lambda statement: statement.binds)
    chosen = [statement for statement in statements if statement.touches & wide]
    return chosen, {statement for statement in chosen if not statement.binds & sure}


def _names(statements: Sequence[Statement], wanted: Iterable[str], leads: Callable[[Statement], set[str]]) -> set[str]:
    names = closure(statements, {*wanted, scope.RECURSION_LIMIT}, leads)
    bound = {name for statement in statements for name in statement.binds}
    if any(name not in bound and not hasattr(builtins, name) for name in names - {scope.RECURSION_LIMIT}):
        names |= closure(statements, {scope.ANY_NAME}, leads)
    return names


def closure(
    statements: Sequence[Statement],
    names: set[str],
    leads: Callable[[Statement], set[str]] = lambda statement: statement.touches,
) -> set[str]:
    """Some names, and those that the statements which lead to them read, and so on.

    Args:
        statements: among which to look.
        names: to begin with.
        leads: to which names a statement leads; to those that it binds or changes, where nothing is said.
    """
    found, waiting = set[str](), set(names)
    while waiting:
        found |= waiting
        waiting = {name for statement in statements if leads(statement) & waiting for name in statement.reads} - found
    return found


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _is_data(node: ast.stmt, own: Container[str]) -> bool:
    match node:
        case ast.ImportFrom(module=module, level=level):
            return bool(level) or (module or "").partition(".")[0] in own
        case ast.Import(names=aliases):
            return any(alias.name.partition(".")[0] in own for alias in aliases)
        case _:
            return not isinstance(node, _DEFINITIONS)


def _find_changes(statements: Sequence[Statement], own: Container[str]) -> None:
    """Note which statements change what another one has made.

    `table.append(1)` and `@table.add("relu")` change `table`, `register("relu", relu)` changes what `register` changes
    or is given, `@register("relu")` the data that `register` reads, and a class may be noted by those that it is made
    of. A call of a module's is an action, such as a plot; unless the module is the submission's own.
    """
    data = {name for statement in statements if _is_data(statement.node, own) for name in statement.binds}
    makers: dict[str, list[Statement]] = {}
    definitions: dict[str, list[Statement]] = {}
    for statement in statements:
        kind = definitions if isinstance(statement.node, _DEFINITIONS) else makers
        for name in statement.binds if statement.binds & data or kind is definitions else ():
            kind.setdefault(name, []).append(statement)
    aliases = dict(alias for statement in statements for alias in scope.aliases(statement.node))
    for statement in statements:
        called, owners, given = scope.calls(statement.node)
        decorating, deciding, handed = scope.decorators(statement.node)
        parents = _lineage(scope.parents(statement.node), definitions)
        owners |= deciding | parents
        # What is given away may be called: `list(map(register, kinds))`.
        changed = owners | _effects(called | owners | given, definitions)
        changed = changed.union(*(each.reads for name in decorating for each in definitions.get(name, ())))
        # What was not defined but made, such as `register = functools.partial(put, table)`, may change all of that.
        made = [each for name in called | decorating | parents for each in makers.get(name, ())]
        changed = changed.union(*(each.reads | each.binds for each in made))
        changed |= {aliases[name] for name in (statement.binds | owners) & aliases.keys()}
        if (called | decorating) & (definitions.keys() | makers.keys()):
            changed |= given | handed
        statement.touches = statement.binds | changed & data | (changed - given - handed) & definitions.keys()


def _effects(names: set[str], definitions: Mapping[str, Sequence[Statement]]) -> set[str]:
    """What calling some names may change, directly or through others."""
    changed, found, waiting = set[str](), set[str](), names & definitions.keys()
    while waiting:
        found |= waiting
        own = [statement for name in waiting for statement in definitions[name]]
        changed = changed.union(*(statement.effects for statement in own))
        waiting = {name for statement in own for name in statement.reads & definitions.keys()} - found
    return changed


def _lineage(names: set[str], definitions: Mapping[str, Sequence[Statement]]) -> set[str]:
    """Names of classes, and of what they are made of, and so on."""
    found, waiting = set[str](), names
    while waiting:
        found |= waiting
        kin = (own for name in waiting for own in definitions.get(name, ()))
        waiting = {name for own in kin for name in scope.parents(own.node)} - found
    return found
