"""The normal form of equations: one operation that mixes entries a line, each with named operands.

What a derivation needs a value or a gradient of gets a name: the argument of an activation
(``a_i``), a factor that contains a matrix product (``p_n``), the operand of a product (``rh``).
Invented names never meet the author's.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Collection, Iterable

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell, Equation
from lstmsym.notation import Op, Pointwise, Ref
from lstmsym.page import RESERVED
from lstmsym.printing import is_negative
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier, plain


def normalise(
    equations: Iterable[Equation],
    taken: Iterable[str],
    shapes: dict[str, Shape],
    given: Collection[str] = (),
) -> tuple[tuple[Equation, ...], dict[str, Shape]]:
    """The equations in normal form, and the shapes of all names, the invented ones included.

    ``taken`` are names that an invented one must not meet; ``given`` what has no gradient, numbers of the
    user's and targets.  Lines without time come first.
    """
    form = _Form(set(taken), dict(shapes), given)
    for equation in equations:
        form.line(equation)
    return tuple(sorted(form.lines, key=lambda e: e.name.lag is not None)), form.shapes


def normal_form(cell: Cell, loss: bool = True) -> tuple[tuple[Equation, ...], dict[str, Shape]]:
    """A cell's equations in normal form, without those that only the loss needs if ``loss`` is False."""
    shapes = {q.name: q.shape for q in cell.quantities}
    return normalise(cell.equations, shapes, shapes)


def has_mixing(expr: sp.Expr) -> bool:
    """Whether an operation that mixes entries stands anywhere in the expression."""
    return any(
        isinstance(node, Op) and not isinstance(node, Pointwise) for node in sp.preorder_traversal(expr)
    )


class _Form:
    """The lines written so far and the names given."""

    def __init__(self, taken: set[str], shapes: dict[str, Shape], given: Collection[str]) -> None:
        self.taken, self.shapes, self.given = taken, shapes, given
        self.lines: list[Equation] = []
        self.named: dict[sp.Expr, Ref] = {}
        self.current: Equation
        self.whole: sp.Expr

    def line(self, equation: Equation) -> None:
        self.current = equation
        timed = equation.name.lag is not None
        expr = self.drawn_out(equation.expr)
        expr = self.activation(self.once(expr) if timed else expr)
        self.lines.append(Equation(equation.name, expr, equation.where))
        self.shapes.setdefault(equation.name.base, self.shape(expr))

    def shape(self, expr: sp.Expr) -> Shape:
        return shape_of(expr, lambda ref: self.shapes[ref.base], Unifier())

    def drawn_out(self, expr: sp.Expr) -> sp.Expr:
        """The expression with numbers before products: ``(-s * W) @ (2 * v)`` as ``-2 * s * (W @ v)``."""
        if isinstance(expr, Ref) or not expr.atoms(Ref):
            return expr
        args = [self.drawn_out(a) for a in expr.args]
        if not isinstance(expr, N.Dot):
            return expr if tuple(args) == expr.args else expr.func(*args)
        number, vector = args[1].as_coeff_Mul()
        factors = sp.Mul.make_args(args[0])
        scalars = [f for f in factors if self.shape(f) == ()]
        return sp.Mul(number, *scalars) * N.Dot(sp.Mul(*(f for f in factors if f not in scalars)), vector)

    def once(self, expr: sp.Expr) -> sp.Expr:
        """A timed right side, with a name without time for every operation on parameters alone."""
        if isinstance(expr, Ref) or not expr.atoms(Ref):
            return expr
        if any(ref.lag is not None for ref in expr.atoms(Ref)):
            return expr.func(*(self.once(a) for a in expr.args))
        turned = isinstance(expr, N.Transposed) and isinstance(expr.args[0], Ref)
        trained = any(ref.base not in self.given for ref in expr.atoms(Ref))
        return self.name(expr) if trained and expr.has(Op) and not turned else expr

    def activation(self, expr: sp.Expr) -> sp.Expr:
        """A right side: sums of terms, or a multiple of a named sum."""
        self.whole = expr
        if isinstance(expr, sp.Add):
            factor, total = _common_factor(expr)
            if factor != 1 and expr.has(N.Dot):
                return factor * self.name(total)
            return expr.func(*(self.term(a) for a in expr.args))
        return self.term(expr)

    def term(self, expr: sp.Expr) -> sp.Expr:
        """A term of a right side, where one operation may stand without a name, times a number."""
        coefficient, rest = expr.as_coeff_Mul()
        if isinstance(rest, _OUTPUT_FORM) and expr != self.whole:
            return coefficient * self.name(rest)
        if isinstance(rest, Op) and not isinstance(rest, Pointwise):
            return coefficient * self.mixing(rest)
        reductions = [f for f in sp.Mul.make_args(rest) if not self.is_given(f)]
        if isinstance(rest, sp.Mul) and len(reductions) == 1 and self.is_reduction(reductions[0]):
            return expr.xreplace({reductions[0]: self.mixing(reductions[0])})
        return coefficient * (self.factor(rest) if coefficient != 1 else self.pointwise(rest))

    def is_given(self, expr: sp.Expr) -> bool:
        """Whether it is made of what has no gradient, point by point."""
        return all(ref.base in self.given for ref in expr.atoms(Ref)) and not has_mixing(expr)

    def is_reduction(self, expr: sp.Expr) -> bool:
        """Whether it is an operation that mixes entries and gives one number."""
        return isinstance(expr, Op) and not isinstance(expr, Pointwise) and self.shape(expr) == ()

    def pointwise(self, expr: sp.Expr) -> sp.Expr:
        """A pointwise expression, with names for every operation in it that mixes entries."""
        if isinstance(expr, Ref) or not expr.atoms(Ref):
            return expr
        if isinstance(expr, Pointwise):
            return expr.func(*(self.argument(a, f"a_{self.line_name}") for a in expr.args))
        if isinstance(expr, Op):
            return self.name(expr)
        if isinstance(expr, sp.Mul):
            return expr.func(*(self.factor(f) for f in expr.args))
        if isinstance(expr, sp.Pow) and is_negative(expr.exp):
            return expr.func(self.argument(expr.base, f"den_{self.line_name}"), self.pointwise(expr.exp))
        return expr.func(*(self.pointwise(a) for a in expr.args))

    def factor(self, expr: sp.Expr) -> sp.Expr:
        """A factor: one made of a matrix product has a name, since its value is needed backward."""
        if isinstance(expr, (sp.Add, Pointwise)) and expr.has(N.Dot):
            return self.name(expr)
        return self.pointwise(expr)

    def argument(self, expr: sp.Expr, suggestion: str) -> sp.Expr:
        """The argument of a pointwise function, or a denominator: a compound one has a name."""
        if isinstance(expr, Ref) or self.is_given(expr):
            return expr
        return self.name(expr, suggestion)

    def mixing(self, expr: sp.Expr) -> sp.Expr:
        """An operation that mixes entries, its operands named; a sum keeps its pointwise summand."""
        if isinstance(expr, (N.Sum, N.Total)):
            return expr.func(
                self.activation(expr.args[0]) if isinstance(expr, N.Total) else self.pointwise(expr.args[0])
            )
        if isinstance(expr, N.Part):
            return self.part(expr)
        return expr.func(*(self.operand(a) for a in expr.args))

    def part(self, expr: sp.Expr) -> sp.Expr:
        """A slice with both its bounds; that of a whole vector is the vector."""
        vector = self.operand(expr.args[0])
        (size,) = self.shape(vector)
        high = size if expr.args[2] == N.End else plain(expr.args[2])
        return vector if (expr.args[1], high) == (0, size) else N.Part(vector, expr.args[1], high)

    def operand(self, expr: sp.Expr) -> sp.Expr:
        """An operand: a name, or a transposed one."""
        if isinstance(expr, N.Transposed):
            return N.Transposed(self.operand(expr.args[0]))
        return expr if isinstance(expr, Ref) or not expr.atoms(Ref) else self.name(expr)

    def name(self, expr: sp.Expr, suggestion: str = "") -> Ref:
        """A name for a sub-expression, the same one for the same expression."""
        if expr not in self.named:
            inner = self.activation(expr)
            constant = all(r.lag is None for r in inner.atoms(Ref))
            shape = self.shape(inner)
            letter = "P" if len(shape) == 2 else "p"
            called = self.usual(expr) or suggestion or f"{letter}_{self.line_name}"
            ref = Ref(self.unique(called), None if constant else 0)
            self.shapes[ref.base] = shape
            self.lines.append(Equation(ref, inner, self.current.where))
            self.named[expr] = ref
        return self.named[expr]

    @property
    def line_name(self) -> str:
        """The name whose equation is being written."""
        return self.current.name.base

    def usual(self, expr: sp.Expr) -> str:
        """What a paper would call it, if anything."""
        place = {e.name.base: index for index, e in enumerate(self.lines)}
        refs = sorted(expr.atoms(Ref), key=lambda r: (-(r.lag or 0), place.get(r.base, -1), r.base))
        bases = list(dict.fromkeys(r.base for r in refs))
        if isinstance(expr, N.Concat):
            bases = [a.base for a in expr.args if isinstance(a, Ref)]
            return "".join(bases) if _short(bases) else f"v_{self.line_name}"
        if isinstance(expr, N.Dot):
            constant = all(isinstance(a, Ref) and a.lag is None for a in expr.args)
            return "".join(a.base for a in expr.args) if constant and _short(bases) else ""
        if isinstance(expr, N.tanh) and expr.has(N.Dot):
            return f"{self.line_name}_tilde"
        if type(expr) in _LABELS:
            return _LABELS[type(expr)].format(bases[0] if len(bases) == 1 else self.line_name)
        if isinstance(expr, Pointwise):
            return f"{type(expr).__name__}_{bases[0] if len(bases) == 1 else self.line_name}"
        if isinstance(-expr, Ref):
            return f"neg_{bases[0]}"
        if isinstance(expr, sp.Mul) and not has_mixing(expr):
            return "".join(bases) if _short(bases) else f"q_{self.line_name}"
        return ""

    def unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.taken or candidate in _PYTHONS:
            count += 1
            candidate = f"{name}_{count}"
        self.taken.add(candidate)
        return candidate


_PYTHONS = {*keyword.kwlist, *RESERVED, *N.FUNCTIONS}
"""Names that letters put together may meet: the product of i and f is not called if."""

_LABELS: dict[type[Op], str] = {
    N.Mean: "mean_{}", N.Variance: "var_{}", N.Max: "max_{}", N.Sum: "sum_{}", N.LogSumExp: "lse_{}",
    N.softmax: "softmax_{}", N.normalize: "hat_{}", N.stop_gradient: "{}_fixed", N.absolute: "abs_{}",
    N.maximum: "max_{}", N.minimum: "min_{}",
}  # fmt: skip
"""What papers call the value of an operation on one name, or in the line of one name."""


_OUTPUT_FORM = (N.normalize, N.softmax, N.Max)
"""Operations whose rules are written with their output, so that it needs a name."""


def _short(bases: list[str]) -> bool:
    return len(bases) > 1 and all(len(b) == 1 for b in bases)


def _common_factor(total: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """A number that all terms of a sum share, and the sum without it."""
    factors = {term.as_coeff_Mul()[0] for term in total.args}
    if len(factors) > 1:
        return sp.Integer(1), total
    return factors.pop(), sp.Add(*(term.as_coeff_Mul()[1] for term in total.args))


def shape_lookup(shapes: dict[str, Shape]) -> Callable[[sp.Expr], Shape]:
    """The shape of any expression over names of known shape."""
    return lambda expr: shape_of(expr, lambda ref: shapes[ref.base], Unifier())
