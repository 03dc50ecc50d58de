"""Loads a submission: definitions, and those top-level statements that bind a name which a graded function needs.

A statement that fails costs only what uses it; plots, prints and training runs are not run at all. Sources are
compiled from text, and a submission's own modules are imported from memory: its folder is on no path.
"""

from __future__ import annotations

import __future__

import ast
import builtins
import functools
import importlib.abc
import importlib.machinery
import re
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.worker.scope import binds, changes, reads

_KEPT_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python")
_MAGIC_LINE = re.compile(r"^(\s*)(?:[%!?].*|[\w.]+\s*=\s*[%!].*|[\w.%]+\?{1,2}\s*)$")


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
        self.binds = binds(node)

    @functools.cached_property
    def reads(self) -> set[str]:
        """Found only for statements that are needed: it is most of the work."""
        return reads(self.node)


@dataclass(slots=True)
class Loaded:
    """A module made of a submission, and what went wrong on the way.

    Attributes:
        module: holds what could be loaded.
        statements: all of them, also those that were not run.
        failed: per name, the trouble of the statement that should have bound it.
        broken: per cell that does not parse, its text and its trouble.
    """

    module: types.ModuleType
    statements: Sequence[Statement] = ()
    failed: dict[str, Trouble] = field(default_factory=dict[str, Trouble])
    broken: list[tuple[str, Trouble]] = field(default_factory=list[tuple[str, Trouble]])

    def reads(self, name: str) -> set[str]:
        """All names that a name's definition looks up, directly or through other definitions."""
        return _closure(self.statements, {name})

    def trouble(self, name: str) -> Trouble | None:
        """Why a name is not there: its statement failed, or stands in a cell that does not parse."""
        if name in self.failed:
            return self.failed[name]
        defines = re.compile(rf"^\s*(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b", re.MULTILINE)
        return next((trouble for text, trouble in self.broken if defines.search(text)), None)


def load(module: types.ModuleType, cells: Sequence[str], file: str, wanted: Iterable[str] | None) -> Loaded:
    """Fill a module with what the wanted names need; with None, with everything that binds a name.

    Args:
        module: new, and already importable where it shall be.
        cells: sources, in order; a plain module is one cell.
        wanted: names of graded functions.
        file: as the student knows it, for messages.
    """
    module.__file__ = file
    statements, broken = parsed(tuple(cells), file)
    loaded = Loaded(module, statements, broken=broken)
    chosen = _chosen(statements, None if wanted is None else set(wanted))
    for statement in chosen:
        _run(statement, loaded)
    return loaded


def own_files(file: str, count: int) -> set[str]:
    """The file names under which a submission's cells are compiled."""
    return {_place(file, number, count) for number in range(count)}


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
    return statements, broken


def _parse(cell: str) -> ast.Module:
    """A cell's tree, without its notebook magics; a line that starts with % may also be honest Python."""
    stripped = cell.lstrip()
    if stripped.startswith("%%"):
        first, _, rest = cell.lstrip("\n").partition("\n")
        cell = "\n" + rest if first.split()[0] in _KEPT_CELL_MAGICS else ""
    try:
        return ast.parse(cell)
    except SyntaxError:
        without = "\n".join(_MAGIC_LINE.sub(r"\1pass", line) for line in cell.split("\n"))
        if without == cell:
            raise
        return ast.parse(without)


def _future(node: ast.stmt) -> int:
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return sum(
            getattr(__future__, alias.name).compiler_flag
            for alias in node.names
            if alias.name in __future__.all_feature_names
        )
    return 0


def _is_star(statement: Statement) -> bool:
    return "*" in statement.binds


def _chosen(statements: Sequence[Statement], wanted: set[str] | None) -> list[Statement]:
    """The statements to run, in their own order."""
    if wanted is None:
        return [statement for statement in statements if statement.binds or _changed(statement, statements)]
    needed = _closure(statements, wanted) | wanted
    bound = {name for statement in statements for name in statement.binds}
    unresolved = any(name not in bound and not hasattr(builtins, name) for name in needed)
    return [
        statement
        for statement in statements
        if (statement.binds | _changed(statement, statements)) & needed or (_is_star(statement) and unresolved)
    ]


def _closure(statements: Sequence[Statement], names: set[str]) -> set[str]:
    """The names that the statements which bind some names read, and so on."""
    seen, waiting = set[str](), set(names)
    found = set[str]()
    while waiting:
        seen |= waiting
        read = {
            name
            for statement in statements
            if (statement.binds | _changed(statement, statements)) & waiting
            for name in statement.reads
        }
        found |= read
        waiting = read - seen
    return found


def _changed(statement: Statement, statements: Sequence[Statement]) -> set[str]:
    """Names of plain data that a method call changes: not modules, functions or classes, whose calls are actions."""
    names = changes(statement.node)
    return {
        name
        for name in names
        if any(name in other.binds and isinstance(other.node, ast.Assign | ast.AnnAssign) for other in statements)
    }


def _run(statement: Statement, loaded: Loaded) -> None:
    module = ast.Module([statement.node], [])
    try:
        code = compile(module, statement.where, "exec", statement.flags, dont_inherit=True)
        exec(code, loaded.module.__dict__)
    except BaseException as error:  # a student's SystemExit must not end the worker
        trouble = Trouble(
            builtin_class(type(error)), safe_text(error), statement.where, own_line(error, {statement.where})
        )
        for name in statement.binds - {"*"}:
            loaded.failed[name] = trouble
    else:
        for name in statement.binds:
            loaded.failed.pop(name, None)


def builtin_class(kind: type[BaseException]) -> str:
    """The nearest built-in class of an exception's class."""
    return next(parent.__name__ for parent in kind.__mro__ if parent.__module__ == "builtins")


def safe_text(error: BaseException) -> str:
    """What an exception says, however hard it makes that."""
    try:
        return str(error)[:500]
    except BaseException:
        return "(its text could not be made)"


def own_line(error: BaseException, files: set[str]) -> int | None:
    """The innermost line of the student's own that an exception passed through."""
    if isinstance(error, SyntaxError) and error.filename in files:
        return error.lineno
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename in files:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


class OwnModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets a submission's own modules import each other, from memory."""

    def __init__(self, modules: dict[str, str]) -> None:
        self.modules = modules

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        package = fullname in self.modules and f"{fullname}.__init__" in self.modules
        folder = any(name.startswith(f"{fullname}.") for name in self.modules)
        if fullname not in self.modules and not folder:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=package or folder)

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        source = self.modules.get(name, self.modules.get(f"{name}.__init__", ""))
        for _, trouble in load(module, [source], f"{name.replace('.', '/')}.py", None).broken:
            raise SyntaxError(trouble.text, (trouble.where, trouble.line, None, None))
