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
#     title: A convolution layer of your own
#     order: 5
#     minutes: 240
#     libraries: [numpy, torch]
#     forbidden: [
#       torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d,
#       torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d,
#       torch.nn.LazyConv1d, torch.nn.LazyConv2d, torch.nn.LazyConv3d,
#       torch.nn.LazyConvTranspose1d, torch.nn.LazyConvTranspose2d, torch.nn.LazyConvTranspose3d,
#       torch.nn.modules.Conv1d, torch.nn.modules.Conv2d, torch.nn.modules.Conv3d,
#       torch.nn.modules.ConvTranspose1d, torch.nn.modules.ConvTranspose2d, torch.nn.modules.ConvTranspose3d,
#       torch.nn.modules.LazyConv1d, torch.nn.modules.LazyConv2d, torch.nn.modules.LazyConv3d,
#       torch.nn.modules.LazyConvTranspose1d, torch.nn.modules.LazyConvTranspose2d,
#       torch.nn.modules.LazyConvTranspose3d, torch.nn.modules.conv,
#       torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d,
#       torch.nn.functional.conv_transpose1d, torch.nn.functional.conv_transpose2d,
#       torch.nn.functional.conv_transpose3d, torch.nn.functional.conv_tbc, torch.nn.grad,
#       torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_tbc,
#       torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d,
#       torch.convolution, torch._convolution, torch._convolution_mode,
#       torch.mkldnn_convolution, torch.cudnn_convolution, torch.cudnn_convolution_transpose,
#       torch.cudnn_convolution_relu, torch.cudnn_convolution_add_relu,
#       torch.miopen_convolution, torch.miopen_convolution_transpose, torch.miopen_depthwise_convolution,
#       torch.miopen_convolution_relu, torch.miopen_convolution_add_relu,
#       torch._mps_convolution, torch._mps_convolution_transpose, torch._nnpack_spatial_convolution,
#       torch.ops.aten.conv1d, torch.ops.aten.conv2d, torch.ops.aten.conv3d, torch.ops.aten.conv_tbc,
#       torch.ops.aten.conv_tbc_backward, torch.ops.aten.conv_transpose1d, torch.ops.aten.conv_transpose2d,
#       torch.ops.aten.conv_transpose3d, torch.ops.aten.conv_depthwise3d, torch.ops.aten._conv_depthwise2d,
#       torch.ops.aten.convolution, torch.ops.aten.convolution_overrideable,
#       torch.ops.aten.convolution_backward, torch.ops.aten.convolution_backward_overrideable,
#       torch.ops.aten._convolution, torch.ops.aten._convolution_mode,
#       torch.ops.aten._convolution_double_backward, torch.ops.aten.thnn_conv2d,
#       torch.ops.aten.slow_conv3d, torch.ops.aten.slow_conv3d_forward,
#       torch.ops.aten._slow_conv2d_forward, torch.ops.aten._slow_conv2d_backward,
#       torch.ops.aten.slow_conv_dilated2d, torch.ops.aten.slow_conv_dilated3d,
#       torch.ops.aten.slow_conv_transpose2d, torch.ops.aten.slow_conv_transpose3d,
#       torch.ops.aten.mkldnn_convolution, torch.ops.aten.cudnn_convolution,
#       torch.ops.aten.cudnn_convolution_transpose, torch.ops.aten.cudnn_convolution_relu,
#       torch.ops.aten.cudnn_convolution_add_relu, torch.ops.aten.miopen_convolution,
#       torch.ops.aten.miopen_convolution_transpose, torch.ops.aten.miopen_depthwise_convolution,
#       torch.ops.aten.miopen_convolution_relu, torch.ops.aten.miopen_convolution_add_relu,
#       torch.ops.aten._mps_convolution, torch.ops.aten._mps_convolution_transpose,
#       torch.ops.aten.mps_convolution_backward, torch.ops.aten.mps_convolution_transpose_backward,
#       torch.ops.aten._nnpack_spatial_convolution,
#       torch.ops.mkldnn, torch.ops.mkldnn_prepacked, torch.ops.onednn, torch.ops.quantized,
#       torch.ops._quantized, torch._C._nn, torch._C._VariableFunctions,
#       torch.nn.intrinsic, torch.nn.qat, torch.nn.quantized, torch.ao.nn,
#       torch.autograd.functional, torch.func.grad, torch.func.grad_and_value, torch.func.vjp, torch.func.jvp,
#       torch.func.jacrev, torch.func.jacfwd, torch.func.hessian, torch.func.linearize]
#     functions:
#       Conv2d: {points: 75}
#       conv2d_backward: {points: 25, forbidden: [
#         torch.autograd.backward, torch.autograd.grad, torch.autograd.graph._engine_run_backward,
#         torch.autograd.forward_ad]}
# ---

# %% [markdown] name="why"
# # A convolution layer of your own
#
# Cover a photograph with a card that has a small square hole in it, and slide the card along, row by row. At every
# stop you see a few pixels only, and you ask the same question about them: *is there an edge here?* Write each
# answer down where you stopped, and you have drawn a second picture, which is bright wherever the answer was yes.
# That picture is a **feature map**, the hole is the **window**, and the question is a **filter**: a handful of
# weights, reused at every position. This is why a convolution layer has both properties of the lecture. It is
# *local*, as an answer depends on one window, and it is *translation equivariant*, as an edge that moves in the
# photograph moves in the feature map, too.
#
# In earlier assignments the filter was given. In a layer it is learned, and there is not one but $c_x \cdot c_y$ of
# them: each of the $c_y$ feature maps going out listens to each of the $c_x$ channels coming in. Here you build that
# layer, `Conv2d`, the way PyTorch has it: padding, stride, the initial values, everything that lets an optimiser
# train it, and, if you like, dilation and groups. Then you open the box that autograd has kept shut so far, and
# work out by hand which way each weight must move: `conv2d_backward`. When you are done, nothing in a
# convolutional network is magic any more.
#
# | | what you write | difficulty | time |
# | --- | --- | --- | --- |
# | practice, no points | `conv1d_layer`: the lecture's small perceptron on every window of a signal | ★ | 20 min |
# | 75 points | `Conv2d`: the layer (dilation and groups, 15 of the points, are a stretch) | ★★★ | 130 min |
# | 25 points, stretch | `conv2d_backward`: its gradients, in NumPy | ★★★ | 90 min |
#
# **House rules.** Torch's own convolutions under any name (`torch.nn.Conv2d`, `torch.nn.functional.conv2d`,
# `torch.conv2d`, the transposed ones and so on) are not to be called in what you hand in; everything else that torch
# and NumPy offer is fine, `unfold`, `einsum`, `as_strided`, `matmul` and the Fourier transform included. Using
# `torch.nn.Conv2d` in a cell of your own, to compare with, is no offence but a very good idea.

# %% name="imports"
import contextlib
import math

import numpy as np
import torch


# %% name="given"
def pair(value):
    """Return (height, width), given either one integer for both or the pair itself.

    Example:
        >>> pair(3), pair((2, 5))
        ((3, 3), (2, 5))
    """
    return value if isinstance(value, tuple) else (value, value)


@contextlib.contextmanager
def when_finished():
    """Run a demonstration; where it meets a function that is still to be written, say so and go on."""
    try:
        yield
    except NotImplementedError as unfinished:
        print(f"Finish {unfinished} first, then run this cell again.")
    except ImportError as missing:
        print(f"This picture needs {missing.name}: run %pip install scikit-learn, then this cell again.")


# %% [markdown] name="about-conv1d-layer"
# ## Practice: one small perceptron, every window
#
# *★, about 20 minutes, no points: this is to warm up, and half of `Conv2d` is in it.*
#
# The lecture takes one small perceptron, bias and activation included, and applies it to every window of a signal:
#
# $$y(0) = \sigma(\theta_0 + \theta_1 x(0) + \theta_2 x(1)), \qquad
#   y(1) = \sigma(\theta_0 + \theta_1 x(1) + \theta_2 x(2)), \qquad \dots$$
#
# with the leaky ReLU $\sigma(z) = \max(0.1\, z,\; z)$. A signal may have several channels (the left and the right
# microphone), and a layer has several neurons. Then each neuron $o$ has a weight for every channel $c$ and every tap
# $a$ of the window, and one bias:
#
# $$y(o, n) = \sigma\Big(\theta_o + \sum_{c=0}^{c_x-1} \sum_{a=0}^{k-1} w(o, c, a)\; x(c, n + a)\Big)$$
#
# **By hand.** The signal $x = [1\; 2\; 3\; 4\; 5]$ and the weights $[2\; 1]$ with bias $0$ give
# $2 \cdot 1 + 1 \cdot 2 = 4$, then $2 \cdot 2 + 1 \cdot 3 = 7$, then $10$ and $13$: the lecture's example, where
# $[2\; 1]$ is the filter $g = [1\; 2]$ drawn flipped. With the bias $-8$ the sums are $-4, -1, 2, 5$, and the leaky
# ReLU makes them $-0.4, -0.1, 2, 5$.
#
# **Traps.** The bias is added once per window, not once per tap or channel. The activation comes after the sum, not
# before it. There are $T - k + 1$ windows, so a filter as long as the signal has one.
#
# > **Where the slide slips.** The slide on ReLU gives it the slope 1 at $z = 0$. It has a corner there and no slope at all;
# > any number from 0 to 1 serves, and PyTorch takes 0. Leaky ReLU has the same corner, between its slopes $0.1$ and $1$.


# %% name="conv1d_layer"
def conv1d_layer(x, weight, bias, slope=0.1):
    """Apply the same small perceptrons, bias and leaky ReLU included, to every window of a signal.

    y(o, n) = σ(bias(o) + Σ_c Σ_a weight(o, c, a) x(c, n + a)) with σ(z) = max(slope z, z)

    Args:
        x: tensor (c_x, T), a signal of c_x channels and T samples.
        weight: tensor (c_y, c_x, k), the filters of c_y neurons.
        bias: tensor (c_y,), one per neuron.
        slope: the slope of the leaky ReLU for negative sums.

    Returns:
        Tensor (c_y, T - k + 1), of the dtype of x.

    Source:
        Lecture *Convolution*, part 4 (convolutional networks).

    Example:
        >>> conv1d_layer(torch.tensor([[1.0, 2, 3, 4, 5]]), torch.tensor([[[2.0, 1]]]), torch.tensor([-8.0]))
        tensor([[-0.4000, -0.1000,  2.0000,  5.0000]])
    """
    ### BEGIN SOLUTION
    windows = x.unfold(-1, weight.shape[-1], 1)  # (c_x, T - k + 1, k)
    sums = torch.einsum("cnk,ock->on", windows, weight) + bias[:, None]
    return torch.maximum(slope * sums, sums)
    ### END SOLUTION


# %% [markdown] name="see-conv1d-layer"
# **See it work.** One neuron likes what rises, another what falls, and the leaky ReLU lets a tenth of the opposite
# answer through.
#
# *The figure shows a signal that steps up and down above two feature maps: the first is tall where the signal rises,
# the second where it falls, and both go a little below zero where the other one is tall.*

# %% name="demo-signal" tags=["active-ipynb"]
# with when_finished():
#     import matplotlib.pyplot as plt
#
#     steps = torch.tensor([0.0] * 8 + [1.0] * 10 + [0.4] * 8 + [0.9] * 6 + [0.0] * 8)
#     rise_and_fall = torch.tensor([[[-1.0, 1.0]], [[1.0, -1.0]]])
#     maps = conv1d_layer(steps[None], rise_and_fall, torch.zeros(2))
#
#     figure, axes = plt.subplots(3, 1, figsize=(8, 5), sharex=True, layout="constrained")
#     axes[0].step(range(len(steps)), steps, where="mid", color="black")
#     axes[0].set_title("signal x(t)")
#     for axis, feature_map, name in zip(axes[1:], maps, ["weights [-1 1]: rises", "weights [1 -1]: falls"]):
#         axis.stem(feature_map, basefmt="grey")
#         axis.set_title(f"feature map of the neuron with {name}")
#     axes[-1].set_xlabel("first sample of the window")
#     plt.show()

# %% [markdown] name="about-feature-maps"
# ## Feature maps and the sliding window
#
# An image goes in as $c_x$ channels of height $H$ and width $W$ (three for red, green and blue), channel first, and
# a layer sends out $c_y$ feature maps. PyTorch wants a batch of $B$ images at once: $(B, c_x, H, W)$ in, and
# $(B, c_y, H', W')$ out. The window is now $k_h \times k_w$ pixels wide, and it reaches through *all* channels, so
# one filter is a block of $c_x \cdot k_h \cdot k_w$ weights. For the feature map $o$ at the position $(i, j)$:
#
# $$y(o, i, j) = \theta_o + \sum_{c=0}^{c_x-1} \sum_{a=0}^{k_h-1} \sum_{b=0}^{k_w-1} w(o, c, a, b)\; x(c, i + a, j + b)$$
#
# This is your `conv1d_layer` with one more direction, and without the activation: in PyTorch the activation is a layer
# of its own, so a `Conv2d` ends with the bias.
#
# **By hand.** One channel, one filter, no bias:
#
# $$x = \begin{bmatrix} 1 & 2 & 0 & 1 \\ 0 & 1 & 3 & 1 \\ 2 & 0 & 1 & 0 \end{bmatrix}, \quad
#   w = \begin{bmatrix} 1 & 2 \\ 0 & -1 \end{bmatrix}, \quad
#   y = \begin{bmatrix} 4 & -1 & 1 \\ 2 & 6 & 5 \end{bmatrix}$$
#
# The top left entry is $1 \cdot 1 + 2 \cdot 2 + 0 \cdot 0 - 1 \cdot 1 = 4$. A window of $2 \times 2$ fits into three
# columns and two rows of positions: the map is $(3 - 2 + 1) \times (4 - 2 + 1)$.
#
# > **Where the slide slips.** The code slide gives the output of the layer as $(1, c_y, h - k, w - k)$. It is
# > $(1, c_y, h - k + 1, w - k + 1)$: the $128 \times 128$ image under a kernel of 2 comes out as $127 \times 127$. And
# > where a slide says that the filter has "height $k + 1$, width $k$", it has $k \times k$ taps per channel.
#
# ### Cross-correlation against convolution
#
# The convolution of the lecture, $\sum_\tau x(t - \tau)\, g(\tau)$, runs through the filter backwards: draw $g$ flipped,
# then slide. The formula above does not flip. It multiplies the window with the weights as they are stored, and that is
# called **cross-correlation**. Turn $w$ of the example by 180°, and the top left answer is
# $-1 \cdot 1 + 0 \cdot 2 + 2 \cdot 0 + 1 \cdot 1 = 0$ instead of $4$. For a learned filter the difference is a matter of
# taste, since training finds the flipped weights as easily as the others. For given weights, and so for the tests
# and for every trained network that you may load, it is not.
#
# > **Where the slide slips.** PyTorch's `Conv2d` is called a convolution, and computes a cross-correlation: no flip.
# > Yours does the same.
#
# ### Stride and padding
#
# **Padding** $p$ puts $p$ rows of zeros above the image and $p$ below, $p$ columns of zeros to its left and $p$ to its right.
# **Stride** $s$ moves the window by $s$ pixels instead of one, so that fewer answers are written down. Both may be one
# number for both directions, or a pair (height, width). A window that no longer fits is left out:
#
# $$H' = \Big\lfloor \frac{H + 2p - k_h}{s} \Big\rfloor + 1$$
#
# ### Stretch: dilation and groups
#
# **Dilation** $d$ spreads the taps out: neighbouring weights meet pixels $d$ apart, so a filter with 3 taps and
# dilation 2 spans 5 pixels and still has 3 weights. With all of it, and $x = 0$ outside the image:
#
# $$y(o, i, j) = \theta_o + \sum_{c, a, b} w(o, c, a, b)\; x(c,\; s\,i + d\,a - p,\; s\,j + d\,b - p)$$
#
# **Groups** cut the channels, in order, into $g$ equal parts, and each part is a small layer of its own: the first
# $c_y / g$ feature maps see the first $c_x / g$ channels only, and so on. A filter then reaches through $c_x / g$ channels.
# With as many groups as channels it is called *depthwise*, and MobileNet is made of little else.
#
# ### Initial values
#
# The lecture draws initial weights at random in $\pm\sqrt{6} / \sqrt{d_x + d_y}$ (Glorot), where $d_x$ and $d_y$ count
# what goes into a neuron and what its output feeds. In a convolution layer an output sums up
# $\text{fan}_\text{in} = c_x / g \cdot k_h \cdot k_w$ products, and a pixel takes part in
# $\text{fan}_\text{out} = c_y / g \cdot k_h \cdot k_w$ of them (leaving the rim of the image aside), so
#
# $$w \sim \text{uniform in} \pm\sqrt{\frac{6}{\text{fan}_\text{in} + \text{fan}_\text{out}}}, \qquad \theta = 0 .$$

# %% [markdown] name="about-conv2d"
# ## `Conv2d`, the layer
#
# *★★★, about 130 minutes: 20 for the constructor, 70 for stride 1 without padding, 40 for the rest. 75 points.*
#
# There are two places to fill in. The **constructor** checks the channels and makes the two tensors that the layer
# learns. PyTorch finds them (`parameters()`, `.double()`, `.to("cuda")`, saving and loading) only if they are
# `torch.nn.Parameter` attributes. `forward` computes the formula. Whatever you write it with, it has to stay within
# torch, so that the gradient of a loss finds its way back to the weights.
#
# A good order: one image, one channel, one filter with loops over positions; then look for the loops you can do
# without. There are four families of loops in the formula (images and maps, positions, channels, taps), and the fast
# solutions keep at most the shortest of them. Compare with `torch.nn.Conv2d` in a cell of your own after every step:
# give both layers the same weights.
#
# **Common traps**
#
# | what you see | where to look |
# | --- | --- |
# | right for the blur, wrong for the edge filter | a symmetric filter hides a flip: test with one that is not |
# | right for squares, wrong for rectangles | height and width, in this order, wherever there is a pair; `torch.nn.functional.pad` counts from the last axis |
# | "size of tensor a must match the size of tensor b", or stripes | a bias of shape $(c_y,)$ meets $(B, c_y, H', W')$: to which axis does broadcasting put it? |
# | the picture comes out torn into diagonal stripes | `reshape` never moves an axis past another |
# | training changes nothing | are the weights parameters? does `.detach()`, `.data`, `.item()` or NumPy cut the graph? |
# | `.double()` complains, or the result has few digits | a tensor made in `forward` has a dtype and a device, too: whose? |
# | one image $(c_x, H, W)$ without a batch fails | such an image is welcome, and its answer has no batch axis either |
#
# **Errors.** A `ValueError` is due in the constructor, where the channels in or out cannot be divided by the groups, and in
# `forward`, where the image has the wrong number of channels or of axes. (Broadcasting would happily accept a grey image
# for a layer that wants three colours. That is worse than an error.)


# %% name="Conv2d"
class Conv2d(torch.nn.Module):
    """A convolution layer: the cross-correlation of images with learned filters, plus a bias per feature map.

    y(o, i, j) = bias(o) + Σ_c Σ_a Σ_b weight(o, c, a, b) x(c, stride i + dilation a − padding, …),
    where x is 0 outside the image, and c runs through the channels of the group of o.

    Args:
        in_channels: c_x, channels of an image.
        out_channels: c_y, feature maps.
        kernel_size: (height, width) of the window, or one integer for both. So also the next three.
        stride: how many pixels the window moves.
        padding: how many zeros surround the image on each side.
        dilation: how many pixels apart the taps are.
        groups: into how many independent parts the channels are cut.
        bias: whether there is a bias.

    Attributes:
        weight: Parameter (c_y, c_x / groups, kernel height, kernel width), initially uniform in
            ±√(6 / (fan_in + fan_out)), fan_in = c_x / groups · height · width, fan_out = c_y / groups · height · width.
        bias: Parameter (c_y,), initially zero, or None.

    Raises:
        ValueError: where in_channels or out_channels is not divisible by groups.

    Source:
        Lecture *Convolution*, parts 5 and 7; initial values: part 1, and Glorot and Bengio, 2010.

    Example:
        >>> layer = Conv2d(3, 32, kernel_size=2)
        >>> layer(torch.zeros(1, 3, 128, 128)).shape
        torch.Size([1, 32, 127, 127])
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
    ):
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = pair(kernel_size), pair(stride)
        self.padding, self.dilation = pair(padding), pair(dilation)
        ### BEGIN SOLUTION
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{in_channels} and {out_channels} channels cannot be cut into {groups} groups")
        taps = math.prod(self.kernel_size)
        fan_in, fan_out = in_channels // groups * taps, out_channels // groups * taps
        bound = math.sqrt(6 / (fan_in + fan_out))
        weight = torch.empty(out_channels, in_channels // groups, *self.kernel_size)
        self.weight = torch.nn.Parameter(weight.uniform_(-bound, bound))
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None
        ### END SOLUTION

    def forward(self, x):
        """Slide the filters over one image or over a batch of images.

        Args:
            x: tensor (B, c_x, H, W) or (c_x, H, W), with the weight's dtype and device.

        Returns:
            Tensor (B, c_y, H', W') or (c_y, H', W'), with the same dtype and device, differentiable.

        Raises:
            ValueError: where x has the wrong number of channels or of axes.
        """
        ### BEGIN SOLUTION
        if x.ndim not in (3, 4) or x.shape[-3] != self.in_channels:
            raise ValueError(f"expected (B, {self.in_channels}, H, W) or one image, got {tuple(x.shape)}")
        if x.ndim == 3:
            return self.forward(x[None])[0]

        (stride_h, stride_w), (pad_h, pad_w) = self.stride, self.padding
        (dilation_h, dilation_w), (kernel_h, kernel_w) = self.dilation, self.kernel_size
        padded = torch.nn.functional.pad(x, (pad_w, pad_w, pad_h, pad_h))
        windows = padded.unfold(2, dilation_h * (kernel_h - 1) + 1, stride_h)
        windows = windows.unfold(3, dilation_w * (kernel_w - 1) + 1, stride_w)
        windows = windows[..., ::dilation_h, ::dilation_w]  # still a view: (B, c_x, H', W', k_h, k_w)
        height, width = windows.shape[2:4]

        # One window per column and one filter per row: a single matrix product answers for all positions.
        columns = windows.permute(0, 1, 4, 5, 2, 3).reshape(len(x), self.groups, -1, height * width)
        filters = self.weight.reshape(self.groups, self.out_channels // self.groups, -1)
        maps = (filters @ columns).reshape(len(x), self.out_channels, height, width)
        return maps if self.bias is None else maps + self.bias[:, None, None]
        ### END SOLUTION


# %% [markdown] name="see-lecture-picture"
# **See it work: an 8 × 8 picture.** A binary picture of 8 × 8 pixels, as in the lecture, and its filter
# $\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}$.
#
# *The figure shows the picture with a thick stroke running down to the right and a thin one running down to the left, and
# beside it the feature map of 7 × 7 numbers, which is 2 where the picture runs along the filter's diagonal, 1 where half of
# it does, and 0 elsewhere.*

# %% name="demo-lecture-picture" tags=["active-ipynb"]
# with when_finished():
#     import matplotlib.pyplot as plt
#
#     rows = ["1.....1.", "11...1..", ".11.1...", "..11....", "..111...", ".1..11..", "1....11.", "......11"]
#     picture = torch.tensor([[float(pixel == "1") for pixel in row] for row in rows])
#     layer = Conv2d(1, 1, kernel_size=2, bias=False)
#     with torch.no_grad():
#         layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
#         feature_map = layer(picture[None])[0]
#
#     figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
#     for axis, values, title in zip(axes, [picture, feature_map], ["picture x(u, v)", "feature map y(i, j)"]):
#         axis.imshow(values, cmap="cividis", vmin=0, vmax=2)
#         axis.set_title(f"{title}: {values.shape[0]} × {values.shape[1]}")
#         for (row, column), value in np.ndenumerate(values.numpy()):
#             axis.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if value < 0.5 else "black")
#         axis.set_xticks([])
#         axis.set_yticks([])
#     plt.show()

# %% [markdown] name="see-photograph"
# **See it work: a photograph under hand-made filters.** One layer with four filters of 3 × 3 looks at a photograph of a
# Chinese pavilion. Why is there a thin coloured line around two of the maps? To a filter the rim of a padded picture is an
# edge like any other.
#
# *The figure shows the grey photograph and its four feature maps: the edges between left and right (the columns and window
# frames stand out), the edges between top and bottom (the eaves do), a blur, and the photograph sharpened, with every leaf
# etched.*

# %% name="demo-photograph" tags=["active-ipynb"]
# with when_finished():
#     import matplotlib.pyplot as plt
#     from sklearn.datasets import load_sample_image
#
#     colours = torch.tensor(load_sample_image("china.jpg") / 255.0, dtype=torch.float32)
#     photograph = colours.mean(dim=-1)[None]  # one grey channel, (1, 427, 640)
#     filters = {
#         "left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
#         "top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
#         "blur": [[1 / 9] * 3] * 3,
#         "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
#     }
#     layer = Conv2d(1, len(filters), kernel_size=3, padding=1, bias=False)
#     with torch.no_grad():
#         layer.weight.copy_(torch.tensor(list(filters.values()))[:, None])
#         maps = layer(photograph)
#
#     places = [["photograph"] * 2 + ["left to right", "top to bottom"], ["photograph"] * 2 + ["blur", "sharpen"]]
#     figure, axes = plt.subplot_mosaic(places, figsize=(15, 5.2), layout="constrained")
#     for title, image in zip(["photograph", *filters], [photograph[0], *maps]):
#         edges = title in ("left to right", "top to bottom")
#         axes[title].imshow(image, cmap="PuOr" if edges else "gray", vmin=-1.5 if edges else 0, vmax=1.5 if edges else 1)
#         axes[title].set_title(title)
#         axes[title].axis("off")
#     plt.show()

# %% [markdown] name="see-learning"
# **See it learn.** Nobody tells this layer what an edge is. It sees pictures of pure noise, and with each the answer
# "brightness one pixel to the right minus brightness one pixel to the left", and gradient descent does the rest. Had your
# layer flipped its filters, it would have found the mirror image, and the same loss. If nothing moves, the weights are no
# parameters or the graph is cut.
#
# *The figure shows the 3 × 3 weights before training and after 5, 20 and 100 steps, from random values to a clean −1 on the
# left and +1 on the right of the middle row, and beside them the loss, which falls by many powers of ten.*

# %% name="demo-learning" tags=["active-ipynb"]
# with when_finished():
#     import matplotlib.pyplot as plt
#
#     torch.manual_seed(1)
#     layer = Conv2d(1, 1, kernel_size=3)
#     optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
#     losses, snapshots = [], {}
#     for step in range(101):
#         if step in (0, 5, 20, 100):
#             snapshots[step] = layer.weight.detach()[0, 0].clone()
#         noise = torch.randn(8, 1, 17, 23)
#         answer = noise[:, :, 1:-1, 2:] - noise[:, :, 1:-1, :-2]
#         loss = (layer(noise) - answer).square().mean()
#         optimizer.zero_grad()
#         loss.backward()
#         optimizer.step()
#         losses.append(loss.item())
#
#     figure, axes = plt.subplots(1, 5, figsize=(15, 3), layout="constrained")
#     for axis, (step, weights) in zip(axes, snapshots.items()):
#         shown = axis.imshow(weights, cmap="PuOr", vmin=-1, vmax=1)
#         axis.set_title(f"after {step} steps")
#         axis.set_xticks([])
#         axis.set_yticks([])
#     figure.colorbar(shown, ax=axes[3], label="weight")
#     axes[4].semilogy(losses, color="black")
#     axes[4].set_xlabel("step")
#     axes[4].set_title("mean squared error")
#     plt.show()

# %% [markdown] name="about-conv2d-backward"
# ## Stretch: `conv2d_backward`, the gradients by hand
#
# *★★★, about 90 minutes, most of them with pencil and paper. 25 points.*
#
# A loss $L$ follows somewhere after the layer, and somebody hands you $\partial L / \partial y$, one number for each output:
# how much the loss would change, were this output a little larger. What does the layer have to pass on? By the chain rule
# every number that went in is charged for *every* output that it took part in:
#
# $$\frac{\partial L}{\partial w} = \sum_{\text{outputs } y} \frac{\partial L}{\partial y} \frac{\partial y}{\partial w}$$
#
# and likewise for $x$ and for the biases $\theta$. As $y$ is a sum of products $w \cdot x$, each $\partial y / \partial w$ is
# the pixel that this weight met there, and each $\partial y / \partial x$ is the weight that this pixel met. All the rest
# is bookkeeping: who met whom?
#
# **By hand.** One row is enough to see it. Let $x = [1\; 2\; 3]$, $w = [2\; {-1}]$, so $y = [0\; 1]$, and let
# $\partial L / \partial y = [1\; 10]$.
#
# - The weight $2$ met the pixel 1 in the first output and the pixel 2 in the second: $1 \cdot 1 + 10 \cdot 2 = 21$. The
#   other weight gets $1 \cdot 2 + 10 \cdot 3 = 32$.
# - The middle pixel met the weight $-1$ in the first output and $2$ in the second: $1 \cdot (-1) + 10 \cdot 2 = 19$. The outer
#   pixels were seen once each: $\partial L / \partial x = [2\; 19\; {-10}]$.
# - The bias took part in both outputs, with the factor 1: $1 + 10 = 11$.
#
# **Common traps**
#
# | what you see | where to look |
# | --- | --- |
# | right for one image, wrong for a batch | whose gradients add up over the batch, and whose do not? nothing is averaged, since $\partial L / \partial y$ holds that already |
# | right at stride 1 only | which pixels does the output $(i, j)$ look at when the window moves by $s$? |
# | `grad_x` has too few rows | at a stride some last rows may never be read; they are still pixels of $x$, and what is their gradient? |
# | right with padding, empty without | `[0:-0]` is an empty slice |
# | the numbers are right but mirrored | compare the example: in which order does a pixel meet the weights as the window passes over it? |
# | right until $x$ holds integers | an array made like $x$ has the dtype of $x$ |
#
# No autograd here, please: the function is to find the gradients, not to ask for them.


# %% name="conv2d_backward"
def conv2d_backward(grad_output, x, weight, stride=1, padding=0):
    """Return the gradients of a loss with respect to the input, the weights and the biases of a Conv2d.

    ∂L/∂w = Σ ∂L/∂y · ∂y/∂w over all outputs y of all images, and likewise for x and the biases.

    Args:
        grad_output: array (B, c_y, H', W'), ∂L/∂y.
        x: array (B, c_x, H, W), the images that went in.
        weight: array (c_y, c_x, k_h, k_w), the filters.
        stride: int, of the layer in both directions.
        padding: int, of the layer on all four sides.

    Returns:
        (grad_x, grad_weight, grad_bias), arrays of the shapes of x, of weight, and (c_y,). What a stride leaves unread
        gets zero.

    Source:
        The chain rule, as in the lecture's review of gradient descent; Dumoulin and Visin, *A guide to convolution
        arithmetic for deep learning*, 2016, for pictures.

    Example:
        >>> x, weight, grad_output = [[[[1, 2, 3]]]], [[[[2, -1]]]], [[[[1, 10]]]]
        >>> for gradient in conv2d_backward(grad_output, x, weight):
        ...     print(gradient.ravel())
        [  2.  19. -10.]
        [21. 32.]
        [11.]
    """
    grad_output, x, weight = (np.asarray(array, dtype=float) for array in (grad_output, x, weight))
    ### BEGIN SOLUTION
    height, width = x.shape[2:]
    out_height, out_width = grad_output.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    grad_padded, grad_weight = np.zeros_like(padded), np.zeros_like(weight)
    for a, b in np.ndindex(weight.shape[2:]):
        # The pixels that tap (a, b) meets, one for each output.
        rows = slice(a, a + stride * (out_height - 1) + 1, stride)
        columns = slice(b, b + stride * (out_width - 1) + 1, stride)
        met = padded[:, :, rows, columns]
        grad_weight[:, :, a, b] = np.einsum("boij,bcij->oc", grad_output, met, optimize=True)
        grad_padded[:, :, rows, columns] += np.einsum("boij,oc->bcij", grad_output, weight[:, :, a, b])
    grad_x = grad_padded[:, :, padding : padding + height, padding : padding + width]
    return grad_x, grad_weight, grad_output.sum(axis=(0, 2, 3))
    ### END SOLUTION


# %% [markdown] name="see-autograd"
# **See it agree.** Autograd differentiates your `Conv2d`, and your `conv2d_backward` does it by hand. The cell prints the
# largest difference between the two for each gradient; in double precision all three should be below $10^{-12}$.

# %% name="demo-autograd" tags=["active-ipynb"]
# with when_finished():
#     torch.manual_seed(2)
#     layer = Conv2d(3, 5, kernel_size=(2, 3), stride=2, padding=1).double()
#     x = torch.randn(2, 3, 8, 7, dtype=torch.float64, requires_grad=True)
#     y = layer(x)
#     grad_output = torch.randn_like(y)
#     y.backward(grad_output)
#     by_hand = conv2d_backward(
#         grad_output.numpy(), x.detach().numpy(), layer.weight.detach().numpy(), stride=2, padding=1
#     )
#     for name, gradient, by_autograd in zip(["x", "weight", "bias"], by_hand, [x.grad, layer.weight.grad, layer.bias.grad]):
#         print(f"∂L/∂{name}: largest difference {np.abs(np.asarray(gradient) - by_autograd.numpy()).max():.1e}")

# %% [markdown] name="see-unread"
# **See who is read how often.** With ones for the weights and for $\partial L / \partial y$, the gradient of a pixel counts the
# windows it took part in.
#
# *The figure shows these counts for a picture of 10 × 14 pixels under a kernel of 3: at stride 1 the middle is read nine times
# and a corner once; at stride 2 a chequered weave of 1, 2 and 4, whose last row and last column are never read at all; at
# stride 4 single islands with unread streets between them.*

# %% name="demo-unread" tags=["active-ipynb"]
# with when_finished():
#     import matplotlib.pyplot as plt
#
#     pixels, ones, reads = np.zeros((1, 1, 10, 14)), np.ones((1, 1, 3, 3)), {}
#     for stride in (1, 2, 4):
#         outputs = np.ones((1, 1, (10 - 3) // stride + 1, (14 - 3) // stride + 1))
#         reads[stride] = np.asarray(conv2d_backward(outputs, pixels, ones, stride=stride)[0])[0, 0]
#
#     figure, axes = plt.subplots(1, 3, figsize=(14, 3.6), layout="constrained")
#     for axis, (stride, counts) in zip(axes, reads.items()):
#         axis.imshow(counts, cmap="cividis", vmin=0, vmax=9)
#         axis.set_title(f"stride {stride}")
#         for (row, column), count in np.ndenumerate(counts):
#             axis.text(column, row, f"{count:.0f}", ha="center", va="center", color="white" if count < 5 else "black")
#         axis.axis("off")
#     plt.show()

# %% [markdown] name="going-further"
# ## Going further
#
# - Count: how many multiplications does your layer need for the lecture's image (3 channels, 128 × 128, 32 filters, kernel 2)?
#   How many would a `Linear` layer with the same input and output need, and how many parameters?
# - Time your layer against `torch.nn.Conv2d` on a batch of 8 images with 16 channels, 64 × 64, and 32 filters of 3 × 3. A factor
#   of three is good work. Where does the time go: into the products, or into laying out the windows?
# - The input gradient of a strided layer spreads small maps over large ones. Used as a *forward* pass it is called a transposed
#   convolution, and decoders and image generators grow their pictures with it.
# - A convolution is a product in the frequency domain, so `torch.fft` computes a layer, too. From which kernel size on is it
#   faster than your `forward`?
# - Dumoulin and Visin, *A guide to convolution arithmetic for deep learning* (2016), has the pictures for every combination of
#   stride, padding and dilation. Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
#   networks* (2010), is where the initial values come from.
