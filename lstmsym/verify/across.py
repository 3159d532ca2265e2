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


class Power(Op, takes="A count entrywise"):
    """A matrix multiplied by itself, or each entry of a vector."""


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


def straightened(expr: sp.Expr) -> sp.Expr:
    """An expression in which the letters of sums and products are the steps that they speak of.

    ``h[t - j]`` for j from 1 to k is ``h[j]`` for j from t - k to t - 1.
    """
    args = tuple(straightened(a) for a in expr.args)
    expr = expr if args == expr.args else expr.func(*args)
    if not isinstance(expr, (Over, Run)):
        return expr
    body, letter, low, high, *rest = expr.args
    steps = [step for step in steps_in(body) if step.has(letter)]
    signs = {step.coeff(letter) for step in steps}
    if signs == {-1}:
        ends = low + high
        body = put(body, {letter: ends - letter})
        steps = [step.xreplace({letter: ends - letter}) for step in steps]
    beside = {(step - letter).as_coeff_Add()[1] for step in steps}
    if len(beside) == 1 and signs in ({-1}, {1}):
        (more,) = beside
        body, low, high = put(body, {letter: letter - more}), low + more, high + more
    return expr.func(body, letter, low, high, *rest)


def absorbed(expr: sp.Expr, numbers: frozenset[sp.Expr]) -> sp.Expr:
    """An expression with powers entry by entry in the products beside them: u^3 a b c is (u a)(u b)(u c).

    ``numbers`` are quantities without a step that are single numbers; they stand before all else.
    """
    args = tuple(absorbed(a, numbers) for a in expr.args)
    expr = _numbers_first(expr if args == expr.args else expr.func(*args), numbers)
    if not isinstance(expr, sp.Mul):
        return expr
    powers = [f for f in expr.args if isinstance(f, Power) and f.args[2] == 1]
    runs = [f for f in expr.args if isinstance(f, Run) and f.args[5] == 1]
    if len(powers) != 1 or len(runs) != 1:
        return expr
    (base, count, _), (body, letter, low, high, *rest) = powers[0].args, runs[0].args
    if sp.expand(high - low + 1 - count) != 0 or base.has(At):
        return expr
    others = [f for f in expr.args if f not in (powers[0], runs[0])]
    return sp.Mul(*others, Run(base * body, letter, low, high, *rest))


def _numbers_first(expr: sp.Expr, numbers: frozenset[sp.Expr]) -> sp.Expr:
    """A product of matrices, or a sum over steps, with the numbers in it before it: T of a mean."""
    if not isinstance(expr, (N.Dot, N.Transposed, Pulled, Over)):
        return expr
    places = 2 if isinstance(expr, N.Dot) else 1
    whole, args = sp.S.One, list(expr.args)
    for place in range(places):
        factors = sp.Mul.make_args(args[place])
        found = [f for f in factors if f.is_number or f.as_base_exp()[0] in numbers]
        whole *= sp.Mul(*found)
        args[place] = sp.Mul(*(f for f in factors if f not in found))
    return whole * expr.func(*args)


def disentangled(exprs: tuple[sp.Expr, ...], main: sp.Symbol) -> dict[sp.Symbol, sp.Expr]:
    """Letters that count steps from another step, with the step itself for each: ``h[t - k]`` is h at k."""
    steps = {step for expr in exprs for step in steps_in(expr)}
    counts = {s for step in steps for s in step.free_symbols if type(s) is sp.Symbol} - {main, END}
    found: dict[sp.Symbol, sp.Expr] = {}
    for letter in counts:
        mine = {step for step in steps if step.has(letter)}
        signs = {step.coeff(letter) for step in mine}
        if all(step.has(main) for step in mine) and signs in ({-1}, {1}):
            found[letter] = main - letter if signs == {-1} else letter - main
    return found


def steps_in(expr: sp.Expr) -> list[sp.Expr]:
    """The steps that an expression speaks of."""
    return [node.args[1] for node in expr.atoms(At)] + [n.args[0] for n in expr.atoms(LossOf) if n.args]


def put(expr: sp.Expr, steps: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
    """An expression with other steps for its letters."""
    return expr.xreplace(dict(steps))
