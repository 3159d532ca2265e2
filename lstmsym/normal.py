"""The normal form of equations: one operation that mixes entries a line, each with named operands.

What a derivation needs a value or a gradient of gets a name: the argument of an activation
(``a_i``), a factor that contains a matrix product (``p_n``), the operand of a product (``rh``).
Invented names never meet the author's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import sympy as sp

from lstmsym import notation as N
from lstmsym.cell import Cell, Equation
from lstmsym.notation import Op, Pointwise, Ref
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier


def normalise(
    equations: Iterable[Equation], taken: Iterable[str], shapes: dict[str, Shape]
) -> tuple[tuple[Equation, ...], dict[str, Shape]]:
    """The equations in normal form, and the shapes of all names, the invented ones included.

    ``taken`` are names that an invented one must not meet.
    """
    form = _Form(set(taken), dict(shapes))
    for equation in equations:
        form.line(equation)
    return tuple(form.lines), form.shapes


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

    def __init__(self, taken: set[str], shapes: dict[str, Shape]) -> None:
        self.taken, self.shapes = taken, shapes
        self.lines: list[Equation] = []
        self.named: dict[sp.Expr, Ref] = {}
        self.current: Equation

    def line(self, equation: Equation) -> None:
        self.current = equation
        expr = self.activation(equation.expr)
        self.lines.append(Equation(equation.name, expr, equation.where))
        self.shapes.setdefault(equation.name.base, self.shape(expr))

    def shape(self, expr: sp.Expr) -> Shape:
        return shape_of(expr, lambda ref: self.shapes[ref.base], Unifier())

    def activation(self, expr: sp.Expr) -> sp.Expr:
        """A right side: sums of terms; the argument of an activation has a name."""
        if isinstance(expr, sp.Add):
            return expr.func(*(self.term(a) for a in expr.args))
        return self.term(expr)

    def term(self, expr: sp.Expr) -> sp.Expr:
        """A term of a right side, where one operation may stand without a name, times a number."""
        coefficient, rest = expr.as_coeff_Mul()
        if isinstance(rest, Op) and not isinstance(rest, Pointwise):
            return coefficient * self.mixing(rest)
        return coefficient * self.pointwise(rest)

    def pointwise(self, expr: sp.Expr) -> sp.Expr:
        """A pointwise expression, with names for every operation in it that mixes entries."""
        if isinstance(expr, Pointwise):
            return expr.func(*(self.argument(a) for a in expr.args))
        if isinstance(expr, Op):
            return self.name(expr)
        if not expr.args or (not has_mixing(expr) and not _compound_activation(expr)):
            return expr
        if isinstance(expr, sp.Mul):
            return expr.func(*(self.factor(f) for f in expr.args))
        return expr.func(*(self.pointwise(a) for a in expr.args))

    def factor(self, expr: sp.Expr) -> sp.Expr:
        """A factor: a sum that contains a matrix product has a name, since its value is needed backward."""
        if isinstance(expr, sp.Add) and expr.has(N.Dot):
            return self.name(expr)
        return self.pointwise(expr)

    def argument(self, expr: sp.Expr) -> sp.Expr:
        """The argument of a pointwise function: a compound one has a name."""
        if isinstance(expr, Ref) or not expr.atoms(Ref):
            return expr
        if isinstance(expr, Pointwise) and not has_mixing(expr):
            return self.pointwise(expr)
        return self.name(expr)

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
        vector = self.operand(expr.args[0])
        high = self.shape(vector)[0] if expr.args[2] == N.End else expr.args[2]
        return N.Part(vector, expr.args[1], high)

    def operand(self, expr: sp.Expr) -> sp.Expr:
        """An operand: a name, or a transposed one."""
        if isinstance(expr, N.Transposed):
            return N.Transposed(self.operand(expr.args[0]))
        return expr if isinstance(expr, Ref) or not expr.atoms(Ref) else self.name(expr)

    def name(self, expr: sp.Expr) -> Ref:
        """A name for a sub-expression, the same one for the same expression."""
        if expr not in self.named:
            inner = self.activation(expr)
            constant = all(r.lag is None for r in inner.atoms(Ref))
            ref = Ref(self.unique(self.suggest(expr)), None if constant else 0)
            self.shapes[ref.base] = self.shape(inner)
            self.lines.append(Equation(ref, inner, self.current.where))
            self.named[expr] = ref
        return self.named[expr]

    def suggest(self, expr: sp.Expr) -> str:
        """What a paper would call it."""
        line = self.current.name.base
        written = [e.name.base for e in self.lines]
        place = {base: index for index, base in enumerate(written)}
        refs = sorted(expr.atoms(Ref), key=lambda r: (-(r.lag or 0), place.get(r.base, -1), r.base))
        bases = [r.base for r in refs]
        if isinstance(expr, N.Concat):
            bases = [a.base for a in expr.args if isinstance(a, Ref)]
            return "".join(bases) if _short(bases) else f"v_{line}"
        if isinstance(expr, (N.Mean, N.Variance, N.Max, N.Sum, N.LogSumExp, N.softmax, N.normalize)):
            label = _LABELS.get(type(expr), type(expr).__name__.lower())
            return f"{label}_{bases[0] if len(bases) == 1 else line}"
        if isinstance(expr, sp.Mul) and not has_mixing(expr):
            return "".join(bases) if _short(bases) else f"q_{line}"
        if self.current.expr.has(Pointwise) and isinstance(self.current.expr, Pointwise):
            return f"a_{line}" if self.current.expr.args[0] == expr else f"p_{line}"
        return f"p_{line}"

    def unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self.taken:
            count += 1
            candidate = f"{name}_{count}"
        self.taken.add(candidate)
        return candidate


_LABELS: dict[type[Op], str] = {N.Variance: "var", N.normalize: "hat", N.LogSumExp: "lse"}


def _short(bases: list[str]) -> bool:
    return len(bases) > 1 and all(len(b) == 1 for b in bases)


def _compound_activation(expr: sp.Expr) -> bool:
    """Whether a pointwise function in it is applied to more than a name."""
    return any(
        isinstance(node, Pointwise) and any(a.args and a.atoms(Ref) for a in node.args)
        for node in sp.preorder_traversal(expr)
    )


def shape_lookup(shapes: dict[str, Shape]) -> Callable[[sp.Expr], Shape]:
    """The shape of any expression over names of known shape."""
    return lambda expr: shape_of(expr, lambda ref: shapes[ref.base], Unifier())
