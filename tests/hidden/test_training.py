"""The hidden suite of `training`: probes train and measure small networks, and look at what is left afterwards.

A probe builds its network from torch.nn's own layers, so that no function is judged by another one of the student's.
The last batch is by far the hardest and, where the mean is at stake and there alone, ragged, so that every way to
average shows and costs points once. For the same reason a Loader is a list of batches that also knows its dataset, save
where loaders are at stake. Dropout has p = 1: all or nothing, and no dice.

Most of it computes on the CPU, so that a tensor left behind costs the tests on a GPU and no others. That GPU is a real
one where the machine has one and the instructor asks for it, else a simulated one; probes cannot tell them apart.

Tolerances: an epoch is a handful of steps, and TERMS bounds the products that one output or gradient sums on its way.
Steps carry rounding along, batch norm of few examples magnifies it, and AdamW divides small gradients by themselves;
float32 and float64 still agree twenty times better than asked for. What the misconceptions change is far above that.
"""

import numpy as np
import pytest

from autograder.suite import points

TERMS = 100
CUDA = ("cuda",)  # what is in a machine with an NVIDIA GPU; unless a case says otherwise, there is none

FEATURES, CLASSES = 5, 3
PERCEPTRON = [["Linear", FEATURES, 7], ["Tanh"], ["Linear", 7, CLASSES]]
NORMALISED = [["Linear", FEATURES, 7, False], ["BatchNorm1d", 7], ["Tanh"], ["Linear", 7, CLASSES]]
DROPPED = [["Linear", FEATURES, 7], ["Tanh"], ["Dropout", 1.0], ["Linear", 7, CLASSES]]
MIXED = [["Linear", FEATURES, 7, False], ["BatchNorm1d", 7], ["Tanh"], ["Dropout", 1.0], ["Linear", 7, CLASSES]]
PICTURES = [["Conv2d", 1, 2, 3], ["Tanh"], ["Flatten"], ["Linear", 16, CLASSES]]  # of 6 × 4 pixels
MONOTONE = [["PReLU"]]  # one parameter, and the largest logit is the largest input

SGD = ["SGD", {"lr": 0.2, "momentum": 0.7}]
ADAMW = ["AdamW", {"lr": 0.05, "weight_decay": 0.3}]
CROSS_ENTROPY = ["CrossEntropyLoss", {}]
SMOOTHED = ["CrossEntropyLoss", {"label_smoothing": 0.3}]
MARGIN = ["MultiMarginLoss", {}]

MODES = ["training", "evaluation"]
LOADERS = ["tuple of lists", "iterable without len", "DataLoader", "DataLoader with drop_last"]


def about(call, **settings):
    """What a case says besides its data: settings of the probe, the device, the call as it reads, the tolerance."""
    return {"device": "cpu", **settings, "call": call, "terms": TERMS}


def on_a_gpu(call, **settings):
    """The same in a machine with a GPU, on which the probe computes unless it is told otherwise."""
    return about(f"{call}, on a machine with a GPU", gpus=CUDA, **{"device": "cuda", **settings})


def secret(rng):
    """A seed for initial weights."""
    return int(rng.integers(2**31))


def batches(rng, *sizes, shape=(FEATURES,)):
    """Random batches; the last one has inputs four times as large, and so another mean loss."""
    data = [(rng.normal(size=(size, *shape)), rng.integers(CLASSES, size=size)) for size in sizes]
    data[-1][0][...] *= 4
    return data


def answered(rng, *scores):
    """Batches of logits, of which so many give the right answer: (right, size) for each batch."""
    data = []
    for right, size in scores:
        logits = rng.normal(size=(size, CLASSES))
        answers = logits.argmax(axis=1)
        others = (answers + rng.integers(1, CLASSES, size=size)) % CLASSES
        data.append((logits, np.where(rng.permutation(size) < right, answers, others)))
    return data


# --- pick_device: 5 points ------------------------------------------------------------------------------------------


def kind_of_device(pick_device):
    """Whether a device is picked, and its name without a number."""
    import torch

    device = pick_device()
    return [isinstance(device, torch.device), str(device).partition(":")[0]]


@points(2)
@pytest.mark.parametrize("gpus", [CUDA, ("cuda", "mps")], ids=["alone", "with-mps"])
def test_a_machine_with_cuda(agrees, gpus):
    """pick_device takes "cuda" wherever it is available, and returns a torch.device."""
    agrees(kind_of_device, gpus=gpus, call=f"pick_device() where {' and '.join(gpus)} is available")


@points(2)
def test_a_machine_with_mps(agrees):
    """pick_device takes "mps" where it is available and "cuda" is not, and returns a torch.device."""
    agrees(kind_of_device, gpus=("mps",), call="pick_device() where mps is available, and cuda is not")


@points(1)
def test_a_machine_without_a_gpu(agrees):
    """pick_device takes "cpu" where no GPU is available, whatever PyTorch was built for."""
    agrees(kind_of_device, gpus=(), call="pick_device() where no GPU is available")


# --- ConvNet: 25 points ---------------------------------------------------------------------------------------------


def shapes_of_weights(ConvNet, channels, options):
    """The shapes of the six arrays of a new network."""
    network = ConvNet(*channels, **options)
    layers = (network.conv1, network.conv2, network.linear)
    return [list(array.shape) for layer in layers for array in (layer.weight, layer.bias)]


def network_with_given_weights(
    ConvNet, look, channels, options, weights, images, gradient, *, device, training=True
):  # fmt: skip
    """The logits of a network with given weights; for a gradient of the logits, those of the weights, or a step."""
    import torch

    network = ConvNet(*channels, **options).to(device).train(training)
    layers = (network.conv1, network.conv2, network.linear)
    arrays = [array for layer in layers for array in (layer.weight, layer.bias)]
    with torch.no_grad():
        for array, values in zip(arrays, weights, strict=True):
            array.copy_(torch.from_numpy(values))
    outputs = network(torch.tensor(images, dtype=torch.float32, device=device))
    if look == "logits":
        return outputs
    outputs.backward(torch.tensor(gradient, dtype=torch.float32, device=device))
    if look == "gradients":
        return [array.grad for array in arrays]
    torch.optim.SGD(network.parameters(), lr=0.5).step()
    return arrays


LECTURE = ((3, 5, 7, 11), {})  # kernel 2, pools to 4 × 4 and 2 × 2
NETWORKS = [
    LECTURE,
    ((2, 7, 3, 5), {"kernel_size": 3, "pool1": 5, "pool2": 2}),
    ((5, 2, 7, 3), {"kernel_size": 1, "pool1": 2, "pool2": 3}),
    ((1, 3, 2, 7), {"kernel_size": 3, "pool1": 7, "pool2": 1}),
    ((3, 3, 3, 2), {"pool1": 3, "pool2": 3}),  # channels that would let one layer stand in for another
]


def given(rng, channels, options, batch, height, width):
    """Random weights, images and gradients of the logits.

    The gradient of leaky ReLU jumps at zero, and rounding must not decide on which side a signal falls. So the first
    convolution sums multiples of 1/256, exact in any order, and its biases are odd multiples of 1/512; those of the
    second one, of both signs, are larger than what comes in.
    """
    c_x, c_h, c_y, classes = channels
    k, cells = options.get("kernel_size", 2), options.get("pool2", 2) ** 2
    conv1 = rng.integers(-16, 17, size=(c_h, c_x, k, k)) / 32, rng.integers(-64, 64, size=c_h) / 256 + 1 / 512
    conv2 = rng.normal(size=(c_y, c_h, k, k)) / np.sqrt(4 * c_h * k * k), np.resize([3, -3], c_y) + rng.random(c_y)
    linear = rng.normal(size=(classes, c_y * cells)) / np.sqrt(c_y * cells), rng.normal(size=classes)
    images = rng.integers(-16, 17, size=(batch, c_x, height, width)) / 8
    return [*conv1, *conv2, *linear], images, rng.normal(size=(batch, classes))


def written(channels, options, *images):
    """A network, and the shape of the images that it sees, as a student writes it."""
    settings = [*map(str, channels), *(f"{name}={value}" for name, value in options.items())]
    return f"ConvNet({', '.join(settings)})" + (f" on {images}" if images else "")


each_network = pytest.mark.parametrize(("channels", "options"), NETWORKS, ids=[written(*each) for each in NETWORKS])


@points(4)
@each_network
def test_shapes_of_the_weights(agrees, channels, options):
    """conv1, conv2 and linear have weights and biases of the right shapes, for every choice of sizes."""
    agrees(shapes_of_weights, channels, options, call=written(channels, options))


@points(5)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("batch", [1, 2, 13])
def test_logits_of_the_lectures_network(agrees, rng, batch, mode):
    """The logits of the network with kernel 2 and pools to 4 × 4 and 2 × 2, in either mode."""
    case = (*LECTURE, *given(rng, *LECTURE, batch, 11, 17))
    call = f"{written(*LECTURE, batch, 3, 11, 17)} in {mode} mode"
    agrees(network_with_given_weights, "logits", *case, **about(call, training=mode == "training"))


@points(4)
@each_network
def test_logits_of_other_networks(agrees, rng, channels, options):
    """The logits for other kernels, pools and channels."""
    case = (channels, options, *given(rng, channels, options, 2, 13, 11))
    call = written(channels, options, 2, channels[0], 13, 11)
    agrees(network_with_given_weights, "logits", *case, **about(call))


@points(3)
@pytest.mark.parametrize(("height", "width"), [(19, 7), (5, 31), (2, 3), (8, 8)])
def test_images_of_every_size(agrees, rng, height, width):
    """The network reads images of every size, smaller ones than its first pool included."""
    case = (*LECTURE, *given(rng, *LECTURE, 2, height, width))
    agrees(network_with_given_weights, "logits", *case, **about(written(*LECTURE, 2, 3, height, width)))


@points(4)
@each_network
def test_gradients_of_the_weights(agrees, rng, channels, options):
    """The gradient reaches all six weights and biases, and is right."""
    case = (channels, options, *given(rng, channels, options, 3, 13, 7))
    call = f"the gradients of {written(channels, options, 3, channels[0], 13, 7)}"
    # Terms of a few units may cancel, and their sum is no more exact for being small.
    agrees(network_with_given_weights, "gradients", *case, **about(call, scale=4))


@points(3)
@each_network
def test_an_optimizer_finds_all_parameters(agrees, rng, channels, options):
    """An optimizer that is given network.parameters() trains all six weights and biases."""
    case = (channels, options, *given(rng, channels, options, 3, 13, 7))
    call = f"an SGD step of {written(channels, options, 3, channels[0], 13, 7)}"
    agrees(network_with_given_weights, "step", *case, **about(call))


@points(2)
def test_a_network_on_a_gpu(agrees, rng):
    """The whole network moves to a GPU, and computes there, forwards and backwards."""
    case = (*LECTURE, *given(rng, *LECTURE, 2, 11, 17))
    call = f"the gradients of {written(*LECTURE, 2, 3, 11, 17)}"
    agrees(network_with_given_weights, "gradients", *case, **on_a_gpu(call), scale=4)


# --- train_one_epoch: 30 points -------------------------------------------------------------------------------------


def train(
    train_one_epoch, look, seed, layers, data, optimizer, loss, *, device, epochs=1, training=True, loader="Loader"
):  # fmt: skip
    """Train a network from a given state: the losses of some epochs, parameters and buffers afterwards, or both."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Iterable:
        def __iter__(self):
            yield from batches

    torch.manual_seed(seed)
    model = nn.Sequential(*(getattr(nn, name)(*sizes) for name, *sizes in layers)).to(device).train(training)
    name, settings = optimizer
    optimizer = getattr(torch.optim, name)(model.parameters(), **settings)
    name, settings = loss
    loss_fn = getattr(nn, name)(**settings)
    batches = [(torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data]
    examples = TensorDataset(*(torch.cat(parts) for parts in zip(*batches, strict=True)))
    loader = {
        "Loader": lambda: Loader(batches),
        "tuple of lists": lambda: tuple(map(list, batches)),
        "iterable without len": Iterable,
        "DataLoader": lambda: DataLoader(examples, batch_size=5),
        "DataLoader with drop_last": lambda: DataLoader(examples, batch_size=6, drop_last=True),
    }[loader]()
    losses = [train_one_epoch(model, loader, loss_fn, optimizer, torch.device(device)) for _ in range(epochs)]
    state = [*model.parameters(), *model.buffers()]
    return {"losses": losses, "state": state, "both": [losses, state]}[look]


def events_of_an_epoch(train_one_epoch, seed, data, *, device):
    """The order in which a network sees batches and its optimizer makes steps."""
    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Watched(nn.Linear):
        def forward(self, inputs):
            events.append(f"batch of {len(inputs)}")
            return super().forward(inputs)

    events = []
    torch.manual_seed(seed)
    model = Watched(data[0][0].shape[1], 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.register_step_post_hook(lambda *_: events.append("step"))
    loader = Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
    train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, torch.device(device))
    return events


def memory_grows(train_one_epoch, seed, data, *, device):
    """Whether more and more computation graphs are alive in the course of an epoch."""
    import weakref

    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Node(torch.autograd.Function):
        @staticmethod
        def forward(ctx, inputs):
            alive.add(ctx)  # a context lives as long as the graph that it is a node of
            return inputs.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    class Marked(nn.Linear):
        def forward(self, inputs):
            outputs = Node.apply(super().forward(inputs))
            counts.append(len(alive))
            return outputs

    alive, counts = weakref.WeakSet(), []
    torch.manual_seed(seed)
    model = Marked(data[0][0].shape[1], 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
    train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, torch.device(device))
    return max(counts) > 2  # this batch's graph, and the one before it that a variable still holds


def trains(sizes, *, layers=PERCEPTRON, optimizer=SGD, epochs=1, mode="training"):
    """A call of train as a student reads it."""
    network = ", ".join(name for name, *_ in layers)
    passes = f"{epochs} epochs" if epochs > 1 else "one epoch"
    return f"train_one_epoch on ({network}) in {mode} mode, {optimizer[0]}, batches of {sizes}, {passes}"


@points(5)
@pytest.mark.parametrize(("sizes", "epochs"), [((7,), 1), ((7, 7, 3), 1), ((5, 3, 2), 3), ((11, 2), 2)])
def test_weights_after_steps_of_sgd(agrees, rng, sizes, epochs):
    """The weights after some epochs of stochastic gradient descent with momentum."""
    case = (secret(rng), PERCEPTRON, batches(rng, *sizes), SGD, CROSS_ENTROPY)
    agrees(train, "state", *case, **about(trains(sizes, epochs=epochs), epochs=epochs))


@points(3)
@pytest.mark.parametrize(("sizes", "epochs"), [((7, 3), 1), ((7, 7, 3), 2), ((5, 3, 2), 3)])
def test_weights_after_steps_of_adamw(agrees, rng, sizes, epochs):
    """The weights after some epochs of AdamW with weight decay."""
    case = (secret(rng), PERCEPTRON, batches(rng, *sizes), ADAMW, CROSS_ENTROPY)
    agrees(train, "state", *case, **about(trains(sizes, optimizer=ADAMW, epochs=epochs), epochs=epochs))


@points(3)
@pytest.mark.parametrize("sizes", [(7,), (7, 7, 3), (2, 5, 3, 11)], ids=str)
def test_one_step_per_batch(agrees, rng, sizes):
    """Each batch goes through the network once, and one step of the optimizer follows."""
    call = f"the order of events in train_one_epoch, batches of {sizes}"
    agrees(events_of_an_epoch, secret(rng), batches(rng, *sizes), **about(call))


@points(4)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layers", [NORMALISED, DROPPED, MIXED], ids=["batch-norm", "dropout", "both"])
def test_training_mode(agrees, rng, layers, mode):
    """The network trains in training mode, whatever its mode was: batch norm learns, and dropout is on."""
    case = (secret(rng), layers, batches(rng, 11, 7, 5), SGD, CROSS_ENTROPY)
    call = trains((11, 7, 5), layers=layers, epochs=2, mode=mode)
    agrees(train, "state", *case, **about(call, epochs=2, training=mode == "training"))


@points(4)
@pytest.mark.parametrize(("sizes", "epochs"), [((7,), 1), ((7, 7, 3), 1), ((2, 11), 1), ((5, 3, 2), 3)])
def test_mean_training_loss(agrees, rng, sizes, epochs):
    """The result is the mean loss per example, a Python float; a ragged last batch weighs by its size."""
    case = (secret(rng), PERCEPTRON, batches(rng, *sizes), SGD, CROSS_ENTROPY)
    agrees(train, "losses", *case, **about(trains(sizes, epochs=epochs), epochs=epochs))


@points(3)
@pytest.mark.parametrize("loader", LOADERS)
def test_training_on_every_loader(agrees, rng, loader):
    """A loader is whatever can be iterated anew: without len or dataset, or leaving examples out."""
    case = (secret(rng), PERCEPTRON, batches(rng, 5, 5, 5), SGD, CROSS_ENTROPY)
    settings = about(f"train_one_epoch, loader: {loader}, 2 epochs", epochs=2, loader=loader)
    agrees(train, "losses", *case, **settings)
    agrees(train, "state", *case, **settings)


@points(2)
@pytest.mark.parametrize("loss", [SMOOTHED, MARGIN], ids=["smoothed", "margin"])
def test_training_with_the_given_loss(agrees, rng, loss):
    """The given loss function is the one that is minimised and reported, on pictures too."""
    case = (secret(rng), PICTURES, batches(rng, 5, 5, shape=(1, 6, 4)), SGD, loss)
    settings = about(f"train_one_epoch on pictures, loss_fn: {loss[0]}")
    agrees(train, "losses", *case, **settings)
    agrees(train, "state", *case, **settings)


@points(1)
def test_no_graph_is_kept(agrees, rng):
    """The memory in use does not grow from batch to batch: the running loss is a value without its graph."""
    sizes = (3, 5, 2, 7, 3, 5)
    agrees(memory_grows, secret(rng), batches(rng, *sizes), **about(f"train_one_epoch, batches of {sizes}"))


def memory_of_the_gpu_grows(train_one_epoch, seed, data, *, device):
    """Whether the GPU's memory fills in the course of an epoch: by more than half of its inputs, batch after batch."""
    import gc

    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Watched(nn.Linear):
        def forward(self, inputs):
            gc.collect()
            used.append(torch.cuda.memory_allocated())
            return super().forward(inputs)

    used = []
    torch.manual_seed(seed)
    model = Watched(data[0][0].shape[1], 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
    train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, torch.device(device))
    inputs = 4 * data[0][0].size  # bytes
    return [len(used), used[-1] - used[1] > (len(used) - 2) * inputs / 2]


def waits_for_the_gpu(train_one_epoch, seed, data, *, device):
    """How often per batch a value is fetched from the GPU, for which everything that was ordered must be done."""
    import torch
    from torch import nn
    from torch.utils._python_dispatch import TorchDispatchMode

    class Waits(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            name = func.overloadpacket.__name__
            if args and isinstance(args[0], torch.Tensor):
                away = name == "_to_copy" and torch.device(kwargs.get("device") or device).type == "cpu"
                self.count += args[0].is_cuda and (away or name in ("_local_scalar_dense", "nonzero", "masked_select"))
            return func(*args, **kwargs)

    torch.manual_seed(seed)
    model = nn.Linear(data[0][0].shape[1], 3).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = [(torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data]
    with Waits() as waits:
        train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, torch.device(device))
    return waits.count / len(data)


def at_most_once(waits):
    """A word of advice to those who make a GPU wait more than once per batch."""
    if waits <= 1:
        return None
    return (
        "Right, and slower on a GPU than it need be: several times per batch this waits until the GPU has done all "
        "that was ordered. Look for whatever asks for a value, and keep the sums on the device."
    )


@points(3)
@pytest.mark.parametrize(("layers", "optimizer", "loader"), [(MIXED, SGD, "Loader"), (PERCEPTRON, ADAMW, "DataLoader")])
def test_training_on_a_gpu(agrees, advises, rng, layers, optimizer, loader):
    """Inputs and targets of every batch follow the model to a GPU; the result is a Python float all the same."""
    data = batches(rng, 5, 5, 5)
    call = f"train_one_epoch with {optimizer[0]}, batches of (5, 5, 5), device: cuda"
    case = (secret(rng), layers, data, optimizer, CROSS_ENTROPY)
    agrees(train, "both", *case, **on_a_gpu(call, loader=loader))
    if loader == "Loader":
        advises(waits_for_the_gpu, secret(rng), data, check=at_most_once, **on_a_gpu(call))


@points(1)
def test_training_on_the_callers_device(agrees, rng):
    """The caller names the device: in a machine with a GPU it may be the CPU."""
    case = (secret(rng), PERCEPTRON, batches(rng, 5, 5), SGD, CROSS_ENTROPY)
    agrees(train, "state", *case, **on_a_gpu("train_one_epoch, batches of (5, 5), device: cpu", device="cpu"))


@points(1)
def test_memory_of_the_gpu(agrees, rng):
    """The GPU's memory does not fill from batch to batch."""
    sizes = (7,) * 5
    data = batches(rng, *sizes, shape=(64,))
    agrees(memory_of_the_gpu_grows, secret(rng), data, **on_a_gpu(f"train_one_epoch, batches of {sizes}"))


# --- evaluate: 25 points --------------------------------------------------------------------------------------------


def measure(evaluate, look, seed, layers, data, loss, *, device, training=True, loader="Loader"):
    """The loss or the accuracy of a network in a given state, or both."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Iterable:
        def __iter__(self):
            yield from batches

    torch.manual_seed(seed)
    model = nn.Sequential(*(getattr(nn, name)(*sizes) for name, *sizes in layers)).to(device)
    batches = [(torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data]
    with torch.no_grad():
        model(batches[0][0].to(device))  # in training mode, so that batch norm has something to remember
    model.train(training)
    name, settings = loss
    loss_fn = getattr(nn, name)(**settings)
    examples = TensorDataset(*(torch.cat(parts) for parts in zip(*batches, strict=True)))
    loader = {
        "Loader": lambda: Loader(batches),
        "tuple of lists": lambda: tuple(map(list, batches)),
        "iterable without len": Iterable,
        "DataLoader": lambda: DataLoader(examples, batch_size=5),
        "DataLoader with drop_last": lambda: DataLoader(examples, batch_size=6, drop_last=True),
    }[loader]()
    result = evaluate(model, loader, loss_fn, torch.device(device))
    return result if look == "both" else result[0] if look == "loss" else result[1]


def left_behind(evaluate, look, seed, layers, data, *, device, training=True, gradients=True):
    """What an evaluation leaves: the model's mode, PyTorch's gradient mode, or parameters and buffers."""
    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    torch.manual_seed(seed)
    model = nn.Sequential(*(getattr(nn, name)(*sizes) for name, *sizes in layers)).to(device).train(training)
    loader = Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
    with torch.set_grad_enabled(gradients):
        evaluate(model, loader, nn.CrossEntropyLoss(), torch.device(device))
        gradients = torch.is_grad_enabled()
    return {
        "mode": [module.training for module in model.modules()],
        "gradient mode": gradients,
        "state": [list(model.state_dict().values()), [parameter.requires_grad for parameter in model.parameters()]],
    }[look]


def builds_graphs(evaluate, seed, data, *, device, training):
    """Whether the network is asked anything, and whether PyTorch prepares for a gradient meanwhile."""
    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Watched(nn.Linear):
        def forward(self, inputs):
            outputs = super().forward(inputs)
            prepared.append(outputs.requires_grad)
            return outputs

    prepared = []
    torch.manual_seed(seed)
    model = Watched(data[0][0].shape[1], 3).to(device).train(training)
    loader = Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
    evaluate(model, loader, nn.CrossEntropyLoss(), torch.device(device))
    return [bool(prepared), any(prepared)]


# (right answers, size) of each batch
SCORES = [((3, 7),), ((2, 3),), ((6, 7), (2, 5), (0, 2)), ((1, 7), (3, 3)), ((0, 5), (1, 3)), ((4, 4),)]


@points(4)
@pytest.mark.parametrize("loss", [CROSS_ENTROPY, SMOOTHED, MARGIN], ids=["cross-entropy", "smoothed", "margin"])
@pytest.mark.parametrize("sizes", [(7,), (7, 7, 3), (2, 11)], ids=str)
def test_mean_validation_loss(agrees, rng, sizes, loss):
    """The first result is the mean loss per example, a Python float; a ragged last batch weighs by its size."""
    case = (secret(rng), PERCEPTRON, batches(rng, *sizes), loss)
    agrees(measure, "loss", *case, **about(f"evaluate, loss_fn: {loss[0]}, batches of {sizes}"))


@points(4)
@pytest.mark.parametrize("scores", SCORES, ids=str)
def test_accuracy(agrees, rng, scores):
    """The second result is the accuracy in [0, 1], a Python float: the right answers over all examples."""
    case = (secret(rng), MONOTONE, answered(rng, *scores), CROSS_ENTROPY)
    agrees(measure, "accuracy", *case, **about(f"evaluate, batches of {tuple(size for _, size in scores)}"))


@points(3)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layers", [NORMALISED, DROPPED, MIXED], ids=["batch-norm", "dropout", "both"])
def test_evaluation_mode(agrees, rng, layers, mode):
    """The network is measured in evaluation mode, whatever its mode was: running statistics, no dropout."""
    case = (secret(rng), layers, batches(rng, 7, 7), CROSS_ENTROPY)
    agrees(measure, "loss", *case, **about(f"evaluate, a model in {mode} mode", training=mode == "training"))


@points(2)
@pytest.mark.parametrize("loader", LOADERS)
def test_measuring_on_every_loader(agrees, rng, loader):
    """A loader is whatever can be iterated anew; loss and accuracy come as a pair, on pictures too."""
    case = (secret(rng), PICTURES, batches(rng, 5, 5, 5, shape=(1, 6, 4)), CROSS_ENTROPY)
    agrees(measure, "both", *case, **about(f"evaluate on pictures, loader: {loader}", loader=loader))


@points(3)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layers", [PERCEPTRON, MIXED], ids=["plain", "both"])
def test_the_models_mode_is_left(preserves, rng, layers, mode):
    """A model that came in training mode leaves in training mode, one that came in evaluation mode in that."""
    case = (secret(rng), layers, batches(rng, 5, 2))
    preserves(left_behind, "mode", *case, **about(f"evaluate, a model in {mode} mode", training=mode == "training"))


@points(2)
@pytest.mark.parametrize("switch", ["on", "off"])
def test_the_gradient_mode_is_left(preserves, rng, switch):
    """PyTorch's global gradient mode is afterwards what it was, on or off."""
    case = (secret(rng), PERCEPTRON, batches(rng, 5, 2))
    settings = about(f"evaluate, gradients {switch} before", gradients=switch == "on")
    preserves(left_behind, "gradient mode", *case, **settings)


@points(2)
@pytest.mark.parametrize("mode", MODES)
def test_parameters_and_buffers_are_left(preserves, rng, mode):
    """All parameters and buffers are afterwards what they were, batch norm's statistics too."""
    case = (secret(rng), MIXED, batches(rng, 5, 2))
    preserves(left_behind, "state", *case, **about(f"evaluate, a model in {mode} mode", training=mode == "training"))


@points(2)
@pytest.mark.parametrize("mode", MODES)
def test_gradients_are_off(agrees, rng, mode):
    """While it measures, PyTorch remembers nothing for a gradient."""
    case = (secret(rng), batches(rng, 5, 2))
    agrees(builds_graphs, *case, **about(f"evaluate, a model in {mode} mode", training=mode == "training"))


@points(2)
@pytest.mark.parametrize(("layers", "loader"), [(MIXED, "Loader"), (PERCEPTRON, "DataLoader")])
def test_measuring_on_a_gpu(agrees, rng, layers, loader):
    """Inputs and targets of every batch follow the model to a GPU; the results are Python floats all the same."""
    case = (secret(rng), layers, batches(rng, 5, 5, 5), CROSS_ENTROPY)
    call = "evaluate, batches of (5, 5, 5), device: cuda"
    agrees(measure, "both", *case, **on_a_gpu(call, loader=loader))


@points(1)
def test_measuring_on_the_callers_device(agrees, rng):
    """The caller names the device: in a machine with a GPU it may be the CPU."""
    case = (secret(rng), PERCEPTRON, batches(rng, 5, 5), CROSS_ENTROPY)
    agrees(measure, "both", *case, **on_a_gpu("evaluate, batches of (5, 5), device: cpu", device="cpu"))


# --- fit: 15 points -------------------------------------------------------------------------------------------------


def fitted(fit, look, seed, layers, train_data, val_data, *, device, iterable=False, **settings):
    """The history of a fit from a given state, the weights afterwards, or both and where they are."""
    import torch
    from torch import nn

    class Loader(list):
        dataset = property(lambda self: range(sum(len(targets) for _, targets in self)))

    class Iterable:
        def __init__(self, batches):
            self.batches = batches

        def __iter__(self):
            yield from self.batches

    torch.manual_seed(seed)
    model = nn.Sequential(*(getattr(nn, name)(*sizes) for name, *sizes in layers))  # on the CPU: fit moves it
    loaders = [
        Loader((torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)) for inputs, targets in data)
        for data in (train_data, val_data)
    ]
    if iterable:
        loaders = map(Iterable, loaders)
    history = fit(model, *loaders, **settings, device=torch.device(device))
    history = {name: history[name] for name in ("train_loss", "val_loss", "val_accuracy") if name in history}
    weights = list(model.parameters())
    return {"history": history, "weights": weights, "both": [history, weights, weights[0].device.type]}[look]


def events_of_a_fit(fit, seed, train_data, val_data, *, device, epochs):
    """The order in which the two loaders are iterated; several passes in a row count as one."""
    import torch

    class Watched:
        def __init__(self, name, data):
            self.name, self.data = name, data

        def __iter__(self):
            if events[-1:] != [self.name]:
                events.append(self.name)
            for inputs, targets in self.data:
                yield torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets)

    events = []
    torch.manual_seed(seed)
    model = torch.nn.Linear(train_data[0][0].shape[1], 3)
    loaders = Watched("training", train_data), Watched("validation", val_data)
    fit(model, *loaders, epochs=epochs, learning_rate=0.1, device=torch.device(device))
    return events


def fits(**settings):
    """A call of fit as a student reads it."""
    return f"fit on batches of (7, 5, 2) and (5, 3), {', '.join(f'{name}={value}' for name, value in settings.items())}"


def both_loaders(rng):
    return batches(rng, 7, 5, 2), batches(rng, 5, 3)


@points(3)
@pytest.mark.parametrize("layers", [PERCEPTRON, MIXED], ids=["plain", "both"])
@pytest.mark.parametrize(("epochs", "learning_rate", "iterable"), [(1, 0.1, False), (4, 0.05, True)])
def test_history(agrees, rng, layers, epochs, learning_rate, iterable):
    """The history holds training loss, validation loss and accuracy of every epoch, as lists of Python floats."""
    settings = {"epochs": epochs, "learning_rate": learning_rate}
    case = (secret(rng), layers, *both_loaders(rng))
    agrees(fitted, "history", *case, **about(fits(**settings), **settings, iterable=iterable))


@points(3)
@pytest.mark.parametrize(("epochs", "learning_rate"), [(1, 0.05), (3, 0.05), (5, 0.02)])
def test_weights_after_a_fit(agrees, rng, epochs, learning_rate):
    """The weights after some epochs of AdamW with the given learning rate, by default without weight decay."""
    settings = {"epochs": epochs, "learning_rate": learning_rate}
    case = (secret(rng), PERCEPTRON, *both_loaders(rng))
    agrees(fitted, "weights", *case, **about(fits(**settings), **settings))


@points(4)
@pytest.mark.parametrize("weight_decay", [0.5, 2.0])
def test_weight_decay(agrees, rng, weight_decay):
    """Weight decay is AdamW's: it shrinks the weights by themselves and is no part of the gradient."""
    settings = {"epochs": 3, "learning_rate": 0.05, "weight_decay": weight_decay}
    case = (secret(rng), PERCEPTRON, *both_loaders(rng))
    agrees(fitted, "weights", *case, **about(fits(**settings), **settings))


@points(3)
@pytest.mark.parametrize("epochs", [1, 3])
def test_training_then_validation(agrees, rng, epochs):
    """Each epoch trains on the training loader first, and then evaluates on the validation loader."""
    case = (secret(rng), *both_loaders(rng))
    agrees(events_of_a_fit, *case, **about(f"the order of events in fit, epochs={epochs}", epochs=epochs))


@points(2)
def test_fitting_on_a_gpu(agrees, rng):
    """The model comes on the CPU and is moved to the GPU, where it stays; the history holds Python floats."""
    settings = {"epochs": 2, "learning_rate": 0.05}
    case = (secret(rng), MIXED, *both_loaders(rng))
    agrees(fitted, "both", *case, **on_a_gpu(fits(**settings), **settings))
