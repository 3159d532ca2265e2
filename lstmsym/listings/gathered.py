"""Sums over the steps and outer products, written in one way.

``dW = dW + e`` in a loop that does nothing else to dW is ``dW += e``, and 0 is zeros to begin with;
``a[:, None] @ b[None, :]`` and the same with ``reshape`` are ``np.outer(a, b)``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from lstmsym.listings.keys import called
from lstmsym.listings.plainer import made_of
from lstmsym.listings.statements import blocks, each, targets, texts

GRADIENT = re.compile(r"(?:self\.)?(?:d|grad|delta|g_)", re.I)
COLUMN, ROW = ("-1", "1"), ("1", "-1")


def gathered(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with sums over the steps and outer products in their usual forms."""
    body = [_Outer().visit(s) for s in body]
    for block in blocks(body):
        for index, statement in enumerate(block):
            if isinstance(statement, ast.For):
                for text in _gathers(statement):
                    _replace(statement.body, text)
                    _begin(block[:index], block, text)
    return body


def _gathers(loop: ast.For) -> list[str]:
    """What a loop does nothing to but to add."""
    found: dict[str, bool] = {}
    for statement in each(loop.body):
        for target in targets(statement):
            text = ast.unparse(target)
            adds = isinstance(statement, ast.AugAssign) or _added(statement, text) is not None
            found[text] = found.get(text, True) and adds
    return [t for t, only in found.items() if only and GRADIENT.match(t) and _whole(t) and not _read(loop, t)]


def _whole(text: str) -> bool:
    """Whether a target is no step of a series: a name, or an entry by its name."""
    return "[" not in text or bool(re.search(r"\[['\"]\w+['\"]\]$", text))


def _read(loop: ast.For, text: str) -> bool:
    """Whether a loop reads what it adds to, elsewhere than where it adds."""
    for statement in each(loop.body):
        if isinstance(statement, ast.For | ast.If | ast.With):
            continue
        value = _added(statement, text) or getattr(statement, "value", None)
        if value is not None and text in texts(value):
            return True
    return False


def _added(statement: ast.stmt, text: str) -> ast.expr | None:
    """What ``x = x + e`` adds to x, or ``x = x - e`` takes off it."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    value = statement.value
    if ast.unparse(statement.targets[0]) != text or not isinstance(value, ast.BinOp):
        return None
    if isinstance(value.op, ast.Add | ast.Sub) and ast.unparse(value.left) == text:
        return value.right
    return value.left if isinstance(value.op, ast.Add) and ast.unparse(value.right) == text else None


def _replace(body: list[ast.stmt], text: str) -> None:
    for block in blocks(body):
        for index, statement in enumerate(block):
            value = _added(statement, text)
            if value is not None and isinstance(statement, ast.Assign):
                target, operator = statement.targets[0], statement.value.op  # type: ignore[attr-defined]
                block[index] = made_of(ast.AugAssign(target, operator, value), statement)  # type: ignore[arg-type]


def _begin(before: Sequence[ast.stmt], block: list[ast.stmt], text: str) -> None:
    """0 as zeros, where a sum begins."""
    for index, statement in enumerate(before):
        value = statement.value if isinstance(statement, ast.Assign) else None
        zero = isinstance(value, ast.Constant) and type(value.value) in (int, float) and value.value == 0
        if zero and isinstance(statement, ast.Assign) and text in map(ast.unparse, statement.targets):
            zeros = ast.parse(f"np.zeros_like({text})", mode="eval").body
            block[index] = made_of(ast.Assign(statement.targets, zeros), statement)


class _Outer(ast.NodeTransformer):
    """Products of a column and a row, made of vectors, as outer products."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        made = _outer(node.left, node.right) if isinstance(node.op, ast.MatMult | ast.Mult) else None
        if made is None and isinstance(node.op, ast.Mult):
            made = _outer(node.right, node.left)
        return node if made is None else ast.fix_missing_locations(ast.copy_location(made, node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if called(node) not in ("dot", "matmul") or not isinstance(node.func, ast.Attribute):
            return node
        sides = node.args if len(node.args) == 2 else [node.func.value, *node.args]
        made = _outer(*sides) if len(sides) == 2 else None
        return node if made is None else ast.fix_missing_locations(ast.copy_location(made, node))


def _outer(left: ast.expr, right: ast.expr) -> ast.expr | None:
    """The outer product that a column and a row make."""
    column, row = _stood(left, COLUMN), _stood(right, ROW)
    if column is None or row is None:
        return None
    return ast.Call(ast.parse("np.outer", mode="eval").body, [column, row], [])


def _stood(node: ast.expr, sizes: tuple[str, str]) -> ast.expr | None:
    """The vector that is made a column or a row."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        axes = tuple("-1" if ast.unparse(e) == ":" else _new(e) for e in node.slice.elts)
        return node.value if axes == sizes else None
    if (
        not isinstance(node, ast.Call)
        or called(node) != "reshape"
        or not isinstance(node.func, ast.Attribute)
    ):
        return None
    of_module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    vector = node.args[0] if of_module and node.args else node.func.value
    shape = node.args[1:] if of_module else node.args
    if len(shape) == 1 and isinstance(shape[0], ast.Tuple | ast.List):
        shape = shape[0].elts
    return vector if tuple(map(ast.unparse, shape)) == sizes else None


def _new(node: ast.expr) -> str:
    return "1" if ast.unparse(node) in ("None", "np.newaxis", "numpy.newaxis") else ""
