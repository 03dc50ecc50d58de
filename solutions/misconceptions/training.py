"""Wrong training loops that students write, each with a hint.

Sources: the lecture's slides where they slip, and what public forums and issue trackers of PyTorch show again and again.
"""

import torch
from torch import nn
from torch.nn import functional
from training import evaluate, train_one_epoch

# --- pick_device ----------------------------------------------------------------------------------------------


def mps_ignored():
    """replaces: pick_device

    On a Mac with Apple silicon this computes on the CPU. Between CUDA and the CPU there is a third name
    in the list.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def cuda_ignored():
    """replaces: pick_device

    On a machine with an NVIDIA GPU this computes on the CPU. Ask for the devices in the order of the
    list, fastest first.
    """
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def mps_preferred():
    """replaces: pick_device

    Where both kinds of GPU are reported, the order decides. Read once more which of them comes first.
    """
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name():
    """replaces: pick_device

    This returns the name of a device, and a device itself is asked for: an object that has a type and an
    index. PyTorch makes the one from the other.
    """
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def always_cuda():
    """replaces: pick_device

    It worked on Colab, where there is a GPU. On a machine without one every later step fails: ask first,
    and have an answer for machines of all kinds.
    """
    return torch.device("cuda")


def always_cpu():
    """replaces: pick_device

    The CPU is always there, and nearly always the slowest choice. It comes last, after asking for the two
    kinds of GPU.
    """
    return torch.device("cpu")


def built_is_not_available():
    """replaces: pick_device

    This asks what PyTorch was built for. A build that knows a GPU may well run on a machine that has
    none; ask whether it is available.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_built() else "cpu")


# --- ConvNet --------------------------------------------------------------------------------------------------


class _Network(nn.Module):
    """The right network in small steps, so that a misconception replaces just one of them."""

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_channels, kernel_size)
        self.conv2 = nn.Conv2d(hidden_channels, out_channels, kernel_size)
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)
        self.cells = pool1, pool2

    def forward(self, images):
        hidden = self.pool(self.activate(self.first(images)), self.cells[0])
        features = self.pool(self.activate(self.second(hidden)), self.cells[1])
        return self.linear(features.flatten(start_dim=1))

    def first(self, images):
        return self.conv1(images)

    def second(self, hidden):
        return self.conv2(hidden)

    def activate(self, signals):
        return functional.leaky_relu(signals, 0.1)

    def pool(self, signals, size):
        return functional.adaptive_avg_pool2d(signals, size)


class ConvOneTwice(_Network):
    """replaces: ConvNet

    The slide with this network slips here, and so it is easily copied: its forward pass sends the signal
    through the first convolution twice. The second convolution has weights of its own; as it stands,
    nothing ever uses them.
    """

    def second(self, hidden):
        return self.conv1(hidden)


class LinearWithOneSize(_Network):
    """replaces: ConvNet

    The slide gives the linear layer only its input size, and here that one size serves for both sides. As many
    numbers come out as go in, where one logit per class is asked for.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, pool1, pool2)
        self.linear = nn.Linear(out_channels * pool2 * pool2, out_channels * pool2 * pool2)


class LinearForgetsTheCells(_Network):
    """replaces: ConvNet

    After the last pool every channel still has several cells, and flattening lines all of them up. The
    linear layer reads more numbers per image than there are channels.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, pool1, pool2)
        self.linear = nn.Linear(out_channels, num_classes)


class LinearForgetsOneSide(_Network):
    """replaces: ConvNet

    The last pool leaves a square of cells in every channel, rows and columns. The linear layer counts one
    side of it only.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, pool1, pool2)
        self.linear = nn.Linear(out_channels * pool2, num_classes)


class PlainRelu(_Network):
    """replaces: ConvNet

    Negative signals vanish altogether here, and with them the gradient: neurons can die. The lecture's
    network lets a tenth of them through.
    """

    def activate(self, signals):
        return functional.relu(signals)


class SlopeOfPytorch(_Network):
    """replaces: ConvNet

    This leaky ReLU leaks less than the lecture's: PyTorch takes another slope for negative signals unless
    it is told. The lecture lets a tenth of them through.
    """

    def activate(self, signals):
        return functional.leaky_relu(signals)


class MaxPool(_Network):
    """replaces: ConvNet

    Each cell keeps the largest value of its region here. The network asks for the average of the region.
    """

    def pool(self, signals, size):
        return functional.adaptive_max_pool2d(signals, size)


class PoolsSwapped(_Network):
    """replaces: ConvNet

    The two pool sizes have changed places. The first belongs to the first convolution, and it is the
    second one that the linear layer sees.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, pool2, pool1)


class PoolBeforeActivation(_Network):
    """replaces: ConvNet

    Here the average is taken first and the activation sees only averages. A leaky ReLU of a mean is not
    the mean of leaky ReLUs; compare the order of the steps with the table.
    """

    def activate(self, signals):
        return signals

    def pool(self, signals, size):
        return functional.leaky_relu(functional.adaptive_avg_pool2d(signals, size), 0.1)


class ActivationOnce(_Network):
    """replaces: ConvNet

    One of the two convolutions is followed by an activation, the other is not. Without it a convolution
    and the linear layer behind it are one linear map, and the depth is lost.
    """

    def forward(self, images):
        hidden = self.pool(self.activate(self.conv1(images)), self.cells[0])
        features = self.pool(self.conv2(hidden), self.cells[1])
        return self.linear(features.flatten(start_dim=1))


class SoftmaxAtTheEnd(_Network):
    """replaces: ConvNet

    Probabilities leave this network, and logits are asked for. The cross-entropy loss applies a softmax
    itself, and two of them in a row blunt every gradient.
    """

    def forward(self, images):
        return super().forward(images).softmax(dim=1)


class FlattensTheBatch(_Network):
    """replaces: ConvNet

    The batch axis is flattened away with the others, so that all images become one long vector. Each
    image should become a vector of its own.
    """

    def forward(self, images):
        hidden = self.pool(self.activate(self.conv1(images)), self.cells[0])
        features = self.pool(self.activate(self.conv2(hidden)), self.cells[1])
        return self.linear(features.flatten())


class SqueezesTheBatch(_Network):
    """replaces: ConvNet

    A batch of one image loses its batch axis on the way. Logits come as one row per image, for a single
    image too.
    """

    def forward(self, images):
        return super().forward(images).squeeze(0)


class UnregisteredWeights(nn.Module):
    """replaces: ConvNet

    The layers stand in a plain Python list, where PyTorch does not look for them: the network seems to
    have no parameters, and no optimizer can train what it cannot see. Layers want to be attributes of
    their own, or to stand in one of PyTorch's own containers.
    """

    def __init__(self, *sizes, **options):
        super().__init__()
        network = _Network(*sizes, **options)
        self.layers = [network.conv1, network.conv2, network.linear]
        self.network = [network]

    conv1 = property(lambda self: self.layers[0])
    conv2 = property(lambda self: self.layers[1])
    linear = property(lambda self: self.layers[2])

    def forward(self, images):
        return self.network[0](images)


class KernelSizeIgnored(_Network):
    """replaces: ConvNet

    The filters have the lecture's size whatever the caller asks for. There is an argument for it, and
    both convolutions follow it.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, 2, pool1, pool2)


class PoolSizesIgnored(_Network):
    """replaces: ConvNet

    The pools have the lecture's sizes whatever the caller asks for. There are two arguments for them.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, 4, 2)


class PaddedConvolutions(_Network):
    """replaces: ConvNet

    These convolutions pad the image with a rim of zeros. The lecture's network has none of it: its
    convolutions are valid ones.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__(in_channels, hidden_channels, out_channels, num_classes, kernel_size, pool1, pool2)
        self.conv1.padding = self.conv2.padding = (1, 1)


# --- train_one_epoch ------------------------------------------------------------------------------------------


def no_zero_grad(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    A backward pass adds to the gradients that are there already, so that here every step follows the sum
    of all gradients so far. Each batch should start with a clean slate.
    """
    model.train()
    total, examples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        examples += len(targets)
    return total / examples


def zero_grad_once(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The gradients are cleared once per epoch, and from then on every batch adds to those of the batches
    before it. How often does the slate have to be clean?
    """
    optimizer.zero_grad()
    return no_zero_grad(model, loader, loss_fn, optimizer, device)


def zero_grad_before_step(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The gradients are cleared after they have been computed and before the optimizer has seen them, so
    that it never has anything to follow. There are two good places for it, and this one is between them.
    """
    model.train()
    total, examples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        total += loss.item() * len(targets)
        examples += len(targets)
    return total / examples


def no_step(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The gradients are computed, and nobody follows them: after the epoch all weights are what they were.
    Who changes the weights?
    """
    model.train()
    total, examples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        total += loss.item() * len(targets)
        examples += len(targets)
    return total / examples


def one_step_per_epoch(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The gradients of all batches are summed up and followed by a single step. Stochastic gradient descent
    makes a step for every mini-batch.
    """
    model.train()
    total, examples = 0.0, 0
    optimizer.zero_grad()
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        total += loss.item() * len(targets)
        examples += len(targets)
    optimizer.step()
    return total / examples


def _train(model, loader, loss_fn, optimizer, device):
    """Right but for the mode: the loss and the size of every batch, after its step."""
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item(), len(targets)


def _mean(batches):
    losses, sizes = zip(*batches, strict=True)
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes)


def training_mode_forgotten(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    This trains in whatever mode the model happens to be, which after an evaluation may be the wrong one.
    Batch norm and dropout do what their mode says; a function that trains should see to its own mode.
    """
    return _mean(_train(model, loader, loss_fn, optimizer, device))


def trains_in_evaluation_mode(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The network trains in evaluation mode here, so that dropout is off and batch norm learns no
    statistics. Which of the two modes belongs to training?
    """
    model.eval()
    return _mean(_train(model, loader, loss_fn, optimizer, device))


def mean_of_batch_losses(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    Every batch counts the same here, the small last one as much as a full one. The mean per example lets
    a batch weigh by its size.
    """
    model.train()
    losses = [loss for loss, _ in _train(model, loader, loss_fn, optimizer, device)]
    return sum(losses) / len(losses)


def sum_of_batch_losses(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The losses of the batches are summed up, so that the result grows with the number of batches. A mean
    per example is asked for.
    """
    model.train()
    return sum(loss for loss, _ in _train(model, loader, loss_fn, optimizer, device))


def loss_of_the_last_batch(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    What is returned is the loss of the last batch alone. The epoch had more of them, and the mean is over
    all examples.
    """
    model.train()
    *_, (loss, _) = _train(model, loader, loss_fn, optimizer, device)
    return loss


def batches_as_large_as_the_first(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The sum of losses is scaled as if every batch had the size of the first one. The last one is often
    smaller, and it is each batch's own size that counts.
    """
    model.train()
    losses, sizes = zip(*_train(model, loader, loss_fn, optimizer, device), strict=True)
    return sum(losses) * sizes[0] / sum(sizes)


def graph_in_the_running_loss(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The running loss is right, and it drags along the computation graph of every batch of the epoch:
    memory grows until a long run dies of it. Keep the value of a loss, and let go of its history.
    """
    model.train()
    total, examples = 0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = total + loss * len(targets)
        examples += len(targets)
    return (total / examples).item()


def tensor_for_a_loss(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The result is a tensor with a single element, and a Python float is asked for. A tensor stays on its
    device and cannot simply be plotted or written into a file.
    """
    model.train()
    return torch.tensor(_mean(_train(model, loader, loss_fn, optimizer, device)), device=device)


def length_of_the_dataset(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    This asks the loader for its dataset. A plain list of batches has none, and a loader that leaves out
    the ragged last batch has seen fewer examples than its dataset holds; count what really comes.
    """
    model.train()
    total = sum(loss * size for loss, size in _train(model, loader, loss_fn, optimizer, device))
    return total / len(loader.dataset)


def length_of_the_loader(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    This divides by the number of batches that the loader announces. Batches differ in size, and some
    loaders announce nothing.
    """
    model.train()
    return sum(loss for loss, _ in _train(model, loader, loss_fn, optimizer, device)) / len(loader)


def loss_after_the_step(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    Each batch goes through the network twice, and the loss reported is that of a batch on which the
    network has just been trained. The loss is measured before the step, and one pass through the network
    is enough for it.
    """
    model.train()
    total, examples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        loss_fn(model(inputs), targets).backward()
        optimizer.step()
        with torch.no_grad():
            total += loss_fn(model(inputs), targets).item() * len(targets)
        examples += len(targets)
    return total / examples


def gradients_clipped(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    Large gradients are cut down before the step. That is a habit from other networks; here the optimizer
    is to see the gradients as they are.
    """
    model.train()
    total, examples = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        total += loss.item() * len(targets)
        examples += len(targets)
    return total / examples


def own_optimizer(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    A new optimizer is made in every epoch, so that the one that was given, with its settings and its
    memory of past gradients, is never used. The caller decides how the network is trained.
    """
    model.train()
    return _mean(_train(model, loader, loss_fn, torch.optim.Adam(model.parameters()), device))


def own_loss(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The loss that is used here is always the plain cross-entropy, whatever loss function the caller gives.
    There is an argument for it.
    """
    model.train()
    return _mean(_train(model, loader, nn.CrossEntropyLoss(), optimizer, device))


def softmax_before_the_loss(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The output of the network goes through a softmax on its way to the loss. The cross-entropy loss
    applies one itself, and two of them in a row blunt every gradient.
    """
    model.train()
    return _mean(
        _train(model, loader, lambda outputs, targets: loss_fn(outputs.softmax(1), targets), optimizer, device)
    )


def pictures_flattened(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    Every input is flattened to one vector per example before the network sees it. That suits a
    perceptron; a convolutional network wants its pictures as they are, and flattens where it needs to.
    """
    model.train()
    flat = ((inputs.flatten(1), targets) for inputs, targets in loader)
    return _mean(_train(model, flat, loss_fn, optimizer, device))


# --- evaluate -------------------------------------------------------------------------------------------------


def _measured(model, loader, loss_fn, device):
    """Loss, number of right answers and size of every batch."""
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        logits = model(inputs)
        yield loss_fn(logits, targets).item(), (logits.argmax(1) == targets).sum().item(), len(targets)


def _evaluated(model, loader, loss_fn, device):
    """Right but for the two modes."""
    losses, right, sizes = zip(*_measured(model, loader, loss_fn, device), strict=True)
    examples = sum(sizes)
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / examples, sum(right) / examples


class _Evaluation:
    """Evaluation mode, and the model's own mode afterwards."""

    def __init__(self, model):
        self.model, self.training = model, model.training

    def __enter__(self):
        self.model.eval()

    def __exit__(self, *_):
        self.model.train(self.training)


def evaluation_mode_forgotten(model, loader, loss_fn, device):
    """replaces: evaluate

    The network is measured in the mode in which it comes. In training mode dropout spoils its answers,
    and batch norm takes the statistics of the very batch that is measured, and even learns them.
    """
    with torch.no_grad():
        return _evaluated(model, loader, loss_fn, device)


def left_in_evaluation_mode(model, loader, loss_fn, device):
    """replaces: evaluate

    The model stays in evaluation mode when the measurement is over. Whoever was training it goes on
    without dropout and without learning batch statistics; leave the mode as you found it.
    """
    model.eval()
    with torch.no_grad():
        return _evaluated(model, loader, loss_fn, device)


def left_in_training_mode(model, loader, loss_fn, device):
    """replaces: evaluate

    Afterwards the model is in training mode, whatever it was before. A model that came in evaluation mode
    should leave in it; remember what you found.
    """
    model.eval()
    with torch.no_grad():
        result = _evaluated(model, loader, loss_fn, device)
    model.train()
    return result


def gradients_left_off(model, loader, loss_fn, device):
    """replaces: evaluate

    The global switch for gradients stays off afterwards, and the next training step of whoever called
    fails. Leave it as you found it.
    """
    with _Evaluation(model):
        torch.set_grad_enabled(False)
        return _evaluated(model, loader, loss_fn, device)


def gradients_switched_on(model, loader, loss_fn, device):
    """replaces: evaluate

    The global switch for gradients is on afterwards, even where the caller had switched it off. Leave it
    as you found it.
    """
    with _Evaluation(model):
        torch.set_grad_enabled(False)
        result = _evaluated(model, loader, loss_fn, device)
    torch.set_grad_enabled(True)
    return result


def measured_with_gradients(model, loader, loss_fn, device):
    """replaces: evaluate

    PyTorch notes down every step for a backward pass that never comes, which costs time and memory.
    Evaluation mode does not stop it: that is another switch.
    """
    with _Evaluation(model):
        return _evaluated(model, loader, loss_fn, device)


def mean_of_validation_batches(model, loader, loss_fn, device):
    """replaces: evaluate

    In the loss every batch counts the same here, the small last one as much as a full one. The mean per
    example lets a batch weigh by its size.
    """
    with _Evaluation(model), torch.no_grad():
        losses, right, sizes = zip(*_measured(model, loader, loss_fn, device), strict=True)
    return sum(losses) / len(losses), sum(right) / sum(sizes)


def sum_of_validation_losses(model, loader, loss_fn, device):
    """replaces: evaluate

    The losses of the batches are summed up and never divided, so that the result grows with the number of
    batches. A mean per example is asked for.
    """
    with _Evaluation(model), torch.no_grad():
        losses, right, sizes = zip(*_measured(model, loader, loss_fn, device), strict=True)
    return sum(losses), sum(right) / sum(sizes)


def accuracy_per_batch(model, loader, loss_fn, device):
    """replaces: evaluate

    The accuracy is computed batch by batch and then averaged, so that an example of the small last batch
    counts more than others. Count the right answers of all examples first.
    """
    with _Evaluation(model), torch.no_grad():
        batches = list(_measured(model, loader, loss_fn, device))
    examples = sum(size for _, _, size in batches)
    loss = sum(loss * size for loss, _, size in batches) / examples
    return loss, sum(right / size for _, right, size in batches) / len(batches)


def everything_per_batch(model, loader, loss_fn, device):
    """replaces: evaluate

    Loss and accuracy are computed batch by batch and then averaged, so that an example of the small last
    batch counts more than others. Both are means over examples.
    """
    with _Evaluation(model), torch.no_grad():
        batches = list(_measured(model, loader, loss_fn, device))
    return tuple(
        sum(parts) / len(batches)
        for parts in zip(*((loss, right / size) for loss, right, size in batches), strict=True)
    )


def answers_across_the_batch(model, loader, loss_fn, device):
    """replaces: evaluate

    The largest logit is looked for along the batch: which example likes a class best, rather than which
    class an example likes best. The logits have an axis for examples and one for classes.
    """
    total, right, examples = 0.0, 0, 0
    with _Evaluation(model), torch.no_grad():
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            logits = model(inputs)
            total += loss_fn(logits, targets).item() * len(targets)
            right += (logits.argmax(0) == targets).sum().item()
            examples += len(targets)
    return total / examples, right / examples


def accuracy_in_percent(model, loader, loss_fn, device):
    """replaces: evaluate

    The accuracy comes in percent, and a fraction between 0 and 1 is asked for. What should a network that
    is always right get?
    """
    with _Evaluation(model), torch.no_grad():
        loss, accuracy = _evaluated(model, loader, loss_fn, device)
    return loss, 100 * accuracy


def number_of_right_answers(model, loader, loss_fn, device):
    """replaces: evaluate

    The right answers are counted here. The accuracy is the fraction of them among all examples, and does
    not grow with the validation set.
    """
    with _Evaluation(model), torch.no_grad():
        losses, right, sizes = zip(*_measured(model, loader, loss_fn, device), strict=True)
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / sum(sizes), float(sum(right))


def error_rate(model, loader, loss_fn, device):
    """replaces: evaluate

    What is returned is the fraction of wrong answers. The accuracy is that of the right ones: a network
    that is always right should get 1.
    """
    with _Evaluation(model), torch.no_grad():
        loss, accuracy = _evaluated(model, loader, loss_fn, device)
    return loss, 1 - accuracy


def accuracy_first(model, loader, loss_fn, device):
    """replaces: evaluate

    The two results have changed places. Read once more which of them comes first.
    """
    with _Evaluation(model), torch.no_grad():
        loss, accuracy = _evaluated(model, loader, loss_fn, device)
    return accuracy, loss


def last_batch_only(model, loader, loss_fn, device):
    """replaces: evaluate

    Both results are those of the last batch alone: each batch overwrites what the batch before it had
    found. Sum up over all batches, then divide.
    """
    with _Evaluation(model), torch.no_grad():
        *_, (loss, right, size) = _measured(model, loader, loss_fn, device)
    return loss, right / size


def tensors_for_floats(model, loader, loss_fn, device):
    """replaces: evaluate

    A result is a tensor with a single element, where a Python float is asked for. A tensor stays on its
    device and cannot simply be plotted or written into a file; look at the loss and at the accuracy.
    """
    with _Evaluation(model), torch.no_grad():
        return tuple(torch.tensor(each, device=device) for each in _evaluated(model, loader, loss_fn, device))


def length_of_the_validation_set(model, loader, loss_fn, device):
    """replaces: evaluate

    This asks the loader for its dataset. A plain list of batches has none, and a loader that leaves out
    the ragged last batch has seen fewer examples than its dataset holds; count what really comes.
    """
    with _Evaluation(model), torch.no_grad():
        losses, right, sizes = zip(*_measured(model, loader, loss_fn, device), strict=True)
    examples = len(loader.dataset)
    return sum(loss * size for loss, size in zip(losses, sizes, strict=True)) / examples, sum(right) / examples


def probabilities_into_the_loss(model, loader, loss_fn, device):
    """replaces: evaluate

    The logits go through a softmax on their way to the loss. The cross-entropy loss applies one itself;
    the answers stay the same, and the loss does not.
    """
    with _Evaluation(model), torch.no_grad():
        return _evaluated(model, loader, lambda logits, targets: loss_fn(logits.softmax(1), targets), device)


def validation_with_own_loss(model, loader, loss_fn, device):
    """replaces: evaluate

    The loss that is measured here is always the plain cross-entropy, whatever loss function the caller
    gives. There is an argument for it.
    """
    with _Evaluation(model), torch.no_grad():
        return _evaluated(model, loader, nn.CrossEntropyLoss(), device)


# --- fit ------------------------------------------------------------------------------------------------------


def _fit(model, train_loader, val_loader, optimizer, epochs, device, loss_fn=None):
    """Right but for the optimizer."""
    loss_fn = loss_fn or nn.CrossEntropyLoss()
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer, device))
        val_loss, val_accuracy = evaluate(model, val_loader, nn.CrossEntropyLoss(), device)
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    return history


def adam_with_penalty(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    This is Adam with a penalty in its gradient, and Adam divides the penalty by its own size like any
    other gradient, so that little of its pull is left. AdamW keeps the two apart.
    """
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)


def adam_without_decay(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    This is Adam without any weight decay. The optimizer asked for has one more letter in its name, and
    one more setting.
    """
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)


def decay_left_to_pytorch(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The weight decay of the caller never reaches the optimizer, which then takes one of its own choice.
    Look up what its default is: it is not zero.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)


def learning_rate_left_to_pytorch(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The learning rate of the caller never reaches the optimizer, which then takes its default one. There
    are two settings to be passed on.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=weight_decay)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)


def plain_sgd(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    This is plain gradient descent, which takes steps as long as the gradient is steep. The optimizer
    asked for adapts its steps to each weight.
    """
    model.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)


def decay_in_the_loss(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The penalty of the lecture is added to the loss here. For plain gradient descent that is weight decay;
    Adam divides its gradient by its own size, and the training loss is no longer comparable with the
    validation loss. AdamW has weight decay built in, apart from the gradient.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)

    def decayed(logits, targets):
        return functional.cross_entropy(logits, targets) + weight_decay * sum(
            (weight**2).sum() for weight in model.parameters()
        )

    return _fit(model, train_loader, val_loader, optimizer, epochs, device, decayed)


def optimizer_made_anew(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    Every epoch starts with a new optimizer, which knows nothing of the gradients before it: its running
    averages start from zero again. One optimizer serves the whole training.
    """
    model.to(device)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
        for name, values in _fit(model, train_loader, val_loader, optimizer, 1, device).items():
            history[name] += values
    return history


def decaying_learning_rate(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The learning rate changes from epoch to epoch. A schedule is a fine idea for later; here the caller's
    learning rate holds for the whole training.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    for _ in range(epochs):
        for name, values in _fit(model, train_loader, val_loader, optimizer, 1, device).items():
            history[name] += values
        schedule.step()
    return history


def validates_on_training_data(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The network is validated on the very examples that it was trained on, so that memorising looks like
    learning. There is another loader for it.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    return _fit(model, train_loader, train_loader, optimizer, epochs, device)


def validates_before_training(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    Each epoch is validated before it is trained. So the first entry is that of an untrained network, and what
    the last epoch has learnt is never measured.
    """
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer, device))
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    return history


def validates_at_the_end(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The network is validated once, after the last epoch. A learning curve needs a measurement after every
    epoch.
    """
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    train_loss = [train_one_epoch(model, train_loader, loss_fn, optimizer, device) for _ in range(epochs)]
    val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
    return {"train_loss": train_loss, "val_loss": [val_loss], "val_accuracy": [val_accuracy]}


def training_loss_measured_afterwards(
    model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device
):
    """replaces: fit

    The training loss is measured in another pass over the training data, after the epoch's training. What
    is asked for is the loss that training itself reports, and it comes for free.
    """
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        train_one_epoch(model, train_loader, loss_fn, optimizer, device)
        history["train_loss"].append(evaluate(model, train_loader, loss_fn, device)[0])
        val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    return history


def history_of_the_last_epoch(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The history begins afresh in every epoch, so that only the last one is left of it. A list per
    quantity, begun before the first epoch, keeps them all.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = _fit(model, train_loader, val_loader, optimizer, epochs, device)
    return {name: values[-1:] for name, values in history.items()}


def numbers_for_lists(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The history holds one number per quantity, that of the last epoch. It should hold lists, with an entry
    for every epoch.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = _fit(model, train_loader, val_loader, optimizer, epochs, device)
    return {name: values[-1] for name, values in history.items()}


def one_epoch_too_few(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    One epoch is missing. A range that starts at one and ends before its end is one short.
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    return _fit(model, train_loader, val_loader, optimizer, epochs - 1, device)


def loss_and_accuracy_swapped(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The validation loss stands where the accuracy should, and the accuracy where the loss should. Which of
    the two does an evaluation return first?
    """
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = _fit(model, train_loader, val_loader, optimizer, epochs, device)
    return history | {"val_loss": history["val_accuracy"], "val_accuracy": history["val_loss"]}


def best_weights_restored(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    At the end the weights of the best epoch are put back. That is a fine habit for a competition; here
    the model is to leave as the last epoch has trained it.
    """
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    best = {}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer, device))
        val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
        if not history["val_loss"] or val_loss < min(history["val_loss"]):
            best = {name: value.clone() for name, value in model.state_dict().items()}
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    model.load_state_dict(best)
    return history


# --- Devices --------------------------------------------------------------------------------------------------
# On the CPU all of these are right.


def batches_stay_behind(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The model is on the device, and the batches stay in the memory of the CPU. Both have to be in the same
    place.
    """
    model.train()
    losses = []
    for inputs, targets in loader:
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), len(targets)))
    return _mean(losses)


def targets_stay_behind(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The inputs move to the device, and the targets do not follow. The loss needs both in the same place.
    """
    model.train()
    losses = []
    for inputs, targets in loader:
        loss = loss_fn(model(inputs.to(device)), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), len(targets)))
    return _mean(losses)


def device_hard_coded(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The device is written down here by name, so that the loop runs on one kind of machine only. It is the
    caller who says where to compute; there is an argument for it.
    """
    model.train()
    return _mean(_train(model, loader, loss_fn, optimizer, torch.device("cuda")))


def device_found_anew(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The best device of the machine is looked up here once more, and the caller may have had reasons to choose
    another. Compute where you are told to; there is an argument for it.
    """
    model.train()
    best = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return _mean(_train(model, loader, loss_fn, optimizer, best))


def sum_on_the_cpu(model, loader, loss_fn, optimizer, device):
    """replaces: train_one_epoch

    The running sum was made in the memory of the CPU, and the losses are on the device. A new tensor lives on the
    CPU unless it is told otherwise.
    """
    model.train()
    total, examples = torch.zeros(()), 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(targets)
        examples += len(targets)
    return (total / examples).item()


def validation_batches_stay_behind(model, loader, loss_fn, device):
    """replaces: evaluate

    The model is on the device, and the batches stay in the memory of the CPU. Both have to be in the same
    place.
    """
    losses, right, sizes = [], [], []
    with _Evaluation(model), torch.no_grad():
        for inputs, targets in loader:
            logits = model(inputs)
            losses.append(loss_fn(logits, targets).item() * len(targets))
            right.append((logits.argmax(1) == targets).sum().item())
            sizes.append(len(targets))
    return sum(losses) / sum(sizes), sum(right) / sum(sizes)


def validation_device_found_anew(model, loader, loss_fn, device):
    """replaces: evaluate

    The best device of the machine is looked up here once more, and the caller may have had reasons to choose
    another. Compute where you are told to; there is an argument for it.
    """
    best = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with _Evaluation(model), torch.no_grad():
        return _evaluated(model, loader, loss_fn, best)


def answers_read_by_numpy(model, loader, loss_fn, device):
    """replaces: evaluate

    NumPy reads the memory of the CPU alone, and the answers are on the device. Either count there, or bring them
    back first.
    """
    losses, right, sizes = [], [], []
    with _Evaluation(model), torch.no_grad():
        for inputs, targets in loader:
            logits = model(inputs.to(device))
            losses.append(loss_fn(logits, targets.to(device)).item() * len(targets))
            right.append(int((logits.argmax(1).numpy() == targets.numpy()).sum()))
            sizes.append(len(targets))
    return sum(losses) / sum(sizes), sum(right) / sum(sizes)


def model_stays_behind(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """replaces: fit

    The batches move to the device, and the model is still where it was made. Somebody has to move it, and
    here that is you.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    return _fit(model, train_loader, val_loader, optimizer, epochs, device)
