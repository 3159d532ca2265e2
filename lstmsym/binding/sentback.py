"""A name that another line has for all of a gradient, set at an earlier step to what one step sends back.

``dh(t-1) = ...`` at the end of a step may leave out what else reaches h; where ``dh(t) = ...`` has all of
it, that the earlier one is less is something that the line takes for granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lstmsym.binding.choices import Choices
from lstmsym.binding.claims import added
from lstmsym.binding.slots import Slot, slot_of
from lstmsym.binding.table import Line
from lstmsym.documents.result import Row
from lstmsym.documents.write import write
from lstmsym.notation import Ref
from lstmsym.verify.claims import Claim
from lstmsym.verify.judge import Judge

RIGHT = ("proved", "conditional")
ALONE = "{} is only what the step after it sends back"


def sent_alone(
    rows: Mapping[int, Row], claims: Mapping[int, Claim], choices: Choices, judge: Judge
) -> dict[int, Row]:
    """The rows, those of right lines that leave out what other lines have in the same name saying so."""
    whole = {slot for place, row in rows.items() if (slot := _whole(row, choices.lines[place], choices))}
    found = dict(rows)
    for place, row in rows.items():
        total = _left_out(choices.lines[place], choices) if row.verdict in RIGHT else None
        claim = claims.get(place)
        if total is None or total[0] not in whole or claim is None:
            continue
        if not judge.right(replace(claim, left=total[1])):
            said = ALONE.format(write(choices.lines[place][0]))
            both = " and ".join(filter(None, (row.assumption, said)))
            found[place] = replace(row, verdict="conditional", assumption=both)
    return found


def _whole(row: Row, line: Line, choices: Choices) -> Slot | None:
    """The name that a right line has for all of a gradient, in one expression."""
    left, right, source = line
    slot = slot_of(left, choices.table)
    if row.verdict not in RIGHT or slot is None or source.relation == "+=" or added(left, right)[0]:
        return None
    meaning = choices.meaning(slot[0], False)
    return slot[0] if slot[1].lag != -1 and meaning is not None and meaning.kind == "total" else None


def _left_out(line: Line, choices: Choices) -> tuple[Slot, Ref] | None:
    """A name at the step before that stands for what is sent back there, and all of its gradient."""
    left, right, source = line
    slot = slot_of(left, choices.table)
    if slot is None or slot[1].lag != -1 or source.relation == "+=" or added(left, right)[0]:
        return None
    here, whole = (choices.meaning(slot[0], earlier) for earlier in (True, False))
    if here is None or whole is None or here.kind != "carried" or not isinstance(whole.expr, Ref):
        return None
    return slot[0], Ref(whole.expr.base, -1)
