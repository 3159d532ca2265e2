"""A document without forward equations, about a cell that is named: the cell's names are its names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.kinds import assumed_functions, kinds_of, letters_of, loss_names, to_go
from lstmsym.binding.quantity import identifier, untimed
from lstmsym.binding.table import Bound, Line, Table
from lstmsym.binding.told import Told
from lstmsym.cell import Cell, Equation, Quantity
from lstmsym.documents.formula import Name, Time
from lstmsym.documents.read import Document, formula
from lstmsym.latex import Latex
from lstmsym.notation import Ref

ROLES = {"hyperparameter": "hyper", "output": "name"}
"""Roles of a cell's quantities as a table of names has them, where they differ."""


def bind_to(cell: Cell, document: Document, lines: Sequence[Line], told: Told) -> Bound:
    """The names of a document that are a cell's own; each of its lines is a claim."""
    table = Table(letters=letters_of(document, lines))
    table.functions = assumed_functions(lines, table, told.spoken) | dict(told.functions)
    kinds = {n: kind for n, kind in kinds_of(lines, table).items() if kind in ("loss", "definition")}
    table = replace(table, idents={}, aliases={})
    cell, table.before = with_arguments(cell)
    for quantity in cell.quantities:
        _enter(quantity, cell, table)
    for equation in cell.equations:
        table.defined[equation.name.base] = equation.expr
    return Bound(cell, table, kinds, "", frozenset(loss_names(lines)), frozenset(to_go(lines)))


def _enter(quantity: Quantity, cell: Cell, table: Table) -> None:
    """The name of a quantity in the table, spelled as LaTeX has it."""
    name = formula(Latex(cell.order).name(quantity.name, None))
    if not isinstance(name, Name):
        return
    time = None if quantity.constant else Time(Name(min(table.letters)))
    sample = replace(name, time=time)
    table.idents[untimed(name)[0].key] = quantity.name
    table.spelled[quantity.name], table.samples[quantity.name] = name, sample
    table.roles[quantity.name] = ROLES.get(quantity.role, quantity.role)
    table.shapes[quantity.name] = quantity.shape


def with_arguments(cell: Cell) -> tuple[Cell, dict[str, str]]:
    """A cell in which what sigma or tanh is taken of has a name, and that name for each gate."""
    taken = [q.name for q in cell.quantities]
    before: dict[str, str] = {}
    equations: list[Equation] = []
    quantities = list(cell.quantities)
    for line in cell.equations:
        inner = line.expr.args[0] if isinstance(line.expr, (N.sigma, N.tanh)) else None
        if isinstance(inner, Ref):
            before[line.name.base] = inner.base
        elif isinstance(inner, sp.Expr):
            name = before[line.name.base] = identifier(f"net_{line.name.base}", taken)
            taken.append(name)
            own = cell.by_name[line.name.base]
            quantities.append(Quantity(name, "name", own.shape, constant=own.constant))
            equations.append(replace(line, name=Ref(name, line.name.lag), expr=inner))
            line = replace(line, expr=line.expr.func(Ref(name, line.name.lag)))
        equations.append(line)
    return replace(cell, quantities=tuple(quantities), equations=tuple(equations)), before
