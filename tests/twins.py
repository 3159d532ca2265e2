"""PyTorch twins of the shipped cells: forward only, one sample and one step at a time.

Written from the papers' equations, without lstmsym; autograd gives the gradients.  ``W`` acts on
the input, ``U`` on the previous state (a column: ``W @ x``), ``b`` is a bias.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import torch
from torch import Tensor, cat, sigmoid, tanh

State = dict[str, Tensor]
Step = Callable[[SimpleNamespace, Tensor, SimpleNamespace], State]
"""(parameters, x of one sample at one step, states before it) -> states after it."""
Twin = Callable[[Mapping[str, Tensor], Tensor, Mapping[str, Tensor]], tuple[Tensor, State]]
"""(parameters, x (T, B, m), first states (B, n)) -> h of all steps (T, B, n), last states."""

EPS = 1e-5
"""Added to the variance by ``lstm_layernorm``."""


def unrolled(step: Step) -> Twin:
    """A step, run over all steps of all samples."""

    def run(params: Mapping[str, Tensor], x: Tensor, state0: Mapping[str, Tensor]) -> tuple[Tensor, State]:
        p = SimpleNamespace(**params)
        samples, lasts = [], []
        for b in range(x.shape[1]):
            state = {name: value[b] for name, value in state0.items()}
            steps = []
            for t in range(x.shape[0]):
                state = step(p, x[t, b], SimpleNamespace(**state))
                steps.append(state["h"])
            samples.append(torch.stack(steps))
            lasts.append(state)
        return torch.stack(samples, 1), {name: torch.stack([last[name] for last in lasts]) for name in state0}

    return run


def squared_error(h: Tensor, y: Tensor) -> Tensor:
    """The loss of ``nicodjimenez``, over all steps and samples."""
    return ((h - y) ** 2).sum()


def rnn(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Elman 1990."""
    return {"h": tanh(p.W @ x + p.U @ s.h + p.b)}


def rnn_relu(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Elman's network with relu."""
    return {"h": torch.relu(p.W @ x + p.U @ s.h + p.b)}


def lstm(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Forget gate; one matrix a gate, acting on [h_prev, x]."""
    hx = cat([s.h, x])
    i = sigmoid(p.W_i @ hx + p.b_i)
    f = sigmoid(p.W_f @ hx + p.b_f)
    g = tanh(p.W_g @ hx + p.b_g)
    o = sigmoid(p.W_o @ hx + p.b_o)
    c = f * s.c + i * g
    return {"h": o * tanh(c), "c": c}


def nicodjimenez(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """One matrix a gate, acting on [x, h_prev]; no tanh at the output."""
    x_c = cat([x, s.h])
    g = tanh(p.W_g @ x_c + p.b_g)
    i = sigmoid(p.W_i @ x_c + p.b_i)
    f = sigmoid(p.W_f @ x_c + p.b_f)
    o = sigmoid(p.W_o @ x_c + p.b_o)
    after = g * i + s.s * f
    return {"h": after * o, "s": after}


def lstm_peephole(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Gers 2002: i and f see the old c, o sees the new one."""
    i = sigmoid(p.W_i @ x + p.U_i @ s.h + p.p_i * s.c + p.b_i)
    f = sigmoid(p.W_f @ x + p.U_f @ s.h + p.p_f * s.c + p.b_f)
    g = tanh(p.W_g @ x + p.U_g @ s.h + p.b_g)
    c = f * s.c + i * g
    o = sigmoid(p.W_o @ x + p.U_o @ s.h + p.p_o * c + p.b_o)
    return {"h": o * tanh(c), "c": c}


def lstm_coupled(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Greff 2017, CIFG: f = 1 - i."""
    i = sigmoid(p.W_i @ x + p.U_i @ s.h + p.b_i)
    g = tanh(p.W_g @ x + p.U_g @ s.h + p.b_g)
    o = sigmoid(p.W_o @ x + p.U_o @ s.h + p.b_o)
    c = (1 - i) * s.c + i * g
    return {"h": o * tanh(c), "c": c}


def lstm_projected(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Sak 2014: h = W_r @ (o * tanh(c)) has fewer entries than c."""
    i = sigmoid(p.W_i @ x + p.U_i @ s.h + p.b_i)
    f = sigmoid(p.W_f @ x + p.U_f @ s.h + p.b_f)
    g = tanh(p.W_g @ x + p.U_g @ s.h + p.b_g)
    o = sigmoid(p.W_o @ x + p.U_o @ s.h + p.b_o)
    c = f * s.c + i * g
    return {"h": p.W_r @ (o * tanh(c)), "c": c}


def layer_norm(v: Tensor, gain: Tensor) -> Tensor:
    """gain * (v - mean) / sqrt(population variance + EPS), of a vector."""
    centred = v - v.sum() / v.numel()
    return gain * centred / torch.sqrt((centred**2).sum() / v.numel() + EPS)


def lstm_layernorm(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Ba 2016, a normalisation for each gate; the carried c is not normalised."""
    i = sigmoid(layer_norm(p.W_i @ x, p.gamma_xi) + layer_norm(p.U_i @ s.h, p.gamma_hi) + p.b_i)
    f = sigmoid(layer_norm(p.W_f @ x, p.gamma_xf) + layer_norm(p.U_f @ s.h, p.gamma_hf) + p.b_f)
    g = tanh(layer_norm(p.W_g @ x, p.gamma_xg) + layer_norm(p.U_g @ s.h, p.gamma_hg) + p.b_g)
    o = sigmoid(layer_norm(p.W_o @ x, p.gamma_xo) + layer_norm(p.U_o @ s.h, p.gamma_ho) + p.b_o)
    c = f * s.c + i * g
    return {"h": o * tanh(layer_norm(c, p.gamma_c) + p.b_c), "c": c}


def gru(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Reset before the product; z lets the new value in."""
    z = sigmoid(p.W_z @ x + p.U_z @ s.h + p.b_z)
    r = sigmoid(p.W_r @ x + p.U_r @ s.h + p.b_r)
    n = tanh(p.W_n @ x + p.U_n @ (r * s.h) + p.b_n)
    return {"h": (1 - z) * s.h + z * n}


def gru_reset_after(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Reset after the product (cuDNN); z keeps the old value."""
    z = sigmoid(p.W_z @ x + p.U_z @ s.h + p.b_z)
    r = sigmoid(p.W_r @ x + p.U_r @ s.h + p.b_r)
    n = tanh(p.W_n @ x + p.b_n + r * (p.U_n @ s.h + p.d_n))
    return {"h": (1 - z) * n + z * s.h}


def mgu(p: SimpleNamespace, x: Tensor, s: SimpleNamespace) -> State:
    """Zhou 2016: one gate, reset before the product."""
    f = sigmoid(p.W_f @ x + p.U_f @ s.h + p.b_f)
    n = tanh(p.W_n @ x + p.U_n @ (f * s.h) + p.b_n)
    return {"h": (1 - f) * s.h + f * n}


TWINS: dict[str, Twin] = {
    "rnn": unrolled(rnn),
    "rnn_relu": unrolled(rnn_relu),
    "lstm": unrolled(lstm),
    "nicodjimenez": unrolled(nicodjimenez),
    "lstm_peephole": unrolled(lstm_peephole),
    "lstm_coupled": unrolled(lstm_coupled),
    "lstm_projected": unrolled(lstm_projected),
    "lstm_layernorm": unrolled(lstm_layernorm),
    "gru": unrolled(gru),
    "gru_reset_after": unrolled(gru_reset_after),
    "mgu": unrolled(mgu),
}
"""Name of the cell -> its twin."""
