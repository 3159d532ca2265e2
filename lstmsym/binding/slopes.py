"""The slope of an activation as a factor: σ'(q), or q(1 − q) and 1 − q² by its output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lstmsym.binding.table import Bound, Line, Table, function_of
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    names,
    walk,
)

POINTWISE = frozenset(("⊙", "∘", "*", "·", ".*", ""))


def slope_of(formula: Formula, table: Table) -> str:
    """What goes into the one activation of which a product of vectors has the slope; nothing for others."""
    factors = list(_factors(formula))
    if not factors or any(_is_matrix(f, table) for f in factors):
        return ""
    found = {pre for f in factors if (pre := _primed(f, table) or _by_output(f, factors, table))}
    return found.pop() if len(found) == 1 else ""


def _factors(formula: Formula) -> list[Formula]:
    if isinstance(formula, Product) and set(formula.operators) <= POINTWISE:
        return [inner for factor in formula.factors for inner in _factors(factor)]
    if isinstance(formula, Brackets) and len(formula.items) == 1 and isinstance(formula.items[0], Product):
        return _factors(formula.items[0])
    return [formula]


def _is_matrix(factor: Formula, table: Table) -> bool:
    bare = factor.body if isinstance(factor, Raised) else factor
    return (
        isinstance(bare, Name) and table.roles.get(table.idents.get(table.key(bare).key, "")) == "parameter"
    )


def _primed(factor: Formula, table: Table) -> str:
    """What goes into f, of a factor f'(q)."""
    if not isinstance(factor, Apply) or factor.head.primes != 1:
        return ""
    head = factor.head
    inner = factor.argument
    inner = inner.items[0] if isinstance(inner, Brackets) and len(inner.items) == 1 else inner
    if not isinstance(inner, Name) or not function_of(head, table):
        return ""
    ident = table.idents.get(table.key(inner).key, "")
    return table.before.get(ident) or (ident if ident in table.before.values() else "")


def _by_output(factor: Formula, factors: list[Formula], table: Table) -> str:
    """What goes into f, of a factor 1 - q² beside which no q stands, or 1 - q beside a q."""
    if not isinstance(factor, Brackets) or len(factor.items) != 1 or not isinstance(factor.items[0], Sum):
        return ""
    inner = factor.items[0]
    if inner.signs != ("+", "-") or inner.terms[0] != Number("1"):
        return ""
    term = inner.terms[1]
    squared = isinstance(term, Raised) and term.exponent == Number("2")
    name = term.body if squared and isinstance(term, Raised) else term
    if not isinstance(name, Name) or (not squared and name not in factors):
        return ""
    return table.before.get(table.idents.get(table.key(name).key, ""), "")


def by_slopes(lines: Sequence[Line], bound: Bound, unknown: Sequence[Name]) -> Iterator[tuple[Name, str]]:
    """Names that nothing defines whose gradient is that of an activation times a factor of it alone.

    ``dL/da = dL/df * f * (1 - f)``: a is what goes into f, whether or not the slope is right.  Other lines
    have to use it: a line by itself is not proved by what it alone shows.
    """
    table = bound.table
    keys = {table.key(name).key for name in unknown}
    named = set(table.idents.values())
    found: dict[str, tuple[Name, str]] = {}
    read = {key for _, right, _ in lines for key in _derived(right, table)}
    for left, right, _ in lines:
        by = left.by if isinstance(left, Derivative) else None
        if isinstance(by, Name) and table.key(by).key in keys & read:
            net = _of_one(right, table, table.key(by).lag)
            if net and net not in named:
                found.setdefault(table.key(by).key, (by, net))
    count = Counter(net for _, net in found.values())
    yield from (item for item in found.values() if count[item[1]] == 1)


def _derived(node: Formula, table: Table) -> Iterator[str]:
    """The keys of the names by which something is derived in a formula."""
    for part in walk(node):
        if isinstance(part, Derivative) and isinstance(part.by, Name):
            yield table.key(part.by).key


def _of_one(right: Formula, table: Table, lag: int | str | None) -> str:
    """What goes into the one activation that a product has the gradient of, and else nothing but it."""
    factors = list(_factors(right))
    gradients = [f for f in factors if isinstance(f, Derivative)]
    others = [f for f in factors if f not in gradients]
    gate = gradients[0].by if len(gradients) == 1 else None
    if not isinstance(gate, Name) or not others or table.key(gate).lag != lag:
        return ""
    same = all(table.key(n) == table.key(gate) for other in others for n in names(other))
    return table.before.get(table.idents.get(table.key(gate).key, ""), "") if same else ""
