r"""The derivative of a function by its bare argument: ``\frac{d}{du} \tanh(u)`` is ``\tanh'(u)``."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.documents.formula import Apply, Brackets, Derivative, Formula, Name, rebuilt


def primed(node: Formula) -> Formula:
    """A formula with primes for such derivatives by a letter that has no step."""
    node = rebuilt(node, primed)
    if not isinstance(node, Derivative) or not isinstance(node.of, Apply) or node.order != 1:
        return node
    inner, by = node.of.argument, node.by
    if isinstance(inner, Brackets) and len(inner.items) == 1:
        inner = inner.items[0]
    if not isinstance(inner, Name) or not isinstance(by, Name) or inner.time or by.time:
        return node
    if inner.key != by.key or node.of.power is not None or node.of.head.primes:
        return node
    return replace(node.of, head=replace(node.of.head, primes=1))
