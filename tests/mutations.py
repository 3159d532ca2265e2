"""Soundness by mutation: every derived equation of every cell, with every one-place change.

``python tests/mutations.py --all`` runs them all and prints the counts; the tests run a sample.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator

import sympy as sp

from lstmsym import notation as N
from lstmsym.cells import find, names
from lstmsym.notation import NotationError, Pointwise, Ref
from lstmsym.shapes import ShapeError
from lstmsym.verify.claims import Claim
from lstmsym.verify.judge import Judge, Status


def changed(expr: sp.Expr, judge: Judge) -> Iterator[sp.Expr]:
    """Every expression that differs from this one in one place, or in one name throughout."""
    yield from mutants(expr, judge)
    refs = sorted(expr.atoms(Ref), key=str)
    for ref in refs:
        if ref.lag is not None:
            yield from (expr.xreplace({ref: form}) for form in (1 - ref, N.tanh(ref), N.sigma(ref)))
        for other in refs:
            if other is not ref and judge.system.shapes[other.base] == judge.system.shapes[ref.base]:
                yield from (expr.xreplace({ref: other}), expr.xreplace({ref: other, other: ref}))


def mutants(expr: sp.Expr, judge: Judge) -> Iterator[sp.Expr]:
    """Every expression that differs from this one in one place."""
    yield from _here(expr, judge)
    for index, arg in enumerate(expr.args):
        if isinstance(expr, (N.Part, N.Pad, N.Spread)) and index:
            continue
        for changed in mutants(arg, judge):
            args = list(expr.args)
            args[index] = changed
            yield expr.func(*args)


def _here(expr: sp.Expr, judge: Judge) -> Iterator[sp.Expr]:
    system = judge.system
    yield -expr
    if isinstance(expr, Ref):
        shape = system.shapes.get(expr.base)
        if expr.lag is not None:
            yield from (expr.shifted(1), expr.shifted(-1))
        written = [*system.forward, *system.backward, *(q.name for q in system.cell.quantities)]
        alike = [b for b in dict.fromkeys(written) if b != expr.base and system.shapes[b] == shape]
        kind = expr.base in system.backward
        yield from (
            Ref(b, expr.lag)
            for b in alike
            if (b in system.backward) == kind and _timed(b, judge) == (expr.lag is not None)
        )
        if shape and expr.lag is not None:
            yield from (expr**2, N.tanh(expr), expr * (1 - expr))
    elif isinstance(expr, sp.Add):
        for index, term in enumerate(expr.args):
            rest = sp.Add(*expr.args[:index], *expr.args[index + 1 :])
            yield from (rest, rest - term, rest + 2 * term)
        yield sp.Mul(*expr.args) if len(expr.args) == 2 and not expr.has(N.Dot) else 2 * expr
    elif isinstance(expr, sp.Mul):
        for index, factor in enumerate(expr.args):
            rest = sp.Mul(*expr.args[:index], *expr.args[index + 1 :])
            yield from (rest, rest * factor**2, rest + factor)
            if isinstance(factor, Ref) and factor.lag is not None:
                yield from (rest * form for form in (1 - factor, 1 - factor**2, N.tanh(factor)))
            if isinstance(factor, N.Dot):
                yield N.Dot(factor.args[0], factor.args[1] * rest)
            if isinstance(factor, sp.Add):
                yield from (rest * t + (factor - t) for t in factor.args)
            if isinstance(factor, sp.Add) and len(factor.atoms(Ref)) == 1:
                (ref,) = factor.atoms(Ref)
                yield from (rest * form for form in (1 - ref**2, 1 - ref, 1 - N.tanh(ref) ** 2, 1 + ref))
    elif isinstance(expr, N.Dot):
        yield N.Dot(N.transposed(expr.args[0]), expr.args[1])
        if isinstance(expr.args[1], sp.Mul):
            first, *others = expr.args[1].args
            yield first * N.Dot(expr.args[0], sp.Mul(*others))
    elif isinstance(expr, N.Outer):
        yield N.Outer(expr.args[1], expr.args[0])
    elif isinstance(expr, N.Part):
        vector, low, high = expr.args
        yield from (N.Part(vector, high, N.End), N.Part(vector, 0, low)) if high != N.End else ()
    elif isinstance(expr, sp.Pow) and isinstance(expr.base, (Ref, sp.Add)):
        yield from (expr.base, expr.base * (1 - expr.base), expr**2)
    elif isinstance(expr, N.Total):
        yield from (2 * expr, N.Total(2 * expr.args[0]), expr.args[0])
    elif isinstance(expr, Pointwise) and len(expr.args) == 1:
        yield from (op(expr.args[0]) for op in (N.sigma, N.tanh, N.relu) if not isinstance(expr, op))
        yield from (expr.args[0], type(expr)(expr))


def _timed(base: str, judge: Judge) -> bool:
    quantity = judge.system.cell.by_name.get(base)
    line = judge.system.derivation.by_name.get(base)
    return not ((quantity and quantity.constant) or (line and line.name.lag is None))


def run(cells: list[str], share: float, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Counts of outcomes, and what must not be: false proofs, wrong verdicts."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for cell in cells:
        judge = Judge(find(cell))
        for line in judge.system.derivation.backward:
            for mutant in dict.fromkeys(changed(line.expr, judge)):
                if rng.random() > share or mutant == line.expr:
                    continue
                _judge(judge, cell, Claim(line.name, mutant), counts, wrong)
    return counts, wrong


def _judge(judge: Judge, cell: str, claim: Claim, counts: Counter[str], wrong: list[str]) -> None:
    judge.repairs = lambda claim: iter(())  # type: ignore[method-assign]
    judge.missing = lambda claim, far=False: ("", "")  # type: ignore[method-assign]
    verdict = judge(claim)
    status = verdict.status
    try:
        left, right = judge.sides(claim)
        numbers = (
            judge.mismatched(left, right) or judge.witness(left, right) or judge.trial.undefined(left, right)
        )
        different = bool(numbers)
    except (ShapeError, KeyError, NotationError):
        different = True
    counts[f"{'different' if different else 'equal'} {status.value}"] += 1
    if verdict.assumption:
        counts[f"if {verdict.assumption}"] += 1
    fine = {
        True: (Status.REFUTED, Status.PROVED_IF),
        False: (Status.PROVED, Status.PROVED_IF, Status.UNDECIDED),
    }
    if status not in fine[different]:
        wrong.append(f"{cell}: {claim.left} = {judge.show(claim.right)}: {status.value}, but {different=}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    arguments = parser.parse_args()
    counts, wrong = run(list(names()), 1.0 if arguments.all else 0.1)
    print(dict(counts), *wrong, sep="\n")
    raise SystemExit(bool(wrong))
