import torch
import torch.nn.functional as F
from torch import nn


def pick_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, hidden_channels, kernel_size)
        self.conv2 = nn.Conv2d(hidden_channels, out_channels, kernel_size)
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)
        self.pool1, self.pool2 = nn.AdaptiveAvgPool2d(pool1), nn.AdaptiveAvgPool2d(pool2)

    def forward(self, x):
        x = self.pool1(F.leaky_relu(self.conv1(x), negative_slope=0.1))
        x = self.pool2(F.leaky_relu(self.conv2(x), negative_slope=0.1))
        return self.linear(x.flatten(1))


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    running_loss, examples = 0.0, 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * len(x)
        examples += len(x)
    return running_loss / examples


@torch.no_grad()
def evaluate(model, loader, loss_fn, device):
    training = model.training
    model.eval()
    loss, correct, examples = 0.0, 0, 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        scores = model(x)
        loss += loss_fn(scores, y).item() * len(x)
        correct += (scores.argmax(1) == y).sum().item()
        examples += len(x)
    model.train(training)
    return loss / examples, correct / examples


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    loss_fn = nn.CrossEntropyLoss()
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer, device)
        val_loss, val_accuracy = evaluate(model, val_loader, loss_fn, device)
        print(f"epoch {epoch + 1}: {train_loss:.3f} {val_loss:.3f} {val_accuracy:.1%}")
        for name, value in zip(history, (train_loss, val_loss, val_accuracy)):
            history[name].append(value)
    return history
