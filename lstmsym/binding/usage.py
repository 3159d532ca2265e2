"""Names that a text defines by a derivative and uses as something else: the definition is then a claim.

``top_diff_s = dL(t+1)/ds(t)`` beside lines that are right only where the derivative is taken with h(t) held
fixed: what the other lines use is what the name stands for, and the defining line is judged by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmsym.binding.computed import Statement
from lstmsym.binding.consistency import Consistency, alike
from lstmsym.binding.definitions import Definitions
from lstmsym.binding.slots import Meaning, Slot, occurrences
from lstmsym.binding.values import Unreadable
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.evaluate import OUT_OF_REACH
from lstmsym.verify.judge import Judge, Status
from lstmsym.verify.words import Label


class Usage:
    """Compares what names are defined as with what lines and statements of a listing use."""

    def __init__(
        self, definitions: Definitions, consistency: Consistency, listed: Sequence[Statement] = ()
    ) -> None:
        """``listed`` are statements of a listing that are right."""
        self.definitions, self.consistency, self.listed = definitions, consistency, listed
        self.claims, self.choices = definitions.claims, definitions.choices

    def reconsider(self) -> bool:
        """Give a name the meaning that its use shows, where that is another than its definition's."""
        found = list(self._better())
        best = max((score for score, *_ in found), default=0)
        found = [f for f in found if f[0] == best]
        mild = [f for f in found if self._tenable(*f[1:])]
        chosen = mild or found
        if len({slot for _, slot, _ in chosen}) != 1:
            return False  # of two names either may be meant otherwise
        if not mild and best < 2:
            return False  # one line against one definition: the definition holds
        _, slot, meaning = chosen[0]
        self.choices.pinned[slot] = meaning
        self.definitions.defining -= self._saying(slot)
        return True

    def _saying(self, slot: Slot) -> set[int]:
        """The lines that say what a notation stands for."""
        return {n for n in self.choices.claims() if self.definitions.says(n, slot)}

    def _better(self) -> Iterator[tuple[int, Slot, Meaning]]:
        """Meanings under which more lines agree than under the definition, by how many more."""
        for slot, defined in list(self.choices.pinned.items()):
            if defined.kind != "defined" or not isinstance(defined.expr, Label):
                continue
            present = self._agreeing(slot)
            for option in self.choices.meanings.get(slot, ()):
                used = Meaning(option.expr, "used", option.of)
                self.choices.pinned[slot] = used
                more = self._agreeing(slot) - present
                if more > 0:
                    yield more, slot, used
            self.choices.pinned[slot] = defined

    def _agreeing(self, slot: Slot) -> int:
        """How many lines and statements that use a notation, and do not define it, are consistent."""
        lines = (n for n in self.choices.claims() if slot in self.consistency.patterns.slots[n])
        found = sum(bool(self.consistency(n)) for n in lines if not self.definitions.says(n, slot))
        return found + sum(self._holds(s) for s in self.listed if self._speaks(s, slot))

    def _speaks(self, statement: Statement, slot: Slot) -> bool:
        return any(found == slot for _, found, _, _ in occurrences(statement.right, self.claims.table))

    def _holds(self, statement: Statement) -> bool:
        """Whether a statement of a listing computes what it does, under the present meanings."""
        try:
            value = self.claims.express(statement.right).value.expr
            value = self.consistency.written(value)
            return alike(self.consistency.value(value), self.consistency.value(statement.meaning.expr))
        except (Unreadable, NotationError, ShapeError, *OUT_OF_REACH):
            return False

    def _tenable(self, slot: Slot, meaning: Meaning) -> bool:
        """Whether the lines that define a name are right of a meaning, if only under a reading."""
        before, self.choices.pinned[slot] = self.choices.pinned[slot], meaning
        judge = Judge(self.claims.system.cell)
        try:
            claims = [self.claims.claim(n).claim for n in sorted(self._saying(slot))]
            return all(judge(c).status is not Status.REFUTED for c in claims)
        except (Unreadable, NotationError, ShapeError):
            return False
        finally:
            self.choices.pinned[slot] = before
