"""`grade --gpu` and what leads to it: a real device where there is one, a clear word elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder import contract, gpu
from autograder.classroom import Classroom
from autograder.compare import judge
from autograder.grading import Grader
from autograder.intake import read_submission
from autograder.sandbox import Call, Limits, Observation, Source, sandbox, started
from autograder.suite import Case, Test, on_a_real_gpu
from autograder.tolerance import tolerance

SUBMISSIONS = Path(__file__).parent / "submissions"
COMMAND = Path(sys.executable).with_name("autograder")

try:
    NAME, WHY_NOT = gpu.device_name(), ""
except gpu.GpuError as error:
    NAME, WHY_NOT = "", str(error)

needs_a_gpu = pytest.mark.skipif(not NAME, reason=WHY_NOT)
has_none = pytest.mark.skipif(bool(NAME), reason=f"there is one: {NAME}")

WORLD = """
import torch

AT_IMPORT = torch.cuda.is_available()
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")


def world():
    return [AT_IMPORT, torch.cuda.is_available(), DEVICE.type, str(torch.zeros(2, device=DEVICE).device)]


def counted():
    counted.calls += 1
    return counted.calls


counted.calls = 0
"""
LIMITS = Limits(load=60.0, call=20.0, job=90.0)


@pytest.fixture(scope="module")
def box():
    with sandbox(["numpy", "torch"]) as box:
        yield box


def observe(box, *calls, text=WORLD):
    return [seen.value for seen in box.students.observe(Source("world", "world.py", (text,)), calls, LIMITS)]


# --- the machine that a submission sees -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpus", "seen"),
    [
        (None, [False, False, "cpu", "cpu"]),
        ((), [False, False, "cpu", "cpu"]),
        (("cuda",), [True, True, "cuda", "cuda:0"]),
        (("cuda", "mps"), [True, True, "cuda", "cuda:0"]),
        (("mps",), [False, False, "mps", "mps:0"]),
    ],
    ids=str,
)
def test_what_is_asked_at_import_is_what_the_calls_see(box, gpus, seen):
    assert observe(box, Call(("world",), gpus=gpus)) == [seen]


def test_one_worker_goes_from_machine_to_machine(box):
    """The submission is loaded anew for each, and for each function; it stays for calls of one on the same machine."""
    names = ("counted", "counted", "world", "counted")
    calls = [Call((name,), gpus=gpus) for gpus in (None, ("cuda",), ()) for name in names]
    assert observe(box, *calls) == [
        *(1, 2, [False, False, "cpu", "cpu"], 1),
        *(1, 2, [True, True, "cuda", "cuda:0"], 1),
        *(1, 2, [False, False, "cpu", "cpu"], 1),
    ]


def test_a_submissions_other_modules_see_the_same_machine(box):
    source = Source("world", "world.py", ("from helper import DEVICE\n\ndef world():\n    return DEVICE.type\n",))
    helper = "import torch\nDEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
    source = Source(source.name, source.file, source.cells, {"helper": helper})
    calls = [Call(("world",), gpus=gpus) for gpus in (None, ("cuda",), None)]
    assert [seen.value for seen in box.students.observe(source, calls, LIMITS)] == ["cpu", "cuda", "cpu"]


def test_a_statement_that_fails_on_one_machine_costs_the_calls_on_that_one(box):
    text = "import torch\nCORES = 1 / (not torch.cuda.is_available())\ndef cores():\n    return CORES\n"
    calls = [Call(("cores",), gpus=gpus) for gpus in (None, ("cuda",))]
    right, wrong = box.students.observe(Source("cores", "cores.py", (text,)), calls, LIMITS)
    assert right.value == 1
    assert (wrong.ending, wrong.classes[0], wrong.line) == ("raised", "ZeroDivisionError", 2)


def test_a_definition_that_fails_on_one_machine_tells_why(box):
    text = "import torch\ndef cores(count=1 / (not torch.cuda.is_available())):\n    return count\n"
    calls = [Call(("cores",), gpus=gpus) for gpus in (None, ("cuda",))]
    right, wrong = box.students.observe(Source("cores", "cores.py", (text,)), calls, LIMITS)
    assert right.value == 1
    assert (wrong.ending, wrong.classes[0], wrong.line) == ("raised", "ZeroDivisionError", 2)


def test_a_default_device_is_forgotten_after_the_call(box):
    text = "import torch\ndef far():\n    torch.set_default_device('cuda')\n    return str(torch.zeros(1).device)\n"
    text += "def near():\n    return str(torch.zeros(1).device)\n"
    calls = [Call(("far",), gpus=("cuda",)), Call(("near",), gpus=("cuda",)), Call(("near",))]
    assert observe(box, *calls, text=text) == ["cuda:0", "cpu", "cpu"]


def test_tensors_come_back_from_the_simulated_device(box):
    text = "import torch\ndef far():\n    return torch.arange(3.0, device='cuda')\n"
    (value,) = observe(box, Call(("far",), gpus=("cuda",)), text=text)
    assert np.array_equal(value.array, [0, 1, 2])


def test_without_a_gpu_cuda_is_not_there(box):
    text = "import torch\ndef far():\n    return torch.zeros(1, device='cuda')\n"
    seen = box.students.observe(Source("far", "far.py", (text,)), [Call(("far",))], LIMITS)[0]
    assert (seen.ending, seen.line) == ("raised", 3)


WAITS = """

def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    total, right, examples = 0.0, 0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        logits = model(inputs)
        loss = loss_fn(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        right += (logits.argmax(1) == targets).sum().item()
        examples += len(targets)
    return total / examples
"""


@pytest.mark.pipeline
def test_whoever_waits_several_times_per_batch_loses_nothing_and_reads_about_it(tmp_path):
    text = (SUBMISSIONS / "right" / "training.py").read_text(encoding="utf-8")
    (tmp_path / "training.py").write_text(text + WAITS, encoding="utf-8")
    submission = read_submission([tmp_path], contract.assignments())
    with Grader(7) as grader:
        report = grader.grade(submission, [contract.assignment("training")])
    assert report.score == 100
    assert [verdict.test for verdict in report.verdicts if "waits" in verdict.hint] == ["test_training_on_a_gpu"]


# --- the tolerance on a real device -----------------------------------------------------------------------------------


def a_case(gpus, precision="float32"):
    call = Call(("fit",), gpus=gpus)
    return Case("agrees", call, "fit()", terms=100, precision=precision)


@pytest.mark.parametrize(
    ("gpus", "precision", "then"),
    [(("cuda",), "float32", "tf32"), (("cuda",), "float64", "float64"), (None, "float32", "float32")],
    ids=str,
)
def test_only_what_runs_on_the_device_is_judged_more_coarsely(gpus, precision, then):
    test = Test("training", "test", "fit", 1, "It fits.", (a_case(gpus, precision),))
    assert on_a_real_gpu([test])[0].cases[0].precision == then


def test_tf32_passes_and_a_wrong_step_does_not():
    """Ten bits of every factor, summed in float32, as a GPU does where TF32 is on."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 200)), rng.normal(size=(200, 20))

    def ten_bits(array):
        mantissa, exponent = np.frexp(array)
        return np.ldexp(np.round(mantissa * 2**11) / 2**11, exponent)

    exact, coarse = a @ b, ten_bits(a) @ ten_bits(b)
    case = a_case(("cuda",), "tf32")
    assert judge(case, Observation("returned", exact), Observation("returned", coarse)) is None
    assert judge(a_case(None), Observation("returned", exact), Observation("returned", coarse)) is not None
    assert judge(case, Observation("returned", exact), Observation("returned", exact * 1.02)) is not None
    assert tolerance(100, 1.0, "tf32") < 0.01


# --- where there is no device -----------------------------------------------------------------------------------------


@has_none
@pytest.mark.pipeline
def test_the_command_says_that_there_is_no_gpu(tmp_path):
    command = [COMMAND, "grade", SUBMISSIONS / "right", "-o", tmp_path / "out", "-a", "training", "--gpu"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert re.fullmatch(r"autograder: --gpu needs .*Without --gpu the GPU is simulated.*\n", done.stderr)
    assert "Traceback" not in done.stdout + done.stderr


def test_a_gpu_is_for_this_machine_alone():
    command = [COMMAND, "grade", SUBMISSIONS / "right", "--gpu", "--cluster", "tcp://127.0.0.1:1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "cannot be used together" in done.stderr


def test_only_a_gpus_workers_are_told_of_a_device(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    boot = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ.get('PYTORCH_NVML_BASED_CUDA_CHECK'))"
    for use, said in ((True, "3 1"), (False, " None")):
        path = tmp_path / str(use)
        with path.open("w") as stream, (tmp_path / "empty").open("w") as empty:
            assert started(boot, [], empty.fileno(), stream.fileno(), stream.fileno(), gpu=use).wait(60) == 0
        assert path.read_text().strip("\n") == said


def test_results_of_a_gpu_are_not_taken_for_those_without(tmp_path):
    rooms = [Classroom(SUBMISSIONS / "right", tmp_path / "out", ["training"], 7, gpu=use) for use in (False, True)]
    assert rooms[0]._fingerprints != rooms[1]._fingerprints
    assert [room._job("right").gpu for room in rooms] == [False, True]


# --- a real device ----------------------------------------------------------------------------------------------------


@pytest.mark.gpu
@needs_a_gpu
def test_a_worker_computes_on_the_device_and_the_zygote_never_started_cuda():
    text = (
        "import torch\nBEFORE = torch.cuda.is_initialized()\n\ndef look():\n"
        "    x = torch.ones(1000, device='cuda')\n"
        "    return [BEFORE, x.sum().item(), torch.cuda.memory_allocated() >= 4000, torch.cuda.get_device_name(0)]\n"
    )
    with sandbox(["numpy", "torch"], gpu=True) as box:
        for _ in range(2):  # a second worker of the same zygote starts CUDA as well
            seen = box.students.observe(Source("look", "look.py", (text,)), [Call(("look",), gpus=("cuda",))], LIMITS)[
                0
            ]
            assert seen.value == [False, 1000.0, True, NAME]


@pytest.mark.gpu
@needs_a_gpu
def test_a_worker_cannot_take_the_whole_device():
    text = "import torch\ndef take():\n    return torch.empty(8 << 30, dtype=torch.uint8, device='cuda').shape\n"
    with sandbox(["numpy", "torch"], gpu=True) as box:
        seen = box.students.observe(Source("take", "take.py", (text,)), [Call(("take",), gpus=("cuda",))], LIMITS)[0]
    assert seen.ending == "raised"
    assert "out of memory" in seen.text


@pytest.mark.gpu
@needs_a_gpu
@pytest.mark.parametrize("name", ["conv2d", "training"])
def test_the_same_suites_pass_the_right_submission_on_the_device(name):
    submission = read_submission([SUBMISSIONS / "right"], contract.assignments())
    with Grader(7, gpu=True) as grader:
        report = grader.grade(submission, [contract.assignment(name)])
    assert [verdict for verdict in report.verdicts if not verdict.passed] == []
