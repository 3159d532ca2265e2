"""The loss of one step, where a document writes it out, and its targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from lstmsym import notation as N
from lstmsym.binding.express import Express
from lstmsym.binding.forward import Forward
from lstmsym.binding.limits import of_all
from lstmsym.binding.table import LOSSES, Table, function_of, is_entropy
from lstmsym.binding.values import Unreadable
from lstmsym.documents.formula import (
    Apply,
    Big,
    Brackets,
    Formula,
    Indexed,
    Name,
    Product,
    Raised,
    Sum,
    Words,
    names,
    rebuilt,
    walk,
)
from lstmsym.notation import NotationError, Ref

Losses = list[tuple[Formula | None, Formula]]
"""Both sides of the lines that are losses; the left one is not known of a loss that words give."""


def loss_of(
    losses: Losses, scope: Forward, express: Express, table: Table
) -> tuple[sp.Expr | None, list[str]]:
    """The loss of a step, where a document writes it out; and its targets.

    Where ``L = 1/T sum_t L_t`` that is the loss, and 1/T what ``L_t`` enters with.
    """
    steps = {left.key: r for left, r in losses if isinstance(left, Name) and left.time is not None}
    totals = [right for _, right in losses if any(_is_step(n, steps) for n in names(right))]
    for right in totals or [right for _, right in losses]:
        known = set(table.roles)
        expr, new = _read(right, scope, express, steps, known)
        if expr is not None and _of_numbers(expr, new, known, table):
            scope.numbers |= {key for key, ident in table.idents.items() if ident in new}
            _forget(new, table)
            expr, new = _read(right, scope, express, steps, known)
        if expr is None:
            continue
        targets = [ident for ident in new if table.roles[ident] == "input" or len(table.shapes[ident]) <= 1]
        targets = [ident for ident in targets if table.roles[ident] != "hyper"]
        moved = {Ref(ident): Ref(ident, 0) for ident in targets if table.roles[ident] == "parameter"}
        for ref in moved:
            table.roles[ref.base] = "input"
        if not any(table.shapes[r.base] for r in expr.atoms(Ref) if r.base in known):
            table.shapes.update(dict.fromkeys(targets, ()))  # of a number, the target is one
        return expr.xreplace(moved), targets
    return None, []


def _read(
    right: Formula, scope: Forward, express: Express, steps: dict[str, Formula], known: set[str]
) -> tuple[sp.Expr | None, list[str]]:
    """The loss of a step by a right side that reads what is known, and the names that are new in it."""
    table, indexed = scope.table, scope.table.indexed
    scope.lag = 0
    table.indexed = indexed and any(_has_indices(r) for r in (right, *steps.values()))
    try:
        expr = _loss_of_step(right, scope, express, steps)
    except (Unreadable, NotationError):
        expr = None
    finally:
        table.indexed = indexed
    new = [ident for ident in table.roles if ident not in known]
    if expr is None or not {r.base for r in expr.atoms(Ref)} & known:
        _forget(new, table)
        return None, []
    return expr, new


def _of_numbers(expr: sp.Expr, new: list[str], known: set[str], table: Table) -> bool:
    """Whether a loss compares numbers with what was taken for vectors."""
    compared = [r.base for r in expr.atoms(Ref) if r.base in known and r.lag is not None]
    vectors = any(len(table.shapes[ident]) == 1 for ident in new if ident not in table.told)
    return vectors and bool(compared) and all(table.shapes[base] == () for base in compared)


def _forget(new: list[str], table: Table) -> None:
    """Take back the names of a loss that is not read."""
    for ident in new:
        table.roles.pop(ident)
        table.shapes.pop(ident)
        key = next(k for k, v in table.idents.items() if v == ident)
        table.idents.pop(key)
        table.spelled.pop(ident)


def _has_indices(node: Formula) -> bool:
    return any(isinstance(part, (Name, Indexed)) and part.units for part in walk(node))


def _is_step(node: Formula, steps: dict[str, Formula]) -> bool:
    return isinstance(node, Name) and node.time is not None and node.key in steps


def _loss_of_step(
    right: Formula, scope: Forward, express: Express, steps: dict[str, Formula]
) -> sp.Expr | None:
    factor, body = _peeled(right, scope, express, steps)
    if isinstance(body, Apply) and not function_of(body.head, scope.table):
        return None
    if any(
        n.base in LOSSES and table_key not in scope.table.roles for n, table_key in _keyed(body, scope.table)
    ):
        return None
    picked = _picked(body, _unsummed(body, right), scope.table.hot)
    scope.table.unit |= picked != body
    value = express(_without_units(picked, scope.table))
    expr = N.Sum(value.expr) if value.rank else value.expr
    of_numbers = (
        not value.rank and expr.has(N.log, sp.Pow) and any(r.lag is not None for r in expr.atoms(Ref))
    )
    return _stable(factor * expr, scope) if expr.has(N.Sum) or of_numbers or _summed_up(expr, scope) else None


def _summed_up(expr: sp.Expr, scope: Forward) -> bool:
    """Whether it is a number that a line before sums up, the e_t of E = sum_t e_t."""
    return isinstance(expr, Ref) and scope.lines.get(expr.base, sp.Integer(0)).has(N.Sum)


def _peeled(
    body: Formula, scope: Forward, express: Express, steps: dict[str, Formula]
) -> tuple[sp.Expr, Formula]:
    """What stands behind the sums of a loss, and the number before them."""
    factor = sp.Integer(1)
    while True:
        if _is_step(body, steps):
            scope.table.average = factor
            body, steps = steps[body.key], {}  # type: ignore[attr-defined]
        elif isinstance(body, Big):
            _of_all_steps(body)
            body = body.body
        elif isinstance(body, Sum) and (len(body.terms) == 1 or _spans(body)):
            factor, body = (-factor if body.signs[0] == "-" else factor), _spanned(body)
        elif isinstance(body, Product) and any(map(_is_summed, body.factors)):
            factor *= sp.Mul(*(express(f).expr for f in body.factors if not _is_summed(f)))
            body = next(f for f in body.factors if _is_summed(f))
        elif isinstance(body, Brackets) and len(body.items) == 1 and body.left in "([{":
            body = body.items[0]
        else:
            return factor, _named_entropy(body, scope)


def _of_all_steps(node: Big) -> None:
    """Refuse a sum over some of the steps only; one from t on is what is left of the loss.

    Raises:
        Unreadable: it is one.
    """
    letters = {n.time.letter for n in names(node.body) if n.time is not None}
    if node.variable in letters and not isinstance(node.low, (Name, Sum)):
        of_all(node)


def _named_entropy(node: Formula, scope: Forward) -> Formula:
    """``CE(y, p)`` written out: the target is the one of the two that no equation defines."""
    if not (isinstance(node, Apply) and is_entropy(node.head)):
        return node
    items = node.argument.items if isinstance(node.argument, Brackets) else ()
    idents, key = scope.table.idents, scope.table.key
    known = [item for item in items if isinstance(item, Name) and key(item).key in idents]
    if len(items) != 2 or len(known) != 1:
        return node
    target = next(item for item in items if item is not known[0])
    log = Apply(Name("log"), known[0], certain=True)
    both = Brackets("(", ")", (Product(("⊙",), (target, log)),))
    return Sum(("-",), (Apply(Name("sum"), both, certain=True),))


def _is_summed(node: Formula) -> bool:
    """Whether a factor is the sum of a loss, numbers before which are factors of all of it."""
    return isinstance(node, Big) or (
        isinstance(node, Brackets) and any(isinstance(n, Big) for n in walk(node))
    )


def _spans(node: Sum) -> bool:
    """Whether a sum over an index runs on over the terms behind it, which have that index too."""
    first = node.terms[0]
    if not isinstance(first, Big) or not first.variable:
        return False
    return all(first.variable in set(_indices(term)) for term in node.terms)


def _indices(node: Formula) -> Iterator[str]:
    """The indices and steps that names, and what is indexed as a whole, have."""
    for part in walk(node):
        if isinstance(part, (Name, Indexed)):
            yield from (script.text for script in part.scripts)
        if isinstance(part, Name):
            yield from part.units
            yield from (part.time.letter,) if part.time is not None else ()


def _spanned(node: Sum) -> Formula:
    """The one term, or all terms under the sum before the first."""
    first = node.terms[0]
    if len(node.terms) == 1 or not isinstance(first, Big):
        return first
    return replace(first, body=Sum(("+", *node.signs[1:]), (first.body, *node.terms[1:])))


def _unsummed(body: Formula, whole: Formula) -> set[str]:
    """Indices that one name alone has in what is summed up, and over which no sum runs."""
    count = Counter(s.text for n in names(body) for s in n.scripts if s.where == "sub" and _is_letter(s.body))
    return {text for text, times in count.items() if times == 1} - {
        n.variable for n in walk(whole) if isinstance(n, Big)
    }


def _is_letter(node: Formula) -> bool:
    return isinstance(node, Name) and len(node.base) == 1 and node == Name(node.base)


def _picked(node: Formula, single: set[str], hot: Name | None) -> Formula:
    """``log p_y`` or ``log p_k``, the entry of a class, as the product with the one-hot y, ``hot`` or e_k."""
    node = rebuilt(node, lambda part: _picked(part, single, hot))
    if not isinstance(node, Apply) or node.head.base not in ("log", "ln"):
        return node
    inner = node.argument
    while isinstance(inner, Brackets) and len(inner.items) == 1:
        inner = inner.items[0]
    if not isinstance(inner, Name):
        return node
    found = [s for s in inner.scripts if s.where == "sub" and (_is_class(s.body) or s.text in single)]
    if len(found) != 1:
        return node
    picked = found[0].body
    assert isinstance(picked, Name)
    guess = replace(inner, scripts=tuple(s for s in inner.scripts if s is not found[0]))
    if _is_class(picked):
        target = replace(picked, time=picked.time or guess.time)
    else:
        target = hot or Name("e", scripts=(found[0],))
    guess = replace(guess, time=guess.time or target.time)
    return Product(("",), (Raised(target, Words("⊤"), "transpose"), replace(node, argument=guess)))


def _is_class(node: Formula) -> bool:
    """Whether an index is the class of a step, and not the number of a unit."""
    return isinstance(node, Name) and (node.time is not None or node.base == "y")


def _keyed(node: Formula, table: Table) -> Iterator[tuple[Name, str]]:
    for name in names(node):
        yield name, table.idents.get(table.key(name).key, "")


def _without_units(node: Formula, table: Table) -> Formula:
    """A formula without the indices of units, where a known name has them."""
    units = set()
    for name in names(node):
        if table.key(name).key not in table.idents:
            for script in (s for s in name.scripts if s.text.isalnum()):  # o^* is another than o
                bare = replace(name, scripts=tuple(s for s in name.scripts if s is not script))
                if table.key(bare).key in table.idents:
                    units.add(script.text)

    def change(part: Formula) -> Formula:
        part = rebuilt(part, change)
        if not isinstance(part, Name):
            return part
        kept = part.units if len(part.units) < 2 else ()  # a sample and a unit: all of a batch
        return replace(part, scripts=tuple(s for s in part.scripts if s.text not in units), units=kept)

    return change(node)


def _stable(expr: sp.Expr, scope: Forward) -> sp.Expr:
    """Logarithms of a sigmoid and of one less it by what it is taken of; then those of a softmax."""
    rules = {}
    for log in expr.atoms(N.log):
        (inner,) = log.args
        for ref in inner.atoms(Ref):
            line = scope.lines.get(ref.base)
            if not isinstance(line, N.sigma) or inner not in (ref, 1 - ref):
                continue
            if not _is_derived(ref, scope.table) or _is_last(ref, scope):
                rules[log] = N.canonical(N.log(inner.xreplace({ref: line})))
    return _one_hot(expr.xreplace(rules), scope)


def _is_last(prediction: Ref, scope: Forward) -> bool:
    """Whether the loss alone reads a prediction, and it alone what it is taken of, by its name."""
    (argument,) = scope.lines[prediction.base].args
    read = [r.base for expr in scope.lines.values() for r in expr.atoms(Ref)]
    return isinstance(argument, Ref) and prediction.base not in read and read.count(argument.base) == 1


def _one_hot(expr: sp.Expr, scope: Forward) -> sp.Expr:
    """The cross entropy of a softmax, -sum(y log p), by the scores.

    If the targets add up to one it is logsumexp(scores) - sum(y scores).
    """
    for node in expr.atoms(N.Sum):
        (inner,) = node.args
        factors = sp.Mul.make_args(inner)
        logs = [f for f in factors if isinstance(f, (N.log, N.log_softmax))]
        if len(logs) != 1:
            continue
        if _is_derived(logs[0].args[0], scope.table):
            continue
        scores = scope.scores(logs[0])
        if scores is not None and isinstance(scores, Ref):
            rest = sp.Mul(*(f for f in factors if f is not logs[0]))
            whole = N.Sum(rest * scores) - N.LogSumExp(scores)
            expr = expr.xreplace({node: whole if scope.table.unit else N.Sum(rest * N.log_softmax(scores))})
    return expr


def _is_derived(guess: sp.Expr, table: Table) -> bool:
    """Whether the loss is derived by a prediction, which then stays in it."""
    return isinstance(guess, Ref) and any(table.idents.get(key) == guess.base for key in table.loss_by)
