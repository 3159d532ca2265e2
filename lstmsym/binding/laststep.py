"""The last step by another letter than T: N of a sum over n = 1 ... N, where n numbers the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lstmsym.binding.across import LAST
from lstmsym.binding.express import is_transposition
from lstmsym.binding.table import Line
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Formula,
    Name,
    Raised,
    Time,
    names,
    rebuilt,
    walk,
)


def with_last_step(lines: Sequence[Line], letters: frozenset[str]) -> list[Line]:
    """The lines with T for the letter that their sums over the steps end at."""
    sides = [side for line in lines for side in line[:2]]
    ends = {_end(n, letters) for side in sides for n in walk(side) if isinstance(n, Big)} - {""}
    taken = {n.time.letter for side in sides for n in names(side) if n.time is not None}
    if len(ends) != 1 or ends & LAST or taken & LAST:
        return list(lines)
    (end,) = ends
    timed = {replace(n, time=None).key for side in sides for n in names(side) if n.time is not None}

    def change(node: Formula) -> Formula:
        if isinstance(node, Apply) and node.head.key in timed and _is_end(node.argument, end):
            (index,) = node.argument.items  # type: ignore[attr-defined]
            return replace(node.head, time=Time(change(index), "call"), span=node.span)
        if isinstance(node, Name) and node.time is None:
            rest = tuple(s for s in node.scripts if s.where != "sub" or s.text != end)
            if len(rest) < len(node.scripts) and replace(node, scripts=rest).key in timed:
                return replace(node, scripts=rest, time=Time(Name("T")))
        if isinstance(node, Name) and (node.key, node.time) == (end, None):
            return replace(node, base="T")
        node = rebuilt(node, change)
        if isinstance(node, Raised) and is_transposition(node):
            return replace(node, kind="transpose")  # the one thing that ^T was in this text
        return node

    return [(change(left), change(right), row) for left, right, row in lines]


def _end(node: Big, letters: frozenset[str]) -> str:
    """The letter at which a sum over the steps ends."""
    high = node.high
    plain = isinstance(high, Name) and not (high.time or high.scripts or high.marks)
    return high.key if plain and node.variable in letters else ""  # type: ignore[union-attr]


def _is_end(node: Formula, end: str) -> bool:
    items = node.items if isinstance(node, Brackets) and node.left == "(" else ()
    return len(items) == 1 and Time(items[0]).letter == end
