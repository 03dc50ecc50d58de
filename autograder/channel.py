"""A conversation with a worker that may say anything, nothing, or too much: never blocks past its deadline."""

from __future__ import annotations

import os
import selectors
import socket
import time
from typing import Any, Final

from autograder import wire

KEPT_OUTPUT: Final = 4096
_CHUNK: Final = 1 << 18


class LateError(Exception):
    """The deadline passed first."""


class ClosedError(Exception):
    """The other side closed the channel, or ended."""


class FloodError(Exception):
    """The other side sends more in all than this one is willing to keep."""


def printable(text: str) -> str:
    """A text without what steers a terminal, or makes it read otherwise than it is: escapes, bidi marks, NUL."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


class Channel:
    """Frames to and from a worker on a socket, while its printed output is drained from a pipe.

    Attributes:
        room: bytes of frames that may still come.
        output: the first part of what was printed so far.
    """

    def __init__(self, job: socket.socket, output: int, room: int) -> None:
        self.room = room
        self._job = job
        self._pipe: int | None = output
        job.setblocking(False)
        os.set_blocking(output, False)
        self._outgoing = memoryview(b"")
        self._incoming = bytearray()
        self._printed = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(job, selectors.EVENT_READ)
        self._selector.register(output, selectors.EVENT_READ)

    @property
    def output(self) -> str:
        if not self._incoming:  # else there is another answer already: it is soon enough to look then
            self._drain()
        return printable(self._printed.decode("utf-8", "replace"))

    @property
    def pending(self) -> bool:
        """Whether part of a frame has come."""
        return bool(self._incoming)

    def close(self) -> None:
        self._selector.close()
        self._job.close()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def send(self, data: bytes) -> None:
        """Queue bytes; they leave while `receive` waits, so that a worker that never reads blocks nobody."""
        self._outgoing = memoryview(data)
        self._selector.modify(self._job, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def receive(self, deadline: float) -> Any:
        """The value of the next frame.

        Args:
            deadline: on the monotonic clock.

        Raises:
            LateError, ClosedError, FloodError: there is no next frame.
            wire.WireError: it is not a value.
        """
        while (payload := self._frame()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LateError
            for key, events in self._selector.select(left):
                if key.fileobj is not self._job:
                    self._drain()
                    continue
                if events & selectors.EVENT_WRITE:
                    self._write()
                if events & selectors.EVENT_READ:
                    self._read()
        return wire.decode(payload)

    def _frame(self) -> bytes | None:
        header = wire.HEADER.size
        if len(self._incoming) < header:
            return None
        size = wire.HEADER.unpack_from(self._incoming)[0]
        if size > wire.MAX_BYTES:
            raise wire.WireError("a frame that is too large")
        if size > self.room:
            raise FloodError
        if len(self._incoming) < header + size:
            return None
        payload = bytes(self._incoming[header : header + size])
        del self._incoming[: header + size]
        self.room -= size
        return payload

    def _write(self) -> None:
        try:
            self._outgoing = self._outgoing[self._job.send(self._outgoing) :]
        except BlockingIOError:
            return
        except OSError:  # it has ended: what it said before is still to be read
            self._outgoing = memoryview(b"")
        if not self._outgoing:
            self._selector.modify(self._job, selectors.EVENT_READ)

    def _read(self) -> None:
        try:
            data = self._job.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise ClosedError from error
        if not data:
            raise ClosedError
        self._incoming += data

    def _drain(self) -> None:
        """Take what was printed; only the first part is kept."""
        if self._pipe is None:
            return
        try:
            data = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._printed += data[: KEPT_OUTPUT - len(self._printed)]
        else:
            self._selector.unregister(self._pipe)
            os.close(self._pipe)
            self._pipe = None
