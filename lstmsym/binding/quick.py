"""Quick numbers: whether two expressions agree on one generic sequence, in double precision.

Only for choosing what a notation means; verdicts are the judge's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref, Size
from lstmsym.verify.evaluate import PRESENT, STEPS, Numbers

_POINTWISE: dict[str, Callable[..., Any]] = {
    "sigma": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "relu": lambda x: np.maximum(x, 0), "softplus": lambda x: np.log1p(np.exp(x)), "absolute": np.abs,
    "sign": np.sign, "step": lambda x: (x > 0) * 1.0, "maximum": np.maximum, "minimum": np.minimum,
    "where": lambda c, a, b: np.where(c > 0, a, b), "stop_gradient": lambda x: x, "equal": lambda a, b: (a == b) * 1.0,
}  # fmt: skip
_MIXING: dict[str, Callable[..., Any]] = {
    "Dot": np.dot, "Transposed": lambda a: a.T, "Outer": np.outer, "Concat": lambda *p: np.concatenate(p),
    "Sum": np.sum, "Mean": np.mean, "Variance": np.var, "Max": np.max,
    "softmax": lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(),
    "log_softmax": lambda z: z - z.max() - np.log(np.exp(z - z.max()).sum()),
    "LogSumExp": lambda z: z.max() + np.log(np.exp(z - z.max()).sum()),
}  # fmt: skip


class Quick:
    """Values of expressions on one sequence, remembered."""

    def __init__(self, numbers: Numbers) -> None:
        """Take over the numbers of a generic sequence."""
        self.sizes = numbers.sizes
        self.values = {
            name: {step: np.asarray(value, dtype=float) for step, value in steps.items()}
            for name, steps in numbers.values.items()
        }
        self.known: dict[tuple[sp.Expr, int], Any] = {}

    def __call__(self, expr: sp.Expr, step: int = PRESENT) -> Any:
        """The value at a step.

        Raises:
            KeyError: the sequence does not reach that far, or an operation has no value here.
        """
        key = (expr, step)
        if key not in self.known:
            self.known[key] = self._value(expr, step)
        return self.known[key]

    def _value(self, expr: sp.Expr, step: int) -> Any:
        if isinstance(expr, Ref):
            return self.values[expr.base][None if expr.lag is None else step + expr.lag]
        if isinstance(expr, Size):
            return self.sizes[expr.name]
        if not expr.args:
            return float(expr)
        if isinstance(expr, N.Total):
            return self._total(expr.args[0])
        name = type(expr).__name__
        if isinstance(expr, (N.Part, N.Pad, N.Spread)):
            return self._placed(expr, step)
        args = [self(a, step) for a in expr.args]
        if isinstance(expr, Op):
            return (_POINTWISE.get(name) or _MIXING[name])(*args)
        if isinstance(expr, sp.Add):
            return sum(args[1:], args[0])
        if isinstance(expr, sp.Mul):
            found = args[0]
            for other in args[1:]:
                found = found * other
            return found
        return args[0] ** args[1]

    def _total(self, expr: sp.Expr) -> Any:
        found = []
        for step in range(STEPS):
            try:
                found.append(self(expr, step))
            except KeyError:
                continue
        if not found:
            raise KeyError(str(expr))
        return sum(found[1:], found[0])

    def _placed(self, expr: sp.Expr, step: int) -> Any:
        inner = self(expr.args[0], step)
        bounds = [len(inner) if b == N.End else int(self(b, step)) for b in expr.args[1:]]
        if isinstance(expr, N.Part):
            return inner[bounds[0] : bounds[1]]
        if isinstance(expr, N.Pad):
            return np.concatenate((np.zeros(bounds[0]), inner, np.zeros(bounds[1])))
        return np.full(bounds, inner)


def alike(a: Any, b: Any) -> bool:
    """Whether two values agree."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape and a.shape != () and b.shape != ():
        return False
    scale = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0)) or 1.0
    return bool(np.abs(a - b).max() <= 1e-9 * scale)
