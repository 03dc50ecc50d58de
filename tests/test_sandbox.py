"""The sandbox: whatever student code does, the trusted side gets plain data, on time, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from autograder import wire
from autograder.channel import Channel, ClosedError, LateError
from autograder.sandbox import Call, Limits, Sandbox, SandboxError, Source, sandbox
from autograder.scratch import scratch
from autograder.wire import Opaque, Tensor

LIMITS = Limits(load=20, call=10, job=30)
IMPATIENT = Limits(load=20, call=0.5, job=30)  # for calls that never end


@pytest.fixture(scope="module", autouse=True)
def folder():
    """Where workers' scratch folders are made, so that a test sees those of this file alone."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # a worker's own uid passes through
        tempfile.tempdir = place
        yield Path(place)
        tempfile.tempdir = before


@pytest.fixture(scope="module")
def box():
    with sandbox(["numpy"]) as box:
        yield box


@pytest.fixture(scope="module")
def torch_box():
    with sandbox(["numpy", "torch"]) as box:
        yield box


def source(text, **more):
    return Source("homework", "homework.py", (textwrap.dedent(text),), **more)


def observe(box, text, *calls, limits=LIMITS, **more):
    """What came of calling f() of a text, or of other calls of it."""
    return box.students.observe(source(text, **more), calls or [Call(("f",))], limits)


def once(box, text, *args, limits=LIMITS, **more):
    """What came of one call f(*args)."""
    return observe(box, text, Call(("f",), args), limits=limits, **more)[0]


def ending(box, text, **more):
    return once(box, text, **more).ending


# --- calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "last"),
    [("pass", "returned"), ("os._exit(0)", "crash"), ("os.kill(os.getpid(), 9)", "memory"), ("sleep(60)", "timeout")],
)
def test_many_calls_of_one_worker_are_told_apart(box, deed, last):
    """Their answers travel together, so that some may be lost with the worker; what comes is right and in order."""
    text = f"import os\nfrom time import sleep\ndef f(x):\n    if x == 300:\n        {deed}\n    return 2 * x\n"
    calls = [Call(("f",), (number,)) for number in range(500)]
    seen = box.students.observe(source(text), calls, IMPATIENT, once=True)
    well = seen if last == "returned" else seen[:-1]
    assert [item.value for item in well] == [2 * number for number in range(len(well))]
    assert seen[-1].ending == last
    assert len(seen) == 500 if last == "returned" else len(seen) <= 301


def test_a_call_gives_what_the_function_returns(box):
    seen = once(box, "def f(x, y):\n    return x @ y\n", np.arange(3.0), np.ones(3))
    assert (seen.ending, seen.value) == ("returned", 3.0)


def test_keywords_are_passed_on(box):
    call = Call(("f",), (1,), {"mode": "same"})
    assert observe(box, "def f(x, *, mode):\n    return x, mode\n", call)[0].value == (1, "same")


def test_a_call_of_what_is_not_there_is_absent_and_spoils_no_other(box):
    seen = observe(box, "def f():\n    return 1\n", Call(("g",)), Call(("f",)))
    assert [item.ending for item in seen] == ["absent", "returned"]
    assert seen[0].classes == ()


def test_a_function_whose_definition_failed_is_absent_with_the_reason(box):
    seen = once(box, "K = {}\n\ndef f(x=K['taps']):\n    return x\n")
    assert (seen.ending, seen.classes[0], seen.where, seen.line) == ("absent", "KeyError", "homework.py", 3)


def test_a_name_that_an_earlier_failure_left_unbound_tells_of_that_failure(box):
    seen = once(box, "import a_package_that_nobody_has\ndef f():\n    return a_package_that_nobody_has.g()\n")
    assert (seen.ending, seen.classes[0], seen.line) == ("raised", "ModuleNotFoundError", 1)


def test_a_name_that_a_failed_star_import_left_unbound_tells_of_that_failure(box):
    seen = once(box, "from a_package_that_nobody_has import *\ndef f():\n    return conv(1)\n")
    assert (seen.ending, seen.classes[0], seen.line) == ("raised", "ModuleNotFoundError", 1)


def test_something_that_cannot_be_called_is_absent(box):
    assert ending(box, "f = 3\n") == "absent"


def test_a_probe_gets_the_functions_first_and_then_the_data(box):
    probe = ("probe", "def probe(f, g, n):\n    return f(n) + g(n)\n")
    text = "def f(n):\n    return n\ndef g(n):\n    return 10 * n\n"
    assert observe(box, text, Call(("f", "g"), (2,), probe=probe))[0].value == 22


def test_a_probe_whose_function_is_missing_is_absent(box):
    probe = ("probe", "def probe(f, g):\n    return f()\n")
    assert observe(box, "def f():\n    return 1\n", Call(("f", "g"), probe=probe))[0].ending == "absent"


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("return x.sum()", False),
        ("x[0] = 9", True),
        ("x.sort(); x[:] = x[::-1]; return 0", True),
        ("options['mode'] = 'full'", True),
        ("options.pop('mode')", True),
        ("sizes.append(3)", True),
        ("x = x + 1; sizes = [*sizes, 3]; options = {}", False),
        ("x.shape = (2, 2)", True),
    ],
)
def test_a_change_of_the_arguments_is_noticed_where_it_is_watched(box, body, changed):
    text = f"def f(x, sizes, options):\n    {body}\n"
    call = Call(("f",), (np.arange(4.0), [1, 2], {"mode": "same"}), watch=True)
    assert observe(box, text, call)[0].changed is changed


def test_a_function_can_be_replaced_by_a_modules(box):
    modules = {"wrong": "from homework import helper\ndef better(x):\n    return helper(x)\n"}
    text = "def helper(x):\n    return x + 1\ndef f(x):\n    return 0\ndef g(x):\n    return f(x)\n"
    seen = observe(box, text, Call(("g",), (1,)), modules=modules, replace={"f": ("wrong", "better")})
    assert seen[0].value == 2


def test_the_names_that_a_function_reads_are_told(box):
    text = "def g():\n    pass\ndef f():\n    g()\ndef h():\n    pass\n"
    assert "g" in box.students.uses(source(text), "f", LIMITS)
    assert "h" not in box.students.uses(source(text), "f", LIMITS)


def test_the_students_own_line_is_told_with_its_cell(box):
    cells = ("def helper(x):\n    return 1 / x\n", "def f():\n    return helper(0)\n")
    seen = box.students.observe(Source("homework", "homework.ipynb", cells), [Call(("f",))], LIMITS)[0]
    assert (seen.classes[0], seen.where, seen.line) == ("ZeroDivisionError", "homework.ipynb, cell 1", 2)


# --- results ----------------------------------------------------------------------------------------------------------

CLASSES = """
import numpy as np
class Always(float):
    def __eq__(self, other):
        return True
    __hash__ = None
class Row(list):
    def __eq__(self, other):
        return True
    def __len__(self):
        return 7
class Named(dict):
    def __getitem__(self, key):
        return 9
class Wise(np.ndarray):
    def __eq__(self, other):
        return np.ones(3, dtype=bool)
    def __array_ufunc__(self, *args, **kwargs):
        return 0.0
class Lazy:
    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)
class Quiet(str):
    pass
class Thing:
    pass
"""


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("None", None),
        ("True", True),
        ("np.bool_(True)", True),
        ("np.int64(3)", 3),
        ("np.float32(0.5)", 0.5),
        ("np.longdouble(0.5)", 0.5),
        ("np.complex64(1j)", 1j),
        ("2**70", 2**70),
        ("Always(3.0)", 3.0),
        ("Row([1, 2])", [1, 2]),
        ("Named(a=1)", {"a": 1}),
        ("Quiet('same')", "same"),
        ("range(3)", [0, 1, 2]),
        ("(1, [2.0, None], {'a': (True,)})", (1, [2.0, None], {"a": (True,)})),
        ("__import__('collections').OrderedDict(a=1)", {"a": 1}),
        ("__import__('collections').namedtuple('P', 'x y')(1, 2)", (1, 2)),
        ("__import__('enum').IntEnum('E', 'A').A", 1),
        ("__import__('fractions').Fraction(1, 2)", Opaque("Fraction")),
        ("(i for i in range(3))", Opaque("generator")),
        ("map(float, [1])", Opaque("map")),
        ("{1, 2}", Opaque("set")),
        ("b'bytes'", Opaque("bytes")),
        ("Thing()", Opaque("Thing")),
        ("Thing", Opaque("type")),
        ("lambda: 1", Opaque("function")),
        ("{1: 2}", Opaque("dict with keys that are not strings")),
        ("[Thing()]", [Opaque("Thing")]),
        ("np.array([None])", Opaque("ndarray")),
        ("np.array(['text'])", Opaque("ndarray")),
        ("np.datetime64('2024-01-01')", Opaque("date")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_result_becomes_plain_data_in_the_worker(box, expression, value):
    seen = once(box, f"{CLASSES}\ndef f():\n    return {expression}\n")
    assert seen.ending == "returned"
    got = seen.value.tolist() if isinstance(seen.value, np.ndarray) else seen.value
    assert (type(got), got) == (type(value), value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("np.arange(3.0).view(Wise)", [0.0, 1.0, 2.0]),
        ("np.ma.masked_array([0.0, 1.0, 2.0], mask=True)", [0.0, 1.0, 2.0]),
        ("np.matrix([[0.0, 1.0]])", [[0.0, 1.0]]),
        ("np.arange(3).astype('>i4')", [0, 1, 2]),
        ("np.arange(6.0).reshape(2, 3).T", [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]),
        ("np.array(2.5)", 2.5),
        ("Lazy()", [0.0, 1.0, 2.0]),
        ("__import__('array').array('d', [0.5, 1.5])", [0.5, 1.5]),
        ("np.array([1, 2], dtype=np.longdouble)", [1.0, 2.0]),
    ],
    ids=["subclass", "masked", "matrix", "big-endian", "transposed", "scalar", "lazy", "array.array", "long double"],
)
def test_every_kind_of_array_becomes_a_plain_one(box, expression, value):
    """Its subclass, its mask and its ways to compare itself stay behind."""
    seen = once(box, f"{CLASSES}\ndef f():\n    return {expression}\n").value
    assert type(seen) is np.ndarray
    assert seen.tolist() == value


def test_a_result_that_contains_itself_is_no_plain_data(box):
    assert once(box, "def f():\n    x = []\n    x.append(x)\n    return x\n").value == Opaque(
        "result nested too deeply"
    )


@pytest.mark.parametrize(
    "expression",
    ["np.zeros(10_000_000)", "np.broadcast_to(0.0, (2**40,))", "'x' * 2**25", "[0] * 10**6", "np.empty((0, 2**40))"],
)
def test_a_huge_result_is_no_plain_data_either(box, expression):
    assert once(box, f"import numpy as np\ndef f():\n    return {expression}\n").value == Opaque("result too large")


def test_results_that_are_too_much_together_end_as_memory(box):
    """They are kept until they are judged, and a suite has hundreds of cases."""
    text = "import numpy as np\ndef f():\n    return np.zeros(2_000_000)\n"
    seen = observe(box, text, *[Call(("f",))] * 12)
    assert sum(item.ending == "returned" for item in seen) * 16e6 <= 4 * wire.MAX_BYTES
    assert seen[-1].ending == "memory"


@pytest.mark.parametrize(
    "body",
    [
        "def __array__(self, *args, **kwargs):\n        while True: pass",
        "def __array__(self, *args, **kwargs):\n        return self.__array__()",
        "def __array__(self, *args, **kwargs):\n        raise SystemExit",
        "def __array__(self, *args, **kwargs):\n        return 'no array'",
        "@property\n    def __array__(self):\n        raise KeyboardInterrupt",
    ],
    ids=["never ends", "recursion", "exit", "text", "property"],
)
def test_an_array_that_is_made_when_it_is_asked_for_is_asked_in_the_worker(box, body):
    text = f"class Late:\n    {body}\ndef f():\n    return Late()\n"
    assert ending(box, text, limits=IMPATIENT) in ("timeout", "raised")


# --- exceptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("raise ValueError('no')", "ValueError"),
        ("raise SystemExit", "SystemExit"),
        ("exit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException", "BaseException"),
        ("raise ExceptionGroup('two', [ValueError(), TypeError()])", "ExceptionGroup"),
        ("f()", "RecursionError"),
        ("assert False", "AssertionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
        ("import socket; socket.socket()", "PermissionError"),
    ],
)
def test_an_exception_of_any_kind_is_told_by_its_built_in_class(box, statement, kind):
    seen = once(box, f"def f():\n    {statement}\n")
    assert (seen.ending, seen.line) == ("raised", 2)
    assert kind in seen.classes


def test_an_exception_of_the_students_own_class_tells_its_built_in_ancestors(box):
    seen = once(box, "class Mine(ValueError):\n    pass\ndef f():\n    raise Mine('text')\n")
    assert (seen.classes[0], seen.text) == ("ValueError", "text")


@pytest.mark.parametrize(
    "body",
    ["raise SystemExit", "return 3", "return 'x' * 10**6", "return type('T', (str,), {})('x')"],
    ids=["raises", "is no text", "is huge", "is of a class of its own"],
)
def test_the_text_of_an_exception_does_no_harm(box, body):
    text = f"class Evil(Exception):\n    def __str__(self):\n        {body}\ndef f():\n    raise Evil\n"
    seen = once(box, text)
    assert (seen.ending, seen.classes[0]) == ("raised", "Exception")
    assert len(seen.text) <= 500


def test_a_text_of_an_exception_that_never_ends_is_a_timeout(box):
    text = "class Evil(Exception):\n    def __str__(self):\n        while True: pass\ndef f():\n    raise Evil\n"
    assert ending(box, text, limits=IMPATIENT) == "timeout"


# --- time, memory, death ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
        "import signal; [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; signal.pause()",
        "sum(range(10**12))",
        "input()\n    import time\n    time.sleep(1000)",
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
    ],
    ids=["loop", "sleep", "deadlock", "SIGSTOP", "signals", "stuck in C", "input", "swallows everything"],
)
def test_a_call_that_never_ends_is_a_timeout_and_the_next_one_is_made_all_the_same(box, body):
    text = (
        f"def f():\n    try:\n        input()\n    except EOFError:\n        pass\n    {body}\ndef g():\n    return 1\n"
    )
    text = text.replace("\n    input()\n    import", "\n    import")
    seen = observe(box, text, Call(("f",)), Call(("g",)), limits=IMPATIENT)
    assert [item.ending for item in seen] == ["timeout", "returned"]


def test_loading_that_never_ends_is_a_timeout_of_every_call(box):
    seen = observe(box, "while True:\n    f = 1\n", *[Call(("f",))] * 3, limits=Limits(load=0.4, call=1, job=1))
    assert [item.ending for item in seen] == ["timeout"] * 3


def test_all_calls_together_take_no_longer_than_a_job_may(box):
    start = time.monotonic()
    seen = observe(box, "def f():\n    while True: pass\n", *[Call(("f",))] * 50, limits=Limits(0.5, 0.3, 0.5))
    assert {item.ending for item in seen} == {"timeout"}
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "body",
    [
        "import os; os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.abort()",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os; os.closerange(0, 1000)",
        "import os; os.closerange(3, 1000)",
        "import sys; sys.setrecursionlimit(10**9); x = []\n    for _ in range(10**5): x = [x]\n    repr(x)",
    ],
    ids=["exit", "segmentation fault", "abort", "SIGTERM", "closes all", "closes the channel", "deep recursion"],
)
def test_a_call_that_ends_the_process_is_a_crash_and_the_next_one_is_made_all_the_same(box, body):
    seen = observe(box, f"def f():\n    {body}\ndef g():\n    return 1\n", Call(("f",)), Call(("g",)))
    assert seen[0].ending in ("crash", "memory")
    assert seen[1].ending == "returned"


def test_loading_that_ends_the_process_is_a_crash_of_every_call(box):
    seen = observe(box, "import os\nf = os._exit(0)\n", *[Call(("f",))] * 2)
    assert [item.ending for item in seen] == ["crash"] * 2


@pytest.mark.parametrize(
    "body",
    [
        "import numpy as np; return np.ones(10**10)",
        "x = []\n    while True: x.append(bytes(10**7))",
        "import mmap; m = mmap.mmap(-1, 10**10); return 0",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
    ids=["array", "list", "shared memory", "killed as by the kernel"],
)
def test_a_call_that_takes_all_memory_is_told_so(box, body):
    seen = once(box, f"def f():\n    {body}\n")
    assert seen.ending == "memory" or (seen.ending == "raised" and "OSError" in seen.classes)


# --- output -----------------------------------------------------------------------------------------------------------


def test_what_is_printed_is_kept_in_part(box):
    seen = once(box, "import sys\ndef f():\n    print('x' * 10**7)\n    print('y', file=sys.stderr)\n    return 1\n")
    assert (seen.ending, seen.value) == ("returned", 1)
    assert seen.output == "x" * len(seen.output)
    assert 0 < len(seen.output) <= 4096


def test_a_flood_of_output_does_not_hold_up_the_deadline(box):
    start = time.monotonic()
    seen = once(box, "import os\ndef f():\n    while True: os.write(1, b'x' * 65536)\n", limits=IMPATIENT)
    assert (seen.ending, len(seen.output)) == ("timeout", 4096)
    assert time.monotonic() - start < 5


def test_output_that_is_no_text_is_kept_as_far_as_it_is(box):
    seen = once(box, "import os\ndef f():\n    os.write(2, b'\\xff\\xfeabc')\n    return 1\n")
    assert seen.output.endswith("abc")


def test_closing_standard_output_costs_nothing(box):
    assert once(box, "import sys\ndef f():\n    sys.stdout.close(); sys.stdin.close()\n    return 1\n").value == 1


# --- lies -------------------------------------------------------------------------------------------------------------

FORGE = """
import sys
import numpy as np
from autograder import wire
def say(*answers):
    frame = sys._getframe()
    while "channel" not in frame.f_locals:
        frame = frame.f_back
    for answer in answers:
        frame.f_locals["channel"].sendall(answer if type(answer) is bytes else wire.frame(wire.encode(answer)))
    while True:
        pass
"""


@pytest.mark.parametrize(
    "answer",
    [
        "None",
        "{}",
        "[]",
        "{'raised': 'ValueError'}",
        "{'raised': [], 'text': 3, 'where': '', 'line': None}",
        "{'trouble': None}",
        "{'trouble': {'kind': 'ValueError'}}",
        "b'\\xff' * 8",
        "b'\\x00' * 8",
        "wire.HEADER.pack(3) + b'abc'",
        "wire.HEADER.pack(27) + b'Ad\\x03' + bytes(8) + b'\\x00\\x00\\x00\\x80\\x00\\x00\\x00\\x00' * 2",
        "wire.HEADER.pack(5) + b'L\\xff\\xff\\xff\\xff'",
        "{'returned': 1, 'forbidden': [3]}",
    ],
)
def test_what_no_worker_says_is_a_crash(box, answer):
    text = f"{FORGE}\ndef f():\n    say({answer})\ndef g():\n    return 1\n"
    seen = observe(box, text, Call(("f",)), Call(("g",)))
    assert [item.ending for item in seen] == ["crash", "returned"]


def test_a_forged_answer_means_no_more_than_a_result(box):
    """Whether the arguments were changed is a bool, or else it is not believed."""
    text = f"{FORGE}\ndef f():\n    say({{'returned': 1, 'changed': np.ones(2), 'more': 1}})\n"
    seen = once(box, text)
    assert (seen.ending, seen.value, seen.changed) == ("returned", 1, False)


@pytest.mark.parametrize(
    ("where", "line"),
    [("homework.py", 10**600), ("homework.py", -1), ("homework.py", 0), ("homework.py", True), ("homework.py", 9**6)],
)
def test_a_line_that_the_submission_does_not_have_is_not_repeated(box, where, line):
    """It could carry a hidden input out into what the student reads."""
    text = f"{FORGE}\ndef f():\n    say({{'raised': ['ValueError'], 'text': '', 'where': {where!r}, 'line': {line}}})\n"
    seen = once(box, text)
    assert (seen.ending, seen.where, seen.line) == ("raised", "homework.py", None)


def test_neither_is_a_place_that_it_does_not_have(box):
    text = f"{FORGE}\ndef f():\n    say({{'raised': ['ValueError'], 'text': '', 'where': '3.14159', 'line': 1}})\n"
    seen = once(box, text)
    assert (seen.where, seen.line) == ("", None)


def test_forged_texts_and_classes_are_cut(box):
    answer = "{'raised': ['x' * 100] * 1000, 'text': 'x' * 10**6, 'where': '', 'line': None}"
    seen = once(box, f"{FORGE}\ndef f():\n    say({answer})\n")
    assert len(seen.text) <= 500
    assert len(seen.classes) <= 20


def test_names_that_a_function_is_said_to_read_are_checked(box):
    text = f"{FORGE}\ndef f():\n    pass\nf.x = say({{'absent': {{}}, 'uses': {{'f': 3}}}})\n"
    assert box.students.uses(source(text), "f", LIMITS) == frozenset()


@pytest.fixture
def ends():
    """A channel to which more was sent than a socket's buffer holds, and the worker's end, which has read nothing."""
    ours, theirs = socket.socketpair()
    output, printed = os.pipe()
    channel = Channel(ours, output, room=100)
    channel.send(bytes(10**7))
    yield channel, theirs
    channel.close()
    theirs.close()
    os.close(printed)


def test_a_worker_that_never_reads_holds_nobody_up(ends):
    channel, _ = ends
    start = time.monotonic()
    with pytest.raises(LateError):
        channel.receive(start + 0.2)
    assert time.monotonic() - start < 2


def test_what_a_worker_said_before_it_ended_is_heard(ends):
    """Even where it ended before it had read all that it was sent."""
    channel, theirs = ends
    theirs.sendall(wire.frame(wire.encode("the last word")))
    theirs.close()
    assert channel.receive(time.monotonic() + 5) == "the last word"
    with pytest.raises(ClosedError):
        channel.receive(time.monotonic() + 5)


# --- one worker knows nothing of another ------------------------------------------------------------------------------


def test_state_does_not_pass_from_one_worker_to_the_next(box):
    text = """
        import builtins, os, numpy as np
        def f():
            seen = (hasattr(builtins, "left"), os.environ.get("LEFT"), os.path.exists("left"), np.pi)
            builtins.left = True
            os.environ["LEFT"] = "left"
            np.pi = 3
            open("left", "w").close()
            return seen
    """
    fresh = (False, None, False, np.pi)
    assert once(box, text).value == fresh
    assert once(box, text).value == fresh


def test_global_switches_do_not_pass_from_one_call_to_the_next(box):
    text = """
        import random, sys, numpy as np
        def f():
            seen = (random.random(), float(np.random.rand()), sys.getrecursionlimit(), np.geterr()["divide"])
            np.seterr(all="raise")
            sys.setrecursionlimit(5000)
            return seen
    """
    first, second, other = observe(box, text, Call(("f",)), Call(("f",)), Call(("f",), seed=1))
    assert first.value == second.value
    assert first.value[:2] != other.value[:2]


def test_how_deep_a_submission_lets_its_functions_call_themselves_holds_for_every_call(box):
    text = """
        import sys
        sys.setrecursionlimit(20_000)
        def f(n=15_000):
            if n == 15_000:
                sys.setrecursionlimit(20_001)
            return n and 1 + f(n - 1)
    """
    first, second = observe(box, text, Call(("f",)), Call(("f",)))
    assert first.value == second.value == 15_000


def test_the_workers_folder_is_its_own_and_writable(box):
    text = """
        import os, tempfile
        def f():
            with tempfile.NamedTemporaryFile() as stream:
                stream.write(b"x")
            return os.listdir(), os.environ["HOME"] == os.getcwd()
    """
    assert once(box, text).value == ([], True)


def test_what_the_standard_library_imports_late_is_there(box):
    names = (
        "argparse asyncio base64 bisect calendar concurrent.futures contextlib copy csv ctypes datetime decimal "
        "difflib doctest fractions gzip hashlib heapq html inspect json logging multiprocessing numbers pathlib pickle "
        "platform pprint queue sqlite3 statistics string subprocess tempfile textwrap threading timeit traceback "
        "unittest urllib.request uuid zipfile xml.etree.ElementTree numpy.polynomial numpy.testing"
    )
    text = f"import importlib\ndef f():\n    return [importlib.import_module(n).__name__ for n in {names!r}.split()]\n"
    seen = once(box, text)
    assert (seen.ending, seen.text) == ("returned", "")


# --- nothing is left, nothing is lost ---------------------------------------------------------------------------------


def children(pid):
    """The processes that a process has forked, and theirs."""
    try:
        own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return own + [child for one in own for child in children(one)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture
def own_box():
    """A sandbox whose processes a test may kill."""
    with sandbox(["numpy"]) as box:
        assert once(box, "def f():\n    return 1\n").value == 1
        yield box


def ancestor_of(box: Sandbox):
    assert box._ancestor is not None
    return box._ancestor.pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not alive(pid))


@pytest.mark.parametrize("body", ["return 1", "os._exit(1)", "while True: pass"], ids=["returns", "dies", "hangs"])
def test_no_scratch_folder_is_left(box, folder, body):
    observe(box, f"import os\ndef f():\n    open('x', 'w').close()\n    {body}\n", limits=IMPATIENT)
    assert list(folder.iterdir()) == []


def test_folders_of_any_depth_and_mode_are_removed(folder):
    """A thousand levels are more than recursion reaches, and more than fits into a path."""
    before = Path.cwd()
    with scratch(None) as place:
        try:
            os.chdir(place)
            for _ in range(1100):
                Path("a").mkdir()
                os.chdir("a")
            Path("link").symlink_to("/")
        finally:
            os.chdir(before)
        Path(place, "closed").mkdir(mode=0)
    assert list(folder.iterdir()) == []


def test_no_process_is_left_when_a_sandbox_is_closed():
    with sandbox(["numpy"]) as box:
        once(box, "def f():\n    return 1\n")
        box.references.observe(source("def f():\n    return 1\n"), [Call(("f",))], LIMITS)
        pids = [ancestor_of(box), *children(ancestor_of(box))]
        assert len(pids) == 3
    assert wait_until(lambda: not any(map(alive, pids)))


def test_no_process_is_left_when_a_worker_has_ended(own_box):
    text = "import threading, time\nthreads = [threading.Thread(target=time.sleep, args=(99,)) for _ in range(3)]\ndef f():\n    [thread.start() for thread in threads]\n    return 1\n"  # noqa: E501
    assert once(own_box, text).value == 1
    assert wait_until(lambda: len(children(ancestor_of(own_box))) == 1)


def test_closing_twice_does_nothing(own_box):
    own_box.close()
    own_box.close()


def test_a_closed_sandbox_starts_again_when_it_is_needed(own_box):
    own_box.close()
    assert once(own_box, "def f():\n    return 1\n").value == 1


def test_a_zygote_that_was_killed_between_two_jobs_costs_nothing(own_box):
    kill(children(ancestor_of(own_box))[0])
    assert once(own_box, "def f():\n    return 1\n").value == 1


def test_an_ancestor_that_was_killed_between_two_jobs_costs_nothing(own_box):
    pid = ancestor_of(own_box)
    kill(pid)
    assert once(own_box, "def f():\n    return 1\n").value == 1
    assert ancestor_of(own_box) != pid


@pytest.mark.parametrize("which", ["zygote", "ancestor"])
def test_one_that_is_killed_during_a_job_costs_a_retry_and_no_result(own_box, folder, which):
    """The observation is the second worker's, not a crash of the first."""
    pid = ancestor_of(own_box)
    victim = pid if which == "ancestor" else children(pid)[0]
    text = "import time\ndef f():\n    time.sleep(1)\n    return 1\n"
    killer = threading.Timer(0.5, os.kill, (victim, signal.SIGKILL))
    killer.start()
    try:
        assert once(own_box, text).value == 1
    finally:
        killer.join()
    assert not alive(victim)
    assert list(folder.iterdir()) == []


def test_workers_die_with_their_zygote(own_box):
    text = "import time\ndef f():\n    time.sleep(0.6)\n    return 1\n"
    seen = []

    def look_and_kill():
        zygote = children(ancestor_of(own_box))[0]
        seen.extend(children(zygote))
        os.kill(zygote, signal.SIGKILL)

    killer = threading.Timer(0.3, look_and_kill)
    killer.start()
    assert once(own_box, text).value == 1
    killer.join()
    assert len(seen) == 1
    assert not alive(seen[0])


def test_a_zygote_that_dies_again_and_again_is_the_kits_own_failure(own_box, monkeypatch):
    """It must never look like a student's."""

    def gone(*_):
        raise ConnectionResetError

    monkeypatch.setattr(own_box.students, "command", gone)
    with pytest.raises(SandboxError, match="again and again"):
        once(own_box, "def f():\n    return 1\n")


def test_a_library_that_is_not_there_is_told_before_anything_is_graded(monkeypatch):
    monkeypatch.setattr("autograder.sandbox._BOOT", "raise SystemExit('no such library')")
    with sandbox(["numpy"]) as box, pytest.raises(SandboxError, match="no such library"):
        once(box, "def f():\n    return 1\n")


# --- torch ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "array"),
    [
        ("torch.arange(3.0)", [0.0, 1.0, 2.0]),
        ("torch.nn.Parameter(torch.ones(2))", [1.0, 1.0]),
        ("torch.ones(2, requires_grad=True) * 2", [2.0, 2.0]),
        ("torch.ones(2).bfloat16()", [1.0, 1.0]),
        ("torch.eye(2).to_sparse()", [[1.0, 0.0], [0.0, 1.0]]),
        ("torch.ones(1).expand(3)", [1.0, 1.0, 1.0]),
        ("torch.tensor([1j]).conj()", [-1j]),
        ("torch.tensor(3)", 3),
    ],
)
def test_a_tensor_travels_as_an_array_and_is_marked(torch_box, expression, array):
    seen = once(torch_box, f"import torch\ndef f():\n    return {expression}\n").value
    assert isinstance(seen, Tensor)
    assert seen.array.tolist() == array


def test_a_list_of_tensors_is_a_list(torch_box):
    seen = once(torch_box, "import torch\ndef f():\n    return [torch.ones(1), (torch.zeros(()),)]\n").value
    assert [type(seen), type(seen[0]), type(seen[1][0])] == [list, Tensor, Tensor]


def test_a_tensor_without_values_is_an_exception(torch_box):
    assert ending(torch_box, "import torch\ndef f():\n    return torch.ones(2, device='meta')\n") == "raised"


def test_torchs_switches_do_not_pass_from_one_call_to_the_next(torch_box):
    text = """
        import torch
        def f():
            dtype, threads = str(torch.get_default_dtype()), torch.get_num_threads()
            seen = torch.is_grad_enabled(), dtype, threads, float(torch.rand(()))
            torch.set_grad_enabled(False)
            torch.set_default_dtype(torch.float64)
            return seen
    """
    first, second = observe(torch_box, text, Call(("f",)), Call(("f",)))
    assert first.value == second.value
    assert first.value[:3] == (True, "torch.float32", 1)


def test_a_training_step_works_inside_the_walls(torch_box):
    """Optimizers import much of torch late."""
    text = """
        import torch
        def f():
            layer = torch.nn.Linear(2, 1)
            for kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop):
                optimizer = kind(layer.parameters(), lr=0.1)
                layer(torch.ones(3, 2)).sum().backward()
                optimizer.step()
            return 1
    """
    assert once(torch_box, text).value == 1


def test_memory_that_torch_asks_for_in_vain_is_told_so(torch_box):
    assert ending(torch_box, "import torch\ndef f():\n    return torch.ones(10**11)\n") == "memory"
