"""What the preflight runs in a worker, as if it were a submission: attempts at the forbidden, and which succeeded."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

_PLACES = ("/tmp", "/var/tmp", "/home", "/root", "/opt", "/srv", "/mnt", "/autograder")
_MARKS = (b"### BEGIN SOLUTION", b"from autograder.suite import")
_SECONDS = 0.5  # to look for forgotten copies


def attempt(hidden: list[str], grader: int, port: int, shared: list[str]) -> dict[str, list[str]]:
    """What a submission could do here.

    Args:
        hidden: paths of files and folders that no submission may read.
        grader: process id of the grading process.
        port: on which the grading process listens, on loopback.
        shared: folders in which other processes leave files.

    Returns:
        under each heading of `preflight.WALLS`, what succeeded.
    """
    return {
        "hidden": [path for path in hidden if _succeeds(_read, path)] + _copies(hidden),
        "grader": [path for path in (f"/proc/{grader}/mem", f"/proc/{grader}/environ") if _succeeds(_read, path)],
        "network": [name for name, reach in (("TCP", _tcp), ("UDP", _udp)) if _succeeds(reach, port)],
        "processes": ["fork"] if _succeeds(_fork) else [],
        "signals": ["kill"] if _succeeds(os.kill, grader, 0) else [],
        "writing": [folder for folder in ("/", *shared) if _succeeds(_write, folder)],
        "seeing": [path for path in ("/etc/passwd", "/proc/self/status") if _succeeds(_read, path)],
    }


def _succeeds(action: Callable[..., Any], *args: Any) -> bool:
    try:
        action(*args)
    except Exception:
        return False
    return True


def _copies(hidden: list[str]) -> list[str]:
    """Masters and suites that somebody has forgotten where a submission can read them."""
    names, end = {os.path.basename(path) for path in hidden}, time.monotonic() + _SECONDS
    found: list[str] = []
    for place in _PLACES:
        for folder, _, files in os.walk(place):
            if time.monotonic() > end:
                return found
            paths = [os.path.join(folder, name) for name in names.intersection(files)]
            found += [path for path in paths if path not in hidden and _succeeds(_read_mark, path)]
    return found


def _read_mark(path: str) -> None:
    with open(path, "rb") as stream:
        text = stream.read(1 << 18)
    if not any(mark in text for mark in _MARKS):
        raise ValueError


def _read(path: str) -> None:
    if os.path.isdir(path):
        os.listdir(path)
        return
    with open(path, "rb") as stream:
        stream.read(1)


def _write(folder: str) -> None:
    path = os.path.join(folder, f".attempt-{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)


def _tcp(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()


def _udp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hello", ("127.0.0.1", port))


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
