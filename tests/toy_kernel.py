"""Hand-written kernels: right ones, and the same with one deliberate mistake each.

They prove that the checks can fail.  ``bug`` is the mistake's name; "" is the right kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Dict = dict[str, Array]
Shapes = dict[str, tuple[str, ...]]


class Grads(NamedTuple):
    """What backward returns for one input x."""

    params: Dict
    x: Array
    state0: Dict


def state_or_zeros(state: Dict | None, name: str, B: int, n: int, dtype: Any) -> Array:
    """A state of a dict that may be None or lack it."""
    given = (state or {}).get(name)
    return np.zeros((B, n), dtype) if given is None else given


def sigmoid(z: Array) -> Array:
    """The logistic function, without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * z))


ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "tanh": (np.tanh, lambda z: np.asarray(1 - np.tanh(z) ** 2)),
    "abs": (np.abs, np.sign),
    "relu": (lambda z: np.where(z > 0, z, 0), lambda z: (z > 0).astype(z.dtype)),
}


@dataclass(frozen=True)
class Elman:
    """h = phi(W @ x + U @ h_prev + b), with the loss sum((h - y)**2)."""

    bug: str = ""
    activation: str = "tanh"

    INPUTS: ClassVar[Shapes] = {"x": ("m",)}
    STATES: ClassVar[Shapes] = {"h": ("n",)}
    OUTPUTS: ClassVar[Shapes] = {"h": ("n",)}
    TARGETS: ClassVar[Shapes] = {"y": ("n",)}
    SIZES: ClassVar[dict[str, str]] = {"m": "input_size", "n": "hidden_size"}
    BUGS: ClassVar[dict[str, str]] = {
        "missing carry": "U",
        "transposed U gradient": "U",
        "carry through U instead of its transpose": "x",
        "W gradient of the wrong shape": "W",
        "missing b gradient": "b",
        "only the last step counts": "W",
        "only the first sample counts": "b",
        "average over the batch": "U",
        "derivative of tanh missing": "W",
        "derivative of tanh twice": "W",
        "h instead of h_prev": "U",
        "forgets dstate": "all, from last h",
        "dstate arrives twice": "all, from last h",
        "x gradient shifted by one step": "x",
        "initial h gradient of the second step": "initial h",
        "loss gradient without the factor 2": "W",
        "constant added": "dy, dstate",
        "dy squared": "dy, dstate",
        "float64 gradients": "dtype",
        "half precision": "everything",
        "adds to dstate in place": "arguments",
        "normalises x in place": "arguments",
        "state0 None is ones": "state0, dstate = None",
        "needs two samples": "B = 1",
        "fails at T = 0": "T = 0",
    }
    """Mistake -> a quantity that it makes wrong."""

    def init_params(
        self, rng: np.random.Generator, input_size: int, hidden_size: int, dtype: Any = np.float64
    ) -> Dict:
        """W (n, m), U (n, n), b (n,)."""
        m, n = input_size, hidden_size
        shapes = {"W": (n, m), "U": (n, n), "b": (n,)}
        return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}

    def forward(self, params: Dict, x: Array, state0: Dict | None = None) -> tuple[Array, Dict, Any]:
        """h (T, B, n), its last value, and the tape (x, all h from before step 0, pre-activations)."""
        (T, B, _), n = x.shape, len(params["b"])
        if T == 0 and self.bug == "fails at T = 0":
            raise IndexError("index -1 is out of bounds")
        if self.bug == "normalises x in place":
            x /= 2
        phi = ACTIVATIONS[self.activation][0]
        h, z = np.empty((T + 1, B, n), x.dtype), np.empty((T, B, n), x.dtype)
        h[0] = state_or_zeros(state0, "h", B, n, x.dtype)
        if state0 is None and self.bug == "state0 None is ones":
            h[0] = 1
        for t in range(T):
            z[t] = x[t] @ params["W"].T + h[t] @ params["U"].T + params["b"]
            h[t + 1] = phi(z[t])
        return h[1:], {"h": h[-1].copy()}, (x, h, z)

    def backward(self, params: Dict, tape: Any, dy: Array, dstate: Dict | None = None) -> Grads:
        """Gradients of all that forward took."""
        bug, (x, h, _) = self.bug, tape
        if bug == "dy squared":
            dy = dy**2
        da, dh = self._loop(params, tape, dy, dstate)
        keep = {"only the last step counts": slice(-1, None)}.get(bug, slice(None))
        samples = slice(0, 1) if bug == "only the first sample counts" else slice(None)
        factor = 1 / dy.shape[1] if bug == "average over the batch" else 1
        h_prev = h[1:] if bug == "h instead of h_prev" else h[:-1]
        dW = np.einsum("tbi,tbj->ij", da[keep], x[keep])
        dU = factor * np.einsum("tbi,tbj->ij", da, h_prev)
        db = da[:, samples].sum((0, 1))
        dx = da @ params["W"]
        if bug == "needs two samples":
            db = db + 0 * da[:, 1].sum(0)
        if bug == "transposed U gradient":
            dU = dU.T
        if bug == "W gradient of the wrong shape":
            dW = dW.T
        if bug == "x gradient shifted by one step":
            dx = np.roll(dx, 1, axis=0)
        if bug == "constant added":
            db = db + 1
        if bug == "half precision" and dx.dtype == np.float32:
            dW = dW.astype(np.float16).astype(np.float32)
        grads = {"W": dW, "U": dU, "b": db.astype(np.float64) if bug == "float64 gradients" else db}
        if bug == "missing b gradient":
            del grads["b"]
        return Grads(grads, dx, {"h": dh})

    def _loop(self, params: Dict, tape: Any, dy: Array, dstate: Dict | None) -> tuple[Array, Array]:
        """The gradients of all pre-activations, and of the initial state."""
        bug, (x, _, z), U = self.bug, tape, params["U"]
        dh = state_or_zeros(dstate, "h", x.shape[1], len(U), x.dtype)
        if bug == "adds to dstate in place" and len(x):
            dh += dy[-1]
            dh -= np.asarray(dy[-1]) * (1 + 1e-9)
        if bug == "forgets dstate":
            dh = np.zeros_like(dh)
        if bug == "dstate arrives twice":
            dh = 2 * dh
        da, first = np.empty_like(z), dh
        for t in reversed(range(len(x))):
            dh = dh + dy[t]
            slope = ACTIVATIONS[self.activation][1](z[t])
            power = {"derivative of tanh missing": 0, "derivative of tanh twice": 2}.get(bug, 1)
            da[t] = dh * slope**power
            first = dh
            dh = da[t] @ (U.T if bug == "carry through U instead of its transpose" else U)
            if bug == "missing carry":
                dh = np.zeros_like(dh)
        return da, first if bug == "initial h gradient of the second step" else dh

    def loss_and_grads(
        self, params: Dict, x: Array, targets: Array, state0: Dict | None = None
    ) -> tuple[Any, Grads]:
        """The squared error, summed over steps and samples."""
        h, _, tape = self.forward(params, x, state0)
        factor = 1 if self.bug == "loss gradient without the factor 2" else 2
        return ((h - targets) ** 2).sum(), self.backward(params, tape, factor * (h - targets))


@dataclass(frozen=True)
class LSTM:
    """c = f * c_prev + i * g; h = o * tanh(c), with the gates i, f, o, g packed in W, U, b."""

    bug: str = ""
    analytic: bool = True

    INPUTS: ClassVar[Shapes] = {"x": ("m",)}
    STATES: ClassVar[Shapes] = {"h": ("n",), "c": ("n",)}
    OUTPUTS: ClassVar[Shapes] = {"h": ("n",)}
    TARGETS: ClassVar[Shapes] = {}
    SIZES: ClassVar[dict[str, str]] = {"m": "input_size", "n": "hidden_size"}
    BUGS: ClassVar[dict[str, str]] = {
        "missing carry of c": "initial c",
        "missing carry of h": "initial h",
        "path through tanh(c) missing": "W",
        "path of c from the next step missing": "W",
        "forgets dstate of c": "all, from last c",
        "forgets dstate of h": "all, from last h",
        "wrong gate carries c": "initial c",
        "c instead of c_prev in df": "U",
        "sigma' for tanh' in g": "b",
        "derivative of tanh(c) taken at h": "W",
        "gates i and f swapped": "b",
        "sign of do": "b",
    }

    def init_params(
        self, rng: np.random.Generator, input_size: int, hidden_size: int, dtype: Any = np.float64
    ) -> Dict:
        """W (4n, m), U (4n, n), b (4n,)."""
        m, n = input_size, hidden_size
        shapes = {"W": (4 * n, m), "U": (4 * n, n), "b": (4 * n,)}
        return {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}

    def forward(self, params: Dict, x: Array, state0: Dict | None = None) -> tuple[Array, Dict, Any]:
        """h (T, B, n), the last h and c, and the tape."""
        (T, B, _), n = x.shape, len(params["b"]) // 4
        h, c = (np.empty((T + 1, B, n), x.dtype) for _ in "hc")
        gates = np.empty((T, B, 4 * n), x.dtype)
        h[0] = state_or_zeros(state0, "h", B, n, x.dtype)
        c[0] = state_or_zeros(state0, "c", B, n, x.dtype)
        for t in range(T):
            z = x[t] @ params["W"].T + h[t] @ params["U"].T + params["b"]
            gates[t, :, : 3 * n] = sigmoid(z[:, : 3 * n])
            gates[t, :, 3 * n :] = np.tanh(z[:, 3 * n :])
            i, f, o, g = np.split(gates[t], 4, axis=1)
            c[t + 1] = f * c[t] + i * g
            h[t + 1] = o * np.tanh(c[t + 1])
        return h[1:], {"h": h[-1].copy(), "c": c[-1].copy()}, (x, h, c, gates)

    def backward(self, params: Dict, tape: Any, dy: Array, dstate: Dict | None = None) -> Grads:
        """Gradients of all that forward took."""
        bug, (x, h, c, gates) = self.bug, tape
        (T, B, n), U = dy.shape, params["U"]
        dh, dc = (
            state_or_zeros(None if bug == f"forgets dstate of {s}" else dstate, s, B, n, x.dtype)
            for s in "hc"
        )
        dz = np.empty_like(gates)
        for t in reversed(range(T)):
            i, f, o, g = np.split(gates[t], 4, axis=1)
            dh = dh + dy[t]
            tanh_c = h[t + 1] if bug == "derivative of tanh(c) taken at h" else np.tanh(c[t + 1])
            if bug == "path of c from the next step missing" and t < T - 1:
                dc = np.zeros_like(dc)
            if bug != "path through tanh(c) missing":
                dc = dc + dh * o * (1 - tanh_c**2)
            di, df, do, dg = dc * g, dc * c[t], dh * np.tanh(c[t + 1]), dc * i
            if bug == "c instead of c_prev in df":
                df = dc * c[t + 1]
            if bug == "gates i and f swapped":
                di, df = df, di
            if bug == "sign of do":
                do = -do
            slope_g = g * (1 - g) if bug == "sigma' for tanh' in g" else 1 - g**2
            slopes = [i * (1 - i), f * (1 - f), o * (1 - o), slope_g]
            dz[t] = np.hstack([d * s for d, s in zip((di, df, do, dg), slopes, strict=True)])
            dh, dc = dz[t] @ U, dc * (o if bug == "wrong gate carries c" else f)
            if bug == "missing carry of h":
                dh = np.zeros_like(dh)
            if bug == "missing carry of c":
                dc = np.zeros_like(dc)
        dW, dU = (np.einsum("tbi,tbj->ij", dz, v) for v in (x, h[:-1]))
        return Grads({"W": dW, "U": dU, "b": dz.sum((0, 1))}, dz @ params["W"], {"h": dh, "c": dc})


class MaskedGrads(NamedTuple):
    """What backward returns for the inputs x and mask."""

    params: Dict
    x: Array
    mask: Array
    state0: Dict


@dataclass(frozen=True)
class Masked:
    """h = h_prev + mask * (a * x_h - h_prev), and u = concat(x, h), where x_h = x @ W.T.

    Two inputs, one of them a number a step; two outputs; a scalar parameter; a named size.
    """

    bug: str = ""

    INPUTS: ClassVar[Shapes] = {"x": ("m",), "mask": ()}
    STATES: ClassVar[Shapes] = {"h": ("p",)}
    OUTPUTS: ClassVar[Shapes] = {"h": ("p",), "u": ("m + p",)}
    TARGETS: ClassVar[Shapes] = {}
    SIZES: ClassVar[dict[str, str]] = {"m": "input_size", "p": "proj_size"}
    BUGS: ClassVar[dict[str, str]] = {
        "mask gradient not summed over the units": "mask",
        "second output ignored": "all, from output u",
        "a gradient of one sample": "a",
    }

    def init_params(
        self,
        rng: np.random.Generator,
        input_size: int,
        dtype: Any = np.float64,
        *,
        proj_size: int = 2,
    ) -> Dict:
        """W (p, m), a ()."""
        return {
            "W": rng.normal(size=(proj_size, input_size)).astype(dtype),
            "a": np.ones((), dtype),
        }

    def forward(
        self, params: Dict, x: Array, mask: Array, state0: Dict | None = None
    ) -> tuple[Dict, Dict, Any]:
        """The outputs h (T, B, p) and u (T, B, m + p), the last h, and the tape."""
        (T, B, _), p = x.shape, len(params["W"])
        h = np.empty((T + 1, B, p), x.dtype)
        h[0] = state_or_zeros(state0, "h", B, p, x.dtype)
        new = params["a"] * (x @ params["W"].T)
        for t in range(T):
            h[t + 1] = h[t] + mask[t][:, None] * (new[t] - h[t])
        outputs = {"h": h[1:], "u": np.concatenate([x, h[1:]], axis=2)}
        return outputs, {"h": h[-1].copy()}, (x, mask, h, new)

    def backward(self, params: Dict, tape: Any, dy: Dict, dstate: Dict | None = None) -> MaskedGrads:
        """Gradients of all that forward took."""
        x, mask, h, new = tape
        (T, B, m), p = x.shape, len(params["W"])
        du = np.zeros_like(dy["u"]) if self.bug == "second output ignored" else dy["u"]
        dh = state_or_zeros(dstate, "h", B, p, x.dtype)
        dnew, dmask = np.empty_like(new), np.empty_like(mask)
        for t in reversed(range(T)):
            dh = dh + dy["h"][t] + du[t][:, m:]
            parts = dh * (new[t] - h[t])
            wrong = self.bug == "mask gradient not summed over the units"
            dmask[t] = parts[:, 0] if wrong else parts.sum(1)
            dnew[t] = dh * mask[t][:, None]
            dh = dh * (1 - mask[t][:, None])
        bare = dnew * (x @ params["W"].T)
        da = bare[:, :1].sum() if self.bug == "a gradient of one sample" else bare.sum()
        dW = params["a"] * np.einsum("tbi,tbj->ij", dnew, x)
        dx = params["a"] * (dnew @ params["W"]) + du[:, :, :m]
        return MaskedGrads({"W": dW, "a": np.asarray(da)}, dx, dmask, {"h": dh})
