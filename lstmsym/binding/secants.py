r"""The slope of tanh by its other names: ``\operatorname{sech}^2(z)`` and ``1 / \cosh^2(z)``."""

from __future__ import annotations

from dataclasses import replace

from lstmsym.documents.formula import (
    Apply,
    Brackets,
    Formula,
    Fraction,
    Name,
    Number,
    Product,
    Raised,
    Sum,
    rebuilt,
)

ONE, TWO = Number("1"), Number("2")


def secants(node: Formula) -> Formula:
    """A formula in which squares of the hyperbolic secant are written with tanh."""
    node = rebuilt(node, secants)
    argument = _squared(node, "sech")
    if argument is None and isinstance(node, Fraction) and node.above == ONE:
        argument = _squared(node.below, "cosh")
    if (
        argument is None
        and isinstance(node, Product)
        and node.operators[:1] == ("/",)
        and node.factors[0] == ONE
    ):
        argument = _squared(node.factors[1], "cosh")
        if argument is not None and node.factors[2:]:
            return replace(node, operators=node.operators[1:], factors=(_slope(argument), *node.factors[2:]))
    return node if argument is None else _slope(argument)


def _slope(argument: Formula) -> Formula:
    tanh = Apply(Name("tanh"), argument, power=TWO, certain=True)
    return Brackets("(", ")", (Sum(("+", "-"), (ONE, tanh)),))


def _squared(node: Formula, function: str) -> Formula | None:
    """The argument of the square of a function, wherever the 2 stands."""
    if isinstance(node, Raised) and node.exponent == TWO:
        body = (
            node.body.items[0] if isinstance(node.body, Brackets) and len(node.body.items) == 1 else node.body
        )
        return body.argument if _is(body, function, None) else None  # type: ignore[attr-defined]
    return node.argument if _is(node, function, TWO) else None  # type: ignore[attr-defined]


def _is(node: Formula, function: str, power: Formula | None) -> bool:
    return isinstance(node, Apply) and node.head.base == function and node.power == power
