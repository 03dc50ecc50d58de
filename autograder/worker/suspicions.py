"""What in a submission's text looks like a forbidden call that nobody has seen being made: for a person to look at.

Read from the syntax tree of the statements that graded functions need, in which Python has normalised every name
(NFKC). A comment, a string, an unused import or a function of the student's own that bears such a name is none of it.
Nothing here costs points: what is called is noted when it is called (see `forbidden`), and a branch that no test enters
is no offence.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from autograder.worker.scope import walk
from autograder.worker.statements import Statement

Suspicion = tuple[str, str, int]  # what, in which file or cell, in which line

_LIBRARIES: Final = ("numpy", "scipy", "skimage", "torch")
# By which names can be put together, or code be reached that bears none.
_FUNCTIONS: Final = ("exec", "eval", "compile", "__import__", "globals")
_MODULES: Final = ("importlib", "ctypes", "builtins", "gc", "marshal", "cffi", "subprocess")
_ATTRIBUTES: Final = (
    *("__globals__", "__builtins__", "__subclasses__", "__code__", "__closure__", "__getattribute__", "__wrapped__"),
    *("_getframe", "currentframe", "f_back", "f_locals", "_execution_engine", "_engine_run_backward"),
)
_TELLING: Final = (ast.Name, ast.Attribute, ast.Call)
_MOST: Final = 20


def suspicions(statements: Sequence[Statement], forbidden: Iterable[str]) -> list[Suspicion]:
    """What stands out in some statements of a submission.

    Args:
        statements: as `statements` parses them.
        forbidden: dotted names that are not to be called.
    """
    names = tuple(forbidden)
    if not names:
        return []
    below = [(statement.where, walk(statement.node)) for statement in statements]
    aliases = {alias: full for _, nodes in below for alias, full in _aliases(nodes)}
    own = {name for statement in statements for name in statement.binds} - aliases.keys()
    look = _Look(names, aliases, own)
    found = ((what, where, line) for where, nodes in below for what, line in look.at(nodes))
    return list(dict.fromkeys(found))[:_MOST]


def _aliases(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """What imported names stand for, in full."""
    for part in nodes:
        match part:
            case ast.Import(names=entries):
                for entry in entries:
                    first = entry.name.partition(".")[0]
                    yield (entry.asname, entry.name) if entry.asname else (first, first)
            case ast.ImportFrom(module=str(module), names=entries, level=0):
                yield from ((entry.asname or entry.name, f"{module}.{entry.name}") for entry in entries)
            case _:
                pass


def _places(name: str) -> list[str]:
    """A dotted name, and those above it."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


class _Look:
    def __init__(self, forbidden: Sequence[str], aliases: Mapping[str, str], own: set[str]) -> None:
        self._forbidden = frozenset(forbidden)
        self._places = {place for name in forbidden for place in _places(name)} - self._forbidden
        self._leaves = {name.rpartition(".")[2] for name in forbidden}
        self._aliases = aliases
        self._own = own

    def at(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
        """What stands out among some nodes, and in which line."""
        for part in nodes:
            if isinstance(part, _TELLING) and (what := self._words(part)):
                yield what, part.lineno

    def _words(self, node: ast.expr) -> str | None:
        match node:
            case ast.Call(func=ast.Name(id="getattr"), args=[thing, name, *_]) if self._full(thing):
                return self._by_name(thing, name)
            case ast.Name(ctx=ast.Load(), id=name) if name in _FUNCTIONS and name not in self._own:
                return f"uses {name}"
            case ast.Attribute(attr=name) if name in _ATTRIBUTES:
                return f"uses {name}"
            case ast.Attribute() | ast.Name(ctx=ast.Load()) if full := self._full(node):
                return self._named(full)
            case _:
                return None

    def _by_name(self, thing: ast.expr, name: ast.expr) -> str | None:
        """Of `getattr(library, name)`."""
        place = self._full(thing)
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return self._named(f"{place}.{unicodedata.normalize('NFKC', name.value)}")
        return f"looks a name up in {place} that it puts together"

    def _named(self, full: str) -> str | None:
        """Of a dotted name in full."""
        first, _, rest = full.partition(".")
        if first in _MODULES:
            return f"uses {first}"
        if full == "sys.modules":
            return f"uses {full}"
        below = not self._forbidden.isdisjoint(_places(full))
        above = full in self._places
        like = first in _LIBRARIES and rest.rpartition(".")[2] in self._leaves and not above
        return f"names {full}" if below or like else None

    def _full(self, node: ast.expr) -> str:
        """The dotted name of what was imported, or nothing."""
        match node:
            case ast.Name(id=name):
                return self._aliases.get(name, "")
            case ast.Attribute(value=value, attr=name):
                place = self._full(value)
                return f"{place}.{name}" if place else ""
            case _:
                return ""
