"""torch starts without its compiler, and is whole again as soon as somebody wants it."""

import numpy as np
import pytest

from autograder import contract
from autograder.sandbox import Call, Limits, Source, sandbox

LIMITS = Limits(load=60, call=60, job=120)
STEP = """
def step(kind="SGD"):
    weight = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
    optimizer = getattr(torch.optim, kind)([weight], lr=0.5)
    def loss():
        optimizer.zero_grad()
        value = (weight**2).sum()
        value.backward()
        return value
    optimizer.step(loss)
    return weight.tolist(), len([name for name in sys.modules if name.startswith(("torch._dynamo.", "sympy"))])
"""


@pytest.fixture(scope="module")
def box():
    with sandbox(["numpy", "torch"]) as box:
        yield box


def returned(box, text, *args):
    """What f of a text returns, in a worker of its own, where some operators are forbidden."""
    cells = (f"import sys\nimport numpy as np\nimport torch\n{STEP}{text}",)
    source = Source("homework", "homework.py", cells, forbidden=contract.assignment("conv2d").forbidden)
    (seen,) = box.students.observe(source, [Call(("f",), args)], LIMITS)
    assert seen.ending == "returned", seen
    return seen.value


@pytest.mark.parametrize("kind", ["SGD", "AdamW", "LBFGS"])
def test_optimizers_step_without_it(box, kind):
    """As they do with it, and nothing of it is imported."""
    weights, compiler = returned(box, "f = step", kind)
    after = returned(box, f"import torch._dynamo.eval_frame\ndef f(): return step({kind!r})")
    assert (weights, compiler) == (after[0], 0)
    assert after[1] > 100
    assert weights != [2.0, 3.0]


def test_backward_with_a_gradient_works_without_it(box):
    value = returned(
        box,
        "def f():\n"
        "    x = torch.ones(2, 3, requires_grad=True)\n"
        "    (2 * x).backward(torch.full((2, 3), 3.0))\n"
        "    return x.grad, step()[1]\n",
    )
    assert np.array_equal(value[0].array, np.full((2, 3), 6.0))
    assert value[1] == 0


def test_backward_still_refuses_a_gradient_of_another_shape(box):
    source = Source(
        "homework",
        "homework.py",
        ("import torch\ndef f():\n    torch.ones(2, 3, requires_grad=True).backward(torch.ones(3, 2))\n",),
    )
    (seen,) = box.students.observe(source, [Call(("f",))], LIMITS)
    assert (seen.ending, seen.text[:18]) == ("raised", "Mismatch in shape:")


@pytest.mark.parametrize(
    "text",
    [
        "def f(): return torch.compile(lambda x: 2 * x + 1, backend='eager')(torch.ones(1)).item()",
        "def f(): return torch.compile(lambda x: 2 * x + 1)(torch.ones(1)).item()",  # starts no compiler of C++
        "@torch.compile\ndef g(x): return 2 * x + 1\ndef f(): return g(torch.ones(1)).item()",
        "import importlib.util\ndef f(): return 3.0 * bool(importlib.util.find_spec('torch._dynamo').origin)",
        "def f(): torch._dynamo.reset(); return 3.0",
        "import torch._dynamo\ndef f(): return 3.0 * torch._dynamo.is_dynamo_supported()",
        "from torch._dynamo import config\ndef f(): return 3.0 * (config.recompile_limit > 0)",
        "import torch._dynamo.utils as utils\ndef f(): return 3.0 * callable(utils.counters.clear)",
        "from torch.fx.experimental.symbolic_shapes import ShapeEnv\ndef f(): return 3.0 * bool(ShapeEnv())",
        "@torch.compiler.disable\ndef f(): return 3.0",
        "def f(): return torch.func.vmap(lambda row: row.sum())(torch.ones(2, 3))[0].item()",
        "def f(): return torch.func.grad(lambda x: x**3)(torch.tensor(1.0)).item()",
    ],
)
def test_whoever_wants_it_gets_it(box, text):
    """The real one, and optimizers work on."""
    assert returned(box, f"{text}\nfirst = f\ndef f():\n    value = first()\n    step()\n    return value") == 3.0
