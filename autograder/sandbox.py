"""The trusted side of the split: starts zygotes, gives workers their jobs, keeps deadlines, kills.

This process never imports, executes or unpickles anything of a student's. What a worker sends is plain data, checked
on arrival, and means no more than "this is what my call returned".
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autograder import wire
from autograder.channel import Channel, Closed, Late
from autograder.identity import Identities

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from autograder.worker.zygote import ancestor; ancestor(int(sys.argv[2]), sys.argv[3].split(','))"
)
_RETRIES = 3

Ending = Literal["returned", "raised", "absent", "timeout", "memory", "crash"]


class SandboxError(Exception):
    """The kit's own processes failed, not a student's."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a worker loads.

    Attributes:
        name: of the assignment, under which the module can be imported.
        file: as the student knows it.
        cells: sources in order; a module is one cell.
        modules: the submission's other modules, by dotted name.
        replace: names to be taken from one of the modules instead, as {name: (module, attribute)}.
    """

    name: str
    file: str
    cells: tuple[str, ...]
    modules: Mapping[str, str] = field(default_factory=dict[str, str])
    replace: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a student's function, or of a probe that is given such functions first.

    Attributes:
        functions: names of the submission's functions; without a probe, the one to call.
        probe: name and source of the probe, if any.
        args, kwargs: plain data.
        watch: whether to notice that the arguments were changed.
        seed: for every generator of random numbers in the worker.
    """

    functions: tuple[str, ...]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    probe: tuple[str, str] | None = None
    watch: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one call.

    Attributes:
        ending: how it ended.
        value: what was returned, as plain data.
        changed: whether the arguments were changed, where that was watched.
        classes: names of the built-in classes of an exception, nearest first.
        text: what the exception says.
        line, where: the student's own line of an exception.
        output: what the worker printed, cut off.
    """

    ending: Ending
    value: Any = None
    changed: bool = False
    classes: tuple[str, ...] = ()
    text: str = ""
    line: int | None = None
    where: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of wall-clock time.

    Attributes:
        load: for loading a submission.
        call: for one call.
        job: for all calls of a job together.
    """

    load: float = 20.0
    call: float = 6.0
    job: float = 20.0


class Sandbox:
    """A warm ancestor for one set of libraries, and its two zygotes. To be used and closed by one thread.

    Attributes:
        students: the zygote for submissions; it never sees anything secret.
        references: the zygote for masters and misconceptions.
    """

    def __init__(self, libraries: Sequence[str], identities: Identities) -> None:
        self._libraries = tuple(libraries)
        self._identities = identities
        self._ancestor: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.students = Zygote(self._branch, identities)
        self.references = Zygote(self._branch, identities)

    def close(self) -> None:
        """End every process; a second call does nothing."""
        for zygote in (self.students, self.references):
            zygote.close()
        if self._control is not None:
            self._control.close()
        if self._ancestor is not None:
            self._ancestor.kill()
            self._ancestor.wait()
        self._control = self._ancestor = None

    def _branch(self) -> socket.socket:
        """The control socket of a new zygote."""
        for _ in range(_RETRIES):
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
            try:
                control = self._control or self._start()
                with theirs:
                    socket.send_fds(control, [wire.encode({"do": "branch"})], [theirs.fileno()])
                if control.recv(4096):
                    return ours
            except OSError:
                pass
            ours.close()
            self._control = None
        raise SandboxError("The warm process that forks workers dies as soon as it is started.")

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = str(Path(__file__).resolve().parent.parent)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with theirs:
            self._ancestor = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, root, str(theirs.fileno()), ",".join(self._libraries)],
                cwd="/",
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "Agg", "CUDA_VISIBLE_DEVICES": "", **threads},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self._control = ours
        if not ours.recv(4096):
            assert self._ancestor.stderr is not None
            words = self._ancestor.stderr.read().decode(errors="replace").strip().splitlines()
            raise SandboxError(f"The warm process could not start: {words[-1] if words else 'no reason given'}")
        return ours


class Zygote:
    """A process that forks one worker at a time; started when first needed, and again should it die."""

    def __init__(self, branch: Callable[[], socket.socket], identities: Identities) -> None:
        self._branch = branch
        self._identities = identities
        self._control: socket.socket | None = None
        self.seconds = 0.0  # of processor time that workers have used

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    def observe(self, source: Source, calls: Sequence[Call], limits: Limits) -> list[Observation]:
        """Make calls, in a fresh worker for as long as it lives and in another from the next call on when it does not.

        Args:
            source: what to load.
            calls: made in order.
            limits: absolute; calls for which no time is left end as "timeout".
        """
        observed: list[Observation] = []
        end = time.monotonic() + limits.load + limits.job
        while len(observed) < len(calls):
            if time.monotonic() > end:
                observed += [Observation("timeout")] * (len(calls) - len(observed))
                break
            observed += self._attempt(source, calls[len(observed) :], limits, end)
        return observed

    def _attempt(self, source: Source, calls: Sequence[Call], limits: Limits, end: float) -> list[Observation]:
        """At least one observation, from one worker; a zygote that dies meanwhile costs a retry, never a result."""
        for _ in range(_RETRIES):
            try:
                with _Worker(self, self._identities) as worker:
                    return worker.work(source, calls, limits, end)
            except OSError:  # the zygote is gone, or too many files are open for the moment
                self.close()
        raise SandboxError("The process that forks workers dies again and again.")

    def uses(self, source: Source, function: str, limits: Limits) -> frozenset[str]:
        """The names that one of a source's functions reads, directly or through its others."""
        with _Worker(self, self._identities) as worker:
            return worker.uses(source, function, limits)

    def parse(self, text: str, file: str) -> None:
        """Let the zygote parse a text that many jobs will load; for references only, as some texts break the parser."""
        with contextlib.suppress(OSError):
            self.command({"do": "parse", "text": text, "file": file})

    def command(self, command: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Tell the zygote something and hear its answer; OSError where it is gone."""
        if self._control is None:
            self._control = self._branch()
        socket.send_fds(self._control, [wire.encode(command)], list(descriptors))
        answer = self._control.recv(4096)
        if not answer:
            raise ConnectionResetError("the zygote is gone")
        return wire.decode(answer)


class _Worker:
    """One worker, from its fork to its end, with its scratch folder and its uid."""

    def __init__(self, zygote: Zygote, identities: Identities) -> None:
        self._zygote = zygote
        self._identities = identities

    def __enter__(self) -> _Worker:
        self._scratch = tempfile.mkdtemp(prefix="worker-")
        self._uid = self._identities.next()
        if self._uid is not None:
            os.chown(self._scratch, self._uid, self._uid)
        job, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        output, printed = os.pipe()
        self._channel = Channel(job, output)
        self._ended = True
        command = {"do": "spawn", "uid": self._uid, "scratch": self._scratch, "cpu_seconds": 60}
        try:
            with theirs:
                self._zygote.command(command, [theirs.fileno(), printed])
        except BaseException:
            self._clean()
            raise
        finally:
            os.close(printed)
        self._ended = False
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if not self._ended:
                self._end()
        finally:
            self._clean()

    def _clean(self) -> None:
        self._channel.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _end(self) -> dict[str, Any]:
        self._ended = True
        how = self._zygote.command({"do": "end"})
        self._zygote.seconds += how["seconds"]
        return how

    def uses(self, source: Source, function: str, limits: Limits) -> frozenset[str]:
        self._stand(limits)
        self._channel.send(wire.frame(wire.encode(_job(source, [Call((function,))]))))
        try:
            match self._channel.receive(time.monotonic() + limits.load):
                case {"uses": {**uses}}:
                    return frozenset(name for name in uses.get(function, ()) if isinstance(name, str))
                case _:
                    return frozenset()
        except (Late, Closed, wire.WireError):
            return frozenset()

    def work(self, source: Source, calls: Sequence[Call], limits: Limits, end: float) -> list[Observation]:
        self._stand(limits)
        now = time.monotonic()
        self._channel.send(wire.frame(wire.encode(_job(source, calls))))
        try:
            troubles = self._absent(self._channel.receive(min(end, now + limits.load)))
        except (Late, Closed, wire.WireError) as error:
            # Whatever is called, the loading would end like this again.
            return [self._ending(error)] * len(calls)
        observed: list[Observation] = []
        for call in calls:
            deadline = min(end, time.monotonic() + limits.call)
            try:
                answer = self._channel.receive(deadline)
                absent = next((name for name in call.functions if name in troubles), None)
                observed.append(_absent(troubles[absent]) if absent else _observation(answer, self._channel.output))
            except (Late, Closed, wire.WireError) as error:
                return [*observed, self._ending(error)]
        return observed

    def _stand(self, limits: Limits) -> None:
        """Hear that the walls stand, before anything of a student's is sent."""
        try:
            self._channel.receive(time.monotonic() + limits.load)
        except (Late, Closed, wire.WireError) as error:
            self._end()
            raise SandboxError(self._channel.output.strip() or "A worker did not come up.") from error

    def _absent(self, answer: Any) -> dict[str, Any]:
        match answer:
            case {"absent": dict(absent)}:
                return absent
            case _:
                raise wire.WireError("not what a worker says")

    def _ending(self, error: Exception) -> Observation:
        output = self._channel.output
        how = self._end()
        if isinstance(error, Late) or how["status"] == -24:  # SIGXCPU
            return Observation("timeout", output=output)
        if how["by_itself"] and how["status"] == -9:
            return Observation("memory", output=output)
        return Observation("crash", text=f"exit status {how['status']}", output=output)


def _job(source: Source, calls: Sequence[Call]) -> dict[str, Any]:
    return {
        "name": source.name,
        "file": source.file,
        "cells": list(source.cells),
        "modules": dict(source.modules),
        "replace": dict(source.replace),
        "wanted": sorted({name for call in calls for name in call.functions}),
        "probes": {call.probe[0]: call.probe[1] for call in calls if call.probe},
        "calls": [
            {
                "functions": list(call.functions),
                "probe": call.probe[0] if call.probe else None,
                "args": list(call.args),
                "kwargs": dict(call.kwargs),
                "watch": call.watch,
                "seed": call.seed,
            }
            for call in calls
        ],
    }


def _absent(trouble: Any) -> Observation:
    if trouble is None:
        return Observation("absent")
    return _trouble(trouble, "absent")


def _trouble(trouble: Any, ending: Ending) -> Observation:
    match trouble:
        case {"kind": str(kind), "text": str(text), "where": str(where), "line": int() | None as line}:
            return Observation(ending, classes=(kind, "Exception"), text=text, line=line, where=where)
        case _:
            raise wire.WireError("not what a worker says")


def _observation(answer: Any, output: str) -> Observation:
    match answer:
        case {"returned": value, **rest}:
            return Observation("returned", value=value, changed=bool(rest.get("changed")), output=output)
        case {"raised": list(classes), "text": str(text), "line": int() | None as line}:
            names = tuple(name for name in classes if isinstance(name, str))
            ending: Ending = "memory" if "MemoryError" in names else "raised"
            return Observation(ending, classes=names, text=text, line=line, output=output)
        case {"trouble": trouble}:
            return _trouble(trouble, "raised")
        case _:
            raise wire.WireError("not what a worker says")


@contextlib.contextmanager
def sandbox(libraries: Sequence[str]):
    """A sandbox for a `with` block."""
    with Identities() as identities:
        box = Sandbox(libraries, identities)
        try:
            yield box
        finally:
            box.close()
