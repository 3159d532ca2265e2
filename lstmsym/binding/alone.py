r"""Lines about one unit alone, ``\partial h_{n,T} / \partial h_{n,t} = \prod_k u_n``, as lines of vectors."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.binding.table import LOSSES, Line, Table
from lstmsym.binding.units import every_name
from lstmsym.documents.formula import Big, Derivative, Formula, Indexed, Name, rebuilt, walk
from lstmsym.verify.instances import is_entrywise
from lstmsym.verify.system import System


def of_vectors(line: Line, table: Table, system: System) -> Line:
    """A line all of whose quantities have the same one index without it: it is said entry by entry."""
    parts = [n for side in line[:2] for n in walk(side)]
    every = [n for side in line[:2] for n in every_name(side)]
    labels = {n.units for n in every if n.units}
    if len(labels) != 1 or len(next(iter(labels))) != 1 or any(isinstance(n, Indexed) for n in parts):
        return line
    if any(isinstance(n, Big) and n.variable in next(iter(labels)) for n in parts):
        return line
    if any(_rank(n, table, system) for n in every if not n.units):
        return line
    if not all(_moves_alone(n, table, system) for n in parts if isinstance(n, Derivative)):
        return line
    return _without(line[0]), _without(line[1]), line[2]


def _rank(name: Name, table: Table, system: System) -> int:
    """The rank of a quantity of the cell; 0 of anything else without a step."""
    return len(system.shapes.get(_ident(name, table), ())) or int(name.time is not None)


def _ident(name: Name, table: Table) -> str:
    return table.idents.get(table.key(replace(name, units=())).key, "")


def _moves_alone(node: Derivative, table: Table, system: System) -> bool:
    """Whether an entry of what is derived depends on that one entry only."""
    if not isinstance(node.of, Name) or not isinstance(node.by, Name):
        return False
    what, by = _ident(node.of, table), _ident(node.by, table)
    if what not in system.forward:
        return node.of.base in LOSSES
    return bool(node.of.units and node.by.units) and by in system.shapes and is_entrywise(system, what, by)


def _without(node: Formula) -> Formula:
    return replace(node, units=()) if isinstance(node, Name) else rebuilt(node, _without)
