r"""LaTeX: the spelling of names and expressions, and rows that fit on a page.

What comes out is plain LaTeX with amsmath, and renders in KaTeX and MathJax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref
from lstmsym.printing import ATOM, PRODUCT, UNARY, Order, Printer, adjoint_parts, is_negative

GREEK = {
    **{name: rf"\{name}" for name in (
        "alpha beta gamma delta zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
    ).split()},
    "epsilon": r"\varepsilon", "eps": r"\varepsilon",
}  # fmt: skip
ACCENTS = frozenset({"hat", "tilde", "bar"})
LINE = 50
"""How wide a right side may be, in letters: what an article's text width holds beside name and number."""
PAGE = 30
"""How many lines high a display may be."""


class Latex(Printer):
    """Spells for plain LaTeX (amsmath), KaTeX and MathJax; steps are subscripts."""

    times = r" \odot "
    chosen = r"\operatorname{where}"
    functions: ClassVar[Mapping[str, str]] = {
        "sigma": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "maximum": r"\max",
        "minimum": r"\min", "Max": r"\max", "Variance": r"\operatorname{var}",
    }  # fmt: skip

    def __init__(self, order: Order | None = None, names: Mapping[str, str] | None = None) -> None:
        """``names``: what a name is called here instead, as ``z`` for an invented ``hx``."""
        super().__init__(order)
        self.names = names or {}

    def bracket(self, text: str) -> str:
        """Round brackets, as tall as a fraction in them."""
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def name(self, base: str, lag: int | None) -> str:
        """A name with its subscripts and its step."""
        return subscripted(self.names.get(base, base), lag)

    def ref(self, ref: Ref) -> str:
        """A quantity with its subscripts and its step."""
        parts = adjoint_parts(ref.base) if self.is_gradient(ref) else None
        if parts is None:
            return self.name(ref.base, ref.lag)
        kind, base = parts
        if kind == "given":
            step = f"{{{N.Time(ref.lag)}}}" if ref.lag else "t"
            return rf"\frac{{\partial l_{step}}}{{\partial {self.name(base, ref.lag)}}}"
        if base.endswith("_prev"):
            inner = self.name(base.removesuffix("_prev"), None)
            return rf"\overleftarrow{{\delta {inner}}}_{{{N.Time(ref.lag or 0)}}}"
        return rf"\delta {self.name(base, ref.lag)}"

    def size(self, symbol: sp.Symbol) -> str:
        """A size."""
        return subscripted(symbol.name, None)

    def number(self, number: sp.Number) -> tuple[str, int]:
        """A number, fractions upright."""
        if isinstance(number, sp.Rational) and number.q != 1:
            return rf"\tfrac{{{number.p}}}{{{number.q}}}", ATOM
        return super().number(number)

    # -- sums, products, powers --------------------------------------------------------------------

    def lines(self, expr: sp.Expr) -> list[str]:
        """An expression in as many lines as it takes: a long sum breaks before a sign."""
        if not isinstance(expr, sp.Add):
            return [self(expr)]
        lines = [""]
        for term in sorted(expr.args, key=self.term_key):
            text = self.at(-term if is_negative(term) else term, PRODUCT)
            sign = "-" if is_negative(term) else "+"
            if lines[-1] and width(lines[-1]) + width(text) > LINE:
                lines.append(f"{sign} {text}")
            elif lines[-1]:
                lines[-1] += f" {sign} {text}"
            else:
                lines[-1] = f"-{text}" if sign == "-" else text
        return lines

    def product(self, factors: list[sp.Expr]) -> str:
        """Numbers and scalars stand before; the rest is multiplied entry by entry."""
        numbers = [f for f in factors if not f.atoms(Ref)]
        rest = super().product([f for f in factors if f not in numbers])
        return r" \, ".join([*(self.at(f, UNARY) for f in numbers), *([rest] if rest else [])])

    def spell_Mul(self, expr: sp.Expr) -> tuple[str, int]:
        """A product; above and below a fraction bar nothing needs brackets."""
        above, below = self.fraction(expr)
        if is_negative(expr) or not above or not below:
            return super().spell_Mul(expr)
        return self.quotient(self.alone(above), below), PRODUCT

    def alone(self, factors: list[sp.Expr]) -> str:
        """Factors that stand by themselves."""
        return self(factors[0]) if len(factors) == 1 else self.product(factors)

    def quotient(self, above: str, below: list[sp.Expr]) -> str:
        """A fraction."""
        return rf"\frac{{{above}}}{{{self.alone(below)}}}"

    def power(self, base: sp.Expr, exponent: sp.Expr) -> str:
        """A power; of tanh and the like on the name of the function."""
        if type(base).__name__ in ("tanh", "sigma") and isinstance(base, N.Pointwise):
            return rf"{self.functions[type(base).__name__]}^{{{self(exponent)}}}({self(base.args[0])})"
        return f"{self.below(base)}^{{{self(exponent)}}}"

    def below(self, base: sp.Expr) -> str:
        """What takes a superscript."""
        text = self.at(base, ATOM)
        return self.bracket(text) if text.startswith((r"\frac", r"\tfrac", "\\delta ")) else text

    # -- operations --------------------------------------------------------------------------------

    def spell_call(self, expr: sp.Expr) -> tuple[str, int]:
        """A function by its usual name, upright where LaTeX has none."""
        name = type(expr).__name__
        words = r"\,".join(name.lower().split("_"))
        shown = self.functions.get(name) or rf"\operatorname{{{words}}}"
        return f"{shown}({', '.join(self(a) for a in expr.args)})", ATOM

    def spell_absolute(self, expr: sp.Expr) -> tuple[str, int]:
        """Bars."""
        return rf"\lvert {self(expr.args[0])} \rvert", ATOM

    def spell_sqrt(self, expr: sp.Expr) -> tuple[str, int]:
        """A root."""
        return rf"\sqrt{{{self(expr.args[0])}}}", ATOM

    def spell_Dot(self, expr: sp.Expr) -> tuple[str, int]:
        """Juxtaposition."""
        left, right = expr.args
        return rf"{self.at(left, UNARY)} \, {self.at(right, ATOM)}", PRODUCT

    def spell_Transposed(self, expr: sp.Expr) -> tuple[str, int]:
        """A transposed matrix."""
        return rf"{self.below(expr.args[0])}^{{\top}}", ATOM

    def spell_Outer(self, expr: sp.Expr) -> tuple[str, int]:
        """A column times a row."""
        left, right = expr.args
        return rf"{self.at(left, UNARY)} \, {self.below(right)}^{{\top}}", PRODUCT

    def spell_Total(self, expr: sp.Expr) -> tuple[str, int]:
        """The sum over all steps."""
        return rf"\sum_{{t}} {self.at(expr.args[0], PRODUCT)}", PRODUCT

    def spell_Concat(self, expr: sp.Expr) -> tuple[str, int]:
        """Vectors one below the other, in square brackets."""
        return rf"[{'; '.join(self(a) for a in expr.args)}]", ATOM

    def spell_Part(self, expr: sp.Expr) -> tuple[str, int]:
        """A slice as a subscript of brackets."""
        vector, low, high = expr.args
        first, last = "" if low == 0 else self(low), "" if high == N.End else self(high)
        return rf"[{self(vector)}]_{{{first}:{last}}}", ATOM


def subscripted(base: str, lag: int | None) -> str:
    r"""A name as papers set it: ``W_i`` as W_i, ``x_c`` at t as x_{c,t}, ``h_tilde`` as \\tilde{h}.

    A Greek name is a Greek letter.  In a subscript that needs three letters: two stand side by
    side, as in gamma_xi, the gain of x in gate i.
    """
    words = [word for word in base.split("_") if word]
    accents = [word for word in words if word in ACCENTS and len(words) > 1]
    head, *subs = [word for word in words if word not in accents] or [base.replace("_", r"\_")]
    head = GREEK.get(head) or (head if len(head) == 1 else rf"\mathrm{{{head}}}")
    head += "'" * (len(base) - len(base.rstrip("_")) if words else 0)
    for accent in accents:
        head = rf"\{accent}{{{head}}}"
    subs = [(GREEK.get(s) if len(s) > 2 else s) or rf"\mathrm{{{s}}}" for s in subs]
    if lag is not None:
        subs.append(str(N.Time(lag)))
    return f"{head}_{{{','.join(subs)}}}" if subs else head


# -- rows and displays -------------------------------------------------------------------------------


def row(name: str, lines: list[str], number: int | None = None) -> str:
    """An equation as a row of a display, its further lines indented below it."""
    tag = "" if number is None else f" && ({number})"
    return f"{name} &= " + " \\\\\n  &\\quad ".join(lines) + tag


def displays(rows: Iterable[str]) -> str:
    """Rows as aligned displays, none of them higher than a page."""
    pages: list[list[str]] = [[]]
    used = 0
    for text in rows:
        used += height(text)
        if used > PAGE:
            pages.append([])
            used = height(text)
        pages[-1].append(text)
    return "\n\n".join(display(page) for page in pages if page)


def display(rows: Iterable[str]) -> str:
    """Rows of LaTeX as one aligned display."""
    body = " \\\\\n".join(f"  {text}" for text in rows)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def height(text: str) -> int:
    """About how many lines a row is high: a sum sign or a fraction counts twice."""
    return sum(2 if r"\frac" in line or r"\sum" in line else 1 for line in text.split("\\\\\n"))


def width(text: str) -> float:
    """About how many letters wide a piece of LaTeX is; subscripts are small, a fraction as its wider half."""
    wide, place = 0.0, 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        assert token is not None
        place = token.end()
        if token[0] in ("_", "^"):
            small, place = _argument(text, place)
            wide += 0.7 * width(small)
        elif token[0] == r"\frac":
            above, place = _argument(text, place)
            below, place = _argument(text, place)
            wide += max(width(above), width(below))
        else:
            wide += _WIDTHS.get(token[0], 1.0)
    return wide


_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
_WIDTHS = {
    **dict.fromkeys(("{", "}", " ", "\n", r"\operatorname", r"\mathrm", r"\hat", r"\tilde", r"\bar"), 0.0),
    **dict.fromkeys(("+", "-", "=", r"\odot", r"\sum"), 2.5), r"\,": 0.3, r"\overleftarrow": 0.0,
    r"\tanh": 4.0, r"\exp": 3.0, r"\log": 3.0, r"\max": 3.5, r"\min": 3.0,
    **dict.fromkeys(("(", ")", "[", "]", ",", ";", "i", "f", "t", "l"), 0.75),
}  # fmt: skip


def _argument(text: str, place: int) -> tuple[str, int]:
    """The argument that begins at a place, without its braces, and where it ends."""
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] == "{") - (text[end] == "}")
        if depth == 0:
            return text[place : end + 1].removeprefix("{").removesuffix("}"), end + 1
    return text[place:], len(text)
