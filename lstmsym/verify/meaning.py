"""What references stand for in a cell, at any step, and the shapes of expressions over them.

Forward names stand for their equations, down to inputs, parameters and the states before; adjoints
for theirs, up to the gradients that arrive from outside and from one step beyond the horizon, the
last step a claim speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref
from lstmsym.rules import TABLE
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.system import System, shifted

KINKS = (N.relu, N.hard_sigmoid, N.step, N.where, N.maximum, N.minimum, N.Max, N.sign, N.absolute)
"""Functions with a constant piece, or whose derivative has one."""


@dataclass(frozen=True)
class Meanings:
    """A cell as a dictionary: each name's equation at step t."""

    system: System
    end: bool | None = None
    """Of a loss of the last step alone: whether t is that step (True), or before it (False), or any."""
    null: frozenset[str] = frozenset()
    """Gradients that are zero, from the step ``null_from`` on."""
    null_from: int = -100
    binary: frozenset[str] = frozenset()
    """Inputs whose entries are zero or one: each is 1 where any other number is positive."""
    unit: bool = False
    """Whether the targets' entries add up to 1: then a target is any vector over its sum."""
    known: dict[sp.Expr, Shape] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def backward(self) -> Mapping[str, sp.Expr]:
        """Adjoint -> right side, those of the loss's own names included."""
        derivations = (self.system.with_loss, self.system.derivation)
        return {b.name.base: b.expr for derivation in derivations for b in derivation.backward}

    @cached_property
    def of_loss(self) -> Set[str]:
        """The adjoints that one step's loss alone gives."""
        return set(self.backward) - set(self.system.backward)

    @cached_property
    def targets(self) -> Mapping[str, Shape]:
        """Stand-ins for the targets where their entries add up to 1."""
        bits = {f"bit {q.name}": q.shape for q in self.system.cell.quantities if q.name in self.binary}
        return bits | {f"any {q.name}": q.shape for q in self.system.cell.role("target") if self.unit}

    @cached_property
    def states(self) -> Set[str]:
        """The names of the states."""
        return {q.name for q in self.system.cell.role("state")}

    @cached_property
    def kinked(self) -> bool:
        """Whether the cell has functions that are constant on more than ties: what reads them may vanish."""
        return any(line.has(*KINKS) for line in self.system.forward.values())

    def free(self, name: str) -> bool:
        """Whether a given quantity is any number, and zero at ties only; of no name, whether all are."""
        given = {q.name for q in self.system.cell.role("input", "parameter", "target")}
        return not self.kinked or name in given or name in self.targets

    @cached_property
    def carried(self) -> Set[str]:
        """The names of what a step sends back."""
        return {ref.base for ref in self.system.carried}

    def line(self, ref: Ref) -> sp.Expr | None:
        """The right side of a reference's own equation, at its step; None for what is given."""
        system = self.system
        if self.is_null(ref):
            return sp.Integer(0)
        if ref.base in self.binary:
            return N.step(Ref(f"bit {ref.base}", ref.lag))
        if self.is_open(ref):
            return sp.Integer(0) if self.end is False and ref.lag is not None and ref.lag <= 0 else None
        free = Ref(f"any {ref.base}", ref.lag)
        if free.base in self.targets:
            return free / N.Sum(free)
        for lines in (system.forward, system.given, self.backward):
            if ref.base in lines:
                return shifted(lines[ref.base], ref.lag or 0)
        return None

    def is_null(self, ref: Ref) -> bool:
        """Whether a gradient is known to be zero."""
        return ref.base in self.null and (ref.lag or 0) >= self.null_from

    def is_open(self, ref: Ref) -> bool:
        """Whether a gradient is what a loss of the last step alone gives, of which no line tells."""
        return self.system.final and not self.end and ref.base in self.system.from_loss

    def reached(self, ref: Ref, horizon: int) -> bool:
        """Whether a reference is written out: not a state before t, nor an adjoint beyond the horizon."""
        system, lag = self.system, ref.lag or 0
        if self.is_null(ref) or ref.base in self.binary:
            return True
        if self.is_open(ref):
            return self.end is False and lag <= 0
        if f"any {ref.base}" in self.targets:
            return True
        if ref.base in system.forward:
            return lag >= 0
        if ref.base in system.given or ref.base in self.of_loss:
            return True
        return ref.base in self.backward and 0 <= lag <= horizon

    def horizon(self, *exprs: sp.Expr) -> int:
        """The last step, counted from t, whose adjoints the expressions speak of."""
        steps = [0]
        given = {ref.base for ref in self.system.derivation.given.values()}
        for ref in {r for e in exprs for r in e.atoms(Ref)}:
            if ref.lag is not None and (ref.base in self.backward or ref.base in given):
                steps.append(ref.lag - (ref.base in self.carried))
        return max(steps)

    def earliest(self, *exprs: sp.Expr) -> int:
        """The first step, counted from t, that the equations of the cell are needed at."""
        steps = []
        given = {ref.base for ref in self.system.derivation.given.values()}
        for ref in {r for e in exprs for r in timed_refs(e)}:
            if ref.base in self.states:
                steps.append((ref.lag or 0) + 1)
            elif ref.base in self.backward or ref.base in self.system.forward or ref.base in given:
                steps.append(ref.lag or 0)
        return min(steps, default=0)

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of an expression.

        Raises:
            ShapeError: two parts of it do not fit.
        """
        found = self.known.get(expr)
        if found is None:
            found = self.known[expr] = self._shape(expr)
        return found

    def _shape(self, expr: sp.Expr) -> Shape:
        if isinstance(expr, Ref):
            return self.targets[expr.base] if expr.base in self.targets else self.system.shapes[expr.base]
        if not expr.args:
            return ()
        operands = expr.args[:1] if isinstance(expr, (N.Part, N.Pad, N.Spread)) else expr.args
        shapes = [self.shape(a) for a in operands]
        if isinstance(expr, Op):
            rule = TABLE.get(type(expr))
            return rule.shape(Unifier(), shapes, expr) if rule else expr.own_shape(shapes)
        unifier = Unifier()
        result: Shape = ()
        for shape in shapes:
            result = unifier.broadcast(result, shape, "give them one size, or multiply by a weight first")
        return result


def timed_refs(expr: sp.Expr) -> set[Ref]:
    """The references at a step, those within sums over all steps left out."""
    found: set[Ref] = set()
    todo = [expr]
    while todo:
        node = todo.pop()
        if isinstance(node, Ref):
            found |= {node} if node.lag is not None else set()
        elif not isinstance(node, N.Total):
            todo += node.args
    return found


def moved(expr: sp.Expr, steps: int) -> sp.Expr:
    """An expression ``steps`` later; sums over all steps stay."""
    if not steps or isinstance(expr, N.Total):
        return expr
    if isinstance(expr, Ref):
        return expr.shifted(steps)
    return expr.func(*(moved(a, steps) for a in expr.args)) if expr.args else expr
