"""Claims pages: derivatives of quantities and of the loss, what they hold fixed, and how a page is written."""

from __future__ import annotations

import numeric
import numpy as np
import pytest
from sympy import Integer

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
from lstmsym.notation import Dot, NotationError, Ref
from lstmsym.verify.claims import ClaimsPage
from lstmsym.verify.elaborate import sides
from lstmsym.verify.system import System, shifted
from lstmsym.verify.words import Local

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
        claim("PROVED", D(a_h[t], a_h[t]), diag(1))
        claim("PROVED", D(h[t] + h[t-1], h[t-1]), diag(1) + diag(1 - h**2) @ U)
        claim("REFUTED", D(h[t] + h[t-1], h[t-1]), 2 * diag(1) + diag(1 - h**2) @ U)
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
        claim("PROVED: n is the candidate, n_ the size", D(sum(h[t]) / n_, n[t]), z / n_)

    judged_as_labelled(Plain)
    judged_as_labelled(Peepholes)
    judged_as_labelled(Gated)
    assert "at fixed f[t], g[t], i[t]" in verify(Peepholes)[1].assumption


def test_a_matrix_memory() -> None:
    class Memory(Cell):
        x, h, C = Input(n), State(), State(n, n)
        w = Bias()
        g = sum(w * x[t])
        C[t] = g * C[t-1] + outer(x[t], h[t-1])
        h[t] = C[t] @ x[t]

    class Page(Claims, of=Memory):
        claim("PROVED", D(C[t], C[t-1]), g)
        claim("REFUTED", D(C[t], C[t-1]), 2 * g)
        claim("UNREAD", D(h[t], C[t]), 0)
        claim("PROVED", D(g[t], x[t]), w)
        claim("PROVED", D(C[t], g[t]), C[t-1])
        claim("PROVED", dg, sum(C[t-1] * dC))

    judged_as_labelled(Page)


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
        claim("UNREAD", D(h[t], s[t], h[t]), 0)
        claim("UNREAD", D(L[t], s[t], s[t]), 0)
        claim("UNREAD", Total(L[t] * h), L[t] * Total(h))
        claim("PROVED", D(l[t], b_o, h[t-1], s[t-1]), 2 * (h[t] - y[t]) * s[t] * o * (1 - o))

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
# fmt: on


def numbers_at(cell: Cell, rng: np.random.Generator) -> tuple[dict[Ref, np.ndarray], dict[str, int]]:
    """Values of all quantities at two steps, of the states before them, and sizes."""
    sizes = {size.name: 2 + place for place, size in enumerate(cell.sizes)}
    draw = {q: rng.normal(size=[numeric.extent(s, sizes) for s in q.shape]) for q in cell.quantities}
    values = {Ref(q.name): value for q, value in draw.items() if q.role in ("parameter", "hyperparameter")}
    values |= {Ref(q.name): float(str(q.start)) for q in cell.role("hyperparameter")}
    values |= {Ref(q.name, -1): draw[q] for q in cell.role("state")}
    for step in (0, 1):
        values |= {Ref(q.name, step): rng.normal(size=draw[q].shape) for q in cell.role("input", "target")}
    return run_on(cell, values, sizes, Ref("", -1)), sizes


def run_on(
    cell: Cell, values: dict[Ref, np.ndarray], sizes: dict[str, int], by: Ref
) -> dict[Ref, np.ndarray]:
    """The values after a change of one: that of every line behind it, its own step's lines included."""
    lines = [(e.name.shifted(s), shifted(e.expr, s)) for s in (0, 1) for e in cell.equations]
    names = [name for name, _ in lines]
    values = dict(values)
    for name, expr in lines[names.index(by) + 1 if by in names else 0 :]:
        values[name] = numeric.evaluate(expr, values, sizes)
    return values


@pytest.mark.parametrize("name", cells.names())
def test_derivatives_agree_with_the_complex_step(name: str) -> None:
    cell, rng = cells.find(name), np.random.default_rng(3)
    system = System(cell)
    values, sizes = numbers_at(cell, rng)
    for step in (0, 1):
        for line in system.with_loss.forward:
            ref = line.name.shifted(step)
            values.setdefault(ref, numeric.evaluate(shifted(line.expr, step), values, sizes))
    states = {q.name for q in cell.role("state")}
    vectors = [
        Ref(q.name, s) for q in cell.quantities for s in (0, 1) if not q.constant and len(q.shape) == 1
    ]
    for _ in range(40):
        what, by = (vectors[i] for i in rng.integers(len(vectors), size=2))
        direction = rng.normal(size=values[by].shape)
        arguments = {
            r for r in vectors if r.base in states and by.base in states and r.lag == by.lag < what.lag
        }
        moved = run_on(cell, values | {by: values[by] + 1e-20j * direction}, sizes, by)
        kept = values | {by: moved[by]} | {r: values[r] for r in arguments - {by}}
        given = dict(kept)
        for line in cell.equations if arguments else ():
            given[line.name.shifted(1)] = numeric.evaluate(shifted(line.expr, 1), given, sizes)
        result = np.imag(given[what] if arguments else moved[what]) / 1e-20
        if not result.any():  # no path but through another state
            result = np.imag(moved[what]) / 1e-20
        along = system.probe(system.shapes[by.base])
        found, _ = sides(Dot(Local(what, by), along), Integer(0), system)
        found = numeric.evaluate(found, values | {along: direction}, sizes)
        np.testing.assert_allclose(np.broadcast_to(found, result.shape), result, 1e-9, 1e-12)


def written(text: str, cell: Cell = LSTM) -> ClaimsPage:
    """The page with this class body."""
    page = ClaimsPage("Page", cell)
    exec(compile(text, "page.py", "exec"), {"np": np, "__name__": "theirs"}, page)
    return page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("do = dh * (h > 0)", "use where"),
        ("if dh == do: pass", "== and !="),
        ("do = dh if h else do", "the truth of"),
        ("do = np.tanh(c)", "use tanh of lstmsym"),
        ("do = np.ones(3) * h", "no expression"),
        ("claim('a', dh)", "write claim(label, left, right"),
        ("claim(dh, do, dc)", 'claim("label", left, right)'),
        ("claim('a', dh, None)", "None (NoneType) is no expression"),
        ("do = outer(h)", "write outer(left, right)"),
        ("do = outer(h, 'x')", "'x' (str) is no expression"),
        ("do = 'text'", "'text' (str) is no expression"),
        ("do = None", "None (NoneType) is no expression"),
        ("do = dh / (o - o)", "divides by zero"),
        ("do = dh * dH", "dH is not defined; did you mean dh?"),
        ("do = D(L[t])", "write D(what, by, *fixed)"),
        ("do = h(t)", "is no function"),
        ("dc[0] = dh", "at a step"),
        ("dW_i[t] = dh", "has no time"),
        ("delta = do\ndelta[t] = do", "without a step"),
        ("do = W_i[0:n, :]", "W_i[:, a:b]"),
        ("do += dh", "in one line"),
        ("D = dh", "choose another name"),
        ("at('12')", "at(12)"),
    ],
)
def test_mistakes_on_a_page(text: str, told: str) -> None:
    with pytest.raises(NotationError) as caught:
        written(text)
    message = str(caught.value)
    assert told in message and f"page.py:{1 + text.count(chr(10))}: Page: " in message
    assert message.count("\n") == 0


def test_claims_at_any_step() -> None:
    page = written(
        "c[t] = f * c[t-1] + i * g\n"
        "h[t+1] = o[t+1] * tanh(c[t+1])\n"
        "h[t-1] = o[t-1] * tanh(c[t-1])\n"
        "dc[t] = dh * o * (1 - tanh(c)**2) + f[t+1] * dc[t+1]\n"
        "dc_prev[t+1] = f[t+1] * dc[t+1]\n"
        "delta = do * o * (1 - o)\n"
        "da_o[t+1] = delta[t+1]\n"
        "da_o[t-1] = delta[t-1]\n"
        "dhx = (W_i.T @ da_i + W_f.T @ da_f + W_g.T @ da_g + W_o.T @ da_o)\n"
    )
    found = verify(Claims("Page", LSTM, tuple(page.claims)))
    assert [v.status.name for v in found] == ["PROVED"] * 5 + ["NOT_A_CLAIM"] + ["PROVED"] * 3
    assert [c.shown.split(" =")[0] for c in page.claims][:4] == ["c", "h[t+1]", "h[t-1]", "dc"]


def test_a_definition_that_resembles_a_gradient_says_so() -> None:
    notes = {c.symbol: c.note for c in written("dz = dh\ndh_prv = dh\ndelta = dh\ntop_diff_h = dh").claims}
    assert notes["dh_prv"] == "a definition; did you mean dh_prev?" and "did you mean" in notes["dz"]
    assert notes["delta"] == notes["top_diff_h"] == "a definition"


def test_names_of_the_cell_go_before_words_of_the_page() -> None:
    class Odd(Cell):
        x, h = Input(), State()
        D, L, claim = weights("D L claim")
        h[t] = tanh(D @ x[t] + L @ h[t - 1] + claim @ h[t - 1])

    page = written("claim_('a', dh, D_(L_[t], h[t]))\nclaim_('b', D_(h[t], x[t]), diag(1 - h**2) @ D)", Odd)
    assert [v.status.name for v in verify(Claims("Page", Odd, tuple(page.claims)))] == ["PROVED"] * 2
    for text in ("D(h[t], x[t])", "claim('a', dh, dh)", "L[t]"):
        with pytest.raises(NotationError, match="the page's own word is"):
            written(text, Odd)


def test_shares_of_a_parameters_gradient() -> None:
    page = written(
        "dW_i += outer(da_i, hx)\ndW_i = dW_i + outer(da_i, hx)\ndW_i = Total(outer(da_i, hx))\ndb_i = db_i"
    )
    assert [c.share for c in page.claims] == [True, True, False, False]
    assert {v.status.name for v in verify(Claims("Page", LSTM, tuple(page.claims)))} == {"PROVED"}
