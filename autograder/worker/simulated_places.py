"""Where tensors live that are on a simulated GPU: carried on by every operator, and never mixed.

What lives on the device is written on storages, so that views, updates in place and all that autograd keeps share it.
An operator may make a tensor for itself, with no word from Python about its place: such a tensor is adrift until it
meets one that has a place. So strict is only what a student says, and nothing fails for what torch does inside.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

HERE, ADRIFT = 1, 2  # what a storage bears in its `place`; on the CPU it bears nothing

# Operators that take from the CPU what is no operand: the other side of a copy, indices, lengths.
_FREE: Final = frozenset(
    (
        *("copy_", "copy", "_foreach_copy_", "set_", "tensor_split", "_pack_padded_sequence", "_ctc_loss"),
        *("index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put", "_unsafe_index"),
    )
)
_CONVOLUTIONS: Final = frozenset(["convolution", "_convolution", "convolution_backward", "mkldnn_convolution"])
_OR_ELSE: Final = " or input should be a MKLDNN tensor and weight is a dense tensor"


def storage(tensor: Any) -> Any:
    """A tensor's storage; None for a sparse one, which has none of its own."""
    try:
        return tensor.untyped_storage()
    except NotImplementedError:
        import torch

        native: Any = torch._C  # pyright: ignore[reportPrivateUsage]
        functorch = native._functorch
        wrapped = functorch.is_functorch_wrapped_tensor(tensor)  # as torch.func and vmap do
        return storage(functorch.get_unwrapped(tensor)) if wrapped else None


def place(tensor: Any) -> int | None:
    """What a tensor's storage bears."""
    try:
        return tensor.untyped_storage().__dict__.get("place")
    except NotImplementedError:
        memory = storage(tensor)
        return None if memory is None else memory.__dict__.get("place")


def tracker(gpu: Any) -> Any:
    """A mode that sees every operator, carries the place on to the results, and refuses to mix two places.

    Args:
        gpu: the `SimulatedGPU`.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    class Tracker(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # a wrapper around every operator, for a compiler that is not there

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            tensors = _tensors((*args, *kwargs.values()))
            places = [place(tensor) for tensor in tensors]
            here, adrift = HERE in places, ADRIFT in places
            if not here and not adrift:
                result = func(*args, **kwargs)
                if not tensors and not gpu.creating:
                    _settle(gpu, result, ADRIFT)
                return result
            if _composite(func):  # seen whole where autograd is off for good; its parts then tell more
                with self:
                    return func.decompose(*args, **kwargs)
            # A number from the CPU, without axes, may stand beside tensors of any place.
            cpu = None in places and any(
                each is None and tensor.dim() for each, tensor in zip(places, tensors, strict=True)
            )
            if here and None in places and func.overloadpacket.__name__ not in _FREE:
                _refuse_to_mix(gpu, func, args, kwargs)
            result = func(*args, **kwargs)
            if func.overloadpacket.__name__ not in ("copy_", "_foreach_copy_"):  # what is written stays where it is
                _settle(gpu, result, HERE if here else None if cpu else ADRIFT)
            return result

    return Tracker()


def _tensors(values: Iterable[Any]) -> list[Any]:
    """The tensors among some values, and in lists of them."""
    import torch

    found: list[Any] = []
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [item for item in value if isinstance(item, torch.Tensor)]
    return found


def _settle(gpu: Any, result: Any, mark: int | None) -> None:
    """Say where results are; what shares memory with an argument has its place already."""
    for tensor in _tensors((result,)):
        memory = storage(tensor)
        if memory is None:
            continue
        if mark == HERE:
            gpu.take(memory)
        elif memory.__dict__.get("place") != HERE:
            memory.place = mark


@functools.cache
def _composite(func: Any) -> bool:
    import torch

    native: Any = torch._C  # pyright: ignore[reportPrivateUsage]
    has_kernel = native._dispatch_has_kernel_for_dispatch_key
    return has_kernel(func.name(), "CompositeImplicitAutograd") and func._can_decompose()


@functools.cache
def _written(func: Any) -> frozenset[str]:
    """The arguments that an operator changes."""
    return frozenset(
        argument.name for argument in func._schema.arguments if argument.alias_info and argument.alias_info.is_write
    )


@functools.cache
def _pointwise(func: Any) -> bool:
    import torch

    return torch.Tag.pointwise in func.tags


def _refuse_to_mix(gpu: Any, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise what torch raises where operands live in two places."""
    written = _written(func)
    arguments = [argument.name for argument in func._schema.arguments]
    given = [*zip(arguments, args, strict=False), *kwargs.items()]
    operands = [(name, tensor) for name, value in given for tensor in _tensors((value,))]
    strangers = [
        (name, tensor) for name, tensor in operands if place(tensor) is None and (tensor.dim() > 0 or name in written)
    ]
    name = func.overloadpacket.__name__
    if not strangers or (name == "index" and gpu.holds(args[0])):
        return
    raise RuntimeError(_words(gpu, func, operands))


def _words(gpu: Any, func: Any, operands: Sequence[tuple[str, Any]]) -> str:
    """Torch's own words for a mix of places."""
    name = func.overloadpacket.__name__
    same = "Expected all tensors to be on the same device, but"
    if name == "index":
        return "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
    if name in _CONVOLUTIONS:
        image, weight = (dict(operands)[argument].type() for argument in ("input", "weight"))
        if image != weight:
            or_else = "" if image.startswith(f"torch.{gpu.kind}") else _OR_ELSE
            return f"Input type ({image}) and weight type ({weight}) should be the same{or_else}"
    if _pointwise(func) or name.startswith("_foreach"):
        return f"{same} found at least two devices, {gpu.device} and cpu!"
    first = operands[0][1]
    odd = next(argument for argument, tensor in operands if gpu.holds(tensor) != gpu.holds(first))
    here, there = (gpu.device, "cpu") if gpu.holds(first) else ("cpu", gpu.device)
    method = f"wrapper_{gpu.kind.upper()}_{name}"
    what = f"got {odd} is on {there}, different from other tensors on {here}"
    return f"{same} {what} (when checking argument in method {method})"
