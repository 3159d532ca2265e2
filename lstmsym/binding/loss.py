"""The loss of one step, where a document writes it out, and its targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.express import Express, Unreadable
from lstmsym.binding.forward import Forward
from lstmsym.binding.table import LOSSES, Table, function_of
from lstmsym.documents.formula import Apply, Big, Brackets, Formula, Name, Product, Sum, names, rebuilt
from lstmsym.notation import NotationError, Ref


def loss_of(
    losses: list[Formula], scope: Forward, express: Express, table: Table
) -> tuple[sp.Expr | None, list[str]]:
    """The loss of a step, where a document writes it out; and its targets."""
    for right in losses:
        known = set(table.roles)
        scope.lag = 0
        try:
            expr = _loss_of_step(right, scope, express)
        except (Unreadable, NotationError):
            expr = None
        new = [ident for ident in table.roles if ident not in known]
        if expr is None or not {r.base for r in expr.atoms(Ref)} & known:
            for ident in new:
                table.roles.pop(ident)
                table.shapes.pop(ident)
                key = next(k for k, v in table.idents.items() if v == ident)
                table.idents.pop(key)
                table.spelled.pop(ident)
            continue
        targets = [ident for ident in new if table.roles[ident] == "input" or len(table.shapes[ident]) == 1]
        moved = {Ref(ident): Ref(ident, 0) for ident in targets if table.roles[ident] == "parameter"}
        for ref in moved:
            table.roles[ref.base] = "input"
        return expr.xreplace(moved), targets
    return None, []


def _loss_of_step(right: Formula, scope: Forward, express: Express) -> sp.Expr | None:
    factor, body = sp.Integer(1), right
    while True:
        if isinstance(body, Big):
            body = body.body
        elif isinstance(body, Sum) and len(body.terms) == 1:
            factor, body = (-factor if body.signs[0] == "-" else factor), body.terms[0]
        elif isinstance(body, Product) and any(isinstance(f, Big) for f in body.factors):
            rest = [f for f in body.factors if not isinstance(f, Big)]
            for item in rest:
                factor = factor * express(item).expr
            body = next(f for f in body.factors if isinstance(f, Big))
        elif isinstance(body, Brackets) and len(body.items) == 1 and body.left in "([{":
            body = body.items[0]
        else:
            break
    if isinstance(body, Apply) and not function_of(body.head, scope.table):
        return None
    if any(
        n.base in LOSSES and table_key not in scope.table.roles for n, table_key in _keyed(body, scope.table)
    ):
        return None
    body = _without_units(body, scope.table)
    value = express(body)
    expr = N.Sum(value.expr) if value.rank else value.expr
    return _one_hot(factor * expr, scope) if expr.has(N.Sum) else None


def _keyed(node: Formula, table: Table) -> Iterator[tuple[Name, str]]:
    for name in names(node):
        yield name, table.idents.get(table.key(name).key, "")


def _without_units(node: Formula, table: Table) -> Formula:
    """A formula without the indices of units, where a known name has them."""
    units = set()
    for name in names(node):
        if table.key(name).key not in table.idents:
            for script in name.scripts:
                bare = replace(name, scripts=tuple(s for s in name.scripts if s is not script))
                if table.key(bare).key in table.idents:
                    units.add(script.text)

    def change(part: Formula) -> Formula:
        part = rebuilt(part, change)
        if isinstance(part, Name) and any(s.text in units for s in part.scripts):
            return replace(part, scripts=tuple(s for s in part.scripts if s.text not in units))
        return part

    return change(node) if units else node


def _one_hot(expr: sp.Expr, scope: Forward) -> sp.Expr:
    """The cross entropy of a softmax, -sum(y log p), by the scores: the targets add up to one."""
    for node in expr.atoms(N.Sum):
        (inner,) = node.args
        factors = sp.Mul.make_args(inner)
        logs = [f for f in factors if isinstance(f, (N.log, N.log_softmax))]
        if len(logs) != 1:
            continue
        scores = scope.scores(logs[0])
        if scores is not None and isinstance(scores, Ref):
            rest = sp.Mul(*(f for f in factors if f is not logs[0]))
            expr = expr.xreplace({node: N.Sum(rest * scores) - N.LogSumExp(scores)})
    return expr
