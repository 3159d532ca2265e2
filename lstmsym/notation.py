"""What an equation is written with: sizes, references to quantities, and the operations.

A vector is a commutative SymPy symbol that stands for "the k-th entry", so that ``+ - * /`` and the
functions are pointwise and SymPy's scalar engine is sound on it.  Whatever mixes entries (`Dot`,
`Outer`, `Concat`, the reductions, ...) is an opaque operation that SymPy never looks into; its shape
and its derivative are a row of :mod:`lstmsym.rules`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any, ClassVar

import sympy as sp
from sympy.core.relational import Relational, StrictGreaterThan, StrictLessThan


class NotationError(ValueError):
    """A mistake in a cell, a claim or a call, told in one sentence: what, where, what to do."""


def author_line() -> str:
    """File and line of the nearest frame that is neither ours nor SymPy's: where the author wrote it."""
    frame: FrameType | None = sys._getframe(1)
    while frame:
        module = frame.f_globals.get("__name__", "")
        ours = module.split(".")[0] == "lstmsym" and not module.startswith("lstmsym.cells")
        if not ours and module.split(".")[0] != "sympy":
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


class Size(sp.Symbol):
    """A symbolic size: the number of inputs ``m``, of units ``n``, or one of the user's own.

    ``keyword`` is its name in the signature of generated code; ``default`` the size taken when the
    caller names none (a number or an expression in other sizes; the number of units otherwise).
    """

    keyword: str
    default: sp.Expr | int | None

    def __new__(cls, name: str, keyword: str = "", default: Any = None) -> Size:
        """Make the size symbol ``name``; sizes are positive integers."""
        size: Size = sp.Symbol.__xnew__(cls, name, integer=True, positive=True)
        size.keyword = keyword or f"{name}_size"
        size.default = default
        return size

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that rebuild this size (pickle, copy)."""
        return (self.name, self.keyword, self.default), {}


m = Size("m", "input_size")
n = Size("n", "hidden_size")
p = Size("p", "proj_size", default=(n + 1) // 2)
k = Size("k", "output_size", default=n)
scalar: tuple[()] = ()
"""The shape of a single number, as in ``Input(scalar)``."""


@dataclass(frozen=True)
class Time:
    """A step of the sequence relative to the present one: ``t``, ``t - 1``, ``t + 1``."""

    offset: int = 0

    def __add__(self, steps: int) -> Time:
        """A later step."""
        return Time(self.offset + steps)

    def __sub__(self, steps: int) -> Time:
        """An earlier step."""
        return Time(self.offset - steps)

    def __str__(self) -> str:
        """As it stands between the brackets: t, t-1, t+1."""
        return "t" + (f"{self.offset:+d}" if self.offset else "")


t = Time()


class Operand:
    """The operators of the notation beyond SymPy's own: ``A @ v``, ``A.T`` and slices ``v[a:b]``."""

    __iter__: ClassVar[None] = None  # __getitem__ would otherwise make SymPy take us for a sequence

    def __matmul__(self, other: Any) -> sp.Expr:
        """Matrix times vector (or matrix times matrix)."""
        return Dot(self, other)

    def __rmatmul__(self, other: Any) -> sp.Expr:
        """Matrix times vector, where the matrix is a stock SymPy sum such as ``R - R.T``."""
        return Dot(other, self)

    @property
    def T(self) -> sp.Expr:
        """The transposed matrix."""
        return transposed(sp.sympify(self))

    def __getitem__(self, index: Any) -> sp.Expr:
        """The slice ``v[a:b]`` of a vector, bounds in symbolic sizes."""
        if not isinstance(index, slice) or index.step is not None:
            raise NotationError(f"{self}[{index}]: only slices v[a:b] with step 1 are understood")
        return Part(
            self, 0 if index.start is None else index.start, End if index.stop is None else index.stop
        )


End = sp.Symbol("end")
"""The open upper bound of a slice, replaced by the vector's size when a cell is built."""


class Ref(Operand, sp.Symbol):
    """A quantity at a step: ``h[t-1]`` is ``Ref("h", -1)``; what has no time (a weight) has lag None."""

    base: str
    lag: int | None

    def __new__(cls, base: str, lag: int | None = None) -> Ref:
        """Refer to ``base`` at step t + lag; equal base and lag make equal references."""
        ref: Ref = sp.Symbol.__xnew__(cls, base if lag is None else f"{base}[{Time(lag)}]")
        ref.base, ref.lag = base, lag
        return ref

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arguments that rebuild this reference (pickle, copy)."""
        return (self.base, self.lag), {}

    def __getitem__(self, index: Any) -> sp.Expr:
        """A slice; a time index is refused, since only states reach across steps."""
        if isinstance(index, Time):
            if index.offset == 0 and self.lag == 0:
                return self
            raise NotationError(
                f"{author_line()}: {self.base}[{index}]: {self.base} has no value at {index};"
                f" only states reach across steps, so declare {self.base} = State()"
            )
        return Operand.__getitem__(self, index)

    def shifted(self, steps: int) -> Ref:
        """The same quantity ``steps`` later; what has no time stays."""
        return self if self.lag is None else Ref(self.base, self.lag + steps)


class Op(Operand, sp.Function):
    """An operation of the notation: opaque to SymPy, with a row in :mod:`lstmsym.rules`."""

    @classmethod
    def eval(cls, *args: Any) -> None:
        """Never evaluate: the notation keeps what the author wrote."""
        return

    def own_shape(self, shapes: list[Any]) -> Any:
        """The shape, for an operation that is not in the table because it is never differentiated."""
        raise NotationError(f"{type(self).__name__} has no row in the table of rules")

    def _sympystr(self, printer: Any) -> str:
        # SymPy prints some classes by their name (Transpose, Max): ours must not be taken for its own.
        return f"{type(self).__name__}({', '.join(printer._print(a) for a in self.args)})"


class Pointwise(Op):
    """An operation on the k-th entries alone."""


# fmt: off
class sigma(Pointwise):        """Logistic sigmoid, 1 / (1 + exp(-x))."""
class tanh(Pointwise):         """Hyperbolic tangent."""
class relu(Pointwise):         """max(x, 0)."""
class leaky_relu(Pointwise):   """x where x > 0, else slope * x: ``leaky_relu(x, slope)``."""
class elu(Pointwise):          """x where x > 0, else alpha * (exp(x) - 1): ``elu(x, alpha)``."""
class hard_sigmoid(Pointwise): """x / 6 + 1/2 clipped to [0, 1] (PyTorch, Keras 3)."""
class softplus(Pointwise):     """log(1 + exp(x)), without overflow."""
class exp(Pointwise):          """Exponential."""
class log(Pointwise):          """Natural logarithm; ``log(softmax(z))`` becomes the stable log_softmax."""
class sqrt(Pointwise):         """Square root."""
class absolute(Pointwise):     """Absolute value, written ``abs(x)``."""
class sign(Pointwise):         """-1, 0 or 1."""
class step(Pointwise):         """1 where x > 0, else 0."""
class equal(Pointwise):        """1 where the two are equal, else 0."""
class where(Pointwise):        """``where(a > b, x, y)``, kept as where(c, x, y) with c taken where c > 0."""
class maximum(Pointwise):      """The larger of the two, entry by entry: ``max(a, b)``."""
class minimum(Pointwise):      """The smaller of the two, entry by entry: ``min(a, b)``."""
class stop_gradient(Pointwise):"""x forward, no gradient backward."""

class Dot(Op):                 """Matrix times vector, or matrix times matrix, ``A @ v``."""
class Transposed(Op):          """The transposed matrix, ``A.T``."""
class Outer(Op):               """Outer product u v^T, a matrix."""
class Concat(Op):              """Vectors one after the other."""
class Part(Op):                """The slice v[a:b]: ``Part(v, a, b)``."""
class Pad(Op):                 """v between ``a`` zeros before and ``b`` zeros after: ``Pad(v, a, b)``."""
class Spread(Op):              """A scalar repeated over a shape: ``Spread(s, n)`` or ``Spread(s, n, m)``."""
class Total(Op):               """Sum over all steps t of the sequence (and over the batch)."""
class Sum(Op):                 """Sum over all entries."""
class Mean(Op):                """Mean over the entries of a vector."""
class Variance(Op):            """Population variance over the entries of a vector."""
class Max(Op):                 """The largest entry of a vector."""
class LogSumExp(Op):           """log of the sum of exp over a vector, without overflow."""
class normalize(Op):           """(v - mean(v)) / sqrt(variance(v) + eps): ``normalize(v, eps)``."""
class softmax(Op):             """exp(z) / sum(exp(z)) over a vector, without overflow."""
class log_softmax(Op):         """log(softmax(z)) over a vector, without overflow."""
# fmt: on


def transposed(matrix: sp.Expr) -> sp.Expr:
    """A.T, with (A.T).T = A."""
    return matrix.args[0] if isinstance(matrix, Transposed) else Transposed(matrix)


def concat(*vectors: Any) -> sp.Expr:
    """Vectors one after the other: ``concat(h[t-1], x[t])``."""
    return Concat(*vectors)


def outer(left: Any, right: Any) -> sp.Expr:
    """The matrix u v^T."""
    return Outer(left, right)


def sum(vector: Any) -> sp.Expr:
    """Sum over the features of one sample: a scalar."""
    return Sum(vector)


def mean(vector: Any) -> sp.Expr:
    """Mean over the features of one sample: a scalar."""
    return Mean(vector)


def variance(vector: Any) -> sp.Expr:
    """Population variance over the features of one sample (divided by n): a scalar."""
    return Variance(vector)


def max(first: Any, *rest: Any) -> sp.Expr:
    """``max(v)``: the largest feature, a scalar; ``max(a, b)``: the larger of two, entry by entry."""
    return _folded(maximum, first, rest) if rest else Max(first)


def min(first: Any, *rest: Any) -> sp.Expr:
    """``min(v)``: the smallest feature, a scalar; ``min(a, b)``: the smaller of two, entry by entry."""
    return _folded(minimum, first, rest) if rest else -Max(-sp.sympify(first))


def _folded(operation: type[Op], first: Any, rest: tuple[Any, ...]) -> sp.Expr:
    for other in rest:
        first = operation(first, other)
    return first


def abs(x: Any) -> sp.Expr:
    """Absolute value, entry by entry."""
    return absolute(x)


def layer_norm(vector: Any, gain: Any, bias: Any = 0, eps: Any = 1e-5) -> sp.Expr:
    """Layer normalisation, gain * normalize(v, eps) + bias (Ba, Kiros & Hinton 2016, eq. 4)."""
    return sp.sympify(gain) * normalize(vector, eps) + sp.sympify(bias)


def logsumexp(vector: Any) -> sp.Expr:
    """log(sum(exp(z))), without overflow: a scalar."""
    return LogSumExp(vector)


def cross_entropy(logits: Any, target: Any) -> sp.Expr:
    """-sum(y * log(softmax(z))) for logits z and target probabilities y (one-hot or soft): a scalar."""
    return -Sum(sp.sympify(target) * log_softmax(logits))


FUNCTIONS: dict[str, Any] = {
    f.__name__: f
    for f in (
        *(sigma, tanh, relu, leaky_relu, elu, hard_sigmoid, softplus, exp, log, sqrt, sign, step, where),
        *(maximum, minimum, stop_gradient, concat, outer, sum, mean, variance, max, min, abs),
        *(softmax, log_softmax, logsumexp, cross_entropy, normalize, layer_norm),
    )
}
"""Every function a cell may call, by the name it is called with."""

_STOCK: dict[Any, Any] = {
    sp.Abs: absolute, sp.exp: exp, sp.log: log, sp.tanh: tanh, sp.sign: sign,
    sp.Max: lambda *a: max(*a), sp.Min: lambda *a: min(*a),
}  # fmt: skip


def canonical(expr: Any) -> sp.Expr:
    """The expression in our own operations: stock SymPy functions replaced, conditions made signs.

    Raises:
        NotationError: a function or object that the notation does not know.
    """
    expr = _sympified(expr)
    if isinstance(expr, (sp.Symbol, sp.Number)) or expr is sp.E or expr is sp.pi:
        return expr
    if isinstance(expr, Relational):
        return _condition(expr)
    args = [canonical(a) for a in expr.args]
    if isinstance(expr, log) and isinstance(args[0], softmax):
        return log_softmax(*args[0].args)
    if isinstance(expr, (sp.Add, sp.Mul, sp.Pow, Op)):
        return expr if tuple(args) == expr.args else expr.func(*args)
    if expr.func in _STOCK:
        return _STOCK[expr.func](*args)
    raise NotationError(
        f"unknown function {getattr(expr.func, '__name__', expr.func)};"
        f" known are {', '.join(sorted(FUNCTIONS))}"
    )


def _sympified(value: Any) -> Any:
    try:
        return sp.sympify(value, strict=True)
    except NotationError:
        raise
    except Exception:
        raise NotationError(f"{value!r} is no expression of the notation") from None


def _condition(relation: Relational) -> sp.Expr:
    """An expression that is positive exactly where the (strict) relation holds."""
    left, right = (canonical(a) for a in relation.args)
    if isinstance(relation, StrictGreaterThan):
        return left - right
    if isinstance(relation, StrictLessThan):
        return right - left
    raise NotationError(f"{relation}: a condition is written with > or <")
