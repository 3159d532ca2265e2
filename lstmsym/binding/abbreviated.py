"""Names that a document defines in terms of gradients: they are no part of the forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lstmsym.binding.table import Line, Table, bare_names, has_gradient
from lstmsym.binding.updates import is_update
from lstmsym.documents.formula import Formula, Name

DEFINING = ("=", ":=", "≡", "←")


def of_gradients(lines: Sequence[Line], table: Table) -> frozenset[str]:
    """Keys of names every definition of which holds a gradient, or a name that is so defined."""
    definitions: dict[str, list[Formula]] = defaultdict(list)
    for left, right, row in lines:
        if isinstance(left, Name) and row.relation in DEFINING and not is_update(left, right, table):
            definitions[table.key(left).key].append(right)
    found: set[str] = set()
    while True:
        new = {
            key
            for key, rights in definitions.items()
            if key not in found and all(_holds(right, found, table) for right in rights)
        }
        if not new:
            return frozenset(found)
        found |= new


def _holds(right: Formula, found: set[str], table: Table) -> bool:
    return has_gradient(right, table, False) or any(table.key(n).key in found for n in bare_names(right))
