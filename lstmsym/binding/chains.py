"""The chain rule over all steps, the sum of dL/dh(t) dh(t)/dw; and a w that stands for any parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import LOSSES, Bound, Line
from lstmsym.documents.formula import (
    Big,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    rebuilt,
    walk,
)
from lstmsym.documents.times import is_step


def chain_rule(node: Big, to_go: frozenset[str]) -> Derivative | None:
    """dh(t)/dw of a sum over all steps, and maybe all units, of dL/dh(t) dh(t)/dw."""
    sums, body = _sums(node)
    pair = _pair(body)
    if pair is None:
        return None
    outer, inner = pair
    loss, by, of = outer.of, outer.by, inner.of
    if not (isinstance(loss, Name) and isinstance(by, Name) and isinstance(of, Name) and by == of):
        return None
    if loss.base not in LOSSES or of.time is None or of.time.offset != 0:
        return None
    steps = [big for big in sums if big.variable == of.time.letter]
    if (
        len(steps) != 1
        or not _whole(steps[0])
        or any(_is_odd(big, of) for big in sums if big is not steps[0])
    ):
        return None
    if loss.time is not None and (loss.time != of.time or untimed(loss)[0].key not in to_go):
        return None
    return inner


def _sums(node: Formula) -> tuple[list[Big], Formula]:
    """Sums inside each other, and what is summed."""
    found = []
    while (
        isinstance(node, Big)
        and node.operator == "∑"
        or (isinstance(node, Brackets) and len(node.items) == 1)
    ):
        if isinstance(node, Big):
            found.append(node)
        node = node.body if isinstance(node, Big) else node.items[0]
    return found, node


def _pair(body: Formula) -> tuple[Derivative, Derivative] | None:
    factors = body.factors if isinstance(body, Product) else ()
    first, second = factors if len(factors) == 2 else (body, body)
    if first is second or not (isinstance(first, Derivative) and isinstance(second, Derivative)):
        return None
    return (second, first) if first.of == second.by else (first, second)


def _whole(big: Big) -> bool:
    """Whether a sum runs over all steps."""
    low, high = big.low, big.high
    starts = big.low is None or (isinstance(low, Number) and low.text in ("0", "1"))
    return starts and (high is None or (isinstance(high, Name) and high.base in ("T", "τ", "n", "N")))


def _is_odd(big: Big, of: Name) -> bool:
    """Whether a sum is not one over the units of what is derived."""
    low = big.low
    starts = low is None or (isinstance(low, Number) and low.text in ("0", "1"))
    return not starts or big.variable not in {s.text for s in of.scripts if s.where == "sub"}


def for_all_parameters(lines: Sequence[Line], bound: Bound) -> list[Line]:
    """The lines, those about a w that nothing defines once for each parameter of the cell.

    The first stands where the line stood, the others behind all lines.
    """
    if bound.cell is None:
        return list(lines)
    parameters = [bound.table.samples.get(q.name) for q in bound.cell.quantities if q.role == "parameter"]
    found, more = list(lines), list[Line]()
    for place, line in enumerate(lines):
        generic = None if place in bound.kinds else next(_generic(line, bound), None)
        if generic is None:
            continue
        each = [_put(line, generic, name) for name in parameters if name is not None]
        if each:
            found[place], more = each[0], [*more, *each[1:]]
    return found + more


def _generic(line: Line, bound: Bound) -> Iterator[Name]:
    """A name without a step that nothing defines, and by which a loss is derived on the left side."""
    left = line[0]
    for node in walk(left):
        by = node.by if isinstance(node, Derivative) else None
        if not isinstance(by, Name) or by.time is not None or by.scripts or by.marks:
            continue
        known = bound.table.idents.keys() | bound.table.macros.keys()
        if by.key not in known and by.base in "wWθΘϑ" and not is_step(by, bound.table.letters):
            yield by


def _put(line: Line, old: Name, new: Name) -> Line:
    def change(node: Formula) -> Formula:
        if isinstance(node, Name) and node.key == old.key and node.time is None:
            return replace(new, span=node.span)
        return rebuilt(node, change)

    return change(line[0]), change(line[1]), line[2]
