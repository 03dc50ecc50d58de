"""Zygotes and their workers, as the trusted side holds them: gives jobs, keeps deadlines, kills.

What a worker sends is plain data, checked on arrival, and means no more than "this is what my call returned".
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from autograder import wire
from autograder.channel import Channel, ClosedError, FloodError, LateError
from autograder.identity import Identities
from autograder.jobs import Answers, Call, Limits, Observation, Source, frames
from autograder.scratch import is_full, scratch

RETRIES: Final = 3
_ROOM: Final = 4 * wire.MAX_BYTES  # for all answers to one job: they are kept until they are judged
_DYING: Final = 0.2  # seconds that a process which has closed its channel is given to be gone by itself
_STANDING: Final = 30.0  # seconds for a worker to raise its walls: whatever time a submission has left
_GLANCE: Final = 0.25  # seconds between two looks at how much a worker has written
_WRONG: Final = (LateError, ClosedError, FloodError, wire.WireError)

_Result = TypeVar("_Result")


class SandboxError(Exception):
    """The kit's own processes failed, not a student's."""


class Zygote:
    """A process that forks one worker at a time; started when first needed, and again should it die."""

    def __init__(self, branch: Callable[[], socket.socket], identities: Identities) -> None:
        self._branch = branch
        self._identities = identities
        self._control: socket.socket | None = None

    def close(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None

    def observe(
        self, source: Source, calls: Sequence[Call], limits: Limits, *, once: bool = False
    ) -> list[Observation]:
        """Make calls, in a fresh worker for as long as it lives and in another from the next call on when it does not.

        Args:
            source: what to load.
            calls: made in order.
            limits: absolute; calls for which no time is left end as "timeout".
            once: use one worker, and return what came until it ended; of that, some may be lost.
        """
        observed: list[Observation] = []
        end = time.monotonic() + limits.load + limits.job
        room, patience = _ROOM, limits.job
        while len(observed) < len(calls):
            if time.monotonic() > end or patience <= 0 or room <= 0:
                left = Observation("timeout" if room > 0 else "memory")
                return observed + [left] * (len(calls) - len(observed))
            rest = calls[len(observed) :]
            more, room = self._attempt(
                lambda worker, rest=rest: worker.work(source, rest, limits, end, together=once), room
            )
            patience -= limits.call * (more[-1].ending == "timeout")  # the time to load anew is no call's fault
            observed += more
            if once:
                break
        return observed

    def uses(self, source: Source, function: str, limits: Limits) -> frozenset[str]:
        """The names that one of a source's functions reads, directly or through its others."""
        return self._attempt(lambda worker: worker.uses(source, function, limits), _ROOM)[0]

    def _attempt(self, work: Callable[[_Worker], _Result], room: int) -> tuple[_Result, int]:
        """What one worker comes to, and the room it leaves; a zygote that dies meanwhile costs a retry, no result."""
        for _ in range(RETRIES):
            try:
                with _Worker(self, self._identities, room) as worker:
                    return work(worker), worker.room
            except OSError:  # the zygote is gone, or too many files are open for the moment
                self.close()
        raise SandboxError("The process that forks workers dies again and again.")

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

    def __init__(self, zygote: Zygote, identities: Identities, room: int) -> None:
        self._zygote = zygote
        self._identities = identities
        self._room = room
        self._ended = True
        self._next_look = time.monotonic() + _GLANCE

    @property
    def room(self) -> int:
        """Bytes of answers for which there is still room."""
        return self._channel.room

    def __enter__(self) -> _Worker:
        with contextlib.ExitStack() as stack:
            uid = self._identities.next()
            self._folder = folder = stack.enter_context(scratch(uid))
            ours, theirs = map(stack.enter_context, socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
            output, printed = os.pipe()
            try:
                self._channel = Channel(ours, output, self._room)
            except OSError:  # no more descriptors, for instance
                os.close(output)
                os.close(printed)
                raise
            stack.callback(self._channel.close)
            command = {"do": "spawn", "uid": uid, "scratch": folder, "cpu_seconds": 60}
            try:
                with theirs:
                    self._zygote.command(command, [theirs.fileno(), printed])
            finally:
                os.close(printed)
            self._clean = stack.pop_all()
        self._ended = False
        return self

    def __exit__(self, *_: object) -> None:
        with self._clean:
            if not self._ended:
                self._end()

    def _end(self, patience: float = 0.0) -> dict[str, Any]:
        self._ended = True
        return self._zygote.command({"do": "end", "patience": patience})

    def uses(self, source: Source, function: str, limits: Limits) -> frozenset[str]:
        self._stand()
        self._channel.send(frames(source, [Call((function,))]))
        try:
            return Answers(source).uses(self._receive(time.monotonic() + limits.load), function)
        except _WRONG:
            return frozenset()

    def work(
        self, source: Source, calls: Sequence[Call], limits: Limits, end: float, *, together: bool
    ) -> list[Observation]:
        self._stand()
        answers = Answers(source)
        self._channel.send(frames(source, calls, together=together))
        try:
            loaded = self._receive(min(end, time.monotonic() + limits.load))
            troubles, suspicions = answers.absent(loaded), answers.suspicions(loaded)
        except _WRONG as error:
            # Whatever is called, the loading would end like this again.
            return [self._ending(error)] * len(calls)
        observed: list[Observation] = []
        for call in calls:
            deadline = min(end, time.monotonic() + limits.call)
            try:
                answer = self._receive(deadline)
                absent = next((name for name in call.functions if name in troubles), None)
                if absent is not None:
                    observed.append(answers.missing(troubles[absent]))
                else:
                    observed.append(answers.observation(answer, self._channel.output))
                if suspicions:
                    observed[-1], suspicions = replace(observed[-1], suspicions=suspicions), ()
            except _WRONG as error:
                return [*observed, self._ending(error)]
        if self._says_more():
            return [Observation("crash", text="more answers than calls", output=self._channel.output)] * len(calls)
        return observed

    def _receive(self, deadline: float) -> Any:
        """The next answer, unless the worker has filled its scratch folder meanwhile."""
        while True:
            try:
                return self._channel.receive(min(deadline, self._next_look))
            except LateError:
                if deadline <= self._next_look:
                    raise
            finally:
                self._look()

    def _look(self) -> None:
        """Every now and then: has it written too much? Then FloodError."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _GLANCE
            if is_full(self._folder):
                raise FloodError

    def _says_more(self) -> bool:
        """Whether it sends more than it was asked for; a worker that has answered ends at once."""
        try:
            self._channel.receive(time.monotonic() + _DYING)
        except (LateError, ClosedError):
            return self._channel.pending
        except (FloodError, wire.WireError):
            pass
        return True

    def _stand(self) -> None:
        """Hear that the walls stand, before anything of a student's is sent.

        Raises:
            SandboxError: the worker says that they do not.
            OSError: it does not come up, killed by the system for instance: worth another try.
        """
        try:
            self._channel.receive(time.monotonic() + _STANDING)
        except _WRONG as error:
            self._end()
            if words := self._channel.output.strip():
                raise SandboxError(words) from error
            raise ConnectionAbortedError("a worker did not come up") from error

    def _ending(self, error: Exception) -> Observation:
        output = self._channel.output
        how = self._end(_DYING if isinstance(error, ClosedError) else 0.0)
        if isinstance(error, LateError) or how["status"] == -24:  # SIGXCPU
            return Observation("timeout", output=output)
        if isinstance(error, FloodError) or (how["by_itself"] and how["status"] == -9):
            return Observation("memory", output=output)
        return Observation("crash", text=f"exit status {how['status']}", output=output)
