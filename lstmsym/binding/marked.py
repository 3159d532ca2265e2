r"""Lines in index notation with the indices apart from the names: ``h_k(t)`` is h with the unit k.

A letter that also tells quantities apart stays in the name.  One that stands for any of them, g in
``\sum_g w_{cg} \delta_g`` where gates and cells are meant, is written out.  Gate letters over which no
sum runs are of one block with what else is not summed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import GRADIENT_BASES, Line
from lstmsym.binding.units import Units, every_name, of_name, stem, variables
from lstmsym.documents.formula import (
    Apply,
    Big,
    Delta,
    Derivative,
    Formula,
    Indexed,
    Name,
    Product,
    Raised,
    Script,
    rebuilt,
    walk,
)


def marked(lines: Sequence[Line], letters: Iterable[str]) -> list[Line]:
    """The lines, the names in those with indices having their units apart."""
    letters = frozenset(letters)
    lines = [(raised(left), raised(right), row) for left, right, row in lines]
    units = Units(lines, letters)
    if not any(units.letters):
        return list(lines)
    kinds = Kinds(lines, units)
    found: list[Line] = []
    for (left, right, row), own in zip(lines, units.letters, strict=True):
        if not own:
            found.append((left, right, row))
            continue
        for a, b in kinds.written_out(left, right, own):
            found.append((*numbered(*kinds.joined(a, b)), row))
    return found


def raised(node: Formula) -> Formula:
    """A formula in which letters above an entry of a matrix, ``W_{kj}^{hh}``, are part of its name."""
    node = rebuilt(node, raised)
    if not isinstance(node, Raised) or not isinstance(node.body, Name) or node.kind == "transpose":
        return node
    words = [n for n in walk(node.exponent) if isinstance(n, Name)]
    subs = [s for s in node.body.scripts if s.where == "sub"]
    entry = len(subs) == 2 or (len(subs) == 1 and len(subs[0].text) == 2)
    if entry and len(words) > 1 and isinstance(node.exponent, Product):
        label = Name("".join(w.base for w in words))
        return replace(node.body, scripts=(*node.body.scripts, Script("sup", label)))
    return node


@dataclass
class Kinds:
    """Which letters tell quantities apart; ``members`` are the names of the forward lines with their units."""

    lines: Sequence[Line]
    units: Units
    kept: set[str] = field(default_factory=set)
    """Names without scripts whose letters stay."""
    labels: set[str] = field(default_factory=set)
    """The letters that tell quantities apart."""
    members: dict[str, int] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of a name without scripts: the letter that a letter is another word for."""

    def __post_init__(self) -> None:
        """Look through the lines."""
        defined: dict[str, set[tuple[str, ...]]] = {}
        for (left, right, _), letters in zip(self.lines, self.units.letters, strict=True):
            for name in (n for side in (left, right) for n in every_name(side)):
                if any(p.label for p in of_name(name, letters)):
                    self.kept.add(stem(name))
            if isinstance(left, Name) and _forward(left, right):
                own = tuple(p.letter for p in of_name(left, letters) if not p.label)
                if own:
                    defined.setdefault(self.apart(left, letters), set()).add(own)
        several = {key: found for key, found in defined.items() if len(found) > 1}
        self.labels = {letter for found in several.values() for own in found for letter in own}
        for (left, right, _), letters in zip(self.lines, self.units.letters, strict=True):
            for name in (n for side in (left, right) for n in every_name(side)):
                if self.labels & {p.letter for p in of_name(name, letters)}:
                    self.kept.add(stem(name))

    def apart(self, name: Name, letters: set[str]) -> str:
        """A name without its units."""
        return self.mark(name, letters, frozenset()).key if letters else name.key

    def mark(self, name: Name, letters: set[str], kept: frozenset[str] | None = None) -> Name:
        """A name with its units apart."""
        own = of_name(name, letters)
        if not own:
            return name
        stays = stem(name) in (self.kept if kept is None else kept)
        gone = {p.letter for p in own}
        scripts: list[Script] = []
        for script in name.scripts:
            body = None if script.wrap else _without(script.body, gone, stays)
            if script.wrap or body is not None:
                scripts.append(script if script.wrap else replace(script, body=body or script.body))
        bare = untimed(replace(name, scripts=tuple(scripts)))[0]
        return replace(bare, time=name.time, units=tuple(p.letter for p in own))

    def written_out(
        self, left: Formula, right: Formula, letters: set[str]
    ) -> Iterator[tuple[Formula, Formula]]:
        """The line with its units apart."""
        yield self.of(left, letters), self.of(right, letters)

    def of(self, node: Formula, letters: set[str]) -> Formula:
        """A formula with the units of its names apart."""
        if isinstance(node, Name):
            return self.mark(node, letters)
        if isinstance(node, Apply):
            head = (
                replace(self.mark(node.head, letters), units=()) if of_name(node.head, letters) else node.head
            )
            return replace(node, head=head, argument=self.of(node.argument, letters))
        if isinstance(node, Indexed):
            text = [s.text for s in node.scripts]
            if not node.bar and node.time is None and all(set(t) <= letters for t in text):
                return Indexed(node.body, (), units=tuple("".join(text)), span=node.span)
        if isinstance(node, Big):
            return replace(node, body=self.of(node.body, letters))
        return rebuilt(node, lambda part: self.of(part, letters))

    def joined(self, left: Formula, right: Formula) -> tuple[Formula, Formula]:
        """The line."""
        return left, right


def _forward(left: Name, right: Formula) -> bool:
    """Whether a line may define what its left side names."""
    return left.base not in GRADIENT_BASES and not any(
        isinstance(n, (Delta, Derivative)) for n in walk(right)
    )


def _without(body: Formula, gone: set[str], stays: bool) -> Formula | None:
    """A script without letters that number units; nothing where none of it is left."""
    if isinstance(body, Product):
        rest = [b for b in (_without(f, gone, stays) for f in body.factors) if b is not None]
        if not rest:
            return None
        return rest[0] if len(rest) == 1 else Product(("",) * (len(rest) - 1), tuple(rest))
    if not isinstance(body, Name):
        return body
    if body.scripts:
        inner = [(s, _without(s.body, gone, False)) for s in body.scripts]
        return replace(body, scripts=tuple(replace(s, body=b) for s, b in inner if b is not None))
    word = body.base + "'" * body.primes
    letters = {word} if len(body.base) == 1 else set(body.base)
    return body if stays or not letters <= gone else None


def unit_labels(node: Formula) -> tuple[str, ...]:
    """The free units of a formula, in the order in which they stand."""
    found: dict[str, None] = {}
    _free(node, frozenset(), found)
    return tuple(found)


def _free(node: Formula, bound: frozenset[str], found: dict[str, None]) -> None:
    if isinstance(node, (Name, Indexed)):
        found.update(dict.fromkeys(u for u in node.units if u not in bound))
        if isinstance(node, Name):
            return
    if isinstance(node, Big):
        _free(node.body, bound | set(variables(node)), found)
        return
    for part in _inner(node):
        _free(part, bound, found)


def _inner(node: Formula) -> list[Formula]:
    parts: list[Formula] = []
    rebuilt(node, lambda part: parts.append(part) or part)  # type: ignore[func-returns-value]
    return parts


def numbered(left: Formula, right: Formula) -> tuple[Formula, Formula]:
    """A line in which the units of the left side are numbered, as the indices of both sides are ordered."""
    order = {label: f"{place}{label}" for place, label in enumerate(unit_labels(left))}
    return _renamed(left, order), _renamed(right, order)


def _renamed(node: Formula, order: dict[str, str]) -> Formula:
    """A formula with free units called otherwise."""
    if isinstance(node, Big):
        own = {old: new for old, new in order.items() if old not in variables(node)}
        return replace(node, body=_renamed(node.body, own))
    if isinstance(node, (Name, Indexed)) and node.units:
        node = replace(node, units=tuple(order.get(u, u) for u in node.units))
    return node if isinstance(node, Name) else rebuilt(node, lambda part: _renamed(part, order))
