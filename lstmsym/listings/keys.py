"""The names of a listing: what a node is called, whatever object holds it."""

from __future__ import annotations

import ast

from lstmsym.listings.naming import kept

MODULES = {"np", "numpy", "math", "cp", "torch", "F", "scipy", "jnp", "self"}
VALUES, ADJOINTS = ("v", "value", "val", "data"), ("grad", "d", "diff", "gradient")
"""What an object that is a parameter calls its value and its gradient: ``p.W.v``, ``p.W.d``."""


def key_of(node: ast.AST) -> str | None:
    """The name that a node is: ``h``, ``self.state.h``, ``cache["h"]`` are all h."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and node.attr != "T":
        return _attribute(node)
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        return kept(key_of(node.value) or "", node.slice.value)
    return None


def _attribute(node: ast.Attribute) -> str | None:
    base = node.value
    while isinstance(base, ast.Attribute):
        base = base.value
    owner = key_of(node.value) if node.attr in (*VALUES, *ADJOINTS) else None
    held = isinstance(node.value, ast.Attribute) or node.attr in ("grad", "data", "value")
    if owner and owner != "self" and held:
        return f"{owner}_grad" if node.attr in ADJOINTS else owner
    return node.attr if isinstance(base, ast.Name) and base.id not in MODULES - {"self"} else None


def whole_key(node: ast.AST | None) -> str | None:
    """The same of a target, or of the array of which it is a part: ``dW[:, :n]`` is a part of dW."""
    if node is None:
        return None
    return key_of(node) or (key_of(node.value) if isinstance(node, ast.Subscript) else None)


def called(call: ast.Call) -> str:
    """The function that is called, whatever holds it."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def keys_in(node: ast.AST) -> set[str]:
    """All names that stand in a node."""
    return {key for inner in ast.walk(node) if (key := key_of(inner))}
