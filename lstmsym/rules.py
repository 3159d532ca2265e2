"""The table of operations: for each its shape, its derivative and its behaviour at ties.

A rule passes a cotangent back: given the output y, its cotangent d and the arguments, one cotangent
per argument, written with operations of the set, so that what is derived can be derived again.
Pointwise rules are derivatives dy/dx written with y where that is the textbook form.
Sources: Griewank & Walther (2008), chapter 3; Giles (2008) for the matrix rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op
from lstmsym.shapes import Shape, ShapeError, Unifier, plain, spelled

ShapeRule = Callable[..., Shape]
"""(unifier, argument shapes..., the application itself) -> shape of the result."""
Pull = Callable[..., tuple[sp.Expr | None, ...]]
"""(y, cotangent, *arguments, shapes) -> cotangent of each argument, None where there is none."""


@dataclass(frozen=True)
class Rule:
    """One row of the table; ``formula`` is shown beside every equation derived with it."""

    op: type[Op]
    shape: ShapeRule
    pull: Pull
    formula: str
    ties: str = ""


def _pointwise_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    result: Shape = ()
    for shape in shapes:
        try:
            result = u.broadcast(result, shape, "")
        except ShapeError as error:
            raise ShapeError(error.left, error.right, _fitting(node, shapes)) from None
    return result


def _fitting(node: sp.Expr, shapes: list[Shape]) -> str:
    """What an author may have meant who combined arguments of these shapes, if they do not fit."""
    parts = [(str(part), len(shape)) for part, shape in zip(node.args, shapes, strict=True)]
    matrix, vector = (next((text for text, rank in parts if rank == wanted), "") for wanted in (2, 1))
    if matrix and vector:
        if isinstance(node, sp.Mul):
            return f"a matrix times a vector is written {matrix} @ {vector}, and so u * ({matrix} @ v) has brackets"
        return f"{matrix} is a matrix and {vector} a vector: a vector is declared as a Bias or a Vector, a product written A @ v"
    if (sp.Integer(1),) in shapes:
        return "a slice of one entry is a vector: sum(v[0:1]) is the number"
    return "give them one size, or multiply by a weight first"


def pointwise(
    op: type[Op], *derivatives: Callable[..., sp.Expr | int | None], formula: str, ties: str = ""
) -> Rule:
    """A row whose derivative by each argument is a function of (y, *arguments), or None for none."""

    def pull(
        y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
    ) -> tuple[sp.Expr | None, ...]:
        partials = [f(y, *args) for f in derivatives]
        partials += [None] * (len(args) - len(partials))
        return tuple(None if f is None else d * f for f in partials)

    return Rule(op, _pointwise_shape, pull, formula, ties)


# -- shapes of the operations that mix entries ---------------------------------------------------


def _rank(shape: Shape, rank: int, node: sp.Expr, fix: str) -> Shape:
    if len(shape) != rank:
        raise ShapeError(shape, (sp.Symbol("?"),) * rank, fix)
    return shape


def _dot_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    left, right = (u.resolve(s) for s in shapes)
    if len(left) != 2 or not right:
        fix = "the left side of @ is a matrix and the right side a vector; sum(u * v) is the inner product"
        raise ShapeError(left, right, fix)
    matrix = node.args[0]
    name = matrix.base if isinstance(matrix, N.Ref) else "the matrix"
    fix = f"declare {name} with {spelled(right[:1])[1:-2]} columns"
    try:
        u.same(left[1:], right[:1], fix)
    except ShapeError:
        raise ShapeError(left, right, fix) from None
    return (left[0], *right[1:])


def _transpose_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return _rank(u.resolve(shapes[0]), 2, node, "only a matrix has a transpose")[::-1]


def _outer_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    left, right = (_rank(u.resolve(s), 1, node, "outer(u, v) takes two vectors") for s in shapes)
    return left + right


def _concat_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    parts = [_rank(u.resolve(s), 1, node, "concat takes vectors") for s in shapes]
    return (sp.Add(*(part[0] for part in parts)),)


def _part_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    (size,) = _rank(u.resolve(shapes[0]), 1, node, "only a vector has slices")
    _, low, high = node.args
    high = size if high == N.End else high
    width, after = plain(high - low), plain(size - high)
    if not width.atoms(sp.Dummy) and not after.is_nonnegative:
        raise ShapeError((high,), (size,), "the slice reaches past the end of the vector")
    if width.is_nonpositive:
        raise ShapeError((low,), (high,), "the slice v[a:b] holds nothing: b is larger than a")
    return (width,)


def _pad_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return (node.args[1] + u.resolve(shapes[0])[0] + node.args[2],)


def _spread_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return tuple(node.args[1:])


def _total_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return shapes[0]


def _sum_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return ()


def _reduction_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    _rank(u.resolve(shapes[0]), 1, node, f"{type(node).__name__.lower()} takes a vector")
    return ()


def _vector_shape(u: Unifier, shapes: list[Shape], node: sp.Expr) -> Shape:
    return _rank(u.resolve(shapes[0]), 1, node, f"{type(node).__name__} takes a vector")


# -- cotangents of the operations that mix entries -------------------------------------------------


def linear(operation: Callable[[sp.Expr], sp.Expr], d: sp.Expr) -> sp.Expr:
    """A linear operation on a cotangent, numbers taken out: ``-(d.T)`` and not ``(-d).T``."""
    number, rest = d.as_coeff_Mul()
    return number * operation(rest) if rest.atoms(N.Ref) else operation(d)


def _dot(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    a, v = args
    vector = len(shapes[1]) == 1
    return (
        linear(lambda d: N.Outer(d, v) if vector else N.Dot(d, N.transposed(v)), d),
        linear(lambda d: N.Dot(N.transposed(a), d), d),
    )


def _outer(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    return linear(lambda d: N.Dot(d, args[1]), d), linear(lambda d: N.Dot(N.transposed(d), args[0]), d)


def _concat(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    ends = [plain(sp.Add(*(s[0] for s in shapes[:j]))) for j in range(len(shapes) + 1)]
    number, d = d.as_coeff_Mul()
    return tuple(number * N.Part(d, low, high) for low, high in pairwise(ends))


def _part(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    size = shapes[0][0]
    after = plain(size - (size if args[2] == N.End else args[2]))
    return linear(lambda d: N.Pad(d, args[1], after), d), None, None


def _pad(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    return linear(lambda d: N.Part(d, args[1], plain(args[1] + shapes[0][0])), d), None, None


def _spread(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    return (linear(N.Sum, d), *(None for _ in args[1:]))


def _variance(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    return (2 * d * (args[0] - N.Mean(args[0])) / shapes[0][0],)


def _normalize(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    vector, eps = args
    return (d - N.Mean(d) - y * N.Mean(d * y)) / N.sqrt(N.Variance(vector) + eps), None


def _max(
    y: sp.Expr, d: sp.Expr, args: tuple[sp.Expr, ...], shapes: list[Shape]
) -> tuple[sp.Expr | None, ...]:
    hit = N.equal(args[0], y)
    return (d * hit / N.Sum(hit),)


def _one(rule: Callable[[sp.Expr, sp.Expr, sp.Expr, Shape], sp.Expr]) -> Pull:
    return lambda y, d, args, shapes: (rule(y, d, args[0], shapes[0]),)


def _half(expr: sp.Expr) -> sp.Expr:
    """Half of a sum, which SymPy by itself would multiply out."""
    return sp.Mul(sp.Rational(1, 2), expr, evaluate=isinstance(expr, sp.Number))


_tie = "the gradient is shared half and half"

# fmt: off
TABLE: dict[type[Op], Rule] = {rule.op: rule for rule in (
    pointwise(N.sigma,         lambda y, x: y * (1 - y),                            formula="sigma' = sigma (1 - sigma)"),
    pointwise(N.tanh,          lambda y, x: 1 - y**2,                               formula="tanh' = 1 - tanh^2"),
    pointwise(N.relu,          lambda y, x: N.step(x),                              formula="relu' = [x > 0]", ties="0 at 0"),
    pointwise(N.leaky_relu,    lambda y, x, s: s + (1 - s) * N.step(x),
                               lambda y, x, s: (1 - N.step(x)) * x,                 formula="1 where x > 0, else the slope", ties="the slope at 0"),
    pointwise(N.elu,           lambda y, x, a: N.step(x) + (1 - N.step(x)) * (y + a),
                               lambda y, x, a: (1 - N.step(x)) * y / a,             formula="1 where x > 0, else elu + alpha", ties="alpha at 0"),
    pointwise(N.hard_sigmoid,  lambda y, x: N.step(x + 3) * N.step(3 - x) / 6,      formula="1/6 where |x| < 3, else 0", ties="0 at -3 and 3"),
    pointwise(N.softplus,      lambda y, x: N.sigma(x),                             formula="softplus' = sigma"),
    pointwise(N.exp,           lambda y, x: y,                                      formula="exp' = exp"),
    pointwise(N.log,           lambda y, x: 1 / x,                                  formula="log' = 1 / x"),
    pointwise(N.sqrt,          lambda y, x: 1 / (2 * y),                            formula="sqrt' = 1 / (2 sqrt)"),
    pointwise(N.absolute,      lambda y, x: N.sign(x),                              formula="|x|' = sign(x)", ties="0 at 0"),
    pointwise(N.sign,          lambda y, x: None,                                   formula="0"),
    pointwise(N.step,          lambda y, x: None,                                   formula="0"),
    pointwise(N.equal,         lambda y, a, b: None,                                formula="0"),
    pointwise(N.where,         lambda y, c, a, b: None, lambda y, c, a, b: N.step(c),
                               lambda y, c, a, b: 1 - N.step(c),                    formula="to the branch taken", ties="the second branch at equality"),
    pointwise(N.maximum,       lambda y, a, b: _half(1 + N.sign(a - b)),
                               lambda y, a, b: _half(1 - N.sign(a - b)),            formula="to the larger", ties=_tie),
    pointwise(N.minimum,       lambda y, a, b: _half(1 - N.sign(a - b)),
                               lambda y, a, b: _half(1 + N.sign(a - b)),            formula="to the smaller", ties=_tie),
    pointwise(N.stop_gradient, lambda y, x: None,                                   formula="no gradient"),
    Rule(N.Dot,         _dot_shape,       _dot,                                     "y = A v: dA = dy v^T, dv = A^T dy"),
    Rule(N.Transposed,  _transpose_shape, _one(lambda y, d, x, s: linear(N.transposed, d)), "dA = (dA^T)^T"),
    Rule(N.Outer,       _outer_shape,     _outer,                                   "Y = u v^T: du = dY v, dv = dY^T u"),
    Rule(N.Concat,      _concat_shape,    _concat,                                  "each part takes its slice"),
    Rule(N.Part,        _part_shape,      _part,                                    "zeros around the slice"),
    Rule(N.Pad,         _pad_shape,       _pad,                                     "the slice between the zeros"),
    Rule(N.Spread,      _spread_shape,    _spread,                                  "the sum over the copies"),
    Rule(N.Total,       _total_shape,     _one(lambda y, d, x, s: d),               "every step takes the total's"),
    Rule(N.Sum,         _sum_shape,       _one(lambda y, d, x, s: d),               "every entry takes the sum's"),
    Rule(N.Mean,        _reduction_shape, _one(lambda y, d, x, s: d / s[0]),        "every entry takes 1/n of the mean's"),
    Rule(N.Variance,    _reduction_shape, _variance,                                "2 (v - mean(v)) / n"),
    Rule(N.Max,         _reduction_shape, _max,                                     "to the largest entry", ties="shared equally among the largest"),
    Rule(N.normalize,   _vector_shape,    _normalize,                               "dv = (dy - mean(dy) - y mean(dy y)) / sqrt(var + eps)"),
    Rule(N.LogSumExp,   _reduction_shape, _one(lambda y, d, x, s: d * N.softmax(x)), "logsumexp' = softmax"),
    Rule(N.softmax,     _vector_shape,    _one(lambda y, d, x, s: y * (d - N.Sum(d * y))), "dz = y (dy - sum(dy y))"),
    Rule(N.log_softmax, _vector_shape,    _one(lambda y, d, x, s: d - N.softmax(x) * N.Sum(d)), "dz = dy - softmax(z) sum(dy)"),
)}
# fmt: on


def shape_of(expr: sp.Expr, env: Callable[[N.Ref], Shape], u: Unifier) -> Shape:
    """The shape of an expression, given the shapes of what it refers to.

    Raises:
        ShapeError: two parts of it do not fit.
    """
    if isinstance(expr, N.Ref):
        return env(expr)
    if not expr.args:
        return ()
    shapes = [shape_of(a, env, u) for a in _operands(expr)]
    if isinstance(expr, Op):
        rule = TABLE.get(type(expr))
        return u.resolve(rule.shape(u, shapes, expr) if rule else expr.own_shape(shapes))
    return _pointwise_shape(u, shapes, expr)


def _operands(expr: sp.Expr) -> tuple[sp.Expr, ...]:
    """The arguments that are quantities, not the bounds and sizes of a slice, pad or spread."""
    return expr.args[:1] if isinstance(expr, (N.Part, N.Pad, N.Spread)) else expr.args
