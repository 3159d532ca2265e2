"""Loops over time: what their variables stand for, what they carry, which series they fill."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from lstmsym.listings.expressions import Reader
from lstmsym.listings.keys import called, key_of
from lstmsym.listings.scope import Scope
from lstmsym.listings.source import ListingError
from lstmsym.listings.statements import assigned, targets, written
from lstmsym.listings.steps import place


def bind_loop(statement: ast.For, reader: Reader) -> None:
    """The variables of a loop: its index is the step, an element the series at that step."""
    target, source = statement.target, statement.iter
    scope = reader.scope
    while (inner := _turned(source)) is not None:
        source = inner
    name = getattr(source.func, "id", "") if isinstance(source, ast.Call) else ""
    over = source.args if isinstance(source, ast.Call) else []
    if name == "range" and isinstance(target, ast.Name):
        scope.loops[target.id] = 0
    elif name == "enumerate" and isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Name):
        scope.loops[target.elts[0].id] = 0
        _element(target.elts[1], over[0], reader)
    elif name == "zip" and isinstance(target, ast.Tuple):
        scope.loops[" "] = 0
        for one, series in zip(target.elts, over, strict=False):
            _element(one, series, reader)
    elif isinstance(target, ast.Name):
        scope.loops[" "] = 0
        _element(target, source, reader)
    else:
        raise ListingError("a loop that is not over the steps is not read")


def _turned(source: ast.expr) -> ast.expr | None:
    """What a loop runs over, without ``reversed(...)``, ``list(...)`` and ``[::-1]``."""
    if isinstance(source, ast.Call) and getattr(source.func, "id", "") in ("reversed", "list", "tqdm"):
        return source.args[0] if source.args else None
    if isinstance(source, ast.Subscript) and ast.unparse(source.slice) == "::-1":
        return source.value
    return None


def _element(target: ast.expr, series: ast.expr, reader: Reader) -> None:
    key = key_of(series)
    if not isinstance(target, ast.Name) or key is None:
        raise ListingError("a loop that is not over the steps is not read")
    reader.scope.names[target.id] = reader.step(key, 0)


def carried_names(body: list[ast.stmt]) -> list[str]:
    """Names that a loop reads before it assigns them, and assigns otherwise than by adding up."""
    read: dict[str, None] = {}
    done: set[str] = set()
    carried: dict[str, None] = {}
    sometimes = _sometimes(body)
    for statement in _flat(body):
        parts = statement.value if isinstance(statement, (ast.Assign, ast.AugAssign)) else statement
        keys = [key_of(node) for node in ast.walk(parts)] if parts is not None else []
        keys += [key_of(statement.target)] if isinstance(statement, ast.AugAssign) else []
        read |= {key: None for key in keys if key and key not in done}
        for key in assigned(statement):
            if key in read and key not in done:
                carried[key] = None
            if id(statement) not in sometimes:
                done.add(key)
    return list(carried)


def _sometimes(body: list[ast.stmt]) -> set[int]:
    """The statements, by their identity, that set a name to zero at some steps and leave it at the others."""
    found: set[int] = set()
    for choice in (s for s in body if isinstance(s, ast.If) and not s.orelse):
        found |= {id(s) for s in choice.body if isinstance(s, ast.Assign) and is_zeros(s.value)}
    return found


def is_zeros(value: ast.expr) -> bool:
    """Whether a value is an array of zeros."""
    return isinstance(value, ast.Call) and called(value) in ("zeros", "zeros_like")


def assigned_steps(body: list[ast.stmt], scope: Scope) -> dict[str, int]:
    """Series -> the step, from the loop's own, at which a loop assigns it."""
    found: dict[str, int] = {}
    stored = (one for s in _flat(body) if isinstance(s, ast.Assign) for one in targets(s))
    for one in stored:
        base, _, lag = place(one, scope) if isinstance(one, ast.Subscript) else (None, [], None)
        if base is not None and lag is not None:
            found[base] = lag
    return found


def conditional(loop: ast.For) -> set[int]:
    """The statements of a loop that stand under a condition, by their identity."""
    under = (n for n in ast.walk(loop) if isinstance(n, ast.If))
    return {id(s) for n in under for s in ast.walk(n)}


def read_names(loop: ast.For) -> set[str]:
    """The names that a loop reads."""
    nodes = (n for s in loop.body for n in ast.walk(s) if isinstance(getattr(n, "ctx", ast.Load()), ast.Load))
    return {key for n in nodes if (key := key_of(n))}


def last_lines(loop: ast.For) -> dict[str, int]:
    """Name -> the line of a loop that sets it, or a part of it, last."""
    return {key: s.lineno for s in ast.walk(loop) if isinstance(s, ast.stmt) for key in written(s)}


def stored_series(loop: ast.For) -> set[str]:
    """What a loop assigns to by index."""
    nodes = (n for n in ast.walk(loop) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store))
    return {key for n in nodes if (key := key_of(n.value))}


def is_over_names(loop: ast.For) -> bool:
    """``for d in [dW, db]: np.clip(d, -1, 1, out=d)``: a loop that is not over time."""
    calls = all(isinstance(s, (ast.Expr, ast.Pass)) for s in loop.body)
    return isinstance(loop.target, ast.Name) and (calls or isinstance(loop.iter, (ast.List, ast.Tuple)))


def _flat(body: list[ast.stmt]) -> Iterable[ast.stmt]:
    for statement in body:
        if isinstance(statement, (ast.If, ast.With)):
            yield from _flat([*statement.body, *getattr(statement, "orelse", [])])
        else:
            yield statement
