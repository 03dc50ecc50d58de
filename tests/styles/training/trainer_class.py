"""A trainer object with a progress bar, a network of blocks, a context manager for the mode, a foreach optimizer."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn
from tqdm.auto import tqdm


def pick_device():
    if torch.cuda.device_count() > 0 and torch.cuda.is_available():
        return torch.device("cuda", 0)
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        return torch.device("mps", 0)
    return torch.device("cpu")


class Block(nn.Module):
    def __init__(self, c_in, c_out, kernel_size, cells):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel_size=(kernel_size, kernel_size))
        self.pool = nn.AdaptiveAvgPool2d(cells)

    def forward(self, x):
        z = self.conv(x)
        return self.pool(torch.maximum(0.1 * z, z))


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.block1 = Block(in_channels, hidden_channels, kernel_size, pool1)
        self.block2 = Block(hidden_channels, out_channels, kernel_size, pool2)
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)
        self.conv1, self.conv2 = self.block1.conv, self.block2.conv

    def forward(self, x):
        return self.linear(torch.flatten(self.block2(self.block1(x)), 1))


class Average:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n):
        self.sum += value * n
        self.count += n

    @property
    def value(self):
        return self.sum / self.count


@contextmanager
def mode(model, training):
    before = model.training
    model.train(training)
    yield
    model.train(before)


@dataclass
class Trainer:
    model: nn.Module
    loss_fn: object
    device: torch.device
    optimizer: object = None
    history: dict = field(default_factory=lambda: {"train_loss": [], "val_loss": [], "val_accuracy": []})

    def batches(self, loader, name):
        for inputs, targets in tqdm(loader, desc=name):
            yield inputs.to(self.device), targets.to(self.device)

    def train(self, loader):
        average = Average()
        with mode(self.model, True):
            for inputs, targets in self.batches(loader, "train"):
                self.optimizer.zero_grad()
                loss = self.loss_fn(self.model(inputs), targets)
                loss.backward()
                self.optimizer.step()
                average.update(loss.item(), len(inputs))
        return average.value

    @torch.no_grad()
    def test(self, loader):
        loss, accuracy = Average(), Average()
        with mode(self.model, False):
            for inputs, targets in self.batches(loader, "test"):
                logits = self.model(inputs)
                loss.update(self.loss_fn(logits, targets).item(), len(inputs))
                accuracy.update(torch.eq(torch.argmax(logits, 1), targets).float().mean().item(), len(inputs))
        return loss.value, accuracy.value


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    return Trainer(model, loss_fn, device, optimizer).train(loader)


def evaluate(model, loader, loss_fn, device):
    return Trainer(model, loss_fn, device).test(loader)


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay, foreach=True)
    trainer = Trainer(model, nn.CrossEntropyLoss().to(device), device, optimizer)
    for epoch in range(epochs):
        trainer.history["train_loss"].append(trainer.train(train_loader))
        loss, accuracy = trainer.test(val_loader)
        trainer.history["val_loss"].append(loss)
        trainer.history["val_accuracy"].append(accuracy)
        print(f"epoch {epoch + 1}: {loss:.4f} {accuracy:.3f}")
    return trainer.history
