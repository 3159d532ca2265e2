"""Lines that are said to hold at one step, ``..., t = T``: their steps are that step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from lstmsym.binding.table import Line
from lstmsym.documents.formula import Brackets, Formula, Name, Number, Relation, Words, rebuilt, walk

_AT = re.compile(
    r"(?:^|\bat|\bfor|\bif|\bwhen|\bstep|[,(])\s*\$?([a-z])\s*=\s*(T|τ|\\tau|\d+)\s*\$?[).,]?\s*$"
)


def fixed(lines: Iterable[Line]) -> list[Line]:
    """The lines, those that hold at one step at that."""
    return [_at(line) for line in lines]


def _at(line: Line) -> Line:
    left, right, row = line
    for letter, step in _said(row.conditions):
        timed = {n.time.letter for n in walk(left) if isinstance(n, Name) and n.time is not None}
        if letter in timed:
            return _moved(left, letter, step), _moved(right, letter, step), row
    return line


def _said(conditions: Iterable[Formula]) -> Iterator[tuple[str, Formula]]:
    """The letter and the step of each condition that names one step."""
    for condition in conditions:
        if isinstance(condition, Brackets):
            yield from _said(condition.items)
        elif isinstance(condition, Words) and (found := _AT.search(condition.text)) is not None:
            last = found[2].replace("\\tau", "τ")
            yield found[1], Number(last) if last.isdigit() else Name(last)
        elif isinstance(condition, Relation) and condition.signs == ("=",):
            name, step = condition.terms
            last = isinstance(step, Name) and step.base in ("T", "τ") and step.time is None
            if isinstance(name, Name) and (last or isinstance(step, Number)):
                yield name.key, step


def _moved(node: Formula, letter: str, step: Formula) -> Formula:
    """A formula at a step in the place of a letter."""

    def index(part: Formula) -> Formula:
        if isinstance(part, Name) and part.key == letter:
            return step
        return rebuilt(part, index)

    if isinstance(node, Name):
        return (
            node
            if node.time is None
            else replace(node, time=replace(node.time, index=index(node.time.index)))
        )
    return rebuilt(node, lambda part: _moved(part, letter, step))
