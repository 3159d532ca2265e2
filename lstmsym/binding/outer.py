"""Outer products whose second vector is not transposed: a way of writing, or a slip where others are."""

from __future__ import annotations

from collections.abc import Iterable

from lstmsym.binding.express import OUTER, is_transposition
from lstmsym.binding.table import Line
from lstmsym.documents.formula import Formula, Product, Raised, names, walk

SLIP = "the last vector of an outer product is not transposed, as it is in other lines"


def lacks_transposition(noted: Iterable[str], right: Formula, lines: Iterable[Line]) -> bool:
    """Whether a line that is read with an outer product stands beside outer products written as such."""
    return OUTER in noted and not _transposes(right) and any(_transposes(other) for _, other, _ in lines)


def _transposes(side: Formula) -> bool:
    return any(map(_ends_transposed, walk(side)))


def _ends_transposed(node: Formula) -> bool:
    """Whether a product ends with what is transposed and has a step."""
    last = node.factors[-1] if isinstance(node, Product) else None
    if not isinstance(last, Raised) or not is_transposition(last):
        return False
    return any(name.time is not None for name in names(last.body))
