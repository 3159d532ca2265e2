"""Vectors of parameters that stand where all others lie: v of ``h_t v``, a number, beside ``v^T``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lstmsym.binding.express import is_transposition
from lstmsym.binding.table import Line, Table
from lstmsym.documents.formula import Formula, Name, Product, Raised, walk

OPEN = frozenset(("", "⋅", "@"))


def upright(lines: Sequence[Line], kinds: Mapping[int, str], table: Table) -> Iterator[str]:
    """The keys of names that follow a vector in a forward equation and are transposed in other lines.

    Where vectors lie, h_t v is a product of two that lie only if v is multiplied entry by entry; a v that
    stands is the readout of one number, and its transpose lies.
    """
    forward = [lines[n][1] for n, kind in kinds.items() if kind == "forward"]
    others = [side for n, line in enumerate(lines) if kinds.get(n) != "forward" for side in line[:2]]
    turned = set(_turned(others, table)) - set(_turned(forward, table))
    for node in (part for side in forward for part in walk(side)):
        if isinstance(node, Product) and len(node.factors) == 2 and node.operators[-1] in OPEN:
            before, last = node.factors
            if isinstance(last, Name) and table.key(last).key in turned and _has_step(before, table):
                yield table.key(last).key


def _turned(sides: Iterable[Formula], table: Table) -> Iterator[str]:
    """The names without steps that are transposed."""
    for node in (part for side in sides for part in walk(side)):
        if isinstance(node, Raised) and is_transposition(node) and isinstance(node.body, Name):
            name = node.body
            if table.key(name).lag is None and name.base[:1].islower() and not name.units:
                yield table.key(name).key


def _has_step(node: Formula, table: Table) -> bool:
    return isinstance(node, Name) and isinstance(table.key(node).lag, int)
