"""The sides of the benchmark: each makes a function that runs one forward and backward pass.

All take the same weights (gates i f g o, W on x and U on h) and return (dW, dU, db, dx), gate-major,
so that they can be compared before they are timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

GATES = "ifgo"


def problem(T: int, B: int, m: int, n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    draw = lambda *shape: (rng.standard_normal(shape) / n**0.5).astype(np.float32)  # noqa: E731
    return {
        "W": draw(4 * n, m),
        "U": draw(4 * n, n),
        "b": draw(4 * n),
        "x": draw(T, B, m),
        "dy": draw(T, B, n),
    }


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def generated(p: dict[str, Any]) -> Callable[[], Any]:
    from lstmsym import load

    kernel: Any = load("lstm")
    n = p["U"].shape[1]
    joint = np.concatenate((p["U"], p["W"]), axis=1)
    params = {f"W_{k}": np.ascontiguousarray(joint[i * n : (i + 1) * n]) for i, k in enumerate(GATES)}
    params |= {f"b_{k}": np.ascontiguousarray(p["b"][i * n : (i + 1) * n]) for i, k in enumerate(GATES)}

    def run() -> Any:
        _, _, tape = kernel.forward(params, p["x"])
        g = kernel.backward(params, tape, p["dy"])
        joint = np.concatenate([g.params[f"W_{k}"] for k in GATES]) if run.compare else None
        db = np.concatenate([g.params[f"b_{k}"] for k in GATES]) if run.compare else None
        return None if joint is None else (joint[:, n:], joint[:, :n], db, g.x)

    run.compare = False
    return run


def textbook(p: dict[str, Any]) -> Callable[[], Any]:
    """Four gate products a step, weight gradients at every step."""
    n = p["U"].shape[1]
    W, U, b = (np.split(p[k], 4) for k in ("W", "U", "b"))
    x, dy = p["x"], p["dy"]
    T, B, _ = x.shape

    def run() -> Any:
        h = c = np.zeros((B, n), np.float32)
        tape = []
        for t in range(T):
            i, f, o = (sigmoid(x[t] @ W[k].T + h @ U[k].T + b[k]) for k in (0, 1, 3))
            g = np.tanh(x[t] @ W[2].T + h @ U[2].T + b[2])
            before = h, c
            c = f * c + i * g
            h = o * np.tanh(c)
            tape.append((i, f, g, o, c, *before))
        dW, dU, db = ([np.zeros_like(a) for a in group] for group in (W, U, b))
        dx = np.empty_like(x)
        dh_next = dc_next = np.zeros((B, n), np.float32)
        for t in reversed(range(T)):
            i, f, g, o, c, h, c_prev = tape[t]
            dh = dy[t] + dh_next
            dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next
            da = (
                dc * g * i * (1 - i),
                dc * c_prev * f * (1 - f),
                dc * i * (1 - g**2),
                dh * np.tanh(c) * o * (1 - o),
            )
            for k in range(4):
                dW[k] += da[k].T @ x[t]
                dU[k] += da[k].T @ h
                db[k] += da[k].sum(0)
            dx[t] = sum(da[k] @ W[k] for k in range(4))
            dh_next = sum(da[k] @ U[k] for k in range(4))
            dc_next = dc * f
        return np.concatenate(dW), np.concatenate(dU), np.concatenate(db), dx

    return run


def fused(p: dict[str, Any]) -> Callable[[], Any]:
    """By hand as fast as we can: packed, hoisted, sunk, in place, one tanh for all gates, no temporaries."""
    n = p["U"].shape[1]
    order = np.r_[0 : 2 * n, 3 * n : 4 * n, 2 * n : 3 * n]  # i f o g
    back = np.argsort(order)
    x, dy = p["x"], p["dy"]
    T, B, m = x.shape
    tanhs = np.repeat(np.array([0, 0, 0, 1], np.float32), n)
    half = (1 + tanhs) / 2
    shift = 1 - half
    add, subtract, multiply, matmul, tanh = np.add, np.subtract, np.multiply, np.matmul, np.tanh

    def run() -> Any:
        W, U, b = p["W"][order], p["U"][order], p["b"][order]
        UT = np.ascontiguousarray((U * half[:, None]).T)
        gates = x.reshape(T * B, m) @ (W * half[:, None]).T
        gates += b * half
        gates = gates.reshape(T, B, 4 * n)
        h, c = np.empty((T + 1, B, n), np.float32), np.empty((T + 1, B, n), np.float32)
        h[0] = c[0] = 0
        tanh_c = np.empty((T, B, n), np.float32)
        wide, narrow = np.empty((B, 4 * n), np.float32), np.empty((B, n), np.float32)
        for t in range(T):
            a, ct, tc = gates[t], c[t + 1], tanh_c[t]
            matmul(h[t], UT, out=wide)
            add(a, wide, out=a)
            tanh(a, out=a)
            multiply(a, half, out=a)
            add(a, shift, out=a)
            multiply(a[:, n : 2 * n], c[t], out=ct)
            multiply(a[:, :n], a[:, 3 * n :], out=narrow)
            add(ct, narrow, out=ct)
            tanh(ct, out=tc)
            multiply(a[:, 2 * n : 3 * n], tc, out=h[t + 1])
        d, dc = np.empty((T, B, 4 * n), np.float32), narrow
        dh, dc_next = np.zeros((B, n), np.float32), np.zeros((B, n), np.float32)
        for t in reversed(range(T)):
            a, da, tc = gates[t], d[t], tanh_c[t]
            add(dy[t], dh, out=dh)
            multiply(tc, tc, out=dc)
            subtract(1, dc, out=dc)
            multiply(dc, a[:, 2 * n : 3 * n], out=dc)
            multiply(dc, dh, out=dc)
            add(dc, dc_next, out=dc)
            multiply(dc, a[:, 3 * n :], out=da[:, :n])
            multiply(dc, c[t], out=da[:, n : 2 * n])
            multiply(dh, tc, out=da[:, 2 * n : 3 * n])
            multiply(dc, a[:, :n], out=da[:, 3 * n :])
            multiply(dc, a[:, n : 2 * n], out=dc_next)
            add(a, tanhs, out=wide)
            multiply(da, wide, out=da)
            subtract(1, a, out=wide)
            multiply(da, wide, out=da)
            matmul(da, U, out=dh)
        flat = d.reshape(T * B, 4 * n)
        dW, dU = flat.T @ x.reshape(T * B, m), flat.T @ h[:-1].reshape(T * B, n)
        return dW[back], dU[back], flat.sum(0)[back], (flat @ W).reshape(T, B, m)

    return run


def products(p: dict[str, Any]) -> Callable[[], Any]:
    """The 2T + 4 matrix products of the schedule and nothing else."""
    W, U, x = p["W"], p["U"], p["x"]
    T, B, m = x.shape
    n = U.shape[1]
    d = np.ones((T * B, 4 * n), np.float32)
    h, UT = np.ones((T * B, n), np.float32), np.ascontiguousarray(U.T)

    def run() -> None:
        flat = x.reshape(T * B, m)
        flat @ W.T
        for t in range(T):
            h[t * B : (t + 1) * B] @ UT
        for t in range(T):
            d[t * B : (t + 1) * B] @ U
        d.T @ flat, d.T @ h, d @ W

    return run


def pytorch(p: dict[str, Any]) -> Callable[[], Any]:
    import torch

    n, m = p["U"].shape[1], p["x"].shape[2]
    net = torch.nn.LSTM(m, n)
    with torch.no_grad():
        for name, value in (("weight_ih_l0", p["W"]), ("weight_hh_l0", p["U"]), ("bias_ih_l0", p["b"])):
            getattr(net, name).copy_(torch.from_numpy(value))
        net.bias_hh_l0.zero_()
    x = torch.from_numpy(p["x"]).requires_grad_()
    dy = torch.from_numpy(p["dy"])

    def run() -> Any:
        net.zero_grad()
        x.grad = None
        net(x)[0].backward(dy)
        return net.weight_ih_l0.grad, net.weight_hh_l0.grad, net.bias_ih_l0.grad, x.grad

    return run


def scan(p: dict[str, Any]) -> Callable[[], Any]:
    """JAX, a jitted scan."""
    import jax
    import jax.numpy as jnp

    n = p["U"].shape[1]

    def loss(W: Any, U: Any, b: Any, x: Any, dy: Any) -> Any:
        def step(carry: Any, inputs: Any) -> Any:
            h, c = carry
            i, f, g, o = jnp.split(inputs @ W.T + h @ U.T + b, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((x.shape[1], n), x.dtype)
        return (jax.lax.scan(step, (zero, zero), x)[1] * dy).sum()

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1, 2, 3)))
    args = [jnp.asarray(p[k]) for k in ("W", "U", "b", "x", "dy")]
    return lambda: jax.block_until_ready(gradient(*args))


def hips(p: dict[str, Any]) -> Callable[[], Any]:
    """HIPS autograd over a NumPy loop."""
    import autograd.numpy as anp
    from autograd import grad

    n = p["U"].shape[1]

    def loss(W: Any, U: Any, b: Any, x: Any) -> Any:
        h = c = anp.zeros((x.shape[1], n), np.float32)
        total = 0.0
        for t in range(x.shape[0]):
            i, f, g, o = anp.split(anp.dot(x[t], W.T) + anp.dot(h, U.T) + b, 4, axis=1)
            c = (anp.tanh(f / 2) + 1) / 2 * c + (anp.tanh(i / 2) + 1) / 2 * anp.tanh(g)
            h = (anp.tanh(o / 2) + 1) / 2 * anp.tanh(c)
            total = total + anp.sum(h * p["dy"][t])
        return total

    gradient = grad(loss, argnum=(0, 1, 2, 3))
    return lambda: gradient(p["W"], p["U"], p["b"], p["x"])


ALL: dict[str, Callable[[dict[str, Any]], Callable[[], Any]]] = {
    "generated": generated, "textbook": textbook, "hand-fused": fused, "bare products": products,
    "PyTorch nn.LSTM": pytorch, "JAX scan": scan, "HIPS autograd": hips,
}  # fmt: skip
