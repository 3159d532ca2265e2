"""The loss of a listing: as it states it, or as its backward pass begins with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.lines import Lines
from lstmsym.notation import Ref

TARGETS = re.compile(r"target|true|label|^y_?hat$|^ys?$|^t$|^d$|desired", re.I)
"""What a listing calls a target."""
REDUCED = (N.Max, N.Sum, N.Mean)
"""Numbers that are made of a vector."""


@dataclass(frozen=True)
class Begins:
    """What a backward pass takes labels off (a softmax's), or a target: (the output, the target)."""

    labels: str | None = None
    error: tuple[str, str] | None = None


NOTHING = Begins()


def objective(lines: Lines, begins: Begins) -> sp.Expr | None:
    """The loss; where none is stated, the one with whose gradient the backward pass ``begins``.

    Lines that it takes into itself are taken away.
    """
    if lines.run.loss is not None:
        stated = N.canonical(_labelled(lines.run.loss))
        return _one_hot(stated.xreplace(lines.rename), lines)
    labels = begins.labels
    if labels is None:
        squares = _squares(lines)
        return squares if squares is not None or begins.error is None else _begun(lines, *begins.error)
    for name in reversed(lines.exprs):
        if isinstance(_softmax(lines.exprs[name], lines), N.softmax):
            lines.algebra.types[labels] = lines.algebra.types[name]
            return _one_hot(-N.Sum(Ref(labels, 0) * N.log(Ref(name, 0))), lines)
    return None


def _begun(lines: Lines, output: str, target: str) -> sp.Expr | None:
    """The loss of which output less target is the gradient: half its squares, or of a softmax's scores."""
    made, of, to = lines.exprs[output], Ref(output, 0), Ref(target, 0)
    lines.algebra.types[target] = lines.algebra.types[output]
    if isinstance(_softmax(made, lines), N.softmax):
        return _one_hot(-N.Sum(to * N.log(of)), lines)
    if isinstance(made, N.sigma):
        return None
    source = next(e.source for e in lines.run.equations if e.name == output)
    lines.run.kinds[source] = "forward", f"the loss is taken to be half the sum of ({output} - {target}) ** 2"
    return N.canonical(N.Sum((of - to) ** 2) / 2)


def _labelled(expr: sp.Expr) -> sp.Expr:
    """The log of the entry that a label chooses is the chosen one of the logs."""
    found = {}
    for node in expr.atoms(N.log):
        inner = node.args[0]
        if isinstance(inner, N.Sum) and isinstance(inner.args[0], sp.Mul):
            hot = [f for f in inner.args[0].args if isinstance(f, Ref)]
            label = next((f for f in hot if TARGETS.search(f.base)), hot[0] if len(hot) > 1 else None)
            if label is not None:
                found[node] = N.Sum(label * N.log(inner.args[0] / label))
    return expr.xreplace(found)


def _squares(lines: Lines) -> sp.Expr | None:
    """Half the squares of the one error, output less target, with which the pass ends."""
    exprs = lines.exprs
    read = [r.base for r in lines.read()]
    errors = []
    for equation in lines.run.equations:
        for term in sp.Add.make_args(exprs[equation.name]):
            target = -term
            fresh = isinstance(target, Ref) and target.lag == 0 and target.base not in exprs
            if fresh and read.count(target.base) == 1 and equation.name not in read:
                errors.append((equation, target))
    if len(errors) != 1 or not TARGETS.search(errors[0][1].base):
        return None
    ((error, target),) = errors
    output = exprs[error.name] + target
    if not isinstance(output, Ref):
        made = lines.before(error.name, "out")
        exprs[made.base], output = output, made
    lines.aliases[Ref(error.name, 0)] = output - target
    del exprs[error.name]
    lines.run.kinds[error.source] = "forward", "the loss is taken to be half the sum of its squares"
    return N.canonical(N.Sum((output - target) ** 2) / 2)


def _one_hot(loss: sp.Expr, lines: Lines) -> sp.Expr:
    """-sum(y log softmax(z)) as logsumexp(z) - sum(y z): the entries of a label add up to one."""
    for node in loss.atoms(N.Sum):
        logs = [f for f in sp.Mul.make_args(node.args[0]) if isinstance(f, (N.log, N.log_softmax))]
        if len(logs) != 1 or not isinstance(logs[0].args[0], Ref):
            continue
        name = logs[0].args[0].base
        made = _softmax(lines.exprs.get(name), lines)
        if isinstance(made, N.softmax):
            label, scores = node.args[0] / logs[0], _unshifted(made.args[0], lines)
            if not isinstance(scores, Ref):
                before = lines.before(name, "in")
                lines.exprs[before.base], scores = scores, before
            lines.aliases[Ref(name, 0)] = N.softmax(scores)
            loss = loss.xreplace({node: N.Sum(label * scores) - N.LogSumExp(scores)})
            del lines.exprs[name]
    return loss


def _softmax(expr: sp.Expr | None, lines: Lines) -> sp.Expr | None:
    """A quotient of exponentials that have names, ``e / e.sum()``, with them written out."""
    for _ in range(2):
        named = {r: lines.exprs[r.base] for r in expr.atoms(Ref) if r.base in lines.exprs} if expr else {}
        found = {r: x for r, x in named.items() if r.lag == 0 and (x.has(N.exp) or isinstance(x, N.Sum))}
        if not found or expr is None:
            break
        expr = expr.xreplace(found)
    return None if expr is None else N.canonical(expr)


def _unshifted(scores: sp.Expr, lines: Lines) -> sp.Expr:
    """Scores without a number that all have more or less, their largest as a rule: softmax is the same."""
    found = lines.exprs.get(scores.base, scores) if isinstance(scores, Ref) else scores
    shifts = [t for t in sp.Add.make_args(found) if any(isinstance(f, REDUCED) for f in sp.Mul.make_args(t))]
    if not shifts or not all(_number(t) for t in shifts):
        return scores
    return _unshifted(sp.Add(*(t for t in sp.Add.make_args(found) if t not in shifts)), lines)


def _number(term: sp.Expr) -> bool:
    """Whether a term is a number times reductions: the same for every entry."""
    return all(f.is_number or isinstance(f, REDUCED) for f in sp.Mul.make_args(term))
