"""The warm processes: an ancestor that has imported libraries and nothing else, and the zygotes that it forks.

The ancestor forks a zygote for students and one for references, so that both share its pages and neither has seen
what the other is given. A zygote forks one worker at a time and ends it; it never reads what a worker is sent or sends.
Commands and answers are plain data in packets on a control socket; descriptors travel beside them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from autograder import wire
from autograder.worker import calls, compiler, machine, statements, walls
from autograder.worker.kernel import real_gpu
from autograder.worker.simulated_gpu import SimulatedGPU

_PACKET = 2**20  # a command may hold the text of a master


def ancestor(descriptor: int, libraries: list[str], without: Sequence[str] = ()) -> NoReturn:
    """Warm up, then fork a zygote for every descriptor that arrives, until the control socket closes.

    Args:
        descriptor: of the control socket.
        libraries: to warm up.
        without: see `walls.survey`.
    """
    control = socket.socket(fileno=descriptor)
    sys.dont_write_bytecode = True
    forget_the_kit()
    walls.survey(without)
    walls.guard_zygote()
    warm(libraries)
    _tell(control, {"ready": True})
    while True:
        command, descriptors = _hear(control)
        if command is None:
            os._exit(0)
        child = os.fork()
        if child == 0:
            control.close()
            walls.guard_zygote()
            _serve(socket.socket(fileno=descriptors[0]))
        for descriptor in descriptors:
            os.close(descriptor)
        _tell(control, {"pid": child})
        _reap()


def warm(libraries: Sequence[str]) -> None:
    """Import what students' code will import, and use it once: some of torch is imported on first use."""
    import numpy as np

    np.fft.rfft(np.ones(4))
    np.linalg.norm(np.random.default_rng(0).normal(size=3))
    for name in (
        "collections",
        "dataclasses",
        "fractions",
        "functools",
        "itertools",
        "math",
        "operator",
        "random",
        "typing",
    ):
        __import__(name)
    if "torch" in libraries:
        with machine.hidden_gpu():
            _warm_torch()
    gc.collect()
    gc.freeze()  # the collector must not touch, and so copy, what was here before the fork


def _warm_torch() -> None:
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    compiler.leave_out()
    if not real_gpu():
        _seed_no_absent_devices(torch)

    def train(device: str) -> None:
        layers = (nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
        model = nn.Sequential(*layers).to(device)
        kinds = torch.optim.AdamW(model.parameters()), torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        for optimizer in kinds:
            for inputs, targets in DataLoader(TensorDataset(torch.randn(4, 2, 5, 5), torch.zeros(4).long()), 2):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(inputs.to(device)), targets.to(device))
                loss.backward()
                optimizer.step()
                (loss.detach() * len(targets)).item()

    train("cpu")
    with SimulatedGPU():  # each operator of torch is slow when Python sees it for the first time
        train("cuda")
    nn.functional.unfold(torch.einsum("abcd,bc->abcd", torch.randn(1, 2, 5, 5), torch.randn(2, 5)), 2)


def _seed_no_absent_devices(torch: Any) -> None:
    """torch.manual_seed also notes a seed for each kind of device, with the whole stack, should one ever be used."""
    for device in (torch.cuda, torch.xpu, torch.mtia):
        for module in (device, getattr(device, "random", device)):
            if hasattr(module, "_lazy_call"):
                module._lazy_call = _do_nothing


def _do_nothing(*_: Any, **__: Any) -> None:
    pass


def forget_the_kit() -> None:
    """Take the kit's folder off every path on which a worker might look for it."""
    package = sys.modules["autograder"]
    root = str(Path(package.__path__[0]).parent)
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(root).resolve()]
    for name in ("autograder", "autograder.worker"):
        sys.modules[name].__path__ = []
    sys.argv = [""]


def _serve(control: socket.socket) -> NoReturn:
    """A zygote: spawn a worker, end it, spawn the next."""
    worker: int | None = None
    while True:
        command, descriptors = _hear(control)
        if command is None:
            os._exit(0)
        if command["do"] == "spawn":
            myself = os.getpid()
            worker = os.fork()
            if worker == 0:
                _become_worker(command, myself, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            _tell(control, {"pid": worker})
        elif command["do"] == "parse":
            statements.parsed((command["text"],), command["file"])
            _tell(control, {"parsed": True})
        elif worker is not None:
            _tell(control, _end(worker, command["patience"]))
            worker = None


def _become_worker(command: dict[str, Any], zygote: int, job: int, output: int) -> NoReturn:
    """In the forked child: raise the walls, then read the job; what goes wrong before that ends in exit code 3."""
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdin = open(0, closefd=False)
        sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", errors="replace", closefd=False, buffering=1)
        walls.confine(
            uid=command["uid"], scratch=command["scratch"], cpu_seconds=command["cpu_seconds"], keep=(0, 1, 2, job)
        )
        if os.getppid() != zygote:  # it died before this process had asked to die with it
            os._exit(3)
    except BaseException as error:
        os.write(1, f"The walls could not be raised: {error!r}\n".encode())
        os._exit(3)
    calls.work(socket.socket(fileno=job))


def _end(worker: int, patience: float) -> dict[str, Any]:
    """Kill a worker and whatever it left, and tell how it ended: its own exit status where it had ended by itself.

    Args:
        patience: seconds within which it may still end by itself: a process closes its files before it is gone.
    """
    end = time.monotonic() + patience
    ended, status = os.waitpid(worker, os.WNOHANG)
    while not ended and time.monotonic() < end:
        time.sleep(0.001)
        ended, status = os.waitpid(worker, os.WNOHANG)
    by_itself = ended == worker
    if not by_itself:
        os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
    _kill_orphans()
    return {"by_itself": by_itself, "status": os.waitstatus_to_exitcode(status)}


def _kill_orphans() -> None:
    """Kill what a worker has left behind, until this process has no child any more: it adopts all of them."""
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        time.sleep(0.001)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tell(control: socket.socket, answer: dict[str, Any]) -> None:
    control.send(wire.encode(answer))


def _hear(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(control, _PACKET, 4)
    return (wire.decode(data) if data else None), descriptors
