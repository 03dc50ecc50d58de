"""Python source, taken apart and put together again."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OTHERS: Final = ("numpy", "pytest", "torch", "from IPython", "from otter")


@dataclass(frozen=True, slots=True)
class Parts:
    """A module in three parts.

    Attributes:
        docstring: as it stands, quotes and all; empty where there is none.
        imports: the import statements at top level.
        statements: all others with their source and the comments right above them.
    """

    docstring: str
    imports: tuple[str, ...]
    statements: tuple[tuple[ast.stmt, str], ...]


def handout(name: str) -> str:
    """The source of a file of `autograder/handout/`, without its imports from beside it."""
    text = (Path(__file__).parent / "handout" / name).read_text(encoding="utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("from autograder."))


def parts(source: str) -> Parts:
    """Take a module apart."""
    lines = source.splitlines()
    docstring, imports, others = "", list[str](), list[tuple[ast.stmt, str]]()
    for index, node in enumerate(ast.parse(source).body):
        first = _first_line(node) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        text = "\n".join(lines[first : node.end_lineno])
        if index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstring = text
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(text)
        else:
            others.append((node, text))
    return Parts(docstring, tuple(imports), tuple(others))


def without_decorators(node: ast.stmt, text: str) -> str:
    """A definition's source without what stands above its `def`."""
    assert node.end_lineno is not None
    return "\n".join(text.splitlines()[node.lineno - node.end_lineno - 1 :])


def import_block(imports: Iterable[str]) -> str:
    """Import statements once each, the standard library's first."""
    unique = sorted(set(imports), key=lambda line: (line.startswith("from "), line))
    own = [line for line in unique if any(word in line for word in _OTHERS)]
    blocks = [[line for line in unique if line not in own], own]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def module(docstring: str, imports: Iterable[str], statements: Iterable[str]) -> str:
    """A module's source, spaced as ruff spaces it: two lines around definitions, none between assignments."""
    text = f"{docstring}\n\n{import_block(imports)}".strip()
    before = ""
    for statement in statements:
        gap = "\n\n\n" if _is_definition(statement) or _is_definition(before) else "\n" if before else "\n\n"
        text += gap + statement
        before = statement
    return text + "\n"


def _is_definition(source: str) -> bool:
    return source.startswith(("def ", "class ", "@", "for ", "#"))


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
