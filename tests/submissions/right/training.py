import torch
from torch import nn
from torch.nn import functional as F


def pick_device():
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


class ConvNet(nn.Module):
    def __init__(self, in_channels, hidden_channels, out_channels, num_classes, kernel_size=2, pool1=4, pool2=2):
        super().__init__()
        self.pool1, self.pool2 = pool1, pool2
        self.conv1 = nn.Conv2d(in_channels, hidden_channels, kernel_size)
        self.conv2 = nn.Conv2d(hidden_channels, out_channels, kernel_size)
        self.linear = nn.Linear(out_channels * pool2 * pool2, num_classes)

    def forward(self, images):
        z = F.adaptive_avg_pool2d(F.leaky_relu(self.conv1(images), 0.1), self.pool1)
        z = F.adaptive_avg_pool2d(F.leaky_relu(self.conv2(z), 0.1), self.pool2)
        return self.linear(z.flatten(start_dim=1))


def train_one_epoch(model, loader, loss_fn, optimizer, device):
    model.train()
    total, count = 0.0, 0
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(targets)
        count += len(targets)
    return total / count


def evaluate(model, loader, loss_fn, device):
    was_training = model.training
    model.eval()
    total, right, count = 0.0, 0, 0
    with torch.no_grad():
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            logits = model(inputs)
            total += loss_fn(logits, targets).item() * len(targets)
            right += (logits.argmax(dim=1) == targets).sum().item()
            count += len(targets)
    model.train(was_training)
    return total / count, right / count


def fit(model, train_loader, val_loader, *, epochs, learning_rate, weight_decay=0.0, device):
    model.to(device)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=weight_decay)
    history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer, device))
        loss, accuracy = evaluate(model, val_loader, loss_fn, device)
        history["val_loss"].append(loss)
        history["val_accuracy"].append(accuracy)
    return history
