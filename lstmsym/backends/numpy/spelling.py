"""NumPy's spelling of expressions, at one step or for all steps at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import NotationError, Ref
from lstmsym.printing import ATOM, PRODUCT, SUM, UNARY, Printer
from lstmsym.rules import shape_of
from lstmsym.shapes import Shape, Unifier

HELPERS: dict[str, str] = {
    "sigma": "sigmoid", "relu": "relu", "leaky_relu": "leaky_relu", "elu": "elu", "step": "step",
    "hard_sigmoid": "hard_sigmoid", "softplus": "softplus", "equal": "equal", "softmax": "softmax",
    "log_softmax": "log_softmax", "LogSumExp": "logsumexp", "normalize": "normalize",
    "Mean": "mean", "Variance": "variance", "Max": "largest", "Sum": "total",
}  # fmt: skip
"""Operations that NumPy has no name for, and what the emitted file calls them."""

UFUNCS: dict[str, str] = {
    "tanh": "np.tanh", "exp": "np.exp", "log": "np.log", "sqrt": "np.sqrt", "absolute": "np.abs",
    "sign": "np.sign", "maximum": "np.maximum", "minimum": "np.minimum",
}  # fmt: skip
"""Operations that NumPy has, with an ``out`` argument."""

REDUCTIONS: dict[str, str] = {"Mean": "mean", "Variance": "var", "Max": "max"}
SIMPLE = re.compile(r"[\w.]+").fullmatch
KEEPING = frozenset(("Mean", "Variance", "Max", "Sum"))
"""Reductions of a vector that have a helper which keeps its axis."""


class NumPy(Printer):
    """Spells expressions over arrays whose leading axes are (batch) or (step, batch).

    ``name`` gives the text of a reference; ``batched`` says that all steps are meant at once;
    ``helpers`` collects the helper functions that the text calls.
    """

    functions: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        order: Mapping[str, int],
        shapes: Mapping[str, Shape],
        name: Callable[[Ref], str],
        sizes: Mapping[str, str],
        batched: bool,
        helpers: set[str],
        view: Callable[[sp.Expr], str | None] | None = None,
        row: Callable[[str, str], str] = lambda wish, code: wish,
    ) -> None:
        """Spell in one context; ``row`` gives the name of a constant that is made once a call."""
        super().__init__(order)
        self.shapes, self.name, self.sizes = shapes, name, sizes
        self.batched, self.helpers, self.view, self.row = batched, helpers, view, row

    def shape(self, expr: sp.Expr) -> Shape:
        """The shape of an expression, for one sample at one step."""
        return shape_of(expr, lambda ref: self.shapes[ref.base], Unifier())

    def timed(self, expr: sp.Expr) -> bool:
        """Whether it has leading axes."""
        return any(ref.lag is not None for ref in expr.atoms(Ref))

    # -- leaves ------------------------------------------------------------------------------------

    def ref(self, ref: Ref) -> str:
        """A quantity."""
        return self.name(ref)

    def size(self, symbol: sp.Symbol) -> str:
        """A size."""
        return self.sizes.get(symbol.name, symbol.name)

    def number(self, number: sp.Number) -> tuple[str, int]:
        """Fractions as decimals, so that single precision stays single."""
        if isinstance(number, sp.Rational) and number.q != 1:
            exact = float(number)
            return (
                (repr(exact), ATOM)
                if sp.Rational(repr(exact)) == number
                else (f"{number.p} / {number.q}", PRODUCT)
            )
        return super().number(number)

    # -- pointwise: a scalar per sample needs an axis beside a vector ---------------------------------

    def spell_Add(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum."""
        return self.aligned(expr, super().spell_Add)

    def spell_Mul(self, expr: sp.Expr) -> tuple[str, int]:
        """A product."""
        return self.aligned(expr, super().spell_Mul)

    def aligned(self, expr: sp.Expr, spell: Callable[[sp.Expr], tuple[str, int]]) -> tuple[str, int]:
        """Spell with every per-sample scalar given the axes of its neighbours."""
        rank = len(self.shape(expr))
        if not rank or isinstance(expr, Lifted):
            return spell(expr)
        lifted = [self.lift(a, rank) for a in expr.args]
        return spell(expr if tuple(lifted) == expr.args else expr.func(*lifted))

    def lift(self, expr: sp.Expr, rank: int) -> sp.Expr:
        """A per-sample scalar with ``rank`` further axes; everything else as it is."""
        if isinstance(expr, Lifted) or not self.timed(expr) or self.shape(expr):
            return expr
        if isinstance(expr, (sp.Add, sp.Mul, sp.Pow, N.Pointwise)):
            return expr.func(*(self.lift(a, rank) for a in expr.args))
        return Lifted(expr, rank)

    def spell_Lifted(self, expr: sp.Expr) -> tuple[str, int]:
        """A scalar per sample beside vectors or matrices; what reduces a vector keeps its axis."""
        inner, rank = expr.args
        name = type(inner).__name__
        if rank == 1 and name in KEEPING and len(self.shape(inner.args[0])) == 1:
            self.helpers.add(name)
            return self.call(HELPERS[name], inner.args), ATOM
        return f"{self.at(inner, ATOM)}[..., {', '.join(['None'] * int(rank))}]", ATOM

    # -- calls -------------------------------------------------------------------------------------

    def spell_call(self, expr: sp.Expr) -> tuple[str, int]:
        """A function of NumPy or a helper of the file."""
        name = type(expr).__name__
        rank = len(self.shape(expr))
        args = tuple(self.lift(a, rank) for a in expr.args) if rank else expr.args
        if name in UFUNCS:
            called = self.call(UFUNCS[name], args)
            # A NumPy number would turn arrays of single precision into double; a Python one does not.
            return (called if expr.atoms(Ref) else f"float({called})"), ATOM
        if name in REDUCTIONS:
            return f"{self.at(expr.args[0], ATOM)}.{REDUCTIONS[name]}(axis=-1)", ATOM
        if name in HELPERS:
            self.helpers.add(name)
            return self.call(HELPERS[name], args), ATOM
        raise NotationError(f"backend numpy cannot spell {name}")

    def spell_where(self, expr: sp.Expr) -> tuple[str, int]:
        """np.where with the condition as a comparison."""
        rank = len(self.shape(expr))
        condition, yes, no = (self(self.lift(a, rank)) for a in expr.args)
        return f"np.where({condition} > 0, {yes}, {no})", ATOM

    def spell_stop_gradient(self, expr: sp.Expr) -> tuple[str, int]:
        """The value itself."""
        return self.spell(expr.args[0])

    def spell_Sum(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum over the features."""
        rank = len(self.shape(expr.args[0]))
        if rank == 0:
            return self.spell(expr.args[0])
        return f"{self.at(expr.args[0], ATOM)}.sum(axis={'-1' if rank == 1 else '(-2, -1)'})", ATOM

    def spell_Total(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum over steps and batch; of outer products, one matrix product."""
        (inner,) = expr.args
        if not self.batched:
            return self.share(inner)
        if isinstance(inner, N.Transposed):
            return f"{self.at(N.Total(inner.args[0]), ATOM)}.T", ATOM
        if isinstance(inner, N.Outer) and not all(self.timed(a) for a in inner.args):
            left, right = (self.at(N.Total(a) if self.timed(a) else a, ATOM) for a in inner.args)
            return f"np.outer({left}, {right})", ATOM
        if isinstance(inner, N.Outer):
            return f"{self.flat(inner.args[0])}.T @ {self.flat(inner.args[1])}", PRODUCT
        coefficient, rest = inner.as_coeff_Mul()
        if coefficient != 1 and isinstance(rest, (N.Outer, N.Transposed)):
            return f"{self(coefficient)} * {self.at(N.Total(rest), UNARY)}", PRODUCT
        if isinstance(inner, sp.Add) and inner.has(N.Outer):
            return self.spell(sp.Add(*(N.Total(a) for a in inner.args)))
        return f"{self.at(inner, ATOM)}.sum(axis=(0, 1))", ATOM

    def share(self, inner: sp.Expr) -> tuple[str, int]:
        """One step's share of a sum over steps and batch."""
        if isinstance(inner, N.Outer) and not all(self.timed(a) for a in inner.args):
            left, right = (self.share(a)[0] if self.timed(a) else self(a) for a in inner.args)
            return f"np.outer({left}, {right})", ATOM
        if isinstance(inner, N.Outer):
            return f"{self.at(inner.args[0], ATOM)}.T @ {self.at(inner.args[1], UNARY)}", PRODUCT
        return f"{self.at(inner, ATOM)}.sum(axis=0)", ATOM

    def flat(self, expr: sp.Expr) -> str:
        """All steps and samples as rows of one matrix."""
        self.helpers.add("rows")
        if isinstance(expr, N.Part):
            return f"rows({self(expr.args[0])})[:, {self.ends(expr, 0)}]"
        return f"rows({self(expr)})"

    def ends(self, expr: sp.Expr, axis: int) -> str:
        """The bounds of a slice, the upper one left open at the end."""
        whole, low, high = expr.args
        return self.bounds(low, N.End if high == self.shape(whole)[axis] else high)

    def bounds(self, low: sp.Expr, high: sp.Expr) -> str:
        """The text between the brackets of a slice."""
        if high == N.End:
            return f"{self(low)} :" if not (low.is_Symbol or low.is_Integer) else f"{self(low)}:"
        first = "" if low == 0 else self(low)
        space = " " if any(not (e.is_Symbol or e.is_Integer) for e in (low, high)) else ""
        return f"{first}{space if first else ''}:{space}{self(high)}"

    # -- vectors and matrices --------------------------------------------------------------------------

    def spell_Dot(self, expr: sp.Expr) -> tuple[str, int]:
        """A matrix product, for every sample (and step)."""
        left, right = expr.args
        if not self.timed(right) and not self.timed(left):
            return super().spell_Dot(expr)
        if len(self.shape(right)) == 2:
            return f"{self.at(left, UNARY)} @ {self.at(right, UNARY)}", PRODUCT
        if self.timed(left):
            return f"({self.at(left, ATOM)} @ {self.at(right, ATOM)}[..., None])[..., 0]", ATOM
        matrix = self.at(N.transposed(left), UNARY)
        if not self.timed(right):
            return f"{self.at(left, UNARY)} @ {self.at(right, UNARY)}", PRODUCT
        if self.batched:
            self.helpers.update(("rows", "each"))
            return f"each({self(right)}, {self(N.transposed(left))})", ATOM
        return f"{self.at(right, UNARY)} @ {matrix}", PRODUCT

    def spell_Transposed(self, expr: sp.Expr) -> tuple[str, int]:
        """A transposed matrix; for matrices per sample the last two axes."""
        if self.timed(expr):
            return f"{self.at(expr.args[0], ATOM)}.swapaxes(-1, -2)", ATOM
        return f"{self.at(expr.args[0], ATOM)}.T", ATOM

    def spell_Outer(self, expr: sp.Expr) -> tuple[str, int]:
        """A matrix per sample."""
        left, right = expr.args
        return f"{self.at(left, ATOM)}[..., :, None] * {self.at(right, ATOM)}[..., None, :]", PRODUCT

    def spell_Concat(self, expr: sp.Expr) -> tuple[str, int]:
        """Vectors one after the other; a constant among values of each step is repeated."""
        parts = [self(a) if self.timed(a) or not self.timed(expr) else self.repeated(a) for a in expr.args]
        return f"np.concatenate(({', '.join(parts)}), axis=-1)", ATOM

    def repeated(self, expr: sp.Expr) -> str:
        """A constant for every sample (and step)."""
        lead = "T, B" if self.batched else "B"
        return f"np.broadcast_to({self(expr)}, ({lead}, {', '.join(map(self, self.shape(expr)))}))"

    def pattern(self, expr: sp.Expr, wish: str, inside: str, outside: str) -> str:
        """A row with one number at the features of sigma and another at those of tanh."""
        _, low, high = expr.args
        (width,) = self.shape(expr)
        runs = [(low, outside), (high - low, inside), (width - high, outside)]
        parts = [f"np.full({self(size)}, {value}, dtype)" for size, value in runs if size != 0]
        return self.row(wish, f"np.concatenate(({', '.join(parts)}))")

    def spell_Gates(self, expr: sp.Expr) -> tuple[str, int]:
        """Sigma and tanh of neighbours, by one tanh; `Writer` does it in place."""
        self.helpers.add("sigmoid_tanh")
        scale = self.pattern(expr, "scale", "0.5", "1")
        shift = self.pattern(expr, "shift", "0.5", "0")
        return f"sigmoid_tanh({self(expr.args[0])}, {scale}, {shift})", ATOM

    def spell_Slopes(self, expr: sp.Expr) -> tuple[str, int]:
        """(1 - v) (v + 0 or 1)."""
        values = self(expr.args[0])
        return f"(1 - {values}) * ({values} + {self.pattern(expr, 'tanhs', '0', '1')})", PRODUCT

    def spell_Turned(self, expr: sp.Expr) -> tuple[str, int]:
        """A transposed copy, where it is used often enough."""
        self.helpers.add("Turned")
        return f"turned({self(expr.args[0])}, T * B)", ATOM

    def spell_Stack(self, expr: sp.Expr) -> tuple[str, int]:
        """Matrices one below the other."""
        return f"np.concatenate(({', '.join(self(a) for a in expr.args)}))", ATOM

    def spell_Beside(self, expr: sp.Expr) -> tuple[str, int]:
        """Matrices side by side."""
        return f"np.concatenate(({', '.join(self(a) for a in expr.args)}), axis=1)", ATOM

    def spell_Rows(self, expr: sp.Expr) -> tuple[str, int]:
        """Rows of a matrix."""
        return f"{self.at(expr.args[0], ATOM)}[{self.ends(expr, 0)}]", ATOM

    def spell_Cols(self, expr: sp.Expr) -> tuple[str, int]:
        """Columns of a matrix."""
        return f"{self.at(expr.args[0], ATOM)}[:, {self.ends(expr, 1)}]", ATOM

    def spell_Part(self, expr: sp.Expr) -> tuple[str, int]:
        """A slice of the features."""
        vector = expr.args[0]
        if self.view is not None and (short := self.view(expr)):
            return short, ATOM
        lead = "..., " if self.timed(vector) and self.batched else ":, " if self.timed(vector) else ""
        return f"{self.at(vector, ATOM)}[{lead}{self.ends(expr, 0)}]", ATOM

    def spell_Pad(self, expr: sp.Expr) -> tuple[str, int]:
        """Zeros around a vector."""
        self.helpers.add("Pad")
        return f"pad({', '.join(self(a) for a in expr.args)})", ATOM

    def spell_Spread(self, expr: sp.Expr) -> tuple[str, int]:
        """One number at every entry."""
        value, *sizes = expr.args
        if not self.timed(value):
            size = self(sizes[0]) if len(sizes) == 1 else f"({', '.join(map(self, sizes))})"
            return f"np.full({size}, {self(value)}, dtype)", ATOM
        self.helpers.add("Spread")
        return f"spread({self(value)}, {', '.join(map(self, sizes))})", ATOM

    def power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """A power, without spaces where formatters write none."""
        operands = [self.at(part, ATOM) for part in (base, exponent)]
        return ("**" if all(map(SIMPLE, operands)) else " ** ").join(operands)

    def spell_Pow(self, expr: sp.Expr) -> tuple[str, int]:
        """Powers; a half is a square root."""
        if expr.exp == sp.Rational(1, 2) and expr.atoms(Ref):
            return f"np.sqrt({self(expr.base)})", ATOM
        return super().spell_Pow(expr)


class Lifted(N.Op):
    """A scalar per sample with further axes, so that it goes with vectors or matrices."""

    def own_shape(self, shapes: list[Shape]) -> Shape:
        """Still one number: it takes the shape of its neighbours."""
        return ()


__all__ = ["ATOM", "PRODUCT", "SUM", "UNARY", "Lifted", "NumPy"]
