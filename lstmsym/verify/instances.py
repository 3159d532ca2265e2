"""A claim across several steps with whole numbers for its letters: an ordinary claim about those steps."""

from __future__ import annotations

from functools import reduce

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Equation
from lstmsym.notation import NotationError, Ref
from lstmsym.verify.across import HELD, IMMEDIATE, NEWEST, At, LossOf, Over, Power, Pulled, Run, Slope, put
from lstmsym.verify.elaborate import written_out
from lstmsym.verify.pullback import REACH, through
from lstmsym.verify.system import System, shifted
from lstmsym.verify.words import Diag, Local

LONGEST, FARTHEST, MOST = 8, 12, 500
"""Factors that a product is written out with, steps from the first, terms of the sums in an equation."""


class Instance:
    """Writes expressions out; step ``first`` of the letters is the step t of what results."""

    def __init__(self, system: System, first: int, start: int = 0) -> None:
        """``start``: the first step of a sequence, as a lag of what results."""
        self.system, self.first, self.start = system, first, start
        self.terms = 0

    def __call__(self, expr: sp.Expr) -> sp.Expr:
        """An expression whose steps are whole numbers."""
        method = getattr(self, f"_{type(expr).__name__.lower()}", None) if expr.args else None
        if method is not None and isinstance(expr, (At, Slope, Pulled, Over, Run, Power)):
            found: sp.Expr = method(*expr.args)
            return found
        args = [self(a) for a in expr.args]
        if isinstance(expr, (N.Dot, N.Outer, N.Transposed)) and 0 in args:
            return sp.Integer(0)  # the derivative by a later step
        return expr if tuple(args) == expr.args else expr.func(*args)

    def lag(self, step: sp.Expr) -> int:
        """A step as a lag."""
        if not step.is_Integer:
            raise NotationError(f"{step} is not one step")
        if abs(int(step) - self.first) > FARTHEST:
            raise NotationError(f"step {step} lies beyond the steps on which equations are tried")
        return int(step) - self.first

    def steps(self, low: sp.Expr, high: sp.Expr) -> range:
        """The steps of a sum or product.

        Raises:
            NotationError: there are too many.
        """
        found = range(self.lag(low), self.lag(high) + 1)
        self.terms += len(found)
        if self.terms > MOST:
            raise NotationError("the sums have too many terms")
        return range(found.start + self.first, found.stop + self.first)

    def _at(self, ref: sp.Expr, step: sp.Expr) -> sp.Expr:
        assert isinstance(ref, Ref)
        return ref.shifted(self.lag(step))

    def _over(self, body: sp.Expr, letter: sp.Symbol, low: sp.Expr, high: sp.Expr) -> sp.Expr:
        return sp.Add(*(self(put(body, {letter: sp.Integer(j)})) for j in self.steps(low, high)))

    def _run(
        self, body: sp.Expr, letter: sp.Symbol, low: sp.Expr, high: sp.Expr, first: sp.Expr, flat: sp.Expr
    ) -> sp.Expr:
        steps = [sp.Integer(j) for j in self.steps(low, high)]
        factors = [self(put(body, {letter: j})) for j in (steps[::-1] if first == NEWEST else steps)]
        if flat:
            return sp.Mul(*factors)
        return reduce(N.Dot, factors) if factors else Diag(sp.Integer(1))

    def _power(self, matrix: sp.Expr, count: sp.Expr, flat: sp.Expr) -> sp.Expr:
        if not (count.is_Integer and 0 <= count <= LONGEST):
            raise NotationError(f"a matrix to the power {count} is not read")
        if flat:
            return self(matrix) ** count
        return reduce(N.Dot, [self(matrix)] * int(count)) if count else Diag(sp.Integer(1))

    # -- derivatives -----------------------------------------------------------------------------------

    def _slope(self, what: sp.Expr, by: sp.Expr, follows: sp.Expr) -> sp.Expr:
        if isinstance(what, LossOf):
            return self._of_loss(what, by)
        if not isinstance(by, At):
            raise NotationError(f"the derivative of {what} by {by} stands alone")
        top, bottom = self(what), self(by)
        assert isinstance(top, Ref) and isinstance(bottom, Ref)
        if top == bottom:
            return sp.Integer(1) if self.entrywise(top.base, bottom.base) else Diag(sp.Integer(1))
        if (top.lag or 0) < (bottom.lag or 0):
            return sp.Integer(0)
        held = self.others(top, bottom) if follows == HELD else []
        if (top.lag or 0) - (bottom.lag or 0) <= REACH or len(companions(self.system, bottom.base)) > 1:
            return Local(top, bottom, *held)
        between = At(Ref(bottom.base, 0), by.args[1] + 1)  # the one state: all paths lead through it
        pair = self(Slope(what, between, follows)), self(Slope(between, by, follows))
        return sp.Mul(*pair) if self.entrywise(bottom.base, bottom.base) else N.Dot(*pair)

    def others(self, top: Ref, bottom: Ref) -> list[Ref]:
        """The other states at the steps between two."""
        steps = range(bottom.lag or 0, top.lag or 0)
        return [Ref(q.name, s) for q in self.system.cell.role("state") if q.name != top.base for s in steps]

    def entrywise(self, what: str, by: str) -> bool:
        """Whether the k-th entry of the one moves with the k-th of the other alone, from step to step."""
        return is_entrywise(self.system, what, by)

    def _of_loss(self, loss: LossOf, by: sp.Expr) -> sp.Expr:
        names = self.system.derivation.names
        bottom = self(by)
        assert isinstance(bottom, Ref)
        if not loss.args:
            if bottom.lag is not None and bottom.lag == self.start - 1 and self.is_state(bottom.base):
                return Ref(names.back(bottom.base), self.start)  # no loss has its step
            adjoint = Ref(names.adjoint(bottom.base), bottom.lag)
            if adjoint.base not in self.system.adjoints:
                raise NotationError(f"{bottom} has no gradient")
            return adjoint
        last = self.lag(loss.args[0])
        first = self.start if bottom.lag is None else bottom.lag
        if last < first:
            return sp.Integer(0)
        if bottom.lag is not None and bottom.lag == last and self.local_loss(bottom):
            return Ref(names.adjoint(bottom.base), bottom.lag)
        return through(self.lines(first, last), self.system.shapes, self.seeds(last), bottom)

    def is_state(self, name: str) -> bool:
        """Whether a quantity is handed on from step to step."""
        return any(q.name == name for q in self.system.cell.role("state"))

    def local_loss(self, ref: Ref) -> bool:
        """Whether the loss of its own step alone depends on a quantity."""
        return is_local(self.system, ref.base)

    def seeds(self, lag: int) -> list[tuple[Ref, sp.Expr]]:
        """Where the loss of one step enters."""
        if self.system.cell.loss:
            return [(Ref(self.system.cell.loss, lag), sp.Integer(1))]
        return [(Ref(output, lag), ref.shifted(lag)) for output, ref in self.system.derivation.given.items()]

    def lines(self, first: int, last: int) -> list[Equation]:
        """The cell's lines at some steps."""
        lines = self.system.with_loss.forward
        timed = [e for e in lines if e.name.lag is not None]
        return [e for e in lines if e.name.lag is None] + [
            Equation(e.name.shifted(s), shifted(e.expr, s)) for s in range(first, last + 1) for e in timed
        ]

    def _pulled(self, v: sp.Expr, what: sp.Expr, by: sp.Expr, follows: sp.Expr) -> sp.Expr:
        top, gradient = self(what), self(v)
        assert isinstance(top, Ref) and isinstance(by, Ref)
        last = top.lag or 0
        first = last if follows == IMMEDIATE else self.start
        if last < self.start:
            return sp.Integer(0)
        name = Ref("gradient that arrives")
        shapes = {**self.system.shapes, name.base: self.system.shapes[top.base]}
        return through(self.lines(first, last), shapes, [(top, name)], by).xreplace({name: gradient})


def is_entrywise(system: System, what: str, by: str, lag: int = -1) -> bool:
    """Whether the k-th entry of the one moves with the k-th of the other alone, from step to step."""
    if system.shapes[what] != system.shapes[by]:
        return False
    node = Local(Ref(what, 0), Ref(by, lag))
    written_out(node, system)
    return len(system.jacobians[node].shape) == 1


def is_local(system: System, name: str) -> bool:
    """Whether the loss of its own step alone depends on a quantity: its gradient reads no later step."""
    adjoint = system.derivation.names.adjoint(name)
    seen: set[Ref] = set()
    todo = [Ref(adjoint, 0)]
    later = {ref.base for ref in system.carried}
    while todo:
        ref = todo.pop()
        if ref in seen:
            continue
        seen.add(ref)
        if ref.base in later or ref.lag != 0:
            return False
        line = system.backward.get(ref.base)
        if line is not None:
            todo += [r for r in line.atoms(Ref) if r.base in system.backward]
    return True


def companions(system: System, name: str) -> frozenset[str]:
    """The states that a quantity depends on, or that depend on it, at this or another step."""
    states = {q.name for q in system.cell.role("state")}
    read = {
        e.name.base: {r.base for r in e.expr.atoms(Ref)} for e in system.with_loss.forward if e.name.lag == 0
    }
    found = {name} | _reached(name, read)
    while True:
        linked = {s for s in states - found if _reached(s, read) & found & states}
        linked |= {r for s in states & found for r in _reached(s, read)}
        if linked <= found:
            return frozenset(found & states)
        found |= linked


def _reached(name: str, read: dict[str, set[str]]) -> set[str]:
    """What a quantity is made from, at its own step and the one before."""
    found: set[str] = set()
    todo = [name]
    while todo:
        for other in read.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found
