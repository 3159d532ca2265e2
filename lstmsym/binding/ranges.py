r"""Over which units a sum runs: all of them, ``\sum_j``, as many as something says, or some of them only.

What says how many is a name, ``j = 1 ... n``, a number, an expression or a set.  A sum is over some units
only from ``j = 2`` on, to ``n - 1``, or as ``j < i``, an index of its own, says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lstmsym.documents.formula import (
    Big,
    Brackets,
    Formula,
    Fraction,
    Name,
    Number,
    Product,
    Relation,
    Slice,
    Sum,
    Words,
    names,
    rebuilt,
    walk,
)


@dataclass(frozen=True)
class Range:
    """The letters of a sum; ``count`` says how many units there are, ``some``: not all of them.

    ``others`` are letters that differ: j and i of ``j ≠ i``.
    """

    letters: tuple[str, ...]
    count: Formula | None = None
    some: bool = False
    others: tuple[tuple[str, str], ...] = ()
    limits: tuple[Formula, ...] = ()
    """What stands in its limits beside the letters, sets left out."""


def range_of(big: Big) -> Range | None:
    """What a sum runs over; None where that is not told by letters, or is a list of names."""
    if big.operator != "∑" or big.lower is None:
        return None
    items = _items(big.lower)
    found = _dotted(items, big.high) if len(items) > 2 else None
    if found is not None:
        return found
    found = Range(())
    for item in sorted(items, key=_differs):
        one = _one(item, big.high, found.letters)
        if one is None:
            return None
        found = Range(
            (*found.letters, *one.letters),
            one.count or found.count,
            one.some or found.some,
            (*found.others, *one.others),
            (*found.limits, *one.limits),
        )
    return found


def _items(lower: Formula) -> tuple[Formula, ...]:
    """The parts of what stands below a sum: ``j = 1, j ≠ i``."""
    if isinstance(lower, Brackets):
        return lower.items
    if isinstance(lower, Slice) and lower.low is not None and lower.high is not None:
        return lower.low, lower.high
    return (lower,)


def _differs(item: Formula) -> bool:
    return isinstance(item, Relation) and item.signs == ("≠",)


def _dotted(items: tuple[Formula, ...], high: Formula | None) -> Range | None:
    """``j = 1, ..., n``."""
    first, last = items[0], items[-1]
    if high is not None or not isinstance(first, Relation) or first.signs != ("=",):
        return None
    if not all(isinstance(item, (Words, Number)) for item in items[1:-1]):
        return None
    return _one(first, last, ())


def letter_of(node: Formula) -> str:
    """The letter that a name without scripts is."""
    plain = isinstance(node, Name) and not (node.scripts or node.time)
    return node.base + "'" * node.primes if plain else ""  # type: ignore[attr-defined]


def _one(item: Formula, high: Formula | None, known: tuple[str, ...]) -> Range | None:
    if isinstance(item, Relation):
        return _related(item, high, known)
    if isinstance(item, Product):  # j odd
        first, *more = item.factors
        words = any(isinstance(n, Name) and len(n.base) > 1 and n.base.isascii() for n in more)
        return Range((letter_of(first),), some=True) if letter_of(first) and words else None
    letter = letter_of(item)
    return _from_to(letter, None, high)


def _limits(*nodes: Formula | None) -> tuple[Formula, ...]:
    return tuple(node for node in nodes if node is not None)


def _related(item: Relation, high: Formula | None, known: tuple[str, ...]) -> Range | None:
    """``j = 1``, ``j ∈ S``, ``j ≠ i``, ``j ≤ n``, ``1 ≤ j ≤ n``."""
    signs, terms = item.signs, item.terms
    if len(signs) == 2 and set(signs) <= set("≤<"):
        low, name, last = terms
        first = low if signs[0] == "≤" else _next(low)
        return _from_to(letter_of(name), first, last if signs[1] == "≤" else _before(last))
    if signs == ("forall",):
        return Range((letter_of(terms[1]),)) if letter_of(terms[1]) else None
    letter = letter_of(terms[0])
    if len(signs) != 1 or not letter:
        return None
    return _of_sign(signs[0], letter, terms[1], high, known)


def _of_sign(
    sign: str, letter: str, term: Formula, high: Formula | None, known: tuple[str, ...]
) -> Range | None:
    if sign == "=":
        return _from_to(letter, term, high)
    if sign == "∈":
        return _member(letter, term)
    if sign == "∉":
        return Range((letter,), some=True)
    if sign == "≠":
        return _other(letter, letter_of(term), known, high, term)
    if sign in "≤<":
        return _from_to(letter, None, term if sign == "≤" else _before(term))
    if sign in "≥>":
        return _from_to(letter, term if sign == "≥" else _next(term), high)
    return None


def _other(letter: str, other: str, known: tuple[str, ...], high: Formula | None, term: Formula) -> Range:
    """``j ≠ i``, where one of the letters may be told to be that of the sum."""
    new = () if {letter, other} & set(known) else (letter,)
    if other in known:
        letter, other = other, letter
    return Range(new, high if new else None, not other, ((letter, other),) if other else (), (term,))


def _next(node: Formula) -> Formula:
    return Number(str(int(node.text) + 1)) if isinstance(node, Number) and node.text.isdigit() else node


def _before(node: Formula) -> Formula:
    return Sum(("+", "-"), (node, Number("1")))


def _member(letter: str, of: Formula) -> Range | None:
    """``j ∈ S``; one of ``{1, ..., n}``, or of ``{1, 2}``, but not of names, ``{i, f, o}``."""
    if not isinstance(of, Brackets) or of.left != "{":
        return Range((letter,), Relation(("∈",), (Name(letter), of)))
    if any(isinstance(item, Words) for item in of.items):
        return _from_to(letter, of.items[0], of.items[-1])
    if all(isinstance(item, Number) for item in of.items):
        return Range((letter,), Relation(("∈",), (Name(letter), of)))
    return None


def _from_to(letter: str, low: Formula | None, high: Formula | None) -> Range | None:
    """From 1, or 0, to how many there are."""
    if not letter:
        return None
    limits = _limits(low, high)
    zero = isinstance(low, Number) and low.text == "0"
    if low is not None and not (isinstance(low, Number) and low.text in ("0", "1")):
        return Range((letter,), some=True, limits=limits)
    if zero and high is not None:
        high = _more(high)
    return Range((letter,), high, high is not None and _lacks(high), limits=limits)


def _more(high: Formula) -> Formula:
    """One more than a number: how many units there are from 0 on."""
    if isinstance(high, Number) and high.text.isdigit():
        return Number(str(int(high.text) + 1))
    if isinstance(high, Sum) and high.signs == ("+", "-") and high.terms[1] == Number("1"):
        return high.terms[0]
    return Sum(("+", "+"), (high, Number("1")))


def _lacks(high: Formula) -> bool:
    """Whether a limit is less than how many there are: n - 1, n / 2."""
    return any(
        isinstance(node, Fraction)
        or (isinstance(node, Sum) and "-" in node.signs)
        or (isinstance(node, Product) and "/" in node.operators)
        for node in walk(high)
    )


def depends_on(count: Formula | None, labels: Iterable[str]) -> bool:
    """Whether what says how many has an index: ``j = 1 ... i``, or the children of a unit, C(i)."""
    own = {label.lstrip("0123456789") for label in labels}
    nodes = count.terms[1:] if isinstance(count, Relation) else (count,)
    return any(n.base in own for node in nodes if node is not None for n in names(node))


def over_all(node: Formula, letters: Callable[[Big], Iterable[str]]) -> Formula:
    """A formula whose sums over some of the units are sums over all; ``letters`` are those of units."""
    node = rebuilt(node, lambda part: over_all(part, letters))
    if not isinstance(node, Big) or not set(letters(node)):
        return node
    names_of = tuple(Name(x.rstrip("'"), primes=x.count("'")) for x in letters(node))
    lower = names_of[0] if len(names_of) == 1 else Brackets("", "", names_of)
    return replace(node, lower=lower, upper=None)
