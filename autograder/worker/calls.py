"""A worker's whole life: read a job, load the submission, read and make its calls, send what was observed, end.

A job is a dict of plain data:
    name, file, cells, modules: the submission (see `loader.load`).
    wanted: names of the functions that the calls need.
    forbidden: dotted names whose calls are noted.
    replace: names to be taken from another of the modules instead, as {name: (module, attribute)}.
    probes: sources of probe functions, by name.
    first: of the first call, the function and the GPUs that the machine seems to have, or None.
    together: whether answers may wait for each other.
    calls: how many follow, each a frame with what `_Bench.observe` takes, in that order (see `parcels`).

The answer is one frame that says the walls stand, one about the loading and one per call.
"""

from __future__ import annotations

import contextlib
import copy
import os
import random
import re
import socket
import sys
import types
import warnings
from collections.abc import Container
from time import monotonic
from typing import Any, NoReturn

import numpy as np

from autograder import wire
from autograder.worker import forbidden, loader, machine, statements
from autograder.worker.kernel import real_gpu
from autograder.worker.parcels import Unpacker
from autograder.worker.plain import plain, same
from autograder.worker.scope import ANY_NAME
from autograder.worker.suspicions import suspicions

FAILED = "The worker failed"
_CHUNK = 1 << 18
_MOMENT = 0.005  # seconds
_RECURSION = 3000  # as in a notebook: Python's own 1000 is less than many a student has


def work(channel: socket.socket) -> NoReturn:
    """Do the job that waits in a channel, and end."""
    try:
        line = _Line(channel)
        line.send(wire.encode({"ready": True}))
        job = wire.decode(line.receive())
        bench, unpack = _Bench(job), Unpacker()
        line.send(wire.encode(bench.loaded()))
        for _ in range(job["calls"]):
            line.send(bench.observe(*unpack(line.receive())), wait=job["together"])
        line.flush()
    except BaseException as error:  # only the kit's own failures come here; the trusted side shows the output
        os.write(1, f"{FAILED}: {error!r}\n".encode())
    finally:
        os._exit(0)


class _Line:
    """Frames on the worker's end of the channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._received = bytearray()
        self._waiting: list[bytes] = []
        self._sent = 0.0

    def receive(self) -> bytes:
        """The next frame's payload."""
        head = wire.HEADER.size
        self._fill(head)
        end = head + wire.HEADER.unpack_from(self._received)[0]
        self._fill(end)
        payload = bytes(self._received[head:end])
        del self._received[:end]
        return payload

    def _fill(self, count: int) -> None:
        while len(self._received) < count:
            got = self._channel.recv(_CHUNK)
            if not got:
                raise EOFError
            self._received += got

    def send(self, payload: bytes, *, wait: bool = False) -> None:
        """A payload as a frame; one that may wait leaves with others a moment later, as every waking costs."""
        self._waiting.append(wire.frame(payload))
        if not wait or monotonic() > self._sent + _MOMENT:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        self._channel.sendall(b"".join(self._waiting))
        self._waiting.clear()
        self._sent = monotonic()


class _Bench:
    """A loaded submission and the probes that look at it."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.own = loader.OwnModules(job["modules"])
        sys.meta_path.insert(0, self.own)
        warnings.simplefilter("ignore")
        self.wanted: list[str] = job["wanted"]
        self.files = statements.places(job["file"], job["cells"], job["modules"]).keys()
        reset(0)
        # Before the submission is loaded, so that `from numpy import convolve` gets what notes its calls.
        self.watch = forbidden.Watch(job["forbidden"], self.files)
        self.machine = contextlib.ExitStack()
        self._load(*job["first"])
        parts = (self.submission, *self.own.imported)
        self.suspicions = [item for part in parts for item in suspicions(part.chosen, job["forbidden"])]
        self.probes = {name: _probe(name, source) for name, source in job["probes"].items()}

    def _load(self, function: str, gpus: list[str] | None) -> None:
        """Load the submission anew: for each function, so that none finds what another has left in its modules.

        And for each machine: which GPUs it finds when it is imported holds for its calls too.
        """
        job = self.job
        self.machine.close()
        self.loaded_for = function, gpus
        self.machine.enter_context(machine.machine(gpus))
        while self.own.imported:
            sys.modules.pop(self.own.imported.pop().module.__name__, None)
        module = types.ModuleType(job["name"])
        sys.modules[module.__name__] = module
        sys.setrecursionlimit(_RECURSION)
        self.submission = loader.load(module, job["cells"], job["file"], self._needed(job), job["modules"])
        self.recursion = sys.getrecursionlimit()
        self.watch.taken()  # what a module does when it is imported is no answer to anything
        for name, (place, attribute) in job["replace"].items():
            setattr(module, name, _from_module(place, job["modules"][place], attribute))

    def _needed(self, job: dict[str, Any]) -> list[str] | None:
        """The wanted names; everything, where other modules may ask this one for more."""
        name = re.compile(rf"^\s*(?:from|import)\s+{re.escape(job['name'])}\b", re.MULTILINE)
        return None if any(name.search(text) for text in job["modules"].values()) else self.wanted

    def loaded(self) -> dict[str, Any]:
        """What is known before the first call.

        Per wanted name that is not there, why: None, or a trouble; which names each reads; what a person should see.
        """
        missing = [name for name in self.wanted if not callable(getattr(self.submission.module, name, None))]
        return {
            "absent": {name: _plain_trouble(self.submission.trouble(name)) for name in missing},
            "uses": {name: sorted(self.submission.reads(name)) for name in self.wanted},
            "suspicions": self.suspicions,
        }

    def observe(
        self,
        functions: list[str],
        probe: str | None,
        args: list[Any],
        kwargs: dict[str, Any],
        watch: bool,
        seed: int,
        gpus: list[str] | None,
    ) -> bytes:
        """Make one call; what came of it, as bytes: making them plain may run a student's code too.

        Args:
            functions: names; the first is called, or a probe is given all of them first.
            probe: its name, if any.
            args, kwargs: plain data.
            watch: say whether the arguments were changed.
            seed: for every generator of random numbers.
            gpus: that the machine seems to have, or None.
        """
        if (functions[0], gpus) != self.loaded_for:
            self._load(functions[0], gpus)
        reset(seed)
        sys.setrecursionlimit(self.recursion)
        before = copy.deepcopy((args, kwargs)) if watch else None
        try:
            with self.watch.watching():
                first, *others = (getattr(self.submission.module, name) for name in functions)
                called, given = (first, others) if probe is None else (self.probes[probe], [first, *others])
                observed: dict[str, Any] = {"returned": called(*given, *args, **kwargs)}
                if before is not None:
                    observed["changed"] = not same(before, (args, kwargs))
                # A result may compute when it is made plain: the notes are taken after it.
                answer = wire.encode(observed, plain)
        except wire.WireError as error:
            answer = wire.encode({"returned": wire.Opaque(f"result {error}")})
        except BaseException as error:
            answer = wire.encode(self._explained(error))
        # Whatever is noted between two answers counts: a submission may look at a call while it is still unpacked.
        notes = self.watch.taken()
        return wire.encode({**wire.decode(answer), "forbidden": notes}) if notes else answer

    def _explained(self, error: BaseException) -> dict[str, Any]:
        """A name that is not there because of an import or a statement that failed earlier tells of that one."""
        failed, module = self.submission.failed, self.submission.module
        absent = isinstance(error, NameError) or (isinstance(error, AttributeError) and error.obj is module)
        trouble = failed.get(getattr(error, "name", "") or "", failed.get(ANY_NAME)) if absent else None
        return {"trouble": _plain_trouble(trouble)} if trouble else raised(error, self.files)


def raised(error: BaseException, files: Container[str]) -> dict[str, Any]:
    """What an exception tells: the names of its built-in classes, its text, the student's own line."""
    names = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
    text = loader.safe_text(error)
    if isinstance(error, RuntimeError) and "can't allocate memory" in text:
        names.insert(0, "MemoryError")
    where, line = loader.own_place(error, files)
    return {"raised": names, "text": text, "where": where, "line": line}


def reset(seed: int) -> None:
    """Global state as a fresh process has it, so that one call's leftovers reach no other call."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    np.seterr(all="warn")
    torch = sys.modules.get("torch")
    if torch is not None:
        (torch.manual_seed if real_gpu() else torch.default_generator.manual_seed)(seed)
        torch.set_grad_enabled(True)
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
        machine.same_arithmetic(torch)


def _probe(name: str, source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(source, f"<probe {name}>", "exec"), namespace)
    return namespace[name]


def _from_module(place: str, source: str, attribute: str) -> Any:
    module = types.ModuleType(place)
    sys.modules[place] = module
    loaded = loader.load(module, [source], f"{place}.py", [attribute])
    if loaded.failed or loaded.broken:
        raise ImportError(f"{place}.{attribute}: {loaded.failed} {[trouble for _, trouble in loaded.broken]}")
    return getattr(module, attribute)


def _plain_trouble(trouble: statements.Trouble | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    return {"kind": trouble.kind, "text": trouble.text, "where": trouble.where, "line": trouble.line}
