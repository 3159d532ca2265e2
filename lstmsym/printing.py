"""Printing in house order: the same text over hash seeds and SymPy versions, reading like a paper.

SymPy's own printers are not used: they own neither the order of terms nor the spelling of a class
that prints itself.  One `Printer` walks the tree; a spelling (notation, text, LaTeX, a backend's
language) overrides what it says differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref

SUM, PRODUCT, UNARY, POWER, ATOM = range(5)
"""Binding strength, weakest first."""

Order = Mapping[str, int]
"""Name -> place in the cell, which decides what is written first."""


def refs_in(expr: sp.Expr, order: Order) -> list[Ref]:
    """The references of an expression, in house order."""
    found = sorted(expr.atoms(Ref), key=lambda r: (order.get(r.base, len(order)), r.base, r.lag or 0))
    return list(found)


class Printer:
    """Walks an expression and spells it in the notation itself: ``W_i @ x[t] + b_i``."""

    times: ClassVar[str] = " * "
    chosen: ClassVar[str] = "where"
    functions: ClassVar[Mapping[str, str]] = {"absolute": "abs", "maximum": "max", "minimum": "min"}

    def __init__(self, order: Order | None = None) -> None:
        """Print terms by ``order``, a name's place in its cell."""
        self.order: Order = order or {}

    def knows(self, gradient: Ref, of: Ref) -> bool:
        """Whether the gradient of a quantity has a name here; what has none is written out."""
        return True

    def __call__(self, expr: Any) -> str:
        """The text of an expression."""
        return self.at(sp.sympify(expr), SUM)

    def at(self, expr: sp.Expr, strength: int) -> str:
        """The text of an expression where something of ``strength`` binds it, bracketed if need be."""
        text, own = self.spell(expr)
        return self.bracket(text) if own < strength else text

    def bracket(self, text: str) -> str:
        """Round brackets."""
        return f"({text})"

    def spell(self, expr: sp.Expr) -> tuple[str, int]:
        """The text and how strongly its outermost operation binds."""
        if isinstance(expr, Ref):
            return self.ref(expr), ATOM
        if isinstance(expr, sp.Symbol):
            return self.size(expr), ATOM
        if isinstance(expr, sp.Number):
            return self.number(expr)
        method: Callable[[sp.Expr], tuple[str, int]] | None
        method = getattr(self, f"spell_{type(expr).__name__}", None)
        return method(expr) if method else self.spell_call(expr)

    # -- leaves ---------------------------------------------------------------------------------

    def ref(self, ref: Ref) -> str:
        """A quantity at its step."""
        return str(ref.name)

    def size(self, symbol: sp.Symbol) -> str:
        """A size symbol."""
        return str(symbol.name)

    def number(self, number: sp.Number) -> tuple[str, int]:
        """A number, fractions as p/q."""
        if isinstance(number, sp.Rational) and number.q != 1:
            return f"{number.p}/{number.q}", PRODUCT if number > 0 else SUM
        text = repr(float(number)) if isinstance(number, sp.Float) else str(number)
        return text, ATOM if number >= 0 else SUM

    # -- sums, products, powers --------------------------------------------------------------------

    def spell_Add(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum, signs between the terms."""
        text = ""
        for term in sorted(expr.args, key=self.term_key):
            negative = is_negative(term)
            body = self.at(-term if negative else term, PRODUCT)
            sign = " - " if negative else " + "
            text += sign + body if text else ("-" if negative else "") + body
        return text, SUM

    def spell_Mul(self, expr: sp.Expr) -> tuple[str, int]:
        """A product, with a fraction bar where there are negative powers."""
        if is_negative(expr):
            return "-" + self.at(-expr, PRODUCT), SUM
        above, below = self.fraction(expr)
        if not below:
            return self.product(above), PRODUCT
        return self.quotient(self.product(above) if above else "1", below), PRODUCT

    def fraction(self, expr: sp.Expr) -> tuple[list[sp.Expr], list[sp.Expr]]:
        """The factors above and below the fraction bar, in house order."""
        above: list[sp.Expr] = []
        below: list[sp.Expr] = []
        for factor in expr.args:
            if isinstance(factor, sp.Rational) and factor.q != 1:
                below.append(sp.Integer(factor.q))
                above += [sp.Integer(factor.p)] if factor.p != 1 else []
            elif is_reciprocal(factor):
                below.append(factor.base ** (-factor.exp))
            else:
                above.append(factor)
        return sorted(above, key=self.factor_key), sorted(below, key=self.factor_key)

    def product(self, factors: list[sp.Expr]) -> str:
        """Factors side by side."""
        return self.times.join(self.at(f, UNARY) for f in factors)

    def quotient(self, above: str, below: list[sp.Expr]) -> str:
        """A quotient on one line."""
        denominator = self.at(below[0], UNARY) if len(below) == 1 else self.bracket(self.product(below))
        return f"{above} / {denominator}"

    def spell_Pow(self, expr: sp.Expr) -> tuple[str, int]:
        """A power; a negative one is a quotient."""
        if is_reciprocal(expr):
            return self.quotient("1", [expr.base ** (-expr.exp)]), PRODUCT
        return self.power(expr.base, expr.exp), POWER

    def power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """Base to the exponent."""
        return f"{self.at(base, ATOM)}**{self.at(exponent, ATOM)}"

    # -- operations --------------------------------------------------------------------------------

    def spell_call(self, expr: sp.Expr) -> tuple[str, int]:
        """Any other operation: name(arguments)."""
        name = type(expr).__name__
        return self.call(self.functions.get(name, name.lower()), expr.args), ATOM

    def call(self, name: str, args: tuple[sp.Expr, ...]) -> str:
        """A function call."""
        return f"{name}({', '.join(self(a) for a in args)})"

    def spell_where(self, expr: sp.Expr) -> tuple[str, int]:
        """One of two, its condition as a comparison."""
        condition, *branches = expr.args
        inner = ", ".join([f"{self(condition)} > 0", *map(self, branches)])
        return f"{self.chosen}({inner})", ATOM

    def spell_Dot(self, expr: sp.Expr) -> tuple[str, int]:
        """A matrix product."""
        left, right = expr.args
        return f"{self.at(left, UNARY)} @ {self.at(right, UNARY)}", PRODUCT

    def spell_Transposed(self, expr: sp.Expr) -> tuple[str, int]:
        """A transposed matrix."""
        return f"{self.at(expr.args[0], ATOM)}.T", ATOM

    def spell_Label(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative: dL[t]/ds[t], with what is held fixed."""
        what, by, *held = expr.args
        fixed = f" at fixed {', '.join(self(h) for h in held)}" if held else ""
        return f"d{self.at(what, ATOM)}/d{self(by)}{fixed}", PRODUCT if held else ATOM

    spell_Local = spell_Through = spell_Label

    def spell_ChainSum(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum over t of the chain rule through the outputs."""
        by = self(expr.args[0])
        return f"sum over t of dL/dh[t] dh[t]/d{by}", PRODUCT

    def spell_Part(self, expr: sp.Expr) -> tuple[str, int]:
        """A slice."""
        vector, low, high = expr.args
        first = "" if low == 0 else self(low)
        last = "" if high == N.End else self(high)
        return f"{self.at(vector, ATOM)}[{first}:{last}]", ATOM

    def spell_Columns(self, expr: sp.Expr) -> tuple[str, int]:
        """Some columns of a matrix."""
        matrix, *_ = expr.args
        return f"{self.at(matrix, ATOM)}[:, {self.spell_Part(expr)[0].rpartition('[')[2]}", ATOM

    # -- house order -------------------------------------------------------------------------------

    def term_key(self, term: sp.Expr) -> tuple[Any, ...]:
        """Where a term stands in a sum: matrix products, memories, products, names, what comes from t+1."""
        refs = refs_in(term, self.order)
        if not refs:
            return (2 if is_negative(term) else -1, 0, (), str(term))
        lags = {r.lag for r in refs}
        kind = 3 if isinstance(term if not is_negative(term) else -term, Ref) else 2
        if term.has(N.Dot):
            kind = 0
            refs = [*(r for r in refs if r.lag is None), *(r for r in refs if r.lag is not None)]
        elif -1 in lags:
            kind = 1
        return (int(is_negative(term)), kind + 4 * (1 in lags), self.places(refs), str(term))

    def factor_key(self, factor: sp.Expr) -> tuple[Any, ...]:
        """Where a factor stands in a product: numbers, gradients, weights, gates, functions, memories."""
        refs = refs_in(factor, self.order)
        if not refs:
            return (-1, not isinstance(factor, sp.Number), 0, (), 0, (), str(factor))
        gradient = any(self.is_gradient(r) for r in refs)
        mixing = any(
            isinstance(a, N.Op) and not isinstance(a, N.Pointwise) for a in sp.preorder_traversal(factor)
        )
        lag = {None: 0, 0: 1, -1: 2, 1: 3}.get(refs[0].lag, 4)
        late = 2 * mixing + isinstance(factor, N.Pointwise)
        plain = 0 if isinstance(factor, Ref) else 1
        return (not gradient, late, lag, self.places(refs[:1]), plain, self.places(refs), str(factor))

    def is_gradient(self, ref: Ref) -> bool:
        """Whether a name is an adjoint: those stand first in the order, below zero."""
        return self.order.get(ref.base, 0) < 0

    def places(self, refs: list[Ref]) -> tuple[Any, ...]:
        """The places of names in the cell."""
        return tuple((self.order.get(r.base, len(self.order)), r.base) for r in refs)


def is_reciprocal(expr: sp.Expr) -> bool:
    """Whether it is one over something: 2**(-v) is not, whose reciprocal would overflow."""
    return isinstance(expr, sp.Pow) and is_negative(expr.exp) and not expr.exp.atoms(Ref)


def is_negative(expr: sp.Expr) -> bool:
    """Whether a leading minus is shown: a negative number or a product with a negative coefficient."""
    return bool(expr.as_coeff_Mul()[0].is_negative)


class Text(Printer):
    """The spelling for a terminal: ``δc[t] ⊙ f[t]``, with U+2299 for pointwise products."""

    times = " ⊙ "
    functions: ClassVar[Mapping[str, str]] = {**Printer.functions, "sigma": "σ"}

    def ref(self, ref: Ref) -> str:
        """A quantity at its step; the adjoint dc as δc, dl/dh as ∂l/∂h."""
        name = adjoint_parts(ref.base) if self.is_gradient(ref) else None
        if name is None:
            return str(ref.name)
        step = "" if ref.lag is None else f"[{N.Time(ref.lag)}]"
        return f"∂l/∂{name[1]}{step}" if name[0] == "given" else f"δ{name[1]}{step}"

    def product(self, factors: list[sp.Expr]) -> str:
        """Numbers and sizes stand before without a sign, all else is multiplied entry by entry."""
        numbers = [f for f in factors if not f.atoms(Ref)]
        rest = super().product([f for f in factors if f not in numbers])
        return " ".join([*(self.at(f, UNARY) for f in numbers), *([rest] if rest else [])])

    def spell_Add(self, expr: sp.Expr) -> tuple[str, int]:
        """A sum with a true minus sign."""
        text, strength = super().spell_Add(expr)
        return text.replace(" - ", " − "), strength

    def power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """Squares and cubes as superscripts."""
        small = {2: "²", 3: "³"}.get(int(exponent) if isinstance(exponent, sp.Integer) else 0)
        return self.at(base, ATOM) + small if small else super().power(base, exponent)

    def spell_Transposed(self, expr: sp.Expr) -> tuple[str, int]:
        """A transposed matrix."""
        return f"{self.at(expr.args[0], ATOM)}ᵀ", ATOM

    def spell_Dot(self, expr: sp.Expr) -> tuple[str, int]:
        """Juxtaposition."""
        left, right = expr.args
        return f"{self.at(left, UNARY)} {self.at(right, ATOM)}", PRODUCT

    def spell_Outer(self, expr: sp.Expr) -> tuple[str, int]:
        """A column times a row."""
        left, right = expr.args
        return f"{self.at(left, UNARY)} {self.at(right, ATOM)}ᵀ", PRODUCT

    def spell_Total(self, expr: sp.Expr) -> tuple[str, int]:
        """The sum over all steps."""
        return f"Σ_t {self.at(expr.args[0], PRODUCT)}", PRODUCT


def adjoint_parts(base: str) -> tuple[str, str] | None:
    """("given", "h") for dl_dh, ("adjoint", "c") for dc, with any of the prefixes of `derive`."""
    for prefix in ("grad__", "grad_", "d_", "d"):
        if base.startswith(f"{prefix}l_{prefix}"):
            return "given", base[2 * len(prefix) + 2 :]
        if base.startswith(prefix):
            return "adjoint", base[len(prefix) :]
    return None
