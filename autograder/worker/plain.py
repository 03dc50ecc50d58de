"""Plain data of whatever a student's code takes and gives: what it is, and whether it is still what it was."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np

from autograder import wire

_PLAIN: tuple[type[Any], ...] = (bool, int, float, complex, str, list, tuple, dict)


def same(before: Any, after: Any) -> bool:
    """Whether plain data is what it was."""
    if isinstance(before, np.ndarray):
        return (
            isinstance(after, np.ndarray)
            and after.shape == before.shape
            and after.dtype == before.dtype
            and np.array_equal(before, after)
        )
    if type(before) is not type(after):
        return False
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(same, before, after))
    if isinstance(before, dict):
        return list(before) == list(after) and all(same(before[key], after[key]) for key in before)
    return bool(before == after)


def plain(value: Any) -> object:
    """Plain data for what a student may return: arrays of every kind, NumPy's scalars, subclasses of built-in types."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return wire.Tensor(_tensor_array(torch, value))
    if isinstance(value, np.generic):
        number = value.item()
        return float(number) if isinstance(number, np.floating) else number  # a long double's item is itself again
    for kind in _PLAIN:
        if isinstance(value, kind):
            return kind(value)
    array = np.asarray(value)  # whatever else it takes: a range, an array.array, objects with __array__
    if array.dtype == np.longdouble:
        return np.array(array, dtype=np.float64)
    if array.dtype.kind in "OSUVMm":
        return wire.Opaque(type(value).__name__)
    return np.array(array, subok=False)


def _tensor_array(torch: Any, tensor: Any) -> np.ndarray[Any, Any]:
    # A tensor of torch's own class runs nothing of a student's on its way, so nobody need follow it.
    own = type(tensor) in (torch.Tensor, torch.nn.Parameter)
    of, unseen = (
        (torch._C.TensorBase, torch._C._DisableTorchDispatch) if own else (torch.Tensor, contextlib.nullcontext)
    )
    with unseen():
        tensor = of.cpu(tensor.detach())
        if tensor.is_sparse:
            tensor = tensor.to_dense()
        if tensor.dtype in (torch.bfloat16, torch.float16):
            tensor = tensor.float()
        return np.array(of.numpy(tensor.resolve_conj().resolve_neg()))
