"""Derivatives of one step's loss: by a quantity of that step or before, by a parameter as one step has it."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from lstmsym.binding.standing import share
from lstmsym.binding.values import Unreadable
from lstmsym.notation import NotationError, Ref
from lstmsym.verify.across import TOTAL, At, LossOf, Slope
from lstmsym.verify.instances import Instance
from lstmsym.verify.pullback import through
from lstmsym.verify.system import System
from lstmsym.verify.words import later

FARTHEST = 3
"""Steps that a loss may lie behind."""


def of_step(loss: int, by: Ref, system: System) -> sp.Expr:
    """The derivative of the loss of a step, counted from t, by a quantity.

    Raises:
        Unreadable: it is that of an earlier loss, or of one far later.
    """
    if by.lag is None or not 0 <= loss - by.lag <= FARTHEST:
        raise Unreadable("the derivative of one step's loss by an earlier quantity is not read")
    step = At(Ref(by.base, 0), sp.Integer(by.lag))
    try:
        return Instance(system, 0)(Slope(LossOf(sp.Integer(loss)), step, TOTAL))
    except NotationError as error:
        raise Unreadable(str(error)) from None


def of_copy(loss: int | None, by: Ref, step: int, system: System) -> sp.Expr:
    """The derivative by a parameter as one step has it, of a step's loss or, for None, of all.

    Raises:
        Unreadable: it is that of an earlier loss, or of one far later.
    """
    if loss is None:
        gradient = Ref(system.derivation.names.adjoint(by.base))
        return later(share(gradient, system), step)
    if not 0 <= loss - step <= FARTHEST:
        raise Unreadable("the derivative of one step's loss by an earlier quantity is not read")
    instance, other = Instance(system, 0), Ref("the same of another step")
    lines = [
        e if e.name.lag in (step, None) else replace(e, expr=e.expr.xreplace({by: other}))
        for e in instance.lines(step, loss)
    ]
    shapes = {**system.shapes, other.base: system.shapes[by.base]}
    return through(lines, shapes, instance.seeds(loss), by).xreplace({other: by})
