"""PyTorch tensors inside and out, without any of its convolutions."""

import torch


def _tensor(values, axes):
    tensor = torch.as_tensor(values, dtype=torch.float64)
    if tensor.dim() != axes or tensor.numel() == 0:
        raise ValueError(f"expected {axes} axes and at least one number")
    return tensor


def convolve1d(x, g, mode="valid"):
    x, g = _tensor(x, 1), _tensor(g, 1)
    T, k = len(x), len(g)
    if mode not in ("full", "same", "valid") or (mode != "full" and k > T):
        raise ValueError(mode)
    places = torch.arange(T)[:, None] + torch.arange(k)
    full = torch.zeros(T + k - 1, dtype=torch.float64)
    full.index_add_(0, places.flatten(), torch.outer(x, g).flatten())
    return {"full": full, "same": full[(k - 1) // 2 :][:T], "valid": full[k - 1 : T]}[mode]


def correlate1d(x, w):
    x, w = _tensor(x, 1), _tensor(w, 1)
    if len(w) > len(x):
        raise ValueError("too many weights")
    return x.unfold(0, len(w), 1) @ w


def convolve2d(x, g):
    x, g = _tensor(x, 2), _tensor(g, 2)
    if g.shape[0] > x.shape[0] or g.shape[1] > x.shape[1]:
        raise ValueError("filter too large")
    windows = x.unfold(0, g.shape[0], 1).unfold(1, g.shape[1], 1)
    return (windows * g.flip(0, 1)).sum(dim=(-2, -1))


def moving_average(k):
    if k < 1:
        raise ValueError("no taps")
    return torch.softmax(torch.zeros(k), dim=0)


def convolution_matrix(g, T):
    g = _tensor(g, 1)
    k = len(g)
    if k > T:
        raise ValueError("filter too long")
    return torch.stack([torch.nn.functional.pad(g.flip(0), (n, T - k - n)) for n in range(T - k + 1)])
