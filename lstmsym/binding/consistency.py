"""Whether the two sides of a line agree in numbers, under the present choices: not yet a verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.claims import Claims
from lstmsym.binding.patterns import Patterns
from lstmsym.defects import fault
from lstmsym.documents.formula import Apply, Formula, walk
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.elaborate import sides
from lstmsym.verify.evaluate import OUT_OF_REACH, evaluate
from lstmsym.verify.judge import Judge
from lstmsym.verify.sequence import PRESENT
from lstmsym.verify.system import System
from lstmsym.verify.words import Blocks, ChainSum, Columns, Diag, Label, Local, LossFrom

WRITTEN_OUT = (Label, Local, LossFrom, Diag, ChainSum, Columns, Blocks)
"""Words of claims that the judge writes out before there are numbers."""


class Consistency:
    """Answers for a line, remembered for each meaning of its names."""

    def __init__(self, claims: Claims, judge: Judge) -> None:
        """Take over the claims and the judge's numbers."""
        self.claims, self.judge, self.choices = claims, judge, claims.choices
        self.lines, self.system = claims.lines, claims.system
        self.patterns = Patterns(claims)
        self.answers: dict[object, bool | None] = {}
        self.agreeing: dict[tuple[sp.Expr, sp.Expr], bool | None] = {}
        self.primed = {n: has_primes(self.lines[n][1]) for n in self.choices.claims()}

    def __call__(self, place: int) -> bool | None:
        """Whether the two sides of a line agree in numbers; None where that is not known."""
        ways = (False, True) if self.primed[place] else (False,)
        found = [self._consistent(place, of_output) for of_output in ways]
        return True if True in found else found[0]

    def _meant(self, place: int) -> tuple[object, ...]:
        """What the names in a line mean now."""
        meaning = self.choices.meaning
        return tuple((meaning(s, False), meaning(s, True)) for s in self.patterns.slots[place])

    def _consistent(self, place: int, of_output: bool) -> bool | None:
        state = (place, of_output, self.choices.flat, self._meant(place))
        if state not in self.answers:
            try:
                self.answers[state] = self._answer(place, of_output)
            except Exception as error:  # what cannot be tried is not known
                fault(error)
                self.answers[state] = None
        return self.answers[state]

    def _answer(self, place: int, of_output: bool) -> bool | None:
        claim = self.patterns.claim(place, of_output)
        if claim is None:
            return None
        key = (claim.left, N.Total(claim.right) if claim.share else claim.right)
        if key not in self.agreeing:
            self.agreeing[key] = self._agree(claim)
        return self.agreeing[key]

    def _agree(self, claim: Claim) -> bool | None:
        found = self._agreeing(claim)
        if found is None or found is False:
            block = columns_of(claim, self.judge.system)
            return self._agreeing(block) or found if block is not None else found
        return found

    def _agreeing(self, claim: Claim) -> bool | None:
        try:
            left, right = claim.left, N.Total(claim.right) if claim.share else claim.right
            if left.has(*WRITTEN_OUT) or right.has(*WRITTEN_OUT):
                left, right = self.judge.sides(claim)
            return alike(self.value(left), self.value(right))
        except (NotationError, ShapeError, *OUT_OF_REACH):
            return None

    def written(self, expr: sp.Expr) -> sp.Expr:
        """An expression without words of claims."""
        return sides(expr, expr, self.system)[0] if expr.has(*WRITTEN_OUT) else expr

    def value(self, expr: sp.Expr) -> np.ndarray:
        """The value on one generic sequence, in floating point."""
        return np.asarray(evaluate(expr, self.judge.trial.numbers(0), PRESENT), dtype=float)


def has_primes(formula: Formula) -> bool:
    """Whether a derivative is written with a prime."""
    return any(isinstance(n, Apply) and n.head.primes for n in walk(formula))


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two values agree."""
    if a.shape != b.shape and a.shape != () and b.shape != ():
        return False
    scale = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0)) or 1.0
    return bool(np.abs(a - b).max() <= 1e-9 * scale)


def columns_of(claim: Claim, system: System) -> Claim | None:
    """A gradient of all that is stacked where that of one part of it is meant."""
    if not isinstance(claim.left, Ref) or claim.left.lag is None:
        return None
    names = system.derivation.names
    of = next(
        (
            q.name
            for q in system.cell.quantities
            if claim.left.base in (names.adjoint(q.name), names.back(q.name))
        ),
        "",
    )
    for equation in system.cell.equations:
        for node in equation.expr.atoms(N.Concat):
            low = sp.Integer(0)
            for part in node.args:
                size = system.shapes[part.base][0] if isinstance(part, Ref) else sp.Integer(0)
                if isinstance(part, Ref) and part.base == of:
                    return replace(claim, right=N.Part(claim.right, low, low + size))
                low = low + size
    return None
