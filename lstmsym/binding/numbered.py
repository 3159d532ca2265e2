r"""Names told apart by a number above them, ``W^1`` and ``W^2``: nothing is raised to the power one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lstmsym.binding.table import Line
from lstmsym.documents.formula import (
    Delta,
    Derivative,
    Formula,
    Fraction,
    Name,
    Number,
    Product,
    Raised,
    Script,
    Words,
    rebuilt,
    walk,
)


def numbered(lines: Iterable[Line]) -> list[Line]:
    """The lines, with numbers above such names as part of them."""
    lines = list(lines)
    keys = {key for left, right, _ in lines for side in (left, right) for key in _first(side)}
    if not keys:
        return lines
    return [(_named(left, keys), _named(right, keys), row) for left, right, row in lines]


def _first(node: Formula) -> Iterator[str]:
    """The names that stand with a one above."""
    for part in walk(node):
        if isinstance(part, Raised) and isinstance(part.body, Name) and _number(part)[0] == "1":
            yield replace(part.body, time=None).key
        if isinstance(part, Raised) and isinstance(part.body, Delta) and isinstance(part.body.of, Name):
            yield from _first(replace(part, body=part.body.of))
        if isinstance(part, Name):
            rest = tuple(s for s in part.scripts if s.where != "sup" or s.text != "1" or s.wrap)
            if rest != part.scripts:
                yield replace(part, scripts=rest, time=None).key


def _number(node: Raised) -> tuple[str, Formula | None]:
    """The number in an exponent, and the sign of transposition behind it."""
    exponent = node.exponent
    if isinstance(exponent, Number) and exponent.text.isdigit():
        return exponent.text, None
    if isinstance(exponent, Product) and len(exponent.factors) == 2 and not any(exponent.operators):
        number, sign = exponent.factors
        turned = (isinstance(sign, Name) and sign.base == "T") or isinstance(sign, Words)
        if isinstance(number, Number) and number.text.isdigit() and turned:
            return number.text, sign
    return "", None


def _derivative(above: Formula, below: Formula) -> Derivative | None:
    """One gradient over another, where the lower one had a number above it."""
    if isinstance(above, Delta) and isinstance(below, Delta) and above.prefix == below.prefix:
        return Derivative(above.of, below.of, above.prefix)
    return None


def _named(node: Formula, keys: set[str]) -> Formula:
    def change(part: Formula) -> Formula:
        part = rebuilt(part, change)
        if isinstance(part, Raised) and isinstance(part.body, Delta) and isinstance(part.body.of, Name):
            inner = change(replace(part, body=part.body.of))
            return replace(part.body, of=inner, whole="") if isinstance(inner, Name) else part
        if isinstance(part, Fraction) and (found := _derivative(part.above, part.below)) is not None:
            return found
        if not isinstance(part, Raised) or not isinstance(part.body, Name):
            return part
        number, sign = _number(part)
        body = part.body
        if not number or replace(body, time=None).key not in keys:
            return part
        named = replace(body, scripts=(*body.scripts, Script("sup", Name(number))), span=part.span)
        return named if sign is None else Raised(named, sign, "transpose", span=part.span)

    return change(node)
