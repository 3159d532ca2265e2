"""Claims about shipped and other cells, and what the judge must say of each."""

from __future__ import annotations

import random
import time
from typing import Any

import mutations
import pytest
import sympy as sp
from random_expressions import Expressions, rewritten

from lstmsym import (
    Cell,
    Claim,
    Claims,
    Input,
    Size,
    State,
    Status,
    Target,
    biases,
    cells,
    pages,
    verify,
    weights,
)
from lstmsym.mistakes import NotationError
from lstmsym.notation import Outer, Ref, cross_entropy, k, t, tanh
from lstmsym.notation import sum as add_up
from lstmsym.shapes import ShapeError
from lstmsym.verify.judge import PLAIN, Judge, Verdict


# fmt: off
class Classifier(Cell):
    x, y = Input(), Target(k)
    h = State()
    W, U, V = weights("W U V")
    b = biases("b")
    h[t] = tanh(W @ x[t] + U @ h[t-1] + b)
    z = V @ h[t]
    l = cross_entropy(z, y[t])


class Readout(Cell):
    x, y = Input(), Target(k)
    h = State()
    W, U, V = weights("W U V")
    b = biases("b")
    h[t] = tanh(W @ x[t] + U @ h[t-1] + b)
    yhat = V @ h[t]
    l = add_up((yhat - y[t])**2) / 2


class Antisymmetric(Cell):
    x = Input()
    h = State()
    W, R = weights("W R")
    h[t] = tanh(W @ x[t] + (R - R.T) @ h[t-1])


RNN, LSTM, GRU, NORM, RELU, NJ = map(cells.find, ("rnn", "lstm", "gru", "lstm_layernorm", "rnn_relu", "nicodjimenez"))
STEPS = Size("T")


class Identities(Claims, of=LSTM):
    dc_prev = dc * f
    claim("at t-1", dc[t-1], dh[t-1] * o[t-1] * (1 - tanh(c[t-1])**2) + dc * f)
    claim("back at t-1", dh_prev[t-1], dhx[t-1][:n])
    claim("forward at t-1", h[t-1], o[t-1] * tanh(c[t-1]))
    claim("a number", sigma(a_o) + sigma(-a_o), 1)
    claim("a number first", 1, sigma(a_o) + sigma(-a_o))
    claim("transposed", dW_i.T, Total(outer(hx, da_i)))
    claim("joined", dhx, concat(dh_prev, dx))
    claim("inner product of joined", sum(concat(c[t], x[t]) * hx), sum(c[t] * h[t-1]) + sum(x[t]**2))
    claim("exp log", exp(log(f)), f)
    claim("root of a square", abs(c[t]), sqrt(c[t]**2))
    claim("symmetric", Total(outer(dc, dc)).T, Total(outer(dc, dc)))
    claim("normalised twice", variance(softmax(c[t])), mean(softmax(c[t])**2) - 1 / n**2)


class MatrixAlgebra(Claims, of=Readout):
    claim("associative", (V.T @ V) @ h[t], V.T @ (V @ h[t]))
    claim("outer times vector", outer(h[t], da_h) @ da_h, h[t] * sum(da_h**2))
    claim("moved over", sum(da_h * (U @ h[t])), sum(h[t] * (U.T @ da_h)))
    claim("square", sum((U @ h[t])**2), sum(h[t] * (U.T @ (U @ h[t]))))
    claim("through the total", U.T @ Total(da_h), Total(U.T @ da_h))
    claim("sum of a total", sum(Total(da_h)), Total(sum(da_h)))


class SharedMatrix(Claims, of=Antisymmetric):
    dR = Total(outer(da_h, h[t-1]) - outer(h[t-1], da_h))


class Elman(Claims, of=RNN):
    claim("forward at t-1", h[t-1], tanh(W @ x[t-1] + U @ h[t-2] + b))


class Relu(Claims, of=RELU):
    claim("step", da_h, dh * step(h[t]))
    claim("where", da_h, dh * where(h[t] > 0, 1, 0))
    claim("sign", da_h, dh * sign(h[t]))


class Normalised(Claims, of=NORM):
    claim("mean", mean(hat_h), 0)
    claim("round-off is no witness", mean(10**12 * hat_h), 0)
    claim("sum of gradients", sum(dp_i), 0)
    claim("moments", hat_h, (c[t] - mean(c[t])) / sqrt(mean(c[t]**2) - mean(c[t])**2 + eps))
    claim("variance", variance(hat_h), variance(c[t]) / (variance(c[t]) + eps))
    v = variance(c[t]) + eps
    dv = sum(dhat_h * (c[t] - mean(c[t]))) * (-1/2) * v**(-3/2)
    dmu = -sum(dhat_h) / sqrt(v) + dv * mean(-2 * (c[t] - mean(c[t])))
    dc = dhat_h / sqrt(v) + dv * 2 * (c[t] - mean(c[t])) / n + dmu / n + dc_prev[t+1]


class CrossEntropy(Claims, of=Classifier):
    da_h = dh * (1 - h[t]**2)
    dh = V.T @ (sum(y[t]) * softmax(z) - y[t]) + U.T @ da_h[t+1]


@pytest.mark.parametrize("page", [Identities, MatrixAlgebra, Elman, SharedMatrix, Relu, Normalised, CrossEntropy], ids=lambda p: p.name)
def test_right_lines_are_proved(page: Claims) -> None:
    for verdict in verify(page):
        assert verdict.status in (Status.PROVED, Status.NOT_A_CLAIM), str(verdict)


class Wrong(Claims, of=LSTM):
    claim("f for f[t]", dc[t-1], dh[t-1] * o[t-1] * (1 - tanh(c[t-1])**2) + dc * f[t-1])
    claim("order", dhx, concat(dx, dh_prev))
    claim("root", c[t], sqrt(c[t]**2))
    claim("undefined", c[t], sqrt(-f) * c[t])
    claim("other product", sum(da_i * (W_i @ hx)), sum(hx * (W_f.T @ da_i)))


def test_wrong_lines_are_refuted_with_numbers() -> None:
    for verdict in verify(Wrong):
        assert verdict.status is Status.REFUTED and verdict.witness is not None, str(verdict)
    assert verify(Wrong)[0].expected.startswith("dc[t-1] = ") and "f[t]" in verify(Wrong)[0].repair


# -- readings ----------------------------------------------------------------------------------------


class Transposed(Claims, of=RNN):
    dW = Total(outer(x[t], da_h))


class ZeroStart(Claims, of=RNN):
    dU = Total(outer(da_h[t+1], h[t]))
    dW = Total(outer(da_h, x[t]))


class Star(Claims, of=RNN):
    dh_prev = U.T * da_h


class Share(Claims, of=RNN):
    dW = outer(da_h, x[t])
    dU += outer(da_h, h[t-1])


class ShareTransposed(Claims, of=RNN):
    dW = outer(x[t], da_h)


class Mean(Claims, of=RNN):
    dW = Total(outer(da_h, x[t])) / STEPS


class MeanLoss(Claims, of=NJ):
    dh = 2 * (h[t] - y[t]) / STEPS + dh_prev[t+1]


class HalfExpanded(Claims, of=NJ):
    ds = o * h[t] - o * y[t] + o * dh_prev[t+1] + ds_prev[t+1]
    l = sum((h[t] - y[t])**2) / 2


class QuietEnd(Claims, of=Readout):
    dU = Total(outer((V.T @ (yhat - y[t]) + U.T @ da_h[t+1]) * (1 - h[t]**2), h[t-1]))


class Probabilities(Claims, of=Classifier):
    dh = V.T @ (softmax(z) - y[t]) + U.T @ da_h[t+1]


@pytest.mark.parametrize(
    ("page", "assumption"),
    [
        (Transposed, "transposed"),
        (ZeroStart, "the initial state is zero"),
        (Star, "* is the matrix product"),
        (Share, "one step's share"),
        (ShareTransposed, "transposed and it is one step's share"),
        (Mean, "means over the steps"),
        (MeanLoss, "the loss is the mean over the steps"),
        (HalfExpanded, "factor 1/2"),
        (QuietEnd, "nothing arrives after the last step"),
        (Probabilities, "add up to 1"),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_other_readings(page: Claims, assumption: str) -> None:
    first, *others = verify(page)
    assert first.status is Status.PROVED_IF and assumption in first.assumption, str(first)
    assert all(v.status in (Status.PROVED, Status.PROVED_IF) for v in others)


class MixedLayout(Claims, of=LSTM):
    dW_i = Total(outer(hx, da_i))
    dW_f = Total(outer(da_f, hx))


class MixedLoss(Claims, of=NJ):
    dh = (h[t] - y[t]) + dh_prev[t+1]
    dh = 2 * (h[t] - y[t]) + dh_prev[t+1]


class MixedLossForward(Claims, of=NJ):
    dh = (h[t] - y[t]) + dh_prev[t+1]
    l = sum((h[t] - y[t])**2)


class MixedVectors(Claims, of=RNN):
    dh_prev = da_h @ U
    dx = W.T @ da_h


class MixedSums(Claims, of=RNN):
    dU = outer(da_h, h[t-1])
    dW = Total(outer(da_h, x[t]))


@pytest.mark.parametrize("page", [MixedLayout, MixedLoss, MixedLossForward, MixedVectors, MixedSums], ids=lambda p: p.name)
def test_a_convention_is_one_for_the_page(page: Claims) -> None:
    odd, usual = verify(page)
    assert odd.status is Status.REFUTED and "other lines" in odd.message and odd.witness is not None, str(odd)
    assert usual.status is Status.PROVED


# -- what is said of wrong lines -----------------------------------------------------------------------


class Slips(Claims, of=LSTM):
    da_g = dc * i * g * (1 - g)
    da_i = dc * g * f * (1 - f)
    dc = o * (1 - tanh(c[t])**2) + dc[t+1] * f[t+1]
    dc = dh * o * (1 - tanh(c[t]))**2 + dc[t+1] * f[t+1]
    dc = dh * o * tanh(c[t])**2 + dc_prev[t+1]
    dc = dh * o * (1 - tanh(c[t])**2) + dc * f
    da_i = di * sigma(i) * (1 - sigma(i))
    da_i = di * i**2 * (1 - i)**2
    da_i = di
    da_i = di + i * (1 - i)
    dhx = W_i.T @ da_f + W_f.T @ da_i + W_g.T @ da_g + W_o.T @ da_o
    dhx = W_i @ da_i + W_f.T @ da_f + W_g.T @ da_g + W_o.T @ da_o
    dx = dhx[:n]
    dh_prev = dhx[m:]
    do = dh * c[t]
    dW_i = Total(outer(da_i, h[t-1]))


class SlipsGRU(Claims, of=GRU):
    da_n = dh * z * n * (1 - n)
    da_n = dh * (1 - z) * (1 - n**2)
    dh_prev = dh * (1 - z) + U_z.T @ da_z + U_r.T @ da_r + U_n.T @ (da_n * r)
    dh_prev = dh * (1 - z) * (U_z.T @ da_z) + U_r.T @ da_r + (U_n.T @ da_n) * r
    dU_n = Total(outer(da_n, h[t-1]))
    dU_n = Total(outer(da_n * r, h[t-1]))
    dr = (U_n.T @ da_n) * h[t]


class SlipsLoss(Claims, of=NJ):
    dh = 2 * (y[t] - h[t]) + dh_prev[t+1]
    ds = o * dh


@pytest.mark.parametrize("page", [Slips, SlipsGRU, SlipsLoss], ids=lambda p: p.name)
def test_a_slip_of_the_usual_kinds_is_repaired(page: Claims) -> None:
    for verdict in verify(page):
        assert verdict.status is Status.REFUTED and verdict.repair and verdict.expected, str(verdict)


class NoRepair(Claims, of=LSTM):
    claim("of itself", dh, dh - dh_prev[t+1])
    do = 0


class NoRepairNorm(Claims, of=NORM):
    dhat_h = da_h


def test_a_repair_says_more_than_the_left_side() -> None:
    assert [v.repair for v in verify(NoRepair)] == ["", ""]
    assert not verify(NoRepairNorm)[0].repair.startswith("dhat_h")


class Paths(Claims, of=Readout):
    dh = V.T @ (yhat - y[t])


class InventedNames(Claims, of=Antisymmetric):
    dR = Total(outer(da_h, h[t-1]))


class Shapes(Claims, of=RNN):
    dW = outer(x[t], h[t])
    dh_prev = W @ da_h


# fmt: on
def only(page: Claims) -> Verdict:
    (verdict,) = verify(page)
    return verdict


def test_a_dropped_path_is_named() -> None:
    verdict = only(Paths)
    assert verdict.status is Status.REFUTED
    assert "drops what comes from step t+1" in verdict.message and "last step only" in verdict.message
    assert "U.T @ da_h[t+1]" in verdict.repair


def test_the_seeds_dropped_path_is_named() -> None:
    wrong = [v for v in verify(pages.find("seed")[0]) if v.status is Status.REFUTED]
    dropped = [v for v in wrong if "drops the path s[t] -> s[t+1] -> s[t+2]" in v.message]
    assert len(dropped) == 2 and all(v.repair for v in dropped)
    (label,) = [v for v in wrong if v.claim.shown == "ds[t] * f[t] = dL[t]/ds[t]"]
    assert label.expected.startswith("dL[t]/ds[t] = ")


def test_invented_names_are_written_out_or_explained() -> None:
    assert "dp_" not in only(InventedNames).expected
    (verdict,) = [v for v in verify(SlipsGRU) if v.claim.symbol == "dr"]
    assert "where rh[t] = r[t] * h[t-1]" in verdict.expected


def test_shapes_that_do_not_fit_are_shown_in_numbers() -> None:
    sides, inside = verify(Shapes)
    assert "(n, m)" in sides.message and "(m, n)" in sides.message and "3 x 2" in str(sides.witness)
    assert "W @ da_h[t]" in inside.message and "no value" in str(inside.witness)


def test_a_sum_may_begin_later_only_if_its_first_term_vanishes() -> None:
    prove = Judge(RNN).prover(PLAIN)
    before, gradient = Ref("h", -1), Ref("da_h", 0)
    assert prove.vanishes(Outer(gradient, before))
    assert not prove.vanishes(Outer(gradient, before + Ref("x", 0)))


# -- the calculus against numbers ----------------------------------------------------------------------


def test_random_expressions_agree_with_numbers() -> None:
    """Equal ones by laws of the operations are proved; of changed ones none that has other numbers."""
    judge = Judge(LSTM)
    prove = judge.prover(PLAIN)
    for seed in range(40):
        draw = Expressions(seed)
        expr = draw.rng.choice((draw.vector, draw.number, draw.matrix))(2)
        if not judge.trial.evaluable(expr):
            continue
        assert prove(expr, rewritten(expr, draw.rng)), judge.show(expr)
        others = list(mutations.mutants(expr, judge))
        for other in draw.rng.sample(others, min(4, len(others))):
            if shape(judge, other) != shape(judge, expr) or not judge.trial.evaluable(other):
                continue
            if not judge.trial.alike(expr, other):
                assert not prove(expr, other), f"{judge.show(expr)} = {judge.show(other)}"


def shape(judge: Judge, expr: sp.Expr) -> Any:
    try:
        return judge.meanings.shape(expr)
    except (ShapeError, KeyError):
        return None


def test_a_page_of_wrong_lines_is_quick() -> None:
    judge, rng = Judge(NORM), random.Random(0)
    lines = judge.system.derivation.backward[:30]
    wrong = [rng.choice([m for m in mutations.mutants(b.expr, judge) if m != b.expr]) for b in lines]
    start = time.perf_counter()
    judge = Judge(NORM)
    for line, right in zip(lines, wrong, strict=True):
        judge(Claim(line.name, right))
    assert time.perf_counter() - start < 3


class Kinks(Claims, of=RELU):
    claim("both sides", step(U @ h[t]) + step(-(U @ h[t])), 1)
    claim("a square", where(add_up(h[t]) ** 2 > 0, 1, 0), 1)


def test_what_vanishes_on_more_than_ties_has_no_sign() -> None:
    assert [v.status for v in verify(Kinks)] == [Status.REFUTED, Status.REFUTED]


class OfItself(Claims, of=RNN):
    dU = dU.T


def test_a_quantity_in_terms_of_itself_has_no_other_reading() -> None:
    assert only(OfItself).status is Status.REFUTED


class Endless(Claims, of=LSTM):
    e = tanh(dh + c[t]) * dh
    for _ in range(10):
        e = tanh(e + c[t]) * e
    do = e


def test_a_line_too_large_stays_open() -> None:
    (verdict,) = [v for v in verify(Endless) if v.claim.kind == "claim"]
    assert verdict.status is Status.UNDECIDED and "too large" in verdict.message


def test_a_condition_is_no_number() -> None:
    with pytest.raises(NotationError, match="a condition is no number"):

        class Condition(Claims, of=LSTM):
            do = dh * tanh(c[t]) > 0
