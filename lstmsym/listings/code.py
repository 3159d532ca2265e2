"""The statements of a backward pass, and what can be said of them before they are executed."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lstmsym.listings.keys import key_of, keys_in
from lstmsym.listings.statements import blocks, each, targets, texts


@dataclass(frozen=True)
class Code:
    """The backward statements, the helper functions, and what the functions of the listing are called."""

    statements: tuple[ast.stmt, ...]
    helpers: Mapping[str, ast.FunctionDef] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    @cached_property
    def sums_samples(self) -> bool:
        """Whether a statement holds a sum along an axis."""
        calls = (n for s in self.statements for n in ast.walk(s) if isinstance(n, ast.Call))
        sums = (c for c in calls if getattr(c.func, "attr", "") in ("sum", "mean"))
        return any(k.arg in ("axis", "dim") for c in sums for k in c.keywords)

    @cached_property
    def first_assigned(self) -> dict[str, int]:
        """Name -> the line that assigns it first; 0 where that line reads it."""
        found: dict[str, int] = {}
        for statement in each(self.statements):
            value = getattr(statement, "value", None)
            read = keys_in(value) if value is not None else set()
            for key in filter(None, map(key_of, targets(statement))):
                fresh = key not in read and not isinstance(statement, ast.AugAssign)
                found.setdefault(key, statement.lineno if fresh else 0)
        return found

    @cached_property
    def spelled(self) -> dict[str, str]:
        """Name -> how the statements write it first."""
        found: dict[str, str] = {}
        for statement in self.statements:
            for node in ast.walk(statement):
                key = key_of(node)
                if key and not isinstance(node, ast.Subscript):
                    found.setdefault(key, ast.unparse(node))
        return found

    @cached_property
    def _after(self) -> dict[int, list[ast.stmt]]:
        found: dict[int, list[ast.stmt]] = {}
        for block in blocks(list(self.statements)):
            for index, statement in enumerate(block):
                found.setdefault(id(statement), block[index + 1 :])
        return found

    def after(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements after one, in its block."""
        return self._after.get(id(statement), [])

    def carried_on(self, text: str, statement: ast.stmt) -> bool:
        """Whether the next statement that writes a name reads it first."""
        for later in self.after(statement):
            if isinstance(later, ast.AugAssign) and ast.unparse(later.target) == text:
                return True
            if isinstance(later, ast.Assign):
                reads = text in texts(later.value)
                if any(ast.unparse(t) == text for t in later.targets):
                    return reads
                if reads:
                    return False
        return False
