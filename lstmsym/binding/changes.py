r"""Equations of differentials, ``da = dW h + W dh``: how a quantity moves with what its equation reads.

Every change on the right side is a vector of which nothing is known, that of a matrix the outer product of
two: both sides are linear in it.  The left side is what the forward equations make of those changes;
parameters whose change stands nowhere are held fixed, inputs are given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.claims import Claims
from lstmsym.binding.express import Express
from lstmsym.binding.scope import Backward
from lstmsym.binding.table import LOSSES, Line
from lstmsym.binding.values import Unreadable, Value
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Name, Product, walk
from lstmsym.notation import Ref
from lstmsym.shapes import Unifier
from lstmsym.verify.claims import Claim
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.system import PARTS


@dataclass
class Moving(Backward):
    """The scope of an equation of differentials."""

    changes: dict[Ref, sp.Expr] = field(default_factory=dict)
    taken: Counter[sp.Expr] = field(default_factory=Counter)

    def gradient(self, node: Delta | Derivative) -> Value:
        """The change of a quantity; any other gradient as it is."""
        if not isinstance(node, Delta) or node.prefix != "d" or not isinstance(node.of, Name):
            return super().gradient(node)
        value = self.quantity(node.of)
        if not isinstance(value.expr, Ref):
            raise Unreadable("the change of an expression is not read")
        if value.expr not in self.changes:
            self.changes[value.expr] = self.change(value)
        return replace(value, expr=self.changes[value.expr], row=False)

    def change(self, value: Value) -> sp.Expr:
        """A change of which nothing is known."""
        if value.rank not in (1, 2):
            raise Unreadable("the change of a number is not read")
        parts = [self.unknown(size) for size in value.shape]
        return parts[0] if value.rank == 1 else N.Outer(*parts)

    def unknown(self, size: sp.Expr) -> Ref:
        """A vector that stands for nothing else."""
        self.taken[size] += 1
        if self.taken[size] >= PARTS:
            raise Unreadable("it has too many changes")
        return self.system.probe((size,), self.taken[size])


class _Express(Express):
    """Formulas in which matrices may be changes, and traces."""

    def _apply(self, node: Apply) -> Value:
        if node.head.base.lower() not in ("tr", "trace") or node.head.time is not None:
            return super()._apply(node)
        inner = self(node.argument)
        if inner.rank != 2:
            raise Unreadable("a trace is that of a matrix")
        return Value(_trace(inner.expr))


def claim_of(line: Line, claims: Claims) -> tuple[Claim, str]:
    """A line as a claim about numbers, and what it holds fixed.

    Raises:
        Unreadable: it is not understood.
    """
    left, right, row = line
    system, choices = claims.system, claims.choices
    scope = Moving(choices.bound, system, Unifier(), choices.meaning, choices.flat)
    value = _Express(scope, scope.unifier, claims.table.rows)(right)
    assert isinstance(left, Delta) and isinstance(left.of, Name)
    fixed: set[Ref] = set()
    if left.of.base in LOSSES and scope.placed(left.of).key not in claims.table.idents:
        whole, moved = value.expr, _of_loss(scope)
        fixed = {Ref(q.name) for q in system.cell.role("parameter")} - scope.changes.keys()
    else:
        quantity = scope.quantity(left.of)
        if not isinstance(quantity.expr, Ref) or quantity.rank != 1 or value.rank != 1:
            raise Unreadable("the change of this is not read")
        v = system.probe(quantity.shape)
        whole, moved = N.Sum(v * value.expr), _moved(quantity.expr, v, scope, fixed)
    if not scope.changes:
        raise Unreadable("nothing changes in it")
    claim = Claim(_without_outer(moved), _without_outer(whole), line=row.line)
    return claim, ", ".join(sorted(ref.base for ref in fixed))


def _of_loss(scope: Moving) -> sp.Expr:
    """How the loss moves with the parameters."""
    names, found = scope.system.derivation.names, []
    for ref, change in scope.changes.items():
        if ref.lag is not None:
            raise Unreadable("the change of the loss with quantities of one step is not read")
        found.append(_paired(Ref(names.adjoint(ref.base)), change))
    return sp.Add(*found)


def _moved(of: Ref, v: sp.Expr, scope: Moving, fixed: set[Ref]) -> sp.Expr:
    """How a quantity moves, with the changes there are, times v."""
    system = scope.system
    line = next((e.expr for e in system.cell.equations if e.name.base == of.base), None)
    if line is None:
        raise Unreadable(f"{of} has no equation")
    line = line.xreplace({ref: ref.shifted(of.lag or 0) for ref in line.atoms(Ref)})
    terms = []
    for ref in sorted(line.atoms(Ref), key=str):
        gradient = gradient_of(N.Sum(v * line), ref, dict(system.shapes))
        if ref in scope.changes:
            terms.append(_paired(gradient, scope.changes[ref]))
        elif ref.lag == of.lag and any(e.name.base == ref.base for e in system.cell.equations):
            terms.append(_moved(ref, gradient, scope, fixed))
        elif system.cell.by_name[ref.base].role in ("parameter", "state"):
            fixed.add(ref)
    return sp.Add(*terms)


def _paired(gradient: sp.Expr, change: sp.Expr) -> sp.Expr:
    """A gradient times a change, summed over all entries."""
    if not isinstance(change, N.Outer):
        return N.Sum(gradient * change)
    u, w = change.args
    if isinstance(gradient, N.Outer):
        return N.Sum(gradient.args[0] * u) * N.Sum(gradient.args[1] * w)
    return N.Sum(u * N.Dot(gradient, w))


def _trace(matrix: sp.Expr) -> sp.Expr:
    """The trace of a matrix in which a change stands."""
    if isinstance(matrix, N.Outer):
        return N.Sum(matrix.args[0] * matrix.args[1])
    if isinstance(matrix, sp.Add):
        return sp.Add(*map(_trace, matrix.args))
    if isinstance(matrix, N.Total):
        return N.Total(_trace(matrix.args[0]))
    if isinstance(matrix, sp.Mul):
        matrices = [f for f in matrix.args if f.has(N.Outer)]
        if len(matrices) == 1:
            return sp.Mul(*(f for f in matrix.args if f not in matrices)) * _trace(matrices[0])
    raise Unreadable("the trace of this is not read")


def _without_outer(expr: sp.Expr) -> sp.Expr:
    """An expression in which a change of a matrix times a vector is written out."""
    args = tuple(map(_without_outer, expr.args))
    expr = expr if args == expr.args else expr.func(*args)
    if isinstance(expr, N.Dot):
        matrix, vector = expr.args
        turned = isinstance(matrix, N.Transposed)
        outer = matrix.args[0] if turned else matrix
        if isinstance(outer, N.Outer):
            u, w = outer.args[::-1] if turned else outer.args
            return u * N.Sum(w * vector)
    return expr


def says_layout(line: Line) -> bool:
    r"""Whether a line only says how a matrix of derivatives lies: ``dL = tr(\partial L/\partial W\, dW)``."""
    left, right, _ = line
    if (
        not isinstance(left, Delta)
        or not isinstance(right, Apply)
        or right.head.base.lower() not in ("tr", "trace")
    ):
        return False
    products = [n for n in walk(right.argument) if isinstance(n, Product)]
    factors: tuple[Formula, ...] = products[0].factors if len(products) == 1 else ()
    return len(factors) == 2 and isinstance(factors[0], Derivative) and isinstance(factors[1], Delta)
