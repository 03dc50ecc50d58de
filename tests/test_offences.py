"""Forbidden calls: whoever makes one answers for it, nobody else does, and no way leads past it."""

import pytest

from autograder import contract
from autograder.grading import Grader
from autograder.intake import Answer, Submission

CONVOLUTION = contract.assignment("convolution")


@pytest.fixture(scope="module")
def grade():
    with Grader(20) as grader:

        def graded(*more, name="convolution"):
            assignment = contract.assignment(name)
            master = assignment.master.read_text(encoding="utf-8")
            answer = Answer(name, f"{name}.py", (master, *more), {}, notebook=False)
            return grader.grade(Submission("somebody", {name: answer}, ()), [assignment])

        yield graded


def charged(report):
    """Of each function that answers for a forbidden call, what it earns."""
    graded = report.assignments[0]
    names = {verdict.function for verdict in report.verdicts if verdict.failure == "forbidden"}
    return {name: sum(verdict.score for verdict in graded.of(name)) for name in names}


def test_who_calls_it_answers_for_it(grade):
    assert charged(grade("def correlate1d(x, w):\n    return np.correlate(x, w)\n")) == {"correlate1d": 0}


def test_who_needs_one_that_calls_it_does_not(grade):
    """correlate1d is to be built on convolve1d, which pays for both; who is not answers for what it relies on."""
    report = grade(
        "def convolve1d(x, g, mode='valid'):\n    return np.convolve(x, g, mode)\n",
        "def correlate1d(x, w):\n    return convolve1d(x, np.flip(w))\n",
        "def convolve2d(x, g):\n    return [convolve1d(row, g[0]) for row in x]\n",
    )
    assert charged(report) == {"convolve1d": 0, "convolve2d": 0}


def test_who_shows_itself_only_the_second_time_answers_too(grade):
    """What fails at first is called again in a worker of its own."""
    report = grade(
        "calls = []\n",
        "def correlate1d(x, w):\n    calls.append(x)\n    return np.correlate(x, w) if len(calls) == 1 else None\n",
    )
    assert charged(report) == {"correlate1d": 0}


LAZILY = """
class Later:
    def __init__(self, *made):
        self.made = made

    def __array__(self, *_, **__):
        return np.correlate(*self.made)


def correlate1d(x, w):
    return Later(x, w)
"""
AMONG_MANY = """
def correlate1d(x, w):
    for _ in range(30):
        np.convolve(x, w)
    return np.correlate(x, w)
"""


POLYNOMIALS = """
def correlate1d(x, w):
    return (np.poly1d(x) * np.poly1d(w)).coeffs
"""


WRAPPED = """
def correlate1d(x, w):
    return np._core.multiarray.correlate(np.asarray(x, float), np.asarray(w, float))
"""
WHILE_IT_IS_UNPACKED = """
given, answers, unpacked = [], {}, np.frombuffer

def spying(*args, **options):
    given.append(unpacked(*args, **options))
    if len(given) > 1:
        answers[len(given[-2]), len(given[-1])] = np.correlate(given[-2], given[-1])
    return given[-1]

np.frombuffer = spying

def correlate1d(x, w):
    return answers.get((len(x), len(w)))
"""


@pytest.mark.parametrize(
    "text",
    [LAZILY, AMONG_MANY, POLYNOMIALS, WRAPPED],
    ids=["lazily", "among-many", "polynomials", "what is below it"],
)
def test_a_call_is_noted_whenever_it_is_made(grade, text):
    assert charged(grade(text)) == {"correlate1d": 0}


def test_a_call_is_noted_that_is_made_while_a_tests_call_is_still_unpacked(grade):
    """Whoever looks over the worker's shoulder makes it in the name of whatever is being graded."""
    assert charged(grade(WHILE_IT_IS_UNPACKED))["correlate1d"] == 0


@pytest.mark.parametrize("own", ["_right(x, np.flip(w))", "np.correlate(x, w)"])
def test_a_way_through_another_graded_function_is_no_way(grade, own):
    """Whether that one's own tests take it and lose its few points, or do not."""
    report = grade(
        "_right = convolve1d\n",
        f"def correlate1d(x, w, cheat=None):\n    return np.convolve(x, w, cheat) if cheat else {own}\n",
        "def convolve1d(x, g, mode='valid'):\n    return correlate1d(x, g, mode)\n",
    )
    assert charged(report)["convolve1d"] == 0
    assert ("correlate1d" in charged(report)) == ("np." in own.partition("(")[0])


def test_a_function_earns_nothing_by_what_another_has_left_behind(grade):
    """Each is called on modules of its own, and so fails here as it would fail alone."""
    report = grade(
        "_convolve, _correlate, there = convolve1d, correlate1d, False\n",
        "def convolve1d(x, g, mode='valid'):\n    global there\n    there = True\n    return _convolve(x, g, mode)\n",
        "def correlate1d(x, w):\n    return _correlate(x, w) if there else None\n",
    )
    graded = report.assignments[0]
    assert all(verdict.passed for verdict in graded.of("convolve1d"))
    assert not any(verdict.score for verdict in graded.of("correlate1d"))


def test_a_function_loses_nothing_by_what_another_has_left_behind(grade):
    report = grade(
        "_convolve = convolve1d\ndef used(x, w): return _convolve(x, np.flip(w))\n",
        "def convolve1d(x, g, mode='valid'):\n    global used\n    used = max\n    return _convolve(x, g, mode)\n",
        "def correlate1d(x, w):\n    return used(x, w)\n",
    )
    assert report.score == CONVOLUTION.points


@pytest.mark.parametrize(
    "way",
    [
        "(y * y).sum().backward()",
        "torch.autograd.grad((y * y).sum(), y)",
    ],
    ids=["backward", "grad"],
)
def test_what_is_forbidden_to_one_function_is_allowed_in_another(grade, way):
    """A gradient by hand comes of no graph; what a layer does with one is its own affair."""
    report = grade(
        f"""
_right = conv2d_backward
def differentiate():
    with torch.inference_mode(False), torch.enable_grad():
        y = torch.ones(3, requires_grad=True)
        {way}
def conv2d_backward(*args, **options):
    differentiate()
    return _right(*args, **options)
class Conv2d(Conv2d):
    def forward(self, x):
        differentiate()
        return super().forward(x)
""",
        name="conv2d",
    )
    assert charged(report) == {"conv2d_backward": 0}
    assert report.score == 75


def test_what_is_noted_tells_the_student_nothing_that_their_code_made(grade):
    """The note comes from the worker, in which a submission may write its own: with a value of a hidden input in it."""
    report = grade(
        """
def correlate1d(x, w):
    import gc
    notes = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Watch").notes
    notes.append((f"scipy.x{x[0]}", 7, ["correlate1d"]))
    notes.append((f"numpy.convolve x{x[0]}", 7, ["correlate1d"]))
"""
    )
    (told,) = {verdict.message for verdict in report.verdicts if verdict.failure == "forbidden"}
    assert told.startswith("correlate1d calls a function of scipy in line 7, which this assignment does not allow.")
