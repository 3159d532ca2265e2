r"""The summation convention: a letter that a term has twice, and the left side has not, is summed over.

``z_a = O_{ai} r_i`` is written as ``z_a = \sum_i O_{ai} r_i``, where a text says that repeated indices are
summed.  What stands in brackets is a factor of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lstmsym.binding.table import Line
from lstmsym.binding.units import STEPS, every_name, parts, variables
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Derivative,
    Formula,
    Fraction,
    Name,
    Product,
    Raised,
    Sum,
    rebuilt,
)


def with_sums(lines: Sequence[Line], letters: Iterable[str]) -> list[Line]:
    """The lines, their sums over repeated indices written; ``letters`` are those of the steps."""
    steps = frozenset(letters) | STEPS
    return [(left, _summed(right, _letters(left, steps), steps), row) for left, right, row in lines]


def _summed(node: Formula, free: frozenset[str], steps: frozenset[str]) -> Formula:
    """A formula with the sums over what its terms have twice; ``free`` is not summed over."""
    if isinstance(node, Sum):
        return replace(node, terms=tuple(_summed(term, free, steps) for term in node.terms))
    if isinstance(node, Big):
        return replace(node, body=_summed(node.body, free | set(variables(node)), steps))
    if isinstance(node, (Brackets, Raised)):
        return rebuilt(node, lambda part: _summed(part, free, steps))
    if isinstance(node, (Apply, Product)):
        return _over(_inside(node, free, steps), free, steps)
    return _over(node, free, steps)


def _inside(node: Formula, free: frozenset[str], steps: frozenset[str]) -> Formula:
    """A factor of a term, with the sums inside its brackets; what the factors have twice is the term's."""
    if isinstance(node, Apply):
        return replace(node, argument=_summed(node.argument, free, steps))
    if not isinstance(node, Product):
        return _summed(node, free, steps)
    factors = tuple(_inside(f, free, steps) for f in node.factors)
    if any(isinstance(f, Big) for f in factors[:-1]):
        factors = tuple(Brackets("(", ")", (f,)) if isinstance(f, Big) else f for f in factors)
    return replace(node, factors=factors)


def _over(node: Formula, free: frozenset[str], steps: frozenset[str]) -> Formula:
    """A term under the sums over the letters that two of its factors have."""
    found = Counter(x for factor in _factors(node) for x in sorted(_letters(factor, steps) - free))
    for letter in reversed([x for x, count in found.items() if count > 1]):
        node = Big("∑", Name(letter), None, node, span=node.span)
    return node


def _factors(node: Formula) -> tuple[Formula, ...]:
    """The factors of a term; the two ends of a derivative are two."""
    if isinstance(node, Product):
        return tuple(f for factor in node.factors for f in _factors(factor))
    if isinstance(node, Apply):
        return node.head, node.argument
    if isinstance(node, Fraction):
        return (*_factors(node.above), *_factors(node.below))
    if isinstance(node, Derivative):
        return tuple(end for end in (node.of, node.by) if end is not None)
    return (node,)


def _letters(node: Formula, steps: frozenset[str]) -> frozenset[str]:
    """The letters in the indices of a formula that no sum in it runs over."""
    if isinstance(node, Big):
        return _letters(node.body, steps) - set(variables(node))
    if isinstance(node, Apply):
        return _letters(node.head, steps) | _letters(node.argument, steps)
    if isinstance(node, (Sum, Product, Brackets, Raised)):
        inner = (
            node.terms if isinstance(node, Sum) else
            node.factors if isinstance(node, Product) else
            node.items if isinstance(node, Brackets) else (node.body,)
        )  # fmt: skip
        return frozenset().union(*(_letters(part, steps) for part in inner))
    found = (p.letter for name in every_name(node) for p in parts(name))
    return frozenset(x for x in found if x.isascii() and x.islower() and len(x) == 1 and x not in steps)
