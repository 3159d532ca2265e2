"""What a sum over steps runs over: from which step, to how many before the last."""

from __future__ import annotations

from dataclasses import dataclass

from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import Big, Formula, Name, Number, Relation, Sum, plain


@dataclass(frozen=True)
class Limits:
    """``low`` is the number of the first step, None for the very first; ``high`` is relative to the last.

    ``steps`` is the number of the last step where that is a number.
    """

    low: int | None = None
    high: int | None = None
    steps: int | None = None


def limits(node: Big) -> Limits:
    """What a sum runs over.

    Raises:
        Unreadable: neither all steps nor those from or to a certain one.
    """
    lower, upper = node.lower, node.high
    if isinstance(lower, Relation) and lower.signs != ("=",):
        if upper is not None or len(lower.terms) != 2:
            raise _unread(lower)
        return _inequality(lower.signs[0], lower.terms[1])
    if isinstance(upper, Name) and upper.key == node.variable:
        raise _unread(upper)
    low = _whole(lower.terms[1]) if isinstance(lower, Relation) else None
    if upper is None or isinstance(upper, Number):
        return Limits(low, steps=None if upper is None else _whole(upper))
    return Limits(low, _offset(upper))


def of_all(node: Big) -> None:
    """Refuse a sum over some of the steps, or of the samples, only.

    Raises:
        Unreadable: it is one.
    """
    over = limits(node)
    if over.low not in (None, 0, 1) or over.high not in (None, 0):
        raise Unreadable("a sum over some of them only is not read")


def _inequality(sign: str, bound: Formula) -> Limits:
    """The limits of ``t ≤ T``, ``t < T``, ``t ≥ 1``, ``t > 0``."""
    if sign in "≤<":
        return Limits(high=_offset(bound) - (sign == "<"))
    if sign in "≥>":
        return Limits(low=_whole(bound) + (sign == ">"))
    raise _unread(bound)


def _whole(node: Formula) -> int:
    if isinstance(node, Number) and node.text.isdigit():
        return int(node.text)
    raise _unread(node)


def _offset(high: Formula) -> int:
    """0 of T, -1 of T - 1."""
    if isinstance(high, Name):
        return 0
    if isinstance(high, Sum) and len(high.terms) == 2 and high.signs[0] == "+":
        first, by = high.terms
        if isinstance(first, Name) and isinstance(by, Number):
            return int(f"{high.signs[1]}{_whole(by)}")
    raise _unread(high)


def _unread(node: Formula) -> Unreadable:
    return Unreadable(f"what a sum with the limit {plain(node)} runs over is not read")
