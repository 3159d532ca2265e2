"""Gradients that a line reads and no line defines: by the letter of a quantity that the cell has not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lstmsym.binding.claims import Claims, added
from lstmsym.binding.messages import WHATEVER
from lstmsym.binding.slots import Meaning, Slot, occurrences, slot_of
from lstmsym.binding.table import Line
from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import Formula, rebuilt
from lstmsym.documents.write import write
from lstmsym.notation import NotationError, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.judge import Judge


@dataclass(frozen=True)
class Understood:
    """How a line with such a name is understood: under an assumption, or not at all."""

    assumption: str = ""
    message: str = ""


def understood(claims: Claims, judge: Judge, line: Line, slot: Slot) -> Understood | None:
    """What is found of a line that reads a name which nothing defines; None where it may yet be right."""
    nodes = [node for node, found, _, _ in occurrences(line[1], claims.table) if found == slot]
    defined = _defined(claims)
    set_ = any(
        found == slot for left, _, _ in claims.lines for _, found, _, _ in occurrences(left, claims.table)
    )
    plain = slot.family == "name" or slot in claims.choices.arguments
    if plain or not nodes or set_ or claims.choices.bound.unread:
        return None
    said = write(nodes[0])
    for other, node in defined.items():
        new = _read_as(line, slot, other, claims) if other.family == slot.family else None
        if new is not None and _right(claims, judge, new, slot, other):
            return Understood(assumption=f"{said}, which nothing defines, is read as {write(node)}")
    if any(_meaning(claims, judge, line, slot, option) for option in _options(claims, slot)):
        return None
    return Understood(message=WHATEVER.format(f"{said}, which nothing defines,"))


def _defined(claims: Claims) -> dict[Slot, Formula]:
    """The names on the left of lines, as they stand there."""
    found: dict[Slot, Formula] = {}
    for place in claims.choices.claims():
        left = claims.lines[place][0]
        slot = slot_of(left, claims.table)
        if slot is not None:
            found.setdefault(slot[0], left)
    return found


def _read_as(line: Line, slot: Slot, other: Slot, claims: Claims) -> Line | None:
    """The line where a name is another; where it is the left side's own, that must be added to."""
    left, right, row = line
    own = slot_of(left, claims.table)
    if own is None or own[0] != other:
        return line
    changed = _exchanged(right, slot, left, claims)
    return (left, changed, row) if added(left, changed)[0] else None


def _exchanged(node: Formula, slot: Slot, new: Formula, claims: Claims) -> Formula:
    found = slot_of(node, claims.table)
    if found is not None and found[0] == slot:
        return new
    return rebuilt(node, lambda part: _exchanged(part, slot, new, claims))


def _options(claims: Claims, slot: Slot) -> Iterator[Meaning]:
    """All gradients that there are."""
    yield from claims.choices.meanings.get(slot, ())
    names, system = claims.system.derivation.names, claims.system
    for q in system.cell.quantities:
        base = names.adjoint(q.name)
        if q.constant and base in system.backward:
            yield Meaning(Ref(base), "total", q.name)


def _right(claims: Claims, judge: Judge, line: Line, slot: Slot, other: Slot) -> bool:
    meaning = claims.choices.meaning(other, False)
    return meaning is not None and _meaning(claims, judge, line, slot, meaning)


def _meaning(claims: Claims, judge: Judge, line: Line, slot: Slot, meaning: Meaning) -> bool:
    """Whether a line is right where a name has a meaning."""
    claims.choices.pinned[slot] = meaning
    try:
        return judge.right(claims.claim_of(line).claim)
    except (Unreadable, NotationError, ShapeError):
        return False
    finally:
        del claims.choices.pinned[slot]
