"""Python's side of torch where a simulated GPU is in the machine: what makes, moves and asks for tensors.

Each function is torch's own, with a word about the device: it is told "cpu" where the simulated device was named, and
what it makes is put where it belongs.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Final

_FACTORIES: Final = (
    *("empty", "empty_strided", "empty_permuted", "zeros", "ones", "full", "tensor", "scalar_tensor"),
    *("arange", "range", "linspace", "logspace", "eye", "tril_indices", "triu_indices"),
    *("rand", "randn", "randint", "randperm", "normal"),
    *("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"),
)
_TAKERS: Final = ("as_tensor", "asarray")  # these may share the memory of what they are given
_LIKE: Final = ["empty_like", "zeros_like", "ones_like", "full_like", "rand_like", "randn_like", "randint_like"]
_NEW: Final = ["new_empty", "new_empty_strided", "new_zeros", "new_ones", "new_full", "new_tensor"]

Patch = tuple[Any, str, Any]  # a module or class, the name of an attribute, its value


@contextlib.contextmanager
def patched(place: Any, name: str, value: Any) -> Generator[None]:
    """An attribute of a module or class with another value; afterwards it is what it was, inherited ones too."""
    own, before = name in vars(place), getattr(place, name, None)
    if own:
        before = vars(place)[name]
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before) if own else delattr(place, name)


def patches(gpu: Any) -> Iterator[Patch]:
    """All that is replaced.

    Args:
        gpu: the `SimulatedGPU`.
    """
    import torch

    tensor: Any = torch.Tensor
    functions = _Functions(gpu)
    yield from ((torch, name, functions.factory(getattr(torch, name))) for name in _FACTORIES)
    yield from ((torch, name, functions.taker(getattr(torch, name))) for name in _TAKERS)
    yield from ((torch, name, functions.alike(getattr(torch, name))) for name in _LIKE)
    yield from ((tensor, name, functions.alike(getattr(tensor, name))) for name in _NEW)
    yield tensor, "device", functions.device(tensor.device)
    yield tensor, "is_cpu", functions.is_cpu(tensor.is_cpu)
    yield tensor, f"is_{gpu.kind}", property(gpu.holds)
    for name in ("get_device", "to", "cpu", "cuda", "type", "type_as", "numpy", "tolist", "pin_memory", "is_pinned"):
        yield tensor, name, getattr(functions, name)(getattr(tensor, name))
    native: Any = torch._C  # pyright: ignore[reportPrivateUsage]
    name = "_group_tensors_by_device_and_dtype"
    yield native, name, functions.grouped(getattr(native, name))
    yield functions.default, "__torch_function__", functions.by_default(functions.default.__torch_function__)


class _Functions:
    """The replacements, made from the real ones."""

    def __init__(self, gpu: Any) -> None:
        import torch
        from torch.utils import _device

        self._gpu = gpu
        self._torch: Any = torch
        self._move = _mover(gpu)
        self.default: Any = _device.DeviceContext  # what torch.set_default_device and `with torch.device` push

    def device(self, real: Any) -> property:
        def device(tensor: Any) -> Any:
            return self._gpu.device if self._gpu.holds(tensor) else real.__get__(tensor)

        return property(device)

    def is_cpu(self, real: Any) -> property:
        def is_cpu(tensor: Any) -> bool:
            return not self._gpu.holds(tensor) and real.__get__(tensor)

        return property(is_cpu)

    def get_device(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def get_device(tensor: Any) -> int:
            return 0 if self._gpu.holds(tensor) else real(tensor)

        return get_device

    def cpu(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def cpu(tensor: Any, **kwargs: Any) -> Any:
            return tensor.to("cpu", **kwargs)

        return cpu

    def cuda(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def cuda(tensor: Any, device: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
            if self._gpu.kind != "cuda":
                return real(tensor, device, non_blocking, **kwargs)
            return tensor.to("cuda" if device is None else device, non_blocking=non_blocking, **kwargs)

        return cuda

    def is_pinned(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def is_pinned(tensor: Any, device: Any = None) -> bool:
            return bool(tensor.untyped_storage().__dict__.get("pinned"))

        return is_pinned

    def factory(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def make(*args: Any, **kwargs: Any) -> Any:
            device = kwargs.get("device")
            here = self._by_itself(args) if device is None else self._gpu.named(device)
            if device is not None and here is not None:
                kwargs["device"] = "cpu"
            with self._creation():
                made = real(*args, **kwargs)
            return made if here is None else self._gpu.put(made, here)

        return make

    def _by_itself(self, args: Sequence[Any]) -> bool:
        """Whether something is made on this device without being told: a copy from there, or by torch's default."""
        if args and isinstance(args[0], self._torch.Tensor):
            return self._gpu.holds(args[0])
        modes = self._torch.overrides._get_current_function_mode_stack()
        defaults = (mode for mode in modes if isinstance(mode, self.default))
        return any(default.device.type == self._gpu.kind for default in defaults)

    @contextlib.contextmanager
    def _creation(self) -> Generator[None]:
        self._gpu.creating += 1
        try:
            yield
        finally:
            self._gpu.creating -= 1

    def taker(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def take(*args: Any, **kwargs: Any) -> Any:
            device = kwargs.get("device")
            here = None if device is None else self._gpu.named(device)
            if here is None:
                with self._creation():
                    return real(*args, **kwargs)
            del kwargs["device"]
            with self._creation():
                taken = real(*args, **kwargs)
            return taken.to(device)

        return take

    def alike(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def make(model: Any, *args: Any, **kwargs: Any) -> Any:
            device = kwargs.get("device")
            here = self._gpu.holds(model) if device is None else self._gpu.named(device)
            if device is not None and here is not None:
                kwargs["device"] = "cpu"
            with self._creation():
                made = real(model, *args, **kwargs)
            return made if here is None else self._gpu.put(made, here)

        return make

    def to(self, real: Callable[..., Any]) -> Callable[..., Any]:
        torch = self._torch

        @functools.wraps(real)
        def to(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            first, *rest = args or [kwargs.pop("other", None)]
            if first is None:
                first = kwargs.pop("device", None)
            elif isinstance(first, torch.dtype):
                rest, first = [first, *rest], kwargs.pop("device", None)
            elif isinstance(first, torch.Tensor):
                rest, first = [first.dtype, *rest], first.device
            here = None if first is None else self._gpu.named(first)
            if first is not None and here is None:
                return real(tensor, first, *rest, **kwargs)
            kwargs |= dict(
                zip(("non_blocking", "copy"), (part for part in rest if isinstance(part, bool)), strict=False)
            )
            if here is not None and here != self._gpu.holds(tensor):
                tensor = self._moved(tensor, here)
                kwargs.pop("copy", None)
            dtypes = [part for part in rest if isinstance(part, torch.dtype)]
            return real(tensor, *dtypes, **kwargs)

        return to

    def _moved(self, tensor: Any, here: bool) -> Any:
        if tensor.requires_grad and self._torch.is_grad_enabled():
            return self._move(tensor, here)
        return self._gpu.put(tensor.detach().clone(), here)

    def type(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def type_(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            answer = real(tensor, *args, **kwargs)
            spelled = isinstance(answer, str) and self._gpu.holds(tensor)
            return answer.replace("torch.", f"torch.{self._gpu.kind}.") if spelled else answer

        return type_

    def type_as(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def type_as(tensor: Any, other: Any) -> Any:
            return tensor.to(other)

        return type_as

    def numpy(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def numpy(tensor: Any, *args: Any, force: bool = False) -> Any:
            if self._gpu.holds(tensor):
                if force:
                    return real(tensor.detach().cpu(), force=True)
                raise TypeError(
                    f"can't convert {self._gpu.device} device type tensor to numpy. "
                    "Use Tensor.cpu() to copy the tensor to host memory first."
                )
            return real(tensor, *args, force=force)

        return numpy

    def tolist(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def tolist(tensor: Any) -> Any:
            return real(tensor.detach().cpu() if self._gpu.holds(tensor) else tensor)

        return tolist

    def pin_memory(self, real: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(real)
        def pin_memory(tensor: Any, device: Any = None) -> Any:
            if self._gpu.holds(tensor):
                raise RuntimeError(f"cannot pin '{tensor.type()}' only dense CPU tensors can be pinned")
            pinned = tensor if tensor.is_pinned() else tensor.clone()
            pinned.untyped_storage().pinned = True
            return pinned

        return pin_memory

    def grouped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Optimizers and clip_grad_norm_ take tensors together that share a device and a dtype."""

        def grouped(lists: Sequence[Sequence[Any]], with_indices: bool = False) -> Mapping[Any, Any]:
            groups: dict[Any, Any] = {}
            for here in (False, True):
                chosen = [index for index, each in enumerate(lists[0]) if self._gpu.holds(each) == here]
                part = [[each[index] for index in chosen] if each else [] for each in lists]
                for (device, dtype), (tensors, indices) in (real(part, with_indices) if chosen else {}).items():
                    key = self._gpu.device if here else device, dtype
                    groups[key] = tensors, [chosen[index] for index in indices]
            return groups

        return grouped

    def by_default(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Within `with torch.device("cuda"):` torch would ask its own factories for that device; ours know already."""

        def by_default(context: Any, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            ours = context.device.type == self._gpu.kind
            return func(*args, **(kwargs or {})) if ours else real(context, func, types, args, kwargs)

        return by_default


def _mover(gpu: Any) -> Callable[[Any, bool], Any]:
    """A copy between two places whose gradient goes the way back."""
    import torch

    class Move(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, tensor: Any, here: bool) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            ctx.back = gpu.holds(tensor)
            return gpu.put(tensor.clone(), here)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
            return gradient.to(gpu.device if ctx.back else "cpu"), None

    return Move.apply
