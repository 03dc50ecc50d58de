"""The machine that a submission sees: which GPUs are in it, as far as torch can tell.

A suite says for each call what the machine has: nothing said is the machine as it is, without any GPU. Everything else
holds from before the submission is loaded, so that a device chosen at import is the one that the calls see. Where the
instructor lets workers use a real CUDA device, that is what "cuda" means, and only the answers are simulated.
"""

from __future__ import annotations

import contextlib
import sys
import time
import types
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Final

from autograder.worker.kernel import real_gpu
from autograder.worker.simulated_gpu import SimulatedGPU
from autograder.worker.simulated_torch import Patch, patched

DEVICE_MEMORY: Final = 4 << 30  # bytes that a worker may take of a real device
_SIMULATED_MEMORY: Final = 16 << 30  # that a simulated device says it has
_IDLE: Final = (
    *("init", "synchronize", "empty_cache", "ipc_collect", "set_stream", "set_per_process_memory_fraction"),
    *("manual_seed", "manual_seed_all", "seed", "seed_all", "set_rng_state"),
)


@contextlib.contextmanager
def hidden_gpu() -> Generator[None]:
    """While a process warms up that will fork: torch asks for a GPU on the way, and CUDA outlives no fork."""
    import torch

    with contextlib.ExitStack() as stack:
        for patch in _availability(torch, ()):
            stack.enter_context(patched(*patch))
        yield


@contextlib.contextmanager
def machine(gpus: Sequence[str] | None) -> Generator[None]:
    """A machine with these GPUs and no others.

    Args:
        gpus: any of "cuda" and "mps"; tensors can be made on the first one. None: the machine as it is, but for a real
            GPU that workers may use elsewhere; torch need not be there.
    """
    if gpus is None:
        with hidden_gpu() if real_gpu() and "torch" in sys.modules else contextlib.nullcontext():
            yield
        return
    import torch

    with contextlib.ExitStack() as stack:
        real = "cuda" in gpus and real_gpu() and torch.cuda.is_available()
        for patch in _availability(torch, gpus):
            stack.enter_context(patched(*patch))
        if real:
            _limit_memory(torch)
        elif gpus:
            gpu = stack.enter_context(SimulatedGPU(gpus[0]))
            for patch in _cuda(torch, gpu) if gpu.kind == "cuda" else ():
                stack.enter_context(patched(*patch))
        yield


def same_arithmetic(torch: Any) -> None:
    """Let a real GPU multiply in float32, as a CPU does: its convolutions round to TF32's ten bits by default."""
    if not real_gpu():
        return
    for operators in (torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn):
        operators.fp32_precision = "ieee"


def _limit_memory(torch: Any) -> None:
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, DEVICE_MEMORY / total))


def _availability(torch: Any, gpus: Sequence[str]) -> Iterator[Patch]:
    """Every way of asking what there is."""
    cuda, mps = "cuda" in gpus, "mps" in gpus
    best = torch.device(gpus[0]) if gpus else None
    yield torch.cuda, "is_available", lambda: cuda
    yield torch.cuda, "device_count", lambda: int(cuda)
    yield torch.backends.mps, "is_available", lambda: mps
    yield torch.mps, "is_available", lambda: mps
    yield torch.mps, "device_count", lambda: int(mps)
    yield torch.accelerator, "is_available", lambda: best is not None
    yield torch.accelerator, "device_count", lambda: int(best is not None)
    yield torch.accelerator, "current_accelerator", _says(lambda: best)
    # What torch was built for says nothing about the machine.
    yield torch.backends.cuda, "is_built", lambda: True
    yield torch.backends.mps, "is_built", lambda: True


def _cuda(torch: Any, gpu: SimulatedGPU) -> Iterator[Patch]:
    """What training loops ask of torch.cuda, beyond tensors."""
    stream: Any = _stream(torch)
    properties = types.SimpleNamespace(
        name="Simulated GPU", total_memory=_SIMULATED_MEMORY, major=8, minor=0, multi_processor_count=1
    )
    answers: dict[str, Callable[[], Any]] = {
        "current_device": lambda: 0,
        "get_device_name": lambda: properties.name,
        "get_device_capability": lambda: (properties.major, properties.minor),
        "get_device_properties": lambda: properties,
        "is_bf16_supported": lambda: True,
        "is_current_stream_capturing": lambda: False,
        "current_stream": lambda: stream,
        "default_stream": lambda: stream,
        "Stream": lambda: stream,
        "stream": contextlib.nullcontext,
        "device": contextlib.nullcontext,
        "memory_allocated": lambda: gpu.allocated,
        "max_memory_allocated": lambda: gpu.peak,
        "memory_reserved": lambda: gpu.allocated,
        "max_memory_reserved": lambda: gpu.peak,
        "mem_get_info": lambda: (_SIMULATED_MEMORY - gpu.allocated, _SIMULATED_MEMORY),
        "memory_summary": lambda: f"{gpu.allocated} bytes allocated",
        "memory_stats": lambda: {"allocated_bytes.all.current": gpu.allocated},
        "reset_peak_memory_stats": gpu.forget_peak,
        "reset_max_memory_allocated": gpu.forget_peak,
        # One generator serves both places, so that what is drawn on the device is what a CPU would draw.
        "get_rng_state": torch.get_rng_state,
    }
    answers |= dict.fromkeys(_IDLE, lambda: None)
    yield from ((torch.cuda, name, _says(answer)) for name, answer in answers.items())
    yield torch.cuda, "Event", _Event
    yield torch.backends.cudnn, "is_acceptable", _says(lambda: False)
    yield torch.cuda, "set_device", lambda device: gpu.named(device) and None  # pyright: ignore[reportUnknownLambdaType]
    for name in ("current_stream", "synchronize", "memory_allocated"):
        yield torch.accelerator, name, _says(answers[name])
    yield torch.accelerator, "current_device_index", _says(answers["current_device"])


def _says(answer: Callable[[], Any]) -> Callable[..., Any]:
    """A function that gives this answer, whatever device or setting it is called with."""

    def says(*_: Any, **__: Any) -> Any:
        return answer()

    return says


def _stream(torch: Any) -> Any:
    """The one queue of work of a simulated device, which is always done."""

    class Stream(contextlib.nullcontext[None]):
        device = torch.device("cuda", 0)

        def is_capturing(self) -> bool:
            return False

        def query(self) -> bool:
            return True

        def synchronize(self) -> None:
            pass

        def wait_stream(self, *_: Any) -> None:
            pass

        wait_event = record_event = wait_stream

    return Stream()


class _Event:
    """A moment, as those who time their loop note it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._moment = 0.0

    def record(self, *_: Any) -> None:
        self._moment = time.perf_counter()

    def elapsed_time(self, other: _Event) -> float:
        return 1000 * (other._moment - self._moment)

    def query(self) -> bool:
        return True

    def synchronize(self, *_: Any) -> None:
        pass

    wait = synchronize
