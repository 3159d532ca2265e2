r"""Equations between functions, ``\sigma' = 1 - \sigma^2``: said of an argument that the document has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lstmsym.binding.table import Line
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    names,
    rebuilt,
    walk,
)


def with_arguments(lines: Sequence[Line]) -> list[Line]:
    """The lines, those between functions with the first argument that the function has elsewhere."""
    sides = [side for line in lines for side in line[:2]]
    calls = [n for side in sides for n in walk(side) if isinstance(n, Apply)]
    found: list[Line] = []
    for left, right, row in lines:
        apart = _multiplied(right, _bare(left))
        argument = _argument(left, apart, calls)
        if argument is not None:
            left, right = (_applied(side, _bare(left), argument) for side in (left, apart))
        found.append((left, right, row))
    return found


def _multiplied(node: Formula, key: str) -> Formula:
    r"""A formula in which a function before brackets that hold it, ``\sigma (1 - \sigma)``, is a factor."""
    node = rebuilt(node, lambda part: _multiplied(part, key))
    if isinstance(node, Apply) and _bare(node.head) == key and key in {n.key for n in names(node.argument)}:
        return Product(("",), (node.head, node.argument), span=node.span)
    return node


def _bare(node: Formula) -> str:
    return replace(node, primes=0).key if isinstance(node, Name) else ""


def _argument(left: Formula, right: Formula, calls: Sequence[Apply]) -> Formula | None:
    """An argument of the function whose derivative a line gives by the function alone."""
    if not isinstance(left, Name) or not left.primes or left.time is not None or left.scripts:
        return None
    if {n.key for n in names(right)} != {_bare(left)} or any(isinstance(n, Apply) for n in walk(right)):
        return None
    known = (
        c.argument for c in calls
        if _bare(c.head) == _bare(left) and all(n.time is not None for n in names(c.argument))
    )  # fmt: skip
    return next(known, None)


def _applied(node: Formula, key: str, argument: Formula) -> Formula:
    """A formula in which a function stands before an argument, its powers behind the value."""
    if isinstance(node, Raised) and isinstance(node.body, Name) and isinstance(node.exponent, Number):
        return replace(node, body=Brackets("(", ")", (_applied(node.body, key, argument),)))
    if isinstance(node, Name):
        bracketed = argument if isinstance(argument, Brackets) else Brackets("(", ")", (argument,))
        return Apply(node, bracketed, certain=True) if _bare(node) == key else node
    return rebuilt(node, lambda part: _applied(part, key, argument))
