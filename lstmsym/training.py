"""The training problem of the original implementation (github.com/nicodjimenez/lstm, test.py).

100 cells, 50 inputs, four steps, squared error on h[0], plain descent.  It amplifies rounding ten
million times, so that its loss to the ninth digit depends on the order of the operations and on the
matrix routines of the machine; hence `original`, its own operations, to be run on the same machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

Array = NDArray[np.float64]

UNITS, INPUTS, STEPS, ITERATIONS, RATE = 100, 50, 4, 100, 0.1
TARGETS = (-0.5, 0.2, 0.1, -0.5)
PUBLISHED = 2.610763588369991e-06
"""The loss at iteration 99 as its author ran it (its issue 9; rerun to the last digit)."""


def problem() -> tuple[dict[str, Array], Array]:
    """Weights and inputs as the original draws them: every gate from the same seed."""
    draws = np.random.RandomState(0).random_sample(UNITS * (INPUTS + UNITS))
    weight = (0.2 * draws - 0.1).reshape(UNITS, INPUTS + UNITS)
    bias = 0.2 * np.random.RandomState(0).random_sample(UNITS) - 0.1
    after = np.random.RandomState(0).random_sample(UNITS + STEPS * INPUTS)[UNITS:]
    params = {f"W_{gate}": weight.copy() for gate in "gifo"}
    params |= {f"b_{gate}": bias.copy() for gate in "gifo"}
    return params, after.reshape(STEPS, 1, INPUTS)


def train(kernel: Any) -> list[float]:
    """Descent with a kernel; the loss before each update."""
    params, x = problem()
    losses = []
    screen = Console(stderr=True)
    hidden = not screen.is_terminal
    for _ in track(range(ITERATIONS), "training", transient=True, console=screen, disable=hidden):
        h, _, tape = kernel.forward(params, x)
        error = h[:, 0, 0] - TARGETS
        losses.append(float((error**2).sum()))
        dy = np.zeros_like(h)
        dy[:, 0, 0] = 2 * error
        grads = kernel.backward(params, tape, dy)
        for name, array in params.items():
            array -= RATE * grads.params[name]
    return losses


def original() -> list[float]:
    """Descent with the original's own operations in their order, one vector at a time."""
    params, x = problem()
    losses = []
    for _ in range(ITERATIONS):
        steps = original_forward(params, x[:, 0])
        loss, grads = original_backward(params, steps)
        losses.append(loss)
        for name, array in params.items():
            array -= RATE * grads[name]
    return losses


def original_forward(params: dict[str, Array], inputs: Array) -> list[dict[str, Array]]:
    """The values of every step."""
    steps: list[dict[str, Array]] = []
    h, s = np.zeros(UNITS), np.zeros(UNITS)
    for x in inputs:
        v = {"x_c": np.hstack((x, h)), "s_prev": s}
        for gate in "gifo":
            z = np.dot(params[f"W_{gate}"], v["x_c"]) + params[f"b_{gate}"]
            v[gate] = np.tanh(z) if gate == "g" else 1.0 / (1 + np.exp(-z))
        s = v["s"] = v["g"] * v["i"] + s * v["f"]
        h = v["h"] = s * v["o"]
        steps.append(v)
    return steps


def original_backward(
    params: dict[str, Array], steps: list[dict[str, Array]]
) -> tuple[float, dict[str, Array]]:
    """The loss and its gradients."""
    loss = 0.0
    grads = {name: np.zeros_like(array) for name, array in params.items()}
    dh_next, ds_next = np.zeros(UNITS), np.zeros(UNITS)
    for v, target in zip(reversed(steps), reversed(TARGETS), strict=True):
        error = v["h"][0] - target
        loss += float(error**2)
        dh = np.zeros(UNITS)
        dh[0] = 2 * error
        dh += dh_next
        ds = v["o"] * dh + ds_next
        a = {
            "i": (1 - v["i"]) * v["i"] * (v["g"] * ds),
            "f": (1 - v["f"]) * v["f"] * (v["s_prev"] * ds),
            "o": (1 - v["o"]) * v["o"] * (v["s"] * dh),
            "g": (1 - v["g"] ** 2) * (v["i"] * ds),
        }
        dx_c = np.zeros_like(v["x_c"])
        for gate, da in a.items():
            grads[f"W_{gate}"] += np.outer(da, v["x_c"])
            grads[f"b_{gate}"] += da
            dx_c += np.dot(params[f"W_{gate}"].T, da)
        dh_next, ds_next = dx_c[INPUTS:], ds * v["f"]
    return loss, grads
