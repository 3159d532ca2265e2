"""Names that a document defines in terms of gradients: they are no part of the forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lstmsym.binding.table import Line, Table, bare_names, has_gradient, is_gradient_name
from lstmsym.binding.updates import is_update
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Name, walk

DEFINING = ("=", ":=", "≡", "←")


def of_gradients(lines: Sequence[Line], table: Table) -> frozenset[str]:
    """Keys of names every definition of which, a chain of equations, holds a gradient or such a name."""
    definitions: dict[str, dict[object, list[Formula]]] = defaultdict(lambda: defaultdict(list))
    for left, right, row in lines:
        if not isinstance(left, Name) or row.relation not in DEFINING:
            continue
        if not is_update(left, right, table) and not is_of_slopes(left, right, table):
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


def is_diagonal(right: Formula) -> bool:
    """Whether a formula is a diagonal matrix."""
    return isinstance(right, Apply) and right.head.base.lower() == "diag"


def is_of_slopes(left: Formula, right: Formula, table: Table) -> bool:
    r"""Whether a line names a diagonal matrix of derivatives of functions, ``\Phi = diag(f'(v))``."""
    if not is_diagonal(right):
        return False
    parts = [part for side in (left, right) for part in walk(side)]
    if any(isinstance(part, (Delta, Derivative)) for part in parts):
        return False
    return not any(is_gradient_name(n, table) for side in (left, right) for n in bare_names(side))
