"""The sizes of a forward pass as a cell has them: n units, m inputs, others as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import chain, count

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Algebra
from lstmsym.listings.lines import Lines
from lstmsym.listings.slices import rank
from lstmsym.notation import Ref, Size
from lstmsym.shapes import ShapeError


def sizes(lines: Lines, states: Iterable[str], inputs: Iterable[Ref]) -> dict[sp.Symbol, sp.Expr]:
    """Unknown sizes -> the sizes of the cell."""
    found: dict[sp.Symbol, sp.Expr] = {}
    spare = chain([N.k, N.p], (Size(f"q{i}") for i in count(1)))
    unifier = lines.algebra.unifier

    def give(dims: tuple[sp.Expr, ...], size: sp.Expr | None) -> None:
        for dim in unifier.resolve(dims):
            if size is not None and dim.atoms(sp.Dummy):
                with suppress(ShapeError):
                    unifier.same((dim,), (size,), "")
                continue
            for unknown in sorted(dim.atoms(sp.Dummy), key=lambda d: d.dummy_index):
                found[unknown] = found.get(unknown) or next(spare)

    for name in states:
        give(lines.dims(name), N.n)
    for ref in inputs:
        give(lines.dims(ref.base), N.m)
    _ends(lines)
    for equation in lines.run.equations:
        give(equation.dims, None)
    read = {r.base for r in lines.read()}
    for key, (_, dims) in lines.algebra.types.items():
        if key in read:
            give(dims, None)
    return found


def _ends(lines: Lines) -> None:
    """An array of which nothing says how long it is ends where its last slice ends."""
    resolve = lines.algebra.unifier.resolve
    for name in lines.exprs:
        dims = resolve(lines.dims(name))
        parts = {p for x in lines.exprs.values() for p in x.atoms(N.Part) if p.args[0] == Ref(name, 0)}
        highs = [resolve((p.args[2],))[0] for p in parts if p.args[2] != N.End]
        if len(dims) == 1 and isinstance(dims[0], sp.Dummy) and highs:
            last = max(highs, key=rank)
            if dims[0] not in last.free_symbols:
                lines.algebra.same(dims, (last,), "a slice")


def resized(expr: sp.Expr, algebra: Algebra, known: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """An expression with its unknown sizes replaced by the cell's."""
    ours = {d: sp.expand(algebra.unifier.resolve((d,))[0].xreplace(known)) for d in expr.atoms(sp.Dummy)}
    expr = expr.xreplace(ours)
    bounds = {
        node: node.func(node.args[0], *(b if b == N.End else sp.expand(b) for b in node.args[1:]))
        for node in expr.atoms(N.Part, N.Pad)
    }
    return expr.xreplace({k: v for k, v in bounds.items() if k != v})
