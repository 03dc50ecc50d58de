"""The trusted side of the split: starts the processes whose workers run what students hand in, and ends them.

This process never imports, executes or unpickles anything of a student's.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

from autograder import wire
from autograder.identity import Identities
from autograder.jobs import Call, Limits, Observation, Offence, Source
from autograder.worker.kernel import DUMPABLE, prctl
from autograder.zygotes import RETRIES, SandboxError, Zygote

__all__ = ["Call", "Limits", "Observation", "Offence", "Sandbox", "SandboxError", "Source", "Zygote", "sandbox"]

_BOOT: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from autograder.worker.zygote import ancestor; "
    "ancestor(int(sys.argv[2]), sys.argv[3].split(','), sys.argv[4].split(','))"
)
_PATIENCE: Final = 60.0  # seconds for a zygote to do what it is told, all of which takes milliseconds
_WARMING: Final = 300.0  # seconds for an ancestor to import its libraries

# NVML answers without starting CUDA, which would not outlive a fork; and nothing is kept in a home folder.
_ONE_GPU: Final = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1", "CUDA_CACHE_DISABLE": "1"}


class Sandbox:
    """A warm ancestor for one set of libraries, and its two zygotes. To be used and closed by one thread.

    Args:
        libraries: to warm up.
        identities: uids for the workers.
        without: walls to leave down, so that tests can prove what the others hold (see `worker.walls.OPTIONAL`).
        cold: start each worker from nothing, where a warm process cannot be forked safely.
        gpu: let workers use a CUDA device, and see of the system what its driver needs.

    Attributes:
        students: the zygote for submissions; it never sees anything secret.
        references: the zygote for masters and misconceptions.
    """

    def __init__(
        self,
        libraries: Sequence[str],
        identities: Identities,
        without: Sequence[str] = (),
        *,
        cold: bool = sys.platform != "linux",
        gpu: bool = False,
    ) -> None:
        self._libraries = tuple(libraries)
        # A driver looks at /proc and /sys, which a file system of the workers' own does not have.
        self._without = (*without, "mounts") if gpu else tuple(without)
        self._gpu = gpu
        self._identities = identities
        self._ancestor: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._warm = False
        self._cold = cold
        self.students, self.references = (self._zygote(cold) for _ in range(2))

    def _zygote(self, cold: bool) -> Zygote:
        if not cold:
            return Zygote(self._branch, self._identities)
        from autograder.cold import ColdZygote

        return ColdZygote(self._libraries, self._identities, self._without)

    def begin(self) -> None:
        """Have the ancestor warm up while this process goes on; without this it does so when it is first needed."""
        if self._control is None and not self._cold:
            self._launch()

    def close(self) -> None:
        """End every process; a second call does nothing."""
        for zygote in (self.students, self.references):
            zygote.close()
        self._drop()

    def _drop(self) -> None:
        """End the ancestor, and with it whatever it has forked."""
        control, ancestor = self._control, self._ancestor
        self._control = self._ancestor = None
        if control is not None:
            control.close()
        if ancestor is not None:
            ancestor.kill()
            ancestor.wait()

    def _branch(self) -> socket.socket:
        """The control socket of a new zygote."""
        for _ in range(RETRIES):
            control = self._ready()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            ours.settimeout(_PATIENCE)
            try:
                with theirs:
                    socket.send_fds(control, [wire.encode({"do": "branch"})], [theirs.fileno()])
                if control.recv(4096):
                    return ours
            except OSError:
                pass
            ours.close()
            self._drop()
        raise SandboxError("The warm process that forks workers dies as soon as it is started.")

    def _ready(self) -> socket.socket:
        """The control socket of the ancestor, which is warm."""
        control = self._control or self._launch()
        if self._warm:
            return control
        assert self._ancestor is not None
        assert self._ancestor.stderr is not None
        with self._ancestor.stderr as stream:
            if control.recv(4096):
                self._warm = True
                return control
            words = stream.read().decode(errors="replace").strip().splitlines()
        self._drop()
        raise SandboxError(f"The warm process could not start: {words[-1] if words else 'no reason given'}")

    def _launch(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_WARMING)
        prctl(DUMPABLE, 0)  # no process of the same user looks into this one
        self._control, self._warm = ours, False
        with theirs:
            arguments = [str(theirs.fileno()), ",".join(self._libraries), ",".join(self._without)]
            streams = (subprocess.DEVNULL, subprocess.PIPE)
            self._ancestor = started(_BOOT, arguments, theirs.fileno(), *streams, group=0, gpu=self._gpu)
        return ours


def started(
    boot: str,
    arguments: Sequence[str],
    channel: int,
    output: int,
    errors: int,
    group: int | None = None,
    *,
    gpu: bool = False,
) -> subprocess.Popen[bytes]:
    """A fresh Python that has nothing of this process but one descriptor.

    Args:
        boot: what it runs; its first argument is the folder of the package.
        arguments: further ones.
        channel: the descriptor.
        output, errors: for its standard streams.
        group: of processes to join, 0 for one of its own, which Ctrl-C on a terminal does not reach.
        gpu: whether it may use a CUDA device.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    compilers = {"TORCHDYNAMO_DISABLE": "1"}  # torch.compile lets a function be as it is: it may start no compiler
    devices = _ONE_GPU | {"CUDA_VISIBLE_DEVICES": first_gpu()} if gpu else {"CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        [sys.executable, "-I", "-c", boot, str(Path(__file__).resolve().parent.parent), *arguments],
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", **compilers, **devices, **threads},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        pass_fds=[channel],
        process_group=group,
    )


def first_gpu() -> str:
    """The CUDA device for workers: the first of those that this process may use."""
    return os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]


@contextlib.contextmanager
def sandbox(libraries: Sequence[str], without: Sequence[str] = (), *, gpu: bool = False) -> Generator[Sandbox]:
    """A sandbox for a `with` block."""
    with Identities() as identities:
        box = Sandbox(libraries, identities, without, gpu=gpu)
        try:
            yield box
        finally:
            box.close()
