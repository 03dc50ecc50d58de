"""Judges an observation, in the process that a student's code never reaches: shape first, then kind, then values.

Each step is strict where the usual helpers are not: `np.allclose([], [2.0])` is True, a broadcast scalar passes
`assert_allclose`, and `any(error > tolerance)` lets NaN pass.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from autograder.report import Failure
from autograder.sandbox import Observation
from autograder.suite import Case, Check
from autograder.tolerance import Array, allowed, as_array
from autograder.wire import Opaque, Tensor

_WAITS: Final = "It still raises NotImplementedError: this function waits to be written."


@dataclass(frozen=True, slots=True)
class Difference:
    """How an observation fails.

    Attributes:
        failure: its kind.
        message: what a student may read: no values, no text that the student's code made.
        about: what an instructor reads besides, or how to make it: most differences are thrown away unread.
    """

    failure: Failure
    message: str
    about: str | Callable[[], str] = field(default="", compare=False, repr=False)

    @property
    def details(self) -> str:
        return self.about if isinstance(self.about, str) else self.about()


def judge(case: Case, expected: Observation, actual: Observation) -> Difference | None:
    """How a case fails, or None where its expectation holds.

    Args:
        case: with the expectation.
        expected: what the reference did.
        actual: what the student's code did.
    """
    if case.expectation == "advises":
        return None
    if actual.ending == "absent":
        return _absent(actual)
    if actual.ending in ("timeout", "memory", "crash"):
        return _ended(actual)
    if case.expectation == "rejects":
        return _rejection(actual)
    if actual.ending == "raised":
        return _raised(actual)
    if case.expectation == "holds":
        assert case.check is not None
        return _checked(case.check, actual.value)
    if actual.changed:  # noticed only where a suite asks for it
        return Difference("state", "The call changed its arguments; they must be left as they were.")
    # Leaving the arguments alone earns nothing by itself: so does a function that does nothing at all.
    difference = compare(case, expected.value, actual.value)
    if difference and case.expectation == "preserves" and case.call.probe and difference.failure == "value":
        return Difference("state", "It leaves something in another state than it should.", difference.about)
    return difference


def advice(case: Case, actual: Observation) -> str:
    """What may help somebody whose code is right all the same; the empty text where there is nothing to say."""
    if case.expectation != "advises" or case.check is None or actual.ending != "returned":
        return ""
    difference = _checked(case.check, actual.value)
    return difference.message if difference and difference.failure == "value" else ""


def _checked(check: Check, value: Any) -> Difference | None:
    try:
        sentence = check(value)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError) as error:
        return Difference("type", "The result is not what is asked for.", f"{error!r} for {brief(value)}")
    return Difference("value", sentence, f"observed {brief(value)}") if sentence else None


def _absent(actual: Observation) -> Difference:
    if not actual.classes:
        return Difference("missing", "The function is not defined in what was handed in.")
    if "SyntaxError" in actual.classes:
        return Difference("unreadable", f"Python cannot read {_place(actual) or 'it'}: SyntaxError.", actual.text)
    return Difference("exception", f"Its definition fails with {_class(actual)}{_at(actual)}.", actual.text)


def _ended(actual: Observation) -> Difference:
    match actual.ending:
        case "timeout":
            return Difference(
                "timeout", "The call did not end in time; is there a loop that never stops?", actual.output
            )
        case "memory":
            text = "The call asked for more memory than there is; is an array far too large, or a list endless?"
            return Difference("memory", text, actual.text)
        case _:
            return Difference(
                "crash", "The call ended the whole Python process.", f"{actual.text}\n{actual.output}".strip()
            )


def _rejection(actual: Observation) -> Difference | None:
    if actual.ending == "returned":
        return Difference(
            "no-exception",
            "The call must raise ValueError, and it returned a result.",
            f"returned {brief(actual.value)}",
        )
    if "ValueError" in actual.classes:
        return None
    if "NotImplementedError" in actual.classes:
        return Difference("wrong-exception", _WAITS, actual.text)
    text = f"The call must raise ValueError, and it raised {_class(actual)}{_at(actual)}."
    return Difference("wrong-exception", text, actual.text)


def _raised(actual: Observation) -> Difference:
    if "NotImplementedError" in actual.classes:
        return Difference("exception", _WAITS)
    return Difference("exception", f"The call raised {_class(actual)}{_at(actual)}.", actual.text)


def _class(actual: Observation) -> str:
    return next((name for name in actual.classes if name in _BUILTIN), "an exception")


_BUILTIN: Final = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)


def _at(actual: Observation) -> str:
    place = _place(actual)
    return f" in {place}" if place else ""


def _place(actual: Observation) -> str:
    """The student's own line: `jobs.Answers` has made sure that there is such a place in what was handed in."""
    return " of ".join(filter(None, [f"line {actual.line}" if actual.line else "", actual.where]))


def compare(case: Case, expected: Any, actual: Any) -> Difference | None:
    """The first difference between two pieces of plain data, or None."""
    return _compare(case, expected, actual, "")


def _compare(case: Case, expected: Any, actual: Any, path: str) -> Difference | None:
    match expected:
        case Tensor(array=array):
            return _arrays(case, array, actual, path)
        case np.ndarray():
            return _arrays(case, expected, actual, path)
        case dict():
            return _dicts(case, expected, actual, path)
        case list() | tuple():
            return _sequences(case, expected, actual, path)
        case bool() | str() | None:
            if type(actual) is not type(expected):
                return _kind(expected, actual, path)
            return None if actual == expected else _values(expected, actual, path)
        case int():
            return _integers(expected, actual, path)
        case float():
            return _floats(case, expected, actual, path)
        case _:
            raise TypeError(f"The reference returned {type(expected).__name__}, which is not plain data.")


def _integers(expected: int, actual: Any, path: str) -> Difference | None:
    number = actual.item() if isinstance(actual, np.ndarray) and actual.ndim == 0 else actual
    if type(number) is not int:
        return _kind(expected, actual, path)
    return None if number == expected else _values(expected, actual, path)


def _floats(case: Case, expected: float, actual: Any, path: str) -> Difference | None:
    number = actual.item() if isinstance(actual, np.ndarray) and actual.ndim == 0 else actual
    if type(number) not in (int, float):
        return _kind(expected, actual, path)
    return _arrays(case, np.array(expected), np.asarray(number), path)


def _sequences(case: Case, expected: list[Any] | tuple[Any, ...], actual: Any, path: str) -> Difference | None:
    if not isinstance(actual, list | tuple):
        return _kind(expected, actual, path)
    if len(actual) != len(expected):
        entries = "1 entry" if len(actual) == 1 else f"{len(actual)} entries"
        text = f"{_subject(path)} has {entries}, which is not the right number."
        return Difference("shape", text, f"expected {brief(expected)}, got {brief(actual)}")
    pairs = zip(expected, actual, strict=True)
    return _first(_compare(case, right, given, f"{path}[{index}]") for index, (right, given) in enumerate(pairs))


def _dicts(case: Case, expected: Mapping[str, Any], actual: Any, path: str) -> Difference | None:
    if not isinstance(actual, dict):
        return _kind(expected, actual, path)
    missing = [key for key in expected if key not in actual]
    if missing or len(actual) != len(expected):
        text = f"{_subject(path)} must have exactly the entries {', '.join(map(repr, expected))}."
        return Difference("type", text, f"got the entries {brief(list(actual))}")
    return _first(_compare(case, right, actual[key], f"{path}[{key!r}]") for key, right in expected.items())


def _first(differences: Iterator[Difference | None]) -> Difference | None:
    return next((difference for difference in differences if difference), None)


def _arrays(case: Case, expected: Array, actual: Any, path: str) -> Difference | None:
    array = as_array(actual)
    if array is None:
        return _kind(expected, actual, path)
    if array.shape != expected.shape:
        text = f"{_subject(path)} has shape {array.shape}, which is not the right shape."
        return Difference("shape", text, _both(expected, array))
    if array.dtype == expected.dtype and np.array_equal(array, expected):
        return None
    exact = np.complex128 if expected.dtype.kind == "c" else np.float64
    if array.size and array.dtype.kind not in ("iuf" if expected.dtype.kind in "iuf" else expected.dtype.kind):
        return _kind(expected, actual, path)
    finite = np.isfinite(expected)
    if not np.array_equal(array[~finite], expected[~finite], equal_nan=True) or not np.isfinite(array[finite]).all():
        return Difference("value", f"{_subject(path)} holds NaN or infinity.", _both(expected, array))
    # A reference is finite and real; a misconception that a result is held against may be neither.
    error = np.abs(array[finite].astype(exact) - expected[finite].astype(exact))
    limit = allowed(case, expected[finite])
    if (error <= limit).all():
        return None
    text = f"{_subject(path)} has the right shape, and values that are wrong."
    about = f"largest error {error.max(initial=0.0):.3g}, tolerance {limit:.3g}"
    return Difference("value", text, _both(expected, array, about))


def _both(expected: Any, actual: Any, *more: str) -> Callable[[], str]:
    """For the instructor; made only where somebody reads it, as printing arrays takes long."""
    return lambda: "\n".join([f"expected {brief(expected)}", f"got {brief(actual)}", *more])


def _subject(path: str) -> str:
    return f"Entry {path} of the result" if path else "The result"


def _kind(expected: Any, actual: Any, path: str) -> Difference:
    text = f"{_subject(path)} is {_name(actual)}, where {_name(expected)} is asked for."
    return Difference("type", text, _both(expected, actual))


def _values(expected: Any, actual: Any, path: str) -> Difference:
    return Difference("value", f"{_subject(path)} is not the right one.", _both(expected, actual))


def _name(value: Any) -> str:
    """A kind in words that a student knows; the names of a student's own classes are not repeated."""
    match value:
        case None:
            return "None"
        case Opaque():
            return "something that is neither a number nor an array"
        case Tensor():
            return "a tensor"
        case np.ndarray():
            kinds = {"b": "an array of booleans", "c": "an array of complex numbers"}
            return kinds.get(value.dtype.kind, "an array of numbers")
        case bool() | int() | float() | complex() | str() | list() | tuple() | dict():
            names: dict[type[Any], str] = {
                bool: "a bool",
                int: "an integer",
                float: "a float",
                complex: "a complex number",
                str: "a string",
            }
            return names.get(type(value), f"a {type(value).__name__}")
        case _:
            return "something else"


def brief(value: Any, limit: int = 600) -> str:
    """A value in few characters, for the instructor."""
    if isinstance(value, Tensor):
        return f"tensor {brief(value.array, limit)}"
    with np.printoptions(precision=5, threshold=30, edgeitems=3, linewidth=100):
        text = f"shape {value.shape} {value.dtype}: {value}" if isinstance(value, np.ndarray) else repr(value)
    return text if len(text) <= limit else f"{text[:limit]} …"
