"""What an equation is written with: sizes, references to quantities, and the operations.

A vector is a commutative SymPy symbol that stands for "the k-th entry", so that ``+ - * /`` and the
functions are pointwise and SymPy's scalar engine is sound on it.  Whatever mixes entries (`Dot`,
`Outer`, `Concat`, the reductions, ...) is an opaque operation that SymPy never looks into; its shape
and its derivative are a row of :mod:`lstmsym.rules`.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, TypeVar, cast

import sympy as sp
from sympy.core.relational import Relational, StrictGreaterThan, StrictLessThan

from lstmsym.mistakes import NotationError as NotationError
from lstmsym.mistakes import author_line as author_line
from lstmsym.mistakes import mistake
from lstmsym.refusals import Refusals


class Size(sp.Symbol):
    """A symbolic size: the number of inputs ``m``, of units ``n``, or one of the user's own.

    ``keyword`` is its name in the signature of generated code; ``default`` the size taken when the
    caller names none (a number or an expression in other sizes; the number of units otherwise).
    """

    keyword: str
    default: sp.Expr | int | None

    def __new__(cls, name: str, keyword: str = "", default: Any = None) -> Size:
        """Make the size symbol ``name``; sizes are positive integers."""
        if not (isinstance(name, str) and name.isidentifier() and isinstance(keyword, str)):
            raise mistake(f"Size({name!r}): a size takes its name as a string, as in Size('q')")
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
        return Time(self.offset + steps) if isinstance(steps, int) else self._refuse()

    def __sub__(self, steps: int) -> Time:
        """An earlier step."""
        return Time(self.offset - steps) if isinstance(steps, int) else self._refuse()

    def __eq__(self, other: object) -> bool:
        return self.offset == other.offset if isinstance(other, Time) else self._refuse()

    def _refuse(self, *_: Any) -> NoReturn:
        raise mistake("a step is written t, t-1 or t+1, between the brackets of a quantity")

    __radd__ = __add__
    __mul__ = __rmul__ = __rsub__ = __truediv__ = __pow__ = __neg__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __iter__ = __float__ = __getitem__ = _refuse

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
        if not isinstance(index, slice):
            raise mistake(f"{self}[{index}]: one entry is the slice v[0:1]; only slices are understood")
        low, high = (0 if index.start is None else index.start), (End if index.stop is None else index.stop)
        if index.step is not None or not all(map(_is_bound, (low, high))):
            raise mistake(f"{self}[...]: a slice is v[a:b], its bounds sizes or whole numbers from 0 on")
        return Part(self, low, high)


def _is_bound(value: Any) -> bool:
    if isinstance(value, Refusals):
        return False
    bound = sp.sympify(value)
    return bound == End or bool(bound.is_integer and not bound.is_negative)


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
            cls.form = _form(takes)

    def __new__(cls, *args: Any, **named: Any) -> Any:
        """Apply the operation; to what an author writes, it gives what an author writes on with."""
        args = _bound(cls.__name__, cls.form, args, named).args
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
        # SymPy prints some classes by their name (Transpose, Max): ours must not be taken for its own.
        return f"{type(self).__name__}({', '.join(printer._print(a) for a in self.args)})"


def _form(takes: str) -> inspect.Signature:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return inspect.Signature(
        [inspect.Parameter(name.lstrip("*"), kinds[name.startswith("*")]) for name in takes.split()]
    )


def _bound(
    name: str, form: inspect.Signature, args: tuple[Any, ...], named: dict[str, Any]
) -> inspect.BoundArguments:
    """The arguments of a call in their places, or a sentence that says how the function is called."""
    try:
        return form.bind(*args, **named)
    except TypeError as error:
        shown = [p.replace(annotation=p.empty) for p in form.parameters.values()]
        raise mistake(f"{error}: write {name}({', '.join(map(str, shown))})") from None


class Pointwise(Op, takes="x"):
    """An operation on the k-th entries alone."""


# fmt: off
class sigma(Pointwise):                        """Logistic sigmoid, 1 / (1 + exp(-x))."""
class tanh(Pointwise):                         """Hyperbolic tangent."""
class relu(Pointwise):                         """max(x, 0)."""
class leaky_relu(Pointwise, takes="x slope"):  """x where x > 0, else slope * x: ``leaky_relu(x, slope)``."""
class elu(Pointwise, takes="x alpha"):         """x where x > 0, else alpha * (exp(x) - 1): ``elu(x, alpha)``."""
class hard_sigmoid(Pointwise):                 """x / 6 + 1/2 clipped to [0, 1] (PyTorch, Keras 3)."""
class softplus(Pointwise):                     """log(1 + exp(x)), without overflow."""
class exp(Pointwise):                          """Exponential."""
class log(Pointwise):                          """Natural logarithm; ``log(softmax(z))`` becomes the stable log_softmax."""
class sqrt(Pointwise):                         """Square root."""
class absolute(Pointwise):                     """Absolute value, written ``abs(x)``."""
class sign(Pointwise):                         """-1, 0 or 1."""
class step(Pointwise):                         """1 where x > 0, else 0."""
class equal(Pointwise, takes="a b"):           """1 where the two are equal, else 0."""
class where(Pointwise, takes="condition x y"): """``where(a > b, x, y)``, kept as where(c, x, y) with c taken where c > 0."""
class maximum(Pointwise, takes="a b"):         """The larger of the two, entry by entry: ``max(a, b)``."""
class minimum(Pointwise, takes="a b"):         """The smaller of the two, entry by entry: ``min(a, b)``."""
class stop_gradient(Pointwise):                """x forward, no gradient backward."""

class Dot(Op, takes="A v"):                    """Matrix times vector, or matrix times matrix, ``A @ v``."""
class Transposed(Op, takes="A"):               """The transposed matrix, ``A.T``."""
class Outer(Op, takes="u v"):                  """Outer product u v^T, a matrix."""
class Concat(Op, takes="v *more"):             """Vectors one after the other."""
class Part(Op, takes="v a b"):                 """The slice v[a:b]: ``Part(v, a, b)``."""
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


_F = TypeVar("_F", bound=Callable[..., Any])


def _function(function: _F) -> _F:
    """A function of the notation: a call that does not fit its signature is told in a sentence."""
    form = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        _bound(function.__name__, form, args, named)
        return function(*args, **named)

    return cast(_F, call)


@_function
def concat(vector: Any, *more: Any) -> sp.Expr:
    """Vectors one after the other: ``concat(h[t-1], x[t])``."""
    return Concat(vector, *more) if more else vector


@_function
def outer(left: Any, right: Any) -> sp.Expr:
    """The matrix u v^T."""
    return Outer(left, right)


@_function
def sum(vector: Any) -> sp.Expr:
    """Sum over the features of one sample: a scalar."""
    return Sum(vector)


@_function
def mean(vector: Any) -> sp.Expr:
    """Mean over the features of one sample: a scalar."""
    return Mean(vector)


@_function
def variance(vector: Any) -> sp.Expr:
    """Population variance over the features of one sample (divided by n): a scalar."""
    return Variance(vector)


@_function
def max(first: Any, *rest: Any) -> sp.Expr:
    """``max(v)``: the largest feature, a scalar; ``max(a, b)``: the larger of two, entry by entry."""
    return _folded(maximum, first, rest) if rest else Max(first)


@_function
def min(first: Any, *rest: Any) -> sp.Expr:
    """``min(v)``: the smallest feature, a scalar; ``min(a, b)``: the smaller of two, entry by entry."""
    return _folded(minimum, first, rest) if rest else -Max(-first)


def _folded(operation: type[Op], first: Any, rest: tuple[Any, ...]) -> sp.Expr:
    for other in rest:
        first = operation(first, other)
    return first


@_function
def abs(x: Any) -> sp.Expr:
    """Absolute value, entry by entry."""
    return absolute(x)


@_function
def layer_norm(vector: Any, gain: Any, bias: Any = 0, eps: Any = 1e-5) -> sp.Expr:
    """Layer normalisation, gain * normalize(v, eps) + bias (Ba, Kiros & Hinton 2016, eq. 4)."""
    return gain * normalize(vector, eps) + bias


@_function
def logsumexp(vector: Any) -> sp.Expr:
    """log(sum(exp(z))), without overflow: a scalar."""
    return LogSumExp(vector)


@_function
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

    Raises:
        NotationError: a function or object that the notation does not know.
    """
    expr = operand(expr)
    if expr.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I):
        raise Unplaced("it divides by zero, or is not finite or not real: change the numbers in it")
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
    raise Unplaced(
        f"unknown function {getattr(expr.func, '__name__', expr.func)};"
        f" known are {', '.join(sorted(FUNCTIONS))}"
    )


def expression(value: Any) -> sp.Expr:
    """What an author wrote as a SymPy expression.

    Raises:
        NotationError: it is none, told with its place.
    """
    try:
        return operand(value)
    except Unplaced as error:
        raise mistake(str(error)) from None


class Unplaced(NotationError):
    """A mistake in a value, of which only the caller knows where it stands."""


def operand(value: Any) -> sp.Expr:
    """The same, where the caller knows the place.

    Raises:
        Unplaced: it is no expression.
    """
    if isinstance(value, sp.Expr):
        return value
    try:
        made = None if isinstance(value, bool) else sp.sympify(value, strict=True)
    except NotationError:
        raise
    except Exception:
        made = None
    if not isinstance(made, (sp.Expr, Relational)):
        raise Unplaced(f"{_described(value)} is no expression of the notation{_remedy(value)}")
    return made


def _described(value: Any) -> str:
    if isinstance(value, (bool, sp.logic.boolalg.BooleanAtom)):
        return f"the truth value {value}"
    if hasattr(value, "__name__"):
        return f"{value.__name__} ({type(value).__name__})"
    shown = " ".join((repr(value) if isinstance(value, str) else str(value)).split())
    return f"{shown if len(shown) < 60 else shown[:57] + '...'} ({type(value).__name__})"


def _remedy(value: Any) -> str:
    if hasattr(value, "__name__"):
        return (
            ": functions are called with (...); what is no quantity is imported and defined above the class"
        )
    remedies: dict[Any, str] = {
        (bool, sp.logic.boolalg.BooleanAtom): "a condition is written where(a > b, x, y)",
        (list, tuple): "vectors are joined by concat(a, b) and added by a + b",
        object: "write it with declared quantities (an array is a parameter), earlier lines and numbers",
    }
    kind = next(kinds for kinds in remedies if isinstance(value, kinds))
    return f": {remedies[kind]}"


def _condition(relation: Relational) -> sp.Expr:
    """An expression that is positive exactly where the (strict) relation holds."""
    left, right = (canonical(a) for a in relation.args)
    if isinstance(relation, StrictGreaterThan):
        return left - right
    if isinstance(relation, StrictLessThan):
        return right - left
    raise Unplaced(f"{relation}: a condition is written with > or <")
