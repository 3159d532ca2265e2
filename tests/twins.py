"""Forward passes in plain PyTorch, written from the papers; autograd gives their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

Params: TypeAlias = dict[str, Tensor]
States: TypeAlias = dict[str, Tensor]
Step: TypeAlias = Callable[[Params, Tensor, States], States]


def gate(p: Params, k: str, x: Tensor, h: Tensor) -> Tensor:
    return x @ p[f"W_{k}"].T + h @ p[f"U_{k}"].T + p[f"b_{k}"]


def rnn(p: Params, x: Tensor, s: States) -> States:
    return {"h": torch.tanh(x @ p["W"].T + s["h"] @ p["U"].T + p["b"])}


def rnn_relu(p: Params, x: Tensor, s: States) -> States:
    return {"h": torch.relu(x @ p["W"].T + s["h"] @ p["U"].T + p["b"])}


def lstm(p: Params, x: Tensor, s: States) -> States:
    v = torch.cat((s["h"], x), 1)
    i, f, o = (torch.sigmoid(v @ p[f"W_{k}"].T + p[f"b_{k}"]) for k in "ifo")
    c = f * s["c"] + i * torch.tanh(v @ p["W_g"].T + p["b_g"])
    return {"h": o * torch.tanh(c), "c": c}


def nicodjimenez(p: Params, x: Tensor, s: States) -> States:
    v = torch.cat((x, s["h"]), 1)
    i, f, o = (torch.sigmoid(v @ p[f"W_{k}"].T + p[f"b_{k}"]) for k in "ifo")
    cell = torch.tanh(v @ p["W_g"].T + p["b_g"]) * i + s["s"] * f
    return {"h": cell * o, "s": cell}


def lstm_peephole(p: Params, x: Tensor, s: States) -> States:
    i = torch.sigmoid(gate(p, "i", x, s["h"]) + p["p_i"] * s["c"])
    f = torch.sigmoid(gate(p, "f", x, s["h"]) + p["p_f"] * s["c"])
    c = f * s["c"] + i * torch.tanh(gate(p, "g", x, s["h"]))
    o = torch.sigmoid(gate(p, "o", x, s["h"]) + p["p_o"] * c)
    return {"h": o * torch.tanh(c), "c": c}


def lstm_coupled(p: Params, x: Tensor, s: States) -> States:
    i, o = (torch.sigmoid(gate(p, k, x, s["h"])) for k in "io")
    c = (1 - i) * s["c"] + i * torch.tanh(gate(p, "g", x, s["h"]))
    return {"h": o * torch.tanh(c), "c": c}


def lstm_projected(p: Params, x: Tensor, s: States) -> States:
    i, f, o = (torch.sigmoid(gate(p, k, x, s["h"])) for k in "ifo")
    c = f * s["c"] + i * torch.tanh(gate(p, "g", x, s["h"]))
    return {"h": (o * torch.tanh(c)) @ p["W_r"].T, "c": c}


def lstm_layernorm(p: Params, x: Tensor, s: States) -> States:
    def norm(v: Tensor, gain: Tensor) -> Tensor:
        return torch.nn.functional.layer_norm(v, v.shape[-1:], weight=gain, eps=1e-5)

    def pre(k: str) -> Tensor:
        recurrent = norm(s["h"] @ p[f"U_{k}"].T, p[f"gamma_h{k}"])
        return norm(x @ p[f"W_{k}"].T, p[f"gamma_x{k}"]) + recurrent + p[f"b_{k}"]

    i, f, o = (torch.sigmoid(pre(k)) for k in "ifo")
    c = f * s["c"] + i * torch.tanh(pre("g"))
    return {"h": o * torch.tanh(norm(c, p["gamma_c"]) + p["b_c"]), "c": c}


def gru(p: Params, x: Tensor, s: States) -> States:
    z, r = (torch.sigmoid(gate(p, k, x, s["h"])) for k in "zr")
    n = torch.tanh(gate(p, "n", x, r * s["h"]))
    return {"h": (1 - z) * s["h"] + z * n}


def gru_reset_after(p: Params, x: Tensor, s: States) -> States:
    z, r = (torch.sigmoid(gate(p, k, x, s["h"])) for k in "zr")
    n = torch.tanh(x @ p["W_n"].T + p["b_n"] + r * (s["h"] @ p["U_n"].T + p["d_n"]))
    return {"h": (1 - z) * n + z * s["h"]}


def mgu(p: Params, x: Tensor, s: States) -> States:
    f = torch.sigmoid(gate(p, "f", x, s["h"]))
    n = torch.tanh(gate(p, "n", x, f * s["h"]))
    return {"h": (1 - f) * s["h"] + f * n}


STEPS: dict[str, Step] = {
    f.__name__: f
    for f in (
        *(rnn, rnn_relu, lstm, nicodjimenez, lstm_peephole, lstm_coupled, lstm_projected, lstm_layernorm),
        *(gru, gru_reset_after, mgu),
    )
}


def run(name: str, params: Params, x: Tensor, state: States) -> tuple[Tensor, States]:
    """All outputs h (T, B, n) and the last states."""
    outputs = []
    for step in x:
        state = STEPS[name](params, step, state)
        outputs.append(state["h"])
    return torch.stack(outputs), state
