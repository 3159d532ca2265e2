"""What a forward pass keeps for the backward pass under names of its own, written by place.

``cache.append({"x": x, "h": h_prev})``, a named tuple and a data class hold values in an order; what
reads ``cache[t]["h"]`` or ``cache.h`` reads the value that was put there, whatever it was called then.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Fields = tuple[str, ...]


@dataclass
class _Kept:
    """The kinds of records of a listing, and the series and names that hold them."""

    types: dict[str, Fields] = field(default_factory=dict)
    series: dict[str, Fields] = field(default_factory=dict)


def by_place(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements with records that are kept step by step as tuples, and their entries by number."""
    kept = _Kept(_types(body))
    for function in _scopes(body):
        _store(function, kept)
    if kept.series:
        for function in _scopes(body):
            _read(function, kept)
    return body


def _scopes(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The statements outside functions, and those of each function."""
    yield [s for s in body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef):
                yield node.body


def _types(body: Sequence[ast.stmt]) -> dict[str, Fields]:
    """Named tuples and data classes, with their fields in order."""
    found: dict[str, Fields] = {}
    for node in (n for s in body for n in ast.walk(s)):
        if isinstance(node, ast.ClassDef):
            marks = {ast.unparse(d).partition("(")[0].rpartition(".")[2] for d in node.decorator_list}
            marks |= {ast.unparse(b).rpartition(".")[2] for b in node.bases}
            names = [
                s.target.id
                for s in node.body
                if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
            if marks & {"dataclass", "NamedTuple"} and names:
                found[node.name] = tuple(names)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call, target = node.value, node.targets[0]
            name = ast.unparse(call.func).rpartition(".")[2]
            if name == "namedtuple" and len(call.args) == 2 and isinstance(target, ast.Name):
                found[target.id] = _names(call.args[1])
    return {name: fields for name, fields in found.items() if fields}


def _names(node: ast.expr) -> Fields:
    """``"x h c"`` or ``["x", "h", "c"]``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return tuple(node.value.replace(",", " ").split())
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else []
    return tuple(str(p.value) for p in parts if isinstance(p, ast.Constant))


def _record(node: ast.expr, types: Mapping[str, Fields]) -> tuple[Fields, list[ast.expr]] | None:
    """The fields of a record and what it holds; of a dictionary only where all keys are written out."""
    if isinstance(node, ast.Dict) and node.keys:
        keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
        return (tuple(map(str, keys)), node.values) if all(isinstance(k, str) for k in keys) else None
    if not isinstance(node, ast.Call) or any(k.arg is None for k in node.keywords):
        return None
    named = {str(k.arg): k.value for k in node.keywords}
    name = ast.unparse(node.func)
    if name == "dict" and not node.args and named:
        return tuple(named), list(named.values())
    fields = types.get(name)
    if fields is None:
        return None
    given = dict(zip(fields, node.args, strict=False)) | named
    return (fields, [given[f] for f in fields]) if set(given) == set(fields) else None


# -- what is kept ----------------------------------------------------------------------------------------


def _store(body: list[ast.stmt], kept: _Kept) -> None:
    """Records that a function appends to a list or puts at a step, as tuples; named first or not."""
    statements = [s for s in _flat(body) if isinstance(s, ast.Assign | ast.Expr)]
    named: dict[str, ast.Assign] = {}
    for statement in statements:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Name) and _record(statement.value, kept.types) is not None:
            named[target.id] = statement  # type: ignore[assignment]
        place = _kept_at(statement)
        if place is None:
            continue
        series, value = place
        source = named.get(value.id) if isinstance(value, ast.Name) else None
        record = _record(source.value if source is not None else value, kept.types)
        if record is None:
            continue
        fields, values = record
        kept.series[series] = fields
        made = ast.copy_location(ast.Tuple(values, ast.Load()), value)
        if source is not None:
            source.value = made
        elif isinstance(statement, ast.Assign):
            statement.value = made
        else:
            statement.value.args[0] = made  # type: ignore[attr-defined]
    _returned(body, named, kept)


def _returned(body: list[ast.stmt], named: Mapping[str, ast.Assign], kept: _Kept) -> None:
    """A record that a step returns beside other values is kept by whoever calls it."""
    last = body[-1] if body else None
    results = last.value.elts if isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple) else []
    for index, result in enumerate(results):
        source = named.get(result.id) if isinstance(result, ast.Name) else None
        record = _record(source.value if source is not None else result, kept.types)
        if record is None:
            continue
        fields, values = record
        if isinstance(result, ast.Name):
            kept.series[result.id] = fields
        made = ast.copy_location(ast.Tuple(values, ast.Load()), result)
        if source is not None:
            source.value = made
        else:
            results[index] = made


def _kept_at(statement: ast.Assign | ast.Expr) -> tuple[str, ast.expr] | None:
    """The series to which a statement adds a step, and what it adds."""
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
        step = isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Constant)
        return (ast.unparse(target.value), statement.value) if step else None  # type: ignore[attr-defined]
    call = statement.value
    added = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append"
    return (ast.unparse(call.func.value), call.args[0]) if added and call.args else None  # type: ignore[attr-defined]


def _flat(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        yield statement
        for name in ("body", "orelse"):
            block = getattr(statement, name, None)
            if isinstance(block, list):
                yield from _flat(block)


# -- what is read ----------------------------------------------------------------------------------------


def _read(body: list[ast.stmt], kept: _Kept) -> None:
    """Entries of records by number: of a series at a step, and of names that hold one."""
    holders: dict[str, Fields] = {}
    for statement in _flat(body):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            fields = _fields(statement.value, kept)
            if fields is not None:
                holders[statement.targets[0].id] = fields
        elif isinstance(statement, ast.For):
            holders |= dict(_bound(statement.target, statement.iter, kept))
    nodes = [n for s in _flat(body) for n in ast.walk(s) if isinstance(n, ast.Name)]
    stored = {n.id for n in nodes if isinstance(n.ctx, ast.Store)}
    used = _uses(body)
    for name, keys in used.items():
        fields = kept.series.get(name)
        if fields is not None and name not in holders and name not in stored and keys <= set(fields):
            holders[name] = fields
    entry = _Entries(holders, kept)
    for statement in body:
        entry.visit(statement)


def _fields(value: ast.expr, kept: _Kept) -> Fields | None:
    """The fields of a series at a step: ``caches[t]``, ``caches.pop()``."""
    if isinstance(value, ast.Subscript):
        return kept.series.get(ast.unparse(value.value))
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "pop":
        return kept.series.get(ast.unparse(value.func.value))
    return None


def _bound(target: ast.expr, source: ast.expr, kept: _Kept) -> Iterator[tuple[str, Fields]]:
    """The variables of a loop that are records."""
    while isinstance(source, ast.Call) and getattr(source.func, "id", "") in ("reversed", "list"):
        source = source.args[0]
    if isinstance(source, ast.Subscript) and ast.unparse(source.slice) == "::-1":
        source = source.value
    name = getattr(source.func, "id", "") if isinstance(source, ast.Call) else ""
    if name == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        yield from _bound(target.elts[1], source.args[0], kept)  # type: ignore[attr-defined]
    elif name == "zip" and isinstance(target, ast.Tuple):
        for one, series in zip(target.elts, source.args, strict=False):  # type: ignore[attr-defined]
            yield from _bound(one, series, kept)
    elif isinstance(target, ast.Name) and (fields := kept.series.get(ast.unparse(source))):
        yield target.id, fields


def _uses(body: Sequence[ast.stmt]) -> dict[str, set[str]]:
    """Names and the entries of them that are read."""
    found: dict[str, set[str]] = {}
    for node in (n for s in body for n in ast.walk(s)):
        key = _key(node)
        if key is not None and isinstance(node.value, ast.Name):  # type: ignore[attr-defined]
            found.setdefault(node.value.id, set()).add(key)  # type: ignore[attr-defined]
    return {name: keys for name, keys in found.items() if name not in ("self", "np", "numpy")}


def _key(node: ast.AST) -> str | None:
    """The entry that is read: ``cache["h"]``, ``cache.h``."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return key if isinstance(key, str) else None
    return None


class _Entries(ast.NodeTransformer):
    def __init__(self, holders: Mapping[str, Fields], kept: _Kept) -> None:
        self.holders, self.kept = holders, kept

    def entry(self, node: ast.Subscript | ast.Attribute) -> ast.AST:
        """An entry by its number."""
        self.generic_visit(node)
        key, held = _key(node), node.value
        fields = self.holders.get(held.id) if isinstance(held, ast.Name) else _fields(held, self.kept)
        if key is None or fields is None or key not in fields:
            return node
        place = ast.Constant(fields.index(key))
        made = ast.Subscript(copy.copy(held), place, ast.Load())
        made.record = True  # type: ignore[attr-defined]
        return ast.fix_missing_locations(ast.copy_location(made, node))

    visit_Subscript = visit_Attribute = entry
