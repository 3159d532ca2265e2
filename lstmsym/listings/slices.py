"""Slices of arrays: their bounds in sizes, and the features, rows, columns or pieces that they leave."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.around import is_size
from lstmsym.listings.arrays import Algebra, Array, Block, Misfit, Pieces
from lstmsym.listings.keys import key_of
from lstmsym.listings.source import ListingError

Sizes = Callable[[str], sp.Expr]
"""A size by its name."""
Bounds = tuple[sp.Expr, sp.Expr | None]
"""From and to, in sizes; to the end is None."""


def is_full(index: ast.AST) -> bool:
    """``:`` alone."""
    return isinstance(index, ast.Slice) and index.lower is None and index.upper is None


def bounds(index: ast.Slice, size: Sizes) -> Bounds:
    """From and to."""
    if index.step is not None:
        raise ListingError("a slice with a step is not read")
    low = size_of(index.lower, size) if index.lower is not None else sp.Integer(0)
    return low, size_of(index.upper, size) if index.upper is not None else None


def feature_bounds(indices: list[ast.expr], size: Sizes) -> Bounds | None:
    """From and to along the features, where indices choose some of them; whole axes choose all."""
    for index in indices:
        if isinstance(index, ast.Slice) and not is_full(index):
            return bounds(index, size)
        if isinstance(index, ast.Constant) and isinstance(index.value, int) and len(indices) > 1:
            return sp.Integer(index.value), sp.Integer(index.value + 1)
    return None


def size_of(node: ast.AST, size: Sizes) -> sp.Expr:
    """A size: a number, a name, or a sum or product of them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) < 10**6:
        return sp.Integer(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -size_of(node.operand, size)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
        a, b = size_of(node.left, size), size_of(node.right, size)
        return a + b if isinstance(node.op, ast.Add) else a - b if isinstance(node.op, ast.Sub) else a * b
    key = key_of(node)
    if key is None and not is_size(node):  # type: ignore[arg-type]
        raise ListingError("a bound of a slice that is no size")
    return size(key or ast.unparse(node))


def along(algebra: Algebra, a: Array, axis: int, between: Bounds, lenient: bool) -> Array:
    """One slice along an axis; of the samples, if ``lenient``, with a note that some are left out."""
    if a.form == "ff":
        return _block(a, axis, *between)
    if a.form and a.form[axis] == "s":
        if not lenient:
            raise Misfit("a slice of the samples and not of the features")
        return replace(a, notes=(*a.notes, "samples"))
    return algebra.part(a, *between)


def _block(a: Array, axis: int, low: sp.Expr, high: sp.Expr | None) -> Array:
    """Some rows or columns of a matrix."""
    size = a.dims[axis]
    end = size if high is None else high
    dims = (end - low, a.dims[1]) if axis == 0 else (a.dims[0], end - low)
    inner = a.expr if axis == 1 else N.transposed(a.expr)
    made = Block(inner, low, end, size)
    return replace(a, expr=made if axis == 1 else N.transposed(made), dims=dims)


def whole(algebra: Algebra, value: Pieces) -> Array:
    """Pieces in the order in which they stand."""
    parts = _in_order(value)
    if not parts:
        raise ListingError("a value of which nothing has been assigned")
    return algebra.joined([a for _, _, a in parts], None, "append")


def covered(algebra: Algebra, value: Pieces, between: Bounds) -> Array:
    """The pieces inside a slice of what was assigned piece by piece, which must cover it."""
    low, high = between
    inside: list[Array] = []
    at: sp.Expr | None = low
    for start, end, a in _in_order(value):
        if end is not None and rank(end) <= rank(at):
            continue
        if rank(start) > rank(at) or (high is not None and rank(start) >= rank(high)):
            break
        stop = high if high is not None and rank(high) <= rank(end) else end
        exact = start == at and stop == end
        inside.append(a if exact else algebra.part(a, at - start, None if stop == end else stop - start))
        at = stop
        if at is None or at == high:
            break
    if not inside or (high is not None and at != high):
        raise Misfit("a slice of which not all has been assigned")
    return algebra.joined(inside, None, "append") if len(inside) > 1 else inside[0]


def without(value: Pieces, low: sp.Expr, high: sp.Expr | None) -> tuple[Any, ...]:
    """The pieces that are left when all from ``low`` up to ``high`` is assigned anew."""
    return tuple(p for p in value.parts if not rank(low) <= rank(p[0]) < rank(high))


def _in_order(value: Pieces) -> list[tuple[sp.Expr, sp.Expr | None, Array]]:
    return sorted(value.parts, key=lambda p: rank(p[0]))


def rank(size: Any) -> float:
    """A number by which sizes are ordered: every unknown is a hundred."""
    if size is None:
        return float("inf")
    expr = sp.sympify(size)
    return float(expr.subs({s: 100 + 0.001 * i for i, s in enumerate(sorted(expr.free_symbols, key=str))}))
