from otter.test_files import test_case

OK_FORMAT = False
name = "convolve1d"

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


FLIP = "These are the sums without the flip. Look at the sign in x[n - tau]: one of the two runs backwards in time."
COUNT = "The last output is missing: a filter of k taps fits at T - k + 1 places. (The slide says T - k, and slips.)"


def weight_per_sample(signal):
    """A perceptron's way: every sample has a weight of its own."""
    return np.asarray(signal) * (np.arange(len(signal)) + 1)


def differences(signal):
    """A small convolution: each sample minus the one before it."""
    return np.asarray(signal)[1:] - np.asarray(signal)[:-1]


def test_the_numbers_of_the_lecture(convolve1d, expect, mode, y, known):
    """The lecture's signal and filter, in each mode."""
    expect(convolve1d, [1, 2, 3, 4, 5], [1, 2], mode).gives(y, known=known)


def test_three_taps_by_hand(convolve1d, expect, mode, y):
    """The example that the handout works out: a filter of three taps, all different."""
    expect(convolve1d, [3, 1, 4, 1], [1, 0, 2], mode).gives(
        y, hint="Work out one output on paper, as the handout does."
    )


def test_valid_unless_told_otherwise(convolve1d, expect):
    """Without a mode the outputs are the "valid" ones."""
    expect(convolve1d, [3, 1, 4, 1], [1, 0, 2]).gives([10, 3])


def test_whole_numbers_under_fractions(convolve1d, expect, x, g):
    """Lists, tuples and arrays, whole numbers and fractions: all of them are signals."""
    cut = "An array of integers cuts fractions off: mind the dtype."
    expect(convolve1d, x, g).gives([1.25, 2.0], known=[([1, 2], cut), ([0, 0], cut)])


def test_arrays_of_the_caller(convolve1d, expect):
    """The signal and the filter are left as they were."""
    expect(convolve1d, np.array([2.0, -1.0, 0.5]), np.array([1.0, 3.0]), "same").gives([2.0, 5.0, -2.5])


def test_one_sample(convolve1d, expect, mode):
    """One sample under one tap is one product, in each mode."""
    expect(convolve1d, [7], [2], mode).gives([14])


def test_longer_filter(convolve1d, expect):
    """In "full" mode the filter may be longer than the signal."""
    hint = 'A filter that is too long is an error in "valid" and "same" only.'
    expect(convolve1d, [1, 2], [1, 10, 100], "full").gives([1, 12, 120, 200], hint=hint)


def test_no_signal_or_no_mode(convolve1d, expect, x, g, mode):
    """Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError."""
    expect(convolve1d, x, g, mode).raises(hint="The docstring names every case in which to raise one.")


@test_case(name="The lecture's signal and filter, in each mode. (1 of 3)")
def case_1(convolve1d):
    test_the_numbers_of_the_lecture(convolve1d, expect=expect, mode='full', y=[1, 4, 7, 10, 13, 10], known=[([2, 5, 8, 11, 14, 5], FLIP)])


@test_case(name="The lecture's signal and filter, in each mode. (2 of 3)")
def case_2(convolve1d):
    test_the_numbers_of_the_lecture(convolve1d, expect=expect, mode='valid', y=[4, 7, 10, 13], known=[([5, 8, 11, 14], FLIP), ([4, 7, 10], COUNT), ([4, 5, 10, 13], "The 5 is a slip of the slide's later frames: do that window by hand.")])


@test_case(name="The lecture's signal and filter, in each mode. (3 of 3)")
def case_3(convolve1d):
    test_the_numbers_of_the_lecture(convolve1d, expect=expect, mode='same', y=[1, 4, 7, 10, 13], known=[([2, 5, 8, 11, 14], FLIP), ([4, 7, 10, 13, 10], 'With an even filter "same" could start in two places: (k - 1) // 2 is the one.'), ([1, 4, 7, 10, 13, 10], 'One output too many: with an even filter the two ends cannot be treated alike.')])


@test_case(name='The example that the handout works out: a filter of three taps, all different. (1 of 3)')
def case_4(convolve1d):
    test_three_taps_by_hand(convolve1d, expect=expect, mode='full', y=[3, 1, 10, 3, 8, 2])


@test_case(name='The example that the handout works out: a filter of three taps, all different. (2 of 3)')
def case_5(convolve1d):
    test_three_taps_by_hand(convolve1d, expect=expect, mode='valid', y=[10, 3])


@test_case(name='The example that the handout works out: a filter of three taps, all different. (3 of 3)')
def case_6(convolve1d):
    test_three_taps_by_hand(convolve1d, expect=expect, mode='same', y=[1, 10, 3, 8])


@test_case(name='Without a mode the outputs are the "valid" ones.')
def case_7(convolve1d):
    test_valid_unless_told_otherwise(convolve1d, expect=expect)


@test_case(name='Lists, tuples and arrays, whole numbers and fractions: all of them are signals. (1 of 3)')
def case_8(convolve1d):
    test_whole_numbers_under_fractions(convolve1d, expect=expect, x=[1, 2, 3], g=[0.5, 0.25])


@test_case(name='Lists, tuples and arrays, whole numbers and fractions: all of them are signals. (2 of 3)')
def case_9(convolve1d):
    test_whole_numbers_under_fractions(convolve1d, expect=expect, x=(1, 2, 3), g=(0.5, 0.25))


@test_case(name='Lists, tuples and arrays, whole numbers and fractions: all of them are signals. (3 of 3)')
def case_10(convolve1d):
    test_whole_numbers_under_fractions(convolve1d, expect=expect, x=np.array([1, 2, 3]), g=np.array([0.5, 0.25]))


@test_case(name='The signal and the filter are left as they were.')
def case_11(convolve1d):
    test_arrays_of_the_caller(convolve1d, expect=expect)


@test_case(name='One sample under one tap is one product, in each mode. (1 of 3)')
def case_12(convolve1d):
    test_one_sample(convolve1d, expect=expect, mode='full')


@test_case(name='One sample under one tap is one product, in each mode. (2 of 3)')
def case_13(convolve1d):
    test_one_sample(convolve1d, expect=expect, mode='valid')


@test_case(name='One sample under one tap is one product, in each mode. (3 of 3)')
def case_14(convolve1d):
    test_one_sample(convolve1d, expect=expect, mode='same')


@test_case(name='In "full" mode the filter may be longer than the signal.')
def case_15(convolve1d):
    test_longer_filter(convolve1d, expect=expect)


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (1 of 6)')
def case_16(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[], g=[1], mode='full')


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (2 of 6)')
def case_17(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[1, 2], g=[], mode='valid')


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (3 of 6)')
def case_18(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[[1, 2], [3, 4]], g=[1], mode='valid')


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (4 of 6)')
def case_19(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[1, 2], g=[1, 2, 3], mode='valid')


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (5 of 6)')
def case_20(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[1, 2], g=[1, 2, 3], mode='same')


@test_case(name='Nothing to convolve, a filter that does not fit, a mode that does not exist: a ValueError. (6 of 6)')
def case_21(convolve1d):
    test_no_signal_or_no_mode(convolve1d, expect=expect, x=[1, 2, 3], g=[1, 2], mode='Valid')
