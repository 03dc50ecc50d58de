"""Layers in nn.Sequential, gradients cleared after the step, losses in a Python list, inference mode."""

from collections import OrderedDict

import torch
import torch.nn as nn
import torch.optim as optim


def pick_device():
    for name, available in {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}.items():
        if available:
            return torch.device(name)
    return torch.device("cpu")


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.layers = nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(in_channels, hidden_channels, kernel_size),
                relu1=nn.LeakyReLU(negative_slope=0.1, inplace=True),
                pool1=nn.AdaptiveAvgPool2d((pool1, pool1)),
                conv2=nn.Conv2d(hidden_channels, out_channels, kernel_size),
                relu2=nn.LeakyReLU(negative_slope=0.1, inplace=True),
                pool2=nn.AdaptiveAvgPool2d((pool2, pool2)),
                flatten=nn.Flatten(),
                linear=nn.Linear(out_channels * pool2**2, num_classes),
            )
        )

    @property
    def conv1(self):
        return self.layers.conv1

    @property
    def conv2(self):
        return self.layers.conv2

    @property
    def linear(self):
        return self.layers.linear

    def forward(self, x):
        return self.layers(x)


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    losses = []
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.extend([loss.item()] * len(y))
    return sum(losses) / len(losses)


def evaluate(model, loader, loss_fn, device):
    training = model.training
    model.eval()
    losses, hits = [], []
    with torch.inference_mode():
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            logits = model(x)
            losses.extend([loss_fn(logits, y).item()] * len(y))
            hits.extend((logits.argmax(dim=-1) == y).tolist())
    if training:
        model.train()
    return sum(losses) / len(losses), sum(hits) / len(hits)


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model = model.to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, criterion, optimizer, device))
        loss, accuracy = evaluate(model, val_loader, criterion, device)
        history["val_loss"].append(loss)
        history["val_accuracy"].append(accuracy)
    return history
