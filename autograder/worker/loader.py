"""Loads a submission: definitions, and those top-level statements that bind a name which a graded function needs.

A statement that fails costs only what uses it. Plots, prints and training runs are not run, and what may be one is run
for a moment only. Sources are compiled from text, and a submission's own modules are imported from memory: its folder
is on no path.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import linecache
import re
import signal
import threading
import types
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from autograder.worker import scope
from autograder.worker.statements import Statement, Trouble, closure, module_file, needed, parsed, places

_MOMENT: Final = 0.5  # seconds


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
        return closure(self.statements, {name}) - {name}

    def trouble(self, name: str) -> Trouble | None:
        """Why a name is not there: its statement failed, or stands in a cell that does not parse."""
        if name in self.failed:
            return self.failed[name]
        defines = re.compile(rf"^\s*(?:(?:async\s+)?def|class)\s+{re.escape(name)}\b", re.MULTILINE)
        return next((trouble for text, trouble in self.broken if defines.search(text)), None)


def load(
    module: types.ModuleType,
    cells: Sequence[str],
    file: str,
    wanted: Iterable[str] | None,
    others: Iterable[str] = (),
) -> Loaded:
    """Fill a module with what the wanted names need; with None, with everything that binds a name.

    Args:
        module: new, and already importable where it shall be.
        cells: sources, in order; a plain module is one cell.
        wanted: names of graded functions.
        file: as the student knows it, for messages.
        others: dotted names of the submission's other modules.
    """
    module.__file__ = file
    for where, text in places(file, cells, {}).items():  # for those that read their own source, as TorchScript does
        linecache.cache[where] = (len(text), None, text.splitlines(keepends=True), where)
    statements, broken = parsed(tuple(cells), file, frozenset(name.partition(".")[0] for name in others))
    chosen, doubtful = needed(statements, wanted)
    loaded = Loaded(module, statements, broken=broken, chosen=chosen)
    for statement in chosen:
        if statement not in doubtful:
            _run(statement, loaded)
        elif not statement.tiresome:
            _run_briefly(statement, loaded)
    return loaded


def _run(statement: Statement, loaded: Loaded) -> None:
    try:
        exec(statement.code, loaded.module.__dict__)
    except BaseException as error:  # a student's SystemExit must not end the worker
        _, line = own_place(error, {statement.where})
        trouble = Trouble(builtin_class(type(error)), safe_text(error), statement.where, line)
        for name in statement.binds:  # ANY_NAME too: any name might have come of it
            loaded.failed[name] = trouble
    else:
        for name in statement.binds - {scope.ANY_NAME}:
            loaded.failed.pop(name, None)


class _TiresomeError(BaseException):
    """A statement that may be a training run has had its time."""


def _run_briefly(statement: Statement, loaded: Loaded) -> None:
    """Run what may change something needed, and may as well be a demonstration that never ends: once, for a moment."""

    def stop(*_: Any) -> None:
        statement.tiresome = True
        raise _TiresomeError

    if threading.current_thread() is not threading.main_thread():  # only there signals arrive
        _run(statement, loaded)
        return
    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, _MOMENT)
        _run(statement, loaded)
    except _TiresomeError:  # just as it ended
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


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
        loaded = load(module, [self.modules.get(name, "")], module_file(name), None, self.modules)
        self.imported.append(loaded)
        for _, trouble in loaded.broken:
            raise SyntaxError(trouble.text, (trouble.where, trouble.line, None, None))
