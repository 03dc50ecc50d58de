"""The hidden suite of `conv2d`.

A probe builds the layer, gives it drawn weights and looks at what it does. Biases are zero where they are
not the point, so that a mistake with the bias costs the tests of the bias alone. Weights are unsymmetric,
images and kernels oblong, strides uneven, numbers of both signs; batch size and channels differ where one
could be taken for the other.

An output sums as many products as a filter has weights; a gradient sums over positions or feature maps.
"""

import math

import numpy as np
import pytest

from autograder.suite import points

PARAMETERS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")


def draw_layer(rng, sizes, image, dtype="float32", **options):
    """Draw weights, a bias and images for a layer.

    Args:
        rng: to draw from.
        sizes: positional arguments of Conv2d.
        image: shape of what goes in.
        dtype: of what is drawn.
        options: keyword arguments of Conv2d.

    Returns:
        (sizes, options, weight, bias, x) as the probes want them, and how the case is shown and judged.
    """
    layer = dict(zip(PARAMETERS, sizes, strict=False)) | options
    kernel = layer["kernel_size"]
    taps = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    filters = (layer["out_channels"], layer["in_channels"] // layer.get("groups", 1), *taps)
    weight = rng.normal(size=filters).astype(dtype)
    bias = rng.normal(size=layer["out_channels"]).astype(dtype)
    x = rng.normal(size=image).astype(dtype)
    words = [*map(str, sizes), *(f"{name}={value}" for name, value in options.items())]
    scale = float(max(1, np.abs(x).max()) * max(1, np.abs(weight).max()))
    about = {"call": f"Conv2d({', '.join(words)}) on {image}", "terms": weight[0].size + 1, "scale": scale}
    return (sizes, options, weight, bias, x), about


def check_without_bias(agrees, rng, sizes, image, **options):
    """Declare that a layer with drawn weights and no bias to speak of agrees with the reference."""
    (*layer, weight, _, x), about = draw_layer(rng, sizes, image, **options)
    agrees(forward, *layer, weight, None, x, **about)


def of_gradients(about, weight, x, what):
    """How a case of gradients is shown and judged: each sums over positions, or over maps and taps."""
    terms = max(x.size // weight.shape[1], weight.size // weight.shape[1])
    return about | {"call": f"{what} {about['call']}", "terms": terms}


# Probes


def forward(Conv2d, sizes, options, weight, bias, x):
    """The output of a layer with these weights; without a bias, its bias is set to zero."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.copy_(torch.tensor(0.0 if bias is None else bias))
    return layer(torch.tensor(x, dtype=layer.weight.dtype))


def batch_and_image(Conv2d, sizes, options, weight, x, image):
    """What one layer makes of a batch, then of one image of another size, then of a batch of one."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.zero_()
    x, image = (torch.tensor(array, dtype=layer.weight.dtype) for array in (x, image))
    return {"batch": layer(x), "image": layer(image), "batch of one": layer(image[None])}


def gradients(Conv2d, sizes, options, weight, x):
    """The gradients of a weighted sum of the outputs."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.zero_()
    x = torch.tensor(x, dtype=layer.weight.dtype, requires_grad=True)
    output = layer(x)
    (output * torch.arange(output.numel()).reshape(output.shape).cos()).sum().backward()
    found = {"x": x.grad, "weight": layer.weight.grad}
    return found if getattr(layer, "bias", None) is None else found | {"bias": layer.bias.grad}


def trained(Conv2d, sizes, options, weight, bias, x, target):
    """The parameters after three steps of gradient descent towards a target."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    x, target = (torch.tensor(array, dtype=layer.weight.dtype) for array in (x, target))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimizer.step()
    return {"weight": layer.weight, "bias": layer.bias}


def converted(Conv2d, sizes, options, dtype, weight, x):
    """The dtype and the values of a converted layer's output and of the gradient of its weights."""
    import torch

    layer = Conv2d(*sizes, **options).to(getattr(torch, dtype))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.zero_()
    output = layer(torch.tensor(x, dtype=getattr(torch, dtype)))
    output.sum().backward()
    return {"dtype": str(output.dtype), "output": output, "gradient of weight": layer.weight.grad}


def on_a_gpu(Conv2d, sizes, options, weight, bias, x):
    """The output and the gradients of a layer that was moved to a GPU, and where they are."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.copy_(torch.tensor(bias))
    layer.to("cuda")
    x = torch.tensor(x, dtype=layer.weight.dtype, device="cuda", requires_grad=True)
    output = layer(x)
    output.sum().backward()
    tensors = [output, x.grad, layer.weight.grad]
    return [tensors, [tensor.device.type for tensor in tensors]]


def left_behind(Conv2d, sizes, options, weight, bias, x):
    """The image and the parameters after two calls, and how far the outputs are apart."""
    import torch

    layer = Conv2d(*sizes, **options)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    x = torch.tensor(x, dtype=layer.weight.dtype)
    with torch.no_grad():
        first, second = layer(x).clone(), layer(x)
    return {"x": x, "weight": layer.weight, "bias": layer.bias, "change of the output": second - first}


def parameters(Conv2d, sizes, options):
    """The shapes of weight and bias, and whether an optimiser finds and changes them."""
    layer = Conv2d(*sizes, **options)
    registered = [id(parameter) for parameter in layer.parameters()]
    found = {}
    for name in ("weight", "bias"):
        tensor = getattr(layer, name)
        found[name] = None
        if tensor is not None:
            shape = [int(length) for length in tensor.shape]
            found[name] = {
                "shape": shape,
                "among the parameters": id(tensor) in registered,
                "learns": tensor.requires_grad,
            }
    return found


def initial_weights(Conv2d, sizes):
    """The weights of a new layer."""
    return Conv2d(*sizes).weight


def two_initial_weights(Conv2d, sizes):
    """The weights of two new layers."""
    return [Conv2d(*sizes).weight, Conv2d(*sizes).weight]


def initial_bias(Conv2d, sizes):
    """The bias of a new layer."""
    return Conv2d(*sizes).bias


def output_shape(Conv2d, sizes, options, image):
    """The shape of what a layer makes of an image of zeros."""
    import torch

    layer = Conv2d(*sizes, **options)
    return list(layer(torch.zeros(image, dtype=layer.weight.dtype)).shape)


def image_gradient(conv2d_backward, *arrays, **options):
    """The first of the three gradients; torch records no graph meanwhile."""
    import torch

    with torch.inference_mode():
        return conv2d_backward(*arrays, **options)[0]


def weight_gradient(conv2d_backward, *arrays, **options):
    """The second of the three gradients; torch records no graph meanwhile."""
    import torch

    with torch.inference_mode():
        return conv2d_backward(*arrays, **options)[1]


def bias_gradient(conv2d_backward, *arrays, **options):
    """The third of the three gradients; torch records no graph meanwhile."""
    import torch

    with torch.inference_mode():
        return conv2d_backward(*arrays, **options)[2]


# Conv2d: the plain layer, 40 points


@points(2)
def test_pictures_on_paper(agrees):
    """A picture of 3 × 4, and one of 8 × 8 with the filter [[1, 0], [0, 1]]: no flip, no activation."""
    small = [[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0]]
    rows = ["10000010", "11000100", "01101000", "00110000", "00101000", "01000100", "10000011", "00000001"]
    for picture, taps in (
        (small, [[1, 2], [0, -1]]),
        ([list(map(int, row)) for row in rows], [[1, 0], [0, 1]]),
    ):
        x, weight = np.array([[picture]], dtype=float), np.array([[taps]], dtype=float)
        shown = f"Conv2d(1, 1, 2, bias=False) with weights {taps} on {x.shape}"
        agrees(forward, (1, 1, 2), {"bias": False}, weight, None, x, call=shown, terms=4, scale=6)


@points(7)
@pytest.mark.parametrize(
    ("sizes", "image"),
    [
        ((1, 1, (2, 3)), (1, 1, 5, 7)),
        ((3, 5, (3, 2)), (2, 3, 7, 11)),
        ((2, 3, (1, 4)), (5, 2, 6, 9)),
        ((5, 2, 3), (3, 5, 11, 4)),
        ((7, 3, 1), (2, 7, 5, 3)),
        ((2, 5, (4, 6)), (3, 2, 4, 6)),
        ((11, 13, (5, 2)), (2, 11, 9, 7)),
    ],
)
def test_sliding_window(agrees, rng, sizes, image):
    """At stride 1, unpadded, each feature map is the cross-correlation of all channels with its filter."""
    check_without_bias(agrees, rng, sizes, image)


@points(4)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((3, 5, (2, 3)), (2, 3, 5, 7), {}),
        ((2, 7, (3, 2)), (3, 2, 5, 8), {}),
        ((4, 3, 2), (2, 4, 5, 4), {"bias": True}),
        ((3, 2, (2, 1)), (5, 3, 4, 3), {"bias": False}),
    ],
)
def test_bias(agrees, rng, sizes, image, options):
    """Each feature map has its own bias, added once to each of its outputs; with bias=False there is none."""
    layer, about = draw_layer(rng, sizes, image, **options)
    agrees(forward, *layer, **about)


@points(4)
@pytest.mark.parametrize(
    ("sizes", "image", "stride"),
    [
        ((2, 3, (3, 2)), (3, 2, 11, 8), 2),
        ((3, 2, (2, 5)), (2, 3, 9, 14), 3),
        ((3, 5, (2, 3)), (2, 3, 13, 10), 4),
        ((2, 3, 1), (5, 2, 8, 6), 2),
    ],
)
def test_stride(agrees, rng, sizes, image, stride):
    """With a stride the window moves on by as many pixels; a window that no longer fits is left out."""
    check_without_bias(agrees, rng, sizes, image, stride=stride)


@points(4)
@pytest.mark.parametrize(
    ("sizes", "image", "padding"),
    [
        ((3, 2, (3, 2)), (2, 3, 5, 7), 1),
        ((2, 5, (4, 3)), (3, 2, 7, 4), 2),
        ((2, 3, (5, 4)), (2, 2, 2, 3), 3),
    ],
)
def test_padding(agrees, rng, sizes, image, padding):
    """Padding surrounds the image with rows and columns of zeros, as many on each of its four sides."""
    check_without_bias(agrees, rng, sizes, image, padding=padding)


@points(4)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((2, 3, (3, 2)), (3, 2, 11, 13), {"stride": (3, 2)}),
        ((3, 2, (2, 3)), (2, 3, 7, 6), {"stride": (1, 2)}),
        ((3, 5, (2, 4)), (2, 3, 6, 5), {"padding": (0, 2)}),
        ((2, 3, 3), (5, 2, 4, 7), {"padding": (2, 1)}),
        ((3, 2, (4, 3)), (2, 3, 9, 11), {"stride": (2, 3), "padding": (2, 1)}),
        ((3, 4, (2, 3), (3, 1), (1, 0), 1, 1, False), (2, 3, 8, 5), {}),
    ],
)
def test_pairs(agrees, rng, sizes, image, options):
    """Kernel size, stride and padding may be pairs: height first, then width."""
    check_without_bias(agrees, rng, sizes, image, **options)


@points(3)
@pytest.mark.parametrize(("sizes", "image"), [((3, 5, (2, 3)), (2, 3, 7, 6)), ((2, 3, 3), (3, 2, 5, 8))])
def test_image_without_batch(agrees, rng, sizes, image):
    """Images of any size are welcome, and one (C, H, W) as well as a batch: then no batch axis comes out."""
    (*layer, weight, _, x), about = draw_layer(rng, sizes, image)
    single = rng.normal(size=(image[1], image[2] + 3, image[3] + 2)).astype(np.float32)
    about["call"] += f", then on {single.shape}, then on {(1, *single.shape)}"
    agrees(batch_and_image, *layer, weight, x, single, **about)


@points(3)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [((3, 5, (2, 3)), (2, 3, 6, 7), {}), ((2, 3, 3), (5, 2, 4, 5), {"bias": False})],
)
def test_gradients(agrees, rng, sizes, image, options):
    """The gradient of a loss reaches the images, the weights and the bias."""
    (*layer, weight, _, x), about = draw_layer(rng, sizes, image, **options)
    agrees(gradients, *layer, weight, x, **of_gradients(about, weight, x, "gradients of"))


@points(1)
def test_gradients_with_stride_and_padding(agrees, rng):
    """The gradients of a layer with a stride and padding are right as well."""
    (*layer, weight, _, x), about = draw_layer(
        rng, (2, 3, (3, 2)), (5, 2, 8, 9), stride=(3, 2), padding=(1, 2), bias=False
    )
    agrees(gradients, *layer, weight, x, **of_gradients(about, weight, x, "gradients of"))


@points(1)
def test_training(agrees, rng):
    """An optimiser trains weights and bias alike."""
    (*layer, x), about = draw_layer(rng, (2, 3, (2, 3)), (5, 2, 6, 8))
    target = rng.normal(size=(5, 3, 5, 6)).astype(np.float32)
    agrees(trained, *layer, x, target, **of_gradients(about, layer[2], x, "three steps of gradient descent with"))


@points(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype(agrees, rng, dtype):
    """The result has the layer's dtype: float32, and after .double() float64 with all of its digits."""
    (*layer, weight, _, x), about = draw_layer(rng, (3, 2, (3, 2)), (5, 3, 7, 8), dtype)
    about = of_gradients(about, weight, x, f"{dtype} layer")
    agrees(converted, *layer, dtype, weight, x, precision=dtype, **about)


@points(3)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((3, 2, (3, 2)), (2, 3, 6, 7), {"padding": 1}),
        ((2, 3, (2, 3)), (2, 7, 5), {"bias": False, "stride": 2}),
        ((4, 6, (2, 3)), (3, 4, 7, 8), {"dilation": (2, 1), "groups": 2}),
    ],
)
def test_on_a_gpu(agrees, rng, sizes, image, options):
    """On a GPU the whole layer moves along, nothing is made on the CPU, and the result and its gradients are there."""
    layer, about = draw_layer(rng, sizes, image, **options)
    about = of_gradients(about, layer[2], layer[4][None] if len(image) == 3 else layer[4], "on a machine with a GPU,")
    agrees(on_a_gpu, *layer, gpus=("cuda",), **about)


@points(1)
def test_state_left_behind(preserves, rng):
    """A call leaves the images and the layer as they were: the next one gives the same."""
    layer, about = draw_layer(rng, (3, 5, (3, 2)), (2, 3, 5, 7))
    preserves(left_behind, *layer, **about)


# Conv2d: dilation and groups, 15 points


@points(5)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((2, 3, (3, 2)), (3, 2, 9, 7), {"dilation": 2}),
        ((3, 2, (2, 3)), (2, 3, 8, 11), {"dilation": (3, 2)}),
        ((3, 5, (3, 4)), (2, 3, 7, 11), {"dilation": (1, 3)}),
        ((2, 3, (2, 1)), (5, 2, 5, 4), {"dilation": (4, 3)}),
    ],
)
def test_dilation(agrees, rng, sizes, image, options):
    """With a dilation neighbouring taps of a filter meet pixels that lie as far apart; it may be a pair."""
    check_without_bias(agrees, rng, sizes, image, **options)


@points(6)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((4, 6, (2, 3)), (3, 4, 5, 7), {"groups": 2}),
        ((6, 3, (3, 2)), (2, 6, 7, 5), {"groups": 3}),
        ((5, 5, (2, 3)), (3, 5, 6, 4), {"groups": 5}),
        ((3, 9, (3, 1)), (2, 3, 5, 8), {"groups": 3}),
    ],
)
def test_groups(agrees, rng, sizes, image, options):
    """With groups the first part of the feature maps sees the first part of the channels only, and so on."""
    check_without_bias(agrees, rng, sizes, image, **options)


@points(4)
@pytest.mark.parametrize(
    ("sizes", "image", "options"),
    [
        ((3, 5, (3, 4)), (2, 3, 7, 10), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 3)}),
        ((3, 9, (3, 1)), (2, 3, 5, 8), {"stride": 2, "padding": 1, "groups": 3}),
        ((4, 6, (2, 3)), (3, 4, 9, 8), {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 1), "groups": 2}),
        ((6, 9, (3, 2)), (2, 6, 7, 11), {"stride": (1, 3), "padding": 2, "dilation": (1, 3), "groups": 3}),
    ],
)
def test_everything_at_once(agrees, rng, sizes, image, options):
    """Stride, padding, dilation and groups together, and the gradients that come of it."""
    (*layer, weight, _, x), about = draw_layer(rng, sizes, image, **options)
    agrees(forward, *layer, weight, None, x, **about)
    (*layer, weight, _, x), about = draw_layer(rng, sizes, image, **options, bias=False)
    agrees(gradients, *layer, weight, x, **of_gradients(about, weight, x, "gradients of"))


# Conv2d: initial values, 10 points


def numbers(observation, shape):
    """The array observed, or an error where it is none of that shape with finite floating-point numbers."""
    array = getattr(observation, "array", observation)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or array.shape != shape:
        raise TypeError
    if not np.isfinite(array).all():
        raise ValueError
    return array.astype(np.float64)


def distance_from_uniform(values, bound):
    """Largest distance between the distribution of some values and the uniform one on [-bound, bound]."""
    expected = np.clip((np.sort(values, axis=None) / bound + 1) / 2, 0, 1)
    steps = np.arange(values.size + 1) / values.size
    return max(np.abs(expected - steps[1:]).max(), np.abs(expected - steps[:-1]).max())


def glorot(in_channels, out_channels, kernel_size):
    """A check that weights are uniform in ±√(6 / (fan_in + fan_out)), wrong once in a billion.

    n independent uniform values lie further than ε from the uniform distribution with a probability of
    at most 2 exp(−2 n ε²) (Dvoretzky, Kiefer, Wolfowitz, Massart), and all of them lie within 1 − δ of
    their bound with a probability of (1 − δ)^n ≤ exp(−n δ). Rounding to float32 moves the bound by 6e-8
    of itself at most. The first three sentences tell kinds of failure apart; the last three decide.
    """
    shape = (out_channels, in_channels, kernel_size, kernel_size)
    count = math.prod(shape)
    bound = math.sqrt(6 / ((in_channels + out_channels) * kernel_size**2))
    epsilon = math.sqrt(math.log(2 / 1e-9) / (2 * count))
    delta = math.log(1 / 1e-9) / count

    def check(observation):
        weights = numbers(observation, shape)
        largest = np.abs(weights).max()
        if weights.min() == weights.max():
            return "All initial weights are the same number."
        if weights.min() >= 0:
            return "No initial weight is negative; the interval reaches as far below zero as above."
        if not distance_from_uniform(weights, largest) <= 2 * epsilon:
            return "The initial weights are not spread evenly over an interval around zero."
        if not largest <= bound * (1 + 1e-6):
            return "Some initial weights lie outside the interval."
        if not largest >= bound * (1 - delta):
            return "The initial weights do not use the whole interval."
        if not distance_from_uniform(weights, bound) <= epsilon or len(np.unique(weights)) < 0.99 * count:
            return "The initial weights are not independent and uniform."
        return None

    return check


@points(6)
@pytest.mark.parametrize(("in_channels", "out_channels", "kernel_size"), [(23, 19, 4), (3, 47, 6), (89, 61, 1)])
def test_initial_weights(holds, in_channels, out_channels, kernel_size):
    """New weights are drawn evenly from ± the square root of 6 / (fan_in + fan_out), all of them anew."""
    sizes = (in_channels, out_channels, kernel_size)
    holds(initial_weights, sizes, check=glorot(*sizes), call=f"weights of Conv2d{sizes}")


def differ(observation):
    """Check that two layers have hardly a weight in common."""
    if not isinstance(observation, list) or len(observation) != 2:
        raise TypeError
    first, second = (numbers(weights, (13, 11, 4, 4)) for weights in observation)
    return None if np.mean(first == second) < 0.01 else "Two new layers have the same weights."


@points(2)
def test_initial_weights_of_two_layers(holds):
    """Two new layers have different weights."""
    holds(two_initial_weights, (11, 13, 4), check=differ, call="weights of two layers Conv2d(11, 13, 4)")


@points(2)
@pytest.mark.parametrize("sizes", [(3, 7, (2, 3)), (5, 2, 3)])
def test_initial_bias(agrees, sizes):
    """A new layer's bias is zero."""
    agrees(initial_bias, sizes, terms=1, scale=1, call=f"bias of Conv2d({', '.join(map(str, sizes))})")


# Conv2d: shapes and errors, 10 points


@points(4)
@pytest.mark.parametrize(
    ("sizes", "options"),
    [
        ((3, 5, (2, 4)), {}),
        ((2, 7, 3), {"bias": False}),
        ((6, 9, (4, 1)), {"groups": 3}),
        ((5, 5, (1, 2)), {"groups": 5, "bias": False}),
    ],
)
def test_parameters(agrees, sizes, options):
    """Weight and bias are Parameters of the right shapes, found by an optimiser; bias=False makes it None."""
    words = [*map(str, sizes), *(f"{name}={value}" for name, value in options.items())]
    agrees(parameters, sizes, options, call=f"weight and bias of Conv2d({', '.join(words)})")


@points(3)
@pytest.mark.parametrize(("sizes", "groups"), [((4, 6, 2), 4), ((6, 4, (2, 3)), 4), ((3, 5, 2), 2), ((2, 3, 1), 6)])
def test_channels_that_groups_do_not_divide(rejects, sizes, groups):
    """The constructor raises ValueError where in_channels or out_channels cannot be divided by groups."""
    rejects(parameters, sizes, {"groups": groups}, call=f"Conv2d({', '.join(map(str, sizes))}, groups={groups})")


@points(3)
@pytest.mark.parametrize(
    ("sizes", "options", "image"),
    [
        ((3, 5, 2), {}, (2, 1, 6, 7)),
        ((3, 5, 2), {}, (2, 4, 6, 7)),
        ((5, 3, (2, 3)), {}, (3, 6, 7)),
        ((3, 5, 2), {}, (3, 7)),
        ((3, 5, 2), {}, (1, 2, 3, 6, 7)),
        ((3, 5, 2), {}, (3,)),
        ((6, 4, 2), {"groups": 2}, (2, 3, 6, 7)),
        ((4, 4, 1), {"groups": 4}, (2, 1, 6, 7)),
    ],
)
def test_images_of_the_wrong_shape(rejects, sizes, options, image):
    """A call raises ValueError where the image has the wrong number of channels or of axes."""
    words = [*map(str, sizes), *(f"{name}={value}" for name, value in options.items())]
    rejects(output_shape, sizes, options, image, call=f"Conv2d({', '.join(words)}) on {image}")


# conv2d_backward, 25 points: one gradient at a time, so that a mistake in one of them costs the others nothing


def draw_backward(rng, image, filters, **options):
    """Draw ∂L/∂y, images and filters, and say how the case of a gradient is shown and judged."""
    stride, padding = options.get("stride", 1), options.get("padding", 0)
    height, width = (
        (side + 2 * padding - taps) // stride + 1 for side, taps in zip(image[2:], filters[2:], strict=True)
    )
    shapes = {"grad_output": (image[0], filters[0], height, width), "x": image, "weight": filters}
    arrays = [rng.normal(size=shape) for shape in shapes.values()]
    words = [f"{name} {shape}" for name, shape in shapes.items()]
    words += [f"{name}={value}" for name, value in options.items()]
    largest = [np.abs(array).max() for array in arrays]
    return arrays, {
        "call": f"conv2d_backward({', '.join(words)}), with autograd switched off",
        "terms": max(arrays[0].size // filters[0], arrays[2].size // filters[1]),
        "scale": float(largest[0] * max(1, *largest[1:])),
    }


def check_gradient(agrees, probe, rng, image, filters, **options):
    """Declare that one of the gradients of drawn arrays agrees with the reference."""
    arrays, about = draw_backward(rng, image, filters, **options)
    agrees(probe, *arrays, **options, **about)


PLAIN = [
    ((1, 1, 4, 6), (1, 1, 2, 3)),
    ((2, 3, 7, 5), (5, 3, 3, 2)),
    ((5, 2, 6, 8), (3, 2, 1, 4)),
    ((3, 5, 4, 7), (2, 5, 4, 7)),
    ((2, 7, 5, 4), (3, 7, 1, 1)),
]
PADDED = [((2, 3, 5, 7), (5, 3, 3, 2), 1), ((3, 2, 4, 3), (2, 2, 2, 5), 2), ((2, 5, 3, 2), (3, 5, 4, 6), 3)]
STRIDED = [((2, 3, 7, 8), (5, 3, 3, 2), 2), ((3, 2, 11, 8), (2, 2, 2, 5), 3), ((5, 2, 7, 13), (3, 2, 1, 1), 3)]
UNREAD = [
    ((2, 3, 8, 7), (5, 3, 3, 2), 2, 0),
    ((3, 2, 9, 12), (2, 2, 2, 3), 4, 0),
    ((2, 3, 7, 10), (5, 3, 3, 2), 3, 1),
    ((2, 2, 6, 5), (3, 2, 1, 2), 4, 0),
]


@points(3)
def test_gradients_on_paper(agrees):
    """All three, of lists of whole numbers under weights that are not: one row, then two channels of two."""
    agrees.conv2d_backward([[[[1, 10]]]], [[[[1, 2, 3]]]], [[[[2, -0.5]]]], terms=2, scale=30)
    grad_output, x = [[[[1, -2, 4]]]], [[[[1, 2, 3], [0, -1, 5]], [[2, 2, -3], [7, 1, 0]]]]
    agrees.conv2d_backward(grad_output, x, [[[[0.5], [-1.25]], [[2.75], [3.0]]]], terms=4, scale=28)


@points(3)
def test_gradient_of_bias(agrees, rng):
    """The gradient of each bias adds up what comes back from all positions of its feature map, in all images."""
    check_gradient(agrees, bias_gradient, rng, (2, 3, 7, 5), (5, 3, 3, 2))
    check_gradient(agrees, bias_gradient, rng, (5, 2, 6, 8), (3, 2, 2, 4), stride=2, padding=1)


@points(4)
@pytest.mark.parametrize(("image", "filters"), PLAIN)
def test_gradient_of_weights(agrees, rng, image, filters):
    """The gradient of each weight adds up, over all images, the outputs it took part in times the pixels it met."""
    check_gradient(agrees, weight_gradient, rng, image, filters)


@points(3)
def test_gradient_of_weights_with_stride_and_padding(agrees, rng):
    """With a stride a weight has met other pixels, with padding also zeros, and some pixels it has not met at all."""
    for image, filters, padding in PADDED:
        check_gradient(agrees, weight_gradient, rng, image, filters, padding=padding)
    for image, filters, stride in STRIDED:
        check_gradient(agrees, weight_gradient, rng, image, filters, stride=stride)
    for image, filters, stride, padding in UNREAD:
        check_gradient(agrees, weight_gradient, rng, image, filters, stride=stride, padding=padding)


@points(4)
@pytest.mark.parametrize(("image", "filters"), PLAIN)
def test_gradient_of_images(agrees, rng, image, filters):
    """The gradient of each pixel adds up the outputs it took part in, of all feature maps, times the weights it met."""
    check_gradient(agrees, image_gradient, rng, image, filters)


@points(2)
@pytest.mark.parametrize(("image", "filters", "padding"), PADDED)
def test_gradient_of_padded_images(agrees, rng, image, filters, padding):
    """With padding the gradient of the images still has the shape of the images."""
    check_gradient(agrees, image_gradient, rng, image, filters, padding=padding)


@points(3)
@pytest.mark.parametrize(("image", "filters", "stride"), STRIDED)
def test_gradient_of_images_with_stride(agrees, rng, image, filters, stride):
    """With a stride each output has met the pixels under its own window."""
    check_gradient(agrees, image_gradient, rng, image, filters, stride=stride)


@points(2)
@pytest.mark.parametrize(("image", "filters", "stride", "padding"), UNREAD)
def test_gradient_of_unread_pixels(agrees, rng, image, filters, stride, padding):
    """Rows and columns of the images that a stride leaves unread belong to the gradient, and hold zeros."""
    check_gradient(agrees, image_gradient, rng, image, filters, stride=stride, padding=padding)


@points(1)
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_arguments_left_alone(preserves, rng, stride, padding):
    """The three arrays that go in are left as they were."""
    arrays, _ = draw_backward(rng, (2, 3, 6, 7), (5, 3, 3, 2), stride=stride, padding=padding)
    preserves.conv2d_backward(*arrays, stride=stride, padding=padding)
