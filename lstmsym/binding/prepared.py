"""The equations of a document as both sides of each: indices written out, its own functions too."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.binding.defined import called, functions_of, sigmoids
from lstmsym.binding.direct import direct
from lstmsym.binding.dotted import undotted
from lstmsym.binding.express import is_transposition
from lstmsym.binding.numbered import numbered
from lstmsym.binding.pointfree import with_arguments
from lstmsym.binding.primed import primed
from lstmsym.binding.secants import secants
from lstmsym.binding.squares import with_roots
from lstmsym.binding.stacks import chained, sliced, taken_apart, turned
from lstmsym.binding.table import FUNCTIONS, Line
from lstmsym.binding.templates import expanded, index_sets
from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Delta,
    Derivative,
    Formula,
    Name,
    Number,
    Product,
    Raised,
    Time,
    rebuilt,
)
from lstmsym.documents.read import Document
from lstmsym.documents.times import is_step


def lines_of(document: Document) -> list[Line]:
    """Every equation of a document, one for each value of a free index."""
    sets = index_sets(document.rows)
    sides = [
        (row, tuple(sliced(undotted(attached(primed(direct(side))))) for side in pair))
        for row in document.equations
        for pair in [*chained(row.before, row.right), *expanded(row, sets)]
    ]
    both = zip(sides, turned([pair for _, pair in sides]), strict=True)  # type: ignore[misc]
    lines = [(*apart, row) for (row, _), pair in both for apart in taken_apart(*pair)]
    lines = [(secants(sigmoids(left)), secants(sigmoids(right)), row) for left, right, row in lines]
    lines = numbered(lines)
    functions = functions_of(lines)
    lines = with_roots(with_arguments(lines))
    return [(*called(left, right, functions), row) for left, right, row in lines]


def attached(node: Formula) -> Formula:
    """A formula in which a step in brackets behind a gradient's name, ``top_diff_h(t)``, belongs to it."""
    node = rebuilt(node, attached)
    if isinstance(node, Raised) and isinstance(node.body, Product) and is_transposition(node):
        *first, final = node.body.factors  # A b' is A times b', as A b is in brackets otherwise
        return replace(node.body, factors=(*first, replace(node, body=final)))
    if isinstance(node, Product) and not any(node.operators):
        factors: list[Formula] = []
        for factor in node.factors:
            last = factors[-1] if factors else None
            index = _step(factor)
            with_step = None if index is None or last is None else _at(last, Time(index, "call"))
            if with_step is not None:
                factors[-1] = with_step
            elif (call := _call(last, factor)) is not None:
                factors[-1] = call
            else:
                factors.append(factor)
        if len(factors) == 1:
            return factors[0]
        if len(factors) < len(node.factors):
            return Product(("",) * (len(factors) - 1), tuple(factors), span=node.span)
    if isinstance(node, Product) and node.operators == ("/",):
        above, below = (_row(f) for f in node.factors)
        top, bottom = above[-1], below[0]
        if isinstance(top, Delta) and isinstance(bottom, Delta) and top.prefix.rstrip("+") == bottom.prefix:
            one = Derivative(top.of, bottom.of, top.prefix, form="slash", span=node.span)
            whole = (*above[:-1], one, *below[1:])
            return one if len(whole) == 1 else Product(("",) * (len(whole) - 1), whole, span=node.span)
    return node


def _call(power: Formula | None, factor: Formula) -> Formula | None:
    r"""The power of a function before its argument, ``\sigma^2(z)``, as it is of ``\tanh^2(z)``."""
    if not isinstance(power, Raised) or not isinstance(power.exponent, Number) or power.kind == "transpose":
        return None
    head = power.body
    known = isinstance(head, Name) and head.base in FUNCTIONS and head.time is None and not head.scripts
    called = isinstance(factor, Brackets) and factor.left == "(" and len(factor.items) == 1
    return Apply(head, factor, power.exponent, certain=True, span=power.span) if known and called else None  # type: ignore[arg-type]


def _at(node: Formula, time: Time) -> Formula | None:
    """A gradient, or a power, of a name without a step, at a step; None for what cannot have one."""
    if isinstance(node, Delta) and isinstance(node.of, Name) and node.of.time is None:
        return replace(node, of=replace(node.of, time=time), whole="")
    if isinstance(node, Derivative) and isinstance(node.by, Name) and node.by.time is None:
        return replace(node, by=replace(node.by, time=time))
    power = node if isinstance(node, Raised) and isinstance(node.exponent, Number) else None
    if power is not None and isinstance(power.body, Name) and power.body.time is None:
        return replace(power, body=replace(power.body, time=time))
    return None


def _row(node: Formula) -> tuple[Formula, ...]:
    """The factors side by side."""
    return node.factors if isinstance(node, Product) and not any(node.operators) else (node,)


def _step(node: Formula) -> Formula | None:
    if (
        isinstance(node, Brackets)
        and node.left == "("
        and len(node.items) == 1
        and is_step(node.items[0], "t")
    ):
        return node.items[0]
    return None
