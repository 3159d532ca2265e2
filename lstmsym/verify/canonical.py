"""The normal form of proofs: every expression as a polynomial over independent atoms.

Names are replaced by their equations down to what is given; what mixes entries is multilinear and
expanded; activations are atoms keyed by the normal form of their argument, with sigma(-z) =
1 - sigma(z) and tanh z = 2 sigma(2z) - 1.  A difference that is the zero polynomial is zero for all
values and all sizes.  Identities of piecewise functions hold off the ties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.poly import Monomial, Poly, Ring, number, poly

ONE = number(1)


class Canon:
    """Turns expressions into polynomials, given what each reference stands for.

    ``meaning`` gives the right side of a reference, or None where it is given.
    """

    def __init__(self, shapes: Mapping[str, Shape], meaning: Callable[[Ref], sp.Expr | None]) -> None:
        """Start with no atoms; with ``exponential`` sigma and tanh are rational in exp."""
        self.shapes, self.meaning = shapes, meaning
        self.ring = Ring()
        self.memo: dict[sp.Expr, Poly] = {}
        self.exponential = False

    def equal(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two are proved equal."""
        if self.shape(left) != self.shape(right):
            return False
        for exponential in (False, True):
            if exponential != self.exponential:
                self.exponential = exponential
                self.memo.clear()
            difference = self.ring.add(self(left), self.ring.scale(self(right), -1))
            if not difference or not self.ring.cleared(difference):
                return True
            if not self.has_exponentials():
                break
        self.exponential = False
        self.memo.clear()
        return False

    def has_exponentials(self) -> bool:
        """Whether exponentials or logarithms were met, so that sigma should be spelled by them."""
        return any(isinstance(key, tuple) and key[0] in ("exp", "log") for key in self.ring.keys)

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of an expression."""
        return shape_of(expr, lambda ref: self.shapes[ref.base], Unifier())

    def __call__(self, expr: sp.Expr) -> Poly:
        """The polynomial of an expression."""
        if expr not in self.memo:
            self.memo[expr] = self.convert(expr)
        return self.memo[expr]

    def convert(self, expr: sp.Expr) -> Poly:
        """One node."""
        if isinstance(expr, Ref):
            meaning = self.meaning(expr)
            return self.atom(("ref", expr.base, expr.lag), expr) if meaning is None else self(meaning)
        if isinstance(expr, sp.Number):
            return number(_fraction(expr))
        if isinstance(expr, sp.Symbol):
            return self.ring.atom(("size", expr.name), 0)
        if isinstance(expr, sp.Add):
            return self.ring.add(*(self(a) for a in expr.args))
        if isinstance(expr, sp.Mul):
            return self.product(*(self(a) for a in expr.args))
        if isinstance(expr, sp.Pow):
            return self.powered(expr)
        if isinstance(expr, Op):
            return getattr(self, f"op_{type(expr).__name__}", self.opaque)(expr)
        return self.ring.atom(("constant", str(expr)), 0)

    def atom(self, key: tuple[object, ...], expr: sp.Expr) -> Poly:
        """An atom of the rank of an expression."""
        return self.ring.atom(key, len(self.shape(expr)))

    def product(self, *polys: Poly) -> Poly:
        """A product."""
        result = ONE
        for p in polys:
            result = self.ring.mul(result, p)
        return result

    def powered(self, expr: sp.Expr) -> Poly:
        """A power with a number as exponent; otherwise an atom."""
        base, exponent = expr.args
        if isinstance(exponent, sp.Rational) and abs(exponent) <= 12:
            return self.ring.power(self(base), _fraction(exponent))
        inner, power = self(base), self(exponent)
        return self.ring.atom(("pow", inner, power), max(self.ring.rank(inner), self.ring.rank(power)))

    def opaque(self, expr: sp.Expr) -> Poly:
        """Any operation without rules of its own here."""
        return self.atom((type(expr).__name__, *(self(a) for a in expr.args)), expr)

    # -- pointwise functions ---------------------------------------------------------------------

    def signed(self, p: Poly) -> tuple[int, Poly]:
        """(sign, p or -p) with a definite sign, so that odd and even functions have one form."""
        if not p:
            return 1, p
        sign = 1 if min(p.terms)[1] > 0 else -1
        return sign, self.ring.scale(p, sign)

    def logistic(self, z: Poly) -> Poly:
        """Sigma of a polynomial."""
        rank = self.ring.rank(z)
        if self.exponential:
            e = self.exponent(z)
            return self.product(e, self.ring.inverse(self.ring.add(ONE, e)))
        sign, z = self.signed(z)
        if not z:
            return number(Fraction(1, 2))
        s = self.ring.atom(("sigma", z), rank)
        return s if sign > 0 else self.ring.add(ONE, self.ring.scale(s, -1))

    def exponent(self, z: Poly) -> Poly:
        """Exp of a sum as a product of powers of exponentials of monomials."""
        result = ONE
        for monomial, coefficient in sorted(z.terms):
            if not monomial:
                result = self.product(result, self.ring.atom(("exp", number(coefficient)), 0))
                continue
            single = poly({monomial: Fraction(1)})
            base = self.ring.id(("exp", single), self.ring.rank(single))
            result = self.product(result, poly({((base, coefficient),): Fraction(1)}))
        return result

    def heaviside(self, z: Poly) -> Poly:
        """The step function of a polynomial, off the tie."""
        if z.constant is not None:
            return number(1 if z.constant > 0 else 0)
        sign, z = self.signed(z)
        key = ("step", self.ring.scale(z, 1 / min(z.terms)[1]))
        s = self.ring.atom(key, self.ring.rank(z))
        self.ring.idempotent.add(self.ring.ids[key])
        return s if sign > 0 else self.ring.add(ONE, self.ring.scale(s, -1))

    def choice(self, condition: Poly, yes: Poly, no: Poly) -> Poly:
        """Yes where the condition is positive, else no."""
        s = self.heaviside(condition)
        return self.ring.add(no, self.product(s, self.ring.add(yes, self.ring.scale(no, -1))))

    def rank(self, expr: sp.Expr) -> int:
        """0, 1 or 2."""
        return len(self.shape(expr))

    def op_sigma(self, e: sp.Expr) -> Poly:
        """Logistic sigmoid."""
        return self.logistic(self(e.args[0]))

    def op_tanh(self, e: sp.Expr) -> Poly:
        """2 sigma(2z) - 1."""
        s = self.logistic(self.ring.scale(self(e.args[0]), 2))
        return self.ring.add(self.ring.scale(s, 2), number(-1))

    def op_exp(self, e: sp.Expr) -> Poly:
        """Exponential."""
        return self.exponent(self(e.args[0]))

    def op_log(self, e: sp.Expr) -> Poly:
        """Logarithm; of an exponential, its argument."""
        inner = self(e.args[0])
        if len(inner.terms) == 1:
            ((monomial, coefficient),) = inner.terms
            keys: list[Any] = [self.ring.keys[a] for a, _ in monomial]
            if coefficient == 1 and keys and all(isinstance(k, tuple) and k[0] == "exp" for k in keys):
                powers = (x for _, x in monomial)
                return self.ring.add(*(self.ring.scale(k[1], x) for k, x in zip(keys, powers, strict=True)))
        return self.ring.atom(("log", inner), self.ring.rank(inner))

    def op_softplus(self, e: sp.Expr) -> Poly:
        """log(1 + exp(z)), with softplus(-z) = softplus(z) - z."""
        sign, z = self.signed(self(e.args[0]))
        inner = self.ring.add(ONE, self.exponent(z))
        found = self.ring.atom(("log", inner), self.ring.rank(z))
        return found if sign > 0 else self.ring.add(found, self.ring.scale(z, -1))

    def op_sqrt(self, e: sp.Expr) -> Poly:
        """A root."""
        return self.ring.power(self(e.args[0]), Fraction(1, 2))

    def op_step(self, e: sp.Expr) -> Poly:
        """1 where positive."""
        return self.heaviside(self(e.args[0]))

    def op_sign(self, e: sp.Expr) -> Poly:
        """2 step - 1, and 0 at 0."""
        if not self(e.args[0]):
            return number(0)
        return self.ring.add(self.ring.scale(self.op_step(e), 2), number(-1))

    def op_relu(self, e: sp.Expr) -> Poly:
        """X step(x)."""
        x = self(e.args[0])
        return self.choice(x, x, number(0))

    def op_leaky_relu(self, e: sp.Expr) -> Poly:
        """x, or slope x."""
        x, slope = (self(a) for a in e.args)
        return self.choice(x, x, self.product(slope, x))

    def op_elu(self, e: sp.Expr) -> Poly:
        """x, or alpha (exp(x) - 1)."""
        x, alpha = (self(a) for a in e.args)
        low = self.product(alpha, self.ring.add(self.exponent(x), number(-1)))
        return self.choice(x, x, low)

    def op_hard_sigmoid(self, e: sp.Expr) -> Poly:
        """Clipped x / 6 + 1/2."""
        x = e.args[0]
        return self(N.step(x - 3) + N.step(x + 3) * N.step(3 - x) * (x / 6 + sp.Rational(1, 2)))

    def op_absolute(self, e: sp.Expr) -> Poly:
        """X sign(x)."""
        return self(e.args[0] * N.sign(e.args[0]))

    def op_maximum(self, e: sp.Expr) -> Poly:
        """The larger."""
        a, b = (self(x) for x in e.args)
        return self.choice(self.ring.add(a, self.ring.scale(b, -1)), a, b)

    def op_minimum(self, e: sp.Expr) -> Poly:
        """The smaller."""
        a, b = (self(x) for x in e.args)
        return self.choice(self.ring.add(b, self.ring.scale(a, -1)), a, b)

    def op_where(self, e: sp.Expr) -> Poly:
        """One of two."""
        c, a, b = (self(x) for x in e.args)
        return self.choice(c, a, b)

    def op_stop_gradient(self, e: sp.Expr) -> Poly:
        """The value."""
        return self(e.args[0])

    # -- what mixes entries ------------------------------------------------------------------------

    def linear(self, expr: sp.Expr, make: Callable[[Monomial], Poly]) -> Poly:
        """A linear operation applied to each monomial, scalars taken out."""
        parts = []
        for monomial, coefficient in self(expr).terms:
            outside = tuple((a, e) for a, e in monomial if self.ring.ranks[a] == 0)
            inside = tuple((a, e) for a, e in monomial if self.ring.ranks[a] != 0)
            parts.append(self.product(poly({outside: coefficient}), make(inside)))
        return self.ring.add(*parts)

    def op_Dot(self, e: sp.Expr) -> Poly:
        """Bilinear; a concatenation splits the matrix into column blocks."""
        left, right = e.args
        vector = self(right)
        if self.rank(right) == 1 and (blocks := self.blocks(vector)):
            low: sp.Expr = sp.Integer(0)
            parts = []
            for key, scale in blocks:
                high = low + key[2]
                parts.append(self.dot(left, low, high, self.ring.scale(key[1], scale), e))
                low = high
            return self.ring.add(*parts)
        return self.dot(left, None, None, vector, e)

    def blocks(self, vector: Poly) -> list[tuple[tuple[object, Poly, sp.Expr], Fraction]]:
        """The parts of a vector that is a concatenation by itself."""
        if len(vector.terms) != 1:
            return []
        ((monomial, coefficient),) = vector.terms
        if len(monomial) != 1 or monomial[0][1] != 1:
            return []
        key = self.ring.keys[monomial[0][0]]
        if not (isinstance(key, tuple) and key[0] == "concat"):
            return []
        return [(("part", p, size), coefficient) for p, size in key[1]]

    def dot(self, left: sp.Expr, low: sp.Expr | None, high: sp.Expr | None, vector: Poly, e: sp.Expr) -> Poly:
        """A product of matrix monomials and vector monomials."""
        rank = self.rank(e)

        def with_matrix(matrix: Monomial) -> Poly:
            parts = []
            for monomial, coefficient in vector.terms:
                outside = tuple((a, x) for a, x in monomial if self.ring.ranks[a] == 0)
                inside = tuple((a, x) for a, x in monomial if self.ring.ranks[a] != 0)
                ones = (self.shape(e), self.shape(e.args[1])) if not matrix or not inside else ()
                atom = self.ring.atom(("dot", matrix, low, high, inside, ones), rank)
                parts.append(self.product(poly({outside: coefficient}), atom))
            return self.ring.add(*parts)

        return self.linear(left, with_matrix)

    def op_Transposed(self, e: sp.Expr) -> Poly:
        """Linear; the transpose of a transpose is the matrix, of an outer product the swapped one."""

        def turned(monomial: Monomial) -> Poly:
            parts = []
            for atom, exponent in monomial:
                key = self.ring.keys[atom]
                if isinstance(key, tuple) and key[0] == "transposed":
                    other = key[1]
                elif isinstance(key, tuple) and key[0] == "outer":
                    other = self.ring.id(("outer", key[2], key[1], key[3][::-1]), 2)
                else:
                    other = self.ring.id(("transposed", atom), 2)
                parts.append(poly({((other, exponent),): Fraction(1)}))
            return self.product(*parts)

        return self.linear(e.args[0], turned)

    def op_Outer(self, e: sp.Expr) -> Poly:
        """Bilinear."""
        left, right = e.args

        def with_left(u: Monomial) -> Poly:
            return self.linear(right, lambda v: self.ring.atom(("outer", u, v, self.ones(u, v, e)), 2))

        return self.linear(left, with_left)

    def ones(self, u: Monomial, v: Monomial, e: sp.Expr) -> Shape:
        """The shape of an outer product, where a vector of ones in it has no size of its own."""
        return self.shape(e) if not u or not v else ()

    def op_Sum(self, e: sp.Expr) -> Poly:
        """Linear; a number summed over n entries is n times it."""
        shape = self.shape(e.args[0])
        count = self(sp.Mul(*shape))
        return self.linear(e.args[0], lambda m: self.ring.atom(("sum", m), 0) if m else count)

    def op_Mean(self, e: sp.Expr) -> Poly:
        """Sum over n."""
        return self(N.Sum(e.args[0]) / self.shape(e.args[0])[0])

    def op_Variance(self, e: sp.Expr) -> Poly:
        """Mean square less squared mean."""
        return self(N.Mean(e.args[0] ** 2) - N.Mean(e.args[0]) ** 2)

    def op_softmax(self, e: sp.Expr) -> Poly:
        """Exp over the sum of exp."""
        return self(N.exp(e.args[0]) / N.Sum(N.exp(e.args[0])))

    def op_LogSumExp(self, e: sp.Expr) -> Poly:
        """Log of the sum of exp."""
        return self(N.log(N.Sum(N.exp(e.args[0]))))

    def op_log_softmax(self, e: sp.Expr) -> Poly:
        """Z - logsumexp(z)."""
        return self(e.args[0] - N.LogSumExp(e.args[0]))

    def op_Spread(self, e: sp.Expr) -> Poly:
        """The scalar; entries are all alike."""
        return self(e.args[0])

    def op_Total(self, e: sp.Expr) -> Poly:
        """Linear over numbers and constants."""
        parts = []
        for monomial, coefficient in self(e.args[0]).terms:
            outside = tuple((a, x) for a, x in monomial if self.timeless(a))
            inside = tuple((a, x) for a, x in monomial if not self.timeless(a))
            total = self.ring.atom(("total", inside), self.rank(e))
            parts.append(self.product(poly({outside: coefficient}), total))
        return self.ring.add(*parts)

    def timeless(self, atom: int) -> bool:
        """Whether an atom is a parameter or a size, the same at each step."""
        key = self.ring.keys[atom]
        return isinstance(key, tuple) and (key[0] == "size" or (key[0] == "ref" and key[2] is None))

    def op_Concat(self, e: sp.Expr) -> Poly:
        """An atom that remembers its parts."""
        parts = tuple((self(a), self.shape(a)[0]) for a in e.args)
        return self.ring.atom(("concat", parts), 1)

    def op_Part(self, e: sp.Expr) -> Poly:
        """A slice of every atom: the part of a product is the product of the parts."""
        vector, low, high = e.args
        high = self.shape(vector)[0] if high == N.End else high
        parts = []
        for monomial, coefficient in self(vector).terms:
            factors = [self.ring.power(self.slice(a, low, high), x) for a, x in monomial]
            parts.append(self.ring.scale(self.product(*factors), coefficient))
        return self.ring.add(*parts)

    def slice(self, atom: int, low: sp.Expr, high: sp.Expr) -> Poly:
        """A slice of one atom: of a scalar itself, of a concatenation one of its parts."""
        key = self.ring.keys[atom]
        if self.ring.ranks[atom] == 0:
            return poly({((atom, Fraction(1)),): Fraction(1)})
        if isinstance(key, tuple) and key[0] == "concat":
            start: sp.Expr = sp.Integer(0)
            for part, size in key[1]:
                if sp.expand(start - low) == 0 and sp.expand(start + size - high) == 0:
                    return part
                start = start + size
        if isinstance(key, tuple) and key[0] == "dot":
            return self.row_slice(key, low, high)
        return self.ring.atom(("part", atom, low, high), 1)

    def row_slice(self, key: tuple[object, ...], low: sp.Expr, high: sp.Expr) -> Poly:
        """Rows of a product; rows of a transposed weight are columns of the weight, transposed."""
        return self.ring.atom(("rows", key, sp.expand(low), sp.expand(high)), 1)


def _fraction(value: sp.Number) -> Fraction:
    rational = sp.Rational(str(value)) if isinstance(value, sp.Float) else sp.Rational(value)
    return Fraction(int(rational.p), int(rational.q))
