"""Public checks of "A GPU training loop": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import contextlib
import math
from unittest import mock

import pytest
import torch

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


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_best_device(pick_device, expect, cuda, mps, device):
    """The first that is available of cuda, mps and cpu."""

    best = torch.device("cuda" if cuda else "mps" if mps else "cpu")
    newer = getattr(torch, "accelerator", None)  # PyTorch's own way to ask, of late
    answers = [(torch.cuda, "is_available", cuda), (torch.cuda, "device_count", int(cuda))]
    answers += [(module, "is_available", mps) for module in (torch.mps, torch.backends.mps)]
    answers += [(newer, "is_available", cuda or mps), (newer, "current_accelerator", best if cuda or mps else None)]

    def picked():
        with contextlib.ExitStack() as machine:
            for place, question, answer in answers:
                if hasattr(place, question):
                    machine.enter_context(mock.patch.object(place, question, return_value=answer))
            return pick_device().type

    hint = "The result is a torch.device, not its name; and what counts is what is available, not what is built in."
    expect(picked, shown=f"pick_device().type with cuda {cuda}, mps {mps}").gives(
        device, known=[(AttributeError("'str' object"), hint)], hint=hint
    )


@pytest.mark.parametrize(
    ("images", "logits"), [((5, 3, 32, 24), (5, 10)), ((2, 3, 9, 50), (2, 10)), ((1, 3, 8, 8), (1, 10))]
)
def test_logits_for_each_image(ConvNet, expect, images, logits):
    """Images of any size give one logit per class, and a batch of one stays a batch."""

    def shape():
        return tuple(ConvNet(3, 8, 16, 10)(torch.zeros(images)).shape)

    hint = "Look at the shape with which images reach the linear layer: one row per image, c_y b b numbers in each."
    expect(shape, shown=f"ConvNet(3, 8, 16, 10)(torch.zeros{images}).shape").gives(
        logits, known=[(RuntimeError("cannot be multiplied"), hint)], hint=hint
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [("conv1", (8, 3, 2, 2)), ("conv2", (16, 8, 2, 2)), ("linear", (10, 64))],
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


def test_two_steps_on_paper(train_one_epoch, expect):
    """Two batches of one example each: two plain steps of gradient descent."""

    def weight():
        model = Line(1.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.125)
        train_one_epoch(model, Batches(([[1.0, 0.0]], [3]), ([[1.0, 0.0]], [0])), squared_error, optimizer, CPU)
        return model.w.item()

    # The gradient is 2 x (w x - t): -4 in the first step, which gives w = 1.5, and then 3.
    known = [
        (1.625, "Gradients add up: the second step has used the first batch's gradient once more."),
        (1.0, "The weight has not moved."),
        (1.5, "Only the first batch has moved the weight."),
        (0.75, "Only the last batch has moved the weight."),
    ]
    expect(
        weight, shown="w after one epoch with SGD(lr=0.125) on (w x - t)^2, from w = 1: x 1, t 3; then x 1, t 0"
    ).gives(1.125, known=[*known, *UNCOUNTED])


def test_loss_of_an_epoch(train_one_epoch, expect):
    """Batches of 3 and 2 examples in a loader without length or .dataset: the mean per example, a float."""

    def loss():
        model = Line(1.0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        loader = Batches(([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]], [2, 1, 5]), ([[4.0, 0.0], [5.0, 0.0]], [4, 6]))
        return train_one_epoch(model, loader, squared_error, optimizer, CPU)

    shown = "train_one_epoch on squared errors [1, 1, 4] and [0, 1], learning rate 0"
    expect(loss, shown=shown).gives(1.4, known=[(1.25, RAGGED), (7.0, "This is the sum."), *UNCOUNTED])


def test_mode_while_training(train_one_epoch, expect):
    """A model that comes in evaluation mode is trained in training mode."""

    def modes():
        model = Line(1.0).eval()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        train_one_epoch(model, [(torch.ones(2, 2), torch.ones(2).long())], squared_error, optimizer, CPU)
        return ", ".join("training" if training else "evaluation" for training, _ in model.modes)

    expect(modes, shown="the mode in which a model is asked by train_one_epoch").gives("training")


LOGITS = (
    ([[math.log(3), 0.0], [0.0, math.log(3)], [math.log(3), 0.0]], [0, 1, 0]),  # three right
    ([[math.log(3), 0.0], [0.0, math.log(3)]], [0, 0]),  # one right, one wrong
)


@pytest.mark.parametrize(
    ("which", "value", "known"),
    [
        ("loss", (4 * math.log(4 / 3) + math.log(4)) / 5, [((3 * math.log(4 / 3) + math.log(4)) / 4, RAGGED)]),
        (
            "accuracy",
            0.8,
            [(0.75, RAGGED), (80.0, "A fraction is asked for, not per cent."), (4.0, "This is a number.")],
        ),
    ],
)
def test_measures_on_paper(evaluate, expect, which, value, known):
    """Batches of 3 and 2 examples, of which 3 and 1 are right: loss and accuracy per example, as floats."""

    def measured():
        loss, accuracy = evaluate(Line(1.0), Batches(*LOGITS), torch.nn.functional.cross_entropy, CPU)
        return {"loss": loss, "accuracy": accuracy}[which]

    expect(measured, shown=f"the {which} that evaluate returns on batches of 3 and 2").gives(
        value, known=[*known, *UNCOUNTED]
    )


@pytest.mark.parametrize("training", [True, False])
def test_measuring_does_not_disturb(evaluate, expect, training):
    """Evaluation mode and no gradients meanwhile, and afterwards the mode that the model came in."""

    def states():
        model = Line(1.0).train(training)
        evaluate(model, Batches(*LOGITS), torch.nn.functional.cross_entropy, CPU)
        during = {
            f"{'training' if mode else 'evaluation'}, gradients {'on' if on else 'off'}" for mode, on in model.modes
        }
        after = (
            f"{'training' if model.training else 'evaluation'}, gradients {'on' if torch.is_grad_enabled() else 'off'}"
        )
        return f"{' and '.join(sorted(during))}; then {after}"

    mode = "training" if training else "evaluation"
    hint = "Evaluation mode and gradients are two switches, and both are put back as they were found."
    expect(states, shown=f"a model in {mode} mode during evaluate, and after it").gives(
        f"evaluation, gradients off; then {mode}, gradients on", known=UNCOUNTED, hint=hint
    )


def test_gradients_that_were_off(evaluate, expect):
    """Whoever has switched gradients off finds them off."""

    def state():
        with torch.set_grad_enabled(False):
            evaluate(Line(1.0), Batches(*LOGITS), torch.nn.functional.cross_entropy, CPU)
            return "on" if torch.is_grad_enabled() else "off"

    expect(state, shown="gradients after evaluate, where they were off before").gives("off")


ZEROS = Batches(([0.0, 0.0, 0.0, 0.0], [0, 2, 1, 1]))


def test_record_of_three_epochs(fit, expect):
    """Three lists with one float for each epoch."""

    def record():
        history = fit(Undecided(), ZEROS, ZEROS, epochs=3, learning_rate=0.01, device=CPU)
        lists = {name: history[name] for name in ("train_loss", "val_loss", "val_accuracy")}
        return ", ".join(f"{name}: {sum(isinstance(value, float) for value in lists[name])} floats" for name in lists)

    expect(record, shown="what fit(..., epochs=3) returns").gives(
        "train_loss: 3 floats, val_loss: 3 floats, val_accuracy: 3 floats", known=UNCOUNTED
    )


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        (
            "train_loss",
            math.log(3),
            [(math.log(2 * math.exp(-0.05) + math.exp(0.05)), "train_one_epoch has this number.")],
        ),
        (
            "val_loss",
            math.log(2 * math.exp(-0.05) + math.exp(0.05)) - 0.05,
            [(math.log(3), "Train first, then measure.")],
        ),
        ("val_accuracy", 1.0, [(0.0, "Train first, then measure."), (0.5, "Measure on the validation data.")]),
    ],
)
def test_first_epoch_on_paper(fit, expect, name, value, known):
    """Adam's first step has the length of the learning rate; validation comes after it, on its own data."""

    def first():
        held_out = Batches(([0.0], [1]))
        return fit(Undecided(), ZEROS, held_out, epochs=1, learning_rate=0.05, device=CPU)[name][0]

    hint = "The scores start as 0 0 0, and the step makes them -0.05 0.05 -0.05."
    expect(first, shown=f'fit(..., epochs=1, learning_rate=0.05)["{name}"][0]').gives(value, known=known, hint=hint)


@pytest.mark.parametrize(
    ("settings", "weight", "known"),
    [
        (
            {"weight_decay": 0.1},
            1.998,
            [(1.99, "This is Adam with a penalty in the loss. Decay and gradient are kept apart.")],
        ),
        ({}, 2.0, [(1.9998, "PyTorch's default decay is not 0; fit's is.")]),
    ],
)
def test_decay_on_paper(fit, expect, settings, weight, known):
    """The handout's example: a weight of 2 on which the loss does not depend, after one step."""

    def after():
        model = Undecided()
        fit(model, ZEROS, ZEROS, epochs=1, learning_rate=0.01, **settings, device=CPU)
        return model.spare.item()

    written = "".join(f", {name}={number}" for name, number in settings.items())
    known = [*known, (2.0, "The weight has not moved: does the optimizer know of the decay?")]
    hint = "Think about when the optimizer is made, and which settings it is given."
    expect(after, shown=f"that weight after fit(..., epochs=1, learning_rate=0.01{written})").gives(
        weight, known=known, hint=hint
    )
