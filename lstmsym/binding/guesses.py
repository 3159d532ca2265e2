"""The Jacobian of a prediction that the cell does without, as only the loss reads it: softmax(o)."""

from __future__ import annotations

from lstmsym import notation as N
from lstmsym.binding.values import Value
from lstmsym.verify.words import Diag


def guess_by(what: Value, by: Value) -> Value | None:
    """The Jacobian of a softmax or a sigmoid by what it is taken of."""
    expr = what.expr
    if not isinstance(expr, (N.softmax, N.sigma)) or expr.args[0] != by.expr or what.rank != 1:
        return None
    if isinstance(expr, N.sigma):
        return Value(Diag(expr * (1 - expr)), what.shape * 2)
    return Value(Diag(expr) - N.Outer(expr, expr), what.shape * 2)
