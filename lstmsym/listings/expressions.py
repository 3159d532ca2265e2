"""The value of a Python expression, as an array of the notation: an interpreter with an allow-list.

It walks `ast` nodes and knows a few of NumPy's functions; helper functions of the listing itself are
interpreted.  Whatever is not listed here raises `ListingError`; nothing is ever run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Algebra, Array, Misfit, Pieces, number, vector_ref
from lstmsym.listings.branches import Cases, cases
from lstmsym.listings.functions import Call, applied
from lstmsym.listings.keys import MODULES, called, key_of
from lstmsym.listings.scope import ZERO, Initial, Scope
from lstmsym.listings.slices import Bounds, along, bounds, covered, feature_bounds, is_full, whole
from lstmsym.listings.source import ListingError
from lstmsym.listings.steps import end_step, label, place
from lstmsym.notation import Ref

MAX_STEPS = 40_000
MAX_CALLS = 8
TINY = sp.Rational(1, 10**6)
FAILURES = (
    RecursionError, OverflowError, ZeroDivisionError, ValueError, TypeError, N.NotationError,
)  # fmt: skip
OPERATORS: dict[type[ast.operator], tuple[Callable[..., Any], str]] = {
    ast.Add: (operator.add, "a sum"),
    ast.Sub: (operator.sub, "a sum"),
    ast.Mult: (operator.mul, "a pointwise operation"),
    ast.Div: (operator.truediv, "a pointwise operation"),
}


class Reader:
    """Evaluates expressions in a scope, for one layout."""

    def __init__(self, algebra: Algebra, helpers: Mapping[str, ast.FunctionDef], scope: Scope) -> None:
        """Start with no steps taken."""
        self.algebra, self.helpers, self.scope = algebra, helpers, scope
        self.steps = self.depth = 0
        self.reads: list[str] = []
        self.missing: set[str] = set()
        """Names of which nothing is known, since what made them was not read."""
        self.lenient = False
        self.memo: dict[int, tuple[ast.AST, Any]] | None = None
        """Values by node, while nothing that names mean changes."""
        self.free: Callable[[str, int | None], Any] = vector_ref
        self.size: Callable[[str], sp.Expr] = self.fresh_size

    def fresh_size(self, key: str) -> sp.Expr:
        """A size by its name, or by the name that it is another name of."""
        key = self.size_name(key)
        return self.scope.sizes.setdefault(key, self.algebra.fresh())

    def size_name(self, key: str) -> str:
        """The name by which a size was given."""
        value = self.scope.names.get(key)
        other = isinstance(value, Array) and value.form is None and value.key and value.key != key
        return self.size_name(value.key) if other else key  # type: ignore[union-attr]

    def __call__(self, node: ast.AST) -> Any:
        """The value of a node.

        Raises:
            ListingError: it is not in the allow-list, or arrays do not fit.
        """
        if self.memo is not None and id(node) in self.memo:
            return self.memo[id(node)][1]
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise ListingError("too much to compute")
        method = getattr(self, f"read_{type(node).__name__}", None)
        if method is None:
            raise ListingError(f"{type(node).__name__} is not read")
        try:
            value = method(node)
            if self.memo is not None:
                self.memo[id(node)] = node, value
            return value
        except FAILURES as error:
            if isinstance(error, ListingError):
                raise
            raise ListingError(str(error) or type(error).__name__) from None

    def array(self, node: ast.AST) -> Array:
        """The value of a node, which is to be an array."""
        return self.as_array(self(node))

    def as_array(self, value: Any) -> Array:
        """An array from what a name holds."""
        if isinstance(value, Pieces):
            return whole(self.algebra, value)
        if not isinstance(value, Array):
            raise ListingError("an array is needed here")
        return value

    # -- leaves ----------------------------------------------------------------------------------------

    def read_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, bool | str) or node.value is None:
            return node.value
        if isinstance(node.value, (int, float)) and abs(node.value) < 1e12:
            return number(node.value)
        raise ListingError("a constant that is no number")

    def read_Name(self, node: ast.Name) -> Any:
        return self.lookup(node.id)

    def lookup(self, key: str) -> Any:
        """A name's value; one that is not assigned is what it is called."""
        self.reads.append(key)
        pieces = self.scope.series.get(key, {}).get(0)
        if isinstance(pieces, Pieces):
            return pieces
        if key in self.scope.names and (self.lenient or self.scope.names[key] is not ZERO):
            return self.scope.names[key]
        if key in self.scope.series and 0 in self.scope.series[key] and not self.scope.loops:
            return self.scope.series[key][0]
        return self.free(key, None)

    def read_Attribute(self, node: ast.Attribute) -> Any:
        if node.attr == "T":
            return self.algebra.turn(self.array(node.value))
        key = key_of(node)
        if key is None:
            raise ListingError(f"{ast.unparse(node)} is not read")
        return self.lookup(key)

    def read_Tuple(self, node: ast.Tuple | ast.List) -> Any:
        return [self(e) for e in node.elts]

    read_List = read_Tuple

    def read_Dict(self, node: ast.Dict) -> Any:
        start = node.keys[0] if len(node.keys) == 1 else None
        if isinstance(start, ast.UnaryOp) and end_step(start) == -1:
            return Initial(self.array(node.values[0]))
        if node.keys:
            raise ListingError("a dictionary that holds something is not read")
        return []

    def read_IfExp(self, node: ast.IfExp) -> Any:
        chosen = self.decide(node.test)
        taken, other = (node.orelse, node.body) if chosen is False else (node.body, node.orelse)
        value, key = self(taken), key_of(other)
        if chosen is not None and key and key not in self.scope.names and isinstance(value, Array):
            self.scope.names[key] = value  # the initial state, which the general step has from the one before
        return value

    def decide(self, test: ast.AST) -> bool | None:
        """A condition that is known: True or False; of the step, None (the general step is meant)."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.decide(test.operand)
            return None if inner is None else not inner
        if isinstance(test, ast.Constant):
            return bool(test.value)
        if isinstance(test, ast.Name) and isinstance(self.scope.names.get(test.id), bool):
            return bool(self.scope.names[test.id])
        if (
            isinstance(test, ast.Compare)
            and isinstance(test.left, ast.Name)
            and test.left.id in self.scope.loops
        ):
            return not isinstance(test.ops[0], ast.Eq)
        if isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.IsNot)):
            return isinstance(test.ops[0], ast.IsNot)
        return self.same_words(test) if isinstance(test, ast.Compare) else None

    def same_words(self, test: ast.Compare) -> bool | None:
        """``gate == "g"`` of two texts that are known."""
        words = [self.word(n) for n in (test.left, *test.comparators)]
        equal = isinstance(test.ops[0], ast.Eq)
        if len(words) != 2 or None in words or not (equal or isinstance(test.ops[0], ast.NotEq)):
            return None
        return (words[0] == words[1]) == equal

    def word(self, node: ast.expr) -> str | None:
        """A text, written out or by its name: which gate a helper is called for."""
        value = node.value if isinstance(node, ast.Constant) else None
        value = self.scope.names.get(node.id) if isinstance(node, ast.Name) else value
        return value if isinstance(value, str) else None

    # -- operations ------------------------------------------------------------------------------------

    def read_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.array(node.operand)
        if isinstance(node.op, ast.USub):
            return self.algebra.pointwise(lambda x: -x, value)
        if isinstance(node.op, ast.UAdd):
            return value
        raise ListingError("a condition stands for a value")

    def read_BinOp(self, node: ast.BinOp) -> Any:
        if isinstance(node.op, ast.MatMult):
            self.matrices(node.left, node.right)
        return self.binary(node.op, self.array(node.left), self.array(node.right))

    def binary(self, op: ast.operator, a: Array, b: Array) -> Array:
        """Two arrays under an operator."""
        if isinstance(op, ast.MatMult):
            return self.algebra.product(a, b)
        a, b = _indicator(a), _indicator(b)
        if isinstance(op, ast.Add):
            a, b = (Array(sp.Integer(0)) if _tiny(x) else x for x in (a, b))
        if isinstance(op, ast.Div) and b.expr == 0:
            raise ListingError("a division by zero")
        if isinstance(op, ast.Pow):
            if not (b.expr.is_Integer and abs(b.expr) <= 8):
                raise ListingError("a power other than a small whole number")
            return self.algebra.pointwise(lambda x: x**b.expr, a)
        if type(op) not in OPERATORS:
            raise ListingError(f"the operator {type(op).__name__} is not read")
        operate, what = OPERATORS[type(op)]
        return self.algebra.pointwise(operate, a, b, what=what)

    def read_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Gt, ast.GtE, ast.Lt, ast.LtE)):
            raise ListingError("a comparison that is not read")
        a, b = self.array(node.left), self.array(node.comparators[0])
        up = isinstance(node.ops[0], (ast.Gt, ast.GtE))
        made = self.algebra.pointwise(lambda x, y: x - y if up else y - x, a, b)
        return replace(made, condition=made.expr, expr=N.step(made.expr))

    # -- calls -----------------------------------------------------------------------------------------

    def read_Call(self, node: ast.Call) -> Any:
        options = {k.arg: k.value for k in node.keywords if k.arg}
        arguments = list(node.args)
        if isinstance(node.func, ast.Attribute) and not self.is_module(node.func.value):
            arguments = [node.func.value, *arguments]
        if any(isinstance(a, ast.Starred) for a in arguments) or len(options) != len(node.keywords):
            raise ListingError("starred arguments are not read")
        own = isinstance(node.func, ast.Name) or (
            isinstance(node.func, ast.Attribute) and key_of(node.func.value) == "self"
        )
        if own and called(node) in self.helpers:
            return self.helper(self.helpers[called(node)], list(node.args), options)
        if called(node) in ("dot", "matmul") and len(arguments) == 2:
            self.matrices(*arguments)
        return applied(Call(called(node), arguments, options, self.algebra, self, self.array))

    def matrices(self, left: ast.expr, right: ast.expr) -> None:
        """Where rows or columns are taken of an unknown factor, it is the matrix that stands in its place."""
        places = {"columns": (left,), "rows": (right,)}.get(self.algebra.layout, (left, right))
        for node in places:
            inner = node.value if isinstance(node, ast.Attribute) and node.attr == "T" else node
            key = key_of(inner.value) if isinstance(inner, ast.Subscript) else None
            parts = getattr(inner.slice, "elts", ()) if isinstance(inner, ast.Subscript) else ()
            value = self.lookup(key) if key and len(parts) == 2 and all(map(is_slice, parts)) else None
            if isinstance(value, Array) and self.algebra.known(value).form is None:
                self.algebra.settle(value, "ff")

    def is_module(self, node: ast.AST) -> bool:
        """Whether functions are taken from this: np, np.linalg, self."""
        inside = isinstance(node, ast.Attribute)
        while isinstance(node, ast.Attribute):
            node = node.value
        known = isinstance(node, ast.Name) and node.id in MODULES and node.id not in self.scope.names
        return known and not (inside and getattr(node, "id", "") == "self")

    def helper(
        self, function: ast.FunctionDef, arguments: list[ast.expr], options: Mapping[str, ast.expr]
    ) -> Any:
        """A small function of the listing, interpreted with its arguments."""
        if self.depth >= MAX_CALLS:
            raise ListingError("helper functions call each other too deeply")
        names = [a.arg for a in function.args.args if a.arg != "self"]
        given = {n: self(a) for n, a in zip(names, arguments, strict=False)}
        given |= {k: self(v) for k, v in options.items()}
        defaults = function.args.defaults
        for n, d in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            given.setdefault(n, self(d))
        inner = Reader(self.algebra, self.helpers, Scope(given, sizes=self.scope.sizes))
        inner.steps, inner.depth = self.steps, self.depth + 1
        try:
            found = cases(function)
            return inner.run(function.body) if found is None else self.either(inner, found)
        finally:
            self.steps = inner.steps

    def either(self, inner: Reader, found: Cases) -> Any:
        """What a helper gives that computes by cases: the same in both, or one where its condition holds."""
        before = dict(inner.scope.names)
        first = inner.run(found.bodies[0])
        inner.scope.names = dict(before)
        second = inner.run(found.bodies[1])
        if not isinstance(first, Array) or not isinstance(second, Array):
            raise ListingError("a helper whose cases give no arrays")
        if N.canonical(first.expr) == N.canonical(second.expr):
            return first
        inner.scope.names = before
        difference = self.algebra.pointwise(operator.sub, inner.array(found.larger), inner.array(found.than))
        return self.algebra.pointwise(N.where, difference, first, second)

    def run(self, body: list[ast.stmt]) -> Any:
        """The statements of a helper up to its return."""
        for statement in body:
            if isinstance(statement, ast.Return) and statement.value is not None:
                return self(statement.value)
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.scope.names[statement.targets[0].id] = self(statement.value)
            elif isinstance(statement, ast.If):
                chosen = self.decide(statement.test)
                if chosen is None:
                    raise ListingError("a helper whose condition is not known")
                found = self.run(statement.body if chosen else statement.orelse)
                if found is not None:
                    return found
            elif not isinstance(statement, (ast.Expr, ast.Pass)):
                raise ListingError(f"{type(statement).__name__} in a helper function is not read")
        return None

    # -- subscripts ------------------------------------------------------------------------------------

    def read_Subscript(self, node: ast.Subscript) -> Any:
        key = key_of(node)
        if key is not None:
            if key_of(node.value) in self.missing:
                raise ListingError(f"{ast.unparse(node.value)} is made by a statement that is not read")
            inside = self.scope.names.get(key_of(node.value) or "")
            if isinstance(inside, Array) and inside.form:
                raise ListingError(f"{ast.unparse(node.value)} is an array and holds no {key}")
            return self.lookup(key)
        base, indices, lag = place(node, self.scope)
        value = self.step(base, lag) if lag is not None and base is not None else self(node.value)
        return _entry(value, indices) if isinstance(value, list) else self.sliced(value, indices)

    def step(self, key: str, lag: int) -> Any:
        """A series at a step."""
        self.reads.append(key)
        lag -= self.scope.offsets.get(key, 0)
        store = self.scope.series.get(key, {})
        if lag in store:
            return store[lag]
        return self.free(key, lag)

    def sliced(self, value: Any, indices: list[ast.expr]) -> Any:
        """The features that slices leave."""
        indices = [i for i in indices if not (isinstance(i, ast.Constant) and i.value in (None, Ellipsis))]
        indices = [i for i in indices if not (isinstance(i, ast.Attribute) and i.attr == "newaxis")]
        if all(map(is_full, indices)):
            return value
        if any(not isinstance(i, ast.Slice) for i in indices):
            return self.chosen(self.as_array(value), indices)
        if isinstance(value, Pieces):
            return covered(self.algebra, value, self.feature_bounds(indices))  # type: ignore[arg-type]
        a = self.algebra.settle(self.algebra.known(self.as_array(value)), self.algebra.vector)
        for axis, index in enumerate(indices):
            if isinstance(index, ast.Slice) and not is_full(index):
                if not a.form or axis >= len(a.form):
                    raise Misfit("a slice along an axis that is not there")
                a = along(self.algebra, a, axis, bounds(index, self.size), self.lenient)
        return a

    def feature_bounds(self, indices: list[ast.expr]) -> Bounds | None:
        """From and to along the features, where indices choose some of them."""
        return feature_bounds(indices, self.size)

    def chosen(self, value: Array, indices: list[ast.expr]) -> Any:
        """The entry that a label chooses: the sum of all, times the one-hot target."""
        target = label(indices, self.scope)
        known = self.scope.names.get(target)  # of ``j = targets[t]`` the labels are the targets
        if isinstance(known, Array) and isinstance(known.expr, Ref):
            target = known.expr.base
        value = self.algebra.settle(self.algebra.known(value), self.algebra.vector)
        hot = Array(Ref(target, 0), value.form, value.dims)
        self.algebra.types.setdefault(target, (self.algebra.vector, value.dims))
        made = self.algebra.pointwise(operator.mul, value, hot)
        return replace(made, expr=N.Sum(made.expr), form="", dims=())


def is_slice(node: ast.expr) -> bool:
    """Whether an index takes some, or all, along an axis."""
    return isinstance(node, ast.Slice)


def _entry(value: list[Any], indices: list[ast.expr]) -> Any:
    """One of several values."""
    if not indices:
        return value
    index = indices[0]
    number = index.value if isinstance(index, ast.Constant) and isinstance(index.value, int) else None
    if number is None or not -len(value) <= number < len(value):
        raise ListingError("an index of a list that is not a number")
    return value[number]


def _indicator(a: Array) -> Array:
    """A condition as a number: 1 where it holds."""
    return a if a.condition is None else replace(a, expr=N.step(a.condition))


def _tiny(a: Array) -> bool:
    """A number that only keeps a division or a logarithm from zero."""
    return bool(a.expr.is_Number) and 0 < abs(a.expr) <= TINY
