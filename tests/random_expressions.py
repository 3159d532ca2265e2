"""Random expressions over the names of an LSTM: for the calculus of the proofs against plain numbers."""

from __future__ import annotations

import random
from collections.abc import Callable

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref, n

VECTORS = [Ref("h", -1), Ref("c", -1), Ref("c", 0), Ref("i", 0), Ref("o", 0), Ref("dc", 0), Ref("da_f", 0)]
INPUT, WIDE = Ref("x", 0), Ref("hx", 0)


class Expressions:
    """Vectors of n entries, numbers and square matrices, of a depth."""

    def __init__(self, seed: int) -> None:
        """Draw from a generator of this seed."""
        self.rng = random.Random(seed)

    def one_of(self, *makers: Callable[[], sp.Expr]) -> sp.Expr:
        """One of several."""
        return self.rng.choice(makers)()

    def vector(self, depth: int) -> sp.Expr:
        """A vector of n entries."""
        if not depth:
            return self.rng.choice(VECTORS)
        v, s, a = (
            (lambda: self.vector(depth - 1)),
            (lambda: self.number(depth - 1)),
            (lambda: self.matrix(depth - 1)),
        )
        return self.one_of(
            *3 * [lambda: v() + v(), lambda: v() * v(), lambda: N.Dot(a(), v())],
            lambda: v() - self.rng.randint(1, 3) * v(),
            lambda: s() * v(),
            lambda: self.rng.choice((N.sigma, N.tanh, N.relu, N.absolute, N.step, N.softplus))(v()),
            lambda: N.sqrt(1 + v() ** 2),
            lambda: v() / (1 + v() ** 2),
            lambda: N.normalize(v(), sp.Rational(1, 10)),
            lambda: N.softmax(v()),
            lambda: N.maximum(v(), v()),
            lambda: N.Dot(Ref("W_i"), N.Concat(v(), INPUT)),
            lambda: N.Part(N.Dot(N.Transposed(Ref("W_f")), v()), 0, n),
            lambda: N.Part(N.Concat(v(), v()) * N.Concat(v(), v()), n, 2 * n),
            lambda: N.Part(N.Concat(v(), INPUT), 0, n),
        )

    def number(self, depth: int) -> sp.Expr:
        """A number."""
        v, a = (lambda: self.vector(depth - 1)), (lambda: self.matrix(depth - 1))
        if depth <= 0:
            return sp.Rational(self.rng.randint(-3, 3), 2) + 2
        return self.one_of(
            lambda: N.Sum(v()),
            lambda: N.Mean(v()),
            lambda: N.Variance(v()),
            lambda: N.Sum(v() * v()),
            lambda: N.Sum(N.Dot(a(), v()) * v()),
            lambda: N.Total(N.Sum(v() * v())),
            lambda: N.Sum(a()),
            lambda: N.Sum(N.Concat(v(), INPUT) * WIDE),
        )

    def matrix(self, depth: int) -> sp.Expr:
        """A matrix of n rows and n columns."""
        if depth <= 0:
            return N.Dot(Ref("W_g"), N.Transposed(Ref("W_o")))
        v, a = (lambda: self.vector(depth - 1)), (lambda: self.matrix(depth - 1))
        return self.one_of(
            lambda: N.Outer(v(), v()),
            lambda: N.transposed(a()),
            lambda: a() + a(),
            lambda: N.Dot(a(), a()),
            lambda: N.Total(N.Outer(v(), v())),
            lambda: N.Dot(N.Outer(v(), WIDE), N.Transposed(Ref("W_i"))),
        )


def rewritten(expr: sp.Expr, rng: random.Random) -> sp.Expr:
    """An equal expression, by laws of the operations applied at random places."""
    args = [
        rewritten(a, rng) if not isinstance(expr, N.Part) or not j else a for j, a in enumerate(expr.args)
    ]
    expr = expr.func(*args) if args else expr
    law = LAWS.get(type(expr))
    return law(expr, rng) if law and rng.random() < 0.6 else expr


def _dot(e: sp.Expr, rng: random.Random) -> sp.Expr:
    a, v = e.args
    if isinstance(a, N.Outer):
        return a.args[0] * N.Sum(a.args[1] * v) if not _is_matrix(v) else e
    if isinstance(a, N.Dot):
        return N.Dot(a.args[0], N.Dot(a.args[1], v))
    if isinstance(v, sp.Add):
        return sp.Add(*(N.Dot(a, t) for t in v.args))
    if isinstance(a, sp.Add):
        return sp.Add(*(N.Dot(t, v) for t in a.args))
    return e


def _is_matrix(e: sp.Expr) -> bool:
    return e.has(N.Outer, N.Transposed) or any(r.base.startswith("W") for r in e.atoms(Ref))


LAWS: dict[type, Callable[[sp.Expr, random.Random], sp.Expr]] = {
    N.Dot: _dot,
    N.Transposed: lambda e, rng: (
        N.Outer(*reversed(e.args[0].args))
        if isinstance(e.args[0], N.Outer)
        else sp.Add(*(N.transposed(t) for t in e.args[0].args))
        if isinstance(e.args[0], sp.Add)
        else e
    ),
    N.Sum: lambda e, rng: sp.Add(*(N.Sum(t) for t in e.args[0].args)) if isinstance(e.args[0], sp.Add) else e,
    N.Total: lambda e, rng: sp.Add(*(N.Total(t) for t in sp.Add.make_args(e.args[0]))),
    N.sigma: lambda e, rng: 1 - N.sigma(-e.args[0]),
    N.tanh: lambda e, rng: -N.tanh(-e.args[0]),
    N.relu: lambda e, rng: e.args[0] * N.step(e.args[0]),
    N.absolute: lambda e, rng: N.sqrt(e.args[0] ** 2),
    N.softplus: lambda e, rng: N.softplus(-e.args[0]) + e.args[0],
    N.maximum: lambda e, rng: e.args[0] + e.args[1] - N.minimum(*e.args),
    sp.Mul: lambda e, rng: sp.expand_mul(e, deep=False),
    N.Part: lambda e, rng: e,
}
