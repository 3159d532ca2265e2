"""Forms in which listings are published: caches, loops side by side, steps called by sequences, helpers by cases."""

from __future__ import annotations

from collections import Counter

import pytest

from lstmsym.listings import read_listing

WRONG = ("refuted", "undecided", "unread")

RECORDS = """
import numpy as np
from collections import namedtuple
{kind}

class Leaky:
    def forward(self, xs, s):
        self.tape = []
        for x in xs:
            phi = np.tanh(self.W @ x + self.U @ s)
            self.tape.append({record})
            s = 0.7 * s + 0.3 * phi
        return s

    def backward(self, ds_out):
        dW, dU = np.zeros_like(self.W), np.zeros_like(self.U)
        ds = np.zeros_like(ds_out[0])
        for t in range(len(self.tape) - 1, -1, -1):
            k = self.tape[t]
            ds = ds + ds_out[t]
            da = 0.3 * ds * (1 - {phi} ** 2)
            dW += np.outer(da, {x})
            dU += np.outer(da, {before})
            ds = 0.7 * ds + self.U.T @ da
        return dW, dU
"""
KINDS = {
    "tuple": ("", "(x, s, phi)", ("k[2]", "k[0]", "k[1]")),
    "dictionary": ("", "{'x': x, 'h': s, 'out': phi}", ("k['out']", "k['x']", "k['h']")),
    "call of dict": ("", "dict(x=x, h=s, out=phi)", ("k['out']", "k['x']", "k['h']")),
    "named tuple": ("K = namedtuple('K', 'x h out')", "K(x, out=phi, h=s)", ("k.out", "k.x", "k.h")),
    "data class": (
        "@dataclass\nclass K:\n    x: object\n    h: object\n    out: object\n",
        "K(x, s, phi)",
        ("k.out", "k.x", "k.h"),
    ),
}


def summary(text: str) -> Counter[str]:
    return Counter(row.verdict for row in read_listing(text).rows)


def refuted(text: str) -> list[str]:
    return [row.source for row in read_listing(text).rows if row.verdict == "refuted"]


@pytest.mark.parametrize("kind", KINDS)
def test_records_are_read_by_place(kind: str) -> None:
    head, record, (phi, x, before) = KINDS[kind]
    right = RECORDS.format(kind=head, record=record, phi=phi, x=x, before=before)
    found = summary(right)
    assert not any(found[v] for v in WRONG) and found["proved"] >= 5
    swapped = (
        record.replace("s", "phi", 1)
        if kind == "tuple"
        else record.replace("h=s", "h=phi")
        .replace("'h': s", "'h': phi")
        .replace("K(x, s, phi)", "K(x, phi, phi)")
    )
    wrong = refuted(RECORDS.format(kind=head, record=swapped, phi=phi, x=x, before=before))
    assert wrong == [f"dU += np.outer(da, {before})"]


SIDE_BY_SIDE = """
def forward(xs, h, W, U, b):
    hs, tape = [], []
    for x in xs:
        z = sigmoid(x @ W + h @ U + b)
        tape.append((x, h, z))
        h = z * h
        hs.append(h)
    return hs, tape

def backward(dhs, tape, W, U, b):
    dW, dU, db = 0 * W, 0 * U, 0 * b
    dh = np.zeros_like(dhs[0])
    for g, (x, h_prev, z) in zip(dhs[::-1], reversed(tape)):
        dh = dh + g
        da = dh * h_prev * z * (1 - z)
        dW += x.T @ da
        dU += h_prev.T @ da
        db += np.einsum('bh->h', da)
        dh = dh * z + da @ U.T
    return dW, dU, db
"""


def test_lists_side_by_side() -> None:
    found = summary(SIDE_BY_SIDE)
    assert not any(found[v] for v in WRONG) and found["proved"] == 6
    wrong = SIDE_BY_SIDE.replace("dh = dh * z + da @ U.T", "dh = da @ U.T")
    assert refuted(wrong) == ["dh = da @ U.T"]


SEQUENCE = """
def cell_forward(xt, h_prev, P):
    W, b = P["W"], P["b"]
    v = np.concatenate([h_prev, xt], axis=0)
    h = np.tanh(np.dot(W, v) + b)
    return h, (v, h, P)

def forward(x, h0, P):
    caches = []
    h = h0
    for t in range(x.shape[2]):
        h, cache = cell_forward(x[:, :, t], h, P)
        caches.append(cache)
    return h, caches

def cell_backward(dh, cache, n):
    v, h, P = cache
    da = dh * (1 - h ** 2)
    dW = np.dot(da, v.T)
    db = np.sum(da, axis=1, keepdims=True)
    dv = np.dot(P["W"].T, da)
    dh_prev = dv[:n]
    gradients = {"dh_prev": dh_prev, "dW": dW, "db": db}
    return gradients

def backward(dhs, caches, n):
    dh_next = np.zeros((n, 1))
    dW = np.zeros((n, 2 * n))
    db = np.zeros((n, 1))
    for t in reversed(range(len(caches))):
        gradients = cell_backward(dhs[:, :, t] + dh_next, caches[t], n)
        dW += gradients["dW"]
        db += gradients["db"]
        dh_next = gradients["dh_prev"]
    return dW, db
"""


def test_steps_and_sequences_have_passes_of_their_own() -> None:
    found = summary(SEQUENCE)
    assert not any(found[v] for v in WRONG) and found["proved"] >= 8
    assert refuted(SEQUENCE.replace("dW += gradients", "dW = gradients")) == ['dW = gradients["dW"]']
    assert refuted(SEQUENCE.replace("(1 - h ** 2)", "(1 - h)")) == ["da = dh * (1 - h)"]


CASES = """
def sigmoid(x):
    up = (x >= 0)
    down = ~up
    z = np.zeros_like(x)
    z[up] = np.exp(-x[up])
    z[down] = np.exp(x[down])
    top = np.ones_like(x)
    top[down] = {top}[down]
    return top / (1 + z)

for t in range(T):
    h[t] = sigmoid(W @ x[t] + U @ h[t - 1])

for t in reversed(range(T)):
    dh = dout[t] + dh_next
    da = dh * h[t] * (1 - h[t])
    dW += np.outer(da, x[t])
    dU += np.outer(da, h[t - 1])
    dh_next = U.T @ da
"""


def test_a_helper_by_cases_that_agree() -> None:
    assert not any(summary(CASES.format(top="z"))[v] for v in WRONG)
    assert refuted(CASES.format(top="x")) != []  # its cases differ: it is no sigmoid


ERROR = """
for t in range(T):
    h[t] = np.tanh(W @ x[t] + U @ h[t - 1])
    s[t] = V @ h[t]
    p[t] = np.exp(s[t] - np.max(s[t])) / np.sum(np.exp(s[t] - np.max(s[t])))

for t in reversed(range(T)):
    ds = np.copy(p[t])
    ds[labels[t]] -= 1
    dV += np.outer(ds, h[t])
    dh = V.T @ ds + U.T @ da_next
    da = dh * (1 - h[t] ** 2)
    dU += np.outer(da, h[t - 1])
    da_next = da
"""


def test_scores_less_their_largest() -> None:
    found = summary(ERROR)
    assert not any(found[v] for v in WRONG) and found["proved"] >= 6
    assert refuted(ERROR.replace("V.T @ ds", "V @ ds")) != []


def test_output_less_target() -> None:
    text = ERROR.replace("    p[t] = np.exp(s[t] - np.max(s[t])) / np.sum(np.exp(s[t] - np.max(s[t])))\n", "")
    text = text.replace("    ds = np.copy(p[t])\n    ds[labels[t]] -= 1\n", "    ds = s[t] - target[t]\n")
    listing = read_listing(text)
    assert not any(row.verdict in WRONG for row in listing.rows)
    assert any("half the sum of (s - target) ** 2" in row.message for row in listing.rows)
    assert refuted(text.replace("s[t] - target[t]", "target[t] - s[t]")) != []


CHECK = """
def check(f, W, eps=1e-5):
    num = np.zeros_like(W)
    for k in range(W.size):
        old = W.flat[k]
        W.flat[k] = old + eps
        up = f()
        W.flat[k] = old - eps
        down = f()
        W.flat[k] = old
        num.flat[k] = (up - down) / (2 * eps)
    return num
"""


def test_a_numerical_check_claims_nothing() -> None:
    assert set(summary(CHECK)) == {"not-a-claim"}
    assert not any(summary(SIDE_BY_SIDE + CHECK)[v] for v in WRONG)


BLOCKS = """
def forward(X, h, c):
    for t, x in enumerate(X):
        A = x @ Wx + h @ Wh + b
        i, f = sigmoid(A[:, :H]), sigmoid(A[:, H:2 * H])
        g = np.tanh(A[:, 2 * H:])
        c_old, h_old = c, h
        c = f * c_old + i * g
        h = np.tanh(c)
        cache[t] = (x, h_old, c_old, i, f, g, h)

def backward(dout):
    for t in reversed(range(len(cache))):
        x, h_old, c_old, i, f, g, h = cache[t]
        dh = dout[t] + dh_next
        dc = dc_next + dh * (1 - h ** 2)
        dA = np.empty((x.shape[0], 3 * H))
        dA[:, :H] = dc * g
        dA[:, H:2 * H] = dc * c_old
        dA[:, :H] *= i * (1 - i)
        dA[:, H:2 * H] *= f * (1 - f)
        dA[:, 2 * H:] = dc * i * (1 - g ** 2)
        dWx += x.T @ dA
        dWh += h_old.T @ dA
        dh_next = dA @ Wh.T
        dc_next = dc * f
"""


def test_parts_of_a_gradient_assigned_anew() -> None:
    found = summary(BLOCKS)
    assert not any(found[v] for v in WRONG) and found["proved"] >= 9
    assert refuted(BLOCKS.replace("dc_next = dc * f", "dc_next = dc * i")) == ["dc_next = dc * i"]


COLUMNS = """
def step(x, h_prev, Wx, Wh, b):
    a = x.dot(Wx) + b
    z = sigmoid(a[:, :H] + h_prev.dot(Wh[:, :H]))
    n = np.tanh(a[:, H:] + (z * h_prev).dot(Wh[:, H:]))
    h = z * h_prev + n
    return h, (x, h_prev, z, n)

def step_backward(dh, cache):
    x, h_prev, z, n = cache
    dan = dh * (1 - n ** 2)
    dzh = dan.dot(Wh[:, H:].T)
    daz = (dh + dzh) * h_prev * z * (1 - z)
    dh_prev = dh * z
    dh_prev = dh_prev + dzh * z
    dh_prev += daz.dot(Wh[:, :H].T)
    dWh = np.zeros_like(Wh)
    dWh[:, :H] = h_prev.T.dot(daz)
    dWh[:, H:] = (z * h_prev).T.dot(dan)
    dWx = x.T.dot(np.hstack((daz, dan)))
    return dh_prev, dWh, dWx
"""


def test_columns_of_a_matrix_one_after_the_other() -> None:
    found = summary(COLUMNS)
    assert not any(found[v] for v in WRONG) and found["proved"] >= 7
    wrong = COLUMNS.replace("dWh[:, H:] = (z * h_prev)", "dWh[:, H:] = h_prev")
    assert refuted(wrong) == ["dWh[:, H:] = h_prev.T.dot(dan)"]
    wrong = COLUMNS.replace("dh_prev + dzh * z", "dh_prev + dzh")
    listing = {row.source: row.verdict for row in read_listing(wrong).rows}
    assert listing["dh_prev = dh_prev + dzh"] == "refuted" and listing["dh_prev = dh * z"] == "proved"


BY_GATE = """
GATES = ("z", "r", "n")

def act(a, gate):
    return np.tanh(a) if gate == "n" else 1 / (1 + np.exp(-a))

def act_grad(y, gate):
    return 1 - y * y if gate == "n" else y * (1 - y)

def forward(W, b, xs, c):
    steps = []
    for x in xs:
        a = {{k: act(W[k] @ x + b[k], k) for k in GATES}}
        c_new = a["z"] * c + a["r"] * a["n"]
        steps.append((x, c, a))
        c = c_new

def backward(W, b, steps, dcs):
    dc = np.zeros_like(dcs[0])
    for (x, c, a), g in zip(reversed(steps), reversed(dcs)):
        dc = dc + g
        da = {{"z": dc * c, "r": dc * a["n"], "n": dc * a["r"]}}
        for k in GATES:
            dz = da[k] * act_grad(a[k], {gate})
            dW[k] += np.outer(dz, x)
            db[k] += dz
        dc = dc * a["z"]
"""
STACKED = """
def forward(x, c, W, b):
    z = sigmoid(W[0] @ x + b[0])
    n = np.tanh(W[1] @ x + b[1])
    c_new = z * c + n
    return c_new, (x, c, z, n)

def backward(dc, cache, W):
    x, c, z, n = cache
    dz = dc * c * z * (1 - z)
    dn = dc * (1 - n{square})
    dW = np.stack([np.outer(d, x) for d in (dz, dn)])
    db = np.stack([dz, dn])
    dx = W[0].T @ dz + W[{one}].T @ dn
    return dx, dc * z, dW, db
"""


def test_parameters_by_gate_have_names_of_their_own() -> None:
    found = summary(BY_GATE.format(gate="k"))
    assert not any(found[v] for v in WRONG) and found["proved"] >= 6
    assert refuted(BY_GATE.format(gate="'z'")) == ["dz = da[k] * act_grad(a[k], 'z')"]
    found = summary(STACKED.format(square=" ** 2", one=1))
    assert not any(found[v] for v in WRONG) and found["proved"] == 5
    assert refuted(STACKED.format(square=" ** 2", one=0)) == ["dx = W[0].T @ dz + W[0].T @ dn"]
    assert refuted(STACKED.format(square="", one=1)) == ["dn = dc * (1 - n)"]


def test_a_softmax_in_two_statements() -> None:
    one = "    p[t] = np.exp(s[t] - np.max(s[t])) / np.sum(np.exp(s[t] - np.max(s[t])))\n"
    two = "    e = np.exp(s[t] - s[t].max())\n    p[t] = e / e.sum()\n    loss -= np.log(p[t][labels[t]])\n"
    assert not any(summary(ERROR.replace(one, two))[v] for v in WRONG)


UNREAD = """
def forward(x, h, W, U, R):
    z = mystery(R @ h)
    h_new = z * np.tanh(W @ x + U @ h)
    return h_new

def backward(dh, h):
    n = np.tanh(W @ x + U @ h)
    da = dh * z * (1 - n ** 2)
    dz = dh * n
    dW = np.outer(da, x)
    dU = np.outer(da, h)
    dh_prev = U.T @ da
"""


def test_what_an_unread_forward_statement_reads_has_no_known_gradient() -> None:
    found = {row.source: row.verdict for row in read_listing(UNREAD).rows}
    assert found["z = mystery(R @ h)"] == "unread"
    assert found["dh_prev = U.T @ da"] == found["dz = dh * n"] == "undecided"
    assert found["dW = np.outer(da, x)"] == "proved"


OBJECT = """
class Cell:
    def forward(self, x, c):
        z = np.tanh(x @ self.W + c @ self.U)
        self.tape.append((x, c, z))
        c_new = 0.5 * c + z
        return c_new

    def backward(self, dc):
        x, c, z = self.tape.pop()
        da = dc * (1 - z ** 2)
        self.dW {op} x.T @ da
        self.dU += c.T @ da
        dc_prev = 0.5 * dc + da @ self.U.T
        return dc_prev

def loss(cell, xs, c, ys):
    cs = []
    for x in xs:
        c = cell.forward(x, c)
        cs.append(c)
    dc = np.zeros_like(c)
    for c, y in zip(reversed(cs), reversed(ys)):
        dc = cell.backward(dc + {error})
"""


def test_methods_that_a_sequence_calls() -> None:
    assert not any(summary(OBJECT.format(op="+=", error="c - y"))[v] for v in WRONG)
    assert refuted(OBJECT.format(op="=", error="c - y")) == ["self.dW = x.T @ da"]
    assert refuted(OBJECT.format(op="+=", error="(y - c)")) == ["dc = cell.backward(dc + (y - c))"]
