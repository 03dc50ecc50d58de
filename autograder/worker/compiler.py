"""torch's compiler, left where it is until somebody compiles.

An optimizer's first step imports `torch._dynamo`, to tell a compiler that may never come to keep off; `backward` with a
gradient compares two shapes by a module that knows symbolic ones. The two imports take as long as the rest of torch,
and every fork copies the tables of their pages. So stand-ins do what everyday torch asks of them, and make way for the
real modules as soon as anything else is wanted; then a worker spends a second or two on importing them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any, Final

_COMPILER: Final = "torch._dynamo"
_SHAPES: Final = "torch.fx.experimental.symbolic_shapes"


def leave_out() -> None:
    """Put the stand-ins in the places of what has not been imported yet."""
    everyday = {
        _COMPILER: (_disable, _graph_break),
        _SHAPES: (_expect_true, _sym_eq),
    }
    for name, functions in everyday.items():
        if name not in sys.modules:
            parent, _, last = name.rpartition(".")
            sys.modules[name] = _StandIn(name, functions)
            setattr(importlib.import_module(parent), last, sys.modules[name])


class _StandIn(types.ModuleType):
    """Some functions of a module; anything else brings the real one, which then stays."""

    def __init__(self, name: str, functions: tuple[Callable[..., Any], ...]) -> None:
        super().__init__(name)
        self.__spec__ = importlib.util.find_spec(name)
        self.__dict__.update({function.__name__.removeprefix("_"): function for function in functions})

    def __getattr__(self, name: str) -> Any:
        as_package = name == "__path__" and self.__name__ == _COMPILER  # one of its own modules is imported
        if name.startswith("__") and not as_package:  # many ask these of all modules
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


def _real(name: str) -> Any:
    if isinstance(sys.modules.get(name), _StandIn):
        del sys.modules[name]
        parent, _, last = name.rpartition(".")
        delattr(sys.modules[parent], last)
    return importlib.import_module(name)


def _disable(function: Any = None, *_: Any, **__: Any) -> Any:
    """Nothing is compiled: a function is itself; without one, what decorates it."""
    return _disable if function is None else function


def _graph_break(*_: Any, **__: Any) -> None:
    """Nothing is compiled: there is no graph."""


def _sym_eq(one: Any, other: Any) -> Any:
    """Whether two shapes are equal."""
    if isinstance(one, tuple) and isinstance(other, tuple) and all(type(size) is int for size in (*one, *other)):
        return one == other
    return _real(_SHAPES).sym_eq(one, other)


def _expect_true(value: Any, *more: Any) -> Any:
    """A comparison that has been made: whether it holds."""
    return value if isinstance(value, bool) else _real(_SHAPES).expect_true(value, *more)
