"""What names mean in the backward pass: what it assigned, what the forward pass left, what is given."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import sympy as sp

from lstmsym.listings.arrays import Array, Misfit, Pieces
from lstmsym.listings.code import Code
from lstmsym.listings.expressions import Reader
from lstmsym.listings.findings import GIVEN
from lstmsym.listings.gradients import UNKNOWN, Gradients, like_gradient, sizes_for
from lstmsym.listings.keys import key_of
from lstmsym.listings.naming import resolve
from lstmsym.listings.scope import ZERO
from lstmsym.listings.slices import bounds, without
from lstmsym.listings.source import ListingError
from lstmsym.listings.start import algebra_of, left_by, shifted
from lstmsym.listings.steps import place
from lstmsym.listings.truth import Truth
from lstmsym.notation import Ref


class Names:
    """The names of a backward pass under one set of meanings of what it does not define."""

    def __init__(self, truth: Truth, code: Code, meanings: Mapping[str, Any]) -> None:
        """Start where the forward pass ended."""
        self.truth, self.forward, self.code, self.meanings = truth, truth.forward, code, meanings
        self.reader = Reader(
            algebra_of(self.forward), code.helpers, left_by(self.forward, truth.judge.system.shapes)
        )
        self.reader.free, self.reader.size, self.reader.lenient = self.free, self.size, True
        self.scope = self.reader.scope
        self.asked: dict[str, tuple[Any, ...]] = {}
        """What has no meaning yet -> the meanings that it may have."""
        self.loop: ast.For | None = None
        self.stepped: set[str] = set()
        self.lost = self.reader.missing
        self.now = 0
        """The line of the statement that is executed."""
        self.known = self._known()
        self.gradients = Gradients(truth, self.known, self.reader)
        self._say()

    def _known(self) -> dict[str, Any]:
        """The quantities of the forward pass by their names in the listing."""
        known = {**self.scope.names, **{k: s.get(0) for k, s in self.scope.series.items()}}
        shapes = self.truth.judge.system.shapes
        for key, (form, dims) in self.reader.algebra.types.items():
            for lag in (None, 0, -1):
                new = self.forward.rename.get(Ref(key, lag))
                if key not in known and new is not None and new.base in shapes:
                    quantity = self.forward.cell.by_name.get(new.base)
                    if lag is None or (quantity is not None and quantity.role in ("input", "target")):
                        known[key] = Array(new, form, dims)
        return known

    def _say(self) -> None:
        """Names of a listing without a forward pass that are tried as quantities."""
        for key, ref in self.meanings.items():
            of = ref.base if isinstance(ref, Ref) and key not in self.known else ""
            if not self.forward.kinds and of in self.forward.cell.by_name:
                self.known[key] = self.array_of(ref)
                self.asked[key] = (UNKNOWN, ref)

    def free(self, key: str, lag: int | None) -> Any:
        """A name that the backward pass has not assigned: of the forward pass, or given."""
        known = self.known.get(key)
        if lag in (None, 0) and known is not None:
            return known
        if lag is not None and isinstance(known, (Array, Pieces)):
            return shifted(known, lag)
        new = self.forward.rename.get(Ref(key, lag))
        if new is not None and new.base in self.truth.judge.system.shapes:
            form, dims = self.reader.algebra.types.get(
                key, (self.reader.algebra.vector, self.truth.dims(new))
            )
            return Array(new, form, dims)
        if lag is not None and self.scope.names.get(key) is ZERO and key not in self.stepped:
            raise ListingError(f"{key} has no steps")
        options = self.gradients.given(key)
        alike = None if options else resolve(key, [k for k, v in self.known.items() if v is not None])
        if alike is not None:
            return shifted(self.known[alike], lag or 0)
        if lag is not None and options and all(isinstance(o, Ref) and o.lag is None for o in options):
            raise ListingError(f"{key} has no steps")
        return self.given(key, lag or 0)

    def given(self, key: str, lag: int = 0) -> Array:
        """A gradient that the listing is given, under the meaning that is tried."""
        if self.code.first_assigned.get(key, 0) > self.now and self.loop is None:
            raise Misfit(f"{key} is used before it is assigned")
        if key in self.lost:
            raise ListingError(f"{key} is made by a statement that is not read")
        if key not in self.asked:
            self.asked[key] = self.gradients.given(key) or self.quantities(key)
        ref = self.guess(key) if self.asked[key] else UNKNOWN
        if ref == UNKNOWN:
            raise ListingError(f"{key} is not defined in the listing")
        if not isinstance(ref, Ref):
            return ZERO
        if ref.lag is None:
            return self.array_of(ref)
        ref = ref.shifted(lag)
        notes = () if self.gradients.family(key) else (f"{GIVEN}{key}",)
        return Array(ref, self.reader.algebra.vector, self.truth.dims(ref), notes=notes)

    def guess(self, key: str) -> Any:
        """The meaning that is tried for a name: the first, unless another is said."""
        return self.meanings.get(key, next(iter(self.asked.get(key, ())), None))

    def quantities(self, key: str) -> tuple[Any, ...]:
        """What a name of a listing without a forward pass may be."""
        if self.forward.kinds:
            return ()
        spelled = self.code.spelled
        used = {str(v.expr) for k, v in self.known.items() if k in spelled and isinstance(v, Array)}
        return self.gradients.quantities(used, key)

    def size(self, key: str) -> sp.Expr:
        """A size by its name, or under the meaning that is tried."""
        key = self.reader.size_name(key)
        if key in self.scope.sizes:
            return self.scope.sizes[key]
        value = self.scope.names.get(key)
        number = isinstance(value, Array) and value is not ZERO and value.expr.is_Integer
        unknown = isinstance(value, Array) and value.form is None
        array = isinstance(value, (Array, Pieces)) or self.known.get(key) is not None
        if array and not number and not unknown:
            raise ListingError(f"a bound of a slice that is no size: {key} is an array")
        if like_gradient(key) and self.gradients.family(key):
            raise ListingError(f"a bound of a slice that is no size: {key} is a gradient")
        options = self.asked.setdefault(f"#{key}", sizes_for(key, list(self.forward.cell.sizes)))
        return self.meanings.get(f"#{key}", options[0])

    def array_of(self, ref: Ref, notes: tuple[str, ...] = ()) -> Array:
        """A quantity or a gradient as the listing's layout has it."""
        dims = self.truth.dims(ref)
        form = "ff" if len(dims) == 2 else self.reader.algebra.vector if dims else ""
        return Array(ref, form, dims, notes=notes)

    def hold(self, target: ast.expr, value: Any) -> None:
        """A name, a series at a step or a slice of it has a value from now on."""
        if isinstance(value, Ref):
            value = self.array_of(value)
        key = key_of(target)
        if key is not None:
            self.scope.names[key] = value
            self.lost.discard(key)
            return
        if not isinstance(target, ast.Subscript):
            raise ListingError("such a target is not read")
        base, indices, lag = place(target, self.scope)
        if base is None:
            raise ListingError("such a target is not read")
        lag = (lag or 0) - self.scope.offsets.get(base, 0)
        slices = [i for i in indices if isinstance(i, ast.Slice) and (i.lower or i.upper)]
        store = self.scope.series.setdefault(base, {})
        if slices and isinstance(value, Array):
            low, high = bounds(slices[0], self.size)
            old = store.get(lag)
            parts = without(old, low, high) if isinstance(old, Pieces) else ()
            store[lag] = Pieces((*parts, (low, high, value)))
        else:
            store[lag] = value
