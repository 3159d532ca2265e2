"""The plan of a listing: which statements are the forward pass, which the backward pass, which helpers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lstmsym.listings.expressions import POINTWISE, ZEROS, key_of
from lstmsym.listings.naming import gradient_of

BACKWARD = re.compile(r"back|bptt|bprop|grad|bottom|top_d|deriv", re.I)
FORWARD = re.compile(r"forward|fprop|predict|step|run|feed", re.I)


@dataclass(frozen=True)
class Outline:
    """Statements of the two passes in order, the helper functions, and what claims nothing."""

    forward: tuple[ast.stmt, ...]
    backward: tuple[ast.stmt, ...]
    helpers: dict[str, ast.FunctionDef]
    prose: tuple[ast.stmt, ...]
    definitions: tuple[ast.stmt, ...]


def outline(body: tuple[ast.stmt, ...], known: tuple[str, ...] = ()) -> Outline:
    """Split the statements of a listing; ``known`` are the quantities of a cell that is given."""
    functions = [n for s in body for n in ast.walk(s) if isinstance(n, ast.FunctionDef)]
    called = {name for s in body for name in _called(s)}
    helpers = {f.name: f for f in functions if _is_helper(f, called)}
    made = _Split(helpers, known)
    for statement in body:
        made.take(statement, "")
    return Outline(
        tuple(made.forward), tuple(made.backward), helpers, tuple(made.prose), tuple(made.definitions)
    )


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_helper(function: ast.FunctionDef, called: set[str]) -> bool:
    """A function of its arguments alone that gives one value, and is used or named as one."""
    returns = [n.value for n in ast.walk(function) if isinstance(n, ast.Return)]
    small = not any(isinstance(n, (ast.For, ast.While, ast.AugAssign)) for n in ast.walk(function))
    single = bool(returns) and all(r is not None and not isinstance(r, ast.Tuple) for r in returns)
    used = function.name in called or re.search(r"sigm|tanh|relu|softmax|elu", function.name, re.I)
    return bool(small and single and used and len(function.body) <= 12)


class _Split:
    def __init__(self, helpers: dict[str, ast.FunctionDef], known: tuple[str, ...]) -> None:
        self.helpers, self.given = helpers, bool(known)
        self.known: dict[str, None] = dict.fromkeys(known)
        self.forward: list[ast.stmt] = []
        self.backward: list[ast.stmt] = []
        self.prose: list[ast.stmt] = []
        self.definitions: list[ast.stmt] = []
        self.in_backward = False

    def take(self, statement: ast.stmt, section: str) -> None:
        if isinstance(statement, ast.FunctionDef) and statement.name in self.helpers:
            self.prose.append(statement)
            self.inner(statement)
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            self.prose.append(statement)
            self.section(statement)
        elif (
            (isinstance(statement, ast.If) and _is_main(statement))
            or isinstance(
                statement,
                (
                    ast.Import,
                    ast.ImportFrom,
                    ast.Return,
                    ast.Pass,
                    ast.Assert,
                    ast.Raise,
                    ast.Global,
                    ast.Delete,
                ),
            )
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        ):
            self.prose.append(statement)
        elif section == "__init__":
            self.definitions.append(statement)
        else:
            self.place(statement)

    def inner(self, function: ast.FunctionDef) -> None:
        """The statements inside a helper define names."""
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AugAssign)):
                self.definitions.append(node)
            elif isinstance(node, (ast.Return, ast.If)):
                self.prose.append(node)

    def section(self, statement: ast.FunctionDef | ast.ClassDef) -> None:
        before = self.in_backward
        name = "" if isinstance(statement, ast.ClassDef) else statement.name
        if name:
            self.in_backward = bool(BACKWARD.search(name)) or (self.given and not FORWARD.search(name))
        for inner in statement.body:
            self.take(inner, name)
        self.in_backward = before if isinstance(statement, ast.ClassDef) else self.in_backward and before

    def place(self, statement: ast.stmt) -> None:
        """To the forward or the backward pass."""
        self.in_backward = self.in_backward or self.given or _is_backward(statement, self.known)
        if self.in_backward:
            self.backward.append(statement)
            return
        self.forward.append(statement)
        for node in ast.walk(statement):
            for target in _targets(node):
                key = key_of(target) or (key_of(target.value) if isinstance(target, ast.Subscript) else None)
                if key:
                    self.known[key] = None
        self.known |= dict.fromkeys(
            key for node in ast.walk(statement) if (key := key_of(node)) and not _is_callee(key)
        )


def _is_callee(key: str) -> bool:
    return key in POINTWISE or key in ZEROS or key in ("np", "dot", "range", "len", "self")


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple) else [target]
    elif isinstance(node, ast.AugAssign):
        yield node.target


def _is_main(statement: ast.If) -> bool:
    return "__name__" in ast.dump(statement.test)


def is_reversed(loop: ast.For) -> bool:
    """Whether a loop runs backwards over time."""
    text = ast.unparse(loop.iter)
    return "reversed" in text or "[::-1]" in text or bool(re.search(r"range\(.*, *-1\)$", text))


def _is_backward(statement: ast.stmt, known: dict[str, None]) -> bool:
    """Whether the backward pass begins here."""
    if isinstance(statement, ast.For):
        return is_reversed(statement)
    assigned = {key_of(t) for t in _targets(statement)}
    for node in ast.walk(statement):
        key = key_of(node)
        if key and key not in known and not key.startswith(("data", "drop")) and (len(key) > 1):
            found = gradient_of(key, [k for k in known if k not in assigned])
            if found is not None and not key.startswith("g_") and (len(key) > 2 or key[0] == "d"):
                return True
    return False
