"""The loss that is still to come, L(t) = l(t) + L(t+1), the sum of l(s) from t on: said twice, a claim."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import LOSSES, Bound, Line
from lstmsym.documents.formula import Big, Brackets, Formula, Name, Sum, Time, names
from lstmsym.verify.words import LossFrom


def remaining(lines: Sequence[Line], bound: Bound) -> dict[int, bool]:
    """Lines that say again what the loss from a step on is, and whether that is so."""
    found: dict[int, bool] = {}
    seen: set[str] = set()
    for place, (left, right, _) in enumerate(lines):
        if not isinstance(left, Name) or left.time is None or untimed(left)[0].key not in bound.to_go:
            continue
        key = untimed(left)[0].key
        step = _loss_of_step(key, lines)
        value = _value(right, left.time.letter, key, step)
        wanted = _value(left, left.time.letter, key, step)
        if key in seen and value is not None and wanted is not None:
            found[place] = sp.expand(value - wanted) == 0
        seen.add(key)
    return found


def _loss_of_step(key: str, lines: Sequence[Line]) -> str:
    """The name of one step's loss: what is summed up, or added to the loss from the next step on."""
    for left, right, _ in lines:
        if isinstance(left, Name) and left.time is not None and untimed(left)[0].key == key:
            for name in names(right):
                if name.base in LOSSES and name.time is not None and untimed(name)[0].key != key:
                    return untimed(name)[0].key
    return ""


def _value(node: Formula, letter: str, key: str, step: str) -> sp.Expr | None:
    """A sum of losses by what is left from each step on."""
    if isinstance(node, Brackets) and len(node.items) == 1:
        return _value(node.items[0], letter, key, step)
    if isinstance(node, Sum):
        terms = [_value(term, letter, key, step) for term in node.terms]
        if any(term is None for term in terms) or not set(node.signs) <= {"+", "-"}:
            return None
        return sp.Add(*(t if s == "+" else -t for s, t in zip(node.signs, terms, strict=True)))  # type: ignore[operator]
    if isinstance(node, Big):
        return _from(node, letter, step)
    if not isinstance(node, Name) or node.time is None or node.time.letter != letter:
        return None
    at, offset = untimed(node)[0].key, node.time.offset
    if offset is None or at not in (key, step):
        return None
    return LossFrom(offset) if at == key else LossFrom(offset) - LossFrom(offset + 1)


def _from(node: Big, letter: str, step: str) -> sp.Expr | None:
    """The sum of one step's loss from a step on, to the last."""
    body, start = node.body, first_step(node, letter)
    summed = isinstance(body, Name) and body.time is not None and body.time.letter == node.variable
    if start is None or not summed or not isinstance(body, Name) or untimed(body)[0].key != step:
        return None
    assert body.time is not None
    return LossFrom(start + body.time.offset) if body.time.offset is not None else None


def first_step(node: Big, letter: str) -> int | None:
    """0 of a sum from t to the last step, 1 of one from t+1; None for another."""
    high = node.high
    if node.operator != "∑" or not (high is None or (isinstance(high, Name) and high.base in ("T", "τ"))):
        return None
    time = Time(node.low) if node.low is not None else None
    return time.offset if time is not None and time.letter == letter else None
