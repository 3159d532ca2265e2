"""``target += value``: what it adds to, and what it adds that is no gradient of the loop's."""

from __future__ import annotations

import ast

from lstmsym.listings.arrays import Array
from lstmsym.listings.findings import Part
from lstmsym.listings.keys import key_of, whole_key
from lstmsym.listings.names import Names
from lstmsym.listings.scope import ZERO
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import label, place
from lstmsym.notation import Ref


def from_outside(names: Names, statement: ast.AugAssign) -> bool:
    """``dh[T - 1] += dhn`` before the loop: what comes to one step only."""
    target, value = statement.target, statement.value
    if (
        names.loop is not None
        or not isinstance(target, ast.Subscript)
        or not isinstance(statement.op, ast.Add)
    ):
        return False
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and not value.args:
        value = value.func.value
    key = key_of(value)
    known = key is None or key in names.known or key in names.scope.names
    return isinstance(target.slice, ast.BinOp | ast.UnaryOp) and not known


def labelled(names: Names, target: ast.Subscript, value: ast.expr) -> bool:
    """``dy[target] -= 1``: the one-hot target is taken off."""
    indices = place(target, names.scope)[1] if isinstance(value, ast.Constant) else []
    return any(not isinstance(i, (ast.Slice, ast.Constant)) for i in indices)


def one_hot(names: Names, statement: ast.AugAssign) -> Array:
    """The one-hot target."""
    assert isinstance(statement.target, ast.Subscript)
    key = label(place(statement.target, names.scope)[1], names.scope)
    labels = names.forward.cell.role("target")
    if not labels:
        raise ListingError(f"what {key} is a target of is not said")
    ref = names.forward.rename.get(Ref(key, 0), labels[0].now)
    step = names.reader.array(statement.value).expr
    return Array(step * ref, names.reader.algebra.vector, names.truth.dims(ref))


def before(names: Names, target: ast.expr, added: Array) -> list[Part]:
    """What a ``+=`` without an assignment before it adds to."""
    family = names.gradients.family(whole_key(target), target)
    if any(f.lag is None for f in family) or added.form == "ff":
        return []
    key = key_of(target)
    if key and names.scope.names.get(key) is ZERO:
        return []
    if isinstance(target, ast.Subscript) and (place(target, names.scope)[2] or 0) < 0:
        return []
    value = names.reader(target)
    return [] if value is ZERO else [Part(ast.Pass(), names.reader.as_array(value), begins=True)]
