"""The slope of an activation as a factor: σ'(q), or q(1 − q) and 1 − q² by its output."""

from __future__ import annotations

from lstmsym.binding.table import Table, function_of
from lstmsym.documents.formula import Apply, Brackets, Formula, Name, Number, Product, Raised, Sum

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
