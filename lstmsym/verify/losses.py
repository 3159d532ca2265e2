"""Derivatives of the loss, and chain sums, in the gradients of the derivation."""

from __future__ import annotations

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.verify.pullback import pulled
from lstmsym.verify.system import System
from lstmsym.verify.words import Label, Local


def shown(expr: sp.Expr) -> str:
    """A derivative as it is written on a page."""
    if isinstance(expr, (Label, Local)):
        return f"D({', '.join(map(shown, expr.args))})"
    return str(expr)


def check_quantities(node: sp.Expr, system: System) -> None:
    """Refuse a derivative by, or at fixed, what is no quantity of the cell, and one that holds itself.

    Raises:
        NotationError: naming it.
    """
    what, by, *held = node.args
    for ref in held:
        if ref in (what, by):
            raise NotationError(f"{shown(node)}: {shown(ref)} cannot be held fixed and move")
    for ref in (by, *held):
        if not isinstance(ref, Ref):
            raise NotationError(f"{shown(node)}: {shown(ref)} is no quantity at a step")
        if ref.base not in system.cell.by_name and ref.base not in system.forward:
            raise NotationError(f"{shown(node)}: {ref} is no quantity of the cell")


def loss_derivative(node: sp.Expr, system: System) -> sp.Expr:
    """A derivative of the loss from a step on (`Label`), with quantities held fixed.

    Raises:
        NotationError: it cannot be written out.
    """
    loss, by, *held = node.args
    check_quantities(node, system)
    adjoint = Ref(system.derivation.names.adjoint(by.base), by.lag)
    if by.lag is None:
        if adjoint.base not in system.adjoints:
            raise NotationError(f"{shown(node)}: {by} has no gradient")
        if loss.lag is not None or held:
            raise NotationError(
                f"{shown(node)}: {by} acts at all steps; its gradient is D(L, {by}), with nothing held"
            )
        return adjoint
    start = by.lag if loss.lag is None else loss.lag
    if start <= by.lag and not held and adjoint.base in system.backward:
        return adjoint  # an earlier loss does not see the quantity
    last = max([by.lag, start - 1, *(h.lag or 0 for h in held)])
    seeds = _seen(max(start, by.lag), last, system) + _carried(last, system)
    return pulled(system, seeds, by, held) if seeds else sp.Integer(0)


def _carried(last: int, system: System) -> list[tuple[Ref, sp.Expr]]:
    """What the step after the last sends back to the states, where it sends anything back."""
    states = zip(system.cell.role("state"), system.carried, strict=True)
    return [(Ref(q.name, last), ref.shifted(last + 1)) for q, ref in states if system.backward[ref.base] != 0]


def _seen(first: int, last: int, system: System) -> list[tuple[Ref, sp.Expr]]:
    """Where the losses of some steps enter, and the gradients that they give."""
    steps = range(first, last + 1)
    if system.cell.loss:
        return [(Ref(system.cell.loss, s), sp.Integer(1)) for s in steps]
    given = system.derivation.given.items()
    return [(Ref(output, s), ref.shifted(s)) for s in steps for output, ref in given]


def chain_sum(node: sp.Expr, system: System) -> sp.Expr:
    """A chain sum (`ChainSum`).

    With nothing held it counts paths once more for every step; with all states held one step is left.
    With every output held and the other states free, the reverse recurrence of the sum is that of the
    true adjoints (same sources, same terminal values): the gradient itself.

    Raises:
        NotationError: it holds something else.
    """
    by, *held = node.args
    adjoint = system.derivation.names.adjoint
    if not (isinstance(by, Ref) and by.lag is None and adjoint(by.base) in system.backward):
        raise NotationError(f"ChainSum({by}): the sum is that of a parameter's gradient")
    states = {Ref(q.name, -1) for q in system.cell.role("state")}
    outputs = {Ref(output, -1) for output in system.cell.outputs}
    if not held:
        return Ref(system.doubled(adjoint(by.base)))
    if set(held) == states:
        seeds = [(Ref(o, 0), Ref(adjoint(o), 0)) for o in system.cell.outputs]
        return N.Total(pulled(system, seeds, by, held))
    if outputs <= set(held) <= states:
        return Ref(adjoint(by.base))
    raise NotationError(f"ChainSum({by}, ...): hold fixed all outputs, all states at t-1, or nothing")
