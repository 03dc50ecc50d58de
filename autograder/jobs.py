"""What a worker is asked to do and what it answers, as plain data.

Answers come from a process in which a student's code runs: each is checked, cut to size and taken for no more than
"this is what my call returned". What a student may read of one (the class of an exception, a line of their own code)
is held against what there is, so that no answer carries a hidden input out.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from autograder import wire
from autograder.channel import printable
from autograder.worker.parcels import pack
from autograder.worker.statements import places

Ending = Literal["returned", "raised", "absent", "timeout", "memory", "crash"]

_TEXT: Final = 500  # characters of what an exception says
_MOST: Final = 20  # classes of an exception, forbidden calls of one call, functions that led to one


@dataclass(frozen=True, slots=True)
class Source:
    """What a worker loads.

    Attributes:
        name: of the assignment, under which the module can be imported.
        file: as the student knows it.
        cells: sources in order; a module is one cell.
        modules: the submission's other modules, by dotted name.
        replace: names to be taken from one of the modules instead, as {name: (module, attribute)}.
        forbidden: dotted names whose calls are noted.
    """

    name: str
    file: str
    cells: tuple[str, ...]
    modules: Mapping[str, str] = field(default_factory=dict[str, str])
    replace: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Call:
    """One call of a student's function, or of a probe that is given such functions first.

    Attributes:
        functions: names of the submission's functions; without a probe, the one to call.
        probe: name and source of the probe, if any.
        args, kwargs: plain data.
        watch: whether to notice that the arguments were changed.
        seed: for every generator of random numbers in the worker.
        gpus: that the machine seems to have (see `worker.machine`); None leaves it as it is.
    """

    functions: tuple[str, ...]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    probe: tuple[str, str] | None = None
    watch: bool = False
    seed: int = 0
    gpus: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Offence:
    """A forbidden call that was noted.

    Attributes:
        name: what was called.
        line: the student's own, if any.
        functions: of the student's that led to it, innermost first.
    """

    name: str
    line: int | None
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one call.

    Attributes:
        ending: how it ended.
        value: what was returned, as plain data.
        changed: whether the arguments were changed, where that was watched.
        classes: names of the built-in classes of an exception, nearest first.
        text: what the exception says.
        line, where: the student's own line of an exception, and the file or cell that it stands in.
        output: what the worker printed, cut off.
        offences: forbidden calls that were noted.
        suspicions: of a job's first call, what in the source looks like one; for people to look at.
    """

    ending: Ending
    value: Any = None
    changed: bool = False
    classes: tuple[str, ...] = ()
    text: str = ""
    line: int | None = None
    where: str = ""
    output: str = ""
    offences: tuple[Offence, ...] = ()
    suspicions: tuple[str, ...] = ()


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


def frames(source: Source, calls: Sequence[Call], *, together: bool = False) -> bytes:
    """What a worker is sent, as `worker.calls` reads it: the job, and call after call.

    Args:
        source: what to load.
        calls: to make.
        together: let answers wait for each other: faster, and a worker that dies takes some with it.
    """
    job: dict[str, Any] = {
        "name": source.name,
        "file": source.file,
        "cells": list(source.cells),
        "modules": dict(source.modules),
        "replace": dict(source.replace),
        "forbidden": list(source.forbidden),
        "wanted": sorted({name for call in calls for name in call.functions}),
        "probes": {call.probe[0]: call.probe[1] for call in calls if call.probe},
        "first": [calls[0].functions[0], _listed(calls[0].gpus)],
        "together": together,
        "calls": len(calls),
    }
    return b"".join([wire.frame(wire.encode(job)), *map(_frame, calls)])


def _frame(call: Call) -> bytes:
    """A call on its way: the same bytes for every submission of a class."""
    if call not in _frames:
        probe = call.probe[0] if call.probe else None
        arguments = (list(call.args), dict(call.kwargs))
        plain = [list(call.functions), probe, *arguments, call.watch, call.seed, _listed(call.gpus)]
        _frames[call] = wire.frame(pack(plain))
    return _frames[call]


_frames: Final = weakref.WeakKeyDictionary[Call, bytes]()


def _listed(gpus: tuple[str, ...] | None) -> list[str] | None:
    return None if gpus is None else list(gpus)


class Answers:
    """Reads what a worker says about one source.

    Every method raises `wire.WireError` for what no worker says.
    """

    def __init__(self, source: Source) -> None:
        texts = places(source.file, source.cells, source.modules)
        self._lines = {where: text.count("\n") + 1 for where, text in texts.items()}

    def absent(self, answer: Any) -> Mapping[str, Any]:
        """Of the first answer: per function that is not there, its trouble."""
        match answer:
            case {"absent": dict(absent)}:
                return absent
            case _:
                raise wire.WireError("not what a worker says")

    def uses(self, answer: Any, function: str) -> frozenset[str]:
        """Of the first answer: the names that a function reads, directly or through others."""
        match answer:
            case {"uses": {**uses}}:
                names = uses.get(function)
                return (
                    frozenset(name for name in names if isinstance(name, str))
                    if isinstance(names, list)
                    else frozenset()
                )
            case _:
                raise wire.WireError("not what a worker says")

    def suspicions(self, answer: Any) -> tuple[str, ...]:
        """Of the first answer: what a person should look at, in words."""
        match answer:
            case {"suspicions": list(found)}:
                return tuple(map(self._suspicion, found[:_MOST]))
            case _:
                raise wire.WireError("not what a worker says")

    def _suspicion(self, item: Any) -> str:
        match item:
            case (str(what), where, line):
                where, line = self._own(where, line)
                return f"{where}, line {line}: {printable(what[:_TEXT])}"
            case _:
                raise wire.WireError("not what a worker says")

    def missing(self, trouble: Any) -> Observation:
        """What comes of calling a function that is not there."""
        return Observation("absent") if trouble is None else self._trouble(trouble, "absent")

    def observation(self, answer: Any, output: str) -> Observation:
        """What came of one call."""
        match answer:
            case {"returned": value, **rest}:
                changed = rest.get("changed") is True
                return Observation(
                    "returned", value=value, changed=changed, output=output, offences=self._offences(answer)
                )
            case {"raised": list(classes), "text": str(text), "where": where, "line": line}:
                names = tuple(name for name in classes[:_MOST] if isinstance(name, str))
                where, line = self._own(where, line)
                return Observation(
                    "memory" if "MemoryError" in names else "raised",
                    classes=names,
                    text=printable(text[:_TEXT]),
                    line=line,
                    where=where,
                    output=output,
                    offences=self._offences(answer),
                )
            case {"trouble": trouble}:
                return self._trouble(trouble, "raised")
            case _:
                raise wire.WireError("not what a worker says")

    def _trouble(self, trouble: Any, ending: Ending) -> Observation:
        match trouble:
            case {"kind": str(kind), "text": str(text), "where": where, "line": line}:
                where, line = self._own(where, line)
                return Observation(
                    ending, classes=(kind, "Exception"), text=printable(text[:_TEXT]), line=line, where=where
                )
            case _:
                raise wire.WireError("not what a worker says")

    def _offences(self, answer: Mapping[str, Any]) -> tuple[Offence, ...]:
        notes = answer.get("forbidden")
        return tuple(map(self._offence, notes[:_MOST])) if isinstance(notes, list) else ()

    def _offence(self, note: Any) -> Offence:
        match note:
            case (str(name), line, list(functions)):
                own = any(self._own(where, line)[1] for where in self._lines)
                led = tuple(printable(function[:_TEXT]) for function in functions[:_MOST] if isinstance(function, str))
                return Offence(printable(name[:_TEXT]), line if own else None, led)
            case _:
                raise wire.WireError("not what a worker says")

    def _own(self, where: Any, line: Any) -> tuple[str, int | None]:
        """A place in the student's own code; of anything else, what is true of it."""
        if not isinstance(where, str) or where not in self._lines:
            return "", None
        return where, line if type(line) is int and 1 <= line <= self._lines[where] else None
