r"""A loss that reads the end of a sequence alone: ``z = h_T``, ``\hat y = softmax(V h_T + c)``.

What such a text reads off the last step is a quantity that every step has and that counts at the
last one only: its equations are those of a step, and the gradient that the loss gives is zero before.
A factor ``1_{t=T}`` makes two equations of one: that of the last step and that of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lstmsym.binding.quantity import LAST
from lstmsym.binding.table import LOSSES, Line, Table, bare_names, has_gradient
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Relation,
    Sum,
    Time,
    rebuilt,
    walk,
)

END = "T"
START = frozenset("init initial start".split())
"""Words for the step before the first, as in h_{init}."""


def begun(lines: Sequence[Line], letters: Iterable[str]) -> list[Line]:
    """The lines with ``h_{init}``, of a quantity with steps, as h_0; ``ghinit`` is the gradient by it."""
    table = Table(letters=frozenset(letters))
    timed = {
        table.key(left).key for left, _, _ in lines if isinstance(left, Name) and table.key(left).lag == 0
    }

    def change(node: Formula) -> Formula:
        if not isinstance(node, Name) or node.time is not None:
            return rebuilt(node, change)
        bare = _begun(node)
        if bare is None:
            return node
        first = replace(bare, time=Time(Number("0")))
        if table.key(bare).key in timed:
            return first
        of = replace(first, base=first.base[1:])
        gradient = (
            len(first.base) > 1 and first.base[0] in "gd" and table.key(replace(of, time=None)).key in timed
        )
        return Derivative(Name("L"), of, "∂") if gradient else node

    return [(change(left), change(right), row) for left, right, row in lines]


def _begun(node: Name) -> Name | None:
    """A name without the word for the step before the first, if it has one."""
    kept = tuple(s for s in node.scripts if s.text not in START)
    if len(kept) < len(node.scripts):
        return replace(node, scripts=kept)
    word = next((w for w in sorted(START) if node.base.endswith(w) and node.base != w), None)
    return None if word is None else replace(node, base=node.base.removesuffix(word))


@dataclass(frozen=True)
class Ending:
    """What a text reads off the last step: the lines that say so, the names that have no step there."""

    defining: frozenset[int]
    read_out: frozenset[str]
    targets: frozenset[str]


def ended(lines: Sequence[Line], letters: Iterable[str]) -> tuple[list[Line], bool]:
    """The lines with names of the last step at it, and whether the loss reads that step alone."""
    table = Table(letters=frozenset(letters))
    found = _ending(lines, table)
    if found is None:
        return list(lines), False
    main = min(table.letters)
    stepless = found.read_out | found.targets
    result: list[Line] = []
    for place, (left, right, row) in enumerate(lines):
        if place in found.defining:
            sides = [_at(_at(side, main, stepless, table), main, None, table) for side in (left, right)]
            result.append((sides[0], sides[1], row))
            continue
        left, right = (_at(side, END, stepless, table) for side in (left, right))
        result += ((a, b, row) for a, b in _apart(left, right, main, table))
    return result, True


# -- what is read off the end ----------------------------------------------------------------------


def _ending(lines: Sequence[Line], table: Table) -> Ending | None:
    """What a text reads off the last step, where its loss reads nothing else."""
    plain = [n for n, (left, right, row) in enumerate(lines) if _defines(left, right, row.relation, table)]
    stepped = {_key(lines[n][0], table) for n in plain if table.key(lines[n][0]).lag == 0}  # type: ignore[arg-type]
    defining: dict[int, str] = {}
    while True:
        known = set(defining.values())
        new = {
            n: _key(lines[n][0], table)
            for n in plain
            if n not in defining
            and _key(lines[n][0], table) not in stepped
            and _reads_the_end(lines[n], known, table)
        }
        if not new:
            break
        defining |= new
    losses = {n for n in defining if lines[n][0].base in LOSSES}  # type: ignore[attr-defined]
    read_out = frozenset(key for n, key in defining.items() if n not in losses)
    if not defining or not stepped or _goes_on(lines, read_out, stepped, losses, table):
        return None
    own = {
        _key(n, table)
        for place in plain
        if place not in losses
        for side in lines[place][:2]
        for n in bare_names(side)
    }
    free = {_key(n, table) for place in losses for n in bare_names(lines[place][1]) if n.time is None}
    targets = frozenset(key for key in free - own if key[0].isascii())
    return Ending(frozenset(defining), read_out, targets)


def _defines(left: Formula, right: Formula, relation: str, table: Table) -> bool:
    """Whether a line defines a name, and not a gradient."""
    if not isinstance(left, Name) or relation not in ("=", ":=", "≡"):
        return False
    return not any(has_gradient(side, table, True) for side in (left, right))


def _key(name: Formula, table: Table) -> str:
    """A name without its step and without the index of an entry."""
    assert isinstance(name, Name)
    kept = tuple(s for s in name.scripts if s.text not in ("i", "j", "k"))
    return table.key(replace(name, scripts=kept, units=(), time=None)).key


def _reads_the_end(line: Line, known: set[str], table: Table) -> bool:
    """Whether a line reads quantities of the last step, or made from such, and of no other step."""
    left, right, _ = line
    assert isinstance(left, Name)
    lags = {table.key(n).lag for n in bare_names(right)} - {None}
    if table.key(left).lag not in (None, LAST) or not lags <= {LAST}:
        return False
    if any(isinstance(n, Big) and n.variable in table.letters for n in walk(right)):
        return False
    return bool(lags) or any(_key(n, table) in known for n in bare_names(right) if n.time is None)


def _goes_on(
    lines: Sequence[Line], read_out: frozenset[str], stepped: set[str], losses: set[int], table: Table
) -> bool:
    """Whether steps read what was read off the end, as a decoder does, or a loss reads all steps."""
    for n, (left, right, row) in enumerate(lines):
        if not _defines(left, right, row.relation, table):
            continue
        assert isinstance(left, Name)
        read = list(bare_names(right))
        ends = any(table.key(m).lag == LAST for m in read) or bool(read_out & {_key(m, table) for m in read})
        if _key(left, table) in stepped and ends:
            return True
        if left.base in LOSSES and n not in losses and _key(left, table) not in stepped:
            return True
        if left.base in LOSSES and table.key(left).lag == 0 and _key(left, table) in stepped:
            return True
    return False


# -- at the last step ------------------------------------------------------------------------------


def _at(node: Formula, step: str, stepless: frozenset[str] | None, table: Table) -> Formula:
    """A formula with the names that have no step at one; with None those of the last step."""

    def change(part: Formula) -> Formula:
        if not isinstance(part, Name):
            return rebuilt(part, change)
        here = (
            table.key(part).lag == LAST
            if stepless is None
            else part.time is None and _key(part, table) in stepless
        )
        return replace(part, time=Time(Name(step))) if here else part

    return change(node)


def _apart(left: Formula, right: Formula, main: str, table: Table) -> Iterator[tuple[Formula, Formula]]:
    """A line with a factor 1_{t=T} as that of the last step and that of the others."""
    if not any(_is_last(part, main) for part in walk(right)):
        yield left, right
        return
    before = _terms(right, main, False, table)
    if before is not None:
        yield left, before
    at_end = _terms(right, main, True, table)
    if at_end is not None:
        yield _moved(left, main), _moved(at_end, main)


def _is_last(node: Formula, main: str) -> bool:
    """Whether a formula is 1_{t=T}, 1[t=T] or [t=T]."""
    if isinstance(node, Name) and node.base == "1":
        return any(_says_last(s.body, main) for s in node.scripts)
    return isinstance(node, Brackets) and len(node.items) == 1 and _says_last(node.items[0], main)


def _says_last(node: Formula, main: str) -> bool:
    return isinstance(node, Relation) and node.signs == ("=",) and {
        n.key if isinstance(n, Name) else "" for n in node.terms
    } == {main, END}  # fmt: skip


def _terms(right: Formula, main: str, last: bool, table: Table) -> Formula | None:
    """The terms that are there at the last step, or before it; None where none is."""
    signs = right.signs if isinstance(right, Sum) else ("+",)
    terms = right.terms if isinstance(right, Sum) else (right,)
    kept = []
    for sign, term in zip(signs, terms, strict=True):
        beyond = last and any(isinstance(lag := table.key(n).lag, int) and lag > 0 for n in bare_names(term))
        marked = any(_is_last(part, main) for part in walk(term))
        if not beyond and (last or not marked):
            kept.append((sign, _without(term, main)))
    if not kept:
        return None
    if len(kept) == 1 and kept[0][0] == "+":
        return kept[0][1]
    return Sum(tuple(sign for sign, _ in kept), tuple(term for _, term in kept))


def _without(term: Formula, main: str) -> Formula:
    """A term without its factor 1_{t=T}."""
    if not isinstance(term, Product):
        return Number("1") if _is_last(term, main) else term
    kept = [
        (operator, factor)
        for operator, factor in zip(("", *term.operators), term.factors, strict=True)
        if not _is_last(factor, main) and not (isinstance(factor, Name) and factor.key == "1")
    ]
    if len(kept) == 1:
        return kept[0][1]
    return replace(term, operators=tuple(o for o, _ in kept[1:]), factors=tuple(f for _, f in kept))


def _moved(node: Formula, main: str) -> Formula:
    """A formula at the last step."""

    def change(part: Formula) -> Formula:
        if isinstance(part, Name) and part.time is not None and part.time.letter == main:
            index = rebuilt(part.time.index, lambda n: Name(END) if n == Name(main) else n)
            index = Name(END) if part.time.index == Name(main) else index
            return replace(part, time=replace(part.time, index=index))
        return rebuilt(part, change)

    return change(node)
