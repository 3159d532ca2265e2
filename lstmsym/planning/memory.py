"""Where names live while a program is planned: shared arrays, parts of them, the names in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.planning.layout import Layout, Run
from lstmsym.planning.prepare import Block, Prepared
from lstmsym.printing import Printer
from lstmsym.program import Array
from lstmsym.shapes import Shape

BEFORE, INSIDE, AFTER, ONCE = "before", "inside", "after", "once"
"""The places of a line: before, inside or after the loop, or once a call."""


class Memory:
    """Where names live: layouts, aliases into them, the names in use."""

    def __init__(self, ready: Prepared) -> None:
        """Start with the names of the prepared lines."""
        self.shapes: dict[str, Shape] = dict(ready.shapes)
        self.aliases: dict[str, sp.Expr] = {}
        self.layouts: dict[str, Layout] = {}
        self.arrays: dict[str, Array] = {}
        self.adjoint_array: dict[str, str] = {}
        self.packs: dict[Run, sp.Expr] = {}
        self.place: dict[str, str] = {}
        self.parameters = {q.now for q in ready.cell.role("parameter")} | {Ref(name) for name in ready.blocks}
        # fmt: off
        order = [*ready.cell.order] + [e.name.base for e in ready.forward]
        # fmt: on
        self.order: dict[str, int] = {name: place for place, name in enumerate(dict.fromkeys(order))}
        gradients = [
            *(r.base for r in ready.given.values()),
            *(b.name.base for b in ready.backward),
        ]
        self.order |= {name: place - 10**6 for place, name in enumerate(dict.fromkeys(gradients))}
        self.show = Paper(self.order, ready.blocks)

    def unique(self, name: str, shape: Shape) -> str:
        """An array name that is not taken, with its shape noted."""
        while name in self.shapes:
            name += "_"
        self.shapes[name] = shape
        return name

    def part(self, array: str, low: sp.Expr, high: sp.Expr, lag: int | None = 0) -> sp.Expr:
        """A stretch of a shared array, or all of it."""
        (size, *_) = self.shapes[array]
        ref = Ref(array, lag)
        return ref if (low, high) == (0, size) else N.Part(ref, low, high)

    def slot(self, name: Ref) -> sp.Expr:
        """Where a name is written: its part of a shared array, or the name itself."""
        return self.aliases.get(name.base, name) if name.lag == 0 else name

    def slot_of(self, target: sp.Expr) -> sp.Expr:
        """Where a step writes."""
        return self.slot(target) if isinstance(target, Ref) else target

    def line(self, name: Ref, expr: sp.Expr) -> str:
        """An equation as a paper prints it."""
        return f"{name} = {self.show(expr)}"


class Paper(Printer):
    """Prints a block of a weight as the columns it is."""

    def __init__(self, order: Mapping[str, int], blocks: Mapping[str, Block]) -> None:
        """Know the blocks."""
        super().__init__(order)
        self.blocks = blocks

    def ref(self, ref: Ref) -> str:
        """A quantity, or columns of one."""
        block = self.blocks.get(ref.base)
        if block is None:
            return super().ref(ref)
        return f"{block.weight}[:, {'' if block.low == 0 else self(block.low)}:{self(block.high)}]"


def closure(start: set[Ref], lines: Iterable[tuple[Ref, sp.Expr]]) -> set[Ref]:
    """Everything that depends on the start, through lines given in order."""
    found = set(start)
    for name, expr in lines:
        if found & expr.atoms(Ref):
            found.add(name)
    return found


def ancestors(goals: set[Ref], lines: list[tuple[Ref, sp.Expr]]) -> set[Ref]:
    """Everything the goals depend on, through lines given in order."""
    found = set(goals)
    for name, expr in reversed(lines):
        if name in found:
            found |= expr.atoms(Ref)
    return found
