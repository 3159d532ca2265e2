"""What is known of steps that are letters: bounds on their differences, closed under addition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from lstmsym.notation import NotationError

Bounds = Mapping[tuple[sp.Expr, sp.Expr], int]
"""(u, v) -> the least c known with u - v <= c; the letter 0 stands for a number."""

ZERO = sp.Integer(0)


def parted(step: sp.Expr) -> tuple[sp.Expr, int]:
    """A step as a letter, or 0, and a whole number.

    Raises:
        NotationError: it has several letters.
    """
    number, letters = step.as_coeff_Add()
    if not number.is_Integer or not (letters == 0 or letters.is_Symbol):
        raise NotationError(f"the step {step} has several letters")
    return letters, int(number)


class Region:
    """Steps that satisfy some inequalities."""

    def __init__(self, facts: Iterable[tuple[sp.Expr, sp.Expr]]) -> None:
        """``facts``: pairs of steps of which the first is not after the second."""
        bounds: dict[tuple[sp.Expr, sp.Expr], int] = {}
        for low, high in facts:
            (u, a), (v, b) = parted(low), parted(high)
            if u != v:
                bounds[u, v] = min(b - a, bounds.get((u, v), b - a))
        self.bounds = _closed(bounds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Region) and self.bounds == other.bounds

    def __hash__(self) -> int:
        return hash(frozenset(self.bounds.items()))

    def holds(self, low: sp.Expr, high: sp.Expr) -> bool:
        """Whether a step is known not to be after another."""
        (u, a), (v, b) = parted(low), parted(high)
        if u == v:
            return a <= b
        known = self.bounds.get((u, v))
        return known is not None and known <= b - a


def _closed(bounds: dict[tuple[sp.Expr, sp.Expr], int]) -> Bounds:
    """All that follows."""
    letters = sorted({letter for pair in bounds for letter in pair}, key=str)
    for middle in letters:
        for u in letters:
            for v in letters:
                first, second = bounds.get((u, middle)), bounds.get((middle, v))
                if u != v and first is not None and second is not None:
                    bounds[u, v] = min(first + second, bounds.get((u, v), first + second))
    return bounds
