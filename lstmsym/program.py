"""A program: straight-line steps in six places, and the arrays they live in.  No language yet.

Forward and backward each have steps before, inside and after the loop over t.  Inside the loop a
reference speaks of one step; before and after it, of all steps at once.  Everything above a program
is mathematics and knows no language; everything below it is spelling and knows no mathematics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell
from lstmsym.notation import Op, Ref
from lstmsym.printing import Printer
from lstmsym.shapes import Shape

T, B = sp.Symbol("T", integer=True, nonnegative=True), sp.Symbol("B", integer=True, positive=True)


class Stack(Op):
    """Matrices one below the other: ``Stack(W_i, W_f)``."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Rows add up."""
        return (sp.Add(*(s[0] for s in shapes)), shapes[0][1])


class Beside(Op):
    """Matrices side by side: ``Beside(U, W)``."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Columns add up."""
        return (shapes[0][0], sp.Add(*(s[1] for s in shapes)))


class Turned(Op):
    """A transposed matrix, copied into order where that pays."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Rows and columns change places."""
        return shapes[0][::-1]


class Rows(Op):
    """The rows a to b of a matrix: ``Rows(W, a, b)``."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """As many rows as the bounds span."""
        return (self.args[2] - self.args[1], shapes[0][1])


class Cols(Op):
    """The columns a to b of a matrix: ``Cols(W, a, b)``."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """As many columns as the bounds span."""
        return (shapes[0][0], self.args[2] - self.args[1])


class Gates(Op):
    """Sigma of the features a to b, tanh of the others, in one pass: ``Gates(v, a, b)``."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Feature by feature."""
        return shapes[0]


class Slopes(Op):
    """The derivative of `Gates` by its values: v (1 - v) from a to b, 1 - v**2 elsewhere."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Feature by feature."""
        return shapes[0]


@dataclass(frozen=True)
class Array:
    """Storage that outlives a step.

    ``shape`` is that of one sample at one step; ``time`` says how often it is there: "all" (one for
    each step), "state" (one more, index 0 before the first step), "once" (no time, no batch) or "sum"
    (the same, added to at each step).
    ``parts`` are the names that live in it, with their places, where it is shared.
    """

    name: str
    shape: Shape
    time: str
    parts: tuple[tuple[str, sp.Expr, sp.Expr], ...] = ()

    @property
    def numbers(self) -> sp.Expr:
        """How many numbers it holds."""
        return sp.Mul({"all": T * B, "state": (T + 1) * B, "once": 1, "sum": 1}[self.time], *self.shape)


@dataclass(frozen=True)
class Step:
    """``target = expr``, or ``target += expr`` where ``add``.

    The target is a reference or a part of one.  ``says`` are the equations it carries out, as a
    paper prints them; ``answers`` the forward lines a backward step differentiates.
    """

    target: sp.Expr
    expr: sp.Expr
    add: bool = False
    says: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    @property
    def products(self) -> int:
        """Matrix products (GEMMs) it takes: with a matrix without time, or summed outer ones."""
        return sum(1 for node in sp.preorder_traversal(self.expr) if _is_product(node))


def _is_product(node: sp.Expr) -> bool:
    if isinstance(node, N.Dot):
        return all(ref.lag is None for ref in node.args[0].atoms(Ref)) and any(
            r.lag is not None for r in node.args[1].atoms(Ref)
        )
    return isinstance(node, N.Total) and isinstance(node.args[0], N.Outer)


@dataclass(frozen=True)
class Phase:
    """The steps of one direction: before, inside and after the loop over t."""

    before: tuple[Step, ...]
    inside: tuple[Step, ...]
    after: tuple[Step, ...]

    def __iter__(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """The three places with their names."""
        return iter((("before", self.before), ("inside", self.inside), ("after", self.after)))

    @property
    def products(self) -> sp.Expr:
        """Matrix products over a whole sequence, in terms of T."""
        outside = sum(step.products for step in (*self.before, *self.after))
        return outside + T * sum(step.products for step in self.inside)


@dataclass(frozen=True)
class Program:
    """What every backend spells: the six places, the arrays kept between them, the signature."""

    cell: Cell
    forward: Phase
    backward: Phase
    loss: tuple[Step, ...]
    """All steps at once: the loss of each step, then the gradient of each output."""
    forward_arrays: tuple[Array, ...]
    """What the forward loop writes step by step and somebody reads later."""
    backward_arrays: tuple[Array, ...]
    """What the backward loop writes step by step, and where its end assembles gradients."""
    shared: tuple[Array, ...]
    """The arrays in which several names live side by side."""
    saved: tuple[Array, ...]
    """What the forward pass keeps for the backward pass, beside inputs and parameters."""
    inputs_read: tuple[str, ...]
    """The inputs and hyperparameters that the backward pass reads."""
    given: Mapping[str, Ref]
    carried: Mapping[str, Ref]
    """State -> what a step sends back to the one before."""
    gradients: Mapping[str, Ref]
    """Input or parameter -> its gradient."""
    aliases: Mapping[str, sp.Expr]
    """Name -> the part of a shared array in which it lives."""
    shapes: Mapping[str, Shape] = field(compare=False)
    order: Mapping[str, int] = field(compare=False)
    textbook: bool = False
    """The order of a hand-written listing is kept, so that its rounding is too."""

    @property
    def products(self) -> sp.Expr:
        """Matrix products of forward and backward together, in terms of T."""
        return sp.expand(self.forward.products + self.backward.products)

    @property
    def saved_numbers(self) -> sp.Expr:
        """How many numbers the tape holds, beside the inputs."""
        return sp.expand(sp.Add(*(array.numbers for array in self.saved if array.time != "once")))

    def __str__(self) -> str:
        """The six lists, then the counts."""
        show = Printer(self.order)
        lines = []
        for title, phase in (("forward", self.forward), ("backward", self.backward)):
            for place, steps in phase:
                lines.append(
                    f"{title}, {place} the loop over t:" if place != "inside" else f"{title}, for each t:"
                )
                lines += [f"    {show(s.target)} {'+=' if s.add else '='} {show(s.expr)}" for s in steps] or [
                    "    -"
                ]
        lines.append(f"matrix products: {self.products}")
        lines.append(f"saved numbers:   {sp.collect(self.saved_numbers, [T, B])}")
        return "\n".join(lines)
