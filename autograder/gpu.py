"""Whether `grade --gpu` can be used here: attempted in a worker, behind the walls that grading has, not assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from autograder.jobs import Call, Limits, Source
from autograder.sandbox import SandboxError, sandbox

_LOOK: Final = """
import torch

def look():
    total = torch.ones(3, device="cuda").sum().item()
    return [total, torch.cuda.get_device_name(0)]
"""
_LIMITS: Final = Limits(load=60.0, call=60.0, job=60.0)
_SIMULATED: Final = "Simulated GPU"  # as `worker.machine` calls it
_INSTEAD: Final = "Without --gpu the GPU is simulated, and nothing is left out."


class GpuError(Exception):
    """There is no GPU to grade on; the message says why and what to do."""


def device_name() -> str:
    """The CUDA device that workers compute on.

    Raises:
        GpuError: there is none that works.
    """
    if not sorted(Path("/dev").glob("nvidia[0-9]*")):
        raise GpuError(f"--gpu needs an NVIDIA GPU, and this machine has none. {_INSTEAD}")
    try:
        with sandbox(["numpy", "torch"], gpu=True) as box:
            source = Source("look", "look.py", (_LOOK,))
            seen = box.students.observe(source, [Call(("look",), gpus=("cuda",))], _LIMITS)[0]
    except SandboxError as error:
        raise GpuError(f"--gpu cannot be used: {error}") from error
    match seen.value:
        case [float(), str(name)] if name != _SIMULATED:
            return name
        case [float(), str()]:
            raise GpuError(f"--gpu needs a CUDA build of torch and a driver that it knows. {_INSTEAD}")
        case _:
            raise GpuError(f"--gpu cannot be used: a worker said {seen.ending} {seen.text}. {_INSTEAD}")
