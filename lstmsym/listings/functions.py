"""NumPy's functions, and those whose meaning their name says, on arrays of the notation."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.listings.arrays import Algebra, Array, Misfit
from lstmsym.listings.scope import ZERO
from lstmsym.listings.source import ListingError

SAME = {
    "copy", "array", "asarray", "ravel", "flatten", "squeeze", "float", "astype", "reshape",
    "ascontiguousarray", "deepcopy", "view", "float32", "float64", "item",
}  # fmt: skip
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


@dataclass(frozen=True)
class Call:
    """A call of a function that is not the listing's own, its arguments still to be read."""

    name: str
    arguments: Sequence[ast.expr]
    options: Mapping[str, ast.expr]
    algebra: Algebra
    value: Callable[[ast.AST], Any]
    array: Callable[[ast.AST], Array]

    def arrays(self, count: int, what: str) -> list[Array]:
        """The arguments, so many arrays."""
        if len(self.arguments) != count:
            raise ListingError(f"{self.name} takes {what}")
        return [self.array(a) for a in self.arguments]

    def first(self) -> Array:
        """The first argument."""
        return self.array(self.arguments[0])

    def axis(self, before: int = 1) -> int | None:
        """The axis that the call names, or has after so many other arguments."""
        place = self.arguments[before] if len(self.arguments) > before else None
        node = self.options.get("axis", self.options.get("dim", place))
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            return -1
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def applied(call: Call) -> Any:
    """The value of a call.

    Raises:
        ListingError: the function is none that is known, or its arguments do not fit.
    """
    name, count = call.name, len(call.arguments)
    if name in ZEROS:
        return ZERO
    if name in ("ones", "ones_like"):
        return _ones(call)
    if not count:
        raise ListingError(f"{name}() is not read")
    if name in SAME:
        return call.value(call.arguments[0])
    if name in POINTWISE and count == 1:
        return call.algebra.pointwise(POINTWISE[name], call.first())
    if name in TWO and count == 2:
        return _two(call)
    if name not in KNOWN:
        raise ListingError(f"the function {name} is not in the listing, nor one that is known")
    return KNOWN[name](call)


def _ones(call: Call) -> Array:
    """Ones: as long as the last size says, where that is a number; a scalar otherwise."""
    if call.name == "ones" and call.arguments and isinstance(call.arguments[0], ast.Tuple):
        sizes = [e.value for e in call.arguments[0].elts if isinstance(e, ast.Constant)]
        if 1 in sizes and call.algebra.layout != "flat":
            one = N.Spread(sp.Integer(1), sp.Integer(1))
            return Array(one, call.algebra.vector, (sp.Integer(1),))
    return Array(sp.Integer(1))


def _two(call: Call) -> Array:
    a, b = map(call.array, call.arguments)
    if call.name == "maximum" and 0 in (a.expr, b.expr):
        return call.algebra.pointwise(N.relu, a if b.expr == 0 else b)
    return call.algebra.pointwise(TWO[call.name], a, b)


def _dot(call: Call) -> Array:
    return call.algebra.product(*call.arrays(2, "two arrays"))


def _outer(call: Call) -> Array:
    return call.algebra.outer(*call.arrays(2, "two arrays"))


def _transpose(call: Call) -> Array:
    return call.algebra.turn(call.first())


def _softmax(call: Call) -> Array:
    return call.algebra.pointwise(N.softmax, call.first())


def _sum(call: Call) -> Array:
    return call.algebra.total(call.first(), call.axis())


def _mean(call: Call) -> Array:
    made = _sum(call)
    if made.form == "":
        return replace(made, expr=N.Mean(made.expr.args[0]))
    return replace(made, notes=(*made.notes, "average"))


def _over_features(operate: Callable[..., sp.Expr], refused: str) -> Callable[[Call], Array]:
    """A function of all features, which is none of the samples."""

    def apply(call: Call) -> Array:
        made = _sum(call)
        if made.form != "":
            raise ListingError(refused)
        return replace(made, expr=operate(made.expr.args[0]))

    return apply


def _einsum(call: Call) -> Array:
    """A product of two arrays, or of their transposes, in the letters of einsum."""
    algebra, first = call.algebra, call.arguments[0]
    text = first.value if isinstance(first, ast.Constant) else None
    found = re.fullmatch(r"(\w{1,2}),(\w{1,2})->(\w{0,2})", str(text).replace(" ", ""))
    if found is None or len(call.arguments) != 3:
        raise ListingError("such an einsum is not read")
    left, right, out = found.groups()
    a, b = map(call.array, call.arguments[1:])
    if sorted(left) == sorted(right) == sorted(out):
        a, b = (algebra.turn(x) if s != out else x for x, s in ((a, left), (b, right)))
        return algebra.pointwise(lambda x, y: x * y, a, b)
    shared = [c for c in left if c in right and c not in out]
    if len(shared) != 1 or not set(out) <= set(left) | set(right):
        raise ListingError("such an einsum is not read")
    if out and out[0] not in left:
        a, b, left, right = b, a, right, left
    a = algebra.turn(a) if left[-1] != shared[0] else a
    b = algebra.turn(b) if right[0] != shared[0] else b
    return algebra.product(a, b)


def _clip(call: Call) -> Array:
    value = call.first()
    limits = (*call.arguments[1:3], *(v for k, v in call.options.items() if k != "out"))
    return replace(value, notes=(*value.notes, f"clip {' and '.join(map(ast.unparse, limits))}"))


def _where(call: Call) -> Array:
    c, a, b = call.arrays(3, "a condition and two values")
    if c.condition is None:
        raise ListingError("where takes a condition a > b")
    if N.canonical(a.expr) == N.canonical(b.expr) and a.form == b.form:
        return a
    return call.algebra.pointwise(N.where, replace(c, expr=c.condition), a, b)


def _split(call: Call) -> list[Array]:
    algebra, value = call.algebra, call.first()
    count = call.arguments[1] if len(call.arguments) > 1 else call.options.get("indices_or_sections")
    if not (isinstance(count, ast.Constant) and isinstance(count.value, int) and 1 < count.value < 20):
        raise ListingError("split takes a number of parts")
    value = algebra.settle(algebra.known(value), algebra.vector)
    form, axis = value.form, call.axis(2) or 0
    if not form or form == "ff" or not -1 <= axis < len(form) or form[axis] != "f":
        raise Misfit("split along an axis that holds no features")
    known = algebra.unifier.resolve(value.dims)[0]
    width: sp.Expr = sp.expand(known / count.value)
    if known.atoms(sp.Dummy) or not all(c.is_Integer for c in width.as_coefficients_dict().values()):
        width = algebra.fresh()
        algebra.same(value.dims, (count.value * width,), "split")
    return [algebra.part(value, k * width, (k + 1) * width) for k in range(count.value)]


def _join(call: Call) -> Array:
    """hstack, vstack, concatenate."""
    first = call.arguments[0]
    nodes = first.elts if isinstance(first, (ast.Tuple, ast.List)) else call.arguments[:2]
    axis = call.axis(1 if call.name != "append" else 2)
    kind = {"row_stack": "vstack", "column_stack": "hstack", "cat": "concatenate"}.get(call.name, call.name)
    if kind == "concatenate" and axis is None:
        axis = 0
    return call.algebra.joined([call.array(n) for n in nodes], axis, kind)


KNOWN: dict[str, Callable[[Call], Any]] = {
    **dict.fromkeys(("dot", "matmul", "mm"), _dot),
    "outer": _outer, "transpose": _transpose, "softmax": _softmax, "sum": _sum, "mean": _mean,
    "var": _over_features(N.Variance, "a variance over samples is not read"),
    "max": _over_features(N.Max, "the largest of the samples is not read"),
    "einsum": _einsum, "clip": _clip, "where": _where,
    **dict.fromkeys(("split", "chunk", "array_split"), _split),
    **dict.fromkeys(("hstack", "vstack", "concatenate", "append", "column_stack", "row_stack", "cat"), _join),
}  # fmt: skip
