"""Proofs, shallow ones first: an identity in fewer names holds for whatever the names stand for."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Set
from dataclasses import dataclass, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.canonical import Canon, Spelling
from lstmsym.verify.meaning import Meanings, moved
from lstmsym.verify.poly import TooLarge


@dataclass(frozen=True)
class Forward:
    """All references to names of the forward pass."""

    names: Mapping[str, sp.Expr]

    def __contains__(self, ref: object) -> bool:
        return isinstance(ref, Ref) and ref.base in self.names


@dataclass(frozen=True)
class Outside:
    """All references but some."""

    opened: Set[Ref]

    def __contains__(self, ref: object) -> bool:
        return ref not in self.opened


class AtEnds:
    """Proves equations where the loss reads the last step alone: of all steps, or of those before it."""

    def __init__(self, meanings: Meanings) -> None:
        """Know the equations of the cell."""
        self.any = Prover(replace(meanings, end=None))
        self.before = Prover(replace(meanings, end=False))
        self.at = Prover(replace(meanings, end=True))

    def __call__(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the two are equal: at all steps where they have sums over them, else before the last."""
        of_all = any(
            e.has(N.Total) or any(r.lag is None and r.base in self.any.gradients for r in e.atoms(Ref))
            for e in (left, right)
        )
        return (self.any if of_all else self.before)(left, right)

    def vanishes(self, expr: sp.Expr) -> bool:
        """Whether an expression is zero where the states at t-1 are."""
        return self.any.vanishes(expr)

    def last(self, expr: sp.Expr) -> sp.Expr:
        """An expression at the last step: a sum over the steps whose other terms are zero is that term."""
        rules = {}
        for node in expr.atoms(N.Total):
            if self.before(node.args[0], sp.Integer(0)):
                rules[node] = node.args[0]
        return expr.xreplace(rules)


class Prover:
    """Proves equations between the quantities of a cell."""

    def __init__(self, meanings: Meanings) -> None:
        """Know the equations of the cell."""
        self.meanings = meanings
        self.forward, self.nothing = Forward(meanings.system.forward), frozenset[Ref]()
        self.gradients = frozenset(meanings.backward)
        self.shared: dict[tuple[int, int, Spelling], Canon] = {}
        self.needs: dict[tuple[Ref, int], Set[Ref]] = {}

    def __call__(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether the normal forms of the two agree under some spelling."""
        start = self.meanings.earliest(left, right)
        left, right = moved(left, -start), moved(right, -start)
        return any(self.agree(canon, left, right) for canon in self.canons(left, right))

    def vanishes(self, expr: sp.Expr) -> bool:
        """Whether an expression is zero where the states at t-1 are."""
        states = self.meanings.states

        def meaning(ref: Ref) -> sp.Expr | None:
            return sp.Integer(0) if ref.base in states and ref.lag == -1 else None

        return self.agree(Canon(self.meanings.shape, meaning, free=self.meanings.free), expr, sp.Integer(0))

    def canons(self, left: sp.Expr, right: sp.Expr) -> Iterator[Canon]:
        """Normal forms to try: ever fewer names left as they stand, activations spelled out as needed."""
        horizon = self.meanings.horizon(left, right)
        for kept in self.levels(left, right, horizon):
            spelling: Spelling | None = Spelling.PLAIN
            while spelling is not None:
                canon = self.canon(horizon, kept, spelling)
                yield canon
                spelling = canon.finer()

    def levels(self, left: sp.Expr, right: sp.Expr, horizon: int) -> Iterator[Container[Ref]]:
        """The names that are left as they stand.

        Those of the right side; those among them that need no other; those beyond a few equations from
        the claim; all of the forward pass; none.
        """
        kept = right.atoms(Ref) - {left} if isinstance(left, Ref) else left.atoms(Ref) | right.atoms(Ref)
        kept = frozenset(ref for ref in kept if self.meanings.reached(ref, horizon))
        yield kept
        lowest = frozenset(ref for ref in kept if not self.needed(ref, horizon) & kept)
        if lowest and lowest != kept:
            yield lowest
        opened = left.atoms(Ref) | right.atoms(Ref)
        for _ in range(2):
            yield Outside(frozenset(opened))
            lines = [self.meanings.line(ref) for ref in opened if self.meanings.reached(ref, horizon)]
            opened |= {ref for line in lines if line is not None for ref in line.atoms(Ref)}
        yield self.forward
        yield self.nothing

    def needed(self, ref: Ref, horizon: int) -> Set[Ref]:
        """All references that a reference stands for, directly or not."""
        if (ref, horizon) not in self.needs:
            found: set[Ref] = set()
            todo = [ref]
            while todo:
                now = todo.pop()
                line = self.meanings.line(now) if self.meanings.reached(now, horizon) else None
                new = (line.atoms(Ref) if line is not None else set()) - found
                found |= new
                todo += new
            self.needs[ref, horizon] = found
        return self.needs[ref, horizon]

    def canon(self, horizon: int, kept: Container[Ref], spelling: Spelling) -> Canon:
        """The normal form in which some names are left as they are; kept where no claim's names are."""
        key = (horizon, id(kept), spelling)
        if key in self.shared:
            return self.shared[key]
        meanings = self.meanings

        def meaning(ref: Ref) -> sp.Expr | None:
            return meanings.line(ref) if ref not in kept and meanings.reached(ref, horizon) else None

        canon = Canon(meanings.shape, meaning, spelling, meanings.free)
        if kept is self.forward or kept is self.nothing:
            self.shared[key] = canon
        return canon

    def agree(self, canon: Canon, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether a normal form shows the two equal."""
        try:
            return canon.equal(left, right)
        except (ShapeError, TooLarge, NotationError, KeyError, RecursionError):
            return False
