"""Both sides of a claim in the cell's own quantities and gradients: derivatives written out.

A Jacobian is never made: it is known by what it does to a vector.  Where a claim equates matrices
with derivatives or diagonals in them, both sides, transposed, are applied to one vector of which
nothing is known; they are equal exactly if the results are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, ShapeError, Unifier, plain
from lstmsym.verify.jacobian import Jacobian, jacobian
from lstmsym.verify.losses import chain_sum, loss_derivative, shown
from lstmsym.verify.system import System
from lstmsym.verify.words import Blocks, ChainSum, Columns, Diag, Label, Local, LossFrom, cut, later

MAPS = (Local, Diag, Columns, Blocks)
"""Operations that may stand for a matrix known by what it does to a vector."""

MIXES = "{} is a matrix: multiply by it with @, or hold fixed what lies between"


def sides(left: sp.Expr, right: sp.Expr, system: System, share: bool = False) -> tuple[sp.Expr, sp.Expr]:
    """Both sides of an equation written out; of ``share`` the right one summed over the steps.

    A claim holds at every step: one that speaks of earlier ones is moved to where the derivation
    begins.

    Raises:
        NotationError: a derivative that cannot be written out.
        ShapeError: matrices that do not fit.
    """
    left, right = _both(left, right, system, share)
    steps = _early(system, left, right)
    return later(left, steps), later(right, steps)


def advance(left: sp.Expr, right: sp.Expr, system: System, share: bool = False) -> int:
    """How many steps later `sides` has an equation than it stands."""
    return _early(system, *_both(left, right, system, share))


def _both(left: sp.Expr, right: sp.Expr, system: System, share: bool) -> tuple[sp.Expr, sp.Expr]:
    """Both sides written out, where they stand."""
    right = N.Total(right) if share else right
    written = _Written(system, _horizon(left, right))
    if written.is_map(left) or written.is_map(right):
        size = written.common_shape(left, right) or system.cell.role("state")[0].shape  # identities fit any
        probe = _probe(size[0], left + right, system)
        left, right = (written.times(e, probe, flip=True) for e in (left, right))
    else:
        left, right = written(left), written(right)
    return left, right


def written_out(expr: sp.Expr, system: System) -> sp.Expr | None:
    """One expression as a reader has it written out, or None for a matrix without a short form.

    Raises:
        NotationError: a derivative that cannot be written out.
    """
    written = _Written(system, _horizon(expr))
    return written.jacobian(expr).written if isinstance(expr, Local) else written(expr)


def _probe(size: sp.Expr, claim: sp.Expr, system: System) -> sp.Expr:
    """A vector of which nothing is known; one of the height of blocks has a part for each of them."""
    whole = system.probe((size,))
    if whole.base in system.shapes:
        return whole
    layouts = (sizes for blocks in claim.atoms(Blocks) for sizes in blocks.sizes)
    found = next((sizes for sizes in layouts if plain(sp.Add(*sizes)) == size), (size,))
    return N.concat(*(system.probe((part,), number) for number, part in enumerate(found)))


def shape_before(expr: sp.Expr, system: System) -> Shape:
    """The shape of an expression before it is written out.

    Raises:
        NotationError: it has none.
        ShapeError: parts of it do not fit.
    """
    return _Written(system, 0).shape(expr)


def is_probed(expr: sp.Expr, system: System) -> bool:
    """Whether an expression is that of a matrix applied to a vector."""
    return any(ref.base in system.probes and system.shapes[ref.base] for ref in expr.atoms(Ref))


def is_zero(derivative: sp.Expr, system: System) -> bool:
    """Whether a derivative is zero because no path leads to the quantity.

    Raises:
        NotationError: it cannot be written out.
    """
    written = _Written(system, 0)
    found = written.jacobian(derivative).back if isinstance(derivative, Local) else written(derivative)
    return bool(found == 0)


def _horizon(*exprs: sp.Expr) -> int:
    """The last step whose loss stands for itself in the expressions, not in a derivative."""
    return max((loss.lag or 0 for expr in exprs for loss in _stand(expr)), default=0)


def _stand(expr: sp.Expr) -> set[LossFrom]:
    """The losses that stand for themselves, not in a derivative."""
    if isinstance(expr, LossFrom):
        return {expr}
    found: set[LossFrom] = set()
    return found if isinstance(expr, Label) else found.union(*map(_stand, expr.args))


def _early(system: System, *exprs: sp.Expr) -> int:
    """Steps by which a claim is to be moved so that all in it but states is at t or later."""
    if any(expr.has(N.Total) for expr in exprs):
        return 0
    states = {q.name for q in system.cell.role("state")}
    named = {*system.forward, *system.backward} - states
    lags = [r.lag for e in exprs for r in e.atoms(Ref) if r.base in named and r.lag is not None]
    return max(0, -min(lags, default=0))


class _Written:
    """Writes out the expressions of one claim; L[t + horizon] is the last loss it speaks of.

    What differs by operation is a method with its name: ``write_`` for the expression, ``times_`` for a
    matrix times a vector, ``shape_``.
    """

    def __init__(self, system: System, horizon: int) -> None:
        self.system, self.horizon = system, horizon

    def is_map(self, expr: sp.Expr) -> bool:
        """Whether an expression is a matrix known only by what it does to a vector."""
        rank = len(self.shape(expr)) if expr.has(*MAPS) else 1
        if rank == 1 or (rank == 0 and not expr.has(Diag)):  # diag(1) has any size
            return False
        derivatives = (self.jacobian(node).entries for node in expr.atoms(Local))
        return expr.has(Diag, Columns, Blocks) or any(entries is None for entries in derivatives)

    def method(self, kind: str, expr: sp.Expr) -> Callable[..., Any] | None:
        """The method for the operation that an expression is, or is a kind of."""
        found = (getattr(self, f"{kind}_{cls.__name__}", None) for cls in type(expr).__mro__)
        return next((method for method in found if method), None)

    def __call__(self, expr: sp.Expr) -> sp.Expr:
        """An expression, its derivatives written out."""
        method = self.method("write", expr)
        if method:
            written: sp.Expr = method(expr)
            return written
        args = [self(a) for a in expr.args]
        return expr if tuple(args) == expr.args else expr.func(*args)

    def write_Label(self, expr: sp.Expr) -> sp.Expr:
        return loss_derivative(expr, self.system)

    def write_ChainSum(self, expr: sp.Expr) -> sp.Expr:
        return chain_sum(expr, self.system)

    def write_LossFrom(self, expr: LossFrom) -> sp.Expr:
        """The losses up to the horizon, and a number of which nothing is known for the rest."""
        name = self.system.cell.loss
        if name is None:
            raise NotationError(f"{expr}: the cell has no loss")
        if expr.lag is None:
            return N.Total(Ref(name, 0))
        steps = range(expr.lag, self.horizon)
        return sp.Add(*(Ref(name, s) for s in steps), self.system.probe(()))

    def write_Total(self, expr: sp.Expr) -> sp.Expr:
        """A sum over the steps, at each of which the losses to come are others."""
        if _stand(expr.args[0]):
            raise NotationError(f"{shown(expr)}: a sum over the steps of the loss from a step on is not read")
        return N.Total(self(expr.args[0]))

    def write_Local(self, expr: sp.Expr) -> sp.Expr:
        """The entries of a derivative."""
        found = self.jacobian(expr)
        if found.entries is None:
            raise NotationError(MIXES.format(shown(expr)))
        return found.entries

    def write_Diag(self, expr: sp.Expr) -> sp.Expr:
        raise NotationError(f"{expr} is a matrix: multiply by it with @")

    write_Columns = write_Blocks = write_Diag

    def write_Dot(self, expr: sp.Expr) -> sp.Expr:
        """A product; with a matrix known by what it does, what it does."""
        matrix, v = expr.args
        return self.times(matrix, self(v)) if matrix.has(*MAPS) else N.Dot(self(matrix), self(v))

    def jacobian(self, expr: sp.Expr) -> Jacobian:
        """The derivative of one quantity by another."""
        known = self.system.jacobians
        if expr not in known:
            if expr.args[0].has(LossFrom):
                raise NotationError(f"{shown(expr)}: of a loss, L[...] alone is differentiated")
            what = self(expr.args[0])
            known[expr] = jacobian(expr, what, self.shape(what), self.system)
        found: Jacobian = known[expr]
        return found

    # -- matrices, by what they do to a vector ---------------------------------------------------------

    def times(self, matrix: sp.Expr, v: sp.Expr, flip: bool = False) -> sp.Expr:
        """The product of a matrix, transposed if ``flip``, with a vector that is written out already."""
        method = self.method("times", matrix)
        if method:
            product: sp.Expr = method(matrix, v, flip)
            return product
        if matrix.has(*MAPS):
            raise NotationError(f"{shown(matrix)} cannot be read as a matrix")
        if matrix.is_number and matrix != 0:
            raise NotationError(f"{matrix} is no matrix: write diag(...)")
        if matrix == 0:
            return sp.Integer(0)
        made = self(matrix)
        return N.Dot(N.transposed(made) if flip else made, v)

    def times_Local(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        return self.jacobian(matrix).times(v, flip)

    def times_Diag(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        return self(matrix.args[0]) * v

    def times_Transposed(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        return self.times(matrix.args[0], v, not flip)

    def times_Dot(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        first, second = matrix.args if flip else matrix.args[::-1]
        return self.times(second, self.times(first, v, flip), flip)

    def times_Outer(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        left, right = map(self, matrix.args[::-1] if flip else matrix.args)
        return left * N.Sum(right * v)

    def times_Total(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        """A sum over the steps; the vector is the same at each."""
        if any(ref.lag is not None for ref in v.atoms(Ref)):
            raise NotationError("a sum over the steps times a quantity at a step is not written out")
        return N.Total(self.times(matrix.args[0], v, flip))

    def times_Add(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        return sp.Add(*(self.times(a, v, flip) for a in matrix.args))

    def times_Mul(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        """Numbers times one matrix; or times several, entry by entry."""
        matrices = [f for f in matrix.args if self.shape(f) != () or isinstance(f, Diag)]
        numbers = [f for f in matrix.args if f not in matrices]
        scale = sp.Mul(*(self(f) for f in numbers))
        if len(matrices) == 1:
            return scale * self.times(matrices[0], v, flip)
        if matrix.has(*MAPS) or not matrices:
            raise NotationError(f"{shown(matrix)} cannot be read as a matrix: matrices are multiplied with @")
        made = sp.Mul(*map(self, matrices))
        return scale * N.Dot(N.transposed(made) if flip else made, v)

    def times_Columns(self, matrix: sp.Expr, v: sp.Expr, flip: bool) -> sp.Expr:
        """Some columns take part with some entries of a vector, or give some."""
        whole, low, high = matrix.args
        size = self.shape(whole)[1]
        high = size if high == N.End else high
        if flip:
            return N.Part(self.times(whole, v, flip), low, high)
        zeros = [N.Spread(sp.Integer(0), width) if width != 0 else None for width in (low, size - high)]
        parts = [part for part in (zeros[0], v, zeros[1]) if part is not None]
        return self.times(whole, N.concat(*parts))

    def times_Blocks(self, matrix: Blocks, v: sp.Expr, flip: bool) -> sp.Expr:
        """Each row of blocks times the parts of a vector."""
        whole = matrix.turned() if flip else matrix
        parts = cut(v, whole.sizes[1])
        found = []
        for size, row in zip(whole.sizes[0], whole.rows, strict=True):
            total = sp.Add(*(self.times(b, p) for b, p in zip(row, parts, strict=True)))
            found.append(total if total != 0 else N.Spread(total, size))
        return N.concat(*found)

    # -- shapes ----------------------------------------------------------------------------------------

    def common_shape(self, left: sp.Expr, right: sp.Expr) -> Shape:
        """The shape of two matrices; a derivative entry by entry is one on the diagonal, zero any."""
        shapes = [self.shape(e) for e in (left, right)]
        found: Shape = max(shapes, key=len)
        found = found * 2 if len(found) == 1 else found
        if not found:
            raise NotationError("nothing says how large the diagonal matrix is")
        for expr, shape in zip((left, right), shapes, strict=True):
            diagonal = expr.has(Local) and shape * 2 == found
            any_size = shape == () and (expr.has(Diag) or self(expr).is_number)
            if not (shape == found or diagonal or any_size):
                raise ShapeError(shapes[0], shapes[1], "two matrices of one shape are compared")
        if not found:
            raise NotationError("the identity alone has no size")
        return found

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of an expression before it is written out."""
        method = self.method("shape", expr) if expr.has(LossFrom, Label, ChainSum, *MAPS) else None
        if method:
            shape: Shape = method(expr)
            return shape
        return shape_of(self(expr), self.known, Unifier())

    def known(self, ref: Ref) -> Shape:
        """The shape of a reference."""
        if ref.base not in self.system.shapes:
            raise NotationError(f"{ref} is no quantity of the cell")
        return self.system.shapes[ref.base]

    def shape_Local(self, expr: sp.Expr) -> Shape:
        return self.jacobian(expr).shape

    def shape_Diag(self, expr: sp.Expr) -> Shape:
        return self.shape(expr.args[0]) * 2

    def shape_Columns(self, expr: sp.Expr) -> Shape:
        matrix, low, high = expr.args
        rows, size = self.shape(matrix)
        return rows, (size if high == N.End else high) - low

    def shape_Blocks(self, expr: Blocks) -> Shape:
        return tuple(plain(sp.Add(*sizes)) for sizes in expr.sizes)

    def shape_Transposed(self, expr: sp.Expr) -> Shape:
        return self.shape(expr.args[0])[::-1]

    def shape_Total(self, expr: sp.Expr) -> Shape:
        return self.shape(expr.args[0])

    def shape_Dot(self, expr: sp.Expr) -> Shape:
        left, right = map(self.shape, expr.args)
        if len(left) == 1 and len(right) == 2 and not expr.args[0].has(Local):
            raise ShapeError(left, right, "the left side of @ is a matrix")
        return (left[0], *right[1:]) if left else right

    def shape_Add(self, expr: sp.Expr) -> Shape:
        return max(map(self.shape, expr.args), key=len)

    def shape_Mul(self, expr: sp.Expr) -> Shape:
        shapes = {factor: self.shape(factor) for factor in expr.args}
        if {1, 2} <= set(map(len, shapes.values())):
            raise NotationError(MIXES.format(self._first_matrix(shapes)))
        return max(shapes.values(), key=len)

    def _first_matrix(self, shapes: dict[sp.Expr, Shape]) -> str:
        return min(shown(factor) for factor, shape in shapes.items() if len(shape) == 2)
