"""A worker without a zygote: a fresh process that imports its libraries first, where forking a warm one is not safe."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import NoReturn

from autograder.worker import calls, walls, zygote


def worker(descriptor: int, libraries: Sequence[str], without: Sequence[str], uid: int, scratch: str) -> NoReturn:
    """Warm up, raise what walls there are, do the job.

    Args:
        descriptor: of the channel to the trusted process.
        libraries: to warm up.
        without: see `walls.survey`.
        uid: to become; -1 for none.
        scratch: the only folder to write in.
    """
    zygote.forget_the_kit()
    walls.survey(without)
    zygote.warm(libraries)
    walls.confine(uid=None if uid < 0 else uid, scratch=scratch, cpu_seconds=60, keep=(0, 1, 2, descriptor))
    calls.work(socket.socket(fileno=descriptor))
