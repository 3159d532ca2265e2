"""Lines in index notation with the indices apart from the names: ``h_k(t)`` is h with the unit k."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lstmsym.binding.lettered import Lettered, relabelled
from lstmsym.binding.table import Line
from lstmsym.binding.units import Units, unit_labels
from lstmsym.documents.formula import Formula, Name, Product, Raised, Script, rebuilt, walk


def marked(lines: Sequence[Line], letters: Iterable[str]) -> list[Line]:
    """The lines, the names in those with indices having their units apart."""
    lines = [(raised(left), raised(right), row) for left, right, row in lines]
    units = Units(lines, letters)
    if not any(units.letters):
        return list(lines)
    apart = Lettered(lines, units)
    found: list[Line] = []
    for (left, right, row), own in zip(lines, units.letters, strict=True):
        if own:
            found += ((*numbered(a, b), row) for a, b in apart(left, right, own))
        else:
            found.append((left, right, row))
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


def numbered(left: Formula, right: Formula) -> tuple[Formula, Formula]:
    """A line in which the units of the left side are numbered, as the indices of both sides are ordered."""
    order = {label: f"{place}{label}" for place, label in enumerate(unit_labels(left))}
    return relabelled(left, order), relabelled(right, order)
