"""Lines that are said to hold at the last step, ``..., t = T``: their steps are that step.

Of cases for ``t = T`` and for the other steps, one line is that of the last step and one that of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from lstmsym.binding.leading import LAST_STEP
from lstmsym.binding.table import Line
from lstmsym.documents.formula import (
    Brackets,
    Cases,
    Formula,
    Name,
    Relation,
    Sum,
    Words,
    plain,
    rebuilt,
    walk,
)

_AT = re.compile(r"(?:^|\bat|\bfor|\bif|\bwhen|\bstep|[,(])\s*\$?([a-z])\s*=\s*(T|τ|\\tau)\s*\$?[).,]?\s*$")
_OTHER = re.compile(r"\b(?:otherwise|else|elsewhere|sonst|sinon)\b|t\s*(?:<|\\ne)|其他|否则", re.IGNORECASE)
LAST, BEFORE = ("T", "τ"), ("T-1", "τ-1")
_BEFORE = frozenset(("at", "for", "if", "when", "at step", "für", "si"))


def fixed(lines: Iterable[Line], led: Mapping[int, tuple[str, str]]) -> list[Line]:
    """The lines, those that hold at the last step at that; ``led`` are rows of which words say it."""
    return [_at(case, led) for line in lines for case in _cases(line)]


def _at(line: Line, led: Mapping[int, tuple[str, str]]) -> Line:
    left, right, row = line
    timed = {n.time.letter for n in walk(left) if isinstance(n, Name) and n.time is not None}
    for letter, step in _said(row.conditions):
        if letter in timed or (not letter and len(timed) == 1):
            letter = letter or next(iter(timed))
            return _moved(left, letter, step), _moved(right, letter, step), row
    if id(row) in led and not row.conditions and len(timed) == 1:
        letter, end = led[id(row)]
        (own,) = timed
        if letter in ("", own) and own not in LAST and not _goes_on(right, own):
            return _moved(left, own, Name(end)), _moved(right, own, Name(end)), row
    return line


def _goes_on(right: Formula, letter: str) -> bool:
    """Whether a side reads the step after, which the last one has not."""
    times = [n.time for n in walk(right) if isinstance(n, Name) and n.time is not None]
    return any(time.letter == letter and (time.offset or 0) > 0 for time in times)


def _cases(line: Line) -> Iterator[Line]:
    """The lines that cases for the last step and for the others are."""
    left, right, row = line
    timed = {n.time.letter for n in walk(left) if isinstance(n, Name) and n.time is not None}
    found = [told for n in walk(right) if isinstance(n, Cases) and (told := _apart(n)) is not None]
    if not found or len(timed) != 1:
        yield line
        return
    (own,) = timed
    at_end = {id(node): at for node, at, _, _ in found}
    before = {id(node): other for node, _, other, _ in found}
    letter, step = found[0][3]
    if letter in ("", own):
        yield _moved(left, own, step), _moved(_with(right, at_end), own, step), row
        yield left, _with(right, before), row
    else:
        yield line


def _with(node: Formula, instead: Mapping[int, Formula]) -> Formula:
    if id(node) in instead:
        return Brackets("(", ")", (instead[id(node)],))
    return node if isinstance(node, Name) else rebuilt(node, lambda part: _with(part, instead))


def _apart(node: Cases) -> tuple[Cases, Formula, Formula, tuple[str, Formula]] | None:
    """What cases have at the last step and at the others, and which step that is."""
    if len(node.rows) != 2:
        return None
    (first, on), (second, other) = node.rows
    if _is_other(on) and not _is_other(other):
        first, on, second, other = second, other, first, on
    said = next(_said((on,) if on is not None else ()), None)
    return (node, first, second, said) if said is not None and _is_other(other) else None


def _is_other(condition: Formula | None) -> bool:
    """Whether a case is that of the other steps: t < T, t ≠ T, otherwise."""
    if isinstance(condition, Brackets):
        return _is_other(condition.items[-1]) or any(_is_other(item) for item in condition.items[:1])
    if isinstance(condition, Sum):  # t = 1, ..., T - 1
        return plain(condition) in BEFORE
    if isinstance(condition, Relation):
        return condition.signs[-1] in "<≠≤" and plain(condition.terms[-1]) in (*LAST, *BEFORE)
    if isinstance(condition, (Words, Name)):
        words = condition.text if isinstance(condition, Words) else condition.base
        return _OTHER.search(words) is not None
    return condition is None


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
    elif isinstance(condition, Words) and LAST_STEP.search(condition.text) is not None:
        yield "", Name("T")
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
