"""One helper for training and evaluation, everything as calls of torch.nn.functional, an optimizer that loops."""

import torch
import torch.nn.functional as F
from torch import nn


def pick_device():
    return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.pool1, self.pool2 = pool1, pool2
        self.conv1 = nn.Conv2d(in_channels, hidden_channels, kernel_size)
        self.conv2 = nn.Conv2d(hidden_channels, out_channels, kernel_size)
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)

    def forward(self, x):
        z = F.adaptive_avg_pool2d(F.leaky_relu(self.conv1(x), 0.1), self.pool1)
        z = F.adaptive_avg_pool2d(F.leaky_relu(self.conv2(z), 0.1), self.pool2)
        return self.linear(z.view(z.size(0), -1))


def _run_epoch(model, loader, loss_fn, device, optimizer=None):
    """Mean loss and accuracy of one pass; with an optimizer it learns on the way."""
    total_loss = torch.zeros((), device=device)
    total_correct = torch.zeros((), device=device)
    count = 0
    with torch.set_grad_enabled(optimizer is not None):
        for batch in loader:
            inputs, targets = (tensor.to(device, non_blocking=True) for tensor in batch)
            outputs = model(inputs)
            loss = loss_fn(outputs, targets)
            if optimizer is not None:
                optimizer.zero_grad(set_to_none=False)
                loss.backward()
                optimizer.step()
            total_loss += loss.detach() * inputs.shape[0]
            total_correct += (outputs.detach().max(1).indices == targets).sum()
            count += inputs.shape[0]
    return float(total_loss / count), float(total_correct / count)


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    return _run_epoch(model, loader, loss_fn, device, optimizer)[0]


def evaluate(model, loader, loss_fn, device):
    mode = model.training
    model.eval()
    try:
        return _run_epoch(model, loader, loss_fn, device)
    finally:
        model.train(mode)


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay, foreach=False)
    rows = []
    for _ in range(epochs):
        train_loss = train_one_epoch(model, train_loader, F.cross_entropy, optimizer, device)
        rows.append((train_loss, *evaluate(model, val_loader, F.cross_entropy, device)))
    return dict(zip(("train_loss", "val_loss", "val_accuracy"), map(list, zip(*rows))))
