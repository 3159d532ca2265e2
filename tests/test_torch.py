"""Every cell's NumPy kernel against autograd of its PyTorch twin, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lstmsym import cells, load
from lstmsym.check import Case, random_case

torch = pytest.importorskip("torch")
import twins  # noqa: E402  (it needs torch)

SHAPES = [(5, 2, 3, 4), (1, 1, 3, 2), (7, 3, 2, 5), (1, 4, 5, 3), (6, 1, 4, 3), (4, 2, 1, 1)]
"""T, B, m, n."""
NAMES = sorted(twins.TWINS)


def tensors(values: dict[str, Any], grad: bool = True) -> dict[str, Any]:
    """The same numbers in torch, each with its own gradient."""
    return {name: torch.tensor(a, requires_grad=grad) for name, a in values.items()}


def kernel_and_case(name: str, T: int, B: int, m: int, n: int) -> tuple[Any, Case]:
    kernel: Any = load(name, backend="numpy")
    sizes = {"m": m, "n": n, "p": max(1, n - 1)}
    kept = {symbol: size for symbol, size in sizes.items() if symbol in kernel.SIZES}
    return kernel, random_case(kernel, T, B, kept, seed=T)


def agree(found: Any, expected: Any, what: str) -> None:
    """The same shape, and the same numbers to rounding.

    The absolute part is for gradients that vanish: layer normalisation of one unit.
    """
    want = expected.detach().numpy()
    assert np.shape(found) == want.shape, what
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-11, err_msg=what)


def agree_on_gradients(grads: Any, leaves: dict[str, dict[str, Any]]) -> None:
    for name, leaf in leaves["params"].items():
        agree(grads.params[name], leaf.grad, f"d{name}")
    for name, leaf in leaves["inputs"].items():
        agree(getattr(grads, name), leaf.grad, f"d{name}")
    for name, leaf in leaves["state0"].items():
        agree(grads.state0[name], leaf.grad, f"d initial {name}")


def leaves_of(case: Case) -> dict[str, dict[str, Any]]:
    groups = {"params": case.params, "inputs": case.inputs, "state0": case.state0}
    return {group: tensors(values) for group, values in groups.items()}


def test_every_cell_has_a_twin() -> None:
    assert sorted(cells.names()) == NAMES


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_kernel_agrees_with_autograd(name: str, shape: tuple[int, int, int, int]) -> None:
    kernel, case = kernel_and_case(name, *shape)
    y, state, tape = kernel.forward(case.params, *case.inputs.values(), state0=case.state0)
    grads = kernel.backward(case.params, tape, case.dy, case.dstate)

    leaves = leaves_of(case)
    h, last = twins.TWINS[name](leaves["params"], leaves["inputs"]["x"], leaves["state0"])
    arriving = tensors(case.dstate, grad=False)
    total: Any = (h * torch.tensor(case.dy)).sum()
    for s in last:
        total = total + (last[s] * arriving[s]).sum()
    total.backward()

    agree(y, h, "y")
    assert set(state) == set(last)
    for s in last:
        agree(state[s], last[s], f"last {s}")
    agree_on_gradients(grads, leaves)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_loss_agrees_with_autograd(shape: tuple[int, int, int, int]) -> None:
    kernel, case = kernel_and_case("nicodjimenez", *shape)
    arguments = (case.params, *case.inputs.values(), case.targets)
    loss, grads = kernel.loss_and_grads(*arguments, state0=case.state0)

    leaves = leaves_of(case)
    twin = twins.TWINS["nicodjimenez"]
    h, _ = twin(leaves["params"], leaves["inputs"]["x"], leaves["state0"])
    expected: Any = twins.squared_error(h, torch.tensor(case.targets))
    expected.backward()

    agree(loss, expected, "loss")
    agree_on_gradients(grads, leaves)


@pytest.mark.parametrize("name", NAMES)
def test_zero_states_are_the_default(name: str) -> None:
    kernel, case = kernel_and_case(name, 4, 2, 3, 4)
    y, _, tape = kernel.forward(case.params, *case.inputs.values())
    grads = kernel.backward(case.params, tape, case.dy)

    zeros = {s: np.zeros_like(a) for s, a in case.state0.items()}
    leaves = leaves_of(case) | {"state0": tensors(zeros)}
    h, _ = twins.TWINS[name](leaves["params"], leaves["inputs"]["x"], leaves["state0"])
    (h * torch.tensor(case.dy)).sum().backward()
    agree(y, h, "y")
    agree_on_gradients(grads, leaves)


# The twins themselves against torch.nn.

T, B, M, H, P = 5, 3, 3, 4, 2


def module_params(module: Any) -> dict[str, Any]:
    """The layer's tensors, all biases random and different."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return {name.removesuffix("_l0"): value for name, value in module.named_parameters()}


def random_tensor(*shape: int, seed: int = 1) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def by_gate(p: dict[str, Any], gates: str) -> dict[str, Any]:
    """W_, U_ and b_ of each gate, from torch's stacked matrices; both biases added."""
    parts: dict[str, Any] = {}
    for letter, stacked in (("W", p["weight_ih"]), ("U", p["weight_hh"])):
        parts |= {f"{letter}_{g}": a for g, a in zip(gates, stacked.split(H), strict=True)}
    bias = p["bias_ih"] + p["bias_hh"]
    return parts | {f"b_{g}": a for g, a in zip(gates, bias.split(H), strict=True)}


@pytest.mark.parametrize("name", ["rnn", "rnn_relu"])
def test_rnn_twins_agree_with_torch(name: str) -> None:
    kind = {"rnn": "tanh", "rnn_relu": "relu"}[name]
    layer = torch.nn.RNN(M, H, nonlinearity=kind, dtype=torch.float64)
    p = module_params(layer)
    x, h0 = random_tensor(T, B, M), random_tensor(B, H, seed=2)
    params = {"W": p["weight_ih"], "U": p["weight_hh"], "b": p["bias_ih"] + p["bias_hh"]}
    h, last = twins.TWINS[name](params, x, {"h": h0})
    y, h_last = layer(x, h0[None])
    torch.testing.assert_close(h, y)
    torch.testing.assert_close(last["h"], h_last[0])


@pytest.mark.parametrize("projected", [False, True])
def test_lstm_twins_agree_with_torch(projected: bool) -> None:
    layer = torch.nn.LSTM(M, H, proj_size=P if projected else 0, dtype=torch.float64)
    p = module_params(layer)
    width = P if projected else H
    x, h0, c0 = random_tensor(T, B, M), random_tensor(B, width, seed=2), random_tensor(B, H, seed=3)
    parts = by_gate(p, "ifgo")
    if projected:
        params, name = parts | {"W_r": p["weight_hr"]}, "lstm_projected"
    else:
        joined = {f"W_{g}": torch.cat([parts[f"U_{g}"], parts[f"W_{g}"]], 1) for g in "ifgo"}
        params, name = parts | joined, "lstm"
    h, last = twins.TWINS[name](params, x, {"h": h0, "c": c0})
    y, (h_last, c_last) = layer(x, (h0[None], c0[None]))
    torch.testing.assert_close(h, y)
    torch.testing.assert_close(last["h"], h_last[0])
    torch.testing.assert_close(last["c"], c_last[0])


def test_gru_reset_after_twin_agrees_with_torch() -> None:
    layer = torch.nn.GRU(M, H, dtype=torch.float64)
    p = module_params(layer)
    x, h0 = random_tensor(T, B, M), random_tensor(B, H, seed=2)
    inside = {"b_n": p["bias_ih"].split(H)[2], "d_n": p["bias_hh"].split(H)[2]}
    h, _ = twins.TWINS["gru_reset_after"](by_gate(p, "rzn") | inside, x, {"h": h0})
    torch.testing.assert_close(h, layer(x, h0[None])[0])


def test_layer_norm_twin_agrees_with_torch() -> None:
    v, gain = random_tensor(6), random_tensor(6, seed=2)
    expected = torch.nn.functional.layer_norm(v, (6,), weight=gain, eps=twins.EPS)
    torch.testing.assert_close(twins.layer_norm(v, gain), expected)


def test_peephole_twin_without_peepholes_is_the_lstm() -> None:
    parts = by_gate(module_params(torch.nn.LSTM(M, H, dtype=torch.float64)), "ifgo")
    x, h0, c0 = random_tensor(T, B, M), random_tensor(B, H, seed=2), random_tensor(B, H, seed=3)
    joined = {f"W_{g}": torch.cat([parts[f"U_{g}"], parts[f"W_{g}"]], 1) for g in "ifgo"}
    closed = {f"p_{g}": torch.zeros(H, dtype=torch.float64) for g in "ifo"}
    h, _ = twins.TWINS["lstm_peephole"](parts | closed, x, {"h": h0, "c": c0})
    expected, _ = twins.TWINS["lstm"](parts | joined, x, {"h": h0, "c": c0})
    torch.testing.assert_close(h, expected)
