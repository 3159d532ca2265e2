"""The derivation of a cell in numbers: which gradient is a value?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.building import Forward
from lstmsym.notation import Ref
from lstmsym.verify.evaluate import OUT_OF_REACH, Numbers, evaluate
from lstmsym.verify.judge import Judge
from lstmsym.verify.sequence import PRESENT

SEARCH = 4_500
"""Values that the search for meanings, blame and repairs may compute for one listing, a third for each."""


@dataclass
class Truth:
    """The gradients and quantities of a cell on one generic sequence."""

    forward: Forward
    judge: Judge
    spent: int = 0
    g_marks: bool = False
    """Whether the listing writes g before a name for its gradient."""

    def left(self, thirds: int) -> bool:
        """Whether the search may go on: the same on every machine, unlike a time."""
        return self.spent < SEARCH * thirds // 3

    @cached_property
    def numbers(self) -> Numbers:
        """One generic sequence."""
        return self.judge.trial.numbers(0)

    @cached_property
    def table(self) -> dict[Ref, Any]:
        """Every gradient, and what goes back or arrives, at the present step."""
        system = self.judge.system
        found: dict[Ref, Any] = {}
        for back in system.derivation.backward:
            if back.expr != 0:
                found[back.name] = None
        for ref in system.carried:
            found[ref.shifted(1)] = None
        for ref in system.derivation.given.values():
            found[ref] = None
        for back in system.derivation.backward:
            if back.name.lag == 0 and back.expr != 0:
                found.setdefault(back.name.shifted(1), None)
        return {ref: value for ref in found if (value := self.value(ref)) is not None}

    @cached_property
    def values(self) -> dict[Ref, Any]:
        """Every forward quantity."""
        refs = [Ref(e.name.base, e.name.lag) for e in self.judge.system.derivation.forward]
        refs += [Ref(e.name.base, e.name.lag) for e in self.judge.system.with_loss.forward]
        refs += [Ref(q.name, -1) for q in self.forward.cell.role("state")]
        return {ref: value for ref in refs if (value := self.value(ref)) is not None}

    def value(self, expr: sp.Expr) -> Any:
        """An expression in numbers, or None."""
        self.spent += 1
        try:
            return np.array(evaluate(expr, self.numbers, PRESENT), dtype=float)
        except (*OUT_OF_REACH, IndexError, AttributeError):
            return None

    def equals(self, expr: sp.Expr, ref: Ref) -> bool:
        """Whether an expression has the value of a gradient; of a parameter's, summed over the steps."""
        true = self.table.get(ref)
        if true is None:
            true = self.values.get(ref)
        summed = ref.lag is None and ref in self.table and not self.is_total(expr)
        found = self.value(N.Total(expr) if summed else expr)
        return close(found, true)

    def matches(self, expr: sp.Expr, refs: Mapping[Ref, Any] | None = None) -> list[Ref]:
        """All gradients that an expression equals."""
        found = self.value(expr)
        table = self.table if refs is None else refs
        same = [ref for ref, true in table.items() if ref.lag is not None and close(found, true)]
        whole = found if self.is_total(expr) else self.value(N.Total(expr))
        return same + [ref for ref, true in table.items() if ref.lag is None and close(whole, true)]

    def is_total(self, expr: sp.Expr) -> bool:
        """Whether the steps have been added up."""
        return bool(expr.has(N.Total)) or any(r.lag is None and r in self.table for r in expr.atoms(Ref))

    @cached_property
    def states(self) -> list[str]:
        """The names of the cell's states."""
        return [q.name for q in self.forward.cell.role("state")]

    def adjoint(self, name: str, lag: int | None = 0) -> Ref:
        """The gradient of a quantity."""
        return Ref(self.judge.system.derivation.names.adjoint(name), lag)

    def back(self, name: str, lag: int) -> Ref:
        """What goes back to a state from the step after."""
        return Ref(self.judge.system.derivation.names.back(name), lag)

    def dims(self, ref: Ref) -> tuple[sp.Expr, ...]:
        """The shape of a quantity."""
        return self.judge.system.shapes.get(ref.base, ())


def close(a: Any, b: Any) -> bool:
    """Whether two arrays agree."""
    if a is None or b is None or np.shape(a) != np.shape(b):
        return False
    return bool((np.abs(a - b) <= 1e-12 + 1e-9 * np.abs(b)).all())
