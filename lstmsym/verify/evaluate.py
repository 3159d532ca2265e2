"""Both sides of an equation in numbers: a generic sequence, to 50 digits.

Generic means: T = 5 steps, all sizes different, inputs and weights without structure, initial
states and biases not zero, gradients arriving at every output and at the last states.  Independent
of the algebra of the proofs: plain forward and backward runs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from lstmsym import notation as N
from lstmsym.notation import Op, Ref, Size
from lstmsym.shapes import Shape
from lstmsym.verify.system import System

Array = Any
STEPS = 5
PRESENT = 2
"""The step at which a claim is evaluated: two steps lie before it, two behind it."""

MP = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.MPContext()
MP.dps = 50


def _each(function: Callable[..., Any]) -> Callable[..., Array]:
    return np.frompyfunc(function, function.__code__.co_argcount, 1)


def _softmax(z: Array) -> Array:
    top = max(z)
    e = _exp(z - top)
    return e / e.sum()


_exp = _each(lambda x: MP.exp(x))
_log = _each(lambda x: MP.log(x))
_sqrt = _each(lambda x: MP.sqrt(x))
_step = _each(lambda x: MP.mpf(1 if x > 0 else 0))

POINTWISE: dict[str, Callable[..., Array]] = {
    "sigma": _each(lambda x: 1 / (1 + MP.exp(-x))),
    "tanh": _each(lambda x: MP.tanh(x)),
    "relu": _each(lambda x: max(x, MP.mpf(0))),
    "leaky_relu": _each(lambda x, s: x if x > 0 else s * x),
    "elu": _each(lambda x, a: x if x > 0 else a * (MP.exp(x) - 1)),
    "hard_sigmoid": _each(lambda x: min(max(x / 6 + MP.mpf(1) / 2, MP.mpf(0)), MP.mpf(1))),
    "softplus": _each(lambda x: MP.log(1 + MP.exp(x))),
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "absolute": _each(lambda x: abs(x)),
    "sign": _each(lambda x: MP.sign(x)),
    "step": _step,
    "equal": _each(lambda a, b: MP.mpf(1 if a == b else 0)),
    "where": _each(lambda c, a, b: a if c > 0 else b),
    "maximum": _each(lambda a, b: max(a, b)),
    "minimum": _each(lambda a, b: min(a, b)),
    "stop_gradient": _each(lambda x: x),
}


@dataclass(frozen=True)
class Numbers:
    """Values of every reference: name -> step -> array; what has no time under None."""

    values: Mapping[str, Mapping[int | None, Array]]
    sizes: Mapping[str, int]

    def at(self, ref: Ref, step: int) -> Array:
        """The value of a reference seen from a step.

        Raises:
            KeyError: the sequence does not reach that far.
        """
        return self.values[ref.base][None if ref.lag is None else step + ref.lag]


def evaluate(expr: sp.Expr, numbers: Numbers, step: int) -> Array:
    """The value of an expression at a step."""
    return _Evaluation(numbers, step)(expr)


class _Evaluation:
    def __init__(self, numbers: Numbers, step: int) -> None:
        self.numbers, self.step = numbers, step

    def __call__(self, expr: sp.Expr) -> Array:
        if isinstance(expr, Ref):
            return self.numbers.at(expr, self.step)
        if isinstance(expr, Size):
            return MP.mpf(self.numbers.sizes[expr.name])
        if not expr.args:
            return MP.mpf(str(expr)) if isinstance(expr, sp.Float) else MP.mpf(int(expr.p)) / int(expr.q)
        if isinstance(expr, N.Total):
            return self.total(expr.args[0])
        if isinstance(expr, Op):
            return self.operation(expr)
        args = [self(a) for a in expr.args]
        if isinstance(expr, sp.Add):
            return sum(args[1:], args[0])
        if isinstance(expr, sp.Mul):
            return _product(args)
        base, exponent = args
        whole = isinstance(expr.exp, sp.Integer)
        return base ** int(expr.exp) if whole else _exp(exponent * _log(base))

    def total(self, expr: sp.Expr) -> Array:
        """The sum over all steps; a term that reaches outside the sequence is left out."""
        found = []
        for t in range(STEPS):
            with suppress(KeyError):
                found.append(_Evaluation(self.numbers, t)(expr))
        if not found:
            raise KeyError(str(expr))
        return sum(found[1:], found[0])

    def size(self, expr: sp.Expr) -> int:
        return int(expr.subs({s: self.numbers.sizes[s.name] for s in expr.atoms(Size)}))

    def operation(self, expr: sp.Expr) -> Array:
        name = type(expr).__name__
        if name in POINTWISE:
            return POINTWISE[name](*(self(a) for a in expr.args))
        if isinstance(expr, (N.Part, N.Pad, N.Spread)):
            return self.placed(expr)
        args = [self(a) for a in expr.args]
        return MIXING[name](*args)

    def placed(self, expr: sp.Expr) -> Array:
        value, *bounds = expr.args
        inner = self(value)
        sizes = [len(inner) if b == N.End else self.size(b) for b in bounds]
        if isinstance(expr, N.Part):
            return inner[sizes[0] : sizes[1]]
        if isinstance(expr, N.Pad):
            zeros = [np.array([MP.mpf(0)] * s, dtype=object) for s in sizes]
            return np.concatenate((zeros[0], inner, zeros[1]))
        return np.full(sizes, inner, dtype=object)


def _product(args: list[Array]) -> Array:
    result = args[0]
    for other in args[1:]:
        result = result * other
    return result


def _mean(v: Array) -> Array:
    return v.sum() / len(v)


def _variance(v: Array) -> Array:
    return _mean((v - _mean(v)) ** 2)


MIXING: dict[str, Callable[..., Array]] = {
    "Dot": lambda a, b: np.dot(a, b),
    "Transposed": lambda a: a.T,
    "Outer": lambda a, b: np.outer(a, b),
    "Concat": lambda *parts: np.concatenate(parts),
    "Sum": lambda v: np.sum(v),
    "Mean": _mean,
    "Variance": _variance,
    "Max": lambda v: max(v),
    "LogSumExp": lambda z: max(z) + MP.log(_exp(z - max(z)).sum()),
    "softmax": _softmax,
    "log_softmax": lambda z: z - max(z) - MP.log(_exp(z - max(z)).sum()),
    "normalize": lambda v, eps: (v - _mean(v)) / MP.sqrt(_variance(v) + eps),
}


SIZES = ((2, 3, 4, 5, 6, 7, 8, 9), (3, 2, 5, 4, 7, 6, 9, 8))
"""Sizes of the generic sequences: two choices, so that what holds at one size only is found out."""


def generic(system: System, seed: int = 0) -> Numbers:
    """A generic sequence through a cell, with all adjoints; ``seed`` chooses among `SIZES` too."""
    rng = random.Random(seed)
    cell = system.cell
    sizes = dict(zip((s.name for s in cell.sizes), SIZES[seed % len(SIZES)], strict=False))

    def draw(shape: Shape) -> Array:
        dims = [int(sp.sympify(s).subs({z: sizes[z.name] for z in sp.sympify(s).atoms(Size)})) for s in shape]
        values = [MP.mpf(rng.randint(-999, 999)) / 700 for _ in range(int(np.prod(dims)))]
        return np.array(values, dtype=object).reshape(dims) if dims else values[0]

    values: dict[str, dict[int | None, Array]] = {}
    for q in cell.role("parameter"):
        values[q.name] = {None: draw(q.shape)}
    for q in cell.role("hyperparameter"):
        values[q.name] = {None: MP.mpf(str(q.start))}
    for q in cell.role("input", "target"):
        values[q.name] = {t: draw(q.shape) for t in range(STEPS)}
    for q in cell.role("state"):
        values[q.name] = {-1: draw(q.shape)}
    numbers = Numbers(values, sizes)
    _run_forward(system, numbers)
    _run_backward(system, numbers, draw)
    _run_doubled(system, numbers)
    for name, shape in system.probes.items():
        values[name] = {None: draw(shape)}
    return numbers


def _run_forward(system: System, numbers: Numbers) -> None:
    lines = [*system.derivation.forward, *(e for e in system.with_loss.forward)]
    for t in range(STEPS):
        for line in lines:
            store: dict[int | None, Array] = numbers.values.setdefault(line.name.base, {})  # type: ignore[attr-defined]
            key = None if line.name.lag is None else t
            if key not in store:
                store[key] = evaluate(line.expr, numbers, t)


def _run_backward(system: System, numbers: Numbers, draw: Callable[[Shape], Array]) -> None:
    values: dict[str, dict[int | None, Array]] = numbers.values  # type: ignore[assignment]
    for output, ref in system.derivation.given.items():
        loss = system.given.get(ref.base)
        values[ref.base] = {
            t: draw(system.shapes[output]) if loss is None else evaluate(loss, numbers, t)
            for t in range(STEPS)
        }
    for state, ref in zip(system.cell.role("state"), system.carried, strict=True):
        values[ref.base] = {STEPS: draw(state.shape)}
    for t in reversed(range(STEPS)):
        for line in system.derivation.backward:
            if line.name.lag is not None:
                values.setdefault(line.name.base, {})[t] = _shaped(
                    evaluate(line.expr, numbers, t), line.shape, numbers
                )
    for line in system.derivation.backward:
        if line.name.lag is None:
            values[line.name.base] = {None: evaluate(line.expr, numbers, 0)}


def _run_doubled(system: System, numbers: Numbers) -> None:
    """The reverse run whose incoming gradients are the true adjoints of the outputs."""
    names = system.derivation.names
    values: dict[str, dict[int | None, Array]] = dict(numbers.values)  # type: ignore[arg-type]
    for output, ref in system.derivation.given.items():
        values[ref.base] = numbers.values[names.adjoint(output)]  # type: ignore[assignment]
    for state, ref in zip(system.cell.role("state"), system.carried, strict=True):
        values[ref.base] = {STEPS: evaluate(Ref(state.name, 0), numbers, 0) * 0}
    again = Numbers(values, numbers.sizes)
    for t in reversed(range(STEPS)):
        for line in system.derivation.backward:
            if line.name.lag is not None:
                values[line.name.base] = (
                    values[line.name.base] if t < STEPS - 1 else dict(values.get(line.name.base, {}))
                )
                values[line.name.base][t] = _shaped(evaluate(line.expr, again, t), line.shape, again)
    for line in system.derivation.backward:
        if line.name.lag is None:
            store: dict[int | None, Array] = {None: evaluate(line.expr, again, 0)}
            numbers.values[system.doubled(line.name.base)] = store  # type: ignore[index]


def _shaped(value: Array, shape: Shape, numbers: Numbers) -> Array:
    if np.shape(value) or not shape:
        return value
    dims = [int(s.subs({z: numbers.sizes[z.name] for z in s.atoms(Size)})) for s in map(sp.sympify, shape)]
    return np.full(dims, value, dtype=object)
