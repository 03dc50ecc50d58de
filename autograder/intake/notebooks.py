"""Notebooks: the source of the code cells and the assignment they were built for, whatever else there is.

A notebook's outputs may be large (thirty megabytes of pictures are honest), so they are not decoded at all:
a reader steps through the JSON and makes strings of nothing but the code. It does not recurse, and what it
makes is bounded by the code that is accepted: anything else costs no more memory than its bytes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder.intake.files import MB, SOURCE_LIMIT, RefusedError
from autograder.intake.text import checked

CELL_LIMIT = 5_000
STEP_LIMIT = 200_000  # cells and keys
STRING_LIMIT = 6_000  # bytes of a key, or of a value that says what something is
BRACKET_LIMIT = 1_000_000  # lists and objects that are stepped over
NESTING_LIMIT = 200  # of them in each other

# A string ends at its first quote, unless that one is escaped: only then is it gone through with more care.
_STRING = rb'(?:"[^"]*+(?<!\\)"|"[^"\\]*+(?:\\.[^"\\]*+)*+")'
_AT_STRING = re.compile(_STRING, re.DOTALL)
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+", re.DOTALL)
_SCALAR = re.compile(rb'[^\s"\[\]{},:]++')
_SPACE = re.compile(rb"[ \t\r\n]*+")
_AT_SOURCE = re.compile(  # a string, or a list of nothing but strings
    _STRING + rb"|\[\s*+(?:" + _STRING + rb"\s*+(?:,\s*+" + _STRING + rb"\s*+)*+)?+\]", re.DOTALL
)
_decode = json.JSONDecoder(strict=False).decode


@dataclass(frozen=True, slots=True)
class Notebook:
    """What grading wants of a notebook.

    Attributes:
        cells: the sources of its code cells, in order.
        assignment: which one its metadata says that it was built for.
    """

    cells: tuple[str, ...]
    assignment: str | None


class _BrokenError(Exception):
    """The bytes are not the JSON of a notebook."""


class _CutShortError(_BrokenError):
    """They end before the JSON does."""


def read_notebook(data: bytes) -> Notebook:
    """The code of a notebook; a `RefusedError` where the file is no notebook or its code is too much."""
    try:
        return _Reader(data).notebook()
    except _BrokenError as error:
        raise RefusedError(_diagnosis(data, isinstance(error, _CutShortError))) from error


def _diagnosis(data: bytes, cut_short: bool) -> str:
    """Why a notebook could not be read, in the order in which students need to know."""
    if not data.strip():
        return "it is empty"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "it is UTF-16 text; save it as UTF-8"
    if not data.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
        return "it is not a notebook: its content is not JSON"
    if cut_short:
        return "it is cut short in the middle, as by an upload that broke off; upload it again"
    return "it is damaged: its content is not that of a notebook; open and save it in Jupyter or Colab"


class _Reader:
    """Steps through JSON. Every method starts at a value and leaves `at` behind it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        self.room = SOURCE_LIMIT
        self.steps = STEP_LIMIT
        self.brackets = BRACKET_LIMIT

    def notebook(self) -> Notebook:
        cells: tuple[str, ...] | None = None
        assignment: str | None = None
        for key in self.members():
            if key == "cells":
                cells = self.cells()
            elif key == "metadata":
                assignment = self.inner("autograder", "assignment")
            else:
                self.skip()
        if cells is None or self.peek() is not None:
            raise _BrokenError
        return Notebook(cells, assignment)

    def cells(self) -> tuple[str, ...]:
        sources: list[str] = []
        for number, _ in enumerate(self.items()):
            if number == CELL_LIMIT:
                raise RefusedError(f"it has more than {CELL_LIMIT:,} cells")
            source = self.cell()
            if source is not None:
                sources.append(source)
        return tuple(sources)

    def cell(self) -> str | None:
        """A code cell's source; None for any other cell."""
        kind: str | None = None
        given: str | None = None
        source: int | None = None
        for key in self.members():
            if key == "cell_type":
                kind = self.text()
                continue
            if key == "metadata":
                given = self.inner("nbgrader", "cell_type")
                continue
            if key == "source":
                self.peek()
                source = self.at
            self.skip()
        # nbgrader notes as what a cell was handed out: code that was turned into text by a slip is code all the same.
        if "code" not in (kind, given):
            return None
        if source is None:
            raise _BrokenError
        # Only now: a Markdown cell may hold a picture in its source, and that is no code.
        behind, self.at = self.at, source
        text = checked(self.source())
        self.at = behind
        return text

    def source(self) -> str:
        """A string or a list of strings, joined, no longer in all than the room that is left for code."""
        start, self.at = self.at, self.match(_AT_SOURCE)
        # Written with escapes and as one string per line, it may be several times as long.
        if self.at - start <= 8 * SOURCE_LIMIT:
            text = "".join(self.decoded(start))
            self.room -= len(text.encode(errors="replace"))
            if self.room >= 0:
                return text
        raise RefusedError(f"its code is larger than {SOURCE_LIMIT // MB} MB")

    def inner(self, section: str, entry: str) -> str | None:
        """Of metadata, the text of an entry in a section of it, if there is one."""
        found: str | None = None
        for key in self.members_if_any():
            if key != section:
                self.skip()
                continue
            for inner in self.members_if_any():
                if inner == entry and self.peek() == b'"':
                    found = self.text()
                else:
                    self.skip()
        return found

    def members(self) -> Iterator[str]:
        """The keys of an object; whoever takes one must step over its value before the next."""
        if not self.enter(b"{", b"}"):
            return
        while True:
            self.step()
            key = self.text()
            self.take(b":")
            yield key
            if self.take(b",}") == b"}":
                return

    def members_if_any(self) -> Iterator[str]:
        """The keys of an object; none of any other value, which is stepped over."""
        if self.peek() == b"{":
            yield from self.members()
        else:
            self.skip()

    def items(self) -> Iterator[None]:
        """One turn per item of a list; each must be stepped over before the next."""
        if not self.enter(b"[", b"]"):
            return
        while True:
            self.step()
            yield
            if self.take(b",]") == b"]":
                return

    def enter(self, opening: bytes, closing: bytes) -> bool:
        """Step into a list or object; False, and behind it, where it is empty."""
        self.take(opening)
        if self.peek() != closing:
            return True
        self.at += 1
        return False

    def skip(self) -> None:
        """Step over any value without making anything of it."""
        first = self.peek()
        if first == b'"':
            self.at = self.match(_AT_STRING)
        elif first in (b"[", b"{"):
            self.skip_brackets()
        else:
            self.at = self.match(_SCALAR)

    def skip_brackets(self) -> None:
        depth = 0
        while True:
            between = _TO_BRACKET.match(self.data, self.at)
            assert between is not None  # it matches nothing, too
            bracket = self.data[between.end() : between.end() + 1]
            self.at = between.end() + 1
            if bracket in (b"[", b"{"):
                self.brackets -= 1
                depth += 1
                if depth > NESTING_LIMIT or self.brackets < 0:
                    raise RefusedError("its outputs hold more lists and objects than those of a notebook do")
            elif bracket in (b"]", b"}"):
                depth -= 1
                if depth == 0:
                    return
            else:  # the end, or a string that has none
                raise _CutShortError

    def text(self) -> str:
        """A short string."""
        if self.peek() not in (None, b'"'):
            raise _BrokenError
        start, self.at = self.at, self.match(_AT_STRING)
        if self.at - start > STRING_LIMIT:
            raise _BrokenError
        return "".join(self.decoded(start))

    def decoded(self, start: int) -> str | list[str]:
        """The string or list of strings between there and here."""
        try:
            return _decode(self.data[start : self.at].decode())
        except UnicodeDecodeError as error:
            raise RefusedError("it is not UTF-8 text; save it as UTF-8") from error
        except ValueError as error:
            raise _BrokenError from error

    def take(self, expected: bytes) -> bytes:
        """Step over one of these characters and say which."""
        character = self.peek()
        if character is None:
            raise _CutShortError
        if character not in expected:
            raise _BrokenError
        self.at += 1
        return character

    def peek(self) -> bytes | None:
        """The next character that is not space; None at the end."""
        self.at = self.match(_SPACE)
        return self.data[self.at : self.at + 1] or None

    def match(self, pattern: re.Pattern[bytes]) -> int:
        """Where a pattern that starts here ends."""
        found = pattern.match(self.data, self.at)
        if found is None:
            unfinished = self.data[self.at : self.at + 1] in (b"", b'"')
            raise _CutShortError if unfinished else _BrokenError
        return found.end()

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise RefusedError(f"it holds more than {STEP_LIMIT:,} cells and entries about them")
