"""The loader: what of a submission runs, what does not, and what a failure costs."""

from __future__ import annotations

import sys
import textwrap
import time
import types
import warnings

import pytest

from autograder.worker import loader, statements

DEFINITION = "def wanted():\n    return 1\n"


@pytest.fixture(autouse=True)
def _as_in_a_worker(monkeypatch):
    """Modules and the finder that a test leaves behind are gone after it; a student's warnings are no errors."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(*cells, wanted=("wanted",), modules=None):
    """Load cells, or the one text of a module, as a worker does."""
    texts = {name: textwrap.dedent(text) for name, text in (modules or {}).items()}
    sys.meta_path.insert(0, loader.OwnModules(texts))
    module = types.ModuleType("homework")
    sys.modules["homework"] = module
    names = None if wanted is None else list(wanted)
    return loader.load(module, [textwrap.dedent(cell) for cell in cells], "homework.py", names)


def result(*cells, **more):
    """What `wanted()` returns."""
    return load(*cells, **more).module.wanted()


def bound(*cells, **more):
    """The names that are there after loading."""
    return {name for name in vars(load(*cells, **more).module) if not name.startswith("__")}


# --- what runs --------------------------------------------------------------------------------------------------------


def test_a_function_is_there_with_the_helper_and_the_constant_that_it_needs():
    text = """
        import math
        TAPS = 3
        def helper(x):
            return math.floor(x) * TAPS
        def wanted():
            return helper(2.5)
    """
    assert result(text) == 6


def test_plots_prints_and_training_runs_do_not_run():
    text = """
        def wanted():
            return 1
        print(1 / 0)
        1 / 0
        history = 1 / 0
        for epoch in range(3):
            1 / 0
        assert False
        raise SystemExit
    """
    loaded = load(text)
    assert loaded.module.wanted() == 1
    assert not loaded.failed


def test_a_needed_statement_runs_in_its_own_order():
    text = """
        table = [1]
        table = table + [2]
        table += [3]
        def wanted():
            return table
        table = table * 2
    """
    assert result(text) == [1, 2, 3, 1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "if not True:\n    K = 1\nelse:\n    K = 2",
        "for K in range(3):\n    pass",
        "K = 0\nwhile K < 2:\n    K += 1",
        "try:\n    K = 1 // 0\nexcept ZeroDivisionError:\n    K = 2",
        "from contextlib import nullcontext\nwith nullcontext(2) as K:\n    pass",
        "match [1, 2]:\n    case [_, K]:\n        pass",
        "match {'a': 1, 'b': 2}:\n    case {'a': 1, **rest}:\n        pass\nK = rest['b']",
        "match [1, 2]:\n    case [_, *rest]:\n        pass\nK = rest[0]",
        "K: int = 2",
        "J, (K, *_) = 1, (2, 3)",
        "(K := 2)",
        "[K := item for item in (1, 2)]",
        "import math as K\nK = 2",
        "class K:\n    pass\nK = 2",
        "K = 1\ndel K\nK = 2",
    ],
    ids=[
        "if", "for", "while", "try", "with", "match a list", "match a dict", "match the rest", "annotated", "unpacked",
        "walrus", "walrus in a comprehension", "import", "class", "del",
    ],
)  # fmt: skip
def test_a_constant_may_be_bound_in_any_way(text):
    assert result(f"{text}\ndef wanted():\n    return K\n") == 2


@pytest.mark.parametrize(
    "change",
    [
        "TABLE['relu'] = 2",
        "TABLE.update(relu=2)",
        "for name in ('relu',):\n    TABLE[name] = 2",
        "for name in ('relu',):\n    TABLE.update({name: 2})",
        "if True:\n    TABLE.setdefault('relu', 2)",
        "TABLE |= {'relu': 2}",
        "del TABLE['tanh']",
    ],
    ids=["item", "method", "items in a loop", "methods in a loop", "method in an if", "in place", "deletion"],
)
def test_a_table_is_filled_by_the_statements_after_it(change):
    assert result(f"TABLE = {{'tanh': 1}}\n{change}\ndef wanted():\n    return TABLE\n") != {"tanh": 1}


def test_a_table_is_filled_by_a_decorator_that_reads_it():
    """One function per kind of layer, registered under its name: nothing else mentions them."""
    text = """
        SHAPES = {}
        def shape_of(kind):
            def register(function):
                SHAPES[kind] = function
                return function
            return register
        @shape_of("relu")
        def relu(shape):
            return shape
        def wanted():
            return SHAPES["relu"]((3, 4))
    """
    assert result(text) == (3, 4)


def test_a_table_is_filled_by_its_own_method_as_a_decorator():
    text = """
        class Table(dict):
            def add(self, function):
                self[function.__name__] = function
                return function
        table = Table()
        @table.add
        def relu():
            return 2
        def wanted():
            return table["relu"]()
    """
    assert result(text) == 2


@pytest.mark.parametrize(
    "text",
    [
        "SHAPES = {}\ndef register(kind, size):\n    SHAPES[kind] = size\nregister('relu', 2)",
        "SHAPES = {}\ndef add(kind, size):\n    SHAPES.update({kind: size})\nfor kind in ['relu']: add(kind, 2)",
        "SHAPES = {}\ndef at(kind):\n    def put(size):\n        SHAPES[kind] = size\n    return put\nat('relu')(2)",
        "SHAPES = None\ndef fill():\n    global SHAPES\n    SHAPES = {'relu': 2}\nfill()",
        "SHAPES = {}\nSHAPES.setdefault('relu', []).append(1)\nSHAPES['relu'] = SHAPES['relu'][0] + 1",
        "globals()['SHAPES'] = {'relu': 2}",
        "NAMES = ['SHAPES']\nfor name in NAMES: globals()[name] = {'relu': 2}",
        "TABLE = {'SHAPES': {'relu': 2}}\nglobals().update(TABLE)",
        "import sys\nsetattr(sys.modules[__name__], 'SHAPES', {'relu': 2})",
        "class SHAPES: pass\nsetattr(SHAPES, '__class_getitem__', lambda kind: 2)",
        "SHAPES = {}\ndef put(table, kind):\n    table[kind] = 2\nput(SHAPES, 'relu')",
        "SHAPES = {}\n[SHAPES.update({kind: 2}) for kind in ['relu']]",
        "SHAPES = {}\ndef put(kind):\n    SHAPES[kind] = 2\nlist(map(put, ['relu']))",
        "SHAPES = {}\ndef register(kind):\n    SHAPES[kind] = 2\n    return kind\nRELU = register('relu')",
        "class Kind:\n    known = {}\n    def __init__(self): Kind.known['relu'] = 2\nSHAPES = Kind.known\nKind()",
        "KINDS = []\nclass Kind:\n    def __init__(self): KINDS.append(2)\nRELU = Kind()\nSHAPES = {'relu': KINDS[0]}",
        "try: SHAPES = {}\nexcept ImportError: pass\ndef put(kind):\n    SHAPES[kind] = 2\nput('relu')",
        "def make():\n    table = {}\n    return table, table.__setitem__\nSHAPES, put = make()\nput('relu', 2)",
        "SHAPES = {}\ndef put(kind):\n    SHAPES[kind] = 2\ndef setup(): put('relu')\nsetup()",
        "SHAPES = {}\nput = lambda kind: SHAPES.update({kind: 2})\nput('relu')",
        "SHAPES = {}\nshapes = SHAPES\nshapes['relu'] = 2",
    ],
    ids=[
        *("a function", "in a loop", "a function that a function makes", "a global name", "what a method gives"),
        *("the namespace", "the namespace in a loop", "the namespace at once", "the module", "a class"),
        *("what it is given to", "a comprehension", "a map", "what also returns", "a class's own", "its instances"),
        *("what may fail", "what was made with it", "what calls another", "a lambda", "a second name"),
    ],
)
def test_a_table_is_filled_by(text):
    assert result(f"{text}\ndef wanted():\n    return SHAPES['relu']") == 2


@pytest.mark.parametrize(
    "text",
    [
        "class Layer:\n    def __init_subclass__(cls): LAYERS.append(cls.__name__)\nclass Relu(Layer): pass",
        """class Kind(type):
    def __init__(cls, name, *_):
        if name != "Layer": LAYERS.append(name)
class Layer(metaclass=Kind): pass
class Relu(Layer): pass
""",
        "class Layer:\n    @staticmethod\n    def add(name): LAYERS.append(name)\nLayer.add('Relu')",
    ],
    ids=["that it is made of", "of its class", "of another class"],
)
@pytest.mark.parametrize("reads", ["LAYERS", "LAYERS if Layer else None"])
def test_a_class_is_known_to_the_table(text, reads):
    assert result(f"LAYERS = []\n{text}\ndef wanted():\n    return {reads}") == ["Relu"]


@pytest.mark.parametrize(
    "line",
    [
        "K = K",
        "K = K + 1 - 1",
        "K = max(K, 0)",
        "for _ in range(1): K = K",
        "K: int = K",
        "pair = staticmethod(lambda: K)",
    ],
)
def test_a_class_may_give_a_name_of_the_module_to_an_attribute(line):
    text = f"K = 3\nclass Layer:\n    {line}\n    def size(self):\n        return K"
    assert result(f"{text}\ndef wanted():\n    return Layer().size()") == 3


@pytest.mark.parametrize(
    "text",
    [
        "from table import SHAPES, register\n@register('relu')\ndef relu(): pass",
        "import table\ntable.SHAPES.update(relu=2)\nSHAPES = table.SHAPES",
        "from table import Layer, SHAPES\nclass relu(Layer): pass",
    ],
)
def test_a_table_of_another_own_module_is_filled(text):
    table = """
        SHAPES = {}
        def register(kind):
            def put(function):
                SHAPES[kind] = 2
                return function
            return put
        class Layer:
            def __init_subclass__(cls):
                SHAPES[cls.__name__] = 2
    """
    module, modules = types.ModuleType("homework"), {"table": textwrap.dedent(table)}
    sys.meta_path.insert(0, loader.OwnModules(modules))
    sys.modules["homework"] = module
    loader.load(module, [f"{text}\ndef wanted():\n    return SHAPES['relu']"], "homework.py", ["wanted"], modules)
    assert module.wanted() == 2


@pytest.mark.parametrize(
    "demonstration",
    [
        "while True: wanted()",
        "def benchmark():\n    LOG.clear()\n    while True: wanted()\nbenchmark()",
        "def endless():\n    while True: LOG.append(1)\nhistory = endless()\nLOG.append(history)",
        "@noted\ndef show(): pass\nshow()\nwhile True: wanted()",
    ],
)
def test_a_demonstration_that_may_fill_a_table_and_never_ends_costs_nothing(demonstration):
    """It is run for a moment, once; the next time it is left out."""
    text = f"""
LOG = []
def noted(f):
    LOG.append(f)
    return f
@noted
def wanted():
    LOG.append(1)
    return len(LOG) > 1
{demonstration}
"""
    assert result(text)
    start = time.monotonic()
    assert result(text)
    assert time.monotonic() - start < 0.4


def test_a_training_run_that_fills_nothing_needed_is_not_run():
    text = """
        DEVICE = "cpu"
        history = []
        def train():
            history.append(DEVICE)
        train()
        def wanted():
            return DEVICE
    """
    assert bound(text) == {"DEVICE", "wanted"}


def test_how_deep_functions_may_call_themselves_is_said_by_a_statement_that_no_function_mentions(monkeypatch):
    limits = []
    monkeypatch.setattr(sys, "setrecursionlimit", limits.append)
    load("import sys\nsys.setrecursionlimit(10**6)\ndef wanted(): pass")
    load("from sys import setrecursionlimit\nif True: setrecursionlimit(5000)\ndef wanted(): pass")
    assert limits == [10**6, 5000]


def test_a_generic_function_has_all_its_implementations():
    text = """
        from functools import singledispatch
        @singledispatch
        def size(thing):
            return 0
        @size.register
        def _(thing: tuple):
            return len(thing)
        def wanted():
            return size((1, 2))
    """
    assert result(text) == 2


def test_a_function_that_is_decorated_with_a_librarys_own_decorator_runs_nothing_by_itself():
    """`@torch.no_grad()` on a demonstration is no reason to train its model."""
    text = """
        import functools
        model = 1 / 0
        @functools.cache
        def demonstrate():
            return model
        def wanted():
            return functools.reduce(max, [1, 2])
    """
    assert not load(text).failed


def test_a_method_that_is_put_on_a_class_later_is_there():
    text = """
        class Layer:
            pass
        def forward(self):
            return 2
        Layer.forward = forward
        def wanted():
            return Layer().forward()
    """
    assert result(text) == 2


def test_a_setting_of_a_library_is_made_where_the_library_is_needed():
    text = """
        import decimal
        decimal.DefaultContext.prec = 9
        def wanted():
            return decimal.DefaultContext.prec
    """
    assert result(text) == 9


@pytest.mark.parametrize(
    "text",
    [
        "def wanted(k=K):\n    return k",
        "def wanted(*, k=K):\n    return k",
        "def give(function):\n    return lambda: K\n@give\ndef wanted():\n    return 0",
        "def wanted():\n    def inner():\n        return K\n    return inner()",
        "wanted = lambda: K",
        "def wanted():\n    return [K for _ in range(1)][0]",
        "def wanted():\n    return (lambda: K)()",
        "class Base:\n    k = K\nclass Thing(Base):\n    pass\ndef wanted():\n    return Thing.k",
        "class Thing:\n    def method(self):\n        return K\ndef wanted():\n    return Thing().method()",
        "from functools import partial\nwanted = partial(int, K)",
        "def helper():\n    return K\nwanted = helper",
        "def wanted():\n    global K\n    K += 0\n    return K",
        "def wanted():\n    if False:\n        yield\n    return K\nwanted = lambda inner=wanted: K",
    ],
    ids=[
        "default", "keyword default", "decorator", "closure", "lambda", "comprehension", "lambda inside", "class body",
        "method", "partial", "alias", "global", "generator",
    ],
)  # fmt: skip
def test_a_constant_is_found_wherever_it_is_read(text):
    assert result(f"K = 2\n{text}\n") == 2


def test_a_dataclass_is_whole():
    text = """
        from __future__ import annotations
        from dataclasses import dataclass, field
        WIDTH = 3
        @dataclass(frozen=True)
        class Layer:
            width: int = WIDTH
            names: list[str] = field(default_factory=list)
        def wanted():
            return Layer(), Layer(4).width
    """
    layer, width = result(text)
    assert (layer.width, layer.names, width) == (3, [], 4)


def test_a_function_may_fill_a_global_cache():
    """The cache is read although the function only ever assigns to its items."""
    text = """
        CACHE = {}
        def wanted():
            CACHE["key"] = 2
            return CACHE["key"]
    """
    assert result(text) == 2


def test_a_function_may_set_a_librarys_attribute():
    text = """
        import decimal
        def wanted():
            decimal.DefaultContext.prec = 28
            return 2
    """
    assert result(text) == 2


def test_functions_may_call_each_other_in_any_order_and_themselves():
    text = """
        def wanted(n=5):
            return n if n < 2 else later(n)
        def later(n):
            return wanted(n - 1)
    """
    assert result(text) == 1


def test_a_type_annotation_is_evaluated_as_python_does():
    text = """
        import numpy as np
        Array = np.ndarray
        def wanted(x: Array = None) -> "not evaluated":
            return wanted.__annotations__
    """
    import numpy as np

    assert result(text) == {"x": np.ndarray, "return": "not evaluated"}


def test_annotations_are_left_alone_from_a_future_import_on():
    cells = ("from __future__ import annotations", "def wanted(x: NotDefined[1 / 0] = 0) -> Anything:\n    return 2")
    assert result(*cells) == 2


# --- what does not run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "history = []\n    return history",
        "history: list = []\n    return history",
        "for history in [1]:\n        pass\n    return history",
        "with open(0) as history:\n        return history",
        "try:\n        pass\n    except ValueError as history:\n        print(history)",
        "import math as history\n    return history",
        "from math import pi as history\n    return history",
        "def history():\n        pass\n    return history",
        "class history:\n        pass\n    return history",
        "return [history for history in range(3)]",
        "return {history: 1 for history in range(3)}",
        "return (lambda history: history)(1)",
        "if (history := 1):\n        return history",
        "any((history := item) for item in (1,))\n    return history",
        "history, other = 1, 2\n    return history",
        "match 1:\n        case history:\n            return history",
        "match {}:\n        case {**history}:\n            return history",
        "def inner():\n        return history\n    history = 1\n    return inner()",
        "def inner(history):\n        return history\n    return inner(1)",
        "return dict(history=1)",
        "return dict().history",
        "return 'history'",
    ],
)
def test_a_local_name_does_not_run_the_statement_that_binds_it_at_the_top(body):
    """Students call their local results as they call the results of their experiments."""
    loaded = load(f"def wanted():\n    {body}\nhistory = 1 / 0\n")
    assert not loaded.failed


@pytest.mark.parametrize(
    "text",
    [
        "def wanted(history):\n    return history",
        "def wanted(*history):\n    return history",
        "def wanted(**history):\n    return history",
        "def wanted(*, history=1):\n    return history",
        "class wanted:\n    history = 1\n    again = history",
        "class wanted:\n @property\n def history(self): return 1\n @history.setter\n def history(self, value): pass",
        "class wanted:\n    def fit(self):\n        self.history = 1\n        return self.history",
    ],
    ids=["argument", "rest", "keywords", "keyword", "class attribute", "property", "instance attribute"],
)  # fmt: skip
def test_neither_does_an_argument_or_an_attribute(text):
    assert not load(f"history = 1 / 0\n{text}\n").failed


def test_a_method_does_not_see_the_names_of_its_class():
    """Only the global one can be meant."""
    text = """
        taps = 2
        class wanted:
            taps = 1
            def method(self):
                return taps
    """
    assert load(text).module.wanted().method() == 2


@pytest.mark.parametrize("condition", ['__name__ == "__main__"', '"__main__" == __name__'])
def test_a_main_block_does_not_run_though_it_binds_what_is_needed(condition):
    text = f"import math\nif {condition}:\n    import math\n    1 / 0\ndef wanted():\n    return math.floor(2.5)\n"
    assert result(text) == 2


def test_what_only_a_demonstration_needs_is_not_there():
    text = """
        import math
        def wanted():
            return 1
        def plot():
            return math.pi
        DATA = [1]
    """
    assert bound(text) == {"wanted"}


def test_everything_that_binds_a_name_runs_where_another_module_may_ask_for_it():
    assert bound("import math\nA = 1\nprint(1 / 0)\ndef wanted():\n    pass\n", wanted=None) == {"math", "A", "wanted"}


# --- what fails -------------------------------------------------------------------------------------------------------


def test_a_statement_that_fails_costs_only_what_uses_it():
    text = """
        import math
        import a_package_that_nobody_has
        WEIGHT = 1 / 0
        def wanted():
            return 1
        def heavy():
            return WEIGHT
        def foreign():
            return a_package_that_nobody_has.f()
    """
    loaded = load(text, wanted=["wanted", "heavy", "foreign"])
    assert loaded.module.wanted() == 1
    assert {name: trouble.kind for name, trouble in loaded.failed.items()} == {
        "WEIGHT": "ZeroDivisionError",
        "a_package_that_nobody_has": "ModuleNotFoundError",
    }


def test_a_trouble_names_the_students_own_line():
    loaded = load("x = 1\n", "\n\ndef helper():\n    return 1 / 0\nK = helper()\ndef wanted():\n    return K\n")
    trouble = loaded.failed["K"]
    assert (trouble.kind, trouble.where, trouble.line) == ("ZeroDivisionError", "homework.py, cell 2", 4)


@pytest.mark.parametrize("end", ["raise SystemExit", "exit()", "raise KeyboardInterrupt", "raise GeneratorExit"])
def test_a_statement_that_wants_to_end_the_process_is_a_failure_like_others(end):
    assert load(f"try:\n    K = 1\nfinally:\n    {end}\ndef wanted():\n    return K\n").failed["K"].kind != ""


def test_the_text_of_a_trouble_is_cut():
    loaded = load("K = int('x' * 10_000)\ndef wanted():\n    return K\n")
    assert len(loaded.failed["K"].text) <= 500


def test_a_trouble_without_a_text_is_told_all_the_same():
    text = """
        class Evil(Exception):
            def __str__(self):
                raise SystemExit
        def fail():
            raise Evil
        K = fail()
        def wanted():
            return K
    """
    assert load(text).failed["K"].kind == "Exception"


def test_a_later_statement_mends_an_earlier_failure():
    loaded = load("K = 1 / 0\nK = 2\ndef wanted():\n    return K\n")
    assert loaded.module.wanted() == 2
    assert not loaded.failed


def test_a_fallback_for_a_missing_import_is_taken():
    text = """
        try:
            import a_package_that_nobody_has as fast
        except ImportError:
            fast = None
        def wanted():
            return fast is None
    """
    assert result(text) is True


def test_a_function_that_stands_in_a_broken_cell_is_missed_with_the_reason():
    loaded = load("def wanted(:\n    pass\n", "def other():\n    return 1\n", wanted=["wanted", "other"])
    assert loaded.module.other() == 1
    trouble = loaded.trouble("wanted")
    assert trouble is not None
    assert (trouble.kind, trouble.where, trouble.line) == ("SyntaxError", "homework.py, cell 1", 1)


def test_a_function_that_stands_nowhere_is_missed_without_a_reason():
    loaded = load("def other(:\n", "x = 1\n")
    assert loaded.trouble("wanted") is None


@pytest.mark.parametrize(
    "broken",
    [
        "def f(:\n",
        "x = (1,\n",
        "if True:\nx = 1\n",
        "if True:\n\tx = 1\n        y = 2\n",
        "x = 'never closed\n",
        "x = 1\0\n",
        "x = '\ud800'\n",
        "(" * 300,
        "\ufeffx = 1\n",
        "return 1\n",
        "nonlocal x\n",
        "async with x:\n    y = 1\n",
        "print 'Python 2'\n",
        "x = “quoted”\n",
        "  x = 1\n y = 2\n",
    ],
    ids=lambda text: repr(text)[:20],
)
def test_a_broken_cell_costs_nothing_else(broken):
    loaded = load(broken, DEFINITION)
    assert loaded.module.wanted() == 1


def test_a_duplicate_of_a_cell_that_is_broken_costs_nothing():
    assert result(DEFINITION, "def wanted(:\n    return 2\n") == 1


def test_of_two_definitions_the_last_one_counts():
    assert result(DEFINITION, "def wanted():\n    return 2\n", "x = 1\n") == 2


def test_cells_in_an_order_that_cannot_run_cost_only_what_depends_on_them():
    """A default argument that is defined in a later cell is missing when the function is defined."""
    loaded = load(
        "def wanted(k=K):\n    return k\n", "K = 2\n", "def other():\n    return K\n", wanted=["wanted", "other"]
    )
    assert loaded.module.other() == 2
    assert loaded.failed["wanted"].kind == "NameError"


# --- text as students have it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "def wanted():\r\n    return 1\r\n",
        "def wanted():\r    return 1\r",
        "def wanted():\n\treturn 1\n",
        "\n\n\ndef wanted():\n    return 1",
        "def wanted():\n    return 1  # ends without a line end",
        "\f\ndef wanted():\n    return 1\n",
        "# -*- coding: latin-1 -*-\ndef wanted():\n    return 1\n",
        "def wanted():\n    größe = 1\n    return größe\n",
        "def 𝓌anted():\n    return 1\n",
        "def wanted():\n    return len('😀')\n",
        'def wanted():\n    "\\d is no escape"\n    return 1 if True is True else 0\n',
    ],
    ids=[
        "Windows", "old Mac", "tabs", "blank lines", "no last line end", "form feed", "coding line", "umlauts",
        "letters that are the same", "emoji", "warnings",
    ],
)  # fmt: skip
def test_text_of_every_origin_is_read(text):
    module = types.ModuleType("homework")
    assert loader.load(module, [text], "homework.py", ["wanted"]).module.wanted() == 1


# --- notebooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "magic",
    [
        "%matplotlib inline",
        "%load_ext autoreload\n%autoreload 2",
        "!pip install numpy",
        '!echo "it\'s"',
        "!pip install \\\n    numpy",
        "%timeit -n 10 wanted()",
        "files = !ls",
        "x = %time 1",
        "a, b = !ls",
        "?len",
        "len?",
        "len??",
        "%cd /content/drive",
        "if True:\n    !ls",
        "!echo '''",
    ],
)
def test_a_magic_or_a_shell_line_is_left_out(magic):
    assert result(f"{magic}\n{DEFINITION}") == 1
    assert result(f"{DEFINITION}{magic}\n") == 1


@pytest.mark.parametrize("first", ["%%time", "%%timeit -n 3", "%%capture output", "\n\n%%time", "  \n  %%time"])
def test_a_cell_with_a_magic_around_it_is_read(first):
    assert result(f"{first}\n{DEFINITION}") == 1


@pytest.mark.parametrize("first", ["%%bash", "%%html", "%%javascript", "%%writefile other.py", "%%"])
def test_a_cell_in_another_language_is_left_out(first):
    loaded = load(f"{first}\nif [ -e x ]; then\n", DEFINITION)
    assert loaded.module.wanted() == 1
    assert not loaded.broken


def test_a_line_that_begins_with_a_percent_sign_may_be_honest_python():
    """Beside a true magic, too."""
    text = """
        %matplotlib inline
        LABEL = ("%d taps"
                 % 3)
        REST = (7
        % 4)
        def wanted():
            return LABEL, REST
    """
    assert result(text) == ("3 taps", 3)


def test_a_docstring_may_show_magics():
    text = '''
        %matplotlib inline
        def wanted():
            """
            %matplotlib inline
            !pip install numpy
            """
            return wanted.__doc__.count("pass")
    '''
    assert result(text) == 0


def test_lines_keep_their_numbers_after_magics():
    loaded = load("%%time\n!pip install \\\n  numpy\nK = 1 / 0\ndef wanted():\n    return K\n")
    assert loaded.failed["K"].line == 4


# --- imports ----------------------------------------------------------------------------------------------------------


def test_a_star_import_gives_what_nothing_else_does():
    assert result("from math import *\ndef wanted():\n    return floor(2.5)\n") == 2


def test_a_star_import_that_nothing_needs_does_not_run():
    assert not load("from a_package_that_nobody_has import *\ndef wanted():\n    return len([1])\n").failed


def test_a_star_import_that_fails_is_remembered_for_any_name():
    loaded = load("from a_package_that_nobody_has import *\ndef wanted():\n    return conv(1)\n")
    assert loaded.failed["*"].kind == "ModuleNotFoundError"
    assert loaded.trouble("wanted") is None


def test_own_modules_import_each_other_from_memory():
    modules = {
        "padding": "from sizes import same\ndef pad(k):\n    return same(k)\n",
        "sizes": "def same(k):\n    return (k - 1) // 2\n",
    }
    assert result("from padding import pad\ndef wanted():\n    return pad(5)\n", modules=modules) == 2


def test_own_packages_and_relative_imports_work():
    modules = {
        "tools": "from .windows import slide\nfrom . import shapes\n",
        "tools.windows": "from .shapes import WIDTH\ndef slide():\n    return WIDTH\n",
        "tools.shapes": "WIDTH = 2\n",
        "loose.inner": "DEPTH = 3\n",
    }
    text = "import tools.shapes\nfrom tools import slide\nfrom loose import inner\ndef wanted():\n    return slide(), tools.shapes.WIDTH, inner.DEPTH\n"  # noqa: E501
    assert result(text, modules=modules) == (2, 2, 3)


def test_an_own_module_may_import_the_assignment():
    text = "from checks import check\ndef helper():\n    return 2\ndef wanted():\n    return check()\n"
    modules = {"checks": "def check():\n    from homework import helper\n    return helper()\n"}
    assert result(text, modules=modules, wanted=None) == 2


def test_an_own_module_does_not_print_when_it_is_imported(capsys):
    assert result("import noisy\ndef wanted():\n    return noisy.K\n", modules={"noisy": "print('!')\nK = 2\n"}) == 2
    assert capsys.readouterr().out == ""


def test_an_own_module_that_is_broken_costs_only_what_imports_it():
    text = "import half\ndef wanted():\n    return 1\ndef other():\n    return half.K\n"
    loaded = load(text, wanted=["wanted", "other"], modules={"half": "K = (\n"})
    assert loaded.module.wanted() == 1
    assert loaded.failed["half"].kind == "SyntaxError"


def test_an_own_module_of_a_librarys_name_does_not_take_its_place():
    """The library is there already, as it is in every worker."""
    import random

    assert result("import random\ndef wanted():\n    return random\n", modules={"random": "K = 1\n"}) is random


# --- what a function uses ---------------------------------------------------------------------------------------------


def test_what_a_function_reads_is_known_through_its_helpers():
    """The diagnosis asks whether one graded function calls another."""
    text = """
        def convolve1d():
            pass
        def helper():
            return convolve1d()
        def wanted():
            correlate1d = 1
            return helper(), correlate1d
        def correlate1d():
            pass
    """
    assert {"helper", "convolve1d"} <= load(text).reads("wanted")
    assert "correlate1d" not in load(text).reads("wanted")


def test_the_places_of_a_submission_are_those_that_its_code_was_compiled_under():
    places = statements.places("homework.ipynb", ["a", "b"], {"tools.windows": "c"})
    assert places == {"homework.ipynb, cell 1": "a", "homework.ipynb, cell 2": "b", "tools/windows.py": "c"}
    assert statements.places("homework.py", ["a"], {}) == {"homework.py": "a"}
