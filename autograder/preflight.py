"""How well student code is confined on this machine: attempted, not assumed.

One worker attempts the forbidden, and the level follows from what succeeded:

A: no hidden file can be read, no network, no new process, nothing written outside the scratch folder, nothing seen.
B: as A, but harmless files of the system can be seen: neither Landlock nor namespaces hide them.
C: something of that succeeds. Grading refuses unless it is told otherwise.
D: not Linux: processes are split and limited, and no more.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder import contract
from autograder.sandbox import Call, Limits, Sandbox, SandboxError, Source, sandbox

SHARED: Final = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/var/lock")

# heading of an attempt: (what it means where it succeeds, how to mend it)
WALLS: Final[Mapping[str, tuple[str, str]]] = {
    "hidden": (
        "a submission can read hidden files",
        "Use a kernel with Landlock or user namespaces, or `grade --container`, or close them as root: `chmod 700`.",
    ),
    "grader": (
        "a submission can look into the grading process",
        "Run as root, or use a kernel with Landlock or user namespaces.",
    ),
    "network": ("a submission can reach the network", "This machine needs seccomp: x86-64 or ARM64 Linux."),
    "processes": ("a submission can start processes", "This machine needs seccomp: x86-64 or ARM64 Linux."),
    "signals": ("a submission can send signals to the grading process", "This machine needs seccomp, or run as root."),
    "writing": (
        "a submission can leave files in a shared folder",
        "Use a kernel with Landlock or user namespaces, or `grade --container`.",
    ),
    "seeing": (
        "a submission can see harmless files of the system",
        "A kernel with Landlock or user namespaces hides them; no need to act.",
    ),
}


@dataclass(frozen=True, slots=True)
class Isolation:
    """What the preflight found.

    Attributes:
        level: "A" to "D".
        open: per heading of `WALLS` under which something succeeded, what did.
    """

    level: str
    open: Mapping[str, Sequence[str]]

    @property
    def strong(self) -> bool:
        """Whether grading may go on without being told to."""
        return self.level in ("A", "B")

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a submission can do that it should not, in words."""
        return tuple(f"{WALLS[name][0]} ({', '.join(found[:3])})" for name, found in self.open.items())


def preflight(box: Sandbox, more_hidden: Sequence[Path] = ()) -> Isolation:
    """Attempt the forbidden in a worker of this sandbox.

    Args:
        box: whose workers will grade.
        more_hidden: files and folders that no submission may read, besides the kit's own.

    Raises:
        SandboxError: no worker could be started, or it did not answer.
    """
    found = _attempt(box, more_hidden)
    if found["writing"] and _close_shared_folders():
        found = _attempt(box, more_hidden)
    wide = {name: paths for name, paths in found.items() if paths}
    if sys.platform != "linux":
        return Isolation("D", wide)
    if not wide:
        return Isolation("A", wide)
    return Isolation("B" if set(wide) == {"seeing"} else "C", wide)


def measure(more_hidden: Sequence[Path] = (), *, gpu: bool = False) -> Isolation:
    """The isolation of this machine, attempted in warm processes of its own, which end again.

    Args:
        more_hidden: see `preflight`.
        gpu: of workers that may use a real GPU.
    """
    with sandbox(["numpy"], gpu=gpu) as box:
        return preflight(box, more_hidden)


def hidden_files() -> list[Path]:
    """The kit's own files that no submission may read: masters, misconceptions, hidden suites."""
    root = contract.kit_root()
    return [path for folder in ("solutions", "tests/hidden") for path in sorted((root / folder).rglob("*.py"))]


def _attempt(box: Sandbox, more_hidden: Sequence[Path]) -> dict[str, list[str]]:
    text = (Path(__file__).parent / "worker" / "attempts.py").read_text(encoding="utf-8")
    source = Source("attempts", "attempts.py", (text,))
    hidden = [str(path.resolve()) for path in (*hidden_files(), *more_hidden)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = (hidden, os.getpid(), server.getsockname()[1], [path for path in SHARED if Path(path).exists()])
        seen = box.students.observe(source, [Call(("attempt",), arguments)], Limits())[0]
    if seen.ending != "returned":
        raise SandboxError(f"The preflight did not end well: {seen.ending} {' '.join(seen.classes[:1])} {seen.text}")
    return _strings(seen.value)


def _strings(value: Any) -> dict[str, list[str]]:
    return {name: [str(path) for path in value[name]] for name in WALLS}


def _close_shared_folders() -> bool:
    """In a container, where nobody else works, take other users' right to write in shared folders; whether it did."""
    if os.geteuid() != 0 or not _in_container():
        return False
    closed = False
    for path in map(Path, SHARED):
        if path.is_dir() and path.stat().st_mode & stat.S_IWOTH:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~stat.S_IWOTH)
            closed = True
    return closed


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")) or "container" in os.environ
