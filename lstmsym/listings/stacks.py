"""Parameters of several gates in one array or dictionary, each under a name of its own.

``W[0] @ x``, ``W[1] @ x`` use two matrices, W_0 and W_1; so do ``W["i"]`` and ``U["i"]``, which share
nothing but a key.  Their gradients ``dW[0]``, or ``dW = np.stack([...])``, are told apart in the same way.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from lstmsym.listings.around import around
from lstmsym.listings.keys import called
from lstmsym.listings.naming import stems
from lstmsym.listings.plainer import made_of

STACKED = ("stack", "array", "asarray")
Keys = frozenset[int | str]


def unstacked(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with an own name for each of several parameters that are kept together."""
    loads, stores = _uses(body, ast.Load), _uses(body, ast.Store)
    given = {n: k for n, k in loads.items() if k and len(k) > 1 and n not in stores}
    arrays = _arrays(given, body)
    shared = _sharing(given)
    kept = arrays | shared | {n: k for n, k in stores.items() if k and k in set(shared.values())}
    if not kept:
        return body
    found = kept | {n: kept[s] for n in {*loads, *stores} for s in stems(n) if s in kept and n not in kept}
    return _block(body, _Own(found), arrays)


def _arrays(given: Mapping[str, Keys], body: Sequence[ast.stmt]) -> dict[str, Keys]:
    """Arrays of matrices, which are multiplied with, and of as many biases."""
    nodes = [n for s in body for n in ast.walk(s)]
    computed = {m for n in nodes if isinstance(n, ast.Assign) and not around(n.value) for m in _targets(n)}
    counted = {n: k for n, k in given.items() if k == frozenset(range(len(k))) and n not in computed}
    products = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)]
    factors = [f for n in products for f in (n.left, n.right)]
    factors += [
        f for n in nodes if isinstance(n, ast.Call) and called(n) in ("dot", "matmul") for f in _over(n)
    ]
    matrices = {_name(f.value) for f in map(_plain, factors) if isinstance(f, ast.Subscript)}
    sizes = {k for n, k in counted.items() if n in matrices}
    return {n: k for n, k in counted.items() if k in sizes}


def _targets(statement: ast.Assign) -> set[str]:
    ones = [e for t in statement.targets for e in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return {_name(one) for one in ones}


def _over(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]


def _plain(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node


def _sharing(given: Mapping[str, Keys]) -> dict[str, Keys]:
    """Dictionaries that are only read, under the same keys as another of them: parameters by gate."""
    words = {n: k for n, k in given.items() if all(isinstance(i, str) for i in k)}
    return {n: k for n, k in words.items() if sum(k == other for other in words.values()) > 1}


def _uses(body: Sequence[ast.stmt], how: type[ast.expr_context]) -> dict[str, Keys | None]:
    """Name -> the constants by which its entries are read or written; None where by others too."""
    found: dict[str, Keys | None] = {}
    for node in (n for s in body for n in ast.walk(s)):
        name = _name(node.value) if isinstance(node, ast.Subscript) and isinstance(node.ctx, how) else ""
        if name:
            key = None if getattr(node, "record", False) else _key(node)  # type: ignore[arg-type]
            before = found.get(name, frozenset())
            found[name] = None if key is None or before is None else before | {key}
    return found


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return ""


def _key(node: ast.Subscript) -> int | str | None:
    value = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return value if isinstance(value, int | str) and not isinstance(value, bool) else None


def _block(body: list[ast.stmt], own: _Own, arrays: Mapping[str, Keys]) -> list[ast.stmt]:
    made: list[ast.stmt] = []
    for statement in body:
        for name in ("body", "orelse"):
            block = getattr(statement, name, None)
            if isinstance(block, list):
                setattr(statement, name, _block(block, own, arrays))
        written = list(_written_out(statement, arrays))
        made += written or [own.visit(statement)]
    return made


def _written_out(statement: ast.stmt, arrays: Mapping[str, Keys]) -> Iterable[ast.stmt]:
    """``dW = np.stack([a, b])`` of as many as W holds, one by one."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    value = getattr(statement, "value", None)
    if not isinstance(target, ast.Name) or not isinstance(value, ast.Call) or called(value) not in STACKED:
        return
    parts = value.args[0].elts if value.args and isinstance(value.args[0], ast.List | ast.Tuple) else []
    if not any(len(parts) == len(arrays[s]) for s in stems(target.id) if s in arrays):
        return
    for index, part in enumerate(parts):
        yield made_of(ast.Assign([ast.Name(f"{target.id}_{index}", ast.Store())], part), statement)


class _Own(ast.NodeTransformer):
    """An entry by its own name."""

    def __init__(self, kept: Mapping[str, Keys]) -> None:
        self.kept = kept

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # its statements have been gone through

    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        name, key = _name(node.value), _key(node)
        if name not in self.kept or key not in self.kept[name]:
            return node
        return ast.copy_location(ast.Name(f"{name}_{key}", node.ctx), node)
