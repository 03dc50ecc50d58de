"""The diagnosis: which misconception explains a failure, which error is only carried forward, and never a guess."""

from __future__ import annotations

import itertools
import textwrap
import types
from typing import Any

import numpy as np
import pytest

from autograder import suite
from autograder.compare import judge
from autograder.contract import Assignment, ContractError, Function
from autograder.diagnosis import Diagnostician, Outcome, alike, remark
from autograder.misconceptions import misconceptions
from autograder.sandbox import Call, Observation
from autograder.suite import Expectation
from autograder.tolerance import tolerance
from autograder.wire import Opaque
from autograder.worker import loader, statements

X, G = np.array([0.5, -1.25, 2.0, 3.5, 0.25, -4.0]), np.array([1.0, -2.0, 0.5])

MASTER = """
import numpy as np
def convolve(x, g):
    if len(g) > len(x):
        raise ValueError
    return np.convolve(x, g, "valid")
def smooth(x, k):
    return convolve(x, np.arange(1.0, k + 1))
def energy(x):
    return np.sum(np.square(smooth(x, 2)))
"""
MISCONCEPTIONS = '''
import numpy as np

def no_flip(x, g):
    """replaces: convolve

    The filter is turned round before it slides over the signal. This is the longer of the two hints about it.
    """
    if len(g) > len(x):
        raise ValueError
    return np.correlate(x, g, "valid")

def flips_the_signal(x, g):
    """replaces: convolve

    Which of the two is flipped?
    """
    return no_flip(x, g)

def too_short(x, g):
    """replaces: convolve

    Count the windows.
    """
    return np.convolve(x, g, "valid")[:-1]

def no_error(x, g):
    """replaces: convolve

    What if the filter is longer?
    """
    return np.convolve(x, g, "valid")

def equal_taps(x, k):
    """replaces: smooth

    The taps differ.
    """
    return _mean(x, k)

def harmless(x, k):
    """replaces: smooth

    Nothing is wrong with this one.
    """
    from fake import convolve

    return convolve(x, np.arange(1.0, k + 1))

def lopsided_taps(x, k):
    """replaces: smooth

    Where does the row of taps begin?
    """
    from fake import convolve

    return convolve(x, np.arange(2.0, k + 2))

def _mean(x, k):
    from fake import convolve

    return convolve(x, np.ones(k))
'''

_numbers = itertools.count()


@pytest.fixture
def assignment(tmp_path, monkeypatch):
    """An assignment of three functions, each of which needs the one before it."""
    monkeypatch.setenv("AUTOGRADER_KIT", str(tmp_path))
    functions = (Function("convolve", 40), Function("smooth", 40, ("convolve",)), Function("energy", 20, ("smooth",)))
    assignment = Assignment(f"fake{next(_numbers)}", "Fake", 1, 10, ("numpy",), (), functions)
    assignment.misconceptions.parent.mkdir(parents=True)
    assignment.misconceptions.write_text(MISCONCEPTIONS, encoding="utf-8")
    return assignment


CASES = {
    "convolve": [(X, G), (G, X), (X[:4], G[:2])],
    "smooth": [(X, 3), (X[:4], 2)],
    "energy": [(X,)],
}


def declared(function):
    """Two tests: one of values, one of errors where there are any."""
    cases = tuple(
        suite.Case(
            "rejects" if len(args) == 2 and np.size(args[1]) > len(args[0]) else "agrees", Call((function,), args), ""
        )
        for args in CASES[function]
    )
    return [suite.Test("fake", "test_values", function, 10, "Values.", cases)]


class Here:
    """The reference branch without any process: the master runs here, with misconceptions in some places."""

    def __init__(self):
        self.asked = []

    def replaced(self, assignment, test, replace):
        self.asked.append(dict(replace))
        return observe(test, MASTER, replace)


def observe(test, text, replace=None):
    """What a module does in a test's cases."""
    module: dict[str, Any] = {"__name__": "fake"}
    others: dict[str, Any] = {"__name__": "misconceptions"}
    exec(text, module)
    exec(MISCONCEPTIONS.replace("    from fake import convolve\n\n", ""), others)
    for function, attribute in (replace or {}).items():
        module[function] = others[attribute]
    others["convolve"] = module["convolve"]
    seen = []
    for case in test.cases:
        try:
            value = module[test.function](*case.call.args)
            seen.append(Observation("returned", value=float(value) if isinstance(value, np.floating) else value))
        except Exception as error:  # noqa: BLE001
            names = tuple(kind.__name__ for kind in type(error).__mro__)
            seen.append(Observation("raised", classes=names))
    return seen


def judged(test, observed):
    expected = observe(test, MASTER)
    differences = [judge(*triple) for triple in zip(test.cases, expected, observed, strict=True)]
    return Outcome(test, expected, observed, differences)


def explain(assignment, text):
    """The explanations of a submission's failures, by function."""
    references = Here()
    parsed, _ = statements.parsed((textwrap.dedent(text),), "fake.py")

    def uses(name):
        return loader.Loaded(types.ModuleType("fake"), parsed).reads(name)

    diagnostician = Diagnostician(references, assignment, uses)  # type: ignore[arg-type]
    result = {}
    for function in assignment.functions:
        outcomes = [judged(test, observe(test, textwrap.dedent(text))) for test in declared(function.name)]
        result[function.name] = diagnostician.explain(function, outcomes)[0]
    return result


def ids(explanation):
    return [item.id for item in explanation.misconceptions]


def student(**bodies):
    """The master with other bodies for some of its functions."""
    text = MASTER
    for name, body in bodies.items():
        start = text.index(f"def {name}(")
        end = text.find("\ndef ", start + 1)
        head = text[start : text.index("\n", start) + 1]
        text = (
            text[:start]
            + head
            + textwrap.indent(textwrap.dedent(body).strip(), "    ")
            + (text[end:] if end > 0 else "\n")
        )
    return text


# --- misconceptions ---------------------------------------------------------------------------------------------------

TOO_SHORT = "return np.convolve(x, g, 'valid')[:-1]"


def test_what_is_right_needs_no_explanation(assignment):
    found = explain(assignment, MASTER)
    assert not any(item.misconceptions or item.remark or item.carried or item.blocked for item in found.values())


def test_a_failure_is_explained_by_the_misconception_that_does_the_same_in_every_case(assignment):
    assert ids(explain(assignment, student(convolve=TOO_SHORT))["convolve"]) == ["too-short"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"if len(g) > len(x):\n    raise ValueError\n{TOO_SHORT}", id="more is refused, rightly"),
        pytest.param(f"if len(g) > len(x):\n    return x\n{TOO_SHORT}", id="less is refused"),
    ],
)
def test_what_is_refused_is_left_aside_where_the_formula_is_wrong(assignment, text):
    """The misconception too-short refuses nothing; who makes that mistake may check their arguments or not."""
    found = explain(assignment, student(convolve=text))
    assert ids(found["convolve"]) == ["too-short"]
    assert found["smooth"].carried == ("convolve",)


def test_what_is_refused_alone_explains_nothing(assignment):
    """A formula that is right, and a refusal that is wrong in a way of its own."""
    text = "if len(g) > len(x):\n    return x\nreturn np.convolve(x, g, 'valid')"
    assert ids(explain(assignment, student(convolve=text))["convolve"]) == []


def test_of_two_that_do_the_same_both_are_given_the_shorter_hint_first(assignment):
    text = student(convolve="if len(g) > len(x):\n    raise ValueError\nreturn np.correlate(x, g, 'valid')")
    found = explain(assignment, text)["convolve"]
    assert ids(found) == ["flips-the-signal", "no-flip"]
    assert len(found.misconceptions[0].hint) < len(found.misconceptions[1].hint)


def test_one_case_that_differs_is_enough_to_rule_it_out(assignment):
    text = student(
        convolve="""
        if len(g) > len(x):
            raise ValueError
        return np.correlate(x, g, "valid") * (1 if len(g) > 2 else -1)
        """
    )
    assert ids(explain(assignment, text)["convolve"]) == []


def test_an_error_that_is_not_raised_is_explained_too(assignment):
    assert ids(explain(assignment, student(convolve="return np.convolve(x, g, 'valid')"))["convolve"]) == ["no-error"]


def test_a_misconception_that_differs_nowhere_from_the_reference_explains_nothing(assignment):
    """Two results that are each within the tolerance of a third need not be within that of each other."""
    case = suite.Case("agrees", Call(("smooth",), (X, 3)), "", terms=1, scale=1.0)
    limit = tolerance(1, 1.0, "float32")
    test = suite.Test("fake", "test", "smooth", 1, "", (case,))
    near, off = [returned(X + 0.9 * limit)], [returned(X + 1.8 * limit)]
    differences = [judge(case, returned(X), off[0])]
    references = types.SimpleNamespace(replaced=lambda assignment, test, replace: near)
    diagnostician = Diagnostician(references, assignment, lambda name: frozenset())  # type: ignore[arg-type]
    assert differences != [None]
    found = diagnostician.explain(assignment.functions[1], [Outcome(test, [returned(X)], off, differences)])
    assert ids(found[0]) == []


@pytest.mark.parametrize(
    "body",
    ["raise NotImplementedError('convolve')", "return {}[0]", "import sys; sys.exit()"],
    ids=["stub", "exception", "exit"],
)
def test_where_nothing_came_back_nothing_is_guessed(assignment, body):
    """A hint is never taken from the kind of an exception; not a single misconception is even tried."""
    references = Here()
    test = declared("convolve")[0]
    try:
        observed = observe(test, student(convolve=body))
    except SystemExit:
        observed = [Observation("crash")] * len(test.cases)
    diagnostician = Diagnostician(references, assignment, lambda name: frozenset())  # type: ignore[arg-type]
    found = diagnostician.explain(assignment.functions[0], [judged(test, observed)])[0]
    assert (found.misconceptions, found.remark, references.asked) == ((), "", [])


def test_a_misconception_of_another_function_is_not_tried(assignment):
    references = Here()
    test = declared("convolve")[0]
    diagnostician = Diagnostician(references, assignment, lambda name: frozenset())  # type: ignore[arg-type]
    diagnostician.explain(assignment.functions[0], [judged(test, observe(test, student(convolve="return 3")))])
    assert {name for asked in references.asked for name in asked} == {"convolve"}


# --- prerequisites ----------------------------------------------------------------------------------------------------

LOPSIDED = "return convolve(x, np.arange(2.0, k + 2))"
REPEATED = "return np.correlate(x, np.arange(1.0, k + 1), 'valid')"
NO_FLIP = "if len(g) > len(x):\n    raise ValueError\nreturn np.correlate(x, g, 'valid')"


def test_an_error_that_follows_from_an_explained_one_is_carried_forward(assignment):
    found = explain(assignment, student(convolve=NO_FLIP))
    assert ids(found["convolve"]) != []
    assert (found["smooth"].carried, ids(found["smooth"])) == (("convolve",), [])


def test_it_is_carried_through_a_function_that_is_not_wrong_in_itself(assignment):
    assert explain(assignment, student(convolve=NO_FLIP))["energy"].carried == ("convolve",)


def test_a_mistake_of_its_own_is_not_carried_forward(assignment):
    found = explain(assignment, student(convolve=NO_FLIP, smooth="return 2 * convolve(x, np.arange(1.0, k + 1))"))
    assert found["smooth"].carried == ()


def test_two_mistakes_of_which_each_is_known_are_carried_forward_together(assignment):
    text = student(convolve=NO_FLIP, smooth=LOPSIDED)
    found = explain(assignment, text)
    assert ids(found["smooth"]) == ["lopsided-taps"]
    assert found["energy"].carried == ("smooth", "convolve")


def test_a_second_mistake_is_found_on_top_of_the_first(assignment):
    """It is told by its own hint, and costs its own points, though its function calls one that is wrong as well."""
    found = explain(assignment, student(convolve=NO_FLIP, smooth=LOPSIDED))
    assert (found["smooth"].carried, found["smooth"].blocked, ids(found["smooth"])) == ((), None, ["lopsided-taps"])
    alone = explain(assignment, student(smooth=LOPSIDED))
    assert ids(alone["smooth"]) == ["lopsided-taps"]


def test_the_same_mistake_made_twice_costs_once(assignment):
    """One misunderstanding is one, whether its function calls the other or repeats it."""
    found = explain(assignment, student(convolve=NO_FLIP, smooth=REPEATED))
    assert found["smooth"].carried == ("convolve",)


def test_what_uses_a_failed_function_that_nothing_explains_is_blocked(assignment):
    text = student(convolve="return np.convolve(x, g, 'valid') * 3 + 1")
    found = explain(assignment, text)
    assert (found["convolve"].blocked, found["smooth"].blocked) == (None, "convolve")


def test_what_does_not_use_it_is_judged_by_itself(assignment):
    text = student(convolve="return np.zeros(3)", smooth="return np.zeros(3)")
    assert explain(assignment, text)["smooth"].blocked is None


def test_the_nearest_prerequisite_is_the_one_to_mend_first(assignment):
    text = student(convolve="return np.zeros(3)", smooth="return convolve(x, x) + 7", energy="return smooth(x, 1)[0]")
    found = explain(assignment, text)
    assert found["energy"].blocked == "smooth"


# --- alike ------------------------------------------------------------------------------------------------------------


def case(expectation: Expectation = "agrees", check=None):
    return suite.Case(expectation, Call(("f",), (X,)), "", check)


def returned(value, changed=False):
    return Observation("returned", value=value, changed=changed)


def raised(*classes):
    return Observation("raised", classes=classes)


@pytest.mark.parametrize(
    ("wrong", "observed", "same"),
    [
        (returned(X), returned(X.tolist()), True),
        (returned(X), returned(X + 1), False),
        (returned(X), returned(X, changed=True), False),
        (returned(X), raised("ValueError"), False),
        (raised("ValueError", "Exception"), raised("ValueError"), True),
        (raised("TypeError"), raised("ValueError"), False),
        (Observation("timeout"), Observation("timeout"), True),
        (Observation("timeout"), Observation("memory"), False),
        (returned(np.array([np.nan, np.inf])), returned(np.array([np.nan, np.inf])), True),
        (returned(np.array([np.nan, np.inf])), returned(np.array([np.nan, -np.inf])), False),
        (returned(np.array([1j, 2.0])), returned(np.array([1j, 2.0])), True),
        (returned(np.array([1j, 2.0])), returned(np.array([0.0, 2.0])), False),
        (returned(np.array([True, False])), returned(np.array([True, False])), True),
        (returned(Opaque("generator")), returned(Opaque("generator")), True),
        (returned(Opaque("generator")), returned(Opaque("map")), False),
        (returned(Opaque("generator")), returned(X), False),
        (returned([X, Opaque("set")]), returned([X, Opaque("set")]), True),
        (returned(1j), returned(X), False),
        (returned({"a": 1j}), returned({"a": X}), False),
    ],
    ids=map(str, range(19)),
)  # fmt: skip
def test_two_observations_are_alike_where_they_end_alike_and_agree(wrong, observed, same):
    assert alike(case(), wrong, observed) is same


def test_what_is_drawn_at_random_is_alike_where_the_same_is_said_of_it():
    check = case("holds", lambda seen: None if abs(seen) < 1 else "It is too large.")
    assert alike(check, returned(2.0), returned(3.0))
    assert alike(check, returned(0.1), returned(0.2))
    assert not alike(check, returned(0.1), returned(3.0))


# --- remarks ----------------------------------------------------------------------------------------------------------

RIGHT = np.array([[0.5, -1.25, 2.0, 3.5, 0.25], [1.5, 7.0, -3.0, 0.125, 9.0]])


def remarked(*pairs):
    """The remark on results that should have been others."""
    cases = tuple(suite.Case("agrees", Call(("f",), (right,)), "") for right, _ in pairs)
    expected = [returned(right) for right, _ in pairs]
    observed = [returned(given) for _, given in pairs]
    differences = [judge(*triple) for triple in zip(cases, expected, observed, strict=True)]
    return remark(Outcome(suite.Test("fake", "test", "f", 1, "", cases), expected, observed, differences))


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (RIGHT[:, ::-1], "reverse"),
        (RIGHT[::-1], "reverse"),
        (RIGHT[::-1, ::-1], "reverse"),
        (RIGHT.T, "swapped"),
        (np.roll(RIGHT, 1, axis=1), "shifted"),
        (np.pad(RIGHT, ((0, 0), (1, 0)))[:, :-1], "shifted"),
        (np.pad(RIGHT, ((0, 0), (0, 1)))[:, 1:], "shifted"),
        (RIGHT * 3, "times a constant"),
        (-RIGHT, "times a constant"),
        (RIGHT / 25, "times a constant"),
        (RIGHT + 0.5, "plus a constant"),
        (RIGHT - 100, "plus a constant"),
    ],
    ids=map(str, range(12)),
)  # fmt: skip
def test_an_exact_relation_is_remarked_on(given, word):
    assert word in remarked((RIGHT, given))
    assert word in remarked((RIGHT, given.tolist()))


@pytest.mark.parametrize(
    "given",
    [
        RIGHT * 3 + 0.01,
        np.zeros_like(RIGHT),
        np.cos(RIGHT) * 1e-9,
        np.abs(RIGHT),
        RIGHT[:, :-1],
        np.full_like(RIGHT, np.nan),
        np.full_like(RIGHT, np.inf),
        np.full_like(RIGHT, np.finfo(float).max),
        RIGHT * 1j,
        RIGHT > 0,
        None,
        "text",
        Opaque("generator"),
        {"a": RIGHT},
        [],
    ],
    ids=map(str, range(15)),
)
def test_where_there_is_none_nothing_is_said(given):
    assert remarked((RIGHT, given)) == ""


def test_a_relation_holds_in_every_failing_case_or_it_is_not_remarked_on():
    assert "times" in remarked((RIGHT, RIGHT * 3), (RIGHT + 1, (RIGHT + 1) * 3))
    assert remarked((RIGHT, RIGHT * 3), (RIGHT, RIGHT[:, ::-1])) == ""
    assert remarked((RIGHT, RIGHT * 3), (RIGHT, "text")) == ""


def test_a_case_that_passes_does_not_count():
    assert "times" in remarked((RIGHT, RIGHT * 3), (RIGHT, RIGHT))


def test_a_number_or_two_are_too_few_for_a_remark():
    """Any number is any other times a constant."""
    assert remarked((np.array([2.0]), np.array([6.0]))) == ""
    assert remarked((np.array([2.0, 3.0]), np.array([3.0, 2.0]))) == ""


def test_a_remark_holds_no_value():
    for given in (RIGHT * 3, RIGHT + 0.5, RIGHT[::-1]):
        assert not any(character.isdigit() for character in remarked((RIGHT, given)))


# --- the file of misconceptions ---------------------------------------------------------------------------------------


def test_misconceptions_are_read_from_their_file_and_not_run(assignment):
    assignment.misconceptions.write_text(MISCONCEPTIONS + "\n1 / 0\n", encoding="utf-8")
    found = misconceptions(assignment)
    assert [item.id for item in found][:3] == ["no-flip", "flips-the-signal", "too-short"]
    assert found[1].function == "convolve"
    assert found[1].hint == "Which of the two is flipped?"


@pytest.mark.parametrize(
    ("name", "identity"),
    [("NoBias", "no-bias"), ("no_bias", "no-bias"), ("Conv2dTwice", "conv2d-twice"), ("conv1_twice", "conv1-twice")],
)
def test_an_id_is_the_name_in_kebab_case(assignment, name, identity):
    text = f'class {name}:\n    """replaces: convolve\n\n    A hint.\n    """\n'
    assignment.misconceptions.write_text(text, encoding="utf-8")
    assert [item.id for item in misconceptions(assignment)] == [identity]


@pytest.mark.parametrize(
    "docstring",
    ["", "A hint.", "replaces: convolve", "replaces: unknown\n\n    A hint.", "Replaces: convolve\n\n    A hint."],
)
def test_a_misconception_without_a_function_or_a_hint_is_refused(assignment, docstring):
    assignment.misconceptions.write_text(f'def wrong():\n    """{docstring}"""\n', encoding="utf-8")
    with pytest.raises(ContractError, match="wrong needs a docstring"):
        misconceptions(assignment)


def test_an_assignment_may_be_without_misconceptions(assignment):
    assignment.misconceptions.unlink()
    assert misconceptions(assignment) == ()
