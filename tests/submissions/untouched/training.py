# %% [markdown]
# # A GPU training loop
#
# *The lecture ended with a network in a notebook, and a GPU under it. In this assignment you write all that stands between the two: the network itself, the loop that trains it, the check that it has learnt something it was not shown, and the few lines that make the same code run on a laptop, on a Mac and on Colab.*
#
# | function | what it does | difficulty | minutes |
# | --- | --- | --- | --- |
# | `pick_device` | finds the best device of this machine | ★ | 5 |
# | `ConvNet` | the lecture's convolutional network | ★★ | 30 |
# | `train_one_epoch` | one pass over the training data | ★★★ | 35 |
# | `evaluate` | loss and accuracy on held-out data | ★★ | 25 |
# | `fit` | epochs, an optimizer, and a record of both | ★★ | 25 |
#
# The network is a few lines. The loops are hardly more, but each of their lines has a reason, and a loop that lacks one of them seldom crashes: it just trains a little worse, or reports a number that is not quite the one you think it is. That is why most of this handout is about reasons.

# %% [markdown]
# ## What this is about
#
# In the lecture a training step was one line of algebra: take a mini-batch, compute the gradient of its loss, move the parameters a little against it,
#
# $$\theta \leftarrow \theta - \alpha \, \nabla_\theta \frac{1}{B} \sum_{i=1}^{B} \mathcal{L}\big(f(x_i, \theta), y_i\big).$$
#
# AlexNet was that line, repeated for six days on two GPUs over 1.2 million images. Nothing in it has become obsolete since: what is trained today is trained by a loop that a reader of yours would recognise.
#
# A loop alone does not tell whether the network *learns* or only *memorises*. So we keep some images back, never compute a gradient on them, and look at the two losses side by side after each **epoch** (one pass over the training data). That picture is the **learning curve**, the first thing to look at when a network behaves oddly:
#
# | you see | it says |
# | --- | --- |
# | both losses fall | keep going |
# | the training loss does not fall | the learning rate is off, or the loop lacks a step |
# | the training loss falls, the validation loss turns upwards | the network memorises: more data, a smaller network, or weight decay |
# | the losses jump up and down | the learning rate is too large |
# | the validation loss is the lower one, from the start | quite normal early on: it is measured *after* the epoch, the training loss *during* it |
#
# ## Rules of this assignment
#
# Write your code where a function says so; everything else is free, helpers and further cells included. All of PyTorch may be used here. Each function is graded on its own and by what it *does*: the weights after a few steps, the numbers returned, the state in which things are left.

# %%
import torch
from torch import nn

# %% [markdown]
# Some cells below are **demonstrations**. They run with your functions, ask you to finish the ones that they need, and are not graded. Run the next cell once, so that they can.

# %% tags=["active-ipynb"]
# from contextlib import contextmanager
#
# import matplotlib.pyplot as plt
#
# BLUE, ORANGE = "#0072B2", "#D55E00"  # told apart by everyone
# torch.set_num_threads(1)  # on networks as small as these, several CPU threads mostly wait for each other
#
#
# @contextmanager
# def when_finished():
#     """Run a demonstration; where it meets a function that is still to be written, say which."""
#     try:
#         yield
#     except NotImplementedError as unfinished:
#         print(f"Finish {unfinished} first, then run this cell again.")
#     except ImportError as missing:
#         print(f"The digits come with {missing.name}: run %pip install scikit-learn, then this cell again.")

# %% [markdown]
# ## 1 · `pick_device` ★ 5 minutes
#
# A **device** is a processor with a memory of its own. Every tensor lives in the memory of one device, and an operation runs where its operands live; an operation on tensors of two devices is an error, not a slow-down. PyTorch's names:
#
# | device | what it is | what tells that it is there |
# | --- | --- | --- |
# | `"cuda"` | an NVIDIA GPU (AMD's answer to the same name) | `torch.cuda.is_available()` |
# | `"mps"` | the GPU of a Mac with Apple silicon | `torch.backends.mps.is_available()` |
# | `"cpu"` | always there | |
#
# Take the first of them that is there. The result is a `torch.device`, not its name.
#
# **By hand.** Colab with a GPU runtime: `cuda`. The same notebook after *Runtime → Change runtime type → CPU*: `cpu`. A MacBook with an M-series chip: `mps`.
#
# **Traps.** Some builds of PyTorch *know* CUDA or MPS though no such GPU is in the machine. What counts is what is available.


# %%
def pick_device():
    """The fastest device of this machine: "cuda" where available, else "mps" where available, else "cpu".

    Returns:
        The device, a torch.device.

    Source:
        Lecture, Coding (the notebook with a GPU).

    Example:
        >>> pick_device().type in ("cuda", "mps", "cpu")
        True
    """
    raise NotImplementedError("pick_device")


# %% tags=["active-ipynb"]
# with when_finished():
#     device = pick_device()
#     print(f"This machine computes on: {device}")
#     print(f"A tensor that was moved there: {torch.ones(3).to(device)!r}")

# %% [markdown]
# ## 2 · `ConvNet` ★★ 30 minutes
#
# The network of the lecture's last section. Images come as $(B, C, H, W)$, and one **logit** per class leaves:
#
# | step | result |
# | --- | --- |
# | images | $B \times c_x \times H \times W$ |
# | `conv1`, $c_h$ filters of size $k \times k$ | $B \times c_h \times (H - k + 1) \times (W - k + 1)$ |
# | leaky ReLU, $\sigma(z) = \max(0.1\,z,\; z)$ | the same |
# | adaptive average pool to $a \times a$ | $B \times c_h \times a \times a$ |
# | `conv2`, $c_y$ filters of size $k \times k$ | $B \times c_y \times (a - k + 1) \times (a - k + 1)$ |
# | leaky ReLU | the same |
# | adaptive average pool to $b \times b$ | $B \times c_y \times b \times b$ |
# | flatten, one vector per image | $B \times (c_y\, b\, b)$ |
# | `linear` | $B \times$ classes |
#
# Here $c_x, c_h, c_y, k, a, b$ are `in_channels`, `hidden_channels`, `out_channels`, `kernel_size`, `pool1` and `pool2`. The adaptive pools are what lets one network read images of every size: whatever comes in, $a \times a$ cells come out. So the linear layer knows how many numbers to expect before it has seen an image.
#
# Logits are scores: any real numbers, the largest marks the predicted class. They become probabilities inside the loss, since `nn.CrossEntropyLoss` applies the (log-)softmax itself.
#
# **By hand.** `ConvNet(3, 8, 16, 10)` on one 32 × 24 image, with $k = 2$, $a = 4$, $b = 2$: 8 × 31 × 23, pooled to 8 × 4 × 4, then 16 × 3 × 3, pooled to 16 × 2 × 2, flattened to 64, and 10 logits. Its parameters: $8 \cdot 3 \cdot 4 + 8 = 104$ in `conv1`, $16 \cdot 8 \cdot 4 + 16 = 528$ in `conv2`, $10 \cdot 64 + 10 = 650$ in `linear`, 1,282 in all.
#
# > **Where the slide slips.** The slide with this network applies `conv1` twice. The second convolution has weights of its own; where channels happen to match, the slide's network runs without complaint and simply is another network.
#
# > **Where the slide slips.** The slide gives its linear layer only the input size. A linear layer wants to know two: $c_y \cdot b \cdot b$ numbers go in, and as many logits as there are classes come out.
#
# **Traps.**
# - PyTorch finds parameters by attribute: a layer that hides in a plain Python list is in no `parameters()`, moves to no device, and is trained by no optimizer. Call the three layers with weights `conv1`, `conv2` and `linear`.
# - PyTorch's leaky ReLU has another slope than the lecture's unless told.
# - The batch axis stays, for a batch of one image too.
# - No fault of yours: on a Mac's GPU several versions of PyTorch can pool only to a size that divides the image's, and say so. The demonstrations below keep to such sizes.


# %%
class ConvNet(nn.Module):
    """The lecture's network: two rounds of convolution, leaky ReLU and adaptive average pool, then a linear layer.

    conv1 → leaky ReLU (slope 0.1) → adaptive average pool (pool1 × pool1) →
    conv2 → leaky ReLU (slope 0.1) → adaptive average pool (pool2 × pool2) → flatten → linear

    Args:
        in_channels: channels of the images, c_x (3 for colour).
        hidden_channels: filters of the first convolution, c_h.
        out_channels: filters of the second convolution, c_y.
        num_classes: logits per image.
        kernel_size: height and width of the filters of both convolutions, k.
        pool1: height and width after the first pool, a; at least kernel_size.
        pool2: height and width after the second pool, b.

    Attributes:
        conv1: layer with weight (hidden_channels, in_channels, k, k) and bias (hidden_channels,).
        conv2: layer with weight (out_channels, hidden_channels, k, k) and bias (out_channels,).
        linear: layer with weight (num_classes, out_channels · pool2 · pool2) and bias (num_classes,).

    Source:
        Lecture, Coding (the network conv → leaky ReLU → adaptive average pool, twice, flatten, linear).

    Example:
        >>> network = ConvNet(3, 8, 16, 10)
        >>> network(torch.zeros(5, 3, 32, 24)).shape
        torch.Size([5, 10])
        >>> sum(parameter.numel() for parameter in network.parameters())
        1282
    """

    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        raise NotImplementedError("ConvNet")

    def forward(self, images):
        """Images (B, in_channels, H, W), float, to logits (B, num_classes)."""
        raise NotImplementedError("ConvNet")


# %% tags=["active-ipynb"]
# with when_finished():
#     network = ConvNet(3, 8, 16, 10)
#     print(network)
#     for height, width in [(32, 24), (128, 128), (9, 50)]:
#         images = torch.rand(5, 3, height, width)
#         print(f"5 images of {height} × {width} → logits {tuple(network(images).shape)}")
#     print(f"{sum(parameter.numel() for parameter in network.parameters()):,} parameters (1,282 by hand)")

# %% [markdown]
# ## 3 · `train_one_epoch` ★★★ 35 minutes
#
# A **loader** is whatever gives batches `(inputs, targets)` when you iterate over it, and gives them anew when you iterate again: a `DataLoader`, but as well a plain list of pairs. Do not count on anything else: a list has no `.dataset`, and other loaders have no length. `targets` holds one class number per example. For each batch: move it to the device, compute the loss, compute its gradient, let the optimizer make **one** step. Nothing more: no clipping, no second step.
#
# Three ideas deserve a closer look.
#
# **Gradients add up.** `backward()` does not write into `.grad`, it *adds* to it. That is useful (a gradient over several batches, say), but it means that somebody has to start each batch with a clean slate. That is what an optimizer's `zero_grad()` is for, and there are wrong places for it. The demonstration below shows one weight whose gradient is 3, twice in a row.
#
# **Modes.** Some layers do one thing while a network trains and another when it is used. Dropout switches neurons off at random while training, and none in use. Batch norm standardises with the mean and variance of the *batch* while training, and keeps a running average of both; in use it takes that average. `model.train()` and `model.eval()` switch a whole network; they compute nothing. A function that trains should not trust that somebody else has switched.
#
# **The mean over examples.** `loss_fn` returns the mean over its batch, but batches differ in size: the last one is often smaller. With batches of sizes $B_1, B_2, \dots$ and mean losses $\mathcal{L}_1, \mathcal{L}_2, \dots$ the mean loss per example is
#
# $$\mathcal{L} = \frac{\sum_b B_b \, \mathcal{L}_b}{\sum_b B_b}.$$
#
# **By hand.** Five examples in batches of 3 and 2, with mean losses 0.9 and 0.4. Per example: $(3 \cdot 0.9 + 2 \cdot 0.4) / 5 = 0.7$. The mean of the two means would be 0.65. On 60,000 images nobody sees the difference; in the comparison of two papers somebody will.
#
# **A GPU works ahead.** The CPU only *orders* work, and goes on before it is done. Whatever asks for a value (`.item()`, `float(…)`, `print`) makes it wait for all that was ordered. Once an epoch is nothing, once a batch is bearable, several times a batch leaves a fast GPU idle. So sum the losses where they are, on the device.
#
# **Traps.**
# - A loss remembers, for `backward()`, everything it was computed from. A sum of such losses remembers every batch of the epoch, and memory fills until a long run dies of it. There is a way to keep the value and drop the memory.
# - The result is a Python float, not a tensor with one element.
# - The model is on the device already; the batches are not. And the device is whatever the caller names.

# %% tags=["active-ipynb"]
# weight = torch.tensor(2.0, requires_grad=True)
# for times in ("once", "twice"):
#     loss = 3 * weight
#     loss.backward()
#     print(f"after calling backward {times}: gradient {weight.grad.item():g} (true gradient of this loss: 3)")

# %% tags=["active-ipynb"]
# torch.manual_seed(0)
# dropout, batch_norm = nn.Dropout(0.5), nn.BatchNorm1d(1)
# signal = torch.tensor([[1.0], [2.0], [6.0]])  # mean 3
# for layer in (dropout, batch_norm):
#     for mode in ("train", "eval"):
#         layer.train(mode == "train")
#         values = ", ".join(f"{value:5.2f}" for value in layer(signal).flatten().tolist())
#         print(f"{type(layer).__name__:>11} in {mode:<5} mode turns 1, 2, 6 into {values}")
# print(f"Batch norm's running mean, after one batch of mean 3: {batch_norm.running_mean.item():.1f}")


# %%
def train_one_epoch(model, loader, loss_fn, optimizer, device):
    """Train a model for one pass over a loader, with one plain optimizer step per batch.

    Args:
        model: an nn.Module, on the device already; it is trained in place, in training mode.
        loader: iterable of batches (inputs, targets): inputs (B, …), targets (B,), B may differ from batch to batch.
        loss_fn: maps (model output, targets) to the mean loss over the batch, a tensor without axes.
        optimizer: a torch.optim.Optimizer over the model's parameters, whose gradients are None at first.
        device: the torch.device to which each batch is moved.

    Returns:
        The mean loss per example over the epoch, each batch measured before its step; a Python float.

    Source:
        Lecture, Review (stochastic gradient descent over mini-batches).

    Example:
        A network of zeros thinks that three classes are equally likely, which costs log 3 per example:

        >>> model = nn.Linear(2, 3)
        >>> for parameter in model.parameters():
        ...     _ = nn.init.zeros_(parameter)
        >>> loader = [(torch.rand(4, 2), torch.tensor([0, 2, 1, 1]))]
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        >>> loss = train_one_epoch(model, loader, nn.CrossEntropyLoss(), optimizer, torch.device("cpu"))
        >>> round(loss, 4)
        1.0986
        >>> [round(value, 4) for value in model.bias.tolist()]
        [-0.0417, 0.0833, -0.0417]
    """
    raise NotImplementedError("train_one_epoch")


# %% [markdown]
# ## 4 · `evaluate` ★★ 25 minutes
#
# The same pass over a loader, to measure and not to learn. It returns two numbers: the mean loss per example as above, and the **accuracy**, the fraction of examples whose largest logit is the one of the right class,
#
# $$\text{accuracy} = \frac{1}{N} \sum_{i=1}^{N} \big[\arg\max_c f(x_i, \theta)_c = y_i\big] \in [0, 1].$$
#
# Measuring must not disturb. Batch norm should use its running averages and leave them alone; dropout should be off; no gradient is needed, so PyTorch need not remember anything for one (which saves memory and time). And afterwards everything is as it was found: a model that came in training mode leaves in training mode, one that came in evaluation mode leaves in evaluation mode. The same goes for PyTorch's global switch for gradients: whoever calls you may have switched them off for good reasons.
#
# **By hand.** Five examples in batches of 3 and 2; of the first batch 3 are right, of the second 1. Accuracy: $4 / 5 = 0.8$. The mean of the two batches' accuracies, $(1 + 0.5) / 2 = 0.75$, is something else.
#
# **Traps.**
# - "No gradients" and "evaluation mode" are two switches. Neither flips the other.
# - A loss that already contains a softmax wants logits.
# - Both results are Python floats, the accuracy too.


# %%
def evaluate(model, loader, loss_fn, device):
    """Measure a model on a loader, in evaluation mode and without gradients, and leave everything as found.

    Args:
        model: an nn.Module that maps inputs (B, …) to logits (B, classes), on the device already.
        loader: iterable of batches (inputs, targets): inputs (B, …), targets (B,), B may differ from batch to batch.
        loss_fn: maps (logits, targets) to the mean loss over the batch, a tensor without axes.
        device: the torch.device to which each batch is moved.

    Returns:
        (mean loss per example, accuracy in [0, 1]), both Python floats.

    Source:
        Lecture, Review (training and test loss).

    Example:
        A model that always answers class 0, on five examples of which two are of class 0:

        >>> model = nn.Linear(1, 3)
        >>> _ = nn.init.zeros_(model.weight)
        >>> model.bias.data = torch.tensor([1.0, 0.0, 0.0])
        >>> loader = [(torch.rand(3, 1), torch.tensor([0, 1, 0])), (torch.rand(2, 1), torch.tensor([2, 1]))]
        >>> loss, accuracy = evaluate(model, loader, nn.CrossEntropyLoss(), torch.device("cpu"))
        >>> round(loss, 4), accuracy
        (1.1514, 0.4)
    """
    raise NotImplementedError("evaluate")


# %% [markdown]
# ## 5 · `fit` ★★ 25 minutes
#
# Now put it together. Move the model to the device, make **one** optimizer, and for each epoch train on the training loader, then evaluate on the validation loader, and note three numbers. The loss is cross-entropy, the optimizer `torch.optim.AdamW` with the learning rate and weight decay that the caller names and PyTorch's defaults for the rest. The result is a dictionary of three lists, one entry per epoch, ready to be drawn as a learning curve.
#
# **Weight decay** pulls every parameter towards zero, so that only those stay large that earn it. In the lecture it is a penalty $\lambda \sum \theta^2$ added to the loss, and with plain gradient descent that is the same as shrinking $\theta$ by a constant factor per step. With Adam it is not: Adam divides the gradient, penalty included, by its own typical size, and the pull all but loses its strength. AdamW therefore keeps the two apart,
#
# $$\theta \leftarrow \theta - \alpha \lambda \theta - \alpha \frac{\hat m}{\sqrt{\hat v} + \varepsilon}.$$
#
# **By hand.** $\theta = 2$, $\alpha = 0.01$, $\lambda = 0.1$, a loss that does not depend on $\theta$. AdamW: $2 - 0.01 \cdot 0.1 \cdot 2 = 1.998$. Adam with a penalty sees the gradient of the penalty alone, whatever its size divides it by its own size, and makes a full step of 0.01: 1.99, for $\lambda = 0.1$ as for $\lambda = 0.0001$.
#
# > **Where the slide slips.** The slide on weight decay writes the decayed loss on both sides of the equation. Read it as: decayed loss = loss $+ \lambda \sum \theta^2$. And on the slides for RMSProp and Adam the "$V$-th root" is a square root, $\sqrt{V + \varepsilon}$ (PyTorch writes $\sqrt V + \varepsilon$).
#
# **Traps.**
# - An optimizer holds references to a model's parameters, and a memory of past gradients. Think about *when* and *how often* to make one.
# - Which default does your optimizer take for a setting that you do not pass on?
# - Which data decides whether the network has learnt something?


# %%
def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    """Train a classifier with AdamW and cross-entropy, and measure it after each epoch.

    Args:
        model: an nn.Module that maps inputs (B, …) to logits (B, classes); it is moved to the device and trained in place.
        train_loader: iterable of batches (inputs, targets), iterated once per epoch to train.
        val_loader: iterable of batches (inputs, targets), to measure on after each epoch.
        epochs: how many times to train on the whole training loader; an int.
        learning_rate: AdamW's learning rate α; a float.
        weight_decay: AdamW's weight decay λ; a float.
        device: the torch.device to train on.

    Returns:
        A dict of three lists of Python floats, each with one entry per epoch: "train_loss" (the mean loss per
        example while training), "val_loss" and "val_accuracy" (measured after that epoch's training).

    Source:
        Lecture, Review (Adam, weight decay); Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019.

    Example:
        >>> loader = [(torch.rand(4, 1, 6, 5), torch.tensor([0, 2, 1, 1]))]
        >>> history = fit(
        ...     ConvNet(1, 2, 3, 3), loader, loader, epochs=2, learning_rate=0.01, device=torch.device("cpu")
        ... )
        >>> {name: len(values) for name, values in history.items()}
        {'train_loss': 2, 'val_loss': 2, 'val_accuracy': 2}
    """
    raise NotImplementedError("fit")


# %% [markdown]
# ## See it learn
#
# Scikit-learn brings 1,797 handwritten digits of 8 × 8 pixels along, small enough for any laptop and real enough to learn from. A fifth of them is held out. The training set has 1,437 images, which 32 does not divide: your last batch is a ragged one.
#
# *The figure shows ten grey images of handwritten digits in a row, coarse and blurred, each under its label.*

# %% tags=["active-ipynb"]
# from functools import cache
#
# from torch.utils.data import DataLoader, TensorDataset
#
#
# @cache
# def digits():
#     """Images (1437, 1, 8, 8) with values in [0, 1] and their labels (1437,) to train on, and 360 of both to validate."""
#     from sklearn.datasets import load_digits
#
#     bundled = load_digits()
#     images = torch.tensor(bundled.images / 16, dtype=torch.float32).unsqueeze(1)
#     labels = torch.tensor(bundled.target)
#     shuffled = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
#     return [(images[some], labels[some]) for some in (shuffled[:1437], shuffled[1437:])]
#
#
# def loaders(examples=1437):
#     """A loader of so many training images in batches of 32, and one of all validation images."""
#     training, validation = digits()
#     some = TensorDataset(*(tensor[:examples] for tensor in training))
#     return DataLoader(some, batch_size=32, shuffle=True), DataLoader(TensorDataset(*validation), batch_size=256)
#
#
# with when_finished():
#     figure, all_axes = plt.subplots(1, 10, figsize=(10, 1.4))
#     for axes, image, label in zip(all_axes, *digits()[0]):
#         axes.imshow(image[0], cmap="gray")
#         axes.set(title=f"{label}", xticks=[], yticks=[])
#     plt.show()

# %% [markdown]
# ### The learning curve
#
# A network trained on all 1,437 images, and the same network trained on only 64 of them, where a gap opens between the two losses: that gap is overfitting. A right loop reaches a validation accuracy of about 0.97 in the left picture.
#
# *Two panels with the training loss in blue and the validation loss in dashed orange. Left: on all 1,437 images both losses fall together, steeply at first. Right: on 64 images the training loss falls to nothing, while the validation loss soon turns upwards and ends far above it.*

# %% tags=["active-ipynb"]
# @cache
# def trained(examples=1437, epochs=10):
#     """A network trained on so many digits, and its history."""
#     torch.manual_seed(0)
#     network = ConvNet(1, 16, 32, 10, kernel_size=3, pool1=6, pool2=2)
#     settings = dict(epochs=epochs, learning_rate=0.01, weight_decay=0.01, device=pick_device())
#     return network, fit(network, *loaders(examples), **settings)
#
#
# def plot_learning_curve(axes, history, title):
#     epochs = range(1, len(history["train_loss"]) + 1)
#     axes.plot(epochs, history["train_loss"], color=BLUE, marker="o", markersize=4, label="training loss")
#     axes.plot(epochs, history["val_loss"], color=ORANGE, marker="s", markersize=4, linestyle="--", label="validation loss")
#     axes.set(title=title, xlabel="epoch", ylabel="mean loss per image", ylim=(0, 2.5))
#     axes.grid(alpha=0.3)
#     axes.legend()
#
#
# with when_finished():
#     histories = {examples: trained(examples, epochs)[1] for examples, epochs in [(1437, 10), (64, 40)]}
#     figure, all_axes = plt.subplots(1, 2, figsize=(11, 4))
#     for axes, (examples, history) in zip(all_axes, histories.items()):
#         accuracy = history["val_accuracy"][-1]
#         plot_learning_curve(axes, history, f"{examples} training images: validation accuracy {accuracy:.3f}")
#     figure.tight_layout()
#     plt.show()

# %% [markdown]
# ### What it has learnt
#
# Eight filters of `conv1`, and what each of them makes of one digit: its **feature map**, large (light) where the image looks like the filter. Nobody wrote these filters: they are what the loop found.
#
# *Upper row: eight small squares of weights, orange where positive, violet where negative, white at zero; some look for edges, with one sign on one side and the other on the other. Lower row: a handwritten digit and its eight feature maps, on each of which other strokes of the digit light up.*

# %% tags=["active-ipynb"]
# with when_finished():
#     conv1, digit = trained()[0].conv1, digits()[1][0][:1]
#     filters = conv1.weight.detach().cpu()[:, 0]
#     maps = conv1(digit.to(conv1.weight.device)).detach().cpu()[0]
#     figure, all_axes = plt.subplots(2, 9, figsize=(11, 2.8))
#     all_axes[0, 0].axis("off")
#     all_axes[1, 0].imshow(digit[0, 0], cmap="gray")
#     all_axes[1, 0].set_xlabel("image")
#     for column in range(1, 9):
#         size = filters[column - 1].abs().max()
#         all_axes[0, column].imshow(filters[column - 1], cmap="PuOr_r", vmin=-size, vmax=size)
#         all_axes[0, column].set_title(f"filter {column}")
#         all_axes[1, column].imshow(maps[column - 1], cmap="cividis")
#         all_axes[1, column].set_xlabel(f"map {column}")
#     for axes in all_axes.flat:
#         axes.set(xticks=[], yticks=[])
#     plt.show()

# %% [markdown]
# ### The same loop, more data
#
# FashionMNIST: 28 × 28 grey images of ten kinds of clothes, downloaded (30 MB) where the network allows. A slice of it and two epochs serve to see that nothing of your code knows about digits; on a GPU take all 60,000 images, more channels and ten epochs, and see how far beyond 0.90 you get.
#
# *The figure shows twelve validation images of clothes in two rows, each under the network's answer; wrong answers are marked with a cross.*

# %% tags=["active-ipynb"]
# import socket
#
# CLOTHES = ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
#
#
# def fashion(train, count):
#     """The first images of FashionMNIST (count, 1, 28, 28), in [0, 1], and their classes."""
#     from torchvision.datasets import FashionMNIST
#
#     clothes = FashionMNIST("data", train=train, download=True)
#     return clothes.data[:count].unsqueeze(1) / 255, clothes.targets[:count]
#
#
# with when_finished():
#     pick_device(), ConvNet(1, 1, 1, 1)
#     socket.setdefaulttimeout(10)
#     try:
#         train_data, val_data = fashion(True, 6000), fashion(False, 1000)
#     except (ImportError, OSError, RuntimeError) as problem:
#         print(f"FashionMNIST cannot be had here ({type(problem).__name__}): no torchvision, or no network.")
#         print("Nothing is lost: the digits above show the same. On Colab this cell works.")
#     else:
#         torch.manual_seed(0)
#         network, device = ConvNet(1, 16, 32, 10, kernel_size=5, pool1=8, pool2=2), pick_device()
#         both = [DataLoader(TensorDataset(*data), batch_size=64, shuffle=True) for data in (train_data, val_data)]
#         history = fit(network, *both, epochs=2, learning_rate=0.005, weight_decay=0.01, device=device)
#         print(f"validation accuracy after each epoch: {history['val_accuracy']}")
#         scores = network(val_data[0][:12].to(device)).detach().cpu().numpy()
#         figure, all_axes = plt.subplots(2, 6, figsize=(10, 4))
#         for axes, image, answer, target in zip(all_axes.flat, val_data[0], scores.argmax(axis=1), val_data[1]):
#             axes.imshow(image[0], cmap="gray")
#             axes.set(title=CLOTHES[answer] + ("" if answer == target else "  ✗"), xticks=[], yticks=[])
#         plt.show()
#     finally:
#         socket.setdefaulttimeout(None)

# %% [markdown]
# ## Going further
#
# Two habits often make convolutional networks on today's GPUs two to four times as fast, and neither changes the loop.
#
# - **bfloat16 autocast.** A GPU's tensor cores multiply 16-bit numbers many times faster than 32-bit ones. `bfloat16` keeps the range of `float32` and gives up precision. Inside `torch.autocast` PyTorch computes convolutions and linear layers in `bfloat16`; the parameters, their gradients and the optimizer stay in `float32`. (In `float16`, of smaller range, small gradients become zero: that one needs a gradient scaler.)
# - **Channels last.** A batch is B × C × H × W for you, but its numbers may lie in memory in the order B, H, W, C. Tensor cores want all channels of a pixel side by side. Shapes do not change, only strides do: `tensor.to(memory_format=torch.channels_last)`.
#
# Both fit into a wrapper around any network, which your own `fit` then trains as if nothing had happened. On a CPU expect no gain (some are even slower); on Colab raise the channels to 128 and compare.
#
# And then: `torch.compile`; `torch.inference_mode`, a stricter sibling of what you used in `evaluate`; loader workers that prepare the next batch while the GPU is busy, with pinned memory and `non_blocking` copies; a learning rate that warms up and decays; random shifts of the images, which for a translation-equivariant network are the cheapest new data there is.

# %% tags=["active-ipynb"]
# import time
#
#
# class Faster(nn.Module):
#     """A network computed in bfloat16 and channels last; logits come back as float32."""
#
#     def __init__(self, network):
#         super().__init__()
#         self.network = network.to(memory_format=torch.channels_last)
#
#     def forward(self, images):
#         with torch.autocast(images.device.type, dtype=torch.bfloat16):
#             return self.network(images.to(memory_format=torch.channels_last)).float()
#
#
# with when_finished():
#     for name, wrap in [("float32", nn.Sequential), ("bfloat16, channels last", Faster)]:
#         torch.manual_seed(0)
#         network = wrap(ConvNet(1, 16, 32, 10, kernel_size=3, pool1=6, pool2=2))
#         start = time.perf_counter()
#         history = fit(network, *loaders(), epochs=3, learning_rate=0.01, device=pick_device())
#         seconds = (time.perf_counter() - start) / 3
#         print(f"{name:>24}: {seconds:.2f} s per epoch, validation accuracy {history['val_accuracy'][-1]:.3f}")

# %% [markdown]
# ## Before you hand in
#
# Restart the kernel and run everything once, from top to bottom. If the learning curve falls and the validation accuracy lands around 0.97, most of it is right. What a curve does not show (the ragged batch, the modes left behind, the memory) is what the tests look at.
