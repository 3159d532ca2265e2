"""Lines of entries in which a vector stands without its index: with which index it may be meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import permutations, product

from lstmsym.binding.table import Line, Table
from lstmsym.binding.units import every_name
from lstmsym.documents.formula import Formula, Name, rebuilt
from lstmsym.documents.write import write

LACKING = " has 0 indices where it is "
"""What is said of such a line when it is read as it stands."""
MOST = 24
"""Ways to put indices to names that are tried."""


def with_indices(line: Line, lines: Iterable[Line], table: Table) -> tuple[str, list[Line]]:
    """The names that lack their indices, and the lines that may be meant; none where that is not told."""
    left, right, row = line
    found = {id(n): n for side in (left, right) for n in every_name(side)}
    labels = sorted({u for n in found.values() for u in n.units})
    used: dict[str, int] = {}
    for name in (n for other in lines for side in other[:2] for n in every_name(side) if n.units):
        used[replace(name, time=None).key] = len(name.units)
    ranks = {key: _rank(name, table, used) for key, name in found.items()}
    if any(n.units and ranks[key] not in (None, len(n.units)) for key, n in found.items()):
        return "", []  # rows of matrices, or vectors of a layer each
    bare = {n.key: (n, ranks[key]) for key, n in found.items() if not n.units and ranks[key]}
    ways = [list(permutations(labels, rank or 0)) for _, rank in bare.values()]
    count = 1
    for way in ways:
        count *= len(way)
    if not bare or not 0 < count <= MOST:
        return "", []
    chosen = (dict(zip(bare, way, strict=True)) for way in product(*ways))
    meant = [(_put(left, units), _put(right, units), row) for units in chosen]
    return " and ".join(sorted({write(n) for n, _ in bare.values()})), meant


def _rank(name: Name, table: Table, used: Mapping[str, int]) -> int | None:
    """How many indices a quantity has, or a name where it has any."""
    ident = table.idents.get(table.key(replace(name, units=())).key)
    return len(table.shapes[ident]) if ident in table.shapes else used.get(replace(name, time=None).key)


def _put(node: Formula, units: dict[str, tuple[str, ...]]) -> Formula:
    """A formula whose names have these indices."""
    if isinstance(node, Name):
        own = units.get(node.key)
        return node if own is None or node.units else replace(node, units=own)
    return rebuilt(node, lambda part: _put(part, units))
