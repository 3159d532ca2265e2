"""A helper function that computes by cases, as its cases: a sigmoid that avoids overflow has two that agree.

``if x >= 0: ... else: ...`` and masks, ``z[x >= 0] = ...; z[x < 0] = ...``, both divide what comes in.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass

UP, DOWN = (ast.Gt, ast.GtE), (ast.Lt, ast.LtE)


@dataclass(frozen=True)
class Cases:
    """What a function does where something is larger than something else, and where it is not."""

    larger: ast.expr
    than: ast.expr
    bodies: tuple[list[ast.stmt], list[ast.stmt]]


def cases(function: ast.FunctionDef) -> Cases | None:
    """The two cases of a function; None for one that distinguishes none, or more."""
    tests = [n for n in ast.walk(function) if isinstance(n, ast.Compare) and len(n.ops) == 1]
    sides = {(ast.unparse(n.left), ast.unparse(n.comparators[0])) for n in tests}
    if len(sides) != 1 or not all(isinstance(n.ops[0], UP + DOWN) for n in tests):
        return None
    true, false = (_Case(holds).block(copy.deepcopy(function.body)) for holds in (True, False))
    return Cases(tests[0].left, tests[0].comparators[0], (true, false))


class _Case:
    """What a function does where its condition (that something is larger) holds, or where it does not."""

    def __init__(self, holds: bool) -> None:
        self.holds = holds
        self.masks: dict[str, bool] = {}

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of this case."""
        made: list[ast.stmt] = []
        for statement in body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            chosen = self.chosen(statement.test) if isinstance(statement, ast.If) else None
            if isinstance(statement, ast.If) and chosen is not None:
                made += self.block(statement.body if chosen else statement.orelse)
            elif isinstance(target, ast.Name) and (mask := self.chosen(statement.value)) is not None:  # type: ignore[attr-defined]
                self.masks[target.id] = mask
            elif isinstance(target, ast.Subscript) and (mask := self.chosen(target.slice)) is not None:
                if mask:
                    statement.targets = [target.value]  # type: ignore[attr-defined]
                    target.value.ctx = ast.Store()  # type: ignore[attr-defined]
                    made.append(_Whole(self).visit(statement))
            else:
                made.append(_Whole(self).visit(statement))
        return made

    def chosen(self, node: ast.expr) -> bool | None:
        """Whether a condition or a mask holds in this case; None for what is neither."""
        if isinstance(node, ast.Name):
            return self.masks.get(node.id)
        if isinstance(node, ast.Compare):
            return self.holds == isinstance(node.ops[0], UP)
        inner: ast.expr | None = None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert | ast.Not):
            inner = node.operand
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("logical_not") and node.args:
            inner = node.args[0]
        found = self.chosen(inner) if inner is not None else None
        return None if found is None else not found


class _Whole(ast.NodeTransformer):
    """What a mask chooses that holds everywhere in this case: all of it."""

    def __init__(self, case: _Case) -> None:
        self.case = case

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return node.value if self.case.chosen(node.slice) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        chosen = self.case.chosen(node.test)
        return node if chosen is None else node.body if chosen else node.orelse
