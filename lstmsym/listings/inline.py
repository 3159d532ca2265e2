"""Functions of a listing that call its other functions, with what they call written in their place.

A function over a sequence calls one for a step.  The statements of the step are judged where they stand;
here they only say what a call gives: statements that stand for a call have it as their ``origin``, those
of the step's own function have none.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lstmsym.listings.keys import MODULES, key_of, keys_in

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
        work.entries, work.called = {}, set()
        function.body = work.block(function.body, DEPTH)
        function.inlines = work.called  # type: ignore[attr-defined]
    return body


def levels(body: list[ast.stmt], goes_back: re.Pattern[str]) -> list[list[ast.stmt]]:
    """A listing of steps and of sequences that call them, as the one and the other: each with its own passes.

    A step's forward and backward pass belong together, and so do a sequence's, in whatever order they
    stand.  What neither calls a step nor is one is of the sequence, and of a step that only goes back.
    """
    every = [n for s in body for n in ast.walk(s) if isinstance(n, ast.FunctionDef)]
    steps = {name for f in every for name in getattr(f, "inlines", ())}
    callers = {f.name for f in every if getattr(f, "inlines", ())} - steps
    if not steps or not callers:
        return [body]
    others = {f.name for f in every} - steps - callers
    forward = any(not goes_back.search(name) for name in steps)
    return [_without(body, callers | others if forward else callers), _without(body, steps)]


def _without(body: list[ast.stmt], names: set[str]) -> list[ast.stmt]:
    """The statements without some functions."""
    made: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.FunctionDef) and statement.name in names:
            continue
        if isinstance(statement, ast.ClassDef):
            statement = copy.copy(statement)
            statement.body = _without(statement.body, names)
        made.append(statement)
    return made


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
    elif isinstance(call.func, ast.Attribute) and not keys_in(call.func.value) & (MODULES - {"self"}):
        name = call.func.attr
    if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
        return None
    found = functions.get(name)
    foreign = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) != "self"
    whole = found is not None and any(isinstance(n, ast.For) for n in ast.walk(found))
    return None if foreign and whole else found  # of another object, a step: a sequence is judged where it is


def _names(function: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    return found | {a.arg for n in ast.walk(function) if isinstance(n, ast.arguments) for a in n.args}


class _Inline:
    def __init__(self, functions: Mapping[str, ast.FunctionDef], taken: set[str]) -> None:
        self.functions, self.taken, self.size = functions, taken, 0
        self.called: set[str] = set()
        self.entries: dict[str, dict[str, ast.expr]] = {}
        """What a name holds that a call has given as a dictionary: key -> value."""

    def block(self, body: list[ast.stmt], depth: int) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            for name in ("body", "orelse"):
                inner = getattr(statement, name, None)
                if isinstance(inner, list) and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                    setattr(statement, name, self.block(inner, depth))
            for target, values in self.entries.items():
                statement = _Entry(target, values).visit(statement)
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
        sizes = {n: v.id for n, v in pairs if isinstance(v, ast.Name) and _only_bounds(function, n)}
        rename, pairs = rename | sizes, [(n, v) for n, v in pairs if n not in sizes]
        made: list[ast.stmt] = []
        for name, value in pairs:
            place = ast.Name(rename.get(name, name), ast.Store())
            if ast.unparse(place) != ast.unparse(value):
                made.append(_for(ast.Assign([place], copy.deepcopy(value)), statement))
        self.called.add(function.name)
        record = _record(function)
        if record is not None:
            inside = [s for s in function.body[:-1] if s not in record.statements]
            values = {k: _Rename(rename).visit(copy.deepcopy(v)) for k, v in record.values.items()}
            self.entries[ast.unparse(statement.targets[0])] = values
            results, targets = [], []
            made.append(_for(ast.Pass(), statement))
        else:
            inside = function.body[:-1]
        own = [_Rename(rename).visit(copy.deepcopy(s)) for s in inside if not _same_name(s)]
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


def _only_bounds(function: ast.FunctionDef, name: str) -> bool:
    """Whether a parameter is a bound of slices and nothing else: a size."""
    nodes = [n for s in function.body for n in ast.walk(s)]
    bounds = {id(n) for s in nodes if isinstance(s, ast.Slice) for n in ast.walk(s)}
    uses = [n for n in nodes if isinstance(n, ast.Name) and n.id == name]
    return bool(uses) and all(id(n) in bounds for n in uses)


def _same_name(statement: ast.stmt) -> bool:
    """``W = parameters["W"]``, one or several: what a dictionary holds, under the same name."""
    if not isinstance(statement, ast.Assign):
        return False
    pairs = list(zip(*_unpacked(statement.targets[0], statement.value), strict=False))
    return all(
        isinstance(v, ast.Subscript) and isinstance(v.slice, ast.Constant) and key_of(v) == ast.unparse(t)
        for t, v in pairs
    )


def _locals(function: ast.FunctionDef) -> set[str]:
    """Parameters and what a function assigns."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {a.arg for a in function.args.args if a.arg != "self"}


def _for(new: ast.stmt, call: ast.stmt) -> ast.stmt:
    new.origin = getattr(call, "origin", call)  # type: ignore[attr-defined]
    ast.copy_location(new, call)
    return ast.fix_missing_locations(new)


@dataclass(frozen=True)
class _Record:
    """The dictionary that a function returns: its entries, and the statements that make it."""

    values: dict[str, ast.expr]
    statements: list[ast.stmt]


def _record(function: ast.FunctionDef) -> _Record | None:
    """The entries, plain names, of a dictionary that a function fills at its end and returns."""
    returned = function.body[-1].value  # type: ignore[attr-defined]
    if not isinstance(returned, ast.Name):
        return None
    values: dict[str, ast.expr] = {}
    statements: list[ast.stmt] = []
    for statement in function.body[:-1]:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Subscript) and ast.unparse(target.value) == returned.id:
            key = target.slice.value if isinstance(target.slice, ast.Constant) else None
            if not isinstance(key, str) or not isinstance(statement.value, ast.Name):  # type: ignore[attr-defined]
                return None
            values[key] = statement.value  # type: ignore[attr-defined]
            statements.append(statement)
        elif any(isinstance(n, ast.Name) and n.id == returned.id for n in ast.walk(statement)):
            return None
    return _Record(values, statements) if values else None


class _Entry(ast.NodeTransformer):
    """An entry of what a call has given, by its own name."""

    def __init__(self, target: str, values: Mapping[str, ast.expr]) -> None:
        self.target, self.values = target, values

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        read = isinstance(node.ctx, ast.Load) and ast.unparse(node.value) == self.target
        if read and isinstance(key, str) and key in self.values:
            return ast.copy_location(copy.deepcopy(self.values[key]), node)
        return node


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)
