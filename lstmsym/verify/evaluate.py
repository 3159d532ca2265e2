"""The value of an expression at a step of a sequence whose quantities are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref, Size
from lstmsym.verify.arithmetic import DIGITS, Arithmetic, Array

OUT_OF_REACH = (KeyError, IndexError, ValueError, TypeError, ArithmeticError)
"""Raised where an expression has no value: beyond the sequence, a division by zero, a complex step."""

BEYOND = object()
"""What lies outside the sequence, in a sum over its steps: such a term is left out."""


@dataclass(frozen=True)
class Numbers:
    """Values of every reference: name -> step -> array; what has no time under None."""

    values: Mapping[str, Mapping[int | None, Array]]
    sizes: Mapping[str, int]
    steps: int = 1
    arithmetic: Arithmetic = DIGITS
    memo: dict[Any, Array] = field(default_factory=dict, compare=False, repr=False)

    def at(self, ref: Ref, step: int) -> Array:
        """The value of a reference seen from a step.

        Raises:
            KeyError: the sequence does not reach that far.
        """
        return self.values[ref.base][None if ref.lag is None else step + ref.lag]

    def size(self, expr: sp.Expr) -> int:
        """The number that a size stands for."""
        expr = sp.sympify(expr)
        return int(expr.xreplace({s: sp.Integer(self.sizes[s.name]) for s in expr.atoms(Size)}))


def evaluate(expr: sp.Expr, numbers: Numbers, step: int) -> Array:
    """The value of an expression at a step.

    Raises:
        KeyError: it reaches outside the sequence.
    """
    with np.errstate(all="ignore"):
        return _Evaluation(numbers, step, False)(expr)


def evaluate_edited(expr: sp.Expr, path: tuple[int, ...], new: sp.Expr, numbers: Numbers, step: int) -> Array:
    """The value of an expression with ``new`` at a path into it: only what is above the path is done again.

    Raises:
        KeyError: it reaches outside the sequence.
    """
    with np.errstate(all="ignore"):
        return _Evaluation(numbers, step, False).edited(expr, path, new)


class _Evaluation:
    """Values at one step, each sub-expression once; ``inside`` a sum over t, what is beyond is left out."""

    def __init__(self, numbers: Numbers, step: int, inside: bool) -> None:
        self.numbers, self.step, self.inside = numbers, step, inside
        self.arithmetic = numbers.arithmetic
        self.memo: dict[sp.Expr, Array] = numbers.memo.setdefault((step, inside), {})

    def __call__(self, expr: sp.Expr) -> Array:
        found = self.memo.get(expr)
        if found is None:
            found = self.memo[expr] = self.value(expr)
        return found

    def value(self, expr: sp.Expr) -> Array:
        if isinstance(expr, Ref):
            return self.ref(expr)
        if isinstance(expr, Size):
            return self.arithmetic.constant(sp.Integer(self.numbers.sizes[expr.name]))
        if not expr.args:
            return self.arithmetic.constant(expr)
        if isinstance(expr, N.Total):
            return self.total(expr, lambda at: at(expr.args[0]))
        operands = expr.args[:1] if isinstance(expr, (N.Part, N.Pad, N.Spread)) else expr.args
        return self.combined(expr, [self(a) for a in operands])

    def edited(self, expr: sp.Expr, path: tuple[int, ...], new: sp.Expr) -> Array:
        """The value of an expression with another sub-expression at a path."""
        if not path:
            return self(new)
        place, *rest = path
        if isinstance(expr, N.Total):
            return self.total(expr, lambda at: at.edited(expr.args[0], tuple(rest), new))
        operands = expr.args[:1] if isinstance(expr, (N.Part, N.Pad, N.Spread)) else expr.args
        args = [self.edited(a, tuple(rest), new) if i == place else self(a) for i, a in enumerate(operands)]
        return self.combined(expr, args)

    def combined(self, expr: sp.Expr, args: list[Array]) -> Array:
        """The operation of a node on the values of its operands."""
        if isinstance(expr, sp.Add):
            return self.added([a for a in args if a is not BEYOND])
        if isinstance(expr, N.Concat):
            args = [self.nothing(part) if a is BEYOND else a for part, a in zip(expr.args, args, strict=True)]
        if any(a is BEYOND for a in args):
            return BEYOND
        if isinstance(expr, sp.Mul):
            return _product(args)
        if isinstance(expr, (N.Part, N.Pad, N.Spread)):
            return self.placed(expr, args[0])
        if isinstance(expr, Op):
            name = type(expr).__name__
            return (self.arithmetic.pointwise.get(name) or self.arithmetic.mixing[name])(*args)
        base, exponent = args
        functions = self.arithmetic.pointwise
        if isinstance(expr.exp, sp.Integer):
            return 1 / base ** -int(expr.exp) if expr.exp < 0 else base ** int(expr.exp)
        return functions["exp"](exponent * functions["log"](base))

    def ref(self, ref: Ref) -> Array:
        try:
            return self.numbers.at(ref, self.step)
        except KeyError:
            if self.inside and ref.lag:
                return BEYOND
            raise

    def nothing(self, part: sp.Expr) -> Array:
        """Zeros in the place of a part of a stack that is beyond the sequence."""
        if not isinstance(part, Ref):
            raise KeyError(str(part))
        here = _Evaluation(self.numbers, self.step, False)(Ref(part.base, 0))
        return here * self.arithmetic.constant(sp.Integer(0))

    def added(self, terms: list[Array]) -> Array:
        return sum(terms[1:], terms[0]) if terms else BEYOND

    def total(self, expr: sp.Expr, term: Callable[[_Evaluation], Array]) -> Array:
        """The sum over all steps; a term that reaches outside the sequence is left out."""
        found = [term(_Evaluation(self.numbers, t, True)) for t in range(self.numbers.steps)]
        total = self.added([v for v in found if v is not BEYOND])
        if total is BEYOND:
            raise KeyError(str(expr))
        return total

    def placed(self, expr: sp.Expr, inner: Array) -> Array:
        bounds = expr.args[1:]
        sizes = [len(inner) if b == N.End else self.numbers.size(b) for b in bounds]
        if isinstance(expr, N.Part):
            return inner[sizes[0] : sizes[1]]
        if isinstance(expr, N.Pad):
            zero = self.arithmetic.constant(sp.Integer(0))
            before, after = (self.arithmetic.full((s,), zero) for s in sizes)
            return np.concatenate((before, inner, after))
        return self.arithmetic.full(tuple(sizes), inner)


def _product(args: list[Array]) -> Array:
    result = args[0]
    for other in args[1:]:
        result = result * other
    return result
