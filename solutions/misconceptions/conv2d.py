"""What students get wrong about a convolution layer and its gradients, each as the code that it leads to."""

import math

import numpy as np
import torch
from conv2d import Conv2d as RightConv2d
from conv2d import conv2d_backward as right_backward


def _with(layer, **changes):
    """The right layer with some of its settings or weights replaced, in the same graph."""
    twin = RightConv2d.__new__(RightConv2d)
    twin.__dict__ = layer.__dict__ | changes
    return twin


def _check(layer, x):
    """Raise what the right layer raises for x."""
    if x.ndim not in (3, 4) or x.shape[-3] != layer.in_channels:
        raise ValueError("wrong number of channels or axes")


# What the window sees


class FlippedKernel(RightConv2d):
    """replaces: Conv2d

    You turn each filter by 180° before you slide it. That is the convolution of the lecture's formula; PyTorch's Conv2d
    is a cross-correlation and meets the window with the weights as they are stored. Try the small picture of the handout.
    """

    def forward(self, x):
        return _with(self, weight=self.weight.flip(-2, -1)).forward(x)


class TransposedKernel(RightConv2d):
    """replaces: Conv2d

    Rows and columns of the filter have changed places: the tap in row 0, column 1 meets the pixel in row 1, column 0.
    A symmetric filter cannot tell, and neither can a square one by its shape. Watch the order in which taps are
    laid out when windows or filters are flattened.
    """

    def forward(self, x):
        swapped = {"kernel_size": self.kernel_size[::-1], "dilation": self.dilation[::-1]}
        return _with(self, weight=self.weight.transpose(-2, -1), **swapped).forward(x)


class AllZeros(RightConv2d):
    """replaces: Conv2d

    The shape is right, and every output is zero. Is the array that you return the one that your loop fills, and
    does anything of the image arrive in it?
    """

    def forward(self, x):
        return super().forward(x) * 0


class FirstChannelOnly(RightConv2d):
    """replaces: Conv2d

    Only the first channel of the image has a say. A filter of the lecture reaches through all channels at once: what
    red, green and blue contribute at a position is added up.
    """

    def forward(self, x):
        weight = torch.cat([self.weight[:, :1], torch.zeros_like(self.weight[:, 1:])], dim=1)
        return _with(self, weight=weight).forward(x)


class ChannelsAveraged(RightConv2d):
    """replaces: Conv2d

    You average over the channels of the image. A neuron is a weighted sum, and the weights are all it has to say about
    how much each channel counts: nothing is divided.
    """

    def forward(self, x):
        return _with(self, weight=self.weight / self.weight.shape[1]).forward(x)


class LastWindowDropped(RightConv2d):
    """replaces: Conv2d

    The last row and the last column of every feature map are missing. The slide says h − k, but a window of k pixels has
    h − k + 1 places in h pixels: count them for h = 3 and k = 2.
    """

    def forward(self, x):
        return super().forward(x)[..., :-1, :-1]


class KernelOneTaller(RightConv2d):
    """replaces: Conv2d

    Your filters have one row too many. A slide speaks of height k + 1 and width k, and that is a slip: a filter has
    as many rows as the kernel size says.
    """

    def __init__(self, in_channels, out_channels, kernel_size, *rest, **options):
        height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        super().__init__(in_channels, out_channels, (height + 1, width), *rest, **options)


class KernelPairSwapped(RightConv2d):
    """replaces: Conv2d

    A kernel size of (2, 3) means height 2 and width 3, in this order, as the image has its axes. Yours comes
    out as a filter of height 3 and width 2.
    """

    def __init__(self, in_channels, out_channels, kernel_size, *rest, **options):
        swapped = kernel_size[::-1] if isinstance(kernel_size, tuple) else kernel_size
        super().__init__(in_channels, out_channels, swapped, *rest, **options)


class ActivationInside(RightConv2d):
    """replaces: Conv2d

    Your layer applies the leaky ReLU to its outputs. The lecture draws bias and activation as parts of one small
    perceptron, but PyTorch keeps the activation as a layer of its own: a Conv2d ends with the bias.
    """

    def forward(self, x):
        return torch.nn.functional.leaky_relu(super().forward(x), 0.1)


class ReshapedNotTransposed(RightConv2d):
    """replaces: Conv2d

    The numbers are right, and stand in the wrong places: the feature maps look torn into stripes. Reshaping reads numbers
    in the order in which they lie and cannot carry one axis past another; if the map is your last axis, it must be moved first.
    """

    def forward(self, x):
        y = super().forward(x)
        return y.movedim(-3, -1).reshape(y.shape)


# Stride and padding


class StrideIgnored(RightConv2d):
    """replaces: Conv2d

    Your window moves by one pixel whatever the stride is. A stride of s skips positions, and the
    feature map shrinks to about one part in s on each side.
    """

    def forward(self, x):
        return _with(self, stride=(1, 1)).forward(x)


class StridePairSwapped(RightConv2d):
    """replaces: Conv2d

    A stride of (3, 2) moves the window down by 3 and to the right by 2: height first, then width, as everywhere. Yours
    does it the other way round, which equal strides cannot show.
    """

    def forward(self, x):
        return _with(self, stride=self.stride[::-1]).forward(x)


class WindowLostToStride(RightConv2d):
    """replaces: Conv2d

    At some sizes you lose the last window. Dividing the number of positions by the stride rounds away one that
    still fits; count how many steps fit after the first window instead.
    """

    def forward(self, x):
        y = super().forward(x)
        extents = (d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))
        height, width = (
            (side + 2 * p - extent + 1) // s
            for side, p, extent, s in zip(x.shape[-2:], self.padding, extents, self.stride, strict=True)
        )
        return y[..., :height, :width]


class PaddingIgnored(RightConv2d):
    """replaces: Conv2d

    The padding has no effect: no zeros surround your image. Draw an image of 3 × 3 with padding 1 on paper, and count
    its rows and columns before you slide the window.
    """

    def forward(self, x):
        return _with(self, padding=(0, 0)).forward(x)


class PaddingOnOneSide(RightConv2d):
    """replaces: Conv2d

    All of your zeros lie below the image and to its right. Padding p means p rows above and p below, p columns to the left
    and p to the right, so that the image stays in the middle.
    """

    def forward(self, x):
        _check(self, x)
        height, width = self.padding
        padded = torch.nn.functional.pad(x, (0, 2 * width, 0, 2 * height))
        return _with(self, padding=(0, 0)).forward(padded)


class PaddingCountedOnce(RightConv2d):
    """replaces: Conv2d

    You pad above and to the left only, and your feature maps come out too small. Padding p adds p rows of zeros at the
    top and p more at the bottom, and so for the columns.
    """

    def forward(self, x):
        _check(self, x)
        height, width = self.padding
        return _with(self, padding=(0, 0)).forward(torch.nn.functional.pad(x, (width, 0, height, 0)))


class PaddingPairSwapped(RightConv2d):
    """replaces: Conv2d

    Your padding for the height ends up on the width, and the other way round. A pair is (height, width); mind that
    torch's padding function wants the last axis first.
    """

    def forward(self, x):
        return _with(self, padding=self.padding[::-1]).forward(x)


class PaddingWidthOnly(RightConv2d):
    """replaces: Conv2d

    You pad to the left and to the right, but not above and below. Torch's padding function begins with the last axis and
    leaves alone every axis that you do not mention.
    """

    def forward(self, x):
        return _with(self, padding=(0, self.padding[1])).forward(x)


class PaddingRepeatsBorder(RightConv2d):
    """replaces: Conv2d

    Your padding repeats the pixels of the border. The lecture's padding, and PyTorch's default, is a frame of zeros.
    """

    def forward(self, x):
        _check(self, x)
        height, width = self.padding
        padded = torch.nn.functional.pad(x, (width, width, height, height), mode="replicate")
        return _with(self, padding=(0, 0)).forward(padded)


# The bias


class BiasLeftOut(RightConv2d):
    """replaces: Conv2d

    The bias is there, but it is never added. Each feature map has one, the θ with index 0 of the lecture's small perceptron.
    """

    def forward(self, x):
        return _with(self, bias=None).forward(x)


class BiasPerTap(RightConv2d):
    """replaces: Conv2d

    You add the bias once for every product of the sum. The perceptron sums up its products first,
    over all taps and channels, and adds its bias once.
    """

    def forward(self, x):
        bias = None if self.bias is None else self.bias * self.weight[0].numel()
        return _with(self, bias=bias).forward(x)


class BiasOnWrongAxis(RightConv2d):
    """replaces: Conv2d

    Broadcasting lines shapes up from the right, so your biases meet the columns of the image: it fails, or, where there happen
    to be as many columns as maps, gives stripes. A bias belongs to a feature map. On which axis of the output do the maps lie?
    """

    def forward(self, x):
        y = _with(self, bias=None).forward(x)
        return y if self.bias is None else y + self.bias


# What makes it a layer that learns


class WeightsNotRegistered(RightConv2d):
    """replaces: Conv2d

    Your weights are a plain tensor. They compute as they should, but the layer does not know them: no optimiser finds them, and no
    conversion to another dtype or device takes them along. PyTorch has a class for tensors that a module learns.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        weight = self.weight.detach().clone()
        del self.weight
        self.weight = weight.requires_grad_()


class BiasNotRegistered(RightConv2d):
    """replaces: Conv2d

    Your bias is a plain tensor, so it stays zero for ever: the optimiser does not find it, and a conversion to
    another dtype or device leaves it behind. It is a parameter like the weights.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        bias = self.bias
        del self.bias
        self.bias = None if bias is None else bias.detach().clone().requires_grad_()


class DetachedWeights(RightConv2d):
    """replaces: Conv2d

    The output is right, but no gradient arrives at the weights: forward computes with a copy that is cut
    off from the graph. Use the parameter itself, and leave it attached.
    """

    def forward(self, x):
        return _with(self, weight=self.weight.detach()).forward(x)


class DetachedOutput(RightConv2d):
    """replaces: Conv2d

    The output is right, but nothing can be differentiated through it. Somewhere the numbers leave the graph: by way of NumPy,
    of Python numbers, or of a new tensor made of old ones. Stay with torch's own operations from the image to the output.
    """

    def forward(self, x):
        return super().forward(x).detach()


class SinglePrecision(RightConv2d):
    """replaces: Conv2d

    Your layer computes in single precision even after it was converted to double. A tensor that you make inside forward
    has torch's default dtype unless you say otherwise: let it take dtype and device from the image or from the weights.
    """

    def forward(self, x):
        bias = None if self.bias is None else self.bias.float()
        return _with(self, weight=self.weight.float(), bias=bias).forward(x.float())


class FrameOnTheCpu(RightConv2d):
    """replaces: Conv2d

    Your layer works on the CPU alone: forward makes a new tensor there, wherever layer and image are. Let what you make
    take its device from the image or from the weights.
    """

    def forward(self, x):
        _check(self, x)
        (top, left), (height, width) = self.padding, x.shape[-2:]
        framed = torch.zeros(*x.shape[:-2], height + 2 * top, width + 2 * left, dtype=x.dtype)
        framed[..., top : top + height, left : left + width] = x
        return _with(self, padding=(0, 0)).forward(framed)


class ConstantLeftBehind(RightConv2d):
    """replaces: Conv2d

    A tensor that the constructor keeps as a plain attribute stays where it was made when the layer moves to another
    device. What a layer does not learn, and needs all the same, is a buffer.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.ones = torch.ones(self.out_channels, 1, 1)

    def forward(self, x):
        y = super().forward(x)
        return y * self.ones.to(y.dtype)


class WeightsTurnedInPlace(RightConv2d):
    """replaces: Conv2d

    The first call is right, and the second one is not: forward turns the weights and leaves them turned. What a layer
    has learned is changed by the optimiser and by nothing else; if you need them turned, turn a copy.
    """

    def forward(self, x):
        y = super().forward(x)
        self.weight.data = self.weight.data.flip(-2, -1)
        return y


# Groups, dilation, batches


class GroupsIgnored(RightConv2d):
    """replaces: Conv2d

    The groups have no effect: every feature map sees all channels. With groups each part of the maps sees
    its own part of the channels only, so the filters are thinner as well.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        if in_channels % groups or out_channels % groups:
            raise ValueError("channels not divisible by groups")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 1, bias)


class GroupsShareWeights(RightConv2d):
    """replaces: Conv2d

    All of your groups use the filters of the first one. Groups are independent small layers side by side, and
    every feature map has a filter of its own.
    """

    def forward(self, x):
        first = self.weight[: self.out_channels // self.groups]
        return _with(self, weight=first.repeat(self.groups, 1, 1, 1)).forward(x)


class GroupsInterleaved(RightConv2d):
    """replaces: Conv2d

    You deal the channels out to the groups one by one, like cards. PyTorch cuts the stack instead: the first group gets the first
    channels, all of them neighbours, the second group the next ones.
    """

    def forward(self, x):
        _check(self, x)
        dealt = torch.arange(self.in_channels).reshape(-1, self.groups).T.flatten()
        return super().forward(x.index_select(-3, dealt))


class DilationIgnored(RightConv2d):
    """replaces: Conv2d

    The taps of your filter meet neighbouring pixels whatever the dilation is. With dilation d they lie d pixels apart, so the
    window spans more pixels than it has weights, and fewer windows fit.
    """

    def forward(self, x):
        return _with(self, dilation=(1, 1)).forward(x)


class DilationSkipsOutputs(RightConv2d):
    """replaces: Conv2d

    Your dilation skips windows rather than pixels inside the window. Moving on in larger steps is
    the stride's affair; a dilation spreads out the taps of the filter.
    """

    def forward(self, x):
        skips = tuple(s * d for s, d in zip(self.stride, self.dilation, strict=True))
        return _with(self, stride=skips, dilation=(1, 1)).forward(x)


class SingleImageRefused(RightConv2d):
    """replaces: Conv2d

    An image without a batch axis is refused. PyTorch's layer takes (C, H, W) as well, and answers with feature maps
    without a batch axis.
    """

    def forward(self, x):
        if x.ndim != 4:
            raise ValueError("expected a batch")
        return super().forward(x)


class SingleImageGainsBatch(RightConv2d):
    """replaces: Conv2d

    A single image goes in, and a batch of one comes out. You may well add a batch axis to compute with, but the answer
    to (C, H, W) has three axes, too.
    """

    def forward(self, x):
        return super().forward(x[None] if x.ndim == 3 else x)


# Initial values


def _draw(layer, bound):
    """Draw the weights anew, uniformly within ± bound."""
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound)


def _fans(layer):
    """fan_in and fan_out of the right layer."""
    taps = math.prod(layer.kernel_size)
    return layer.in_channels // layer.groups * taps, layer.out_channels // layer.groups * taps


class FanInOnly(RightConv2d):
    """replaces: Conv2d

    Your initial weights depend on what goes into a neuron, but not on what comes out of the layer. Glorot's interval balances
    both, signals forwards and gradients backwards: the sum of fan_in and fan_out stands under the root.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        fan_in, _ = _fans(self)
        _draw(self, math.sqrt(6 / fan_in))


class KernelNotCounted(RightConv2d):
    """replaces: Conv2d

    Your initial weights are too large, as you count channels only. An output of a convolution layer sums up one product
    for every channel and every tap, so the size of the window belongs to both fans.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        fan_in, fan_out = _fans(self)
        _draw(self, math.sqrt(6 * math.prod(self.kernel_size) / (fan_in + fan_out)))


class MissingSix(RightConv2d):
    """replaces: Conv2d

    Your initial weights lie within too narrow an interval: the 6 of the lecture's formula is missing. It makes up
    for a uniform distribution having only a third of its squared bound as its variance.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        _draw(self, math.sqrt(1 / sum(_fans(self))))


class TorchsOwnInterval(RightConv2d):
    """replaces: Conv2d

    You took the interval from which PyTorch's own Conv2d draws its weights. It looks at fan_in only and leaves out the 6;
    this layer starts as the lecture's networks do, with Glorot's.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        fan_in, _ = _fans(self)
        _draw(self, math.sqrt(1 / fan_in))


class NormalWeights(RightConv2d):
    """replaces: Conv2d

    Your initial weights come from a normal distribution. Most of them crowd around zero, and a few lie far outside the
    interval; the lecture draws them uniformly, every value in the interval being as likely as any other.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        with torch.no_grad():
            self.weight.normal_(0, math.sqrt(2 / sum(_fans(self))))


class PositiveWeights(RightConv2d):
    """replaces: Conv2d

    None of your initial weights is negative. The interval reaches as far below zero as above; numbers drawn between 0
    and 1 have to be stretched and shifted.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        with torch.no_grad():
            self.weight.abs_()


class ZeroWeights(RightConv2d):
    """replaces: Conv2d

    All of your weights start at the same value. Then all feature maps are the same, receive the same gradient and stay
    the same for ever: only random values make them different neurons.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        _draw(self, 0)


class SameSeed(RightConv2d):
    """replaces: Conv2d

    Each new layer starts with the same random numbers, as your constructor sets the seed. Seeds belong at the top of
    an experiment; a layer draws whatever comes next.
    """

    def __init__(self, *arguments, **options):
        torch.manual_seed(0)
        super().__init__(*arguments, **options)


class RandomBias(RightConv2d):
    """replaces: Conv2d

    Your bias starts at random values. Here it starts at zero: the random weights already make the feature
    maps different, and a bias of zero favours none of them.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        if self.bias is not None:
            with torch.no_grad():
                self.bias.uniform_(-1, 1)


# Errors


class AssertsInstead(RightConv2d):
    """replaces: Conv2d

    You notice the mistake and raise the wrong exception. An assertion is a note among programmers and may be switched off;
    whoever calls your layer with the wrong channels or axes is owed a ValueError.
    """

    def __init__(self, *arguments, **options):
        try:
            super().__init__(*arguments, **options)
        except ValueError as error:
            raise AssertionError from error

    def forward(self, x):
        try:
            return super().forward(x)
        except ValueError as error:
            raise AssertionError from error


class GroupsUnchecked(RightConv2d):
    """replaces: Conv2d

    Your constructor accepts channels that cannot be cut into equal groups. A division that rounds down hides the
    mistake, and some channels are silently left out: this is what the ValueError is for.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        in_channels, out_channels = (max(count // groups, 1) * groups for count in (in_channels, out_channels))
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)


class ChannelsUnchecked(RightConv2d):
    """replaces: Conv2d

    Your layer does not look at the shape of what it gets. Broadcasting lets a single grey channel stand in for
    all of them, and other shapes fail somewhere deep inside with a message about sizes. Check first, and raise a ValueError.
    """

    def forward(self, x):
        if x.ndim in (3, 4) and x.shape[-3] == 1:
            x = x.expand(*x.shape[:-3], self.in_channels, *x.shape[-2:])
        try:
            return super().forward(x)
        except ValueError as error:
            raise RuntimeError from error


class ChannelsOfOneGroup(RightConv2d):
    """replaces: Conv2d

    You compare the channels of the image with those of one filter. With groups a filter is thinner than the image: it
    reaches through its own group's channels only, while the image brings those of all groups.
    """

    def forward(self, x):
        if x.ndim in (3, 4) and x.shape[-3] != self.weight.shape[1]:
            raise ValueError("wrong number of channels")
        return super().forward(x)


# conv2d_backward


def grad_bias_mean(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    You average where the gradient of the bias adds up. Each bias takes part in every output of its feature map, in all images, and
    is charged for all of them; whatever mean the loss takes is in the incoming gradient already.
    """
    grad_x, grad_weight, _ = right_backward(grad_output, x, weight, stride, padding)
    return grad_x, grad_weight, np.mean(grad_output, axis=(0, 2, 3))


def grad_bias_per_position(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the bias still has a height and a width. A feature map has one bias for all of its positions, so what
    comes back from all positions, and from all images, adds up to one number.
    """
    grad_x, grad_weight, _ = right_backward(grad_output, x, weight, stride, padding)
    return grad_x, grad_weight, np.sum(grad_output, axis=0)


def grad_weight_over_batch(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the weights is too small by the batch size. The images of a batch share the weights, and their
    gradients add up; if the loss is a mean, its division is in the incoming gradient already.
    """
    grad_x, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return grad_x, grad_weight / len(x), grad_bias


def last_image_only(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Only the last image of the batch contributes to your gradient of the weights. Each image has something to add, and what the
    earlier ones left must not be overwritten.
    """
    grad_x, _, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return grad_x, right_backward(grad_output[-1:], x[-1:], weight, stride, padding)[1], grad_bias


def grad_weight_flipped(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the weights is the right one turned by 180°. In a cross-correlation the order matters: which of
    the two slides over which? The tap in the top left corner has met the top left pixel of each window.
    """
    grad_x, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return grad_x, grad_weight[:, :, ::-1, ::-1], grad_bias


def grad_x_without_flip(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the images slides the filters as they are. Follow one pixel while the window passes over it: the
    window that begins at the pixel meets it with its first tap, the one that began earlier with a later tap. In which
    order do the weights come by?
    """
    turned = np.asarray(weight)[:, :, ::-1, ::-1]
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return right_backward(grad_output, x, turned, stride, padding)[0], grad_weight, grad_bias


def first_filter_only(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the images hears of the first feature map only. A pixel goes into all of them, so what comes back from
    all feature maps adds up.
    """
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    first = np.asarray(grad_output)[:, :1]
    return right_backward(first, x, weight[:1], stride, padding)[0], grad_weight, grad_bias


def overlaps_overwritten(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Where windows overlap, the last one wins in your gradient of the images. A pixel that several windows have read is
    charged by all of them: add, and keep what is there.
    """
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    grad_output, x, weight = (np.asarray(array, dtype=float) for array in (grad_output, x, weight))
    (height, width), (rows, columns) = x.shape[2:], weight.shape[2:]
    grad = np.zeros((*x.shape[:2], height + 2 * padding, width + 2 * padding))
    for i, j in np.ndindex(grad_output.shape[2:]):
        top, left = i * stride, j * stride
        share = np.tensordot(grad_output[:, :, i, j], weight, axes=1)
        grad[:, :, top : top + rows, left : left + columns] = share
    return grad[:, :, padding : padding + height, padding : padding + width], grad_weight, grad_bias


def stride_ignored_backwards(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Going back you forget the stride: your neighbouring outputs look at neighbouring windows. With a stride of s the
    output (i, j) has seen the window that begins s · i rows down and s · j columns to the right.
    """
    return right_backward(grad_output, x, weight, 1, padding)


def _grad_padded(grad_output, x, weight, stride, padding):
    """The gradient of the images with their frame of zeros."""
    padded = np.pad(np.asarray(x, dtype=float), [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    return right_backward(grad_output, padded, weight, stride, 0)[0]


def grad_x_keeps_padding(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the images includes the frame of zeros. The padding was put there by the layer, and nobody asks for its
    gradient: what goes back has the shape of what came in.
    """
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return _grad_padded(grad_output, x, weight, stride, padding), grad_weight, grad_bias


def padding_cut_at_end(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the images has the right shape and is shifted: you cut off the whole padding at the bottom and
    on the right. Half of it lies above and to the left of the image.
    """
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    height, width = np.shape(x)[2:]
    grad = _grad_padded(grad_output, x, weight, stride, padding)
    return grad[:, :, :height, :width], grad_weight, grad_bias


def empty_without_padding(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    With padding your gradient of the images is right, without it is empty. A slice that ends a number of places
    before the end does not mean what you think where that number is zero. Count from the front instead.
    """
    _, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    grad = _grad_padded(grad_output, x, weight, stride, padding)
    return grad[:, :, padding:-padding, padding:-padding], grad_weight, grad_bias


def unread_pixels_cropped(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradient of the images is too small where the stride leaves the last rows or columns unread. These pixels belong to the
    image, and the loss does not depend on them: what is their gradient?
    """
    grad_x, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    height, width = (
        (outputs - 1) * stride + taps - 2 * padding
        for outputs, taps in zip(np.shape(grad_output)[2:], np.shape(weight)[2:], strict=True)
    )
    return grad_x[:, :, :height, :width], grad_weight, grad_bias


def gradient_of_integers(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    For pixels that are whole numbers your gradient is cut to whole numbers as well. An array made to be like the image has the
    image's dtype; a gradient is a real number whatever the image holds.
    """
    grad_x, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return grad_x.astype(np.asarray(x).dtype), grad_weight, grad_bias


def filters_turned_in_place(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your gradients are right, and the filters that you were given are turned by 180° afterwards. They belong to the layer, which will
    go on with them: turn a copy.
    """
    gradients = right_backward(grad_output, x, weight, stride, padding)
    if isinstance(weight, np.ndarray):
        weight[...] = weight[:, :, ::-1, ::-1].copy()
    return gradients


def order_swapped(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    Your three gradients come back in another order. It is that of the layer's story: the images, the weights, the bias.
    """
    grad_x, grad_weight, grad_bias = right_backward(grad_output, x, weight, stride, padding)
    return grad_weight, grad_bias, grad_x


def asks_autograd(grad_output, x, weight, stride=1, padding=0):
    """replaces: conv2d_backward

    You let autograd find the gradients. This exercise is about the way they are found: follow the chain rule through
    the sum of products, and add up in NumPy what each pixel and each weight has met.
    """
    grad_output, x, weight = (
        torch.tensor(np.asarray(array, dtype=float), requires_grad=True) for array in (grad_output, x, weight)
    )
    columns = torch.nn.functional.unfold(x, weight.shape[2:], padding=padding, stride=stride)
    output = (weight.flatten(1) @ columns).reshape(grad_output.shape)
    output.backward(grad_output.detach())
    return x.grad, weight.grad, grad_output.detach().sum((0, 2, 3))
