"""What an equation is written with: sizes, references to quantities, and the operations.

A vector is a commutative SymPy symbol that stands for "the k-th entry", so that ``+ - * /`` and the
functions are pointwise and SymPy's scalar engine is sound on it.  Whatever mixes entries (`Dot`,
`Outer`, `Concat`, the reductions, ...) is an opaque operation that SymPy never looks into; its shape
and its derivative are a row of :mod:`lstmsym.rules`.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

import sympy as sp
from sympy.core.relational import Relational, StrictGreaterThan, StrictLessThan
from sympy.printing.precedence import PRECEDENCE

from lstmsym.mistakes import NotationError as NotationError
from lstmsym.mistakes import mistake
from lstmsym.refusals import Refusals
from lstmsym.signatures import bound, checked, form_of
from lstmsym.sizes import Size as Size
from lstmsym.sizes import Time as Time
from lstmsym.sizes import k as k
from lstmsym.sizes import m as m
from lstmsym.sizes import n as n
from lstmsym.sizes import p as p
from lstmsym.sizes import scalar as scalar
from lstmsym.sizes import t as t
from lstmsym.values import Unplaced, expression, operand


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
        if isinstance(index, tuple):
            raise mistake(
                f"{self}[{shown(index)}]: a matrix has no slices; declare its blocks as weights of their own,"
                " or take a slice of the vector A @ v"
            )
        if not isinstance(index, slice):
            raise mistake(f"{self}[{index}]: one entry is the slice v[0:1]; only slices are understood")
        low, high = (0 if index.start is None else index.start), (End if index.stop is None else index.stop)
        if index.step is not None or not all(map(_is_bound, (low, high))):
            raise mistake(
                f"[{shown(index)}] of {self}: a slice is v[a:b], its bounds sizes or whole numbers from 0 on"
            )
        return Part(self, low, high)


def shown(index: Any) -> str:
    """What stands between brackets."""
    if isinstance(index, tuple):
        return ", ".join(map(shown, index))
    if not isinstance(index, slice):
        return str(index)
    bounds = (index.start, index.stop, *([] if index.step is None else [index.step]))
    return ":".join("" if bound is None else str(bound) for bound in bounds)


def _is_bound(value: Any) -> bool:
    if isinstance(value, Refusals):
        return False
    size = sp.sympify(value)
    return size == End or bool(size.is_integer and not size.is_negative)


def _combined(operate: Callable[..., Any], *operands: Any) -> Written:
    """The operation on expressions, to be written on with."""
    try:
        return Written(operate(*map(expression, operands)))
    except TypeError as error:
        condition = any(isinstance(expression(o), Relational) for o in operands)
        raise mistake(
            "a condition is no number: use where(a > b, x, y)" if condition else f"{error}"
        ) from None


def _operator(operate: Callable[..., Any], reflected: bool = False) -> Any:
    def method(self: Authored, *others: Any) -> Written:
        return _combined(operate, *((*others, self) if reflected else (self, *others)))

    return method


class Authored(Refusals, Operand):
    """What an author computes with: the operators of the notation; all else that Python has is refused.

    It stands for a SymPy expression (`_sympy_`) without being one, as SymPy's own sums and products
    know nothing of ``@`` and of slices, and would answer ``==`` and ``if`` without a word.
    """

    _op_priority = 1000.0  # SymPy leaves operations with us to us

    def _sympy_(self) -> sp.Expr:
        raise NotImplementedError

    __add__, __radd__ = _operator(operator.add), _operator(operator.add, reflected=True)
    __sub__, __rsub__ = _operator(operator.sub), _operator(operator.sub, reflected=True)
    __mul__, __rmul__ = _operator(operator.mul), _operator(operator.mul, reflected=True)
    __truediv__, __rtruediv__ = _operator(operator.truediv), _operator(operator.truediv, reflected=True)
    __pow__, __rpow__ = _operator(operator.pow), _operator(operator.pow, reflected=True)
    __neg__, __pos__ = _operator(operator.neg), _operator(operator.pos)
    __lt__, __gt__ = _operator(operator.lt), _operator(operator.gt)
    __le__, __ge__ = _operator(operator.le), _operator(operator.ge)

    def __abs__(self) -> Any:
        """The absolute value, entry by entry."""
        return absolute(self)

    @property
    def T(self) -> sp.Expr:
        """The transposed matrix."""
        return Written(transposed(expression(self)))

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **_: Any) -> Any:
        """Arithmetic with NumPy's numbers is ours; NumPy's functions are refused."""
        operate = _NUMPY.get(ufunc.__name__)
        if operate is None:
            self._refuse_foreign(ufunc)
        return _combined(operate, *args)

    def __array_function__(self, function: Any, *_: Any) -> Any:
        """Refuse NumPy's other functions."""
        self._refuse_foreign(function)

    @classmethod
    def __torch_function__(cls, function: Any, *_: Any) -> Any:
        """Refuse PyTorch's functions."""
        cls._refuse_foreign(function)

    @staticmethod
    def _refuse_foreign(function: Any) -> NoReturn:
        name = function.__name__
        ours = f"{name} of lstmsym" if name in FUNCTIONS else "A @ v for products and concat(u, v) to join"
        raise mistake(f"{name} of an array library takes numbers, not equations: use {ours}")


class Written(Authored):
    """An expression that an author has begun to write."""

    def __init__(self, expr: sp.Expr) -> None:
        """Hold the expression so far."""
        self._expr = expr

    def _sympy_(self) -> sp.Expr:
        return self._expr

    def __getitem__(self, index: Any) -> Any:
        """A slice, or a quantity at its own step."""
        if isinstance(index, Time) and isinstance(self._expr, Ref):
            return Written(self._expr[index])
        return super().__getitem__(index)

    def __repr__(self) -> str:
        return str(self._expr)


_NUMPY: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "power": operator.pow, "less": operator.lt, "greater": operator.gt,
}  # fmt: skip
"""What NumPy calls the operators when one of its numbers stands on the left."""


_WRITTEN = {"absolute": "abs", "maximum": "max", "minimum": "min", "Dot": "@"}
"""Operations whose class is not called as an author calls them, capitals aside."""

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
            raise mistake(
                f"{self.base}[{index}]: {self.base} has no value at {index};"
                f" only states reach across steps, so declare {self.base} = State()"
            )
        return Operand.__getitem__(self, index)

    def shifted(self, steps: int) -> Ref:
        """The same quantity ``steps`` later; what has no time stays."""
        return self if self.lag is None else Ref(self.base, self.lag + steps)


class Op(Operand, sp.Function):
    """An operation of the notation: opaque to SymPy, with a row in :mod:`lstmsym.rules`.

    ``takes`` names its arguments, ``*name`` for any number of them.
    """

    form: ClassVar[inspect.Signature] = inspect.Signature(
        [inspect.Parameter("arguments", inspect.Parameter.VAR_POSITIONAL)]
    )

    def __init_subclass__(cls, takes: str = "", **kwargs: Any) -> None:
        """Note what the operation takes."""
        super().__init_subclass__(**kwargs)
        if takes:
            cls.form = form_of(takes)

    def __new__(cls, *args: Any, **named: Any) -> Any:
        """Apply the operation; to what an author writes, it gives what an author writes on with."""
        args = bound(cls.__name__, cls.form, args, named).args
        made = super().__new__(cls, *map(expression, args))
        return Written(made) if any(isinstance(a, Authored) for a in args) else made

    @classmethod
    def eval(cls, *args: Any) -> None:
        """Never evaluate: the notation keeps what the author wrote."""
        return

    def own_shape(self, shapes: list[Any]) -> Any:
        """The shape, for an operation that is not in the table because it is never differentiated."""
        raise NotationError(f"{type(self).__name__} has no row in the table of rules")

    def _sympystr(self, printer: Any) -> str:
        """As an author writes it; SymPy would take some classes for its own (Transpose, Max)."""
        name = _WRITTEN.get(type(self).__name__, type(self).__name__.lower())
        return f"{name}({', '.join(printer._print(a) for a in self.args)})"


class Pointwise(Op, takes="x"):
    """An operation on the k-th entries alone."""


class step(Pointwise):
    """1 where x > 0, else 0."""

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Integer | None:
        """A number's step is known."""
        return sp.Integer(bool(x > 0)) if x.is_Number else None


class equal(Pointwise, takes="a b"):
    """1 where the two are equal, else 0."""

    @classmethod
    def eval(cls, a: sp.Expr, b: sp.Expr) -> sp.Integer | None:
        """What equals itself."""
        return sp.Integer(1) if a == b else None


class sign(Pointwise):
    """-1, 0 or 1."""

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """A number's sign is known: ``max(h, h)`` leaves sign(0)."""
        return sp.sign(x) if x.is_Number else None


class Dot(Op, takes="A v"):
    """Matrix times vector, or matrix times matrix, ``A @ v``."""

    precedence = PRECEDENCE["Mul"]

    def _sympystr(self, printer: Any) -> str:
        return " @ ".join(printer.parenthesize(a, PRECEDENCE["Mul"]) for a in self.args)


class Transposed(Op, takes="A"):
    """The transposed matrix, ``A.T``."""

    def _sympystr(self, printer: Any) -> str:
        return f"{printer.parenthesize(self.args[0], PRECEDENCE['Atom'])}.T"


class Part(Op, takes="v a b"):
    """The slice v[a:b]: ``Part(v, a, b)``."""

    def _sympystr(self, printer: Any) -> str:
        vector, *bounds = self.args
        low, high = ("" if b in (0, End) else printer._print(b) for b in bounds)
        return f"{printer.parenthesize(vector, PRECEDENCE['Atom'])}[{low}:{high}]"


# fmt: off
class sigma(Pointwise):                        """Logistic sigmoid, 1 / (1 + exp(-x))."""
class tanh(Pointwise):                         """Hyperbolic tangent."""
class relu(Pointwise):                         """max(x, 0)."""
class leaky_relu(Pointwise, takes="x slope"):  """x where x > 0, else slope * x: ``leaky_relu(x, slope)``."""
class elu(Pointwise, takes="x alpha"):         """x where x > 0, else alpha * (exp(x) - 1): ``elu(x, alpha)``."""
class hard_sigmoid(Pointwise):                 """x / 6 + 1/2 clipped to [0, 1] (PyTorch, Keras 3)."""
class softplus(Pointwise):                     """log(1 + exp(x)), without overflow."""
class exp(Pointwise):                          """Exponential."""
class log(Pointwise):                          """Natural logarithm; of sigma, softmax and sums of exp it takes its stable form."""
class sqrt(Pointwise):                         """Square root."""
class absolute(Pointwise):                     """Absolute value, written ``abs(x)``."""
class where(Pointwise, takes="condition x y"): """``where(a > b, x, y)``, kept as where(c, x, y) with c taken where c > 0."""
class maximum(Pointwise, takes="a b"):         """The larger of the two, entry by entry: ``max(a, b)``."""
class minimum(Pointwise, takes="a b"):         """The smaller of the two, entry by entry: ``min(a, b)``."""
class stop_gradient(Pointwise):                """x forward, no gradient backward."""

class Outer(Op, takes="u v"):                  """Outer product u v^T, a matrix."""
class Concat(Op, takes="v *more"):             """Vectors one after the other."""
class Pad(Op, takes="v a b"):                  """v between ``a`` zeros before and ``b`` zeros after: ``Pad(v, a, b)``."""
class Spread(Op, takes="s *sizes"):            """A scalar repeated over a shape: ``Spread(s, n)`` or ``Spread(s, n, m)``."""
class Total(Op, takes="x"):                    """Sum over all steps t of the sequence (and over the batch)."""
class Sum(Op, takes="v"):                      """Sum over all entries."""
class Mean(Op, takes="v"):                     """Mean over the entries of a vector."""
class Variance(Op, takes="v"):                 """Population variance over the entries of a vector."""
class Max(Op, takes="v"):                      """The largest entry of a vector."""
class LogSumExp(Op, takes="v"):                """log of the sum of exp over a vector, without overflow."""
class normalize(Op, takes="v eps"):            """(v - mean(v)) / sqrt(variance(v) + eps): ``normalize(v, eps)``."""
class softmax(Op, takes="v"):                  """exp(z) / sum(exp(z)) over a vector, without overflow."""
class log_softmax(Op, takes="v"):              """log(softmax(z)) over a vector, without overflow."""
# fmt: on


def transposed(matrix: sp.Expr) -> sp.Expr:
    """A.T, with (A.T).T = A."""
    return matrix.args[0] if isinstance(matrix, Transposed) else Transposed(matrix)


@checked
def concat(vector: Any, *more: Any) -> sp.Expr:
    """Vectors one after the other: ``concat(h[t-1], x[t])``."""
    return Concat(vector, *more) if more else vector


@checked
def outer(left: Any, right: Any) -> sp.Expr:
    """The matrix u v^T."""
    return Outer(left, right)


@checked
def sum(vector: Any) -> sp.Expr:
    """Sum over the features of one sample: a scalar."""
    return Sum(vector)


@checked
def mean(vector: Any) -> sp.Expr:
    """Mean over the features of one sample: a scalar."""
    return Mean(vector)


@checked
def variance(vector: Any) -> sp.Expr:
    """Population variance over the features of one sample (divided by n): a scalar."""
    return Variance(vector)


@checked
def max(first: Any, *rest: Any) -> sp.Expr:
    """``max(v)``: the largest feature, a scalar; ``max(a, b)``: the larger of two, entry by entry."""
    return _folded(maximum, first, rest) if rest else Max(first)


@checked
def min(first: Any, *rest: Any) -> sp.Expr:
    """``min(v)``: the smallest feature, a scalar; ``min(a, b)``: the smaller of two, entry by entry."""
    return _folded(minimum, first, rest) if rest else -Max(-first)


def _folded(operation: type[Op], first: Any, rest: tuple[Any, ...]) -> sp.Expr:
    for other in rest:
        first = operation(first, other)
    return first


@checked
def abs(x: Any) -> sp.Expr:
    """Absolute value, entry by entry."""
    return absolute(x)


@checked
def layer_norm(vector: Any, gain: Any, bias: Any = 0, eps: Any = 1e-5) -> sp.Expr:
    """Layer normalisation, gain * normalize(v, eps) + bias (Ba, Kiros & Hinton 2016, eq. 4)."""
    return gain * normalize(vector, eps) + bias


@checked
def logsumexp(vector: Any) -> sp.Expr:
    """log(sum(exp(z))), without overflow: a scalar."""
    return LogSumExp(vector)


@checked
def cross_entropy(logits: Any, target: Any) -> sp.Expr:
    """-sum(y * log(softmax(z))) for logits z and target probabilities y (one-hot or soft): a scalar."""
    return -Sum(target * log_softmax(logits))


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

    What overflows or loses all digits as it stands takes its stable form: log(sigma(z)) is
    -softplus(-z), log(1 - sigma(z)) is -softplus(z), log(1 + exp(z)) is softplus(z), log(sum(exp(z)))
    is logsumexp(z), log(softmax(z)) is log_softmax(z), log(exp(z)) is z, 1 / (1 + exp(-z)) and
    exp(z) / (1 + exp(z)) are sigma(z), exp(z) / sum(exp(z)) is softmax(z).  A condition that is a
    number is decided: where(0, a, b) is b.

    Raises:
        NotationError: a function or object that the notation does not know.
    """
    expr = operand(expr)
    if expr.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        raise Unplaced("it divides by zero, or is not finite or not real: change the numbers in it")
    if isinstance(expr, (sp.Symbol, sp.Number)) or expr is sp.E or expr is sp.pi:
        return expr
    if isinstance(expr, Relational):
        raise Unplaced("a condition is no number: use where(a > b, x, y)")
    chosen = isinstance(expr, where)
    args = [_condition(a) if chosen and isinstance(a, Relational) else canonical(a) for a in expr.args]
    if isinstance(expr, (sp.Add, sp.Mul, sp.Pow, Op)):
        made = expr if tuple(args) == expr.args else expr.func(*args)
    elif expr.func in _STOCK:
        made = _STOCK[expr.func](*args)
    else:
        raise Unplaced(
            f"unknown function {getattr(expr.func, '__name__', expr.func)};"
            f" known are {', '.join(sorted(FUNCTIONS))}"
        )
    stable = _STABLE.get(type(made))
    return stable(made) if stable else made


def _stable_log(expr: sp.Expr) -> sp.Expr:
    (inner,) = expr.args
    if isinstance(inner, exp):
        return inner.args[0]
    if isinstance(inner, sigma):
        return -softplus(-inner.args[0])
    if isinstance(inner, softmax):
        return log_softmax(inner.args[0])
    if isinstance(inner, Sum) and isinstance(inner.args[0], exp):
        return LogSumExp(inner.args[0].args[0])
    for term in inner.args if isinstance(inner, sp.Add) else ():
        if isinstance(term, exp) and inner - term == 1:
            return softplus(term.args[0])
        if isinstance(-term, sigma) and inner - term == 1:
            return -softplus((-term).args[0])
    return expr


def _stable_power(expr: sp.Expr) -> sp.Expr:
    base, exponent = expr.args
    for term in base.args if isinstance(base, sp.Add) and exponent.is_negative else ():
        if isinstance(term, exp) and base - term == 1:
            return sigma(-term.args[0]) ** -exponent
    return expr


def _stable_product(expr: sp.Expr) -> sp.Expr:
    for factor in expr.args:
        if isinstance(factor, exp):
            (z,) = factor.args
            for other, whole in ((sigma(-z), sigma(z)), (1 / Sum(factor), softmax(z))):
                if other in expr.args:
                    rest = [f for f in expr.args if f not in (factor, other)]
                    return canonical(sp.Mul(*rest, whole))
    return expr


def _decided(expr: sp.Expr) -> sp.Expr:
    condition, first, second = expr.args
    if not condition.is_Number:
        return expr
    return first if condition > 0 else second


_STABLE: dict[Any, Callable[[sp.Expr], sp.Expr]] = {
    log: _stable_log, sp.Pow: _stable_power, sp.Mul: _stable_product, where: _decided,
}  # fmt: skip
"""What `canonical` does with an expression whose outermost operation this is."""


def _condition(relation: Relational) -> sp.Expr:
    """An expression that is positive exactly where the (strict) relation holds."""
    left, right = (canonical(a) for a in relation.args)
    if isinstance(relation, StrictGreaterThan):
        return left - right
    if isinstance(relation, StrictLessThan):
        return right - left
    raise Unplaced(f"{relation}: a condition is written with > or <")
