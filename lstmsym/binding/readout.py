"""What a loss makes of the states itself, ``|C h - y|^2``: a quantity of the step without a name."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.quantity import identifier
from lstmsym.binding.table import Table
from lstmsym.notation import Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Unifier


def apart(loss: sp.Expr, targets: Sequence[str], table: Table) -> tuple[sp.Expr, list[tuple[str, sp.Expr]]]:
    """A loss that reads names of the step and targets only, and the lines of the names that takes."""
    lines: list[tuple[str, sp.Expr]] = []
    while True:
        part = _outermost(loss, targets)
        if part is None:
            return loss, lines
        name = identifier("read_out", [*table.spelled, *table.roles, *N.FUNCTIONS])
        table.roles[name] = "name"
        table.shapes[name] = shape_of(part, lambda ref: table.shapes[ref.base], Unifier())
        lines.append((name, part))
        loss = _put(loss, part, Ref(name, 0))


def _outermost(expr: sp.Expr, targets: Sequence[str]) -> sp.Expr | None:
    """The largest part without targets that a parameter stands in, a product with it."""
    if not any(ref.lag is None for ref in expr.atoms(Ref)):
        return None
    if isinstance(expr, sp.Add):
        own = [term for term in expr.args if _is_free(term, targets)]
        if any(ref.lag is None for term in own for ref in term.atoms(Ref)):
            return sp.Add(*own)
    elif _is_free(expr, targets) and isinstance(expr, (N.Dot, N.Pointwise)):
        return expr
    return next((found for arg in expr.args if (found := _outermost(arg, targets)) is not None), None)


def _is_free(expr: sp.Expr, targets: Sequence[str]) -> bool:
    refs = expr.atoms(Ref)
    return bool(refs) and any(r.lag == 0 for r in refs) and not any(r.base in targets for r in refs)


def _put(expr: sp.Expr, part: sp.Expr, name: sp.Expr) -> sp.Expr:
    """An expression with a name for a part, or for terms of a sum."""
    if isinstance(part, sp.Add):
        rest = {term for term in part.args}

        def change(node: sp.Expr) -> sp.Expr:
            if isinstance(node, sp.Add) and rest <= set(node.args):
                return sp.Add(name, *(a for a in node.args if a not in rest))
            return node.func(*map(change, node.args)) if node.args else node

        return change(expr)
    return expr.xreplace({part: name})
