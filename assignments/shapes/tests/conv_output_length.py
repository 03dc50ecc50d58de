from otter.test_files import test_case

OK_FORMAT = False
name = "conv_output_length"

import copy
import linecache
import math
import os
import sys
import textwrap

import numpy as np


def expect(function, *arguments, shown=None, **keywords):
    """A call of a function; say of it what it .gives(...) or that it .raises(). `shown` is how the call reads."""
    return _Call(function, arguments, keywords, shown)


class NotHeldError(AssertionError):
    """A call gives something else than it should; the message tells a student all that there is to know."""


class NotWrittenError(NotHeldError):
    """A function still raises NotImplementedError."""


class _Call:
    def __init__(self, function, arguments, keywords, shown):
        # Copies: what one call changes in place must not mislead the next.
        self.function, self.arguments, self.keywords = function, _copied(arguments), _copied(keywords)
        self.name = getattr(function, "__name__", "The function")
        written = [_typed(value) for value in arguments] + [f"{key}={_typed(value)}" for key, value in keywords.items()]
        self.shown = shown or f"{self.name}({', '.join(written)})"

    def gives(self, expected, hint="", known=()):
        """The call returns the expected value, and leaves what it was given as it was.

        Args:
            expected: an int asks for a whole number, a tuple for a shape, a float for a number, a text for that text, a
                list or an array for an array of the same shape.
            hint: what to think of where it does not.
            known: pairs of a wrong answer and the hint for whoever gets that one; an exception stands for all of its
                class whose message holds its own.
        """
        __tracebackhide__ = True
        before = self._given()
        result, error = self._made()
        if error is not None:  # the general hint is about numbers, and would lead astray
            hint = next((text for wrong, text in known if _is_such(error, wrong)), "")
            raise NotHeldError(self._message(_raised(error), _shown(expected), hint)) from error
        why = _difference(result, expected)
        if why is not None:
            if result is None:
                hint = "None is what a function returns that has no return."
            wrongs = [(wrong, text) for wrong, text in known if not isinstance(wrong, Exception)]
            hint = next((text for wrong, text in wrongs if _difference(result, wrong) is None), hint)
            raise NotHeldError(self._message(f"returned {_shown(result)}", _shown(expected), hint, why))
        if self._given() != before:
            hint = "It has changed what it was given, which belongs to the caller. Work on a copy."
            raise NotHeldError(self._message("returned the right result", "its arguments as they were", hint))

    def raises(self, hint=""):
        """The call raises ValueError."""
        __tracebackhide__ = True
        result, error = self._made()
        if error is None:
            raise NotHeldError(self._message(f"returned {_brief(result)}", "a ValueError", hint))
        if not isinstance(error, ValueError):
            raise NotHeldError(self._message(_raised(error), "a ValueError", hint)) from error

    def _made(self):
        __tracebackhide__ = True
        if self.function is None:
            raise NotWrittenError("The function is not defined: run the cell that defines it, then check again.")
        try:
            return self.function(*self.arguments, **self.keywords), None
        except NotImplementedError as error:
            raise NotWrittenError(f"{error or self.name} is not written yet.") from None
        except Exception as error:
            return None, error

    def _given(self):
        return [_plain(value) for value in (*self.arguments, *self.keywords.values())]

    def _message(self, outcome, expected, hint, why=""):
        lines = [self.shown, *_block("  ", outcome), *_block("  expected ", expected)]
        lines += [f"  {why}"] if why else []
        return "\n".join(lines + textwrap.wrap(hint, 96, initial_indent="  Hint: ", subsequent_indent="  "))


def _copied(values):
    """Arguments, with copies of what can be changed in place; models and functions are the caller's."""
    if isinstance(values, dict):
        return {name: _copied(value) for name, value in values.items()}
    if isinstance(values, (list, tuple)):
        copies = [_copied(value) for value in values]
        return tuple(copies) if isinstance(values, tuple) else copies
    return copy.deepcopy(values) if isinstance(values, np.ndarray) else values


def _is_such(error, wrong):
    return isinstance(wrong, Exception) and isinstance(error, type(wrong)) and str(wrong) in str(error)


def _difference(result, expected):
    """How a result differs: None where it does not, else a sentence, empty where the values speak for themselves."""
    if isinstance(expected, (str, bool)):
        return None if type(result) is type(expected) and result == expected else ""
    if isinstance(expected, int):
        if not isinstance(result, (int, np.integer)) or isinstance(result, bool):
            return "A whole number is asked for, of Python's or NumPy's type int."
        return None if result == expected else ""
    if isinstance(expected, tuple):
        if not isinstance(result, (tuple, list)):
            return "A tuple of whole numbers is asked for."
        if len(result) != len(expected):
            return f"It has {len(result)} entries instead of {len(expected)}."
        entries = [_difference(*pair) for pair in zip(result, expected, strict=True)]
        return next((why for why in entries if why is not None), None)
    if isinstance(expected, float) and not isinstance(result, (int, float, np.number)) and np.ndim(result) != 0:
        return "One number is asked for."
    if isinstance(expected, float) and hasattr(result, "detach"):
        return "A Python float is asked for, not a tensor."
    return _array_difference(result, np.asarray(expected, dtype=float))


def _array_difference(result, expected):
    try:
        array = np.asarray(result.detach().cpu() if hasattr(result, "detach") else result)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        return "Real numbers are asked for."
    if array.shape != expected.shape:
        return f"Its shape is {array.shape}, and it should be {expected.shape}."
    # Room for the rounding of float32, and far too little for a mistake.
    right = np.abs(array - expected) <= 1e-5 * max(1.0, np.abs(expected).max(initial=0.0))
    return None if right.all() else ""


def _raised(error):
    """An exception, and the line of the student's own code at which it arose."""
    text = f"raised {type(error).__name__}: {error}".removesuffix(": ")
    trace, place = error.__traceback__, ""
    while trace is not None:
        path, number = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        line = linecache.getline(path, number).strip() if _is_own(path) else ""
        if line:
            place = f"\nat line {number} of {os.path.basename(path) if os.path.exists(path) else 'the cell'}: {line}"
        trace = trace.tb_next
    return text + place


def _is_own(path):
    """Whether a file is neither a library's, nor a check's, nor this one; a cell is one's own."""
    if path.startswith("<"):
        return path.startswith("<ipython-input")
    library = path.startswith((sys.prefix, sys.base_prefix))
    return not (library or path == expect.__code__.co_filename or os.path.basename(path).startswith("test_"))


def _plain(value):
    """A copy that compares with ==, of what can be changed in place; None of anything else, such as a model."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, (int, float, str)) else None


def _typed(value):
    """An argument as one would type it; a large array by its shape."""
    kind = "torch.tensor" if hasattr(value, "detach") else "np.array" if isinstance(value, np.ndarray) else None
    if kind is None:
        if isinstance(value, list) and len(value) > 2 and isinstance(value[0], dict):
            return "".join(["[\n", *(f"    {entry!r},\n" for entry in value), "]"])  # a network, layer by layer
        return getattr(value, "__name__", None) or repr(value)
    if not 0 < math.prod(value.shape) <= 40:
        return f"{kind.split('.')[1]} of shape {tuple(value.shape)}"
    return f"{kind}({_numbers(value)})"


def _numbers(value):
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    text = np.array2string(array, precision=4, separator=", ", threshold=200, floatmode="maxprec")
    return " ".join(text.split()) if len(text) < 100 else text


def _shown(value):
    """A result as a reader wants to see it."""
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        kind = "a tensor" if hasattr(value, "detach") else "an array"
        return f"{kind} of shape {tuple(value.shape)}: {_numbers(value)}" if value.ndim else _numbers(value)
    text = repr(_simple(value))
    return text if len(text) <= 600 else f"{text[:600]} ..."


def _brief(value):
    """A result that should not be there at all: of a large one its shape will do."""
    text = _shown(value)
    return text if len(text) < 100 else text.partition(":")[0]


def _simple(value):
    """Numbers as Python writes them, also in lists: 4.0 rather than np.float64(4.0)."""
    if isinstance(value, (list, tuple)):
        entries = [_simple(entry) for entry in value]
        return tuple(entries) if isinstance(value, tuple) else entries
    return value.item() if isinstance(value, np.generic) else value


def _block(head, text):
    """Lines that stand below each other where a text has several."""
    first, *others = str(text).split("\n")
    return [head + first] + [" " * len(head) + other for other in others]


COUNT = "One window is missing: the first one counts, too. (The slide says T - k, and slips.)"
FIXED = "An argument that a dictionary leaves out has its default; every kind of layer stands in the handout's table."
FIVE = "One image has three entries and a batch has four. Counted from the end, the same ones mean the same."
GROUPS = "Groups and bias are arguments of a conv2d, too, and change nothing in its shape."
LECTURE = [
    {"kind": "conv2d", "out_channels": 32, "kernel_size": 2},
    {"kind": "leaky_relu"},
    {"kind": "adaptive_avg_pool2d", "output_size": 4},
    {"kind": "conv2d", "out_channels": 64, "kernel_size": 2},
    {"kind": "leaky_relu"},
    {"kind": "adaptive_avg_pool2d", "output_size": 2},
    {"kind": "flatten"},
    {"kind": "linear", "out_features": 10},
]


def test_windows_on_paper(conv_output_length, expect, length, kernel_size, settings, windows, known):
    """As many outputs as windows that fit."""
    expect(conv_output_length, length, kernel_size, **settings).gives(windows, known=known, hint="Draw it, and count.")


def test_settings_that_cannot_be(conv_output_length, expect, length, kernel_size, settings):
    """No signal, no tap, no step, no distance or less than no padding: a ValueError."""
    expect(conv_output_length, length, kernel_size, **settings).raises("The docstring names every case.")


def test_windows_that_cannot_be(conv_output_length, expect, length, kernel_size, settings):
    """A window that fits nowhere: a ValueError."""
    hint = "Beware of rounding: with a stride, a length that is negative may come out as something harmless."
    expect(conv_output_length, length, kernel_size, **settings).raises(hint)


@test_case(name='As many outputs as windows that fit. (1 of 6)')
def case_1(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=5, kernel_size=2, settings={}, windows=4, known=[(3, COUNT)])


@test_case(name='As many outputs as windows that fit. (2 of 6)')
def case_2(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=7, kernel_size=7, settings={}, windows=1, known=[(0, COUNT)])


@test_case(name='As many outputs as windows that fit. (3 of 6)')
def case_3(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=8, kernel_size=3, settings={'stride': 2}, windows=3, known=[(4, 'A window that hangs over the end does not count.')])


@test_case(name='As many outputs as windows that fit. (4 of 6)')
def case_4(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=8, kernel_size=3, settings={'padding': 1}, windows=8, known=[(7, 'Padding is added at each of the two ends.')])


@test_case(name='As many outputs as windows that fit. (5 of 6)')
def case_5(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=8, kernel_size=3, settings={'dilation': 3}, windows=2, known=[(6, 'With dilation 3 a window of 3 taps reaches from its first over 6 more samples.')])


@test_case(name='As many outputs as windows that fit. (6 of 6)')
def case_6(conv_output_length):
    test_windows_on_paper(conv_output_length, expect=expect, length=17, kernel_size=3, settings={'stride': 2, 'padding': 2, 'dilation': 3}, windows=8, known=[])


@test_case(name='No signal, no tap, no step, no distance or less than no padding: a ValueError. (1 of 5)')
def case_7(conv_output_length):
    test_settings_that_cannot_be(conv_output_length, expect=expect, length=0, kernel_size=1, settings={})


@test_case(name='No signal, no tap, no step, no distance or less than no padding: a ValueError. (2 of 5)')
def case_8(conv_output_length):
    test_settings_that_cannot_be(conv_output_length, expect=expect, length=5, kernel_size=0, settings={})


@test_case(name='No signal, no tap, no step, no distance or less than no padding: a ValueError. (3 of 5)')
def case_9(conv_output_length):
    test_settings_that_cannot_be(conv_output_length, expect=expect, length=5, kernel_size=2, settings={'stride': 0})


@test_case(name='No signal, no tap, no step, no distance or less than no padding: a ValueError. (4 of 5)')
def case_10(conv_output_length):
    test_settings_that_cannot_be(conv_output_length, expect=expect, length=5, kernel_size=2, settings={'dilation': 0})


@test_case(name='No signal, no tap, no step, no distance or less than no padding: a ValueError. (5 of 5)')
def case_11(conv_output_length):
    test_settings_that_cannot_be(conv_output_length, expect=expect, length=5, kernel_size=2, settings={'padding': -1})


@test_case(name='A window that fits nowhere: a ValueError. (1 of 3)')
def case_12(conv_output_length):
    test_windows_that_cannot_be(conv_output_length, expect=expect, length=4, kernel_size=5, settings={})


@test_case(name='A window that fits nowhere: a ValueError. (2 of 3)')
def case_13(conv_output_length):
    test_windows_that_cannot_be(conv_output_length, expect=expect, length=4, kernel_size=6, settings={'stride': 3})


@test_case(name='A window that fits nowhere: a ValueError. (3 of 3)')
def case_14(conv_output_length):
    test_windows_that_cannot_be(conv_output_length, expect=expect, length=4, kernel_size=2, settings={'dilation': 6, 'padding': 1})
