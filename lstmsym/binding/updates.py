"""Lines of gradient descent: an update claims nothing, a change written out claims the gradient."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.binding.quantity import untimed
from lstmsym.binding.table import Table
from lstmsym.documents.formula import Brackets, Delta, Derivative, Formula, Name, Product, Sum

RATES = frozenset("η α λ ε ϵ μ γ lr".split())
"""What learning rates are called."""


def is_update(left: Formula, right: Formula, table: Table) -> bool:
    """``W = W - eta dW``, and ``Delta W = -eta dL/dW``: what is done with a gradient, not what it is."""
    if isinstance(left, Delta) and left.prefix == "Δ":
        rest = without_rate(right, table)
        while isinstance(rest, (Sum, Brackets)) and len(_inside(rest)) == 1:
            rest = _inside(rest)[0]
        return rest is not None and isinstance(rest, (Derivative, Delta))
    if not isinstance(left, Name) or not isinstance(right, Sum) or len(right.terms) != 2:
        return False
    first, change = right.terms
    same = isinstance(first, Name) and untimed(first)[0].key == untimed(left)[0].key
    return same and without_rate(change, table) is not None


def _inside(node: Sum | Brackets) -> tuple[Formula, ...]:
    return node.terms if isinstance(node, Sum) else node.items


def as_gradient(left: Formula, right: Formula, table: Table) -> tuple[Formula, Formula]:
    """``Delta W = alpha S`` as what it says of the gradient, which is -S."""
    if isinstance(left, Delta) and left.prefix == "Δ" and not is_update(left, right, table):
        rest = without_rate(right, table)
        if rest is not None:
            return left, Sum(("-",), (Brackets("(", ")", (rest,)),))
    return left, right


def without_rate(node: Formula, table: Table) -> Formula | None:
    """A formula without the learning rate before it; None where there is none."""
    if isinstance(node, Sum) and len(node.terms) == 1:
        rest = without_rate(node.terms[0], table)
        return None if rest is None else replace(node, terms=(rest,))
    if isinstance(node, Product):
        for place, factor in enumerate(node.factors):
            if _is_rate(factor, table):
                return _dropped(node, place)
            rest = without_rate(factor, table) if isinstance(factor, Product) else None
            if rest is not None:
                return replace(node, factors=(*node.factors[:place], rest, *node.factors[place + 1 :]))
    return None


def _dropped(node: Product, place: int) -> Formula:
    factors = node.factors[:place] + node.factors[place + 1 :]
    operators = node.operators[: max(place - 1, 0)] + node.operators[max(place, 1) :]
    return factors[0] if len(factors) == 1 else replace(node, factors=factors, operators=operators)


def _is_rate(node: Formula, table: Table) -> bool:
    known = isinstance(node, Name) and table.key(node).key in table.idents
    return isinstance(node, Name) and node.base in RATES and node.time is None and not known
