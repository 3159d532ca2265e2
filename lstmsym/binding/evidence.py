"""What a gradient's name means by the one line under test alone, which that line must not be proved by.

Where nothing resolves a name, its meaning is found by which lines are right under it.  A meaning that one
line alone supports is no evidence for that line: names of one kind mean one kind of gradient (all before
their activations, or all after), and the letter of a quantity that is not there means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstmsym.binding.choices import label, own_choice
from lstmsym.binding.consistency import Consistency
from lstmsym.binding.slopes import slope_of
from lstmsym.binding.slots import Meaning, Slot, resolve, slot_of
from lstmsym.binding.table import GRADIENT_BASES, GRADIENT_WORDS
from lstmsym.binding.told import Told

ALIKE = 4
"""Letters that names of one kind have in common at an end."""


class Evidence:
    """Looks through the meanings that a solver found."""

    def __init__(self, consistency: Consistency, told: Told) -> None:
        """``told`` is what the text says of its names."""
        self.consistency, self.choices = consistency, consistency.choices
        self.table, self.lines = consistency.choices.table, consistency.lines
        self.slots = consistency.patterns.slots
        found = (slot_of(said.notation, self.table) for said in told.gradients)
        self.told = {f[0] for f in found if f is not None}
        self.sides = self.table.before
        self.others = {pre: post for post, pre in self.table.before.items()}

    def weigh(self) -> None:
        """Take meanings back that nothing but their own line supports, or give the one that others have."""
        chosen = [s for s in self.choices.meanings if own_choice(s) in self.choices.choice]
        open_ = [s for s in chosen if not resolve(s, self.table) and s not in self.choices.pinned]
        letters = [s for s in open_ if self._is_letter(s) and s not in self.told]
        while alone := [s for s in letters if self._is_alone(s)]:
            for slot in alone:
                self._forget(slot)
                letters.remove(slot)
        for slot in open_:
            places = self._support(slot)
            if slot not in letters and len(places) == 1 and self._is_left(places[0], slot):
                self._as_others(slot, open_)
        self._by_slopes()
        self._of_gates()

    def _support(self, slot: Slot) -> list[int]:
        """The lines with a name that are consistent."""
        return [n for n, own in self.slots.items() if slot in own and self.consistency(n)]

    def _is_alone(self, slot: Slot) -> bool:
        """Whether only the line that sets a name tells its meaning, or the one that reads it if none does."""
        places = self._support(slot)
        if len(places) > 1:
            return False
        set_ = any(self._is_left(n, slot) for n, own in self.slots.items() if slot in own)
        return not set_ or all(self._is_left(n, slot) for n in places)

    def _is_left(self, place: int, slot: Slot) -> bool:
        found = slot_of(self.lines[place][0], self.table)
        return found is not None and found[0] == slot

    def _is_letter(self, slot: Slot) -> bool:
        """Whether a gradient is named by the letter of a quantity, which there is none of."""
        return slot.family in ("d", "δ", "∂", "g", "mark bar") and slot.target[:1].isalpha()

    def _forget(self, slot: Slot) -> None:
        del self.choices.choice[own_choice(slot)]
        self.choices.twins[slot] = slot

    # -- names of one kind -----------------------------------------------------------------------------

    def _as_others(self, slot: Slot, names: list[Slot]) -> None:
        """Let a name mean the gradient on the other side of the activation, where all of its kind do."""
        own = self._side(slot)
        kin = [s for s in names if s != slot and _alike(s, slot) and self._side(s)]
        if not own or not kin or any(self._side(s) == own for s in kin):
            return
        if len(kin) < 2 and len(self._support(kin[0])) < 2:
            return
        meaning = self.choices.meaning(slot, False)
        of = {**self.sides, **self.others}[meaning.of] if meaning is not None else ""
        option = next((m for m in self.choices.meanings[slot] if (m.kind, m.of) == ("total", of)), None)
        if option is not None:
            self.choices.choice[own_choice(slot)] = label(option)

    def _side(self, slot: Slot) -> str:
        """Whether a name means a gradient before an activation, or after one."""
        meaning = self.choices.meaning(slot, False)
        if meaning is None or meaning.kind != "total":
            return ""
        return "before" if meaning.of in self.others else "after" if meaning.of in self.sides else ""

    def _of_gates(self) -> None:
        """Mark the one line by which the gradient of a gate is taken for that of what goes into it.

        A δ has been that of the net input ever since; a d is that of the gate.
        """
        for name, option in list(self.choices.choice.items()):
            family, _, what = name.rpartition(" ")
            if what != "gates" or option == "named" or family in GRADIENT_BASES:
                continue
            agreeing = [n for n in self.slots if self.consistency(n)]
            self.choices.choice[name] = "named"
            lost = [n for n in agreeing if not self.consistency(n)]
            self.choices.choice[name] = option
            if len(lost) == 1:
                side = {"before": "what goes into the activation", "after": "the activation's output"}[option]
                self.choices.assumed[lost[0]] = f"the gradient by {side} is meant"

    # -- names that no gradient fits -------------------------------------------------------------------

    def _by_slopes(self) -> None:
        """A name without a meaning, set to what has the slope of an activation, is of what goes into that."""
        for slot, meaning in list(self._sloping()):
            self.choices.choice[own_choice(slot)] = label(meaning)

    def _sloping(self) -> Iterator[tuple[Slot, Meaning]]:
        taken = {m.expr for s in self.choices.meanings if (m := self.choices.meaning(s, False)) is not None}
        for place in self.slots:
            found = slot_of(self.lines[place][0], self.table)
            if found is None or self.choices.meaning(found[0], False) is not None or not _looks(found[0]):
                continue
            of = slope_of(self.lines[place][1], self.table)
            for option in self.choices.meanings.get(found[0], ()) if of else ():
                if (option.kind, option.of) == ("total", of) and option.expr not in taken:
                    yield found[0], option


def _looks(slot: Slot) -> bool:
    return slot.family != "name" or GRADIENT_WORDS.search(slot.target) is not None


def _alike(a: Slot, b: Slot) -> bool:
    """Whether two names are of one kind: they begin or end alike."""
    if a.family != b.family:
        return False
    x, y = a.target, b.target
    if "_{" in x and x.partition("_{")[0] == y.partition("_{")[0] != "":
        return True
    return min(len(x), len(y)) > ALIKE and (x[:ALIKE] == y[:ALIKE] or x[-ALIKE:] == y[-ALIKE:])
