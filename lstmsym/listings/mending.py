"""Which of several statements is to blame for a wrong value, and the edit in one place that mends it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import sympy as sp

from lstmsym.listings.arrays import Array
from lstmsym.listings.backward import SYMBOLS, Backward
from lstmsym.listings.edits import edits
from lstmsym.listings.findings import Part, own
from lstmsym.listings.scope import ZERO
from lstmsym.listings.source import ListingError
from lstmsym.listings.truth import Truth, close
from lstmsym.notation import Ref

NAMES = 80
"""Names that are tried in the place of another."""
TERMS = 7
"""Terms of a gradient of which all sums are tried."""
Repair = tuple[Ref, str, str]
"""The gradient that a value becomes, the mended statement, and what was changed."""
UNFIT = (ListingError, ArithmeticError, TypeError, ValueError, AttributeError, KeyError)


def no_sum_of_terms(truth: Truth, parts: Sequence[Part], true: Ref) -> list[Part] | None:
    """The parts that are no sum of terms of a gradient; None where its terms are not known."""
    line = truth.judge.system.derivation.by_name.get(true.base)
    if line is None or true.lag != 0:
        return None
    bad = list(parts)
    for expr in dict.fromkeys((line.expr, _expanded(line.expr, truth))):
        terms = list(sp.Add.make_args(expr))[:TERMS]
        sums = [sp.Add(*c) for k in range(1, len(terms) + 1) for c in combinations(terms, k)]
        values = [truth.value(s) for s in sums]
        bad = [p for p in bad if not any(close(truth.value(p.array.expr), v) for v in values)]
        if not bad:
            break
    return bad


def _expanded(expr: sp.Expr, truth: Truth) -> sp.Expr:
    """A gradient with those of several terms that it uses written out."""
    lines = truth.judge.system.derivation.by_name
    found = {r: lines[r.base].expr for r in expr.atoms(Ref) if r.lag == 0 and r.base in lines}
    return sp.expand(expr.xreplace({r: x for r, x in found.items() if isinstance(x, sp.Add)}))


def blame(truth: Truth, parts: Sequence[Part], wanted: Sequence[Ref]) -> Part:
    """The one part that is no sum of terms of the gradient, or the last."""
    statements = own(parts)
    for ref in wanted if len(parts) > 1 else ():
        bad = no_sum_of_terms(truth, statements, ref)
        if bad is not None and len(bad) == 1:
            return bad[0]
    return statements[-1]


def mend(run: Backward, part: Part, parts: Sequence[Part], wanted: Sequence[Ref]) -> Repair | None:
    """The repair, if an edit in one place does it."""
    statement = part.statement
    if not isinstance(statement, (ast.Assign, ast.AugAssign)) or (
        isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
    ):
        return None
    run.reader.memo = {}
    try:
        return _mended(run, statement, part, parts, wanted)
    finally:
        run.reader.memo = None


def _mended(
    run: Backward,
    statement: ast.Assign | ast.AugAssign,
    part: Part,
    parts: Sequence[Part],
    wanted: Sequence[Ref],
) -> Repair | None:
    """The same, while nothing that names mean changes."""
    for node, why in edits(statement.value, _names(run)):
        if not run.truth.left(3):
            break
        if isinstance(node, ast.Name) and isinstance(statement, ast.Assign):
            continue  # a mere copy is no repair
        try:
            value = _edited(run, statement, node)
            whole = run.add([replace(p, array=value) if p is part else p for p in parts])
        except UNFIT:
            continue
        for ref in wanted:
            if run.truth.equals(whole.expr, ref):
                head = ast.unparse(statement).split("=")[0].rstrip("+-*/ ")
                symbol = SYMBOLS.get(type(statement.op), "+") if isinstance(statement, ast.AugAssign) else ""
                return ref, f"{head} {symbol}= {ast.unparse(node)}", why
    return None


def _edited(run: Backward, statement: ast.Assign | ast.AugAssign, node: ast.expr) -> Array:
    """What a statement would add or assign with another right side."""
    value = run.reader.array(node)
    if value is ZERO or value.form is None:
        raise ListingError("no value")
    if isinstance(statement, ast.Assign) or isinstance(statement.op, ast.Add):
        return value
    if isinstance(statement.op, ast.Sub):
        return replace(value, expr=-value.expr)
    return run.reader.binary(statement.op, run.reader.array(statement.target), value)


def _names(run: Backward) -> list[str]:
    """Names that may stand in the place of another."""
    series = run.scope.series
    names = [
        k
        for k, v in {**run.known, **run.scope.names}.items()
        if isinstance(v, Array) and v is not ZERO and v.form != "" and k not in series
    ]
    spelled = run.code.spelled
    if run.forward.kinds:  # a listing with a forward part of its own: all its names
        written = [spelled.get(k, k) for k in names]
    else:
        written = [spelled[k] for k in names if k in spelled]
    steps = [k for k in run.scope.loops if k.strip()]
    stepped = [f"{k}[{steps[0]}]" for k, s in series.items() if isinstance(s.get(0), Array)] if steps else []
    return list(dict.fromkeys([*(s for s in written if s.replace(".", "").isidentifier()), *stepped]))[:NAMES]
