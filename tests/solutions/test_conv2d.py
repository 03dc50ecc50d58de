"""The master of conv2d against outside truth: torch's own convolution, and autograd through it."""

import itertools
import math
from dataclasses import dataclass

import conv2d
import numpy as np
import pytest
import torch
from conv2d import Conv2d, conv1d_layer, conv2d_backward
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.contract import assignment


def assert_equal(found, truth):
    """Check shape, dtype and values; each is a sum of at most some hundred products in double precision."""
    torch.testing.assert_close(found, truth, rtol=1e-10, atol=1e-10)


@dataclass(frozen=True)
class Drawn:
    """A layer's arguments, and the shape of an image that it fits into."""

    arguments: dict
    height: int
    width: int
    batch: int
    seed: int


@st.composite
def layers(draw) -> Drawn:
    """Draw arguments of a layer, an int or a pair each, and an image that holds at least one window."""

    def int_or_pair(lowest, highest):
        number = st.integers(lowest, highest)
        return draw(st.one_of(number, st.tuples(number, number)))

    groups = draw(st.integers(1, 3))
    arguments = {
        "in_channels": groups * draw(st.integers(1, 3)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": int_or_pair(1, 4),
        "stride": int_or_pair(1, 4),
        "padding": int_or_pair(0, 3),
        "dilation": int_or_pair(1, 3),
        "groups": groups,
        "bias": draw(st.booleans()),
    }
    kernel_size, padding, dilation = (conv2d.pair(arguments[name]) for name in ("kernel_size", "padding", "dilation"))
    smallest = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel_size, padding, dilation, strict=True)]
    height, width = (draw(st.integers(side, side + 7)) for side in smallest)
    return Drawn(arguments, height, width, draw(st.integers(1, 3)), draw(st.integers(0, 2**31)))


def twins(arguments) -> tuple[Conv2d, torch.nn.Conv2d]:
    """Build the master's layer and torch's own, in double precision, with the same random weights."""
    mine, theirs = Conv2d(**arguments).double(), torch.nn.Conv2d(**arguments).double()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_()
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


def run_and_differentiate(layer, x, grad_output) -> list[torch.Tensor | None]:
    """Return the output, and the gradients of x and of the layer's parameters."""
    x = x.clone().requires_grad_()
    output = layer(x)
    output.backward(grad_output)
    return [output.detach(), x.grad, *(parameter.grad for parameter in layer.parameters())]


@settings(max_examples=100, deadline=None)
@given(layers())
def test_layer_equals_torchs_own(drawn):
    """Output and gradients agree with torch.nn.Conv2d, whatever the arguments."""
    torch.manual_seed(drawn.seed)
    mine, theirs = twins(drawn.arguments)
    x = torch.randn(drawn.batch, drawn.arguments["in_channels"], drawn.height, drawn.width, dtype=torch.float64)
    grad_output = torch.randn_like(theirs(x))
    found, expected = (run_and_differentiate(layer, x, grad_output) for layer in (mine, theirs))
    assert len(found) == len(expected)
    for tensor, truth in zip(found, expected, strict=True):
        assert_equal(tensor, truth)


@settings(max_examples=30, deadline=None)
@given(layers())
def test_an_image_alone_is_a_batch_of_one(drawn):
    """(C, H, W) gives what the same image gives in a batch, without the batch axis."""
    torch.manual_seed(drawn.seed)
    mine, theirs = twins(drawn.arguments)
    x = torch.randn(drawn.arguments["in_channels"], drawn.height, drawn.width, dtype=torch.float64)
    assert_equal(mine(x), theirs(x))
    torch.testing.assert_close(mine(x), mine(x[None])[0], rtol=0, atol=0)


@settings(max_examples=100, deadline=None)
@given(layers())
def test_backward_equals_autograd_of_torchs_own(drawn):
    """conv2d_backward agrees with autograd through torch.nn.functional.conv2d, unread rows included."""
    kernel_size = conv2d.pair(drawn.arguments["kernel_size"])
    stride, padding = conv2d.pair(drawn.arguments["stride"])[0], conv2d.pair(drawn.arguments["padding"])[0]
    height, width = (
        max(side, k - 2 * padding) for side, k in zip((drawn.height, drawn.width), kernel_size, strict=True)
    )
    torch.manual_seed(drawn.seed)
    x = torch.randn(drawn.batch, drawn.arguments["in_channels"], height, width, dtype=torch.float64)
    weight = torch.randn(drawn.arguments["out_channels"], x.shape[1], *kernel_size, dtype=torch.float64)
    bias = torch.zeros(len(weight), dtype=torch.float64)
    for tensor in (x, weight, bias):
        tensor.requires_grad_()
    output = torch.nn.functional.conv2d(x, weight, bias, stride, padding)
    grad_output = torch.randn_like(output)
    output.backward(grad_output)
    arguments = [tensor.detach().numpy() for tensor in (grad_output, x, weight)]
    before = [array.copy() for array in arguments]
    found = conv2d_backward(*arguments, stride=stride, padding=padding)
    assert len(found) == 3
    for array, tensor in zip(found, (x, weight, bias), strict=True):
        assert_equal(torch.from_numpy(array), tensor.grad)
    for array, copy in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_backward_takes_lists_of_integers():
    """The example of the handout, given as nested lists: nothing is rounded to the integers of x."""
    grad_x, grad_weight, grad_bias = conv2d_backward([[[[1, 10]]]], [[[[1, 2, 3]]]], [[[[2, -0.5]]]])
    np.testing.assert_array_equal(grad_x, [[[[2, 19.5, -5]]]])
    np.testing.assert_array_equal(grad_weight, [[[[21, 32]]]])
    np.testing.assert_array_equal(grad_bias, [11])


def test_gradcheck_with_everything_at_once():
    """Numerical differentiation, as one oracle among others, sees the same gradients."""
    mine, _ = twins(
        {"in_channels": 4, "out_channels": 6, "kernel_size": (2, 3), "stride": (2, 1), "padding": (1, 2)}
        | {"dilation": (1, 2), "groups": 2}
    )
    x = torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)

    def forward(x, weight, bias):
        return torch.func.functional_call(mine, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(forward, (x, *mine.parameters()))


def test_sum_over_positions_written_out():
    """The formula of the handout, read literally, on the handout's example and its mirror image."""
    x = torch.tensor([[[1.0, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]]])
    layer = Conv2d(1, 1, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2], [0, -1]]))
        assert layer(x).tolist() == [[[4, -1, 1], [2, 6, 5]]]
        layer.weight.copy_(layer.weight.flip(-2, -1))
        assert layer(x)[0, 0, 0] == 0


def test_shape_of_the_lecture():
    """The lecture's layer and image: 127 × 127, one row and column more than on the slide."""
    assert Conv2d(3, 32, 2)(torch.zeros(1, 3, 128, 128)).shape == (1, 32, 127, 127)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_result_has_the_layers_dtype(dtype):
    """Whatever the layer is converted to, its result and gradients are, too."""
    layer = Conv2d(3, 5, 2, padding=1).to(dtype)
    output, *gradients = run_and_differentiate(
        layer, torch.randn(2, 3, 4, 5, dtype=dtype), torch.ones(2, 5, 5, 6, dtype=dtype)
    )
    assert all(tensor is not None and tensor.dtype == dtype for tensor in (output, *gradients))


def test_result_has_the_layers_device():
    """Nothing in the layer stays behind on the CPU (torch's meta device computes shapes only)."""
    output = Conv2d(3, 5, 2, padding=1).to("meta")(torch.zeros(2, 3, 4, 5, device="meta"))
    assert (output.device.type, output.shape) == ("meta", (2, 5, 5, 6))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_layer_moves_to_the_gpu():
    """On the GPU the layer computes there what it computes on the CPU."""
    mine, _ = twins({"in_channels": 3, "out_channels": 5, "kernel_size": 3, "stride": 2})
    x = torch.randn(2, 3, 9, 8, dtype=torch.float64)
    on_cpu = mine(x)
    on_gpu = mine.to("cuda")(x.to("cuda"))
    assert on_gpu.device.type == "cuda"
    assert_equal(on_gpu.cpu(), on_cpu)


def test_state_dict_is_interchangeable_with_torchs_own():
    """The same keys in the same order, and no bias where there is none."""
    assert list(Conv2d(2, 3, 2).state_dict()) == list(torch.nn.Conv2d(2, 3, 2).state_dict())
    without = Conv2d(2, 3, 2, bias=False)
    assert without.bias is None
    assert list(without.state_dict()) == ["weight"]


def test_initial_weights_are_uniform_up_to_the_bound():
    """The distribution of 36,000 weights is uniform in ± √(6 / (fan_in + fan_out)), and biases are 0."""
    layer = Conv2d(20, 50, (4, 9))
    weights = layer.weight.detach().double().numpy()
    bound = math.sqrt(6 / (20 * 4 * 9 + 50 * 4 * 9))
    assert np.abs(weights).max() <= bound * (1 + 1e-6)  # rounding to float32
    uniform = (np.sort(weights, axis=None) / bound + 1) / 2
    steps = np.arange(len(uniform) + 1) / len(uniform)
    distance = max(np.abs(uniform - steps[1:]).max(), np.abs(uniform - steps[:-1]).max())
    # Dvoretzky-Kiefer-Wolfowitz: P(distance > ε) ≤ 2 exp(−2 n ε²), here 1e-12
    assert distance <= math.sqrt(math.log(2e12) / (2 * len(uniform)))
    assert layer.bias is not None
    assert not layer.bias.any()
    assert not torch.equal(layer.weight, Conv2d(20, 50, (4, 9)).weight)


@pytest.mark.parametrize("channels", [(4, 6, 4), (6, 4, 4), (5, 5, 2), (3, 4, 4)])
def test_channels_that_groups_do_not_divide(channels):
    """Each of in_channels and out_channels has to be divisible by groups."""
    in_channels, out_channels, groups = channels
    with pytest.raises(ValueError, match="groups"):
        Conv2d(in_channels, out_channels, 2, groups=groups)


@pytest.mark.parametrize(
    "shape", [(2, 1, 5, 5), (2, 3, 5, 5), (2, 5, 5, 5), (5, 5, 4), (3, 5, 5), (5, 5), (4,), (1, 2, 4, 5, 5)]
)
def test_images_of_the_wrong_shape(shape):
    """Wrong numbers of channels and of axes, a grey image and one group's share of channels included."""
    with pytest.raises(ValueError, match="expected"):
        Conv2d(4, 2, 2, groups=2)(torch.zeros(shape))


def test_practice_layer_equals_torchs_own():
    """conv1d_layer is torch's conv1d followed by its leaky ReLU; first of all on the lecture's example."""
    x = torch.tensor([[1.0, 2, 3, 4, 5]])
    assert conv1d_layer(x, torch.tensor([[[2.0, 1]]]), torch.zeros(1)).tolist() == [[4, 7, 10, 13]]
    for c_x, c_y, k, length, slope in itertools.product((1, 3), (1, 2), (1, 4), (4, 11), (0.1, 0.3)):
        x, weight, bias = torch.randn(c_x, length), torch.randn(c_y, c_x, k), torch.randn(c_y)
        expected = torch.nn.functional.leaky_relu(torch.nn.functional.conv1d(x, weight, bias), slope)
        torch.testing.assert_close(conv1d_layer(x, weight, bias, slope), expected)


@pytest.mark.parametrize("module", [torch, torch.nn, torch.nn.modules, torch.nn.functional])
def test_every_convolution_of_torch_is_forbidden(module):
    """Each name with "conv" in torch and torch.nn stands in the header (conversions aside)."""
    names = {name for name in dir(module) if "conv" in name.lower() and "_convert_" not in name}
    assert {f"{module.__name__}.{name}" for name in names} <= set(assignment("conv2d").forbidden)


@pytest.mark.parametrize("name", ["unfold", "einsum", "as_strided", "matmul", "fft.rfft2", "nn.functional.unfold"])
def test_what_may_be_used_is_not_forbidden(name):
    """Neither the tools that the handout names nor a module that holds them."""
    prefixes = itertools.accumulate(f"torch.{name}".split("."), "{}.{}".format)
    assert not set(prefixes) & set(assignment("conv2d").forbidden)
