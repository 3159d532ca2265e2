"""Names that a listing computes: what its proved statements say that a notation of the text stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lstmsym.binding.slots import Meaning, Slot, slot_of
from lstmsym.binding.table import Table
from lstmsym.documents.formula import Formula
from lstmsym.documents.limits import ReadingError
from lstmsym.documents.parse import parse
from lstmsym.documents.plain import plain_tokens
from lstmsym.documents.result import Row
from lstmsym.documents.times import with_times
from lstmsym.notation import Ref
from lstmsym.verify.system import System

_TARGET = re.compile(r"\s*([\w.]+)\s*[-+*/@]?=(?!=)")


@dataclass(frozen=True)
class Computed:
    """A gradient that a statement of a listing computes, and the line of that."""

    meaning: Meaning
    line: int


@dataclass(frozen=True)
class Statement:
    """A proved statement of a listing: its right side, and the gradient that it is."""

    right: Formula
    meaning: Meaning


def statements(rows: Iterable[Row], system: System) -> Iterator[Statement]:
    """The assignments of a listing whose right side is in the notation of formulas."""
    for row in rows:
        target = _TARGET.match(row.source)
        meaning = _meaning(row.about, system) if row.verdict == "proved" else None
        if target is None or meaning is None or "+=" in row.source or len(row.source) > 400:
            continue
        try:
            yield Statement(with_times(parse(plain_tokens(row.source[target.end() :]))), meaning)
        except ReadingError:
            continue


def computed(rows: Iterable[Row], table: Table, system: System) -> dict[Slot, Computed]:
    """What a listing computes, by the name it has there; what has two meanings is left out."""
    found: dict[Slot, Computed] = {}
    unclear = set()
    for row in rows:
        for slot, meaning in _computed(row, table, system):
            if slot in found and found[slot].meaning != meaning:
                unclear.add(slot)
            found[slot] = Computed(meaning, row.line)
    return {slot: one for slot, one in found.items() if slot not in unclear}


def _computed(row: Row, table: Table, system: System) -> Iterator[tuple[Slot, Meaning]]:
    target = _TARGET.match(row.source)
    if target is None or row.verdict != "proved" or not row.about:
        return
    try:
        slot = slot_of(parse(plain_tokens(target[1])), table)
    except ReadingError:
        return
    meaning = _meaning(row.about, system)
    if slot is not None and meaning is not None:
        yield slot[0], meaning


def _meaning(about: str, system: System) -> Meaning | None:
    """The gradient of a quantity of the cell, or what a step sends back to a state."""
    names = system.derivation.names
    for quantity in system.cell.quantities:
        base = names.adjoint(quantity.name)
        if about == quantity.name and base in system.backward:
            return Meaning(Ref(base, None if quantity.constant else 0), "computed", quantity.name)
        if about == f"{quantity.name}_prev" and quantity.role == "state":
            return Meaning(Ref(names.back(quantity.name), 0), "computed", quantity.name)
    return None
