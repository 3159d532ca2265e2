"""A cell that is not in the listing: its names, as they are or as listings usually have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.listings.arrays import Algebra, Array
from lstmsym.listings.building import Forward
from lstmsym.listings.naming import resolve
from lstmsym.listings.scope import Scope
from lstmsym.notation import Ref


@dataclass(frozen=True)
class Called:
    """What a listing's names are said to be: quantities of the cell, or gradients of them."""

    quantities: Mapping[str, Ref] = field(default_factory=dict)
    gradients: Mapping[str, Ref] = field(default_factory=dict)


NOTHING_SAID = Called()


def stackings(cell: Cell) -> list[Cell]:
    """The cell with its inputs stacked as it has them, and the other way round: a matter of columns."""

    def turn(expr: sp.Expr) -> sp.Expr:
        return expr.xreplace({node: N.concat(*reversed(node.args)) for node in expr.atoms(N.Concat)})

    turned = tuple(replace(e, expr=turn(e.expr)) for e in cell.equations)
    return [cell] if turned == cell.equations else [cell, replace(cell, equations=turned)]


def _aliases(cell: Cell, names: set[str]) -> dict[str, str]:
    """Other names that listings give to a cell state and to the stacked inputs."""
    own = {q.name for q in cell.quantities}
    words = {"c": ("s", "C", "cell", "c_t"), "s": ("c", "C", "cell", "c_t"), "h": ("a", "H")}
    found: dict[str, str] = {}
    for q in cell.role("state"):
        for other in words.get(q.name, ()):
            if other not in own and other in names:
                found.setdefault(other, q.name)
    return found


STACKED = ("xc", "x_c", "z", "concat", "hx", "xh", "zt", "Z", "X", "v")


def _stacked(cell: Cell, names: set[str], vector: str) -> dict[str, object]:
    """What a listing may call the stacked inputs, where the cell calls them otherwise."""
    own = {q.name for q in cell.quantities}
    found = {node for e in cell.equations for node in e.expr.atoms(N.Concat)}
    if len(found) != 1:
        return {}
    (node,) = found
    size = sp.Add(*(cell.by_name[r.base].shape[0] for r in node.args if isinstance(r, Ref)))
    return {
        other: Array(node, vector, (size,))
        for other in STACKED
        if other in names and resolve(other, own) is None
    }


def given(cell: Cell, layout: str, names: set[str], called: Called = NOTHING_SAID) -> Forward:
    """A cell that is not in the listing, its names as they are, as is said, or as is usual."""
    algebra = Algebra(layout)
    rename: dict[Ref, Ref] = {}
    shown: dict[Ref, str] = {}
    for q in cell.quantities:
        if q.role == "loss":
            continue
        form = "ff" if len(q.shape) == 2 else algebra.vector if q.shape else ""
        algebra.types[q.name] = (form, q.shape)
        lag = None if q.constant else 0
        rename[Ref(q.name)] = rename[Ref(q.name, 0)] = Ref(q.name, lag)
        shown[Ref(q.name, lag)] = q.name
        if q.role == "state":
            algebra.types[f"{q.name}_prev"] = (form, q.shape)
            rename[Ref(f"{q.name}_prev")] = rename[Ref(q.name, -1)] = Ref(q.name, -1)
            shown[Ref(q.name, -1)] = f"{q.name}_prev"
    for other, name in _aliases(cell, names).items():
        for suffix in ("", "_prev"):
            if f"{name}{suffix}" in algebra.types:
                algebra.types[f"{other}{suffix}"] = algebra.types[f"{name}{suffix}"]
                rename[Ref(f"{other}{suffix}")] = rename[Ref(f"{name}{suffix}")]
                shown[rename[Ref(f"{name}{suffix}")]] = f"{other}{suffix}"
    for other, ref in _said(cell, called.quantities).items():
        if ref.lag == -1:
            rename[Ref(other)] = ref
        else:
            lags = ((None, ref), (0, ref), (-1, ref.shifted(-1))) if ref.lag == 0 else ((None, ref),)
            rename |= {Ref(other, lag): to for lag, to in lags}
        algebra.types[other] = algebra.types[ref.base]
        shown[ref] = other
    said = _said(cell, called.gradients)
    scope = Scope(_stacked(cell, names, algebra.vector))
    return Forward(cell, scope, algebra, rename, {}, shown, {}, said=said)


def _said(cell: Cell, names: Mapping[str, Ref]) -> dict[str, Ref]:
    """Names with quantities that the cell has, those that change with time at a step."""
    known = {name: (ref, cell.by_name[ref.base]) for name, ref in names.items() if ref.base in cell.by_name}
    return {
        name: Ref(ref.base) if q.constant else ref if ref.lag is not None else Ref(ref.base, 0)
        for name, (ref, q) in known.items()
    }


def turned(cell: Cell) -> Cell:
    """The cell with its matrices transposed: of formulas in columns for code in rows, and the other way."""
    matrices = {Ref(q.name) for q in cell.quantities if q.constant and len(q.shape) == 2}

    def turn(expr: sp.Expr) -> sp.Expr:
        made = expr.xreplace({m: N.Transposed(m) for m in matrices})
        return made.xreplace({N.Transposed(N.Transposed(m)): m for m in matrices})

    quantities = (replace(q, shape=q.shape[::-1]) if Ref(q.name) in matrices else q for q in cell.quantities)
    equations = tuple(replace(e, expr=turn(e.expr)) for e in cell.equations)
    return replace(cell, quantities=tuple(quantities), equations=equations)
