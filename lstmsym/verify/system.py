"""What the names of a claim stand for: a cell's forward and backward equations at any step.

Forward names unfold down to inputs, parameters and the states before; adjoints up to the gradients
that arrive from outside and from one step beyond the last one a claim speaks of (the horizon).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp

from lstmsym.cell import Cell
from lstmsym.derive import Derivation, derive
from lstmsym.notation import Ref
from lstmsym.shapes import Shape

PARTS = 8
"""How many vectors of one size there are of which nothing is known."""


def shifted(expr: sp.Expr, steps: int) -> sp.Expr:
    """An expression ``steps`` later."""
    return expr.xreplace({ref: ref.shifted(steps) for ref in expr.atoms(Ref)}) if steps else expr


@dataclass(frozen=True)
class System:
    """A cell with its derivation, as a dictionary of meanings."""

    cell: Cell
    final: bool = False
    """Whether the loss reads the last step alone: what it gives is zero at all others."""

    @cached_property
    def derivation(self) -> Derivation:
        """The derivation with each output's incoming gradient as a given."""
        return derive(self.cell, loss=False)

    @cached_property
    def with_loss(self) -> Derivation:
        """The derivation with the loss's own part."""
        return derive(self.cell)

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Name -> shape, of quantities, invented names and adjoints."""
        shapes = {**self.with_loss.shapes, **self.derivation.shapes}
        sizes = sorted({size for shape in shapes.values() for size in shape}, key=str)
        probes: dict[str, Shape] = {self.probe(()).base: ()}
        probes |= {self.probe((size,), n).base: (size,) for size in sizes for n in range(PARTS)}
        return shapes | {self.doubled(b.name.base): b.shape for b in self.derivation.backward} | probes

    def probe(self, shape: Shape, number: int = 0) -> Ref:
        """A number or a vector of which nothing is known but its shape; others have other numbers."""
        return Ref(f"any {shape}" + (f" {number}" if number else ""))

    @property
    def probes(self) -> Mapping[str, Shape]:
        """The probes of all shapes that there are."""
        return {name: shape for name, shape in self.shapes.items() if name.startswith("any ")}

    @cached_property
    def jacobians(self) -> dict[sp.Expr, Any]:
        """Derivatives of quantities by quantities that have been found so far."""
        return {}

    def doubled(self, adjoint: str) -> str:
        """The name of an adjoint in the sum that counts the paths through time again for every step."""
        return f"chain {adjoint}"

    @cached_property
    def forward(self) -> Mapping[str, sp.Expr]:
        """Name -> right side at step t, the loss's lines included."""
        lines = {e.name.base: e.expr for e in self.with_loss.forward}
        return lines | {e.name.base: e.expr for e in self.derivation.forward}

    @cached_property
    def backward(self) -> Mapping[str, sp.Expr]:
        """Adjoint -> right side at step t."""
        return {b.name.base: b.expr for b in self.derivation.backward}

    @cached_property
    def adjoints(self) -> tuple[str, ...]:
        """The names of all gradients, those of what only the loss reads included."""
        return tuple(dict.fromkeys([*self.backward, *self.with_loss.by_name]))

    @cached_property
    def given(self) -> Mapping[str, sp.Expr]:
        """The incoming gradient of an output -> what the loss gives for it, where the cell has a loss."""
        if self.cell.loss is None:
            return {}
        carried = {ref.shifted(1): sp.Integer(0) for ref in self.carried}
        found = {}
        for output, ref in self.derivation.given.items():
            adjoint = self.derivation.names.adjoint(output)
            whole = self.with_loss.by_name[adjoint].expr
            plain = self.derivation.by_name[adjoint].expr.xreplace({ref: sp.Integer(0)})
            found[ref.base] = (whole - plain).xreplace(carried)
        return found

    @cached_property
    def from_loss(self) -> frozenset[str]:
        """The gradients that one step's loss gives: those of outputs, and of what it alone reads."""
        given = {ref.base for ref in self.derivation.given.values()}
        alone = {b.name.base for b in self.with_loss.backward if b.name.lag is not None} - set(self.backward)
        return frozenset(given | alone)

    @cached_property
    def carried(self) -> tuple[Ref, ...]:
        """What a step sends back, for each state."""
        names = self.derivation.names
        return tuple(Ref(names.back(q.name), 0) for q in self.cell.role("state"))

    def horizon(self, *exprs: sp.Expr) -> int:
        """The last step, counted from t, whose adjoints the expressions speak of."""
        back = {ref.base for ref in self.carried}
        steps = [0]
        for ref in {r for e in exprs for r in e.atoms(Ref)}:
            if ref.lag is not None and (ref.base in self.backward or ref.base in self.derivation.given):
                steps.append(ref.lag - (ref.base in back))
        return max(steps)

    def meaning(self, ref: Ref, horizon: int, overrides: Mapping[Ref, sp.Expr]) -> sp.Expr | None:
        """What a reference stands for, or None where it is given."""
        if ref in overrides:
            return overrides[ref]
        if ref.base in self.forward:
            return shifted(self.forward[ref.base], ref.lag or 0) if (ref.lag or 0) >= 0 else None
        if ref.base in self.given:
            return shifted(self.given[ref.base], ref.lag or 0)
        if ref.base in self.backward and (ref.lag is None or 0 <= ref.lag <= horizon):
            return shifted(self.backward[ref.base], ref.lag or 0)
        return None
