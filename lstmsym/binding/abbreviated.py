"""Names that a document defines in terms of gradients: they are no part of the forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lstmsym.binding.table import Line, Table, bare_names, has_gradient
from lstmsym.binding.updates import is_update
from lstmsym.documents.formula import Formula, Name

DEFINING = ("=", ":=", "≡", "←")


def of_gradients(lines: Sequence[Line], table: Table) -> frozenset[str]:
    """Keys of names every definition of which, a chain of equations, holds a gradient or such a name."""
    definitions: dict[str, dict[object, list[Formula]]] = defaultdict(lambda: defaultdict(list))
    for left, right, row in lines:
        if isinstance(left, Name) and row.relation in DEFINING and not is_update(left, right, table):
            definitions[table.key(left).key][row.line, row.column, row.source].append(right)
    found: set[str] = set()
    while True:
        new = {
            key
            for key, chains in definitions.items()
            if key not in found
            and all(any(_holds(right, found, table) for right in chain) for chain in chains.values())
        }
        if not new:
            return frozenset(found)
        found |= new


def _holds(right: Formula, found: set[str], table: Table) -> bool:
    return has_gradient(right, table, False) or any(table.key(n).key in found for n in bare_names(right))
