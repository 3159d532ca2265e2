"""Names that would be a second name of a gradient, by nothing but the one line that has them on its left.

So it is with names that do not look like a gradient's, be it a first name.
A meaning that makes one line right and has no other ground is no proof of that line.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym.binding.choices import own_choice
from lstmsym.binding.consistency import Consistency
from lstmsym.binding.slots import Slot, resolve, slot_of
from lstmsym.binding.table import GRADIENT_WORDS


def twins(consistency: Consistency) -> Iterator[tuple[Slot, Slot]]:
    """The names that say nothing of their own, each with the name in its family that means the same."""
    choices = consistency.choices
    slots = consistency.patterns.slots
    meanings = {s: m.expr for s in choices.meanings if (m := choices.meaning(s, False)) is not None}
    taken: dict[Slot, int] = {}
    for slot in meanings:
        taken[slot] = sum(bool(consistency(n)) for n, own in slots.items() if slot in own)
    for slot, expr in meanings.items():
        if own_choice(slot) not in choices.choice or resolve(slot, choices.table) or taken[slot] > 1:
            continue
        places = [n for n, own in slots.items() if slot in own and consistency(n)]
        if not all(_is_left(consistency, n, slot) for n in places):
            continue
        if slot.family == "name" and not GRADIENT_WORDS.search(slot.target):
            yield slot, slot
            continue
        for other, same in meanings.items():
            better = other in choices.pinned or taken[other] > taken[slot]
            if other != slot and other.family == slot.family and same == expr and better:
                yield slot, other
                break


def _is_left(consistency: Consistency, place: int, slot: Slot) -> bool:
    found = slot_of(consistency.lines[place][0], consistency.choices.table)
    return found is not None and found[0] == slot
