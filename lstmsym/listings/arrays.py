"""Arrays of a listing as the notation's expressions of one sample, and how NumPy combines them.

A vector of features may be stored as a column of samples ("fs"), as a row of samples ("sf") or flat
("f"); a matrix is "ff", a number "".  Which of the three a listing uses is its layout; products then
say what is multiplied with what.  ``summed`` says that the samples have been added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.source import ListingError
from lstmsym.notation import Ref
from lstmsym.shapes import ShapeError, Unifier

LAYOUTS = {"columns": "fs", "rows": "sf", "flat": "f"}


class Misfit(ListingError):
    """Arrays that do not fit, or an axis that is not meant."""


@dataclass(frozen=True)
class Array:
    """One value: an expression of one sample, how it is stored, and its sizes (of features only)."""

    expr: sp.Expr
    form: str | None = ""
    dims: tuple[sp.Expr, ...] = ()
    summed: bool = False
    notes: tuple[str, ...] = ()
    key: str = ""
    """The name of a value of which the listing has not said yet whether it is a vector or a matrix."""
    turned: bool = False
    condition: sp.Expr | None = None


@dataclass(frozen=True)
class Pieces:
    """A vector of which some slices have been assigned: (from, to, value), None for the end."""

    parts: tuple[tuple[sp.Expr, sp.Expr | None, Array], ...] = ()


@dataclass
class Algebra:
    """The operations, for one layout; sizes are unified as they meet."""

    layout: str
    unifier: Unifier = field(default_factory=Unifier)
    types: dict[str, tuple[str, tuple[sp.Expr, ...]]] = field(default_factory=dict)

    @property
    def vector(self) -> str:
        """How a vector of features is stored."""
        return LAYOUTS[self.layout]

    def fresh(self) -> sp.Symbol:
        """A size that is not known yet."""
        return self.unifier.fresh()

    def settle(self, a: Array, form: str) -> Array:
        """An unknown array is a vector or a matrix, and stays one."""
        if a.form is not None:
            return a
        if a.key not in self.types:
            stored = form[::-1] if a.turned and form in ("fs", "sf") else form
            self.types[a.key] = (stored, tuple(self.fresh() for _ in range(2 if form == "ff" else 1)))
        stored, dims = self.types[a.key]
        known = replace(a, form=stored, dims=dims, turned=False)
        return self.turn(known) if a.turned else known

    def known(self, a: Array) -> Array:
        """With the form it was found to have earlier, if any."""
        return self.settle(a, "") if a.form is None and a.key in self.types else a

    def same(self, left: Sequence[sp.Expr], right: Sequence[sp.Expr], what: str) -> tuple[sp.Expr, ...]:
        """Two lists of sizes that must agree."""
        try:
            return self.unifier.same(tuple(left), tuple(right), "")
        except ShapeError:
            raise Misfit(f"the shapes do not fit in {what}") from None

    def turn(self, a: Array) -> Array:
        """The transpose."""
        a = self.known(a)
        if a.form is None:
            return replace(a, turned=not a.turned)
        if a.form == "ff":
            return replace(a, expr=N.transposed(a.expr), dims=a.dims[::-1])
        return replace(a, form=a.form[::-1])

    def pointwise(self, operate: Any, *arrays: Array, what: str = "a pointwise operation") -> Array:
        """Entry by entry."""
        arrays = tuple(map(self.known, arrays))
        form = next((a.form for a in arrays if a.form), None)
        if form is None and any(a.form is None for a in arrays):
            form = self.vector
        arrays = tuple(self.settle(a, form or "") for a in arrays)
        sized = [a for a in arrays if a.form]
        dims: tuple[sp.Expr, ...] = sized[0].dims if sized else ()
        for other in sized[1:]:
            if other.form != form:
                raise Misfit(f"the shapes do not fit in {what}: one is transposed")
            dims = self.same(dims, other.dims, what)
        if any(a.summed for a in sized) and not all(a.summed for a in sized) and what != "a sum":
            raise Misfit("a sum over the samples meets single samples")
        expr = operate(*(a.expr for a in arrays))
        return Array(expr, form or "", dims, any(a.summed for a in arrays), _notes(arrays))

    def product(self, a: Array, b: Array) -> Array:
        """``np.dot(a, b)`` and ``a @ b``."""
        a, b = self.known(a), self.known(b)
        a, b = self._operands(a, b)
        pair = (a.form, b.form)
        notes = _notes((a, b))
        if "" in pair:
            return self.pointwise(lambda x, y: x * y, a, b)
        if pair in (("ff", "fs"), ("ff", "f")):
            self.same(a.dims[1:], b.dims, "a product")
            return Array(dot(a.expr, b.expr), b.form, a.dims[:1], b.summed, notes)
        if pair in (("sf", "ff"), ("f", "ff")):
            self.same(a.dims, b.dims[:1], "a product")
            return Array(dot(N.transposed(b.expr), a.expr), a.form, b.dims[1:], a.summed, notes)
        if pair == ("fs", "sf"):
            return Array(N.Outer(a.expr, b.expr), "ff", a.dims + b.dims, True, notes)
        if pair == ("ff", "ff"):
            self.same(a.dims[1:], b.dims[:1], "a product")
            return Array(N.Dot(a.expr, b.expr), "ff", (a.dims[0], b.dims[1]), notes=notes)
        if pair == ("f", "f"):
            self.same(a.dims, b.dims, "an inner product")
            return Array(N.Sum(a.expr * b.expr), "", (), notes=notes)
        raise Misfit("the shapes do not fit in a product")

    def _operands(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Unknown operands of a product: which is the matrix."""
        v = self.vector
        if a.form is None and b.form is None:
            first = self.layout == "columns" or (self.layout == "flat" and _is_weight(a.key, b.key))
            a = self.settle(a, "ff" if first else v)
            b = self.settle(self.known(b), v if first else "ff")
        if a.form is None:
            outer = b.form == "sf" and self.layout == "columns"
            a = self.settle(a, "fs" if outer else v if b.form == "ff" and self.layout != "columns" else "ff")
        if b.form is None:
            outer = a.form == "fs" and self.layout == "rows"
            b = self.settle(b, "sf" if outer else v if a.form == "ff" and self.layout != "rows" else "ff")
        return a, b

    def outer(self, a: Array, b: Array) -> Array:
        """``np.outer``, which flattens."""
        a, b = (self.settle(self.known(x), self.vector) for x in (a, b))
        if "ff" in (a.form, b.form) or "" in (a.form, b.form):
            raise Misfit("np.outer takes two vectors")
        return Array(N.Outer(a.expr, b.expr), "ff", a.dims + b.dims, True, _notes((a, b)))

    def total(self, a: Array, axis: int | None) -> Array:
        """``np.sum`` over everything, the features or the samples."""
        a = self.settle(self.known(a), self.vector)
        if not a.form:
            return a
        if a.form == "ff":
            raise Misfit("a sum over a matrix is not read")
        if axis is None or len(a.form) == 1:
            return Array(N.Sum(a.expr), "", (), a.summed, a.notes)
        if axis not in (0, 1, -1):
            raise Misfit(f"there is no axis {axis}")
        if a.form[axis] == "s":
            return replace(a, summed=True, notes=(*a.notes, "summed"))
        return Array(N.Sum(a.expr), "", (), a.summed, a.notes)

    def joined(self, arrays: Sequence[Array], axis: int | None, what: str) -> Array:
        """Vectors one after the other, along ``axis`` (None: as hstack, vstack or append have it)."""
        arrays = [self.settle(self.known(a), self.vector) for a in arrays]
        if any(a.form == "ff" or not a.form for a in arrays):
            raise Misfit(f"{what} of other than vectors is not read")
        form = arrays[0].form or ""
        if any(a.form != form for a in arrays):
            raise Misfit(f"the shapes do not fit in {what}: one is transposed")
        place = {"hstack": len(form) - 1, "vstack": 0}.get(what, axis)
        if what != "append" and place is not None and (place >= len(form) or form[place] != "f"):
            raise Misfit(f"{what} joins the samples and not the features")
        dims = (sp.Add(*(a.dims[0] for a in arrays)),)
        return Array(
            N.concat(*(a.expr for a in arrays)), form, dims, any(a.summed for a in arrays), _notes(arrays)
        )

    def part(self, a: Array, low: sp.Expr, high: sp.Expr | None) -> Array:
        """Some features."""
        end = a.dims[0] if high is None else high
        start = a.dims[0] + low if _negative(low) else low
        end = a.dims[0] + end if _negative(end) else end
        whole = start == 0 and (high is None or sp.expand(end - a.dims[0]) == 0)
        expr = a.expr if whole else N.Part(a.expr, start, end)
        return replace(a, expr=expr, dims=(end - start,))


def _negative(size: sp.Expr) -> bool:
    return bool(sp.sympify(size).could_extract_minus_sign()) and size != 0


def _notes(arrays: Sequence[Array]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for a in arrays for note in a.notes))


def _is_weight(first: str, second: str) -> bool:
    """Which of two unknown names looks like a matrix: the first?"""

    def score(key: str) -> int:
        name = key.rpartition(".")[2]
        return (name[:1] in "WUVR") * 2 + name.lower().startswith(("w", "u_", "v_", "r_", "kernel"))

    return score(first) >= score(second)


class Block(N.Op, takes="A low high size"):
    """Some columns of a matrix; written out as soon as it meets a vector."""


def dot(matrix: sp.Expr, v: sp.Expr) -> sp.Expr:
    """A matrix times a vector; of some rows some entries, some columns take part with those entries."""
    if isinstance(matrix, N.Transposed) and isinstance(matrix.args[0], Block):
        whole, low, high, _ = matrix.args[0].args
        return N.Part(N.Dot(N.transposed(whole), v), low, high)
    if isinstance(matrix, Block):
        whole, low, high, size = matrix.args
        return N.Dot(whole, N.Pad(v, low, size - high))
    return N.Dot(matrix, v)


def number(value: Any) -> Array:
    """A plain number."""
    return Array(sp.Rational(repr(value)) if isinstance(value, float) else sp.Integer(value))


def vector_ref(key: str, lag: int | None) -> Array:
    """A name that the listing reads and has not assigned."""
    return Array(Ref(key, lag), None, key=key)
