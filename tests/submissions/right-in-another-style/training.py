"""A trainer that knows model, loss and device, and the functions in terms of it."""

import contextlib
from collections import defaultdict

import torch
from torch import nn


def pick_device():
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return torch.device(next(name for name, there in available.items() if there))


class Block(nn.Sequential):
    """Convolution, activation, pool."""

    def __init__(self, in_channels, out_channels, kernel_size, size):
        convolution = nn.Conv2d(in_channels, out_channels, kernel_size)
        super().__init__(convolution, nn.LeakyReLU(0.1), nn.AdaptiveAvgPool2d(size))


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.network = nn.Sequential(
            Block(in_channels, hidden_channels, kernel_size, pool1),
            Block(hidden_channels, out_channels, kernel_size, pool2),
            nn.Flatten(),
            nn.Linear(out_channels * pool2**2, num_classes),
        )

    conv1 = property(lambda self: self.network[0][0])
    conv2 = property(lambda self: self.network[1][0])
    linear = property(lambda self: self.network[-1])

    def forward(self, images):
        return self.network(images)


class Trainer:
    def __init__(self, model, loss_fn, device, optimizer=None):
        self.model, self.loss_fn, self.device, self.optimizer = model, loss_fn, device, optimizer

    @contextlib.contextmanager
    def mode(self, training):
        before = self.model.training
        self.model.train(training)
        try:
            with torch.set_grad_enabled(training):
                yield
        finally:
            self.model.train(before)

    def batches(self, loader):
        """Logits, targets and loss of each batch."""
        for batch in loader:
            inputs, targets = (part.to(self.device) for part in batch)
            logits = self.model(inputs)
            yield logits, targets, self.loss_fn(logits, targets)

    def train(self, loader):
        losses = []
        with self.mode(training=True):
            for _, targets, loss in self.batches(loader):
                loss.backward()
                self.optimizer.step()
                self.optimizer.zero_grad()
                losses.append((loss.item(), len(targets)))
        return weighted(losses)

    def measure(self, loader):
        losses, hits = [], []
        with self.mode(training=False):
            for logits, targets, loss in self.batches(loader):
                losses.append((loss.item(), len(targets)))
                hits += (logits.max(1).indices == targets).tolist()
        return weighted(losses), sum(hits) / len(hits)


def weighted(losses):
    return sum(loss * size for loss, size in losses) / sum(size for _, size in losses)


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    return Trainer(model, loss_fn, device, optimizer).train(loader)


def evaluate(model, loader, loss_fn, device):
    return Trainer(model, loss_fn, device).measure(loader)


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    optimizer = torch.optim.AdamW(model.to(device).parameters(), learning_rate, weight_decay=weight_decay)
    trainer = Trainer(model, nn.functional.cross_entropy, device, optimizer)
    history = defaultdict(list)
    for _ in range(epochs):
        history["train_loss"].append(trainer.train(train_loader))
        val_loss, val_accuracy = trainer.measure(val_loader)
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append(val_accuracy)
    return history
