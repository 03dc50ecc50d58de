"""The leaderboard of the training assignment: how well a network does that the student's own `fit` has trained.

The split is the handout's: 1,437 of scikit-learn's digits to train on, 360 to validate. The worker is given no label of
those 360; it sends predictions, and the accuracy is counted here.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np

from autograder.contract import Assignment
from autograder.sandbox import Call, Limits, Source, Zygote

ASSIGNMENT: Final = "training"
NAME: Final = "Validation accuracy"
_TRAINING: Final = 1437
_SECONDS: Final = 60.0

_SPLIT: Final = """
def order(fit, count):
    import torch

    return torch.randperm(count, generator=torch.Generator().manual_seed(0))
"""
_TRAINED: Final = """
def predictions(ConvNet, fit, images, labels, held_out):
    import torch

    torch.manual_seed(0)
    images, labels, held_out = torch.tensor(images), torch.tensor(labels), torch.tensor(held_out)
    batches = list(zip(images.split(32), labels.split(32)))
    network = ConvNet(1, 16, 32, 10, kernel_size=3, pool1=6, pool2=2)
    settings = {"epochs": 5, "learning_rate": 0.01, "weight_decay": 0.01, "device": torch.device("cpu")}
    fit(network, batches, batches[:4], **settings)
    network.eval()
    with torch.no_grad():
        return network(held_out).argmax(dim=1)
"""


def entry(
    assignment: Assignment, source: Source, students: Zygote, master: Source, references: Zygote
) -> dict[str, Any] | None:
    """The leaderboard's entry for a submission; None where it trains nothing, or this assignment has no leaderboard.

    Args:
        assignment: that was graded.
        source: the submission.
        students: the zygote whose workers run it.
        master: the reference solution.
        references: the zygote that runs that; it has torch, which this process does without.
    """
    digits = _digits() if assignment.name == ASSIGNMENT else None
    if digits is None:
        return None
    limits = Limits(load=_SECONDS, call=_SECONDS, job=_SECONDS)
    images, labels = digits
    split = Call(("fit",), (len(images),), probe=("order", _SPLIT))
    order = np.asarray(references.observe(master, [split], limits)[0].value.array)
    training, held_out = order[:_TRAINING], order[_TRAINING:]
    arguments = (images[training], labels[training], images[held_out])
    call = Call(("ConvNet", "fit"), arguments, probe=("predictions", _TRAINED))
    seen = students.observe(source, [call], limits)[0]
    predicted = getattr(seen.value, "array", None)
    if seen.ending != "returned" or predicted is None or np.shape(predicted) != held_out.shape:
        return None
    return {"name": NAME, "value": round(float(np.mean(predicted == labels[held_out])), 4), "order": "desc"}


def _digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None:
    """Scikit-learn's digits, without scikit-learn: images (1797, 1, 8, 8) in [0, 1] and labels; None if not there."""
    found = importlib.util.find_spec("sklearn")
    path = Path(found.origin or "").parent / "datasets" / "data" / "digits.csv.gz" if found else None
    if path is None or not path.exists():
        return None
    with gzip.open(path, "rt") as stream:
        table = np.loadtxt(stream, delimiter=",", dtype=np.int64)
    return (table[:, :-1] / 16).astype(np.float32).reshape(-1, 1, 8, 8), table[:, -1]
