"""Outer products whose second vector is not transposed: a way of writing, or a slip where others are."""

from __future__ import annotations

from collections.abc import Iterable

from lstmsym.binding.express import OUTER, is_transposition
from lstmsym.binding.table import Line
from lstmsym.documents.formula import Formula, Product, Raised, names, walk

SLIP = "no vector of an outer product is transposed, as one is in other lines"


def lacks_transposition(noted: Iterable[str], right: Formula, lines: Iterable[Line], rows: bool) -> bool:
    """Whether a line that is read with an outer product stands beside outer products written as such."""
    if OUTER not in noted or _transposes(right, rows):
        return False
    return any(_transposes(other, rows) for _, other, _ in lines)


def _transposes(side: Formula, rows: bool) -> bool:
    return any(_is_outer(part, rows) for part in walk(side))


def _is_outer(node: Formula, rows: bool) -> bool:
    """Whether a product ends with what is transposed and has a step, or begins so where vectors lie."""
    turned = node.factors[0 if rows else -1] if isinstance(node, Product) else None
    if not isinstance(turned, Raised) or not is_transposition(turned):
        return False
    return any(name.time is not None for name in names(turned.body))
