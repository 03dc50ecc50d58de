"""What a person is asked to look at: text that may hide a forbidden call, and nothing that is honest."""

import pytest

from autograder import contract
from autograder.sandbox import Call, Limits, Source
from autograder.sandbox import sandbox as new_sandbox
from autograder.worker import statements
from autograder.worker.suspicions import suspicions

FORBIDDEN = ("numpy.convolve", "numpy.correlate", "scipy", "torch.nn.functional.conv2d", "torch.ops.aten.convolution")


def found(*cells, wanted=("f",)):
    parsed, _ = statements.parsed(cells, "homework.py")
    chosen, _ = statements.needed(parsed, wanted)
    return [what for what, _, _ in suspicions(chosen, FORBIDDEN)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import numpy as np\ndef f(x, g):\n    return np.convolve(x, g) if len(x) > 10**9 else x", "numpy.convolve"),
        ("from numpy import convolve as c\ndef f(x, g):\n    return c(x, g)", "names numpy.convolve"),
        ("import numpy as np\ndef f(x, g):\n    return np.ｃonvolve(x, g)", "names numpy.convolve"),
        ("import numpy as np\ndef f(x, g):\n    return getattr(np, 'ｃonvolve')(x, g)", "names numpy.convolve"),
        ("import numpy as np\ndef f(x, g):\n    return getattr(np, 'con' + 'volve')(x, g)", "puts together"),
        ("import numpy as np\ndef f(x, g):\n    return np._core.multiarray.correlate(x, g)", "multiarray.correlate"),
        ("def f(x, g):\n    import scipy.signal as s\n    return s.fftconvolve(x, g)", "names scipy.signal"),
        ("from torch.nn import functional as F\ndef f(x, g):\n    return F.conv2d(x, g)", "functional.conv2d"),
        ("import torch\ndef f(x, g):\n    return torch.ops.aten.convolution.default(x, g)", "aten.convolution"),
        ("def f(x, g):\n    return eval('np.con' 'volve')(x, g)", "uses eval"),
        ("def f(x, g):\n    exec('import numpy')", "uses exec"),
        ("import sys\ndef f(x, g):\n    return sys.modules['numpy']", "uses sys.modules"),
        ("import importlib\ndef f(x, g):\n    return importlib.import_module('numpy')", "uses importlib"),
        (
            "def helper(x):\n    return ().__class__.__base__.__subclasses__()\ndef f(x):\n    return helper(x)",
            "__subclasses__",
        ),
    ],
)
def test_what_may_hide_a_call_is_named(text, what):
    assert any(what in words for words in found(text))


@pytest.mark.parametrize(
    "text",
    [
        "def conv2d(x):\n    return x\ndef f(x):\n    return conv2d(x)",
        "def f(x):\n    # np.convolve(x, g) would be forbidden\n    'numpy.convolve'\n    return x",
        "from numpy import convolve\nimport scipy.signal\ndef f(x):\n    return x",
        "import numpy as np\ndef check(x, g):\n    return np.convolve(x, g)\ndef f(x):\n    return x",
        "class Filter:\n    def convolve(self, x):\n        return x\ndef f(x):\n    return Filter().convolve(x)",
        "def compile(x):\n    return x\ndef f(x):\n    return compile(x)",
        "def f(x, name='shape'):\n    return getattr(x, name)",
        "import numpy as np\ndef f(x):\n    return getattr(np, 'float128', np.float64)(x)",
        "import re\ndef f(x):\n    return re.compile(x)",
    ],
)
def test_honest_code_is_left_alone(text):
    assert found(text) == []


@pytest.mark.parametrize("assignment", contract.assignments(), ids=lambda assignment: assignment.name)
def test_right_styles_are_left_alone(assignment):
    for path in (contract.kit_root() / "tests" / "styles" / assignment.name).glob("*.py"):
        parsed, _ = statements.parsed((path.read_text(encoding="utf-8"),), path.name)
        chosen, _ = statements.needed(parsed, assignment.names)
        assert suspicions(chosen, assignment.forbidden) == [], path


def test_they_name_the_cell_and_the_line_and_cost_nothing():
    cells = ("import numpy as np", "def f(x):\n    if x is None:\n        return np.convolve(x, x)\n    return 1")
    with new_sandbox(["numpy"]) as box:
        source = Source("homework", "homework.ipynb", cells, forbidden=FORBIDDEN)
        seen = box.students.observe(source, [Call(("f",), (3,)), Call(("f",), (4,))], Limits())
    assert [item.value for item in seen] == [1, 1]
    assert [item.suspicions for item in seen] == [("homework.ipynb, cell 2, line 3: names numpy.convolve",), ()]


def test_modules_that_a_submission_imports_are_looked_through_as_well():
    modules = {"helpers": "import numpy as np\ndef conv(x):\n    return np.convolve(x, x) if x is None else x"}
    with new_sandbox(["numpy"]) as box:
        source = Source("homework", "homework.py", ("from helpers import conv as f",), modules, forbidden=FORBIDDEN)
        seen = box.students.observe(source, [Call(("f",), (3,))], Limits())
    assert seen[0].suspicions == ("helpers.py, line 3: names numpy.convolve",)
