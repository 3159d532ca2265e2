"""Numbers against an equation: looked for in floating point, confirmed to 50 digits or more.

A difference is one that stays when more digits are taken; what shrinks with them is round-off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp

from lstmsym.shapes import Shape, ShapeError
from lstmsym.verify.arithmetic import DIGITS, FLOATS, MORE_DIGITS, MP, Arithmetic, Array
from lstmsym.verify.evaluate import OUT_OF_REACH, Numbers, evaluate, evaluate_edited
from lstmsym.verify.paths import Path
from lstmsym.verify.sequence import PRESENT, SIZES, STEPS, Special, generic
from lstmsym.verify.system import System

CLEAR = 1e-7
"""A relative difference in floating point beyond which two values are not called alike."""
SMALL = 1e-5
"""Values below are held against this instead of themselves: they may be round-off."""
STAYS = 1e-3
"""How far, relatively, a difference may move when more digits are taken."""


@dataclass(frozen=True)
class Witness:
    """Numbers that show a difference: sizes, one entry of both sides."""

    sizes: Mapping[str, int]
    entry: tuple[int, ...]
    left: str
    right: str

    def __str__(self) -> str:
        """One line."""
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes.items())
        where = f" entry {list(self.entry)}" if self.entry else ""
        return f"at {sizes}, T={STEPS}:{where} is {self.left}, claimed {self.right}"


class Trial:
    """Generic sequences through a cell, on which equations are tried."""

    def __init__(self, system: System, special: Special) -> None:
        """Make no sequence before it is needed."""
        self.system, self.special = system, special
        self.made: dict[tuple[int, int], Numbers] = {}

    def numbers(self, seed: int, arithmetic: Arithmetic = FLOATS) -> Numbers:
        """The sequence of a seed in an arithmetic."""
        key = (seed, id(arithmetic))
        if key not in self.made:
            self.made[key] = generic(self.system, seed, arithmetic, self.special)
        return self.made[key]

    def steps(self, *exprs: sp.Expr) -> int | None:
        """A step at which the expressions have values: the middle one, if it is among them."""
        for step in sorted(range(STEPS), key=lambda s: abs(s - PRESENT)):
            if all(self.value(e, 0, step) is not None for e in exprs):
                return step
        return None

    def value(self, expr: sp.Expr, seed: int, step: int) -> Array | None:
        """A finite value in floating point, or None."""
        try:
            value = evaluate(expr, self.numbers(seed), step)
            return value if np.all(np.isfinite(value)) else None
        except OUT_OF_REACH:
            return None

    def evaluable(self, *exprs: sp.Expr) -> bool:
        """Whether expressions have values at all: what divides by zero is never called proved."""
        return self.steps(*exprs) is not None

    def undefined(self, left: sp.Expr, right: sp.Expr) -> Witness | None:
        """An entry at which the left side has a value and the right side, within the sequence, has none."""
        a = self.value(left, 0, PRESENT)
        try:
            b = evaluate(right, self.numbers(0), PRESENT)
        except OUT_OF_REACH:
            return None
        if a is None or np.all(np.isfinite(b)):
            return None
        a, b = np.broadcast_arrays(a, b)
        index = next(i for i, x in np.ndenumerate(b) if not np.isfinite(x))
        return Witness(self.sizes(0), tuple(index), f"{a[index]:.8g}", "no value")

    def alike(self, left: sp.Expr, right: sp.Expr) -> bool:
        """Whether two expressions have the same values, as far as floating point tells."""
        step = self.steps(left, right)
        if step is None:
            return False
        pairs = ((self.value(left, s, step), self.value(right, s, step)) for s in range(len(SIZES)))
        return all(_near(a, b) for a, b in pairs)

    def alike_edited(self, left: sp.Expr, right: sp.Expr, path: tuple[int, ...], new: sp.Expr) -> bool:
        """The same with ``new`` at a path into the right side."""
        for seed in range(len(SIZES)):
            target = self.value(left, seed, PRESENT)
            try:
                value = evaluate_edited(right, path, new, self.numbers(seed), PRESENT)
            except OUT_OF_REACH:
                return False
            if not _near(target, value):
                return False
        return True

    def completing(self, left: sp.Expr, right: sp.Expr, paths: Iterable[Path]) -> Iterator[Path]:
        """Those among paths whose term is what the right side lacks, as far as floating point tells."""
        step = self.steps(left, right)
        if step is None:
            return
        seeds = range(len(SIZES))
        whole, there = ([self.value(e, s, step) for s in seeds] for e in (left, right))
        lacking = [w - v for w, v in zip(whole, there, strict=True) if w is not None and v is not None]
        if len(lacking) < len(whole):
            return
        if all(_near(a, b) for a, b in zip(lacking, whole, strict=True)):
            return  # nothing of it is there
        for path in paths:
            if all(_near(lacking[s], self.value(path.expr, s, step)) for s in seeds):
                yield path

    def against(self, left: sp.Expr, right: sp.Expr) -> Witness | None:
        """A difference that floating point shows and more digits confirm."""
        step = self.steps(left, right)
        return None if step is None else next(self.shown(left, right, step), None)

    def hidden(self, left: sp.Expr, right: sp.Expr) -> Witness | None:
        """A difference at another step, or one that is too small for floating point."""
        steps = [s for s in range(STEPS) if all(self.value(e, 0, s) is not None for e in (left, right))]
        found = (witness for s in steps for witness in self.shown(left, right, s))
        small = (self.staying(left, right, seed, steps[0], DIGITS, MORE_DIGITS) for seed in range(len(SIZES)))
        return next(found, None) or next(filter(None, small), None)

    def shown(self, left: sp.Expr, right: sp.Expr, step: int) -> Iterator[Witness]:
        """Differences at a step that floating point shows and that stay when more digits are taken."""
        for seed in range(len(SIZES)):
            a, b = (self.value(e, seed, step) for e in (left, right))
            if a is None or b is None or _near(a, b):
                continue
            for low, high in ((FLOATS, DIGITS), (DIGITS, MORE_DIGITS)):
                witness = self.staying(left, right, seed, step, low, high)
                if witness:
                    yield witness
                    break

    def staying(
        self, left: sp.Expr, right: sp.Expr, seed: int, step: int, low: Arithmetic, high: Arithmetic
    ) -> Witness | None:
        """The entry that differs most, if it differs by the same in both arithmetics."""
        try:
            rough, fine = (
                [evaluate(e, self.numbers(seed, kind), step) for e in (left, right)] for kind in (low, high)
            )
        except OUT_OF_REACH:
            return None
        a, b = np.broadcast_arrays(*(np.asarray(v, dtype=object) for v in fine))
        gaps = {index: x - y for (index, x), y in zip(np.ndenumerate(a), b.flat, strict=True)}
        index = max(gaps, key=lambda i: abs(gaps[i]))
        c, d = np.broadcast_arrays(*(np.asarray(v, dtype=object) for v in rough))
        before = MP.mpf(c[index]) - MP.mpf(d[index])
        if not gaps[index] or abs(before - gaps[index]) > STAYS * abs(gaps[index]):
            return None
        shown = [MP.nstr(MP.mpf(v[index]), 8) for v in (a, b)]
        return Witness(self.sizes(seed), tuple(index), shown[0], shown[1])

    def sizes(self, seed: int) -> Mapping[str, int]:
        """The sizes of a sequence."""
        return {s.name: self.numbers(seed).sizes[s.name] for s in self.system.cell.sizes}

    def shapes(self, left: Shape, right: Shape) -> Witness:
        """Two sides that differ in shape, in numbers."""
        left_text, right_text = (self.dims(shape) for shape in (left, right))
        return Witness(self.sizes(0), (), left_text, right_text)

    def valueless(self, left: Shape, error: ShapeError) -> Witness:
        """A side without a value, in numbers."""
        text = f"no value: {self.dims(error.left)} does not go with {self.dims(error.right)}"
        return Witness(self.sizes(0), (), self.dims(left), text)

    def dims(self, shape: Shape) -> str:
        """A shape at the sizes of the first sequence."""
        sizes = [
            "any" if sp.sympify(s).atoms(sp.Dummy) or s == sp.Symbol("?") else str(self.numbers(0).size(s))
            for s in shape
        ]
        return {0: "a number", 1: "a vector of "}.get(len(sizes), "a matrix of ") + " x ".join(sizes)


def _near(a: Array | None, b: Array | None) -> bool:
    """Whether two values are the same up to what floating point can get wrong."""
    if a is None or b is None or (np.shape(a) != np.shape(b) and np.shape(a) and np.shape(b)):
        return False
    gap = np.max(np.abs(np.subtract(a, b)), initial=0.0)
    return bool(gap <= CLEAR * max(np.max(np.abs(a), initial=0.0), np.max(np.abs(b), initial=0.0), SMALL))
