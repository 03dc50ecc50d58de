"""The plugin behind the hidden suites: tests declare cases, and a suite that is wrong in itself says so."""

from __future__ import annotations

import os
import textwrap

import numpy as np
import pytest

from autograder import suite
from autograder.contract import Assignment, Function
from autograder.suite import SuiteError, declare, show

HEADER = "import numpy as np\nimport pytest\nfrom autograder.suite import points\n"
CONVOLVE = '@points(4)\ndef test_values(agrees):\n    """The values."""\n    agrees.convolve([1.0, 2.0], [3])\n'
POOL = '@points(6)\ndef test_pool(agrees):\n    """The sum."""\n    agrees.pool(np.ones((2, 3)))\n'


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A kit with one assignment of two functions, 4 and 6 points, whose suite a test writes."""
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    assignment = Assignment("fake", "Fake", 1, 10, ("numpy",), (), (Function("convolve", 4), Function("pool", 6)))
    assignment.suite.parent.mkdir(parents=True)

    def write(*parts, seed=0):
        assignment.suite.write_text(HEADER + "\n".join(map(textwrap.dedent, parts)), encoding="utf-8")
        return declare(assignment, seed)

    return write


def first(tests):
    return tests[0].cases[0]


# --- what a test declares ---------------------------------------------------------------------------------------------


def test_a_test_becomes_its_points_its_requirement_and_its_cases(kit):
    convolve, pool = kit(CONVOLVE, POOL)
    assert (convolve.assignment, convolve.name, convolve.function) == ("fake", "test_values", "convolve")
    assert (convolve.points, convolve.requirement) == (4, "The values.")
    assert (len(pool.cases), pool.cases[0].expectation, pool.cases[0].function) == (1, "agrees", "pool")
    assert convolve.cases[0].call.args == ([1.0, 2.0], [3])


def test_all_parameters_of_a_test_are_one_verdict(kit):
    convolve, _ = kit(
        '''
        @points(4)
        @pytest.mark.parametrize("T", [3, 5])
        @pytest.mark.parametrize("k", [1, 2])
        def test_sizes(agrees, rng, T, k):
            """Every
            size."""
            agrees.convolve(rng.normal(size=T), rng.normal(size=k), mode="same")
        ''',
        POOL,
    )
    assert [case.shown for case in convolve.cases] == [
        f"convolve(array of shape ({T},), array of shape ({k},), mode='same')" for k in (1, 2) for T in (3, 5)
    ]
    assert convolve.requirement == "Every size."


def test_a_test_may_declare_several_cases_of_several_expectations(kit):
    convolve, _ = kit(
        '''
        @points(4)
        def test_all(agrees, rejects, preserves, holds):
            """All."""
            agrees.convolve([1.0], [2.0])
            rejects.convolve([], [2.0])
            preserves.convolve([1.0], [2.0])
            holds.convolve([1.0], [2.0], check=lambda seen: None)
        ''',
        POOL,
    )
    assert [case.expectation for case in convolve.cases] == ["agrees", "rejects", "preserves", "holds"]
    assert [case.call.watch for case in convolve.cases] == [False, False, True, False]


def test_a_case_names_the_machine_that_it_runs_on_and_a_word_of_advice_its_check(kit):
    convolve, _ = kit(
        '''
        @points(4)
        def test_all(agrees, advises):
            """All."""
            agrees.convolve([1.0], [2.0])
            agrees.convolve([1.0], [2.0], gpus=("cuda",))
            advises.convolve([1.0], [2.0], check=lambda seen: "Slow.")
        ''',
        POOL,
    )
    assert [case.call.gpus for case in convolve.cases] == [None, ("cuda",), None]
    assert [case.call.kwargs for case in convolve.cases] == [{}, {}, {}]
    assert convolve.cases[2].expectation == "advises"


def test_what_is_said_about_a_case_is_not_passed_on(kit):
    convolve, _ = kit(
        CONVOLVE.replace("[3])", '[3], mode="full", terms=7, scale=2.0, precision="float64", call="as it reads")'), POOL
    )
    case = first((convolve,))
    assert (case.terms, case.scale, case.precision, case.shown) == (7, 2.0, "float64", "as it reads")
    assert case.call.kwargs == {"mode": "full"}


def test_a_probe_travels_as_source_with_the_functions_that_it_is_given(kit):
    convolve, _ = kit(
        '''
        def probe(convolve, pool, x, n=2):
            import numpy as np

            def inner(y):
                return np.sum(y) + n

            return inner(convolve(x)) + pool(x)

        @points(4)
        def test_probe(agrees):
            """A probe."""
            agrees(probe, [1.0], n=3)
        ''',
        POOL,
    )
    call = first((convolve,)).call
    assert call.functions == ("convolve", "pool")
    assert (call.args, call.kwargs) == (([1.0],), {"n": 3})
    assert call.probe is not None
    assert call.probe[0] == "probe"
    assert call.probe[1].startswith("def probe(convolve, pool, x, n=2):")


# --- random inputs ----------------------------------------------------------------------------------------------------

RANDOM = '''
@points(4)
@pytest.mark.parametrize("T", [3, 4])
def test_random(agrees, rng, T):
    """Random."""
    agrees.convolve(rng.normal(size=3))
'''


def drawn(tests):
    return [case.call.args[0].tolist() for case in tests[0].cases]


def test_inputs_are_the_same_for_a_whole_class(kit):
    assert drawn(kit(RANDOM, POOL, seed=3)) == drawn(kit(RANDOM, POOL, seed=3))


def test_inputs_are_others_for_another_seed_and_for_every_case(kit):
    one, other = drawn(kit(RANDOM, POOL, seed=3)), drawn(kit(RANDOM, POOL, seed=4))
    assert one != other
    assert one[0] != one[1]


def test_inputs_do_not_depend_on_the_other_tests(kit):
    """A new test must not change what all others ask."""
    other = RANDOM.replace("test_random", "test_first").replace("points(4)", "points(1)")
    alone = drawn(kit(RANDOM, POOL))
    together = kit(other, RANDOM.replace("points(4)", "points(3)"), POOL)
    assert drawn(together[1:]) == alone


# --- suites that are wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["3", "5", "40"])
def test_points_that_do_not_add_up_are_refused(kit, wrong):
    with pytest.raises(SuiteError, match=f"convolve has {wrong} points, not 4"):
        kit(CONVOLVE.replace("points(4)", f"points({wrong})"), POOL)


def test_a_function_without_a_test_is_refused(kit):
    with pytest.raises(SuiteError, match="pool has 0 points, not 6"):
        kit(CONVOLVE)


@pytest.mark.parametrize(
    "wrong", ["points()", "points(4, 4)", "points(4.0)", "points('4')", "points(True)", "points(0)"]
)
def test_points_that_are_no_whole_number_are_refused(kit, wrong):
    with pytest.raises(SuiteError, match="points"):
        kit(CONVOLVE.replace("points(4)", wrong), POOL)


def test_a_test_without_points_is_refused(kit):
    with pytest.raises(SuiteError, match="test_values needs"):
        kit(CONVOLVE.replace("@points(4)", ""), POOL)


def test_a_test_without_a_docstring_is_refused(kit):
    """It is what the student reads."""
    with pytest.raises(SuiteError, match="docstring"):
        kit(CONVOLVE.replace('"""The values."""', "pass"), POOL)


def test_a_test_of_two_functions_is_refused(kit):
    with pytest.raises(SuiteError, match="one function"):
        kit(CONVOLVE + "    agrees.pool([1.0])\n", POOL)


def test_a_test_without_a_case_is_refused(kit):
    with pytest.raises(SuiteError, match="cases of one function"):
        kit(CONVOLVE.replace("agrees.convolve([1.0, 2.0], [3])", "pass"), POOL)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("agrees.convolve_1d([1.0])", "no function convolve_1d"),
        ("raise ValueError('broken')", "broken"),
        ("agrees.convolve(np.nothing)", "nothing"),
        ("assert 1 == 2", "assert 1 == 2"),
        ("holds.convolve([1.0])", "needs a check"),
        ("agrees(lambda convolve: convolve())", "plain function"),
        ("unknown.convolve()", "unknown"),
    ],
)
def test_a_test_that_fails_by_itself_is_refused_with_the_reason(kit, wrong, words):
    text = CONVOLVE.replace("agrees.convolve([1.0, 2.0], [3])", wrong).replace("(agrees)", "(agrees, holds)")
    with pytest.raises(SuiteError, match=words):
        kit(text, POOL)


@pytest.mark.parametrize("wrong", ["def f(:\n", "import nothing_of_that_name\n", "1 / 0\n"])
def test_a_suite_that_cannot_be_imported_is_refused(kit, wrong):
    with pytest.raises(SuiteError, match="test_fake"):
        kit(wrong, CONVOLVE, POOL)


def test_an_empty_suite_is_refused(kit):
    with pytest.raises(SuiteError, match="test_fake"):
        kit("")


def test_a_fixture_of_no_such_name_is_refused(kit):
    with pytest.raises(SuiteError, match="disagrees"):
        kit(CONVOLVE.replace("(agrees)", "(disagrees)"), POOL)


@pytest.mark.parametrize(
    ("probe", "reads"),
    [
        ("def probe(convolve):\n    return convolve(np.ones(3))", "np"),
        ("def probe(convolve, x=SIZE):\n    return convolve(x)", "SIZE"),
        ("def probe(convolve):\n    return convolve(helper())", "helper"),
        ("def probe(convolve):\n    return pool(convolve(1))", "pool"),
    ],
    ids=["import", "default", "helper", "function that it is not given"],
)
def test_a_probe_that_is_not_self_contained_is_refused(kit, probe, reads):
    """Only its source travels to the worker."""
    text = f"SIZE = 3\ndef helper():\n    return SIZE\n{probe}\n" + CONVOLVE.replace(
        "agrees.convolve([1.0, 2.0], [3])", "agrees(probe)"
    )
    with pytest.raises(SuiteError, match=rf"reads \['{reads}'\]"):
        kit(text, POOL)


def test_a_probe_that_is_defined_in_a_test_is_refused_where_it_reads_the_tests_names(kit):
    text = CONVOLVE.replace(
        "    agrees.convolve([1.0, 2.0], [3])\n",
        "    size = 3\n\n    def probe(convolve):\n        return convolve(size)\n\n    agrees(probe)\n",
    )
    with pytest.raises(SuiteError, match="size"):
        kit(text, POOL)


@pytest.mark.parametrize("parameters", ["", "x", "x, convolve", "convolve, x, pool"])
def test_a_probe_names_the_functions_that_it_needs_first(kit, parameters):
    text = f"def probe({parameters}):\n    return 1\n" + CONVOLVE.replace(
        "agrees.convolve([1.0, 2.0], [3])", "agrees(probe)"
    )
    with pytest.raises(SuiteError, match="first parameters"):
        kit(text, POOL)


def test_a_suite_that_was_mended_is_read_anew(kit):
    with pytest.raises(SuiteError):
        kit(CONVOLVE)
    assert len(kit(CONVOLVE, POOL)) == 2


# --- the user's own pytest --------------------------------------------------------------------------------------------


def test_the_users_options_and_plugins_for_pytest_do_not_count(kit, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing --no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    assert len(kit(CONVOLVE, POOL)) == 2
    assert os.environ["PYTEST_ADDOPTS"] == "-k nothing --no-such-option"
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in os.environ


def test_a_conftest_beside_the_suite_does_not_run(kit, tmp_path):
    (tmp_path / "tests" / "hidden").mkdir(parents=True, exist_ok=True)
    (tmp_path / "tests" / "hidden" / "conftest.py").write_text("raise SystemExit")
    (tmp_path / "tests" / "hidden" / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    assert len(kit(CONVOLVE, POOL)) == 2


def test_declaring_prints_nothing(kit, capfd):
    kit(CONVOLVE, POOL)
    assert capfd.readouterr() == ("", "")


# --- a call as a student reads it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3, "3"),
        (True, "True"),
        (None, "None"),
        ("same", "'same'"),
        ((2, 3), "(2, 3)"),
        ((5, 3, 7, 11), "(5, 3, 7, 11)"),
        ((), "()"),
        (0.5, "a number"),
        (np.float64(0.5), "a number"),
        (1j, "a number"),
        (np.ones((2, 3)), "array of shape (2, 3)"),
        ([1, 2, 3], "list of shape (3,)"),
        ((1, 2, 3, 4, 5), "tuple of shape (5,)"),
        ((0.5, 1.5), "tuple of shape (2,)"),
        ([[1, 2, 3], [4, 5, 6]], "list of shape (2, 3)"),
        ([], "list of shape (0,)"),
        ([np.ones(2)], "list of shape (1,)"),
        ([(3, 1), (2, 2, 1)], "[(3, 1), (2, 2, 1)]"),
        (((3, 1),), "((3, 1),)"),
        ([{"kind": "relu"}, {"kind": "linear", "bias": True}], "[{'kind': 'relu'}, {'kind': 'linear', 'bias': True}]"),
        ({"weight": np.ones((2, 3)), "stride": (1, 2)}, "{'weight': array of shape (2, 3), 'stride': (1, 2)}"),
        (np.int64(3), "int64"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_argument_is_shown_by_its_shape_or_as_a_small_integer(value, shown):
    assert show("f", (value,), {}) == f"f({shown})"


def test_keywords_are_shown_as_they_would_be_typed():
    assert (
        show("conv", (np.ones(3), 2), {"stride": 2, "mode": "same"})
        == "conv(array of shape (3,), 2, stride=2, mode='same')"
    )


@pytest.mark.parametrize(
    "hide",
    [
        lambda value: np.array([value, 2 * value]),
        lambda value: [value, 2 * value],
        lambda value: (value, 2 * value),
        lambda value: [[value], [value]],
        lambda value: {"x": np.array([value])},
        lambda value: {"x": [value, value]},
        lambda value: [{"x": value}],
        lambda value: [(value, value)],
        lambda value: [[np.array([value])], [np.array([value])]],
        lambda value: value,
        np.float32,
        complex,
        lambda value: ({"inner": (value, [value])},),
    ],
    ids=map(str, range(13)),
)
def test_no_float_is_ever_shown(hide):
    """In whatever it is wrapped: hidden inputs are floats."""
    value = 1234.5625
    for arguments in ((hide(value),), (hide(-value),)):
        for text in (show("f", arguments, {}), show("f", (), {"x": arguments[0]})):
            assert "1234" not in text
            assert "2469" not in text


def test_a_signal_of_integers_is_not_shown():
    assert "17" not in show("f", ([17, 18, 19], (17, 18, 19, 20, 21), np.array([17])), {})


def test_pytest_does_not_take_the_plugins_own_class_for_a_test():
    assert suite.Test.__test__ is False
