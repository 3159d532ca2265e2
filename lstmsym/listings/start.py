"""What the forward pass has left, in the cell's names and sizes: the backward pass begins with it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any

import sympy as sp

from lstmsym.listings.arrays import Algebra, Array, Pieces
from lstmsym.listings.building import Forward
from lstmsym.listings.scope import ZERO, Scope
from lstmsym.notation import Ref


def left_by(forward: Forward, known: Container[str]) -> Scope:
    """Names and series; zeros under the name of one of the ``known`` quantities only begin it."""
    old = forward.scope
    zeros = [k for k, v in old.names.items() if v is ZERO]
    begun = {k for k in zeros if getattr(forward.rename.get(Ref(k)), "base", "") in known}
    return Scope(
        {k: _ours(v, forward) for k, v in old.names.items() if k not in begun},
        {k: {lag: _ours(v, forward) for lag, v in s.items()} for k, s in old.series.items() if s},
        dict(old.offsets),
        sizes={k: sized((v,), forward)[0] for k, v in old.sizes.items()},
        past=set(old.past),
    )


def algebra_of(forward: Forward) -> Algebra:
    """The forms and sizes of names, in the cell's sizes."""
    types = {key: (form, sized(dims, forward)) for key, (form, dims) in forward.algebra.types.items()}
    return Algebra(forward.algebra.layout, types=types)


def sized(dims: tuple[sp.Expr, ...], forward: Forward) -> tuple[sp.Expr, ...]:
    """Sizes of the cell for those of the forward pass."""
    known = forward.algebra.unifier.resolve(dims)
    return tuple(sp.expand(d.xreplace(dict(forward.sizes))) for d in known)


def _ours(value: Any, forward: Forward) -> Any:
    """A forward value in the cell's names and sizes."""
    if value is ZERO:
        return value
    if isinstance(value, Array):
        expr = value.expr.xreplace({r: forward.rename.get(r, r) for r in value.expr.atoms(Ref)})
        known = {d: sized((d,), forward)[0] for d in expr.atoms(sp.Dummy)}
        return replace(value, expr=expr.xreplace(known), dims=sized(value.dims, forward))
    if isinstance(value, list):
        return [_ours(v, forward) for v in value]
    if isinstance(value, Pieces):

        def size(s: Any) -> Any:
            return None if s is None else sized((sp.sympify(s),), forward)[0]

        return Pieces(tuple((size(a), size(b), _ours(v, forward)) for a, b, v in value.parts))
    return value


def shifted(value: Any, steps: int) -> Any:
    """A value so many steps later."""
    if isinstance(value, Pieces):
        return Pieces(tuple((a, b, shifted(v, steps)) for a, b, v in value.parts))
    if isinstance(value, list):
        return [shifted(v, steps) for v in value]
    if not isinstance(value, Array):
        return value
    return replace(value, expr=value.expr.xreplace({r: r.shifted(steps) for r in value.expr.atoms(Ref)}))
