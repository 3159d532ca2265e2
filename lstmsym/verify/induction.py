"""Equations that hold for all steps, or pairs of steps: refuted by numbers for some, proved for all.

Numbers are put for the letters of the steps, in a sequence beyond whose end nothing is: values that
differ refute.  Values that agree prove nothing; a proof is that of :mod:`lstmsym.verify.chains`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError, spelled
from lstmsym.verify.across import END, HELD, At, Slope, absorbed
from lstmsym.verify.chains import Chains, Fact, anchors
from lstmsym.verify.claims import Claim
from lstmsym.verify.elaborate import sides
from lstmsym.verify.instances import Instance, companions
from lstmsym.verify.judge import PLAIN, Judge
from lstmsym.verify.matching import Matching
from lstmsym.verify.nulls import ended
from lstmsym.verify.prove import AtEnds
from lstmsym.verify.readings import Reading
from lstmsym.verify.sequence import STEPS, Special
from lstmsym.verify.witness import Witness

TRIED = 6
"""Choices of numbers for the letters that are tried."""


@dataclass(frozen=True)
class Difference:
    """Numbers against an equation, and the steps that they are for."""

    witness: Witness | None
    steps: str
    message: str = ""


class Induction:
    """Judges equations across steps; ``start`` is the number of the first step."""

    def __init__(self, judge: Judge, start: int, unit: bool = False) -> None:
        """Take over the judge's cell, numbers and proofs at one step; ``unit``: as of `Special`."""
        self.judge, self.system, self.start, self.unit = judge, judge.system, start, unit
        self.last = start + STEPS - 1
        self.asked: dict[tuple[sp.Expr, sp.Expr], bool] = {}

    def difference(
        self, left: sp.Expr, right: sp.Expr, facts: Sequence[Fact], zero: bool
    ) -> Difference | None:
        """Numbers for which the sides differ.

        Raises:
            NotationError: there are none for which both have values.
        """
        trial = self.judge.tried_at(Special(start=zero, end=True, unit=self.unit))
        problem: Exception | None = None
        compared = 0
        for steps in self.choices(left, right, facts):
            instance = Instance(self.system, self.start)
            try:
                a, b = (instance(side.xreplace(steps)) for side in (left, right))
                a, b = sides(a, b, self.system)
            except NotationError as error:
                problem = problem or error
                continue
            except ShapeError as error:
                message = f"{spelled(error.left)} does not fit {spelled(error.right)}"
                return Difference(None, "", message)
            shown = ", ".join(f"{k}={v}" for k, v in sorted(steps.items(), key=str))
            if self.judge.mismatched(a, b):
                return Difference(None, shown, "the shapes of the two sides differ")
            if any(trial.value(side, 0, 0) is None for side in (a, b)):
                continue
            compared += 1
            found = next(trial.shown(a, b, 0), None)
            if found is not None:
                return Difference(found, shown)
            if compared == TRIED:
                break
        if not compared:
            raise NotationError(str(problem or "it reaches beyond the steps on which claims are tried"))
        return None

    def choices(
        self, left: sp.Expr, right: sp.Expr, facts: Sequence[Fact]
    ) -> Iterator[dict[sp.Symbol, sp.Integer]]:
        """Numbers for the letters, those in the middle of the sequence first."""
        letters = self.letters(left, right)
        fixed = {END: sp.Integer(self.last)}
        middle = (self.start + self.last) / 2
        values = sorted(range(self.start, self.last + 1), key=lambda v: abs(v - middle - 0.6))
        for chosen in product(values, repeat=len(letters)):
            steps = fixed | dict(zip(letters, map(sp.Integer, chosen), strict=True))
            if all(self.strictly(low, high, steps) for low, high in facts):
                yield steps

    def strictly(self, low: sp.Expr, high: sp.Expr, steps: dict[sp.Symbol, sp.Integer]) -> bool:
        """Whether a fact holds; of two letters that may be one step, they are not."""
        a, b = low.xreplace(steps), high.xreplace(steps)
        free = low.is_Symbol and high.is_Symbol and END not in (low, high)
        return bool(a < b) if free else bool(a <= b)

    def letters(self, *exprs: sp.Expr) -> list[sp.Symbol]:
        """The free letters of the steps."""
        found: set[sp.Symbol] = set()
        for expr in exprs:
            found |= free_letters(expr)
        return sorted(found - {END}, key=str)

    def proved(self, left: sp.Expr, right: sp.Expr, facts: Sequence[Fact], zero: bool) -> bool:
        """Whether an equation is proved for all steps."""
        numbers = frozenset(Ref(name) for name, shape in self.system.shapes.items() if shape == ())
        left, right = absorbed(left, numbers), absorbed(right, numbers)
        known = [f for s in self.letters(left, right) for f in ((sp.Integer(self.start), s), (s, END))]
        facts = [*facts, *known, (sp.Integer(self.start), END)]
        try:
            chains = Chains(self.system, self.start, facts, self.equal, self.moving(left, right))
            if Matching(chains, self.equal_last)(left, right, zero):
                return True
        except (NotationError, ShapeError, KeyError):
            pass
        if self.proved_unrolled(left, right, facts, zero) or self.proved_at_the_end(left, right):
            return True
        return self.proved_at_numbers(left, right, zero)

    def proved_at_numbers(self, left: sp.Expr, right: sp.Expr, zero: bool) -> bool:
        """Whether an equation whose steps are all numbers is proved, everything written out."""
        if any(free_letters(side) for side in (left, right)):
            return False
        try:
            instance = Instance(self.system, self.start)
            a, b = sides(instance(left), instance(right), self.system)
        except (NotationError, ShapeError, KeyError):
            return False
        if zero:
            rules = {Ref(q.name, -1): sp.Integer(0) for q in self.system.cell.role("state")}
            a, b = (_without_zeros(side.xreplace(rules)) for side in (a, b))
        return not self.judge.mismatched(a, b) and self.judge.proved(a, b)

    def proved_at_the_end(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether an equation at the last step is proved, to which nothing is sent back."""
        if self.letters(left, right) or not all(anchors(e) <= {END} for e in (left, right)):
            return False
        try:
            instance = Instance(self.system, 0, -STEPS)
            one, other = (instance(e.xreplace({END: sp.Integer(0)})) for e in (left, right))
            a, b = sides(one, other, self.system)
        except (NotationError, ShapeError, KeyError):
            return False
        return not self.judge.mismatched(a, b) and self.judge.proved_last(
            self.ended(a), self.ended(b), self.unit
        )

    def ended(self, expr: sp.Expr) -> sp.Expr:
        """An expression at t in which no gradient is sent back to t."""
        prover = self.judge.prover(replace(PLAIN, special=Special(unit=self.unit)))
        if isinstance(prover, AtEnds):
            sums = {r: self.system.with_loss.by_name[r.base].expr for r in expr.atoms(Ref) if self.is_sum(r)}
            expr = prover.last(expr.xreplace(sums))
        return ended(self.system, expr)

    def is_sum(self, ref: Ref) -> bool:
        """Whether a reference is the gradient of what has no steps."""
        return ref.lag is None and ref.base in self.system.with_loss.by_name

    def proved_unrolled(self, left: sp.Expr, right: sp.Expr, facts: Sequence[Fact], zero: bool) -> bool:
        """Whether an equation for the state of a linear recurrence is proved, the recurrence written out."""
        try:
            chains = Chains(self.system, self.start, facts, self.equal, self.moving(left, right))
            matching = Matching(chains)
            whole = matching.unrolled(left)
            return whole is not None and matching(whole, right, zero)
        except (NotationError, ShapeError, KeyError):
            return False

    def moving(self, *exprs: sp.Expr) -> str:
        """The state whose Jacobians are multiplied."""
        held = {n.args[0].args[0].base for e in exprs for n in e.atoms(Slope) if n.args[2] == HELD}
        states = {q.name for q in self.system.cell.role("state")}
        named = {node.args[0].base for e in exprs for node in e.atoms(At)} | {
            r.base for e in exprs for r in e.atoms(Ref)
        }
        adjoint = self.system.derivation.names.adjoint
        of = {q: q for q in self.system.forward} | {adjoint(q): q for q in self.system.forward}
        moved = {s for name in named if name in of for s in companions(self.system, of[name])}
        return min(held or moved or states)

    def equal_last(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether an equation at the last step is proved."""
        if not self.system.final:
            return self.equal(left, right)
        try:
            a, b = sides(left, right, self.system)
            return self.judge.proved_last(self.ended(a), self.ended(b), self.unit)
        except (NotationError, ShapeError, KeyError, TypeError):
            return False

    def equal(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether an equation at one step is proved; at any, where the last is unlike the others."""
        if (left, right) not in self.asked:
            try:
                reading = Reading(Claim(left, right), special=Special(unit=self.unit))
                self.asked[left, right] = left == right or (
                    self.judge.alike(reading) and self.judge.holds(reading, of_all=True)
                )
            except (NotationError, ShapeError, KeyError, TypeError):
                self.asked[left, right] = False
        return self.asked[left, right]


def _without_zeros(expr: sp.Expr) -> sp.Expr:
    """An expression in which products with zero are zero."""
    args = tuple(map(_without_zeros, expr.args))
    if isinstance(expr, (N.Dot, N.Outer, N.Transposed, N.Sum)) and 0 in args:
        return sp.Integer(0)
    return expr if args == expr.args else expr.func(*args)


def free_letters(expr: sp.Expr) -> set[sp.Symbol]:
    """The letters of steps in an expression that no sum in it runs over."""
    return {s for s in expr.free_symbols if type(s) is sp.Symbol}
