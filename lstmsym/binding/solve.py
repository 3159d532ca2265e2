"""One meaning for each notation of a document: those under which most of its lines are consistent."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from lstmsym import notation as N
from lstmsym.binding.choices import label, own_choice
from lstmsym.binding.columns import stack_meaning
from lstmsym.binding.consistency import WRITTEN_OUT, Consistency, alike, has_primes
from lstmsym.binding.slots import Slot, occurrences, resolve, slot_of
from lstmsym.binding.table import bare_names
from lstmsym.binding.twins import twins
from lstmsym.documents.formula import Name, Sum
from lstmsym.notation import NotationError
from lstmsym.shapes import ShapeError
from lstmsym.verify.elaborate import sides
from lstmsym.verify.evaluate import OUT_OF_REACH
from lstmsym.verify.words import later

COMBINATIONS = 400
"""Meanings of the names in one line that are tried together."""


@dataclass(frozen=True)
class Group:
    """One choice of the document: its options are meanings, or ways to read a family of notations."""

    name: str
    options: tuple[str, ...]


class Solver:
    """Settles the choices of a document; they are changed in place."""

    def __init__(self, consistency: Consistency) -> None:
        """Look through the lines."""
        self.consistency, self.claims, self.choices = consistency, consistency.claims, consistency.choices
        self.lines, self.system, self.table = self.claims.lines, self.claims.system, self.claims.table
        self.involved = {n: self._involved(n) for n in self.choices.claims()}
        self.own_groups: dict[str, Group] = {}

    def solve(self) -> None:
        """Choose one meaning for each notation: those under which most lines are consistent."""
        groups = self.groups()
        families = [g for g in groups if not g.name.startswith("own ")]
        own = [g for g in groups if g.name.startswith("own ")]
        self.own_groups = {g.name: g for g in own}
        for group in groups:
            if group in families or any(
                resolve(s, self.table) for s in self.choices.meanings if own_choice(s) == group.name
            ):
                self.choices.choice[group.name] = group.options[0]
        for _ in range(4):
            before = dict(self.choices.choice)
            for group in families:
                self._settle(group)
            own = self._stacks(own)
            self._bind_unknown({g.name: g for g in own})
            for group in own:
                self._settle(group)
            self._mend({g.name: g for g in groups})
            if self.choices.choice == before:
                break
        self._give(own)
        self._name_stacks(own)
        counted = []
        for flat in (False, True):
            self.choices.flat = flat
            counted.append((sum(bool(self.consistency(n)) for n in self.choices.claims()), not flat, flat))
        self.choices.flat = max(counted)[2]

    def part_twins(self) -> None:
        """Names that have another's meaning by their own lines alone mean what other lines use them as."""
        for slot, other in twins(self.consistency):
            name = own_choice(slot)
            options = self.own_groups[name].options if name in self.own_groups else ()
            uses = [n for n in self.choices.claims() if name in self.involved[n] and not self._of(n, slot)]
            scores = []
            for rank, option in enumerate(options):
                self.choices.choice[name] = option
                scores.append((self._count(uses), -rank, option))
            del self.choices.choice[name]
            best = max(scores, default=(0, 0, ""))
            if best[0]:
                self.choices.choice[name] = best[2]
            else:
                self.choices.twins[slot] = other

        self._like_most()

    def _like_most(self) -> None:
        """Names that only their own lines show to mean another quantity than they name mean what most do."""
        found: dict[str, list[tuple[Slot, Group, bool]]] = {}
        for slot in self.choices.meanings:
            group = self.own_groups.get(own_choice(slot))
            chosen = self.choices.choice.get(own_choice(slot))
            if group is not None and chosen is not None and resolve(slot, self.table):
                item = (slot, group, chosen == group.options[0])
                found.setdefault(slot.family, []).append(item)
        for family in found.values():
            named = sum(is_named for _, _, is_named in family)
            for slot, group, is_named in family:
                if not is_named and named > len(family) - named:
                    self._name_itself(slot, group)

    def _name_itself(self, slot: Slot, group: Group) -> None:
        """Take a name for what it names, unless more lines that use it are consistent otherwise."""
        choice, present = self.choices.choice, self.choices.choice[group.name]
        uses = [n for n in self.choices.claims() if group.name in self.involved[n] and not self._of(n, slot)]
        before = self._count(uses)
        choice[group.name] = group.options[0]
        if self._count(uses) < before:
            choice[group.name] = present

    def _of(self, place: int, slot: Slot) -> bool:
        """Whether a line has a name on its left."""
        left = slot_of(self.lines[place][0], self.table)
        return left is not None and left[0] == slot

    def groups(self) -> list[Group]:
        """The choices there are, those of whole families first."""
        found: dict[str, tuple[str, ...]] = {}
        sides = (slot_of(self.lines[n][0], self.table) for n in self.choices.claims())
        lefts = {found[0] for found in sides if found is not None and found[1].lag != -1}
        pre, both = set(self.table.before.values()), self._both_sides()
        for slot, options in self.choices.meanings.items():
            if slot in self.choices.pinned:
                if self.choices.of_adjoint(self.choices.pinned[slot]):
                    found[f"{slot.family} back"] = ("total", "carried")
                continue
            targets = resolve(slot, self.table)
            if targets:
                sided = any(m.of in pre or m.of in self.table.before for m in options if m.kind == "total")
                if sided and slot.family not in both:
                    found[f"{slot.family} gates"] = ("named", "before", "after")
                if any(m.kind == "carried" for m in options):
                    found[f"{slot.family} back"] = ("total", "carried")
        for slot, options in self.choices.meanings.items():
            if slot in self.choices.pinned or not options:
                continue
            targets = resolve(slot, self.table)
            special = slot.word == "next" or slot.family == "grad" or slot not in lefts
            doubtful = len(targets) > 1 and self.table.idents.get(slot.target) == targets[0]
            carries = special and len(options) > 1 and any(m.kind == "carried" for m in options)
            if not targets or carries or doubtful:
                found[own_choice(slot)] = tuple(label(m) for m in options)
        return [Group(name, options) for name, options in found.items()]

    def _both_sides(self) -> set[str]:
        """The families of notations that name a gate and what goes into it: each is of what it names."""
        named: dict[str, set[str]] = {}
        for slot in self.choices.meanings:
            named.setdefault(slot.family, set()).add(self.table.idents.get(slot.target, ""))
        sides = self.table.before.items()
        return {family for family, own in named.items() if any(own >= {post, pre} for post, pre in sides)}

    def _involved(self, place: int) -> set[str]:
        """The choices that a line depends on."""
        found: set[str] = set()
        for side in self.lines[place][:2]:
            for _node, slot, _at, _name in occurrences(side, self.table):
                found |= {own_choice(slot), f"{slot.family} gates", f"{slot.family} back"}
        return found

    def _stacks(self, own: list[Group]) -> list[Group]:
        """The choices; a name for a column may mean the stack of what stands in it."""
        for place in self.choices.claims():
            left = slot_of(self.lines[place][0], self.table)
            group = self.own_groups.get(own_choice(left[0])) if left is not None else None
            if left is None or group is None or group.name in self.choices.choice:
                continue
            meaning = stack_meaning(place, self.consistency)
            if meaning is not None and label(meaning) not in group.options:
                self.choices.meanings[left[0]].append(meaning)
                self.own_groups[group.name] = Group(group.name, (*group.options, label(meaning)))
        return [self.own_groups[group.name] for group in own]

    def _name_stacks(self, own: list[Group]) -> None:
        """A name that nothing settles is the stack that it is said to be."""
        for group in own:
            stacks = [o for o in group.options if o.startswith("stacked ")]
            if group.name not in self.choices.choice and stacks:
                self.choices.choice[group.name] = stacks[0]

    def _give(self, own: list[Group]) -> None:
        """A Δ that nothing settles is what the loss gives to the one output."""
        for group in own:
            given = [o for o in group.options if o.startswith("given ")]
            if group.name not in self.choices.choice and group.name.startswith("own Δ") and len(given) == 1:
                self.choices.choice[group.name] = given[0]

    def stand_for_any(self) -> None:
        """The u of a line f'(u) = 1 - f(u)^2, of which nothing is known, stands for any vector."""
        for place in self.choices.claims():
            left, right, _ = self.lines[place]
            found = {name for side in (left, right) for name in bare_names(side)}
            names = {replace(name, span=(0, 0)) for name in found}
            slots = [slot_of(name, self.table) for name in names if name.time is None]
            if isinstance(left, Name) or len(names) != 1 or not slots or slots[0] is None:
                continue
            group = self.own_groups.get(own_choice(slots[0][0]))
            if group is not None and group.options:
                self.choices.choice.setdefault(group.name, group.options[0])

    def score(self, places: list[int]) -> int:
        """How many lines are consistent, those counted in which only the left side is not known yet."""
        found = 0
        for place in places:
            if self.consistency(place):
                found += 1
            elif self.own_groups:
                names = self._open(place, self.own_groups)
                left = slot_of(self.lines[place][0], self.table)
                if left is not None and names == [own_choice(left[0])]:
                    found += bool(self._fitting(place, self.own_groups[names[0]]))
        return found

    def _open(self, place: int, groups: dict[str, Group]) -> list[str]:
        """The names in a line of which nothing is chosen yet."""
        return sorted(
            name for name in self.involved[place] if name in groups and name not in self.choices.choice
        )

    def _bind_unknown(self, groups: dict[str, Group]) -> None:
        """Names that nothing is known of, through the lines in which all others are known."""
        for limit in (1, 1, 2, 1, 2, 1, 2, 1, 2, 1):
            changed = True
            while changed:
                changed = False
                for place in self.choices.claims():
                    names = self._open(place, groups)
                    if 1 <= len(names) <= limit and self._try(place, [groups[n] for n in names]):
                        changed = limit == 1
                        if not changed:
                            break

    def _try(self, place: int, groups: list[Group]) -> bool:
        """Give names in a line meanings that make it consistent, those that fit most other lines too."""
        left = slot_of(self.lines[place][0], self.table)
        last = next((g for g in groups if left is not None and g.name == own_choice(left[0])), None)
        others = [g for g in groups if g is not last]
        if math.prod(len(g.options) for g in others) > COMBINATIONS:
            return False
        affected = [n for n in self.choices.claims() if self.involved[n] & {g.name for g in groups}]
        found: list[tuple[int, int, dict[str, str]]] = []
        for chosen in self._combinations(place, others, last):
            if self.consistency(place):
                found.append((self.score(affected), -len(found), chosen))
        for group in groups:
            self.choices.choice.pop(group.name, None)
        if found:
            self.choices.choice.update(max(found, key=lambda f: f[:2])[2])
        return bool(found)

    def _combinations(self, place: int, others: list[Group], last: Group | None) -> Iterator[dict[str, str]]:
        """Meanings for names in a line, put in place one after the other; the left side's must fit."""
        choice = self.choices.choice
        for combination in itertools.product(*(g.options for g in others)):
            chosen = dict(zip((g.name for g in others), combination, strict=True))
            choice.update(chosen)
            for option in self._fitting(place, last) if last else ():
                choice[last.name] = option  # type: ignore[union-attr]
                yield {**chosen, last.name: option}  # type: ignore[union-attr]
            if last is None:
                yield chosen
            else:
                choice.pop(last.name, None)

    def _fitting(self, place: int, group: Group) -> list[str]:
        """The meanings of a left side whose value is that of the right one."""
        left, right, row = self.lines[place]
        found = slot_of(left, self.table)
        assert found is not None
        if row.relation == "+=" or (isinstance(right, Sum) and right.terms[0] == left):
            return list(group.options)
        lag = found[1].lag if isinstance(found[1].lag, int) else 0
        values = []
        for of_output in (False, True) if has_primes(right) else (False,):
            try:
                expr = self.consistency.patterns.right(place, of_output)
                if expr is None:
                    continue
                expr = sides(expr, expr, self.system)[0] if expr.has(*WRITTEN_OUT) else expr
                values.append(self.consistency.value(expr))
                values.append(self.consistency.value(N.Total(expr)))  # one step's share
            except (NotationError, ShapeError, *OUT_OF_REACH):
                continue
        fitting = []
        for meaning in self.choices.meanings[found[0]]:
            try:
                value = self.consistency.value(later(meaning.expr, lag))
            except OUT_OF_REACH:
                continue
            if any(np.shape(value) == np.shape(v) and alike(value, v) for v in values):
                fitting.append(label(meaning))
        return fitting

    def _mend(self, groups: dict[str, Group]) -> None:
        """Two choices changed together, where a line is inconsistent and more lines are consistent then."""
        for place in self.choices.claims():
            if self.consistency(place) is not False:
                continue
            names = [n for n in sorted(self.involved[place]) if n in groups and n in self.choices.choice]
            left = slot_of(self.lines[place][0], self.table)
            own = own_choice(left[0]) if left is not None else ""
            for pair in itertools.combinations(sorted(names, key=lambda n: n == own), 2):
                self._mend_pair(place, groups[pair[0]], groups[pair[1]], pair[1] == own)

    def _mend_pair(self, place: int, first: Group, second: Group, of_left: bool) -> None:
        """The best of all pairs of options; ``of_left``: the second is the left side's, and must fit."""
        if not of_left and len(first.options) * len(second.options) > COMBINATIONS:
            return
        names = (first.name, second.name)
        affected = [n for n in self.choices.claims() if self.involved[n] & set(names)]
        choice = self.choices.choice
        best = (self._count(affected), tuple(choice[n] for n in names))
        for option in first.options:
            choice[first.name] = option
            for other in self._fitting(place, second) if of_left else second.options:
                choice[second.name] = other
                if self.consistency(place):
                    score = self._count(affected)
                    best = max(best, (score, (option, other)), key=lambda b: b[0])
        choice.update(zip(names, best[1], strict=True))

    def _count(self, places: list[int]) -> int:
        return sum(bool(self.consistency(n)) for n in places)

    def _settle(self, group: Group) -> None:
        places = [n for n in self.choices.claims() if group.name in self.involved[n]]
        present = self.choices.choice.get(group.name)
        scores = []
        for rank, option in enumerate(group.options):
            self.choices.choice[group.name] = option
            score = self.score(places)
            scores.append((score, option == present, -rank, option))
        best = max(scores)
        if best[0] == 0 and present is None:
            del self.choices.choice[group.name]
        else:
            self.choices.choice[group.name] = best[3] if best[0] else (present or group.options[0])
