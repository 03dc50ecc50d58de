"""The simulated GPU against torch: its words where places are mixed, its operators where they are not, bit by bit."""

import copy
import gc
import io

import numpy as np
import pytest
import torch
import training
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from autograder.worker.machine import hidden_gpu, machine
from autograder.worker.simulated_gpu import SimulatedGPU

CUDA = torch.device("cuda", 0)
OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "RMSprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.01),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=0.01, amsgrad=True),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1),
    "foreach": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, foreach=True),
    "single-tensor": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, foreach=False),
    "fused": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, fused=True),
    "rate-in-a-tensor": lambda parameters: torch.optim.Adam(parameters, lr=torch.tensor(0.01)),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(7)


@pytest.fixture
def gpu():
    with SimulatedGPU() as simulated:
        yield simulated


@pytest.fixture
def x():
    return torch.randn(4, 5)


@pytest.fixture
def there(gpu, x):
    """The same, on the device."""
    return x.to("cuda")


# --- places -----------------------------------------------------------------------------------------------------------

MOVES = {
    'to("cuda")': lambda x: x.to("cuda"),
    'to("cuda:0")': lambda x: x.to("cuda:0"),
    "to(device)": lambda x: x.to(torch.device("cuda")),
    "to(0)": lambda x: x.to(0),
    "to(device=, non_blocking=)": lambda x: x.to(device="cuda", non_blocking=True),
    "to(device, dtype)": lambda x: x.to("cuda", torch.float64),
    "to(device, dtype, non_blocking, copy)": lambda x: x.to("cuda", torch.float64, True, True),
    "to(dtype, device=)": lambda x: x.to(torch.float64, device="cuda"),
    "to(other)": lambda x: x.to(torch.zeros(1, device="cuda")),
    "to(other=)": lambda x: x.to(other=torch.zeros(1, device="cuda")),
    "to(memory_format=)": lambda x: x[None, None].to("cuda", memory_format=torch.channels_last),
    "cuda()": lambda x: x.cuda(),
    "cuda(0)": lambda x: x.cuda(0, non_blocking=True),
    "pinned": lambda x: x.pin_memory().to("cuda", non_blocking=True),
    "tensor(device=)": lambda x: torch.tensor(x.tolist(), device="cuda"),
    "as_tensor(tensor, device=)": lambda x: torch.as_tensor(x, device="cuda"),
    "as_tensor(array, device=)": lambda x: torch.as_tensor(x.numpy(), device="cuda"),
    "from_numpy": lambda x: torch.from_numpy(x.numpy()).to("cuda"),
    "new_tensor": lambda x: torch.zeros(1, device="cuda").new_tensor(x.tolist()),
    "type_as": lambda x: x.type_as(torch.zeros(1, device="cuda")),
    "set_default_device": lambda x: in_default_device(lambda: torch.tensor(x.tolist())),
}


def in_default_device(make):
    with torch.device("cuda"):
        return make()


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_moved_tensor_is_on_the_device_and_what_it_was_stays_behind(gpu, x, move):
    moved = move(x)
    assert moved.device == CUDA
    assert moved.is_cuda
    assert not moved.is_cpu
    assert moved.get_device() == 0
    assert x.device.type == "cpu"
    assert np.array_equal(moved.cpu().squeeze().numpy(), x.numpy())
    assert moved.cpu().device.type == moved.to("cpu").device.type == "cpu"


FACTORIES = {
    "zeros": lambda **where: torch.zeros(2, 3, **where),
    "ones": lambda **where: torch.ones((2, 3), **where),
    "full": lambda **where: torch.full((2, 3), 7.0, **where),
    "arange": lambda **where: torch.arange(5, **where),
    "linspace": lambda **where: torch.linspace(0, 1, 5, **where),
    "eye": lambda **where: torch.eye(3, **where),
    "randn": lambda **where: torch.randn(2, 3, **where),
    "randint": lambda **where: torch.randint(5, (3,), **where),
    "randperm": lambda **where: torch.randperm(6, **where),
    "tensor": lambda **where: torch.tensor([1.0, 2.0], **where),
    "scalar": lambda **where: torch.tensor(0.0, **where),
    "zeros_like": lambda **where: torch.zeros_like(torch.ones(3), **where),
    "rand_like": lambda **where: torch.rand_like(torch.ones(3), **where),
    "new_zeros": lambda **where: torch.ones(3).new_zeros(2, **where),
    "parameter": lambda **where: nn.Linear(2, 3, **where).weight.detach(),
}


@pytest.mark.parametrize("make", FACTORIES.values(), ids=FACTORIES)
def test_what_is_made_on_the_device_is_what_is_made_on_the_cpu(gpu, make):
    torch.manual_seed(3)
    expected = make()
    torch.manual_seed(3)
    made = make(device="cuda")
    assert (expected.device.type, made.device) == ("cpu", CUDA)
    assert torch.equal(made.cpu(), expected)


OPERATORS = {
    "views": lambda x: [x.T, x[1:], x[:, None], x.reshape(-1), x.view(5, 4), x.unfold(0, 2, 1), x.expand(2, 4, 5)],
    "arithmetic": lambda x: [
        x + x,
        2 * x,
        x / 3,
        -x,
        x**2,
        x @ x.T,
        x.sum(),
        x.mean(0),
        x > 0,
        torch.where(x > 0, x, 0),
    ],
    "numbers": lambda x: [x + x.sum().item(), x * torch.tensor(2.0), torch.tensor(2.0) - x, x.clamp(min=0)],
    "in place": lambda x: [x.clone().add_(1), x.clone().mul_(x), x.clone().zero_(), x.clone().fill_(2.0)],
    "like": lambda x: [torch.zeros_like(x), x.new_ones(3), torch.full_like(x, 2), x.new_zeros(2, 2)],
    "choice": lambda x: [
        x.argmax(1),
        x[x > 0],
        x[[0, 2]],
        x[torch.tensor([1, 0])],
        x.max(1).values,
        x.gather(1, x.argmax(1)[:, None]),
    ],
    "together": lambda x: [torch.cat([x, x]), torch.stack([x[0], x[1]]), *x.chunk(2), *x.unbind()],
    "classes": lambda x: [
        functional.one_hot(x.argmax(1), 5),
        functional.cross_entropy(x, x.argmax(1)),
        x.softmax(1).log(),
    ],
    "types": lambda x: [x.double(), x.long(), x.half().float(), x.to(torch.float64), x.type_as(x)],
    "data": lambda x: [x.data, x.detach(), copy.deepcopy(x), x.contiguous()],
    "einsum": lambda x: [
        torch.einsum("ij,kj->ik", x, x),
        torch.tensordot(x, x, dims=([1], [1])),
        torch.outer(x[0], x[1]),
    ],
    "statistics": lambda x: [
        x.std(),
        x.var(0),
        x.norm(),
        torch.linalg.vector_norm(x),
        x.sort(1).values,
        x.topk(2).indices,
        x.cumsum(0),
    ],
    "pictures": lambda x: [
        functional.pad(x, (1, 2)),
        functional.unfold(x[None, None], 2),
        functional.conv2d(x[None, None], x[None, None, :2, :2]),
        functional.adaptive_avg_pool2d(x[None, None], 2),
        functional.interpolate(x[None, None], scale_factor=2),
    ],
}


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("operate", OPERATORS.values(), ids=OPERATORS)
def test_operators_compute_the_same_bits_and_stay_on_the_device(x, there, operate, mode):
    with mode():
        for expected, result in zip(operate(x), operate(there), strict=True):
            assert expected.device.type == "cpu"
            assert result.device == CUDA
            assert torch.equal(result.cpu(), expected)


def test_a_view_shares_its_place_and_its_memory(gpu, there):
    before = gpu.allocated
    there[1:].zero_()
    assert there[1:].abs().sum() == 0
    assert gpu.allocated == before


def test_writing_into_either_place_leaves_it_there(gpu, x, there):
    x.copy_(there + 1)
    there[0] = x[1]
    assert (x.device.type, there.device) == ("cpu", CUDA)
    assert torch.equal(there[0].cpu(), x[1])


def test_a_gradient_goes_back_to_where_its_tensor_is(gpu, x):
    x.requires_grad_()
    (x.to("cuda") ** 2).sum().cpu().backward()
    assert x.grad.device.type == "cpu"
    assert torch.equal(x.grad, 2 * x.detach())


def test_what_torch_makes_inside_an_operator_never_mixes(gpu, there):
    """Seen so far: zeros of one_hot; here such a tensor meets the device, and is there from then on."""
    adrift = torch.ops.aten.zeros([4, 5])
    assert (adrift + there).device == CUDA
    assert (adrift + torch.ones(4, 5)).device.type == "cpu"
    assert adrift.add_(there).device == CUDA


# --- torch's own words ------------------------------------------------------------------------------------------------

SAME = "Expected all tensors to be on the same device, but"


def odd(argument, place, others, method):
    where = f"got {argument} is on {place}, different from other tensors on {others}"
    return f"{SAME} {where} (when checking argument in method wrapper_CUDA_{method})"


def types(images, weights):
    return f"Input type (torch.{images}FloatTensor) and weight type (torch.{weights}FloatTensor) should be the same"


MIXES = {
    "sum": (lambda c, g: c + g, f"{SAME} found at least two devices, cuda:0 and cpu!"),
    "sum in place": (lambda c, g: torch.zeros(()).add_(g.sum()), f"{SAME} found at least two devices, cuda:0 and cpu!"),
    "product": (lambda c, g: c @ g.T, odd("mat2", "cuda:0", "cpu", "mm")),
    "linear": (lambda c, g: nn.Linear(5, 3).cuda()(c), odd("mat1", "cpu", "cuda:0", "addmm")),
    "loss": (
        lambda c, g: functional.cross_entropy(g, torch.tensor([0, 1, 2, 0])),
        odd("target", "cpu", "cuda:0", "nll_loss_forward"),
    ),
    "together": (lambda c, g: torch.cat([g, c]), odd("tensors", "cpu", "cuda:0", "cat")),
    "convolution": (
        lambda c, g: nn.Conv2d(1, 2, 2).cuda()(c[None, None]),
        f"{types('', 'cuda.')} or input should be a MKLDNN tensor and weight is a dense tensor",
    ),
    "convolution left behind": (lambda c, g: nn.Conv2d(1, 2, 2)(g[None, None]), types("cuda.", "")),
    "index": (
        lambda c, g: c[torch.tensor([1], device="cuda")],
        "indices should be either on cpu or on the same device as the indexed tensor (cpu)",
    ),
}


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize(("mix", "words"), MIXES.values(), ids=MIXES)
def test_mixing_two_places_is_refused_in_torchs_words(x, there, mix, words, mode):
    with mode(), pytest.raises(RuntimeError) as caught:
        mix(x, there)
    assert str(caught.value) == words


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device and a CUDA build of torch")
@pytest.mark.parametrize(("mix", "words"), MIXES.values(), ids=MIXES)
def test_a_real_device_says_the_same(x, mix, words):
    with pytest.raises(RuntimeError) as caught:
        mix(x, x.cuda())
    assert str(caught.value) == words


READS = {"numpy": lambda t: t.numpy(), "asarray": np.asarray, "mean of a list": lambda t: np.mean([t[0], t[1]])}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_numpy_cannot_read_the_device(there, read):
    words = (
        "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    )
    with pytest.raises(TypeError) as caught:
        read(there)
    assert str(caught.value) == words


REACHES = {
    "to": lambda x: x.to("cuda:1"),
    "cuda": lambda x: x.cuda(1),
    "zeros": lambda x: torch.zeros(1, device="cuda:1"),
}


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_a_second_device_is_not_there(gpu, x, reach):
    with pytest.raises(torch.AcceleratorError, match="CUDA error: invalid device ordinal"):
        reach(x)


def test_only_a_cpu_tensor_can_be_pinned(gpu, x, there):
    assert x.pin_memory().is_pinned()
    assert not x.is_pinned()
    with pytest.raises(
        RuntimeError, match=r"cannot pin 'torch\.cuda\.FloatTensor' only dense CPU tensors can be pinned"
    ):
        there.pin_memory()


# --- training loops ---------------------------------------------------------------------------------------------------


def network():
    return nn.Sequential(training.ConvNet(1, 4, 5, 3), nn.BatchNorm1d(3), nn.Dropout(0.3))


def trained(device, make_optimizer, step):
    """What a network and its losses have become after some steps, brought back to the CPU."""
    torch.manual_seed(0)
    model = network().to(device)
    data = [(torch.randn(size, 1, 9, 7), torch.randint(3, (size,))) for size in (7, 7, 3)] * 2
    optimizer = make_optimizer(model.parameters())
    losses = [step(model, optimizer, inputs.to(device), targets.to(device)) for inputs, targets in data]
    assert {tensor.device.type for tensor in model.state_dict().values()} == {torch.device(device).type}
    return [*losses, *(tensor.cpu() for tensor in model.state_dict().values())]


def plain(model, optimizer, inputs, targets):
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


def clipped(model, optimizer, inputs, targets):
    optimizer.zero_grad()
    loss = functional.cross_entropy(model(inputs), targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return float(loss.detach().cpu())


def assert_same_bits(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other) if isinstance(mine, torch.Tensor) else mine == other


@pytest.mark.parametrize("step", [plain, clipped])
@pytest.mark.parametrize("make_optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_training_gives_the_bits_of_the_cpu(make_optimizer, step):
    expected = trained("cpu", make_optimizer, step)
    with SimulatedGPU():
        assert_same_bits(trained("cuda", make_optimizer, step), expected)


def test_the_masters_loop_gives_the_bits_of_the_cpu():
    def run(device):
        torch.manual_seed(0)
        data = TensorDataset(torch.randn(17, 1, 9, 7), torch.randint(3, (17,)))
        model = network()
        loaders = DataLoader(data, 7, shuffle=True), DataLoader(data, 5)
        history = training.fit(model, *loaders, epochs=2, learning_rate=0.01, weight_decay=0.1, device=device)
        return [history, *(tensor.cpu() for tensor in model.parameters())]

    expected = run(torch.device("cpu"))
    with SimulatedGPU():
        assert_same_bits(run(torch.device("cuda")), expected)


def test_autocast_and_a_gradient_scaler_are_accepted():
    def step(model, optimizer, inputs, targets):
        with torch.autocast(inputs.device.type, dtype=torch.bfloat16, enabled=inputs.is_cuda):
            loss = functional.cross_entropy(model(inputs), targets)
        scaler = torch.amp.GradScaler(inputs.device.type)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss.item()

    expected = trained("cpu", OPTIMIZERS["SGD"], step)
    with machine(["cuda"]):
        assert_same_bits(trained("cuda", OPTIMIZERS["SGD"], step), expected)


def test_pinned_batches_cross_without_waiting():
    with machine(["cuda"]):
        loader = DataLoader(TensorDataset(torch.randn(6, 2), torch.arange(6)), 4, pin_memory=True)
        batches = [tuple(part.to("cuda", non_blocking=True) for part in batch if part.is_pinned()) for batch in loader]
    assert [len(batch) for batch in batches] == [2, 2]


def test_a_state_travels_by_deepcopy_and_by_file(gpu):
    model = network().cuda()
    best = copy.deepcopy(model.state_dict())
    file = io.BytesIO()
    torch.save(best, file)
    for where, device in ((None, CUDA), ("cpu", torch.device("cpu")), (CUDA, CUDA)):
        file.seek(0)
        loaded = torch.load(file, map_location=where)
        assert {tensor.device for tensor in loaded.values()} == {device}
        model.load_state_dict(loaded)
        assert {tensor.device for tensor in model.state_dict().values()} == {CUDA}
    assert {tensor.device for tensor in copy.deepcopy(model).cpu().state_dict().values()} == {torch.device("cpu")}


def test_an_optimizers_state_travels_too(gpu):
    model = nn.Linear(5, 3).cuda()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 5, device="cuda")).sum().backward()
    optimizer.step()
    other = torch.optim.AdamW(model.parameters())
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    other.step()
    assert {state["exp_avg"].device for state in other.state.values()} == {CUDA}


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * torch.full(x.shape, 2.0, device=x.device)


def test_a_backward_pass_of_ones_own_sees_the_device(gpu, there):
    there.requires_grad_()
    Doubled.apply(there).sum().backward()
    assert there.grad.device == CUDA


def test_what_is_rarer_in_a_loop_works_too(x):
    with machine(["cuda"]):
        results = rarer(x.cuda())
        assert {result.device for result in results} == {CUDA}


def rarer(there):
    q = torch.randn(2, 3, 4, device="cuda")
    return [
        torch.func.grad(lambda w: (w**2).sum())(there),
        torch.func.vmap(lambda row: row.sum())(there),
        torch.autograd.grad((there.requires_grad_() ** 2).sum(), there)[0],
        nn.Embedding(5, 3).cuda()(torch.tensor([1, 2], device="cuda")),
        nn.LSTM(4, 5, batch_first=True).cuda()(q)[0],
        nn.MultiheadAttention(4, 2, batch_first=True).cuda()(q, q, q)[0],
        nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).cuda().eval()(q),
    ]


# --- memory and machine -----------------------------------------------------------------------------------------------


def test_memory_is_counted_for_as_long_as_it_is_held():
    with machine(["cuda"]):
        before = torch.cuda.memory_allocated()
        x = torch.zeros(1000, device="cuda")
        view = x[1:]
        assert torch.cuda.memory_allocated() - before == 4000
        del x
        gc.collect()
        assert torch.cuda.memory_allocated() - before == 4000
        del view
        assert torch.cuda.memory_allocated() == before
        assert torch.cuda.max_memory_allocated() >= before + 4000


@pytest.mark.parametrize("gpus", [("cuda",), ("cuda", "mps"), ("mps",), ()], ids=str)
def test_every_way_of_asking_gets_the_same_answer(gpus):
    with machine(gpus):
        assert torch.cuda.is_available() == bool(torch.cuda.device_count()) == ("cuda" in gpus)
        assert torch.backends.mps.is_available() == torch.mps.is_available() == ("mps" in gpus)
        assert torch.accelerator.is_available() == bool(gpus)
        accelerator = torch.accelerator.current_accelerator()
        assert (accelerator.type if accelerator else None) == next(iter(gpus), None)
        if gpus:
            assert torch.ones(2, device=gpus[0]).device.type == gpus[0]


def test_what_is_asked_of_torch_cuda_besides():
    with machine(["cuda"]):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        torch.cuda.synchronize()
        end.record()
        assert start.elapsed_time(end) >= 0
        with torch.cuda.stream(torch.cuda.Stream()), torch.cuda.device(0):
            torch.cuda.current_stream().synchronize()
        torch.cuda.manual_seed_all(1)
        torch.cuda.empty_cache()
        torch.cuda.set_device(0)
        assert torch.cuda.get_device_name(0)
        assert torch.cuda.get_device_properties(0).total_memory > 0
        assert torch.cuda.is_bf16_supported()
        with pytest.raises(torch.AcceleratorError, match="invalid device ordinal"):
            torch.cuda.set_device(1)


def test_afterwards_torch_is_what_it_was():
    def world():
        names = [(owner, name) for owner in (torch, torch.Tensor, torch.cuda, torch.accelerator) for name in dir(owner)]
        return {(owner.__name__, name): getattr(owner, name, None) for owner, name in names}

    before = world()
    with machine(["cuda"]):
        assert world() != before
    after = world()
    assert [name for name in before if before[name] is not after[name] and before[name] != after[name]] == []
    with pytest.raises((AssertionError, RuntimeError)):
        torch.zeros(1, device="cuda")


def test_no_gpu_is_seen_while_a_process_warms_up():
    with hidden_gpu():
        assert torch.accelerator.current_accelerator(check_available=True) is None
        assert not torch.cuda.is_available()
