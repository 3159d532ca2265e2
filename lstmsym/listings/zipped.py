"""Loops over what steps have left, several lists side by side, written with the step.

``for (x, h), g in zip(reversed(tape), reversed(gs))`` takes x and h from ``tape[t]`` and g from ``gs[t]``,
t running backwards; ``for x in xs`` takes ``xs[t]`` where something else than x needs the step.
"""

from __future__ import annotations

import ast
import copy

from lstmsym.listings.plainer import made_of

STEP = "step_"
"""The step of a loop that has no name for it."""


def indexed(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with such loops written with the step."""
    for statement in body:
        for name in ("body", "orelse"):
            block = getattr(statement, name, None)
            if isinstance(block, list):
                setattr(statement, name, indexed(block))
    return [_indexed(s) if isinstance(s, ast.For) else s for s in body]


def _indexed(loop: ast.For) -> ast.For:
    """A loop over lists side by side of which one gives several values, or that appends to a list."""
    target, source, step = _counted(loop)
    parts = _parts(target, source)
    if parts is None:
        return loop
    turned = {backwards for _, _, backwards in parts}
    several = any(isinstance(target, ast.Tuple) for target, _, _ in parts)
    each = len(parts) > 1 and (True in turned or step != STEP)
    if len(turned) > 1 or not (several or each or _appends(loop)):
        return loop
    made: list[ast.stmt] = []
    for target, series, _ in parts:
        entry = ast.Subscript(copy.deepcopy(series), ast.Name(step, ast.Load()), ast.Load())
        made.append(made_of(ast.Assign([_stored(target)], entry), loop))
    for statement in made:
        statement.origin = None  # type: ignore[attr-defined]
    steps: ast.expr = _call("range", _call("len", copy.deepcopy(parts[0][1])))
    steps = _call("reversed", steps) if True in turned else steps
    loop.target, loop.iter = ast.Name(step, ast.Store()), steps
    loop.body = [*made, *loop.body]
    return ast.fix_missing_locations(loop)


def _counted(loop: ast.For) -> tuple[ast.expr, ast.expr, str]:
    """What a loop binds, over what, and its step: ``for t, (x, y) in enumerate(zip(xs, ys))`` counts it."""
    target, source = loop.target, loop.iter
    counts = isinstance(source, ast.Call) and getattr(source.func, "id", "") == "enumerate"
    pair = target.elts if isinstance(target, ast.Tuple) and len(target.elts) == 2 else []
    if counts and pair and isinstance(pair[0], ast.Name) and isinstance(pair[1], ast.Tuple):
        return pair[1], source.args[0], pair[0].id  # type: ignore[attr-defined]
    return target, source, STEP


def _parts(target: ast.expr, source: ast.expr) -> list[tuple[ast.expr, ast.expr, bool]] | None:
    """(what is bound, to an entry of which list, whether from the last on) of each list of a loop."""
    source, backwards = _turned(source)
    if isinstance(source, ast.Call) and getattr(source.func, "id", "") == "zip":
        if not isinstance(target, ast.Tuple) or len(target.elts) != len(source.args):
            return None
        pairs = list(zip(target.elts, source.args, strict=True))
    elif isinstance(source, ast.Name | ast.Attribute) and isinstance(target, ast.Name | ast.Tuple):
        pairs = [(target, source)]
    else:
        return None
    found: list[tuple[ast.expr, ast.expr, bool]] = []
    for one, series in pairs:
        inner, turned = _turned(series)
        if not isinstance(inner, ast.Name | ast.Attribute) or not isinstance(one, ast.Name | ast.Tuple):
            return None
        found.append((one, inner, backwards != turned))
    return found


def _turned(source: ast.expr) -> tuple[ast.expr, bool]:
    """What is run over, without ``reversed(...)``, ``list(...)`` and ``[::-1]``; whether backwards."""
    backwards = False
    while True:
        name = getattr(source.func, "id", "") if isinstance(source, ast.Call) else ""
        if isinstance(source, ast.Call) and name in ("reversed", "list") and len(source.args) == 1:
            source, backwards = source.args[0], backwards != (name == "reversed")
        elif isinstance(source, ast.Subscript) and ast.unparse(source.slice) == "::-1":
            source, backwards = source.value, not backwards
        else:
            return source, backwards


def _appends(loop: ast.For) -> bool:
    """Whether a loop appends to a list."""
    calls = [n.func for n in ast.walk(loop) if isinstance(n, ast.Call)]
    return any(isinstance(f, ast.Attribute) and f.attr == "append" for f in calls)


def _stored(target: ast.expr) -> ast.expr:
    made = copy.deepcopy(target)
    for node in ast.walk(made):
        if isinstance(node, ast.Name | ast.Tuple):
            node.ctx = ast.Store()
    return made


def _call(name: str, argument: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), [argument], [])
