"""Wrong answers that people really give when they count parameters, each with the hint that helps."""

import math

import numpy as np
from parameters import (
    as_pair,
    conv1d_parameters,
    conv2d_parameters,
    linear_parameters,
    network_parameters,
    output_shape,
    perceptron_parameters,
)

# --- perceptron_parameters ----------------------------------------------------------------------------------


def weights_only(duration, period, bias=True):
    """replaces: perceptron_parameters

    You count as the slide does, which gives 10 for one second and 72,000 for two hours. Those are the
    weights: one for every sample. The neuron also has its θ0, unless it is told to do without.
    """
    return perceptron_parameters(duration, period, bias=False)


def neuron_bias_always(duration, period, bias=True):
    """replaces: perceptron_parameters

    Your neuron always has its θ0. Whoever calls the function can switch it off; look at the last argument.
    """
    return perceptron_parameters(duration, period)


def truncated_samples(duration, period, bias=True):
    """replaces: perceptron_parameters

    A sample gets lost where the quotient of the two times falls a hair below a whole number, as 0.3 / 0.1
    does in floating point. Cutting off what stands behind the point is not the same as rounding to the
    nearest whole number.
    """
    perceptron_parameters(duration, period)  # here and below: refuses what must be refused
    return int(duration / period) + bool(bias)


def floor_divided_samples(duration, period, bias=True):
    """replaces: perceptron_parameters

    One second at 0.1 s gives you a sample too few. Floor division of floating-point numbers asks how often
    0.1 fits wholly into 1, and the 0.1 that the computer stores is a little more than a tenth. Round the true
    quotient instead.
    """
    perceptron_parameters(duration, period)
    return int(duration // period) + bool(bias)


def samples_rounded_up(duration, period, bias=True):
    """replaces: perceptron_parameters

    You round every quotient upwards. That adds a sample where the rest is short, and also where the quotient
    lies a hair above a whole number, as 2.1 / 0.3 does in floating point. The nearest whole number is asked
    for.
    """
    perceptron_parameters(duration, period)
    return math.ceil(duration / period) + bool(bias)


def fencepost_samples(duration, period, bias=True):
    """replaces: perceptron_parameters

    You count one sample too many, as with fence posts: one at the start and one at the end. In the lecture
    the first sample comes after one period, x(0.1), and there is none at time zero.
    """
    return perceptron_parameters(duration, period, bias) + 1


def seconds_times_period(duration, period, bias=True):
    """replaces: perceptron_parameters

    The period is the time from one sample to the next, in seconds; it is not the number of samples in a
    second. A shorter period must give more samples, and with you it gives fewer.
    """
    perceptron_parameters(duration, period)
    return round(duration * period) + bool(bias)


def bias_for_every_sample(duration, period, bias=True):
    """replaces: perceptron_parameters

    You give every sample a bias beside its weight. The neuron adds all the products up and only then adds θ0,
    so how often does θ0 stand in its formula?
    """
    weights = perceptron_parameters(duration, period, bias=False)
    return 2 * weights if bias else weights


def samples_stay_float(duration, period, bias=True):
    """replaces: perceptron_parameters

    The value is right and its type is not: a rounded float is still a float. A count is an integer, here and
    in every function of this assignment.
    """
    perceptron_parameters(duration, period)
    return np.round(np.float64(duration) / period) + bool(bias)


# --- linear_parameters --------------------------------------------------------------------------------------


def linear_without_bias(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You count the lines between the circles, which are the weights. Each neuron on the right also adds a
    number of its own to what arrives.
    """
    return linear_parameters(in_features, out_features, bias=False)


def linear_bias_always(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You count the biases of a layer that has none. Look at the last argument.
    """
    return linear_parameters(in_features, out_features)


def bias_for_every_input(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You have as many biases as inputs. A bias is added to a finished sum: on which side of the layer are the
    sums?
    """
    return linear_parameters(in_features, out_features, bias=False) + (in_features if bias else 0)


def one_bias_for_the_layer(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You give the whole layer a single bias. A linear layer is several neurons side by side, and θ0 carries the
    index of the neuron too.
    """
    return linear_parameters(in_features, out_features, bias=False) + (1 if bias else 0)


def bias_for_every_weight(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You pair every weight with a bias. Write down the sum of one output for three inputs: it has three
    weights, and numbers without an x beside them only once.
    """
    weights = linear_parameters(in_features, out_features, bias=False)
    return 2 * weights if bias else weights


def bias_counted_twice(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You count the biases twice: once as an extra input that is always one, and once more by themselves. Either
    way of seeing them is right; both together are too many.
    """
    return linear_parameters(in_features, out_features, bias) + (out_features if bias else 0)


def input_size_only(in_features, out_features, bias=True):
    """replaces: linear_parameters

    You use only the input size, as the slide's linear layer does; that is one neuron. The layer has as many
    neurons as outputs, and they share nothing.
    """
    linear_parameters(in_features, out_features)
    return linear_parameters(in_features, 1, bias)


# --- conv1d_parameters --------------------------------------------------------------------------------------


def conv1d_without_bias(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    You leave out θ0. In the lecture the small neuron that slides along the signal brings its bias with it:
    one for every output channel.
    """
    return conv1d_parameters(in_channels, out_channels, kernel_size, bias=False)


def conv1d_bias_always(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    You count the biases of a layer that has none. Look at the last argument.
    """
    return conv1d_parameters(in_channels, out_channels, kernel_size)


def conv1d_forgets_input_channels(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    Your filter uses the same taps for all input channels. With two ears it hears two signals at once, and
    each of them has weights of its own.
    """
    conv1d_parameters(in_channels, out_channels, kernel_size)
    return conv1d_parameters(1, out_channels, kernel_size, bias)


def conv1d_bias_for_every_tap(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    You give each tap of a filter a bias. The taps of a filter are summed, and a sum needs one number more,
    however many taps it has.
    """
    weights = conv1d_parameters(in_channels, out_channels, kernel_size, bias=False)
    return weights + (out_channels * kernel_size if bias else 0)


def conv1d_bias_for_every_pair_of_channels(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    You count a bias for every input channel that a filter reads. The filter sums over its input channels
    first, and its bias comes once, at the end.
    """
    weights = conv1d_parameters(in_channels, out_channels, kernel_size, bias=False)
    return weights + (in_channels * out_channels if bias else 0)


def conv1d_one_bias(in_channels, out_channels, kernel_size, bias=True):
    """replaces: conv1d_parameters

    You have a single bias for the whole layer. Each output channel is a neuron of its own that slides along
    the signal.
    """
    return conv1d_parameters(in_channels, out_channels, kernel_size, bias=False) + (1 if bias else 0)


# --- conv2d_parameters --------------------------------------------------------------------------------------


def conv2d_without_bias(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You count the filters and leave out what is added to each output channel. The lecture adds one bias per
    output channel.
    """
    return conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias=False)


def conv2d_bias_always(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You count the biases of a layer that has none, as convolutions before a batch normalisation often are.
    Look at the last argument.
    """
    return conv2d_parameters(in_channels, out_channels, kernel_size, groups)


def kernel_area_only(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You count the area of each filter and forget its depth. A filter over a colour image reads red, green and
    blue at every one of its pixels, each with a weight of its own.
    """
    conv2d_parameters(in_channels, out_channels, kernel_size, groups)
    return conv2d_parameters(1, out_channels, kernel_size, 1, bias)


def kernel_height_squared(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You treat every filter as a square. A kernel size may be a pair (height, width), and then the two sides
    differ.
    """
    conv2d_parameters(in_channels, out_channels, kernel_size, groups)
    return conv2d_parameters(in_channels, out_channels, as_pair(kernel_size)[0], groups, bias)


def kernel_side_counted_once(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    Where the kernel size is one number, you count a filter that is a single row. The number stands for the
    height and for the width.
    """
    kernel = (kernel_size, 1) if isinstance(kernel_size, int) else kernel_size
    return conv2d_parameters(in_channels, out_channels, kernel, groups, bias)


def kernel_one_row_more(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    Your filters have a row too many. One slide says "height k + 1, width k"; a filter of size k has k rows
    and k columns.
    """
    conv2d_parameters(in_channels, out_channels, kernel_size, groups)
    height, width = as_pair(kernel_size)
    return conv2d_parameters(in_channels, out_channels, (height + 1, width), groups, bias)


def groups_ignored(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    Your filters read all input channels, whatever the groups. In a grouped convolution a filter sees only the
    part of the input that belongs to its own group.
    """
    conv2d_parameters(in_channels, out_channels, kernel_size, groups)
    return conv2d_parameters(in_channels, out_channels, kernel_size, 1, bias)


def groups_multiplied(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    With you, groups make a layer larger. They cut connections between channels, so a layer with groups has
    fewer weights than one without.
    """
    conv2d_parameters(in_channels, out_channels, kernel_size, groups)
    weights = groups * conv2d_parameters(in_channels, out_channels, kernel_size, 1, bias=False)
    return weights + (out_channels if bias else 0)


def groups_divided_twice(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You split the input channels and the output channels, which gives the weights of a single group. The layer
    has all of its groups: count their weights together.
    """
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias=False)
    return weights // groups + (out_channels if bias else 0)


def groups_share_biases(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    Your weights are right and you divide the biases by the groups as well. Grouping cuts connections; the
    output channels are still all there, each with its bias.
    """
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias=False)
    return weights + (out_channels // groups if bias else 0)


def channels_become_float(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    The value is right and its type is not. In Python a true division gives a float even where nothing
    remains, and from there on every product is a float; a count is an integer.
    """
    return conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias) / 1


def conv2d_bias_for_every_pair_of_channels(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You give a filter one bias for each input channel that it reads. It adds up all of its channels into one
    picture, and the bias is added to that picture once.
    """
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias=False)
    return weights + (in_channels // groups * out_channels if bias else 0)


def conv2d_bias_for_every_input_channel(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You have as many biases as input channels. They are added to what comes out of the layer: which channels
    are those?
    """
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, groups, bias=False)
    return weights + (in_channels if bias else 0)


def output_channels_unchecked(in_channels, out_channels, kernel_size, groups=1, bias=True):
    """replaces: conv2d_parameters

    You make sure that the groups split the input channels evenly. The output channels are split into the same
    groups and must come out even too.
    """
    if out_channels < 1 or groups < 1:
        raise ValueError("at least 1")
    weights = conv2d_parameters(in_channels, groups, kernel_size, groups, bias=False) // groups * out_channels
    return weights + (out_channels if bias else 0)


# --- network_parameters -------------------------------------------------------------------------------------


def _right(layer, shape, after):
    """What one layer really adds, for the shape that goes into it."""
    return network_parameters(shape, [layer])


def _total(input_shape, layers, flattened=None, **instead):
    """A network counted wrongly: the features that a flatten lays out, or the kinds named in `instead`."""
    shape, total = tuple(input_shape), 0
    for layer in layers:
        after = output_shape(shape, layer)
        if flattened and layer["kind"] == "flatten":
            after = (*after[:-1], flattened(shape))
        total += instead.get(layer["kind"], _right)(layer, shape, after)
        shape = after
    return total


def flatten_leaves_channels(input_shape, layers):
    """replaces: network_parameters

    Your linear layer reads one number per channel. A flatten lays out every pixel of every channel: after a
    pooling to b × b that is far more than the channels.
    """
    return _total(input_shape, layers, flattened=lambda shape: shape[-3])


def flatten_forgets_channels(input_shape, layers):
    """replaces: network_parameters

    Your linear layer reads a single channel. The flatten lays the pixels of all channels one behind the
    other.
    """
    return _total(input_shape, layers, flattened=lambda shape: shape[-2] * shape[-1])


def flatten_swallows_the_batch(input_shape, layers):
    """replaces: network_parameters

    Your linear layer grows with the batch. Flatten keeps the images of a batch apart, and all of them are
    read by the same network.
    """
    return _total(input_shape, layers, flattened=math.prod)


def image_never_shrinks(input_shape, layers):
    """replaces: network_parameters

    You use the size of the input image for the linear layer. Convolutions and poolings have changed height
    and width on the way; take the shape along, layer by layer.
    """
    height, width = input_shape[-2:]
    return _total(input_shape, layers, flattened=lambda shape: shape[-3] * height * width)


def every_linear_reads_the_flatten(input_shape, layers):
    """replaces: network_parameters

    Your second linear layer reads what the flatten has laid out. It stands behind the first one, which has
    left only its own outputs.
    """
    features = []

    def remembered(shape):
        features.append(math.prod(shape[-3:]))
        return features[-1]

    return _total(
        input_shape,
        layers,
        remembered,
        linear=lambda layer, shape, after: _right(layer, (features[-1],), after),
    )


def running_statistics_learned(input_shape, layers):
    """replaces: network_parameters

    You count four numbers per channel for batch normalisation. Two of them, the running mean and variance,
    are measured on the data; gradient descent never touches them.
    """
    return _total(input_shape, layers, batch_norm2d=lambda layer, shape, after: 4 * shape[-3])


def batch_norm_scale_only(input_shape, layers):
    """replaces: network_parameters

    You count one number per channel for batch normalisation. Its formula has γ and β, and both are learned.
    """
    return _total(input_shape, layers, batch_norm2d=lambda layer, shape, after: shape[-3])


def batch_norm_learns_nothing(input_shape, layers):
    """replaces: network_parameters

    You take batch normalisation for a layer without parameters, like an activation. Having normalised, it
    lets the network choose a new scale and a new shift.
    """
    return _total(input_shape, layers, batch_norm2d=lambda layer, shape, after: 0)


def batch_norm_for_every_pixel(input_shape, layers):
    """replaces: network_parameters

    You give each pixel a scale and a shift. That would end translation equivariance: like a filter, γ and β
    are the same at every position.
    """
    return _total(input_shape, layers, batch_norm2d=lambda layer, shape, after: 2 * math.prod(shape[-3:]))


def convolution_bias_always(input_shape, layers):
    """replaces: network_parameters

    You count biases of convolutions that have none. The dictionary of a layer may say so; where it does not,
    what is the default?
    """
    return _total(input_shape, layers, conv2d=lambda layer, shape, after: _right({**layer, "bias": True}, shape, after))


def every_bias_always(input_shape, layers):
    """replaces: network_parameters

    You count every layer's biases, whatever its dictionary says. Linear layers and convolutions can both be
    told to do without.
    """
    return network_parameters(
        input_shape,
        [{**layer, "bias": True} if layer["kind"] in ("conv2d", "linear") else layer for layer in layers],
    )


def network_ignores_groups(input_shape, layers):
    """replaces: network_parameters

    You count a grouped convolution as if it had no groups. Its dictionary holds one more setting that changes
    the number of weights.
    """
    return _total(input_shape, layers, conv2d=lambda layer, shape, after: _right({**layer, "groups": 1}, shape, after))


def weights_at_every_position(input_shape, layers):
    """replaces: network_parameters

    You count a filter again at every position of its output, as if each position had a neuron of its own. A
    convolution reuses its weights everywhere; that is the point of it.
    """
    return _total(
        input_shape,
        layers,
        conv2d=lambda layer, shape, after: _right(layer, shape, after) * math.prod(after[-2:]),
    )


def first_convolution_applied_again(input_shape, layers):
    """replaces: network_parameters

    You count the first convolution only, as in the slide whose network calls conv1 twice. The second
    convolution is a layer of its own, with filters of its own.
    """
    first = next((layer for layer in layers if layer["kind"] == "conv2d"), None)
    return _total(
        input_shape,
        layers,
        conv2d=lambda layer, shape, after: _right(layer, shape, after) if layer is first else 0,
    )


def convolutions_read_the_image(input_shape, layers):
    """replaces: network_parameters

    All your convolutions read the channels of the input image. Only the first one does; the next reads what
    the layer before it has made.
    """
    return _total(input_shape, layers, conv2d=lambda layer, shape, after: _right(layer, input_shape, after))


def second_axis_for_channels(input_shape, layers):
    """replaces: network_parameters

    Without a batch axis you take the height for the channels. Counted from the front the channels stand in
    another place with a batch than without; counted from the back they do not.
    """

    def misread(layer, shape, after):
        return _right(layer, (1, shape[1], *shape[-2:]), after)

    return _total(input_shape, layers, conv2d=misread, batch_norm2d=misread)


def pooling_learns_its_window(input_shape, layers):
    """replaces: network_parameters

    You count the window of a pooling layer as if it were a filter. Taking a mean or a maximum leaves gradient
    descent nothing to change.
    """

    def window(layer, shape, after):
        return math.prod(as_pair(layer["kernel_size"]))

    return _total(input_shape, layers, max_pool2d=window, avg_pool2d=window)


def slope_is_learned(input_shape, layers):
    """replaces: network_parameters

    You count the slope of a leaky ReLU. In the lecture it is 0.1 from the beginning to the end of training:
    somebody chose it, and nobody learns it.
    """
    return _total(input_shape, layers, leaky_relu=lambda layer, shape, after: 1)


def settings_taken_out(input_shape, layers):
    """replaces: network_parameters

    Your count is right, and afterwards the network is broken: settings that you have read are gone from its
    dictionaries. They belong to whoever called you; look things up without taking them out.
    """
    total = network_parameters(input_shape, layers)
    for layer in layers:
        layer.pop("kind", None)
    return total


def total_stays_float(input_shape, layers):
    """replaces: network_parameters

    The value is right and its type is not: a sum that begins as a float, or has met one, stays a float. A
    count is an integer.
    """
    return float(network_parameters(input_shape, layers))
