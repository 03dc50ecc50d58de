"""`grade --container`: the same command in a container, where docker or podman is installed.

The image (`Dockerfile`) holds Python and the libraries. The kit, the submissions and OUT are mounted below /private,
which only root may enter: there workers, each with a uid of its own, cannot go even where the kernel has no Landlock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from autograder import contract
from autograder.intake import find_submissions

ENGINES: Final = ("docker", "podman")
_HERE: Final = Path(__file__).resolve().parent
_PRIVATE: Final = "/private"
# What root needs to give workers their uids and scratch folders and to end them; everything else is dropped.
_RIGHTS: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
_PROCESSES: Final = 4096

_INSTALL: Final = {
    "linux": "Install one: `sudo apt install podman`, `sudo dnf install podman`, or https://docs.docker.com/engine/install/.",
    "darwin": "Install Docker Desktop (https://docs.docker.com/desktop/) or `brew install podman`, and start it.",
    "win32": "Install Docker Desktop (https://docs.docker.com/desktop/) or Podman Desktop, and start it.",
}


class ContainerError(Exception):
    """There is no container to grade in; the message says what to do."""


def grade_in_container(
    path: Path,
    out: Path,
    assignments: Sequence[str],
    values: Mapping[str, object] = MappingProxyType({}),
    flags: Mapping[str, bool] = MappingProxyType({}),
) -> int:
    """Grade in a container; the exit status of the command there.

    Args:
        path: submissions, read only.
        out: where results go; made if it is not there.
        assignments: to grade.
        values, flags: more options of `autograder grade`, by name; those that are None or False were not given.

    Raises:
        ContainerError: no engine answers, or the image cannot be built.
        IntakeError: there are no submissions.
    """
    find_submissions(path)
    options = [part for name in assignments for part in ("--assignment", name)]
    options += [part for name, value in values.items() if value is not None for part in (name, str(value))]
    options += [name for name, given in flags.items() if given]
    used = engine()
    tag = _image(used)
    out.mkdir(parents=True, exist_ok=True)
    try:
        return subprocess.run(run_command(used, tag, path, out, options), check=False).returncode
    finally:
        if command := own_command(used, tag, out):
            subprocess.run(command, check=False)


def engine() -> str:
    """The engine to use: the first that is installed and answers.

    Raises:
        ContainerError: none does.
    """
    installed = [name for name in ENGINES if shutil.which(name)]
    for name in installed:
        if subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    if installed:
        raise ContainerError(
            f"{installed[0]} is installed and does not answer. Start it; `{installed[0]} info` says more."
        )
    raise ContainerError(f"--container needs docker or podman. {_INSTALL.get(sys.platform, _INSTALL['linux'])}")


def tag() -> str:
    """The image's name, another one whenever the libraries change."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in _context()))
    return f"autograder-kit:{digest.hexdigest()[:12]}"


def build_command(used: str, tag: str, context: Path) -> list[str]:
    """How the image is built."""
    return [used, "build", "--tag", tag, str(context)]


def run_command(used: str, tag: str, path: Path, out: Path, options: Sequence[str]) -> list[str]:
    """How the command is run."""
    name = path.resolve().name or "submissions"
    mounts = [
        (contract.kit_root().resolve(), f"{_PRIVATE}/kit", True),
        (path.resolve(), f"{_PRIVATE}/submissions/{name}", True),
        (out.resolve(), f"{_PRIVATE}/out", False),
    ]
    return [
        used, "run", "--rm",
        *(["--interactive", "--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []),
        "--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777", "--tmpfs", "/run:mode=755",
        "--pids-limit", str(_PROCESSES), "--security-opt", "no-new-privileges",
        *(["--security-opt", "label=disable"] if used == "podman" else []),
        "--cap-drop", "ALL", *(f"--cap-add={right}" for right in _RIGHTS),
        "--env", "container=autograder",
        *(part for place in mounts for part in ("--mount", _mount(*place))),
        tag, "grade", f"{_PRIVATE}/submissions/{name}", "--out", f"{_PRIVATE}/out", *options,
    ]  # fmt: skip


def own_command(used: str, tag: str, out: Path) -> list[str]:
    """How OUT becomes the instructor's own again, where root in the container is root outside; else nothing."""
    if used != "docker" or sys.platform != "linux" or os.geteuid() == 0:
        return []
    target = f"{_PRIVATE}/out"
    return [
        used, "run", "--rm", "--network", "none", "--mount", _mount(out.resolve(), target, False),
        "--entrypoint", "chown", tag, "--recursive", "--no-dereference", f"{os.getuid()}:{os.getgid()}", target,
    ]  # fmt: skip


def _image(used: str) -> str:
    name = tag()
    if subprocess.run([used, "image", "inspect", name], capture_output=True, check=False).returncode == 0:
        return name
    print(f"Building {name}: some minutes, once for every change of the libraries.", file=sys.stderr)
    with tempfile.TemporaryDirectory() as context:
        for path in _context():
            shutil.copy(path, context)
        if subprocess.run(build_command(used, name, Path(context)), check=False).returncode:
            raise ContainerError(f"{used} could not build the image; what it said stands above.")
    return name


def _context() -> list[Path]:
    """All that goes into the image."""
    return [_HERE / "Dockerfile", _HERE.parent / "pyproject.toml", _HERE.parent / "requirements.lock"]


def _mount(source: Path, target: str, read_only: bool) -> str:
    if "," in str(source):
        raise ContainerError(f"{source}: a path with a comma cannot be mounted; rename it.")
    return f"type=bind,source={source},target={target}{',readonly' if read_only else ''}"
