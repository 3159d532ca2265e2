"""Functions of a listing that call its other functions, with what they call written in their place.

A function over a sequence calls one for a step.  The statements of the step are judged where they stand;
here they only say what a call gives: statements that stand for a call have it as their ``origin``, those
of the step's own function have none.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping

DEPTH = 2
LARGEST = 20_000
"""Parts of all that is written in the place of calls."""


def inlined(body: list[ast.stmt], helpers: Mapping[str, ast.FunctionDef]) -> list[ast.stmt]:
    """The statements with calls of the listing's own functions written out."""
    every = [n for s in body for n in ast.walk(s) if isinstance(n, ast.FunctionDef)]
    names = [f.name for f in every]
    functions = {f.name: f for f in every if names.count(f.name) == 1 and f.name not in helpers and _plain(f)}
    callers = [f for f in every if any(_called(s, functions) for s in ast.walk(f))]
    taken = {name for f in callers for name in _names(f)}
    work = _Inline(functions, taken)
    plain = {f.name: copy.deepcopy(f) for f in functions.values()}
    work.functions = plain
    for function in callers:
        function.body = work.block(function.body, DEPTH)
    return body


def _plain(function: ast.FunctionDef) -> bool:
    """Whether a function returns once, at its end."""
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)]
    last = function.body[-1]
    odd = function.args.vararg or function.args.kwarg or function.args.kwonlyargs
    ends = isinstance(last, ast.Return) and last.value is not None
    return len(returns) == 1 and ends and not odd


def _called(statement: ast.AST, functions: Mapping[str, ast.FunctionDef]) -> ast.FunctionDef | None:
    """The function of the listing whose values a statement assigns."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    call, name = statement.value, ""
    if isinstance(call.func, ast.Name):
        name = call.func.id
    elif isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "self":
        name = call.func.attr
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    return functions.get(name)


def _names(function: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    return found | {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments) for a in n.args}


class _Inline:
    def __init__(self, functions: Mapping[str, ast.FunctionDef], taken: set[str]) -> None:
        self.functions, self.taken, self.size = functions, taken, 0

    def block(self, body: list[ast.stmt], depth: int) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            for name in ("body", "orelse"):
                inner = getattr(statement, name, None)
                if isinstance(inner, list) and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                    setattr(statement, name, self.block(inner, depth))
            function = _called(statement, self.functions) if depth else None
            written = self.written(statement, function, depth) if function is not None else None  # type: ignore[arg-type]
            made += [statement] if written is None else written
        return made

    def written(self, statement: ast.Assign, function: ast.FunctionDef, depth: int) -> list[ast.stmt] | None:
        """What a call does, statement by statement: arguments, the function's own, what it gives."""
        call, result = statement.value, function.body[-1].value  # type: ignore[attr-defined]
        assert isinstance(call, ast.Call)
        self.size += sum(1 for _ in ast.walk(function))
        pairs = self.given(call, function)
        targets, results = _unpacked(statement.targets[0], result)
        if self.size > LARGEST or pairs is None or len(targets) != len(results):
            return None
        rename = {n: self.fresh(n) for n in _locals(function) if n in self.taken}
        made: list[ast.stmt] = []
        for name, value in pairs:
            place = ast.Name(rename.get(name, name), ast.Store())
            if ast.unparse(place) != ast.unparse(value):
                made.append(_for(ast.Assign([place], copy.deepcopy(value)), statement))
        own = [_Rename(rename).visit(copy.deepcopy(s)) for s in function.body[:-1]]
        for inner in own:
            for node in ast.walk(inner):
                if isinstance(node, ast.stmt):
                    node.origin = None  # type: ignore[attr-defined]
        made += self.block(own, depth - 1)
        for target, value in zip(targets, results, strict=True):
            value = _Rename(rename).visit(copy.deepcopy(value))
            if ast.unparse(target) != ast.unparse(value):
                made.append(_for(ast.Assign([target], value), statement))
        return made

    def given(self, call: ast.Call, function: ast.FunctionDef) -> list[tuple[str, ast.expr]] | None:
        """The parameters of a function with what a call gives for them."""
        names = [a.arg for a in function.args.args if a.arg != "self"]
        values: dict[str, ast.expr] = dict(zip(names, call.args, strict=False))
        values |= {k.arg: k.value for k in call.keywords if k.arg}
        defaults = function.args.defaults
        for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            plain = isinstance(default, ast.Name) or getattr(default, "value", 0) is None
            values.setdefault(name, ast.Name(name, ast.Load()) if plain else default)
        complete = len(call.args) <= len(names) and all(n in values for n in names)
        return [(n, values[n]) for n in names] if complete else None

    def fresh(self, name: str) -> str:
        """A name of the step for one that the sequence has already."""
        return next((f"{name}{s}" for s in ("_t", "_s") if f"{name}{s}" not in self.taken), f"{name}_step")


def _unpacked(target: ast.expr, result: ast.expr) -> tuple[list[ast.expr], list[ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(result, ast.Tuple):
        return target.elts, result.elts
    return [target], [result]


def _locals(function: ast.FunctionDef) -> set[str]:
    """Parameters and what a function assigns."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {a.arg for a in function.args.args}


def _for(new: ast.stmt, call: ast.stmt) -> ast.stmt:
    new.origin = getattr(call, "origin", call)  # type: ignore[attr-defined]
    ast.copy_location(new, call)
    return ast.fix_missing_locations(new)


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)
