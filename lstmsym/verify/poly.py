"""Sparse polynomials over opaque atoms, with rational coefficients and rational exponents.

An atom is an independent indeterminate to the algebra, so that equality of polynomials implies
equality of what they stand for; two rules may be attached to it: ``idempotent`` (a step function is
its own square) and ``square`` (a root's square is a polynomial).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

Monomial: TypeAlias = tuple[tuple[int, Fraction], ...]
"""(atom, exponent) pairs in order of atoms."""


class TooLarge(Exception):
    """A polynomial outgrew the limit: the judge must do without this proof."""


@dataclass(frozen=True)
class Poly:
    """A sum of monomials; equal polynomials are equal values."""

    terms: frozenset[tuple[Monomial, Fraction]]

    def __bool__(self) -> bool:
        """Whether it is not zero."""
        return bool(self.terms)

    @property
    def constant(self) -> Fraction | None:
        """Its value if it is a number."""
        if not self.terms:
            return Fraction(0)
        if len(self.terms) == 1:
            ((monomial, coefficient),) = self.terms
            return None if monomial else coefficient
        return None


def poly(terms: Mapping[Monomial, Fraction]) -> Poly:
    """A polynomial from monomials and coefficients."""
    return Poly(frozenset((m, c) for m, c in terms.items() if c))


def number(value: Fraction | int) -> Poly:
    """A constant."""
    return poly({(): Fraction(value)})


class Ring:
    """Atoms with their rules, and arithmetic on polynomials in them."""

    limit = 40_000
    """Monomials that a product may have."""

    def __init__(self) -> None:
        """No atoms yet."""
        self.keys: list[Hashable] = []
        self.ids: dict[Hashable, int] = {}
        self.ranks: list[int] = []
        self.idempotent: set[int] = set()
        self.squares: dict[int, Poly] = {}

    def atom(self, key: Hashable, rank: int) -> Poly:
        """The polynomial of one atom; ``rank`` is 0 for a scalar, 1 a vector, 2 a matrix."""
        return poly({((self.id(key, rank), Fraction(1)),): Fraction(1)})

    def id(self, key: Hashable, rank: int) -> int:
        """The number of an atom."""
        if key not in self.ids:
            self.ids[key] = len(self.keys)
            self.keys.append(key)
            self.ranks.append(rank)
        return self.ids[key]

    def add(self, *polys: Poly) -> Poly:
        """A sum."""
        total: dict[Monomial, Fraction] = {}
        for p in polys:
            for monomial, coefficient in p.terms:
                total[monomial] = total.get(monomial, Fraction(0)) + coefficient
        return poly(total)

    def scale(self, p: Poly, factor: Fraction | int) -> Poly:
        """A multiple."""
        return poly({m: c * factor for m, c in p.terms})

    def mul(self, p: Poly, q: Poly) -> Poly:
        """A product, reduced by the rules of its atoms.

        Raises:
            TooLarge: it has too many terms.
        """
        if len(p.terms) * len(q.terms) > self.limit:
            raise TooLarge
        total: dict[Monomial, Fraction] = {}
        pending: list[Poly] = []
        for m, c in p.terms:
            for n, d in q.terms:
                monomial = self.merge(m, n)
                root = next((a for a, e in monomial if a in self.squares and not 0 <= e < 2), None)
                if root is None:
                    total[monomial] = total.get(monomial, Fraction(0)) + c * d
                else:
                    pending.append(self.scale(self.unrooted(monomial, root), c * d))
        return self.add(poly(total), *pending)

    def merge(self, m: Monomial, n: Monomial) -> Monomial:
        """The product of two monomials."""
        powers = dict(m)
        for atom, exponent in n:
            powers[atom] = powers.get(atom, Fraction(0)) + exponent
        for atom in powers:
            if atom in self.idempotent and powers[atom] > 1:
                powers[atom] = Fraction(1)
        return tuple(sorted((a, e) for a, e in powers.items() if e))

    def unrooted(self, monomial: Monomial, root: int) -> Poly:
        """A monomial with an even power of a root replaced by powers of what is under it."""
        exponent = dict(monomial)[root]
        rest = tuple((a, e) for a, e in monomial if a != root)
        whole = exponent // 2
        inner = self.power(self.squares[root], Fraction(whole))
        odd: Monomial = ((root, exponent - 2 * whole),) if exponent - 2 * whole else ()
        return self.mul(poly({self.merge(rest, odd): Fraction(1)}), inner)

    def power(self, p: Poly, exponent: Fraction) -> Poly:
        """A power: whole powers are multiplied out, others need a single monomial or become an atom."""
        if exponent.denominator == 1 and exponent >= 0:
            result = number(1)
            for _ in range(int(exponent)):
                result = self.mul(result, p)
            return result
        if len(p.terms) == 1:
            ((monomial, coefficient),) = p.terms
            if exponent.denominator == 1:
                inverted = tuple((a, e * exponent) for a, e in monomial)
                if not any(a in self.idempotent for a, _ in monomial):
                    return self.mul(poly({inverted: coefficient ** int(exponent)}), number(1))
        if exponent.denominator == 1:
            return self.power(self.inverse(p), -exponent)
        if exponent.denominator == 2:
            return self.power(self.root(p), exponent * 2)
        return self.atom(("power", p, exponent), self.rank(p))

    def inverse(self, p: Poly) -> Poly:
        """1/p as an atom, of p scaled so that multiples share it."""
        scale = min(p.terms, key=lambda term: term[0])[1]
        base = self.scale(p, 1 / scale)
        return self.scale(self.atom(("inverse", base), self.rank(p)), 1 / scale)

    def root(self, p: Poly) -> Poly:
        """The square root of p as an atom whose square is p."""
        atom = self.atom(("root", p), self.rank(p))
        self.squares[self.ids["root", p]] = p
        return atom

    def rank(self, p: Poly) -> int:
        """The largest rank of an atom in it."""
        return max((self.ranks[a] for m, _ in p.terms for a, _ in m), default=0)

    def cleared(self, p: Poly) -> Poly:
        """A multiple of p, by what its inverses invert, without inverses; zero exactly if p is zero."""
        for _ in range(8):
            found = {a for m, _ in p.terms for a, _ in m if self.kind(a) == "inverse"}
            if not found:
                return p
            for atom in sorted(found):
                p = self.without(p, atom)
        return p

    def kind(self, atom: int) -> object:
        """What an atom is: the first part of its key."""
        key = self.keys[atom]
        return key[0] if isinstance(key, tuple) else key

    def without(self, p: Poly, atom: int) -> Poly:
        """P times the highest power of what ``atom`` inverts."""
        highest = max((dict(m).get(atom, Fraction(0)) for m, _ in p.terms), default=Fraction(0))
        key = self.keys[atom]
        assert isinstance(key, tuple)
        base: Poly = key[1]
        parts = []
        for monomial, coefficient in p.terms:
            exponent = dict(monomial).get(atom, Fraction(0))
            rest = tuple((a, e) for a, e in monomial if a != atom)
            parts.append(self.mul(poly({rest: coefficient}), self.power(base, highest - exponent)))
        return self.add(*parts)
