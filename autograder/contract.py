"""The assignments: what each master's own header says of its title, functions, points and needs.

A master is `solutions/<assignment>.py`, a jupytext percent script whose YAML header has an `autograder` section. This
module reads the header alone and never imports the master.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


class ContractError(Exception):
    """A master's header is missing or says something that cannot be."""


@dataclass(frozen=True, slots=True)
class Function:
    """A public name of an assignment that is graded; a class counts as one.

    Attributes:
        name: as students write it.
        points: what it is worth, out of the assignment's 100.
        needs: functions of the same assignment that a solution of this one may call.
        forbidden: dotted names not to be called in it, besides the assignment's.
    """

    name: str
    points: int
    needs: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """One module of the contract.

    Attributes:
        name: of the module and of every file about it.
        title: as people read it.
        order: in which it is handed out, from 1.
        minutes: that a student may need.
        libraries: that must be warm to grade it ("numpy", "torch").
        forbidden: dotted names not to be called; a name forbids all that stands below it.
        functions: in the contract's order.
    """

    name: str
    title: str
    order: int
    minutes: int
    libraries: tuple[str, ...]
    forbidden: tuple[str, ...]
    functions: tuple[Function, ...]

    @property
    def points(self) -> int:
        return sum(function.points for function in self.functions)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(function.name for function in self.functions)

    @property
    def watched(self) -> tuple[str, ...]:
        """All that is forbidden in any function."""
        return (*self.forbidden, *(name for function in self.functions for name in function.forbidden))

    def function(self, name: str) -> Function:
        return next(function for function in self.functions if function.name == name)

    def prerequisites(self, name: str) -> tuple[str, ...]:
        """What a function needs, and what that needs in turn, nearest first."""
        found: dict[str, None] = {}
        waiting = list(self.function(name).needs)
        while waiting:
            needed = waiting.pop(0)
            if needed not in found:
                found[needed] = None
                waiting += self.function(needed).needs
        return tuple(found)

    @property
    def master(self) -> Path:
        return kit_root() / "solutions" / f"{self.name}.py"

    @property
    def misconceptions(self) -> Path:
        return kit_root() / "solutions" / "misconceptions" / f"{self.name}.py"

    @property
    def suite(self) -> Path:
        return kit_root() / "tests" / "hidden" / f"test_{self.name}.py"


def kit_root() -> Path:
    """The folder that holds `solutions/` and `tests/hidden/`: AUTOGRADER_KIT, else the package's own parent."""
    return Path(os.environ.get("AUTOGRADER_KIT") or Path(__file__).resolve().parent.parent)


@functools.cache
def assignments() -> tuple[Assignment, ...]:
    """Every assignment that has a master, in the order in which they are handed out.

    Raises:
        ContractError: there is no master, or a header is wrong.
    """
    folder = kit_root() / "solutions"
    found = [read_header(path) for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
    if not found:
        raise ContractError(f"No masters in {folder}: run from a checkout of the kit, or set AUTOGRADER_KIT to one.")
    return tuple(sorted(found, key=lambda assignment: (assignment.order, assignment.name)))


def assignment(name: str) -> Assignment:
    """The assignment of that name.

    Raises:
        ContractError: there is none.
    """
    found = next((item for item in assignments() if item.name == name), None)
    if found is None:
        raise ContractError(
            f"There is no assignment {name!r}; there are {', '.join(item.name for item in assignments())}."
        )
    return found


def read_header(master: Path) -> Assignment:
    """What a master says of itself.

    Raises:
        ContractError: the header has no `autograder` section, or one with a hole in it.
    """
    header = _yaml_header(master)
    try:
        about: dict[str, Any] = header["jupyter"]["autograder"]
        functions = tuple(
            Function(name, _whole(entry["points"]), _names(entry.get("needs", [])), _names(entry.get("forbidden", [])))
            for name, entry in about["functions"].items()
        )
        result = Assignment(
            name=master.stem,
            title=str(about["title"]),
            order=_whole(about["order"]),
            minutes=_whole(about["minutes"]),
            libraries=_names(about["libraries"]),
            forbidden=_names(about.get("forbidden", [])),
            functions=functions,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(f"{master}: the header's `autograder` section is wrong at {error}") from error
    unknown = {need for function in functions for need in function.needs} - set(result.names)
    if unknown or not functions:
        raise ContractError(f"{master}: the header needs {sorted(unknown) or 'at least one function'}")
    return result


def _whole(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r}, which is no whole number above zero")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError(f"{value!r}, which is no list of names")  # a text would come apart into letters
    return tuple(value)


def _yaml_header(master: Path) -> dict[str, Any]:
    lines = master.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != "# ---" or "# ---" not in lines[1:]:
        raise ContractError(f"{master}: no jupytext header between two lines `# ---` at its top")
    block = lines[1 : lines.index("# ---", 1)]
    try:
        loaded = yaml.safe_load("\n".join(line.removeprefix("#").removeprefix(" ") for line in block))
    except yaml.YAMLError as error:
        raise ContractError(f"{master}: the header is no YAML: {error}") from error
    return loaded if isinstance(loaded, dict) else {}
