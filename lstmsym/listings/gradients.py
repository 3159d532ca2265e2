"""Which gradients a name may mean: what it speaks of, what a listing is given, what a loop carries."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Array, Pieces
from lstmsym.listings.expressions import Reader
from lstmsym.listings.naming import gradient_of, has_next, has_prev
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import place
from lstmsym.listings.truth import Truth
from lstmsym.notation import Ref

UNKNOWN = "unknown"
"""What a name means that neither the listing nor the text explains, until its uses agree on a quantity."""


def like_gradient(key: str) -> bool:
    """Whether a name looks like a gradient's."""
    low = key.lower()
    return low.startswith(("d", "grad", "delta", "g", "top_diff", "bottom")) or low.endswith(
        ("diff", "grad", "_d", "delta", "err", "error")
    )


def is_g(key: str) -> bool:
    """Whether a name begins with g, which may mark a gradient or be a gate."""
    return key.startswith("g") and not key.startswith("grad")


@dataclass(frozen=True)
class Gradients:
    """Names and gradients, for the ``known`` values of a forward pass."""

    truth: Truth
    known: Mapping[str, Any]
    reader: Reader

    def family(self, key: str | None, target: ast.expr | None = None) -> tuple[Ref, ...]:
        """The gradients that a name speaks of, or is said to be."""
        if not key:
            return ()
        said = self.truth.forward.said.get(key)
        if said is not None:
            return tuple(r for r in self._around(said, False, key) if r in self.truth.table)
        found = gradient_of(key, self.known)
        if found is None:
            return ()
        name, inner = found
        value = self._at(target, self.known[name])
        if not isinstance(value, Array):
            return ()
        refs = (
            [value.expr] if isinstance(value.expr, Ref) else self.truth.matches(value.expr, self.truth.values)
        )
        around = self._last if not has_prev(name) else self._around
        result = [r for ref in refs for r in around(ref, inner, key) if r in self.truth.table]
        return tuple(dict.fromkeys(result))

    def _at(self, target: ast.expr | None, value: Any) -> Any:
        """The part of a value that stands where a target stands in its gradient."""
        if isinstance(target, ast.Subscript) and isinstance(value, (Array, Pieces)):
            try:
                indices = place(target, self.reader.scope)[1]
                if all(isinstance(i, ast.Slice) for i in indices):
                    return self.reader.sliced(value, indices)
            except ListingError:
                return None
        return value

    def _last(self, ref: Ref, inner: bool, key: str) -> list[Ref]:
        """The same for a name that a loop hands on, which after the loop is the last state."""
        found = self._around(ref, inner, key)
        carried = ref.lag == -1 and ref.base in self.truth.states and not has_prev(key)
        return [self.truth.adjoint(ref.base), *found] if carried else found

    def _around(self, ref: Ref, inner: bool, key: str) -> list[Ref]:
        """The gradient of a quantity, of what it is an activation of, and of a state's other values."""
        truth, state = self.truth, ref.base in self.truth.states
        if state and (ref.lag == -1 or has_prev(key)):
            return [truth.back(ref.base, 0), truth.back(ref.base, 1)]
        adjoint = truth.adjoint(ref.base, None if ref.lag is None else 0)
        before = [truth.adjoint(r.base) for r in self.before(ref)]
        if inner and not before and state:
            return []
        if state and has_next(key):
            return [adjoint, truth.back(ref.base, 1), *before]
        return before if inner and before else [adjoint, *before]

    def before(self, ref: Ref) -> list[Ref]:
        """The pre-activations of a quantity."""
        forward = self.truth.judge.system.forward
        expr = forward.get(ref.base)
        if not isinstance(expr, (N.Pointwise, N.softmax)):
            return []
        if not isinstance(expr.args[-1 if isinstance(expr, N.where) else 0], Ref):
            return [a for a in expr.args if isinstance(a, Ref)] if isinstance(expr, N.Pointwise) else []
        inner = expr.args[0]
        further = forward.get(inner.base)
        whole = further.args[0] if isinstance(further, N.Part) else None
        return [inner, *([whole] if isinstance(whole, Ref) else [])]

    def given(self, key: str) -> tuple[Any, ...]:
        """What a given gradient may be: of a state in all, from later steps, or from outside."""
        truth = self.truth
        family = self.family(key)
        bases = [s for s in truth.states if any(f.base in self.kin(s) for f in family)]
        if not family and not (like_gradient(key) and len(key) > 1):
            return ()
        if family and not bases:
            return family
        if family and all(f.base in {truth.back(s, 1).base for s in truth.states} for f in family):
            return tuple(f for f in family if f.lag == 1)  # of the value before: not of this step's
        outputs = truth.forward.cell.outputs
        found: list[Any] = []
        for base in bases or [*outputs, *(s for s in truth.states if s not in outputs)]:
            found += self._of_state(base)
        found += [f for f in family if f not in found and f.lag is not None]
        return tuple(dict.fromkeys(found))

    def _of_state(self, base: str) -> list[Ref]:
        """The gradients of a state or an output, the likely ones first."""
        given = self.truth.judge.system.derivation.given.get(base)
        back = [self.truth.back(base, 1)] if base in self.truth.states else []
        options = [self.truth.adjoint(base), *back, *([given] if given is not None else [])]
        return options if base in self.truth.forward.cell.outputs else options[1::-1] + options[2:]

    def kin(self, base: str) -> set[str]:
        """The names of a state's gradient and of what goes back to it."""
        return {self.truth.adjoint(base).base, self.truth.back(base, 1).base}

    def carried(self, key: str) -> tuple[Any, ...]:
        """What a loop may carry: what the step after sends back to a state, or its gradient there."""
        truth = self.truth
        family = {f.base for f in self.family(key)}
        near = {truth.back(s, 1).base for s in truth.states if family & self.kin(s)}
        backs = [ref.shifted(1) for ref in truth.judge.system.carried]
        ordered = sorted(backs, key=lambda r: r.base not in near)
        others = [r for r in truth.table if r.lag == 1 and r not in ordered]
        if near:  # it speaks of a state: then it carries nothing of another quantity
            others = [
                r for r in others if r.base in family or any(r.base in self.kin(s) for s in truth.states)
            ]
        others.sort(key=lambda r: r.base not in family)
        totals = [truth.adjoint(s) for s in truth.states] if truth.forward.final else []
        return (*ordered, *totals, *others)

    def quantities(self, used: set[str], key: str) -> tuple[Any, ...]:
        """What a name of a listing without a forward pass may be: quantities that have no name in it yet."""
        cell = self.truth.forward.cell
        constant = [Ref(q.name) for q in cell.quantities if q.constant and q.role != "loss"]
        inputs = [q.now for q in cell.role("input")]
        free = [r for r in (*self.truth.values, *inputs, *constant) if str(r) not in used]
        alike = sorted(free, key=lambda r: (r.base[:1].lower() != key[:1].lower(), r.lag != -1))
        return (UNKNOWN, *alike)


def sizes_for(key: str, sizes: list[sp.Symbol]) -> tuple[sp.Symbol, ...]:
    """What a size that has no meaning yet may be, the likely one first: the inputs' or another."""
    low = key.lower()
    inputs = low.endswith(("x", "_in", "x_dim", "input_size", "n_x", "d")) or "x_dim" in low or "input" in low
    return tuple(sorted(sizes, key=lambda s: (s.name == "m") != inputs))
