"""Everything of a fit in one function, the others as short as they get; log-softmax and NLL for cross-entropy."""

import torch
import torch.nn as nn

DEVICES = [("cuda", lambda: torch.cuda.is_available()), ("mps", lambda: torch.backends.mps.is_available())]


def pick_device():
    return torch.device(next((name for name, available in DEVICES if available()), "cpu"))


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super(ConvNet, self).__init__()
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(in_channels, hidden_channels, kernel_size),
                nn.Conv2d(hidden_channels, out_channels, kernel_size),
            ]
        )
        self.pools = nn.ModuleList([nn.AdaptiveAvgPool2d(pool1), nn.AdaptiveAvgPool2d(pool2)])
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)

    conv1 = property(lambda self: self.convs[0])
    conv2 = property(lambda self: self.convs[1])

    def forward(self, x):
        for conv, pool in zip(self.convs, self.pools):
            x = pool(nn.functional.leaky_relu(conv(x), negative_slope=0.1))
        return self.linear(x.flatten(1))


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    total = count = 0
    for inputs, targets in loader:
        model.zero_grad()
        output = model.forward(inputs.to(device))
        loss = loss_fn(output, targets.to(device))
        loss.backward()
        optimizer.step()
        total, count = total + len(inputs) * float(loss), count + len(inputs)
    return total / count


def evaluate(model, loader, loss_fn, device):
    was_training, total, correct, count = model.training, 0, 0, 0
    model.eval()
    for inputs, targets in loader:
        with torch.no_grad():
            output = model.forward(inputs.to(device))
        total += len(inputs) * float(loss_fn(output, targets.to(device)))
        correct += int(sum(output.argmax(1).cpu() == targets.cpu()))
        count += len(inputs)
    model.train(was_training)
    return total / count, correct / count


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        model.train()
        total = count = 0
        for inputs, targets in train_loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            loss = nn.functional.nll_loss(nn.functional.log_softmax(model(inputs), dim=1), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * inputs.size(0)
            count += inputs.size(0)
        history["train_loss"].append(total / count)
        model.eval()
        total = correct = count = 0
        with torch.no_grad():
            for inputs, targets in val_loader:
                inputs, targets = inputs.to(device), targets.to(device)
                output = model(inputs)
                total += nn.functional.cross_entropy(output, targets, reduction="sum").item()
                correct += (output.argmax(1) == targets).sum().item()
                count += inputs.size(0)
        history["val_loss"].append(total / count)
        history["val_accuracy"].append(correct / count)
    return history
