"""Functions of one argument that documents name, and what a prime makes of them."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.values import Unreadable

SLOPE = sp.Rational(1, 100)
"""Of the leaky relu, where a document does not say."""
POINTWISE_FUNCTIONS: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "identity": lambda z: z,
    "leaky_relu": lambda z: N.leaky_relu(z, SLOPE),
    "elu": lambda z: N.elu(z, sp.Integer(1)),
    "softsign": lambda z: z / (1 + N.absolute(z)),
    "swish": lambda z: z * N.sigma(z),
    **{
        f: getattr(N, f)
        for f in "sigma hard_sigmoid tanh relu exp log sqrt softplus softmax log_softmax".split()
    },
}


def _generic(width: int) -> Callable[[sp.Expr], sp.Expr]:
    return lambda z: (N.softplus(z) - N.softplus(z - width)) / width


def _generic_slope(width: int) -> Callable[[sp.Expr], sp.Expr]:
    return lambda z: (N.sigma(z) - N.sigma(z - width)) / width


GENERIC = tuple(f"any{width}" for width in range(1, 7))
"""Functions about which nothing is known: bounded, and f, f' and z are algebraically independent, so that
what holds of them without f'' holds of every f."""
POINTWISE_FUNCTIONS.update({name: _generic(width) for width, name in enumerate(GENERIC, start=1)})


_FIRST: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sigma": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y**2,
}
_SECOND: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sigma": lambda y: y * (1 - y) * (1 - 2 * y),
    "tanh": lambda y: -2 * y * (1 - y**2),
}
_SIMPLE: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "relu": lambda z: N.step(z),
    "softplus": lambda z: N.sigma(z),
    "exp": lambda z: N.exp(z),
    "identity": lambda z: sp.Integer(1),
    "leaky_relu": lambda z: SLOPE + (1 - SLOPE) * N.step(z),
    "elu": lambda z: N.step(z) + (1 - N.step(z)) * (N.elu(z, sp.Integer(1)) + 1),
    "hard_sigmoid": lambda z: N.step(z + 3) * N.step(3 - z) / 6,
    "softsign": lambda z: 1 / (1 + N.absolute(z)) ** 2,
    "swish": lambda z: N.sigma(z) * (1 + z * (1 - N.sigma(z))),
    "log": lambda z: 1 / z,
    "sqrt": lambda z: 1 / (2 * N.sqrt(z)),
    **{name: _generic_slope(width) for width, name in enumerate(GENERIC, start=1)},
}


def derivative_of(function: str, z: sp.Expr, order: int, of_output: bool) -> sp.Expr:
    """f′(z) or f″(z); ``of_output``: z is already the output of f.

    Raises:
        Unreadable: the derivative of this function has no notation here.
    """
    table = {1: _FIRST, 2: _SECOND}.get(order, {})
    if function in table:
        op = {"sigma": N.sigma, "tanh": N.tanh}[function]
        return table[function](z if of_output else op(z))
    if order == 1 and function in _SIMPLE:
        return _SIMPLE[function](z)
    raise Unreadable(f"the derivative of {function} is not understood")
