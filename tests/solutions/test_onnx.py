"""The masters of conv2d and pooling against the node tests of the ONNX standard, as the package `onnx` brings them.

Every node test of the five operators below stands in one of two tables: what the contract covers is run, and what it
does not cover is named with the reason. One that a later version of the standard adds stands in neither, and fails.
"""

import importlib
from typing import Any

import numpy as np
import pooling
import pytest
import torch
from conv2d import Conv2d

MODULES = ("conv", "maxpool", "averagepool", "globalaveragepool", "globalmaxpool")


def conv(attributes, x, weight, bias=None):
    """Run Conv with the layer Conv2d."""
    _, stride, padding = window(attributes)
    arguments: dict[str, Any] = {
        "in_channels": x.shape[1],
        "out_channels": len(weight),
        "kernel_size": weight.shape[2:],
    }
    arguments |= {"stride": stride, "padding": padding, "dilation": tuple(attributes.get("dilations", (1, 1)))}
    arguments |= {"groups": attributes.get("group", 1), "bias": bias is not None}
    layer = Conv2d(**arguments)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
        return [layer(torch.from_numpy(x)).numpy()]


def window(attributes) -> Any:
    """Kernel size, stride and padding; ONNX moves a window by 1 where nothing else is said."""
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    assert (top, left) == (bottom, right)
    return tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", (1, 1))), (top, left)


def global_pool(over_time, over_image):
    """Run a global pooling operator in two ways, of which both have to be right."""

    def run(attributes, x):
        del attributes
        return [over_time(x.reshape(*x.shape[:2], -1))[..., None, None], over_image(x)]

    return run


RUN = {
    "Conv": conv,
    "MaxPool": lambda attributes, x: [pooling.max_pool2d(x, *window(attributes))],
    "AveragePool": lambda attributes, x: [pooling.avg_pool2d(x, *window(attributes))],
    "GlobalMaxPool": global_pool(pooling.max_pool, lambda x: pooling.max_pool2d(x, x.shape[2:])),
    "GlobalAveragePool": global_pool(pooling.mean_pool, lambda x: pooling.adaptive_avg_pool2d(x, 1)),
}

WITHIN_SCOPE = (
    "test_basic_conv_with_padding",
    "test_basic_conv_without_padding",
    "test_conv_with_strides_padding",
    "test_conv_with_strides_no_padding",
    "test_conv_with_strides_and_asymmetric_padding",  # of height against width: a pair
    "test_maxpool_2d_uint8",
    "test_maxpool_2d_precomputed_pads",
    "test_maxpool_2d_precomputed_strides",
    "test_maxpool_2d_default",
    "test_maxpool_2d_strides",
    "test_averagepool_2d_precomputed_pads_count_include_pad",
    "test_averagepool_2d_precomputed_strides",
    "test_averagepool_2d_default",
    "test_averagepool_2d_strides",
    "test_globalaveragepool",
    "test_globalaveragepool_precomputed",
    "test_globalmaxpool",
    "test_globalmaxpool_precomputed",
)

ONE_OR_THREE_AXES = "images have a height and a width, and no other axis to slide over"
CEIL = "output sizes are rounded down (ceil_mode=0)"
SAME = "padding is given in numbers (auto_pad=NOTSET)"
HALF = "padding of more than half of the kernel is a ValueError"
ZEROS_DO_NOT_COUNT = "padded zeros count in a mean (count_include_pad=1)"
DILATED = "pooling windows have no dilation"
INDICES = "pooling gives the maxima, and not where they were"

OUT_OF_SCOPE = {
    "test_conv_with_autopad_same": SAME,
    "test_maxpool_1d_default": ONE_OR_THREE_AXES,
    "test_maxpool_3d_default": ONE_OR_THREE_AXES,
    "test_maxpool_3d_dilations": ONE_OR_THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl": ONE_OR_THREE_AXES,
    "test_maxpool_3d_dilations_use_ref_impl_large": ONE_OR_THREE_AXES,
    "test_maxpool_2d_same_upper": SAME,
    "test_maxpool_2d_same_lower": SAME,
    "test_maxpool_2d_precomputed_same_upper": SAME,
    "test_maxpool_2d_pads": HALF,
    "test_maxpool_2d_ceil": CEIL,
    "test_maxpool_2d_ceil_output_size_reduce_by_one": CEIL,
    "test_maxpool_2d_dilations": DILATED,
    "test_maxpool_with_argmax_2d_precomputed_pads": INDICES,
    "test_maxpool_with_argmax_2d_precomputed_strides": INDICES,
    "test_averagepool_1d_default": ONE_OR_THREE_AXES,
    "test_averagepool_3d_default": ONE_OR_THREE_AXES,
    "test_averagepool_3d_dilations_small": ONE_OR_THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": ONE_OR_THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": ONE_OR_THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": ONE_OR_THREE_AXES,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": ONE_OR_THREE_AXES,
    "test_averagepool_2d_same_upper": SAME,
    "test_averagepool_2d_same_lower": SAME,
    "test_averagepool_2d_precomputed_same_upper": SAME,
    "test_averagepool_2d_pads": HALF,
    "test_averagepool_2d_pads_count_include_pad": HALF,
    "test_averagepool_2d_precomputed_pads": ZEROS_DO_NOT_COUNT,
    "test_averagepool_2d_ceil": CEIL,
    "test_averagepool_2d_ceil_last_window_starts_on_pad": CEIL,
    "test_averagepool_2d_dilations": DILATED,
}


@pytest.fixture(scope="module")
def node_tests() -> dict[str, Any]:
    """The node tests of the five operators, by name.

    The package has no public way to load those of some operators only, and building all of its two thousand takes long.
    """
    node = pytest.importorskip("onnx.backend.test.case.node")
    for module in MODULES:
        importlib.import_module(f"onnx.backend.test.case.node.{module}")
    return {test.name: test for test in node._NodeTestCases if test.model.graph.node[0].op_type in RUN}


def test_every_node_test_is_in_one_of_the_tables(node_tests):
    """No node test of these operators is forgotten, and none is in both tables."""
    assert sorted(node_tests) == sorted([*WITHIN_SCOPE, *OUT_OF_SCOPE])


@pytest.mark.parametrize("name", WITHIN_SCOPE)
def test_node(node_tests, name):
    """The masters give what the standard says."""
    import onnx.helper

    test = node_tests[name]
    (node,) = test.model.graph.node
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    for inputs, (expected,) in test.data_sets:
        for found in RUN[node.op_type](attributes, *inputs):
            assert np.shape(found) == expected.shape
            # as onnx's own runner does: some expected values have few digits
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("name", [name for name, reason in OUT_OF_SCOPE.items() if reason is HALF])
def test_padding_of_more_than_half_of_the_kernel_is_refused(node_tests, name):
    """Where the contract asks for a ValueError, the standard's own example raises it."""
    import onnx.helper

    test = node_tests[name]
    (node,) = test.model.graph.node
    attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    with pytest.raises(ValueError, match="padding"):
        RUN[node.op_type](attributes, *test.data_sets[0][0])
