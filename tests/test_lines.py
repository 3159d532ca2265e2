"""Lines of derivations as a textbook would write them: short, each value computed once and named."""

# ruff: noqa: I001
# Sums, maxima and absolute values are found by the pages themselves.
from __future__ import annotations

import pytest

from lstmsym import (
    Cell, Hyper, Input, Output, State, Target, Vector, Weight, biases, concat, derive, exp, log, n, scalar,
    sigma, stop_gradient, t, tanh, weights, where,
)  # fmt: skip
from lstmsym.printing import Printer


# fmt: off
class Stops(Cell):
    """A weight, an input and a mask that no gradient reaches."""

    x, u = Input(), Input()
    h = State()
    W, U, V = weights("W U V")
    h[t] = tanh(W @ x[t] + stop_gradient(U) @ h[t-1]) * sigma(V @ stop_gradient(x[t])) + where(sum(u[t]) > 0.5, 1, 0)


class Multiples(Cell):
    """Numbers before sums and products, in brackets and between matrix and vector."""

    x, h = Input(), State()
    W, U, V = weights("W U V")
    b = biases("b")
    s = sum(x[t])
    g = h[t-1] - V @ concat(h[t-1], x[t])
    h[t] = tanh(0.6 * (W @ x[t] + U @ h[t-1] + b)) + s * V @ (2 * concat(h[t-1], x[t])) + g


class Constants(Cell):
    """Operations on parameters alone are carried out once."""

    x, h = Input(), State()
    W, R, A, B = weights("W R A B")
    b, zeta = biases("b zeta")
    alpha, lam = Vector(), Hyper(0.3)
    g = tanh(W @ x[t] + (R - R.T) @ h[t-1] + (A @ B) @ h[t-1] + A @ sigma(b))
    h[t] = sigma(zeta) * g + (1 - alpha) * h[t-1] + exp(-lam) * A.T @ g


class Denominator(Cell):
    x, h, s = Input(), State(), State()
    W, U = weights("W U")
    s[t] = s[t-1] + W @ x[t]
    h[t] = (U @ h[t-1]) * s[t] / (1 + max(abs(sum(s[t])), exp(-s[t])))


class OneLine(Cell):
    """A gated unit whose candidate has no line of its own."""

    x, h = Input(), State()
    W, U, W_z, U_z = weights("W U W_z U_z")
    z = sigma(W_z @ x[t] + U_z @ h[t-1])
    h[t] = (1 - z) * h[t-1] + z * tanh(W @ x[t] + U @ h[t-1])


class Letters(Cell):
    """Products whose letters make a word of Python's, of generated code's, of the notation's."""

    u, h, i, s = Input(n), State(), State(), State()
    W, U, V = weights("W U V")
    e, x, p = W @ u[t], u[t] + h[t-1], W @ h[t-1]
    i[t] = sigma(U @ (i[t-1] * s[t-1]))
    s[t] = sigma(V @ (e * x * p))
    h[t] = tanh(e)


class StableGates(Cell):
    """log(sigma(z)) overflows nowhere."""

    x, h, c = Input(), State(), State()
    W, U = weights("W U")
    z = W @ x[t] + U @ h[t-1]
    c[t] = max(log(sigma(z)) + c[t-1], z)
    h[t] = 2 ** (-h[t-1] ** 2) * exp(log(sigma(z)) - c[t])


class Weighted(Cell):
    """A loss that weighs samples, with a number of the user's, and an output it does not read."""

    x, y, w = Input(), Target(), Target(scalar)
    h, e, v = State(), Output(), Output()
    W, U, lam = Weight(), Weight(), Hyper(0.3)
    h[t] = tanh(W @ x[t] + U @ h[t-1])
    e[t] = h[t] - h[t-1]
    v[t] = 2 * h[t]
    l = w[t] * sum((h[t] - y[t])**2) + lam * sum(e[t]**2)
# fmt: on

LINES: list[tuple[Cell, dict[str, str | None]]] = [
    (Stops, {"dU": "0", "du": "0", "dV": "total(outer(da_h[t], x_fixed[t]))", "dh_prev": "U_fixed.T @ da_h_2[t]"}),
    (Multiples, {
        "g": "h[t-1] - V @ hx[t]", "p_h": "V @ hx[t]", "p_h_2": "W @ x[t] + U @ h[t-1] + b", "a_h": "0.6 * p_h_2[t]",
        "dp_h_2": "0.6 * da_h[t]", "db": "total(dp_h_2[t])", "dp_h": "2 * dh[t] * s[t]",
        "dV": "total(outer(dp_h[t], hx[t])) - total(outer(dg[t], hx[t]))",
    }),
    (Constants, {
        "P_g": "R - R.T", "AB": "A @ B", "p_g": "A @ sigma_b", "sigma_zeta": "sigma(zeta)",
        "a_g": "W @ x[t] + P_g @ h[t-1] + AB @ h[t-1] + p_g", "dR": "dP_g - dP_g.T", "dp_g": "total(da_g[t])",
        "dalpha": "-total(dh[t] * h[t-1])", "dsigma_zeta": "total(dh[t] * g[t])",
        "h": "(1 - alpha) * h[t-1] + p_h[t] * exp(-lam) + sigma_zeta * g[t]",
    }),
    (Denominator, {
        "abs_s": "abs(sum_s[t])", "den_h": "1 + max(abs_s[t], exp_s[t])", "h": "s[t] * p_h[t] / den_h[t]",
        "dden_h": "-dh[t] * h[t] / den_h[t]",
        "dexp_s": "dden_h[t] * (1 - sign(abs_s[t] - exp_s[t])) / 2",
    }),
    (OneLine, {
        "h_tilde": "tanh(a_h[t])", "h": "(1 - z[t]) * h[t-1] + z[t] * h_tilde[t]", "dh_tilde": "dh[t] * z[t]",
        "da_h": "dh_tilde[t] * (1 - h_tilde[t]**2)",
    }),
    (Letters, {"is": None, "is_2": "i[t-1] * s[t-1]", "exp": None, "exp_2": "e[t] * x[t] * p[t]"}),
    (StableGates, {
        "a_c": "c[t-1] - softplus(neg_z[t])", "dneg_z": "-(da_h[t] + da_c[t]) * sigma(neg_z[t])",
    }),
    (Weighted, {
        "dh": "2 * (h[t] - y[t]) * w[t] + de[t] + dh_prev[t+1]", "dv": "0", "de": "2 * lam * e[t]",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "lines"), LINES, ids=lambda value: getattr(value, "name", ""))
def test_lines_are_short(cell: Cell, lines: dict[str, str | None]) -> None:
    derivation = derive(cell)
    show = Printer(derivation.order)
    shown = {e.name.base: show(e.expr) for e in (*derivation.forward, *derivation.backward)}
    assert {name: shown.get(name) for name in lines} == lines


def test_what_no_gradient_reaches_says_so() -> None:
    derivation = derive(Stops)
    stopped = derivation.by_name["dU"]
    assert stopped.rules == ("no gradient",) and [str(a.name) for a in stopped.answers] == ["U_fixed"]
    assert stopped.shape == derivation.shapes["U"] and derivation.by_name["du"].rules == ("no gradient",)
    every = {q.now for q in Stops.role("input", "parameter")} | {
        q.now.shifted(-1) for q in Stops.role("state")
    }
    assert every <= {b.of for b in derivation.backward}


@pytest.mark.parametrize("cell", [cell for cell, _ in LINES], ids=lambda cell: cell.name)
def test_sums_over_time_come_last(cell: Cell) -> None:
    derivation = derive(cell)
    timed = [b.name.lag is not None for b in derivation.backward]
    assert timed == sorted(timed, reverse=True)
    once = [e.name.lag is None for e in derivation.forward]
    assert once == sorted(once, reverse=True)
