"""A network that is an nn.Sequential, steps with closures, counts in NumPy, and what newer PyTorch offers for devices."""

import numpy as np
import torch
from torch import nn


def pick_device():
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None or accelerator.type not in ("cuda", "mps"):
        return torch.device("cpu")
    return accelerator


class ConvNet(nn.Sequential):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.add_module("conv1", nn.Conv2d(in_channels, hidden_channels, kernel_size))
        self.add_module("activation1", nn.LeakyReLU(0.1))
        self.add_module("pool1", nn.AdaptiveAvgPool2d(pool1))
        self.add_module("conv2", nn.Conv2d(hidden_channels, out_channels, kernel_size))
        self.add_module("activation2", nn.LeakyReLU(0.1))
        self.add_module("pool2", nn.AdaptiveAvgPool2d(pool2))
        self.add_module("flatten", nn.Flatten(1, -1))
        self.add_module("linear", nn.Linear(out_channels * pool2 * pool2, num_classes))


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train(True)
    losses, sizes = np.array([]), np.array([])
    for inputs, targets in loader:
        inputs, targets = inputs.to(device=device), targets.to(device=device)

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        losses, sizes = np.append(losses, loss.item()), np.append(sizes, targets.numel())
    return np.average(losses, weights=sizes)


@torch.no_grad()
def evaluate(model, loader, loss_fn, device):
    mode = "train" if model.training else "eval"
    model.eval()
    losses, right = [], []
    for inputs, targets in loader:
        outputs = model(inputs.to(device))
        losses += [loss_fn(outputs, targets.to(device)).item()] * len(targets)
        right.append(np.argmax(outputs.cpu().numpy(), axis=1) == targets.numpy())
    getattr(model, mode)()
    return np.mean(losses), np.concatenate(right).mean()


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    device = torch.device(device)
    model.to(device=device)
    optimizer = torch.optim.AdamW(params=model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    loss_fn = nn.CrossEntropyLoss(reduction="mean")
    history = {"epoch": [], "train_loss": [], "val_loss": [], "val_accuracy": []}
    for epoch in range(1, epochs + 1):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer, device)
        val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
        for name, value in zip(history, (epoch, train_loss, val_loss, val_accuracy)):
            history[name].append(value)
    return history
