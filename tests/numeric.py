"""What every operation means, in plain NumPy, and a cell's forward run by these meanings.

Written from the definitions alone: nothing of the judge, the planner or the generated code is used.
Each meaning takes complex numbers too and moves along the imaginary axis as along the real one, so
that a step of 1e-20 along it is a derivative to the last digit.  Choices (which entry is largest,
which side of a kink) are made by real parts; what passes no gradient drops the imaginary part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from lstmsym.cell import Cell
from lstmsym.notation import Op, Ref, Size

Array = Any
Values = Mapping[Ref, Array]
Sizes = Mapping[str, int]

re = np.real


def larger(a: Array, b: Array) -> Array:
    """The larger of the two."""
    return np.where(re(a) > re(b), a, b)


def lse(z: Array) -> Array:
    """log(sum(exp(z))), shifted by the largest entry."""
    top = re(z).max()
    return top + np.log(np.exp(z - top).sum())


def var(v: Array) -> Array:
    """The mean square of the distances from the mean."""
    return ((v - v.sum() / len(v)) ** 2).sum() / len(v)


MEANINGS: dict[str, Callable[..., Array]] = {
    "sigma": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: x * (re(x) > 0),
    "leaky_relu": lambda x, slope: np.where(re(x) > 0, x, slope * x),
    "elu": lambda x, alpha: np.where(re(x) > 0, x, alpha * (np.exp(x) - 1)),
    "hard_sigmoid": lambda x: np.where(re(x) >= 3, 1, np.where(re(x) <= -3, 0, x / 6 + 0.5)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "absolute": lambda x: np.where(re(x) < 0, -x, x),
    "sign": lambda x: 1.0 * (re(x) > 0) - 1.0 * (re(x) < 0),
    "step": lambda x: 1.0 * (re(x) > 0),
    "equal": lambda a, b: 1.0 * (re(a) == re(b)),
    "where": lambda c, a, b: np.where(re(c) > 0, a, b),
    "maximum": larger,
    "minimum": lambda a, b: -larger(-a, -b),
    "stop_gradient": re,
    "Dot": lambda a, v: np.einsum("ij,j...->i...", a, v),
    "Transposed": lambda a: np.einsum("ij->ji", a),
    "Outer": lambda u, v: np.einsum("i,j->ij", u, v),
    "Concat": lambda *parts: np.concatenate(parts),
    "Part": lambda v, low, high: v[low:high],
    "Pad": lambda v, before, after: np.concatenate((np.zeros(before), v, np.zeros(after))),
    "Spread": lambda s, *shape: s * np.ones(shape),
    "Total": lambda steps: sum(steps),
    "Sum": np.sum,
    "Mean": lambda v: v.sum() / len(v),
    "Variance": var,
    "Max": lambda v: v[np.argmax(re(v))],
    "normalize": lambda v, eps: (v - v.sum() / len(v)) / np.sqrt(var(v) + eps),
    "LogSumExp": lse,
    "softmax": lambda z: np.exp(z - re(z).max()) / np.exp(z - re(z).max()).sum(),
    "log_softmax": lambda z: z - lse(z),
}
"""Name of an operation -> what it does to numbers: one sample, one step."""


def extent(size: Any, sizes: Sizes) -> int:
    """The value of a size."""
    symbols = sp.sympify(size).atoms(Size)
    return int(sp.sympify(size).xreplace({s: sp.Integer(sizes[s.name]) for s in symbols}))


def evaluate(expr: sp.Expr, values: Values, sizes: Sizes) -> Array:
    """The value of an expression, given what its references stand for."""
    if isinstance(expr, Ref):
        return values[expr]
    if isinstance(expr, Size):
        return sizes[expr.name]
    if not expr.args:
        return float(expr)
    name = type(expr).__name__
    if name in ("Part", "Pad", "Spread"):
        bounds = [None if b == sp.Symbol("end") else extent(b, sizes) for b in expr.args[1:]]
        return MEANINGS[name](evaluate(expr.args[0], values, sizes), *bounds)
    args = [evaluate(a, values, sizes) for a in expr.args]
    if isinstance(expr, Op):
        return MEANINGS[name](*args)
    if isinstance(expr, sp.Add):
        return sum(args[1:], args[0])
    if isinstance(expr, sp.Mul):
        return np.prod(np.array(np.broadcast_arrays(*args)), axis=0)
    base, exponent = args
    return base ** int(expr.exp) if expr.exp.is_Integer else np.exp(exponent * np.log(base))


def run(
    cell: Cell,
    params: Mapping[str, Array],
    inputs: Mapping[str, Array],
    state0: Mapping[str, Array],
    sizes: Sizes,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Outputs (T, B, ...) and last states (B, ...) of a cell over a batch, sample by sample."""
    T, B = next(iter(inputs.values())).shape[:2]
    fixed: dict[Ref, Array] = {Ref(name): value for name, value in params.items()}
    fixed |= {Ref(q.name): float(str(q.start)) for q in cell.role("hyperparameter")}
    made: dict[str, list[list[Array]]] = {name: [[] for _ in range(T)] for name in cell.outputs}
    last: dict[str, list[Array]] = {q.name: [] for q in cell.role("state")}
    for sample in range(B):
        values = fixed | {Ref(name, 0): value[sample] for name, value in state0.items()}
        for t in range(T):
            before = {Ref(name, -1): values[Ref(name, 0)] for name in last}
            values = fixed | before | {Ref(name, 0): x[t, sample] for name, x in inputs.items()}
            for line in cell.equations:
                values[line.name] = evaluate(line.expr, values, sizes)
            for name in cell.outputs:
                made[name][t].append(values[Ref(name, 0)])
        for name, rows in last.items():
            rows.append(values[Ref(name, 0)])
    return {name: np.array(rows) for name, rows in made.items()}, {
        n: np.array(rows) for n, rows in last.items()
    }
