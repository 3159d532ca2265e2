"""Sparse polynomials over atoms with indices, with rational coefficients and rational exponents.

An atom is an independent indeterminate to the algebra, so that equality of polynomials implies
equality of what they stand for.  It is a *kind* (what it is, by itself) placed on *axes*: the entry
u_0 of a vector is another atom than u_1, and A_01 another than A_10.  Axes 0 and 1 are those of the
result; larger ones are being summed over.  Two rules are known: a step function is its own square,
and a root's square is what stands under it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any, TypeAlias

Exponent: TypeAlias = int | Fraction
Monomial: TypeAlias = tuple[tuple[int, Exponent], ...]
"""(atom, exponent) pairs in order of atoms."""
Axes: TypeAlias = tuple[int, ...]


class TooLarge(Exception):
    """A polynomial outgrew the limit, or left the calculus: the judge must do without this proof."""


class Poly:
    """A sum of monomials; equal polynomials are equal values."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: Mapping[Monomial, Exponent]) -> None:
        """From monomials and coefficients; zeros are dropped."""
        self.terms = {m: c for m, c in terms.items() if c}
        self._hash: int | None = None

    def __bool__(self) -> bool:
        """Whether it is not zero."""
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    @property
    def constant(self) -> Exponent | None:
        """Its value if it is a number."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def single(self) -> tuple[Monomial, Exponent] | None:
        """Its monomial and coefficient, if it has one only."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None

    @property
    def leading(self) -> Exponent:
        """The coefficient of its first monomial."""
        return self.terms[min(self.terms)]


def number(value: Exponent) -> Poly:
    """A constant."""
    return Poly({(): _whole(value)})


def _whole(value: Exponent) -> Exponent:
    return value if isinstance(value, int) or value.denominator != 1 else value.numerator


ONE, ZERO = number(1), number(0)


class Ring:
    """Atoms with their rules, and arithmetic on polynomials in them."""

    limit = 20_000
    """Products of monomials that one normal form may take; the textbook's take some hundreds."""

    def __init__(self) -> None:
        """No atoms yet."""
        self.work = 0
        self.kinds: list[tuple[Any, ...]] = []
        self.kind_ids: dict[Hashable, int] = {}
        self.atoms: list[tuple[int, Axes]] = []
        self.atom_ids: dict[tuple[int, Axes], int] = {}
        self.idempotent: set[int] = set()
        self.squares: dict[int, Poly] = {}
        self.symmetries: dict[int, list[Axes]] = {}
        self.moved: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}

    # -- atoms -------------------------------------------------------------------------------------

    def kind(self, key: tuple[Any, ...]) -> int:
        """The number of a kind of atom; its first part says what it is."""
        if key not in self.kind_ids:
            self.kind_ids[key] = len(self.kinds)
            self.kinds.append(key)
        return self.kind_ids[key]

    def place(self, kind: int, axes: Axes) -> int:
        """The atom of a kind on axes, which are interchangeable where the kind is symmetric in them."""
        if kind in self.symmetries:
            axes = min(tuple(axes[i] for i in order) for order in self.symmetries[kind])
        atom = self.atom_ids.get((kind, axes))
        if atom is None:
            atom = self.atom_ids[kind, axes] = len(self.atoms)
            self.atoms.append((kind, axes))
            key = self.kinds[kind]
            if key[0] == "step":
                self.idempotent.add(atom)
            elif key[0] == "root":
                self.squares[atom] = self.rename(key[1], dict(enumerate(axes)))
        return atom

    def atom(self, key: tuple[Any, ...], axes: Axes = ()) -> Poly:
        """The polynomial of one atom."""
        return Poly({((self.place(self.kind(key), axes), 1),): 1})

    def key(self, atom: int) -> tuple[Any, ...]:
        """What an atom is."""
        return self.kinds[self.atoms[atom][0]]

    def axes(self, atom: int) -> Axes:
        """Where an atom stands."""
        return self.atoms[atom][1]

    def axes_of(self, *polys: Poly) -> list[int]:
        """All axes in polynomials, in order."""
        return sorted({x for p in polys for m in p.terms for a, _ in m for x in self.atoms[a][1]})

    def rename(self, p: Poly, axes: Mapping[int, int]) -> Poly:
        """The polynomial with its axes renamed, one to one."""
        if all(old == new for old, new in axes.items()):
            return p
        mapping = tuple(sorted(axes.items()))
        terms = {}
        for monomial, coefficient in p.terms.items():
            moved = tuple(sorted((self.move(a, mapping), e) for a, e in monomial))
            terms[moved] = coefficient
        return Poly(terms)

    def move(self, atom: int, mapping: tuple[tuple[int, int], ...]) -> int:
        """The atom on renamed axes."""
        found = self.moved.get((atom, mapping))
        if found is None:
            kind, axes = self.atoms[atom]
            names = dict(mapping)
            found = self.place(kind, tuple(names.get(x, x) for x in axes))
            self.moved[atom, mapping] = found
        return found

    def normal(self, *polys: Poly) -> tuple[tuple[Poly, ...], list[Axes]]:
        """(the polynomials on axes 0, 1, ..., the axes they stood on), the same for any placement.

        Several orders of the axes are given where all lead to the same polynomials.
        """
        axes = self.axes_of(*polys)
        if len(axes) < 2:
            return tuple(self.rename(p, {x: 0 for x in axes}) for p in polys), [tuple(axes)]
        if len(axes) > 3:
            raise TooLarge
        found = []
        for order in permutations(axes):
            renamed = tuple(self.rename(p, {x: i for i, x in enumerate(order)}) for p in polys)
            found.append(([sorted(p.terms.items()) for p in renamed], order, renamed))
        least, _, renamed = min(found, key=lambda f: f[:2])
        return renamed, [order for form, order, _ in found if form == least]

    def function(self, name: str, *polys: Poly) -> Poly:
        """A function, entry by entry, of polynomials: an atom by their normal form."""
        normal, orders = self.normal(*polys)
        return self.symmetric((name, *normal), orders)

    def symmetric(self, key: tuple[Any, ...], orders: list[Axes]) -> Poly:
        """The atom of a kind that may be placed on its axes in any of these orders."""
        first, kind = orders[0], self.kind(key)
        if len(orders) > 1 and kind not in self.symmetries:
            self.symmetries[kind] = [tuple(first.index(x) for x in order) for order in orders]
        return self.atom(key, first)

    def spend(self, work: int) -> None:
        """Count work done.

        Raises:
            TooLarge: the proof takes too long.
        """
        self.work += work
        if self.work > self.limit:
            raise TooLarge

    # -- arithmetic --------------------------------------------------------------------------------

    def add(self, *polys: Poly) -> Poly:
        """A sum."""
        if len(polys) == 1:
            return polys[0]
        total: dict[Monomial, Exponent] = {}
        for p in polys:
            for monomial, coefficient in p.terms.items():
                total[monomial] = total.get(monomial, 0) + coefficient
        return Poly(total)

    def sub(self, p: Poly, q: Poly) -> Poly:
        """A difference."""
        return self.add(p, self.scale(q, -1))

    def scale(self, p: Poly, factor: Exponent) -> Poly:
        """A multiple."""
        return p if factor == 1 else Poly({m: _whole(c * factor) for m, c in p.terms.items()})

    def product(self, polys: Iterable[Poly]) -> Poly:
        """A product of many."""
        result = ONE
        for p in polys:
            result = self.mul(result, p)
        return result

    def mul(self, p: Poly, q: Poly) -> Poly:
        """A product, reduced by the rules of its atoms.

        Raises:
            TooLarge: the proof takes too long.
        """
        for one, other in ((p, q), (q, p)):
            if len(one.terms) == 1 and () in one.terms:
                return self.scale(other, one.terms[()])
        self.spend(len(p.terms) * len(q.terms))
        total: dict[Monomial, Exponent] = {}
        pending: list[Poly] = []
        for m, c in p.terms.items():
            for n, d in q.terms.items():
                self.work += (len(m) + len(n)) // 8
                monomial = self.merge(m, n)
                root = self.reducible(monomial)
                if root is None:
                    total[monomial] = total.get(monomial, 0) + c * d
                else:
                    pending.append(self.scale(self.unrooted(monomial, root), c * d))
        return self.add(Poly(total), *pending)

    def merge(self, m: Monomial, n: Monomial) -> Monomial:
        """The product of two monomials."""
        powers = dict(m)
        for atom, exponent in n:
            if atom in powers:
                both = powers[atom] + exponent
                powers[atom] = 1 if both > 1 and atom in self.idempotent else _whole(both)
            else:
                powers[atom] = exponent
        return tuple(sorted((a, e) for a, e in powers.items() if e))

    def reducible(self, monomial: Monomial) -> int | None:
        """A root in it whose square can be taken."""
        if not self.squares:
            return None
        return next((a for a, e in monomial if not 0 <= e < 2 and a in self.squares), None)

    def unrooted(self, monomial: Monomial, root: int) -> Poly:
        """A monomial with an even power of a root replaced by powers of what is under it."""
        exponent = dict(monomial)[root]
        whole = exponent // 2
        rest = tuple((a, e) for a, e in monomial if a != root)
        left = exponent - 2 * whole
        odd: Monomial = ((root, left),) if left else ()
        inner = self.power(self.squares[root], whole)
        return self.mul(Poly({self.merge(rest, odd): 1}), inner)

    def power(self, p: Poly, exponent: Exponent) -> Poly:
        """A power: whole powers are multiplied out, others need a single monomial or become an atom."""
        exponent = _whole(exponent)
        if isinstance(exponent, int) and exponent >= 0:
            return self.product([p] * exponent)
        if not p:
            raise TooLarge  # a division by zero
        if isinstance(exponent, int):
            return self.reciprocal(p, exponent)
        if exponent.denominator == 2:
            return self.power(self.root(p), exponent * 2)
        if p.single and p.single[1] == 1 and all(self.positive(a) for a, _ in p.single[0]):
            return Poly({tuple((a, _whole(e * exponent)) for a, e in p.single[0]): 1})
        return self.function(f"power {exponent}", p)

    def reciprocal(self, p: Poly, exponent: int) -> Poly:
        """A negative whole power."""
        if p.single and not any(a in self.idempotent for a, _ in p.single[0]):
            monomial, coefficient = p.single
            inverted = tuple((a, _whole(e * exponent)) for a, e in monomial)
            scale = _whole(Fraction(coefficient) ** exponent)
            root = self.reducible(inverted)
            plain = Poly({inverted: 1}) if root is None else self.unrooted(inverted, root)
            return self.scale(plain, scale)
        return self.power(self.inverse(p), -exponent)

    def inverse(self, p: Poly) -> Poly:
        """1/p as an atom, of p scaled so that multiples share it."""
        (q,), orders = self.normal(p)
        scale = Fraction(1) / q.leading
        return self.scale(self.symmetric(("inverse", self.scale(q, scale)), orders), scale)

    def root(self, p: Poly) -> Poly:
        """The square root of p as an atom whose square is p."""
        return self.function("root", p)

    def positive(self, atom: int) -> bool:
        """Whether an atom is known to be positive."""
        return self.key(atom)[0] in ("sigma", "exp", "root", "size")

    def cleared(self, p: Poly) -> Poly:
        """A multiple of p, by what its inverses invert, without inverses; zero exactly if p is zero."""
        for _ in range(8):
            found = {a for m in p.terms for a, _ in m if self.key(a)[0] == "inverse"}
            if not found:
                return p
            for atom in sorted(found):
                p = self.without(p, atom)
        return p

    def without(self, p: Poly, atom: int) -> Poly:
        """P times the highest power of what ``atom`` inverts."""
        highest = max((dict(m).get(atom, 0) for m in p.terms), default=0)
        base = self.rename(self.key(atom)[1], dict(enumerate(self.axes(atom))))
        parts = []
        for monomial, coefficient in p.terms.items():
            exponent = dict(monomial).get(atom, 0)
            rest = tuple((a, e) for a, e in monomial if a != atom)
            parts.append(self.mul(Poly({rest: coefficient}), self.power(base, highest - exponent)))
        return self.add(*parts)
