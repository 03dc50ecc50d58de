from otter.test_files import test_case

OK_FORMAT = False
name = "Conv2d"

import copy
import linecache
import math
import os
import sys
import textwrap

import numpy as np
import torch


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


SIGNAL = [[1.0, 2.0, 3.0, 4.0, 5.0]]
IMAGE = [[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]  # one channel, 3 x 4
FILTER = [[[[1.0, 2.0], [0.0, -1.0]]]]  # one map, one channel, 2 x 2
BROADCAST = "A bias of shape (2,) meets (2, 2, 2, 3): to which axis does broadcasting put it?"
TWO_MAPS = [[[[1.0, 2.0], [0.0, -1.0]]], [[[0.0, 1.0], [10.0, 0.0]]]]


def answer(layer_class, x, weight, bias=None, dtype=torch.float32, **settings):
    """What a layer with these weights answers."""
    weight = torch.tensor(weight, dtype=dtype)
    channels = weight.shape[1] * settings.get("groups", 1)
    layer = layer_class(channels, len(weight), tuple(weight.shape[2:]), bias=bias is not None, **settings).to(dtype)
    layer.weight.data.copy_(weight)
    if bias is not None:
        layer.bias.data.copy_(torch.tensor(bias, dtype=dtype))
    return layer(torch.tensor(x, dtype=dtype))


ROW = {"grad_output": [[[[1, 10]]]], "x": [[[[1, 2, 3]]]], "weight": [[[[2, -1]]]]}


def test_what_the_layer_learns(Conv2d, expect, settings, weight, bias):
    """Weight and bias have the shapes that the docstring names, and are parameters of the layer."""

    def told():
        layer = Conv2d(6, 4, **settings)
        learned = {id(parameter) for parameter in layer.parameters()}
        told = []
        for name, tensor in (("weight", layer.weight), ("bias", layer.bias)):
            fixed = "" if tensor is None or id(tensor) in learned else " (not among the parameters)"
            told.append(f"{name} {None if tensor is None else tuple(tensor.shape)}{fixed}")
        return ", ".join(told)

    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    hint = "PyTorch finds attributes that are torch.nn.Parameter. With groups a filter reads c_x / groups channels."
    known = [(AttributeError("bias"), "Where there is no bias, the attribute bias is there all the same: it is None.")]
    expect(told, shown=f"weight and bias of Conv2d(6, 4, {written})").gives(
        f"weight {weight}, bias {bias}", known=known, hint=hint
    )


def test_where_training_starts(Conv2d, expect):
    """Initial biases are zero, and initial weights fill the interval that the handout derives."""

    def outside():
        layer = Conv2d(5, 7, (3, 2))
        bound = (6 / (5 * 6 + 7 * 6)) ** 0.5
        size = layer.weight.detach().abs()
        if layer.bias.detach().abs().max() > 0:
            return "a bias that is not zero"
        if size.max() > bound * 1.0001:
            return f"a weight of size {size.max():.3f}, beyond {bound:.3f}"
        # 210 weights: that none of them comes near the bound has a chance of 1 in 10^9.
        return "nothing" if size.max() > 0.9 * bound else f"no weight beyond {size.max():.3f}, of {bound:.3f}"

    hint = "fan_in and fan_out both count the taps of the kernel: see the end of the section on feature maps."
    known = [("a bias that is not zero", "")]
    expect(outside, shown="Conv2d(5, 7, (3, 2)): what is unlike the handout in its initial values?").gives(
        "nothing", known=known, hint=hint
    )


def test_map_on_paper(Conv2d, expect):
    """The picture and the filter that the handout works out."""
    known = [
        ([[[[0, 3, -5], [4, 5, 2]]]], "The filter is turned round. PyTorch's Conv2d is a cross-correlation: no flip.")
    ]
    expect(
        answer, Conv2d, [IMAGE], FILTER, shown="Conv2d(1, 1, 2, bias=False) on a batch of the handout's picture"
    ).gives([[[[4, -1, 1], [2, 6, 5]]]], known=known)


def test_one_image(Conv2d, expect):
    """One image without a batch axis is welcome, too, and its answer has none either."""
    hint = "(C, H, W) goes in and (C', H', W') comes out. A batch of one image is near at hand, and away again."
    known = [(ValueError(""), hint), (IndexError(""), hint), (RuntimeError(""), hint)]
    expect(
        answer, Conv2d, IMAGE, FILTER, shown="Conv2d(1, 1, 2, bias=False) on the handout's picture, (1, 3, 4)"
    ).gives([[[4, -1, 1], [2, 6, 5]]], known=known, hint=hint)


def test_two_maps_and_their_biases(Conv2d, expect):
    """Each feature map has its own bias; a batch of two images goes in."""
    batch = [IMAGE, [[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]]]
    expect(answer, Conv2d, batch, TWO_MAPS, [0.5, -1.0], shown="Conv2d(1, 2, 2) on a batch (2, 1, 3, 4)").gives(
        [
            [[[4.5, -0.5, 1.5], [2.5, 6.5, 5.5]], [[1, 9, 30], [20, 2, 10]]],
            [[[1.5, 0.5, 0.5], [0.5, 0.5, -1.5]], [[-1, -1, -1], [-1, -1, -1]]],
        ],
        known=[(RuntimeError(""), BROADCAST)],
        hint=BROADCAST,
    )


def test_through_all_channels(Conv2d, expect):
    """A window reaches through all channels of an image."""
    x = [[[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]]]
    call = "Conv2d(2, 1, (1, 2), bias=False) with weights [[1, 0]], [[0, 1]] on the channels 1 2 3 and 10 20 30"
    expect(answer, Conv2d, x, [[[[1.0, 0.0]], [[0.0, 1.0]]]], shown=call).gives([[[[21, 32]]]])


def test_steps_and_zeros(Conv2d, expect, settings, y):
    """Strides and padding, of one number or of two: height first."""
    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    expect(
        answer,
        Conv2d,
        [IMAGE],
        FILTER,
        **settings,
        shown=f"Conv2d(1, 1, 2, {written}) on a batch of the handout's picture",
    ).gives(y, hint="Height comes first in a pair, while torch.nn.functional.pad counts from the last axis.")


def test_stretch(Conv2d, expect):
    """Stretch: dilation spreads the taps, and groups are small layers of their own."""
    x = [[[[1.0, 2.0, 3.0, 4.0]], [[10.0, 20.0, 30.0, 50.0]]]]
    weight = [[[[1.0, -1.0]]], [[[2.0, 1.0]]]]
    expect(answer, Conv2d, x, weight, groups=2, dilation=2, shown="Conv2d(2, 2, (1, 2), groups=2, dilation=2)").gives(
        [[[[-2, -2]], [[50, 90]]]]
    )


def test_numbers_of_double_length(Conv2d, expect):
    """A layer in double precision answers in double precision, to the last digits."""

    def error():
        y = answer(Conv2d, [[[[1.0, 1e-9]]]], [[[[1.0, 1.0]]]], dtype=torch.float64)
        return f"{y.dtype}, {y.item() - 1.0:.1e}"

    hint = "A tensor that forward makes has a dtype and a device, too: those of the weight."
    expect(error, shown="Conv2d(1, 1, (1, 2)).double() on [[[[1, 1e-9]]]]: dtype, and what is left beyond 1").gives(
        "torch.float64, 1.0e-09", hint=hint
    )


def test_gradient_finds_its_way(Conv2d, expect):
    """The gradient of the output's sum reaches weight and bias."""

    def gradients():
        layer = Conv2d(1, 1, 2)
        layer(torch.tensor([IMAGE])).sum().backward()
        return [*layer.weight.grad.flatten().tolist(), *layer.bias.grad.tolist()]

    hint = "Does .detach(), .data, .item() or NumPy cut the way from the output back to the parameters?"
    expect(gradients, shown="gradients of Conv2d(1, 1, 2) on the handout's picture: four weights and the bias").gives(
        [7, 8, 7, 6, 6], hint=hint
    )


def test_channels_without_their_group(Conv2d, expect, sizes):
    """Channels that the groups do not divide: a ValueError from the constructor."""
    expect(Conv2d, *sizes, 2, groups=2).raises()


def test_no_image_for_this_layer(Conv2d, expect, shape):
    """An image with another number of channels or of axes: a ValueError from forward."""
    hint = "Broadcasting is glad to take one channel for three, which is worse than an error."
    expect(lambda: Conv2d(3, 2, 2)(torch.zeros(shape)), shown=f"Conv2d(3, 2, 2) on {shape}").raises(hint)


@test_case(name='Weight and bias have the shapes that the docstring names, and are parameters of the layer. (1 of 3)')
def case_1(Conv2d):
    test_what_the_layer_learns(Conv2d, expect=expect, settings={'kernel_size': 2}, weight=(4, 6, 2, 2), bias=(4,))


@test_case(name='Weight and bias have the shapes that the docstring names, and are parameters of the layer. (2 of 3)')
def case_2(Conv2d):
    test_what_the_layer_learns(Conv2d, expect=expect, settings={'kernel_size': (3, 1), 'groups': 2}, weight=(4, 3, 3, 1), bias=(4,))


@test_case(name='Weight and bias have the shapes that the docstring names, and are parameters of the layer. (3 of 3)')
def case_3(Conv2d):
    test_what_the_layer_learns(Conv2d, expect=expect, settings={'kernel_size': 2, 'bias': False}, weight=(4, 6, 2, 2), bias=None)


@test_case(name='Initial biases are zero, and initial weights fill the interval that the handout derives.')
def case_4(Conv2d):
    test_where_training_starts(Conv2d, expect=expect)


@test_case(name='The picture and the filter that the handout works out.')
def case_5(Conv2d):
    test_map_on_paper(Conv2d, expect=expect)


@test_case(name='One image without a batch axis is welcome, too, and its answer has none either.')
def case_6(Conv2d):
    test_one_image(Conv2d, expect=expect)


@test_case(name='Each feature map has its own bias; a batch of two images goes in.')
def case_7(Conv2d):
    test_two_maps_and_their_biases(Conv2d, expect=expect)


@test_case(name='A window reaches through all channels of an image.')
def case_8(Conv2d):
    test_through_all_channels(Conv2d, expect=expect)


@test_case(name='Strides and padding, of one number or of two: height first. (1 of 4)')
def case_9(Conv2d):
    test_steps_and_zeros(Conv2d, expect=expect, settings={'stride': (2, 1)}, y=[[[[4, -1, 1]]]])


@test_case(name='Strides and padding, of one number or of two: height first. (2 of 4)')
def case_10(Conv2d):
    test_steps_and_zeros(Conv2d, expect=expect, settings={'stride': 2}, y=[[[[4, 1]]]])


@test_case(name='Strides and padding, of one number or of two: height first. (3 of 4)')
def case_11(Conv2d):
    test_steps_and_zeros(Conv2d, expect=expect, settings={'padding': (0, 1)}, y=[[[[2, 4, -1, 1, 1], [-2, 2, 6, 5, 1]]]])


@test_case(name='Strides and padding, of one number or of two: height first. (4 of 4)')
def case_12(Conv2d):
    test_steps_and_zeros(Conv2d, expect=expect, settings={'padding': 1, 'stride': 2}, y=[[[[-1, 0, 0], [-2, 6, 1]]]])


@test_case(name='Stretch: dilation spreads the taps, and groups are small layers of their own.')
def case_13(Conv2d):
    test_stretch(Conv2d, expect=expect)


@test_case(name='A layer in double precision answers in double precision, to the last digits.')
def case_14(Conv2d):
    test_numbers_of_double_length(Conv2d, expect=expect)


@test_case(name="The gradient of the output's sum reaches weight and bias.")
def case_15(Conv2d):
    test_gradient_finds_its_way(Conv2d, expect=expect)


@test_case(name='Channels that the groups do not divide: a ValueError from the constructor. (1 of 2)')
def case_16(Conv2d):
    test_channels_without_their_group(Conv2d, expect=expect, sizes=(3, 4))


@test_case(name='Channels that the groups do not divide: a ValueError from the constructor. (2 of 2)')
def case_17(Conv2d):
    test_channels_without_their_group(Conv2d, expect=expect, sizes=(4, 3))


@test_case(name='An image with another number of channels or of axes: a ValueError from forward. (1 of 4)')
def case_18(Conv2d):
    test_no_image_for_this_layer(Conv2d, expect=expect, shape=(2, 1, 5, 5))


@test_case(name='An image with another number of channels or of axes: a ValueError from forward. (2 of 4)')
def case_19(Conv2d):
    test_no_image_for_this_layer(Conv2d, expect=expect, shape=(4, 5, 5))


@test_case(name='An image with another number of channels or of axes: a ValueError from forward. (3 of 4)')
def case_20(Conv2d):
    test_no_image_for_this_layer(Conv2d, expect=expect, shape=(5, 5))


@test_case(name='An image with another number of channels or of axes: a ValueError from forward. (4 of 4)')
def case_21(Conv2d):
    test_no_image_for_this_layer(Conv2d, expect=expect, shape=(1, 1, 3, 5, 5))
