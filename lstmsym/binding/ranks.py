"""Quantities of each step that are matrices or numbers, found where vectors do not fit.

The state of linear attention, ``S_t = S_{t-1} + v_t k_t^T``, is a matrix and its gates are numbers.  No
declaration says so: what does not fit as a vector is tried as a matrix, and what has turned out to be
a number where it is defined is one where it was read before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lstmsym.binding.table import Line, Table, bare_names, function_of
from lstmsym.documents.formula import Formula, Name, Product, names, walk

ROUNDS = 5
"""How often ranks are changed before they are given up."""

Ranks = Mapping[str, int]


def more(lines: Sequence[Line], unread: Mapping[int, str], table: Table, kinds: Mapping[int, str]) -> Ranks:
    """Ranks to try next, where some lines were not read with those of the table; none if there are none."""
    numbers = {
        key: 0
        for key, ident in table.idents.items()
        if table.shapes.get(ident) == () and table.roles.get(ident) in ("name", "state")
    }
    open_ = {table.key(lines[n][0]).key: n for n in unread}  # type: ignore[arg-type]
    states = {key: 2 for key, n in open_.items() if _recurs(key, lines[n][1], table)}
    found = _new({**states, **numbers}, table)
    if found:
        return found
    beside = {key: 0 for n in unread for key in _gates(lines[n][1], table)}
    leaves = {leaf: 0 for key in beside for leaf in _leaves(key, lines, kinds, table)}
    return _new({**beside, **leaves}, table) or _new({key: 2 for key in open_}, table)


def _new(ranks: Ranks, table: Table) -> Ranks:
    return {key: rank for key, rank in ranks.items() if key not in table.ranks}


def _recurs(key: str, right: Formula, table: Table) -> bool:
    """Whether a line reads its own left side, at the step before."""
    return any(table.key(n).key == key for n in names(right))


def _gates(right: Formula, table: Table) -> Iterator[str]:
    """What stands in open products before a matrix of the step before, and has steps itself."""
    for node in walk(right):
        if not isinstance(node, Product) or any(o not in ("", "⋅", "*", "⊙") for o in node.operators):
            continue
        places = [table.key(f) if isinstance(f, Name) else None for f in node.factors]
        if any(p is not None and table.ranks.get(p.key) == 2 for p in places):
            yield from (p.key for p in places if p is not None and p.lag == 0 and p.key not in table.ranks)


def _leaves(
    key: str, lines: Sequence[Line], kinds: Mapping[int, str], table: Table, seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What has steps and makes a number, entry by entry: f~ of f = sigma(f~)."""
    for n, kind in kinds.items():
        left, right, _ = lines[n]
        if kind != "forward" or not isinstance(left, Name) or table.key(left).key != key or key in seen:
            continue
        for name in bare_names(right):
            at = table.key(name)
            if at.lag == 0 and not function_of(name, table):
                yield at.key
                yield from _leaves(at.key, lines, kinds, table, seen | {key})
