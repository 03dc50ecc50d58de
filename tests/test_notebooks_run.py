"""Every notebook run for real: with the master's solutions, with empty stubs, and with one typical mistake."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder import checks, contract, masters, notebooks, running

ASSIGNMENTS = contract.assignments()
every_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda assignment: assignment.name)
pytestmark = [pytest.mark.slow, pytest.mark.pipeline]

SECONDS = 60  # of two quiet cores, in which a notebook shall run; what counts is its own time, not its neighbours'

# A line of the master's, what a student might write in its place, the function it is in, and words of its check.
MISTAKES = {
    "convolution": (
        "flipped = np.flip(g).copy()  # a reversed view would do, at a quarter of the speed",
        "flipped = g.copy()",
        "convolve1d",
        ["convolve1d([1, 2, 3, 4, 5], [1, 2], 'full')", "expected [1, 4, 7, 10, 13, 10]", "without the flip"],
    ),
    "pooling": (
        "[(ph, ph), (pw, pw)], constant_values=-np.inf)",
        "[(ph, ph), (pw, pw)])",
        "max_pool2d",
        ["max_pool2d([[-3, -1, -2]], (1, 3), stride=1, padding=(0, 1))", "expected [[-1, -1, -1]]", "Zeros have won"],
    ),
    "shapes": (
        "// stride + 1  # as many steps as fit, and the first window",
        "// stride",
        "conv_output_length",
        ["conv_output_length(5, 2)", "returned 3", "expected 4", "the first one counts, too"],
    ),
    "parameters": (
        "return samples + 1 if bias else samples",
        "return samples",
        "perceptron_parameters",
        ["perceptron_parameters(1, 0.1)", "returned 10", "expected 11", "A neuron has a bias besides"],
    ),
    "conv2d": (
        "maps + self.bias[:, None, None]",
        "maps + self.bias",
        "Conv2d",
        ["Conv2d(1, 2, 2) on a batch (2, 1, 3, 4)", "raised RuntimeError", "to which axis does broadcasting put it?"],
    ),
    "training": (
        "        optimizer.zero_grad()\n",
        "",
        "train_one_epoch",
        ["returned 1.625", "expected 1.125", "Gradients add up"],
    ),
}


def written(assignment) -> NotebookNode:
    """The student's notebook with the master's solutions written in."""
    node, right = notebooks.student(assignment), {cell.id: cell.source for cell in notebooks.solution(assignment).cells}
    for cell in node.cells:
        cell.source = right.get(cell.id, cell.source)
    return node


def run(node: NotebookNode, folder: Path) -> tuple[dict[str, str], float]:
    """Run a notebook that lies in a folder: what each cell says, and the seconds that it took of the processors."""
    assignment = node.metadata["autograder"]["assignment"]
    (folder / f"{assignment}.ipynb").write_text(notebooks.as_text(node), encoding="utf-8")
    before = os.times()
    running.executed(node, folder, allow_errors=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return {cell.id: _said(cell) for cell in node.cells if cell.cell_type == "code"}, seconds


def _said(cell: NotebookNode) -> str:
    said = ""
    for output in cell.outputs:
        if output.output_type == "stream":
            said += output.text
        elif output.output_type == "error":
            said += f"Traceback: {output.ename}: {output.evalue}"
        else:
            said += output.data.get("text/plain", "")
    return said


@every_assignment
def test_with_the_masters_solutions(assignment, tmp_path):
    """No error, every check holds, every picture is there, and it is quick."""
    node = written(assignment)
    said, seconds = run(node, tmp_path)
    assert not [name for name, text in said.items() if "Traceback" in text], said
    for function in checks.read(assignment).cases:
        assert f"✓ {function}: all " in said[f"check-{function}"]
    count = len(assignment.functions)
    assert f"{count} of {count} functions done" in said["progress"]
    assert "Nothing is missing." in said["submission"]
    pictures = [cell for cell in node.cells if "alt" in cell.metadata and cell.id != "demo-fashion"]
    assert all(any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in pictures)
    if "demo-fashion" in said:  # which this machine may or may not be able to download
        assert re.search(
            "^(FashionMNIST cannot be had here|validation accuracy after each epoch)", said["demo-fashion"]
        )
    assert seconds < SECONDS


@every_assignment
def test_with_empty_stubs(assignment, tmp_path):
    """Every cell says what to do, and none shows a traceback."""
    node = notebooks.student(assignment)
    said, seconds = run(node, tmp_path)
    assert not [name for name, text in said.items() if "Traceback" in text], said
    for function in checks.read(assignment).cases:
        assert said[f"check-{function}"].startswith(f"· {function} waits for you")
    for cell in node.cells:
        if "alt" in cell.metadata and "NotImplementedError" not in cell.source and cell.id != "demo-digits":
            assert re.search(r"^Finish \w+ first, then run this cell again\.$", said[cell.id], re.MULTILINE), cell.id
    assert f"0 of {len(assignment.functions)} functions done" in said["progress"]
    assert all(f"Careful: {name} still says NotImplementedError" in said["submission"] for name in assignment.names)
    with zipfile.ZipFile(tmp_path / f"{assignment.name}-hand-in.zip") as archive:
        assert archive.namelist() == [f"{assignment.name}.ipynb"]
    assert seconds < SECONDS


@every_assignment
def test_with_a_typical_mistake(assignment, tmp_path):
    """Its check says call, result, expected value and hint; the others hold, and no traceback is shown."""
    old, new, function, words = MISTAKES[assignment.name]
    node = written(assignment)
    (cell,) = (cell for cell in node.cells if cell.id != "set-up" and old in cell.source)
    assert masters.defined(cell) == function
    cell.source = cell.source.replace(old, new)
    said, _ = run(node, tmp_path)
    checked = said[f"check-{function}"]
    assert checked.startswith(f"✗ {function}: ")
    assert all(word in checked for word in words), checked
    assert "Traceback" not in checked
    needing = {function, *(other.name for other in assignment.functions if function in other.needs)}
    for other in checks.read(assignment).cases.keys() - needing:
        assert f"✓ {other}: all " in said[f"check-{other}"]
