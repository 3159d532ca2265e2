r"""What one step's line makes of a parameter: ``\partial a_j / \partial w_{ji} = x_i``, entry by entry.

Such a derivative has three indices, but unit k depends on its own row of the weights alone: it is a
slope of unit k, times what the weights multiply, times Kronecker's delta of k and j.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.system import System
from lstmsym.verify.words import later

HOLE = Ref("own share", 0)


@dataclass(frozen=True)
class Share:
    """``slope`` of each unit, the vector that a matrix multiplies, ``turned`` where as its transpose.

    ``earlier`` are the quantities of the step before that are held fixed.
    """

    slope: sp.Expr
    operand: sp.Expr | None
    turned: bool
    earlier: tuple[Ref, ...]


def share(what: Ref, by: Ref, system: System) -> Share | None:
    """The derivative of a quantity by a parameter, in the lines of its own step; None for any other."""
    lines = {e.name.base: e.expr for e in system.cell.equations}
    expr = _written(what.base, by, lines)
    if expr is None or by not in expr.atoms(Ref):
        return None
    uses = [d for d in expr.atoms(N.Dot) if d.args[0] in (by, N.transposed(by))]
    if len(uses) > 1 or (uses and by in uses[0].args[1].atoms(Ref)):
        return None
    hole = expr.xreplace({uses[0] if uses else by: HOLE})
    mixes = (n for n in sp.preorder_traversal(hole) if isinstance(n, N.Op) and not isinstance(n, N.Pointwise))
    if by in hole.atoms(Ref) or any(n.has(HOLE) for n in mixes):
        return None
    if not uses and len(system.shapes[by.base]) != 1:
        return None
    slope = gradient_of(N.Sum(hole), HOLE, {**system.shapes, HOLE.base: system.shapes[what.base]})
    if HOLE in slope.atoms(Ref):
        slope = slope.xreplace({HOLE: uses[0] if uses else by})
    earlier = tuple(sorted((r for r in expr.atoms(Ref) if r.lag is not None and r.lag < 0), key=str))
    at = what.lag or 0
    operand = later(uses[0].args[1], at) if uses else None
    turned = bool(uses) and uses[0].args[0] != by
    return Share(later(slope, at), operand, turned, tuple(r.shifted(at) for r in earlier))


def _written(name: str, by: Ref, lines: dict[str, sp.Expr]) -> sp.Expr | None:
    """A line in which those names of its step that depend on a parameter are written out."""
    expr = lines.get(name)
    for _ in lines:
        if expr is None:
            return None
        inner = {r for r in expr.atoms(Ref) if r.lag == 0 and r.base in lines and depends(r.base, by, lines)}
        if not inner:
            return expr
        expr = expr.xreplace({r: lines[r.base] for r in inner})
    return None


def depends(name: str, by: Ref, lines: dict[str, sp.Expr]) -> bool:
    """Whether a name depends on a quantity in the lines of its own step."""
    refs = lines[name].atoms(Ref)
    return by in refs or any(r.lag == 0 and r.base in lines and depends(r.base, by, lines) for r in refs)
