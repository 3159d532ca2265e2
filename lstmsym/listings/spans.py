"""Over which steps a loop runs, and in which direction, as far as its head says so."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from lstmsym.listings.statements import each

Bound = tuple[str, int]
"""A number of steps: a name, and what is added to it."""


@dataclass(frozen=True)
class Span:
    """The steps of a loop: from ``low`` to ``last``, both among them; None where the head is no range."""

    low: Bound | None = None
    last: Bound | None = None
    stride: int = 1
    backwards: bool | None = None
    """The direction; None where it is not known."""


def span(loop: ast.For) -> Span:
    """The steps of a loop over time."""
    source, turned = loop.iter, False
    while (inner := _inner(source)) is not None:
        source, turned = inner, turned != _turns(source)
    if not isinstance(source, ast.Call) or not isinstance(source.func, ast.Name):
        return replace(_all(source), backwards=True if turned else None)
    if source.func.id != "range" or not 1 <= len(source.args) <= 3:
        plain = source.func.id in ("enumerate", "zip") and "reversed" not in ast.unparse(source)
        if not plain or "-1" in ast.unparse(source):
            return Span()
        return replace(_all(source.args[0]) if len(source.args) else Span(), backwards=turned)
    first, stop, step = _range(source.args)
    if step is None or step == 0:
        return Span()
    if step > 0:
        made = Span(first, _less(stop, 1), step, turned)
    else:
        made = Span(_less(stop, -1), first, -step, not turned)
    return made if made.backwards or not _counts_down(loop) else Span()


def _all(series: ast.expr) -> Span:
    """The steps of a loop over all of a series."""
    if not isinstance(series, ast.Name | ast.Attribute):
        return Span()
    return Span(("", 0), (f"len({ast.unparse(series)})", -1))


def _inner(source: ast.expr) -> ast.expr | None:
    """What ``reversed(...)``, ``list(...)`` or ``[::-1]`` is applied to."""
    if isinstance(source, ast.Call) and getattr(source.func, "id", "") in ("reversed", "list", "tqdm"):
        return source.args[0] if source.args else None
    if isinstance(source, ast.Subscript) and ast.unparse(source.slice) == "::-1":
        return source.value
    return None


def _turns(source: ast.expr) -> bool:
    return isinstance(source, ast.Subscript) or getattr(getattr(source, "func", None), "id", "") == "reversed"


def _range(args: list[ast.expr]) -> tuple[Bound, Bound, int | None]:
    if len(args) == 1:
        return ("", 0), bound(args[0]), 1
    base, step = bound(args[2]) if len(args) == 3 else ("", 1)
    return bound(args[0]), bound(args[1]), None if base else step


def bound(node: ast.expr) -> Bound:
    """A bound as a name and a number: ``T - 1``, ``len(x)``, ``0``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        base, number = bound(node.operand)
        return ("", -number) if not base else (ast.unparse(node), 0)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return "", node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        (base, number), (other, more) = bound(node.left), bound(node.right)
        if not other:
            return base, number + (more if isinstance(node.op, ast.Add) else -more)
        if not base and isinstance(node.op, ast.Add):
            return other, number + more
    return ast.unparse(node), 0


def _less(value: Bound, number: int) -> Bound:
    return value[0], value[1] - number


def _counts_down(loop: ast.For) -> bool:
    """Whether a loop makes, of an index that grows, one that falls: ``t = T - 1 - k``."""
    names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    for node in (n for s in loop.body for n in ast.walk(s)):
        taken = node.right if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
            taken = node.operand
        if taken is not None and bound(taken)[0] in names:
            return True
    return False


def time_loops(block: tuple[ast.stmt, ...]) -> list[ast.For]:
    """The loops of a block that are no loops over names."""
    return [s for s in each(block) if isinstance(s, ast.For) and not isinstance(s.iter, ast.List | ast.Tuple)]


def show(value: Bound) -> str:
    """A bound as it is written."""
    base, number = value
    if not base:
        return str(number)
    return base if number == 0 else f"{base} {'+' if number > 0 else '-'} {abs(number)}"
