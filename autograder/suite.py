"""The pytest plugin behind the hidden suites: tests declare cases, and grading observes and judges them later.

A test's body runs once for a whole class and calls fixtures that write down what shall hold:

    @points(6)
    @pytest.mark.parametrize("length, width", [(5, 2), (64, 7)])
    def test_random_signals(agrees, rng, length, width):
        \"\"\"Valid convolution of random signals with random filters.\"\"\"
        agrees.convolve1d(rng.normal(size=length), rng.normal(size=width))

`agrees`: the result, or a probe's observation, is the reference's. `rejects`: a ValueError is raised. `preserves`: the
result is right and the arguments are left as they were, or a probe's observation of state is the reference's. `holds`:
`check(observation)` returns None. `advises`: what `check` returns is a hint, and costs nothing. A test function with
all its parameters is one verdict. With `gpus=("cuda",)` a case runs on a machine with that GPU (`worker.machine`).
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import inspect
import os
import sys
import textwrap
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
import pytest

from autograder.contract import Assignment
from autograder.sandbox import Call
from autograder.worker.scope import reads

Expectation = Literal["agrees", "rejects", "preserves", "holds", "advises"]
Check = Callable[[Any], str | None]


def points(worth: int) -> pytest.MarkDecorator:
    """What a test function is worth; a decorator."""
    return pytest.mark.points(worth)


# Of pytest's own plugins; the last one collects garbage twice a run, the more slowly the more has been graded.
_UNUSED: Final = (
    "terminal", "cacheprovider", "faulthandler", "capture", "logging", "threadexception", "unraisableexception",
)  # fmt: skip
_PAIR_OR_SHAPE: Final = 4  # entries; a longer tuple of integers is a signal


class SuiteError(Exception):
    """A hidden suite is wrong in itself."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call and what shall come of it.

    Attributes:
        expectation: how the observation is judged.
        call: to make.
        shown: the call as a student reads it: shapes, and no array's value.
        check: judges the observation, where no reference can.
        terms, scale, precision: see `tolerance.tolerance`.
    """

    expectation: Expectation
    call: Call
    shown: str
    check: Check | None = None
    terms: int | None = None
    scale: float | None = None
    precision: str = "float32"

    @property
    def function(self) -> str:
        return self.call.functions[0]


@dataclass(frozen=True, slots=True)
class Test:
    """A test function of a suite, with the cases of all its parameters."""

    __test__: ClassVar[bool] = False  # pytest shall not take this class for a test

    assignment: str
    name: str
    function: str
    points: int
    requirement: str
    cases: tuple[Case, ...]


def declare(assignment: Assignment, seed: int) -> tuple[Test, ...]:
    """The tests of an assignment's hidden suite, with inputs drawn from a seed.

    Raises:
        SuiteError: the suite fails by itself, or its points are not those of the master's header.
    """
    recorder = _Recorder(assignment, seed)
    path = assignment.suite
    quiet = [f"-pno:{plugin}" for plugin in _UNUSED]
    place = ["--rootdir", str(path.parent), "--confcutdir", str(path.parent)]  # and look into no folder above it
    own = ["-c", os.devnull, *place, "--import-mode=importlib", "--noconftest", "--assert=plain"]
    with _own_environment():
        code = pytest.main([*own, *quiet, str(path)], plugins=[recorder])
    sys.modules.pop(path.stem, None)  # where pytest would find it again, whatever the file holds by then
    if recorder.errors or code != pytest.ExitCode.OK:
        raise SuiteError(f"{path}: {recorder.errors[0] if recorder.errors else code}")
    return recorder.tests()


def on_a_real_gpu(tests: Sequence[Test]) -> tuple[Test, ...]:
    """The same tests where "cuda" is a real device, which sums in another order and may multiply in TF32."""

    def coarser(case: Case) -> Case:
        there = "cuda" in (case.call.gpus or ()) and case.precision == "float32"
        return replace(case, precision="tf32") if there else case

    return tuple(replace(test, cases=tuple(map(coarser, test.cases))) for test in tests)


@contextlib.contextmanager
def _own_environment() -> Generator[None]:
    """Keep the plugins and options that the user has for pytest away from the suites."""
    ours = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    theirs = {name: os.environ[name] for name in ours if name in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
        os.environ.update(theirs)


class _Recorder:
    """Collects what the tests declare."""

    def __init__(self, assignment: Assignment, seed: int) -> None:
        self.assignment = assignment
        self.seed = seed
        self.errors: list[str] = []
        self._items: dict[str, pytest.Function] = {}
        self._cases: dict[str, list[Case]] = {}

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "points(n): what a test function is worth")

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.errors.append(f"{report.nodeid}: {report.longreprtext}")

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr))

    @pytest.fixture
    def agrees(self, request: pytest.FixtureRequest) -> Declaration:
        return self._declaration("agrees", request)

    @pytest.fixture
    def rejects(self, request: pytest.FixtureRequest) -> Declaration:
        return self._declaration("rejects", request)

    @pytest.fixture
    def preserves(self, request: pytest.FixtureRequest) -> Declaration:
        return self._declaration("preserves", request)

    @pytest.fixture
    def holds(self, request: pytest.FixtureRequest) -> Declaration:
        return self._declaration("holds", request)

    @pytest.fixture
    def advises(self, request: pytest.FixtureRequest) -> Declaration:
        return self._declaration("advises", request)

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Random inputs, the same for a whole class and for every machine that grades it."""
        return np.random.default_rng([self.seed, zlib.crc32(request.node.name.encode())])

    def _declaration(self, expectation: Expectation, request: pytest.FixtureRequest) -> Declaration:
        item: pytest.Function = request.node
        self._items.setdefault(item.originalname, item)
        return Declaration(expectation, self.assignment, self._cases.setdefault(item.originalname, []))

    def tests(self) -> tuple[Test, ...]:
        tests = tuple(self._test(name, item, self._cases[name]) for name, item in self._items.items())
        for function in self.assignment.functions:
            total = sum(test.points for test in tests if test.function == function.name)
            if total != function.points:
                raise SuiteError(f"{self.assignment.suite}: {function.name} has {total} points, not {function.points}")
        return tests

    def _test(self, name: str, item: pytest.Function, cases: list[Case]) -> Test:
        marker = item.get_closest_marker("points")
        points = marker.args[0] if marker and len(marker.args) == 1 else None
        functions = {case.function for case in cases}
        requirement = inspect.getdoc(item.function)
        if type(points) is not int or points < 1 or len(functions) != 1 or not requirement:
            raise SuiteError(
                f"{self.assignment.suite}: {name} needs a whole number of points, a docstring and cases of one function"
            )
        return Test(self.assignment.name, name, functions.pop(), points, " ".join(requirement.split()), tuple(cases))


class Declaration:
    """The fixtures `agrees`, `rejects`, `preserves`, `holds`, `advises`: what is called through them becomes a case."""

    def __init__(self, expectation: Expectation, assignment: Assignment, cases: list[Case]) -> None:
        self._expectation: Expectation = expectation
        self._assignment = assignment
        self._cases = cases

    def __getattr__(self, function: str) -> Callable[..., None]:
        if function not in self._assignment.names:
            raise AttributeError(f"{self._assignment.name} has no function {function}")

        def declare(*args: Any, **kwargs: Any) -> None:
            self._add((function,), None, args, kwargs)

        return declare

    def __call__(self, probe: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        parameters = list(inspect.signature(probe).parameters)
        functions = tuple(name for name in parameters if name in self._assignment.names)
        if not functions or functions != tuple(parameters[: len(functions)]):
            raise SuiteError(f"{probe.__name__}: a probe's first parameters are functions of the assignment")
        self._add(functions, (probe.__name__, _source(probe)), args, kwargs)

    def _add(
        self, functions: tuple[str, ...], probe: tuple[str, str] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        about = {name: kwargs.pop(name) for name in ("terms", "scale", "precision", "check") if name in kwargs}
        gpus = kwargs.pop("gpus", None)
        if self._expectation in ("holds", "advises") and "check" not in about:
            raise SuiteError(f"{functions[0]}: `{self._expectation}` needs a check")
        shown = kwargs.pop("call", None) or show(functions[0], args, kwargs)
        watch = self._expectation == "preserves" and probe is None
        seed = zlib.crc32(f"{shown} {len(self._cases)}".encode())
        call = Call(functions, args, kwargs, probe, watch, seed, gpus)
        self._cases.append(Case(self._expectation, call, shown, **about))


@functools.cache  # one probe serves many cases
def _source(probe: Callable[..., Any]) -> str:
    """The text of a probe, which is all that travels to the worker."""
    source = textwrap.dedent(inspect.getsource(probe))
    definition = ast.parse(source).body[0] if source.startswith("def ") else None
    if not isinstance(definition, ast.FunctionDef):
        raise SuiteError(f"{probe.__name__}: a probe is a plain function with a name")
    outside = {name for name in reads(definition) if not hasattr(builtins, name)} - {probe.__name__}
    if outside:
        raise SuiteError(f"{probe.__name__}: a probe holds all that it needs, and this one reads {sorted(outside)}")
    return source


def show(function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """A call as a student reads it: small integers and words as they are, arrays by their shape, no values."""
    words = [_show(value) for value in args] + [f"{name}={_show(value)}" for name, value in kwargs.items()]
    return f"{function}({', '.join(words)})"


def _show(value: Any) -> str:
    match value:
        case None | bool() | str() | int():
            return repr(value)
        case np.ndarray():
            return f"array of shape {value.shape}"
        case float() | complex():
            return "a number"
        case dict():
            return "{" + ", ".join(f"{key!r}: {_show(item)}" for key, item in value.items()) + "}"
        case tuple() if len(value) <= _PAIR_OR_SHAPE and all(isinstance(item, int) for item in value):
            return repr(value)
        case list() | tuple() if any(isinstance(item, dict | tuple) for item in value):
            inside = ", ".join(_show(item) for item in value)
            return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
        case list() | tuple():
            return f"{type(value).__name__} of shape {_shape(value)}"
        case _:
            return type(value).__name__


def _shape(value: Any) -> tuple[int, ...]:
    def lengths(inner: Any) -> Iterator[int]:
        while isinstance(inner, list | tuple):
            yield len(inner)
            inner = inner[0] if inner else None

    return tuple(lengths(value))
