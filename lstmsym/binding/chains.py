"""The chain rule over all steps: the sum of dL/dh(t) dh(t)/dw."""

from __future__ import annotations

from lstmsym.binding.ranges import range_of
from lstmsym.binding.table import LOSSES
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
)


def chain_rule(node: Formula) -> tuple[Name, Derivative] | None:
    """L and dh(t)/dw of a sum over all steps, and maybe all units, of dL/dh(t) dh(t)/dw."""
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
        or not whole_range(steps[0])
        or any(_is_odd(big, of) for big in sums if big is not steps[0])
    ):
        return None
    if loss.time is not None and loss.time != of.time:
        return None
    return loss, inner


def _sums(node: Formula) -> tuple[list[Big], Formula]:
    """Sums inside each other, and what is summed."""
    found = []
    while (isinstance(node, Big) and node.operator == "∑") or (
        isinstance(node, Brackets) and len(node.items) == 1
    ):
        if isinstance(node, Big):
            found.append(node)
        node = node.body if isinstance(node, Big) else node.items[0]
    return found, node


def _pair(body: Formula) -> tuple[Derivative, Derivative] | None:
    factors = body.factors if isinstance(body, Product) else ()
    if isinstance(body, Apply) and body.head.base == "prod" and isinstance(body.argument, Brackets):
        factors = body.argument.items  # a product in whatever order the shapes want
    first, second = factors if len(factors) == 2 else (body, body)
    if first is second or not (isinstance(first, Derivative) and isinstance(second, Derivative)):
        return None
    return (second, first) if first.of == second.by else (first, second)


def whole_range(big: Big) -> bool:
    """Whether a sum runs over all steps."""
    low, high = big.low, big.high
    starts = big.low is None or (isinstance(low, Number) and low.text in ("0", "1"))
    return starts and (high is None or (isinstance(high, Name) and high.base in ("T", "τ", "n", "N")))


def _is_odd(big: Big, of: Name) -> bool:
    """Whether a sum is not one over the units of what is derived."""
    over = range_of(big)
    if over is None or over.some or over.others or not isinstance(over.count, (Name, type(None))):
        return True
    return big.variable not in {*of.units, *(s.text for s in of.scripts if s.where == "sub")}
