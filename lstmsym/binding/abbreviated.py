"""Names that a document defines in terms of gradients: they are no part of the forward pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lstmsym.binding.table import Line, Table, bare_names, has_gradient, is_gradient_name
from lstmsym.binding.updates import is_update
from lstmsym.documents.formula import Apply, Delta, Derivative, Formula, Name, Number, walk

DEFINING = ("=", ":=", "≡", "←")


def of_gradients(lines: Sequence[Line], table: Table) -> frozenset[str]:
    """Keys of names every definition of which holds a gradient, or a name that is so defined."""
    definitions: dict[str, list[Formula]] = defaultdict(list)
    for left, right, row in lines:
        if not isinstance(left, Name) or isinstance(right, Number) or row.relation not in DEFINING:
            continue
        if not is_update(left, right, table) and not is_of_slopes(left, right, table):
            definitions[table.key(left).key].append(right)
    found = {key for key, rights in definitions.items() if any(isinstance(r, Derivative) for r in rights)}
    while True:
        new = {
            key
            for key, rights in definitions.items()
            if key not in found
            and any(_holds(right, found, table) for right in rights)
            and all(_holds(right, found | {key}, table) for right in rights)
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
