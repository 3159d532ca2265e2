"""With what a backward pass begins that states no loss: labels taken off a softmax, output less target."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lstmsym.listings.arrays import Array
from lstmsym.listings.forward import Run
from lstmsym.listings.keys import key_of, whole_key
from lstmsym.listings.objective import TARGETS, Begins
from lstmsym.listings.outline import Outline
from lstmsym.listings.statements import each, written
from lstmsym.notation import Ref


def begins(plan: Outline, run: Run) -> Begins:
    """What the backward pass says of the loss."""
    labels = _labels(plan)
    pairs = set() if labels else set(_errors(plan, run))
    return Begins(labels, next(iter(pairs)) if len(pairs) == 1 else None)


def _labels(plan: Outline) -> str | None:
    """The labels that the backward pass takes off a softmax."""
    for statement in each(plan.backward):
        if (
            isinstance(statement, ast.AugAssign)
            and isinstance(statement.op, ast.Sub)
            and isinstance(statement.target, ast.Subscript)
            and isinstance(statement.value, ast.Constant)
        ):
            for node in ast.walk(statement.target.slice):
                key = key_of(node)
                if key and key not in ("argmax", "np", "range", "arange", "t", "int"):
                    return key
    return None


def _errors(plan: Outline, run: Run) -> Iterator[tuple[str, str]]:
    """Outputs of the forward pass of which the backward pass takes a target that is given."""
    statements = list(each(plan.backward))
    entries = {
        key_of(s.targets[0]): whole_key(s.value) or ""
        for s in statements
        if isinstance(s, ast.Assign) and isinstance(s.value, ast.Subscript)
    }
    known = {*run.scope.names, *run.scope.series, *(k for s in statements for k in written(s))}
    for node in (n for s in plan.backward for n in ast.walk(s)):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
            continue
        lefts, right = [whole_key(t) or "" for t in _terms(node.left)], whole_key(node.right) or ""
        right = entries.get(right, right)
        pairs = [(entries.get(left, left), right) for left in lefts]
        for output, target in (*pairs, *(pair[::-1] for pair in pairs)):
            quantity = _quantity(output, run)
            if quantity and target not in known and TARGETS.search(target):
                yield quantity, target


def _terms(node: ast.expr) -> list[ast.expr]:
    """What a sum adds up."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def _quantity(key: str, run: Run) -> str:
    """The quantity that a name stands for after the forward pass."""
    value = run.scope.series.get(key, {}).get(0, run.scope.names.get(key))
    ref = value.expr if isinstance(value, Array) else None
    defined = {e.name for e in run.equations}
    return ref.base if isinstance(ref, Ref) and ref.lag == 0 and ref.base in defined else ""
