"""Lines that are said to hold at the last step, ``..., t = T``: their steps are that step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.table import Line
from lstmsym.documents.formula import Brackets, Formula, Name, Relation, Words, rebuilt, walk

_AT = re.compile(r"(?:^|\bat|\bfor|\bif|\bwhen|\bstep|[,(])\s*\$?([a-z])\s*=\s*(T|τ|\\tau)\s*\$?[).,]?\s*$")
_BEFORE = frozenset(("at", "for", "if", "when", "at step", "für", "si"))


def fixed(lines: Iterable[Line]) -> list[Line]:
    """The lines, those that hold at the last step at that."""
    return [_at(line) for line in lines]


def _at(line: Line) -> Line:
    left, right, row = line
    for letter, step in _said(row.conditions):
        timed = {n.time.letter for n in walk(left) if isinstance(n, Name) and n.time is not None}
        if letter in timed:
            return _moved(left, letter, step), _moved(right, letter, step), row
    return line


def _said(conditions: Sequence[Formula]) -> Iterator[tuple[str, Formula]]:
    """The letter and the last step, where that is the one condition: a list of steps would go on."""
    told = [c for c in conditions if not (isinstance(c, Words) and c.text.strip() in _BEFORE)]
    if len(told) != 1:
        return
    (condition,) = told
    if isinstance(condition, Brackets):
        yield from _said(condition.items)
    elif isinstance(condition, Words) and (found := _AT.search(condition.text)) is not None:
        yield found[1], Name(found[2].replace("\\tau", "τ"))
    elif isinstance(condition, Relation) and condition.signs == ("=",):
        name, step = condition.terms
        if isinstance(name, Name) and isinstance(step, Name) and step.key in ("T", "τ"):
            yield name.key, step


def _moved(node: Formula, letter: str, step: Formula) -> Formula:
    """A formula at a step in the place of a letter."""

    def index(part: Formula) -> Formula:
        if isinstance(part, Name) and part.key == letter:
            return step
        return rebuilt(part, index)

    if isinstance(node, Name) and node.time is not None:
        return replace(node, time=replace(node.time, index=index(node.time.index)))
    return node if isinstance(node, Name) else rebuilt(node, lambda part: _moved(part, letter, step))
