"""A GPU that is not there: real numbers, computed on the CPU, in tensors that live in the memory of a device.

Python's side of torch (`.device`, `.to`, `.numpy`, `torch.zeros`) is replaced by functions that know of the device
(`simulated_torch`), and a mode follows its tensors through every operator (`simulated_places`). Below that, torch
computes on the CPU what it always computes there, bit by bit. Nothing here imports torch before it is used.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Generator
from typing import Any, Final

from autograder.worker.simulated_places import HERE, place, storage, tracker
from autograder.worker.simulated_torch import patched, patches

ORDINAL: Final = (
    "CUDA error: invalid device ordinal\nGPU device may be out of range, do you have enough GPUs?\n"
    "CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be "
    "incorrect.\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1\n"
    "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.\n"
)


class _Taken(weakref.ref[Any]):
    """A storage in the memory of the device, counted until it is gone."""

    __slots__ = ("size",)
    size: int


class SimulatedGPU:
    """One device, in force inside a `with` block.

    Args:
        kind: "cuda" or "mps".

    Attributes:
        device: as a tensor's `.device` says it.
        allocated, peak: bytes in its memory, now and at most.
    """

    def __init__(self, kind: str = "cuda") -> None:
        import torch

        self.kind = kind
        self.device = torch.device(kind, 0)
        self.allocated = self.peak = 0
        self._taken: set[_Taken] = set()
        self.creating = 0  # how many factory functions of ours are under way
        self._torch: Any = torch
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> SimulatedGPU:
        with contextlib.ExitStack() as stack:
            for owner, name, value in patches(self):
                stack.enter_context(patched(owner, name, value))
            stack.enter_context(tracker(self))
            stack.enter_context(self._in_files())
            self._undo = stack.pop_all()
        return self

    def __exit__(self, *about: Any) -> None:
        self._undo.__exit__(*about)

    # --- places -----------------------------------------------------------------------------------------------------

    def holds(self, tensor: Any) -> bool:
        """Whether a tensor lives in the memory of this device."""
        return place(tensor) == HERE

    def put(self, tensor: Any, here: bool) -> Any:
        """Say where a tensor's memory is, without copying it."""
        memory = storage(tensor)
        if memory is None:
            return tensor
        if here:
            self.take(memory)
        elif memory.__dict__.pop("place", None) == HERE:
            self._forget(next(taken for taken in self._taken if taken() is memory))
        return tensor

    def take(self, memory: Any) -> None:
        """Count a storage to this device's memory."""
        if memory.__dict__.get("place") == HERE:
            return
        memory.place = HERE
        taken = _Taken(memory, self._forget)
        taken.size = memory.nbytes()
        self._taken.add(taken)
        self.allocated += taken.size
        self.peak = max(self.peak, self.allocated)

    def forget_peak(self) -> None:
        """Let the most that was ever allocated start from now."""
        self.peak = self.allocated

    def _forget(self, taken: _Taken) -> None:
        self._taken.discard(taken)
        self.allocated -= taken.size

    def named(self, device: Any) -> bool | None:
        """Whether this device is meant; None where a device is that we know nothing of, such as "meta".

        Raises:
            torch.AcceleratorError: a device of this kind with another number.
        """
        device = self._torch.device(self.kind, device) if isinstance(device, int) else self._torch.device(device)
        if device.type == self.kind:
            if device.index not in (None, 0):
                raise self._torch.AcceleratorError(ORDINAL)
            return True
        return False if device.type == "cpu" else None

    @contextlib.contextmanager
    def _in_files(self) -> Generator[None]:
        """A file remembers where its tensors were, and torch.load puts them there again."""
        registry = self._torch.serialization._package_registry
        before = registry[:]

        def tag(memory: Any) -> str | None:
            return str(self.device) if memory.__dict__.get("place") == HERE else None

        def restore(memory: Any, location: str) -> Any:
            if not location.startswith(self.kind) or not self.named(location):
                return None
            self.take(memory)
            return memory

        self._torch.serialization.register_package(0, tag, restore)
        try:
            yield
        finally:
            registry[:] = before
