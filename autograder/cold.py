"""Workers where a warm process cannot be forked safely, as on macOS: each is a fresh process. Slow, and level D."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from autograder.identity import Identities
from autograder.sandbox import SandboxError, Zygote, started

_BOOT: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from autograder.worker.cold import worker; "
    "worker(int(sys.argv[2]), sys.argv[3].split(','), sys.argv[4].split(','), int(sys.argv[5]), sys.argv[6])"
)


class ColdZygote(Zygote):
    """Starts one worker at a time, each from nothing.

    Args:
        libraries: to import in each.
        identities: uids for the workers.
        without: walls to leave down.
    """

    def __init__(self, libraries: Sequence[str], identities: Identities, without: Sequence[str] = ()) -> None:
        super().__init__(_nothing_to_branch_from, identities)
        self._libraries = tuple(libraries)
        self._without = tuple(without)
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        self._kill()

    def command(self, command: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        if command["do"] == "spawn":
            self._spawn(command, *descriptors)
        elif command["do"] == "end":
            return self._end(command["patience"])
        return {}

    def _spawn(self, command: dict[str, Any], job: int, output: int) -> None:
        if sys.platform == "win32":
            raise SandboxError("Windows cannot run workers. Use `grade --container`, or the Linux that WSL brings.")
        lists = (",".join(self._libraries), ",".join(self._without))
        uid = -1 if command["uid"] is None else command["uid"]
        self._process = started(_BOOT, [str(job), *lists, str(uid), command["scratch"]], job, output, output)

    def _end(self, patience: float) -> dict[str, Any]:
        process = self._process
        assert process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        by_itself = process.returncode is not None
        self._kill()
        return {"by_itself": by_itself, "status": process.returncode}

    def _kill(self) -> None:
        """End the worker and the processes of its session, all of which have its id as their group's."""
        process, self._process = self._process, None
        if process is None or sys.platform == "win32":
            return
        end = time.monotonic() + 1
        with contextlib.suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < end:
                os.killpg(process.pid, signal.SIGKILL)
                process.poll()
                time.sleep(0.001)
        process.kill()
        process.wait()


def _nothing_to_branch_from() -> Any:
    raise SandboxError("A cold worker has no ancestor.")
