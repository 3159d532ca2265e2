"""A gradient's name that a document gives to a column: the stack of the gradients in it."""

from __future__ import annotations

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.consistency import WRITTEN_OUT, Consistency, alike
from lstmsym.binding.slots import Meaning, slot_of
from lstmsym.binding.stacks import entries
from lstmsym.binding.values import Unreadable
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.elaborate import sides
from lstmsym.verify.evaluate import OUT_OF_REACH
from lstmsym.verify.words import later


def stack_meaning(place: int, consistency: Consistency) -> Meaning | None:
    """What the name on the left of a column stands for: the gradients that its entries are.

    One entry may be none: if all others are those before an activation, or all after one, and a single
    gradient of that kind is left, the column claims that one.
    """
    claims = consistency.claims
    left, right, _ = consistency.lines[place]
    found = slot_of(left, claims.table)
    if found is None or not entries(right) or not isinstance(found[1].lag, int):
        return None
    try:
        whole = claims.express(right).value.expr
    except (Unreadable, NotationError, ShapeError):
        return None
    if not isinstance(whole, N.Concat):
        return None
    gradients = _gradients(consistency)
    parts = [_equal(part, found[1].lag, gradients, consistency) for part in whole.args]
    if parts.count(None) == 1:
        parts[parts.index(None)] = _left_over(parts, gradients, consistency)
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return Meaning(N.Concat(*(gradients[part] for part in known)), "stacked", ", ".join(known))


def _gradients(consistency: Consistency) -> dict[str, sp.Expr]:
    """The gradients of the vectors of a cell."""
    system = consistency.system
    adjoint = system.derivation.names.adjoint
    found = {q.name: Ref(adjoint(q.name), 0) for q in system.cell.quantities if not q.constant}
    return {q: r for q, r in found.items() if r.base in system.backward and len(system.shapes[r.base]) == 1}


def _equal(part: sp.Expr, lag: int, gradients: dict[str, sp.Expr], consistency: Consistency) -> str | None:
    try:
        written = sides(part, part, consistency.system)[0] if part.has(*WRITTEN_OUT) else part
        value = consistency.value(later(written, -lag))
    except (NotationError, ShapeError, *OUT_OF_REACH):
        return None
    for name, ref in gradients.items():
        wanted = consistency.value(ref)
        if np.shape(wanted) == np.shape(value) and alike(wanted, value):
            return name
    return None


def _left_over(
    parts: list[str | None], gradients: dict[str, sp.Expr], consistency: Consistency
) -> str | None:
    """The one gradient of the kind of the others that is none of them."""
    table = consistency.claims.table
    known = {p for p in parts if p}
    for kind in (set(table.before.values()), set(table.before)):
        if known and known <= kind:
            left = [name for name in gradients if name in kind - known]
            return left[0] if len(left) == 1 else None
    return None
