"""Every row of the table of rules against an independent derivative: differences with 60 digits."""

from __future__ import annotations

import random
from typing import Any

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
from lstmsym.verify.evaluate import MP, Numbers, evaluate

SIZES = {"m": 2, "n": 3}
n, m = N.n, N.m
X, Y, S, A, V = Ref("x", 0), Ref("y", 0), Ref("s", 0), Ref("A", 0), Ref("v", 0)
SHAPES: dict[str, Shape] = {"x": (n,), "y": (n,), "s": (), "A": (n, m), "v": (m,), "d": ()}

SAMPLES: dict[type[Op], sp.Expr] = {
    N.leaky_relu: N.leaky_relu(X, S), N.elu: N.elu(X, S), N.equal: N.equal(X, Y), N.where: N.where(S, X, Y),
    N.maximum: N.maximum(X, Y), N.minimum: N.minimum(X, Y), N.Dot: N.Dot(A, V), N.Transposed: N.Transposed(A),
    N.Outer: N.Outer(X, V), N.Concat: N.Concat(X, V), N.Part: N.Part(X, 1, n), N.Pad: N.Pad(X, 1, m),
    N.Spread: N.Spread(S, n), N.Total: X, N.normalize: N.normalize(X, sp.Rational(1, 10)), N.log: N.log(X**2 + 1),
    N.sqrt: N.sqrt(X**2 + 1),
}  # fmt: skip


def sample(op: type[Op]) -> sp.Expr:
    return SAMPLES[op] if op in SAMPLES else op(X)


def numbers(seed: int = 0) -> Numbers:
    rng = random.Random(seed)

    def draw(shape: Shape) -> Any:
        dims = [SIZES[str(s)] for s in shape]
        values = [MP.mpf(rng.randint(-999, 999)) / 300 for _ in range(int(np.prod(dims)))]
        return np.array(values, dtype=object).reshape(dims) if dims else values[0]

    return Numbers({name: {0: draw(shape)} for name, shape in SHAPES.items()}, SIZES)


def along(expr: sp.Expr, point: Numbers, ref: Ref, direction: Any) -> Any:
    """The directional derivative of a scalar expression by central differences."""
    step = MP.mpf(10) ** -20

    def at(sign: int) -> Any:
        moved = {**point.values, ref.base: {0: point.values[ref.base][0] + sign * step * direction}}
        return evaluate(expr, Numbers(moved, point.sizes), 0)

    return (at(1) - at(-1)) / (2 * step)


def weighted(expr: sp.Expr, shape: Shape, weight: Any, point: Numbers) -> tuple[sp.Expr, Numbers]:
    """sum(weight * expr) as an expression, with the weight among the numbers."""
    values = {**point.values, "w": {0: weight}}
    return (N.Sum(Ref("w", 0) * expr) if shape else Ref("w", 0) * expr), Numbers(values, point.sizes)


def gradients(expr: sp.Expr, shape: Shape) -> tuple[dict[Ref, sp.Expr], dict[str, sp.Expr], dict[str, Shape]]:
    """Reference -> its gradient of sum(w * expr), through the normal form and the sweep; the names it uses."""
    shapes = {**SHAPES, "w": shape, "loss": ()}
    total = N.Sum(Ref("w", 0) * expr) if shape else Ref("w", 0) * expr
    lines, shapes = normalise([Equation(Ref("loss", 0), total)], shapes, shapes)
    sweep = Sweep(shapes, lambda ref: Ref(f"d{ref.base}", ref.lag))
    sweep.seed(Ref("loss", 0), sp.Integer(1), ())
    sweep.run(lines)
    for ref in (X, Y, S, A, V):
        sweep.close(ref)
    meanings = {e.name.base: e.expr for e in lines} | {b.name.base: b.expr for b in sweep.backward}
    return {b.of: b.expr for b in sweep.backward}, meanings, sweep.shapes


def unfold(expr: sp.Expr, meanings: dict[str, sp.Expr]) -> sp.Expr:
    """The expression in terms of what is given."""
    while named := {r: meanings[r.base] for r in expr.atoms(Ref) if r.base in meanings}:
        expr = expr.xreplace(named)
    return expr


def check(expr: sp.Expr) -> None:
    shape = shape_of(expr, lambda ref: SHAPES[ref.base], Unifier())
    rng = random.Random(1)
    dims = [int(sp.sympify(s).subs({N.n: 3, N.m: 2})) for s in shape]
    weight = np.array([MP.mpf(rng.randint(-99, 99)) / 50 for _ in range(int(np.prod(dims)))], dtype=object)
    point = numbers()
    loss, point = weighted(expr, shape, weight.reshape(dims) if dims else weight[0], point)
    found, meanings, _ = gradients(expr, shape)
    for ref in sorted(expr.atoms(Ref), key=str):
        value = point.values[ref.base][0]
        direction = np.vectorize(lambda _: MP.mpf(rng.randint(-99, 99)) / 50, otypes=[object])(value)
        direction = direction if np.ndim(value) else direction.item()
        numeric = along(loss, point, ref, direction)
        if ref not in found:
            assert numeric == 0, f"no gradient of {ref}, but it moves the result"
            continue
        exact = np.sum(evaluate(unfold(found[ref], meanings), point, 0) * direction)
        assert abs(exact - numeric) < MP.mpf(10) ** -15 * (1 + abs(exact)), (
            f"{ref}: {exact} against {numeric}"
        )


@pytest.mark.parametrize("op", list(TABLE), ids=lambda op: op.__name__)
def test_rule_agrees_with_differences(op: type[Op]) -> None:
    if op is N.Total:
        pytest.skip("a sum over time is the test of the recurrence (test_derive)")
    if op is N.stop_gradient:
        found, _, _ = gradients(N.stop_gradient(X), (n,))
        assert X not in found
        return
    check(sample(op))


@pytest.mark.parametrize("op", list(TABLE), ids=lambda op: op.__name__)
def test_rules_are_closed(op: type[Op]) -> None:
    """What a rule gives can be derived again: the second derivative agrees with differences too."""
    if op in (N.Total, N.stop_gradient):
        return
    expr = sample(op)
    shape = shape_of(expr, lambda ref: SHAPES[ref.base], Unifier())
    found, meanings, _ = gradients(expr, shape)
    for ref, gradient in found.items():
        if ref in (X, S, A, V):
            second = unfold(gradient, meanings).xreplace({Ref("w", 0): _weight(shape)})
            if second.atoms(Ref):
                check(second)


def _weight(shape: Shape) -> sp.Expr:
    """A weight made of what is given, of the wanted shape."""
    made: dict[Shape, sp.Expr] = {(): S, (n,): Y, (n, m): A, (m,): V, (m, n): N.Transposed(A)}
    made |= {
        (m + n,): N.Concat(Y, V),
        (n - 1,): N.Part(Y, 1, n),
        (m + n + 1,): N.Concat(Y, V, N.Spread(S, 1)),
    }
    return made[tuple(sp.expand(s) for s in shape)]


@pytest.mark.parametrize(
    ("expr", "wanted"),
    [
        (N.relu(X), 0), (N.absolute(X), 0), (N.step(X), 0), (N.maximum(X, sp.Integer(0)), sp.Rational(1, 2)),
        (N.minimum(X, sp.Integer(0)), sp.Rational(1, 2)), (N.where(X, X, sp.Integer(0)), 0),
    ],
)  # fmt: skip
def test_ties_are_as_declared(expr: sp.Expr, wanted: sp.Expr) -> None:
    found, meanings, _ = gradients(expr, (n,))
    if X not in found:
        assert wanted == 0
        return
    zero = np.array([MP.mpf(0)] * 3, dtype=object)
    one = zero + 1
    point = Numbers({"x": {0: zero}, "w": {0: one}}, SIZES)
    value = evaluate(unfold(found[X], meanings), point, 0)
    assert all(v == MP.mpf(wanted.p) / wanted.q if wanted else v == 0 for v in value)
