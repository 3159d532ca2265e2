"""The judge: shipped pages, identities, soundness by mutation, rewritings."""

from __future__ import annotations

import random

import mutations
import pytest
import sympy as sp

from lstmsym import Claim, Claims, Status, cells, sigma, t, tanh, verify
from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.verify.judge import Judge

LSTM = cells.find("lstm")
A, B = Ref("a_i", 0), Ref("c", -1)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sigma(-A), 1 - sigma(A)),
        (tanh(A), 2 * sigma(2 * A) - 1),
        (sigma(A), 1 / (1 + N.exp(-A))),
        (N.softplus(A) - N.softplus(-A), A),
        (N.relu(A) - N.relu(-A), A),
        (N.absolute(A), N.relu(A) + N.relu(-A)),
        (N.maximum(A, B) + N.minimum(A, B), A + B),
        (N.variance(A), N.Mean(A**2) - N.Mean(A) ** 2),
        (N.Sum(N.softmax(A)), sp.Integer(1)),
        (N.log_softmax(A), N.log(N.softmax(A))),
        (Ref("c", 0), Ref("f", 0) * B + Ref("g", 0) * Ref("i", 0)),
    ],
)
def test_identities_are_proved(left: sp.Expr, right: sp.Expr) -> None:
    assert Judge(LSTM)(Claim(left, N.canonical(right))).status is Status.PROVED


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sigma(-A), sigma(A)),
        (tanh(A), sigma(2 * A)),
        (N.Sum(A * B), N.Sum(A) * N.Sum(B)),
        (N.Sum(N.Spread(sp.Integer(1), N.n)), sp.Integer(1)),
        (N.Dot(Ref("W_i"), N.Concat(A, Ref("x", 0))), N.Dot(Ref("W_i"), N.Concat(B, Ref("x", 0)))),
    ],
)
def test_what_is_not_so_is_refuted(left: sp.Expr, right: sp.Expr) -> None:
    assert Judge(LSTM)(Claim(left, right)).status is Status.REFUTED


def test_no_false_proof_among_mutants() -> None:
    counts, wrong = mutations.run(list(cells.names()), 0.05)
    print(dict(counts))
    assert not wrong
    assert counts["different refuted"] > 400


def rewritten(expr: sp.Expr, judge: Judge, rng: random.Random) -> sp.Expr:
    """An equal expression: expanded, factored, definitions put in, activations spelled differently."""
    for _ in range(3):
        choice = rng.randrange(5)
        if choice == 0:
            expr = sp.expand(expr)
        elif choice == 1 and not expr.has(N.Total, N.Part):
            expr = sp.factor_terms(expr)
        elif choice == 2:
            known = [r for r in expr.atoms(Ref) if r.lag == 0 and r.base in judge.system.forward]
            for ref in sorted(known, key=str)[:2]:
                expr = expr.xreplace({ref: judge.system.forward[ref.base]})
        elif choice == 3:
            known = [r for r in expr.atoms(Ref) if r.lag == 0 and r.base in judge.system.backward]
            for ref in sorted(known, key=str)[:1]:
                expr = expr.xreplace({ref: judge.system.backward[ref.base]})
        else:
            expr = expr.replace(N.sigma, lambda z: 1 - N.sigma(-z)).replace(
                N.tanh, lambda z: 2 * N.sigma(2 * z) - 1
            )
    return expr


@pytest.mark.parametrize("name", cells.names())
def test_rewritings_are_proved(name: str) -> None:
    judge, rng = Judge(cells.find(name)), random.Random(0)
    for line in judge.system.derivation.backward:
        for _ in range(3):
            claim = Claim(line.name, rewritten(line.expr, judge, rng))
            assert judge(claim).status is Status.PROVED, f"{line.name} = {judge.show(claim.right)}"


def perturbed(expr: sp.Expr, rng: random.Random) -> sp.Expr:
    """The expression with one node, chosen at random, a little larger or smaller."""
    kinds = (Ref, sp.Add, N.Dot, N.Outer, N.Pointwise)
    scale_free = {e for node in expr.atoms(N.step) for e in node.args[0].atoms(Ref)}
    nodes = {e for e in sp.postorder_traversal(expr) if isinstance(e, kinds)} - scale_free
    factor = 1 + sp.Rational(rng.choice((-1, 1)) * rng.randint(1, 9), 1000)
    node = rng.choice(sorted(nodes, key=str))
    return expr.subs(node, factor * node, simultaneous=True)


@pytest.mark.parametrize("name", cells.names())
def test_perturbations_are_refuted(name: str) -> None:
    judge, rng = Judge(cells.find(name)), random.Random(1)
    judge.repairs = lambda claim: iter(())  # type: ignore[method-assign]
    for line in 2 * judge.system.derivation.backward:
        claim = Claim(line.name, perturbed(line.expr, rng))
        assert judge(claim).status is Status.REFUTED, f"{line.name} = {judge.show(claim.right)}"


def test_a_page_needs_a_cell() -> None:
    with pytest.raises(NotationError, match="which cell"):

        class Page(Claims):
            do = 1


def test_inherited_errors_are_not_charged() -> None:
    class Page(Claims, of=LSTM):
        df = dc * c[t]
        da_f = df * f * (1 - f)

    first, second = verify(Page)
    assert first.status is Status.REFUTED and "c[t-1]" in first.repair
    assert second.status is Status.PROVED and "right given df" in second.message


@pytest.mark.parametrize("right", ["dh", "dh * o", "dh * tanh(c) * o", "dh * tanh(tanh(c))", "-dh * tanh(c)"])
def test_published_kinds_of_error_are_refuted(right: str) -> None:
    h, o, c = Ref("dh", 0), Ref("o", 0), Ref("c", 0)
    wrong = {
        "dh": h,
        "dh * o": h * o,
        "dh * tanh(c) * o": h * tanh(c) * o,
        "dh * tanh(tanh(c))": h * tanh(tanh(c)),
        "-dh * tanh(c)": -h * tanh(c),
    }
    verdict = Judge(LSTM)(Claim(Ref("do", 0), wrong[right]))
    assert verdict.status is Status.REFUTED and verdict.witness is not None and verdict.expected


def test_transposed_layout_is_a_reading() -> None:
    right = N.Outer(N.Concat(Ref("h", -1), Ref("x", 0)), Ref("da_i", 0))
    verdict = Judge(LSTM)(Claim(Ref("dW_i"), right, share=True))
    assert verdict.status is Status.PROVED_IF and "transposed" in verdict.assumption


def test_a_layout_is_one_for_the_page() -> None:
    class Page(Claims, of=LSTM):
        dW_i += outer(da_i, hx)
        dW_f += outer(hx, da_f)

    first, second = verify(Page)
    assert first.status is Status.PROVED
    assert second.status is Status.REFUTED and "other lines" in second.message and second.repair


def test_row_vectors_are_a_reading() -> None:
    parts = [N.Dot(Ref(f"da_{g}", 0), Ref(f"W_{g}")) for g in "ifgo"]
    verdict = Judge(LSTM)(Claim(Ref("dhx", 0), sp.Add(*parts)))
    assert verdict.status is Status.PROVED_IF and "rows" in verdict.assumption
    wrong = Judge(LSTM)(Claim(Ref("dhx", 0), sp.Add(*parts[1:], parts[0] * 2)))
    assert wrong.status is Status.REFUTED


def test_what_holds_at_one_size_only_is_refuted() -> None:
    verdict = Judge(LSTM)(Claim(N.Sum(A), 3 * N.Mean(A)))
    assert verdict.status is Status.REFUTED


assert t
