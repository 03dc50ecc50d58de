"""What masters and misconceptions do in the cases of a suite: observed in the reference branch, once for a class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.compare import judge
from autograder.contract import Assignment
from autograder.misconceptions import MODULE
from autograder.sandbox import Limits, Observation, Sandbox, Source
from autograder.suite import SuiteError, Test
from autograder.worker.calls import FAILED

Replace = Mapping[str, str]  # function: the misconception's attribute that stands in for it


class References:
    """The reference branch and all that was observed in it.

    Args:
        sandbox: gives the warm processes for some libraries.
        tests: gives the tests of an assignment.
        limits: of one function's calls.
    """

    def __init__(
        self,
        sandbox: Callable[[Sequence[str]], Sandbox],
        tests: Callable[[Assignment], Sequence[Test]],
        limits: Limits,
    ) -> None:
        self._sandbox = sandbox
        self._tests = tests
        self._limits = limits
        self._parsed: set[str] = set()
        self._passed: set[tuple[str, str]] = set()  # the tests that the master passes: asked once for the class
        self._observed: dict[Any, dict[str, Sequence[Observation]]] = {}

    def expected(self, assignment: Assignment, test: Test) -> Sequence[Observation]:
        """What the master does in a test's cases.

        Raises:
            SuiteError: it is not what the test itself asks for.
        """
        observed = self.replaced(assignment, test, {})
        if (assignment.name, test.name) not in self._passed:
            for case, observation in zip(test.cases, observed, strict=True):
                if difference := judge(case, observation, observation):
                    why = f"{difference.message} {difference.details}"
                    raise SuiteError(f"{assignment.suite}: {test.name}: the master fails {case.shown}: {why}")
            self._passed.add((assignment.name, test.name))
        return observed

    def replaced(self, assignment: Assignment, test: Test, replace: Replace) -> Sequence[Observation]:
        """What the master does in a test's cases with misconceptions in the place of some functions."""
        key = (assignment.name, test.function, tuple(sorted(replace.items())))
        if key not in self._observed:
            tests = [other for other in self._tests(assignment) if other.function == test.function]
            self._observed[key] = self._observe(assignment, tests, replace)
        return self._observed[key][test.name]

    def source(self, assignment: Assignment, replace: Replace) -> Source:
        """The master, with misconceptions in the place of some functions, as a worker loads it."""
        cells = (assignment.master.read_text(encoding="utf-8"),)
        modules = {MODULE: assignment.misconceptions.read_text(encoding="utf-8")} if replace else {}
        places = {function: (MODULE, attribute) for function, attribute in replace.items()}
        return Source(assignment.name, f"{assignment.name}.py", cells, modules, places)

    def _observe(
        self, assignment: Assignment, tests: Sequence[Test], replace: Replace
    ) -> dict[str, Sequence[Observation]]:
        """All tests of a function in one worker."""
        zygote = self._sandbox(assignment.libraries).references
        source = self.source(assignment, replace)
        for name, text in (
            (source.file, source.cells[0]),
            *((f"{name}.py", text) for name, text in source.modules.items()),
        ):
            if f"{assignment.name} {name}" not in self._parsed:
                self._parsed.add(f"{assignment.name} {name}")
                zygote.parse(text, name)
        calls = [case.call for test in tests for case in test.cases]
        observed = iter(zygote.observe(source, calls, self._limits))
        result: dict[str, Sequence[Observation]] = {}
        for test in tests:
            result[test.name] = [next(observed) for _ in test.cases]
        for observations in result.values():
            if any(FAILED in observation.output for observation in observations):
                raise SuiteError(f"{assignment.name} with {dict(replace)}: {observations[0].output}")
        return result
