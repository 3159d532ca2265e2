"""Lists that a loop over the steps appends to, written with the step: ``h.append(e)`` is ``h[t + 1] = e``.

A list that begins empty has at t what step t appends, one that begins with the initial state has it at
t + 1; ``h[-1]`` is what was appended last.
"""

from __future__ import annotations

import ast
import copy

from lstmsym.listings.plainer import made_of


def appended(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with such lists written out."""
    begun: dict[str, ast.Assign] = {}
    made: list[ast.stmt] = []
    for statement in body:
        for name in ("body", "orelse"):
            block = getattr(statement, name, None)
            if isinstance(block, list) and not isinstance(statement, ast.For):
                setattr(statement, name, appended(block))
        begun |= _begun(statement)
        index = _index(statement) if isinstance(statement, ast.For) else None
        if isinstance(statement, ast.For) and index is not None:
            firsts = {k: s for k, s in begun.items() if _count(statement, k) == 1}
            for key, first in firsts.items():
                size = len(first.value.elts) if isinstance(first.value, ast.List) and _own(first, key) else 0
                statement.body = _written(statement.body, key, index, size)
                if size:
                    made = [_initial(s, key) if s is first else s for s in made]
        made.append(statement)
    return made


def _begun(statement: ast.stmt) -> dict[str, ast.Assign]:
    """Names that begin as a list of nothing, or of the initial value."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return {}
    target, value = statement.targets[0], statement.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = list(zip(target.elts, value.elts, strict=True))
    return {
        ast.unparse(t): statement
        for t, v in pairs
        if isinstance(v, ast.List) and len(v.elts) <= (1 if len(pairs) == 1 else 0)
    }


def _own(first: ast.Assign, key: str) -> bool:
    return ast.unparse(first.targets[0]) == key


def _index(loop: ast.For) -> ast.expr | None:
    """The step of a loop that runs forwards: ``for t in range(T)``, ``for t, x in enumerate(xs)``."""
    if not isinstance(loop.iter, ast.Call) or not isinstance(loop.iter.func, ast.Name):
        return None
    kind, target = loop.iter.func.id, loop.target
    first = loop.iter.args[0] if loop.iter.args else None
    simple = len(loop.iter.args) == 1 or (isinstance(first, ast.Constant) and first.value == 0)
    if kind == "range" and isinstance(target, ast.Name) and len(loop.iter.args) < 3 and simple:
        return target
    if kind == "enumerate" and isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name):
        return target.elts[0]
    return None


def _added(statement: ast.AST, key: str) -> ast.expr | None:
    """What a statement appends to a list."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
        return None
    return call.args[0] if call.func.attr == "append" and ast.unparse(call.func.value) == key else None


def _count(loop: ast.For, key: str) -> int:
    """How often each step appends to a list, anything but once and always being many."""
    everywhere = sum(_added(s, key) is not None for s in ast.walk(loop))
    return everywhere if everywhere == sum(_added(s, key) is not None for s in loop.body) else 2


def _written(block: list[ast.stmt], key: str, index: ast.expr, size: int) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    done = False
    for statement in block:
        new: ast.stmt = _Last(key, index, size if done else size - 1).visit(statement)
        value = _added(new, key)
        if value is not None:
            place = ast.Subscript(ast.parse(key, mode="eval").body, _step(index, size), ast.Store())
            new, done = made_of(ast.Assign([place], value), new), True
        made.append(new)
    return made


def _initial(first: ast.stmt, key: str) -> ast.stmt:
    """``h = [h0]`` as ``h[0] = h0``."""
    assert isinstance(first, ast.Assign) and isinstance(first.value, ast.List)
    place = ast.Subscript(ast.parse(key, mode="eval").body, ast.Constant(0), ast.Store())
    return made_of(ast.Assign([place], first.value.elts[0]), first)


def _step(index: ast.expr, offset: int) -> ast.expr:
    index = copy.deepcopy(index)
    index.ctx = ast.Load()  # type: ignore[attr-defined]
    if offset == 0:
        return index
    return ast.BinOp(index, ast.Add() if offset > 0 else ast.Sub(), ast.Constant(abs(offset)))


class _Last(ast.NodeTransformer):
    """``h[-1]`` as the step that was appended last."""

    def __init__(self, key: str, index: ast.expr, offset: int) -> None:
        self.key, self.index, self.offset = key, index, offset

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.value) == self.key and ast.unparse(node.slice) == "-1":
            node.slice = ast.copy_location(_step(self.index, self.offset), node.slice)
            ast.fix_missing_locations(node)
        return node
