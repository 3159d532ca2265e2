"""Numerical checks of gradients, plots and the like: code that tries a listing out and claims nothing."""

from __future__ import annotations

import ast


def tries_out(tree: ast.AST) -> bool:
    """Whether code compares a loss before and after a small step: a difference by twice a step, or by one.

    ``(up - down) / (2 * eps)``: the quotient of a difference of two values by a number, times two.
    """
    return any(_quotient(node) for node in ast.walk(tree))


def _quotient(node: ast.AST) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
        return False
    return _difference(node.left) and _twice(node.right)


def _difference(node: ast.expr) -> bool:
    """``up - down``, ``f(x + h) - f(x - h)``, ``np.sum((pos - neg) * df)``."""
    found = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)]
    return any(_value(n.left) and _value(n.right) for n in found)


def _value(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Call)


def _twice(node: ast.expr) -> bool:
    """``2 * eps``, ``(eps * 2.0)``: a small step, which is a name or a small number, from both sides."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return False
    sides = (node.left, node.right)
    two = any(isinstance(s, ast.Constant) and s.value == 2 for s in sides)
    steps = [s for s in sides if not (isinstance(s, ast.Constant) and s.value == 2)]
    return two and all(isinstance(s, ast.Name | ast.Attribute | ast.Constant) for s in steps)
