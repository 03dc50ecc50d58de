"""Notices calls that an assignment does not allow, while a student's function makes them.

Three ways, each for what it sees best: NumPy's and torch's functions are wrapped under their own names; packages that
are forbidden whole are handed to the submission's imports as modules that note what is called; and torch tells which
of its operators a call comes down to, by whatever name it was called. A function, comment or unused import of the
student's own that merely bears such a name is never run into. Nothing here stops a call or changes its result.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import inspect
import sys
import threading
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

_OPERATORS: Final = "torch.ops.aten."
_MOST: Final = 20  # calls that are noted for one call of a test

Note = tuple[str, int | None, list[str]]


class Watch:
    """Notes forbidden calls.

    Args:
        names: dotted; a package's or module's name forbids all that stands below it.
        files: names of the student's own source files, as their code objects bear them.

    Attributes:
        notes: per forbidden call its name, the student's own line, and the student's functions that led to it.
    """

    def __init__(self, names: Iterable[str], files: Iterable[str]) -> None:
        self.notes: list[Note] = []
        self._mode: Any = None
        self._files = frozenset(files)
        names = list(names)
        self._operators = {name.removeprefix(_OPERATORS) for name in names if name.startswith(_OPERATORS)}
        loaded, packages = [], []
        for name in names:
            (loaded if name.partition(".")[0] in ("numpy", "torch") else packages).append(name)
        for name in loaded:
            if not name.startswith((_OPERATORS, "torch._C")):
                self._wrap(name)
        if packages:
            self._watch_imports(tuple(packages))
        if self._operators:
            self._watch_threads()

    def _watch_threads(self) -> None:
        """Which operators are noted is a matter of each thread: see to those that are started later too."""
        run = threading.Thread.run

        def watched(thread: threading.Thread) -> None:
            with _operator_mode(self, self._operators) if "torch" in sys.modules else nullcontext():
                run(thread)

        setattr(threading.Thread, "run", watched)  # noqa: B010

    @contextmanager
    def watching(self) -> Generator[None]:
        """Note torch's operators, too, that are called inside the block."""
        with self._dispatching():
            yield

    def taken(self) -> list[Note]:
        """What has been noted since this was asked last."""
        notes, self.notes = self.notes, []
        return notes

    def note(self, name: str, frame: types.FrameType | None) -> None:
        line, functions = None, list[str]()
        while frame is not None:
            code = frame.f_code
            if code.co_filename in self._files:
                line = frame.f_lineno if line is None else line
                functions.append(code.co_qualname.partition(".")[0])
            frame = frame.f_back
        noted = (name, line, functions)
        if len(self.notes) < _MOST and noted not in self.notes:
            self.notes.append(noted)

    def _own(self, frame: types.FrameType | None) -> bool:
        return frame is not None and frame.f_code.co_filename in self._files

    def _wrap(self, name: str) -> None:
        """Wrap a function under its own name, or those of a module that are defined in it."""
        place, _, attribute = name.rpartition(".")
        module = sys.modules.get(place)
        target = getattr(module, attribute, None)
        if isinstance(target, types.ModuleType):
            for inner, value in list(vars(target).items()):
                if isinstance(value, types.FunctionType) and not inner.startswith("_"):
                    setattr(target, inner, self.wrapped(f"{name}.{inner}", value))
        elif callable(target) and not isinstance(target, type):
            noting = self.wrapped(name, target)
            for home in _homes(place, target):
                if vars(home).get(attribute) is target:
                    setattr(home, attribute, noting)

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        # What torch's own Python code calls on the way is not the student's call; its operators are noted anyhow.
        only_direct = name.startswith("torch.") and not name.startswith("torch.autograd")

        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            caller = _caller(2)
            if not only_direct or self._own(caller):
                self.note(name, caller)
            return function(*args, **kwargs)

        del noting.__wrapped__  # else one word leads past it
        return noting

    def _watch_imports(self, packages: tuple[str, ...]) -> None:
        """Give the submission's own imports of these packages as modules that note."""
        original, original_module = builtins.__import__, importlib.import_module

        def importing(name: str, *about: Any, level: int = 0, **more: Any) -> Any:
            # Called by the import statement with all five arguments in their order, by others in any way.
            relative = about[3] if len(about) > 3 else level
            module = original(name, *about, **({"level": level} if len(about) < 4 else {}), **more)
            own = self._own(_caller(2))
            return _Noting(module, self) if own and _below(name, packages) and not relative else module

        def importing_module(name: str, package: str | None = None) -> Any:
            module = original_module(name, package)
            return _Noting(module, self) if self._own(_caller(2)) and _below(name, packages) else module

        builtins.__import__ = importing
        importlib.import_module = importing_module

    def _dispatching(self) -> Any:
        """Where torch is there and operators are forbidden: a mode that notes them."""
        if self._mode is None and self._operators and "torch" in sys.modules:
            self._mode = _operator_mode(self, self._operators)
        return self._mode or nullcontext()


def _homes(place: str, function: Callable[..., Any]) -> Iterator[types.ModuleType]:
    """Where a function goes by its name: where it is looked for, and where it is defined.

    NumPy's own polynomials convolve, too, by the latter.
    """
    yield sys.modules[place]
    definition = getattr(inspect.unwrap(function), "__globals__", {})
    if (module := sys.modules.get(definition.get("__name__", ""))) is not None:
        yield module


def _caller(depth: int) -> types.FrameType | None:
    return sys._getframe(depth)  # pyright: ignore[reportPrivateUsage]


def _below(name: str, packages: Sequence[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _operator_mode(watch: Watch, operators: set[str]) -> Any:
    from torch.utils._python_dispatch import TorchDispatchMode

    class Operators(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # a wrapper around every operator, for a compiler that is not there

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = func.overloadpacket.__name__
            if name in operators:
                watch.note(f"{_OPERATORS}{name}", _caller(2))
            return func(*args, **(kwargs or {}))

    return Operators()


class _Noting(types.ModuleType):
    """A module of a forbidden package: what is called of it is noted."""

    def __init__(self, module: types.ModuleType, watch: Watch) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(_module=module, _watch=watch)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__dict__["_module"], name)
        watch: Watch = self.__dict__["_watch"]
        if isinstance(value, types.ModuleType):
            return _Noting(value, watch)
        if isinstance(value, type) or not callable(value):
            return value
        return watch.wrapped(f"{self.__name__}.{name}", value)
