"""What works on this machine, in words that an instructor understands, and how to mend what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder import contract
from autograder.container import ContainerError, engine
from autograder.gpu import GpuError, device_name
from autograder.preflight import WALLS, Isolation, measure
from autograder.sandbox import SandboxError

_LEVELS: Final = {
    "A": "Student code is confined in every layer.",
    "B": "Student code is confined; it can see harmless files of the system, which Landlock or namespaces would hide.",
    "C": "Student code is NOT confined. Grading refuses unless told --allow-weak-isolation.",
    "D": "This is not Linux: student code runs in processes of its own and is not confined. Use the container.",
}
_HELD: Final = {
    "hidden": "hidden files cannot be read",
    "grader": "the grading process cannot be looked into",
    "network": "the network cannot be reached",
    "processes": "no process can be started",
    "signals": "no signal reaches the grading process",
    "writing": "nothing can be written outside the scratch folder",
    "seeing": "nothing of the system can be seen",
}
_VERSIONS: Final = ("numpy", "torch", "pytest", "otter-grader", "nbgrader", "jupytext")


@dataclass(frozen=True, slots=True)
class Line:
    """One line for a terminal."""

    text: str
    style: str = ""


def examine() -> Iterator[Line]:
    """Everything that the doctor has to say, as it is found."""
    identity = "as root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "as an ordinary user"
    yield Line(f"Python {platform.python_version()} on {platform.system()} {platform.release()}, {identity}", "bold")
    yield Line(f"  {sys.executable}")
    yield Line("  " + ", ".join(f"{name} {_version(name)}" for name in _VERSIONS))
    yield Line(f"Kit in {contract.kit_root()}", "bold")
    yield Line("  " + ", ".join(f"{item.name} ({item.points})" for item in contract.assignments()))
    yield Line("Walls", "bold")
    yield from _walls()
    yield Line("GPU", "bold")
    yield Line(f"  {_gpu()}")
    yield Line("Container engine", "bold")
    yield Line(f"  {_engine()}")


def _engine() -> str:
    try:
        return f"{engine()} answers: `grade --container` can be used"
    except ContainerError as error:
        return str(error)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _walls() -> Iterator[Line]:
    try:
        isolation = measure()
    except SandboxError as error:
        yield Line(f"  ✗ no worker could be started: {error}", "red")
        return
    style = "green" if isolation.strong else "red"
    yield Line(f"  Level {isolation.level}. {_LEVELS[isolation.level]}", style)
    for name in WALLS:
        yield from _wall(name, isolation)


def _wall(name: str, isolation: Isolation) -> Iterator[Line]:
    found = isolation.open.get(name)
    if not found:
        yield Line(f"  ✓ {_HELD[name]}")
        return
    meaning, mend = WALLS[name]
    yield Line(f"  ✗ {meaning}: {', '.join(found[:3])}", "" if name == "seeing" else "red")
    yield Line(f"    {mend}")


def _gpu() -> str:
    if not sorted(Path("/dev").glob("nvidia[0-9]*")):
        return "none here, and none is needed: GPU tests run on a simulated one"
    try:
        return f"{device_name()}: `grade --gpu` can be used"
    except GpuError as error:
        return str(error)
