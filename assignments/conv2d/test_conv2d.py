"""Public checks of "A convolution layer of your own": each shows the call, what came back and what was expected.

Run `pytest` in this folder, or the check cells of the notebook. What you hand in is checked with other numbers, too.
"""

import pytest
import torch

SIGNAL = [[1.0, 2.0, 3.0, 4.0, 5.0]]
IMAGE = [[[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]]]  # one channel, 3 x 4
FILTER = [[[[1.0, 2.0], [0.0, -1.0]]]]  # one map, one channel, 2 x 2
BROADCAST = "A bias of shape (2,) meets (2, 2, 2, 3): to which axis does broadcasting put it?"
TWO_MAPS = [[[[1.0, 2.0], [0.0, -1.0]]], [[[0.0, 1.0], [10.0, 0.0]]]]


@pytest.mark.parametrize(
    ("weight", "bias", "y"),
    [
        ([[[2.0, 1.0]]], [0.0], [[4.0, 7.0, 10.0, 13.0]]),
        ([[[2.0, 1.0]]], [-8.0], [[-0.4, -0.1, 2.0, 5.0]]),
        ([[[1.0, 0.0, 0.0, 0.0, -1.0]], [[0.0, 0.0, 3.0, 0.0, 0.0]]], [1.0, -10.0], [[-0.3], [-0.1]]),
    ],
)
def test_perceptron_on_every_window(conv1d_layer, expect, weight, bias, y):
    """The lecture's signal under one neuron and under two."""
    hint = "The bias is added once for each window, and the leaky ReLU comes after the sum."
    expect(conv1d_layer, torch.tensor(SIGNAL), torch.tensor(weight), torch.tensor(bias)).gives(y, hint=hint)


def test_perceptron_with_two_ears(conv1d_layer, expect):
    """A window reaches through all channels, and the slope is the caller's."""
    x, weight = torch.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, -5.0]]), torch.tensor([[[1.0, 1.0], [2.0, 3.0]]])
    expect(conv1d_layer, x, weight, torch.tensor([1.0]), slope=0.5).gives([[7.0, -3.5]])


def answer(layer_class, x, weight, bias=None, dtype=torch.float32, **settings):
    """What a layer with these weights answers."""
    weight = torch.tensor(weight, dtype=dtype)
    channels = weight.shape[1] * settings.get("groups", 1)
    layer = layer_class(channels, len(weight), tuple(weight.shape[2:]), bias=bias is not None, **settings).to(dtype)
    layer.weight.data.copy_(weight)
    if bias is not None:
        layer.bias.data.copy_(torch.tensor(bias, dtype=dtype))
    return layer(torch.tensor(x, dtype=dtype))


@pytest.mark.parametrize(
    ("settings", "weight", "bias"),
    [
        ({"kernel_size": 2}, (4, 6, 2, 2), (4,)),
        ({"kernel_size": (3, 1), "groups": 2}, (4, 3, 3, 1), (4,)),
        ({"kernel_size": 2, "bias": False}, (4, 6, 2, 2), None),
    ],
)
def test_what_the_layer_learns(Conv2d, expect, settings, weight, bias):
    """Weight and bias have the shapes that the docstring names, and are parameters of the layer."""

    def told():
        layer = Conv2d(6, 4, **settings)
        learned = {id(parameter) for parameter in layer.parameters()}
        told = []
        for name, tensor in (("weight", layer.weight), ("bias", layer.bias)):
            fixed = "" if tensor is None or id(tensor) in learned else " (not among the parameters)"
            told.append(f"{name} {None if tensor is None else tuple(tensor.shape)}{fixed}")
        return ", ".join(told)

    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    hint = "PyTorch finds attributes that are torch.nn.Parameter. With groups a filter reads c_x / groups channels."
    known = [(AttributeError("bias"), "Where there is no bias, the attribute bias is there all the same: it is None.")]
    expect(told, shown=f"weight and bias of Conv2d(6, 4, {written})").gives(
        f"weight {weight}, bias {bias}", known=known, hint=hint
    )


def test_where_training_starts(Conv2d, expect):
    """Initial biases are zero, and initial weights fill the interval that the handout derives."""

    def outside():
        layer = Conv2d(5, 7, (3, 2))
        bound = (6 / (5 * 6 + 7 * 6)) ** 0.5
        size = layer.weight.detach().abs()
        if layer.bias.detach().abs().max() > 0:
            return "a bias that is not zero"
        if size.max() > bound * 1.0001:
            return f"a weight of size {size.max():.3f}, beyond {bound:.3f}"
        # 210 weights: that none of them comes near the bound has a chance of 1 in 10^9.
        return "nothing" if size.max() > 0.9 * bound else f"no weight beyond {size.max():.3f}, of {bound:.3f}"

    hint = "fan_in and fan_out both count the taps of the kernel: see the end of the section on feature maps."
    known = [("a bias that is not zero", "")]
    expect(outside, shown="Conv2d(5, 7, (3, 2)): what is unlike the handout in its initial values?").gives(
        "nothing", known=known, hint=hint
    )


def test_map_on_paper(Conv2d, expect):
    """The picture and the filter that the handout works out."""
    known = [
        ([[[[0, 3, -5], [4, 5, 2]]]], "The filter is turned round. PyTorch's Conv2d is a cross-correlation: no flip.")
    ]
    expect(
        answer, Conv2d, [IMAGE], FILTER, shown="Conv2d(1, 1, 2, bias=False) on a batch of the handout's picture"
    ).gives([[[[4, -1, 1], [2, 6, 5]]]], known=known)


def test_one_image(Conv2d, expect):
    """One image without a batch axis is welcome, too, and its answer has none either."""
    hint = "(C, H, W) goes in and (C', H', W') comes out. A batch of one image is near at hand, and away again."
    known = [(ValueError(""), hint), (IndexError(""), hint), (RuntimeError(""), hint)]
    expect(
        answer, Conv2d, IMAGE, FILTER, shown="Conv2d(1, 1, 2, bias=False) on the handout's picture, (1, 3, 4)"
    ).gives([[[4, -1, 1], [2, 6, 5]]], known=known, hint=hint)


def test_two_maps_and_their_biases(Conv2d, expect):
    """Each feature map has its own bias; a batch of two images goes in."""
    batch = [IMAGE, [[[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]]]]
    expect(answer, Conv2d, batch, TWO_MAPS, [0.5, -1.0], shown="Conv2d(1, 2, 2) on a batch (2, 1, 3, 4)").gives(
        [
            [[[4.5, -0.5, 1.5], [2.5, 6.5, 5.5]], [[1, 9, 30], [20, 2, 10]]],
            [[[1.5, 0.5, 0.5], [0.5, 0.5, -1.5]], [[-1, -1, -1], [-1, -1, -1]]],
        ],
        known=[(RuntimeError(""), BROADCAST)],
        hint=BROADCAST,
    )


def test_through_all_channels(Conv2d, expect):
    """A window reaches through all channels of an image."""
    x = [[[[1.0, 2.0, 3.0]], [[10.0, 20.0, 30.0]]]]
    call = "Conv2d(2, 1, (1, 2), bias=False) with weights [[1, 0]], [[0, 1]] on the channels 1 2 3 and 10 20 30"
    expect(answer, Conv2d, x, [[[[1.0, 0.0]], [[0.0, 1.0]]]], shown=call).gives([[[[21, 32]]]])


@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"stride": (2, 1)}, [[[[4, -1, 1]]]]),
        ({"stride": 2}, [[[[4, 1]]]]),
        ({"padding": (0, 1)}, [[[[2, 4, -1, 1, 1], [-2, 2, 6, 5, 1]]]]),
        ({"padding": 1, "stride": 2}, [[[[-1, 0, 0], [-2, 6, 1]]]]),
    ],
)
def test_steps_and_zeros(Conv2d, expect, settings, y):
    """Strides and padding, of one number or of two: height first."""
    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    expect(
        answer,
        Conv2d,
        [IMAGE],
        FILTER,
        **settings,
        shown=f"Conv2d(1, 1, 2, {written}) on a batch of the handout's picture",
    ).gives(y, hint="Height comes first in a pair, while torch.nn.functional.pad counts from the last axis.")


def test_stretch(Conv2d, expect):
    """Stretch: dilation spreads the taps, and groups are small layers of their own."""
    x = [[[[1.0, 2.0, 3.0, 4.0]], [[10.0, 20.0, 30.0, 50.0]]]]
    weight = [[[[1.0, -1.0]]], [[[2.0, 1.0]]]]
    expect(answer, Conv2d, x, weight, groups=2, dilation=2, shown="Conv2d(2, 2, (1, 2), groups=2, dilation=2)").gives(
        [[[[-2, -2]], [[50, 90]]]]
    )


def test_numbers_of_double_length(Conv2d, expect):
    """A layer in double precision answers in double precision, to the last digits."""

    def error():
        y = answer(Conv2d, [[[[1.0, 1e-9]]]], [[[[1.0, 1.0]]]], dtype=torch.float64)
        return f"{y.dtype}, {y.item() - 1.0:.1e}"

    hint = "A tensor that forward makes has a dtype and a device, too: those of the weight."
    expect(error, shown="Conv2d(1, 1, (1, 2)).double() on [[[[1, 1e-9]]]]: dtype, and what is left beyond 1").gives(
        "torch.float64, 1.0e-09", hint=hint
    )


def test_gradient_finds_its_way(Conv2d, expect):
    """The gradient of the output's sum reaches weight and bias."""

    def gradients():
        layer = Conv2d(1, 1, 2)
        layer(torch.tensor([IMAGE])).sum().backward()
        return [*layer.weight.grad.flatten().tolist(), *layer.bias.grad.tolist()]

    hint = "Does .detach(), .data, .item() or NumPy cut the way from the output back to the parameters?"
    expect(gradients, shown="gradients of Conv2d(1, 1, 2) on the handout's picture: four weights and the bias").gives(
        [7, 8, 7, 6, 6], hint=hint
    )


@pytest.mark.parametrize("sizes", [(3, 4), (4, 3)])
def test_channels_without_their_group(Conv2d, expect, sizes):
    """Channels that the groups do not divide: a ValueError from the constructor."""
    expect(Conv2d, *sizes, 2, groups=2).raises()


@pytest.mark.parametrize("shape", [(2, 1, 5, 5), (4, 5, 5), (5, 5), (1, 1, 3, 5, 5)])
def test_no_image_for_this_layer(Conv2d, expect, shape):
    """An image with another number of channels or of axes: a ValueError from forward."""
    hint = "Broadcasting is glad to take one channel for three, which is worse than an error."
    expect(lambda: Conv2d(3, 2, 2)(torch.zeros(shape)), shown=f"Conv2d(3, 2, 2) on {shape}").raises(hint)


ROW = {"grad_output": [[[[1, 10]]]], "x": [[[[1, 2, 3]]]], "weight": [[[[2, -1]]]]}


@pytest.mark.parametrize(
    ("which", "gradient", "hint"),
    [
        (0, [[[[2, 19, -10]]]], "The middle pixel met the weight -1 in the first output and 2 in the second."),
        (1, [[[[21, 32]]]], "The weight 2 met the pixel 1 in the first output and the pixel 2 in the second."),
        (2, [11], "The bias took part in both outputs, with the factor 1."),
    ],
)
def test_way_back_of_one_row(conv2d_backward, expect, which, gradient, hint):
    """The handout's row: lists of whole numbers go in."""
    name = ("grad_x", "grad_weight", "grad_bias")[which]
    expect(lambda: conv2d_backward(**ROW)[which], shown=f"{name} of the handout's row").gives(gradient, hint=hint)


@pytest.mark.parametrize(
    ("which", "gradient"),
    [
        (0, [[[[1, 2, 0, 0], [0, -1, 0, 0], [0, 0, 0, 0]]], [[[0, 3, 6, 0], [0, 0, -3, 0], [0, 0, 0, 0]]]]),
        (1, [[[[-2, 17], [12, 1]]]]),
        (2, [4]),
    ],
)
def test_way_back_of_a_batch(conv2d_backward, expect, which, gradient):
    """Two images: each has its own gradient, and those of weight and bias add up."""
    x = torch.tensor([IMAGE, [[[3.0, -1.0, 5.0, 0.0], [2.0, 4.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]]]).numpy()
    grad_output = torch.zeros(2, 1, 2, 3)
    grad_output[0, 0, 0, 0], grad_output[1, 0, 0, 1] = 1, 3
    name = ("grad_x", "grad_weight", "grad_bias")[which]

    def by_hand():
        return conv2d_backward(grad_output.numpy(), x, torch.tensor(FILTER).numpy())[which]

    hint = "grad_x is charged per image; grad_weight and grad_bias are sums over the batch, not means."
    expect(by_hand, shown=f"{name} of a batch of two").gives(gradient, hint=hint)


@pytest.mark.parametrize(
    ("weight", "settings", "grad_output", "grad_x"),
    [
        ([[[[2, -1]]]], {"stride": 3}, [[[[1, 10]]]], [[[[2, -1, 0, 20, -10, 0]]]]),
        ([[[[5, 7], [2, -1]]]], {"stride": 2, "padding": 1}, [[[[1, 2, 3, 4]]]], [[[[-1, 4, -2, 6, -3, 8]]]]),
    ],
)
def test_way_back_of_strided_rows(conv2d_backward, expect, weight, settings, grad_output, grad_x):
    """Pixels that a stride leaves unread get zero; what lies in the padding is nobody's."""
    row = [[[[1, 2, 3, 4, 5, 6]]]]
    written = ", ".join(f"{name}={value}" for name, value in settings.items())
    hint = "Which pixels did the output (i, j) look at? At the end a stride may leave some of them unread."
    expect(lambda: conv2d_backward(grad_output, row, weight, **settings)[0], shown=f"grad_x of a row, {written}").gives(
        grad_x, hint=hint
    )
