"""The derivation's expressions as NumPy text, in the names of a listing."""

from __future__ import annotations

from typing import Any

import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Ref

CALLS = {"sigma": "sigmoid", "absolute": "np.abs"}
DEPTH = 12


def numpy_text(expr: sp.Expr, judging: Any) -> str:
    """An expression in the listing's names; what it has no name for is written out."""
    return _Writer(judging)(expr, 0)


class _Writer:
    def __init__(self, judging: Any) -> None:
        self.forward, self.judging = judging.forward, judging
        self.system = judging.truth.judge.system
        self.layout = judging.forward.algebra.layout
        self.named = dict(self.forward.shown)
        for finding in judging.findings:
            if finding.true is not None and finding.target and finding.status != "prose":
                self.named.setdefault(finding.true, finding.target)
        for key, ref in judging.meanings.items():
            if isinstance(ref, Ref):
                self.named.setdefault(ref, key)
        for key, options in judging.asked.items():
            if options and isinstance(options[0], Ref) and key not in judging.meanings:
                self.named.setdefault(options[0], key)

    def __call__(self, expr: sp.Expr, level: int, depth: int = 0) -> str:
        """The text; in brackets where the level (1 a term, 2 a factor, 3 a base) needs them."""
        if isinstance(expr, Ref):
            return self.ref(expr, level, depth)
        if not expr.args:
            return str(expr) if expr >= 0 or level == 0 else f"({expr})" if expr.is_number else str(expr)
        if isinstance(expr, sp.Add):
            text = " + ".join(self(a, 1, depth) for a in self.ordered(expr.args)).replace("+ -", "- ")
            return f"({text})" if level > 0 else text
        if isinstance(expr, sp.Mul):
            sign = "-" if expr.args[0] == -1 else ""
            rest = expr.args[1:] if sign else expr.args
            text = sign + " * ".join(self(a, 2, depth) for a in rest)
            return f"({text})" if level > 2 else text
        if isinstance(expr, sp.Pow):
            text = f"{self(expr.base, 3, depth)} ** {self(expr.exp, 3, depth)}"
            return f"({text})" if level > 2 else text
        return self.operation(expr, level, depth)

    def ordered(self, args: tuple[sp.Expr, ...]) -> list[sp.Expr]:
        """Terms, plain numbers and what is added before what is taken off."""
        return sorted(args, key=lambda a: (a.could_extract_minus_sign(), not a.is_number, str(a)))

    def ref(self, ref: Ref, level: int, depth: int) -> str:
        if ref in self.named:
            return self.named[ref]
        line = self.system.derivation.by_name.get(ref.base)
        meaning = (
            line.expr if line is not None and ref.lag in (0, None) else self.system.forward.get(ref.base)
        )
        if meaning is None or depth > DEPTH or (line is None and ref.lag != 0):
            return str(ref)
        return self(meaning, level, depth + 1)

    def operation(self, expr: sp.Expr, level: int, depth: int) -> str:
        name = type(expr).__name__
        if isinstance(expr, N.Dot):
            return self.dot(expr, level, depth)
        if isinstance(expr, N.Transposed):
            inner = expr.args[0]
            if isinstance(inner, N.Outer):
                return self.operation(N.Outer(*inner.args[::-1]), level, depth)
            return f"{self(inner, 3, depth)}.T"
        if isinstance(expr, N.Total):
            return self(expr.args[0], level, depth)
        if isinstance(expr, N.Outer):
            a, b = (self(x, 3, depth) for x in expr.args)
            forms = {
                "columns": f"np.dot({a}, {b}.T)",
                "rows": f"np.dot({a}.T, {b})",
                "flat": f"np.outer({a}, {b})",
            }
            return forms[self.layout]
        if isinstance(expr, N.Part):
            low, high = ("" if b in (0, N.End) else str(b) for b in expr.args[1:])
            rows = {"rows": f":, {low}:{high}"}.get(self.layout, f"{low}:{high}")
            return f"{self(expr.args[0], 3, depth)}[{rows}]"
        call = CALLS.get(name, f"np.{name.lower()}")
        return f"{call}({', '.join(self(a, 0, depth) for a in expr.args)})"

    def dot(self, expr: sp.Expr, level: int, depth: int) -> str:
        matrix, vector = expr.args
        if self.layout == "rows":
            return f"np.dot({self(vector, 0, depth)}, {self(N.transposed(matrix), 0, depth)})"
        return f"np.dot({self(matrix, 0, depth)}, {self(vector, 0, depth)})"
