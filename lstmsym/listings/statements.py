"""Statements of a listing: what they assign to, what stands in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lstmsym.listings.keys import key_of, whole_key


def targets(node: ast.AST) -> list[ast.expr]:
    """What a statement assigns to, one by one."""
    if isinstance(node, ast.Assign):
        return [one for t in node.targets for one in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []


def assigned(statement: ast.AST) -> list[str]:
    """The names that an assignment sets whole, and not by adding to them."""
    ones = targets(statement) if isinstance(statement, ast.Assign) else []
    return [key for one in ones if (key := key_of(one))]


def written(node: ast.AST) -> list[str]:
    """The names that a statement sets, changes or sets a part of."""
    return [key for one in targets(node) if (key := whole_key(one))]


def each(block: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those inside them, each once."""
    for statement in block:
        yield statement
        for inner in inner_blocks(statement):
            yield from each(inner)


def blocks(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """A block and all those inside it."""
    yield block
    for statement in block:
        for inner in inner_blocks(statement):
            yield from blocks(inner)


def inner_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """What a statement holds: of a loop, a condition or a function."""
    for name in ("body", "orelse"):
        inner = getattr(statement, name, None)
        if isinstance(inner, list) and inner:
            yield inner


@lru_cache(maxsize=2048)
def texts(node: ast.AST) -> frozenset[str]:
    """The names, attributes and subscripts that a node holds, as they stand."""
    found = {
        ast.unparse(n) for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))
    }
    return frozenset(found)


def goes_on(text: str, rest: list[ast.stmt]) -> bool:
    """Whether a later statement of the block adds to a value before anything reads it."""
    for statement in rest:
        if isinstance(statement, ast.AugAssign):
            target = statement.target
            inner = ast.unparse(target.value) if isinstance(target, ast.Subscript) else ""
            if ast.unparse(target) == text or (inner == text and isinstance(statement.value, ast.Constant)):
                return isinstance(statement.op, (ast.Add, ast.Sub)) and text not in texts(statement.value)
            if text in texts(statement.value):
                return False
        elif isinstance(statement, ast.Assign):
            if text in texts(statement.value) or any(ast.unparse(t) == text for t in statement.targets):
                return False
        elif text in texts(statement):
            return False
    return False
