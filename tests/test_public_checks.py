"""The public checks hold for the master, fail for a stub function by function, and say what a student needs to know."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder import checks, contract, masters
from autograder.handout.expect import NotWrittenError, expect

KINDS = {"numpy": ["numpy"], "torch": ["numpy", "torch"]}  # one pytest each: torch takes seconds to import


def variants(assignment) -> Iterator[tuple[str, str]]:
    """The master, its stub, and for each function the master with that one unwritten: names and modules."""
    yield "master", assignment.master.read_text(encoding="utf-8")
    yield "stub", masters.as_script(masters.without_solutions(masters.notebook(assignment)))
    for function in checks.read(assignment).cases:
        node = masters.without_solutions(masters.notebook(assignment), only=function)
        text = masters.as_script(node)
        yield function, "\n".join(line for line in text.splitlines() if line.strip() not in masters.MARKS)


def styles(assignment) -> Iterator[tuple[str, str]]:
    """Right answers in other styles than the master's."""
    for style in sorted((contract.kit_root() / "tests" / "styles" / assignment.name).glob("*.py")):
        yield style.stem, style.read_text(encoding="utf-8")


def outcomes(folder: Path, libraries: list[str], modules=variants) -> dict[tuple[str, str], dict[str, bool]]:
    """What pytest says, run as students run it, of every variant of the assignments that need these libraries.

    By assignment and variant: the tests, and whether they hold.
    """
    for assignment in contract.assignments():
        if list(assignment.libraries) == libraries:
            for variant, text in modules(assignment):
                beside = folder / assignment.name / variant
                beside.mkdir(parents=True)
                (beside / f"{assignment.name}.py").write_text(text, encoding="utf-8")
                (beside / "conftest.py").write_text(checks.conftest(), encoding="utf-8")
                shutil.copy(checks.path(assignment), beside)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--import-mode=importlib",
            "-q",
            "-p",
            "no:cacheprovider",
            "--junitxml=all.xml",
        ],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for case in ElementTree.parse(folder / "all.xml").iter("testcase"):
        assignment, variant, _ = case.attrib["classname"].split(".")
        found.setdefault((assignment, variant), {})[case.attrib["name"]] = not len(case)
    return found


@pytest.fixture(scope="module", params=KINDS)
def told(request, tmp_path_factory):
    """What pytest says of all variants; the assignments without torch first."""
    return outcomes(tmp_path_factory.mktemp(request.param), KINDS[request.param])


def test_masters_hold_and_stubs_fail(told):
    """Every check holds for the master, and none for the stub."""
    for (assignment, variant), results in told.items():
        if variant in ("master", "stub"):
            wrong = [name for name, holds in results.items() if holds != (variant == "master")]
            assert results, assignment
            assert not wrong, (assignment, variant)


def test_each_function_has_its_own_checks(told):
    """With one function unwritten all of its checks fail, and no check of a function that does not need it."""
    for (assignment, variant), results in told.items():
        if variant in ("master", "stub"):
            continue
        found = contract.assignment(assignment)
        of = _functions(found)
        free = set(checks.read(found).cases) - {variant} - _needing(found, variant)
        failed = {of[name.partition("[")[0]] for name, holds in results.items() if not holds}
        assert all(not holds for name, holds in results.items() if of[name.partition("[")[0]] == variant), variant
        assert not failed & free, (assignment, variant)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_right_answers_in_any_style_hold(kind, tmp_path):
    """Every check of a graded function holds for loops, lists, float32, torch inside and whatever else is right."""
    for (name, style), results in outcomes(tmp_path, KINDS[kind], styles).items():
        assignment = contract.assignment(name)
        of = _functions(assignment)
        wrong = [test for test, holds in results.items() if not holds]
        assert not [test for test in wrong if of[test.partition("[")[0]] in assignment.names], (name, style)


def _functions(assignment) -> dict[str, str]:
    """Which function each test checks."""
    return {case.test: function for function, cases in checks.read(assignment).cases.items() for case in cases}


def _needing(assignment, function: str) -> set[str]:
    """The functions whose solutions may call this one, directly or not."""
    direct = {other.name for other in assignment.functions if function in other.needs}
    return direct.union(*(_needing(assignment, name) for name in direct))


@pytest.mark.parametrize("assignment", contract.assignments(), ids=lambda assignment: assignment.name)
class TestEveryAssignment:
    def test_has_checks_of_every_function(self, assignment):
        """Practice steps are checked, too."""
        written = {masters.defined(cell) for cell in masters.notebook(assignment).cells if masters.has_solution(cell)}
        public = checks.read(assignment)
        assert set(public.cases) == written
        assert written >= set(assignment.names)
        assert all(len(cases) >= 3 for cases in public.cases.values())

    def test_spells_out_as_many_cases_as_pytest_finds(self, assignment):
        """Otter knows no parameters: each case is a function of its own, with no parameter but functions."""
        public = checks.read(assignment)
        for function, cases in public.cases.items():
            source = public.otter(function)
            assert source.count("@test_case(") == len(cases)
            assert "import pytest" not in source
            assert source.isascii()
            compile(source, function, "exec")


OTTER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import otter
grader = otter.Notebook(tests_dir="tests")
found = {}
for function in json.loads(sys.argv[2]):
    names = {"__name__": "notebook"}
    exec(open(sys.argv[1], encoding="utf-8").read(), names)
    result = grader.check(function, global_env=names)
    found[function] = [case.passed for case in result.test_case_results]
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("assignment", contract.assignments(), ids=lambda assignment: assignment.name)
@pytest.mark.parametrize("variant", ["master", "stub"])
def test_otter_runs_the_same_checks(assignment, variant, tmp_path):
    """grader.check holds for the master and not for the stub, offline, case by case."""
    public = checks.read(assignment)
    (tmp_path / "tests").mkdir()
    for function in public.cases:
        (tmp_path / "tests" / f"{function}.py").write_text(public.otter(function), encoding="utf-8")
    (tmp_path / "answer.py").write_text(dict(variants(assignment))[variant], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", OTTER, "answer.py", json.dumps(list(public.cases))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {function: [variant == "master"] * len(cases) for function, cases in public.cases.items()}


def triple(x):
    """A student's function."""
    return 3 * np.asarray(x)


def told_of(*arguments, function=triple, gives=None, **settings) -> str:
    """What a check says of a call that does not give what it should."""
    with pytest.raises(AssertionError) as caught:
        expect(function, *arguments).gives(gives, **settings)
    return str(caught.value)


class TestWhatACheckSays:
    def test_call_result_and_expected_value(self):
        """All three are there, the call as one would type it."""
        assert told_of([1, 2], gives=[3, 7]) == (
            "triple([1, 2])\n  returned an array of shape (2,): [3, 6]\n  expected [3, 7]"
        )
        assert told_of(np.array([1.5]), gives=[5.0]).startswith("triple(np.array([1.5]))\n")

    def test_the_hint_of_a_known_wrong_answer(self):
        """A wrong answer that is known has a hint of its own, any other one the general hint."""
        known = [([3, 6], "You have tripled.")]
        assert told_of([1, 2], gives=[1, 2], known=known, hint="Think.").endswith("  Hint: You have tripled.")
        assert told_of([1, 3], gives=[1, 2], known=known, hint="Think.").endswith("  Hint: Think.")

    def test_the_hint_of_a_known_exception(self):
        """A known one of that class and message; never the general hint, which is about numbers."""
        known = [(ValueError("unpack"), "Count the entries."), ([3, 6], "You have tripled.")]

        def unpacks(x):
            first, second = x
            return [first, second]

        assert told_of([1, 2, 3], function=unpacks, gives=[1], known=known, hint="Think.").endswith(
            "Count the entries."
        )
        assert "Hint" not in told_of(function=unpacks, gives=[1], known=known, hint="Think.")
        assert told_of([1, 2], gives=[1], known=known).endswith("You have tripled.")

    def test_numbers_in_lists(self):
        """They are shown as numbers, whatever library's they are."""
        text = told_of(function=lambda: [np.float64(4.0), (np.int64(7),)], gives=[1])
        assert "returned [4.0, (7,)]" in text

    def test_a_network_layer_by_layer(self):
        """A list of dictionaries is shown as one would write it, one to a line."""
        layers = [{"kind": "relu"}, {"kind": "flatten"}, {"kind": "linear", "out_features": 2}]
        text = told_of(layers, function=lambda layers: 1, gives=2)
        assert text.startswith("<lambda>([\n    {'kind': 'relu'},\n    {'kind': 'flatten'},\n")

    def test_a_result_where_an_error_is_due(self):
        """Of a large one the shape will do."""
        with pytest.raises(AssertionError) as caught:
            expect(lambda: np.zeros((20, 30))).raises()
        assert "returned an array of shape (20, 30)\n" in str(caught.value)

    def test_a_shape_that_is_wrong(self):
        """The shape is told before any value."""
        assert "Its shape is (2,), and it should be (3,)." in told_of([1, 2], gives=[3, 6, 9])
        assert "Its shape is (0,), and it should be (1,)." in told_of([], gives=[2.0])

    @pytest.mark.parametrize("result", [[3, 6], (3, 6), np.array([3, 6]), np.float32([3, 6])])
    def test_every_kind_of_array_will_do(self, result):
        """Lists, tuples and arrays of integers or floats are one kind."""
        expect(lambda: result).gives([3, 6])

    @pytest.mark.parametrize("result", [[True, False], "36", [1j, 2], None, [[1], [1, 2]], [float("nan"), 6]])
    def test_what_is_no_array_of_numbers(self, result):
        """Texts, booleans, complex numbers, ragged lists, None and NaN are none."""
        assert "expected [3, 6]" in told_of(function=lambda: result, gives=[3, 6])

    @pytest.mark.parametrize("result", [4.0, np.float64(4), True, "4", None, [4]], ids=repr)
    def test_a_whole_number_is_no_float(self, result):
        """Where a count is asked for, 4.0 is wrong."""
        assert "whole number" in told_of(function=lambda: result, gives=4)

    @pytest.mark.parametrize("result", [4, np.int64(4)], ids=repr)
    def test_whole_numbers_of_either_library_will_do(self, result):
        """Python's and NumPy's."""
        expect(lambda: result).gives(4)

    def test_shapes_are_tuples_or_lists_of_whole_numbers(self):
        """A float among them is wrong."""
        expect(lambda: [5, 7]).gives((5, 7))
        assert "whole number" in told_of(function=lambda: (5, 7.0), gives=(5, 7))
        assert "3 entries instead of 2" in told_of(function=lambda: (1, 5, 7), gives=(5, 7))

    def test_rounding_is_forgiven_and_nothing_else(self):
        """Float32 will do."""
        expect(lambda: np.float32(1) / np.float32(3)).gives(1 / 3)
        assert "expected" in told_of(function=lambda: 0.3334, gives=1 / 3)

    def test_arguments_that_were_changed(self):
        """The right result does not make up for a changed argument."""

        def sort(x):
            x.sort()
            return x

        assert "changed what it was given" in told_of([2, 1], function=sort, gives=[1, 2])

    def test_arguments_that_one_call_changes_are_whole_in_the_next(self):
        """The first mistake must not make the next call look like another one."""
        layers = [{"kind": "relu", "sizes": [1, 2]}]
        told_of(layers, function=lambda layers: layers[0].pop("kind"), gives=0)
        told_of(layers, function=lambda layers: layers[0]["sizes"].clear(), gives=0)
        assert layers == [{"kind": "relu", "sizes": [1, 2]}]

    def test_an_error_and_the_line_where_it_arose(self):
        """Class, message, and the line of the student's own."""
        text = told_of([1, 2], function=lambda x: x[5], gives=[1])
        assert "raised IndexError: list index out of range" in text

    def test_a_function_without_a_return(self):
        """None is explained."""
        assert "no return" in told_of(function=lambda: None, gives=[1])

    def test_a_stub(self):
        """An unwritten function is named, also where another one calls it."""

        def stub(x):
            raise NotImplementedError("stub")

        with pytest.raises(NotWrittenError, match=r"^stub is not written yet"):
            expect(stub, 1).gives(1)
        with pytest.raises(NotWrittenError, match=r"^stub is not written yet"):
            expect(lambda: stub(1)).raises()

    def test_an_error_that_is_due(self):
        """A ValueError or a subclass is right; a result and another error are not."""

        def refuses(kind):
            raise kind("no")

        expect(refuses, ValueError).raises()
        expect(refuses, UnicodeError).raises()
        for function, argument, word in [(refuses, TypeError, "raised TypeError"), (triple, 1, "returned")]:
            with pytest.raises(AssertionError, match=word):
                expect(function, argument).raises()


STUDENTS = {
    "no module": (None, "There is no convolution.py beside"),
    "syntax error": ("def convolve1d(x, g, mode='valid')\n    return x\n", "Python cannot read convolution.py, line 1"),
    "import that fails": ("import no_such_module\n", "convolution.py cannot be imported: ModuleNotFoundError"),
    "missing function": ("def correlate1d(x, w):\n    return x\n", "convolution.py does not define convolve1d."),
}


@pytest.mark.parametrize("student", STUDENTS)
def test_what_pytest_says_of_a_module_that_it_cannot_use(student, tmp_path):
    """One sentence instead of a traceback."""
    text, sentence = STUDENTS[student]
    assignment = contract.assignment("convolution")
    shutil.copy(checks.path(assignment), tmp_path)
    (tmp_path / "conftest.py").write_text(checks.conftest(), encoding="utf-8")
    if text is not None:
        (tmp_path / "convolution.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout


def test_what_pytest_says_of_a_wrong_answer(tmp_path):
    """The requirement, and what a notebook's check says: no source of the check, no frame of pytest's."""
    assignment = contract.assignment("convolution")
    shutil.copy(checks.path(assignment), tmp_path)
    (tmp_path / "conftest.py").write_text(checks.conftest(), encoding="utf-8")
    (tmp_path / "convolution.py").write_text(
        "def moving_average(k):\n    return [1 / n for n in k]\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "test_equal_taps and 3", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "There are k taps, all equal, and they sum to 1.\n"
        "moving_average(3)\n"
        "  raised TypeError: 'int' object is not iterable\n"
        "  at line 2 of convolution.py: return [1 / n for n in k]\n"
        "  expected [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]\n"
    ) in done.stdout
    assert "expect(" not in done.stdout
