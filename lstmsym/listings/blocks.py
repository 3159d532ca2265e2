"""A matrix that is assigned by some rows or columns at a time: parts of a sum, with zeros around."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Array
from lstmsym.listings.findings import Part
from lstmsym.listings.keys import key_of
from lstmsym.listings.names import Names
from lstmsym.listings.slices import bounds, is_full, rank
from lstmsym.listings.steps import place


@dataclass
class Matrix:
    """The parts of a matrix, and from where to where along its rows or columns each is."""

    parts: list[Part] = field(default_factory=list)
    ranges: list[tuple[sp.Expr, sp.Expr]] = field(default_factory=list)

    def take(self, part: Part, low: sp.Expr, high: sp.Expr) -> None:
        """One more part; what is assigned anew replaces what stood there."""
        kept = [i for i, r in enumerate(self.ranges) if (low, high) != r]
        added = isinstance(part.statement, ast.AugAssign)
        self.parts = [*(self.parts if added else [self.parts[i] for i in kept]), part]
        self.ranges = [*(self.ranges if added else [self.ranges[i] for i in kept]), (low, high)]

    def whole(self, size: sp.Expr) -> bool:
        """Whether the parts cover it, from the first row or column to the last."""
        at: sp.Expr = sp.Integer(0)
        for low, high in sorted(set(self.ranges), key=lambda r: rank(r[0])):
            if sp.expand(low - at) != 0:
                return False
            at = high
        return sp.expand(at - size) == 0


def block(names: Names, target: ast.expr, value: object) -> tuple[Array, sp.Expr, sp.Expr, sp.Expr] | None:
    """(rows or columns with zeros around them, from, to, of how many), if it is a part of a matrix."""
    key = key_of(target.value) if isinstance(target, ast.Subscript) else None
    if not isinstance(value, Array) or value.form != "ff" or not key or not isinstance(target, ast.Subscript):
        return None
    indices = place(target, names.scope)[1]
    of = next((f for f in names.gradients.family(key) if len(names.truth.dims(f)) == 2), None)
    taken = [axis for axis, i in enumerate(indices) if isinstance(i, ast.Slice) and not is_full(i)]
    if of is None or len(taken) != 1 or not all(isinstance(i, ast.Slice) for i in indices):
        return None
    (axis,) = taken
    size = names.truth.dims(of)[axis]
    low, end = bounds(indices[axis], names.size)  # type: ignore[arg-type]
    high = size if end is None else end
    made = _padded(value.expr, axis, low, sp.expand(size - high))
    return None if made is None else (replace(value, expr=made, dims=names.truth.dims(of)), low, high, size)


def _padded(expr: sp.Expr, axis: int, low: sp.Expr, after: sp.Expr) -> sp.Expr | None:
    """Outer products with zeros around one of their factors."""
    if isinstance(expr, N.Outer):
        u, v = expr.args
        return N.Outer(u, N.Pad(v, low, after)) if axis else N.Outer(N.Pad(u, low, after), v)
    if isinstance(expr, sp.Add):
        terms = [_padded(t, axis, low, after) for t in expr.args]
        return None if any(t is None for t in terms) else sp.Add(*terms)
    if isinstance(expr, sp.Mul):
        inner = [f for f in expr.args if not f.is_number]
        made = _padded(inner[0], axis, low, after) if len(inner) == 1 else None
        return None if made is None else made * sp.Mul(*(f for f in expr.args if f.is_number))
    return None
