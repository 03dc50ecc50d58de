from otter.test_files import test_case

OK_FORMAT = False
name = "ConvNet"

import contextlib
import copy
import linecache
import math
import os
import sys
import textwrap
from unittest import mock

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


CPU = torch.device("cpu")
LOADER = "All that a loader promises is to give its batches: no length, no .dataset. Count as they come."
UNCOUNTED = [(TypeError("has no len()"), LOADER), (AttributeError("'dataset'"), LOADER)]
RAGGED = "The last batch is smaller: weigh each batch's mean by the number of its examples."


class Batches:
    """A loader that can be iterated anew, and nothing else: it has no length and no .dataset."""

    def __init__(self, *batches):
        self.batches = batches

    def __iter__(self):
        yield from ((torch.tensor(inputs), torch.tensor(targets)) for inputs, targets in self.batches)


class Line(torch.nn.Module):
    """w x, with one weight; it notes in which modes it was asked."""

    def __init__(self, w):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor(w))
        self.modes = []

    def forward(self, x):
        self.modes.append((self.training, torch.is_grad_enabled()))
        return self.w * x


class Undecided(torch.nn.Module):
    """Scores of three classes that do not depend on the input, and a parameter that the loss does not depend on."""

    def __init__(self):
        super().__init__()
        self.scores = torch.nn.Parameter(torch.zeros(3))
        self.spare = torch.nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.scores.expand(len(x), 3) + 0 * self.spare


def squared_error(outputs, targets):
    """The mean over a batch of what lies between the first score and the target, squared."""
    return (outputs[:, 0] - targets).square().mean()


LOGITS = (
    ([[math.log(3), 0.0], [0.0, math.log(3)], [math.log(3), 0.0]], [0, 1, 0]),  # three right
    ([[math.log(3), 0.0], [0.0, math.log(3)]], [0, 0]),  # one right, one wrong
)
ZEROS = Batches(([0.0, 0.0, 0.0, 0.0], [0, 2, 1, 1]))


def test_logits_for_each_image(ConvNet, expect, images, logits):
    """Images of any size give one logit per class, and a batch of one stays a batch."""

    def shape():
        return tuple(ConvNet(3, 8, 16, 10)(torch.zeros(images)).shape)

    hint = "Look at the shape with which images reach the linear layer: one row per image, c_y b b numbers in each."
    expect(shape, shown=f"ConvNet(3, 8, 16, 10)(torch.zeros{images}).shape").gives(
        logits, known=[(RuntimeError("cannot be multiplied"), hint)], hint=hint
    )


def test_three_layers_with_weights(ConvNet, expect, name, shape):
    """The layers conv1, conv2 and linear, with weights of the shapes that the docstring names."""
    known = [((10, 16), "Each of the b x b cells of each channel goes into the linear layer. (The slide slips here.)")]
    expect(
        lambda: tuple(getattr(ConvNet(3, 8, 16, 10), name).weight.shape),
        shown=f"ConvNet(3, 8, 16, 10).{name}.weight.shape",
    ).gives(shape, known=known)


def test_parameters_that_an_optimizer_finds(ConvNet, expect):
    """The weights and biases of its three layers are among the network's parameters."""

    def found():
        network = ConvNet(3, 8, 16, 10)
        learned = {id(parameter) for parameter in network.parameters()}
        layers = {name: getattr(network, name) for name in ("conv1", "conv2", "linear")}
        return ", ".join(name for name, layer in layers.items() if {id(layer.weight), id(layer.bias)} <= learned)

    expect(found, shown="those layers of ConvNet(3, 8, 16, 10) whose weight and bias are in parameters()").gives(
        "conv1, conv2, linear", hint="PyTorch finds layers that are attributes, not those in a plain Python list."
    )


def test_numbers_through_the_network(ConvNet, expect):
    """One image through the smallest network: every step can be followed on paper."""

    def logits():
        network = ConvNet(1, 1, 1, 2, kernel_size=1, pool1=1, pool2=1)
        values = {
            "conv1": ([[[[-4.0]]]], [0.0]),
            "conv2": ([[[[3.0]]]], [1.0]),
            "linear": ([[10.0], [-20.0]], [0.0, 1.0]),
        }
        for name, (weight, bias) in values.items():
            layer = getattr(network, name)
            layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
        return network(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))

    known = [
        ([[7.0, -13.0]], "The slope looks like PyTorch's own default. The lecture's is 0.1."),
        ([[-0.2, 1.4]], "The second slope looks like PyTorch's own default. The lecture's is 0.1."),
        ([[40.0, -79.0]], "conv1 was applied twice. (The slide slips here.)"),
        ([[10.0, -19.0]], "A ReLU has slope 0 for negative numbers; this one leaks."),
    ]
    hint = "conv1 gives -4 -8 -12 -16, the leaky ReLU -0.4 -0.8 -1.2 -1.6, the pool -1, conv2 -2. Go on from there."
    expect(logits, shown="ConvNet(1, 1, 1, 2, 1, 1, 1) with weights -4, 3 and [10, -20] on [[1, 2], [3, 4]]").gives(
        [[-2.0, 5.0]], known=known, hint=hint
    )


@test_case(name='Images of any size give one logit per class, and a batch of one stays a batch. (1 of 3)')
def case_1(ConvNet):
    test_logits_for_each_image(ConvNet, expect=expect, images=(5, 3, 32, 24), logits=(5, 10))


@test_case(name='Images of any size give one logit per class, and a batch of one stays a batch. (2 of 3)')
def case_2(ConvNet):
    test_logits_for_each_image(ConvNet, expect=expect, images=(2, 3, 9, 50), logits=(2, 10))


@test_case(name='Images of any size give one logit per class, and a batch of one stays a batch. (3 of 3)')
def case_3(ConvNet):
    test_logits_for_each_image(ConvNet, expect=expect, images=(1, 3, 8, 8), logits=(1, 10))


@test_case(name='The layers conv1, conv2 and linear, with weights of the shapes that the docstring names. (1 of 3)')
def case_4(ConvNet):
    test_three_layers_with_weights(ConvNet, expect=expect, name='conv1', shape=(8, 3, 2, 2))


@test_case(name='The layers conv1, conv2 and linear, with weights of the shapes that the docstring names. (2 of 3)')
def case_5(ConvNet):
    test_three_layers_with_weights(ConvNet, expect=expect, name='conv2', shape=(16, 8, 2, 2))


@test_case(name='The layers conv1, conv2 and linear, with weights of the shapes that the docstring names. (3 of 3)')
def case_6(ConvNet):
    test_three_layers_with_weights(ConvNet, expect=expect, name='linear', shape=(10, 64))


@test_case(name="The weights and biases of its three layers are among the network's parameters.")
def case_7(ConvNet):
    test_parameters_that_an_optimizer_finds(ConvNet, expect=expect)


@test_case(name='One image through the smallest network: every step can be followed on paper.')
def case_8(ConvNet):
    test_numbers_through_the_network(ConvNet, expect=expect)
