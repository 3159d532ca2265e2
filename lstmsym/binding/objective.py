r"""A loss by another letter than the usual ones: ``O`` of ``\partial O / \partial w``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.table import LOSSES, Line
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Name,
    children,
    names,
    rebuilt,
    walk,
)

CALLED = ("L", "E", "J", "ℒ")


def by_usual_letters(lines: Sequence[Line]) -> list[Line]:
    """The lines with a usual letter for the one name that they differentiate and that sums up a loss."""
    tops = {d.of for line in lines for side in line[:2] for d in derivatives(side) if isinstance(d.of, Name)}
    if any(top.base in LOSSES for top in tops):
        return list(lines)
    plain = (top for top in tops if top.time is None and not top.scripts)
    found = {top.key for top in plain if _sums_up(top, lines)}
    bases = {n.base for line in lines for side in line[:2] for n in names(side)}
    free = [letter for letter in CALLED if letter not in bases]
    if len(found) != 1 or not free:
        return list(lines)
    (key,) = found

    def change(node: Formula) -> Formula:
        if isinstance(node, Name) and node.key == key:
            return replace(node, base=free[0], marks=())
        return rebuilt(node, change)

    return [(change(left), change(right), row) for left, right, row in lines]


def without_arguments(lines: Sequence[Line]) -> list[Line]:
    r"""The lines with losses by their names alone: E_t of ``E_t(y_t, \hat y_t)``."""
    found = {left.head.key for left, _, _ in lines if isinstance(left, Apply) and _is_of_names(left)}
    if not found:
        return list(lines)

    def change(node: Formula) -> Formula:
        node = rebuilt(node, change)
        named = isinstance(node, Apply) and node.head.key in found and _is_of_names(node)
        return node.head if named else node  # type: ignore[attr-defined]

    return [(change(left), change(right), row) for left, right, row in lines]


def _is_of_names(node: Apply) -> bool:
    """Whether a loss stands before the quantities that it depends on."""
    items = node.argument.items if isinstance(node.argument, Brackets) else ()
    if node.head.base not in LOSSES or node.head.primes or node.power is not None:
        return False
    return all(isinstance(i, Name) for i in items) and (len(items) > 1 or any(i.time for i in items))  # type: ignore[attr-defined]


def derivatives(node: Formula) -> Iterator[Derivative]:
    """The derivatives in a formula."""
    return (part for part in walk(node) if isinstance(part, Derivative))


def _sums_up(top: Name, lines: Sequence[Line]) -> bool:
    """Whether a name without a step is defined as a sum or a norm, and read by nothing."""
    rights = [right for left, right, _ in lines if isinstance(left, Name) and left.key == top.key]
    whole = any(
        isinstance(n, Big) or (isinstance(n, Brackets) and n.left == "‖") for r in rights for n in walk(r)
    )
    read = (n for left, right, _ in lines for n in underived(right))
    return whole and all(n.key != top.key for n in read)


def underived(node: Formula) -> Iterator[Name]:
    """The names of a formula that are not in a derivative of them."""
    if isinstance(node, Name):
        yield node
    elif isinstance(node, (Delta, Derivative)):
        return
    else:
        for part in children(node):
            yield from underived(part)
