"""The master of `training` against loops written out by hand, scikit-learn's metrics and digits, and torch itself."""

import copy
import doctest
import time
import weakref

import numpy as np
import pytest
import torch
import training
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, TensorDataset

CPU = torch.device("cpu")
SIZES = (7, 7, 3)
OPTIMIZERS = {
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1),
}


class Batches:
    """A loader that can be iterated anew, and nothing else."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        yield from self.batches


class CountingWaits(TorchDispatchMode):
    """Counts how often a value is fetched from its device."""

    waits = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.waits += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def batches_of(*sizes, classes=5):
    return [(torch.randn(size, 2, 9, 6), torch.randint(classes, (size,))) for size in sizes]


def network_with_everything():
    """A network that behaves differently in its two modes."""
    return nn.Sequential(
        training.ConvNet(2, 3, 7, 11),
        nn.BatchNorm1d(11),
        nn.LeakyReLU(0.1),
        nn.Dropout(0.3),
        nn.Linear(11, 5),
    )


def train_by_hand(model, batches, optimizer):
    """An epoch in the plainest words, and the loss of every single example."""
    model.train()
    losses = []
    for inputs, targets in batches:
        each = functional.cross_entropy(model(inputs), targets, reduction="none")
        each.mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        losses += each.tolist()
    return losses


def assert_same_state(ours, theirs):
    for (name, mine), (_, other) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(7)


def test_every_example_in_a_docstring_is_true():
    results = doctest.testmod(training)
    assert results.attempted >= 20
    assert results.failed == 0


# pick_device


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_device_picked_is_the_first_one_available(monkeypatch, cuda, mps, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert training.pick_device() == torch.device(device)


# ConvNet


@pytest.mark.parametrize(
    ("channels", "options"),
    [
        ((3, 5, 7, 11), {}),
        ((2, 7, 3, 5), {"kernel_size": 3, "pool1": 5, "pool2": 2}),
        ((1, 2, 3, 4), {"kernel_size": 1, "pool1": 2, "pool2": 3}),
    ],
)
@pytest.mark.parametrize("size", [(13, 8), (3, 5), (40, 40)])
def test_the_network_is_the_lectures(channels, options, size):
    network = training.ConvNet(*channels, **options)
    images = torch.randn(5, channels[0], *size)
    sizes = {"kernel_size": 2, "pool1": 4, "pool2": 2} | options
    signal = images
    for layer, cells in ((network.conv1, sizes["pool1"]), (network.conv2, sizes["pool2"])):
        assert layer.weight.shape[2:] == (sizes["kernel_size"], sizes["kernel_size"])
        signal = functional.conv2d(signal, layer.weight, layer.bias)
        signal = functional.adaptive_avg_pool2d(torch.where(signal < 0, 0.1 * signal, signal), cells)
    expected = torch.einsum("bchw,nchw->bn", signal, network.linear.weight.unflatten(1, signal.shape[1:]))
    torch.testing.assert_close(network(images), expected + network.linear.bias)
    assert network(images).shape == (5, channels[-1])


def test_the_network_has_the_parameters_counted_by_hand():
    network = training.ConvNet(3, 8, 16, 10)
    assert [sum(p.numel() for p in layer.parameters()) for layer in network.children()] == [
        104,
        0,
        528,
        0,
        0,
        650,
    ]
    assert sum(p.numel() for p in network.parameters()) == 1282


# train_one_epoch


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("make_optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_epoch_is_what_a_loop_by_hand_does(make_optimizer, epochs):
    ours, batches = network_with_everything(), batches_of(*SIZES)
    theirs = copy.deepcopy(ours)
    our_optimizer, their_optimizer = make_optimizer(ours.parameters()), make_optimizer(theirs.parameters())
    for epoch in range(epochs):
        torch.manual_seed(epoch)  # the same neurons drop out
        loss = training.train_one_epoch(ours, batches, nn.CrossEntropyLoss(), our_optimizer, CPU)
        torch.manual_seed(epoch)
        assert type(loss) is float
        assert loss == pytest.approx(np.mean(train_by_hand(theirs, batches, their_optimizer)), rel=1e-5)
    assert_same_state(ours, theirs)


def test_an_epoch_sets_training_mode_itself():
    model, batches = network_with_everything(), batches_of(*SIZES)
    optimizer = OPTIMIZERS["momentum"](model.parameters())
    training.train_one_epoch(model.eval(), batches, nn.CrossEntropyLoss(), optimizer, CPU)
    assert model[1].num_batches_tracked == len(SIZES)


def test_an_epoch_waits_for_the_device_once():
    model, batches = network_with_everything(), batches_of(*SIZES)
    with CountingWaits() as counted:
        training.train_one_epoch(
            model, batches, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), CPU
        )
    assert counted.waits == 1


def test_an_epoch_keeps_no_graph():
    class Node(torch.autograd.Function):
        @staticmethod
        def forward(ctx, inputs):
            alive.add(ctx)
            counts.append(len(alive))
            return inputs.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    alive, counts = weakref.WeakSet(), []
    model = nn.Linear(4, 3)
    loader = [(torch.randn(5, 4), torch.randint(3, (5,))) for _ in range(20)]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    training.train_one_epoch(
        model,
        loader,
        lambda outputs, targets: functional.cross_entropy(Node.apply(outputs), targets),
        optimizer,
        CPU,
    )
    assert len(counts) == 20
    assert max(counts) <= 2


# evaluate


@pytest.mark.parametrize("sizes", [(7,), SIZES, (2, 11)])
def test_evaluation_agrees_with_scikit_learns_metrics(sizes):
    model, batches = network_with_everything(), batches_of(*sizes)
    training.train_one_epoch(
        model, batches, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), CPU
    )  # batch norm has something to remember
    loss, accuracy = training.evaluate(model, batches, nn.CrossEntropyLoss(), CPU)
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    with torch.no_grad():
        probabilities = model.eval()(inputs).double().softmax(dim=1).numpy()
    assert (type(loss), type(accuracy)) == (float, float)
    assert loss == pytest.approx(log_loss(targets, probabilities, labels=range(5)), rel=1e-5)
    assert accuracy == accuracy_score(targets, probabilities.argmax(axis=1))


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_evaluation_leaves_everything_as_it_was(mode, gradients):
    model = network_with_everything().train(mode)
    before = copy.deepcopy(model)
    with torch.set_grad_enabled(gradients):
        training.evaluate(model, batches_of(*SIZES), nn.CrossEntropyLoss(), CPU)
        assert torch.is_grad_enabled() == gradients
    assert all(module.training == mode for module in model.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    for name, value in before.state_dict().items():
        assert torch.equal(model.state_dict()[name], value)


def test_evaluation_waits_for_the_device_twice():
    with CountingWaits() as counted:
        training.evaluate(network_with_everything(), batches_of(*SIZES), nn.CrossEntropyLoss(), CPU)
    assert counted.waits == 2


def test_evaluation_builds_no_graph():
    seen = []

    def loss_fn(logits, targets):
        seen.append(logits.requires_grad)
        return functional.cross_entropy(logits, targets)

    training.evaluate(network_with_everything(), batches_of(*SIZES), loss_fn, CPU)
    assert seen == [False] * len(SIZES)


# Loaders


def test_a_loader_needs_no_more_than_to_be_iterable():
    batches, model = batches_of(*SIZES), network_with_everything().eval()
    for loader in (batches, tuple(map(list, batches)), Batches(batches)):
        assert training.evaluate(model, loader, nn.CrossEntropyLoss(), CPU) == training.evaluate(
            model, batches, nn.CrossEntropyLoss(), CPU
        )


def test_examples_that_a_loader_leaves_out_do_not_count():
    inputs, targets = batches_of(17)[0]
    loader = DataLoader(TensorDataset(inputs, targets), batch_size=5, drop_last=True)
    model = network_with_everything().eval()
    whole = [(inputs[:15], targets[:15])]
    assert training.evaluate(model, loader, nn.CrossEntropyLoss(), CPU) == pytest.approx(
        training.evaluate(model, whole, nn.CrossEntropyLoss(), CPU), rel=1e-6
    )


# fit


@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_a_fit_is_what_a_loop_by_hand_does(weight_decay):
    epochs, batches, held_out = 4, batches_of(*SIZES), batches_of(11, 2)
    inputs, targets = (torch.cat(parts) for parts in zip(*held_out, strict=True))
    ours = network_with_everything()
    theirs = copy.deepcopy(ours)
    torch.manual_seed(3)
    history = training.fit(
        ours,
        Batches(batches),
        Batches(held_out),
        epochs=epochs,
        learning_rate=0.02,
        weight_decay=weight_decay,
        device=CPU,
    )
    torch.manual_seed(3)
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=0.02, weight_decay=weight_decay)
    expected = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        expected["train_loss"].append(np.mean(train_by_hand(theirs, batches, optimizer)))
        with torch.no_grad():
            logits = theirs.eval()(inputs)
        expected["val_loss"].append(functional.cross_entropy(logits, targets).item())
        expected["val_accuracy"].append(accuracy_score(targets, logits.argmax(dim=1)))
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-4)
        assert {type(value) for value in history[name]} == {float}
    assert_same_state(ours, theirs)


def test_weight_decay_shrinks_what_no_gradient_reaches():
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    silent = [(torch.zeros(4, 3), torch.tensor([0, 1, 0, 1]))]  # no gradient for the weights
    training.fit(model, silent, silent, epochs=3, learning_rate=0.1, weight_decay=0.5, device=CPU)
    torch.testing.assert_close(model.weight.detach(), before * (1 - 0.1 * 0.5) ** 3)


def test_a_fit_moves_the_model_to_the_device():
    model = training.ConvNet(1, 2, 3, 4)
    history = training.fit(model, [], [], epochs=0, learning_rate=0.1, device=torch.device("meta"))
    assert history == {"train_loss": [], "val_loss": [], "val_accuracy": []}
    assert all(parameter.is_meta for parameter in model.parameters())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and a CUDA build of torch")
def test_a_fit_on_a_gpu_agrees_with_one_on_the_cpu():
    ours, theirs = training.ConvNet(2, 3, 7, 5), training.ConvNet(2, 3, 7, 5)
    theirs.load_state_dict(ours.state_dict())
    batches, held_out = batches_of(*SIZES), batches_of(11, 2)
    settings = {"epochs": 3, "learning_rate": 0.01, "weight_decay": 0.1}
    on_gpu = training.fit(ours, batches, held_out, **settings, device=training.pick_device())
    on_cpu = training.fit(theirs, batches, held_out, **settings, device=CPU)
    assert all(parameter.is_cuda for parameter in ours.parameters())
    assert on_gpu["val_loss"] == pytest.approx(on_cpu["val_loss"], rel=1e-2)  # TF32 has ten bits of precision


# Learning for real: scikit-learn's digits, a fifth of them held out


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return torch.tensor(data.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(data.target)


@pytest.fixture
def one_core():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def accuracy_on_digits(digits, seed, network_options, **settings):
    """Validation accuracy after ten epochs with batches of 32."""
    torch.manual_seed(seed)
    images, labels = digits
    order = torch.randperm(len(images))
    parts = order[:1437], order[1437:]
    train_loader, val_loader = (
        DataLoader(TensorDataset(images[part], labels[part]), batch_size=32, shuffle=True) for part in parts
    )
    network = training.ConvNet(1, 16, 32, 10, **network_options)
    start = time.process_time()
    history = training.fit(network, train_loader, val_loader, epochs=10, **settings, device=CPU)
    assert time.process_time() - start < 10  # seconds on one core
    return history["val_accuracy"][-1]


LECTURES_NETWORK = {}  # kernel 2, pools to 4 × 4 and 2 × 2
LARGER_NETWORK = {"kernel_size": 3, "pool1": 6, "pool2": 2}  # the one of the handout's demonstrations


@pytest.mark.parametrize("seed", range(3))
def test_the_lectures_network_learns_digits(digits, one_core, seed):
    assert accuracy_on_digits(digits, seed, LECTURES_NETWORK, learning_rate=0.02, weight_decay=0.01) >= 0.90


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("network_options", "learning_rate", "enough"),
    [(LECTURES_NETWORK, 0.02, 0.90), (LARGER_NETWORK, 0.01, 0.95)],
    ids=["lecture", "larger"],
)
def test_digits_are_learnt_from_every_start(digits, one_core, seed, network_options, learning_rate, enough):
    settings = {"learning_rate": learning_rate, "weight_decay": 0.01}
    assert accuracy_on_digits(digits, seed, network_options, **settings) >= enough
