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
import linecache
import re
import types
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.worker.scope import binds, changes, decorators, reads

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
        self.binds = binds(node)
        self.touches = self.binds  # and what of the other statements' names it changes: see `parsed`

    @functools.cached_property
    def reads(self) -> set[str]:
        """Found only for statements that are needed: it is most of the work."""
        return reads(self.node)

    @functools.cached_property
    def code(self) -> types.CodeType:
        """Compiled once, however often it is run."""
        return compile(ast.Module([self.node], []), self.where, "exec", self.flags, dont_inherit=True)


@dataclass(slots=True)
class Loaded:
    """A module made of a submission, and what went wrong on the way.

    Attributes:
        module: holds what could be loaded.
        statements: all of them, also those that were not run.
        failed: per name, the trouble of the statement that should have bound it.
        broken: per cell that does not parse, its text and its trouble.
        chosen: the statements that were run.
    """

    module: types.ModuleType
    statements: Sequence[Statement] = ()
    failed: dict[str, Trouble] = field(default_factory=dict[str, Trouble])
    broken: list[tuple[str, Trouble]] = field(default_factory=list[tuple[str, Trouble]])
    chosen: Sequence[Statement] = ()

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
    for where, text in places(file, cells, {}).items():  # for those that read their own source, as TorchScript does
        linecache.cache[where] = (len(text), None, text.splitlines(keepends=True), where)
    statements, broken = parsed(tuple(cells), file)
    chosen = _chosen(statements, None if wanted is None else set(wanted))
    loaded = Loaded(module, statements, broken=broken, chosen=chosen)
    for statement in chosen:
        _run(statement, loaded)
    return loaded


def places(file: str, cells: Sequence[str], modules: Mapping[str, str]) -> dict[str, str]:
    """A submission's sources by the file names under which they are compiled."""
    own = {_place(file, number, len(cells)): cell for number, cell in enumerate(cells)}
    return own | {_module_file(name): text for name, text in modules.items()}


def _module_file(name: str) -> str:
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


def _is_star(statement: Statement) -> bool:
    return "*" in statement.binds


def _chosen(statements: Sequence[Statement], wanted: set[str] | None) -> list[Statement]:
    """The statements to run, in their own order."""
    if wanted is None:
        return [statement for statement in statements if statement.touches]
    needed = _closure(statements, wanted) | wanted
    bound = {name for statement in statements for name in statement.binds}
    unresolved = any(name not in bound and not hasattr(builtins, name) for name in needed)
    return [statement for statement in statements if statement.touches & needed or (_is_star(statement) and unresolved)]


def _closure(statements: Sequence[Statement], names: set[str]) -> set[str]:
    """The names that the statements which bind some names read, and so on."""
    seen, waiting = set[str](), set(names)
    found = set[str]()
    while waiting:
        seen |= waiting
        read = {name for statement in statements if statement.touches & waiting for name in statement.reads}
        found |= read
        waiting = read - seen
    return found


def _find_changes(statements: Sequence[Statement]) -> None:
    """Note which statements change another's plain data: by a method (`table.append(1)`), or by a decorator.

    `@register("relu")` changes the data that `register` reads, `@table.add("relu")` changes `table`. Modules, functions
    and classes are not data: a call of theirs is an action, such as a plot.
    """
    data, functions = set[str](), dict[str, list[Statement]]()
    for statement in statements:
        match statement.node:
            case ast.Assign() | ast.AnnAssign():
                data |= statement.binds
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                functions.setdefault(name, []).append(statement)
            case _:
                pass
    for statement in statements:
        plain, methods = decorators(statement.node)
        registers = {name for decorator in plain for own in functions.get(decorator, ()) for name in own.reads}
        changed = (changes(statement.node) | registers | methods) & data | methods & functions.keys()
        statement.touches = statement.binds | changed


def _run(statement: Statement, loaded: Loaded) -> None:
    try:
        exec(statement.code, loaded.module.__dict__)
    except BaseException as error:  # a student's SystemExit must not end the worker
        _, line = own_place(error, {statement.where})
        trouble = Trouble(builtin_class(type(error)), safe_text(error), statement.where, line)
        for name in statement.binds:  # "*" too: any name might have come of it
            loaded.failed[name] = trouble
    else:
        for name in statement.binds - {"*"}:
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


def own_place(error: BaseException, files: Container[str]) -> tuple[str, int | None]:
    """The innermost line of the student's own that an exception passed through, and the file that it stands in."""
    if isinstance(error, SyntaxError) and error.filename and error.filename in files:
        return error.filename, error.lineno
    place, frame = ("", None), error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename in files:
            place = frame.tb_frame.f_code.co_filename, frame.tb_lineno
        frame = frame.tb_next
    return place


class OwnModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets a submission's own modules import each other, from memory."""

    def __init__(self, modules: dict[str, str]) -> None:
        self.modules = modules
        self.imported: list[Loaded] = []

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        folder = any(name.startswith(f"{fullname}.") for name in self.modules)
        if fullname not in self.modules and not folder:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=folder)

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        loaded = load(module, [self.modules.get(name, "")], _module_file(name), None)
        self.imported.append(loaded)
        for _, trouble in loaded.broken:
            raise SyntaxError(trouble.text, (trouble.where, trouble.line, None, None))
