# %% [markdown]
# # Counting parameters
#
# In the lecture a single neuron listened to a whole signal, one sample every 0.1 s. For one second it needed
# ten weights. For two hours it needed 72,000, and a signal that lasted two hours and a tenth of a second had
# to have a new neuron, with one weight more. Then came the convolution layer. It slides *one small neuron*
# along the signal,
#
# $$\sigma(\theta_0 + \theta_1 x(0.1) + \theta_2 x(0.2)), \quad
# \sigma(\theta_0 + \theta_1 x(0.2) + \theta_2 x(0.3)), \quad \dots$$
#
# always with the same $\theta_0, \theta_1, \theta_2$: three numbers to learn, for one second as for two
# hours.
#
# Counting the numbers that a layer learns is the quickest way to see what it shares and what it does not. The
# count also decides how much memory a network takes, how much an optimiser has to carry along, and where it
# is likely to overfit. By the end you will be able to look at a network and say, without running it, how many
# parameters it has and *where they sit*; the answer surprises most people once.

# %% [markdown]
# ## What you will write
#
# | function | what it counts | difficulty | minutes | points |
# | --- | --- | --- | --- | --- |
# | `perceptron_parameters` | one neuron over a whole signal | ★ | 8 | 10 |
# | `linear_parameters` | a layer of neurons that all read everything | ★ | 7 | 10 |
# | `conv1d_parameters` | a convolution over time | ★ | 10 | 15 |
# | `conv2d_parameters` | a convolution over images, with groups | ★★ | 15 | 25 |
# | `network_parameters` | a whole network, layer by layer | ★★★ | 20 | 40 |
#
# Replace each `raise NotImplementedError(…)` by your own lines, and call your own earlier functions wherever
# they help. ★ is a warm-up, ★★★ wants paper and pencil. Three rules hold for all five:
#
# - A **parameter** is a number that gradient descent changes. Settings that you choose, such as a stride or
#   the slope of a leaky ReLU, are not parameters.
# - A count is an **integer**. A float is wrong even where its value is right: nobody has 10.0 weights.
# - What is named under *Raises* in a docstring must raise `ValueError`. You need not check anything else.
#
# A trick that works all the way through: before you type, write down the **shape** of each array of
# parameters.

# %%
import math

# %% [markdown]
# ## Given
#
# A convolution or a pooling layer takes its sizes as one number or as a pair (height, width); `as_pair` makes
# both a pair. `output_shape` is the assignment *Output shapes* in one function: the shape that comes out of a
# layer for the shape that goes in. You will want both later on. They are complete: read them, use them, leave
# them as they are.
#
# A **layer** is a dictionary with its kind and its settings.
#
# | kind | settings |
# | --- | --- |
# | `"conv2d"` | `out_channels`, `kernel_size`, `stride=1`, `padding=0`, `dilation=1`, `groups=1`, `bias=True` |
# | `"max_pool2d"`, `"avg_pool2d"` | `kernel_size`, `stride=None` (as the kernel), `padding=0` |
# | `"adaptive_avg_pool2d"` | `output_size` |
# | `"relu"`, `"leaky_relu"`, `"batch_norm2d"`, `"flatten"` | none |
# | `"linear"` | `out_features`, `bias=True` |
#
# A setting that stands with a value in this table may be left out of the dictionary; it then has that value.


# %%
def as_pair(size):
    """A size as (height, width): an int counts for both, a pair stays as it is."""
    return (size, size) if isinstance(size, int) else tuple(size)


def output_length(length, kernel_size, stride, padding, dilation):
    """Positions of a window of kernel_size taps, along one axis."""
    if min(length, kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("lengths, kernel sizes, strides and dilations are at least 1, paddings at least 0")
    positions = (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1
    if positions < 1:
        raise ValueError("the window is larger than what it slides over")
    return positions


def output_shape(shape, layer):
    """Shape after one layer.

    Args:
        shape: what goes in: (C, H, W) or (B, C, H, W); after a flatten (F,) or (B, F).
        layer: a dictionary with its "kind" and its settings, as in the table above; it is only read.

    Returns:
        A tuple of integers: what comes out.

    Raises:
        ValueError: unknown kind, sizes that do not fit, a linear before flatten, a layer for images after it.

    Example:
        >>> output_shape((5, 3, 13, 7), {"kind": "conv2d", "out_channels": 2, "kernel_size": (3, 2)})
        (5, 2, 11, 6)
    """
    shape, kind = tuple(shape), layer["kind"]
    is_image = len(shape) in (3, 4)
    if kind in ("relu", "leaky_relu"):
        return shape
    if kind == "linear":
        if is_image:
            raise ValueError("a linear layer reads vectors: put a flatten before it")
        return (*shape[:-1], layer["out_features"])
    if kind == "flatten":
        return (*shape[:-3], math.prod(shape[-3:])) if is_image else shape
    if kind not in ("conv2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "batch_norm2d"):
        raise ValueError(f"unknown kind of layer: {kind!r}")
    if not is_image:
        raise ValueError(f"{kind} reads (C, H, W) or (B, C, H, W), not {shape}")
    *batch, channels, height, width = shape
    if kind == "batch_norm2d":
        return shape
    if kind == "adaptive_avg_pool2d":
        if min(as_pair(layer["output_size"])) < 1:
            raise ValueError("an output size is at least 1")
        return (*batch, channels, *as_pair(layer["output_size"]))

    kernel, padding = as_pair(layer["kernel_size"]), as_pair(layer.get("padding", 0))
    if kind == "conv2d":
        channels, default_stride = layer["out_channels"], 1
    else:
        default_stride = kernel
        if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
            raise ValueError("a pooling layer pads by half a window at most")
    stride = layer.get("stride")
    stride = as_pair(default_stride if stride is None else stride)
    dilation = as_pair(layer.get("dilation", 1))
    return (*batch, channels, *map(output_length, (height, width), kernel, stride, padding, dilation))


# %% [markdown]
# ## 1. A neuron over a whole signal: `perceptron_parameters` (★, 8 minutes)
#
# The perceptron of the lecture reads every sample of the signal at once:
#
# $$y = \sigma\Big(\theta_0 + \sum_{i=1}^{n} \theta_i \, x(i \, \Delta t)\Big)$$
#
# with $n$ samples, one every $\Delta t$ seconds (`period`) for `duration` seconds.
#
# **By hand.** Two seconds, one sample every half second: the samples are $x(0.5), x(1), x(1.5), x(2)$. The
# neuron is $\sigma(\theta_0 + \theta_1 x(0.5) + \theta_2 x(1) + \theta_3 x(1.5) + \theta_4 x(2))$: five
# parameters, four weights and a bias.
#
# > **Where the slide slips.** It says that the neuron needs 10 parameters for one second and 72,000 for two
# > hours. Those are its *weights*. With the bias $\theta_0$ it has 11 and 72,001.
#
# **Traps**
#
# - Type `0.3 / 0.1` into a cell before you decide how to make an integer of a quotient.
# - A signal of `duration` seconds has $n$ samples as drawn above, not $n + 1$: here there is no sample at
#   time 0.
# - Durations need not be whole multiples of the period: 1.04 s at 0.1 s is 10 samples, 1.08 s is 11. (You
#   will not be asked about an exact half.)


# %%
def perceptron_parameters(duration, period, bias=True):
    """Count the parameters of one neuron that reads a whole signal.

    The neuron: y = σ(θ0 + Σ_i θ_i x(i Δt)), one weight θ_i for each sample and one bias θ0.
    The signal has duration / period samples, rounded to the nearest whole number.

    Args:
        duration: length of the signal in seconds, int or float.
        period: seconds from one sample to the next, int or float.
        bias: whether the neuron has its θ0.

    Returns:
        The number of parameters, an int.

    Raises:
        ValueError: duration or period is zero or negative.

    Source:
        Lecture, "Convolutional networks": the neuron over one second and over two hours.

    Example:
        >>> perceptron_parameters(2, 0.5)
        5
    """
    raise NotImplementedError("perceptron_parameters")


# %% [markdown]
# ## 2. A linear layer: `linear_parameters` (★, 7 minutes)
#
# A linear layer is several such neurons side by side. Each of the `out_features` neurons reads *all* of the
# `in_features` inputs, with weights and a bias of its own:
#
# $$y_j = \theta_{0j} + \sum_{i} \theta_{ij} \, x_i$$
#
# **By hand.** Three inputs, two outputs:
#
# $$y_1 = \theta_{01} + \theta_{11} x_1 + \theta_{21} x_2 + \theta_{31} x_3, \qquad
# y_2 = \theta_{02} + \theta_{12} x_1 + \theta_{22} x_2 + \theta_{32} x_3$$
#
# Count the $\theta$: eight.
#
# **Traps**
#
# - Draw the network as circles and lines. What do the lines stand for, and what do the circles on the right
#   bring?
# - If your answer is right for two outputs and wrong for three, look at how often you count the bias.


# %%
def linear_parameters(in_features, out_features, bias=True):
    """Count the parameters of a linear (fully connected) layer.

    The layer: y_j = θ_0j + Σ_i θ_ij x_i, for each output j over all inputs i.

    Args:
        in_features: number of inputs i, int.
        out_features: number of outputs j, int.
        bias: whether the outputs have their θ_0j.

    Returns:
        The number of parameters, an int.

    Raises:
        ValueError: in_features or out_features is less than 1.

    Source:
        Lecture, "Review" (the perceptron and the deep network); torch.nn.Linear.

    Example:
        >>> linear_parameters(3, 2)
        8
    """
    raise NotImplementedError("linear_parameters")


# %% [markdown]
# ## 3. A convolution over time: `conv1d_parameters` (★, 10 minutes)
#
# The convolution layer slides small neurons along the signal. With $c_x$ channels coming in (the left and the
# right ear, say) and $c_y$ channels going out, output channel $j$ at time $t$ is
#
# $$y_j(t) = \theta_{0j} + \sum_{c=1}^{c_x} \sum_{i=1}^{k} \theta_{icj} \, x_c(t + i)$$
#
# What matters for the count is which indices $\theta$ carries, and which it does not: there is no $t$. The
# weights are *reused at every position*, so the length of the signal plays no part, and the function does not
# even ask.
#
# **By hand.** The lecture's filter has one channel in, one out and $k = 2$ taps: the three parameters
# $\theta_0, \theta_1, \theta_2$. Let it read two ears: each window now holds four numbers, so it is four
# weights and still one bias, five in all.
#
# **Traps**
#
# - Each output channel has a filter of its own, and that filter reads *every* input channel.
# - Whatever the filter sums over, taps and channels alike, goes into *one* sum. How many biases does one sum
#   need?


# %%
def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    """Count the parameters of a convolution layer over time.

    The layer: y_j(t) = θ_0j + Σ_c Σ_i θ_icj x_c(t + i), the same θ at every t.

    Args:
        in_channels: number of channels c of the signal, int.
        out_channels: number of channels j of the result, int.
        kernel_size: number of taps i of the filter, int.
        bias: whether the outputs have their θ_0j.

    Returns:
        The number of parameters, an int.

    Raises:
        ValueError: in_channels, out_channels or kernel_size is less than 1.

    Source:
        Lecture, "Convolutional networks"; torch.nn.Conv1d.

    Example:
        >>> conv1d_parameters(2, 1, 2)
        5
    """
    raise NotImplementedError("conv1d_parameters")


# %% [markdown]
# ### Look: a neuron or a convolution?
#
# Before you run the cell, sketch what you expect: the duration of the signal along the bottom (from one
# second to two hours), the number of parameters upwards, one line for the neuron of part 1 and one for each
# of two convolution layers. Both axes are logarithmic.
#
# *What the picture shows: the neuron's line climbs straight from 11 parameters at one second to 72,001 at two
# hours, while the lines of the two convolution layers stay flat at 3 and at 192.*

# %% tags=["active-ipynb"]
# import matplotlib.pyplot as plt
#
# seconds = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200]
# try:
#     lines = {
#         "one neuron over the whole signal": [perceptron_parameters(duration, 0.1) for duration in seconds],
#         "convolution, 1 to 32 channels, k = 5": [conv1d_parameters(1, 32, 5) for _ in seconds],
#         "convolution, 1 to 1 channel, k = 2": [conv1d_parameters(1, 1, 2) for _ in seconds],
#     }
# except NotImplementedError as unfinished:
#     print(f"Finish {unfinished} first, then run this cell again.")
# else:
#     figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
#     for (label, counts), style in zip(lines.items(), ["o-", "s--", "^:"]):
#         color = {"o": "#D55E00", "s": "#0072B2", "^": "#009E73"}[style[0]]  # told apart without colour too
#         axes.plot(seconds, counts, style, color=color, label=label)
#         axes.annotate(f"{counts[-1]:,}", (9000, counts[-1]), verticalalignment="center")
#     axes.set(xscale="log", yscale="log", xlim=(0.8, 40_000), ylim=(1, 1e6))
#     axes.set(xlabel="duration of the signal in seconds, 0.1 s per sample", ylabel="parameters")
#     axes.set_title("A neuron grows with the signal, a convolution does not")
#     axes.legend(loc="upper left")
#     axes.grid(alpha=0.3)
#     plt.show()

# %% [markdown]
# ## 4. A convolution over images: `conv2d_parameters` (★★, 15 minutes)
#
# With images the filter becomes a small image itself, $k_h$ rows by $k_w$ columns, one for each pair of an
# input and an output channel:
#
# $$y_j(u, v) = \theta_{0j} +
# \sum_{c=1}^{c_x} \sum_{a=1}^{k_h} \sum_{b=1}^{k_w} \theta_{abcj} \, x_c(u + a, v + b)$$
#
# **By hand.** A colour image has $c_x = 3$ channels. One output channel with a filter of $2 \times 2$ reads
# $3 \cdot 2 \cdot 2 = 12$ numbers at every position: 12 weights and a bias, 13 parameters. The lecture's
# layer has 32 such output channels and therefore $32 \cdot 13 = 416$.
#
# > **Where the slide slips.** One slide calls the filter "height $k + 1$, width $k$". A filter of size $k$
# > has $k$ rows and $k$ columns, and where you give a pair it has just those rows and columns.
#
# **Groups (stretch).** With `groups` $= G$ the channels are split into $G$ equal parts, in and out alike, and
# each part of the output sees its own part of the input only. It is the same as $G$ smaller convolutions side
# by side. AlexNet did so to fit on two GPUs, ResNeXt and MobileNet do so to save parameters.
#
# *By hand.* Four channels in, six out, a filter of $1 \times 1$ and two groups. Each group maps two channels
# to three: $2 \cdot 3 = 6$ weights and 3 biases. Two groups: 12 weights and 6 biases, 18 parameters. Without
# groups it would be 24 weights and 6 biases.
#
# **Traps**
#
# - Two groups do not simply halve the count. Use the example above to see which parts halve and which stay.
# - In Python `/` gives a float even where the division comes out even.
# - If only square filters come out right, look at what you do with the pair.


# %%
def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """Count the parameters of a convolution layer over images.

    The layer: y_j(u, v) = θ_0j + Σ_c Σ_a Σ_b θ_abcj x_c(u + a, v + b), the same θ at every position (u, v);
    with groups, c runs only over the input channels in the group of output channel j.

    Args:
        in_channels: number of channels c of the image, int.
        out_channels: number of channels j of the result, int.
        kernel_size: rows and columns of the filter, an int for both or a pair (height, width).
        groups: number of equal parts into which the channels are split, int.
        bias: whether the outputs have their θ_0j.

    Returns:
        The number of parameters, an int.

    Raises:
        ValueError: groups does not divide both in_channels and out_channels, or anything is less than 1.

    Source:
        Lecture, "More dimensions"; torch.nn.Conv2d. Groups: Krizhevsky et al. (2012), Xie et al. (2017).

    Example:
        >>> conv2d_parameters(3, 1, 2)
        13
    """
    kernel_height, kernel_width = as_pair(kernel_size)
    raise NotImplementedError("conv2d_parameters")


# %% [markdown]
# ## 5. A whole network: `network_parameters` (★★★, 20 minutes)
#
# A network is a list of layers, each a dictionary as in the table at the top. Some kinds learn nothing at
# all: think about which ones leave gradient descent nothing to change. One kind is new. **Batch
# normalisation** brings each channel to mean 0 and variance 1 over the batch, then gives it a *scale* and a
# *shift* of its own to learn:
#
# $$y_c = \gamma_c \, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c$$
#
# It also keeps running averages of $\mu_c$ and $\sigma_c^2$ for later. They are measured, not learned.
#
# The difficulty is that the dictionaries give only what comes *out* of a layer. What goes in is whatever the
# layers before have left, so the shape has to travel along with you; `output_shape` moves it one layer
# further. Watch it through a small network, for a batch of $5 \times 3 \times 9 \times 7$:
#
# | layer | shape after it | parameters |
# | --- | --- | --- |
# | conv2d, 4 channels, kernel 2 | (5, 4, 8, 6) | 52 |
# | batch_norm2d | (5, 4, 8, 6) | 8 |
# | leaky_relu | (5, 4, 8, 6) | 0 |
# | max_pool2d, kernel 2 | (5, 4, 4, 3) | 0 |
# | flatten | (5, 48) | 0 |
# | linear, 10 features | (5, 10) | 490 |
# | together | | 550 |
#
# > **Where the slides slip.** The code of the two-layer network calls `conv1` twice: the second convolution
# > should be `conv2`, a layer of its own with its own parameters. And its linear layer is drawn with the
# > input size alone: it reads all that the flatten lays out, $c_y \cdot b \cdot b$ numbers after a pooling to
# > $b \times b$, for each class.
#
# **Traps**
#
# - A shape may come with a batch axis or without. Which axis are the channels, counted from the end?
# - The number of images in a batch changes no count: all of them share one network.
# - If you are right until a `flatten`, print the shape before and after it.
# - The dictionaries belong to whoever calls you. Read from them, and leave them as you found them.


# %%
def network_parameters(input_shape, layers):
    """Count the learnable parameters of a network, layer by layer.

    Batch normalisation, y_c = γ_c (x_c − μ_c) / √(σ_c² + ε) + β_c, learns the scale γ_c and the shift β_c of
    each channel c; its running averages of μ_c and σ_c² are not parameters.

    Args:
        input_shape: what goes in: (C, H, W) or (B, C, H, W), a tuple of ints.
        layers: the network, a sequence of dictionaries with "kind" and settings, first layer first. They fit
            together, so you need not check that; none of them may be changed.

    Returns:
        The number of parameters of all layers together, an int.

    Source:
        Lecture, "Coding": two convolutions and a linear layer. Batch normalisation: Ioffe and Szegedy (2015).

    Example:
        >>> layers = [{"kind": "conv2d", "out_channels": 4, "kernel_size": 2}, {"kind": "batch_norm2d"}]
        >>> network_parameters((3, 9, 7), layers)
        60
    """
    shape = tuple(input_shape)
    raise NotImplementedError("network_parameters")


# %% [markdown]
# ### Look: where do the parameters sit?
#
# Here is the network of the lecture, for colour images of $128 \times 128$: convolution, leaky ReLU, average
# pooling to $4 \times 4$, convolution, leaky ReLU, average pooling to $2 \times 2$, flatten, linear. Beside
# it stands the same network without its two pooling layers. Which of the three layers with parameters is the
# largest in each? Write your guess down, then run the cell. The axis is logarithmic: from one tick to the
# next is ten times as much.
#
# *What the picture shows: horizontal bars for the three layers of both networks. The convolutions hold 416
# and 4,128 parameters in both; the linear layer holds 1,290 with pooling and about five million without it.*

# %% tags=["active-ipynb"]
# import matplotlib.pyplot as plt
#
# convolution, activation = {"kind": "conv2d", "out_channels": 32, "kernel_size": 2}, {"kind": "leaky_relu"}
# classifier = [{"kind": "flatten"}, {"kind": "linear", "out_features": 10}]
# pool4, pool2 = ({"kind": "adaptive_avg_pool2d", "output_size": size} for size in (4, 2))
# networks = {
#     "the lecture's": [convolution, activation, pool4, convolution, activation, pool2, *classifier],
#     "without pooling": [convolution, activation, convolution, activation, *classifier],
# }
#
#
# def parameters_by_layer(layers, input_shape=(3, 128, 128)):
#     """What each layer adds to the count of the network up to it, for the layers that add anything."""
#     totals = [network_parameters(input_shape, layers[:end]) for end in range(len(layers) + 1)]
#     return [after - before for before, after in zip(totals, totals[1:]) if after > before]
#
#
# try:
#     counts = {name: parameters_by_layer(layers) for name, layers in networks.items()}
# except NotImplementedError as unfinished:
#     print(f"Finish {unfinished} first, then run this cell again.")
# else:
#     figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
#     looks = [{"color": "#0072B2"}, {"color": "#D55E00", "hatch": "//"}]  # told apart without colour too
#     for offset, (name, count), look in zip((-0.2, 0.2), counts.items(), looks):
#         rows = [row + offset for row in range(len(count))]
#         label = f"{name}: {sum(count):,} in all"
#         bars = axes.barh(rows, count, height=0.38, edgecolor="white", label=label, **look)
#         axes.bar_label(bars, labels=[f"{number:,}" for number in count], padding=4)
#     axes.set_yticks(range(3), ["first convolution", "second convolution", "linear layer"])
#     axes.invert_yaxis()
#     axes.set(xscale="log", xlim=(100, 6e7), xlabel="parameters", title="Where the parameters sit")
#     axes.legend(loc="upper right")
#     plt.show()

# %% [markdown]
# ## Going further
#
# Nothing here is graded.
#
# - **Ask PyTorch.** `sum(p.numel() for p in model.parameters())` counts any model; compare it with yours for
#   the network of the lecture. Then look into `torch.nn.BatchNorm2d(4).state_dict()`: which of its five
#   entries are parameters?
# - **Every layer is a linear layer.** Can you write all five functions with `linear_parameters` and nothing
#   else? What does each kind of layer pass to it as `in_features`, and what does that say about locality?
# - **Parameters are not work.** The two convolutions of the lecture's network have 416 and 4,128 parameters.
#   The first runs at $127 \times 127$ positions, the second at $3 \times 3$. Which of them costs more
#   multiplications?
# - **Depthwise separable.** MobileNet replaces a $3 \times 3$ convolution by one with as many groups as
#   channels, followed by a plain $1 \times 1$ convolution (Howard et al., 2017). How many parameters does
#   that save from 64 to 128 channels?
# - **Two small for one large.** VGG stacks two $3 \times 3$ convolutions where others take one of
#   $5 \times 5$ (Simonyan and Zisserman, 2015). Both see $5 \times 5$ pixels. Which has fewer parameters, and
#   what else does it gain?
