r"""Index notation: which scripts of a name number units, ``w_{ij} x_j``, and which belong to its name.

A letter numbers units where a sum runs over it, and wherever it, or another such letter, stands in a
place of a name that a summed letter takes elsewhere: with ``\sum_k w_{jk} h_k`` so do j and i in
``h_j`` and ``w_{ij}``.  Those letters leave the name and become its `units`, one for each index of the
vector or matrix.  Where a text tells quantities apart by the letter, ``a_j`` of the hidden and ``a_k`` of
the output units (it defines both), or by a label that has an index, ``in_v``, the letter stays in the
name too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from lstmsym.binding.ranges import range_of
from lstmsym.binding.table import Line
from lstmsym.documents.formula import (
    Big,
    Derivative,
    Formula,
    Indexed,
    Name,
    Product,
    children,
    names,
    walk,
)

USUAL = frozenset("ijklmnpqrs")
"""Letters that number units even where no sum says so."""
STEPS = frozenset("tTτ")
WEIGHTS = frozenset("wWuUvV")
Spot = tuple[str, str, int, int]
"""A place for an index: the name without scripts, sub or sup, which of them, of how many."""


@dataclass(frozen=True)
class Part:
    """What may be an index of a name: the letter, the label that it is an index of, and its word."""

    letter: str
    label: str
    spot: Spot
    word: tuple[str, ...]


def stem(name: Name) -> str:
    """A name without scripts and step."""
    return replace(name, scripts=(), time=None, primes=0).key


def parts(name: Name) -> list[Part]:
    """The letters in the scripts of a name that may number units."""
    found: list[Part] = []
    for where in ("sub", "sup"):
        pieces = [p for s in name.scripts if s.where == where and not s.wrap for p in _pieces(s.body)]
        for place, (letter, label, word) in enumerate(pieces):
            if letter:
                found.append(Part(letter, label, (stem(name), where, place, len(pieces)), word))
    return found


def _pieces(body: Formula) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(letter, label, the word that the letter is one of) of each part of a script."""
    if isinstance(body, Product) and not any(body.operators):
        for factor in body.factors:
            yield from _pieces(factor)
    elif isinstance(body, Name) and body.scripts and body.time is None:
        inner = [p for s in body.scripts for p in _pieces(s.body)]
        letter, label, _ = inner[0] if len(inner) == 1 else ("", "", ())
        yield letter, f"{body.base}_{label}".rstrip("_"), (letter,)
    elif isinstance(body, Name) and body.time is None and body.base.isalpha() and not body.marks:
        letters = tuple(body.base) if len(body.base) in (2, 3) else (body.base,)
        letters = (*letters[:-1], letters[-1] + "'" * body.primes)
        for letter in letters:
            yield (letter if len(letter.rstrip("'")) == 1 else ""), "", letters
    else:
        yield "", "", ()


def variables(big: Big) -> tuple[str, ...]:
    """The letters that a sum runs over; none where it runs over steps, or a list of names."""
    over = range_of(big)
    if over is None or {n.base for limit in over.limits for n in names(limit)} & STEPS:
        return ()
    return over.letters


def unit_letters(big: Big) -> set[str]:
    """The letters of units that a sum runs over."""
    return set(variables(big)) & {
        u for n in walk(big.body) if isinstance(n, (Name, Indexed)) for u in n.units
    }


def is_count(high: Formula | None) -> bool:
    """Whether the upper limit of a sum over units is a name for their number."""
    return isinstance(high, Name) and not (high.time or high.units or high.primes) and high.base not in STEPS


def counts_of(lines: Iterable[Line]) -> Iterator[str]:
    """The keys of names for numbers of units: upper limits of sums over units that no line defines.

    A sum over n may be one over examples.
    """
    lines = list(lines)
    defined = {left.key for left, _, _ in lines if isinstance(left, Name)}
    for big in (n for line in lines for side in line[:2] for n in walk(side) if isinstance(n, Big)):
        labels = {u for n in walk(big.body) if isinstance(n, (Name, Indexed)) for u in n.units}
        if set(variables(big)) & labels - {"n"} and is_count(big.high) and big.high.key not in defined:  # type: ignore[union-attr]
            yield big.high.key  # type: ignore[union-attr]


def every_name(node: Formula) -> Iterator[Name]:
    """The names of a formula, those in limits and indices left out."""
    if isinstance(node, Name):
        yield node
    elif isinstance(node, (Big, Indexed)):
        yield from every_name(node.body)
    else:
        for child in children(node):
            yield from every_name(child)


def _letters(node: Formula) -> set[str]:
    """All that may be a letter of an index in a formula."""
    found = {p.letter for name in every_name(node) for p in parts(name)}
    scripts = [s for n in walk(node) if isinstance(n, Indexed) for s in n.scripts]
    return found | {letter for s in scripts for letter, _, _ in _pieces(s.body)}


class Units:
    """Finds the letters that number units in each line of a document."""

    def __init__(self, lines: Sequence[Line], letters: Iterable[str]) -> None:
        """``letters`` are those of the steps."""
        self.lines, self.steps = lines, frozenset(letters) | STEPS
        self.spots: set[Spot] = set()
        every = (n for left, right, _ in lines for side in (left, right) for n in every_name(side))
        self.weighted = any(n.base in WEIGHTS and any("n" in p.word for p in parts(n)) for n in every)
        """Whether n numbers units: weights have it, w_{nm}."""
        self.bound = [self._bound(left) | self._bound(right) for left, right, _ in lines]
        summed = {letter for letters in self.bound for letter in letters}
        both = (_letters(left) & _letters(right) for left, right, _ in lines)
        self.eligible = summed | {letter for found in both for letter in found if letter not in self.steps}
        every = (n for left, right, _ in lines for side in (left, right) for n in every_name(side))
        self.eligible -= {n.time.letter for n in every if n.time is not None} - summed  # steps here
        bases = {n.base for left, right, _ in lines for side in (left, right) for n in every_name(side)}
        self.usual = USUAL - bases - self.steps
        self._from_whole_names()
        self._from_whole_vectors()
        self.letters: list[set[str]] = []
        self._settle()
        if self._from_left():
            self._settle()

    def _bound(self, node: Formula) -> set[str]:
        """The letters of a formula that sums over units run over; their places are noted."""
        found = set()
        for big in (n for n in walk(node) if isinstance(n, Big)):
            for letter in set(variables(big)) - self.steps:
                here = [(name, p) for name in every_name(big.body) for p in parts(name) if p.letter == letter]
                if letter == "n" and not self.weighted and all(len(p.word) < 2 for _, p in here):
                    continue  # a sum over examples
                if here or letter in _letters(big.body):
                    found.add(letter)
                    self.spots |= {p.spot for _, p in here}
        return found

    def _from_whole_names(self) -> None:
        """``W_{ij}`` beside W: the entries of a matrix."""
        everything = [name for left, right, _ in self.lines for s in (left, right) for name in every_name(s)]
        whole = {replace(n, time=None).key for n in everything if not n.scripts}
        for name in everything:
            own = parts(name)
            usual = all(p.letter.rstrip("'") in USUAL & self.eligible for p in own)
            if len(own) == 2 and usual and replace(name, scripts=(), time=None).key in whole:
                self.spots |= {p.spot for p in own}

    def _from_whole_vectors(self) -> None:
        """``h_{j,t}`` beside h_t: the entries of a vector that has steps, and all names like it."""
        everything = [name for left, right, _ in self.lines for s in (left, right) for name in every_name(s)]
        timed = {replace(n, time=None).key for n in everything if n.time is not None}
        whole = {replace(n, time=None).key for n in everything}
        alone = {(n, p) for n in everything if len(own := parts(n)) == 1 for p in own if len(p.word) == 1}
        beside = [
            (n, p, without(n, p.letter).key) for n, p in alone if p.letter in self.usual & self.eligible
        ]
        letters = {p.letter for n, p, key in beside if n.time is not None and key in timed}
        letters -= {x for x in letters if any(_is_shared(x, right) for _, right, _ in self.lines)}
        self.spots |= {p.spot for _, p, key in beside if p.letter in letters and key in whole}

    def _settle(self) -> None:
        """Letters by their places, places by their letters, until nothing is new."""
        before = -1
        while before != len(self.spots):
            before = len(self.spots)
            self.letters = [self._of_line(place) for place in range(len(self.lines))]

    def _of_line(self, place: int) -> set[str]:
        left, right, _ = self.lines[place]
        everything = [p for side in (left, right) for name in every_name(side) for p in parts(name)]
        found = {p.letter for p in everything if p.spot in self.spots and p.letter in self.eligible}
        found = (found | self.bound[place]) - self.steps
        if found:  # beside others, a letter that stands nowhere else: a slip
            found |= {
                p.letter
                for p in everything
                if p.letter in self.usual
                and (p.spot in self.spots or (len(p.word) == 2 and set(p.word) & found))
            }
        self.spots |= {p.spot for p in everything if p.letter in found and set(p.word) <= found}
        return found

    def _from_left(self) -> bool:
        """A letter of the left side that a weight in a sum over another letter has as well."""
        before = len(self.spots)
        for place, (left, right, _) in enumerate(self.lines):
            if not self.bound[place] or not isinstance(left, Name):
                continue
            free = {p.letter for p in parts(left)} - self.steps
            if free & self.letters[place]:
                continue
            for own in ([p for p in parts(n) if p.spot[1] == "sub"] for n in every_name(right)):
                if len(own) == 2 and {p.letter for p in own} & self.bound[place]:
                    self.spots |= {p.spot for p in own if p.letter in free}
        return len(self.spots) > before


def without(name: Name, letter: str) -> Name:
    """A name without its step and without the script that is this letter."""
    return replace(name, scripts=tuple(s for s in name.scripts if s.text != letter), time=None)


def _is_shared(letter: str, right: Formula) -> bool:
    """Whether a weight without a letter multiplies what has it, W x_{i,t}: i numbers samples, or layers."""
    for node in walk(right):
        pairs = pairwise(node.factors) if isinstance(node, Product) and not any(node.operators) else ()
        for a, b in pairs:
            weight = isinstance(a, Name) and a.time is None and a.base[0].isupper() and not parts(a)
            if weight and isinstance(b, Name) and letter in {p.letter for p in parts(b)}:
                return True
    return False


def of_name(name: Name, letters: set[str]) -> list[Part]:
    """The indices of a name: letters that number units, in words that have no others."""
    return [p for p in parts(name) if p.letter in letters and set(p.word) <= letters]


def unmatched(left: Formula, right: Formula) -> str:
    """What is wrong with the free indices of a line, if anything: one that stands on one side only."""
    both = tuple(dict.fromkeys(unit_labels(side)) for side in (left, right))
    if not both[1]:
        return ""
    once = Counter(u for name in every_name(left) for u in name.units)
    alone = [label for label in both[1] if label not in both[0]]
    if alone:
        return f"{alone[0]} stands on the right side only, and is not summed over"
    lacking = [label.lstrip("0123456789") for label in both[0] if label not in both[1] and once[label] == 1]
    return f"{lacking[0]} stands on the left side only" if lacking else ""


def carries_on(left: Formula, right: Formula) -> bool:
    """Whether a line has derivatives by a parameter at several steps: one goes on from the step before."""
    steps: dict[object, set[int | None]] = {}
    for node in (n for side in (left, right) for n in walk(side) if isinstance(n, Derivative)):
        if isinstance(node.of, Name) and isinstance(node.by, Name) and node.by.time is None and node.by.units:
            steps.setdefault(node.by.key, set()).update([node.of.time.offset] if node.of.time else ())
    return any(len(found) > 1 for found in steps.values())


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
    for part in children(node):
        _free(part, bound, found)
