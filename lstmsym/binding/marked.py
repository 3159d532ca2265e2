"""Lines in index notation with the indices apart from the names: ``h_k(t)`` is h with the unit k."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lstmsym.binding.lettered import Lettered, relabelled
from lstmsym.binding.rowwise import rowwise
from lstmsym.binding.table import Line
from lstmsym.binding.units import USUAL, Units, every_name, stem, unit_labels, variables
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Script,
    Time,
    rebuilt,
    walk,
)


def marked(lines: Sequence[Line], letters: Iterable[str]) -> list[Line]:
    """The lines, the names in those with indices having their units apart."""
    lines = [(raised(left), raised(right), row) for left, right, row in lines]
    lines = stepped(lines, frozenset(letters))
    units = Units(lines, letters)
    if not any(units.letters):
        return list(lines)
    apart = Lettered(lines, units)
    found: list[Line] = []
    for (left, right, row), own in zip(lines, units.letters, strict=True):
        found += ((a, b, row) for a, b in apart(left, right, own)) if own else [(left, right, row)]
    return [(*numbered(left, right), row) for left, right, row in rowwise(found)]


def stepped(lines: Sequence[Line], letters: frozenset[str]) -> list[Line]:
    """The lines with the step of ``h_{jt}``, or ``h_{tj}``, told from its unit, where sums run over such."""
    sides = [side for left, right, _ in lines for side in (left, right)]
    bigs = [n for side in sides for n in walk(side) if isinstance(n, Big)]
    units = {x for big in bigs for x in variables(big)} - letters
    if not units:
        return list(lines)
    units |= USUAL - {n.base for side in sides for n in every_name(side)}
    first = _stepped_first(sides, units, letters)

    def change(node: Formula) -> Formula:
        if not isinstance(node, Name) or node.time is not None:
            return rebuilt(node, change)
        for place, script in enumerate(node.scripts):
            word = _pair(script)
            back = word[::-1] if stem(node) in first else word
            if (
                back
                and back[0] in units
                and (back[1] in letters or (back != word and back[1].lower() in letters))
            ):
                rest = replace(script, body=Name(back[0]))
                scripts = (*node.scripts[:place], rest, *node.scripts[place + 1 :])
                return replace(node, scripts=scripts, time=Time(_letter(back[1]), place=int(back == word)))
        return node

    return [(change(left), change(right), row) for left, right, row in lines]


def _letter(step: str) -> Name:
    """The letter of a step; its capital is the last one, T."""
    return Name(step if step.islower() else "T")


def _stepped_first(sides: Sequence[Formula], units: set[str], letters: frozenset[str]) -> set[str]:
    """The names, without scripts, whose indices are always the step and then a unit: ``z_{nj}``."""
    words: dict[str, set[str]] = {}
    for name in (n for side in sides for n in every_name(side)):
        words.setdefault(stem(name), set()).update(w for s in name.scripts if (w := _pair(s)))
    return {
        base
        for base, found in words.items()
        if found and all(w[0].lower() in letters and w[1] in units for w in found)
    }


def _pair(script: Script) -> str:
    """Two letters that are a script below."""
    below = script.where == "sub" and not script.wrap and isinstance(script.body, Name)
    word = script.body.base if below and isinstance(script.body, Name) and not script.body.scripts else ""
    return word if len(word) == 2 and word.isalpha() else ""


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


def numbered(left: Formula, right: Formula) -> tuple[Formula, Formula]:
    """A line in which the units of the left side are numbered, as the indices of both sides are ordered."""
    order = {label: f"{place}{label}" for place, label in enumerate(unit_labels(left))}
    right = _with_own_rows(left, right)
    return relabelled(left, order), relabelled(right, order)


def _with_own_rows(left: Formula, right: Formula) -> Formula:
    r"""The right side of ``\partial a_j / \partial w_{ji} = x_i``, the same for every j."""
    if not isinstance(left, Derivative) or not isinstance(left.of, Name) or not isinstance(left.by, Name):
        return right
    (own, *more), known = left.of.units or ("", ""), unit_labels(right)
    if more or own not in left.by.units or not known or own in known:
        return right
    one = Raised(left.of, Number("0"), "power")
    return Product(("",), (Brackets("(", ")", (right,)), one))
