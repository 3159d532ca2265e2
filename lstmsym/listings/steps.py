"""Subscripts apart: which index is a step of time, and which are of the array at that step."""

from __future__ import annotations

import ast

from lstmsym.listings.around import is_size
from lstmsym.listings.keys import MODULES, key_of
from lstmsym.listings.scope import Scope
from lstmsym.listings.source import ListingError

UNLABELLED = {"argmax", "range", "arange", "len", "int", "zip"} | MODULES
"""What stands in an index and is not the label by which it chooses."""


def place(node: ast.Subscript, scope: Scope) -> tuple[str | None, list[ast.expr], int | None]:
    """(name, the indices that are not the step, the step) of ``h[t-1]``, ``h[:, :, t]``."""
    elements = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    base = key_of(node.value)
    if base is None or isinstance(scope.names.get(base), list):
        return base, elements, None
    for index, element in enumerate(elements):
        lag = step_of(element, scope)
        if lag is None and base in scope.series and len(elements) == 1:
            lag = end_step(element)
        if lag is not None:
            return base, elements[:index] + elements[index + 1 :], lag
    return base, elements, None


def step_of(node: ast.AST, scope: Scope) -> int | None:
    """An index that is a step: t, t - 1, t + 1."""
    if isinstance(node, ast.Name):
        past = 0 if node.id in scope.past and not scope.loops else None
        return scope.loops.get(node.id, past)
    if scope.past and not scope.loops and _is_last(node):
        return 0
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left, right = step_of(node.left, scope), node.right
        if left is not None and isinstance(right, ast.Constant) and isinstance(right.value, int):
            return left + (right.value if isinstance(node.op, ast.Add) else -right.value)
    return None


def end_step(node: ast.AST) -> int | None:
    """A fixed step, where a series is read outside its loop: 0 is the first, -1 the one before."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if value in (0, -1) and not isinstance(value, bool) else None


def label(indices: list[ast.expr], scope: Scope) -> str:
    """The name of the labels by which entries are chosen."""
    skip = UNLABELLED | set(scope.loops)
    for index in indices:
        if isinstance(index, (ast.Slice, ast.Constant)):
            continue
        for node in ast.walk(index):
            key = key_of(node)
            if key and key not in skip and not (isinstance(node, ast.Attribute) and node.attr in skip):
                return key
    raise ListingError("an index that is neither a step, a slice nor a label")


def _is_last(node: ast.AST) -> bool:
    """``T - 1``, ``len(x) - 1``: the last step."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    one = isinstance(node.right, ast.Constant) and node.right.value == 1
    return one and (isinstance(node.left, ast.Name | ast.Attribute) or is_size(node.left))
