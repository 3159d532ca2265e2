"""The systems of forward equations in a document: where one ends and the next begins, which one is meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lstmsym.binding.quantity import Place


@dataclass
class System:
    """Forward equations that belong together: place of each line -> what it defines, what lines read."""

    lines: dict[int, str] = field(default_factory=dict)
    reads: dict[int, tuple[Place, ...]] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    """What is read at the step before."""

    @property
    def defined(self) -> set[str]:
        """What its lines define."""
        return set(self.lines.values())

    @property
    def closed(self) -> bool:
        """Whether every state that was read before its definition has one."""
        return bool(self.lines) and self.before <= self.defined

    @property
    def names(self) -> set[str]:
        """Every name in it."""
        return self.defined | {p.key for parts in self.reads.values() for p in parts}

    def add(self, place: int, at: Place, parts: Sequence[Place]) -> None:
        """One more line."""
        shift = at.lag if isinstance(at.lag, int) else 0
        self.lines[place] = at.key
        self.reads[place] = tuple(parts)
        self.before |= {p.key for p in parts if isinstance(p.lag, int) and p.lag - shift == -1}

    def fresh(self, parts: Iterable[Place]) -> bool:
        """Whether names without a step are new: a second definition with such belongs to another system."""
        return any(p.lag is None and p.key not in self.names for p in parts)

    def next(self, key: str) -> System:
        """The system that begins where a name is defined again: with the last lines that nothing here reads.

        A text that writes its equations anew begins at the first of them, and not at the first name
        that was used before.
        """
        found = System()
        for place in reversed(list(self.lines)):
            if self.lines[place] == key or any(
                p.key == self.lines[place] for parts in self.reads.values() for p in parts
            ):
                break
            found.lines = {place: self.lines.pop(place), **found.lines}
            found.reads[place] = self.reads.pop(place)
            found.before |= {p.key for p in found.reads[place] if p.lag == -1}
        return found


def main_system(systems: Sequence[System], spoken: set[str]) -> dict[int, str]:
    """Of several systems the one that the rest of the text speaks of most, with what it takes over.

    A system that reads names which it does not define takes the lines of the one before for them.
    """
    found: list[tuple[int, int, int, dict[int, str]]] = []
    for number, system in enumerate(systems):
        _give_back(systems[:number], system)
        whole = _completed(system, systems[:number])
        names = whole.names
        found.append((len(names & spoken) if len(systems) > 1 else 0, len(whole.lines), -number, whole.lines))
    return max(found, key=lambda f: f[:3])[3]


def _give_back(before: Sequence[System], system: System) -> None:
    """Lines that were taken for the beginning of a system, and that it does not read either."""
    if not before or not system.lines:
        return
    start = max((p for s in before for p in s.lines), default=-1)
    for place in list(system.lines):
        read = any(p.key == system.lines[place] for parts in system.reads.values() for p in parts)
        if read or place < start:
            break
        later = [p for p in system.lines if p > place]
        if not later:
            break
        before[-1].lines[place] = system.lines.pop(place)
        before[-1].reads[place] = system.reads.pop(place)


def _completed(system: System, before: Sequence[System]) -> System:
    """A system with the lines of those before for what it reads and does not define."""
    whole = System(dict(system.lines), dict(system.reads))
    while True:
        open_ = {p.key for parts in whole.reads.values() for p in parts if p.lag is not None} - whole.defined
        wanted = next(
            ((s, place) for s in reversed(before) for place, key in s.lines.items() if key in open_), None
        )
        if wanted is None:
            return whole
        source, place = wanted
        whole.lines[place] = source.lines[place]
        whole.reads[place] = source.reads[place]
