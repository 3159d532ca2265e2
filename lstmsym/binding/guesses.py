"""Derivatives by, and of, a prediction that only the loss reads, and the cell does without: softmax(o)."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.table import Table
from lstmsym.binding.values import Value
from lstmsym.notation import Ref
from lstmsym.shapes import Shape
from lstmsym.verify.pullback import gradient_of
from lstmsym.verify.words import Diag


def loss_by_guess(key: str, table: Table, shapes: Mapping[str, Shape]) -> sp.Expr | None:
    """The derivative of a step's loss, as it is written, by a name that stands for an expression."""
    guess = Ref(table.idents.get(key, ""), 0)
    if key not in table.standing or table.written is None or not table.written.has(guess):
        return None
    known = {**shapes, guess.base: table.shapes[guess.base]}
    return gradient_of(table.written, guess, known).xreplace({guess: table.standing[key]})


def guess_by(what: Value, by: Value) -> Value | None:
    """The Jacobian of a softmax or a sigmoid by what it is taken of."""
    expr = what.expr
    if not isinstance(expr, (N.softmax, N.sigma)) or expr.args[0] != by.expr or what.rank != 1:
        return None
    if isinstance(expr, N.sigma):
        return Value(Diag(expr * (1 - expr)), what.shape * 2)
    return Value(Diag(expr) - N.Outer(expr, expr), what.shape * 2)
