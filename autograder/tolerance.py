"""How far a right result may be from the reference's: derived from the precision and from what is summed, once."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autograder.jobs import Call
from autograder.suite import Case
from autograder.wire import Tensor

Array = np.ndarray[Any, Any]

SAFETY: Final = 16
TF32_SAFETY: Final = 4


def allowed(case: Case, expected: Array) -> float:
    """The largest error of a right result.

    Args:
        case: with the arguments.
        expected: what the reference returned, without its NaN and infinities.
    """
    return tolerance(terms(case), scale(case, expected), case.precision)


def tolerance(terms: int, scale: float, precision: str) -> float:
    """The largest error that rounding alone explains: SAFETY · eps · terms · scale.

    Each rounding of a sum of `terms` products no larger than `scale` errs by at most eps / 2 times the partial sum,
    which is at most terms · scale; such errors accumulate like a random walk of `terms` steps, and reordered sums,
    FFT and float32 accumulators stay within SAFETY times the bound of one. eps is float32's, as a result computed in
    float32 is right, save where the contract fixes the dtype.

    "tf32" is for a real GPU. It adds in another order, which is within the above. We switch off TF32, in which it would
    round every factor to ten bits; a student may switch it on again, and is right. A product then errs by at most
    2⁻¹⁰ of itself, and TF32_SAFETY of that allow for a few layers and steps. Emulated on the suites' GPU cases with
    five seeds, TF32 came to half of this, and to twelve times what float32 may err.
    """
    if precision == "tf32":
        return tolerance(terms, scale, "float32") + TF32_SAFETY * 2.0**-10 * scale
    return SAFETY * float(np.finfo(precision).eps) * max(terms, 1) * max(scale, float(np.finfo(np.float32).tiny))


def terms(case: Case) -> int:
    """How many products one output sums: as the suite says, else an upper bound from the sizes of the arguments."""
    if case.terms is not None:
        return case.terms
    return min((size for size, _ in _float_arguments(case)), default=1)


def scale(case: Case, expected: Array) -> float:
    """The largest magnitude of one term: as the suite says, else as the arguments or the result itself show."""
    if case.scale is not None:
        return case.scale
    largest = float(np.abs(expected).max(initial=0.0))
    magnitudes = [magnitude for _, magnitude in _float_arguments(case)] if case.call.probe is None else []
    return max(math.prod(magnitudes), largest / max(terms(case), 1)) if magnitudes else largest


def _float_arguments(case: Case) -> Sequence[tuple[int, float]]:
    """Size and largest magnitude of each; found once, for a whole class."""
    call = case.call
    if call not in _arguments:
        arrays = [as_array(value) for value in (*call.args, *call.kwargs.values())]
        floats = [array for array in arrays if array is not None and array.ndim > 0 and array.dtype.kind == "f"]
        _arguments[call] = [(array.size, float(np.abs(array).max(initial=0.0))) for array in floats]
    return _arguments[call]


_arguments: Final = weakref.WeakKeyDictionary[Call, Sequence[tuple[int, float]]]()


def as_array(value: Any) -> Array | None:
    """The array that plain data is, or None where it is none; ragged lists and texts are none."""
    match value:
        case Tensor(array=array):
            return array
        case np.ndarray():
            return value
        case bool():
            return None
        case int() | float() | complex():
            try:
                return np.asarray(value)
            except OverflowError:
                return None
        case list() | tuple():
            if all(type(item) is float for item in value):
                return np.asarray(value, dtype=np.float64)
            parts = [as_array(item) for item in value]
            shapes = {None if part is None else part.shape for part in parts}
            if None in shapes or len(shapes) > 1:
                return None
            return np.stack([part for part in parts if part is not None])
        case _:
            return None
