# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   autograder:
#     title: Output shapes
#     order: 3
#     minutes: 75
#     libraries: [numpy]
#     forbidden: []
#     functions:
#       conv_output_length: {points: 20}
#       conv2d_output_shape: {points: 20, needs: [conv_output_length]}
#       pool2d_output_shape: {points: 15, needs: [conv_output_length, conv2d_output_shape]}
#       same_padding: {points: 10}
#       receptive_field: {points: 10}
#       network_output_shape: {points: 25, needs: [conv_output_length, conv2d_output_shape, pool2d_output_shape]}
# ---

# %% [markdown] name="title"
# # Output shapes
#
# A convolution layer is one small perceptron that slides over a signal and answers once per window. So the question "how large is the output?" is the question "at how many places does the window fit?", and you can answer it by looking. Here is the lecture's picture: the signal $x = [1\ 2\ 3\ 4\ 5]$, the filter $g = [1\ 2]$ drawn flipped as $[2\ 1]$, and every place at which it lies wholly inside the signal.
#
# ```
#      x     1   2   3   4   5
#
#    n = 0 [ 2   1 ]                  2·1 + 1·2 =  4
#    n = 1     [ 2   1 ]              2·2 + 1·3 =  7
#    n = 2         [ 2   1 ]          2·3 + 1·4 = 10
#    n = 3             [ 2   1 ]      2·4 + 1·5 = 13
# ```
#
# Four windows, four outputs. Padding makes the signal longer, stride skips windows, dilation makes the window wider, and the question stays the same. Turned around, the picture asks a second question: how much of the input does *one* output see? For one layer that is the window itself. For a chain of layers it is the *receptive field*, and it grows with every layer: this is how a deep network of tiny filters comes to see a whole face.
#
# Few things stop as many first attempts at deep learning as a shape that does not fit, and few are as easy to get right beforehand: everything here is arithmetic on whole numbers, without a single weight. By the end you will read a network's description and say what comes out of every layer, the lecture's network included.

# %% [markdown] name="how-to-work"
# ## How to work
#
# Six functions, about 75 minutes. Some build on others above them, so do call your own earlier functions. ★ is a warm-up, ★★★ wants paper and pencil. Replace each `raise NotImplementedError(...)` by your code; names and arguments stay as they are. The demonstrations in between draw what your functions say, and wait until these are finished.
#
# - **Shapes** are channels first, as in PyTorch: one image is $(C, H, W)$, a batch is $(B, C, H, W)$, and an answer has as many entries as the question. Height comes before width, everywhere.
# - **An int or a pair.** In two dimensions `kernel_size`, `stride`, `padding`, `dilation` and `output_size` are each an int, which serves both axes, or a pair (height, width).
# - **Whole numbers stay whole.** A layer with 4.0 outputs does not exist: answers are ints, and a float counts as wrong.
# - **A shape that cannot be** is a `ValueError`, raised where it arises rather than found three layers later. The docstring of each function says when.
# - **Leave the arguments as you found them**, lists and layer dictionaries too.

# %% name="imports"
import math


# %% name="given"
def as_pair(value):
    """The pair (height, width) that an argument stands for: an int serves both axes, a pair stays as it is."""
    return value if isinstance(value, tuple) else (value, value)


# %% [markdown] name="about-demonstrations"
# The next cell prepares the demonstrations. There is nothing to do in it.

# %% name="demo-setup" tags=["active-ipynb"]
# import matplotlib.pyplot as plt
# import numpy as np
#
# BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#888888"  # told apart by colour-blind eyes too
#
#
# def show(draw, *arguments):
#     """Draw a figure; while a function that it needs is unfinished, name that function instead."""
#     try:
#         draw(*arguments)
#     except NotImplementedError as unfinished:
#         print(f"Finish {unfinished} first, then run this cell again.")

# %% [markdown] name="about-conv-output-length"
# ## 1. How many windows fit? `conv_output_length` (★★, 15 minutes)
#
# A signal of length $T$, with $p$ zeros added at **each** end, is read by a filter of $k$ taps. Neighbouring taps are $d$ samples apart (*dilation*, a stretch topic; $d = 1$ is the ordinary filter), and neighbouring windows are $s$ samples apart (*stride*). So window $n$ starts at sample $n s$ of the padded signal and its last tap lies on sample $n s + d\,(k - 1)$. The output has one sample for each
#
# $$ n = 0, 1, 2, \dots \qquad\text{with}\qquad n s + d\,(k - 1) \;\le\; T + 2p - 1. $$
#
# Count them, for signals of any length, without a loop.
#
# **By hand.** $T = 8$, $k = 3$, $s = 2$, no padding: the windows start at 0, 2 and 4 and the last of them reads samples 4, 5, 6. A window that starts at 6 would need a sample 8 that is not there. Three outputs; sample 7 is read by nobody. With dilation 3 instead of stride 2 a window reaches from its first tap over 6 further samples, so only the starts 0 and 1 are left.
#
# **Traps.** Walk through the smallest cases before you trust a formula: a filter exactly as long as the signal fits *once*. What is left over at the end is dropped, and no part of a window counts. A filter longer than the padded signal fits nowhere: see what your arithmetic makes of that when the stride is 2 or 3.
#
# > **Where the slide slips.** One slide gives the length of a convolution as $T - k$. Count the windows in the picture above: $T = 5$, $k = 2$, and there are four. It is $T - k + 1$, because the first window counts too.


# %% name="conv_output_length"
def conv_output_length(length, kernel_size, stride=1, padding=0, dilation=1):
    """Length of what a one-dimensional convolution layer returns: the number of windows that fit.

    There is one output for each n = 0, 1, 2, ... with
    n * stride + dilation * (kernel_size - 1) <= length + 2 * padding - 1, as in torch.nn.Conv1d.

    Args:
        length: samples in the signal, an int.
        kernel_size: taps of the filter, an int.
        stride: samples from the start of one window to the start of the next, an int.
        padding: zeros added at each of the two ends, an int.
        dilation: samples from one tap to the next, an int.

    Returns:
        The number of outputs, an int.

    Raises:
        ValueError: length, kernel_size, stride or dilation is less than 1, padding is less than 0, or not even
            one window fits.

    Source: lecture, "Convolution" and "More dimensions" (stride, padding); Dumoulin and Visin, A guide to
        convolution arithmetic for deep learning (2016).

    Example:
        >>> conv_output_length(5, 2)
        4
        >>> conv_output_length(8, 3, stride=2)
        3
    """
    ### BEGIN SOLUTION
    if min(length, kernel_size, stride, dilation) < 1:
        raise ValueError("length, kernel_size, stride and dilation must be at least 1")
    if padding < 0:
        raise ValueError(f"padding must not be negative, got {padding}")
    window = dilation * (kernel_size - 1) + 1  # from the first tap to the last
    output = (length + 2 * padding - window) // stride + 1  # as many steps as fit, and the first window
    if output < 1:
        raise ValueError(f"a window of {window} does not fit into {length} samples padded by {padding}")
    return output
    ### END SOLUTION


# %% [markdown] name="about-demo-windows"
# **Look at your windows.** If you counted right, the last row ends within the signal and no further row would fit; a row too many hangs out on the right. Change the numbers in the last line.
#
# *The figure has one row for each output that your function promises: grey dots are the signal, open dots the padding, and joined blue dots the taps of each window, which move to the right by two samples from row to row.*

# %% name="demo-windows" tags=["active-ipynb"]
# def draw_windows(length, kernel_size, stride, padding, dilation):
#     outputs = conv_output_length(length, kernel_size, stride, padding, dilation)
#     figure, axes = plt.subplots(figsize=(9, 1.5 + 0.35 * outputs))
#     positions = np.arange(-padding, length + padding)
#     inside = (positions >= 0) & (positions < length)
#     axes.scatter(positions[inside], np.full(inside.sum(), -1), s=90, color=GREY, label="signal")
#     axes.scatter(positions[~inside], np.full((~inside).sum(), -1), s=90, color="white", edgecolor="grey", label="padding")
#     for n in range(outputs):
#         taps = n * stride - padding + dilation * np.arange(kernel_size)
#         axes.plot(taps, np.full(kernel_size, n), "-o", color=BLUE, label="taps of a window" if n == 0 else None)
#     axes.axvspan(-padding - 0.5, length + padding - 0.5, color=GREY, alpha=0.2)
#     axes.set(
#         xlabel="sample",
#         ylabel="output n",
#         yticks=range(outputs),
#         title=f"T = {length}, k = {kernel_size}, stride {stride}, padding {padding}, dilation {dilation}: {outputs} outputs",
#     )
#     axes.invert_yaxis()
#     axes.legend(loc="lower left")
#     plt.show()
#
#
# show(draw_windows, 17, 3, 2, 2, 3)

# %% [markdown] name="about-conv2d-output-shape"
# ## 2. The shape of a convolution layer's output: `conv2d_output_shape` (★★, 15 minutes)
#
# In an image the window slides down and to the right, and the two directions know nothing of each other: what you counted for one axis you count for each of two. The channels do not slide. Every filter reads *all* $c_x$ channels of its window at once and writes one channel, so $c_y$ filters make $c_y$ channels. The images of a batch do not meet at all.
#
# **By hand.** A picture of $8 \times 10$ with 3 channels, 5 filters of $2 \times 3$ (height 2, width 3), stride 1: there are 7 places going down and 8 going right, so $(3, 8, 10)$ becomes $(5, 7, 8)$, and a batch $(11, 3, 8, 10)$ becomes $(11, 5, 7, 8)$.
#
# **Traps.** Try it with an image that is not square and a pair that is not symmetric: on squares a swapped height and width cannot be seen. The number of channels that come in matters for the weights (the next assignment), not for the shape that comes out.
#
# > **Where the slide slips.** The slide with the Conv2d layer in code gives its output as $(1, c_y, h - k, w - k)$; for filters of $k \times k$ it is $(1, c_y, h - k + 1, w - k + 1)$, so 127 and not 126 for the lecture's image of 128 and $k = 2$. The leading 1 is the batch of one that the slide feeds in: a single image without a batch axis gets none. And where a slide draws the filter with "height $k + 1$, width $k$": it is $k \times k$.


# %% name="conv2d_output_shape"
def conv2d_output_shape(input_shape, out_channels, kernel_size, stride=1, padding=0, dilation=1):
    """Shape of what a two-dimensional convolution layer returns, for one image or a batch.

    (C, H, W) becomes (out_channels, H', W'), and (B, C, H, W) becomes (B, out_channels, H', W'), where
    H' and W' follow from H and W as in conv_output_length, each with its own kernel size, stride, padding and dilation.

    Args:
        input_shape: (C, H, W) or (B, C, H, W), a tuple of ints.
        out_channels: the number of filters, an int.
        kernel_size: size of the filters, an int or a pair (height, width).
        stride: step of the window, an int or a pair.
        padding: zeros added on each side (top and bottom, left and right), an int or a pair.
        dilation: distance of neighbouring taps, an int or a pair.

    Returns:
        The output's shape, a tuple of as many ints as input_shape has.

    Raises:
        ValueError: as in conv_output_length, on either axis.

    Source: lecture, "More dimensions" and "Coding"; torch.nn.Conv2d.

    Example:
        >>> conv2d_output_shape((1, 3, 128, 128), 32, 2)
        (1, 32, 127, 127)
        >>> conv2d_output_shape((3, 8, 10), 5, (2, 3))
        (5, 7, 8)
    """
    ### BEGIN SOLUTION
    height_and_width = map(  # heights with heights, widths with widths
        conv_output_length,
        input_shape[-2:],
        as_pair(kernel_size),
        as_pair(stride),
        as_pair(padding),
        as_pair(dilation),
    )
    return (*input_shape[:-3], out_channels, *height_and_width)
    ### END SOLUTION


# %% [markdown] name="about-demo-picture"
# **Look at stride and padding.** An $8 \times 8$ binary picture in the manner of the lecture's, read by a $2 \times 2$ filter three times: at every place, with stride 2, and with stride 2 down and 3 across after padding by one. Counting dots counts outputs.
#
# *Three panels show the same face of grey pixels. Each blue outline is one window with an orange dot in its middle: overlapping windows everywhere in the first panel, sixteen side by side in the second, and fewer with gaps between their columns in the third, where the frame of zeros that padding adds is hatched.*

# %% name="demo-picture" tags=["active-ipynb"]
# PICTURE = np.array([[int(pixel) for pixel in row] for row in (
#     "00111100", "01000010", "10100101", "10000001", "10100101", "10011001", "01000010", "00111100",
# )])
#
#
# def draw_picture(settings):
#     shapes = [conv2d_output_shape((1, *PICTURE.shape), 1, 2, stride, padding) for stride, padding in settings]
#     figure, panels = plt.subplots(1, len(settings), figsize=(4 * len(settings), 4.4))
#     for axes, (stride, padding), shape in zip(panels, settings, shapes):
#         (down, right), (top, left) = as_pair(stride), as_pair(padding)
#         height, width = PICTURE.shape
#         axes.imshow(PICTURE, cmap="Greys", vmax=2.5)
#         frame = plt.Rectangle(
#             (-left - 0.5, -top - 0.5), width + 2 * left, height + 2 * top, fill=False, hatch="////", color=GREY, zorder=-1
#         )
#         axes.add_patch(frame)
#         for row in range(shape[-2]):
#             for column in range(shape[-1]):
#                 corner = (column * right - left - 0.42, row * down - top - 0.42)
#                 axes.add_patch(plt.Rectangle(corner, 1.84, 1.84, fill=False, color=BLUE, linewidth=0.9))
#                 axes.plot(column * right - left + 0.5, row * down - top + 0.5, ".", color=ORANGE, markersize=9)
#         axes.set(
#             title=f"stride {stride}, padding {padding}\n{(1, *PICTURE.shape)} → {shape}",
#             xlim=(-2, width + 1),
#             ylim=(height + 1, -2),
#             xlabel="column",
#             ylabel="row",
#         )
#     figure.tight_layout()
#     plt.show()
#
#
# show(draw_picture, [(1, 0), (2, 0), ((2, 3), 1)])

# %% [markdown] name="about-pool2d-output-shape"
# ## 3. Pooling: `pool2d_output_shape` (★★, 10 minutes)
#
# A pooling layer slides a window just as a convolution layer does, and takes the mean or the largest value of what it sees instead of a weighted sum. Two things differ. It works on each channel by itself, so **the channels stay**. And it is there to shrink: unless told otherwise its windows lie side by side without overlap, so **the stride is the kernel size** where none is given. What does not fill a window at the end is dropped, as before.
#
# **By hand.** $(3, 7, 9)$ pooled by $2 \times 4$: three windows go down (one row is left over), two across (one column is left over): $(3, 3, 2)$. With stride 1 it would be $(3, 6, 6)$.
#
# **Traps.** The stride may be a pair and so may the window that it defaults to. Padding in pooling is kept small, so that no window sees more padding than image: as in PyTorch, more than half a kernel size of it is an error, on either axis. Exactly half is fine.


# %% name="pool2d_output_shape"
def pool2d_output_shape(input_shape, kernel_size, stride=None, padding=0):
    """Shape of what a two-dimensional max or average pooling layer returns, for one image or a batch.

    (C, H, W) becomes (C, H', W'), and (B, C, H, W) becomes (B, C, H', W'); only windows that fit count, as in
    torch.nn.MaxPool2d and torch.nn.AvgPool2d.

    Args:
        input_shape: (C, H, W) or (B, C, H, W), a tuple of ints.
        kernel_size: size of the window, an int or a pair (height, width).
        stride: step of the window, an int or a pair; None stands for kernel_size.
        padding: rows or columns added on each side, an int or a pair.

    Returns:
        The output's shape, a tuple of as many ints as input_shape has.

    Raises:
        ValueError: as in conv_output_length, on either axis, and where padding > kernel_size / 2 on either axis.

    Source: lecture, "Convolutional networks" (pooling); torch.nn.MaxPool2d.

    Example:
        >>> pool2d_output_shape((3, 7, 9), (2, 4))
        (3, 3, 2)
    """
    ### BEGIN SOLUTION
    (height, width), (rows, columns) = as_pair(kernel_size), as_pair(padding)
    if 2 * rows > height or 2 * columns > width:
        raise ValueError(f"padding {padding} is more than half of kernel_size {kernel_size}")
    stride = kernel_size if stride is None else stride
    return conv2d_output_shape(input_shape, input_shape[-3], kernel_size, stride, padding)
    ### END SOLUTION


# %% [markdown] name="about-same-padding"
# ## 4. Keeping the length: `same_padding` (★, 5 minutes)
#
# A convolution layer makes the signal a little shorter, so a deep network would run out of signal. The remedy is to add as much padding as the filter takes away: the $p$ for which, at stride 1, the output is as long as the input, whatever the length $T$.
#
# **By hand.** A filter of 3 taps takes away 2 samples, one at each end: $p = 1$. Five taps with dilation 2 reach over 9 samples and take away 8: $p = 4$.
#
# **Traps.** Padding comes in twos, once at each end. A filter of 2 taps takes away a single sample, and no whole number makes up for that: say so with a `ValueError` instead of returning something that is nearly right. Then look again: are all even filters lost, or does dilation (stretch) rescue some of them?


# %% name="same_padding"
def same_padding(kernel_size, dilation=1):
    """Padding with which a convolution at stride 1 returns a signal as long as the one it was given.

    The p with conv_output_length(T, kernel_size, stride=1, padding=p, dilation=dilation) == T for every T.

    Args:
        kernel_size: taps of the filter, an int.
        dilation: samples from one tap to the next, an int.

    Returns:
        The zeros to add at each end, an int.

    Raises:
        ValueError: no whole number of zeros at each end keeps the length.

    Source: lecture, "More dimensions" (padding); Dumoulin and Visin (2016), half padding.

    Example:
        >>> same_padding(3)
        1
        >>> same_padding(5, dilation=2)
        4
    """
    ### BEGIN SOLUTION
    lost = dilation * (kernel_size - 1)  # by how much the output falls short, both ends together
    if lost % 2:
        raise ValueError(f"{kernel_size} taps at dilation {dilation} take away {lost} samples, an odd number")
    return lost // 2
    ### END SOLUTION


# %% [markdown] name="about-receptive-field"
# ## 5. How much does one output see? `receptive_field` (★★★, 15 minutes, stretch)
#
# Pick one output at the end of a chain of layers and follow its wires back: to the $k$ outputs of the layer before that its window reads, from each of those to *its* window, and so on down to the input. The stretch of input that it can see, from the first sample to the last, is its **receptive field**. It is the chain's answer to *locality*: information that lies further apart than this can never meet in one output.
#
# Output $n$ of a layer reads samples $n s,\; n s + d,\; \dots,\; n s + (k - 1) d$ of what comes before it. That sentence is all that you need.
#
# **By hand.** Two layers: first $k = 3$ with stride 2, then $k = 3$ with stride 1. The last output reads three outputs of the first layer. Those are 2 input samples apart, because the first layer skips: they see samples 0–2, 2–4 and 4–6. Together 0–6: the receptive field is 7. Swap the two layers and it is 5: which layer comes first matters.
#
# ```
#   output          ●               layer 2: k = 3, stride 1
#                 / | \
#            ●      ●      ●        layer 1: k = 3, stride 2
#          / | \  / | \  / | \
#         ●  ●  ●   ●   ●  ●  ●     7 input samples
# ```
#
# **Traps.** Windows of neighbours overlap, and what two of them share counts once. A layer's stride spreads out what comes *after* it; think about which strides the last layer's window feels, and whether its own stride matters at all. With dilation the field reaches from the first tap to the last; count the stretch, the skipped samples within it included. And an empty chain is the input itself: each "output" sees one sample.


# %% name="receptive_field"
def receptive_field(layers):
    """Number of input samples, along one axis, from the first to the last that one output of a chain sees.

    Output n of a layer reads the samples n * stride + i * dilation, i = 0, ..., kernel_size - 1, of the layer before.
    Samples within that stretch which a dilated window skips are counted.

    Args:
        layers: a sequence of (kernel_size, stride) or (kernel_size, stride, dilation), tuples of ints; the layer that
            reads the input comes first. Dilation is 1 where it is not given.

    Returns:
        The receptive field in samples, an int; 1 for an empty chain.

    Source: lecture, "Signal processing" (locality) and "Deeper networks"; Araujo, Norris and Sim, Computing
        receptive fields of convolutional neural networks, Distill (2019).

    Example:
        >>> receptive_field([(3, 2), (3, 1)])
        7
        >>> receptive_field([(3, 1), (3, 2)])
        5
    """
    layers = [(*layer, 1)[:3] for layer in layers]  # (kernel_size, stride, dilation), each of them
    ### BEGIN SOLUTION
    field = 1  # input samples that one output sees
    jump = 1  # input samples between two neighbouring outputs
    for kernel_size, stride, dilation in layers:
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% [markdown] name="about-demo-receptive-field"
# **Look at the cone.** The figure follows the wires of one output back to the input. The larger a dot, the more ways lead to it: the middle of a receptive field has more to say than its edge. The orange bar below is as long as your function says. It should cover the coloured inputs exactly, from the first to the last. Try the chain backwards, or dilations 1, 2, 4 with kernel size 2 and no stride, and watch the field double with each layer.
#
# *A row of dots for the input and one for each layer above it. One blue dot at the top is joined by lines to the dots that it reads, those to theirs, and so on down, in a cone that widens; dots outside it are small and grey. An orange bar lies below the inputs of the cone.*

# %% name="demo-receptive-field" tags=["active-ipynb"]
# def draw_cone(layers, length=24):
#     field = receptive_field(layers)
#     wires, sees = [], [np.eye(length)]  # sees[level][n, t]: the ways from output n of that level to input sample t
#     for kernel_size, stride, dilation in [(*layer, 1)[:3] for layer in layers]:
#         outputs = np.arange(conv_output_length(len(sees[-1]), kernel_size, stride, 0, dilation))
#         wires.append(np.zeros((len(outputs), len(sees[-1]))))
#         for i in range(kernel_size):
#             wires[-1][outputs, outputs * stride + i * dilation] = 1
#         sees.append(wires[-1] @ sees[-1])
#     ways = [np.eye(len(sees[-1]))[len(sees[-1]) // 2]]  # how often the output in the middle reads each dot
#     for wire in wires[::-1]:
#         ways.insert(0, ways[0] @ wire)
#     places = [see @ np.arange(length) / see.sum(axis=1) for see in sees]  # each dot above the middle of what it sees
#
#     figure, axes = plt.subplots(figsize=(10, 1.5 + 1.1 * len(layers)))
#     for level, (place, count) in enumerate(zip(places, ways)):
#         sizes = np.where(count > 0, 25 + 120 * count / count.max(), 12)
#         axes.scatter(place, np.full(len(place), level), s=sizes, color=np.where(count > 0, BLUE, GREY), zorder=3)
#     for level, wire in enumerate(wires):
#         for n, tap in np.argwhere(wire * ways[level + 1][:, None]):
#             ends = [places[level][tap], places[level + 1][n]]
#             axes.plot(ends, [level, level + 1], color=BLUE, alpha=0.35, linewidth=1)
#     first = np.flatnonzero(ways[0])[0]
#     axes.plot([first - 0.4, first + field - 0.6], [-0.45, -0.45], color=ORANGE, linewidth=5)
#     names = ["input"] + [f"layer {number}: {layer}" for number, layer in enumerate(layers, 1)]
#     axes.set(yticks=range(len(names)), yticklabels=names, xlabel="input sample")
#     axes.set_title(f"receptive_field({layers}) = {field}")
#     axes.spines[["top", "right", "left"]].set_visible(False)
#     plt.show()
#
#
# show(draw_cone, [(3, 2), (3, 1), (2, 1, 2)])

# %% [markdown] name="about-network-output-shape"
# ## 6. A whole network: `network_output_shape` (★★★, 15 minutes)
#
# A network is a list of layers, each a dictionary with its `"kind"` and the arguments of that kind under their usual names. What comes out of one goes into the next. This is the lecture's network, for images with 3 channels and 10 classes:
#
# ```python
# [
#     {"kind": "conv2d", "out_channels": 32, "kernel_size": 2},
#     {"kind": "leaky_relu"},
#     {"kind": "adaptive_avg_pool2d", "output_size": 4},
#     {"kind": "conv2d", "out_channels": 64, "kernel_size": 2},
#     {"kind": "leaky_relu"},
#     {"kind": "adaptive_avg_pool2d", "output_size": 2},
#     {"kind": "flatten"},
#     {"kind": "linear", "out_features": 10},
# ]
# ```
#
# | kind | arguments | what it does to a shape |
# | --- | --- | --- |
# | `conv2d` | out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True | as in part 2; groups (stretch) and bias change which weights there are, not the shape |
# | `max_pool2d`, `avg_pool2d` | kernel_size, stride=None, padding=0 | as in part 3 |
# | `adaptive_avg_pool2d` | output_size: an int or a pair | the image becomes *exactly* that large, whatever it was; channels stay |
# | `leaky_relu`, `relu`, `batch_norm2d` | | nothing |
# | `flatten` | | $(B, C, H, W)$ becomes $(B,\; C H W)$, and $(C, H, W)$ becomes $(C H W,)$ |
# | `linear` | out_features, bias=True | the last entry becomes out_features |
#
# **By hand.** A batch of 5 images, $(5, 3, 128, 128)$, through the lecture's network: $(5, 32, 127, 127)$, the same after the leaky ReLU, then $(5, 32, 4, 4)$, $(5, 64, 3, 3)$, the same, $(5, 64, 2, 2)$, $(5, 256)$ and at last $(5, 10)$: ten scores for each image.
#
# **Traps.** A batch must survive flattening, or the images of a batch would run into one long vector. An argument that a dictionary leaves out has its default; reading the dictionary is fine, taking things out of it is not. A linear layer wants features, so one that meets an image before any `flatten` is a mistake of whoever wrote the network: `ValueError`, and so is a kind that nobody knows.
#
# > **Where the slide slips.** The two-layer network on the slides applies conv1 twice. The second time it is conv2: its input has the channels that conv1 wrote, so conv1 would not even fit. And its linear layer is written with one size only; it needs two, how many features come in, $c_y \cdot b \cdot b$ after pooling to $b \times b$, and how many go out, one per class.


# %% name="network_output_shape"
def network_output_shape(input_shape, layers):
    """Shape of what a network returns, for one image or a batch.

    Args:
        input_shape: (C, H, W) or (B, C, H, W), a tuple of ints.
        layers: a sequence of dictionaries, first layer first; "kind" names the layer, the other keys are its arguments,
            and what has a default may be left out:
            "conv2d" (out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True),
            "max_pool2d" and "avg_pool2d" (kernel_size, stride=None, padding=0),
            "adaptive_avg_pool2d" (output_size: an int or a pair),
            "leaky_relu", "relu", "batch_norm2d" (nothing),
            "flatten" (nothing): (B, C, H, W) becomes (B, C * H * W), and (C, H, W) becomes (C * H * W,),
            "linear" (out_features, bias=True).

    Returns:
        The shape after the last layer, a tuple of ints.

    Raises:
        ValueError: a kind is unknown, or a linear layer comes before flatten.

    Source: lecture, "Coding" (the network in PyTorch and in JAX).

    Example:
        >>> head = [{"kind": "flatten"}, {"kind": "linear", "out_features": 10}]
        >>> network_output_shape((5, 32, 4, 4), head)
        (5, 10)
    """
    ### BEGIN SOLUTION
    shape = tuple(input_shape)
    for layer in layers:
        # Groups and bias change the weights, not the shape.
        arguments = {name: value for name, value in layer.items() if name not in ("kind", "groups", "bias")}
        match layer["kind"]:
            case "conv2d":
                shape = conv2d_output_shape(shape, **arguments)
            case "max_pool2d" | "avg_pool2d":
                shape = pool2d_output_shape(shape, **arguments)
            case "adaptive_avg_pool2d":
                shape = (*shape[:-2], *as_pair(layer["output_size"]))
            case "leaky_relu" | "relu" | "batch_norm2d":
                pass
            case "flatten":
                shape = (*shape[:-3], math.prod(shape[-3:]))
            case "linear":
                if len(shape) > 2:
                    raise ValueError(f"a linear layer needs flattened features, got the shape {shape}")
                shape = (*shape[:-1], layer["out_features"])
            case kind:
                raise ValueError(f"unknown kind of layer: {kind!r}")
    return shape
    ### END SOLUTION


# %% [markdown] name="about-demo-network"
# **Look through the network.** How many numbers leave each layer of the lecture's network, for a batch of five images of $128 \times 128$? Nearly all the memory of this network goes into its first layer, before pooling, and ten numbers per image are left at the end.
#
# *Nine horizontal bars on a logarithmic axis, one for the input and one for each layer, with the shape written beside each: the longest are the first convolution and its leaky ReLU with (5, 32, 127, 127), the shortest is the linear layer with (5, 10).*

# %% name="demo-network" tags=["active-ipynb"]
# LECTURE_NETWORK = [
#     {"kind": "conv2d", "out_channels": 32, "kernel_size": 2},
#     {"kind": "leaky_relu"},
#     {"kind": "adaptive_avg_pool2d", "output_size": 4},
#     {"kind": "conv2d", "out_channels": 64, "kernel_size": 2},
#     {"kind": "leaky_relu"},
#     {"kind": "adaptive_avg_pool2d", "output_size": 2},
#     {"kind": "flatten"},
#     {"kind": "linear", "out_features": 10},
# ]
#
#
# def draw_network(input_shape, layers):
#     shapes = [tuple(input_shape)]
#     shapes += [network_output_shape(input_shape, layers[:count]) for count in range(1, len(layers) + 1)]
#     names = ["input"] + [layer["kind"] for layer in layers]
#     figure, axes = plt.subplots(figsize=(9, 0.45 * len(shapes) + 1))
#     values = [math.prod(shape) for shape in shapes]
#     axes.barh(range(len(shapes)), values, color=BLUE)
#     for row, (shape, value) in enumerate(zip(shapes, values)):
#         axes.text(value * 1.15, row, str(shape), va="center")
#     axes.set(
#         xscale="log",
#         xlim=(1, 200 * max(values)),
#         yticks=range(len(names)),
#         yticklabels=names,
#         xlabel="numbers that leave the layer",
#         title="The lecture's network, layer by layer",
#     )
#     axes.invert_yaxis()
#     axes.spines[["top", "right"]].set_visible(False)
#     plt.show()
#
#
# show(draw_network, (5, 3, 128, 128), LECTURE_NETWORK)

# %% [markdown] name="going-further"
# ## Going further
#
# - **Ask PyTorch.** `torch.nn.Conv2d(3, 32, 2)(torch.zeros(1, 3, 128, 128)).shape` settles any doubt about parts 1 to 3. With `device="meta"` for layer and input it does so without computing a single product.
# - **Undo it.** A transposed convolution goes from the small shape back to the large one. Which lengths does a given output length come from, and why does PyTorch need an `output_padding` to choose between them?
# - **Grow the field.** WaveNet (van den Oord et al., 2016) stacks layers of 2 taps with dilations 1, 2, 4, …, 512. Ten tiny layers: how much sound does one output hear? How many layers without dilation would it take?
# - **See it fade.** Luo et al., *Understanding the effective receptive field in deep convolutional neural networks* (2016), show that the dots of your cone shrink towards the edge like a bell curve.
# - **Round up.** PyTorch's pooling layers have a `ceil_mode`. Work out when it makes a difference, and look up the rule for windows that would start in the padding.
# - Vincent Dumoulin and Francesco Visin, *A guide to convolution arithmetic for deep learning* (2016), draw every case of this assignment.
