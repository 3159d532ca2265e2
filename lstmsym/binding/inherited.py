"""Right lines that use what an earlier line has wrong: they are right given the right value of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lstmsym.binding.slots import Slot, occurrences, slot_of
from lstmsym.binding.table import Line, Table
from lstmsym.documents.result import Row
from lstmsym.documents.write import write

RIGHT = ("proved", "conditional")


def inherited(rows: Mapping[int, Row], lines: Sequence[Line], table: Table) -> dict[int, Row]:
    """The rows, those of right lines naming the wrong lines whose left sides they use."""
    wrong: dict[Slot, str] = {}
    found: dict[int, Row] = {}
    for place, row in rows.items():
        left, right, _ = lines[place]
        own = slot_of(left, table)
        if row.verdict in RIGHT:
            used = (slot for _, slot, _, _ in occurrences(right, table))
            names = list(dict.fromkeys(wrong[slot] for slot in used if slot in wrong))
            if names:
                row = replace(row, message="; ".join(filter(None, (row.message, _given(names)))))
            if own is not None:
                wrong.pop(own[0], None)
        elif row.verdict == "refuted" and own is not None:
            wrong[own[0]] = f"{write(left)} (line {row.line} has it wrong)"
        found[place] = row
    return found


def _given(names: Sequence[str]) -> str:
    return f"right given the right {', '.join(names)}"
