"""Small edits of one node of an expression: the slips that published derivations have, undone.

One function a kind of slip, each for one kind of node; `KINDS` holds them with the likelier first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import TypeAlias

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Pointwise, Ref
from lstmsym.printing import Printer
from lstmsym.verify.meaning import moved

Found: TypeAlias = Iterator[tuple[sp.Expr, str]]
"""(what may stand there instead, what that changes)."""
MANY = 8
"""Operands beyond which a sum or product is not taken apart in all ways."""

text = Printer()


def edits_of(expr: sp.Expr, kind: tuple[type | tuple[type, ...], Callable[[sp.Expr], Found]]) -> Found:
    """The edits of a node by one kind of slip."""
    nodes, edit = kind
    if isinstance(expr, nodes):
        yield from edit(expr)


def _others(expr: sp.Expr, *operands: sp.Expr) -> sp.Expr:
    """A sum or product without some of its operands."""
    return expr.func(*(a for a in expr.args if not any(a is o for o in operands)))


def _some(operands: Iterable[sp.Expr], *counts: int) -> Iterator[tuple[sp.Expr, ...]]:
    operands = tuple(operands)
    for count in counts if len(operands) <= MANY else ():
        yield from combinations(operands, count)


def _sign_of_terms(expr: sp.Expr) -> Found:
    for chosen in _some(expr.args, 1, 2):
        yield expr - 2 * sp.Add(*chosen), "sign"


def _sign(expr: sp.Expr) -> Found:
    yield -expr, "sign"


def _step(ref: Ref) -> Found:
    if ref.lag is not None:
        yield from ((ref.shifted(lag), f"{ref.shifted(lag)} for {ref}") for lag in (-1, 1))


def _step_of_product(expr: sp.Expr) -> Found:
    yield from ((moved(expr, lag), f"step t{lag:+d} for t") for lag in (-1, 1))


def _square(expr: sp.Expr) -> Found:
    if expr.exp == 2:
        yield expr.base, "no square"
        yield 1 - expr, f"{text(1 - expr)} for {text(expr)}"


def _activation(expr: sp.Expr) -> Found:
    if len(expr.args) == 1:
        yield expr.args[0], f"no {type(expr).__name__}"
        for op in (N.sigma, N.tanh):
            if not isinstance(expr, op):
                yield op(expr.args[0]), f"{op.__name__} for {type(expr).__name__}"


def _derivative(expr: sp.Expr) -> Found:
    """The derivative of another activation, or one too many."""
    for y in _outputs(expr):
        sigma, tanh = (y, 1 - y), [1 - y**2, 1 - N.tanh(y) ** 2]
        rest = _without(expr, *sigma)
        if rest is not None:
            yield from ((rest * form, f"derivative of tanh, {text(form)}") for form in tanh)
            yield rest, f"without the factors {y} * (1 - {y})"
        for wrong in tanh:
            rest = _without(expr, wrong)
            if rest is not None:
                yield rest * sp.Mul(*sigma), f"derivative of sigma, {y} * (1 - {y})"
                yield from ((rest * form, f"derivative of tanh, {text(form)}") for form in tanh)


def _complement(expr: sp.Expr) -> Found:
    """Y for 1 - y, and the like."""
    for y in _outputs(expr):
        swaps = {y: (1 - y, y**2), 1 - y: (y, 1 - y**2), 1 + y: (y, 1 - y**2)}
        for wrong, forms in swaps.items():
            rest = _without(expr, wrong)
            if rest is not None:
                yield from ((rest * form, f"{text(form)} for {text(wrong)}") for form in forms)


def _outputs(expr: sp.Expr) -> list[sp.Expr]:
    """What a product's factors may be activations of."""
    return sorted({r for f in expr.args for r in f.atoms(Ref) if r.lag is not None}, key=str)


def _without(expr: sp.Expr, *factors: sp.Expr) -> sp.Expr | None:
    """A product without some of its factors, if it has them all."""
    powers = dict(f.as_base_exp() for f in sp.Mul.make_args(expr))
    if any(not isinstance(powers.get(f), sp.Integer) or powers[f] < 1 for f in factors):
        return None
    for f in factors:
        powers[f] = powers[f] - 1
    return sp.Mul(*(base**exponent for base, exponent in powers.items()))


def _of_output(ref: Ref) -> Found:
    if ref.lag == 0:
        yield N.tanh(ref), f"tanh({ref}) for {ref}"
        yield 1 - ref, f"1 - {ref} for {ref}"


def _square_of_term(expr: sp.Expr) -> Found:
    for term in expr.args:
        sign, bare = _signed(term)
        if isinstance(bare, (Ref, Pointwise)):
            yield expr - term + sign * bare**2, f"{text(bare)} squared"


def _signed(term: sp.Expr) -> tuple[int, sp.Expr]:
    return (-1, -term) if term.could_extract_minus_sign() else (1, term)


def _transposed(expr: sp.Expr) -> Found:
    yield N.Dot(N.transposed(expr.args[0]), expr.args[1]), "transposed"
    yield N.Dot(N.transposed(expr.args[1]), expr.args[0]), "columns for rows"


def _turned(expr: sp.Expr) -> Found:
    yield expr.func(*reversed(expr.args)), "transposed" if isinstance(expr, N.Outer) else "the other order"


def _one_term_less(expr: sp.Expr) -> Found:
    yield from ((expr - term, "one term less") for term in expr.args)


def _one_factor_less(expr: sp.Expr) -> Found:
    for factor in expr.args:
        if factor != -1:
            yield _others(expr, factor), f"without the factor {text(factor)}"


def _one_matrix_less(expr: sp.Expr) -> Found:
    yield expr.args[1], f"without the factor {text(expr.args[0])}"


def _factor_of_all(expr: sp.Expr) -> Found:
    """A factor of some terms that belongs to all, or to one more."""
    for factor in dict.fromkeys(f for t in expr.args for f in sp.Mul.make_args(t) if f.atoms(Ref)):
        having = [t for t in expr.args if factor in sp.Mul.make_args(t)]
        others = [t for t in expr.args if factor not in sp.Mul.make_args(t)]
        if having and others:
            yield factor * sp.Add(*(t / factor for t in having), *others), "brackets"
            for other in others:
                yield expr - other + factor * other, f"times {text(factor)} in one term more"


def _factor_of_some(expr: sp.Expr) -> Found:
    """A factor of a bracket that belongs to one of its terms, or to all but one."""
    for bracket in (f for f in expr.args if isinstance(f, sp.Add)):
        rest = _others(expr, bracket)
        for term in bracket.args:
            yield rest * term + (bracket - term), "brackets"
            yield term + rest * (bracket - term), "brackets"


def _square_of_some(expr: sp.Expr) -> Found:
    """(1 - y)**2 for 1 - y**2."""
    if expr.exp == 2 and isinstance(expr.base, sp.Add):
        for term in expr.base.args:
            yield expr.base - term + _signed(term)[0] * term**2, "brackets"


def _into_the_matrix_product(expr: sp.Expr) -> Found:
    for dot in (f for f in expr.args if isinstance(f, N.Dot)):
        for factor in (f for f in expr.args if f is not dot and f.atoms(Ref)):
            yield _others(expr, dot, factor) * N.Dot(dot.args[0], dot.args[1] * factor), "brackets"


def _out_of_the_matrix_product(expr: sp.Expr) -> Found:
    matrix, vector = expr.args
    for factor in vector.args if isinstance(vector, sp.Mul) else ():
        yield factor * N.Dot(matrix, _others(vector, factor)), "brackets"


def _over_the_outer_product(expr: sp.Expr) -> Found:
    u, v = expr.args
    for factor in sp.Mul.make_args(u):
        yield N.Outer(u / factor, v * factor), "brackets"
    for factor in sp.Mul.make_args(v):
        yield N.Outer(u * factor, v / factor), "brackets"


def _product_for_a_sum(expr: sp.Expr) -> Found:
    for chosen in _some(expr.args, 2, 3):
        yield expr - sp.Add(*chosen) + sp.Mul(*chosen), "product for a sum"


def _sum_for_a_product(expr: sp.Expr) -> Found:
    for (factor,) in _some(expr.args, 1):
        yield factor + _others(expr, factor), "sum for a product"
    for chosen in _some((f for f in expr.args if isinstance(f, (Ref, N.Dot, Pointwise))), 2, 3):
        yield _others(expr, *chosen) * sp.Add(*chosen), "sum for a product"


def _twice(expr: sp.Expr) -> Found:
    yield 2 * expr, "twice"
    yield expr / 2, "half"


def _sum_for_a_mean(expr: sp.Expr) -> Found:
    other = N.Mean if isinstance(expr, N.Sum) else N.Sum
    yield other(*expr.args), f"{other.__name__.lower()} for {type(expr).__name__.lower()}"


def _matrices_exchanged(expr: sp.Expr) -> Found:
    matrix, vector = expr.args
    if isinstance(vector, N.Dot):
        yield N.Dot(vector.args[0], N.Dot(matrix, vector.args[1])), "the other order"


KINDS: tuple[tuple[type | tuple[type, ...], Callable[[sp.Expr], Found]], ...] = (
    (sp.Add, _sign_of_terms),
    (sp.Mul, _sign),
    (Ref, _step),
    (sp.Mul, _step_of_product),
    (sp.Pow, _square),
    (Pointwise, _activation),
    (sp.Mul, _derivative),
    (sp.Mul, _complement),
    (Ref, _of_output),
    (sp.Add, _square_of_term),
    (N.Dot, _transposed),
    ((N.Outer, N.Concat), _turned),
    (sp.Add, _one_term_less),
    (sp.Mul, _one_factor_less),
    (N.Dot, _one_matrix_less),
    (sp.Add, _factor_of_all),
    (sp.Mul, _factor_of_some),
    (sp.Pow, _square_of_some),
    (sp.Mul, _into_the_matrix_product),
    (N.Dot, _out_of_the_matrix_product),
    (N.Outer, _over_the_outer_product),
    (sp.Add, _product_for_a_sum),
    (sp.Mul, _sum_for_a_product),
    ((sp.Add, sp.Mul, Ref, N.Total), _twice),
    ((N.Sum, N.Mean), _sum_for_a_mean),
    (N.Dot, _matrices_exchanged),
)
