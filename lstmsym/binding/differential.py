r"""Differentials, ``da = dW h + W dh``: how quantities change together, and not gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmsym.binding.table import LOSSES, Line, Table
from lstmsym.documents.formula import Delta, Formula, Name, Product, walk


def differentials(lines: Sequence[Line], table: Table) -> frozenset[int]:
    """Places of the lines that are about differentials.

    In a text of differentials a weight and its change stand in one line, by the product rule, each before
    what it is multiplied with, or the change of the loss stands alone on the left.
    """
    if not any(_shows(line, table) for line in lines):
        return frozenset()
    changes = (_is_change(left) and any(_changes(right)) for left, right, _ in lines)
    return frozenset(n for n, found in enumerate(changes) if found)


def _changes(node: Formula) -> Iterator[Delta]:
    return (part for part in walk(node) if isinstance(part, Delta) and _is_change(part))


def _is_change(node: Formula) -> bool:
    return isinstance(node, Delta) and node.prefix == "d" and isinstance(node.of, Name)


def _shows(line: Line, table: Table) -> bool:
    left, right, _ = line
    if not isinstance(left, Delta) or not _is_change(left) or not isinstance(left.of, Name):
        return False
    key = table.key(left.of).key
    if left.of.base in LOSSES and key not in table.idents:
        return any(_changes(right))
    firsts = [f for node in walk(right) if isinstance(node, Product) for f in node.factors[:-1]]
    plain = {f.key for f in firsts if isinstance(f, Name)}
    changed = {f.of.key for f in firsts if isinstance(f, Delta) and _is_change(f) and isinstance(f.of, Name)}
    return any(table.roles.get(table.idents.get(key, "")) == "parameter" for key in plain & changed)
