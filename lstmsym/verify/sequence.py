"""Generic sequences through a cell: the values of all its quantities and gradients.

Generic means: T = 5 steps, all sizes different, inputs and weights without structure, initial
states and biases not zero, gradients arriving at every output and at the last states.  Plain forward
and backward runs.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle

import numpy as np
import sympy as sp

from lstmsym.shapes import Shape
from lstmsym.verify.arithmetic import DIGITS, Arithmetic, Array
from lstmsym.verify.evaluate import Numbers, evaluate
from lstmsym.verify.system import System

STEPS = 5
PRESENT = 2
"""The step at which a claim is evaluated: two steps lie before it, two behind it."""

SIZES = ((2, 3, 4, 5, 6, 7, 8, 9), (3, 2, 5, 4, 7, 6, 9, 8), (4, 7, 3, 2, 5, 8, 6, 10))
"""Sizes of the generic sequences: different choices, so that what holds at one size only is found out.

A cell with more sizes has some of them again."""

COUNTS = {"T": STEPS, "B": 3}
"""The numbers of steps and of sequences, where a document divides by them; sums are over one sequence."""


@dataclass(frozen=True)
class Special:
    """What is special about a sequence.

    The states start at zero; nothing is sent back to the last step; the targets' entries add up to 1;
    the entries of some inputs are zero or one.
    """

    start: bool = False
    end: bool = False
    unit: bool = False
    binary: frozenset[str] = frozenset()


USUAL = Special()
"""Nothing special."""


def generic(
    system: System, seed: int = 0, arithmetic: Arithmetic = DIGITS, special: Special | None = None
) -> Numbers:
    """A generic sequence through a cell, with all adjoints; ``seed`` chooses among `SIZES` too."""
    cell = system.cell
    sizes = dict(zip((s.name for s in cell.sizes), cycle(SIZES[seed % len(SIZES)]), strict=False))
    run = _Run(system, Numbers({}, COUNTS | sizes, STEPS, arithmetic), random.Random(seed), special or USUAL)
    run.draw_given()
    run.forward()
    run.backward()
    run.doubled()
    run.probes()
    return run.numbers


class _Run:
    def __init__(self, system: System, numbers: Numbers, rng: random.Random, special: Special) -> None:
        self.system, self.numbers, self.rng, self.special = system, numbers, rng, special
        self.values: dict[str, dict[int | None, Array]] = numbers.values  # type: ignore[assignment]

    def dims(self, shape: Shape) -> tuple[int, ...]:
        return tuple(self.numbers.size(s) for s in shape)

    def draw(self, shape: Shape) -> Array:
        dims, number = self.dims(shape), self.numbers.arithmetic.number
        values = [number(Fraction(self.rng.randint(-999, 999), 700)) for _ in range(int(np.prod(dims)))]
        return np.array(values, dtype=self.numbers.arithmetic.dtype).reshape(dims) if dims else values[0]

    def edge(self, shape: Shape, zero: bool) -> Array:
        """A value at an end of the sequence; drawn in any case, so that all else is drawn alike."""
        drawn = self.draw(shape)
        return drawn * 0 if zero else drawn

    def draw_given(self) -> None:
        cell = self.system.cell
        for q in cell.role("parameter"):
            self.values[q.name] = {None: self.draw(q.shape)}
        for q in cell.role("hyperparameter"):
            self.values[q.name] = {None: self.numbers.arithmetic.constant(sp.Float(str(q.start)))}
        for q in cell.role("input", "target"):
            self.values[q.name] = {t: self.draw(q.shape) for t in range(STEPS)}
        for q in cell.role("target") if self.special.unit else ():
            self.values[q.name] = {t: v / np.sum(v) for t, v in self.values[q.name].items()}
        for name in self.special.binary & self.values.keys():
            number = self.numbers.arithmetic.number
            one, zero = number(Fraction(1)), number(Fraction(0))
            self.values[name] = {t: np.where(v > 0, one, zero) for t, v in self.values[name].items()}
        for q in cell.role("state"):
            self.values[q.name] = {-1: self.edge(q.shape, self.special.start)}

    def forward(self) -> None:
        lines = [*self.system.derivation.forward, *self.system.with_loss.forward]
        for t in range(STEPS):
            for line in lines:
                store = self.values.setdefault(line.name.base, {})
                key = None if line.name.lag is None else t
                if key not in store:
                    store[key] = evaluate(line.expr, self.numbers, t)

    def backward(self) -> None:
        system = self.system
        self.loss_lines()
        for output, ref in system.derivation.given.items():
            loss = system.given.get(ref.base)
            self.values[ref.base] = {
                t: self.draw(system.shapes[output]) if loss is None else evaluate(loss, self.numbers, t)
                for t in range(STEPS)
            }
            self.only_last(self.values[ref.base])
        for state, ref in zip(system.cell.role("state"), system.carried, strict=True):
            self.values[ref.base] = {STEPS: self.edge(state.shape, self.special.end)}
        lines = system.derivation.backward
        for t in reversed(range(STEPS)):
            for line in lines:
                if line.name.lag is not None:
                    self.store(self.numbers, line.name.base, t, line.expr, line.shape)
        for line in lines:
            if line.name.lag is None:
                self.store(self.numbers, line.name.base, None, line.expr, line.shape)

    def loss_lines(self) -> None:
        """The gradients of what only the loss speaks of: each step's own, nothing carries them."""
        lines = [
            b for b in self.system.with_loss.backward if b.name.base not in self.system.derivation.by_name
        ]
        for line in lines:
            for t in range(STEPS) if line.name.lag is not None else (None,):
                self.store(self.numbers, line.name.base, t, line.expr, line.shape)
            if line.name.lag is not None:
                self.only_last(self.values[line.name.base])

    def only_last(self, steps: dict[int | None, Array]) -> None:
        """What a loss of the last step alone gives: nothing before."""
        for t in range(STEPS - 1) if self.system.final else ():
            steps[t] = steps[t] * 0

    def probes(self) -> None:
        """Any value of what nothing is known of."""
        self.values |= {name: {None: self.draw(shape)} for name, shape in self.system.probes.items()}

    def doubled(self) -> None:
        """The reverse run whose incoming gradients are the true adjoints of the outputs."""
        system, names = self.system, self.system.derivation.names
        values = {name: dict(steps) for name, steps in self.values.items()}
        for output, ref in system.derivation.given.items():
            values[ref.base] = dict(self.values[names.adjoint(output)])
        for state, ref in zip(system.cell.role("state"), system.carried, strict=True):
            values[ref.base] = {STEPS: self.values[state.name][-1] * 0}
        again = Numbers(values, self.numbers.sizes, STEPS, self.numbers.arithmetic)
        lines = system.derivation.backward
        for t in reversed(range(STEPS)):
            for line in lines:
                if line.name.lag is not None:
                    self.store(again, line.name.base, t, line.expr, line.shape)
        for line in lines:
            if line.name.lag is None:
                self.store(again, line.name.base, None, line.expr, line.shape)
                self.values[system.doubled(line.name.base)] = {None: values[line.name.base][None]}

    def store(self, numbers: Numbers, name: str, t: int | None, expr: sp.Expr, shape: Shape) -> None:
        value = evaluate(expr, numbers, t or 0)
        if shape and not np.shape(value):
            value = numbers.arithmetic.full(self.dims(shape), value)
        numbers.values.setdefault(name, {})[t] = value  # type: ignore[attr-defined]
