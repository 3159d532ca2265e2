"""Chain rules through an output that the cell does without, as it is read by the loss alone."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.binding.table import LOSSES, Table
from lstmsym.documents.formula import Derivative, Formula, Name, Product, rebuilt
from lstmsym.notation import Ref
from lstmsym.verify.system import System


def shortened(node: Formula, table: Table, system: System) -> Formula:
    """A formula in which a loss is derived at once by what an output is made of that it alone reads."""
    node = rebuilt(node, lambda part: shortened(part, table, system))
    if not isinstance(node, Product):
        return node
    factors, operators = [node.factors[0]], []
    for operator, factor in zip(node.operators, node.factors[1:], strict=True):
        one = None if operator not in ("", "·", "×", "*") else _joined(factors[-1], factor, table, system)
        if one is not None:
            factors[-1] = one
        else:
            factors.append(factor)
            operators.append(operator)
    if len(factors) == len(node.factors):
        return node
    return factors[0] if len(factors) == 1 else Product(tuple(operators), tuple(factors), span=node.span)


def _joined(first: Formula, second: Formula, table: Table, system: System) -> Derivative | None:
    if not isinstance(first, Derivative) or not isinstance(second, Derivative) or first.by != second.of:
        return None
    between, loss = first.by, first.of
    if not isinstance(between, Name) or not isinstance(loss, Name) or loss.base not in LOSSES:
        return None
    if between.time is None or loss.time not in (None, between.time):
        return None
    if loss.time is None and table.average != 1:
        return None
    if not _is_read_alone(table.key(between).key, table, system):
        return None
    loss = replace(loss, time=between.time)  # of all losses that of this step alone reads the output
    return Derivative(loss, second.by, first.letter, span=(first.span[0], second.span[1]))


def _is_read_alone(key: str, table: Table, system: System) -> bool:
    """Whether the loss reads nothing that depends on the states but one output that the cell lacks."""
    cell = system.cell
    if key not in table.standing or cell.loss is None:
        return False
    (line,) = (e.expr for e in cell.equations if e.name.base == cell.loss)
    targets = {q.name for q in cell.role("target")}
    read = {ref for ref in line.atoms(Ref) if ref.base not in targets}
    return read <= table.standing[key].atoms(Ref)
