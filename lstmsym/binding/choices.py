"""What each notation of a document stands for, under choices that hold for all of its lines."""

from __future__ import annotations

from collections.abc import Sequence

from lstmsym.binding.slots import Meaning, Slot, occurrences, resolve
from lstmsym.binding.table import Bound, Line
from lstmsym.documents.formula import Formula
from lstmsym.notation import Ref
from lstmsym.verify.system import System


class Choices:
    """The meanings of slots; ``flat``: gradients lie where vectors stand, or the other way round."""

    def __init__(self, lines: Sequence[Line], bound: Bound, system: System) -> None:
        """Nothing is chosen yet."""
        self.lines, self.bound, self.system, self.table = lines, bound, system, bound.table
        self.choice: dict[str, str] = {}
        self.meanings: dict[Slot, list[Meaning]] = {}
        self.pinned: dict[Slot, Meaning] = {}
        self.flat = False
        self.twins: dict[Slot, Slot] = {}
        """Names of which no more is known than that they would be second names."""
        self.arguments: frozenset[Slot] = frozenset()
        """Names that stand only where a function is taken of them, and are no gradients."""
        self.assumed: dict[int, str] = {}
        """The place of a line that alone shows what a notation means, and what that is."""

    def claims(self) -> list[int]:
        """The places of the lines that claim something."""
        open_ = (n for n in range(len(self.lines)) if n not in self.bound.kinds)
        return [n for n in open_ if not self.lines[n][2].supposed]

    def meaning(self, slot: Slot, left_earlier: bool) -> Meaning | None:
        """What a slot stands for under the present choices."""
        options = self.meanings.get(slot)
        pinned = self.pinned.get(slot)
        if pinned is not None:
            back = self.choice.get(f"{slot.family} back", "total") == "carried"
            carried = [m for m in options or () if m.kind == "carried" and m.of == self.of_adjoint(pinned)]
            return carried[0] if left_earlier and back and carried else pinned
        if not options:
            return None
        own = self.choice.get(own_choice(slot))
        if own is not None and not (left_earlier and own.startswith("total ")):
            return next((m for m in options if label(m) == own), None)
        if not resolve(slot, self.table):
            return None
        targets = resolve(slot, self.table)
        if (left_earlier or slot.word == "prev") and self.choice.get(
            f"{slot.family} back", "total"
        ) == "carried":
            carried = [m for m in options if m.kind == "carried" and m.of == targets[0]]
            if carried:
                return carried[0]
        wanted = self.choice.get(f"{slot.family} gates", "named")
        stacks = [m for m in options if m.kind == f"stacked {wanted}"]
        if stacks:
            return stacks[0]
        if wanted != "named":
            pre = set(self.table.before.values())
            side = [m for m in options if m.kind == "total" and ((m.of in pre) == (wanted == "before"))]
            if any(m.of in self.table.before or m.of in pre for m in options) and side:
                return side[0]
        return options[0]

    def of_adjoint(self, meaning: Meaning) -> str:
        """The quantity of which a meaning is all of the gradient."""
        names = self.system.derivation.names
        return next(
            (q.name for q in self.system.cell.quantities if meaning.expr == Ref(names.adjoint(q.name), 0)), ""
        )

    def spelled_slots(self) -> dict[tuple[str, int | None], Formula]:
        """How the document writes a gradient: (adjoint, step) -> its notation for it."""
        found: dict[tuple[str, int | None], Formula] = {}
        sides = [*(left for left, _, _ in self.lines), *(right for _, right, _ in self.lines)]
        for side in sides:
            for node, slot, at, _name in occurrences(side, self.table):
                meaning = self.meaning(slot, False)
                ref = meaning.expr if meaning is not None else None
                if isinstance(ref, Ref) and not isinstance(at.lag, str):
                    lag = None if ref.lag is None else ref.lag + (at.lag or 0)
                    found.setdefault((ref.base, lag), node)
        return found


def own_choice(slot: Slot) -> str:
    """The name of the choice that settles a slot by itself."""
    return f"own {slot.family} {slot.target} {slot.word}"


def label(meaning: Meaning) -> str:
    """The name of a meaning among the options of a choice."""
    return f"{meaning.kind} {meaning.of}"
