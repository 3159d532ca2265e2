"""The value of a Python expression, as an array of the notation: an interpreter with an allow-list.

It walks `ast` nodes and knows a few of NumPy's functions; helper functions of the listing itself are
interpreted.  Whatever is not listed here raises `ListingError`; nothing is ever run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.around import is_size
from lstmsym.listings.arrays import Algebra, Array, Block, Misfit, Pieces, number, vector_ref
from lstmsym.listings.naming import kept
from lstmsym.listings.source import ListingError
from lstmsym.notation import Ref

MAX_STEPS = 40_000
MAX_CALLS = 8
MODULES = {"np", "numpy", "math", "cp", "torch", "F", "scipy", "jnp", "self"}
SAME = {
    "copy",
    "array",
    "asarray",
    "ravel",
    "flatten",
    "squeeze",
    "float",
    "astype",
    "reshape",
    "ascontiguousarray",
    "deepcopy",
    "view",
    "float32",
    "float64",
    "item",
}
ZEROS = {"zeros", "zeros_like", "empty", "empty_like"}
POINTWISE: dict[str, Callable[..., Any]] = {
    "tanh": N.tanh, "exp": N.exp, "log": N.log, "sqrt": N.sqrt, "abs": N.absolute, "absolute": N.absolute,
    "sigmoid": N.sigma, "sigm": N.sigma, "logistic": N.sigma, "expit": N.sigma, "relu": N.relu,
    "square": lambda x: x**2, "negative": lambda x: -x,
}  # fmt: skip
TWO: dict[str, Callable[..., Any]] = {
    "multiply": lambda a, b: a * b, "add": lambda a, b: a + b, "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / b, "power": lambda a, b: a**b, "maximum": N.maximum, "minimum": N.minimum,
}  # fmt: skip
JOIN = {"hstack", "vstack", "concatenate", "append", "column_stack", "row_stack", "cat"}
VALUES, ADJOINTS = ("v", "value", "val", "data"), ("grad", "d", "diff", "gradient")
"""What an object that is a parameter calls its value and its gradient: ``p.W.v``, ``p.W.d``."""
TINY = sp.Rational(1, 10**6)


ZERO = Array(sp.Integer(0), "")
"""Zeros of any shape."""


@dataclass(frozen=True)
class Initial:
    """A dictionary of steps that holds the one before the first: ``{-1: h0}``."""

    value: Array


@dataclass
class Scope:
    """What names mean: values, series over time (name -> step -> value), loop variables."""

    names: dict[str, Any] = field(default_factory=dict)
    series: dict[str, dict[int, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)
    loops: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, sp.Expr] = field(default_factory=dict)
    past: set[str] = field(default_factory=set)
    """Variables of loops that are over: after them a step is the general one."""


def key_of(node: ast.AST) -> str | None:
    """The name that a node is: ``h``, ``self.state.h``, ``cache["h"]`` are all h."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and node.attr != "T":
        base = node.value
        while isinstance(base, ast.Attribute):
            base = base.value
        owner = key_of(node.value) if node.attr in (*VALUES, *ADJOINTS) else None
        held = isinstance(node.value, ast.Attribute) or node.attr in ("grad", "data", "value")
        if owner and owner != "self" and held:
            return f"{owner}_grad" if node.attr in ADJOINTS else owner
        return node.attr if isinstance(base, ast.Name) and base.id not in MODULES - {"self"} else None
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ):
        return kept(key_of(node.value) or "", node.slice.value)
    return None


class Reader:
    """Evaluates expressions in a scope, for one layout."""

    def __init__(self, algebra: Algebra, helpers: Mapping[str, ast.FunctionDef], scope: Scope) -> None:
        """Start with no steps taken."""
        self.algebra, self.helpers, self.scope = algebra, helpers, scope
        self.steps = self.depth = 0
        self.reads: list[str] = []
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
        except (
            RecursionError,
            OverflowError,
            ZeroDivisionError,
            ValueError,
            TypeError,
            N.NotationError,
        ) as error:
            if isinstance(error, ListingError):
                raise
            raise ListingError(str(error) or type(error).__name__) from None

    def array(self, node: ast.AST) -> Array:
        """The value of a node, which is to be an array."""
        return self.as_array(self(node))

    def as_array(self, value: Any) -> Array:
        """An array from what a name holds."""
        if isinstance(value, Pieces):
            return self.whole(value)
        if not isinstance(value, Array):
            raise ListingError("an array is needed here")
        return value

    def whole(self, value: Pieces) -> Array:
        """Pieces in the order in which they stand."""
        parts = sorted(value.parts, key=lambda p: rank(p[0]))
        if not parts:
            raise ListingError("a value of which nothing has been assigned")
        return self.algebra.joined([a for _, _, a in parts], None, "append")

    # -- leaves ----------------------------------------------------------------------------------------

    def read_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, bool) or node.value is None:
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
        if isinstance(start, ast.UnaryOp) and self.constant_step(start) == -1:
            return Initial(self.array(node.values[0]))
        if node.keys:
            raise ListingError("a dictionary that holds something is not read")
        return []

    def read_IfExp(self, node: ast.IfExp) -> Any:
        chosen = self.decide(node.test)
        value, other = (
            self(node.orelse if chosen is False else node.body),
            node.body if chosen is False else node.orelse,
        )
        key = key_of(other)
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
        return None

    # -- operations ------------------------------------------------------------------------------------

    def read_UnaryOp(self, node: ast.UnaryOp) -> Any:
        value = self.array(node.operand)
        if isinstance(node.op, ast.USub):
            return self.algebra.pointwise(lambda x: -x, value)
        if isinstance(node.op, ast.UAdd):
            return value
        raise ListingError("a condition stands for a value")

    def read_BinOp(self, node: ast.BinOp) -> Any:
        a, b = self.array(node.left), self.array(node.right)
        return self.binary(node.op, a, b)

    def binary(self, op: ast.operator, a: Array, b: Array) -> Array:
        """Two arrays under an operator."""
        if isinstance(op, ast.MatMult):
            return self.product(a, b)
        if a.condition is not None or b.condition is not None:
            a, b = (replace(x, expr=N.step(x.condition)) if x.condition is not None else x for x in (a, b))
        if isinstance(op, ast.Add):
            a, b = (Array(sp.Integer(0)) if _tiny(x) else x for x in (a, b))
            return self.algebra.pointwise(lambda x, y: x + y, a, b, what="a sum")
        if isinstance(op, ast.Sub):
            return self.algebra.pointwise(lambda x, y: x - y, a, b, what="a sum")
        if isinstance(op, ast.Mult):
            return self.algebra.pointwise(lambda x, y: x * y, a, b)
        if isinstance(op, ast.Div):
            if b.expr == 0:
                raise ListingError("a division by zero")
            return self.algebra.pointwise(lambda x, y: x / y, a, b)
        if isinstance(op, ast.Pow):
            if not (b.expr.is_Integer and abs(b.expr) <= 8):
                raise ListingError("a power other than a small whole number")
            return self.algebra.pointwise(lambda x: x**b.expr, a)
        raise ListingError(f"the operator {type(op).__name__} is not read")

    def product(self, a: Array, b: Array) -> Array:
        """A matrix product."""
        return self.algebra.product(a, b)

    def read_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Gt, ast.GtE, ast.Lt, ast.LtE)):
            raise ListingError("a comparison that is not read")
        a, b = self.array(node.left), self.array(node.comparators[0])
        up = isinstance(node.ops[0], (ast.Gt, ast.GtE))
        made = self.algebra.pointwise(lambda x, y: x - y if up else y - x, a, b)
        return replace(made, condition=made.expr, expr=N.step(made.expr))

    # -- calls -----------------------------------------------------------------------------------------

    def read_Call(self, node: ast.Call) -> Any:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        options = {k.arg: k.value for k in node.keywords if k.arg}
        arguments = list(node.args)
        if isinstance(node.func, ast.Attribute) and not self.is_module(node.func.value):
            arguments = [node.func.value, *arguments]
        if any(isinstance(a, ast.Starred) for a in arguments) or len(options) != len(node.keywords):
            raise ListingError("starred arguments are not read")
        own = isinstance(node.func, ast.Name) or (
            isinstance(node.func, ast.Attribute) and key_of(node.func.value) == "self"
        )
        if own and name in self.helpers:
            return self.helper(self.helpers[name], list(node.args), options)
        return self.known_call(name, arguments, options)

    def is_module(self, node: ast.AST) -> bool:
        """Whether functions are taken from this: np, np.linalg, self."""
        inside = isinstance(node, ast.Attribute)
        while isinstance(node, ast.Attribute):
            node = node.value
        known = isinstance(node, ast.Name) and node.id in MODULES and node.id not in self.scope.names
        return known and not (inside and getattr(node, "id", "") == "self")

    def known_call(self, name: str, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        """A function of NumPy's, or one whose meaning its name says."""
        if name in ZEROS:
            return ZERO
        if name in ("ones", "ones_like"):
            return self.ones(name, arguments)
        if name in SAME:
            return self(arguments[0])
        if not arguments:
            raise ListingError(f"{name}() is not read")
        if name in POINTWISE and len(arguments) == 1:
            return self.pointwise(POINTWISE[name], self.array(arguments[0]))
        if name in TWO and len(arguments) == 2:
            a, b = map(self.array, arguments)
            if name == "maximum" and 0 in (a.expr, b.expr):
                return self.pointwise(N.relu, a if b.expr == 0 else b)
            return self.algebra.pointwise(TWO[name], a, b)
        method = getattr(self, f"call_{name}", None)
        if name in JOIN:
            return self.join(name, arguments, options)
        if method is None:
            raise ListingError(f"the function {name} is not in the listing, nor one that is known")
        return method(arguments, options)

    def pointwise(self, operate: Callable[..., Any], a: Array) -> Array:
        """A function of each entry; what has been joined is taken apart first."""
        return self.algebra.pointwise(operate, a)

    def ones(self, name: str, arguments: list[ast.expr]) -> Array:
        """Ones: as long as the last size says, where that is a number; a scalar otherwise."""
        if name == "ones" and arguments and isinstance(arguments[0], ast.Tuple):
            sizes = [e.value for e in arguments[0].elts if isinstance(e, ast.Constant)]
            if 1 in sizes and self.algebra.layout != "flat":
                one = N.Spread(sp.Integer(1), sp.Integer(1))
                return Array(one, self.algebra.vector, (sp.Integer(1),))
        return Array(sp.Integer(1))

    def call_dot(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        if len(arguments) != 2:
            raise ListingError("dot takes two arrays")
        return self.product(self.array(arguments[0]), self.array(arguments[1]))

    call_matmul = call_mm = call_dot

    def call_outer(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        if len(arguments) != 2:
            raise ListingError("outer takes two arrays")
        return self.algebra.outer(self.array(arguments[0]), self.array(arguments[1]))

    def call_transpose(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        return self.algebra.turn(self.array(arguments[0]))

    def call_sum(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        return self.algebra.total(self.array(arguments[0]), self.axis(arguments, options))

    def call_mean(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        value, axis = self.array(arguments[0]), self.axis(arguments, options)
        made = self.algebra.total(value, axis)
        if made.form == "":
            return replace(made, expr=N.Mean(made.expr.args[0]))
        return replace(made, notes=(*made.notes, "average"))

    def call_var(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        made = self.algebra.total(self.array(arguments[0]), self.axis(arguments, options))
        if made.form != "":
            raise ListingError("a variance over samples is not read")
        return replace(made, expr=N.Variance(made.expr.args[0]))

    def call_max(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        made = self.algebra.total(self.array(arguments[0]), self.axis(arguments, options))
        if made.form != "":
            raise ListingError("the largest of the samples is not read")
        return replace(made, expr=N.Max(made.expr.args[0]))

    def call_einsum(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        """A product of two arrays, or of their transposes, in the letters of einsum."""
        text = arguments[0].value if isinstance(arguments[0], ast.Constant) else None
        found = re.fullmatch(r"(\w{1,2}),(\w{1,2})->(\w{0,2})", str(text).replace(" ", ""))
        if found is None or len(arguments) != 3:
            raise ListingError("such an einsum is not read")
        left, right, out = found.groups()
        a, b = map(self.array, arguments[1:])
        if sorted(left) == sorted(right) == sorted(out):
            a, b = (self.algebra.turn(x) if s != out else x for x, s in ((a, left), (b, right)))
            return self.algebra.pointwise(lambda x, y: x * y, a, b)
        shared = [c for c in left if c in right and c not in out]
        if len(shared) != 1 or not set(out) <= set(left) | set(right):
            raise ListingError("such an einsum is not read")
        if out and out[0] not in left:
            a, b, left, right = b, a, right, left
        a = self.algebra.turn(a) if left[-1] != shared[0] else a
        b = self.algebra.turn(b) if right[0] != shared[0] else b
        return self.product(a, b)

    def call_clip(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        value = self.array(arguments[0])
        bounds = [ast.unparse(a) for a in (*arguments[1:3], *(v for k, v in options.items() if k != "out"))]
        return replace(value, notes=(*value.notes, f"clip {' and '.join(bounds)}"))

    def call_where(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        if len(arguments) != 3:
            raise ListingError("where takes a condition and two values")
        c, a, b = map(self.array, arguments)
        if c.condition is None:
            raise ListingError("where takes a condition a > b")
        return self.algebra.pointwise(N.where, replace(c, expr=c.condition), a, b)

    def call_softmax(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        return self.algebra.pointwise(N.softmax, self.array(arguments[0]))

    def call_split(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Any:
        value = self.array(arguments[0])
        count = arguments[1] if len(arguments) > 1 else options.get("indices_or_sections")
        if not (isinstance(count, ast.Constant) and isinstance(count.value, int) and 1 < count.value < 20):
            raise ListingError("split takes a number of parts")
        value = self.algebra.settle(self.algebra.known(value), self.algebra.vector)
        axis = self.axis(arguments[1:], options) or 0
        if (
            not value.form
            or value.form == "ff"
            or not -1 <= axis < len(value.form)
            or value.form[axis] != "f"
        ):
            raise Misfit("split along an axis that holds no features")
        width = self.algebra.fresh()
        self.algebra.same(value.dims, (count.value * width,), "split")
        return [self.algebra.part(value, k * width, (k + 1) * width) for k in range(count.value)]

    call_chunk = call_array_split = call_split

    def axis(self, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> int | None:
        """The axis that a call names."""
        node = options.get("axis", options.get("dim", arguments[1] if len(arguments) > 1 else None))
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            return -1
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None

    def join(self, name: str, arguments: list[ast.expr], options: Mapping[str, ast.expr]) -> Array:
        """hstack, vstack, concatenate."""
        nodes = arguments[0].elts if isinstance(arguments[0], (ast.Tuple, ast.List)) else arguments[:2]
        axis = self.axis(arguments if name != "append" else arguments[1:], options)
        kind = {"row_stack": "vstack", "column_stack": "hstack", "cat": "concatenate"}.get(name, name)
        if kind == "concatenate" and axis is None:
            axis = 0
        return self.algebra.joined([self.array(n) for n in nodes], axis, kind)

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
            return inner.run(function.body)
        finally:
            self.steps = inner.steps

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
            inside = self.scope.names.get(key_of(node.value) or "")
            if isinstance(inside, Array) and inside.form:
                raise ListingError(f"{ast.unparse(node.value)} is an array and holds no {key}")
            return self.lookup(key)
        base, indices, lag = self.place(node)
        value = self.step(base, lag) if lag is not None and base is not None else self(node.value)
        if isinstance(value, list):
            if not indices:
                return value
            index = indices[0]
            if (
                isinstance(index, ast.Constant)
                and isinstance(index.value, int)
                and -len(value) <= index.value < len(value)
            ):
                return value[index.value]
            raise ListingError("an index of a list that is not a number")
        return self.sliced(value, indices)

    def place(self, node: ast.Subscript) -> tuple[str | None, list[ast.expr], int | None]:
        """(name, the indices that are not the step, the step) of ``h[t-1]``, ``h[:, :, t]``."""
        elements = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        base = key_of(node.value)
        for index, element in enumerate(elements):
            lag = self.time(element)
            if (
                lag is None
                and base in self.scope.series
                and len(elements) == 1
                and not isinstance(self.scope.names.get(base or ""), list)
            ):
                lag = self.constant_step(element)
            if lag is not None and base is not None and not isinstance(self.scope.names.get(base), list):
                return base, elements[:index] + elements[index + 1 :], lag
        return base, elements, None

    def time(self, node: ast.AST) -> int | None:
        """An index that is a step: t, t - 1, t + 1."""
        if isinstance(node, ast.Name):
            past = 0 if node.id in self.scope.past and not self.scope.loops else None
            return self.scope.loops.get(node.id, past)
        if self.scope.past and not self.scope.loops and is_last(node):
            return 0
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            left, right = self.time(node.left), node.right
            if left is not None and isinstance(right, ast.Constant) and isinstance(right.value, int):
                return left + (right.value if isinstance(node.op, ast.Add) else -right.value)
        return None

    def constant_step(self, node: ast.AST) -> int | None:
        """A fixed step, where a series is read outside its loop: 0 is the first, -1 the one before."""
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return None
        return value if value in (0, -1) and not isinstance(value, bool) else None

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
        if all(isinstance(i, ast.Slice) and i.lower is None and i.upper is None for i in indices):
            return value
        if any(not isinstance(i, ast.Slice) for i in indices):
            return self.chosen(self.as_array(value), indices)
        if isinstance(value, Pieces):
            return self.pieces(value, indices)
        a = self.algebra.known(self.as_array(value))
        a = self.algebra.settle(a, self.algebra.vector)
        for axis, index in enumerate(indices):
            if index.lower is None and index.upper is None:  # type: ignore[attr-defined]
                continue
            a = self.slice(a, axis, index)  # type: ignore[arg-type]
        return a

    def slice(self, a: Array, axis: int, index: ast.Slice) -> Array:
        """One slice along an axis."""
        if not a.form or axis >= len(a.form):
            raise Misfit("a slice along an axis that is not there")
        low, high = self.bounds(index)
        if a.form == "ff":
            return self.block(a, axis, low, high)
        if a.form[axis] == "s":
            if not self.lenient:
                raise Misfit("a slice of the samples and not of the features")
            return replace(a, notes=(*a.notes, "samples"))
        return self.algebra.part(a, low, high)

    def block(self, a: Array, axis: int, low: sp.Expr, high: sp.Expr | None) -> Array:
        """Some rows or columns of a matrix."""
        size = a.dims[axis]
        end = size if high is None else high
        dims = (end - low, a.dims[1]) if axis == 0 else (a.dims[0], end - low)
        inner = a.expr if axis == 1 else N.transposed(a.expr)
        made = Block(inner, low, end, size)
        return replace(a, expr=made if axis == 1 else N.transposed(made), dims=dims)

    def bounds(self, index: ast.Slice) -> tuple[sp.Expr, sp.Expr | None]:
        """From and to, in sizes."""
        if index.step is not None:
            raise ListingError("a slice with a step is not read")
        low = self.size_of(index.lower) if index.lower is not None else sp.Integer(0)
        return low, self.size_of(index.upper) if index.upper is not None else None

    def feature_bounds(self, indices: list[ast.expr]) -> tuple[sp.Expr, sp.Expr | None] | None:
        """From and to along the features, where indices choose some of them; whole axes choose all."""
        for index in indices:
            if isinstance(index, ast.Slice) and (index.lower or index.upper):
                return self.bounds(index)
            if isinstance(index, ast.Constant) and isinstance(index.value, int) and len(indices) > 1:
                return sp.Integer(index.value), sp.Integer(index.value + 1)
        return None

    def size_of(self, node: ast.AST) -> sp.Expr:
        """A size: a number, a name, or a sum or product of them."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) < 10**6:
            return sp.Integer(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.size_of(node.operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)):
            a, b = self.size_of(node.left), self.size_of(node.right)
            return a + b if isinstance(node.op, ast.Add) else a - b if isinstance(node.op, ast.Sub) else a * b
        key = key_of(node)
        if key is None and not is_size(node):  # type: ignore[arg-type]
            raise ListingError("a bound of a slice that is no size")
        return self.size(key or ast.unparse(node))

    def pieces(self, value: Pieces, indices: list[ast.expr]) -> Array:
        """The pieces inside a slice of what was assigned piece by piece, which must cover it."""
        low, high = next(filter(None, (self.feature_bounds([i, i]) for i in indices)))
        inside: list[Array] = []
        at: sp.Expr | None = low
        for start, end, a in sorted(value.parts, key=lambda p: rank(p[0])):
            if end is not None and rank(end) <= rank(at):
                continue
            if rank(start) > rank(at) or (high is not None and rank(start) >= rank(high)):
                break
            stop = high if high is not None and rank(high) <= rank(end) else end
            whole = start == at and stop == end
            inside.append(
                a if whole else self.algebra.part(a, at - start, None if stop == end else stop - start)
            )
            at = stop
            if at is None or at == high:
                break
        if not inside or (high is not None and at != high):
            raise Misfit("a slice of which not all has been assigned")
        return self.algebra.joined(inside, None, "append") if len(inside) > 1 else inside[0]

    def chosen(self, value: Array, indices: list[ast.expr]) -> Any:
        """The entry that a label chooses: the sum of all, times the one-hot target."""
        target = self.label(indices)
        value = self.algebra.settle(self.algebra.known(value), self.algebra.vector)
        hot = Array(Ref(target, 0), value.form, value.dims)
        self.algebra.types.setdefault(target, (self.algebra.vector, value.dims))
        made = self.algebra.pointwise(lambda a, b: a * b, value, hot)
        return replace(made, expr=N.Sum(made.expr), form="", dims=())

    def label(self, indices: list[ast.expr]) -> str:
        """The name of the labels by which entries are chosen."""
        for index in indices:
            if isinstance(index, (ast.Slice, ast.Constant)):
                continue
            for node in ast.walk(index):
                key = key_of(node)
                skip = {"argmax", "range", "arange", "len", "int", "zip"} | MODULES | set(self.scope.loops)
                if key and key not in skip and not (isinstance(node, ast.Attribute) and node.attr in skip):
                    return key
        raise ListingError("an index that is neither a step, a slice nor a label")


def is_last(node: ast.AST) -> bool:
    """``T - 1``, ``len(x) - 1``: the last step."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    one = isinstance(node.right, ast.Constant) and node.right.value == 1
    return one and (isinstance(node.left, ast.Name | ast.Attribute) or is_size(node.left))


def rank(size: Any) -> float:
    """A number by which sizes are ordered: every unknown is a hundred."""
    if size is None:
        return float("inf")
    expr = sp.sympify(size)
    return float(expr.subs({s: 100 + 0.001 * i for i, s in enumerate(sorted(expr.free_symbols, key=str))}))


def _tiny(a: Array) -> bool:
    return bool(a.expr.is_Number) and 0 < abs(a.expr) <= TINY
