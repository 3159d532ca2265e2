r"""What a claim across several steps is written with: quantities at steps that are letters of their own.

A step is a sum of letters and whole numbers (SymPy symbols): ``At(h[t], k + 1)`` is h one step after k.
:mod:`lstmsym.verify.instances` puts numbers for the letters, :mod:`lstmsym.verify.induction` proves for all.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref

TOTAL, IMMEDIATE, HELD = sp.Integer(0), sp.Integer(1), sp.Integer(2)
"""What a derivative follows: all paths, those within the step of the quantity, those of one state alone."""

NEWEST, OLDEST = sp.Integer(1), sp.Integer(-1)
"""Which factor of a product over steps stands first."""

END = sp.Symbol("T")
"""The last step."""


class At(Op, takes="x step"):
    """A quantity, or a gradient, at a step."""


class LossOf(Op, takes="*step"):
    """The loss of one step; without a step that of the whole sequence."""


class Slope(Op, takes="what by follows"):
    """The derivative of a quantity or a loss by a quantity at a step or by a parameter."""


class Pulled(Op, takes="v what by follows"):
    """A gradient of ``what`` taken back to a parameter: v times the derivative."""


class Over(Op, takes="body letter low high"):
    """A sum over steps."""


class Run(Op, takes="body letter low high first entrywise"):
    """A product over steps, of matrices or entry by entry; ``first`` says which end stands first."""


class Power(Op, takes="A count"):
    """A matrix multiplied by itself."""


WORDS = (At, LossOf, Slope, Pulled, Over, Run, Power)


def lifted(expr: sp.Expr, step: sp.Expr) -> sp.Expr:
    """An expression at t as one at a step."""
    return expr.xreplace({r: At(Ref(r.base, 0), step + r.lag) for r in expr.atoms(Ref) if r.lag is not None})


def is_tensor(expr: sp.Expr) -> bool:
    """Whether an expression is the derivative of a quantity by a parameter, with more than two indices."""
    return any(isinstance(node.args[0], At) and isinstance(node.args[1], Ref) for node in expr.atoms(Slope))


def pulled(v: sp.Expr, tensor: sp.Expr) -> sp.Expr:
    """A vector from the left times the derivative of a quantity by a parameter.

    Raises:
        N.NotationError: it stands where it cannot be multiplied.
    """
    if isinstance(tensor, Slope):
        return Pulled(v, *tensor.args)
    if isinstance(tensor, sp.Add):
        return sp.Add(*(pulled(v, term) for term in tensor.args))
    if isinstance(tensor, sp.Mul):
        numbers = sp.Mul(*(f for f in tensor.args if not is_tensor(f)))
        (inner,) = (f for f in tensor.args if is_tensor(f))
        return numbers * pulled(v, inner)
    if isinstance(tensor, N.Dot):
        return pulled(N.Dot(N.transposed(tensor.args[0]), v), tensor.args[1])
    if isinstance(tensor, Over):
        return Over(pulled(v, tensor.args[0]), *tensor.args[1:])
    raise N.NotationError(f"{tensor} is not read as a derivative by a parameter")


def put(expr: sp.Expr, steps: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """An expression with other steps for its letters."""
    return expr.xreplace(dict(steps))
