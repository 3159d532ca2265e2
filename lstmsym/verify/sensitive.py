"""Derivatives by a parameter carried forward: what a quantity owes to it by the states of a step before.

The derivative of a quantity by a parameter through all steps has more indices than can be written.  It is
known by what it makes of a vector v: within the steps after ``base`` that is a gradient of the parameter
itself and a gradient of each state at ``base``, of which the derivative goes on.  Two sums of such
derivatives are equal, whatever came before, if these gradients are.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from lstmsym.notation import Ref
from lstmsym.verify.instances import Instance
from lstmsym.verify.prove import AtEnds, Prover
from lstmsym.verify.pullback import through
from lstmsym.verify.system import System


@dataclass(frozen=True)
class Owed:
    """A gradient of a quantity at a step, to be taken back to the parameter."""

    gradient: sp.Expr
    of: Ref


@dataclass(frozen=True)
class Side:
    """A sum of such, and what stands beside them as a gradient of the parameter itself."""

    owed: tuple[Owed, ...]
    direct: sp.Expr = sp.S.Zero


class Forward:
    """Compares sides, for one parameter."""

    def __init__(self, system: System, parameter: Ref, prove: Prover | AtEnds) -> None:
        """Take over the cell and its proofs."""
        self.system, self.parameter, self.prove = system, parameter, prove
        self.states = [q.name for q in system.cell.role("state") if q.name in self.moved(parameter)]

    def moved(self, parameter: Ref) -> set[str]:
        """What depends on a parameter, at this step or a later one."""
        found = {parameter.base}
        while True:
            lines = self.system.with_loss.forward
            new = {e.name.base for e in lines if {r.base for r in e.expr.atoms(Ref)} & found} - found
            if not new:
                return found
            found |= new

    def held(self, left: Side, right: Side) -> tuple[Ref, ...] | None:
        """The states before that the right side holds fixed, () if none; None where the two are not equal."""
        steps = [owed.of.lag or 0 for side in (left, right) for owed in side.owed]
        base = min(self.base(owed.of) for side in (left, right) for owed in side.owed)
        base = base - 1 if base == max(steps) else base
        a, b = self.taken(left, base), self.taken(right, base)
        fixed = []
        for ref in a:
            if self.prove(a[ref], b[ref]):
                continue
            if ref == self.parameter or b[ref] != 0:
                return None
            fixed.append(ref)
        return tuple(fixed)

    def base(self, of: Ref) -> int:
        """The step up to which a quantity is taken back at least."""
        lag = of.lag or 0
        return lag if of.base in self.states else lag - 1

    def taken(self, side: Side, base: int) -> dict[Ref, sp.Expr]:
        """The gradients of the states at a step and of the parameter that a side comes to."""
        refs = [*(Ref(state, base) for state in self.states), self.parameter]
        found = {ref: [side.direct] if ref == self.parameter else [] for ref in refs}
        for owed in side.owed:
            for ref in refs:
                found[ref].append(self.back(owed, ref, base))
        return {ref: sp.Add(*terms) for ref, terms in found.items()}

    def back(self, owed: Owed, to: Ref, base: int) -> sp.Expr:
        """What a gradient becomes at a state of an earlier step, or at the parameter after that step."""
        if owed.of.lag == base:
            return owed.gradient if owed.of == to else sp.Integer(0)
        name = Ref("gradient that arrives")
        shapes = {**self.system.shapes, name.base: self.system.shapes[owed.of.base]}
        lines = Instance(self.system, 0).lines(base + 1, owed.of.lag or 0)
        return through(lines, shapes, [(owed.of, name)], to).xreplace({name: owed.gradient})
