"""Small edits of a claim, among which a repair is looked for.

The kinds are those that published derivations get wrong: a time neighbour, a sign, a transpose,
another gate, a dropped or extra factor or path, a doubled activation derivative, a bracket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Pointwise, Ref
from lstmsym.verify.claims import Claim
from lstmsym.verify.held import moved_labels
from lstmsym.verify.system import System


def edits(claim: Claim, system: System) -> Iterator[tuple[Claim, str]]:
    """(edited claim, what was changed), likely edits first."""
    for why, left, right in moved_labels(claim.left, claim.right, system):
        yield replace(claim, left=left, right=right), why
    seen = {claim.right}
    for right, why in _all(claim.right, system):
        if right not in seen:
            seen.add(right)
            yield replace(claim, right=right), why
    yield from _missing(claim, system)


def _all(expr: sp.Expr, system: System) -> Iterator[tuple[sp.Expr, str]]:
    """Every one-place edit of an expression."""
    for edited, why in _here(expr, system):
        yield edited, why
    for index, arg in enumerate(expr.args):
        if isinstance(expr, (N.Part, N.Pad, N.Spread)) and index:
            continue
        for edited, why in _all(arg, system):
            args = list(expr.args)
            args[index] = edited
            try:
                yield expr.func(*args), why
            except (TypeError, ValueError):
                continue


def _here(expr: sp.Expr, system: System) -> Iterator[tuple[sp.Expr, str]]:
    if isinstance(expr, Ref):
        yield from _other_names(expr, system)
    elif isinstance(expr, sp.Add):
        yield from _terms(expr)
    elif isinstance(expr, sp.Mul):
        yield from _factors(expr, system)
    elif isinstance(expr, sp.Pow) and expr.exp == 2:
        yield expr.base, "no square"
    elif isinstance(expr, N.Dot) and isinstance(expr.args[0], (Ref, N.Transposed)):
        yield N.Dot(N.transposed(expr.args[0]), expr.args[1]), "transposed"
    elif isinstance(expr, N.Outer):
        yield N.Outer(expr.args[1], expr.args[0]), "transposed"
    elif isinstance(expr, Pointwise) and len(expr.args) == 1:
        yield expr.args[0], f"no {type(expr).__name__}"
        yield from (
            (op(expr.args[0]), f"{op.__name__} for {type(expr).__name__}") for op in (N.sigma, N.tanh)
        )


def _other_names(ref: Ref, system: System) -> Iterator[tuple[sp.Expr, str]]:
    if ref.lag is not None:
        for lag in (-1, 1):
            yield ref.shifted(lag), f"{ref.shifted(lag)} for {ref}"
        if ref.lag == 0 and system.shapes.get(ref.base):
            yield N.tanh(ref), f"tanh({ref}) for {ref}"
    shape = system.shapes.get(ref.base)
    others = [*system.forward, *(q.name for q in system.cell.quantities), *system.backward]
    for base in dict.fromkeys(others):
        if (
            base != ref.base
            and system.shapes.get(base) == shape
            and (base in system.backward) == (ref.base in system.backward)
        ):
            timeless = _timeless(base, system)
            if timeless == (ref.lag is None):
                yield Ref(base, ref.lag), f"{Ref(base, ref.lag)} for {ref}"


def _timeless(base: str, system: System) -> bool:
    quantity = system.cell.by_name.get(base)
    line = system.derivation.by_name.get(base)
    return bool(quantity and quantity.constant) or bool(line and line.name.lag is None)


def _terms(expr: sp.Expr) -> Iterator[tuple[sp.Expr, str]]:
    for index, term in enumerate(expr.args):
        rest = sp.Add(*expr.args[:index], *expr.args[index + 1 :])
        yield rest - term, "sign"
        yield rest, "one term less"
    factors = [f for term in expr.args for f in sp.Mul.make_args(term) if f.atoms(Ref)]
    for factor in dict.fromkeys(factors):
        with_it = [t for t in expr.args if factor in sp.Mul.make_args(t)]
        without = [t for t in expr.args if factor not in sp.Mul.make_args(t)]
        if with_it and without:
            inner = sp.Add(*(t / factor for t in with_it), *without)
            yield factor * inner, "brackets"


def _factors(expr: sp.Expr, system: System) -> Iterator[tuple[sp.Expr, str]]:
    for index, factor in enumerate(expr.args):
        rest = sp.Mul(*expr.args[:index], *expr.args[index + 1 :])
        yield rest, f"without the factor {factor}"
        if isinstance(factor, sp.Add):
            for term in factor.args:
                yield rest * term + (factor - term), "brackets"
    yield -expr, "sign"
    for factor in expr.args:
        if isinstance(factor, Ref) and factor.lag == 0 and factor.base not in system.backward:
            yield expr * (1 - factor), f"times 1 - {factor}"
    squares = [f for f in expr.args if isinstance(f, sp.Add)]
    for factor in squares:
        for ref in factor.atoms(Ref):
            for form in (1 - ref**2, ref * (1 - ref), 1 - N.tanh(ref) ** 2):
                yield expr.xreplace({factor: form}), "activation derivative"


def _missing(claim: Claim, system: System) -> Iterator[tuple[Claim, str]]:
    """A path or a factor that the derivation has and the claim has not."""
    left = claim.left
    if not (isinstance(left, Ref) and left.base in system.backward):
        return
    true = system.with_loss.by_name.get(left.base) or system.derivation.by_name[left.base]
    for term in sp.Add.make_args(true.expr):
        yield replace(claim, right=claim.right + term), "a path was missing"
    factors = {f for term in sp.Add.make_args(true.expr) for f in sp.Mul.make_args(term)}
    for factor in sorted(factors, key=str):
        yield replace(claim, right=claim.right * factor), "a factor was missing"
