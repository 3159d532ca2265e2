"""A cell: a page of forward equations with what it declares, shape-checked and frozen.

The class body *is* the page: ``class LSTM(Cell)`` gives no class but the frozen value, because the
metaclass hands the body a `Page` to write on.  Cells never inherit equations.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lstmsym.declare import Declared, Hyper, Parameter
from lstmsym.latex import Latex, displays, row
from lstmsym.notation import Ref, Size
from lstmsym.page import Equation as Equation
from lstmsym.page import Page
from lstmsym.printing import Printer
from lstmsym.settle import check_definitions, check_uses, loss_of, outputs_of, shapes_of
from lstmsym.settle import loss_part as loss_part
from lstmsym.shapes import Shape


@dataclass(frozen=True)
class Quantity:
    """Something a cell speaks of: its role, its shape, and how a parameter or hyperparameter starts.

    Roles: input, state, parameter, target, hyperparameter, output, loss, name (an intermediate).
    """

    name: str
    role: str
    shape: Shape
    start: str | float | None = None
    constant: bool = False
    """True for what has no time: parameters, hyperparameters and names made of them alone."""

    @property
    def now(self) -> Ref:
        """The reference at step t (or without time)."""
        return Ref(self.name) if self.constant else Ref(self.name, 0)


class _PageMeta(type):
    """Gives a cell's class body its page, and turns the page into a frozen `Cell`."""

    @classmethod
    def __prepare__(mcs, name: str, bases: tuple[type, ...], /, **_: Any) -> Any:
        return Page(name) if bases else {}

    def __new__(mcs, name: str, bases: tuple[type, ...], body: Any, **_: Any) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, body)
        return build(name, body, body.get("__doc__") or "", body.get("__module__", ""))


@dataclass(frozen=True)
class Cell(metaclass=_PageMeta):
    """Ordered forward equations with declared inputs, states and parameters.

    ``quantities`` holds everything the cell speaks of, in order of appearance, with its shape;
    ``outputs`` are the names handed out at each step; ``loss`` is the name of the per-step loss.
    """

    name: str
    doc: str = field(compare=False)
    quantities: tuple[Quantity, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[str, ...]
    loss: str | None
    module: str = field(default="", compare=False)

    @staticmethod
    def from_equations(
        name: str,
        declare: Iterable[Declared | Size],
        equations: Iterable[tuple[Ref | str, Any]],
        doc: str = "",
    ) -> Cell:
        """The same value without the sugar: declarations with names, then (name, expression) pairs.

        An intermediate is referred to as ``Ref("i", 0)``.

        Raises:
            NotationError: as for a class body.
        """
        page = Page(name)
        for item in declare:
            page[item.name] = item
        for left, expr in equations:
            if isinstance(left, Ref) and left.lag not in (0, None):
                page.fail(f"an equation defines {left.base} at t", f"{left} = ...")
            page.equation(left.base if isinstance(left, Ref) else left, expr)
        return build(name, page, doc)

    def role(self, *roles: str) -> tuple[Quantity, ...]:
        """The quantities in any of these roles, in order of declaration."""
        return tuple(q for q in self.quantities if q.role in roles)

    @cached_property
    def by_name(self) -> Mapping[str, Quantity]:
        """Name -> quantity."""
        return {q.name: q for q in self.quantities}

    @cached_property
    def order(self) -> Mapping[str, int]:
        """Name -> place, for printing: what is given as declared, then what is computed, line by line."""
        computed = [e.name.base for e in self.equations]
        given = [q.name for q in self.quantities if q.name not in computed]
        return {name: place for place, name in enumerate([*given, *computed])}

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        """The size symbols in shapes and equations, m and n first; n only where it is used."""
        found = {s for q in self.quantities for dim in q.shape for s in dim.atoms(Size)}
        found |= {s for e in self.equations for s in e.expr.atoms(Size)}
        return tuple(sorted(found, key=lambda s: ("mn".find(s.name) if s.name in "mn" else 2, s.name)))

    def _repr_latex_(self) -> str:
        show = Latex(self.order)
        return displays(row(show(e.name), show.lines(e.expr)) for e in self.equations)

    def __str__(self) -> str:
        """The page, equations aligned."""
        show = Printer(self.order)
        width = builtins.max(len(str(e.name)) for e in self.equations)
        return "\n".join(f"{e.name!s:{width}} = {show(e.expr)}" for e in self.equations)


def build(name: str, page: Page, doc: str, module: str = "") -> Cell:
    """Check a page and freeze it.

    Raises:
        NotationError: with the cell, the equation and the remedy.
    """
    check_definitions(page)
    shapes = shapes_of(page)
    loss = loss_of(page, shapes)
    outputs = outputs_of(page, loss)
    check_uses(page, loss, outputs)
    quantities = tuple(_quantity(page, key, shape, loss) for key, shape in shapes.items())
    return Cell(name, doc, quantities, tuple(page.equations), outputs, loss, module)


def _quantity(page: Page, key: str, shape: Shape, loss: str | None) -> Quantity:
    thing = page.declared.get(key)
    if isinstance(thing, Parameter):
        return Quantity(key, thing.role, shape, thing.init, constant=True)
    if isinstance(thing, Hyper):
        return Quantity(key, thing.role, shape, thing.default, constant=True)
    if thing is not None:
        return Quantity(key, thing.role, shape)
    constant = any(e.name == Ref(key) for e in page.equations)
    return Quantity(key, "loss" if key == loss else "name", shape, constant=constant)
