"""Every row of the table of rules against the derivative of an independent meaning, by complex step.

The meanings are those of `numeric`; at ties the declared gradient is the mean of the derivatives at
the smooth neighbours that the declaration names.
"""

from __future__ import annotations

from typing import Any

import numeric
import numpy as np
import pytest
import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.derive import Sweep
from lstmsym.normal import normalise
from lstmsym.notation import Op, Ref
from lstmsym.rules import TABLE, shape_of
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.arithmetic import DIGITS, MP

SIZES = {"m": 2, "n": 3}
MEANT = {**DIGITS.pointwise, **DIGITS.mixing}
n, m = N.n, N.m
X, Y, Z, S, A, V, W = (Ref(name, 0) for name in "xyzsAvw")
SHAPES: dict[str, Shape] = {"x": (n,), "y": (n,), "z": (n,), "s": (), "A": (n, m), "v": (m,), "B": (m, n)}
GIVEN = [Ref(name, 0) for name in SHAPES]
TENTH = sp.Rational(1, 10)

SAMPLES: dict[type[Op], tuple[sp.Expr, ...]] = {
    N.leaky_relu: (N.leaky_relu(X, S), N.leaky_relu(X, TENTH)), N.elu: (N.elu(X, S**2), N.elu(X, 2)),
    N.equal: (N.equal(X, Y),), N.where: (N.where(S, X, Y), N.where(X, Y, Z), N.where(X - Y, S, Z)),
    N.maximum: (N.maximum(X, Y), N.maximum(X, S), N.maximum(A, S)),
    N.minimum: (N.minimum(X, Y), N.minimum(0, X)),
    N.Dot: (N.Dot(A, V), N.Dot(A, Ref("B", 0)), N.Dot(N.Transposed(A), X)), N.Transposed: (N.Transposed(A),),
    N.Outer: (N.Outer(X, V), N.Outer(X, X)), N.Concat: (N.Concat(X, V), N.Concat(X, V, X)),
    N.Part: (N.Part(X, 1, n), N.Part(X, 0, 1), N.Part(N.Concat(X, V), m, N.End)), N.Pad: (N.Pad(X, 1, m),),
    N.Spread: (N.Spread(S, n), N.Spread(S, n, m)), N.Sum: (N.Sum(X), N.Sum(A)),
    N.normalize: (N.normalize(X, TENTH), N.normalize(V, TENTH)),
    N.log: (N.log(X**2 + 1),), N.sqrt: (N.sqrt(X**2 + 1),), N.exp: (N.exp(X), N.exp(A * S)),
}  # fmt: skip


def samples(op: type[Op]) -> tuple[sp.Expr, ...]:
    return SAMPLES[op] if op in SAMPLES else (op(X),)


def dims(shape: Shape) -> tuple[int, ...]:
    return tuple(numeric.extent(size, SIZES) for size in shape)


def shape(expr: sp.Expr) -> Shape:
    return shape_of(expr, lambda ref: SHAPES[ref.base], Unifier())


def point(rng: np.random.Generator) -> dict[Ref, Any]:
    return {Ref(name, 0): rng.normal(size=dims(s)) for name, s in SHAPES.items()}


def derivative(expr: sp.Expr, at: dict[Ref, Any], ref: Ref, along: Any) -> Any:
    """By complex step."""
    return np.imag(numeric.evaluate(expr, at | {ref: at[ref] + 1e-20j * along}, SIZES)) / 1e-20


def gradients(expr: sp.Expr, shape: Shape) -> dict[Ref, sp.Expr]:
    """Reference -> its gradient of sum(w * expr), through the normal form and the sweep, in what is given."""
    shapes = {**SHAPES, "w": shape, "loss": ()}
    total = N.Sum(W * expr) if shape else W * expr
    lines, shapes = normalise([Equation(Ref("loss", 0), total)], shapes, shapes)
    sweep = Sweep(shapes, lambda ref: Ref(f"d{ref.base}", ref.lag))
    sweep.seed(Ref("loss", 0), sp.Integer(1), ())
    sweep.run(lines)
    for ref in GIVEN:
        sweep.close(ref)
    meanings = {e.name.base: e.expr for e in lines} | {b.name.base: b.expr for b in sweep.backward}
    return {b.of: unfold(b.expr, meanings) for b in sweep.backward if b.of in GIVEN and b.expr != 0}


def unfold(expr: sp.Expr, meanings: dict[str, sp.Expr]) -> sp.Expr:
    """The expression in terms of what is given."""
    while named := {r: meanings[r.base] for r in expr.atoms(Ref) if r.base in meanings}:
        expr = expr.xreplace(named)
    return expr


def agree(expr: sp.Expr, seed: int, near: tuple[dict[Ref, Any], ...] = (), **at: Any) -> None:
    """The swept gradient at a point against the mean derivative at it, or at the neighbours given."""
    rng = np.random.default_rng(seed)
    here = point(rng) | {Ref(name, 0): np.array(value, float) for name, value in at.items()}
    here[W] = rng.normal(size=dims(shape(expr)))
    around = [here | {ref: here[ref] + step for ref, step in steps.items()} for steps in near] or [here]
    found = gradients(expr, shape(expr))
    for ref in sorted(expr.atoms(Ref), key=str):
        along = rng.normal(size=here[ref].shape)
        wanted = np.mean([np.sum(here[W] * derivative(expr, p, ref, along)) for p in around])
        gradient = numeric.evaluate(found[ref], here, SIZES) if ref in found else np.zeros_like(along)
        assert np.shape(gradient) == np.shape(along), f"{ref}: shape"
        assert abs(np.sum(gradient * along) - wanted) < 1e-10 * (1 + abs(wanted)), f"{ref} in {expr}"


def test_every_row_has_a_meaning() -> None:
    assert set(numeric.MEANINGS) == {op.__name__ for op in TABLE}


SEEDS = range(4)
ROWS = [(op, expr) for op in TABLE if op is not N.Total for expr in samples(op)]


@pytest.mark.parametrize(("op", "expr"), ROWS, ids=str)
def test_rule_agrees_with_complex_step(op: type[Op], expr: sp.Expr) -> None:
    assert expr.has(op)
    for seed in SEEDS:
        agree(expr, seed)


def test_a_sum_over_time_gives_every_step_the_same() -> None:
    steps, d = np.random.default_rng(0).normal(size=(2, 5, 3))
    (share,) = TABLE[N.Total].pull(Ref("q", 0), Y, (X,), [(n,)])
    for t in range(5):
        moved = steps.astype(complex)
        moved[t] += 1e-20j * d[t]
        wanted = np.imag(d[0] * numeric.MEANINGS["Total"](moved)) / 1e-20
        assert np.allclose(numeric.evaluate(share, {Y: d[0]}, SIZES) * d[t], wanted, rtol=1e-14, atol=0)


@pytest.mark.parametrize(("op", "expr"), ROWS, ids=str)
def test_rules_are_closed(op: type[Op], expr: sp.Expr) -> None:
    """What a rule gives can be derived again: the second derivative agrees too."""
    for gradient in gradients(expr, shape(expr)).values():
        second = gradient.xreplace({W: _weight(shape(expr))})
        if second.atoms(Ref):
            agree(second, 0)


def _weight(wanted: Shape) -> sp.Expr:
    """A weight made of what is given, of the wanted shape."""
    made: dict[Shape, sp.Expr] = {(): S, (n,): Y, (n, m): A, (m,): V, (m, n): N.Transposed(A)}
    made |= {
        (sp.Integer(1),): N.Part(Y, 0, 1),
        (m + n,): N.Concat(Y, V),
        (m + 2 * n,): N.Concat(Y, V, Z),
        (n - 1,): N.Part(Y, 1, n),
        (m + n + 1,): N.Concat(Y, V, N.Spread(S, 1)),
        (n, n): N.Outer(Y, Z),
    }
    return made[tuple(sp.expand(s) for s in wanted)]


E = 1e-13
FIRST = E * np.array([1.0, 0.0, 0.0])
SECOND = FIRST[[1, 0, 2]]
THIRD = FIRST[[1, 2, 0]]

# For each declaration: an expression, where it has a tie, and the neighbours whose derivatives count.
TIES: dict[type[Op], list[tuple[sp.Expr, dict[str, Any], tuple[dict[Ref, Any], ...]]]] = {
    N.relu: [(N.relu(X), {"x": [0, 1, -1]}, ({X: -E},))],
    N.leaky_relu: [(N.leaky_relu(X, S), {"x": [0, 1, -1]}, ({X: -E},))],
    N.elu: [(N.elu(X, S), {"x": [0, 1, -1], "s": 0.7}, ({X: -E},))],
    N.hard_sigmoid: [(N.hard_sigmoid(X), {"x": [3, -3, 1]}, ({X: FIRST - SECOND},))],
    N.absolute: [(N.absolute(X), {"x": [0, 1, -1]}, ({X: E}, {X: -E}))],
    N.where: [
        (N.where(X, Y, Z), {"x": [0, 1, -1]}, ({X: -E},)),
        (N.where(S, Y, Z), {"s": 0}, ({S: -E},)),
        (N.where(X - Y, X**2, S), {"x": [1, 2, 3], "y": [1, 3, 2]}, ({Y: FIRST},)),
    ],
    N.maximum: [
        (N.maximum(X, Y), {"x": [1, 2, 3], "y": [1, 3, 2]}, ({X: FIRST}, {Y: FIRST})),
        (N.maximum(X, S), {"x": [1, 2, 0], "s": 1}, ({X: FIRST}, {X: -FIRST})),
        (N.maximum(X, 0), {"x": [0, 1, -1]}, ({X: E}, {X: -E})),
    ],
    N.minimum: [
        (N.minimum(X, Y), {"x": [1, 2, 3], "y": [1, 3, 2]}, ({X: FIRST}, {Y: FIRST})),
        (N.minimum(X, 0), {"x": [0, 1, -1]}, ({X: E}, {X: -E})),
    ],
    N.Max: [
        (N.Max(X), {"x": [1, 1, -1]}, ({X: FIRST}, {X: SECOND})),
        (N.Max(X), {"x": [2, 2, 2]}, ({X: FIRST}, {X: SECOND}, {X: THIRD})),
        (N.min(X), {"x": [-1, 1, -1]}, ({X: -FIRST}, {X: -THIRD})),
        (N.Max(X * Y), {"x": [1, 2, 0], "y": [2, 1, 5]}, ({X: FIRST}, {X: SECOND})),
    ],
}  # fmt: skip


def test_every_declared_tie_is_tried() -> None:
    assert set(TIES) == {op for op, rule in TABLE.items() if rule.ties}


@pytest.mark.parametrize(("expr", "at", "near"), [case for cases in TIES.values() for case in cases], ids=str)
def test_ties_are_as_declared(expr: sp.Expr, at: dict[str, Any], near: tuple[dict[Ref, Any], ...]) -> None:
    for seed in SEEDS:
        agree(expr, seed, near, **at)


@pytest.mark.parametrize(
    "expr", [N.relu(X), N.absolute(X), N.Max(X), N.maximum(X, Y), N.where(X, Y, Z)], ids=str
)
def test_another_choice_at_a_tie_is_noticed(expr: sp.Expr) -> None:
    """The comparison can fail: each declaration against the other side of its kink."""
    at: dict[str, Any] = {"x": [0, 0, 0], "y": [0, 0, 0]}
    with pytest.raises(AssertionError, match=" in "):
        agree(expr, 0, ({X: FIRST + SECOND},), **at)


@pytest.mark.parametrize("name", sorted(set(numeric.MEANINGS) & MEANT.keys()))
def test_the_judges_numbers_mean_the_same(name: str) -> None:
    """Two spellings of every meaning, written apart, agree; with them the judge's refutations stand."""
    op = next(op for op in TABLE if op.__name__ == name)
    (expr, *_), at = samples(op), point(np.random.default_rng(0))
    args = [numeric.evaluate(a, at, SIZES) for a in expr.args]
    exact = [np.vectorize(MP.mpf, otypes=[object])(a) for a in args]
    exact = [a if a.ndim else a.item() for a in exact]
    result = np.array(MEANT[name](*exact), dtype=float)
    np.testing.assert_allclose(numeric.MEANINGS[name](*args), result, rtol=1e-13, atol=1e-15)
