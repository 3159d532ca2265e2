"""The spelling of claims in LaTeX: derivatives as papers set them."""

from __future__ import annotations

import sympy as sp

from lstmsym import notation as N
from lstmsym.latex import Latex
from lstmsym.printing import ATOM
from lstmsym.verify.words import LossFrom


class ClaimLatex(Latex):
    """LaTeX of a cell and of what is claimed about it."""

    def size(self, symbol: sp.Symbol) -> str:
        """A size, or the loss from a step on."""
        if isinstance(symbol, LossFrom):
            return "L" if symbol.lag is None else f"L_{{{symbol.name[2:-1]}}}"
        return super().size(symbol)

    def spell_Label(self, expr: sp.Expr) -> tuple[str, int]:
        """A derivative, with what it holds fixed below a bar."""
        what, by, *held = map(self, expr.args)
        text = rf"\frac{{\partial {what}}}{{\partial {by}}}"
        return (rf"{text} \vert_{{{', '.join(held)}}}" if held else text), ATOM

    spell_Local = spell_Through = spell_Label

    def spell_Columns(self, expr: sp.Expr) -> tuple[str, int]:
        """Some columns of a matrix."""
        matrix, low, high = expr.args
        first, last = "" if low == 0 else self(low), "" if high == N.End else self(high)
        return rf"[{self(matrix)}]_{{:,{first}:{last}}}", ATOM

    def spell_ChainSum(self, expr: sp.Expr) -> tuple[str, int]:
        """The chain rule through all outputs."""
        by = self(expr.args[0])
        return rf"\sum_{{t}} \frac{{\partial L}}{{\partial h_t}} \frac{{\partial h_t}}{{\partial {by}}}", ATOM
