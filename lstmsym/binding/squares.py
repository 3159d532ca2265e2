r"""Quantities that are given by their square: ``s_t^2 = \frac1n \sum_j (a_j - \mu)^2`` is s_t as a root."""

from __future__ import annotations

from collections.abc import Sequence

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import Line
from lstmsym.documents.formula import Apply, Brackets, Formula, Name, Number, Raised, names


def with_roots(lines: Sequence[Line]) -> list[Line]:
    """The lines, those that define a square as the lines of what is squared."""
    defined = {untimed(left)[0].key for left, _, _ in lines if isinstance(left, Name)}
    found: list[Line] = []
    for left, right, row in lines:
        squared = _squared(left)
        own = untimed(squared)[0].key if squared is not None else ""
        read = {untimed(n)[0].key for n in names(right)}
        if squared is not None and own not in defined | read:
            inner = Brackets("(", ")", (right,))
            left, right = squared, Apply(Name("sqrt"), inner, certain=True, span=right.span)
        found.append((left, right, row))
    return found


def _squared(left: Formula) -> Name | None:
    """What a left side is the square of."""
    two = isinstance(left, Raised) and left.kind == "power" and left.exponent == Number("2")
    body = left.body if two and isinstance(left, Raised) else None
    return body if isinstance(body, Name) and body.time is not None else None
