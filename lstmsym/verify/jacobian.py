"""The derivative of one quantity by another, known by what it does to a gradient on its way back."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier
from lstmsym.verify.losses import check_quantities, shown
from lstmsym.verify.pullback import ARRIVING, entrywise, gradient_of, pulled_from
from lstmsym.verify.system import System
from lstmsym.verify.words import Columns, Diag, Through


@dataclass(frozen=True)
class Jacobian:
    """A derivative as a map: ``back`` is what `ARRIVING`, a gradient of the one, becomes at the other.

    ``entries`` is the derivative itself where a number, a vector or a matrix of its own can hold it;
    ``shape`` is then theirs, and otherwise that of the Jacobian.
    """

    system: System
    back: sp.Expr
    shape: Shape
    entries: sp.Expr | None

    @property
    def diagonal(self) -> bool:
        """Whether the k-th entry of the one depends on the k-th of the other alone."""
        return len(self.shape) == 1 and entrywise(self.back, ARRIVING)

    def times(self, v: sp.Expr, flip: bool) -> sp.Expr:
        """The Jacobian, or its transpose, times a vector."""
        if self.entries is None and flip:
            return self.back.xreplace({ARRIVING: v})
        if self.entries is None:
            return self._forward(v)
        if len(self.shape) < 2:
            return self.entries * v
        alike = shape_of(self.entries, lambda ref: self.system.shapes[ref.base], Unifier()) == ()
        matrix = N.Spread(self.entries, *self.shape) if alike else self.entries
        return N.Dot(N.transposed(matrix) if flip else matrix, v)

    @property
    def written(self) -> sp.Expr | None:
        """The derivative as a page has it: its entries or a product of matrices, where there is one."""
        return _matrix(self.back) if self.entries is None else self.entries

    def _forward(self, v: sp.Expr) -> sp.Expr:
        """How the one moves with the other along v: the gradient of ``v * back`` by `ARRIVING`."""
        direction = Ref("direction")
        mine, other = ((size,) for size in self.shape)
        shapes = {**self.system.shapes, ARRIVING.base: mine, direction.base: other}
        return gradient_of(N.Sum(direction * self.back), ARRIVING, shapes).xreplace({direction: v})


def jacobian(node: sp.Expr, what: sp.Expr, mine: Shape, system: System) -> Jacobian:
    """The derivative of a quantity (`Local`); ``what`` is the quantity written out, ``mine`` its shape.

    Raises:
        NotationError: it cannot be found, or not be written in two indices.
    """
    _, by, *held = node.args
    check_quantities(node, system)
    _check_expression(node, what, system)
    _check_parameter(node, what, by, held, system)
    other = system.shapes[by.base]
    back = _back(node, what, mine, system)
    if back == 0:
        return Jacobian(system, back, (), back)
    if mine == ():
        return Jacobian(system, back, other, back.xreplace({ARRIVING: sp.Integer(1)}))
    if other == ():
        entries = gradient_of(back, ARRIVING, {**system.shapes, ARRIVING.base: mine})
        return Jacobian(system, back, mine, entries)
    if mine == other and entrywise(back, ARRIVING):
        return Jacobian(system, back, mine, back.xreplace({ARRIVING: sp.Integer(1)}))
    if len(mine) == len(other) == 1:
        return Jacobian(system, back, (*mine, *other), None)
    raise NotationError(f"{shown(node)} has more than two indices, which cannot be written")


def _back(node: sp.Expr, what: sp.Expr, mine: Shape, system: System) -> sp.Expr:
    """What a gradient becomes; the other arguments of the step are given, if there is a path beside them."""
    _, by, *held = node.args
    arguments = [] if isinstance(node, Through) else _arguments(what, by, system)
    back = pulled_from(system, what, by, mine, [*held, *arguments])
    return pulled_from(system, what, by, mine, held) if back == 0 and arguments else back


def _arguments(what: sp.Expr, by: Ref, system: System) -> list[Ref]:
    """The states that, beside an earlier one, are arguments of the step after it."""
    states = [q.name for q in system.cell.role("state")]
    last = max((ref.lag or 0 for ref in what.atoms(Ref)), default=0)
    if by.base not in states or by.lag is None or last <= by.lag:
        return []
    return [Ref(state, by.lag) for state in states if state != by.base]


def _check_expression(node: sp.Expr, what: sp.Expr, system: System) -> None:
    """Refuse what is not in the cell's own quantities, whose dependence alone is known here."""
    if what.has(N.Total):
        raise NotationError(f"{shown(node)}: a sum over the steps is no quantity at a step")
    for ref in sorted(what.atoms(Ref), key=str):
        if ref.base not in system.cell.by_name and ref.base not in system.forward:
            raise NotationError(f"{shown(node)}: {ref} is itself a gradient, and is not differentiated again")


def _check_parameter(node: sp.Expr, what: sp.Expr, by: Ref, held: list[Ref], system: System) -> None:
    """Refuse a derivative by a parameter that reaches back through earlier steps."""
    lags = {ref.lag for ref in what.atoms(Ref) if ref.lag is not None}
    if by.lag is not None or not lags:
        return
    earlier = [Ref(q.name, min(lags) - 1) for q in system.cell.role("state")]
    free = [str(ref) for ref in earlier if ref not in held]
    if free or len(lags) > 1:
        raise NotationError(
            f"{shown(node)}: it depends on {by} through earlier steps too; hold {', '.join(free)} fixed"
        )


def _matrix(back: sp.Expr) -> sp.Expr | None:
    """The matrix, if there is a short one, whose transpose takes `ARRIVING` to an expression."""
    if isinstance(back, sp.Add):
        terms = [_matrix(term) for term in back.args]
        return None if None in terms else sp.Add(*terms)
    if isinstance(back, sp.Mul):
        (inner,) = (f for f in back.args if f.has(ARRIVING))
        return _product(inner, Diag(back / inner))
    if isinstance(back, N.Dot):
        return _product(back.args[1], N.transposed(back.args[0]))
    if isinstance(back, N.Part):
        whole = _matrix(back.args[0])
        return None if whole is None else Columns(whole, *back.args[1:])
    return None


def _product(inner: sp.Expr, last: sp.Expr) -> sp.Expr | None:
    """What an inner expression's matrix is, times another."""
    if inner == ARRIVING:
        return last
    first = _matrix(inner)
    return None if first is None else N.Dot(first, last)
