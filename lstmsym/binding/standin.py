"""Forward equations that are not read, with something that stands in for what they define.

What such an equation defines depends on what it reads in a way about which nothing is known: any function
of any combination.  Lines about other quantities can then be judged: what is proved of them holds whatever
the equation says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.activations import GENERIC, POINTWISE_FUNCTIONS
from lstmsym.binding.quantity import identifier
from lstmsym.binding.table import Line, Table, bare_names, has_gradient
from lstmsym.documents.formula import Formula, Name, names
from lstmsym.notation import Ref
from lstmsym.shapes import Shape


def stand_in(ident: str, right: Formula, table: Table) -> sp.Expr | None:
    """An expression in what a right side reads, about which nothing is known; None if that is nothing."""
    terms = []
    for other, lag in dict.fromkeys(_read(right, table)):
        if other == ident and lag == 0:
            continue
        weight = identifier(f"any_{ident}_{other}", [*table.roles, *table.spelled])
        table.roles[weight] = "parameter"
        table.shapes[weight] = (*table.shapes[ident], *table.shapes[other])
        terms.append(_weighted(Ref(weight), Ref(other, lag), table.shapes[ident], table.shapes[other]))
    return POINTWISE_FUNCTIONS[GENERIC[-1]](sp.Add(*terms)) if terms else None


def _weighted(weight: Ref, read: Ref, mine: Shape, other: Shape) -> sp.Expr:
    """A vector or number times a weight that makes a vector or number of it."""
    if mine and other:
        return N.Dot(weight, read)
    return N.Sum(weight * read) if other else weight * read


def _read(right: Formula, table: Table) -> Iterator[tuple[str, int]]:
    """The vectors and numbers that a right side reads; what is not of this step is of the step before."""
    for name in bare_names(right):
        at = table.key(name)
        ident = table.idents.get(at.key, "")
        if table.roles.get(ident) not in ("input", "state", "name") or len(table.shapes[ident]) > 1:
            continue
        lag = 0 if at.lag in (0, None) else -1
        if lag and table.roles[ident] == "name":
            table.roles[ident] = "state"
        yield ident, lag if table.roles[ident] == "state" else 0


def lacking(lines: Sequence[Line], kinds: Mapping[int, str], table: Table) -> list[int]:
    """Lines that define what the cell has as given, and were not read as forward."""
    found = []
    for place, (left, right, _) in enumerate(lines):
        if place in kinds or not isinstance(left, Name):
            continue
        at = table.key(left)
        given = table.roles.get(table.idents.get(at.key, "")) in ("input", "parameter")
        itself = any(table.key(n).key == at.key for n in names(right))
        if given and not itself and not any(has_gradient(side, table, True) for side in (left, right)):
            found.append(place)
    return found


def reads(lines: Sequence[Line], unread: Mapping[int, str], table: Table) -> frozenset[str]:
    """The quantities that the lines which are not read depend on."""
    found = (table.idents.get(table.key(n).key) for place in unread for n in names(lines[place][1]))
    return frozenset(ident for ident in found if ident)
