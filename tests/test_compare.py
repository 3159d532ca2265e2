"""What a document's cell is: the same up to names, order, signs and biases; or what is different in it."""

from __future__ import annotations

import pytest

from lstmsym import (
    Cell,
    Input,
    Output,
    State,
    biases,
    cells,
    concat,
    relu,
    sigma,
    softmax,
    t,
    tanh,
    vectors,
    weights,
)
from lstmsym.reporting.compare import CALLED, compare


class PyTorchGRU(Cell):
    x, s = Input(), State()
    W1, W2, W3 = weights("W1 W2 W3")
    V1, V2, V3 = weights("V1 V2 V3")
    b1, b2, b3, c1, c2, c3 = biases("b1 b2 b3 c1 c2 c3")
    a_r = W1 @ x[t] + b1 + V1 @ s[t - 1] + c1
    reset = sigma(a_r)
    update = sigma(W2 @ x[t] + b2 + V2 @ s[t - 1] + c2)
    new = tanh(W3 @ x[t] + b3 + reset * (V3 @ s[t - 1] + c3))
    s[t] = (1 - update) * new + update * s[t - 1]


class ChoGRU(Cell):
    x, h = Input(), State()
    A, B, C = weights("A B C")
    u = sigma(A @ concat(x[t], h[t - 1]))
    r = sigma(B @ concat(x[t], h[t - 1]))
    v = tanh(C @ concat(x[t], r * h[t - 1]))
    h[t] = u * h[t - 1] + (1 - u) * v


class GreffsNames(Cell):
    x, s, y = Input(), State(), State()
    Wz, Wi, Wf, Wo = weights("Wz Wi Wf Wo")
    Rz, Ri, Rf, Ro = weights("Rz Ri Rf Ro")
    bz, bf = biases("bz bf")
    zb = Wz @ x[t] + Rz @ y[t - 1] + bz
    ib = Wi @ x[t] - Ri @ y[t - 1]
    z = tanh(zb)
    i = sigma(ib)
    f = sigma(Wf @ x[t] + Rf @ y[t - 1] + bf)
    s[t] = z * i + s[t - 1] * f
    o = sigma(Wo @ x[t] + Ro @ y[t - 1])
    y[t] = tanh(s[t]) * o


class NoOutputTanh(Cell):
    x, h, c = Input(), State(), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    q = concat(x[t], h[t - 1])
    i, f, g, o = sigma(W_i @ q), sigma(W_f @ q), tanh(W_g @ q), sigma(W_o @ q)
    c[t] = f * c[t - 1] + i * g
    h[t] = o * c[t]


class WithReadout(Cell):
    x, h, y = Input(), State(), Output()
    W, U, V = weights("W U V")
    b, c = biases("b c")
    a = b + W @ h[t - 1] + U @ x[t]
    h[t] = tanh(a)
    y[t] = softmax(V @ h[t] + c)


class IndRNN(Cell):
    x, h = Input(), State()
    W, u, b = weights("W"), vectors("u"), biases("b")
    h[t] = relu(W @ x[t] + u * h[t - 1] + b)


class WrongPeephole(Cell):
    x, h, c = Input(), State(), State()
    W_i, W_f, W_g, W_o = weights("W_i W_f W_g W_o")
    U_i, U_f, U_g, U_o = weights("U_i U_f U_g U_o")
    p_i, p_f, p_o = vectors("p_i p_f p_o")
    i = sigma(W_i @ x[t] + U_i @ h[t - 1] + p_i * c[t - 1])
    f = sigma(W_f @ x[t] + U_f @ h[t - 1] + p_f * c[t - 1])
    o = sigma(W_o @ x[t] + U_o @ h[t - 1] + p_o * c[t - 1])
    g = tanh(W_g @ x[t] + U_g @ h[t - 1])
    c[t] = f * c[t - 1] + i * g
    h[t] = o * tanh(c[t])


class Tied(Cell):
    x, h = Input(), State()
    W, U, V = weights("W U V")
    z = sigma(W @ x[t] + U @ h[t - 1])
    n = tanh(W @ x[t] + V @ (z * h[t - 1]))
    h[t] = (1 - z) * h[t - 1] + z * n


@pytest.mark.parametrize("name", cells.names())
def test_each_shipped_cell_is_itself(name: str) -> None:
    assert compare(cells.find(name)).startswith(f"This is {CALLED[name]}.")


@pytest.mark.parametrize(
    ("cell", "start", "pieces"),
    [
        (PyTorchGRU, "gru_reset_after", ["two biases in reset and update", "differs from gru in new[t]", "(there n[t] = tanh(W_n @ x[t] + U_n @ (r[t] * h[t-1]) + b_n))"]),
        (ChoGRU, "gru", ["u in the place of 1 - z", "without biases", "differs from gru_reset_after in v[t]"]),
        (GreffsNames, "lstm", ["without a bias in i and o"]),
        (NoOutputTanh, "nicodjimenez", ["without biases", "h[t] = o[t] * c[t] (there h[t] = o[t] * tanh(c[t]))"]),
        (WithReadout, "rnn", []),
    ],
    ids=lambda v: v.name if isinstance(v, Cell) else "",
)  # fmt: skip
def test_the_same_under_other_names(cell: Cell, start: str, pieces: list[str]) -> None:
    note = compare(cell)
    assert note.startswith(f"This is {CALLED[start]}"), note
    for piece in pieces:
        assert piece in note, note


@pytest.mark.parametrize(
    ("cell", "piece"),
    [
        (IndRNN, "differs from rnn_relu, the nearest, in h[t] = relu(W @ x[t] + u * h[t-1] + b) (there h[t] = relu(W @ x[t] + U @ h[t-1] + b))"),
        (WrongPeephole, "differs from lstm_peephole, the nearest, in o[t] = sigma(W_o @ x[t] + U_o @ h[t-1] + p_o * c[t-1]) (there"),
        (Tied, "Several gates share W."),
    ],
    ids=lambda v: v.name if isinstance(v, Cell) else "",
)  # fmt: skip
def test_what_is_different_is_named(cell: Cell, piece: str) -> None:
    note = compare(cell)
    assert note.startswith("This is none of the known cells") and piece in note, note
