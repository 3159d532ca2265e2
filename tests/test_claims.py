"""Claims pages: derivatives of quantities and of the loss, what they hold fixed, and how a page is written."""

from __future__ import annotations

from lstmsym import (
    Bias,
    Cell,
    Claims,
    Input,
    State,
    Target,
    Weight,
    cells,
    k,
    n,
    sum,
    t,
    tanh,
    verify,
    weights,
)

LSTM, RNN, GRU = cells.find("lstm"), cells.find("rnn"), cells.find("gru")
PEEPHOLE, SEED = cells.find("lstm_peephole"), cells.find("nicodjimenez")


class Readout(Cell):
    """An Elman network with outputs of another size than its state."""

    x, y, h = Input(), Target(k), State()
    W, U = weights("W U")
    V = Weight(k, n)
    b, d = Bias(), Bias()
    h[t] = tanh(W @ x[t] + U @ h[t - 1] + b)
    yhat = V @ h[t] + d
    l = sum((yhat - y[t]) ** 2) / 2


def judged_as_labelled(page: Claims) -> None:
    """Every claim's label begins with its verdict."""
    for v in verify(page):
        wanted = v.claim.label.split(":")[0]
        assert v.status.name == wanted, f"{v}: {wanted} was expected"


# fmt: off
def test_derivatives_through_activations() -> None:
    class Page(Claims, of=LSTM):
        claim("PROVED", D(i[t], a_i[t]), i * (1 - i))
        claim("PROVED", D(h[t], c[t]), o * (1 - tanh(c[t])**2))
        claim("PROVED", D(h[t], o[t]), tanh(c[t]))
        claim("PROVED", D(tanh(c[t]), c[t]), 1 - tanh(c[t])**2)
        claim("PROVED", D(h[t], h[t]), 1)
        claim("PROVED", D(h[t-1], h[t]), 0)
        claim("REFUTED", D(h[t], c[t]), 0)
        claim("REFUTED", D(i[t], a_i[t]), 0)
        claim("REFUTED", D(h[t], c[t]), o * (1 - c[t]**2))

    judged_as_labelled(Page)


def test_jacobians() -> None:
    class Page(Claims, of=RNN):
        claim("PROVED", D(h[t], h[t-1]), diag(1 - h**2) @ U)
        claim("PROVED", D(h[t], h[t-1]).T, U.T @ diag(1 - h**2))
        claim("PROVED", D(h[t], x[t]), diag(1 - h**2) @ W)
        claim("PROVED", D(h[t], h[t-2]), diag(1 - h**2) @ U @ diag(1 - h[t-1]**2) @ U)
        claim("PROVED", D(h[t], h[t-2]), D(h[t], h[t-1]) @ D(h[t-1], h[t-2]))
        claim("PROVED", dh_prev, D(h[t], h[t-1]).T @ dh)
        claim("PROVED", D(h[t], h[t-1]) @ b, (1 - h**2) * (U @ b))
        claim("REFUTED: transposed, as Pascanu et al. 2013 print it", D(h[t], h[t-1]), U.T @ diag(1 - h**2))
        claim("REFUTED", D(h[t], h[t-1]), U @ diag(1 - h**2))
        claim("REFUTED", D(h[t], h[t-1]), diag(1 - h[t-1]**2) @ U)
        claim("REFUTED", D(h[t], h[t-1]), 0)
        claim("REFUTED", D(h[t], x[t]), 0)
        claim("REFUTED", D(h[t], h[t-1]), 1 - h**2)
        claim("PROVED", D(h[t], b, h[t-1]), 1 - h**2)
        claim("UNREAD", D(h[t], h[t-1]) * h, h)
        claim("UNREAD", D(h[t], W, h[t-1]), 0)
        claim("UNREAD", D(h[t], W), 0)
        claim("UNREAD", D(h[t], h[t-9]), 0)
        claim("UNREAD", D(dh, h[t]), 0)
        claim("UNREAD", D(2 * L[t], h[t]), 0)
        claim("UNREAD", D(h[t], h[t-1] + x[t]), 0)

    judged_as_labelled(Page)


def test_jacobians_of_several_paths() -> None:
    class Page(Claims, of=LSTM):
        claim("PROVED", D(h[t], h[t-1]), D(h[t], o[t]) @ D(o[t], h[t-1]) + D(h[t], c[t]) @ D(c[t], h[t-1]))
        claim("PROVED", D(o[t], h[t-1]), diag(o * (1 - o)) @ W_o[:, :n])
        claim("PROVED", D(o[t], x[t]), diag(o * (1 - o)) @ W_o[:, n:])
        claim("REFUTED", D(o[t], x[t]), diag(o * (1 - o)) @ W_o[:, :m])
        claim("PROVED", dh_prev, D(h[t], h[t-1]).T @ dh + D(c[t], h[t-1]).T @ dc_prev[t+1])
        claim("PROVED", dc_prev, dc * D(c[t], c[t-1]))
        claim("REFUTED", D(h[t], h[t-1]), D(h[t], o[t]) @ D(o[t], h[t-1]))
        claim("REFUTED", D(h[t], h[t-1]), 0)
        claim("REFUTED", D(h[t], x[t]), 0)

    judged_as_labelled(Page)


def test_earlier_states_are_arguments_of_a_step() -> None:
    class Plain(Claims, of=LSTM):
        claim("PROVED", D(c[t], c[t-1]), f)
        claim("PROVED", D(c[t], c[t-1]), diag(f))
        claim("REFUTED: h[t-1] lies between", D(c[t], c[t-2]), f * f[t-1])
        claim("PROVED_IF", D(c[t], c[t-1]), diag(f) + D(c[t], h[t-1]) @ D(h[t-1], c[t-1]))
        claim("REFUTED: a path there is", D(i[t], c[t-1]), 0)

    class Peepholes(Claims, of=PEEPHOLE):
        claim("PROVED", D(c[t], c[t-1]), f + c[t-1] * f * (1 - f) * p_f + g * i * (1 - i) * p_i)
        claim("PROVED_IF", D(c[t], c[t-1]), f)

    class Gated(Claims, of=GRU):
        claim("PROVED_IF", D(h[t], h[t-1]), 1 - z)
        claim("REFUTED", D(h[t], h[t-1]), z)

    judged_as_labelled(Plain)
    judged_as_labelled(Peepholes)
    judged_as_labelled(Gated)
    assert "at fixed f[t], g[t], i[t]" in verify(Peepholes)[1].assumption


def test_derivatives_of_losses() -> None:
    class Page(Claims, of=SEED):
        claim("PROVED", D(l[t], h[t]), 2 * (h[t] - y[t]))
        claim("PROVED", L[t], l[t] + L[t+1])
        claim("PROVED", L[t-1], l[t-1] + l[t] + L[t+1])
        claim("REFUTED", L[t], l[t])
        claim("PROVED", L, Total(l))
        claim("PROVED", D(L, W_i), dW_i)
        claim("PROVED", D(L, h[t]), D(L[t], h[t]))
        claim("PROVED", D(L[t+2], s[t], h[t], h[t+1]), f[t+1] * ds_prev[t+2])
        claim("REFUTED", D(L[t+2], s[t]), f[t+1] * ds_prev[t+2])
        claim("UNREAD", D(L[t], W_i), dW_i)

    judged_as_labelled(Page)


def test_what_is_held_is_never_the_only_path() -> None:
    class Page(Claims, of=SEED):
        claim("REFUTED", D(L[t], o[t]), 0)
        claim("REFUTED", D(L[t], g[t]), 2 * D(L[t], g[t]))
        claim("REFUTED", dg, dg + D(L[t], o[t]))
        claim("PROVED_IF", D(L[t+1], s[t]), ds_prev[t+1])
        claim("PROVED_IF", D(L[t], s[t]), f[t+1] * ds[t+1])

    judged_as_labelled(Page)


def test_a_readout() -> None:
    class Page(Claims, of=Readout):
        claim("PROVED", D(L[t], h[t]), V.T @ (yhat - y[t]) + D(L[t+1], h[t]))
        claim("PROVED", D(L[t], h[t]), D(yhat[t], h[t]).T @ D(l[t], yhat[t]) + D(h[t+1], h[t]).T @ D(L[t+1], h[t+1]))
        claim("PROVED", D(yhat[t], h[t]), V)
        claim("PROVED", D(L[t], y[t]), y[t] - yhat)
        claim("REFUTED", D(L[t], h[t]), V.T @ (yhat - y[t]))
        claim("UNREAD", dW, ChainSum(W, h[t]))

    judged_as_labelled(Page)
