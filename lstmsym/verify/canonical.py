"""The normal form of proofs: every expression as a polynomial over entries.

Names are replaced by their equations down to what is given; pointwise functions are atoms keyed by
the normal form of their argument; what mixes entries is a network of indices.  A difference that is
the zero polynomial is zero for all values and all sizes.  Identities of piecewise functions hold off
the ties.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from fractions import Fraction
from math import isqrt
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref
from lstmsym.shapes import Shape
from lstmsym.verify.indices import Indices, intervals
from lstmsym.verify.poly import ONE, ZERO, Exponent, Monomial, Poly, TooLarge, number


class Spelling(Enum):
    """How much of the activations is spelled out: the more, the more is proved, and the longer it takes."""

    PLAIN = "sigma and tanh are unrelated"
    SIGMA = "tanh z = 2 sigma(2z) - 1"
    EXP = "sigma z = exp z / (1 + exp z)"


class Canon:
    """Turns expressions into polynomials, given what each reference stands for.

    ``meaning`` gives the right side of a reference, or None where it is given; ``shape`` the shape
    of an expression.
    """

    def __init__(
        self,
        shape: Callable[[sp.Expr], Shape],
        meaning: Callable[[Ref], sp.Expr | None],
        spelling: Spelling = Spelling.PLAIN,
        free: Callable[[str], bool] = lambda name: True,
    ) -> None:
        """Start with no atoms; ``free`` says of what is given that no kink makes it vanish by itself."""
        self.shape, self.meaning, self.spelling, self.free = shape, meaning, spelling, free
        self.ring = Indices(self.rebuilt)
        self.memo: dict[sp.Expr, Poly] = {}

    def equal(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two are proved equal.

        Raises:
            TooLarge: no answer was found.
            ShapeError: a side has no shape, so that nothing can be said of it.
        """
        self.ring.work = 0
        shapes = self.shape(left), self.shape(right)
        if all(shapes) and shapes[0] != shapes[1]:
            return False
        shape = shapes[0] or shapes[1]
        return all(not piece for piece in self.pieces(self.ring.sub(self(left), self(right)), shape))

    def pieces(self, p: Poly, shape: Shape) -> list[Poly]:
        """A polynomial cut where its axes carry padding, without inverses; all zero if it is zero."""
        p = self.ring.cleared(p)
        for axis, size in enumerate(shape):
            cuts = self.ring.poly_cuts(p, axis)
            if cuts:
                cut = [self.ring.cut(p, axis, low, high) for low, high in intervals(cuts, sp.sympify(size))]
                return [piece for c in cut for piece in self.pieces(c, shape)]
        return [p]

    def finer(self) -> Spelling | None:
        """The spelling that would relate activations which this one leaves apart."""
        kinds = self.ring.kinds
        if self.spelling is not Spelling.EXP and any(k[0] in ("exp", "log") for k in kinds):
            return Spelling.EXP
        sigmas = {k[1] for k in kinds if k[0] == "sigma"}
        doubled = {self.ring.scale(k[1], 2) for k in kinds if k[0] == "tanh"}
        return Spelling.SIGMA if self.spelling is Spelling.PLAIN and sigmas & doubled else None

    def __call__(self, expr: sp.Expr) -> Poly:
        """The polynomial of an expression."""
        found = self.memo.get(expr)
        if found is None:
            found = self.memo[expr] = self.convert(expr)
        return found

    def convert(self, expr: sp.Expr) -> Poly:
        """One node."""
        ring = self.ring
        if isinstance(expr, Ref):
            meaning = self.meaning(expr)
            if meaning is not None:
                return self(meaning)
            return ring.atom(("ref", expr.base, expr.lag, ()), tuple(range(len(self.shape(expr)))))
        if isinstance(expr, sp.Number):
            return number(_fraction(expr))
        if isinstance(expr, sp.Symbol):
            return ring.size(expr)
        if isinstance(expr, sp.Add):
            return ring.add(*map(self, expr.args))
        if isinstance(expr, sp.Mul):
            return ring.product(map(self, expr.args))
        if isinstance(expr, sp.Pow):
            return self.powered(expr)
        if isinstance(expr, Op):
            method = getattr(self, f"op_{type(expr).__name__}", None)
            return method(*expr.args) if method else self.opaque(expr)
        return ring.atom(("constant", str(expr)))

    def powered(self, expr: sp.Expr) -> Poly:
        """A power with a number as exponent; otherwise an atom."""
        base, exponent = expr.args
        if isinstance(exponent, sp.Float):
            exponent = sp.Rational(str(exponent))
        if isinstance(exponent, sp.Rational) and abs(exponent) <= 12:
            if exponent.q == 2:
                return self.ring.power(self.root(self(base)), int(exponent.p))
            return self.ring.power(self(base), _fraction(exponent))
        return self.ring.function("pow", self(base), self(exponent))

    def opaque(self, expr: sp.Expr) -> Poly:
        """Any operation without rules of its own here."""
        args = tuple(map(self, expr.args))
        if self.shape(expr) == () and any(self.shape(a) for a in expr.args):
            return self.ring.atom((type(expr).__name__, *args))  # a reduction: its axes end here
        if isinstance(expr, N.Pointwise):
            return self.ring.function(type(expr).__name__, *args)
        raise TooLarge

    def rebuilt(self, key: tuple[Any, ...], args: list[Poly]) -> Poly:
        """A function atom made again of other arguments."""
        name = key[0]
        if name == "inverse":
            return self.ring.power(args[0], -1)
        if name.startswith("power "):
            return self.ring.power(args[0], Fraction(name.removeprefix("power ")))
        makers: dict[str, Callable[..., Poly]] = {
            "sigma": self.logistic,
            "tanh": self.tangent,
            "step": self.heaviside,
            "exp": self.exponent,
            "log": self.logarithm,
            "root": self.root,
        }
        return makers[name](*args) if name in makers else self.ring.function(name, *args)

    # -- pointwise functions -----------------------------------------------------------------------

    def odd(self, z: Poly) -> tuple[int, Poly]:
        """(sign, z or -z) with a definite sign, wherever z is placed."""
        (normal,), _ = self.ring.normal(z)
        sign = 1 if not normal or normal.leading > 0 else -1
        return sign, self.ring.scale(z, sign)

    def logistic(self, z: Poly) -> Poly:
        """Sigma of a polynomial."""
        if self.spelling is Spelling.EXP:
            e = self.exponent(z)
            return self.ring.mul(e, self.ring.power(self.ring.add(ONE, e), -1))
        sign, z = self.odd(z)
        if not z:
            return number(Fraction(1, 2))
        s = self.ring.function("sigma", z)
        return s if sign > 0 else self.ring.sub(ONE, s)

    def tangent(self, z: Poly) -> Poly:
        """Tanh of a polynomial."""
        if self.spelling is not Spelling.PLAIN:
            s = self.logistic(self.ring.scale(z, 2))
            return self.ring.sub(self.ring.scale(s, 2), ONE)
        sign, z = self.odd(z)
        return self.ring.scale(self.ring.function("tanh", z), sign) if z else ZERO

    def exponent(self, z: Poly) -> Poly:
        """Exp of a sum as a product of powers of exponentials of monomials; exp(log x) is x."""
        result = ONE
        for monomial, coefficient in sorted(z.terms.items()):
            single = Poly({monomial: 1})
            inner = self.log_of(monomial)
            if inner is not None and coefficient in (1, -1):
                factor = self.ring.power(inner, coefficient)
            else:
                ((atom, _),) = next(iter(self.ring.function("exp", single).terms))
                factor = Poly({((atom, coefficient),): 1})
            result = self.ring.mul(result, factor)
        return result

    def log_of(self, monomial: Monomial) -> Poly | None:
        """What a monomial is the logarithm of, if it is nothing else."""
        if len(monomial) != 1 or monomial[0][1] != 1:
            return None
        atom = monomial[0][0]
        key = self.ring.key(atom)
        return self.ring.rename(key[1], dict(enumerate(self.ring.axes(atom)))) if key[0] == "log" else None

    def logarithm(self, z: Poly) -> Poly:
        """Log of a polynomial; of exponentials, the sum of their arguments."""
        if z.single and z.single[1] == 1:
            keys = [(self.ring.key(a), self.ring.axes(a), e) for a, e in z.single[0]]
            if keys and all(key[0] == "exp" for key, _, _ in keys):
                parts = (self.ring.scale(self.ring.rename(k[1], dict(enumerate(x))), e) for k, x, e in keys)
                return self.ring.add(*parts)
        return ZERO if z == ONE else self.ring.function("log", z)

    def root(self, z: Poly) -> Poly:
        """A square root; of a square, the absolute value."""
        if z.single and z.single[1] > 0:
            monomial, coefficient = z.single
            scale = _square_root(Fraction(coefficient))
            if scale is not None and all(isinstance(e, int) and e % 2 == 0 for _, e in monomial):
                half = Poly({tuple((a, e // 2) for a, e in monomial): scale})
                return self.ring.mul(half, self.signum(half))
        return self.ring.root(z)

    def heaviside(self, z: Poly) -> Poly:
        """The step function of a polynomial, off the ties.

        What contains other step functions is told apart by their two values, since it can vanish on
        more than ties.
        """
        ring = self.ring
        told = next((a for m in z.terms for a, _ in m if a in ring.idempotent), None)
        if told is not None:
            s = Poly({((told, 1),): 1})
            return self.choice(s, self.beside(told, _with(z, told, 1)), self.heaviside(_with(z, told, 0)))
        if z.constant is not None:
            return number(1 if z.constant > 0 else 0)
        if not self.generic(z):
            return ring.function("step", z)
        sign, z = self.odd(self.unscaled(z))
        inner = self.inside(z)
        if inner is not None:
            s = self.heaviside(inner)
            return s if sign > 0 else ring.sub(ONE, s)
        if all(c > 0 and all(self.certain(a, e) for a, e in m) for m, c in z.terms.items()):
            return ONE if sign > 0 else ZERO
        (normal,), _ = ring.normal(z)
        s = ring.function("step", ring.scale(z, Fraction(1) / normal.leading))
        return s if sign > 0 else ring.sub(ONE, s)

    def beside(self, told: int, z: Poly) -> Poly:
        """The step function of a polynomial where a known step is 1, and so what it is taken of positive."""
        key = self.ring.key(told)
        taken = self.ring.rename(key[1], dict(enumerate(self.ring.axes(told))))
        if not self.ring.sub(z, taken):
            return ONE
        return self.heaviside(z) if self.ring.add(z, taken) else ZERO

    def generic(self, z: Poly) -> bool:
        """Whether a polynomial is zero at ties only, and so has a sign elsewhere."""
        keys = (self.ring.key(a) for m in z.terms for a, _ in m)
        return self.free("") or all(key[0] == "ref" and self.free(str(key[1])) for key in keys)

    def inside(self, z: Poly) -> Poly | None:
        """What has the sign of a polynomial that is an increasing odd function, times a number."""
        if not (z.single and len(z.single[0]) == 1 and z.single[0][0][1] == 1):
            return None
        atom = z.single[0][0][0]
        key = self.ring.key(atom)
        return self.ring.rename(key[1], dict(enumerate(self.ring.axes(atom)))) if key[0] == "tanh" else None

    def certain(self, atom: int, exponent: Exponent) -> bool:
        """Whether a power of an atom is positive, off the ties."""
        even = isinstance(exponent, int) and exponent % 2 == 0
        return even or self.ring.positive(atom)

    def unscaled(self, z: Poly) -> Poly:
        """A polynomial without the factors, common to all its terms, that leave its sign as it is."""
        first, *others = z.terms
        common = [(a, e) for a, e in first if all((a, e) in m for m in others) and self.certain(a, e)]
        return Poly({tuple(x for x in m if x not in common): c for m, c in z.terms.items()})

    def signum(self, z: Poly) -> Poly:
        """1 where positive, -1 where negative."""
        return self.ring.sub(self.heaviside(z), self.heaviside(self.ring.scale(z, -1)))

    def choice(self, s: Poly, yes: Poly, no: Poly) -> Poly:
        """Yes where the step function s is 1, else no."""
        return self.ring.add(no, self.ring.mul(s, self.ring.sub(yes, no)))

    def op_sigma(self, x: sp.Expr) -> Poly:
        """Logistic sigmoid."""
        return self.logistic(self(x))

    def op_tanh(self, x: sp.Expr) -> Poly:
        """Hyperbolic tangent."""
        return self.tangent(self(x))

    def op_exp(self, x: sp.Expr) -> Poly:
        """Exponential."""
        return self.exponent(self(x))

    def op_log(self, x: sp.Expr) -> Poly:
        """Logarithm."""
        return self.logarithm(self(x))

    def op_softplus(self, x: sp.Expr) -> Poly:
        """log(1 + exp(z)), with softplus(-z) = softplus(z) - z."""
        sign, z = self.odd(self(x))
        found = self.ring.function("log", self.ring.add(ONE, self.exponent(z)))
        return found if sign > 0 else self.ring.sub(found, z)

    def op_sqrt(self, x: sp.Expr) -> Poly:
        """A root."""
        return self.root(self(x))

    def op_step(self, x: sp.Expr) -> Poly:
        """1 where positive."""
        return self.heaviside(self(x))

    def op_sign(self, x: sp.Expr) -> Poly:
        """1, -1 or 0."""
        return self.signum(self(x))

    def op_relu(self, x: sp.Expr) -> Poly:
        """X step(x)."""
        z = self(x)
        return self.ring.mul(z, self.heaviside(z))

    def op_leaky_relu(self, x: sp.Expr, slope: sp.Expr) -> Poly:
        """x, or slope x."""
        z = self(x)
        return self.choice(self.heaviside(z), z, self.ring.mul(self(slope), z))

    def op_elu(self, x: sp.Expr, alpha: sp.Expr) -> Poly:
        """x, or alpha (exp(x) - 1)."""
        z = self(x)
        low = self.ring.mul(self(alpha), self.ring.sub(self.exponent(z), ONE))
        return self.choice(self.heaviside(z), z, low)

    def op_hard_sigmoid(self, x: sp.Expr) -> Poly:
        """Clipped x / 6 + 1/2."""
        return self(N.step(x - 3) + N.step(x + 3) * N.step(3 - x) * (x / 6 + sp.Rational(1, 2)))

    def op_absolute(self, x: sp.Expr) -> Poly:
        """X sign(x)."""
        z = self(x)
        return self.ring.mul(z, self.signum(z))

    def op_maximum(self, a: sp.Expr, b: sp.Expr) -> Poly:
        """The larger."""
        return self.choice(self.heaviside(self(a - b)), self(a), self(b))

    def op_minimum(self, a: sp.Expr, b: sp.Expr) -> Poly:
        """The smaller."""
        return self.choice(self.heaviside(self(b - a)), self(a), self(b))

    def op_where(self, condition: sp.Expr, a: sp.Expr, b: sp.Expr) -> Poly:
        """One of two."""
        return self.choice(self.heaviside(self(condition)), self(a), self(b))

    def op_stop_gradient(self, x: sp.Expr) -> Poly:
        """The value."""
        return self(x)

    # -- what mixes entries ------------------------------------------------------------------------

    def op_Dot(self, a: sp.Expr, v: sp.Expr) -> Poly:
        """The sum over the axis that the two share."""
        left, right = self.ring.rename(self(a), {1: 2}), self.ring.rename(self(v), {0: 2})
        return self.ring.summed(self.ring.mul(left, right), 2, sp.sympify(self.shape(a)[1]))

    def op_Transposed(self, a: sp.Expr) -> Poly:
        """The axes swapped."""
        return self.ring.rename(self(a), {0: 1, 1: 0})

    def op_Outer(self, u: sp.Expr, v: sp.Expr) -> Poly:
        """The product on two axes."""
        return self.ring.mul(self(u), self.ring.rename(self(v), {0: 1}))

    def op_Sum(self, v: sp.Expr) -> Poly:
        """The sum over every axis."""
        result = self(v)
        for axis, size in enumerate(self.shape(v)):
            result = self.ring.summed(result, axis, sp.sympify(size))
        return result

    def op_Mean(self, v: sp.Expr) -> Poly:
        """Sum over n."""
        return self(N.Sum(v) / self.shape(v)[0])

    def op_Variance(self, v: sp.Expr) -> Poly:
        """Mean square less squared mean."""
        return self(N.Mean(v**2) - N.Mean(v) ** 2)

    def op_normalize(self, v: sp.Expr, eps: sp.Expr) -> Poly:
        """Less the mean, over the root of the variance."""
        return self((v - N.Mean(v)) / N.sqrt(N.Variance(v) + eps))

    def op_softmax(self, z: sp.Expr) -> Poly:
        """Exp over the sum of exp."""
        return self(N.exp(z) / N.Sum(N.exp(z)))

    def op_LogSumExp(self, z: sp.Expr) -> Poly:
        """Log of the sum of exp."""
        return self(N.log(N.Sum(N.exp(z))))

    def op_log_softmax(self, z: sp.Expr) -> Poly:
        """Z - logsumexp(z)."""
        return self(z - N.LogSumExp(z))

    def op_Spread(self, s: sp.Expr, *_: sp.Expr) -> Poly:
        """The scalar; entries are all alike."""
        return self(s)

    def op_Total(self, x: sp.Expr) -> Poly:
        """The sum over the steps."""
        return self.ring.total(self(x))

    def op_Concat(self, *vectors: sp.Expr) -> Poly:
        """Each vector with zeros around it."""
        low: sp.Expr = sp.Integer(0)
        parts = []
        for v in vectors:
            high = low + self.shape(v)[0]
            parts.append(self.ring.padded(self(v), low, high))
            low = high
        return self.ring.add(*parts)

    def op_Pad(self, v: sp.Expr, before: sp.Expr, after: sp.Expr) -> Poly:
        """A vector with zeros around it."""
        return self.ring.padded(self(v), before, before + self.shape(v)[0])

    def op_Part(self, v: sp.Expr, low: sp.Expr, high: sp.Expr) -> Poly:
        """A piece of the axis."""
        size = self.shape(v)[0]
        high = size if high == N.End else high
        whole = low == 0 and sp.expand(high - size) == 0
        return self(v) if whole else self.ring.cut(self(v), 0, sp.sympify(low), sp.sympify(high))


def _with(z: Poly, atom: int, value: int) -> Poly:
    """A polynomial with 0 or 1 put for a step function."""
    terms: dict[Monomial, Exponent] = {}
    for monomial, coefficient in z.terms.items():
        rest = tuple(x for x in monomial if x[0] != atom)
        if value or rest == monomial:
            terms[rest] = terms.get(rest, 0) + coefficient
    return Poly(terms)


def _square_root(value: Fraction) -> Fraction | None:
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    return Fraction(above, below) if above**2 == value.numerator and below**2 == value.denominator else None


def _fraction(value: sp.Number) -> Fraction:
    rational = sp.Rational(str(value)) if isinstance(value, sp.Float) else sp.Rational(value)
    return Fraction(int(rational.p), int(rational.q))
