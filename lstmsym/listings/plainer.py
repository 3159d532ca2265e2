"""Other ways to write the same statements, made plain before they are read: one rewriting of `ast` trees.

Loops and comprehensions over what is written out are unrolled, names put together from strings are
made, dictionaries of values become assignments, lambdas functions.  A statement that is made keeps its
``origin``, the statement of the listing that it stands for.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

MOST = 16
"""Rounds of a loop that are written out."""
LARGEST = 20_000
"""Parts of all that is written out."""
LOOPS = {"xrange": "range", "arange": "range"}
JOINED = {"r_": "concatenate", "c_": "column_stack"}
"""What joins its subscripts, ``np.r_[a, b]``."""


def origin(statement: ast.stmt) -> ast.stmt | None:
    """The statement of the listing that a statement stands for; None for one that is judged elsewhere."""
    found: ast.stmt | None = getattr(statement, "origin", statement)
    return found


def plainer(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a listing in their plain forms."""
    words = _words(body)
    if words:
        body = [_Words(words).visit(s) for s in body]
    return _block(body, _Plain())


def _words(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Lists of texts that are written out once, outside all functions: ``GATES = ("i", "f", "o")``."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Name):
            parts = _elements(statement.value)  # type: ignore[attr-defined]
            texts = parts and all(isinstance(p, ast.Constant) and isinstance(p.value, str) for p in parts)
            if texts and isinstance(statement.value, ast.Tuple | ast.List):  # type: ignore[attr-defined]
                found[target.id] = statement.value  # type: ignore[attr-defined]
    stored = [
        n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]
    return {name: value for name, value in found.items() if stored.count(name) == 1}


class _Words(ast.NodeTransformer):
    """Lists of texts in the place of their names, where something runs over them."""

    def __init__(self, words: dict[str, ast.expr]) -> None:
        self.words = words

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self.written(node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = self.written(node.iter)
        return node

    def written(self, source: ast.expr) -> ast.expr:
        """What is run over, written out."""
        known = self.words.get(source.id) if isinstance(source, ast.Name) else None
        return source if known is None else copy.deepcopy(known)


def _block(body: list[ast.stmt], plain: _Plain) -> list[ast.stmt]:
    return [made for statement in body for made in _statement(statement, plain)]


def made_of(new: ast.stmt, old: ast.stmt) -> ast.stmt:
    """A new statement in the place of an old one."""
    if new is not old:
        new.origin = origin(old)  # type: ignore[attr-defined]
        ast.copy_location(new, old)
        ast.fix_missing_locations(new)
    return new


def _statement(statement: ast.stmt, plain: _Plain) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.For) and (rounds := _rounds(statement, plain)) is not None:
        header = made_of(ast.Pass(), statement)
        yield header
        for bound in rounds:
            for inner in statement.body:
                yield from _statement(_bound(inner, bound), plain)
        return
    for name in ("body", "orelse"):
        block = getattr(statement, name, None)
        if isinstance(block, list):
            setattr(statement, name, _block(block, plain))
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        statement = made_of(ast.Assign([statement.target], statement.value), statement)
    if isinstance(statement, ast.Assign):
        yield from _assignment(statement, plain)
    else:
        yield _rewritten(statement, plain)


def _rewritten(statement: ast.stmt, plain: _Plain) -> ast.stmt:
    """A statement with its expressions in plain forms; those inside it are plain already."""
    for name, value in ast.iter_fields(statement):
        if isinstance(value, ast.expr):
            setattr(statement, name, plain.visit(value))
    return statement


def _assignment(statement: ast.Assign, plain: _Plain) -> Iterator[ast.stmt]:
    value = statement.value = _zeros(plain.visit(statement.value))
    statement.targets = [plain.visit(t) for t in statement.targets]
    target = statement.targets[0]
    if isinstance(value, ast.Lambda) and isinstance(target, ast.Name):
        function = ast.FunctionDef(target.id, value.args, [ast.Return(value.body)], [])
        yield made_of(function, statement)
    elif isinstance(target, ast.Name) and ast.unparse(value) in plain.written_out:
        yield made_of(ast.Pass(), statement)  # another name of what is known by its entries
    elif isinstance(value, ast.Dict) and value.keys and isinstance(target, ast.Name | ast.Attribute):
        if not all(isinstance(k, ast.Constant) and isinstance(k.value, str) for k in value.keys):
            yield statement
            return
        yield made_of(ast.Pass(), statement)
        plain.written_out.add(ast.unparse(target))
        for key, one in zip(value.keys, value.values, strict=True):
            place = ast.Subscript(copy.deepcopy(target), key, ast.Store())  # type: ignore[arg-type]
            yield made_of(ast.Assign([place], one), statement)
    else:
        yield statement


# -- collections of gradients ----------------------------------------------------------------------------


def marked(body: list[ast.stmt]) -> list[ast.stmt]:
    """``G["W"] += ...`` after ``P["W"]`` was read: an entry of G is the gradient of the entry of P."""
    read: dict[str, str] = {}
    first: dict[str, str] = {}
    gradients: set[tuple[str, str]] = set()
    for node in _in_order(body):
        container, key = ast.unparse(node.value), _key(node)
        if key is None or container == "self":
            continue
        how = "read" if isinstance(node.ctx, ast.Load) else "written"
        first.setdefault(container, how)
        if how == "read" and (container, key) not in gradients:
            read.setdefault(key, container)
        elif how == "written" and first[container] == "written" and read.get(key, container) != container:
            gradients.add((container, key))
    containers = {c for c, _ in gradients}
    for node in _in_order(body):
        key = _key(node)
        if key and ast.unparse(node.value) in containers and not key.startswith("d"):
            if isinstance(node, ast.Attribute):
                node.attr = f"d{key}"
            else:
                node.slice = ast.Constant(f"d{key}")
    return body


def _key(node: ast.Attribute | ast.Subscript) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr if isinstance(node.ctx, ast.Store) or isinstance(node.value, ast.Name) else None
    is_text = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
    return str(node.slice.value) if is_text else None  # type: ignore[attr-defined]


def _in_order(body: list[ast.stmt]) -> Iterator[ast.Attribute | ast.Subscript]:
    """Entries of collections as they are read and written, what a statement reads first."""
    for statement in body:
        found = [n for n in ast.walk(statement) if isinstance(n, ast.Attribute | ast.Subscript)]
        blocks = [b for name in ("body", "orelse") if isinstance(b := getattr(statement, name, None), list)]
        if blocks:
            for block in blocks:
                yield from _in_order(block)
        else:
            yield from sorted(found, key=lambda n: isinstance(n.ctx, ast.Store))


# -- what is written out -------------------------------------------------------------------------------


def _rounds(loop: ast.For, plain: _Plain) -> list[dict[str, ast.expr]] | None:
    """The values of a loop's variables in each round, where they are written out; a clip stays a loop."""
    calls = [n.func for s in loop.body for n in ast.walk(s) if isinstance(n, ast.Call)]
    if loop.orelse or any(isinstance(f, ast.Attribute) and f.attr == "clip" for f in calls):
        return None
    rounds = _pairs(loop.target, plain.visit(loop.iter))
    size = sum(1 for s in loop.body for _ in ast.walk(s))
    return rounds if rounds is not None and plain.may(size * len(rounds)) else None


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """What a list, a tuple or a string that is written out holds, or several of them side by side."""
    if isinstance(node, ast.Tuple | ast.List) and 0 < len(node.elts) <= MOST:
        return None if any(isinstance(e, ast.Starred) for e in node.elts) else node.elts
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) <= MOST:
        return [ast.Constant(c) for c in node.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
        columns = [_elements(a) for a in node.args]
        if columns and all(c is not None for c in columns):
            rows = zip(*(c for c in columns if c is not None), strict=False)
            return [ast.Tuple(list(row), ast.Load()) for row in rows]
    return None


def _pairs(target: ast.expr, source: ast.expr) -> list[dict[str, ast.expr]] | None:
    elements = _elements(source)
    if elements is None:
        return None
    rounds: list[dict[str, ast.expr]] = []
    for element in elements:
        found = _match(target, element)
        if found is None:
            return None
        rounds.append(found)
    return rounds


def _match(target: ast.expr, value: ast.expr) -> dict[str, ast.expr] | None:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple | ast.List)):
        return None
    if len(target.elts) != len(value.elts):
        return None
    found: dict[str, ast.expr] = {}
    for t, v in zip(target.elts, value.elts, strict=True):
        inner = _match(t, v)
        if inner is None:
            return None
        found |= inner
    return found


def _bound(statement: ast.stmt, values: dict[str, ast.expr]) -> ast.stmt:
    """A copy of a statement with values for names."""
    made = copy.deepcopy(statement)
    for new, old in zip(ast.walk(made), ast.walk(statement), strict=True):
        if isinstance(new, ast.stmt) and isinstance(old, ast.stmt):
            new.origin = origin(old)  # type: ignore[attr-defined]
    made = _Bind(values).visit(made)
    return ast.fix_missing_locations(made)


class _Bind(ast.NodeTransformer):
    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.values.get(node.id)
        if value is None:
            return node
        made = copy.deepcopy(value)
        if isinstance(made, ast.Name | ast.Attribute | ast.Subscript):
            made.ctx = node.ctx
        return ast.copy_location(made, node)


class _Plain(ast.NodeTransformer):
    """Expressions in plain forms; the innermost first."""

    def __init__(self) -> None:
        self.size = 0
        self.written_out: set[str] = set()
        """Dictionaries of which each entry has become an assignment."""

    def may(self, size: int) -> bool:
        """Whether so many more parts may be made."""
        if self.size + size > LARGEST:
            return False
        self.size += size
        return True

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> ast.expr:
        self.generic_visit(node)
        if len(node.generators) == 1 and not node.generators[0].ifs:
            rounds = _pairs(node.generators[0].target, node.generators[0].iter)
            if rounds is not None and self.may(len(rounds) * sum(1 for _ in ast.walk(node.elt))):
                parts = [self.visit(_Bind(r).visit(copy.deepcopy(node.elt))) for r in rounds]
                return ast.copy_location(ast.List(parts, ast.Load()), node)
        return node

    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        self.generic_visit(node)
        one = node.generators[0] if len(node.generators) == 1 and not node.generators[0].ifs else None
        rounds = _pairs(one.target, one.iter) if one is not None else None
        if rounds is None or not self.may(len(rounds) * sum(1 for _ in ast.walk(node.value))):
            return node
        keys = [self.visit(_Bind(r).visit(copy.deepcopy(node.key))) for r in rounds]
        values = [self.visit(_Bind(r).visit(copy.deepcopy(node.value))) for r in rounds]
        return ast.copy_location(ast.Dict(keys, values), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in LOOPS and len(node.args) <= 3 and not node.keywords:
            return ast.copy_location(ast.Call(ast.Name("range", ast.Load()), node.args, []), node)
        if name == "t" and isinstance(node.func, ast.Attribute) and not node.args:
            return ast.copy_location(ast.Attribute(node.func.value, "T", ast.Load()), node)
        if name == "map" and len(node.args) == 2 and isinstance(node.args[1], ast.Tuple | ast.List):
            calls: list[ast.expr] = [ast.Call(node.args[0], [one], []) for one in node.args[1].elts]
            return ast.copy_location(ast.Tuple(calls, ast.Load()), node)
        if name == "pop" and not node.args and isinstance(node.func, ast.Attribute):
            return ast.copy_location(ast.Subscript(node.func.value, ast.Constant(0), ast.Load()), node)
        if name == "einsum" and (made := _reduced(node)) is not None:
            return ast.copy_location(made, node)
        if isinstance(node.func, ast.Name) and name in ("sum", "dict"):
            return ast.copy_location(_total(node) if name == "sum" else _entries(node), node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        joined = node.value.attr if isinstance(node.value, ast.Attribute) else ""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
        if joined in JOINED and parts and not any(isinstance(p, ast.Slice | ast.Constant) for p in parts):
            function = ast.Attribute(ast.Name("np", ast.Load()), JOINED[joined], ast.Load())
            return ast.copy_location(ast.Call(function, [ast.Tuple(parts, ast.Load())], []), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        sides = [s.value for s in (node.left, node.right) if isinstance(s, ast.Constant)]
        words = [w for w in sides if isinstance(w, str)]
        if isinstance(node.op, ast.Add) and len(words) == 2:
            return ast.copy_location(ast.Constant((words[0] + words[1])[:100]), node)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in node.values]
        texts = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if len(texts) == len(parts):
            return ast.copy_location(ast.Constant("".join(texts)[:100]), node)
        return node


def _reduced(node: ast.Call) -> ast.expr | None:
    """``np.einsum("bh->h", a)`` and ``np.einsum("bh,bh->h", a, b)`` as sums, ``"ij->ji"`` as a transpose."""
    text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
    sides, _, out = str(text).replace(" ", "").partition("->")
    letters, arrays = set(sides.split(",")), node.args[1:]
    if len(letters) != 1 or len(arrays) != sides.count(",") + 1 or node.keywords:
        return None
    (letters_,) = letters
    value = arrays[0]
    for one in arrays[1:]:
        value = ast.BinOp(value, ast.Mult(), one)
    if len(letters_) == 2 and out == letters_[::-1]:
        return ast.Attribute(value, "T", ast.Load())
    if len(letters_) != 2 or len(out) > 1 or out not in letters_:
        return None
    axis = [ast.keyword("axis", ast.Constant(1 - letters_.index(out)))] if out else []
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), "sum", ast.Load()), [value], axis)


def _zeros(value: ast.expr) -> ast.expr:
    """``0 * W`` as ``np.zeros_like(W)``, ``[None] * T`` as a list to be filled; alone or of several."""
    if isinstance(value, ast.Tuple):
        value.elts = [_zeros(v) for v in value.elts]
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult) and _blank(value.left):
        return ast.copy_location(ast.List([], ast.Load()), value)
    if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)):
        return value
    sides = (value.left, value.right)
    arrays: list[ast.expr] = [s for s in sides if isinstance(s, ast.Name | ast.Attribute | ast.Subscript)]
    if len(arrays) != 1 or not any(isinstance(s, ast.Constant) and s.value in (0, 0.0) for s in sides):
        return value
    zeros = ast.Attribute(ast.Name("np", ast.Load()), "zeros_like", ast.Load())
    return ast.copy_location(ast.Call(zeros, arrays, []), value)


def _blank(node: ast.expr) -> bool:
    """``[None]``, of which there is to be one a step."""
    inner = node.elts if isinstance(node, ast.List) else []
    return len(inner) == 1 and isinstance(inner[0], ast.Constant) and inner[0].value in (None, 0)


def _total(node: ast.Call) -> ast.expr:
    """``sum([a, b])`` as a + b."""
    parts = node.args[0].elts if len(node.args) == 1 and isinstance(node.args[0], ast.List) else []
    total = parts[0] if parts else node
    for one in parts[1:]:
        total = ast.BinOp(total, ast.Add(), one)
    return total


def _entries(node: ast.Call) -> ast.expr:
    """``dict(a=b)`` as {"a": b}."""
    if node.args or not all(k.arg for k in node.keywords):
        return node
    return ast.Dict([ast.Constant(k.arg) for k in node.keywords], [k.value for k in node.keywords])
