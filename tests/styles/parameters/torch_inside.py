"""Real PyTorch layers on the meta device, which has shapes and no memory; PyTorch works out what goes in."""

import torch
from torch import nn


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def at_least_one(*sizes):
    if any(size < 1 for size in sizes):
        raise ValueError(f"below one: {sizes}")


def perceptron_parameters(duration, period, bias=True):
    if duration <= 0 or period <= 0:
        raise ValueError("durations and periods are positive")
    samples = torch.tensor(duration / period, dtype=torch.float64).round().long().item()
    return count(nn.Linear(samples, 1, bias=bias, device="meta"))


def linear_parameters(in_features, out_features, bias=True):
    at_least_one(in_features, out_features)
    return count(nn.Linear(in_features, out_features, bias, device="meta"))


def conv1d_parameters(in_channels, out_channels, kernel_size, bias=True):
    at_least_one(in_channels, out_channels, kernel_size)
    return count(nn.Conv1d(in_channels, out_channels, kernel_size, bias=bias, device="meta"))


def conv2d_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True):
    at_least_one(in_channels, out_channels, *nn.modules.utils._pair(kernel_size))
    return count(nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=bias, device="meta"))


def network_parameters(input_shape, layers):
    classes = {
        "conv2d": nn.LazyConv2d,
        "max_pool2d": nn.MaxPool2d,
        "avg_pool2d": nn.AvgPool2d,
        "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
        "batch_norm2d": nn.LazyBatchNorm2d,
        "relu": nn.ReLU,
        "leaky_relu": nn.LeakyReLU,
        "flatten": nn.Flatten,
        "linear": nn.LazyLinear,
    }
    with torch.device("meta"):
        network = nn.Sequential(
            *(
                classes[layer["kind"]](**{name: value for name, value in layer.items() if name != "kind"})
                for layer in layers
            )
        )
        batch = input_shape if len(input_shape) == 4 else (1, *input_shape)
        network(torch.empty(batch))
    return count(network)
