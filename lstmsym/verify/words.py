"""What a claim may say beyond the notation of cells: derivatives, the loss from a step on, Jacobians.

These operations are never computed with: :mod:`lstmsym.verify.elaborate` writes them out in the cell's
own quantities and gradients before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from lstmsym.notation import End, Op, Part, Time, Written, transposed
from lstmsym.signatures import checked
from lstmsym.values import expression


class LossFrom(sp.Symbol):
    """The loss from a step on, L(t + lag) = l(t + lag) + l(t + lag + 1) + ...; of all steps for lag None."""

    lag: int | None

    def __new__(cls, lag: int | None = 0) -> LossFrom:
        """Make L[t + lag], or L."""
        made: LossFrom = sp.Symbol.__xnew__(cls, "L" if lag is None else f"L[{Time(lag)}]")
        made.lag = lag
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that rebuild it."""
        return (self.lag,), {}

    def shifted(self, steps: int) -> LossFrom:
        """The loss from ``steps`` later on."""
        return self if self.lag is None else LossFrom(self.lag + steps)


class Label(Op, takes="what by *held"):
    """``D(L[t+1], s[t])``: a derivative of the loss; further arguments are held fixed."""


class Local(Op, takes="what by *held"):
    """``D(h[t], s[t])``: a derivative of one quantity by another; further arguments are held fixed.

    Where the k-th entry depends on the k-th alone it is the vector of those derivatives, otherwise the
    Jacobian: a row for each entry of the first, a column for each of the second.  A step is a function
    of the states before it: by a state of an earlier step, its other states are arguments like it, and
    given, unless the whole dependence leads through them.
    """


class Through(Local, takes="what by *held"):
    """The same over the lines of the second's own step as well, where it is a state of an earlier one."""


class ChainSum(Op, takes="W *held"):
    """``ChainSum(W)``: the sum over t of dL/dh(t) dh(t)/dW over all outputs h(t) and units.

    What dh(t)/dW holds fixed is left open by that notation: nothing (total), or what further
    arguments say, states at t-1: ``ChainSum(W, h[t-1])``.
    """


class Diag(Op, takes="v"):
    """``diag(v)``: the matrix with v on its diagonal and zeros elsewhere; ``diag(1)`` is the identity."""


class Columns(Op, takes="A a b"):
    """``A[:, a:b]``: some columns of a matrix."""

    def own_shape(self, shapes: list[Any]) -> tuple[sp.Expr, ...]:
        """All rows by these columns."""
        rows, size = shapes[0]
        return rows, (size if self.args[2] == End else self.args[2]) - self.args[1]


class Blocks(Op, takes="rows columns *parts"):
    """A matrix of blocks: how many rows and columns of them, the sizes of these, the blocks row by row."""

    @property
    def sizes(self) -> tuple[tuple[sp.Expr, ...], tuple[sp.Expr, ...]]:
        """The heights of the rows of blocks and the widths of the columns."""
        high, wide = map(int, self.args[:2])
        return self.args[2 : 2 + high], self.args[2 + high : 2 + high + wide]

    @property
    def rows(self) -> tuple[tuple[sp.Expr, ...], ...]:
        """The blocks."""
        high, wide = map(int, self.args[:2])
        found = self.args[2 + high + wide :]
        return tuple(found[k * wide : (k + 1) * wide] for k in range(high))

    def own_shape(self, shapes: list[Any]) -> tuple[sp.Expr, ...]:
        """All rows by all columns."""
        return tuple(sp.Add(*sizes) for sizes in self.sizes)

    def mapped(self, change: Callable[[sp.Expr], sp.Expr]) -> Blocks:
        """The same layout with every block changed."""
        high, wide = map(int, self.args[:2])
        blocks = (change(b) for row in self.rows for b in row)
        return Blocks(high, wide, *self.sizes[0], *self.sizes[1], *blocks)

    def turned(self) -> Blocks:
        """The transposed matrix."""
        blocks = (transposed(b) if b != 0 else b for column in zip(*self.rows, strict=True) for b in column)
        return Blocks(*reversed(self.args[:2]), *self.sizes[1], *self.sizes[0], *blocks)


def cut(v: sp.Expr, sizes: tuple[sp.Expr, ...]) -> list[sp.Expr]:
    """The parts of a vector that have these sizes."""
    if len(sizes) == 1:
        return [v]
    low, found = sp.Integer(0), []
    for size in sizes:
        found.append(Part(v, low, low + size))
        low = low + size
    return found


@checked
def D(what: Any, by: Any, *fixed: Any) -> sp.Expr:
    """A derivative: of a loss L[...] or of a quantity, by a quantity; total, or with some held fixed."""
    held = tuple(f for group in fixed for f in (group if isinstance(group, tuple) else (group,)))
    top = expression(what)
    made = (Label if isinstance(top, LossFrom) else Local)(top, expression(by), *map(expression, held))
    return Written(made)


@checked
def diag(v: Any) -> sp.Expr:
    """The matrix with v on its diagonal: ``diag(1 - h**2) @ U``; ``diag(1)`` is the identity."""
    return Written(Diag(expression(v)))


def later(expr: sp.Expr, steps: int) -> sp.Expr:
    """An expression of a claim ``steps`` later."""
    moved = {node: node.shifted(steps) for node in expr.atoms(sp.Symbol) if hasattr(node, "shifted")}
    return expr.xreplace(moved) if steps else expr
