"""A w that stands for any parameter: a line about it is a line about each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.chains import chain_rule
from lstmsym.binding.table import Bound, Line
from lstmsym.documents.formula import Derivative, Formula, Name, rebuilt, walk
from lstmsym.documents.times import is_step


def for_all_parameters(lines: Sequence[Line], bound: Bound) -> list[Line]:
    """The lines, those about a w that nothing defines once for each parameter of the cell.

    The first stands where the line stood, the others behind all lines.
    """
    if bound.cell is None:
        return list(lines)
    parameters = [bound.table.samples.get(q.name) for q in bound.cell.quantities if q.role == "parameter"]
    found, more = list(lines), list[Line]()
    for place, line in enumerate(lines):
        generic = None if place in bound.kinds else next(_generic(line, bound), None)
        if generic is None:
            continue
        each = [_put(line, generic, name) for name in parameters if name is not None]
        if each:
            found[place], more = each[0], [*more, *each[1:]]
    return found + more


def _generic(line: Line, bound: Bound) -> Iterator[Name]:
    """A name without a step that nothing defines, and by which a loss is derived on the left side."""
    if not any(chain_rule(node) for node in walk(line[1])):
        return
    for node in walk(line[0]):
        by = node.by if isinstance(node, Derivative) else None
        if not isinstance(by, Name) or by.time is not None or by.scripts or by.marks:
            continue
        known = bound.table.idents.keys() | bound.table.macros.keys()
        if by.key not in known and by.base in "wWθΘϑ" and not is_step(by, bound.table.letters):
            yield by


def _put(line: Line, old: Name, new: Name) -> Line:
    def change(node: Formula) -> Formula:
        if isinstance(node, Name) and node.key == old.key and node.time is None:
            return replace(new, span=node.span)
        return rebuilt(node, change)

    return change(line[0]), change(line[1]), line[2]
