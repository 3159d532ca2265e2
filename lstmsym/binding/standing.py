"""Names that stand for an expression: what they are worth, and the gradients of stacks of quantities."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.values import Value
from lstmsym.notation import Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.system import System
from lstmsym.verify.words import Blocks


def valued(expr: sp.Expr, known: Callable[[Ref], Shape], rows: bool = False) -> Value:
    """An expression in a cell's names, of which the shapes are known, as a value; ``rows``: vectors lie."""

    def shape(part: sp.Expr) -> Shape:
        return shape_of(part, known, Unifier())

    whole = shape(expr)
    parts = tuple(shape(arg)[0] for arg in expr.args) if isinstance(expr, N.Concat) else ()
    return Value(expr, whole, rows and len(whole) == 1, parts)


def stacked_gradient(expr: sp.Expr, system: System) -> sp.Expr | None:
    """The gradient by a stack, or by a matrix of blocks: those by its parts; None where it has none."""
    if isinstance(expr, N.Concat):
        parts = [_gradient(part, system) for part in expr.args]
        return None if None in parts else N.Concat(*parts)
    if isinstance(expr, Blocks):
        found = {b: _gradient(b, system) for row in expr.rows for b in row}
        return None if None in found.values() else expr.mapped(lambda b: found[b])
    return None


def gradient_through(node: sp.Expr, system: System) -> sp.Expr | None:
    """The gradient by an expression, by all lines of a step that read it; None where none does.

    Nor is there one where a line reads the same in another order.
    """
    columns = {part for e in system.cell.equations for part in e.expr.atoms(N.Concat)}
    if any(set(part.args) == set(node.args) and part != node for part in columns):
        return None
    adjoint, hole = system.derivation.names.adjoint, Ref("hole", 0)
    shapes = {**system.shapes, hole.base: shape_of(node, lambda ref: system.shapes[ref.base], Unifier())}
    found = []
    for equation in system.cell.equations:
        if equation.expr.has(node) and adjoint(equation.name.base) in system.backward:
            whole = N.Sum(Ref(adjoint(equation.name.base), 0) * equation.expr.xreplace({node: hole}))
            found.append(gradient_of(whole, hole, shapes).xreplace({hole: node}))
    return sp.Add(*found) if found else None


def _gradient(part: sp.Expr, system: System) -> sp.Expr | None:
    """The gradient by one part: a quantity's own, a state's of the step before as far as this step has it."""
    if isinstance(part, N.Transposed):
        inner = _gradient(part.args[0], system)
        return None if inner is None else N.transposed(inner)
    if isinstance(part, (N.Concat, Blocks)):
        return stacked_gradient(part, system)
    if not isinstance(part, Ref):
        return None
    names = system.derivation.names
    if part.lag == -1:
        back = names.back(part.base)
        return Ref(back, 0) if back in system.shapes and _acts_through_weights(part, system) else None
    adjoint = Ref(names.adjoint(part.base), part.lag)
    return adjoint if adjoint.base in system.backward else None


def _acts_through_weights(state: Ref, system: System) -> bool:
    """Whether a state of the step before stands nowhere but behind a weight."""
    for equation in system.cell.equations:
        rules = {node: sp.Integer(0) for node in equation.expr.atoms(N.Dot) if node.args[1] == state}
        if equation.expr.xreplace(rules).has(state):
            return False
    return True


def share(expr: sp.Expr, system: System) -> sp.Expr:
    """What one step adds to the gradients of parameters in an expression."""
    rules = {}
    for ref in expr.atoms(Ref):
        line = system.backward.get(ref.base)
        if ref.lag is None and isinstance(line, N.Total):
            rules[ref] = line.args[0]
    return expr.xreplace(rules)
