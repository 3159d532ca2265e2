"""Sums over indices: products of matrices and vectors as networks of entries, in one normal form.

Every operation that mixes entries is a product of atoms summed over an axis: (A B v)_0 is the sum
over 1 and 2 of A_01 B_12 v_2.  What hangs together by the axes summed over is one atom, a ``net``,
written flat with its summed axes numbered in one way only; so associativity, transposes, inner and
outer products and traces need no rules of their own.  A sum over the steps is such a network too
(``total``), of what depends on the step.  A concatenation is a sum of vectors padded with zeros; an
axis that carries padding is cut into its pieces before it is summed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

import sympy as sp

from lstmsym.verify.numbering import Factor, normal_form
from lstmsym.verify.poly import ONE, ZERO, Axes, Exponent, Monomial, Poly, Ring, TooLarge, number

SUMMED = 10
"""Axes from here on are summed over."""


class Indices(Ring):
    """A ring whose atoms are summed, cut and placed.

    ``rebuild`` makes the value of a function atom from the values of its arguments.
    """

    def __init__(self, rebuild: Callable[[tuple[Any, ...], list[Poly]], Poly]) -> None:
        """No atoms yet."""
        super().__init__()
        self.rebuild = rebuild
        self.forms: dict[Any, tuple[tuple[Factor, ...], list[Axes], tuple[sp.Expr, ...]]] = {}
        self.cut_memo: dict[tuple[int, int], frozenset[sp.Expr]] = {}
        self.timeless_memo: dict[int, bool] = {}
        self.sums: dict[tuple[Monomial, int, sp.Expr], Poly] = {}

    # -- sizes -------------------------------------------------------------------------------------

    def size(self, expr: sp.Expr) -> Poly:
        """A size as a polynomial."""
        if isinstance(expr, sp.Add):
            return self.add(*map(self.size, expr.args))
        if isinstance(expr, sp.Mul):
            return self.product(map(self.size, expr.args))
        if isinstance(expr, sp.Rational):
            return number(Fraction(int(expr.p), int(expr.q)))
        return self.atom(("size", str(expr)))

    # -- sums over an axis -------------------------------------------------------------------------

    def summed(self, p: Poly, axis: int, size: sp.Expr) -> Poly:
        """The sum over an axis of a polynomial."""
        parts = []
        for monomial, coefficient in p.terms.items():
            key = (monomial, axis, size)
            if key not in self.sums:
                self.sums[key] = self.sum_of(monomial, {axis: size})
            parts.append(self.scale(self.sums[key], coefficient))
        return self.add(ZERO, *parts)

    def sum_of(self, monomial: Monomial, sizes: Mapping[int, sp.Expr]) -> Poly:
        """The sum over axes of one monomial: nets written out, axes cut into their pieces."""
        self.spend(20)
        touching = tuple(x for x in monomial if not sizes.keys().isdisjoint(self.atoms[x[0]][1]))
        rest = tuple(x for x in monomial if x not in touching)
        for axis, size in sizes.items():
            cuts = self.cuts_of(touching, axis)
            if cuts:
                inner = Poly({touching: 1})
                pieces = [
                    self.sum_over(self.cut(inner, axis, low, high), {**sizes, axis: high - low})
                    for low, high in intervals(cuts, size)
                ]
                return self.mul(Poly({rest: 1}), self.add(ZERO, *pieces))
        opened, more = self.opened(touching, *sizes)
        whole = {**sizes, **more}
        closed = [self.scale(self.closed(m, whole), c) for m, c in opened.terms.items()]
        return self.mul(Poly({rest: 1}), self.add(ZERO, *closed))

    def sum_over(self, p: Poly, sizes: Mapping[int, sp.Expr]) -> Poly:
        """The sum over axes of a polynomial."""
        return self.add(ZERO, *(self.scale(self.sum_of(m, sizes), c) for m, c in p.terms.items()))

    def opened(self, factors: Monomial, *taken: int) -> tuple[Poly, dict[int, sp.Expr]]:
        """Factors with every net among them written out, and the sizes of the axes it sums over."""
        fresh = 1 + max((SUMMED, *taken, *(x for a, _ in factors for x in self.atoms[a][1])))
        sizes: dict[int, sp.Expr] = {}
        parts = []
        for atom, exponent in factors:
            key = self.key(atom)
            if key[0] != "net" or not (isinstance(exponent, int) and 1 <= exponent <= 3):
                parts.append(Poly({((atom, exponent),): 1}))
                continue
            for _ in range(exponent):
                inner, new = self.written(atom, fresh)
                sizes |= new
                fresh += len(new)
                parts.append(inner)
        return self.product(parts), sizes

    def written(self, atom: int, fresh: int) -> tuple[Poly, dict[int, sp.Expr]]:
        """The factors of a net or total, its summed axes numbered from ``fresh``."""
        key, axes = self.key(atom), self.axes(atom)
        _, factors, sizes = key
        labels = (*axes, *range(fresh, fresh + len(sizes)))
        placed: list[tuple[int, Exponent]] = [
            (self.place(kind, tuple(labels[i] for i in indices)), e) for kind, indices, e in factors
        ]
        return Poly({tuple(sorted(placed)): 1}), dict(zip(labels[len(axes) :], sizes, strict=True))

    def closed(self, monomial: Monomial, sizes: Mapping[int, sp.Expr]) -> Poly:
        """A monomial summed over axes: every part that hangs together becomes one atom."""
        monomial, sizes, factor = self.pushed(monomial, dict(sizes))
        if factor is not None:
            return self.sum_over(self.mul(factor, Poly({monomial: 1})), sizes)
        result = ONE
        for part, labels in self.components(monomial, sizes):
            used = {x: sizes[x] for x in labels}
            if not labels:
                result = self.mul(result, Poly({part: 1}))
            elif not part:
                (label,) = labels
                result = self.mul(result, self.size(sizes[label]))
            else:
                result = self.mul(result, self.network("net", part, used))
        return result

    def pushed(
        self, monomial: Monomial, sizes: dict[int, sp.Expr]
    ) -> tuple[Monomial, dict[int, sp.Expr], Poly | None]:
        """A sum over an axis that only a sum over t has goes inside it."""
        for atom, exponent in monomial:
            if exponent != 1 or self.key(atom)[0] != "total":
                continue
            others = {x for a, _ in monomial if a != atom for x in self.atoms[a][1]}
            own = {x: sizes[x] for x in self.axes(atom) if x in sizes and x not in others}
            if own:
                inner, new = self.written(atom, 1 + max((SUMMED, *self.axes(atom))))
                total = self.total(inner, {**own, **new})
                rest = tuple(x for x in monomial if x[0] != atom)
                return rest, {x: s for x, s in sizes.items() if x not in own}, total
        return monomial, sizes, None

    def components(
        self, monomial: Monomial, sizes: Mapping[int, sp.Expr]
    ) -> Iterator[tuple[Monomial, set[int]]]:
        """(factors, axes summed over) of the parts that hang together; free factors with no axes."""
        rest, labels = list(monomial), set(sizes)
        while labels:
            found, part = {labels.pop()}, []
            grown = True
            while grown:
                touching = [(a, e) for a, e in rest if found & set(self.atoms[a][1])]
                rest = [x for x in rest if x not in touching]
                part += touching
                new = {x for a, _ in touching for x in self.atoms[a][1] if x in labels}
                labels -= new
                found |= new
                grown = bool(new)
            yield tuple(sorted(part)), found
        yield tuple(rest), set()

    def network(self, name: str, part: Monomial, sizes: Mapping[int, sp.Expr]) -> Poly:
        """The atom of a monomial summed over axes, by its normal form."""
        factors = tuple(sorted((*self.atoms[a], e) for a, e in part))
        key = (factors, tuple(sorted(sizes.items(), key=lambda item: item[0])))
        if key not in self.forms:
            self.forms[key] = normal_form(factors, sizes)
        form, orders, bounds = self.forms[key]
        return self.symmetric((name, form, bounds), orders)

    # -- sums over the steps -----------------------------------------------------------------------

    def total(self, p: Poly, sizes: Mapping[int, sp.Expr] | None = None) -> Poly:
        """The sum over the steps of a polynomial, which may be summed over axes too."""
        parts = []
        for monomial, coefficient in p.terms.items():
            opened, more = self.opened(monomial, *(sizes or {}))
            whole = {**(sizes or {}), **more}
            parts += [self.scale(self.total_of(m, whole), c * coefficient) for m, c in opened.terms.items()]
        return self.add(ZERO, *parts)

    def total_of(self, monomial: Monomial, sizes: Mapping[int, sp.Expr]) -> Poly:
        """The sum over the steps of written-out factors: what is the same at each step stands before it."""
        timed = tuple((a, e) for a, e in monomial if not self.timeless(self.atoms[a][0]))
        rest = tuple((a, e) for a, e in monomial if self.timeless(self.atoms[a][0]))
        outside = {x for a, _ in rest for x in self.atoms[a][1]}
        touched = {x for a, _ in timed for x in self.atoms[a][1]}
        inner = {x: s for x, s in sizes.items() if x in touched and x not in outside}
        outer = {x: s for x, s in sizes.items() if x not in inner}
        total = self.network("total", timed, inner) if timed else self.atom(("size", "T"))
        return self.sum_over(self.mul(Poly({rest: 1}), total), outer)

    def timeless(self, kind: int) -> bool:
        """Whether a kind of atom is the same at each step."""
        if kind not in self.timeless_memo:
            self.timeless_memo[kind] = self._timeless(self.kinds[kind])
        return self.timeless_memo[kind]

    def _timeless(self, key: tuple[Any, ...]) -> bool:
        if key[0] == "ref":
            return key[2] is None
        if key[0] == "net":
            return all(self.timeless(kind) for kind, _, _ in key[1])
        polys = [p for p in key[1:] if isinstance(p, Poly)]
        atoms = (a for p in polys for m in p.terms for a, _ in m)
        return key[0] == "total" or all(self.timeless(self.atoms[a][0]) for a in atoms)

    # -- pieces of an axis -------------------------------------------------------------------------

    def padded(self, p: Poly, low: sp.Expr, high: sp.Expr) -> Poly:
        """A vector with zeros around it, so that it fills the axis from ``low`` to ``high``."""
        parts = []
        for monomial, coefficient in p.terms.items():
            inside = Poly({tuple(x for x in monomial if 0 in self.atoms[x[0]][1]): 1})
            outside = Poly({tuple(x for x in monomial if 0 not in self.atoms[x[0]][1]): coefficient})
            parts.append(self.mul(outside, self.atom(("pad", inside, low, high), (0,))))
        return self.add(ZERO, *parts)

    def cuts_of(self, factors: Iterable[tuple[int, Exponent]], axis: int) -> frozenset[sp.Expr]:
        """Where an axis must be cut so that no factor changes its form within a piece."""
        found: frozenset[sp.Expr] = frozenset()
        for atom, _ in factors:
            kind, axes = self.atoms[atom]
            for slot, x in enumerate(axes):
                if x == axis:
                    found |= self.cuts(kind, slot)
        return found

    def cuts(self, kind: int, slot: int) -> frozenset[sp.Expr]:
        """Where an atom's own axis must be cut."""
        if (kind, slot) not in self.cut_memo:
            self.cut_memo[kind, slot] = self._cuts(self.kinds[kind], slot)
        return self.cut_memo[kind, slot]

    def _cuts(self, key: tuple[Any, ...], slot: int) -> frozenset[sp.Expr]:
        if key[0] == "ref":
            return frozenset()
        if key[0] in ("net", "total"):
            inner = (self.cuts(k, s) for k, axes, _ in key[1] for s, x in enumerate(axes) if x == slot)
            return frozenset().union(*inner)
        if key[0] == "pad":
            return frozenset(key[2:]) | frozenset(key[2] + c for c in self.poly_cuts(key[1], 0))
        return frozenset().union(*(self.poly_cuts(p, slot) for p in key[1:] if isinstance(p, Poly)))

    def poly_cuts(self, p: Poly, axis: int) -> frozenset[sp.Expr]:
        """Where an axis of a polynomial must be cut."""
        return self.cuts_of((x for m in p.terms for x in m), axis)

    def cut(self, p: Poly, axis: int, low: sp.Expr, high: sp.Expr) -> Poly:
        """The piece of a polynomial from ``low`` to ``high`` of an axis."""
        parts = []
        for monomial, coefficient in p.terms.items():
            factors = [
                self.power(self.cut_atom(a, axis, low, high), e)
                if axis in self.atoms[a][1]
                else Poly({((a, e),): 1})
                for a, e in monomial
            ]
            parts.append(self.scale(self.product(factors), coefficient))
        return self.add(ZERO, *parts)

    def cut_atom(self, atom: int, axis: int, low: sp.Expr, high: sp.Expr) -> Poly:
        """The piece of an atom."""
        key, axes = self.key(atom), self.axes(atom)
        if key[0] == "ref":
            for slot, x in enumerate(axes):
                if x == axis:
                    key = (*key[:3], _narrowed(key[3], slot, low, high))
            return self.atom(key, axes)
        if key[0] == "pad":
            return self.cut_pad(key, axis, low, high)
        if key[0] in ("net", "total"):
            inner, sizes = self.written(atom, 1 + max((SUMMED, *axes)))
            piece = self.cut(inner, axis, low, high)
            return self.total(piece, sizes) if key[0] == "total" else self.sum_over(piece, sizes)
        names = dict(enumerate(axes))
        return self.rebuild(key, [self.cut(self.rename(p, names), axis, low, high) for p in key[1:]])

    def cut_pad(self, key: tuple[Any, ...], axis: int, low: sp.Expr, high: sp.Expr) -> Poly:
        """The piece of a padded vector: zero, or of the vector."""
        _, inner, start, end = key
        if _at_most(end, low) or _at_most(high, start):
            return ZERO
        if not (_at_most(start, low) and _at_most(high, end)):
            raise TooLarge
        placed = self.rename(inner, {0: axis})
        whole = sp.expand(start - low) == 0 and sp.expand(end - high) == 0
        return placed if whole else self.cut(placed, axis, sp.expand(low - start), sp.expand(high - start))


def _narrowed(
    pieces: tuple[tuple[int, sp.Expr, sp.Expr], ...], slot: int, low: sp.Expr, high: sp.Expr
) -> tuple[tuple[int, sp.Expr, sp.Expr], ...]:
    """The pieces of an atom's axes with one of them cut further."""
    start = next((a for s, a, _ in pieces if s == slot), sp.Integer(0))
    others = [piece for piece in pieces if piece[0] != slot]
    return tuple(sorted([*others, (slot, sp.expand(start + low), sp.expand(start + high))], key=str))


def _at_most(a: sp.Expr, b: sp.Expr) -> bool:
    """Whether a <= b for all sizes.

    Raises:
        TooLarge: it depends on the sizes.
    """
    difference = sp.expand(b - a)
    if difference.is_nonnegative:
        return True
    if difference.is_negative or difference.is_nonpositive:
        return False
    raise TooLarge


def intervals(cuts: frozenset[sp.Expr], size: sp.Expr) -> list[tuple[sp.Expr, sp.Expr]]:
    """The pieces of an axis between cuts, in order."""
    points = {sp.expand(c) for c in (*cuts, sp.Integer(0), size)}

    def order(a: sp.Expr, b: sp.Expr) -> int:
        return 0 if a == b else -1 if _at_most(a, b) else 1

    ordered = sorted(sorted(points, key=str), key=cmp_to_key(order))
    return list(pairwise(ordered))
